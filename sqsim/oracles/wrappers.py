"""Oracles that stand before another oracle: remember its answers, or take them from a transcript.

This file does not know how means are found or answers chosen.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any, Generic, TypeVar, final

import xxhash
from numpy.typing import NDArray

from sqsim.errors import QueryRefused, ReplayDiverged, ToleranceUnreachable
from sqsim.oracles.protocol import Oracle, Q_contra
from sqsim.queries import Batch, Characters, Opaque, Query, Ridge
from sqsim.record import Asked, Record, facts
from sqsim.strategy import Answers
from sqsim.tolerance import Tolerance
from sqsim.transcript import Transcript

_Q = TypeVar("_Q", bound=Query)

_REFUSALS = {error.__name__: error for error in (QueryRefused, ToleranceUnreachable)}


def cached(oracle: Oracle[_Q]) -> Oracle[_Q]:
    """Ask the same function within the same tolerance only once, in a batch and across rounds.

    Functions are the same if they are one Python object, with equal frame, power and kinks.  With
    a policy that draws afresh at each turn, a repeated query gets its first answer again.  The
    ledger still charges every query.
    """
    return _Cached(oracle)


def replaying(oracle: Oracle[_Q], transcript: Transcript) -> Oracle[_Q]:
    """Answer turn t from the transcript while it lasts, then from the oracle.

    The questions must be those that were recorded, marks compared to a relative 1e-9, else
    ReplayDiverged.  A record that a budget cut, and what follows it, is asked again.
    """
    return _Replaying(oracle, transcript)


class Wrapper(Generic[Q_contra]):
    """Passes everything on, also what only some oracles have, such as a guarantee."""

    def __init__(self, inner: Oracle[Q_contra]) -> None:
        self._inner = inner

    @property
    def dimension(self) -> int:
        return self._inner.dimension

    @property
    def tolerance(self) -> Tolerance:
        return self._inner.tolerance

    def describe(self) -> dict[str, object]:
        return self._inner.describe()

    def recall(self, batch: Batch[Q_contra], turn: int, answers: Answers) -> None:
        """What a transcript says was answered before: for oracles that remember or spend."""
        recall = getattr(self._inner, "recall", None)
        if recall is not None:
            recall(batch, turn, answers)

    def __getattr__(self, name: str) -> Any:
        # Underscored names would recurse where `_inner` itself is not there yet.
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self._inner, name)


@final
class _Cached(Wrapper[Q_contra]):
    def __init__(self, inner: Oracle[Q_contra]) -> None:
        super().__init__(inner)
        # The query is kept beside its answer, so that the id of its function is not given away.
        self._seen: dict[Hashable, tuple[Query, Any]] = {}

    def answer(self, batch: Batch[Q_contra], turn: int) -> Answers:
        keys = [identity(query) for query in batch.queries]
        missing = self._missing(batch)
        if missing or not keys:
            fresh = self._inner.answer(Batch(tuple(missing.values()), batch.note), turn)
            for (key, query), value in zip(missing.items(), fresh, strict=True):
                self._seen[key] = (query, value)
        return tuple(self._seen[key][1] for key in keys)

    def recall(self, batch: Batch[Q_contra], turn: int, answers: Answers) -> None:
        missing = self._missing(batch)
        told: dict[Hashable, Any] = {}
        for query, answer in zip(batch.queries, answers, strict=False):
            told.setdefault(identity(query), answer)
        for key, query in missing.items():
            if key in told:
                self._seen[key] = (query, told[key])
        fresh = {key: query for key, query in missing.items() if key in told}
        part = Batch(tuple(fresh.values()), batch.note)
        super().recall(part, turn, tuple(told[key] for key in fresh))

    def describe(self) -> dict[str, object]:
        return {**self._inner.describe(), "cached": True}

    @property
    def epsilon_cost(self) -> Any:
        """Of a private oracle: what answering the batch would cost, remembered answers nothing."""
        inner: Any = self._inner
        cost = inner.epsilon_cost

        def of(batch: Batch[Q_contra], turn: int) -> float:
            missing = tuple(self._missing(batch).values())
            return float(cost(Batch(missing, batch.note), turn)) if missing else 0.0

        return of

    def _missing(self, batch: Batch[Q_contra]) -> dict[Hashable, Q_contra]:
        """The queries to ask: of those alike, one."""
        found: dict[Hashable, Q_contra] = {}
        for query in batch.queries:
            if (key := identity(query)) not in self._seen:
                found.setdefault(key, query)
        return found


@final
class _Replaying(Wrapper[Q_contra]):
    def __init__(self, inner: Oracle[Q_contra], transcript: Transcript) -> None:
        super().__init__(inner)
        self._transcript = transcript
        cuts = (record.turn for record in transcript if record.cut)
        self._until = next(cuts, len(transcript))

    def answer(self, batch: Batch[Q_contra], turn: int) -> Answers:
        if turn >= self._until:
            return self._inner.answer(batch, turn)
        record = self._transcript[turn]
        self._compare(batch, record)
        if record.refusal is not None:
            raise _REFUSALS[record.refusal.error](record.refusal.message)
        answers = record.answers
        # An oracle that remembers what it has spent is told what was spent before.
        self.recall(batch, turn, answers)
        return answers

    def _compare(self, batch: Batch[Q_contra], record: Record) -> None:
        if len(batch.queries) != len(record.queries):
            raise ReplayDiverged(
                f"turn {record.turn}: {len(batch.queries)} queries asked, the transcript holds "
                f"{len(record.queries)}; replay the same strategy, parameters, seed and budget"
            )
        for index, query in enumerate(batch.queries):
            asked = Asked(**facts(query, self.dimension, self.tolerance))
            difference = asked.differs(record.queries[index])
            if difference is not None:
                raise ReplayDiverged(
                    f"turn {record.turn}, query {index} ({query.label!r}): asked with {difference} "
                    "in the transcript; replay the same strategy, parameters and seed"
                )


def identity(query: Query) -> Hashable:
    """Equal for queries of one Python function, alike in all else but their labels."""
    form = query.form
    if isinstance(form, Ridge):
        frame = None if form.frame is None else _digest(form.frame)
        levels = tuple(map(float, form.levels))
        what: Hashable = (form.power, _function(form.h), frame, form.columns_kinks, levels)
    elif isinstance(form, Opaque):
        what = (form.size, _function(form.fn))
    elif isinstance(form, Characters):
        what = (None if form.masks is None else _digest(form.masks), _function(form.h))
    else:
        what = id(form)
    sets = getattr(query, "sets", None)
    return (type(query), query.tolerance, query.range, sets, type(form), what)


def _digest(frame: NDArray[Any]) -> Hashable:
    return (frame.shape, xxhash.xxh3_128_hexdigest(frame.tobytes()))


def _function(function: Any) -> Hashable:
    try:
        hash(function)
    except TypeError:
        return ("id", id(function))
    return (function,)
