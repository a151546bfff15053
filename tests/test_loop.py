"""The one loop: what it charges, what it throws in, how it ends and how it goes on."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sqsim.errors import (
    BadInput,
    BudgetSpent,
    QueryRefused,
    ReplayDiverged,
    SqsimError,
    ToleranceUnreachable,
)
from sqsim.loop import Budget, Result, Status, run
from sqsim.queries import Batch, Correlation, Opaque, Query, Ridge
from sqsim.record import Exchange, Ledger
from sqsim.strategy import SQ, Answers, ask, ask_all
from sqsim.testing import Scripted, check_oracle, check_policy, check_strategy
from sqsim.tolerance import Absolute, Mean, Tolerance
from sqsim.transcript import Transcript

D = 3


def vector(w: Any = (1.0, 2.0, 3.0)) -> Correlation:
    return Correlation(Ridge(np.tanh, np.array(w), power=1), "vector")


def scalar(factor: float = 1.0) -> Correlation:
    return Correlation(Opaque(lambda x: factor * x[:, 0]), "scalar")


class Noisy:
    """An oracle whose answers depend on the turn, and which refuses every fourth one."""

    dimension = D
    tolerance: Tolerance = Absolute(0.5)

    def answer(self, batch: Batch[Query], turn: int) -> Answers:
        if turn % 4 == 3:
            raise ToleranceUnreachable(f"turn {turn}")
        rng = np.random.default_rng([7, turn])
        return tuple(rng.uniform(-0.5, 0.5, query.shape(D)) for query in batch.queries)

    def describe(self) -> dict[str, object]:
        return {"access": "SQ", "policy": "noisy"}


def walk(steps: int) -> SQ[np.ndarray]:
    """Goes on through refusals and a spent budget, and asks what it heard."""
    w = np.ones(D)
    for step in range(steps):
        try:
            g, s = yield from ask_all(vector(w), scalar(float(w[0])), step=step)
        except ToleranceUnreachable:
            w = w + 1
        except BudgetSpent as error:
            w = w - len(error.answered)
        else:
            w = np.sin(w + g + s)
    return w


def test_a_run_says_what_it_learned_and_what_it_cost() -> None:
    result = run(walk(3), Noisy())
    assert result.status is Status.FINISHED
    assert result.ledger == Ledger(12, 3, 0.5, 48.0) == result.transcript.ledger
    assert repr(result).startswith("Result(FINISHED: 12 queries, 3 rounds, finest 0.5; value=array")
    assert "<th>queries</th><td>12</td>" in result._repr_html_()
    held = json.loads(json.dumps(result.to_dict()))
    assert held["value"] == result.value.tolist()
    assert held["ledger"]["rounds"] == 3


def test_a_strategy_that_asks_nothing_costs_nothing() -> None:
    result = run(walk(0), Noisy())
    assert (result.ledger, len(result.transcript)) == (Ledger(), 0)


@pytest.mark.parametrize("error", [QueryRefused("q"), ToleranceUnreachable("t")])
def test_refusals_are_raised_at_the_asking_line(error: SqsimError) -> None:
    caught = []

    def learner() -> SQ[float]:
        try:
            yield from ask(scalar())
        except type(error) as refusal:
            caught.append(refusal)
        return float((yield from ask(scalar())))

    result = run(learner(), Scripted([error, [0.5]]))
    assert (result.value, caught) == (0.5, [error])
    assert result.ledger.rounds == 1
    first = result.transcript[0]
    assert first.refusal is not None
    assert (first.refusal.error, first.refusal.message) == (type(error).__name__, str(error))
    assert first.ledger == Ledger()


def test_a_refusal_that_is_not_caught_leaves_the_file_whole(tmp_path: Path) -> None:
    def learner() -> SQ[None]:
        for factor in (1.0, 2.0):
            yield from ask(scalar(factor))

    with pytest.raises(QueryRefused, match="no") as caught:
        run(learner(), Scripted([[0.5], QueryRefused("no")]), log=tmp_path / "run")
    assert any(entry.name == "learner" for entry in caught.traceback)
    read = Transcript.read(tmp_path / "run")
    assert [record.refusal is None for record in read] == [True, False]


def asking(sizes: list[int]) -> SQ[tuple[Any, ...]]:
    queries = [
        Correlation(Opaque(lambda x, k=k: np.repeat(x[:, :1], k, 1), size=k)) for k in sizes
    ]
    return (yield from ask_all(*queries))


@given(st.lists(st.integers(1, 5), max_size=6), st.integers(0, 20))
def test_a_batch_that_crosses_the_budget_is_cut_at_the_exact_count(
    sizes: list[int], limit: int
) -> None:
    oracle = Scripted([[np.full(k, 0.5) for k in sizes]])
    fitting = max(n for n in range(len(sizes) + 1) if sum(sizes[:n]) <= limit)
    if fitting == len(sizes):
        assert run(asking(sizes), oracle, budget=Budget(limit)).ledger.queries == sum(sizes)
        return
    with pytest.raises(BudgetSpent) as caught:
        run(asking(sizes), oracle, budget=Budget(limit))
    error = caught.value
    assert (error.resource, error.spent) == ("queries", 0)
    assert (error.requested, error.remaining) == (sum(sizes), limit)
    assert [len(answer) for answer in error.answered] == sizes[:fitting]
    assert error.ledger == Ledger(
        sum(sizes[:fitting]), int(fitting > 0), 0.1 if fitting else None, error.ledger.cost
    )
    assert isinstance(error.transcript, Transcript)
    assert error.transcript.ledger == error.ledger
    assert len(error.transcript[0].queries) == fitting


def test_a_budget_of_rounds_and_a_strategy_that_returns_its_best() -> None:
    spent = []

    def learner() -> SQ[int]:
        heard = 0
        try:
            while True:
                yield from ask(scalar())
                heard += 1
        except BudgetSpent as error:
            spent.append((error.resource, error.spent, error.requested, error.remaining))
            return heard

    result = run(learner(), Scripted([[0.0]] * 9), budget=Budget(rounds=3))
    assert (result.value, result.status) == (3, Status.BUDGET_SPENT)
    assert spent == [("rounds", 3, 1, 0)]
    assert result.ledger.rounds == 3


@pytest.mark.parametrize("limit", [-1, 2.5, "3"])
def test_a_budget_is_a_count(limit: Any) -> None:
    with pytest.raises(BadInput, match="integer >= 0"):
        Budget(queries=limit)
    with pytest.raises(BadInput, match=r"wanted Budget\("):
        run(walk(1), Noisy(), budget=limit)


def test_a_callback_sees_every_exchange_and_may_stop() -> None:
    seen: list[tuple[int, int]] = []

    def watch(exchange: Exchange, ledger: Ledger) -> bool:
        seen.append((exchange.turn, ledger.rounds))
        assert set(exchange.batch.note) == {"step"}
        return exchange.turn == 4

    result = run(walk(9), Noisy(), callback=watch)
    assert (result.value, result.status) == (None, Status.STOPPED)
    assert seen == [(0, 1), (1, 2), (2, 3), (3, 3), (4, 4)]
    assert result.message == "stopped by the callback after turn 4"
    watched = run(walk(9), Noisy(), callback=lambda exchange, ledger: None)
    np.testing.assert_array_equal(watched.value, run(walk(9), Noisy()).value)


def yields(thing: Any) -> Any:
    yield thing


def started() -> Any:
    strategy = walk(2)
    next(strategy)
    return strategy


@pytest.mark.parametrize(
    ("strategy", "message"),
    [
        (walk, r"call it: run\(walk\(\.\.\.\)"),
        (3, "the strategy is 3; wanted a generator"),
        (lambda: None, "wanted a generator"),
        (started(), "walk has run before"),
        (yields(scalar()), "yielded Correlation.*yield from ask"),
        (yields(walk(1)), "yielded generator.*`yield from`, not `yield`"),
        (yields(None), "yielded NoneType None"),
    ],
)
def test_what_is_not_a_strategy_is_named(strategy: Any, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        run(strategy, Noisy())


@pytest.mark.parametrize(
    ("answers", "message"),
    [([0.0, 1.0], "gave 2 answers to 1 queries"), ([[0.0]], r"'scalar' with shape \(1,\)")],
)
def test_an_oracle_that_answers_wrongly_is_named(answers: list[Any], message: str) -> None:
    class Wrong(Noisy):
        def answer(self, batch: Batch[Query], turn: int) -> Answers:
            return tuple(answers)

    def learner() -> SQ[None]:
        yield from ask(scalar())

    with pytest.raises(BadInput, match=message):
        run(learner(), Wrong())


def test_a_user_error_in_the_strategy_passes_through(tmp_path: Path) -> None:
    def learner() -> SQ[None]:
        yield from ask(scalar())
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run(learner(), Noisy(), log=tmp_path / "run")
    assert len(Transcript.read(tmp_path / "run")) == 1


def test_an_interrupt_keeps_the_transcript_and_is_raised_again(tmp_path: Path) -> None:
    def watch(exchange: Exchange, ledger: Ledger) -> None:
        if exchange.turn == 2:
            raise KeyboardInterrupt

    path = tmp_path / "run"
    with pytest.raises(KeyboardInterrupt):
        run(walk(9), Noisy(), log=path, callback=watch)
    resumed = run(walk(9), Noisy(), log=Transcript.resume(path))
    whole = run(walk(9), Noisy(), log=tmp_path / "whole")
    np.testing.assert_array_equal(resumed.value, whole.value)
    assert path.read_bytes() == (tmp_path / "whole").read_bytes()


@given(st.integers(0, 8), st.none() | st.integers(0, 30), st.booleans())
def test_stopping_and_resuming_changes_nothing(
    tmp_path_factory: pytest.TempPathFactory, turns: int, limit: int | None, file: bool
) -> None:
    """A transcript prefix plus the same call is the whole state of a run."""
    folder = tmp_path_factory.mktemp("resume")
    budget = Budget(queries=limit)
    log = Transcript(folder / "cut") if file else Transcript()
    run(walk(9), Noisy(), budget=budget, log=log, callback=lambda e, _: e.turn == turns)
    log = Transcript.resume(folder / "cut") if file else log
    resumed = run(walk(9), Noisy(), budget=budget, log=log)
    whole = run(walk(9), Noisy(), budget=budget, log=folder / "whole")
    assert resumed.ledger == whole.ledger == resumed.transcript.ledger
    assert resumed.status is whole.status
    np.testing.assert_array_equal(resumed.value, whole.value)
    if file:
        assert (folder / "cut").read_bytes() == (folder / "whole").read_bytes()


def test_resuming_with_a_larger_budget_equals_having_had_it(tmp_path: Path) -> None:
    run(walk(9), Noisy(), budget=Budget(queries=10), log=tmp_path / "cut")
    resumed = run(walk(9), Noisy(), log=Transcript.resume(tmp_path / "cut"))
    whole = run(walk(9), Noisy(), log=tmp_path / "whole")
    np.testing.assert_array_equal(resumed.value, whole.value)
    assert (tmp_path / "cut").read_bytes() == (tmp_path / "whole").read_bytes()


def test_resuming_with_a_shorter_strategy_diverges(tmp_path: Path) -> None:
    run(walk(5), Noisy(), log=tmp_path / "run")
    with pytest.raises(ReplayDiverged, match="returned after 2 turns, the transcript holds 5"):
        run(walk(2), Noisy(), log=Transcript.resume(tmp_path / "run"))


def test_a_killed_process_loses_nothing_that_was_answered(tmp_path: Path) -> None:
    code = (
        "import os, signal, sys; sys.path[:0] = sys.argv[2:]\n"
        "from test_loop import Noisy, run, walk\n"
        "def watch(exchange, ledger):\n"
        "    if exchange.turn == 5: os.kill(os.getpid(), signal.SIGKILL)\n"
        "run(walk(9), Noisy(), log=sys.argv[1], callback=watch)\n"
    )
    here = Path(__file__).parent
    paths = map(str, (tmp_path / "run", here, here.parent))
    done = subprocess.run([sys.executable, "-c", code, *paths], check=False)
    assert done.returncode == -signal.SIGKILL
    assert len(Transcript.read(tmp_path / "run")) == 6
    resumed = run(walk(9), Noisy(), log=Transcript.resume(tmp_path / "run"))
    np.testing.assert_array_equal(resumed.value, run(walk(9), Noisy()).value)


def test_checks_of_strategies() -> None:
    check_strategy(lambda: walk(6), Noisy())
    moods = iter([1.0, 2.0])

    def moody() -> SQ[None]:
        yield from ask(scalar(next(moods)))

    with pytest.raises(AssertionError, match="not deterministic"):
        check_strategy(moody, Noisy())

    def clinging() -> SQ[None]:
        try:
            yield from ask(scalar())
        except GeneratorExit:
            yield from ask(scalar())

    with pytest.raises(AssertionError, match="closing it after 0 turns"):
        check_strategy(clinging, Noisy())


def test_checks_of_oracles() -> None:
    batch: Batch[Query] = Batch((scalar(), vector()))

    class Free(Noisy):
        turns = 0

        def answer(self, batch: Batch[Query], turn: int) -> Answers:
            self.turns += 1
            return (0.5, np.full(D, 0.01 * self.turns * self.impure))

        impure = 0

    with pytest.raises(AssertionError, match=r"answered within Absolute\(tau=0.25\)"):
        check_oracle(Free(), batch, [Mean(np.array(0.9), 0.1), np.zeros(D)])
    with pytest.raises(AssertionError, match="'scalar': answer outside"):
        check_oracle(Free(), batch, [Mean(np.array(1.2), 0.1), np.zeros(D)])
    Free.impure = 1
    with pytest.raises(AssertionError, match="'vector': another answer at the same turn"):
        check_oracle(Free(), batch, [0.5, np.zeros(D)])


def test_checks_of_policies() -> None:
    class Window:
        def __init__(self, center: Any, slack: float) -> None:
            self.center = np.asarray(center, dtype=np.float64)
            self.slack = np.full(self.center.shape, slack)

    def uniform(window: Window, rng: np.random.Generator) -> np.ndarray:
        return window.center + window.slack * rng.uniform(-1, 1, window.center.shape)

    windows = [Window(0.5, 0.1), Window(np.ones(4), 0.0)]
    check_policy(uniform, windows, seed=3)
    with pytest.raises(AssertionError, match=r"outside by 0\.1"):
        check_policy(lambda window, rng: window.center + 2 * window.slack, windows, seed=3)
    with pytest.raises(AssertionError, match="not symmetric"):
        check_policy(uniform, [Window(np.eye(3), 0.1)], seed=3)
    loose = np.random.default_rng()
    with pytest.raises(AssertionError, match="same generator"):
        check_policy(lambda window, rng: uniform(window, loose), windows, seed=3)


def test_a_script_that_is_too_short_says_so() -> None:
    with pytest.raises(BadInput, match="holds 1 turns and turn 1 was asked"):
        run(asking_twice(), Scripted([[0.0]]))


def asking_twice() -> SQ[None]:
    yield from ask(scalar())
    yield from ask(scalar())


def test_results_do_not_print_large_values() -> None:
    result: Result[str] = Result("x" * 9999, Status.FINISHED, "", Ledger(), Transcript())
    assert len(repr(result)) < 400
