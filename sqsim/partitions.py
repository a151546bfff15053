"""Multi-valued queries and the tolerance that holds sums of their answers: MVSTAT(L, t).

This file does not know how means are found or how answers are chosen.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any, final

import numpy as np

from sqsim.bounded import DOWN
from sqsim.errors import BadInput, QueryRefused
from sqsim.lowrank import Array, dense
from sqsim.queries import Opaque, Query
from sqsim.tolerance import Declared, Mean, Scale, Tolerance, positive


@final
@dataclass(frozen=True, eq=False)
class Partition(Query):
    """The probabilities of the cells 0, ..., L - 1 that a function of (x, y) sorts examples into.

    Made by `partition`.  It is asked of an oracle with tolerance MVStat(t), and costs as many
    scalar queries as there are sets whose probabilities must come out right.

    Attributes
    ----------
    sets : tuple of tuples of int
        The family of sets of cells.
    """

    sets: tuple[tuple[int, ...], ...] = field(default=(), kw_only=True)

    labelled = True

    def size(self, dimension: int) -> int:
        """Number of sets in the family."""
        return len(self.sets)

    def mark(self, dimension: int) -> tuple[float, ...]:
        ends = (float(entry) for one in self.sets for entry in (*one, -1))
        return (*super().mark(dimension), *ends)


def partition(
    function: Callable[..., Any],
    cells: int,
    *,
    sets: Iterable[Iterable[int]] | None = None,
    label: str = "",
) -> Partition:
    """A multi-valued query: P(h(x, y) = l) for l = 0, ..., cells - 1, in one vector.

    Parameters
    ----------
    function : function
        h(x, y) on n examples: (n,) integers from 0 to cells - 1.
    cells : int
        L, the number of values.
    sets : family of sets of cells, optional
        Those over which sums of the answer are held to the tolerance; each cell alone unless
        given.
    """
    if isinstance(cells, bool) or not isinstance(cells, int) or cells < 1:
        raise BadInput(f"cells is {cells!r}; wanted the number of values, an integer >= 1")
    given = [(cell,) for cell in range(cells)] if sets is None else sets
    family = tuple(tuple(sorted(set(one))) for one in given)
    if not family or len(set(family)) < len(family):
        raise BadInput(f"sets are {family!r}; wanted at least one set, and none of them twice")
    for one in family:
        if not one or not all(isinstance(c, int) and 0 <= c < cells for c in one):
            raise BadInput(f"the set {one!r} must hold cells from 0 to {cells - 1}, at least one")
    form = Opaque(_OneHot(function, cells), cells)
    return Partition(form, label, range=(0.0, 1.0), sets=family)


@final
@dataclass(frozen=True)
class MVStat(Tolerance):
    """MVSTAT(L, t): for every set Z of the family of a Partition, with p_Z its probability,

    |sum over l in Z of v_l - p_Z| <= max(1/t, sqrt(p_Z (1 - p_Z)/t)).

    Entries alone are held to this where they are sets of the family, and else to 1.  A query is
    charged |family| times 1/tau^2 = t.
    """

    t: float
    scale = Scale.NONE

    def __post_init__(self) -> None:
        positive(self.t, "t")

    @property
    def tau(self) -> float:  # type: ignore[override]
        """1/sqrt t."""
        return 1 / math.sqrt(self.t)

    def radius(self, mean: Mean) -> Array:
        raise BadInput(f"{self!r} is measured by a family of sets; take {self!r}.of(query)")

    def smallest_radius(self, mean: Mean) -> float:
        return float(self.radius(mean))

    def finer(self) -> Tolerance:
        return replace(self, t=4 * self.t)

    def check(self, query: Declared, labels: Callable[[], float | None]) -> None:
        if not isinstance(query, Partition):
            raise QueryRefused(
                f"query {query.label!r} is a {type(query).__name__}, and {self!r} is for the "
                "multi-valued queries made by partition(function, cells, sets=...)"
            )

    def of(self, query: Declared) -> Tolerance:
        self.check(query, lambda: None)
        assert isinstance(query, Partition)
        return JointStat(self.t, query.sets)


@final
@dataclass(frozen=True)
class JointStat(Tolerance):
    """MVStat(t) for one family of sets."""

    t: float
    sets: tuple[tuple[int, ...], ...]
    scale = Scale.NONE

    @property
    def tau(self) -> float:  # type: ignore[override]
        return 1 / math.sqrt(self.t)

    def radius(self, mean: Mean) -> Array:
        """Half-widths within which entries may move all at once."""
        radius = np.ones(mean.value.shape)
        for one, allowed in zip(self.sets, self._allowed(mean), strict=True):
            radius[list(one)] = np.minimum(radius[list(one)], allowed / len(one))
        return radius

    def reach(self, mean: Mean) -> tuple[Array, Array]:
        """How far single entries may move, the others making up for it."""
        reach = np.maximum(np.ones(mean.value.shape), mean.error)
        for one, allowed in zip(self.sets, self._allowed(mean), strict=True):
            if len(one) == 1:
                reach[one[0]] = allowed
        return reach, reach

    def smallest_radius(self, mean: Mean) -> float:
        return float(np.min(self.radius(mean)))

    def finer(self) -> Tolerance:
        return replace(self, t=4 * self.t)

    def admits(self, other: Tolerance) -> bool:
        return False

    def settle(self, mean: Mean, answer: Array) -> Array:
        """The answer moved toward the mean until all sums are lawful, and not further."""
        moved = answer - dense(mean.value)
        error = np.broadcast_to(np.asarray(mean.error, dtype=np.float64), moved.shape)
        share = 1.0
        for one, allowed in zip(self.sets, self._allowed(mean), strict=True):
            entries = list(one)
            # What the error and the rounding of a sum could add is taken off.
            slack = DOWN * allowed - float(np.sum(error[entries]))
            away = abs(float(np.sum(moved[entries])))
            rounding = 2.0**-50 * float(np.sum(np.abs(answer[entries])) + 1)
            if away + rounding > slack:
                share = min(share, max((slack - rounding) / away, 0.0) if away > 0 else share)
        return answer if share == 1.0 else np.asarray(dense(mean.value) + share * moved)

    def _allowed(self, mean: Mean) -> list[float]:
        """For each set, the least radius over the probabilities within the error."""
        value = dense(mean.value)
        error = np.broadcast_to(np.asarray(mean.error, dtype=np.float64), value.shape)
        found = []
        for one in self.sets:
            p, e = float(np.sum(value[list(one)])), float(np.sum(error[list(one)]))
            ends = np.clip([p - e, p + e], 0.0, 1.0)
            spread = math.sqrt(float(np.min(ends * (1 - ends))) / self.t)
            found.append(DOWN * max(1 / self.t, spread))
        return found


@final
@dataclass(frozen=True)
class _OneHot:
    """Indicators of the cells, (n, cells)."""

    function: Callable[..., Any]
    cells: int

    def __call__(self, x: Array, y: Array) -> Array:
        found = np.asarray(self.function(x, y))
        if found.shape != (len(x),):
            raise BadInput(
                f"the function of a partition returned shape {found.shape} on {len(x)} examples; "
                f"wanted ({len(x)},)"
            )
        whole = np.asarray(found, dtype=np.float64)
        if not ((whole == np.rint(whole)) & (whole >= 0) & (whole < self.cells)).all():
            raise BadInput(
                f"the function of a partition returned values other than 0, ..., {self.cells - 1}"
            )
        return np.asarray(whole[:, None] == np.arange(self.cells), dtype=np.float64)
