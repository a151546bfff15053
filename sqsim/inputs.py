"""Laws of the inputs x.  This file does not know labels."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import final

import numpy as np

from sqsim.errors import BadInput
from sqsim.gaussian import ridge_expectation
from sqsim.lowrank import Array, LowRank, dense
from sqsim.queries import Ridge


class Inputs(ABC):
    """A law of x that the learner knows: label-free expectations cost it no query."""

    dimension: int

    @abstractmethod
    def sample(self, rng: np.random.Generator, count: int) -> Array:
        """`count` independent inputs, (count, dimension)."""

    @abstractmethod
    def expectation(self, form: Ridge) -> Array:
        """E[T_p(x) h(W'x)], dense; no query, since no label enters."""


@final
@dataclass(frozen=True)
class Gaussian(Inputs):
    """x ~ N(0, I_d)."""

    dimension: int

    def __post_init__(self) -> None:
        count = self.dimension
        if isinstance(count, bool) or not isinstance(count, int | np.integer) or count < 1:
            raise BadInput(f"dimension is {count!r}; it must be an integer of at least 1")

    def sample(self, rng: np.random.Generator, count: int) -> Array:
        return rng.standard_normal((count, self.dimension))

    def expectation(self, form: Ridge) -> Array:
        value: Array | LowRank = ridge_expectation(form, self.dimension).value
        return dense(value)


@final
@dataclass(frozen=True, eq=False)
class Empirical(Inputs):
    """The uniform law on the rows of a table: a learner who has the inputs but not the labels."""

    table: Array

    def __post_init__(self) -> None:
        if np.ndim(self.table) != 2 or not np.size(self.table):
            raise BadInput(f"the table has shape {np.shape(self.table)}; wanted (n, d), not empty")

    @property
    def dimension(self) -> int:  # type: ignore[override]
        return int(self.table.shape[1])

    def sample(self, rng: np.random.Generator, count: int) -> Array:
        return np.asarray(self.table[rng.integers(len(self.table), size=count)])

    def expectation(self, form: Ridge) -> Array:
        x = self.table
        form.shape(self.dimension)
        projections = None if form.frame is None else (x @ form.frame).reshape(len(x), -1)
        weights = form.values(projections, None, len(x)) / len(x)
        if form.power == 0:
            return np.asarray(weights.sum())
        if form.power == 1:
            return np.asarray(weights @ x)
        return np.asarray((x * weights[:, None]).T @ x - weights.sum() * np.eye(x.shape[1]))
