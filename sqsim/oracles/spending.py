"""What a private oracle must remember: its answers, and what they cost.

Noise that was given is not taken back: a question that was answered has one answer for ever, and
what it cost stays spent.  This file does not know queries' means or noise.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace
from types import FunctionType
from typing import Any, final

import numpy as np
import xxhash

from sqsim.errors import BudgetSpent, QueryRefused
from sqsim.lowrank import dense
from sqsim.oracles.wrappers import identity
from sqsim.queries import Query
from sqsim.transcript import Transcript


@final
@dataclass(frozen=True)
class PrivacyLedger:
    """Who has spent how much privacy.

    Attributes
    ----------
    epsilon, delta : float
        Spent by the person who has spent most.
    users : int
        People whose data was used.
    rounds : int
        Rounds in which they were asked.
    """

    epsilon: float = 0.0
    delta: float = 0.0
    users: int = 0
    rounds: int = 0

    @property
    def interactive(self) -> bool:
        """Whether later questions depended on earlier reports."""
        return self.rounds > 1


def local_ledger(transcript: Transcript) -> PrivacyLedger:
    """The epsilon ledger of a run of `local_private`, from its transcript alone.

    Every scalar that was answered took `users` people of their own, each of whom spent epsilon
    once.  Whoever runs an audit compares this with the ledger that the oracle kept.
    """
    header = transcript.header.get("oracle") or {}
    if header.get("access") != "local privacy":
        raise QueryRefused(
            f"the transcript is of {header.get('access')!r}; wanted one of local_private(...)"
        )
    scalars = [sum(q.size for q in r.queries[: len(r.stored)]) for r in transcript]
    rounds = sum(count > 0 for count in scalars)
    users = sum(scalars) * int(header["users"])
    return PrivacyLedger(float(header["epsilon"]) if users else 0.0, 0.0, users, rounds)


@final
@dataclass(frozen=True)
class _Kept:
    """An answer and its question, which is kept so that no id of its functions is given away."""

    query: Query
    identity: Hashable
    mark: bytes
    cost: int
    answer: Any


@final
class Spending:
    """The answers of one oracle by turn and place, and a budget that they come out of.

    A question is that of an answer if it has equal frame, power, kinks and marks, and is made of
    the same Python functions or of ones of the same code that hold equal numbers.  Marks alone do
    not tell: two functions may agree at a few points.

    Parameters
    ----------
    resource : str
        What is spent, as it stands in messages.
    limit : int or None

    Attributes
    ----------
    spent : int
    """

    def __init__(self, resource: str, limit: int | None) -> None:
        self.resource, self.limit = resource, limit
        self._answers: dict[tuple[int, int], _Kept] = {}
        self._lock = threading.RLock()
        self.spent = 0

    @property
    def rounds(self) -> int:
        return len({turn for turn, _ in self._answers})

    def answered(
        self,
        queries: Sequence[Query],
        turn: int,
        *,
        dimension: int,
        costs: Sequence[int],
        fresh: Callable[[int, Query, int], Any],
    ) -> tuple[Any, ...]:
        """Answers from memory, the others by fresh(index, query, spent so far).

        The same query object twice in a batch is answered and paid for once.
        """
        with self._lock:
            asked = [
                _Kept(q, _written(identity(q)), signature(q, dimension), 0, None) for q in queries
            ]
            self._compare(asked, turn)
            first: dict[int, int] = {}
            places = [first.setdefault(id(query), i) for i, query in enumerate(queries)]
            missing = [i for i in first.values() if (turn, i) not in self._answers]
            self._afford(sum(costs[i] for i in missing))
            for i in missing:
                answer = fresh(i, queries[i], self.spent)
                self._answers[turn, i] = replace(asked[i], cost=costs[i], answer=answer)
                self.spent += costs[i]
            return tuple(self._answers[turn, i].answer for i in places)

    def recall(
        self,
        queries: Sequence[Query],
        turn: int,
        answers: Sequence[Any],
        *,
        dimension: int,
        costs: Sequence[int],
    ) -> list[int]:
        """Take over what a transcript says was answered and paid for before.

        Returns the places of the answers that were not known yet.

        Raises
        ------
        QueryRefused
            Where this oracle has answered another question there, or otherwise.
        """
        with self._lock:
            seen: set[int] = set()
            taken: list[int] = []
            for i, (query, answer) in enumerate(zip(queries, answers, strict=False)):
                if id(query) in seen:
                    continue
                seen.add(id(query))
                mark = signature(query, dimension)
                kept = self._answers.get((turn, i))
                if kept is not None:
                    if kept.mark != mark or not np.array_equal(dense(kept.answer), dense(answer)):
                        raise _taken(query, turn, "and the transcript is of another run")
                    continue
                what = _written(identity(query))
                self._answers[turn, i] = _Kept(query, what, mark, costs[i], answer)
                self.spent += costs[i]
                taken.append(i)
            return taken

    def _compare(self, asked: Sequence[_Kept], turn: int) -> None:
        for i, one in enumerate(asked):
            kept = self._answers.get((turn, i))
            if kept is None:
                continue
            if kept.mark != one.mark:
                raise _taken(one.query, turn, "and a private answer is not taken back")
            if kept.identity != one.identity:
                why = (
                    "or this one with another function object, which a few values cannot tell "
                    "apart; and a private answer is not taken back"
                )
                raise _taken(one.query, turn, why)

    def _afford(self, cost: int) -> None:
        if self.limit is None or self.spent + cost <= self.limit:
            return
        raise BudgetSpent(
            self.resource,
            spent=self.spent,
            requested=cost,
            remaining=self.limit - self.spent,
        )


def _taken(query: Query, turn: int, why: str) -> QueryRefused:
    return QueryRefused(
        f"query {query.label!r} at turn {turn}: another question was answered there, {why}; make "
        "a new oracle for another run"
    )


def signature(query: Query, dimension: int) -> bytes:
    """What tells questions apart: kind, form, shape and mark."""
    name = f"{type(query).__name__} {type(query.form).__name__} {query.shape(dimension)}"
    # -0 is 0.
    return name.encode() + (np.asarray(query.mark(dimension), dtype=np.float64) + 0.0).tobytes()


def _written(part: Any, depth: int = 8) -> Hashable:
    """A part of an identity, with functions by their code and what they hold, not as objects.

    A learner that is run again makes its functions anew.
    """
    if isinstance(part, tuple):
        return tuple(_written(each, depth) for each in part)
    if isinstance(part, FunctionType) and depth:
        try:
            cells = [cell.cell_contents for cell in part.__closure__ or ()]
        except ValueError:
            # A variable that the function closes over has no value yet.
            return (part,)
        named = sorted((part.__kwdefaults__ or {}).items())
        held = (*cells, *(part.__defaults__ or ()), *(value for _, value in named))
        inner = tuple(_written(each, depth - 1) for each in held)
        return ("code", part.__code__, id(part.__globals__), inner)
    if isinstance(part, np.ndarray) and part.dtype != object:
        return ("array", part.dtype.str, part.shape, xxhash.xxh3_128_hexdigest(part.tobytes()))
    try:
        hash(part)
    except TypeError:
        return ("id", id(part))
    return (type(part), part)
