"""Averages over examples, for a whole batch of queries in one pass.

This file does not know where the examples come from.  Chunks of rows are taken to float64, all
frames are multiplied at once, vectors of all queries are summed by one matrix product, and
matrices by symmetric products of the rows whose weight is not 0.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, final

import numpy as np

from sqsim.errors import BadInput, QueryRefused
from sqsim.lowrank import Array
from sqsim.queries import Correlation, Opaque, Query, Ridge

Examples: TypeAlias = Iterable[tuple[Any, Any]]

UNIT = 2.0**-53


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
    seen : number of examples on which phi was not 0 (for each column of an Opaque).
    """

    mean: Array
    rounding: Array
    square: Array | None
    function: Array | None
    seen: Array


def chunk_rows(dimension: int) -> int:
    """Rows in a chunk of inputs of this dimension: 2 MiB, but 256 to 2048 rows.

    Twice as large temporaries are mapped afresh each time, which doubled the time of signed second
    moments; below 256 rows, adding up d x d matrices costs as much as their products.
    """
    return min(2048, max(256, 2**18 // dimension))


def moments(
    queries: Sequence[Query],
    dimension: int,
    examples: Examples,
    *,
    squares: Sequence[bool],
    functions: Sequence[bool],
) -> list[Moments]:
    """Averages over all examples; one pass, memory of one chunk and the answers.

    `rounding` bounds summation and products: no sum has more than k roundings on any path,
    k = rows of the largest chunk + chunks + 8, so it is off by at most k u / (1 - k u) times the
    average of |phi|, u = 2^-53 (Higham, section 4.2), which for x_j h is at most rms(x_j) rms(h).
    The values of h are taken as computed: rounding of W'x before a jump of h is not in it.
    """
    sums = [_sums(q, dimension, s, f) for q, s, f in zip(queries, squares, functions, strict=True)]
    ridges = [s for s in sums if s.frame is not None]
    frames = np.concatenate([s.frame for s in ridges], axis=1) if ridges else None
    ends = np.cumsum([s.frame.shape[1] for s in ridges]).tolist()
    count, chunks, largest = 0, 0, 0
    for inputs, labels in examples:
        x, y = np.asarray(inputs, dtype=np.float64), np.asarray(labels, dtype=np.float64)
        projections = None if frames is None else x @ frames
        for each in sums:
            each.projections = None
        for each, end in zip(ridges, ends, strict=True):
            if projections is not None:
                each.projections = projections[:, end - each.frame.shape[1] : end]
        _add(sums, x, y)
        count, chunks, largest = count + len(x), chunks + 1, max(largest, len(x))
    steps = (largest + chunks + 8) * UNIT
    return [each.over(count, 1.01 * steps / (1 - steps)) for each in sums]


def _add(sums: Sequence[_Sums], x: Array, y: Array) -> None:
    """One chunk into all sums; queries of power 1 share their matrix products."""
    for each in sums:
        each.weigh(x, y)
        each.add(x)
    vectors = [each for each in sums if isinstance(each, _Vector)]
    if not vectors:
        return
    first = x.T @ np.stack([each.phi for each in vectors], axis=1)
    squared = x * x
    columns = squared.sum(axis=0)
    for j, each in enumerate(vectors):
        each.first += first[:, j]
        each.columns += columns
    wanted = [(e.square, e.phi) for e in vectors if e.square is not None]
    wanted += [(e.function, e.g) for e in vectors if e.function is not None]
    if wanted:
        second = squared.T @ np.stack([weights * weights for _, weights in wanted], axis=1)
        for j, (total, _) in enumerate(wanted):
            total += second[:, j]


class _Sums(ABC):
    """Running sums of one query; `g` and `phi` hold the weights of the present chunk."""

    g: Array
    phi: Array
    projections: Array | None = None

    def __init__(self, query: Query, shape: tuple[int, ...], square: bool, function: bool) -> None:
        self.query = query
        self.first = np.zeros(shape)
        self.square = np.zeros(shape) if square else None
        self.function = np.zeros(shape) if function else None
        self.seen: Any = 0
        frame = query.form.frame if isinstance(query.form, Ridge) else None
        self.frame: Any = None if frame is None else frame.reshape(len(frame), -1)

    def weigh(self, x: Array, y: Array) -> None:
        """Values of the query's function on a chunk, and times the label for a Correlation."""
        form, labels = self.query.form, y if self.query.labelled else None
        if isinstance(form, Ridge):
            self.g = form.values(self.projections, labels, len(x))
        elif isinstance(form, Opaque):
            self.g = form.values(x, labels)
        else:
            raise QueryRefused(f"no average of a {type(form).__name__}; wanted Ridge or Opaque")
        if not np.isfinite(self.g).all():
            raise BadInput(
                f"the function of query {self.query.label!r} is not finite on "
                f"{int((~np.isfinite(self.g)).sum())} of {len(x)} examples; check its domain"
            )
        linear = isinstance(self.query, Correlation)
        self.phi = (self.g.T * y).T if linear else self.g
        self.seen = self.seen + np.count_nonzero(self.phi, axis=0)

    @abstractmethod
    def add(self, x: Array) -> None:
        """The present chunk into the sums."""

    @abstractmethod
    def magnitude(self) -> Array:
        """Bound on the sum of |phi|, entry by entry."""

    def over(self, count: int, gamma: float) -> Moments:
        """Sums into averages."""
        rounding = np.asarray(gamma * self.magnitude() / count)
        square = None if self.square is None else np.asarray(self.square / count)
        function = None if self.function is None else np.asarray(self.function / count)
        return Moments(
            np.asarray(self.first / count), rounding, square, function, np.asarray(self.seen)
        )


@final
class _Plain(_Sums):
    """Opaque queries, and Ridge queries of power 0."""

    def __init__(self, query: Query, shape: tuple[int, ...], square: bool, function: bool) -> None:
        super().__init__(query, shape, square, function)
        self.absolute = np.zeros(shape)

    def add(self, x: Array) -> None:
        self.first += self.phi.sum(axis=0)
        self.absolute += np.abs(self.phi).sum(axis=0)
        if self.square is not None:
            self.square += (self.phi * self.phi).sum(axis=0)
        if self.function is not None:
            self.function += (self.g * self.g).sum(axis=0)

    def magnitude(self) -> Array:
        return self.absolute


@final
class _Vector(_Sums):
    """Ridge queries of power 1; `_add` does the products, for all of them together."""

    def __init__(self, query: Query, shape: tuple[int, ...], square: bool, function: bool) -> None:
        super().__init__(query, shape, square, function)
        self.columns, self.weight = np.zeros(shape), 0.0

    def add(self, x: Array) -> None:
        self.weight += float(self.phi @ self.phi)

    def magnitude(self) -> Array:
        return np.asarray(np.sqrt(self.columns * self.weight))


@final
class _Matrix(_Sums):
    """Ridge queries of power 2: entries (x_i x_j - delta_ij) h."""

    def __init__(self, query: Query, shape: tuple[int, ...], square: bool, function: bool) -> None:
        super().__init__(query, shape, square, function)
        self.fourth, self.weight, self.absolute = np.zeros(shape[0]), 0.0, 0.0

    def add(self, x: Array) -> None:
        _diagonal(self.first)[:] -= self.phi.sum()
        for sign in (1.0, -1.0):
            rows = np.flatnonzero(sign * self.phi > 0)
            if len(rows):
                # a.T @ a with one and the same a costs half of a general product.
                part = x[rows] * np.sqrt(sign * self.phi[rows])[:, None]
                self.first += sign * (part.T @ part)
        squared = x * x
        self.fourth += np.einsum("ij,ij->j", squared, squared)
        self.weight += float(self.phi @ self.phi)
        self.absolute += float(np.abs(self.phi).sum())
        for total, weights in ((self.square, self.phi), (self.function, self.g)):
            if total is not None:
                rows = np.flatnonzero(weights)
                part = squared[rows] * weights[rows, None]
                total += part.T @ part
                # (x_i^2 - 1)^2 = x_i^4 - 2 x_i^2 + 1 on the diagonal.
                kept = weights[rows] ** 2
                _diagonal(total)[:] += kept.sum() - 2 * (kept @ squared[rows])

    def magnitude(self) -> Array:
        root = np.sqrt(np.sqrt(self.fourth))
        bound = np.sqrt(self.weight) * np.outer(root, root)
        _diagonal(bound)[:] += self.absolute
        return np.asarray(bound)


def _sums(query: Query, dimension: int, square: bool, function: bool) -> _Sums:
    form, shape = query.form, query.shape(dimension)
    kinds: dict[int, type[_Sums]] = {0: _Plain, 1: _Vector, 2: _Matrix}
    kind = kinds[form.power] if isinstance(form, Ridge) else _Plain
    return kind(query, shape, square, function)


def _diagonal(matrix: Array) -> Array:
    """A writable view of the diagonal."""
    return matrix.reshape(-1)[:: len(matrix) + 1]


def rows_of(inputs: Any, labels: Any, chunk: int) -> Iterator[tuple[Any, Any]]:
    """A table, `chunk` rows at a time."""
    for start in range(0, len(inputs), chunk):
        yield inputs[start : start + chunk], labels[start : start + chunk]
