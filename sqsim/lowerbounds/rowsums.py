"""Sums over the rows of a matrix with unit diagonal that is only ever seen in tiles, with proof.

This file does not know where the tiles come from.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import MAX_EMAX, MIN_EMIN, ROUND_CEILING, ROUND_FLOOR, Context
from fractions import Fraction
from typing import final

import numpy as np

from sqsim.lowerbounds.kernels import TINY, fraction_above, gamma
from sqsim.lowerbounds.precision import Enclosure, ball, working_bits
from sqsim.lowerbounds.quantities import Rational
from sqsim.lowrank import Array

Interval = tuple[Fraction, Fraction]
BITS, DIGITS = 200, 25


@final
@dataclass(frozen=True)
class GramSummary:
    """What is proved about a Gram matrix K of N functions of one second moment.

    Attributes
    ----------
    size : N.
    diagonal : E[f_i^2].
    largest_off_diagonal : max |K_ij| over i != j; 0 where N = 1.
    average_correlation : sum of |K_ij| over all i, j, divided by N^2.
    largest_row_sum : max_i sum_j |K_ij|.
    sum_of_squares : sum of K_ij^2 over all i, j.
    largest_eigenvalue : from below by the trace, the squares and the row sums, from above by the
        largest row sum (Gershgorin) and by the trace and the squares.
    radius : bounds the error of every single K_ij / K_ii that went in.
    """

    size: int
    diagonal: Enclosure
    largest_off_diagonal: Enclosure
    average_correlation: Enclosure
    largest_row_sum: Enclosure
    sum_of_squares: Enclosure
    largest_eigenvalue: Enclosure
    radius: Rational


@final
@dataclass(eq=False)
class RowSums:
    """Running sums over off-diagonal entries, in float64 of any order.

    Attributes
    ----------
    sizes, values : for each row, of |entry| and of entry.
    errors : for each row, of the entries' errors.
    squares, square_error : over the whole matrix, of entry^2 and of what errors do to it.
    largest, radius : of |entry| and of the errors.
    pending : sum of |entry| since the last error was told.
    parts, longest : parts so far, and entries of the largest.
    """

    sizes: Array
    values: Array
    errors: Array
    squares: float
    square_error: float
    largest: float
    radius: Fraction
    pending: float
    parts: int
    longest: int

    @classmethod
    def empty(cls, size: int) -> RowSums:
        """Nothing added yet."""
        sizes, values, errors = np.zeros((3, size))
        return cls(sizes, values, errors, 0.0, 0.0, 0.0, Fraction(0), 0.0, 0, 0)

    def add(self, rows: slice, columns: slice, tile: Array) -> None:
        """A tile beside the diagonal, which stands for its mirror image too."""
        sizes = self._add_rows(rows, tile, 2)
        added = np.add.reduce(sizes, axis=0)
        self.sizes[columns] += added
        self.values[columns] += added if sizes is tile else np.add.reduce(tile, axis=0)

    def add_square(self, rows: slice, tile: Array) -> None:
        """Some rows of a tile on the diagonal, with zeros on the diagonal itself."""
        self._add_rows(rows, tile, 1)

    def add_error(self, rows: slice, columns: slice, error: Fraction) -> None:
        """Every entry of this tile may be wrong by so much; called after its parts were added."""
        high = above(error)
        self.errors[rows] += high * (columns.stop - columns.start)
        count = (rows.stop - rows.start) * (columns.stop - columns.start)
        times = 1
        if rows != columns:
            self.errors[columns] += high * (rows.stop - rows.start)
            times = 2
        self.square_error += 2 * high * self.pending + times * count * high * high
        self.radius = max(self.radius, error)
        self.pending = 0.0

    def _add_rows(self, rows: slice, tile: Array, times: int) -> Array:
        low, high = float(tile.min()), float(tile.max())
        self.largest = max(self.largest, -low, high)
        sizes = tile if low >= 0 else np.abs(tile)
        added = np.add.reduce(sizes, axis=1)
        self.sizes[rows] += added
        self.values[rows] += added if low >= 0 else np.add.reduce(tile, axis=1)
        self.squares += times * float(np.vdot(tile, tile))
        self.pending += times * float(added.sum())
        self.parts += 1
        self.longest = max(self.longest, tile.size)
        return sizes


def summary_of(sums: RowSums, diagonal: Enclosure) -> GramSummary:
    """The sums with all their errors, times the diagonal."""
    size = len(sums.sizes)
    # No sum here has a longer chain of additions: a part, the parts, and a vector of length N.
    slack = gamma(sums.longest + sums.parts + size + 16)
    largest = Fraction(sums.largest)
    off = (max(largest - sums.radius, Fraction(0)), largest + sums.radius)
    if size == 1:
        off = (Fraction(0), Fraction(0))
    error = [Fraction(float(e)) * (1 + slack) for e in (sums.errors.max(), sums.errors.sum())]
    row = _around(Fraction(float(sums.sizes.max())), slack, error[0])
    total = _around(Fraction(float(sums.sizes.sum())), slack, error[1])
    # Squares may underflow.
    square_error = Fraction(sums.square_error) * (1 + slack) + size**2 * TINY
    squares = _around(Fraction(sums.squares), slack, square_error)
    n = Fraction(size)

    def scaled(interval: Interval, power: int = 1) -> Enclosure:
        low, high = diagonal.bounds
        return enclosed(interval[0] * low**power, interval[1] * high**power)

    return GramSummary(
        size,
        diagonal,
        scaled(off),
        scaled(((n + total[0]) / n**2, (n + total[1]) / n**2)),
        scaled((1 + row[0], 1 + row[1])),
        scaled((n + squares[0], n + squares[1]), 2),
        scaled(_eigenvalue(sums, squares, row[1], slack)),
        Rational(Fraction(above(sums.radius))),
    )


def _eigenvalue(sums: RowSums, squares: Interval, row: Fraction, slack: Fraction) -> Interval:
    """Of a positive semidefinite matrix with unit diagonal, trace N and 1 + values as row sums.

    From above: the largest row sum, and m + s sqrt(N - 1) for eigenvalues of mean m = 1 and of
    variance s^2 = (sum of squares) / N - 1 (Wolkowicz and Styan 1980).  From below, as K is
    positive semidefinite: 1'K1 / 1'1, 1'KK1 / 1'K1 and tr K^2 / tr K.
    """
    size = len(sums.values)
    with working_bits(BITS):
        spread = fraction_above(ball(squares[1] * (size - 1) / size).sqrt())
    # The row sums' own rounding is relative to the sums of absolute values.
    loose = sums.errors + 2 * float(slack) * (1 + sums.sizes)
    loose *= 1 + 1e-9
    low, high = 1 + sums.values - loose, 1 + sums.values + loose
    ends = [Fraction(float(part.sum())) for part in (low, high)]
    wide = [Fraction(float(np.abs(part).sum())) * slack for part in (low, high)]
    lower = [Fraction(1), 1 + squares[0] / size, (ends[0] - wide[0]) / size]
    power = np.where(low > 0, low, np.where(high < 0, high, 0.0))
    if ends[1] + wide[1] > 0:
        product = Fraction(float(power @ power)) * (1 - slack)
        lower.append(product / (ends[1] + wide[1]))
    return max(lower), min(1 + row, 1 + spread)


def _around(value: Fraction, slack: Fraction, error: Fraction) -> Interval:
    """A sum of positive numbers with its rounding and its terms' errors."""
    return max(value / (1 + slack) - error, Fraction(0)), value / (1 - slack) + error


def enclosed(low: Fraction, high: Fraction) -> Enclosure:
    """As decimals of 25 digits, each end rounded away from the other."""
    ends = zip((low, high), (ROUND_FLOOR, ROUND_CEILING), strict=True)
    contexts = ((v, Context(DIGITS, r, Emin=MIN_EMIN, Emax=MAX_EMAX)) for v, r in ends)
    return Enclosure(*(f"{c.divide(v.numerator, v.denominator)}" for v, c in contexts))


def above(value: Fraction) -> float:
    """A float that is not less."""
    near = float(value)
    return near if Fraction(near) >= value else float(np.nextafter(near, np.inf))
