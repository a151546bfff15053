"""Sparse parities with noise through any agnostic proper learner of ReLUs.

Knows the parity's dimension, sparsity and noise rate, and how queries are carried over; does not
know how the learner works.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, final, overload

from sqsim.algorithms.dropped_coordinates import WithoutCoordinate, half_normals
from sqsim.algorithms.fields import agreement
from sqsim.errors import BadInput
from sqsim.problems.hypothesis import ReluHypothesis
from sqsim.problems.index import ReluRegression
from sqsim.problems.parity import SparseParity
from sqsim.seeds import Role, Seed, rng
from sqsim.strategy import CSQ, SQ, Strategy, ask, together

NORM = 1 / math.sqrt(2 * math.pi)
"""Of the best unbiased ReLU for labels in {0, 1} that it cannot predict, and of the paper's w_S."""

BLIND_LOSS = 0.5 - 1 / (4 * math.pi)
"""The loss of that ReLU: E[(sigma(<w, x>) - y')^2] = |w|^2 / 2 - |w| / sqrt(2 pi) + 1/2."""

DRAWS = 1000


@final
@dataclass(frozen=True)
class Relevance:
    """What the reduction found.

    Attributes
    ----------
    declared : coordinates without which the learner's neuron loses about `BLIND_LOSS`.
    losses : for each coordinate, what the neuron learned without it loses, as answers tell.
    sparsity : how many relevant coordinates there are.
    """

    declared: tuple[int, ...]
    losses: tuple[float, ...]
    sparsity: int

    @property
    def found(self) -> tuple[int, ...]:
        """The relevant coordinates; empty where another number of them was declared."""
        return self.declared if len(self.declared) == self.sparsity else ()


@overload
def relevant_variables(
    problem: SparseParity,
    learn: Callable[[ReluRegression], CSQ[ReluHypothesis]],
    *,
    accuracy: float,
    parallel: bool = True,
    draws: int = DRAWS,
    seed: Seed = 0,
) -> CSQ[Relevance]: ...


@overload
def relevant_variables(
    problem: SparseParity,
    learn: Callable[[ReluRegression], SQ[ReluHypothesis]],
    *,
    accuracy: float,
    parallel: bool = True,
    draws: int = DRAWS,
    seed: Seed = 0,
) -> SQ[Relevance]: ...


def relevant_variables(
    problem: SparseParity,
    learn: Callable[[ReluRegression], Strategy[Any, ReluHypothesis]],
    *,
    accuracy: float,
    parallel: bool = True,
    draws: int = DRAWS,
    seed: Seed = 0,
) -> Strategy[Any, Relevance]:
    """Which coordinates a noisy parity depends on, by a learner of ReLUs that is shown all but one.

    For each j the learner runs on D_j, labels y' = (y + 1) / 2 and Gaussian inputs without
    coordinate j, and j is declared relevant where its neuron loses at least
    1/2 - 1 / (4 pi) - accuracy / 4.  Goel, Karmalkar and Klivans (2019), Algorithm 1; queries are
    carried over one by one instead of examples.

    Parameters
    ----------
    learn : function of a ReluRegression problem
        Makes the strategy; it is told norm 1 / sqrt(2 pi) and bias 0, and ends with an unbiased
        neuron (a biased one could lose less than 1/2 - 1 / (4 pi) and know nothing: the constant
        1/2 does).
    accuracy : float
        The gap that is looked for.  With q = 1 - 2 noise and k = 2, 6, 10, ... the neuron of
        weights (2 pi k)^(-1/2) 1_S gains exactly q c_k / sqrt(2 pi) where j is not in S, and
        nothing gains where it is; `sqsim.lowerbounds.parities` has c_k.
    parallel : bool
        All d runs in lock-step; else one after the other.
    draws : int
        Half-normals that functions are averaged over where the parity is on the cube; a lifted
        parity needs none.
    seed : int
        Of these draws.

    Notes
    -----
    Guarantee, for losses E[(yhat - y')^2]: where some unbiased neuron gains `accuracy` on
    1/2 - 1 / (4 pi) without an irrelevant coordinate, and the learner's loses at most accuracy / 2
    more than the best, the relevant coordinates are declared and no others, for all answers within
    Absolute(t), t < accuracy / 4.  Even sparsities only: for k = 4, 8, ... a neuron with one weight
    of the opposite sign gains (derived here).

    A learner that asks q queries in r rounds costs d (q + 1) queries, and r + 1 rounds, or
    d (r + 1) if not parallel; vectors of d - 1 cost d (see `WithoutCoordinate`).  Correlational
    learners ask correlational queries of the parity; within Absolute(t) or L2(t) they are answered
    within t / 2.
    """
    _check(problem, accuracy)
    factors = None
    if not problem.lifted:
        factors = half_normals(problem.dimension, draws, rng(seed, Role.LEARNER))
    inner = ReluRegression(problem.dimension - 1, norm=NORM, bias=0.0)
    runs = [
        WithoutCoordinate(problem.dimension, j, factors).carry(_loss(inner, learn))
        for j in range(problem.dimension)
    ]
    losses: tuple[float, ...] = ()
    if parallel:
        losses = yield from together(*runs)
    else:
        for one in runs:
            losses += ((yield from one),)
    declared = [j for j, loss in enumerate(losses) if loss >= BLIND_LOSS - accuracy / 4]
    return Relevance(tuple(declared), losses, problem.sparsity)


def _loss(
    problem: ReluRegression, learn: Callable[[ReluRegression], Strategy[Any, ReluHypothesis]]
) -> Strategy[Any, float]:
    """What the learner's neuron loses; E[y'^2] = E[y'] = 1/2, since a parity has mean 0."""
    neuron = yield from learn(problem)
    if neuron.bias != 0.0:
        raise BadInput(
            f"the learner ended with a neuron of bias {neuron.bias:g}; the reduction assumes a "
            "proper learner of unbiased ReLUs, since the constant 1/2 loses less than "
            "1/2 - 1/(4 pi) and knows nothing: return a neuron of bias 0"
        )
    if neuron.norm == 0.0:
        return 0.5
    agreed = yield from ask(agreement(neuron), w=neuron.weights, b=0.0)
    return neuron.norm**2 / 2 - 2 * float(agreed) + 0.5


def _check(problem: SparseParity, accuracy: float) -> None:
    if not 0 < accuracy < math.inf:
        raise BadInput(f"accuracy is {accuracy!r}; wanted the gap that is looked for, > 0")
    if problem.sparsity == 0:
        raise BadInput("sparsity is 0: the label depends on no coordinate, and none is relevant")
    if problem.dimension < 2:
        raise BadInput("dimension is 1; nothing is left where its only coordinate is left out")
    if problem.sparsity % 2:
        raise BadInput(
            f"sparsity is {problem.sparsity}: the reduction assumes an even one.  " + ODD_ASSUMPTION
        )


ODD_ASSUMPTION = (
    "For an odd number k >= 3 of signs E[sigma(<w, x>) chi_S(x)] vanishes for every w: "
    "sigma(t) = t/2 + |t|/2, |<w, x>| is even and chi_S odd, and a linear function has no product "
    "with k >= 2 signs (for k = 1 the linear part sees it)"
)
