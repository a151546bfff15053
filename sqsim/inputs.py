"""Laws of the inputs x.  This file does not know labels."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

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


LARGEST_SUPPORT = 20
"""Coordinates that a frame may name before sums over their signs are refused."""


@final
@dataclass(frozen=True)
class Rademacher(Inputs):
    """The uniform law on the cube {-1, 1}^d."""

    dimension: int

    def __post_init__(self) -> None:
        Gaussian(self.dimension)

    def sample(self, rng: np.random.Generator, count: int) -> Array:
        signs = rng.integers(0, 2, size=(count, self.dimension), dtype=np.int8)
        return np.asarray(1.0 - 2.0 * signs)

    def expectation(self, form: Ridge) -> Array:
        """E[T_p(x) h(W'x)], by a sum over the signs of the coordinates on which W is not 0.

        Exact but for rounding.  Costs 2^r values of h for r such coordinates, r <= 20.
        """
        shape = form.shape(self.dimension)
        frame = None if form.frame is None else form.frame.reshape(self.dimension, -1)
        support = np.flatnonzero([] if frame is None else frame.any(axis=1))
        if len(support) > LARGEST_SUPPORT:
            raise BadInput(
                f"the frame names {len(support)} coordinates, and sums over the cube are made "
                f"over at most {LARGEST_SUPPORT}; use a frame with more zeros, or average over "
                "inputs.sample(rng, count)"
            )
        moments = _support_moments(form, frame, support)
        if form.power == 0:
            return moments
        # Coordinates outside the support are independent of h, with T_1 and T_2 of mean 0.
        full = np.zeros(shape)
        full[support if form.power == 1 else np.ix_(support, support)] = moments
        return full


def _support_moments(form: Ridge, frame: Array | None, support: NDArray[np.intp]) -> Array:
    """E[T_p(z) h(W'z)] for the signs z of the coordinates in the support."""
    size = len(support)
    block = 1 << min(size, 14)
    total = np.zeros((size,) * form.power)
    for start in range(0, 1 << size, block):
        index = np.arange(start, start + block)
        z = 1.0 - 2.0 * (index[:, None] >> np.arange(size) & 1)
        weights = form.values(None if frame is None else z @ frame[support], None, block)
        if form.power == 0:
            total += weights.sum()
        elif form.power == 1:
            total += weights @ z
        else:
            total += (z * weights[:, None]).T @ z - weights.sum() * np.eye(size)
    return np.asarray(total / (1 << size))
