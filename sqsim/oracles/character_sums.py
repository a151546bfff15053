"""Running sums of parities over examples.

This file does not know where chunks come from.  Many sets are summed in one table with an entry
for each pattern of signs, which a single Walsh-Hadamard transform turns into all parities.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

import numpy as np

from sqsim.characters import Characters
from sqsim.errors import QueryRefused
from sqsim.lowrank import Array
from sqsim.oracles.sums import Group, Moments, Wanted
from sqsim.subsets import fitted, parity_signs, sign_words
from sqsim.walsh import UNIT, path, walsh_hadamard

LARGEST_TABLE = 24
"""Dimension up to which a table of all patterns of signs is kept."""
FEW = 32
"""Sets that are summed one by one, for each coordinate: beyond, the table costs less."""
BLOCK = 128
"""Sets whose signs are held at once for a chunk."""


@final
class CharacterSums(Group):
    """A query for parities: weights w = h(y), times y in a Correlation, times chi_S(x)."""

    def __init__(self, wanted: Wanted, form: Characters, dimension: int) -> None:
        (size,) = form.shape(dimension)
        if form.masks is None and dimension > LARGEST_TABLE:
            raise QueryRefused(
                f"{wanted.query.label or 'query'}: sums of 2^{dimension} parities need "
                f"{2.0 ** (dimension - 27):.3g} GiB, many times over; name at most 2^20 sets, as "
                "in Characters.of([(0, 2)])"
            )
        self.masks = None if form.masks is None else fitted(form.masks, dimension)
        self.tabled = dimension <= LARGEST_TABLE and (
            self.masks is None or (size > FEW * dimension and size << 6 > 1 << dimension)
        )
        super().__init__((wanted,), np.zeros(1 << dimension if self.tabled else size), np.zeros(4))

    def add(self, x: Array, y: Array, projections: Sequence[Array | None]) -> None:
        (wanted,) = self.wanted
        signed, scalars = self.sums
        g = wanted.values(x, y, None)
        with np.errstate(over="ignore", invalid="ignore"):
            phi = g * y if wanted.linear else g
            size = np.abs(phi).sum()
            wanted.check(size, phi)
            scalars += size, phi @ phi, g @ g, np.count_nonzero(phi)
        words = sign_words(x)
        if self.tabled:
            # Within a chunk first: an entry then has few roundings however often it is met.
            places, index = np.unique(words[:, 0].astype(np.int64), return_inverse=True)
            signed[places] += np.bincount(index, weights=phi, minlength=len(places))
        elif self.masks is not None:
            for start in range(0, len(signed), BLOCK):
                part = slice(start, start + BLOCK)
                signed[part] += phi @ parity_signs(words, self.masks[part])

    def moments(self, sums: Sequence[Array], count: int, gamma: float) -> list[Moments]:
        (wanted,) = self.wanted
        signed, (absolute, square, function, seen) = sums
        if self.tabled:
            # One error after the other, with room for the product of both.
            gamma = 1.01 * (gamma + path(len(signed)) * UNIT)
            signed = walsh_hadamard(signed.copy())
            if self.masks is not None:
                signed = signed[self.masks[:, 0]]

        def spread(value: float) -> Array:
            return np.broadcast_to(np.float64(value), signed.shape)

        return [
            Moments(
                np.asarray(signed / count),
                spread(gamma * absolute / count),
                spread(square / count) if wanted.square else None,
                spread(function / count) if wanted.function else None,
                spread(seen) if wanted.seen else None,
            )
        ]
