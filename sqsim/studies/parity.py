"""A sparse parity through learners of ReLUs, and through correlational learners of parities.

Collects what a run found beside the proved gap; does not draw or print.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any, final

from sqsim.algorithms.parity_reduction import Relevance
from sqsim.errors import BadInput
from sqsim.loop import run
from sqsim.lowerbounds.parities import relu_parity_correlation, relu_parity_gap
from sqsim.lowerbounds.parity_gaps import check_parity_residue, parity_neuron_gain
from sqsim.lowerbounds.precision import Enclosure
from sqsim.oracles.parity_quadrature import ParityQuadrature
from sqsim.oracles.protocol import Oracle
from sqsim.oracles.simulated import csq, sq
from sqsim.problems.parity import SparseParity
from sqsim.studies.learners import CONVENTIONS, POLICIES
from sqsim.studies.parity_contenders import contender_named, cut_between

SCHEMA = "sqsim.parity/1"
DIGITS = 20
BELOW = 0.99
"""Of the tolerance that hides the parity: the default."""


@final
@dataclass(frozen=True)
class ParityRecovery:
    """A noisy parity of Gaussian signs, a learner and an oracle.

    Attributes
    ----------
    dimension, sparsity, noise : of the parity; sparsity 2, 6, 10, ...
    learner : "exhaustive-neurons" or the name of any learner of a neuron, for the reduction;
        "exhaustive-parity", "staged-parity", "greedy-parity" or "eliminating-parity" without it.
    tolerance : of the labels -1 and 1; None is `BELOW` of the least that hides the parity.
    norm, policy, seed : of the oracle, by name as the commands have them.
    """

    dimension: int
    sparsity: int
    noise: str = "0"
    learner: str = "exhaustive-neurons"
    tolerance: float | None = None
    norm: str = "absolute"
    policy: str = "toward-zero"
    seed: int = 0

    def __post_init__(self) -> None:
        for name, known in (("norm", CONVENTIONS), ("policy", POLICIES)):
            given = getattr(self, name)
            if given not in known:
                raise BadInput(f"{name} is {given!r}; wanted one of {', '.join(known)}")
        if self.tolerance is not None and not 0 < self.tolerance < math.inf:
            raise BadInput(f"tolerance is {self.tolerance}; wanted a finite number > 0")
        _ = self.problem
        check_parity_residue(self.sparsity)

    @property
    def problem(self) -> SparseParity:
        return SparseParity(self.dimension, self.sparsity, noise=self.noise, lifted=True)


def recover_parity(study: ParityRecovery) -> dict[str, Any]:
    """Draw the parity, run the learner and report; `gap` is (1 - 2 noise) c_k / sqrt(2 pi).

    `found` is the set that was found, empty where the reduction declared another number of
    coordinates than k (above the gap an adversary makes it declare all: `declared`).
    """
    problem = study.problem
    gap, widest, correlation = _proved(study.sparsity, problem.flip_rate)
    contender = contender_named(study.learner, problem, float(gap), study.seed)
    unit = 1.0 if study.norm == "absolute" else contender.size
    hides = contender.signal / unit
    tolerance = BELOW * hides if study.tolerance is None else study.tolerance
    instance = problem.draw(seed=study.seed)
    oracle: Oracle[Any] = (csq if contender.access == "CSQ" else sq)(
        instance,
        tolerance=CONVENTIONS[study.norm](tolerance),
        policy=POLICIES[study.policy],
        means=ParityQuadrature(),
        seed=study.seed,
    )
    sought = cut_between(contender.signal, tolerance * unit)
    result = run(contender.start(problem, sought), oracle)
    value = result.value
    found = value.found if isinstance(value, Relevance) else value or ()
    return {
        "schema": SCHEMA,
        "dimension": study.dimension,
        "sparsity": study.sparsity,
        "noise": str(problem.flip_rate),
        "learner": study.learner,
        "access": contender.access,
        "gap": float(gap),
        "gap_interval": _ends(gap),
        "gap_of_the_best_norm": _ends(widest),
        "correlation": _ends(correlation),
        "tolerance": tolerance,
        "norm": study.norm,
        "hidden_from": hides,
        "policy": study.policy,
        "seed": study.seed,
        "relevant": list(instance.subset),
        "found": list(found),
        **_details(value, sought),
        "queries": result.ledger.queries,
        "rounds": result.ledger.rounds,
        "queries_formula": contender.queries,
        "rounds_formula": contender.rounds,
    }


@lru_cache(maxsize=8)
def _proved(sparsity: int, noise: Fraction) -> tuple[Enclosure, Enclosure, Enclosure]:
    """What the neuron of Algorithm 1 gains, what the best norm gains, and c_k."""
    return (
        parity_neuron_gain(sparsity, noise=noise, digits=DIGITS),
        relu_parity_gap(sparsity, noise=noise, digits=DIGITS),
        relu_parity_correlation(sparsity, digits=DIGITS),
    )


def _details(value: Any, sought: float) -> Mapping[str, Any]:
    if not isinstance(value, Relevance):
        return {}
    return {
        "accuracy": 4 * sought,
        "declared": list(value.declared),
        "losses": list(value.losses),
    }


def _ends(interval: Enclosure) -> dict[str, str]:
    return {"lower": interval.lower, "upper": interval.upper}
