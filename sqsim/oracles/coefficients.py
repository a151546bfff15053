"""Means of parities on the cube: E[y chi_S] and E[h(y) chi_S], exact where the label's table is.

This file does not know tolerances.  All parities of one function come from one Walsh-Hadamard
transform, or from the law itself where it says which of them are not 0.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import final

import numpy as np

from sqsim.lowrank import Array
from sqsim.problems.cube import CubeLaw
from sqsim.subsets import Words
from sqsim.walsh import (
    EXACT_FLOATS,
    EXACT_HALVES,
    UNIT,
    Table,
    exact_sums,
    rounding,
    walsh_hadamard,
    whole_numbers,
)

TINY = 2.0**-1074


@final
@dataclass(frozen=True, eq=False)
class Coefficients:
    """E[f chi_S] with its proved error: of all sets, or of those asked for, entry by entry."""

    value: Array
    error: float | Array

    def of(self, masks: Words | None) -> Coefficients:
        """Of these sets, out of all."""
        if masks is None:
            return self
        index = masks[:, 0]
        error = self.error if isinstance(self.error, float) else self.error[index]
        return Coefficients(self.value[index], error)


def coefficients(law: CubeLaw, masks: Words | None) -> Coefficients:
    """E[y chi_S] of these sets, or of all 2^d."""
    if law.spectrum is not None:
        return sparse(law.spectrum, masks, law.dimension)
    return of_table(law.table(), law.scale).of(masks)


def of_table(table: Table, scale: Fraction) -> Coefficients:
    """All coefficients of scale times a table.

    Integers give the correctly rounded coefficient: error 0 where it is a float, as for scale 1
    and sums below 2^53, else half a unit in the last place.
    """
    dimension = len(table).bit_length() - 1
    if table.dtype.kind == "f":
        error = math.ldexp(rounding(table), -dimension)
        # Scaled as it is copied; a number that becomes subnormal loses less than TINY.
        value = walsh_hadamard(table * 2.0**-dimension)
        return Coefficients(value, error + TINY * (2 << dimension))
    sums = exact_sums(table)
    over, under = scale.numerator, scale.denominator
    bound = {"float32": EXACT_HALVES, "float64": EXACT_FLOATS}.get(sums.dtype.name)
    if bound is None or over * bound > EXACT_FLOATS or under > EXACT_FLOATS:
        quotients = [over * int(s) / (under << dimension) for s in sums.tolist()]
        value = np.array(quotients, dtype=np.float64)
        return Coefficients(value, np.abs(value) * UNIT + TINY)
    value = sums.astype(np.float64, copy=False)
    value *= over * 2.0**-dimension
    if under & (under - 1) == 0:
        value *= 1 / under
        return Coefficients(value, 0.0)
    value /= under
    return Coefficients(value, np.abs(value) * UNIT)


def of_values(values: Array) -> Coefficients:
    """All coefficients of a table of floats; exact where all are whole."""
    numbers, denominator = whole_numbers(values)
    return of_table(numbers, Fraction(1, denominator))


def of_sign(label: Coefficients, low: float, high: float, masks: Words | None) -> Coefficients:
    """E[h(y) chi_S] for labels -1 and 1 with h(-1) = low and h(1) = high.

    h(y) = (high + low) / 2 + y (high - low) / 2, and the constant has a mean against the empty
    set alone.
    """
    middle, half = (high + low) / 2, (high - low) / 2
    value = half * label.value
    # Rounding of `half` and of the product.
    error = abs(half) * np.asarray(label.error) + 2.01 * UNIT * np.abs(value) + TINY
    at = _places(0, masks, len(value))
    if len(at):
        error = np.broadcast_to(error, value.shape).copy()
        error[at] += 2.01 * UNIT * (abs(middle) + np.abs(value[at])) + TINY
        value[at] += middle
    return Coefficients(value, error)


def sparse(spectrum: Mapping[int, Fraction], masks: Words | None, dimension: int) -> Coefficients:
    """Coefficients of which only these are not 0."""
    value = np.zeros(1 << dimension if masks is None else len(masks))
    error: float | Array = 0.0
    for mask, fraction in spectrum.items():
        number = float(fraction)
        at = _places(mask, masks, len(value))
        value[at] = number
        if Fraction(number) != fraction:
            error = np.zeros(len(value)) if isinstance(error, float) else error
            error[at] = abs(number) * UNIT
    return Coefficients(value, error)


def _places(mask: int, masks: Words | None, size: int) -> Words:
    """Where this set stands in the answer."""
    if masks is None:
        return np.array([mask] if mask < size else [], dtype=np.uint64)
    words = [mask >> 64 * j & (2**64 - 1) for j in range(masks.shape[1])]
    if mask >> 64 * masks.shape[1]:
        return np.array([], dtype=np.uint64)
    return np.flatnonzero((masks == np.array(words, dtype=np.uint64)).all(axis=1)).astype(np.uint64)
