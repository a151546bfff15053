"""Averages over examples, for a whole batch of queries in one pass.

This file does not know where the examples come from.  A pass over a part of the examples leaves
`Totals`; totals of parts are added up in a tree whose shape is fixed by their number, so that the
answer does not depend on which part was done first, or where.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeAlias, TypeVar, final

import numpy as np

from sqsim.errors import BadInput
from sqsim.featured import Featured
from sqsim.lowrank import Array
from sqsim.oracles.character_sums import CharacterSums
from sqsim.oracles.feature_sums import FeatureSums
from sqsim.oracles.sums import Group, Moments, Scalars, Vectors, Wanted
from sqsim.oracles.tensor_sums import Columns, Matrix
from sqsim.queries import Characters, Ridge

Examples: TypeAlias = Iterable[tuple[Any, Any]]

UNIT = 2.0**-53

BLOCK = 256
"""Chunks that are added one after the other before the tree takes their total."""

SEVERAL = 8
"""Vectors in a batch from which on products with them cost more than reading the rows."""

FAN = 8
"""Totals that a node of the tree adds, one after the other."""


@final
@dataclass(frozen=True, eq=False)
class Request:
    """What is asked of a pass: a batch of queries, and which averages beside their means."""

    dimension: int
    wanted: tuple[Wanted, ...]

    def __post_init__(self) -> None:
        for each in self.wanted:
            each.query.shape(self.dimension)

    @property
    def chunk(self) -> int:
        """Rows that are worked on at a time.

        Twice as many where many vectors share two matrix products, which do not mind, as it halves
        the number of calls of the queries' functions.
        """
        powers = [getattr(each.query.form, "power", None) for each in self.wanted]
        several = powers.count(1) >= SEVERAL and 2 not in powers
        return chunk_rows(self.dimension) * (2 if several else 1)

    def groups(self) -> list[tuple[list[int], Group]]:
        """Fresh sums, with the places in the batch of the queries that they belong to."""
        places: dict[str, list[int]] = {"scalars": [], "vectors": []}
        groups: list[tuple[list[int], Group]] = []
        for i, each in enumerate(self.wanted):
            form = each.query.form
            power = form.power if isinstance(form, Ridge) else None
            if power in (0, 1):
                places["vectors" if power else "scalars"].append(i)
            elif power == 2:
                groups.append(([i], Matrix(each, self.dimension)))
            elif isinstance(form, Characters):
                groups.append(([i], CharacterSums(each, form, self.dimension)))
            elif isinstance(form, Featured):
                groups.append(([i], FeatureSums(each, form)))
            else:
                groups.append(([i], Columns(each, each.query.shape(self.dimension))))
        scalars, vectors = ([self.wanted[i] for i in found] for found in places.values())
        if vectors:
            groups.append((places["vectors"], Vectors(vectors, self.dimension)))
        if scalars:
            groups.append((places["scalars"], Scalars(scalars)))
        return groups


@final
@dataclass(frozen=True, eq=False)
class Totals:
    """Sums over a part of the examples: what a pass leaves and what the tree adds.

    Attributes
    ----------
    count : number of examples.
    steps : most roundings on any path from a term to its sum.
    sums : for each group of the request.
    """

    count: int
    steps: int
    sums: tuple[tuple[Array, ...], ...]


def gather(request: Request, examples: Examples) -> Totals:
    """One pass over a part of the examples; memory of one chunk and the answers."""
    tree, groups = Tree(added), request.groups()
    frames = _Frames(request)
    count, chunks, largest = 0, 0, 0
    for inputs, labels in examples:
        x, y = np.asarray(inputs, dtype=np.float64), np.asarray(labels, dtype=np.float64)
        if len(x):
            for _, group in groups:
                group.begin(x)
            along = frames.times(x)
            for places, group in groups:
                group.add(x, y, [along[i] for i in places])
        count, chunks, largest = count + len(x), chunks + 1, max(largest, len(x))
        if chunks == BLOCK:
            tree.add(_taken(groups, count, largest + chunks))
            count, chunks, largest = 0, 0, 0
    if chunks or not tree.levels:
        tree.add(_taken(groups, count, largest + chunks))
    return tree.total()


def _taken(groups: Sequence[tuple[list[int], Group]], count: int, steps: int) -> Totals:
    return Totals(count, steps, tuple(group.take() for _, group in groups))


@final
class _Frames:
    """All frames of a batch, side by side: one product for a chunk."""

    def __init__(self, request: Request) -> None:
        frames = [each.frame for each in request.wanted]
        ends = np.cumsum([0 if frame is None else frame.shape[1] for frame in frames]).tolist()
        self.places = [
            None if frame is None else slice(end - frame.shape[1], end)
            for frame, end in zip(frames, ends, strict=True)
        ]
        kept = [frame.T for frame in frames if frame is not None]
        self.rows = np.concatenate(kept) if kept else None
        self.buffer = np.empty((0, 0))

    def times(self, x: Array) -> list[Array | None]:
        """W'x of each query, (n, columns of W)."""
        if self.rows is None:
            return [None] * len(self.places)
        # Directions in rows: what a query's function is given is then contiguous.
        if self.buffer.shape[1] != len(x):
            self.buffer = np.empty((len(self.rows), len(x)))
        found = np.matmul(self.rows, x.T, out=self.buffer)
        return [None if place is None else found[place].T for place in self.places]


def added(parts: Sequence[Totals]) -> Totals:
    """The sum of a few totals, from left to right."""
    first = parts[0]
    if len(parts) == 1:
        return first
    sums = [[np.array(each) for each in group] for group in first.sums]
    for part in parts[1:]:
        for group, others in zip(sums, part.sums, strict=True):
            for total, other in zip(group, others, strict=True):
                total += other
    return Totals(
        sum(part.count for part in parts),
        max(part.steps for part in parts) + len(parts) - 1,
        tuple(map(tuple, sums)),
    )


T = TypeVar("T")


@final
class Tree(Generic[T]):
    """Joins values in the order they come, as the tree of `FAN` children a node would."""

    def __init__(self, join: Callable[[Sequence[T]], T]) -> None:
        self.join = join
        self.levels: list[list[T]] = []

    def add(self, part: T, level: int = 0) -> None:
        """The next part; a full level becomes one entry of the level above."""
        if level == len(self.levels):
            self.levels.append([])
        waiting = self.levels[level]
        waiting.append(part)
        if len(waiting) == FAN:
            self.levels[level] = []
            self.add(self.join(waiting), level + 1)

    def total(self) -> T:
        """All parts joined."""
        level = 0
        while level < len(self.levels):
            waiting, self.levels[level] = self.levels[level], []
            if waiting and not any(self.levels):
                return self.join(waiting)
            if waiting:
                self.add(self.join(waiting), level + 1)
            level += 1
        raise BadInput("no part to join; a source holds at least one")


def averages(request: Request, totals: Totals) -> list[Moments]:
    """Averages over all examples, one for each query.

    `rounding` bounds summation and products: no sum has more than k roundings on any path,
    k = rows of the largest chunk + chunks added one after the other + those of the tree + 8, so it
    is off by at most k u / (1 - k u) times the average of |phi|, u = 2^-53 (Higham 2002, section
    4.2), which for x_j h is at most rms(x_j) rms(h).  The bound holds for any chunks, any parts and
    any tree, so two passes over the same examples differ by at most the sum of their bounds.
    The values of h are taken as computed: rounding of W'x before a jump of h is not in it.
    """
    if not totals.count:
        raise BadInput("no examples: every chunk was empty; check where the data come from")
    steps = (totals.steps + 8) * UNIT
    gamma = 1.01 * steps / (1 - steps)
    found: dict[int, Moments] = {}
    for (places, group), sums in zip(request.groups(), totals.sums, strict=True):
        found.update(zip(places, group.moments(sums, totals.count, gamma), strict=True))
    return [found[i] for i in range(len(request.wanted))]


def chunk_rows(dimension: int) -> int:
    """Rows in a chunk of inputs of this dimension: 2 MiB, but 256 to 2048 rows.

    Twice as large temporaries are mapped afresh each time, which doubled the time of signed second
    moments; below 256 rows, adding up d x d matrices costs as much as their products.
    """
    return min(2048, max(256, 2**18 // dimension))


def rows_of(inputs: Any, labels: Any, chunk: int) -> Iterator[tuple[Any, Any]]:
    """A table, `chunk` rows at a time."""
    for start in range(0, len(inputs), chunk):
        yield inputs[start : start + chunk], labels[start : start + chunk]
