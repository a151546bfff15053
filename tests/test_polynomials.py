"""The floats that learners use: their error, range and norm are those of exact arithmetic."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from scipy.optimize import linprog

from sqsim.errors import BadInput, NotCertified
from sqsim.links import relu
from sqsim.lowerbounds.suprema import polynomial_range, uniform_error
from sqsim.lowerbounds.uniform import RangeSafe, uniform_approximation
from sqsim.lowerbounds.uniform_degrees import uniform_degree
from sqsim.lowerbounds.uniform_report import markov_norm_bound
from sqsim.polynomials import LARGEST_DEGREE, monomials, nearest_relu, range_safe_relu
from sqsim.remez import chebyshev_values, equioscillation

DEGREES = (0, 1, 2, 3, 4, 7, 10, 16, 24, 32)


@pytest.mark.parametrize("degree", DEGREES)
def test_the_float_polynomial_keeps_what_it_promises(degree: int) -> None:
    """Against the certificate of exactly these binary fractions; the bound is hardly loose."""
    p = range_safe_relu(degree=degree)
    assert p.degree == degree
    low, high = uniform_error(relu(0.0), p.coefficients).bounds
    assert high <= Fraction(p.error)
    assert p.error <= float(low) * (1 + 1e-4) + 2 * p.rounding
    least, most = polynomial_range(p.coefficients, digits=30).bounds
    assert 0 <= least <= most <= 1
    norm = sum(Fraction(c) ** 2 for c in p.coefficients)
    assert norm <= Fraction(p.norm_squared) <= norm * (1 + Fraction(1, 10**12))
    assert p.norm_squared <= markov_norm_bound(degree) <= (1 + math.sqrt(2)) ** (2 * degree) + 1


@pytest.mark.parametrize("degree", DEGREES)
def test_the_nearest_polynomial_is_the_best_one(degree: int) -> None:
    """Its bound lies within 1 part in 10^4 of the proved best error, its values beside [0, 1]."""
    p = nearest_relu(degree=degree)
    best = uniform_approximation(relu(0.0), degree).sup_error
    assert best.bounds[0] <= uniform_error(relu(0.0), p.coefficients).bounds[1]
    assert uniform_error(relu(0.0), p.coefficients).bounds[1] <= Fraction(p.error)
    assert p.error <= float(best) * (1 + 1e-4) + 2 * p.rounding
    least, most = polynomial_range(p.coefficients).bounds
    assert -p.error <= least <= most <= 1 + p.error
    if degree > 1:
        assert nearest_relu(epsilon=p.error).degree == degree - degree % 2


@pytest.mark.parametrize("degree", DEGREES)
def test_evaluation_rounds_no_more_than_it_says(degree: int) -> None:
    """Horner in floats against Horner in rationals."""
    p = range_safe_relu(degree=degree)
    points = np.linspace(-1.0, 1.0, 21)
    for t, found in zip(points, p(points), strict=True):
        exact = sum(Fraction(c) * Fraction(t) ** i for i, c in enumerate(p.coefficients))
        assert abs(Fraction(float(found)) - exact) <= Fraction(p.rounding)


@pytest.mark.parametrize("epsilon", [0.6, 0.4, 0.3, 0.2, 0.1, 0.05, 0.03])
def test_the_degree_for_epsilon_is_the_certified_one(epsilon: float) -> None:
    """Floats and many digits find the same least degree."""
    p = range_safe_relu(epsilon=epsilon)
    assert p.error <= epsilon
    assert p.degree == uniform_degree(relu(0.0), epsilon, kind=RangeSafe())
    proved = uniform_approximation(relu(0.0), p.degree, kind=RangeSafe())
    assert p.error == pytest.approx(float(proved.sup_error), rel=1e-4)
    norm = float(proved.coefficient_norm_squared)
    assert p.norm_squared == pytest.approx(norm, rel=1e-3 if p.degree else 1e-12)


@pytest.mark.parametrize("degree", [0, 2, 4, 6, 10, 16])
def test_the_exchange_finds_the_optimum_of_a_linear_program(degree: int) -> None:
    """min E with |f - p| <= E on a grid is a bit below the best error, and it is close."""
    found = equioscillation(np.abs, tuple(range(0, degree + 1, 2)), start=0.0)
    x = np.sin(np.linspace(0.0, np.pi / 2, 1501))
    table = chebyshev_values(x, found.degrees)
    ones = np.ones((len(x), 1))
    program = linprog(
        np.append(np.zeros(table.shape[1]), 1.0),
        A_ub=np.block([[table, -ones], [-table, -ones]]),
        b_ub=np.concatenate([x, -x]),
        bounds=[(None, None)] * table.shape[1] + [(0, None)],
    )
    assert program.fun == pytest.approx(found.largest, rel=1e-4)
    assert program.fun <= found.largest + 1e-9
    assert found.smallest == pytest.approx(found.largest, rel=1e-9)


def test_the_exchange_takes_odd_functions_and_kinks() -> None:
    """Odd on [0, 1] is the whole on [-1, 1]: the same error, and the same for a shifted kink."""

    def ramp(x):
        return np.clip(2 * x, -0.5, 0.5)

    half = equioscillation(ramp, (1, 3, 5, 7), start=0.0, kinks=(0.25,))
    whole = equioscillation(lambda x: np.maximum(x - 0.3, 0), tuple(range(8)), kinks=(0.3,))
    for found, function in ((half, ramp), (whole, lambda x: np.maximum(x - 0.3, 0))):
        x = np.linspace(-1, 1, 4001)
        error = np.abs(function(x) - chebyshev_values(x, found.degrees) @ found.weights)
        assert error.max() == pytest.approx(found.largest, rel=1e-3)
        assert error.max() <= found.largest * (1 + 1e-9)


def test_monomials_are_exact() -> None:
    """Against numpy's conversion at a low degree, and T_64(1) = 1 in rationals at a high one."""
    weights = {0: 0.5, 1: -0.25, 4: 2.0, 7: 0.125}
    dense = [weights.get(k, 0.0) for k in range(8)]
    expected = np.polynomial.chebyshev.cheb2poly(dense)
    assert [float(c) for c in monomials(weights)] == expected.tolist()
    assert sum(monomials({64: 1.0})) == 1
    assert monomials({}) == []


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "one of them"),
        ({"epsilon": 0.1, "degree": 2}, "one of them"),
        ({"epsilon": 0.0}, "epsilon is 0.0"),
        ({"epsilon": float("nan")}, "epsilon is nan"),
        ({"epsilon": 0.001}, "ask for a larger epsilon"),
        ({"degree": LARGEST_DEGREE + 1}, "from 0 to 32"),
        ({"degree": -1}, "from 0 to 32"),
        ({"degree": True}, "from 0 to 32"),
    ],
)
def test_bad_input(options, words) -> None:
    """Said before anything is computed, or with what the largest degree reaches."""
    with pytest.raises(BadInput, match=words):
        range_safe_relu(**options)


def test_a_polynomial_has_no_alternation() -> None:
    """The exchange says so instead of returning rounding noise."""
    with pytest.raises(NotCertified):
        equioscillation(lambda x: x * x, (0, 1, 2, 3))
    with pytest.raises(BadInput, match="wanted some"):
        equioscillation(np.abs, ())
