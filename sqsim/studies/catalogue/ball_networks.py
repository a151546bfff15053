"""Networks, maxima and polynomials over the unit ball, and parities through conjunctions.

This file does not know what is done with them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from sqsim.algorithms.compositions import (
    maximum_composition,
    network_composition,
    parametric_composition,
)
from sqsim.algorithms.conjunction_reduction import (
    RelevantSigns,
    best_conjunction,
    parity_by_conjunctions,
)
from sqsim.algorithms.network_polynomials import (
    agnostic_network,
    agnostic_parametric_relu,
    max_affine,
)
from sqsim.algorithms.partition_fitting import PartitionFit, fit_partitions
from sqsim.algorithms.reconstruction import reconstruct_polynomial, reconstruction_plan
from sqsim.problems.ball import sphere_points
from sqsim.problems.cube import CubeFunction, CubeProblem
from sqsim.problems.dataset import Dataset
from sqsim.problems.gadgets import MaxAffine
from sqsim.problems.hypothesis import ReluHypothesis
from sqsim.problems.parity import SparseParity
from sqsim.problems.planted_polynomials import FarEnd, planted_polynomial
from sqsim.problems.polynomial_hypothesis import PolynomialHypothesis
from sqsim.problems.problem import Problem
from sqsim.seeds import Seed
from sqsim.strategy import CSQ, SQ
from sqsim.studies.registry import Algorithm, Symbol

EPSILON = 0.2
RECONSTRUCTED: dict[str, Any] = {"degree": 2, "weight": 1.0, "epsilon": 0.1}
PIECES, STEPS, STARTS = 3, 2, 2

HIDDEN_UNITS = 2


def convex_table() -> Dataset:
    """The maximum of three affine functions at points of the sphere."""
    x = sphere_points(3, 60, seed=1)
    planes = MaxAffine(np.array([[0.8, 0.0, 0.0], [-0.4, 0.6, 0.0], [0.0, -0.5, 0.5]]))
    return Dataset(x, np.asarray(planes(x), float))


def values_table() -> Dataset:
    """A polynomial of degree 2 with every fifth label wrong."""
    return planted_polynomial(
        rows=60, dimension=3, degree=2, wrong=0.2, adversary=FarEnd(), seed=1
    ).dataset


def conjunction_table() -> CubeFunction:
    """x_0 = x_2 = 1 on the cube in dimension 5, as labels 0 and 1."""
    index = np.arange(32)
    return CubeFunction((index & 0b101 == 0).astype(int))


def network(problem: Problem, seed: Seed) -> CSQ[PolynomialHypothesis]:
    """`agnostic_network` for two hidden units of norm 1."""
    return agnostic_network(
        problem, hidden=1, weight=math.sqrt(HIDDEN_UNITS), reach=1.0, epsilon=EPSILON
    )


def maximum(problem: Problem, seed: Seed) -> CSQ[PolynomialHypothesis]:
    """`max_affine` of three pieces."""
    return max_affine(problem, pieces=PIECES, epsilon=EPSILON)


def leaky(problem: Problem, seed: Seed) -> CSQ[PolynomialHypothesis]:
    """`agnostic_parametric_relu` of slope 0.1."""
    return agnostic_parametric_relu(problem, slope=0.1, epsilon=EPSILON / 4)


def partitions(problem: Problem, seed: Seed) -> CSQ[PartitionFit]:
    """`fit_partitions` of three pieces."""
    return fit_partitions(problem, pieces=PIECES, steps=STEPS, starts=STARTS, seed=seed)


def reconstructed(problem: Problem, seed: Seed) -> SQ[PolynomialHypothesis]:
    """`reconstruct_polynomial` of degree 2."""
    return reconstruct_polynomial(problem, **RECONSTRUCTED)


def conjunction(problem: CubeProblem, seed: Seed) -> CSQ[ReluHypothesis]:
    """`best_conjunction` of two literals."""
    return best_conjunction(problem, size=2)


def through_conjunctions(problem: SparseParity, seed: Seed) -> CSQ[RelevantSigns]:
    """`parity_by_conjunctions`, by the best conjunction of as many literals."""

    def learn(inner: CubeProblem) -> CSQ[ReluHypothesis]:
        return best_conjunction(inner, size=problem.sparsity)

    return parity_by_conjunctions(problem, learn)


def noisy_parity() -> Any:
    """Two of five signs, every tenth label flipped."""
    return SparseParity(5, 2, noise="1/10").draw(seed=1)


_table = partial(
    Algorithm,
    access="CSQ",
    result="polynomial",
    wants="tables with rows in the unit ball",
    example=convex_table,
)
_one_round = partial(_table, rounds="1", queries="binomial(d + D, D)")


def _degree(value: int) -> dict[str, Symbol]:
    return {"D": Symbol("degree of the polynomial", value)}


_NETWORK = network_composition(hidden=1, weight=math.sqrt(HIDDEN_UNITS), reach=1.0, epsilon=EPSILON)

ALGORITHMS: Sequence[Algorithm] = (
    _one_round(
        name="agnostic-network",
        symbols=_degree(_NETWORK.degree),
        source="Goel, Kanade, Klivans and Thaler (2017), theorems 5 and 34",
        guarantee="||x|| <= 1: root loss at most that of every network of D layers, l1 weights W "
        "and reach M plus epsilon, at degree (0.14 D M W^D / epsilon)^D",
        strategy=network,
    ),
    _one_round(
        name="max-affine",
        symbols=_degree(maximum_composition(pieces=(PIECES,), epsilon=EPSILON).degree),
        source="Goel, Kanade, Klivans and Thaler (2017), theorem 9; composition derived here",
        guarantee="||x|| <= 1: root loss at most that of every maximum of k affine functions of "
        "size 1 plus epsilon, at degree (0.28 log2(k) / epsilon)^ceil(log2 k)",
        strategy=maximum,
    ),
    _one_round(
        name="agnostic-leaky-relu",
        symbols=_degree(parametric_composition(slope=0.1, epsilon=EPSILON / 4).degree),
        source="Goel, Kanade, Klivans and Thaler (2017); one polynomial, derived here",
        guarantee="||x|| <= 1: root loss at most that of every leaky ReLU of this slope plus "
        "epsilon, at degree 0.14 |1 - slope| / epsilon",
        strategy=leaky,
    ),
    _table(
        name="fit-partitions",
        rounds="steps + 1",
        queries="starts*(steps + 1)*(k*(d + 1) + 1)",
        symbols={
            "k": Symbol("affine pieces", PIECES),
            "steps": Symbol("fits of planes to cells", STEPS),
            "starts": Symbol("random starts, side by side", STARTS),
        },
        at_most=True,
        source="Magnani and Boyd (2009), as correlational queries",
        guarantee="none: a local search; where cells settle the planes are least squares on them",
        strategy=partitions,
        result="maximum of affine functions",
        wants="tables",
    ),
    Algorithm(
        name="reconstruct-polynomial",
        access="SQ",
        rounds="T",
        queries="T*binomial(d + D, D)",
        symbols={
            **_degree(RECONSTRUCTED["degree"]),
            "T": Symbol(
                "steps, about 3.5 sqrt(B) / epsilon",
                lambda problem: reconstruction_plan(problem, **RECONSTRUCTED).steps,
            ),
        },
        source="Goel, Kanade, Klivans and Thaler (2017), theorem 7; accelerated, derived here",
        guarantee="||x|| <= 1, any labels in [-1, 1]: E|h - y| at most that of every polynomial of "
        "degree D and coefficient weight B plus epsilon; proper",
        strategy=reconstructed,
        result="polynomial",
        wants="tables with rows in the unit ball",
        example=values_table,
    ),
    Algorithm(
        name="best-conjunction",
        access="CSQ",
        rounds="1",
        queries="binomial(d, k)",
        symbols={"k": Symbol("literals", 2)},
        source="folklore",
        guarantee="labels in {0, 1}, x uniform on the cube: the best conjunction of k literals in "
        "E|c - y|, up to 4 t within Absolute(t)",
        strategy=conjunction,
        wants="labels in {0, 1} on the cube",
        result="conjunction",
        example=conjunction_table,
    ),
    Algorithm(
        name="parity-by-conjunctions",
        access="CSQ",
        rounds="2",
        queries="d*(binomial(d - 1, k) + 1)",
        symbols={"k": Symbol("size of the secret set", lambda problem: int(problem.sparsity))},
        source="Feldman and Kothari (2015); Goel, Kanade, Klivans and Thaler (2017), theorem 10",
        guarantee="the relevant signs, where the inner learner of ReLUs or conjunctions is within "
        "(1 - 2 eta) 2^-k / 2 of the best in E|h - y|; access of the inner learner",
        strategy=through_conjunctions,
        result="set",
        wants="noisy sparse parities on the cube",
        example=noisy_parity,
    ),
)
