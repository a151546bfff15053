"""A fixed sample that an oracle keeps to itself, read again for every batch of queries.

This file does not know what protects it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from sqsim.lowrank import Array
from sqsim.oracles.entries import Range, draws, entries_in_parts
from sqsim.problems.dataset import Dataset
from sqsim.queries import Query
from sqsim.seeds import Role, Seed, rng


@final
@dataclass(frozen=True, eq=False)
class Records:
    """`count` examples: rows of a table in a random order, or draws of an instance.

    Draws are made again from the seed each time they are read, in the memory of one chunk.

    Attributes
    ----------
    instance : an instance or a Dataset.
    first, count : int
        Which examples of the order; two disjoint stretches are independent samples.
    seed : int
    role : Role
        Of the oracle that keeps them, so that oracles of different kinds share no example.
    """

    instance: Any
    first: int
    count: int
    seed: Seed
    role: Role

    def averages(self, query: Query, within: Range) -> Array:
        """Averages of the query's scalars, clipped."""
        total = np.zeros(query.size(int(self.instance.problem.dimension)))
        for x, y in self._chunks():
            for values in entries_in_parts(query, x, y):
                total += np.clip(values, *within).sum(axis=0)
        return np.asarray(total / self.count)

    def stream(self, turn: int) -> np.random.Generator:
        """For the noise of a turn, apart from what the examples are drawn with."""
        return rng(self.seed, self.role, turn).spawn(2)[1]

    def _chunks(self) -> Iterator[tuple[Array, Array]]:
        if not isinstance(self.instance, Dataset):
            # One stream for each first place, so that two stretches share no example.
            stream = rng(self.seed, self.role, self.first).spawn(1)[0]
            yield from draws(self.instance, self.count, stream, 0)
            return
        order = rng(self.seed, self.role).spawn(1)[0].permutation(len(self.instance.targets))
        rows = order[self.first : self.first + self.count]
        for start in range(0, self.count, 4096):
            block = rows[start : start + 4096]
            yield self.instance.inputs[block], self.instance.targets[block]
