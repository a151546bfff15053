"""Learners of a sparse parity by name, and the tolerance that hides a parity from each.

This file does not know instances or oracles.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias, final

from sqsim.algorithms.parity_reduction import NORM, Relevance, relevant_variables
from sqsim.algorithms.parity_search import (
    eliminating_parity,
    exhaustive_parity,
    greedy_parity,
    staged_parity,
)
from sqsim.algorithms.set_search import exhaustive_neurons
from sqsim.errors import BadInput
from sqsim.oracles.parity_quadrature import neuron_correlation
from sqsim.problems.hypothesis import ReluHypothesis
from sqsim.problems.index import ReluRegression
from sqsim.problems.parity import SparseParity
from sqsim.queries import Batch
from sqsim.seeds import Seed
from sqsim.strategy import Answers
from sqsim.studies.learners import learner

MOST_TOGETHER = 20_000_000
"""Scalars of one round: beyond, the runs go one after the other to spare memory."""

MOST_ASKED = 100_000_000

Start: TypeAlias = Callable[[SparseParity, float], Generator[Batch[Any], Answers, Any]]
"""A function (problem, cut) -> strategy; what it ends with is a Relevance or a set."""


@final
@dataclass(frozen=True, eq=False)
class Contender:
    """A learner of parities as the study runs it.

    Attributes
    ----------
    access : "CSQ" or "SQ".
    signal : the mean that tells the parity from none; answers of 0 hide it from this tolerance on.
    size : L2 norm of the query that has it.
    start : function (problem, where to cut between the signal and 0) -> strategy.
    queries, rounds : formulas in d and k, None where the wrapped learner decides.
    """

    access: str
    signal: float
    size: float
    start: Start
    queries: str | None
    rounds: str | None


def contender_named(name: str, problem: SparseParity, gain: float, seed: Seed) -> Contender:
    """The learner of this name; names of learners of a neuron go through the reduction.

    Parameters
    ----------
    gain : (1 - 2 noise) c_k / sqrt(2 pi), the signal of the reduction.
    """
    d, k = problem.dimension, problem.sparsity
    signal = 1 - 2 * float(problem.flip_rate)
    searches: Mapping[str, tuple[Start, str, str]] = {
        "exhaustive-parity": (_plain(exhaustive_parity), "binomial(d, k)", "1"),
        "staged-parity": (
            lambda problem, cut: staged_parity(problem, cut=cut),
            "at most binomial(d, k)",
            "at most ceiling(binomial(d, k)/1024)",
        ),
        "greedy-parity": (_plain(greedy_parity), "k*d - k*(k - 1)/2", "k"),
    }
    if name in searches:
        return Contender("CSQ", signal, 1.0, *searches[name])
    if name == "eliminating-parity":
        constant, _ = neuron_correlation(k, d - 1)
        # Where no coordinate is irrelevant there is nothing to hide.
        mean = math.sqrt(2) * signal * abs(constant) or signal
        return Contender("CSQ", mean, 1.0, _plain(eliminating_parity), "d", "1")
    size = NORM / math.sqrt(2)
    if name == "exhaustive-neurons":
        scalars = d * math.comb(d - 1, k)
        if scalars > MOST_ASKED:
            raise BadInput(
                f"{d} runs over the sets of {k} of {d - 1} coordinates ask {scalars} queries, and "
                f"the answers of at most {MOST_ASKED} are kept; take a smaller dimension or "
                "sparsity"
            )
        parallel = scalars <= MOST_TOGETHER
        start = _reduction(partial(exhaustive_neurons, sparsity=k), parallel)
        # Without a set of k other coordinates only the losses are asked.
        rounds = (2 if d > k else 1) * (1 if parallel else d)
        queries = "d*(binomial(d - 1, k) + 1)"
        return Contender("CSQ", gain, size, start, queries, str(rounds))
    named = learner(name)

    def learn(inner: ReluRegression) -> Generator[Batch[Any], Answers, ReluHypothesis]:
        return _unbiased(named.strategy(inner, seed))

    return Contender(named.access, gain, size, _reduction(learn, True), None, None)


def cut_between(signal: float, radius: float) -> float:
    """Where to cut between a mean of this size and 0, answered within this radius.

    Half of the signal is right for all answers while the radius is less; from there on only for
    those that stay at 0 where they may, and what is left of the signal is halved.
    """
    return signal / 2 if radius < signal / 2 or radius >= signal else (signal - radius) / 2


def _plain(learn: Callable[[SparseParity], Any]) -> Start:
    return lambda problem, cut: learn(problem)


def _reduction(learn: Callable[[ReluRegression], Any], parallel: bool) -> Start:
    def start(problem: SparseParity, cut: float) -> Generator[Batch[Any], Answers, Relevance]:
        return relevant_variables(problem, learn, accuracy=4 * cut, parallel=parallel)

    return start


def _unbiased(
    strategy: Generator[Batch[Any], Answers, ReluHypothesis],
) -> Generator[Batch[Any], Answers, ReluHypothesis]:
    """Where it learned a bias, the unbiased neuron of its direction and of the norm it was told.

    The reduction is for proper learners of unbiased ReLUs.
    """
    neuron = yield from strategy
    if neuron.bias == 0.0 or neuron.norm == 0.0:
        return ReluHypothesis(neuron.weights, 0.0)
    return ReluHypothesis(NORM * neuron.weights / neuron.norm, 0.0)
