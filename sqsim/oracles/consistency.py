"""Which instances allow an answer: those whose mean is within the tolerance of it.

This file does not know families, nor who chooses the answers.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, final

import numpy as np

from sqsim.errors import ToleranceUnreachable
from sqsim.links import Link
from sqsim.lowrank import Array, EntryNorms, LowRank, dense
from sqsim.oracles.candidates import Visibility, only_link, seen
from sqsim.oracles.policies import Window, apply, toward
from sqsim.oracles.protocol import Means
from sqsim.problems.index import IndexInstance
from sqsim.queries import Correlation, Query, Ridge
from sqsim.seeds import Role, Seed, rng
from sqsim.tolerance import L2, Mean, Tolerance

FIRST = 32
"""Rows of a matrix that are compared before all of it."""

MARGIN = 1e-6
"""Part of the tolerance that is kept, so that exact arithmetic confirms what floats decided."""


@final
@dataclass(frozen=True, eq=False)
class Answered:
    """A query, what it was granted, and the answer that it got."""

    turn: int
    query: Query
    tolerance: Tolerance
    answer: Any

    @property
    def is_zero(self) -> bool:
        """Whether the answer is 0 in every entry."""
        parts = self.answer.core if isinstance(self.answer, LowRank) else self.answer
        return not np.any(parts)


@final
class Consistency:
    """Decides by the members' means, or, where the answer is 0, by what the query can see at all.

    For the answer 0 to a correlation in the L2 convention `Visibility` bounds |mean| / ||phi||
    whatever the query's function is, so that nothing is integrated.
    """

    def __init__(self, means: Means, seed: Seed) -> None:
        self.means, self._seed = means, seed
        self._visible: dict[Hashable, tuple[Link, Visibility]] = {}
        # Members and queries are kept beside their means, so that no id is given away.
        self._found: dict[tuple[int, int], tuple[IndexInstance, Query, Mean]] = {}

    def forget(self) -> None:
        """Drop the means of earlier queries."""
        self._found.clear()

    def allowing(
        self,
        members: Sequence[IndexInstance],
        answered: Iterable[Answered],
        *,
        losing: int | None = None,
    ) -> tuple[IndexInstance, ...]:
        """Those that allow all; none as soon as `losing` do not, since that is no gain."""
        left = tuple(members)
        for one in answered:
            if not left:
                break
            kept: list[IndexInstance] = []
            for place, (member, hidden) in enumerate(
                zip(left, self._unseen(left, one), strict=True)
            ):
                if hidden or self._contains(member, one):
                    kept.append(member)
                elif losing is not None and place + 1 - len(kept) >= losing:
                    return ()
            left = tuple(kept)
        return left

    def some(
        self, members: Sequence[IndexInstance], answered: Sequence[Answered], enough: int
    ) -> tuple[IndexInstance, ...]:
        """Members that allow all: those that cost nothing to judge, and others up to `enough`."""
        if not members:
            return ()
        unseen = [self._unseen(members, one) for one in answered]
        kept: list[IndexInstance] = []
        for place, member in enumerate(members):
            open_still = [
                one for one, hidden in zip(answered, unseen, strict=True) if not hidden[place]
            ]
            if open_still and len(kept) >= enough:
                continue
            if all(self._contains(member, one) for one in open_still):
                kept.append(member)
        return tuple(kept)

    def _unseen(self, members: Sequence[IndexInstance], one: Answered) -> list[bool]:
        """Whether the answer is 0 and lawful for whatever function of these directions is asked."""
        query, links = one.query, [only_link(member) for member in members]
        form = query.form
        if not (
            isinstance(query, Correlation)
            and isinstance(form, Ridge)
            and type(one.tolerance) is L2
            and one.is_zero
            and any(link is not None for link in links)
        ):
            return [False] * len(members)
        directions = np.stack([member.labels.terms[0].direction for member in members], axis=1)
        reach = (1 - MARGIN) * one.tolerance.tau
        return [
            link is not None and bool(self.visibility(link)(rho) <= reach)
            for link, rho in zip(links, seen(form, directions), strict=True)
        ]

    def visibility(self, link: Link) -> Visibility:
        """Found once for each link."""
        try:
            hash(link)
            key: Hashable = link
        except TypeError:
            key = id(link)
        if key not in self._visible:
            # The link is kept, so that its id is not given away.
            self._visible[key] = (link, Visibility.of(link))
        return self._visible[key][1]

    def _contains(self, member: IndexInstance, one: Answered) -> bool:
        """Whether the member's own mean is within the tolerance of the answer, error included."""
        mean = self.mean(member, one)
        if isinstance(mean.value, LowRank) and _leaves(mean, one):
            return False
        if not float(np.max(mean.error)) <= one.tolerance.smallest_radius(mean):
            return False
        window, value = Window(mean, one.tolerance), dense(one.answer)
        return bool(np.all((window.low <= value) & (value <= window.high)))

    def mean(self, member: IndexInstance, one: Answered) -> Mean:
        key = (id(member), id(one.query))
        if key not in self._found:
            scales = [one.tolerance.scale]
            found = self.means.means(member, [one.query], scales, seed=self._seed, turn=one.turn)[0]
            self._found[key] = (member, one.query, found)
        return self._found[key][2]

    def nearest(self, member: IndexInstance, null: Answered) -> Answered:
        """The null answer moved into the member's window, not further than needed."""
        mean = self.mean(member, null)
        error, radius = float(np.max(mean.error)), null.tolerance.smallest_radius(mean)
        if not error <= radius:
            raise ToleranceUnreachable(
                f"{type(self.means).__name__} on query {null.query.label!r}: error {error:.2g} "
                f"exceeds radius {radius:.2g} of {null.tolerance!r}; use a coarser tolerance"
            )
        stream = rng(self._seed, Role.ORACLE, null.turn)
        value = apply(toward(dense(null.answer)), Window(mean, null.tolerance), stream)
        return replace(null, answer=value)


def _leaves(mean: Mean, one: Answered) -> bool:
    """Whether the first rows of a matrix answer are out already: most members go by these."""
    scale, count = mean.scale, min(FIRST, mean.value.shape[0])
    if isinstance(scale, EntryNorms):
        scale = scale.rows(0, count)
    elif np.ndim(scale):
        scale = np.asarray(scale)[:count]
    error = np.asarray(mean.error)[:count] if np.ndim(mean.error) else mean.error
    rows = Mean(_rows(mean.value, count), error, scale)
    apart = np.abs(_rows(one.answer, count) - dense(rows.value))
    return bool(np.any(apart > one.tolerance.radius(rows)))


def _rows(value: Any, count: int) -> Array:
    if isinstance(value, LowRank):
        return np.asarray(value.basis[:count] @ value.core @ value.basis.T)
    return np.asarray(value[:count])
