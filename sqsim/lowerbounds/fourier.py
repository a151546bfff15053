"""Walsh-Hadamard coefficients of a function on the cube {-1, 1}^d, exact where its values are.

A function is a table of 2^d values.  Bit j of the index is 1 where x_j = -1, so that entry 0
belongs to x = (1, ..., 1); bit j of a coefficient's index is 1 where j lies in the set S.  Then
f^(S) = E[f(x) prod_(j in S) x_j] = 2^-d sum_i (-1)^|i & S| f(i) for uniform x.
This file does not know where a table comes from.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import final

import numpy as np
from flint import arb
from numpy.typing import ArrayLike, NDArray

from sqsim.errors import BadInput
from sqsim.lowerbounds.precision import Enclosure, ball, enclose, exact_fraction, working_bits
from sqsim.lowerbounds.quantities import Rational
from sqsim.walsh import (
    EXACT_FLOATS,
    EXACT_WORDS,
    UNIT,
    Table,
    exact_sums,
    rounding,
    walsh_hadamard,
    whole_numbers,
)

MEMORY = 2**31


@final
@dataclass(frozen=True, eq=False)
class WalshSpectrum:
    """All 2^d coefficients of one function.

    Attributes
    ----------
    sums : sum_i (-1)^|i & S| f(i) times `denominator`, at index S; integers where exact.
    denominator : of a table of fractions.
    error : proved bound of |computed - true| for every entry of `sums`; 0 where exact.
    """

    sums: Table
    denominator: int
    error: float

    @property
    def dimension(self) -> int:
        """d."""
        return len(self.sums).bit_length() - 1

    @property
    def exact(self) -> bool:
        """Whether every coefficient is a known rational."""
        return self.error == 0.0

    def coefficient(self, subset: Iterable[int]) -> Rational | Enclosure:
        """f^(S) = E[f chi_S], the correlation with the parity of this set of coordinates."""
        scale = self.denominator << self.dimension
        middle = exact_fraction(self.sums.item(_index(subset, self.dimension))) / scale
        if self.exact:
            return Rational(middle)
        reach = exact_fraction(self.error) / scale
        return _interval(middle - reach, middle + reach)


def walsh_coefficients(table: ArrayLike) -> WalshSpectrum:
    """Coefficients of a table of 2^d values: f^(S) = E[f(x) prod_(j in S) x_j], x uniform.

    Entry i of the table is f at the x with x_j = -1 where bit j of i is 1 (bit 0 is the last
    binary digit) and x_j = 1 elsewhere.  So for d = 2 the entries are f(1, 1), f(-1, 1), f(1, -1),
    f(-1, -1), and [1, -1, 1, -1] is the parity x_0.  In the same way bit j of the index of a
    coefficient is 1 where j lies in S.

    Integers and fractions (also floats that are all whole) give exact coefficients, in floats
    while every partial sum stays up to 2^53, in int64 below 2^63, in Python integers beyond.
    Other floats give float64 coefficients within the proved error of `walsh.rounding`.

    Costs about 4 d multiplications and additions a value, in two passes over the memory; one copy
    of the table is held beside it.
    """
    values, denominator = _whole_numbers(table)
    if values.dtype.kind != "f":
        return WalshSpectrum(_frozen(_exact(values)), denominator, 0.0)
    error = rounding(values)
    return WalshSpectrum(_frozen(walsh_hadamard(values.copy())), 1, error)


def walsh_table(spectrum: WalshSpectrum) -> Table:
    """The function again: f(i) = sum_S (-1)^|i & S| f^(S).

    Exact spectra give integers, or an array of fractions where some value is not whole; others
    give float64.
    """
    scale = spectrum.denominator << spectrum.dimension
    if not spectrum.exact:
        return walsh_hadamard(spectrum.sums.copy()) / scale
    sums = _exact(spectrum.sums)
    if not np.any(sums % scale):
        return np.asarray(sums // scale)
    return np.array([Fraction(int(s), scale) for s in sums], dtype=object)


def degree_masses(spectrum: WalshSpectrum) -> tuple[Rational | Enclosure, ...]:
    """sum of f^(S)^2 over |S| = k, for k = 0, ..., d.  By Parseval they add up to E[f^2]."""
    sums, degrees = spectrum.sums, _subset_sizes(spectrum.dimension)
    scale = spectrum.denominator << spectrum.dimension
    if spectrum.exact:
        whole = sums if _squares_fit(sums) else sums.astype(object)
        parts = (whole[degrees == k] for k in range(spectrum.dimension + 1))
        return tuple(Rational(Fraction(int((p * p).sum()), scale**2)) for p in parts)
    # A power of two out of the way, so that squares neither overflow nor vanish.
    exponent = math.frexp(float(np.abs(sums).max()))[1]
    halved = np.ldexp(sums, -exponent)
    squares = np.bincount(degrees, weights=halved * halved, minlength=spectrum.dimension + 1)
    front = Fraction(2) ** exponent / scale
    reach = exact_fraction(spectrum.error) / Fraction(2) ** exponent
    return tuple(
        _mass(float(total), math.comb(spectrum.dimension, k), reach, front)
        for k, total in enumerate(squares)
    )


def spectral_weight(spectrum: WalshSpectrum, degree: int) -> Rational | Enclosure:
    """sum of f^(S)^2 over |S| <= degree."""
    if isinstance(degree, bool) or not isinstance(degree, int) or degree < 0:
        raise BadInput(f"degree is {degree!r}; subsets have sizes 0, 1, 2, ...")
    ends = [mass.bounds for mass in degree_masses(spectrum)[: degree + 1]]
    low, high = (sum(side, Fraction(0)) for side in zip(*ends, strict=True))
    return Rational(low) if spectrum.exact else _interval(low, high)


def heaviest_parities(
    spectrum: WalshSpectrum, count: int
) -> tuple[tuple[tuple[int, ...], Rational | Enclosure], ...]:
    """The sets of largest |f^(S)|, with their coefficients; ties by the smaller index first.

    Where the spectrum is not exact the order is that of the computed values.
    """
    if not 1 <= count <= len(spectrum.sums):
        raise BadInput(f"count is {count}; there are {len(spectrum.sums)} parities")
    order = np.argsort(-np.abs(spectrum.sums), kind="stable")[:count]
    coordinates = range(spectrum.dimension)
    sets = [tuple(j for j in coordinates if int(index) >> j & 1) for index in order]
    return tuple((subset, spectrum.coefficient(subset)) for subset in sets)


def _whole_numbers(table: ArrayLike) -> tuple[Table, int]:
    """The table as integers over a common denominator, or as floats where they are not whole."""
    values = np.asarray(table)
    _refuse_beyond_memory(values.size, 16 if values.dtype != object else 128)
    return whole_numbers(values)


def _exact(values: Table) -> Table:
    """The transform of integers, as integers."""
    bound = max(int(values.max()), -int(values.min())) * len(values)
    if bound > EXACT_FLOATS:
        _refuse_beyond_memory(len(values), 40 if bound < EXACT_WORDS else 128)
    sums = exact_sums(values)
    return sums if sums.dtype == object else sums.astype(np.int64)


def _subset_sizes(dimension: int) -> NDArray[np.uint8]:
    """|S| at index S."""
    sizes = np.zeros(1, dtype=np.uint8)
    for _ in range(dimension):
        sizes = np.concatenate([sizes, sizes + np.uint8(1)])
    return sizes


def _squares_fit(sums: Table) -> bool:
    """Whether all squares add up below 2^63; twice the rough sum leaves room for its rounding."""
    if sums.dtype == object:
        return False
    return 2 * float(np.square(sums.astype(np.float64)).sum()) < EXACT_WORDS


def _mass(total: float, count: int, error: Fraction, front: Fraction) -> Enclosure:
    """front^2 (root of the sum of squares -+ error root(count))^2: the triangle inequality."""
    with working_bits(160):
        squares = ball(exact_fraction(total))
        # Roundings of the sum and of the squares, which may be subnormal.
        rounding = 2 * (count + 3) * ball(exact_fraction(UNIT)) * squares
        rounding += 2 * count * arb(2) ** -1074
        reach = ball(error) * arb(count).sqrt()
        low = (squares - rounding).nonnegative_part().sqrt() - reach
        high = (squares + rounding).sqrt() + reach
        low = low.nonnegative_part()
        return enclose((low * low).union(high * high) * ball(front) ** 2, 25)


def _index(subset: Iterable[int], dimension: int) -> int:
    members = list(subset)
    if len(set(members)) != len(members) or not all(0 <= j < dimension for j in members):
        raise BadInput(f"{members} is no subset of the coordinates 0, ..., {dimension - 1}")
    return sum(1 << j for j in members)


def _interval(low: Fraction, high: Fraction) -> Enclosure:
    with working_bits(160):
        return enclose(ball(low).union(ball(high)), 25)


def _frozen(values: Table) -> Table:
    values.flags.writeable = False
    return values


def _refuse_beyond_memory(length: int, size: int) -> None:
    need = length * size
    if need > MEMORY:
        raise BadInput(
            f"{length} values need about {need / 2**30:.3g} GiB, and {MEMORY / 2**30:.3g} are "
            "allowed; use a smaller cube"
        )
