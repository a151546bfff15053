"""What a run costs and what was said in it, as plain data.

This file does not know files, oracles or strategies.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, final

import numpy as np

from sqsim.journal import finite
from sqsim.lowrank import LowRank
from sqsim.queries import Batch, Query
from sqsim.tolerance import Tolerance

SMALL = 64
"""Arrays of at most this many numbers are written inside the line, larger ones beside it."""

_TEXT = 200


@final
@dataclass(frozen=True)
class Ledger:
    """What a run costs.  `a + b` is one after the other, `a | b` side by side.

    Attributes
    ----------
    queries : scalar queries.
    rounds : batches that were answered.
    finest : smallest tolerance asked, None if nothing was.
    cost : sum of 1 / tau^2 over the scalar queries; inf when a tolerance was 0.
    """

    queries: int = 0
    rounds: int = 0
    finest: float | None = None
    cost: float = 0.0

    def __add__(self, other: Ledger) -> Ledger:
        return self._joined(other, self.rounds + other.rounds)

    def __or__(self, other: Ledger) -> Ledger:
        return self._joined(other, max(self.rounds, other.rounds))

    def _joined(self, other: Ledger, rounds: int) -> Ledger:
        if self.finest is None or (other.finest is not None and other.finest < self.finest):
            finest = other.finest
        else:
            finest = self.finest
        return Ledger(self.queries + other.queries, rounds, finest, self.cost + other.cost)

    def to_dict(self) -> dict[str, Any]:
        """Strict JSON; an infinite cost is the string "inf"."""
        return dict(finite(asdict(self)))


def bill(prices: Iterable[tuple[int, float]], *, rounds: int) -> Ledger:
    """The ledger of queries given as (scalar queries, tau)."""
    queries, cost = 0, 0.0
    finest: float | None = None
    for size, tau in prices:
        queries += size
        cost += size / tau / tau if tau else np.inf
        finest = tau if finest is None else min(finest, tau)
    return Ledger(queries, rounds, finest, cost)


def settle(answer: Any) -> Any:
    """The answer as a strategy sees it and a transcript keeps it.

    float64, in C order, read-only: the same bytes when it is replayed, whatever was done to it.
    """
    if isinstance(answer, np.float64):
        return answer
    if isinstance(answer, LowRank):
        return LowRank(settle(answer.basis), settle(answer.core))
    array = np.asarray(answer, dtype=np.float64, order="C")
    if array.ndim == 0:
        return array[()]
    if array.flags.writeable:
        array = array.view()
        array.flags.writeable = False
    return array


def plain(value: Any) -> Any:
    """The part of a note that JSON can hold; the rest as a few words."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str):
        return value[:_TEXT]
    if isinstance(value, np.generic) and not isinstance(value, np.complexfloating):
        return plain(value.item())
    if isinstance(value, np.ndarray):
        if value.size <= SMALL and value.dtype.kind in "biuf":
            return value.tolist()
        return f"array of shape {value.shape}"
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple) and len(value) <= SMALL:
        return [plain(item) for item in value]
    return repr(value)[:_TEXT]


@final
@dataclass(frozen=True)
class Refusal:
    """Why queries of a batch were not answered: the name of the error and its message."""

    error: str
    message: str


@final
@dataclass(frozen=True, eq=False)
class Exchange:
    """One turn: a batch and its answers.

    Attributes
    ----------
    turn : position in the run, from 0.
    batch : what was asked; after a budget ran out, the leading queries that still fitted.
    answers : one for each query, or none when the oracle refused.
    refusal : why the batch was refused or cut, None if it was answered whole.
    """

    turn: int
    batch: Batch[Query]
    answers: tuple[Any, ...]
    refusal: Refusal | None = None


@final
@dataclass(frozen=True)
class Asked:
    """A query as plain data; its mark stands for the function.

    Attributes
    ----------
    kind, form : names of the classes.
    shape, size : of the answer; `size` is in scalar queries.
    tau : the tolerance it was answered within.
    mark : values of the function at a few fixed points.
    """

    kind: str
    form: str
    label: str
    shape: tuple[int, ...]
    size: int
    tau: float
    mark: tuple[float, ...]

    def differs(self, other: Asked, *, rtol: float = 1e-9) -> str | None:
        """How `other` is another question, or None; labels do not matter.

        Entries of a mark are compared relatively, with an allowance of 1e-13 of the largest one
        for sums that cancel.
        """
        for name in ("kind", "form", "shape", "tau"):
            mine, its = getattr(self, name), getattr(other, name)
            if mine != its:
                return f"{name} {mine!r} against {its!r}"
        a, b = np.array(self.mark), np.array(other.mark)
        atol = 1e-13 * float(np.max(np.abs(a[np.isfinite(a)]), initial=0.0))
        same = a.shape == b.shape and np.allclose(a, b, rtol=rtol, atol=atol, equal_nan=True)
        return None if same else f"mark {_short(self.mark)} against {_short(other.mark)}"


def _short(mark: tuple[float, ...]) -> str:
    shown = ", ".join(f"{value:.12g}" for value in mark[:16])
    return f"({shown}, ...)" if len(mark) > 16 else f"({shown})"


def facts(query: Query, dimension: int, tolerance: Tolerance) -> dict[str, Any]:
    """The fields of Asked, where `tolerance` is what a query that names none is granted."""
    return {
        "kind": type(query).__name__,
        "form": type(query.form).__name__,
        "label": query.label,
        "shape": query.shape(dimension),
        "size": query.size(dimension),
        "tau": (query.tolerance or tolerance).tau,
        "mark": query.mark(dimension),
    }


@final
@dataclass(frozen=True, eq=False)
class Record:
    """An exchange as a transcript holds it; large answers are read when they are asked for.

    Attributes
    ----------
    turn, refusal : as in Exchange.
    queries : what was asked.
    note : what of the note is plain data.
    """

    turn: int
    queries: tuple[Asked, ...]
    note: Mapping[str, Any]
    refusal: Refusal | None
    stored: tuple[Any, ...] = field(repr=False)
    load: Callable[[Any], Any] = field(repr=False)

    @property
    def answers(self) -> tuple[Any, ...]:
        return tuple(self.load(item) for item in self.stored)

    @property
    def cut(self) -> bool:
        """Whether a budget ended the batch before its end."""
        return self.refusal is not None and self.refusal.error == "BudgetSpent"

    @property
    def ledger(self) -> Ledger:
        """What this turn cost; a refused batch costs nothing."""
        answered = self.queries[: len(self.stored)]
        rounds = int(bool(self.stored) or self.refusal is None)
        return bill(((asked.size, asked.tau) for asked in answered), rounds=rounds)
