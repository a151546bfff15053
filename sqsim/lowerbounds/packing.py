"""Families of unit vectors that are nearly orthogonal, with the proof of how nearly.

The coherence of a family is max |<u, v>| / (|u| |v|) over its pairs.  This file does not know what
the vectors are for, nor how to choose a best subfamily (see `cliques`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, TypeAlias, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sqsim.errors import BadInput
from sqsim.lowerbounds.precision import (
    Enclosure,
    Exact,
    ball,
    enclose,
    exact_fraction,
    working_bits,
)
from sqsim.lowerbounds.quantities import Rational
from sqsim.seeds import Role, rng

Directions: TypeAlias = NDArray[Any]
MEMORY = 2**31
BLOCK = 1024
UNIT = 2.0**-53
LARGEST_EXPONENT = 20_000
LARGEST_POWER = 10**7


@final
@dataclass(frozen=True, eq=False)
class Packing:
    """Vectors as rows, and a proved bound of their coherence.

    Attributes
    ----------
    directions : integers of one common norm, or floats whose norms need not be exactly 1.
    dimension : of a space that holds them all; at most the number of columns.
    coherence : max |<u, v>| / (|u| |v|) of these very rows, exact for integers.
    proof : how that was shown.
    """

    directions: Directions
    dimension: int
    coherence: Rational | Enclosure
    proof: str

    def __len__(self) -> int:
        return len(self.directions)


def measured_packing(vectors: ArrayLike) -> Packing:
    """The coherence of given vectors (rows), proved.

    Integers of one common norm: exact, all products in float64 below 2^53.  Floats: a float64
    Gram matrix with its rounding bound; row norms are divided out with their own.  Cost: N^2 d
    multiplications in blocks, no N x N matrix.
    """
    rows = np.asarray(vectors)
    if rows.ndim != 2 or min(rows.shape) < 1 or len(rows) < 2 or rows.dtype.kind not in "iuf":
        raise BadInput(f"vectors have shape {rows.shape} and type {rows.dtype}; give two or more "
                       "rows of numbers")  # fmt: skip
    if rows.dtype.kind in "iu":
        return exact_packing(rows.astype(np.int64), rows.shape[1], "exact integer Gram matrix")
    floats = rows.astype(np.float64)
    norms = np.sqrt(np.einsum("ij,ij->i", floats, floats))
    if not (np.all(np.isfinite(norms)) and np.all((norms > 1e-100) & (norms < 1e100))):
        raise BadInput("a row is zero, not finite or of extreme size; scale the rows to norm 1")
    return Packing(_frozen(floats), rows.shape[1], _float_coherence(floats, norms),
                   "float64 Gram matrix with its rounding bound")  # fmt: skip


def random_packing(dimension: int, count: int, *, seed: int) -> Packing:
    """Normalised Gaussian vectors, and the coherence that they happen to have, proved."""
    whole_number(dimension, "dimension", 2)
    whole_number(count, "count", 2)
    refuse_beyond_memory(count, 3 * dimension)
    rows = rng(seed, Role.INSTANCE).normal(size=(count, dimension))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return measured_packing(rows)


def random_packing_count(dimension: int, coherence: Exact) -> int:
    """N = floor(exp(d eta^2 / 4)) unit vectors with all |<u, v>| <= eta exist in dimension d.

    For d >= 2 and independent uniform u, v, P(|<u, v>| >= eta) <= (1 - eta^2)^((d-1)/2): both
    sides agree at 0 and 1, and the derivative of the difference, (1 - eta^2)^((d-3)/2) times
    2 c - (d - 1) eta with c > 0 the density's constant, changes sign once, from + to -.  So it is
    below e^(1/2) e^(-d eta^2 / 2) < 2 e^(-d eta^2 / 2), and with N^2 <= e^(d eta^2 / 2) the
    expected number of bad pairs among N is below 1.  The floor is proved with balls: the
    exponential of a rational other than 0 is no integer.
    """
    eta = _coherence(dimension, coherence)
    exponent = dimension * eta * eta / 4
    if exponent > LARGEST_EXPONENT:
        most = math.sqrt(4 * LARGEST_EXPONENT / dimension)
        raise BadInput(
            f"the count is about 10^{float(exponent) / math.log(10):.4g}; ask for a coherence up "
            f"to {most:.3g}"
        )
    if not exponent:
        return 1
    bits = 64 + math.ceil(float(exponent) * 1.4427)
    while True:
        with working_bits(bits):
            whole = ball(exponent).exp().floor().unique_fmpz()
        if whole is not None:
            return int(whole)
        bits *= 2


def sharper_packing_count(dimension: int, coherence: Exact) -> int:
    """The largest N with N (N - 1) / 2 (1 - eta^2)^((d-1)/2) < 1: so many vectors exist as well.

    The same union bound before (1 - eta^2)^((d-1)/2) is replaced by an exponential; decided in
    whole numbers.  At least `random_packing_count` for every d >= 2.
    """
    eta = _coherence(dimension, coherence)
    if eta == 1:
        raise BadInput("at coherence 1 every count is possible; ask for a coherence below 1")
    if 2 * dimension * eta.denominator.bit_length() > LARGEST_POWER:
        raise BadInput(f"dimension {dimension}: the power of 1 - eta^2 has too many digits; "
                       "use random_packing_count, or a coherence with fewer digits")  # fmt: skip
    # (N (N - 1))^2 q < 4 with q rational: the largest whole root, then N from it.
    bound = 4 / (1 - eta * eta) ** (dimension - 1)
    pairs = math.isqrt(math.ceil(bound) - 1)
    return (1 + math.isqrt(1 + 4 * pairs)) // 2


def check_packing(packing: Packing) -> bool:
    """Whether the coherence, computed again from the rows alone, is within the bound given."""
    found = measured_packing(packing.directions).coherence.bounds[1]
    return found <= packing.coherence.bounds[1]


def exact_packing(rows: Directions, dimension: int, proof: str) -> Packing:
    largest = max(int(rows.max()), -int(rows.min()))
    if largest * largest * rows.shape[1] > 2**53:
        raise BadInput(
            f"entries up to {largest}: products add up beyond 2^53; use smaller integers"
        )
    floats = rows.astype(np.float64)
    norms = np.einsum("ij,ij->i", floats, floats)
    if norms.min() != norms.max() or not norms.min():
        raise BadInput("integer rows of different norms, or zero; give one norm, or floats")
    top = max(float(block.max()) for _, block in _products(floats))
    coherence = Rational(Fraction(int(top), int(norms[0])))
    return Packing(_frozen(rows), dimension, coherence, proof)


def _float_coherence(rows: NDArray[np.float64], norms: NDArray[np.float64]) -> Enclosure:
    """Enclosure of the largest normalised product.

    A float64 product of rows is off by at most gamma_d |u| |v|, and a computed norm by a relative
    gamma_(d + 2), so each ratio is off by at most 4 gamma_(d + 4) as it is at most about 1.
    """
    unit = rows / norms[:, None]
    top = max(float(block.max()) for _, block in _products(unit))
    error = 4 * exact_fraction((rows.shape[1] + 4) * UNIT) + Fraction(1, 2**1000)
    low, high = exact_fraction(top) - error, exact_fraction(top) + error
    with working_bits(160):
        return enclose(ball(max(low, Fraction(0))).union(ball(min(high, Fraction(1)))), 25)


def _products(rows: NDArray[np.float64]) -> Any:
    """|<u, v>| for all pairs of different rows: (start, block), the other entries zero."""
    for start in range(0, len(rows), BLOCK):
        part = rows[start : start + BLOCK]
        for second in range(start, len(rows), BLOCK):
            block = np.abs(part @ rows[second : second + BLOCK].T)
            if second == start:
                np.fill_diagonal(block, 0.0)
            yield (start, second), block


def _coherence(dimension: int, coherence: Exact) -> Fraction:
    whole_number(dimension, "dimension", 2)
    eta = exact_fraction(coherence, "coherence")
    if not 0 <= eta <= 1:
        raise BadInput(f"coherence is {coherence!r}; give a number in [0, 1]")
    return eta


def whole_number(value: int, name: str, least: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise BadInput(f"{name} is {value!r}; give a whole number, at least {least}")
    return value


def _frozen(rows: Directions) -> Directions:
    rows.flags.writeable = False
    return rows


def refuse_beyond_memory(count: int, columns: int) -> None:
    need = 16 * count * columns
    if need > MEMORY:
        raise BadInput(f"{count} x {columns} numbers need about {need / 2**30:.3g} GiB, and "
                       f"{MEMORY / 2**30:.3g} are allowed; use a smaller dimension")  # fmt: skip
