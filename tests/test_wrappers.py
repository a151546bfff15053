"""Wrappers change nothing that a strategy can see."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sqsim.errors import QueryRefused, ReplayDiverged
from sqsim.loop import run
from sqsim.oracles.wrappers import cached, replaying
from sqsim.queries import Batch, Correlation, Opaque, Query, Ridge, Statistic
from sqsim.strategy import SQ, Answers, ask, ask_all
from sqsim.testing import check_oracle, check_strategy
from sqsim.tolerance import Absolute, Tolerance
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
        return tuple(
            np.full(query.shape(D), float(sum(query.mark(D)))) for query in batch.queries
        )

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
    exact = Marking().answer(batch, 0)
    check_oracle(cached(Marking()), batch, exact)
    check_oracle(replaying(Marking(), Transcript()), batch, exact)


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
