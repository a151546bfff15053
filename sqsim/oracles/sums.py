"""Running sums of queries over chunks of examples.

This file does not know where chunks come from, nor how sums become means.  Queries of one form
share their work: the values of all scalars and vectors of a batch stand in the rows of one matrix,
so that a chunk is multiplied once for all of them.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from sqsim.errors import BadInput, QueryRefused
from sqsim.featured import Featured
from sqsim.lowrank import Array
from sqsim.queries import Characters, Correlation, Opaque, Query, Ridge


@final
@dataclass(frozen=True, eq=False)
class Moments:
    """Averages for one query, entry by entry.

    Attributes
    ----------
    mean : average of phi.
    rounding : bound on what rounding changed in `mean`.
    square : average of phi^2, if asked for.
    function : average of g^2 for a Correlation y g(x), if asked for.
    seen : number of examples on which phi was not 0 (for each column of an Opaque), if asked for.
    """

    mean: Array
    rounding: Array
    square: Array | None
    function: Array | None
    seen: Array | None


@final
@dataclass(frozen=True, eq=False)
class Wanted:
    """A query of a batch and which averages are wanted beside its mean."""

    query: Query
    square: bool = False
    function: bool = False
    seen: bool = False

    @property
    def frame(self) -> Array | None:
        """The directions that inputs are multiplied by, (d, m)."""
        frame = self.query.form.frame if isinstance(self.query.form, Ridge) else None
        return None if frame is None else frame.reshape(len(frame), -1)

    def values(self, x: Array, y: Array, projections: Array | None) -> Array:
        """g of y g(x), or phi itself, on a chunk."""
        form, labels = self.query.form, y if self.query.labelled else None
        if isinstance(form, Ridge):
            return form.values(projections, labels, len(x))
        if isinstance(form, Opaque):
            return form.values(x, labels)
        if isinstance(form, Characters):
            return form.values(labels, len(x))
        if isinstance(form, Featured):
            return form.entries(x, labels)
        raise QueryRefused(
            f"no average of a {type(form).__name__}; wanted Ridge, Opaque, Characters or Featured"
        )

    @property
    def linear(self) -> bool:
        """Whether the label multiplies what `values` returns."""
        return isinstance(self.query, Correlation)

    def check(self, total: Any, phi: Array) -> None:
        """Refuse values that are not finite, which show in a total over the chunk."""
        if np.isfinite(total).all():
            return
        bad = ~np.isfinite(phi).reshape(len(phi), -1).all(axis=1)
        if bad.any():
            raise BadInput(
                f"the function of query {self.query.label!r} is not finite on {int(bad.sum())} "
                f"of {len(phi)} examples; check its domain"
            )


class Group(ABC):
    """Sums of one or several queries; `sums` are added entry by entry when chunks are joined."""

    def __init__(self, wanted: Sequence[Wanted], *sums: Array) -> None:
        self.wanted = wanted
        self.sums = sums

    def take(self) -> tuple[Array, ...]:
        """The sums so far; they begin again at 0."""
        taken, self.sums = self.sums, tuple(np.zeros_like(each) for each in self.sums)
        return taken

    def begin(self, x: Array) -> None:  # noqa: B027
        """What needs nothing but the inputs of a chunk; done before they meet any frame."""

    @abstractmethod
    def add(self, x: Array, y: Array, projections: Sequence[Array | None]) -> None:
        """One chunk into the sums, with W'x for each query that has a frame."""

    @abstractmethod
    def moments(self, sums: Sequence[Array], count: int, gamma: float) -> list[Moments]:
        """Averages, where no sum is off by more than gamma times the sum of sizes."""


class _Rows(Group):
    """Queries with one number for each example: row j of a matrix holds phi of query j."""

    _buffer: Array = np.empty((0, 0))

    def rows(
        self, x: Array, y: Array, projections: Sequence[Array | None]
    ) -> tuple[Array, list[Array]]:
        """phi of all queries, (queries, n), and g of those that want its square."""
        # One buffer for all chunks: fresh memory is mapped page by page, which costs more than
        # what is written to it.
        if self._buffer.shape[1] < len(x):
            self._buffer = np.empty((len(self.wanted), len(x)))
        phi, functions = self._buffer[:, : len(x)], []
        for row, each, along in zip(phi, self.wanted, projections, strict=True):
            g = each.values(x, y, along)
            if each.linear:
                np.multiply(g, y, out=row)
            else:
                row[:] = g
            if each.function:
                functions.append(g)
        return phi, functions

    def check(self, totals: Array, phi: Array) -> None:
        if not np.isfinite(totals).all():
            for each, total, row in zip(self.wanted, totals, phi, strict=True):
                each.check(total, row)

    def seen(self, phi: Array) -> Any:
        """Examples on which phi is not 0, if anyone asks."""
        return np.count_nonzero(phi, axis=1) if self.wanted[0].seen else 0


@final
class Scalars(_Rows):
    """Ridge queries of power 0."""

    def __init__(self, wanted: Sequence[Wanted]) -> None:
        functions = sum(each.function for each in wanted)
        super().__init__(wanted, *np.zeros((4, len(wanted))), np.zeros(functions))

    def add(self, x: Array, y: Array, projections: Sequence[Array | None]) -> None:
        first, absolute, square, seen, function = self.sums
        phi, functions = self.rows(x, y, projections)
        with np.errstate(over="ignore", invalid="ignore"):
            total = phi.sum(axis=1)
            self.check(total, phi)
            first += total
            absolute += np.abs(phi).sum(axis=1)
            square += np.einsum("ij,ij->i", phi, phi)
        for j, g in enumerate(functions):
            function[j] += g @ g
        seen += self.seen(phi)

    def moments(self, sums: Sequence[Array], count: int, gamma: float) -> list[Moments]:
        first, absolute, square, _, function = (each / count for each in sums)
        functions = iter(function)
        return [
            Moments(
                np.asarray(first[j]),
                np.asarray(gamma * absolute[j]),
                np.asarray(square[j]) if each.square else None,
                np.asarray(next(functions)) if each.function else None,
                np.asarray(sums[3][j]) if each.seen else None,
            )
            for j, each in enumerate(self.wanted)
        ]


@final
class Vectors(_Rows):
    """Ridge queries of power 1: entries x_j h, all queries in one product."""

    def __init__(self, wanted: Sequence[Wanted], dimension: int) -> None:
        self.squares = [j for j, each in enumerate(wanted) if each.square]
        seconds = len(self.squares) + sum(each.function for each in wanted)
        super().__init__(
            wanted,
            np.zeros((len(wanted), dimension)),
            np.zeros((seconds, dimension)),
            np.zeros(dimension),
            *np.zeros((2, len(wanted))),
        )
        self.squared = np.empty((0, dimension))

    def begin(self, x: Array) -> None:
        # This pass draws the chunk into the cache at the speed of memory, which a product with one
        # vector does not; all that follows finds it there.
        columns = self.sums[2]
        columns += column_energies(x)

    def add(self, x: Array, y: Array, projections: Sequence[Array | None]) -> None:
        first, second, _, weight, seen = self.sums
        phi, functions = self.rows(x, y, projections)
        with np.errstate(over="ignore", invalid="ignore"):
            energy = np.einsum("ij,ij->i", phi, phi)
            self.check(energy, phi)
            weight += energy
            first += phi @ x
            if len(second):
                if len(self.squared) < len(x):
                    self.squared = np.empty(x.shape)
                squared = np.multiply(x, x, out=self.squared[: len(x)])
                weights = np.concatenate([phi[self.squares], *(g[None] for g in functions)])
                second += np.multiply(weights, weights, out=weights) @ squared
        seen += self.seen(phi)

    def moments(self, sums: Sequence[Array], count: int, gamma: float) -> list[Moments]:
        first, second, columns, weight, seen = sums
        squares = iter(second[: len(self.squares)] / count)
        functions = iter(second[len(self.squares) :] / count)
        return [
            Moments(
                np.asarray(first[j] / count),
                np.asarray(gamma * np.sqrt(columns / count) * np.sqrt(weight[j] / count)),
                next(squares) if each.square else None,
                next(functions) if each.function else None,
                np.asarray(seen[j]) if each.seen else None,
            )
            for j, each in enumerate(self.wanted)
        ]


def column_energies(x: Array) -> Array:
    """Sum of x_j^2 for each column, without a temporary of the size of x."""
    count, dimension = x.shape
    whole = count // 16 * 16
    if not whole or not x.flags.c_contiguous:
        return np.asarray(np.einsum("ij,ij->j", x, x))
    # Sixteen rows as one: the inner loop of einsum is then long enough to be worth starting.
    wide = x[:whole].reshape(-1, 16 * dimension)
    sums = np.einsum("ij,ij->j", wide, wide).reshape(16, dimension).sum(axis=0)
    return np.asarray(sums + np.einsum("ij,ij->j", x[whole:], x[whole:]))
