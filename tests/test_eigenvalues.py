"""Proved eigenvalue bounds against closed forms, exact elimination, sympy and 40 digits."""

from __future__ import annotations

from fractions import Fraction

import mpmath
import numpy as np
import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st

from sqsim.errors import BadInput
from sqsim.lowerbounds.eigenvalues import (
    gershgorin_bound,
    is_positive_semidefinite,
    largest_eigenvalue,
    perron_eigenvalue,
)
from sqsim.lowerbounds.matrices import Correlations, float_above, float_below

Rows = list[list[Fraction]]


def ridge_gram(size: int, dimension: int, degree: int, seed: int) -> np.ndarray:
    """Correlations <u, v>^degree of random unit vectors."""
    vectors = np.random.default_rng(seed).normal(size=(size, dimension))
    vectors /= np.linalg.norm(vectors, axis=1)[:, None]
    gram = (vectors @ vectors.T) ** degree
    return (gram + gram.T) / 2


def random_rows(size: int, seed: int) -> Rows:
    rng = np.random.default_rng(seed)
    half = rng.integers(-9, 10, size=(size, size))
    return [[Fraction(int(v), 7) for v in row] for row in np.triu(half) + np.triu(half, 1).T]


def shifted(rows: Rows, bound: Fraction) -> Rows:
    """bound I - A."""
    return [[bound * (i == j) - x for j, x in enumerate(row)] for i, row in enumerate(rows)]


@pytest.mark.parametrize(("size", "seed"), [(1, 0), (2, 1), (5, 2), (12, 3), (25, 4)])
def test_exact_elimination_confirms_both_ends(size: int, seed: int) -> None:
    """L I - A has no negative eigenvalue at the upper end, and has one just below the lower."""
    rows = random_rows(size, seed)
    found = largest_eigenvalue(Correlations.exact(rows))
    low, high = found.bounds
    assert is_positive_semidefinite(shifted(rows, high))
    assert not is_positive_semidefinite(shifted(rows, low - Fraction(1, 10**9)))
    assert high - low <= Fraction(1, 10**10)


@pytest.mark.parametrize("size", [3, 10, 40])
def test_path_graph(size: int) -> None:
    """The adjacency of a path has the largest eigenvalue 2 cos(pi / (n + 1))."""
    path = np.eye(size, k=1) + np.eye(size, k=-1)
    with mpmath.workdps(40):
        value = 2 * mpmath.cos(mpmath.pi / (size + 1))
        for found in (
            largest_eigenvalue(Correlations(path)),
            perron_eigenvalue(Correlations(path)),
        ):
            assert mpmath.mpf(found.lower) <= value <= mpmath.mpf(found.upper)
    assert float(largest_eigenvalue(Correlations(path)).width) < 1e-11


@pytest.mark.parametrize("sign", [1, -1])
def test_many_functions_against_numpy(sign: int) -> None:
    gram = sign * ridge_gram(600, 40, 3, seed=5)
    found = largest_eigenvalue(Correlations(gram))
    value = np.linalg.eigvalsh(gram)[-1]
    assert found.contains(float(value))
    assert float(found.width) < 1e-9


def test_perron_eigenvalue_is_that_of_the_magnitudes() -> None:
    gram = ridge_gram(400, 20, 1, seed=6)
    found = perron_eigenvalue(Correlations(gram))
    assert found.contains(float(np.linalg.eigvalsh(abs(gram))[-1]))
    assert float(found.width) < 1e-9
    whole = largest_eigenvalue(Correlations(gram).magnitudes())
    assert whole.bounds[0] <= found.bounds[1]
    assert found.bounds[0] <= whole.bounds[1]


def test_a_diagonal_matrix_has_a_point() -> None:
    """Orthonormal families of any size: exactly 1."""
    for correlations in (
        Correlations(np.eye(300)),
        Correlations.exact([[Fraction(i == j) for j in range(9)] for i in range(9)]),
    ):
        assert largest_eigenvalue(correlations).bounds == (1, 1)
        assert perron_eigenvalue(correlations).contains(1)


@pytest.mark.parametrize("exponent", [-1040, -300, 0, 300, 900])
def test_scaling_scales_the_interval(exponent: int) -> None:
    """A power of two changes no digit, down to where entries become subnormal."""
    gram = np.ldexp(np.round(np.ldexp(ridge_gram(12, 6, 2, seed=7), 20)), -20)
    rows = [[Fraction(x) for x in row] for row in gram]
    found = largest_eigenvalue(Correlations(np.ldexp(gram, exponent)))
    low, high = (end / Fraction(2) ** exponent for end in found.bounds)
    assert is_positive_semidefinite(shifted(rows, high))
    assert not is_positive_semidefinite(shifted(rows, low - Fraction(1, 10**9)))
    assert high - low < Fraction(1, 10**11)


def test_a_radius_widens_by_the_norm_of_what_it_allows() -> None:
    gram, radius = ridge_gram(50, 9, 1, seed=8), Fraction(1, 10**6)
    found = largest_eigenvalue(Correlations(gram, radius))
    for perturbed in (gram + 1e-6 * (1 - 1e-9), gram - 1e-6 * (1 - 1e-9)):
        assert found.contains(float(np.linalg.eigvalsh(perturbed)[-1]))
    assert found.width <= 100 * radius + Fraction(1, 10**10)
    assert gershgorin_bound(Correlations(gram, radius)) >= found.bounds[1]


@given(
    st.lists(st.lists(st.integers(-3, 3), min_size=4, max_size=4), min_size=1, max_size=4),
    st.sampled_from([Fraction(0), Fraction(1, 1000), Fraction(-1, 1000)]),
)
def test_semidefinite_agrees_with_sympy(half: list[list[int]], move: Fraction) -> None:
    """B'B of any rank, and what lies next to it."""
    gram = [[sum(row[i] * row[j] for row in half) for j in range(4)] for i in range(4)]
    rows = [[gram[i][j] + move * (i == j) for j in range(4)] for i in range(4)]
    assert is_positive_semidefinite(rows) == bool(
        sympy.Matrix(
            4, 4, lambda i, j: sympy.Rational(str(Fraction(rows[i][j])))
        ).is_positive_semidefinite
    )


def test_a_zero_pivot_with_a_row_is_indefinite() -> None:
    assert not is_positive_semidefinite([[0, 1], [1, 5]])
    assert is_positive_semidefinite([[0, 0, 0], [0, 2, 2], [0, 2, 2]])
    assert not is_positive_semidefinite([[1, 2], [2, 3]])


@given(st.fractions() | st.fractions(max_denominator=10**30).map(lambda x: x / 10**320))
def test_floats_next_to_a_rational(value: Fraction) -> None:
    below, above = float_below(value), float_above(value)
    assert Fraction(below) <= value <= Fraction(above)
    assert above in (below, np.nextafter(below, np.inf))


def test_scaled_integers_bracket_the_entries() -> None:
    for matrix in (ridge_gram(20, 5, 3, seed=9), ridge_gram(20, 5, 3, seed=9) * 1e-200):
        correlations = Correlations(matrix)
        exact = Correlations(np.array([[Fraction(x) for x in row] for row in matrix], object))
        for entries in (correlations, exact):
            (up, scale), (down, same) = (entries.scaled_integers(up=way) for way in (True, False))
            assert scale == same
            for x, high, low in zip(matrix.flat, up.flat, down.flat, strict=True):
                assert int(low) <= abs(Fraction(x)) * scale <= int(high)
                assert high - low <= 1
            assert int(up.sum()) < 2**62


def test_bad_input() -> None:
    with pytest.raises(BadInput, match="shape"):
        Correlations(np.ones((2, 3)))
    with pytest.raises(BadInput, match="finite"):
        Correlations(np.array([[1.0, np.nan], [np.nan, 1.0]]))
    with pytest.raises(BadInput, match=r"\[0, 1\] and \[1, 0\] differ"):
        Correlations(np.array([[1.0, 0.5], [0.25, 1.0]]))
    with pytest.raises(BadInput, match="radius"):
        Correlations(np.eye(2), -1)
    with pytest.raises(BadInput, match="Fractions"):
        Correlations(np.array([[Fraction(1), 0.5], [0.5, Fraction(1)]], object))
    with pytest.raises(BadInput, match="lengths"):
        Correlations.exact([[1, 2], [2]])
    with pytest.raises(BadInput, match="GiB"):
        largest_eigenvalue(Correlations(np.broadcast_to(np.float64(1), (10_400, 10_400))))
