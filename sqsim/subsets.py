"""Sets of coordinates, and signs of inputs, as bits.

Bit j of an index or a mask is 1 where x_j < 0, or where j lies in the set S: then chi_S(x) is
(-1)^(number of bits that both have).  This file does not know functions on the cube.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sqsim.errors import BadInput

Words = NDArray[np.uint64]


def mask_words(masks: ArrayLike) -> Words:
    """Sets as bits, (m,) or (m, words) integers, as read-only (m, words) words of 64 bits."""
    try:
        given = np.asarray(masks)
    except (ValueError, OverflowError) as error:
        raise BadInput(f"masks cannot be read ({error}); wanted one length for all") from error
    if given.dtype == object and all(
        isinstance(mask, int) and 0 <= mask < 2**64 for mask in given.ravel().tolist()
    ):
        given = given.astype(np.uint64)
    if given.dtype.kind not in "iu" or given.ndim not in (1, 2) or not given.size:
        raise BadInput(
            f"masks of shape {given.shape} and type {given.dtype}; wanted at least one, as (m,) or "
            "(m, words) integers of up to 64 bits, or name the sets: Characters.of([(0, 2), ...])"
        )
    if given.dtype.kind == "i" and given.min() < 0:
        raise BadInput(f"a mask is {given.min()}; bits of a set make a number >= 0")
    words = given.astype(np.uint64).reshape(len(given), -1)
    words.flags.writeable = False
    return words


def masks_of(subsets: Iterable[Iterable[int]]) -> Words:
    """Sets of coordinates as bits, (m, words)."""
    sets = [tuple(subset) for subset in subsets]
    for members in sets:
        whole = all(isinstance(i, int | np.integer) and i >= 0 for i in members)
        if not whole or len(set(members)) != len(members):
            raise BadInput(f"{members} is no set of coordinates: wanted different integers >= 0")
    largest = max((int(i) for members in sets for i in members), default=0)
    words = np.zeros((len(sets), largest // 64 + 1), dtype=np.uint64)
    for row, members in zip(words, sets, strict=True):
        for i in members:
            row[i // 64] |= np.uint64(1 << i % 64)
    return words


def fitted(masks: Words, dimension: int) -> Words:
    """The same sets in as many words as inputs of this dimension have."""
    words = -(-dimension // 64)
    found = np.zeros((len(masks), words), dtype=np.uint64)
    shared = min(words, masks.shape[1])
    found[:, :shared] = masks[:, :shared]
    return found


def sign_words(inputs: NDArray[Any]) -> Words:
    """Which entries of each row are negative, as bits: (n, d) to (n, ceil(d / 64))."""
    count, dimension = inputs.shape
    packed = np.packbits(inputs < 0, axis=1, bitorder="little")
    padded = np.zeros((count, -(-dimension // 64) * 8), dtype=np.uint8)
    padded[:, : packed.shape[1]] = packed
    return padded.view("<u8").astype(np.uint64, copy=False)


def parity_signs(words: Words, masks: Words) -> NDArray[np.float64]:
    """chi_S at each example: (n, words) against (m, words) gives (n, m) signs."""
    odd = np.zeros((len(words), len(masks)), dtype=np.uint8)
    for j in range(masks.shape[1]):
        odd ^= np.bitwise_count(words[:, j, None] & masks[None, :, j])
    return np.asarray(1.0 - 2.0 * (odd & 1))


def parity_table(mask: int, dimension: int) -> NDArray[np.int8]:
    """chi_S at all 2^d points, in the order of indices."""
    table = np.ones(1, dtype=np.int8)
    for j in range(dimension):
        table = np.concatenate([table, -table if mask >> j & 1 else table])
    return table
