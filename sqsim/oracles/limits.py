"""An oracle that stops answering when its budget is spent.

The budget belongs to the data, whoever asks; `Budget` of `run` is that of one run.  This file does
not know how answers are found.
"""

from __future__ import annotations

import math
from collections.abc import Hashable
from typing import Any, Protocol, TypeGuard, TypeVar, final

from sqsim.errors import BadInput, BudgetSpent
from sqsim.oracles.protocol import Oracle, Q_contra
from sqsim.oracles.wrappers import Wrapper, identity
from sqsim.queries import Batch, Query
from sqsim.record import bill
from sqsim.strategy import Answers

_Q = TypeVar("_Q", bound=Query)

ROUNDING = 1e-9
"""What a sum of charges may exceed a limit by, relative to the limit."""


class Private(Protocol):
    """An oracle that spends privacy."""

    def epsilon_cost(self, batch: Batch[Any], turn: int) -> float:
        """What answering this batch at this turn adds to epsilon; charges of batches add up.

        Nothing is spent by asking.  Where users are shared out among the rounds, so that none of
        them is asked twice, the first round costs epsilon and the later ones nothing.
        """
        ...


def spends_privacy(oracle: object) -> TypeGuard[Private]:
    """Whether an oracle, wrapped or not, says what a batch costs in privacy."""
    # Not isinstance: a wrapper has the method if and only if what it wraps has it.
    return callable(getattr(oracle, "epsilon_cost", None))


def limited(
    oracle: Oracle[_Q],
    *,
    queries: int | None = None,
    rounds: int | None = None,
    cost: float | None = None,
    epsilon: float | None = None,
) -> Oracle[_Q]:
    """Refuse, with BudgetSpent, every batch that does not fit into what is left.

    A batch that was refused, by this budget or by the oracle behind it, is not charged, and is
    not answered in part.  The same batch at the same turn is charged once.  Turns that `run`
    replays from a transcript are charged too, as they were when they were recorded.

    Parameters
    ----------
    oracle : Oracle
    queries : int, optional
        Scalar queries.
    rounds : int, optional
        Batches.
    cost : float, optional
        Sum of 1/tau^2 over the scalar queries, each at its own tolerance.
    epsilon : float, optional
        Of an oracle with a method `epsilon_cost(batch, turn)`, wrapped or not.

    Raises
    ------
    BadInput
        Where no limit is given, where one is not a number >= 0, and where `epsilon` is given and
        the oracle spends no privacy.
    """
    given = {"queries": queries, "rounds": rounds, "cost": cost, "epsilon": epsilon}
    limits = {name: limit for name, limit in given.items() if limit is not None}
    if not limits:
        raise BadInput("limited(oracle) names no limit; give queries, rounds, cost or epsilon")
    for name, limit in limits.items():
        whole = name in ("queries", "rounds")
        kind = int if whole else (int, float)
        if isinstance(limit, bool) or not isinstance(limit, kind) or not 0 <= limit < math.inf:
            wanted = "an integer >= 0" if whole else "a finite number >= 0"
            raise BadInput(f"the limit of {name} is {limit!r}; wanted {wanted} or None")
    if epsilon is not None and not spends_privacy(oracle):
        raise BadInput(
            f"a limit of epsilon needs a private oracle, and {type(oracle).__name__} has no "
            "epsilon_cost(batch, turn); limit its queries, rounds or cost instead"
        )
    return _Limited(oracle, limits)


@final
class _Limited(Wrapper[Q_contra]):
    def __init__(self, inner: Oracle[Q_contra], limits: dict[str, float]) -> None:
        super().__init__(inner)
        self._limits = limits
        self._spent: dict[str, float] = dict.fromkeys(limits, 0)
        # Batches are kept, so that the ids of their functions are not given away.
        self._charged: dict[Hashable, Batch[Q_contra]] = {}

    def answer(self, batch: Batch[Q_contra], turn: int) -> Answers:
        if _key(batch, turn) in self._charged:
            return self._inner.answer(batch, turn)
        charges = self._charges(batch, turn)
        for name, limit in self._limits.items():
            spent, requested = self._spent[name], charges[name]
            if not spent + requested <= limit * (1 + ROUNDING):
                remaining = max(limit - spent, 0)
                raise BudgetSpent(name, spent=spent, requested=requested, remaining=remaining)
        answers = self._inner.answer(batch, turn)
        self._charge(batch, turn, charges)
        return answers

    def recall(self, batch: Batch[Q_contra], turn: int, answers: Answers) -> None:
        if _key(batch, turn) not in self._charged:
            self._charge(batch, turn, self._charges(batch, turn))
        super().recall(batch, turn, answers)

    def _charge(self, batch: Batch[Q_contra], turn: int, charges: dict[str, float]) -> None:
        self._charged[_key(batch, turn)] = batch
        for name in self._limits:
            self._spent[name] += charges[name]

    def _charges(self, batch: Batch[Q_contra], turn: int) -> dict[str, float]:
        prices = [
            (query.size(self.dimension), (query.tolerance or self.tolerance).tau)
            for query in batch.queries
        ]
        ledger = bill(prices, rounds=1)
        charges: dict[str, float] = {
            "queries": ledger.queries,
            "rounds": ledger.rounds,
            "cost": ledger.cost,
        }
        if "epsilon" in self._limits:
            assert spends_privacy(self._inner)
            charge = float(self._inner.epsilon_cost(batch, turn))
            if not charge >= 0:
                raise BadInput(f"epsilon_cost of a batch is {charge}; wanted a number >= 0")
            charges["epsilon"] = charge
        return charges


def _key(batch: Batch[Any], turn: int) -> Hashable:
    return (turn, tuple(map(identity, batch.queries)))
