"""Agnostic regression by polynomials of a bounded norm, from one round of correlations.

This file does not know who uses the polynomial.
"""

from __future__ import annotations

import math

import numpy as np
from scipy.optimize import brentq

from sqsim.errors import BadInput
from sqsim.featured import Featured
from sqsim.lowrank import Array
from sqsim.monomial_moments import knows_moments, moment_matrix
from sqsim.multinomial import MEMORY, MonomialFeatures
from sqsim.problems.polynomial_hypothesis import PolynomialHypothesis
from sqsim.problems.problem import Problem
from sqsim.queries import Correlation, Opaque, Query, Statistic
from sqsim.strategy import CSQ, SQ, ask, ask_all

Moments = tuple[Array, Array]


def agnostic_polynomial(
    problem: Problem, *, degree: int, norm_squared: float, limit: int = MEMORY
) -> CSQ[PolynomialHypothesis]:
    """The polynomial of least E[(f(x) - y)^2] with ||f||^2 <= B, from E[y psi(x)].

    One round of N = C(n + d, d) correlational queries.  E[psi psi'] is computed: the law of the
    inputs must be a table, Gaussian, of signs, or the sphere.  Derived here: answers within tau in
    every entry cost at most 4 sqrt(B N) tau in the square loss, so that
    E[(f - y)^2] <= E[(g - y)^2] + 4 sqrt(B N) tau for every polynomial g with ||g||^2 <= B; for
    x -> p(<w, x>), ||w|| <= 1, that norm is at most the sum of p's squared coefficients.
    After Goel, Kanade, Klivans and Thaler (2017), theorem 7.

    Parameters
    ----------
    degree : d
    norm_squared : B > 0
    limit : bytes that the matrix of moments may take; checked before anything is asked.

    Raises
    ------
    BadInput
        Where the law of the inputs is of another kind: use `agnostic_polynomial_asking`.
    """
    features = MonomialFeatures(problem.dimension, degree)
    _check_ball(norm_squared)
    if not knows_moments(problem.inputs):
        raise BadInput(
            f"E[psi psi'] is not known for {type(problem.inputs).__name__} inputs; "
            "agnostic_polynomial_asking asks for it, N (N + 1) / 2 queries more"
        )
    features.check_memory(limit, dense_rows=2 * features.size)
    query = Correlation(Featured(features), "correlations with monomials")
    correlations = yield from ask(query)
    second = moment_matrix(features, problem.inputs, limit=limit)
    return PolynomialHypothesis(features, on_ball(second, np.asarray(correlations), norm_squared))


def agnostic_polynomial_asking(
    problem: Problem, *, degree: int, norm_squared: float, limit: int = MEMORY
) -> SQ[PolynomialHypothesis]:
    """`agnostic_polynomial` where the law of the inputs is not known: E[psi psi'] is asked too.

    One round of N + N (N + 1) / 2 queries, the latter Statistics without a label.  Derived here:
    answers within tau cost at most 4 sqrt(B N) tau + 2 B N tau in the square loss.
    """
    features = MonomialFeatures(problem.dimension, degree)
    _check_ball(norm_squared)
    pairs = features.size * (features.size + 1) // 2
    features.check_memory(limit, dense_rows=4 * features.size)
    rows, columns = np.triu_indices(features.size)

    def products(x: Array, y: Array) -> Array:
        psi = features.matrix(x)
        return np.asarray(psi[:, rows] * psi[:, columns])

    asked: tuple[Query, ...] = (
        Correlation(Featured(features), "correlations with monomials"),
        Statistic(Opaque(products, pairs), "second moments of monomials"),
    )
    correlations, upper = yield from ask_all(*asked)
    second = np.zeros((features.size, features.size))
    second[rows, columns] = second[columns, rows] = np.asarray(upper)
    values, vectors = np.linalg.eigh(second)
    # Answers may leave the cone; the nearest matrix in it is convex to minimise over.
    inside = (vectors * np.maximum(values, 0.0)) @ vectors.T
    return PolynomialHypothesis(features, on_ball(inside, np.asarray(correlations), norm_squared))


def on_ball(second: Array, correlations: Array, norm_squared: float) -> Array:
    """The v of least v' M v - 2 <c, v> with ||v||^2 <= B: ridge regression with a fitting weight.

    v = (M + s I)^-1 c; s = 0 (least norm) where that is inside the ball, else the s at which
    ||v||^2 = B, which falls in s.
    """
    values, vectors = np.linalg.eigh(second)
    values = np.maximum(values, 0.0)
    along = vectors.T @ correlations

    def length(shift: float) -> float:
        return float(np.sum((along / (values + shift)) ** 2))

    size = float(np.linalg.norm(along))
    if size == 0.0:
        return np.zeros(len(correlations))
    # At s = ||c|| / sqrt(B) the norm is at most B whatever M is.
    high = size / math.sqrt(norm_squared)
    low = high * 2.0**-50
    shift = low
    if length(low) > norm_squared:
        shift = math.exp(
            brentq(
                lambda s: math.log(length(math.exp(s)) / norm_squared),
                math.log(low),
                math.log(high),
                xtol=1e-13,
            )
        )
    found = along / (values + shift)
    # Roundings of the root; the ball is a promise.
    found *= min(1.0, math.sqrt(norm_squared / max(float(found @ found), 1e-300)))
    return np.asarray(vectors @ found)


def _check_ball(norm_squared: float) -> None:
    if isinstance(norm_squared, bool) or not 0 < norm_squared < math.inf:
        raise BadInput(f"norm_squared is {norm_squared!r}; wanted a finite number > 0")
