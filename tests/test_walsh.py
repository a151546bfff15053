"""The fast transform against its definition, in every arithmetic and at every size of its parts."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.linalg import hadamard

from sqsim.errors import BadInput
from sqsim.subsets import parity_table
from sqsim.walsh import exact_sums, path, rounding, walsh_hadamard, whole_numbers


def butterflies(values):
    """Level by level, as textbooks have it."""
    values = values.copy()
    for level in range(len(values).bit_length() - 1):
        pairs = values.reshape(-1, 2, 1 << level)
        pairs[:] = np.stack([pairs[:, 0] + pairs[:, 1], pairs[:, 0] - pairs[:, 1]], axis=1)
    return values


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("d", range(12))
def test_small_transforms_are_products_with_a_hadamard_matrix(d, dtype):
    """The definition, with whole numbers so that nothing is rounded."""
    values = np.random.default_rng(d).integers(-9, 10, 2**d)
    found = walsh_hadamard(values.astype(dtype))
    assert found.dtype == dtype
    assert np.array_equal(found, hadamard(2**d) @ values)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("d", [13, 14, 15, 16, 18, 19, 21])
def test_large_transforms_agree_with_butterflies_and_are_in_place(d, dtype):
    """One pass up to 2^14, then strips of columns; incomplete groups of levels among them."""
    values = np.random.default_rng(d).integers(-2, 3, 2**d).astype(dtype)
    expected = butterflies(values)
    assert walsh_hadamard(values) is values
    assert np.array_equal(values, expected)


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize(
    ("largest", "kind"),
    [
        (2**21, "float32"),
        (2**21 + 1, "float64"),
        (2**50, "float64"),
        (2**50 + 1, "int64"),
        (2**60 - 1, "int64"),
        (2**60, "object"),
        (2**90 + 1, "object"),
    ],
)
def test_whole_numbers_are_transformed_without_rounding(largest, kind, sign):
    """At the borders of every arithmetic, on values whose sums fill it."""
    values = np.array([sign * largest] * 7 + [sign * (largest - 1)], dtype=object)
    if kind != "object":
        values = values.astype(np.int64)
    found = exact_sums(values)
    assert found.dtype.name == kind
    assert [int(s) for s in found] == butterflies(values.astype(object)).tolist()


@pytest.mark.parametrize("d", [3, 15])
def test_words_are_transformed_in_two_limbs(d):
    """Upper and lower 26 bits apart, in floats, meet again without a loss."""
    values = np.random.default_rng(1).integers(-(2**62 >> d), 2**62 >> d, 2**d) * 2 + 1
    found = exact_sums(values)
    assert found.dtype == np.int64
    assert np.array_equal(found, butterflies(values))


def test_the_smallest_integer_has_a_transform():
    """Its absolute value is no int64."""
    assert exact_sums(np.full(4, -(2**63))).tolist() == [-(2**65), 0, 0, 0]


@given(
    st.integers(0, 6).flatmap(
        lambda d: st.lists(
            st.floats(-1e300, 1e300, allow_subnormal=True), min_size=2**d, max_size=2**d
        )
    )
)
def test_rounding_of_floats_stays_within_its_bound(table):
    """Against fractions, for values of any sizes."""
    values = np.array(table)
    bound = Fraction(rounding(values))
    exact = butterflies(np.array([Fraction(v) for v in table], dtype=object))
    for computed, true in zip(walsh_hadamard(values).tolist(), exact, strict=True):
        assert abs(Fraction(computed) - true) <= bound


def test_the_bound_is_the_longest_path_and_not_lavish():
    """A path of 16 terms for four levels; random tables use some thousandth of the bound."""
    assert [path(2**d) for d in (0, 1, 4, 5, 14, 20)] == [0, 2, 16, 12, 48, 64]
    values = np.random.default_rng(0).standard_normal(2**16)
    wide = butterflies(values.astype(np.longdouble))
    error = float(np.abs(walsh_hadamard(values.copy()) - wide).max())
    assert 0 < error < rounding(values) < 1e5 * error


def test_parity_tables_are_rows_of_the_hadamard_matrix():
    """Bit j of an index, and of a mask, is coordinate j."""
    for mask in range(32):
        assert np.array_equal(parity_table(mask, 5), hadamard(32)[mask])
        assert np.array_equal(
            walsh_hadamard(parity_table(mask, 5).astype(float)), 32.0 * (np.arange(32) == mask)
        )


def test_tables_are_read_as_integers_over_a_common_denominator():
    """Nothing is rounded that need not be."""
    numbers, denominator = whole_numbers(["1/3", Fraction(-1, 2), 2, "0.1"])
    assert (numbers.tolist(), denominator) == ([10, -15, 60, 3], 30)
    assert whole_numbers([1.0, -3.0])[0].dtype == np.int64
    assert whole_numbers([0.5, 1.0])[0].dtype == np.float64
    assert whole_numbers([True, False])[0].tolist() == [1, 0]
    assert whole_numbers([2**70, 1])[0].tolist() == [2**70, 1]


def test_bad_tables_are_named():
    """Shape, finiteness, type, entries and overflow."""
    for table in ([], [1, 2, 3], [[1, 2], [3, 4]], 5):
        with pytest.raises(BadInput, match="2\\^d values"):
            whole_numbers(table)
    with pytest.raises(BadInput, match="not finite"):
        whole_numbers([1.0, np.inf])
    with pytest.raises(BadInput, match="type complex"):
        whole_numbers([1j, 1])
    with pytest.raises(BadInput, match="an entry of the table is 'many'"):
        whole_numbers(["many", "1"])
    with pytest.raises(BadInput, match="overflows"):
        rounding(np.array([1.5e308, 1.4e308]))
    with pytest.raises(BadInput, match="overflows"):
        rounding(np.full(2**16, 1e304))
