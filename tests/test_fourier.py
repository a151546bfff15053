"""The transform against its definition, Parseval, involution and characters."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.linalg import hadamard

from sqsim.errors import BadInput
from sqsim.lowerbounds import fourier
from sqsim.lowerbounds.fourier import (
    degree_masses,
    heaviest_parities,
    spectral_weight,
    walsh_coefficients,
    walsh_table,
)
from sqsim.lowerbounds.precision import Enclosure
from sqsim.lowerbounds.quantities import Rational

integers = st.integers(0, 6).flatmap(
    lambda d: st.lists(st.integers(-(2**70), 2**70), min_size=2**d, max_size=2**d)
)
fractions = st.integers(0, 4).flatmap(
    lambda d: st.lists(st.fractions(max_denominator=99), min_size=2**d, max_size=2**d)
)
floats = st.integers(0, 5).flatmap(
    lambda d: st.lists(st.floats(-1e9, 1e9), min_size=2**d, max_size=2**d)
)


def subsets(d: int) -> list[tuple[int, ...]]:
    return [s for k in range(d + 1) for s in itertools.combinations(range(d), k)]


def definition(table: Any, subset: tuple[int, ...]) -> Fraction:
    """E[f chi_S], point by point."""
    total, d = Fraction(0), len(table).bit_length() - 1
    for index, value in enumerate(table):
        x = [-1 if index >> j & 1 else 1 for j in range(d)]
        total += Fraction(value) * math.prod(x[j] for j in subset)
    return total / len(table)


@pytest.mark.parametrize("values", [integers, fractions], ids=["integers", "fractions"])
def test_exact_tables_follow_the_definition_parseval_and_come_back(values: Any) -> None:
    """Three laws of the transform, with no rounding anywhere."""

    @given(values)
    def law(table: list[Any]) -> None:
        spectrum = walsh_coefficients(table)
        assert spectrum.exact
        d = spectrum.dimension
        for s in subsets(d)[:9]:
            assert spectrum.coefficient(s) == Rational(definition(table, s))
        mass = sum(m.bounds[0] for m in degree_masses(spectrum))
        assert mass == sum(Fraction(v) ** 2 for v in table) / 2**d
        assert walsh_table(spectrum).tolist() == table

    law()


@given(floats)
def test_the_error_of_a_float_table_is_proved(table: list[float]) -> None:
    """The exact coefficient, in fractions, lies in the interval."""
    spectrum = walsh_coefficients(table)
    exact = walsh_coefficients([Fraction(v) for v in table])
    for s in subsets(spectrum.dimension):
        value = exact.coefficient(s).bounds[0]
        low, high = spectrum.coefficient(s).bounds
        assert low <= value <= high
    for a, b in zip(degree_masses(spectrum), degree_masses(exact), strict=True):
        assert a.bounds[0] <= b.bounds[0] <= a.bounds[1]
    assert walsh_table(spectrum) == pytest.approx(np.array(table), abs=1e-4)


@pytest.mark.parametrize("d", [5, 10, 11, 13, 17])
def test_groups_of_levels_agree_with_single_butterflies(d: int) -> None:
    """Two orders of summation; odd sizes leave incomplete groups."""
    rng = np.random.default_rng(d)
    small = rng.integers(-9, 10, 2**d)
    large = small.astype(object) * 2**44 + 1
    first, second = walsh_coefficients(small), walsh_coefficients(large)
    expected = 2**44 * first.sums.astype(object)
    expected[0] += 2**d
    assert np.array_equal(second.sums, expected)
    noisy = walsh_coefficients(rng.normal(size=2**d))
    assert 0 < noisy.error < 1e-12 * 2**d
    if d <= 11:
        assert np.array_equal(first.sums, hadamard(2**d) @ small)


def test_arithmetic_grows_with_the_values() -> None:
    """float64, int64 and Python integers meet at the borders 2^53 and 2^63 without a loss."""
    for largest in (2**50, 2**50 + 1, 2**60 - 1, 2**60, 2**63 - 1, 2**63, 2**90):
        for sign in (1, -1):
            spectrum = walsh_coefficients([sign * largest] * 8)
            assert spectrum.coefficient([]) == Rational(Fraction(sign * largest))
            assert spectrum.coefficient([0, 2]) == Rational(Fraction(0))
    table = np.full(4, -(2**63), dtype=np.int64)
    assert walsh_coefficients(table).coefficient([]) == Rational(Fraction(-(2**63)))


def test_parities_are_single_coefficients() -> None:
    """chi_S has coefficient 1 at S and 0 elsewhere; one bit of the index is one coordinate."""
    index = np.arange(2**6)
    for subset in [(), (0,), (1, 4), (0, 2, 3, 5)]:
        bits = sum(index >> j & 1 for j in subset) + 0 * index
        table = 1 - 2 * (bits % 2)
        for values in (table, table.astype(float), table.astype(np.int8)):
            spectrum = walsh_coefficients(values)
            assert heaviest_parities(spectrum, 1) == ((subset, Rational(Fraction(1))),)
            masses = [m.bounds[0] for m in degree_masses(spectrum)]
            assert masses == [k == len(subset) for k in range(7)]


def test_majority_of_three_and_its_weights() -> None:
    """maj = (x_1 + x_2 + x_3 - x_1 x_2 x_3) / 2."""
    table = [1 if bin(i).count("1") <= 1 else -1 for i in range(8)]
    spectrum = walsh_coefficients(table)
    half, quarter = Rational(Fraction(1, 2)), Fraction(1, 4)
    assert spectrum.coefficient([1]) == half
    assert spectrum.coefficient([2, 1, 0]) == Rational(-half.value)
    assert degree_masses(spectrum) == tuple(map(Rational, (0, 3 * quarter, 0, quarter)))
    assert spectral_weight(spectrum, 2) == Rational(3 * quarter)
    assert spectral_weight(spectrum, 9) == Rational(Fraction(1))


def test_weights_of_floats_are_intervals() -> None:
    """E[f^2] of a float table, summed exactly, lies in the proved weight of all degrees."""
    table = np.random.default_rng(3).normal(size=2**12)
    weight = spectral_weight(walsh_coefficients(table), 12)
    assert isinstance(weight, Enclosure)
    assert weight.contains(sum(Fraction(float(v)) ** 2 for v in table) / 2**12)
    assert weight.digits > 9


def test_bad_input(monkeypatch: pytest.MonkeyPatch) -> None:
    for table in ([], [1, 2, 3], [[1, 2], [3, 4]], 5):
        with pytest.raises(BadInput, match="2\\^d values"):
            walsh_coefficients(table)  # type: ignore[arg-type]
    with pytest.raises(BadInput, match="not finite"):
        walsh_coefficients([1.0, math.nan])
    with pytest.raises(BadInput, match="overflows"):
        walsh_coefficients([1.5e308, 1.4e308])
    with pytest.raises(BadInput, match="type"):
        walsh_coefficients([1j, 2j])
    with pytest.raises(BadInput, match="entry"):
        walsh_coefficients([None, Fraction(1)])  # type: ignore[list-item]
    spectrum = walsh_coefficients([1, 2, 3, 4])
    for subset in ([2], [-1], [0, 0]):
        with pytest.raises(BadInput, match="subset"):
            spectrum.coefficient(subset)
    with pytest.raises(BadInput, match="degree"):
        spectral_weight(spectrum, -1)
    with pytest.raises(BadInput, match="parities"):
        heaviest_parities(spectrum, 5)
    monkeypatch.setattr(fourier, "MEMORY", 2**10)
    with pytest.raises(BadInput, match="GiB"):
        walsh_coefficients(np.zeros(2**8))
