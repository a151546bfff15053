"""Gram matrices of ridge families {f(<v_i, x>)}: dense, or summed up tile by tile, with proof.

The family: v_i is row i of `directions`, exactly as the floats stand, divided by its Euclidean
norm, which must be 1 up to 1e-6; x ~ N(0, I_d).  All work is on kappa(<v_i, v_j>) / kappa(1), the
cosines, so that nothing underflows however small E[f^2] is.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import final

import numpy as np

from sqsim.errors import BadInput
from sqsim.links import Link
from sqsim.lowerbounds.correlation import pairwise_correlation
from sqsim.lowerbounds.expansions import Expansion
from sqsim.lowerbounds.kernels import gamma
from sqsim.lowerbounds.ladder import KernelLadder
from sqsim.lowerbounds.matrices import Correlations
from sqsim.lowerbounds.named import expansion_of
from sqsim.lowerbounds.precision import Enclosure
from sqsim.lowerbounds.quantities import Rational
from sqsim.lowerbounds.rowsums import GramSummary, RowSums, above, summary_of
from sqsim.lowrank import Array

MEMORY = 2**32
ROWS, COLUMNS = 512, 2048
LARGEST_DEFECT = 1e-6
DIAGONAL_DIGITS = 30


@final
@dataclass(frozen=True, eq=False)
class Gram:
    """E[f(<v_i, x>) f(<v_j, x>)] of a family, by its cosines.

    Attributes
    ----------
    cosines : Array
        The matrix divided by its constant diagonal; the diagonal itself is exactly 1.
    diagonal : Enclosure
        E[f(t)^2].
    radius : Rational
        Bounds the error of every cosine.
    """

    cosines: Array
    diagonal: Enclosure
    radius: Rational

    @property
    def correlations(self) -> Correlations:
        """E[f(<v_i, x>) f(<v_j, x>)] as the functions of dimensions take them: N^2 more floats.

        Those of the family divided by its norm, as `sq_dimension` wants them, are
        Correlations(gram.cosines, gram.radius.value).
        """
        low, high = self.diagonal.bounds
        middle = float(self.diagonal)
        if not middle >= 1e-290:
            raise BadInput(
                f"E[f^2] is about {middle:.3g}, too small for floats; divide by the norm: give "
                "Correlations(gram.cosines, gram.radius.value)"
            )
        entries = middle * self.cosines
        largest = Fraction(float(np.abs(self.cosines).max()))
        apart = max(high - Fraction(middle), Fraction(middle) - low) * largest
        # One rounding a product, far from underflow or below the last unit.
        rounding = Fraction(float(np.abs(entries).max())) / 2**52 + Fraction(1, 2**1074)
        return Correlations(entries, high * self.radius.value + apart + rounding)


@final
@dataclass(frozen=True, eq=False)
class Family:
    """Checked unit rows, and how far their computed inner products are from the overlaps."""

    rows: Array
    defect: Fraction

    def shift(self, reach: Fraction) -> Fraction:
        """Bounds |computed - <v_i, v_j>| where the latter is at most `reach`.

        Any order of summation, fused or not, errs by gamma_d ||u_i|| ||u_j||; the product of the
        norms is 1 up to the defect; the last units are for underflow and for a scaled argument.
        """
        rounding = gamma(self.rows.shape[1]) * (1 + self.defect)
        return rounding + reach * self.defect + Fraction(8, 2**53)


def ridge_gram(link: Link | Expansion, directions: Array) -> Gram:
    """The whole Gram matrix of f(<v_i, x>), as cosines with one proved radius.

    Parameters
    ----------
    link : Link or Expansion
        f, square integrable and not zero.
    directions : Array
        (N, d), rows of norm 1.

    Notes
    -----
    N^2 d flops by BLAS, and N^2 float64 numbers of memory, refused beyond 4 GiB.
    """
    family = checked_family(directions)
    size = len(family.rows)
    if 8 * size**2 > MEMORY:
        raise BadInput(
            f"{size} directions have a matrix of {8 * size**2 / 2**30:.3g} GiB, and "
            f"{MEMORY / 2**30:.3g} are allowed; ask gram_summary, which goes by tiles"
        )
    kernels = KernelLadder(_expansion(link), family.shift)
    cosines, radius = np.empty((size, size)), Fraction(0)
    for rows, columns, overlaps in tiles(family.rows):
        for part, values, error in kernels.chunks(overlaps):
            here = slice(rows.start + part.start, rows.start + part.stop)
            cosines[here, columns] = values
            if rows != columns:
                cosines[columns, here] = values.T
            radius = max(radius, error)
        if rows == columns:
            # The two halves went through different chunks: one of them stands for both.
            block = cosines[rows, columns]
            block[:] = np.triu(block) + np.triu(block, 1).T
    np.fill_diagonal(cosines, 1.0)
    return Gram(cosines, _diagonal(kernels.expansion), Rational(Fraction(above(radius))))


def gram_summary(link: Link | Expansion, directions: Array) -> GramSummary:
    """Row sums, largest entry, squares and eigenvalue bounds of the Gram matrix, by tiles.

    Takes what `ridge_gram` takes, and never stores the matrix.  N^2 d flops by BLAS and about 10 ns
    a pair; beside the directions a tile of 8 MiB and a few vectors of length N.
    """
    family = checked_family(directions)
    kernels = KernelLadder(_expansion(link), family.shift)
    sums = RowSums.empty(len(family.rows))
    for rows, columns, overlaps in tiles(family.rows):
        worst = Fraction(0)
        for part, values, error in kernels.chunks(overlaps):
            here = slice(rows.start + part.start, rows.start + part.stop)
            if rows == columns:
                own = np.arange(part.start, part.stop)
                values[own - part.start, own] = 0.0
                sums.add_square(here, values)
            else:
                sums.add(here, columns, values)
            worst = max(worst, error)
        sums.add_error(rows, columns, worst)
    return summary_of(sums, _diagonal(kernels.expansion))


def checked_family(directions: Array) -> Family:
    """The rows as float64, if they are unit vectors up to 1e-6."""
    rows = np.ascontiguousarray(directions, dtype=np.float64)
    if rows.ndim != 2 or 0 in rows.shape:
        raise BadInput(f"directions have shape {rows.shape}; wanted (N, d), one unit vector a row")
    squares = np.einsum("ij,ij->i", rows, rows)
    off = np.abs(squares - 1)
    if not np.all(off <= 2 * LARGEST_DEFECT):
        worst = int(np.argmax(np.where(np.isfinite(off), off, np.inf)))
        raise BadInput(
            f"row {worst} of the directions has norm {np.sqrt(squares[worst]):.6g}; wanted 1: "
            "divide each row by its norm"
        )
    slack = gamma(rows.shape[1])
    high = Fraction(float(squares.max())) / (1 - slack) - 1
    low = 1 - Fraction(float(squares.min())) / (1 + slack)
    return Family(rows, max(high, low, Fraction(0)))


def tiles(rows: Array) -> Iterator[tuple[slice, slice, Array]]:
    """Row range, column range and inner products of tiles that cover the upper triangle.

    Tiles on the diagonal are squares; the array is overwritten by the next tile.
    """
    size = len(rows)
    room = np.empty(ROWS * COLUMNS)
    for start in range(0, size, ROWS):
        stop = min(start + ROWS, size)
        for first in (start, *range(stop, size, COLUMNS)):
            last = stop if first == start else min(first + COLUMNS, size)
            shape = (stop - start, last - first)
            tile = room[: shape[0] * shape[1]].reshape(shape)
            np.matmul(rows[start:stop], rows[first:last].T, out=tile)
            if first == start:
                np.fill_diagonal(tile, 0.0)
            yield slice(start, stop), slice(first, last), tile


def _expansion(link: Link | Expansion) -> Expansion:
    f = link if isinstance(link, Expansion) else expansion_of(link)
    if _diagonal(f).bounds[0] <= 0:
        raise BadInput("the link is zero almost everywhere; a Gram matrix needs one that is not")
    return f


def _diagonal(f: Expansion) -> Enclosure:
    return pairwise_correlation(f, 1, digits=DIAGONAL_DIGITS)
