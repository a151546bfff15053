"""How a batch of examples becomes an answer: plain average, average of bits, median of means.

This file does not know where examples come from or what is promised of the answer.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import final

import numpy as np

from sqsim.lowrank import Array
from sqsim.oracles.entries import Range, bits_of


class Running(ABC):
    """Sums over the examples of one query so far."""

    @abstractmethod
    def add(self, values: Array) -> None:
        """Scalars of further examples, (n, scalars)."""

    @abstractmethod
    def answer(self) -> Array:
        """One number for each scalar."""


class Average(ABC):
    """A rule for averaging; `count` is the examples that it takes for one query."""

    @property
    @abstractmethod
    def count(self) -> int: ...

    @abstractmethod
    def start(self, size: int, rng: np.random.Generator) -> Running:
        """Empty sums for `size` scalars."""


@final
@dataclass(frozen=True)
class PlainAverage(Average):
    """The average of the values, clipped to `within` if it is given."""

    examples: int
    within: Range | None = None

    @property
    def count(self) -> int:
        return self.examples

    def start(self, size: int, rng: np.random.Generator) -> Running:
        within = self.within
        return _Sum(size, lambda v: v if within is None else np.asarray(np.clip(v, *within)))


@final
@dataclass(frozen=True)
class AverageOfBits(Average):
    """Every value is rounded at random to an end of `within`, its mean kept, and averaged.

    The number of ups is then binomial whatever the query is, and its tails are exact.
    """

    examples: int
    within: Range

    @property
    def count(self) -> int:
        return self.examples

    def start(self, size: int, rng: np.random.Generator) -> Running:
        low, high = self.within
        return _Sum(size, lambda v: np.asarray(low + (high - low) * bits_of(v, (low, high), rng)))


@final
@dataclass(frozen=True)
class MedianOfMeans(Average):
    """The median, entry by entry, of the averages over `blocks` blocks of `examples` each."""

    blocks: int
    examples: int

    @property
    def count(self) -> int:
        return self.blocks * self.examples

    def start(self, size: int, rng: np.random.Generator) -> Running:
        return _Blocks(self, size)


@final
class _Sum(Running):
    def __init__(self, size: int, change: Callable[[Array], Array]) -> None:
        self._change, self._total, self._count = change, np.zeros(size), 0

    def add(self, values: Array) -> None:
        self._total += self._change(values).sum(axis=0)
        self._count += len(values)

    def answer(self) -> Array:
        return np.asarray(self._total / self._count)


@final
class _Blocks(Running):
    def __init__(self, rule: MedianOfMeans, size: int) -> None:
        self._rule, self._sums, self._count = rule, np.zeros((rule.blocks, size)), 0

    def add(self, values: Array) -> None:
        block = (self._count + np.arange(len(values))) // self._rule.examples
        starts = np.flatnonzero(np.diff(block, prepend=-1))
        self._sums[block[starts]] += np.add.reduceat(values, starts, axis=0)
        self._count += len(values)

    def answer(self) -> Array:
        return np.asarray(np.median(self._sums / self._rule.examples, axis=0))
