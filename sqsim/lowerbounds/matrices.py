"""Symmetric matrices of correlations: exact, or floats with a proved radius.

Every decision about an entry or a sum of entries is made in exact arithmetic.  This file knows
neither the family that the matrix comes from nor what is computed from it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal, Protocol, TypeAlias, final, runtime_checkable

import numpy as np
import numpy.typing as npt

from sqsim.errors import BadInput
from sqsim.lowerbounds.precision import Exact, exact_fraction

MEMORY = 4 * 2**30
FEW = 64
"""Sums over at most this many functions are exact rationals; longer ones are rounded once."""


@final
@dataclass(frozen=True, eq=False)
class Correlations:
    """Correlations C_ij = E[f_i f_j] of N functions.

    Attributes
    ----------
    matrix : (N, N) array
        Floats, each the binary fraction that it holds, or Fractions and whole numbers.  It is
        not copied: leave it unchanged.
    radius : exact number
        Every true correlation lies within this of the entry.  0 says that the entries are true.
    grade : "certified" or "estimate"
        Whether the radius is proved.  What is concluded from estimates is an estimate.
    """

    matrix: npt.NDArray[Any]
    radius: Exact = Fraction(0)
    grade: Literal["certified", "estimate"] = "certified"

    def __post_init__(self) -> None:
        entries = np.asarray(self.matrix)
        if entries.ndim != 2 or len(entries) != entries.shape[1] or not len(entries):
            raise BadInput(
                f"correlations have the shape {entries.shape}; give a square matrix, one row and "
                "one column for each function"
            )
        if entries.dtype in (np.float16, np.float32, np.float64):
            entries = np.asarray(entries, float).view()
            if not np.isfinite(entries).all():
                raise BadInput("a correlation is not finite; leave the function out or rescale it")
        else:
            entries = _fractions(entries)
        if not bool((entries == entries.T).all()):
            i, j = np.argwhere(entries != entries.T)[0]
            raise BadInput(
                f"correlations [{i}, {j}] and [{j}, {i}] differ; give them as one number"
            )
        entries.flags.writeable = False
        radius = exact_fraction(self.radius, "the radius")
        if radius < 0:
            raise BadInput(f"the radius is {self.radius!r}; a radius is at least 0")
        if self.grade not in ("certified", "estimate"):
            raise BadInput(f"grade is {self.grade!r}; wanted 'certified' or 'estimate'")
        object.__setattr__(self, "matrix", entries)
        object.__setattr__(self, "radius", radius)

    @staticmethod
    def exact(rows: Sequence[Sequence[Fraction | int]]) -> Correlations:
        """From rows of Fractions and whole numbers."""
        if len({len(row) for row in rows}) > 1:
            raise BadInput("the rows have different lengths; give a square matrix")
        return Correlations(np.array([list(row) for row in rows], object))

    @property
    def size(self) -> int:
        """N, the number of functions."""
        return len(self.matrix)

    @property
    def rational(self) -> bool:
        """Whether the entries are Fractions."""
        return self.matrix.dtype == object

    @property
    def error(self) -> Fraction:
        """The radius as a Fraction."""
        return exact_fraction(self.radius)

    def magnitudes(self) -> Correlations:
        """The matrix of |C_ij|; taking absolute values keeps the radius."""
        return Correlations(abs(self.matrix), self.radius, self.grade)

    def at_most(self, threshold: Fraction) -> npt.NDArray[np.bool_]:
        """Where the entries, taken as they stand, have |entry| <= threshold."""
        bound: Any = threshold if self.rational else float_below(threshold)
        return np.asarray(abs(self.matrix) <= bound, bool)

    def total(self, members: Sequence[int]) -> tuple[Fraction, Fraction]:
        """Bounds of the sum of |entry| over members x members; equal where it is exact."""
        part: list[Any] = abs(self.matrix[np.ix_(members, members)]).ravel().tolist()
        if self.rational or len(members) <= FEW:
            value = sum((Fraction(entry) for entry in part), Fraction(0))
            return value, value
        # fsum is correctly rounded; one neighbour more on each side asks less of it.
        rounded = math.fsum(part)
        low, high = math.nextafter(rounded, 0.0), math.nextafter(rounded, math.inf)
        return Fraction(low), Fraction(high)

    def scaled_integers(self, *, up: bool) -> tuple[npt.NDArray[np.int64], Fraction]:
        """W and a scale with W >= scale |entries| (or <=), and the sum of all of W below 2^62.

        Equal where the entries have few digits.  Sums of W are then exact in int64.
        """
        size, largest = self.size, Fraction(abs(self.matrix).max())
        room = Fraction(2**61, size * size) - 1
        if room < 1:
            raise BadInput(f"{size} functions; sums in 64 bits are exact up to 10^9 of them")
        if self.rational:
            entries: list[Any] = abs(self.matrix).ravel().tolist()
            scale = Fraction(math.lcm(*(entry.denominator for entry in entries)))
            if scale * largest > room:
                scale = Fraction(2) ** _exponent(room / largest)
            rounded = [
                math.ceil(entry * scale) if up else math.floor(entry * scale) for entry in entries
            ]
            return np.array(rounded, np.int64).reshape(size, size), scale
        exponent = _exponent(room / largest) if largest else 0
        scaled = np.ldexp(abs(self.matrix), exponent)
        integers = (np.ceil(scaled) if up else np.floor(scaled)).astype(np.int64)
        if up:
            # Scaling down may underflow.
            integers[(integers == 0) & (self.matrix != 0)] = 1
        return integers, Fraction(2) ** exponent


@runtime_checkable
class HasCorrelations(Protocol):
    """A Gram matrix that knows its correlations: `ExactGram`, `EstimatedGram` or `Gram`."""

    @property
    def correlations(self) -> Correlations:
        """As the functions of dimensions take them."""


Given: TypeAlias = Correlations | HasCorrelations


def correlations_of(given: Given, *, proved: bool = False) -> Correlations:
    """The correlations themselves, or those of a Gram matrix.

    With `proved`, estimates are refused.
    """
    found = given if isinstance(given, Correlations) else getattr(given, "correlations", None)
    if not isinstance(found, Correlations):
        raise BadInput(
            f"{type(given).__name__} holds no correlations; give Correlations(matrix), a matrix "
            "with its proved radius, or a Gram matrix such as parity_family(...) or ridge_gram(...)"
        )
    if proved and found.grade != "certified":
        raise BadInput(
            "these correlations are estimates, and this number is one that is proved; give exact "
            "ones, or Correlations(gram.floats, gram.error) if their errors are to be believed"
        )
    return found


def refuse_beyond_memory(size: int, arrays: int, remedy: str) -> None:
    """Raise BadInput where so many N x N arrays of 8 bytes would not fit."""
    need = 8 * arrays * size * size
    if need > MEMORY:
        raise BadInput(
            f"{size} functions need about {need / 2**30:.3g} GiB, and {MEMORY / 2**30:.3g} are "
            f"allowed; {remedy}"
        )


def float_below(value: Fraction) -> float:
    """The largest float that is at most this number (-infinity below all of them)."""
    try:
        nearest = float(value)
    except OverflowError:
        return math.nextafter(math.inf, 0.0) if value > 0 else -math.inf
    return nearest if Fraction(nearest) <= value else math.nextafter(nearest, -math.inf)


def float_above(value: Fraction) -> float:
    """The smallest float that is at least this number."""
    return -float_below(-value)


def _fractions(entries: npt.NDArray[Any]) -> npt.NDArray[Any]:
    exact = np.empty(entries.shape, object)
    for place, entry in np.ndenumerate(entries):
        if isinstance(entry, bool | np.bool_ | float) or not isinstance(
            entry, int | np.integer | Fraction
        ):
            raise BadInput(
                f"a correlation is {entry!r:.60}; give all entries as floats, or all as Fractions "
                "and whole numbers"
            )
        exact[place] = Fraction(entry if isinstance(entry, Fraction) else int(entry))
    return exact


def _exponent(value: Fraction) -> int:
    """The largest e with 2^e <= value, or one less."""
    return value.numerator.bit_length() - value.denominator.bit_length() - 1
