"""What a private oracle must remember: its answers, and what they cost.

Noise that was given is not taken back: a question that was answered has one answer for ever, and
what it cost stays spent.  This file does not know queries' means or noise.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from sqsim.errors import BudgetSpent, QueryRefused
from sqsim.guarantee import positive_number
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
class Spending:
    """The answers of one oracle by turn and place, and a budget that they come out of.

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
        self._answers: dict[tuple[int, int], tuple[bytes, int, Any]] = {}
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
            marks = [signature(query, dimension) for query in queries]
            self._compare(queries, marks, turn)
            first: dict[int, int] = {}
            places = [first.setdefault(id(query), i) for i, query in enumerate(queries)]
            missing = [i for i in first.values() if (turn, i) not in self._answers]
            self._afford(sum(costs[i] for i in missing))
            for i in missing:
                answer = fresh(i, queries[i], self.spent)
                self._answers[turn, i] = (marks[i], costs[i], answer)
                self.spent += costs[i]
            return tuple(self._answers[turn, i][2] for i in places)

    def recall(
        self,
        queries: Sequence[Query],
        turn: int,
        answers: Sequence[Any],
        *,
        dimension: int,
        costs: Sequence[int],
    ) -> None:
        """Take over what a transcript says was answered and paid for before."""
        with self._lock:
            seen: set[int] = set()
            for i, (query, answer) in enumerate(zip(queries, answers, strict=False)):
                if id(query) in seen or (turn, i) in self._answers:
                    continue
                seen.add(id(query))
                self._answers[turn, i] = (signature(query, dimension), costs[i], answer)
                self.spent += costs[i]

    def _compare(self, queries: Sequence[Query], marks: Sequence[bytes], turn: int) -> None:
        for i, query in enumerate(queries):
            kept = self._answers.get((turn, i))
            if kept is not None and kept[0] != marks[i]:
                raise QueryRefused(
                    f"query {query.label!r} at turn {turn}: another question was answered there, "
                    "and a private answer is not taken back; make a new oracle for another run"
                )

    def _afford(self, cost: int) -> None:
        if self.limit is None or self.spent + cost <= self.limit:
            return
        raise BudgetSpent(
            self.resource,
            spent=self.spent,
            requested=cost,
            remaining=self.limit - self.spent,
        )


def signature(query: Query, dimension: int) -> bytes:
    """What tells questions apart: kind, form, shape and mark."""
    name = f"{type(query).__name__} {type(query.form).__name__} {query.shape(dimension)}"
    return name.encode() + np.asarray(query.mark(dimension), dtype=np.float64).tobytes()


def check_epsilon(epsilon: float) -> float:
    """A privacy parameter, checked."""
    positive_number(epsilon, "epsilon")
    return float(epsilon)
