"""The fast Walsh-Hadamard transform: sum_i (-1)^|i & S| f(i) for all S at once.

This file does not know what a table stands for.
"""

from __future__ import annotations

import math
from fractions import Fraction
from functools import lru_cache
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sqsim.errors import BadInput
from sqsim.subsets import parity_table

Table: TypeAlias = NDArray[Any]

UNIT = 2.0**-53
EXACT_HALVES, EXACT_FLOATS, EXACT_WORDS = 2**24, 2**53, 2**63
LONGEST_TEXT = 1000
"""Characters, and digits by their exponent, of a number given as text."""
LIMB = 26
"""Bits of the lower part of a word, so that sums of 2^27 of them are exact floats."""
GROUP = 4
"""Levels of butterflies done by one product with a Hadamard matrix of size 2^GROUP.

Measured: of 3 to 6, this is the best or near it for both float types and all sizes.
"""
ROW = 14
"""Levels done in the first pass, on rows of 2^ROW numbers, which stay in the cache."""
BLOCK = 2**14
NARROW, WIDE, STRIP = 32, 128, 2**16
"""Columns taken together in the second pass: as many as make STRIP numbers, within limits."""


def walsh_hadamard(values: Table) -> Table:
    """Transform a float32 or float64 table of 2^d numbers in place.

    Two passes over the memory: low levels on rows that fit a cache, high levels on strips of
    columns; 2^GROUP multiplications and additions a number for every GROUP levels.  An entry is
    off by at most gamma_n sum |f|, gamma_n = n u / (1 - n u), for n = `path(2^d)` and u the
    rounding unit of the type: each product is a dot product of signs (Higham, section 3.1).

    Parameters
    ----------
    values : (2^d,) contiguous array, overwritten.
    """
    bits = _bits(len(values))
    low = min(bits, ROW)
    signs = {size: _signs(size, values.dtype) for size in (*_groups(low), *_groups(bits - low))}
    rows = values.reshape(-1, 1 << low)
    space = np.empty((2, 1 << low), values.dtype)
    for row in rows:
        row[:] = _multiplied(row, space, _groups(low), 1, signs)
    if bits == low:
        return values
    width = min(1 << low, WIDE, max(NARROW, STRIP // len(rows)))
    space = np.empty((2, len(rows) * width), values.dtype)
    strip = np.empty((len(rows), width), values.dtype)
    for start in range(0, 1 << low, width):
        strip[:] = rows[:, start : start + width]
        found = _multiplied(strip.reshape(-1), space, _groups(bits - low), width, signs)
        rows[:, start : start + width] = found.reshape(len(rows), width)
    return values


def path(length: int) -> int:
    """Roundings on the way of one number through a transform of this length."""
    bits = _bits(length)
    low = min(bits, ROW)
    return sum(1 << size for size in (*_groups(low), *_groups(bits - low)))


def rounding(values: Table) -> float:
    """Bound of the error of every entry of the float64 transform of these values."""
    with np.errstate(over="ignore"):
        # Block by block: a temporary of the whole size would cost as much as half a transform.
        blocks = (values[start : start + BLOCK] for start in range(0, len(values), BLOCK))
        total = float(sum(np.abs(block).sum() for block in blocks))
    if not math.isfinite(total):
        raise BadInput("the sum of |f| overflows a float; divide the table by its largest value")
    steps = path(len(values))
    # The roundings of these sums, and a handful here, are covered by the factor.
    sums = min(BLOCK, len(values)) + len(values) // BLOCK
    error = steps * UNIT * total * (1 + (sums + 2 * steps + 8) * 2 * UNIT)
    return math.nextafter(error, math.inf) if total else 0.0


def exact_sums(values: Table) -> Table:
    """The transform of whole numbers without any rounding, in the cheapest sufficient arithmetic.

    Parameters
    ----------
    values : (2^d,) integers, Python integers included; left as they are.

    Returns
    -------
    float32 where all partial sums stay up to 2^24, float64 up to 2^53, int64 below 2^63, Python
    integers beyond: whole numbers in each case.
    """
    # Not abs: the smallest int64 has none.
    largest = max(int(values.max()), -int(values.min()))
    bound = largest * len(values)
    if bound <= EXACT_HALVES:
        return walsh_hadamard(values.astype(np.float32))
    if bound <= EXACT_FLOATS:
        return walsh_hadamard(values.astype(np.float64))
    if bound >= EXACT_WORDS:
        return _butterflies(values.astype(object))
    words = values.astype(np.int64)
    if len(words) > 1 << 53 - LIMB:
        return _butterflies(words)
    upper = walsh_hadamard((words >> LIMB).astype(np.float64)).astype(np.int64)
    lower = walsh_hadamard((words & ((1 << LIMB) - 1)).astype(np.float64)).astype(np.int64)
    # Wraps past 2^63 where the upper sum does, and back, since the whole sum is below it.
    return np.asarray((upper << LIMB) + lower)


def fraction_of(value: Any, name: str) -> Fraction:
    """The rational that a number or its text stands for ("0.1" is 1/10, 0.1 is not)."""
    try:
        if isinstance(value, str) and (
            len(value) > LONGEST_TEXT
            or abs(int(value.lower().partition("e")[2] or 0)) > LONGEST_TEXT
        ):
            raise OverflowError
        return Fraction(value)
    except (ValueError, TypeError, OverflowError, ZeroDivisionError):
        raise BadInput(
            f"{name} is {value!r}; give a finite number, or text such as '0.1' or '1/3'"
        ) from None


def whole_numbers(table: ArrayLike) -> tuple[Table, int]:
    """A table of 2^d values as integers over a common denominator, or as float64.

    Floats that are all whole, and whose sums stay exact, are taken as integers; fractions, texts
    such as "1/3" and integers beyond 64 bits are put over their common denominator.
    """
    values = np.asarray(table)
    if values.ndim != 1 or len(values) < 1 or len(values) & (len(values) - 1):
        raise BadInput(f"the table has shape {values.shape}; a function on the cube has 2^d values")
    match values.dtype.kind:
        case "b" | "i":
            return values.astype(np.int64), 1
        case "f":
            if not np.all(np.isfinite(values)):
                raise BadInput("the table has entries that are not finite; give 2^d numbers")
            floats = values.astype(np.float64)
            bound = float(np.abs(floats).max()) * len(floats)
            if bound <= EXACT_FLOATS and np.array_equal(floats, np.rint(floats)):
                return floats.astype(np.int64), 1
            return floats, 1
        case "O" | "u" | "U":
            fractions = [fraction_of(value, "an entry of the table") for value in values.tolist()]
            common = math.lcm(*(f.denominator for f in fractions))
            return np.array([int(f * common) for f in fractions], dtype=object), common
    raise BadInput(f"entries of type {values.dtype} have no parities; give numbers")


def _multiplied(
    flat: Table, space: Table, groups: list[int], width: int, signs: dict[int, Table]
) -> Table:
    """All levels of a row whose lowest one joins entries `width` apart; `space` holds two rows."""
    here, there = space
    source = flat
    for size in groups:
        shape = (-1, 1 << size, width)
        if width == 1:
            np.matmul(source.reshape(-1, 1 << size), signs[size], out=there.reshape(shape[:2]))
        else:
            np.matmul(signs[size], source.reshape(shape), out=there.reshape(shape))
        source, here, there = there, there, here
        width <<= size
    return source


def _butterflies(values: Table) -> Table:
    """In place, level by level; any type that adds and subtracts."""
    for level in range(_bits(len(values))):
        pairs = values.reshape(-1, 2, 1 << level)
        difference = pairs[:, 0] - pairs[:, 1]
        pairs[:, 0] += pairs[:, 1]
        pairs[:, 1] = difference
    return values


def _groups(bits: int) -> list[int]:
    """Sizes of at most GROUP that add up to this many levels, as equal as can be."""
    count = -(-bits // GROUP)
    return [bits // count + (j < bits % count) for j in range(count)]


@lru_cache(maxsize=16)
def _signs(bits: int, dtype: Any) -> Table:
    """The Hadamard matrix of size 2^bits."""
    matrix = np.stack([parity_table(mask, bits) for mask in range(1 << bits)]).astype(dtype)
    matrix.flags.writeable = False
    return matrix


def _bits(length: int) -> int:
    return length.bit_length() - 1
