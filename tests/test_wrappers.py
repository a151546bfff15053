"""Wrappers change nothing that a strategy can see."""

from __future__ import annotations

import gc
from collections.abc import Callable
from itertools import permutations
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sqsim.errors import BadInput, BudgetSpent, QueryRefused, ReplayDiverged
from sqsim.loop import run
from sqsim.oracles.adversaries import consistent
from sqsim.oracles.limits import limited, spends_privacy
from sqsim.oracles.policies import exact, toward_zero, uniform
from sqsim.oracles.simulated import csq
from sqsim.oracles.watching import recorded, reordered
from sqsim.oracles.wrappers import cached, replaying
from sqsim.problems.dataset import Dataset
from sqsim.queries import Batch, Correlation, Opaque, Query, Ridge, Statistic
from sqsim.result import Status
from sqsim.strategy import SQ, Answers, ask, ask_all, together
from sqsim.testing import check_oracle, check_strategy
from sqsim.tolerance import Absolute, Tolerance, Unperturbed
from sqsim.transcript import Transcript

D = 4


def relu(s: Any, *y: Any) -> Any:
    return np.maximum(s, 0.0)


class Marking:
    """Answers a query with the sum of its mark, whatever the turn, and counts what it is asked."""

    dimension = D
    tolerance: Tolerance = Absolute(0.25)

    def __init__(self) -> None:
        self.batches: list[int] = []

    def answer(self, batch: Batch[Query], turn: int) -> Answers:
        self.batches.append(len(batch.queries))
        for query in batch.queries:
            if query.tolerance is not None and not self.tolerance.admits(query.tolerance):
                raise QueryRefused(f"{query.tolerance} is finer than {self.tolerance}")
        return tuple(np.full(query.shape(D), float(sum(query.mark(D)))) for query in batch.queries)

    def describe(self) -> dict[str, object]:
        return {"access": "SQ"}


def gradient(w: np.ndarray, label: str = "") -> Correlation:
    return Correlation(Ridge(relu, w, power=1), label)


def descent(steps: int, shift: float = 0.0) -> SQ[np.ndarray]:
    w = np.ones(D)
    for step in range(steps):
        g, _ = yield from ask_all(gradient(w + shift * (step == 2)), gradient(w), step=step)
        w = np.cos(w + g)
    return w


def test_the_same_function_is_asked_once() -> None:
    inner = Marking()
    oracle = cached(inner)
    w = np.ones(D)
    one = gradient(w, "one")
    batch: Batch[Query] = Batch(
        (
            one,
            one,
            gradient(w.copy(), "another name"),
            gradient(2 * w),
            Statistic(Ridge(relu, w, power=1)),
            Correlation(Ridge(relu, w)),
            Correlation(Ridge(relu, w, power=1), tolerance=Absolute(1.0)),
            Correlation(Ridge(relu, w, power=1, kinks=[0.0])),
            Correlation(Ridge(abs, w, power=1)),
        )
    )
    plain = Marking().answer(batch, 0)
    for turn in range(3):
        for a, b in zip(oracle.answer(batch, turn), plain, strict=True):
            np.testing.assert_array_equal(a, b)
    assert inner.batches == [7]


def test_opaque_functions_are_told_apart_by_identity() -> None:
    class Unhashable:
        __hash__ = None  # type: ignore[assignment]

        def __call__(self, x: Any) -> Any:
            return x[:, 0]

    inner = Marking()
    oracle = cached(inner)
    one, other = Unhashable(), Unhashable()
    for fn in (one, other, one, len):
        if fn is not len:
            oracle.answer(Batch((Correlation(Opaque(fn)),)), 0)
    assert inner.batches == [1, 1]


def test_caching_changes_neither_value_nor_cost() -> None:
    bare = run(descent(5), Marking())
    wrapped = run(descent(5), cached(Marking()))
    np.testing.assert_array_equal(bare.value, wrapped.value)
    assert bare.ledger == wrapped.ledger
    check_strategy(lambda: descent(3), cached(Marking()))


def test_a_refusal_is_not_remembered() -> None:
    fine = Correlation(Ridge(relu, np.ones(D)), tolerance=Absolute(0.1))
    oracle = cached(Marking())
    for _ in range(2):
        with pytest.raises(QueryRefused):
            oracle.answer(Batch((fine,)), 0)


def test_wrappers_are_lawful_oracles() -> None:
    batch: Batch[Query] = Batch((gradient(np.ones(D)), Correlation(Ridge(relu, np.ones(D)))))
    truth = Marking().answer(batch, 0)
    check_oracle(cached(Marking()), batch, truth)
    check_oracle(replaying(Marking(), Transcript()), batch, truth)
    check_oracle(limited(Marking(), queries=14), batch, truth)
    check_oracle(recorded(Marking(), Transcript()), batch, truth)
    check_oracle(reordered(Marking(), 1), batch, truth)


@given(st.integers(0, 5))
def test_a_replayed_prefix_is_not_asked_again(prefix: int) -> None:
    transcript = run(descent(prefix), Marking()).transcript
    inner = Marking()
    again = run(descent(5), replaying(inner, transcript))
    whole = run(descent(5), Marking())
    np.testing.assert_array_equal(again.value, whole.value)
    assert again.ledger == whole.ledger
    assert inner.batches == [2] * (5 - prefix)


def test_replaying_from_a_file(tmp_path: Path) -> None:
    recorded = run(descent(4), Marking(), log=tmp_path / "run")
    inner = Marking()
    again = run(descent(4), replaying(inner, Transcript.read(tmp_path / "run")))
    np.testing.assert_array_equal(again.value, recorded.value)
    assert inner.batches == []


def test_another_question_diverges() -> None:
    transcript = run(descent(4), Marking()).transcript
    with pytest.raises(ReplayDiverged, match=r"turn 2, query 0 .*mark \(.*\) against \(.*\)"):
        run(descent(4, shift=1e-7), replaying(Marking(), transcript))
    run(descent(4, shift=1e-12), replaying(Marking(), transcript))


def one(query: Query) -> SQ[Any]:
    return (yield from ask(query))


def test_replay_compares_more_than_marks() -> None:
    first = Correlation(Ridge(relu, np.ones(D)), "first")
    transcript = run(one(first), Marking()).transcript
    oracle = replaying(Marking(), transcript)
    for query, what in (
        (Statistic(first.form), "kind 'Statistic' against 'Correlation'"),
        (Correlation(Ridge(relu, np.ones(D), power=1)), "shape"),
        (Correlation(first.form, tolerance=Absolute(1.0)), r"tau 1\.0 against 0\.25"),
        (Correlation(Opaque(lambda x: x[:, 0])), "form 'Opaque' against 'Ridge'"),
        (Correlation(Ridge(relu, np.ones(D), kinks=[0.0])), "mark"),
    ):
        with pytest.raises(ReplayDiverged, match=what):
            oracle.answer(Batch((query,)), 0)
    with pytest.raises(ReplayDiverged, match="2 queries asked, the transcript holds 1"):
        oracle.answer(Batch((first, first)), 0)
    assert oracle.answer(Batch((Correlation(first.form, "other name"),)), 0)


def test_a_replayed_refusal_is_raised_again() -> None:
    def learner() -> SQ[str]:
        try:
            yield from ask(Correlation(Ridge(relu, np.ones(D)), tolerance=Absolute(0.1)))
        except QueryRefused as error:
            yield from ask(gradient(np.ones(D)))
            return str(error)
        return ""

    recorded = run(learner(), Marking())
    inner = Marking()
    assert run(learner(), replaying(inner, recorded.transcript)).value == recorded.value
    assert inner.batches == []


class Secretive(Marking):
    """Spends half an epsilon a query."""

    def epsilon_cost(self, batch: Batch[Query], turn: int) -> float:
        return 0.5 * len(batch.queries)


WRAPPERS: dict[str, Callable[[Any], Any]] = {
    "cached": cached,
    "limited": lambda oracle: limited(oracle, queries=1000, rounds=50, cost=1e6, epsilon=100.0),
    "recorded": lambda oracle: recorded(oracle, Transcript()),
    "reordered": lambda oracle: reordered(oracle, 5),
    "replaying": lambda oracle: replaying(oracle, Transcript()),
}


def pair(steps: int) -> SQ[Any]:
    """Two descents in lock-step, one of which also asks what is refused."""

    def refused() -> SQ[Any]:
        try:
            yield from ask(Correlation(Ridge(relu, np.ones(D)), tolerance=Absolute(0.1)))
        except QueryRefused as error:
            return str(error)

    first, second, words = yield from together(descent(steps), descent(steps + 1), refused())
    return np.append(first, second), words


@pytest.mark.parametrize("order", list(permutations(WRAPPERS)), ids="-".join)
def test_wrappers_stack_in_any_order(order: tuple[str, ...]) -> None:
    """Watching changes nothing: neither value nor cost, refusals included."""
    bare = run(pair(2), Secretive())
    oracle: Any = Secretive()
    for name in order:
        oracle = WRAPPERS[name](oracle)
    assert spends_privacy(oracle)
    wrapped = run(pair(2), oracle)
    np.testing.assert_array_equal(wrapped.value[0], bare.value[0])
    assert wrapped.value[1] == bare.value[1]
    assert wrapped.ledger == bare.ledger
    assert wrapped.status == bare.status


@pytest.mark.parametrize(
    ("limit", "turns", "spent", "requested", "remaining"),
    [
        ({"queries": 20}, 2, 16, 8, 4),
        ({"rounds": 3}, 3, 3, 1, 0),
        ({"cost": 16 * 8 * 2.5}, 2, 256, 128, 64),
        ({"epsilon": 3.0}, 3, 3, 1, 0),
        ({"rounds": 9, "queries": 7}, 0, 0, 8, 7),
    ],
)
def test_a_limit_refuses_what_does_not_fit(limit, turns, spent, requested, remaining) -> None:
    """A turn of the descent is two vectors of four scalars at tau = 1/4."""
    inner = Secretive()

    def learner() -> SQ[str]:
        try:
            yield from descent(9)
        except BudgetSpent as error:
            return f"{error.resource} {error.spent:g} {error.requested:g} {error.remaining:g}"
        return ""

    result = run(learner(), limited(inner, **limit))
    resource = list(limit)[-1]
    assert result.value == f"{resource} {spent} {requested} {remaining}"
    assert result.status is Status.BUDGET_SPENT
    assert inner.batches == [2] * turns
    assert result.ledger.rounds == turns


def test_what_is_refused_or_repeated_is_not_charged() -> None:
    inner = Marking()
    oracle = limited(inner, queries=9)
    batch: Batch[Query] = Batch((gradient(np.ones(D)),))
    fine: Batch[Query] = Batch((Correlation(Ridge(relu, np.ones(D)), tolerance=Absolute(0.1)),))
    for _ in range(3):
        oracle.answer(batch, 0)
        with pytest.raises(QueryRefused):
            oracle.answer(fine, 1)
    with pytest.raises(BudgetSpent):
        oracle.answer(Batch(batch.queries * 2), 1)
    oracle.answer(batch, 1)
    # Another batch at a turn that was asked is another question.
    with pytest.raises(BudgetSpent, match="8 used, 4 requested, 1 remaining"):
        oracle.answer(Batch((gradient(2 * np.ones(D)),)), 0)


def test_a_budget_belongs_to_the_data_whoever_asks() -> None:
    oracle = limited(Marking(), queries=24)
    assert run(descent(2), oracle).status is Status.FINISHED
    assert run(descent(1), cached(oracle)).ledger.queries == 8
    with pytest.raises(BudgetSpent, match="20 used"):
        run(descent(3, shift=1.0), reordered(limited(oracle, rounds=99), 1))


@pytest.mark.parametrize("stop", [1, 3])
@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 0, 2)], ids=str)
def test_wrappers_remember_what_a_transcript_replays(
    stop: int, order: tuple[int, ...], tmp_path: Path
) -> None:
    """Stopping and resuming changes neither answers nor what a budget has left."""
    data = Dataset(np.cos(np.arange(40.0).reshape(10, D)), np.sin(np.arange(10.0)))
    wraps = (
        cached,
        lambda oracle: reordered(oracle, 1),
        lambda oracle: limited(oracle, queries=70),
    )

    def oracle() -> Any:
        made: Any = csq(data, tolerance=Absolute(0.1), policy=uniform)
        for place in order:
            made = wraps[place](made)
        return made

    def learner() -> SQ[Any]:
        """Asks two queries again and again, beside two new ones in each turn."""
        w, heard = np.ones(D), []
        try:
            while True:
                new = (gradient(w * len(heard)), gradient(-w * len(heard) - 1))
                heard.append((yield Batch((gradient(w / 3), *new, gradient(w / 5)))))
        except BudgetSpent as error:
            return np.array(heard), (error.spent, error.requested)

    path = tmp_path / "run"
    whole = run(learner(), oracle())
    run(learner(), oracle(), log=path, callback=lambda exchange, _: exchange.turn == stop)
    resumed = run(learner(), oracle(), log=Transcript.resume(path))
    assert len(whole.value[0]) > stop
    np.testing.assert_array_equal(resumed.value[0], whole.value[0])
    assert resumed.value[1] == whole.value[1]


def test_remembered_answers_cost_no_privacy() -> None:
    oracle = limited(cached(Secretive()), epsilon=1.0)
    batch: Batch[Query] = Batch((gradient(np.ones(D)), gradient(np.ones(D))))
    for turn in range(5):
        oracle.answer(batch, turn)
    oracle.answer(Batch((gradient(2 * np.ones(D)),)), 5)
    with pytest.raises(BudgetSpent, match=r"budget of epsilon spent: 1.0 used, 0.5 requested"):
        oracle.answer(Batch((gradient(3 * np.ones(D)),)), 6)
    outside = cached(limited(Secretive(), epsilon=1.0))
    for turn in range(5):
        outside.answer(batch, turn)


def test_an_infinite_cost_does_not_fit() -> None:
    oracle = limited(csq(Dataset(np.eye(D), np.ones(D)), tolerance=Unperturbed()), cost=1e300)
    with pytest.raises(BudgetSpent, match="inf requested"):
        oracle.answer(Batch((gradient(np.ones(D)),)), 0)


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        ({}, "names no limit"),
        ({"queries": -1}, "limit of queries is -1"),
        ({"queries": 2.5}, "limit of queries is 2.5; wanted an integer"),
        ({"rounds": True}, "limit of rounds is True"),
        ({"cost": float("nan")}, "limit of cost is nan"),
        ({"cost": "1"}, "limit of cost is '1'"),
        ({"epsilon": 1.0}, r"needs a private oracle.*epsilon_cost\(batch, turn\)"),
    ],
)
def test_limits_are_checked(limits: dict[str, Any], words: str) -> None:
    with pytest.raises(BadInput, match=words):
        limited(cached(Marking()), **limits)


def test_recorded_holds_what_the_run_holds(tmp_path: Path) -> None:
    transcript = Transcript(tmp_path / "oracle")
    result = run(pair(2), recorded(Marking(), transcript), log=tmp_path / "run")
    transcript.close()
    mine, theirs = Transcript.read(tmp_path / "oracle"), Transcript.read(tmp_path / "run")
    assert mine.header == theirs.header
    assert len(mine) == len(theirs)
    for one, two in zip(mine, theirs, strict=True):
        assert (one.turn, one.queries, one.note) == (two.turn, two.queries, two.note)
        assert one.refusal == two.refusal
        for a, b in zip(one.answers, two.answers, strict=True):
            np.testing.assert_array_equal(a, b)
    assert mine.ledger == result.ledger
    again = run(pair(2), replaying(Marking(), mine))
    np.testing.assert_array_equal(again.value[0], result.value[0])


def test_recorded_behind_a_cache_holds_what_was_asked_afresh() -> None:
    transcript = Transcript()
    oracle = cached(recorded(Marking(), transcript))
    batch: Batch[Query] = Batch((gradient(np.ones(D)), gradient(np.ones(D))))
    other: Batch[Query] = Batch((gradient(np.ones(D)), gradient(2 * np.ones(D))))
    for turn, asked in enumerate((batch, batch, other)):
        oracle.answer(asked, turn)
    assert [(record.turn, len(record.queries)) for record in transcript] == [(0, 1), (2, 1)]
    recorded(Marking(), transcript).answer(batch, 1)
    assert len(transcript) == 2
    with pytest.raises(BadInput, match="transcript is str"):
        recorded(Marking(), "path")  # type: ignore[arg-type]


@given(st.integers(0, 99))
def test_reordering_changes_no_answer_that_does_not_depend_on_order(seed: int) -> None:
    """What an answer is may depend on the query and the turn, but not on its neighbours."""
    draw = np.random.default_rng(0)
    data = Dataset(draw.standard_normal((40, D)), draw.standard_normal(40))
    queries = tuple(gradient(draw.standard_normal(D)) for _ in range(5))
    for policy in (exact, toward_zero, consistent(uniform)):
        oracle = csq(data, tolerance=Absolute(0.1), policy=policy)
        plain = oracle.answer(Batch(queries), 3)
        for a, b in zip(plain, reordered(oracle, seed).answer(Batch(queries), 3), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-14)
    dependent = csq(data, tolerance=Absolute(0.1), policy=uniform)
    one, two = (
        dependent.answer(Batch(queries), 3),
        reordered(dependent, 1).answer(Batch(queries), 3),
    )
    assert not np.allclose(one[0], two[0])


def test_reordered_puts_answers_back() -> None:
    batches = []

    class Ordered(Marking):
        def answer(self, batch: Batch[Query], turn: int) -> Answers:
            batches.append([query.label for query in batch.queries])
            return super().answer(batch, turn)

    queries = tuple(gradient(k * np.ones(D), str(k)) for k in range(8))
    found = reordered(Ordered(), 2).answer(Batch(queries), 0)
    for one, two in zip(found, Marking().answer(Batch(queries), 0), strict=True):
        np.testing.assert_array_equal(one, two)
    assert sorted(batches[0]) == sorted(str(k) for k in range(8))
    assert batches[0] != [str(k) for k in range(8)]
    reordered(Ordered(), 2).answer(Batch(queries), 1)
    assert batches[1] != batches[0]
    with pytest.raises(BadInput, match="seed -1"):
        reordered(Ordered(), -1)


def reachable(roots: list[Any]) -> set[int]:
    """Ids of all objects that attributes, items, closures, arrays' bases and tracebacks lead to."""
    seen: dict[int, Any] = {}
    left = list(roots)
    while left:
        one = left.pop()
        if id(one) in seen or isinstance(one, type | ModuleType):
            continue
        seen[id(one)] = one
        if isinstance(one, FunctionType):
            # Not its globals: every function has those of its module, before anything is asked.
            left += [one.__closure__, one.__defaults__, one.__kwdefaults__, one.__dict__]
        elif isinstance(one, np.ndarray):
            left.append(one.base)
        else:
            left += gc.get_referents(one)
            if isinstance(one, BaseException):
                left += [one.__traceback__, one.__cause__, one.__context__]
    return set(seen)


def spying(found: list[set[int]]) -> SQ[None]:
    """Looks through everything that it is given."""
    w = np.ones(D)
    batch: Batch[Query] = Batch(
        (
            gradient(w),
            Correlation(Ridge(relu, w)),
            Correlation(Ridge(relu, w, power=2)),
            Correlation(Opaque(lambda x: x, D)),
        ),
        {"w": w},
    )
    answers = yield batch
    found.append(reachable([answers, batch]))
    for bad in (
        Correlation(Ridge(relu, w), tolerance=Absolute(1e-9)),
        Correlation(Opaque(lambda x: x)),
        Statistic(Ridge(relu, w)),
    ):
        try:
            yield Batch((bad,))
        except (QueryRefused, BadInput) as error:
            found.append(reachable([error]))
    try:
        while True:
            yield batch
    except BudgetSpent as error:
        found.append(reachable([error]))


@pytest.mark.parametrize("name", ["bare", *WRAPPERS])
def test_a_strategy_has_no_path_to_the_oracle(name: str) -> None:
    """Answers, refusals and its own batch lead to no oracle, no instance and none of its data."""
    draw = np.random.default_rng(0)
    data = Dataset(draw.standard_normal((40, D)), draw.standard_normal(40))
    bare = csq(data, tolerance=Absolute(0.1), policy=exact)
    wrappers = {**WRAPPERS, "limited": lambda oracle: limited(oracle, rounds=50)}
    outer = limited(wrappers[name](bare) if name != "bare" else bare, rounds=2)
    found: list[set[int]] = []
    run(spying(found), outer)  # type: ignore[arg-type]
    assert len(found) == 5
    secrets = [outer, outer._inner, bare, data, data.inputs, data.targets]  # type: ignore[attr-defined]
    for secret in secrets:
        assert not any(id(secret) in ids for ids in found)
    # The search does find what is there to find.
    assert id(data.inputs) in reachable([outer])
