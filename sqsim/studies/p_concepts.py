"""How fast boosting learns a p-concept whose target is known, by what kinds of queries.

This file does not know oracles; it is given what a learner returned, and the secret.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np

from sqsim.algorithms.boosting import BoostedConcept, frank_wolfe_excess
from sqsim.algorithms.combinations import Combination
from sqsim.algorithms.label_free import LabelFree
from sqsim.errors import BadInput
from sqsim.problems.p_concepts import PConceptInstance
from sqsim.problems.transfers import Transfer
from sqsim.queries import Correlation, Ridge
from sqsim.record import Exchange


@final
@dataclass(frozen=True)
class BoostingStep:
    """One iterate f_t against the target f*.

    Attributes
    ----------
    excess : float
        Ls(f_t) - Ls(f*), for Ls(f) = E[Psi(f) - y f].
    excess_bound : float
        `frank_wolfe_excess` of t steps; infinite for t = 0, of which it says nothing.
    squared_distance : float
        ||psi(f_t) - psi(f*)||^2.
    distance_bound : float
        2 L excess.
    """

    step: int
    excess: float
    excess_bound: float
    squared_distance: float
    distance_bound: float


@final
@dataclass(frozen=True)
class KindsAsked:
    """Scalar queries of a run by kind, and its rounds."""

    correlations: int
    statistics: int
    rounds: int


def kinds_asked(exchanges: Sequence[Exchange], dimension: int) -> KindsAsked:
    """What was asked in these exchanges, as a callback of `run` collects them."""
    queries = [query for exchange in exchanges for query in exchange.batch.queries]
    linear = [query.size(dimension) for query in queries if isinstance(query, Correlation)]
    whole = sum(query.size(dimension) for query in queries)
    return KindsAsked(sum(linear), whole - sum(linear), len(exchanges))


def boosting_trace(
    boosted: BoostedConcept,
    target: Combination,
    known: LabelFree,
    *,
    radius: float,
    norm: float,
    slack: float,
) -> tuple[BoostingStep, ...]:
    """Every iterate's excess and distance, with the theorem's bounds.

    Parameters
    ----------
    target : f*, with E[y | x] = psi(f*(x)).
    known : how expectations over x are found.
    radius, norm, slack : those of `frank_wolfe_excess`.
    """
    psi, found = boosted.transfer, []
    for step, f in enumerate(boosted.iterates):
        excess = surrogate_excess(psi, f, target, known)
        bound = frank_wolfe_excess(
            steps=step, radius=radius, norm=norm, slack=slack, lipschitz=psi.lipschitz
        )
        distance = known.scalar([f, target], lambda values: (psi(values[0]) - psi(values[1])) ** 2)
        found.append(
            BoostingStep(
                step, excess, bound if step else np.inf, distance, 2 * psi.lipschitz * excess
            )
        )
    return tuple(found)


def surrogate_excess(
    transfer: Transfer, concept: Combination, target: Combination, known: LabelFree
) -> float:
    """Ls(f) - Ls(f*) = E[Psi(f) - Psi(f*) - psi(f*) (f - f*)], a mean of numbers >= 0."""
    return known.scalar(
        [concept, target],
        lambda values: (
            transfer.primitive(values[0])
            - transfer.primitive(values[1])
            - transfer(values[1]) * (values[0] - values[1])
        ),
    )


def target_of(instance: PConceptInstance) -> Combination:
    """f* of a p-concept, one form of weight 1 for each link of its score."""
    terms = instance.labels.score.terms
    if any(term.gate is not None for term in terms):
        raise BadInput("the score has gated links, which are no combination of single directions")
    forms = tuple(Ridge(term.link, term.direction, kinks=term.link.kinks) for term in terms)
    return Combination(forms, (1.0,) * len(forms))


def radius_of(instance: PConceptInstance) -> float:
    """The sum of the norms of the score's links: f* is in radius conv(+-C) for their unit forms."""
    return float(sum(np.sqrt(t.link.second_moment) for t in instance.labels.score.terms))
