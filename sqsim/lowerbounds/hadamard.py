"""The fast Walsh-Hadamard transform of a table, in the cheapest arithmetic that is right.

This file does not know what the table stands for.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import hadamard

from sqsim.errors import BadInput

Table: TypeAlias = NDArray[Any]
MEMORY = 2**31
GROUP = 5
"""Levels of butterflies done by one product with a Hadamard matrix of size 2^GROUP."""

CHUNK, STRIP, NARROW = 2**18, 2**16, 2**5
"""Numbers in a block of the first pass and of the second, and the fewest columns of the latter."""

EXACT_FLOATS, EXACT_WORDS = 2**53, 2**63


def exact_transform(values: Table) -> Table:
    """The transform of integers, in the cheapest arithmetic that cannot overflow."""
    # Not abs: the smallest int64 has none.
    largest = max(int(values.max()), -int(values.min()))
    bound = largest * len(values)
    if bound <= EXACT_FLOATS:
        return float_transform(values.astype(np.float64)).astype(np.int64)
    refuse_beyond_memory(len(values), 16 if bound < EXACT_WORDS else 128)
    return _by_butterflies(values.astype(np.int64 if bound < EXACT_WORDS else object))


def _by_butterflies(values: Table) -> Table:
    """In place, level by level; any type that adds and subtracts."""
    for level in range(bits_of(len(values))):
        pairs = values.reshape(-1, 2, 1 << level)
        difference = pairs[:, 0] - pairs[:, 1]
        pairs[:, 0] += pairs[:, 1]
        pairs[:, 1] = difference
    return values


def float_transform(values: Table) -> Table:
    """In place, in float64: low levels on rows that fit a cache, high levels on column strips."""
    bits = bits_of(len(values))
    first, second = ([*level_groups(bits), 0, 0])[:2]
    low = first + second
    signs = {size: _signs(size) for size in {first, second, *level_groups(bits - low)}}
    rows = values.reshape(-1, 1 << low)
    step = max(1, CHUNK >> low)
    for start in range(0, len(rows), step):
        block = rows[start : start + step].reshape(-1, 1 << first) @ signs[first]
        block = signs[second] @ block.reshape(-1, 1 << second, 1 << first)
        rows[start : start + step] = block.reshape(-1, 1 << low)
    # A strip of fewer columns than NARROW wastes the cache lines that it reads.
    columns = max(NARROW, STRIP >> (bits - low))
    for start in range(0, 1 << low if bits > low else 0, columns):
        strip = np.ascontiguousarray(rows[:, start : start + columns])
        width = strip.shape[1]
        for size in level_groups(bits - low):
            strip = signs[size] @ strip.reshape(-1, 1 << size, width)
            width <<= size
        rows[:, start : start + columns] = strip.reshape(len(rows), -1)
    return values


def level_groups(bits: int) -> list[int]:
    """Sizes of at most GROUP that add up to this many levels."""
    return [min(GROUP, bits - start) for start in range(0, bits, GROUP)]


def _signs(bits: int) -> NDArray[np.float64]:
    return np.asarray(hadamard(1 << bits), dtype=np.float64)


def bits_of(length: int) -> int:
    return length.bit_length() - 1


def refuse_beyond_memory(length: int, size: int) -> None:
    need = length * size
    if need > MEMORY:
        raise BadInput(
            f"2^{bits_of(length)} values need about {need / 2**30:.3g} GiB, and "
            f"{MEMORY / 2**30:.3g} are allowed; use a smaller cube"
        )
