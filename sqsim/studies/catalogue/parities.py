"""Learners of a sparse parity with noise: they end with a set of coordinates.

This file does not know what is done with them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from sqsim.algorithms.parity_reduction import Relevance, relevant_variables
from sqsim.algorithms.parity_search import (
    eliminating_parity,
    exhaustive_parity,
    greedy_parity,
    staged_parity,
)
from sqsim.algorithms.set_search import exhaustive_neurons
from sqsim.lowerbounds.parity_gaps import parity_neuron_gain
from sqsim.problems.parity import ParityInstance, SparseParity
from sqsim.seeds import Seed
from sqsim.strategy import CSQ
from sqsim.studies.registry import Algorithm, Symbol

STAGE = 1024


def through_neurons(problem: SparseParity, seed: Seed) -> CSQ[Relevance]:
    """The reduction with the exhaustive proper learner, cut at half of the gap."""
    gain = float(parity_neuron_gain(problem.sparsity, noise=problem.flip_rate, digits=17))
    learn = partial(exhaustive_neurons, sparsity=problem.sparsity)
    return relevant_variables(problem, learn, accuracy=2 * gain)


def searched(learn: Callable[..., Any], problem: SparseParity, seed: Seed) -> Any:
    """A search that draws nothing at random."""
    return learn(problem)


def parity_example() -> ParityInstance:
    """The last two of six coordinates, so that stages are all asked."""
    return SparseParity(6, 2, noise="0.1", lifted=True).draw(subset=(4, 5))


SPARSITY = Symbol("coordinates that are relevant", lambda problem: int(problem.sparsity))
PARITY, GAUSSIAN = "sparse parity with noise", "sparse parity with noise of Gaussian signs"
SET = "set of coordinates"

ALGORITHMS: Sequence[Algorithm] = (
    Algorithm(
        name="exhaustive-neurons",
        access="CSQ",
        rounds="2",
        queries="d*(binomial(d - 1, k) + 1)",
        symbols={"k": SPARSITY},
        source="Goel, Karmalkar and Klivans (2019), Algorithm 1",
        guarantee="k = 2, 6, 10, ... < d: every Absolute(t), t < (1 - 2 noise) c_k / sqrt(8 pi)",
        strategy=through_neurons,
        result=SET,
        wants=GAUSSIAN,
        example=parity_example,
    ),
    Algorithm(
        name="exhaustive-parity",
        access="CSQ",
        rounds="1",
        queries="binomial(d, k)",
        symbols={"k": SPARSITY},
        source="folklore",
        guarantee="found by all answers within t < (1 - 2 noise) / 2",
        strategy=partial(searched, exhaustive_parity),
        result=SET,
        wants=PARITY,
        example=parity_example,
    ),
    Algorithm(
        name="staged-parity",
        access="CSQ",
        rounds="ceiling(binomial(d, k)/stage)",
        queries="binomial(d, k)",
        symbols={"k": SPARSITY, "stage": Symbol("sets in a round", STAGE)},
        source="folklore",
        guarantee="found by all answers within t < (1 - 2 noise) / 2",
        strategy=partial(searched, partial(staged_parity, stage=STAGE)),
        at_most=True,
        result=SET,
        wants=PARITY,
        example=parity_example,
    ),
    Algorithm(
        name="greedy-parity",
        access="CSQ",
        rounds="k",
        queries="k*d - k*(k - 1)/2",
        symbols={"k": SPARSITY},
        source="folklore",
        guarantee="found for k = 1 where t < (1 - 2 noise) / 2; for k >= 2 nothing leads there",
        strategy=partial(searched, greedy_parity),
        result=SET,
        wants=PARITY,
        example=parity_example,
    ),
    Algorithm(
        name="eliminating-parity",
        access="CSQ",
        rounds="1",
        queries="d",
        symbols={"k": SPARSITY},
        source="derived here",
        guarantee="even k < d: found where t < (1 - 2 noise) |c_(k, d-1)| / sqrt 2, ~ d^(-k/2)",
        strategy=partial(searched, eliminating_parity),
        result=SET,
        wants=GAUSSIAN,
        example=parity_example,
    ),
)
