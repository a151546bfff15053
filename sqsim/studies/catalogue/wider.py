"""Algorithms whose result is no single neuron, or whose problem is no ReLU regression.

This file does not know what is done with them.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from sqsim.algorithms.chow import PiecewisePolynomial, piecewise_regression
from sqsim.algorithms.coarse_landscape import Estimator
from sqsim.algorithms.straight_through import coarse_gradient_descent
from sqsim.problems.binarised import BinarisedNetwork, BinarisedRegression
from sqsim.problems.index import IndexInstance
from sqsim.problems.problem import Problem
from sqsim.seeds import Seed
from sqsim.strategy import CSQ
from sqsim.studies.registry import Algorithm, Symbol


def in_pieces(problem: Problem, seed: Seed) -> CSQ[PiecewisePolynomial]:
    """`piecewise_regression` of degree 2 on a slab of half-width 1."""
    return piecewise_regression(problem, width=1.0, degree=2)


def coarse(estimator: Estimator, problem: BinarisedRegression, seed: Seed) -> CSQ[BinarisedNetwork]:
    """`coarse_gradient_descent` from a random network."""
    return coarse_gradient_descent(problem, estimator=estimator, seed=seed)


def binarised_example() -> IndexInstance:
    """A clean network with two rows of three inputs."""
    return BinarisedRegression(2, 3).draw(seed=1)


COARSE = {"steps": Symbol("descent steps", 200), "m": Symbol("rows", lambda problem: problem.rows)}


def _coarse_entry(estimator: Estimator, queries: str, guarantee: str) -> Algorithm:
    return Algorithm(
        name=f"coarse-gradient-descent-{estimator}",
        access="CSQ",
        rounds="steps",
        queries=queries,
        symbols=COARSE,
        source="Yin, Lyu, Zhang, Osher, Qi and Xin (2019)",
        guarantee=guarantee,
        strategy=partial(coarse, estimator),
        result="binarised network",
        wants="binarised regression",
        example=binarised_example,
    )


ALGORITHMS: Sequence[Algorithm] = (
    Algorithm(
        name="piecewise-regression",
        access="CSQ",
        rounds="2",
        queries="d*(d + 1)/2 + 4*d + 5",
        source="Diakonikolas, Goel, Karmalkar, Klivans and Soltanolkotabi (2020)",
        guarantee="x ~ N(0, I): (1 + eta) OPT + epsilon at degree 1/eta^3; here degree 2, slab 1",
        strategy=in_pieces,
        result="piecewise polynomial",
        wants="ReLU regression on Gaussian inputs",
    ),
    _coarse_entry(
        "relu",
        "steps*m*(d + 1)",
        "clean labels: its step descends the loss to first order; 0 at spurious critical points",
    ),
    _coarse_entry(
        "identity",
        "steps*(d + m)",
        "clean labels: its step descends the loss to first order; not 0 at spurious minima",
    ),
)
