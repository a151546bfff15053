"""Laws for parts written elsewhere: strategies, oracles, policies.

Each check returns None or raises AssertionError saying which law is broken.  This file does not
know the strategies, oracles and policies that come with sqsim, nor the test runner.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Protocol, TypeVar, final

import numpy as np

from sqsim.errors import BadInput, QueryRefused, SqsimError
from sqsim.loop import run
from sqsim.lowrank import Array, LowRank, dense
from sqsim.oracles.protocol import Oracle
from sqsim.queries import Batch, Query
from sqsim.seeds import Role, Seed, rng
from sqsim.strategy import Answers
from sqsim.tolerance import Absolute, Mean, Tolerance

__all__ = ["Scripted", "check_oracle", "check_policy", "check_strategy"]

Q = TypeVar("Q", bound=Query)

_ROUNDING = 1e-9


@final
@dataclass(frozen=True, eq=False)
class Scripted:
    """An oracle that reads its answers from a list.

    Parameters
    ----------
    script : sequence
        For turn t, the answers to the whole batch, or an error to raise.
    dimension : int
    tolerance : Tolerance
    """

    script: Sequence[Sequence[Any] | SqsimError]
    dimension: int = 1
    tolerance: Tolerance = field(default_factory=partial(Absolute, 0.1))

    def answer(self, batch: Batch[Query], turn: int) -> Answers:
        if turn >= len(self.script):
            raise BadInput(
                f"the script holds {len(self.script)} turns and turn {turn} was asked; add answers"
            )
        line = self.script[turn]
        if isinstance(line, SqsimError):
            raise line
        # A budget may have cut the batch.
        return tuple(line[: len(batch.queries)])

    def describe(self) -> dict[str, object]:
        return {"access": "SQ", "policy": "scripted", "tolerance": repr(self.tolerance)}


class _Window(Protocol):
    @property
    def center(self) -> Array: ...

    @property
    def slack(self) -> Array: ...


W = TypeVar("W", bound=_Window)


def check_strategy(
    strategy_factory: Callable[[], Generator[Batch[Q], Answers, Any]], oracle: Oracle[Q]
) -> None:
    """A strategy asks the same questions again, yields only batches, and can be closed.

    Parameters
    ----------
    strategy_factory : function of no arguments
        Makes the strategy afresh, with all its seeds.
    oracle : Oracle
        Lets the strategy come to its end.
    """
    first = run(strategy_factory(), oracle).transcript
    second = run(strategy_factory(), oracle).transcript
    _must(len(first) == len(second), f"{len(first)} turns, then {len(second)}: not deterministic")
    for one, two in zip(first, second, strict=True):
        where = f"turn {one.turn}"
        _must(
            len(one.queries) == len(two.queries),
            f"{where}: {len(one.queries)} queries, then {len(two.queries)}: not deterministic",
        )
        for asked, again in zip(one.queries, two.queries, strict=True):
            difference = asked.differs(again, rtol=0.0)
            _must(difference is None, f"{where}, {asked.label!r}: {difference}: not deterministic")
    for turns in (0, 1, len(first) // 2, len(first) - 1):
        _close_after(strategy_factory(), oracle, turns)


def _close_after(
    strategy: Generator[Batch[Q], Answers, Any], oracle: Oracle[Q], turns: int
) -> None:
    try:
        batch = next(strategy)
        for turn in range(turns):
            batch = strategy.send(oracle.answer(batch, turn))
    except (StopIteration, SqsimError):
        return
    try:
        strategy.close()
    except Exception as error:
        raise AssertionError(f"closing it after {turns} turns raised {error!r}") from error


def check_oracle(oracle: Oracle[Q], batch: Batch[Q], exact: Sequence[Mean | Any]) -> None:
    """An oracle answers within its tolerance, the same at the same turn, and no finer than it may.

    Parameters
    ----------
    oracle : Oracle
    batch : Batch
    exact : for each query, its mean: a Mean with the scale that the tolerance needs, or a plain
        number or array when the tolerance needs none.
    """
    _must(len(exact) == len(batch.queries), f"{len(exact)} means, {len(batch.queries)} queries")
    try:
        json.dumps(oracle.describe())
    except TypeError as error:
        raise AssertionError(f"describe() cannot be written as JSON: {error}") from error
    answers = oracle.answer(batch, 0)
    _must(len(answers) == len(exact), f"{len(answers)} answers to {len(exact)} queries")
    for query, answer, mean in zip(batch.queries, answers, exact, strict=True):
        _check_answer(query, answer, mean, oracle)
    oracle.answer(batch, 1)
    for query, one, two in zip(batch.queries, answers, oracle.answer(batch, 0), strict=True):
        _must(
            np.array_equal(dense(one), dense(two)),
            f"{query.label!r}: another answer at the same turn: not pure",
        )
    _check_finer(oracle, batch)


def _check_answer(query: Query, answer: Any, exact: Mean | Any, oracle: Oracle[Q]) -> None:
    tolerance = (query.tolerance or oracle.tolerance).of(query)
    mean = exact if isinstance(exact, Mean) else Mean(np.asarray(exact, dtype=np.float64), 0.0)
    value, center = dense(answer), dense(mean.value)
    wanted = query.shape(oracle.dimension)
    _must(value.shape == wanted, f"{query.label!r}: shape {value.shape}, wanted {wanted}")
    below, above = (reach + mean.error for reach in tolerance.reach(mean))
    apart = np.maximum(center - value - below, value - center - above)
    excess = np.max(apart - _ROUNDING * (1 + np.abs(center)), initial=0)
    _must(excess <= 0, f"{query.label!r}: answer outside {tolerance!r} by {excess:.3g}")


def _check_finer(oracle: Oracle[Q], batch: Batch[Q]) -> None:
    if oracle.tolerance.tau == 0:
        return
    finer = oracle.tolerance.finer()
    query = replace(batch.queries[0], tolerance=finer)
    try:
        oracle.answer(Batch((query,)), 0)
    except QueryRefused:
        return
    raise AssertionError(f"an oracle of {oracle.tolerance!r} answered within {finer!r}")


def check_policy(
    policy: Callable[[W, np.random.Generator], Array | LowRank], windows: Sequence[W], seed: Seed
) -> None:
    """A policy stays in its window, keeps shape and symmetry, and draws only from its generator."""
    for turn, window in enumerate(windows):
        answer = policy(window, rng(seed, Role.POLICY, turn))
        value, center, slack = dense(answer), dense(window.center), dense(window.slack)
        where = f"window {turn} of shape {center.shape}"
        _must(value.shape == center.shape, f"{where}: answer of shape {value.shape}")
        excess = np.max(np.abs(value - center) - slack - _ROUNDING * (1 + np.abs(center)))
        _must(bool(excess <= 0), f"{where}: answer outside by {excess:.3g}")
        if value.ndim == 2:
            _must(np.array_equal(value, value.T), f"{where}: answer is not symmetric")
        again = dense(policy(window, rng(seed, Role.POLICY, turn)))
        _must(np.array_equal(value, again), f"{where}: another answer from the same generator")


def _must(kept: bool | np.bool_, message: str) -> None:
    if not kept:
        raise AssertionError(message)
