"""Gram matrices of ridge families along sign vectors: whole numbers first, kappa afterwards.

The overlaps of vectors in {-1, 1}^d / sqrt(d) are whole multiples of 2 / d, so that the pairs are
counted by overlap, exactly, and kappa is needed at no more than d + 1 points.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction

import numpy as np

from sqsim.errors import BadInput
from sqsim.links import Link
from sqsim.lowerbounds.correlation import pairwise_correlation
from sqsim.lowerbounds.expansions import Expansion
from sqsim.lowerbounds.kernels import UNIT
from sqsim.lowerbounds.named import expansion_of
from sqsim.lowerbounds.precision import Enclosure
from sqsim.lowerbounds.rowsums import GramSummary, RowSums, enclosed, summary_of
from sqsim.lowrank import Array

LARGEST_DIMENSION = 2**24
ROWS, COLUMNS = 256, 1024
KERNEL_DIGITS = 35


def sign_gram_summary(link: Link | Expansion, signs: Array) -> GramSummary:
    """What `gram_summary` gives, for the directions signs / sqrt(d) exactly.

    The largest entry, the average and the sum of squares come from counts of overlaps and are
    proved to 25 digits; row sums and eigenvalue bounds are float64 sums with their rounding.

    Parameters
    ----------
    link : Link or Expansion
    signs : Array
        (N, d), every entry 1 or -1; d at most 2^24.

    Notes
    -----
    N^2 d float32 flops by BLAS, where sums of signs are exact, and a table look-up a pair.
    """
    rows = _checked(signs)
    size, d = rows.shape
    f = link if isinstance(link, Expansion) else expansion_of(link)
    diagonal = pairwise_correlation(f, 1, digits=KERNEL_DIGITS)
    if diagonal.bounds[0] <= 0:
        raise BadInput("the link is zero almost everywhere; a Gram matrix needs one that is not")
    sums, counts = RowSums.empty(size), np.zeros(d + 1, dtype=np.int64)
    found: dict[int, Enclosure] = {}
    cosines = np.zeros(d + 1)
    for here, there, equal in _equal_signs(rows):
        times = np.bincount(equal.ravel(), minlength=d + 1)
        for m in np.flatnonzero(times).tolist():
            if m not in found:
                kappa = pairwise_correlation(f, Fraction(2 * m - d, d), digits=KERNEL_DIGITS)
                found[m], cosines[m] = kappa, float(kappa.bounds[0] / diagonal.bounds[0])
        values = cosines[equal]
        if here == there:
            np.fill_diagonal(values, 0.0)
            times[d] -= len(values)
            sums.add_square(here, values)
        else:
            times *= 2
            sums.add(here, there, values)
        counts += times
        sums.add_error(here, there, 2 * UNIT)
    pairs = [(int(counts[m]), _size(kappa)) for m, kappa in found.items() if counts[m]]
    return _exactly(summary_of(sums, diagonal), diagonal, pairs)


def _exactly(
    summary: GramSummary, diagonal: Enclosure, terms: list[tuple[int, tuple[Fraction, Fraction]]]
) -> GramSummary:
    """The summary with what follows from counts of |kappa| alone."""
    n = summary.size
    ends = []
    for end in (0, 1):
        own = diagonal.bounds[end]
        largest = max((k[end] for _, k in terms), default=Fraction(0))
        total = n * own + sum((count * k[end] for count, k in terms), Fraction(0))
        squares = n * own**2 + sum((count * k[end] ** 2 for count, k in terms), Fraction(0))
        ends.append((largest, total / n**2, squares))
    first, second, third = (enclosed(a, b) for a, b in zip(*ends, strict=True))
    return replace(
        summary, largest_off_diagonal=first, average_correlation=second, sum_of_squares=third
    )


def _size(kappa: Enclosure) -> tuple[Fraction, Fraction]:
    """Bounds of |kappa|, whose sign is proved."""
    low, high = sorted(map(abs, kappa.bounds))
    return low, high


def _equal_signs(rows: np.ndarray) -> Iterator[tuple[slice, slice, np.ndarray]]:
    """Row range, column range and numbers of equal signs, in tiles that cover the upper triangle.

    Tiles on the diagonal are squares.
    """
    size, d = rows.shape
    for start in range(0, size, ROWS):
        here = slice(start, min(start + ROWS, size))
        for first in (start, *range(here.stop, size, COLUMNS)):
            there = here if first == start else slice(first, min(first + COLUMNS, size))
            equal = rows[here] @ rows[there].T
            equal += d
            equal *= 0.5
            yield here, there, equal.astype(np.intp)


def _checked(signs: Array) -> np.ndarray:
    given = np.asarray(signs)
    if given.ndim != 2 or 0 in given.shape or not np.all(np.abs(given) == 1):
        raise BadInput(f"signs have shape {given.shape}; wanted (N, d) with entries 1 and -1 only")
    d = given.shape[1]
    if d > LARGEST_DIMENSION:
        raise BadInput(
            f"the dimension is {d}; sums of signs are exact in float32 up to {LARGEST_DIMENSION}, "
            "ask gram_summary for more"
        )
    return np.ascontiguousarray(given, dtype=np.float32)
