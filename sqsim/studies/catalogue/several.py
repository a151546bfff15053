"""Learners of sums of a few neurons.  This file does not know what is done with them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Literal

from sqsim.algorithms.network_learners import NETWORK_LEARNERS
from sqsim.problems.network import NetworkRegression
from sqsim.seeds import Seed
from sqsim.studies.registry import Algorithm, Symbol

NEURONS = {"k": Symbol("neurons", lambda problem: int(problem.neurons))}
PURSUIT = "k*(18*k + 34 + 12*(d + 1) + 43) + 10*k*(d + 2) + 2*k"
TENSORS = "2*binomial(k + 2, 3) + 2*binomial(k + 3, 4) + k*(12*k + 34) + 10*k*(d + 2) + 2*k"


def learned(learn: Callable[..., Any], problem: NetworkRegression, seed: Seed) -> Any:
    """One of the four learners with its defaults."""
    return learn(problem, seed=seed)


def two_neurons() -> Any:
    """Two orthogonal neurons of bias -1/2 in dimension 5."""
    problem = NetworkRegression(5, 2)
    return problem.draw(problem.network(biases=[-0.5, -0.5], seed=1), seed=1)


def _entry(
    name: str, access: Literal["CSQ", "SQ"], rounds: str, queries: str, source: str, says: str
) -> Algorithm:
    return Algorithm(
        name=name,
        access=access,
        rounds=rounds,
        queries=queries,
        at_most=True,
        symbols=NEURONS,
        source=source,
        guarantee=says,
        strategy=partial(learned, NETWORK_LEARNERS[name]),
        result="sum of neurons",
        wants="sums of 2 to 4 neurons",
        example=two_neurons,
    )


ALGORITHMS: Sequence[Algorithm] = (
    _entry(
        "deflate-thresholded",
        "SQ",
        "22*k + 14",
        f"d*(d + 1)/2 + 1 + {PURSUIT}",
        "Guo and Vijayaraghavan (2024) for one neuron; deflation derived here",
        "none proved; measured by `sqsim neurons`",
    ),
    _entry(
        "deflate-correlational",
        "CSQ",
        "22*k + 13",
        f"d*(d + 1)/2 + {PURSUIT}",
        "derived here",
        "none proved; measured by `sqsim neurons`",
    ),
    _entry(
        "tensor-thresholded",
        "SQ",
        "5*k + 15",
        f"d*(d + 1)/2 + 1 + {TENSORS}",
        "derived here",
        "none proved; mixed terms are small where neurons are seldom active together",
    ),
    _entry(
        "tensor-correlational",
        "CSQ",
        "5*k + 14",
        f"d*(d + 1)/2 + {TENSORS}",
        "tensors of Awasthi, Tang and Vijayaraghavan (2021)",
        "directions exact on clean labels, exact answers and independent directions",
    ),
)
