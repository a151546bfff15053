"""Proved bounds of the largest eigenvalue of a symmetric matrix.

Floats find a candidate; a factorisation or a positive vector proves it, with every rounding error
bounded.  This file does not know what the matrix holds.

Rounding: u = 2^-53, and a sum of n products in any order, fused or not, errs by at most
g(n) = n u / (1 - n u) times the sum of the absolute products (Higham, Accuracy and Stability of
Numerical Algorithms, section 3.1); that BLAS sums so, and not by Strassen's method, is assumed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import final

import numpy as np
import numpy.typing as npt
from scipy.sparse.linalg import ArpackError, eigsh

from sqsim.lowerbounds.matrices import (
    Correlations,
    Given,
    correlations_of,
    refuse_beyond_memory,
)
from sqsim.lowerbounds.precision import Enclosure, enclose_between

Array = npt.NDArray[np.float64]

UNIT = Fraction(1, 2**53)
TINY = Fraction(1, 2**900)
"""More than all underflows of a computation on entries of size 1 add up to."""

NORM_MARGIN = 1 + Fraction(1, 2**20)
"""Covers the rounding of sums of n^2 squares for n up to 2^16."""

DIGITS = 20
SMALL = 200
POWER_STEPS = 60


def largest_eigenvalue(correlations: Given) -> Enclosure:
    """An interval that holds the largest eigenvalue of the true matrix.

    From above: the smaller of Gershgorin's largest row sum and of L + ||L I - A - R R'||_F for
    a Cholesky factor R, since R R' has no negative eigenvalue.  From below: a Rayleigh quotient
    and the largest diagonal entry.  A radius r adds N r on both sides, the norm of an N x N
    matrix of entries up to r.

    Costs O(N^3); the width is about N^2 2^-53 of the largest eigenvalue, and 0 for a diagonal
    matrix.
    """
    correlations = correlations_of(correlations, proved=True)
    size = correlations.size
    refuse_beyond_memory(size, 5, "use perron_eigenvalue, or fewer functions")
    scaled = _Scaled.of(correlations)
    vector = leading_vector(scaled.matrix)
    spread = size * scaled.radius
    proved = _cholesky_bound(scaled.matrix, vector)
    high = gershgorin_bound(correlations)
    if proved is not None:
        high = min(high, scaled.unit * (proved + spread))
    quotient = scaled.unit * (_rayleigh_bound(scaled.matrix, vector) - spread)
    diagonal = max(map(Fraction, correlations.matrix.diagonal())) - correlations.error
    return enclose_between(max(quotient, diagonal), high, DIGITS)


def gershgorin_bound(correlations: Given) -> Fraction:
    """max_i sum_j |C_ij|, which no eigenvalue exceeds in magnitude."""
    correlations = correlations_of(correlations, proved=True)
    rows = abs(correlations.matrix)
    if correlations.rational:
        largest = max(sum(row, Fraction(0)) for row in rows)
    else:
        # fsum is correctly rounded; one neighbour more asks less of it.
        largest = Fraction(math.nextafter(max(map(math.fsum, rows)), math.inf))
        if np.count_nonzero(rows) == np.count_nonzero(rows.diagonal()):
            largest = Fraction(rows.max())
    return largest + correlations.size * correlations.error


def perron_eigenvalue(correlations: Given) -> Enclosure:
    """An interval that holds the largest eigenvalue of the matrix of |C_ij|.

    Collatz and Wielandt: for entries >= 0 and any x > 0 it lies between the least and the largest
    (|C| x)_i / x_i; x comes from a power iteration.  Costs O(N^2), so it serves large N; wide
    where |C| falls into blocks with different eigenvalues.
    """
    correlations = correlations_of(correlations, proved=True)
    scaled = _Scaled.of(correlations)
    matrix = np.abs(scaled.matrix)
    x = np.ones(correlations.size)
    for _ in range(POWER_STEPS):
        # The identity damps an eigenvalue -lambda; the floor keeps every entry far from underflow.
        y = matrix @ x + x
        x = np.maximum(y / y.max(), 2.0**-60)
    product = [Fraction(float(entry)) for entry in matrix @ x]
    parts = [Fraction(float(entry)) for entry in x]
    growth = _growth(correlations.size)
    spread = scaled.radius * sum(parts)
    low = min((p * (1 - growth) - TINY - spread) / q for p, q in zip(product, parts, strict=True))
    high = max(
        (p * (1 + 2 * growth) + TINY + spread) / q for p, q in zip(product, parts, strict=True)
    )
    return enclose_between(max(Fraction(0), scaled.unit * low), scaled.unit * high, DIGITS)


def is_positive_semidefinite(rows: Sequence[Sequence[Fraction | int]]) -> bool:
    """Whether a symmetric rational matrix has no negative eigenvalue, decided exactly.

    Symmetric elimination without fractions (Bareiss): a negative pivot says no, and so does a
    zero pivot whose row is not zero.  Costs O(N^3) products of integers with O(N) times as many
    digits as the entries.
    """
    matrix = Correlations.exact(rows).matrix
    scale = math.lcm(*(entry.denominator for entry in matrix.flat))
    rest = [[int(entry * scale) for entry in row] for row in matrix]
    before = 1
    while rest:
        first, *rest = rest
        pivot, *row = first
        if pivot < 0 or (pivot == 0 and any(row)):
            return False
        below = [line[1:] for line in rest]
        if pivot:
            rest = [
                [
                    (pivot * entry - left * right) // before
                    for entry, right in zip(line, row, strict=True)
                ]
                for line, left in zip(below, row, strict=True)
            ]
            before = pivot
        else:
            rest = below
    return True


@final
@dataclass(frozen=True, eq=False)
class _Scaled:
    """unit * matrix within unit * radius of the true entries, |matrix| <= 1."""

    matrix: Array
    radius: Fraction
    unit: Fraction

    @staticmethod
    def of(correlations: Correlations) -> _Scaled:
        largest = Fraction(abs(correlations.matrix).max()) or Fraction(1)
        unit = Fraction(2) ** (
            largest.numerator.bit_length() - largest.denominator.bit_length() + 1
        )
        radius = correlations.error / unit
        if correlations.rational:
            matrix = np.array((correlations.matrix / unit).tolist(), float)
            return _Scaled(matrix, radius + UNIT + TINY, unit)
        exponent = -(unit.numerator.bit_length() - unit.denominator.bit_length())
        return _Scaled(np.ldexp(correlations.matrix, exponent), radius + TINY, unit)


def _growth(n: int) -> Fraction:
    return n * UNIT / (1 - n * UNIT)


def leading_vector(matrix: Array) -> Array:
    """An approximate unit eigenvector of the largest eigenvalue; nothing is proved of it."""
    size = len(matrix)
    if size > SMALL:
        try:
            start = 1 + np.cos(np.arange(size)) / 2
            vector: Array = eigsh(matrix, k=1, which="LA", v0=start, tol=0)[1][:, 0]
            return vector
        except ArpackError:
            pass
    # All eigenvectors: asked for one, LAPACK may return none where entries differ much in size.
    last: Array = np.linalg.eigh(matrix)[1][:, -1]
    return last


def _cholesky_bound(matrix: Array, vector: Array) -> Fraction | None:
    """L + ||L I - A - R R'||, for the first L beyond the Rayleigh quotient that factorises."""
    size = len(matrix)
    guess = float(vector @ matrix @ vector)
    step = 4.0 * size * float(UNIT) * max(1.0, abs(guess))
    while step < 1.0:
        shift = guess + step
        target = -matrix
        target[np.diag_indices(size)] += shift
        try:
            factor = np.linalg.cholesky(target)
        except np.linalg.LinAlgError:
            step *= 8
            continue
        residual = Fraction(float(np.linalg.norm(factor @ factor.T - target)))
        mass = Fraction(float(np.linalg.norm(factor))) ** 2
        defect = NORM_MARGIN * ((1 + UNIT) * residual + NORM_MARGIN * _growth(size) * mass)
        diagonal = 2 * UNIT * Fraction(float(np.abs(target.diagonal()).max()))
        return Fraction(shift) + defect + diagonal + TINY
    return None


def _rayleigh_bound(matrix: Array, vector: Array) -> Fraction:
    """A lower bound of x'Ax / x'x for the float vector x."""
    size = len(matrix)
    growth = _growth(size)
    value = Fraction(float(vector @ (matrix @ vector)))
    sizes = np.abs(vector)
    error = 4 * growth * Fraction(float(sizes @ (np.abs(matrix) @ sizes))) + TINY
    norm = Fraction(float(vector @ vector))
    low = value - error
    return low / (norm * (1 + 2 * growth) + TINY if low > 0 else norm * (1 - growth) - TINY)
