"""Demonstrators of the information and generative exponents: they end with a direction.

This file does not know what is done with them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqsim.algorithms.descent import random_direction
from sqsim.algorithms.index_descent import alternating_sgd, batch_reuse_sgd, correlation_sgd
from sqsim.algorithms.label_transforms import (
    conditional_mean,
    transformed_spectral_start,
    transformed_start,
)
from sqsim.algorithms.partial_trace import (
    partial_trace_start,
    tensor_power_steps,
    transformed_partial_trace_start,
)
from sqsim.links import hermite
from sqsim.lowrank import Array
from sqsim.problems.index import SingleIndex
from sqsim.seeds import Seed
from sqsim.strategy import CSQ, SQ
from sqsim.studies.registry import Algorithm, Symbol

DESCENT = {"steps": Symbol("descent steps", 60)}
WANTS = "a single-index model of known link, x ~ N(0, I)"


def third() -> Any:
    """y = He_3(<v, x>) / sqrt 6: information exponent 3, generative exponent 1."""
    return SingleIndex(6, hermite(3)).draw(seed=1)


def second() -> Any:
    """y = (<v, x>^2 - 1) / sqrt 2: both exponents are 2."""
    return SingleIndex(6, hermite(2)).draw(seed=1)


def online(problem: SingleIndex, seed: Seed) -> CSQ[Array]:
    """`correlation_sgd` with the link of the problem."""
    return correlation_sgd(problem, seed=seed)


def alternating(problem: SingleIndex, seed: Seed) -> SQ[Array]:
    """`alternating_sgd` with the link of the problem."""
    return alternating_sgd(problem, seed=seed)


def reused(problem: SingleIndex, seed: Seed) -> SQ[Array]:
    """`batch_reuse_sgd` with the link of the problem."""
    return batch_reuse_sgd(problem, seed=seed)


def linear(problem: SingleIndex, seed: Seed) -> SQ[Array]:
    """`transformed_start` with sign(E[h_1 | y])."""
    transformation = conditional_mean(problem.link, 1).signs
    return transformed_start(problem, transformation=transformation, seed=seed)


def quadratic(problem: SingleIndex, seed: Seed) -> SQ[Array]:
    """`transformed_spectral_start` with sign(E[h_2 | y])."""
    transformation = conditional_mean(problem.link, 2).signs
    return transformed_spectral_start(problem, transformation=transformation, seed=seed)


def traced(problem: SingleIndex, seed: Seed) -> CSQ[Array]:
    """`partial_trace_start` of degree 2."""
    return partial_trace_start(problem, degree=2, seed=seed)


def traced_labels(problem: SingleIndex, seed: Seed) -> SQ[Array]:
    """`transformed_partial_trace_start` of degree 2 with sign(E[h_2 | y])."""
    transformation = conditional_mean(problem.link, 2).signs
    return transformed_partial_trace_start(
        problem, degree=2, transformation=transformation, seed=seed
    )


def powered(problem: SingleIndex, seed: Seed) -> CSQ[Array]:
    """`tensor_power_steps` of degree 3 from a random direction."""
    return tensor_power_steps(problem, degree=3, start=random_direction(problem, seed=seed))


def _descent(name: str, access: Any, strategy: Any, source: str, guarantee: str) -> Algorithm:
    return Algorithm(
        name=name,
        access=access,
        rounds="steps",
        queries="steps*d",
        symbols=DESCENT,
        source=source,
        guarantee=guarantee,
        strategy=strategy,
        result="direction",
        wants=WANTS,
        example=third,
    )


def _start(
    name: str, access: Any, queries: str, strategy: Any, guarantee: str, example: Any
) -> Algorithm:
    return Algorithm(
        name=name,
        access=access,
        rounds="1",
        queries=queries,
        source="Damian, Pillaud-Vivien, Lee and Bruna (2024); constants derived here",
        guarantee=guarantee,
        strategy=strategy,
        result="direction",
        wants=WANTS,
        example=example,
    )


MATRIX = "d*(d + 1)/2"

ALGORITHMS: Sequence[Algorithm] = (
    _descent(
        "correlation-sgd",
        "CSQ",
        online,
        "Ben Arous, Gheissari and Jagannath (2021)",
        "gradient of size d^(-(k - 1)/2) at a random start, k the information exponent",
    ),
    _descent(
        "alternating-sgd",
        "SQ",
        alternating,
        "the unified update with a term in y^2, derived here",
        "sees the least information exponent of y and y^2",
    ),
    _descent(
        "batch-reuse-sgd",
        "SQ",
        reused,
        "Dandi, Troiani, Arnaboldi, Pesce, Zdeborova and Krzakala (2024); expansion derived here",
        "sees the least information exponent of y, y^2 and y^3",
    ),
    _start(
        "transformed-start",
        "SQ",
        "d",
        linear,
        "overlap at least 1 - 2 d tau^2 / c^2, c = E[T(y) h_1]: generative exponent 1",
        third,
    ),
    _start(
        "transformed-spectral-start",
        "SQ",
        MATRIX,
        quadratic,
        "sine at most 2 tau d / c, c = E[T(y) h_2]: generative exponent 2",
        second,
    ),
    _start(
        "partial-trace-start",
        "CSQ",
        MATRIX,
        traced,
        "mean sqrt(k!) E[y h_k] / unit times v or vv'; odd degrees take d queries",
        second,
    ),
    _start(
        "transformed-partial-trace-start",
        "SQ",
        MATRIX,
        traced_labels,
        "mean sqrt(k!) E[T(y) h_k] / unit times v or vv'; odd degrees take d queries",
        second,
    ),
    Algorithm(
        name="tensor-power-steps",
        access="CSQ",
        rounds="steps",
        queries="steps*d",
        symbols={"steps": Symbol("power steps", 10)},
        source="Anandkumar, Ge, Hsu, Kakade and Telgarsky (2014)",
        guarantee="from overlap d^(-1/4), while tau sqrt(d) is below half of the first mean",
        strategy=powered,
        result="direction",
        wants=WANTS,
        example=third,
    ),
)
