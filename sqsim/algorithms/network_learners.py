"""Whole learners of sums of ReLU neurons: a start, neurons one at a time, then all of them jointly.

The start finds a span and perhaps directions in it, by genuine statistical queries (thresholded on
the label) or by correlations; everything after it is correlational.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import final

import numpy as np

from sqsim.algorithms.deflation import Pursuit, pursue
from sqsim.algorithms.joint import fit_outer, refine_jointly
from sqsim.algorithms.several_directions import (
    SpanMoments,
    correlational_moments,
    correlational_span,
    net_in_span,
    separated_directions,
    tensor_queries,
    thresholded_moments,
    thresholded_span,
)
from sqsim.errors import BadInput
from sqsim.lowrank import Array
from sqsim.problems.network import NetworkRegression, ReluNetwork, no_neurons
from sqsim.queries import Ridge, Statistic
from sqsim.seeds import Seed
from sqsim.strategy import CSQ, SQ, ask


@final
@dataclass(frozen=True, eq=False)
class LearnedNetwork:
    """What a network learner found.

    Attributes
    ----------
    pursued : the neurons as they were found one by one.
    network : after the joint rounds.
    """

    pursued: ReluNetwork
    network: ReluNetwork


NET = 6
"""Candidates in a span, for each of its dimensions."""

DESCENT = Pursuit(biases=(-3.0, -1.5, 0.0), steps=12)
"""Deflation by reweighted descent, from candidates that are far from a neuron."""

PLACED = Pursuit(steps=0)
"""For candidates that are neurons' directions already."""


def deflate_thresholded(
    problem: NetworkRegression,
    *,
    cut: float | None = None,
    pursuit: Pursuit = DESCENT,
    rounds: int = 10,
    seed: Seed = 0,
) -> SQ[LearnedNetwork]:
    """Thresholded span, reweighted descent by deflation inside it, joint rounds.

    Cost: d(d + 1)/2 (+ 1 for the label energy where no `cut` is given) queries of an SQ oracle
    in 1 (2) rounds, then as `pursue` from 6 k candidates and `refine_jointly`, both CSQ.  No
    guarantee: for one neuron the parts are those of Guo and Vijayaraghavan (2024).
    """
    cut = yield from _cut(cut)
    if not cut:
        return _nothing(problem)
    basis, _ = yield from thresholded_span(problem, cut=cut, count=problem.neurons, seed=seed)
    return (yield from _deflated(problem, basis, pursuit, rounds, seed))


def deflate_correlational(
    problem: NetworkRegression,
    *,
    pursuit: Pursuit = DESCENT,
    rounds: int = 10,
    seed: Seed = 0,
) -> CSQ[LearnedNetwork]:
    """As `deflate_thresholded` with the span of E[y (x x' - I)]: no genuine SQ query."""
    basis, _ = yield from correlational_span(problem, count=problem.neurons, seed=seed)
    return (yield from _deflated(problem, basis, pursuit, rounds, seed))


def tensor_thresholded(
    problem: NetworkRegression,
    *,
    cut: float | None = None,
    pursuit: Pursuit = PLACED,
    rounds: int = 10,
    seed: Seed = 0,
) -> SQ[LearnedNetwork]:
    """Thresholded moments of degree 2, 3 and 4, simultaneous diagonalisation, joint rounds.

    Cost: that of `thresholded_moments` (+ 1 query and round without a `cut`), then CSQ: `pursue`
    from 2 k candidates, both signs of each direction, and `refine_jointly`.
    """
    cut = yield from _cut(cut)
    if not cut:
        return _nothing(problem)
    moments = yield from thresholded_moments(problem, cut=cut, count=problem.neurons, seed=seed)
    return (yield from _placed(problem, moments, pursuit, rounds, seed))


def tensor_correlational(
    problem: NetworkRegression,
    *,
    pursuit: Pursuit = PLACED,
    rounds: int = 10,
    seed: Seed = 0,
) -> CSQ[LearnedNetwork]:
    """Correlational moments of degree 2, 3 and 4, simultaneous diagonalisation, joint rounds.

    On clean labels and exact answers the directions are exact: Awasthi, Tang and Vijayaraghavan
    (2021) prove polynomial cost for general depth-2 ReLU networks by such tensors.
    """
    moments = yield from correlational_moments(problem, count=problem.neurons, seed=seed)
    return (yield from _placed(problem, moments, pursuit, rounds, seed))


def network_costs(
    name: str,
    problem: NetworkRegression,
    *,
    pursuit: Pursuit,
    rounds: int,
    told_cut: bool,
) -> tuple[int, int]:
    """Queries and rounds of the learner of this name where no part ends early."""
    d, k = problem.dimension, problem.neurons
    if name not in NETWORK_LEARNERS:
        raise BadInput(f"no network learner {name!r}; there are {', '.join(NETWORK_LEARNERS)}")
    tensor, thresholded = name.startswith("tensor"), name.endswith("thresholded")
    energy = int(thresholded and not told_cut)
    candidates = 2 * k if tensor else NET * k
    queries = d * (d + 1) // 2 + energy + (tensor_queries(k) if tensor else 0)
    queries += k * pursuit.queries(candidates, d) + rounds * k * (d + 2) + 2 * k
    lanes = (2 if pursuit.signed else 1) * k
    return queries, 1 + energy + int(tensor) + lanes * pursuit.rounds + rounds + 2


def _cut(cut: float | None) -> SQ[float]:
    """The given label threshold, or the root of the label's energy; 0 where the label is 0."""
    if cut is not None:
        if not 0 < cut < math.inf:
            raise BadInput(f"cut is {cut}; a label threshold is positive and finite")
        return cut
    energy = yield from ask(Statistic(Ridge(np.square), "label energy"))
    return math.sqrt(max(float(energy), 0.0))


def _nothing(problem: NetworkRegression) -> LearnedNetwork:
    zero = no_neurons(problem.dimension)
    return LearnedNetwork(zero, zero)


def _deflated(
    problem: NetworkRegression, basis: Array, pursuit: Pursuit, rounds: int, seed: Seed
) -> CSQ[LearnedNetwork]:
    candidates = net_in_span(basis, count=NET * problem.neurons, seed=seed)
    found = yield from pursue(problem, candidates, count=problem.neurons, pursuit=pursuit)
    return (yield from _finished(problem, found, rounds))


def _placed(
    problem: NetworkRegression, moments: SpanMoments, pursuit: Pursuit, rounds: int, seed: Seed
) -> CSQ[LearnedNetwork]:
    rows = separated_directions(moments, seed=seed)
    candidates = np.concatenate([rows, -rows])
    found = yield from pursue(problem, candidates, count=problem.neurons, pursuit=pursuit)
    return (yield from _finished(problem, found, rounds))


def _finished(problem: NetworkRegression, found: ReluNetwork, rounds: int) -> CSQ[LearnedNetwork]:
    """Joint rounds; the better of the networks before and after them, outer weights refitted."""
    refined = yield from refine_jointly(problem, found, rounds=rounds)
    first, before = yield from fit_outer(problem, found)
    last, after = yield from fit_outer(problem, refined)
    return LearnedNetwork(first, last if after <= before else first)


NETWORK_LEARNERS: Mapping[str, Callable[..., SQ[LearnedNetwork]]] = {
    "deflate-thresholded": deflate_thresholded,
    "deflate-correlational": deflate_correlational,
    "tensor-thresholded": tensor_thresholded,
    "tensor-correlational": tensor_correlational,
}
