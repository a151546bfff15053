"""Asking, side by side and one after the other."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sqsim.errors import BadInput, BudgetSpent, QueryRefused, ToleranceUnreachable
from sqsim.loop import Budget, run
from sqsim.queries import Batch, Correlation, Opaque, Query
from sqsim.record import Ledger
from sqsim.strategy import SQ, Answers, AskTell, ask, ask_all, together
from sqsim.testing import Scripted
from sqsim.tolerance import Absolute, Tolerance


class Numbering:
    """Answers each query with 100 turn + its place in the batch."""

    dimension = 1
    tolerance: Tolerance = Absolute(0.5)

    def answer(self, batch: Batch[Query], turn: int) -> Answers:
        return tuple(100.0 * turn + place for place in range(len(batch.queries)))

    def describe(self) -> dict[str, object]:
        return {}


def scalar(label: str = "", tau: float | None = None) -> Correlation:
    return Correlation(Opaque(lambda x: x[:, 0]), label, None if tau is None else Absolute(tau))


def learner(widths: list[tuple[int, float]]) -> SQ[list[float]]:
    heard: list[float] = []
    for width, tau in widths:
        heard.extend((yield from ask_all(*[scalar(tau=tau) for _ in range(width)])))
    return heard


def one_after_the_other(*strategies: SQ[list[float]]) -> SQ[list[list[float]]]:
    values = []
    for strategy in strategies:
        values.append((yield from strategy))
    return values


plans = st.lists(st.tuples(st.integers(1, 4), st.sampled_from([0.5, 1.0, 2.0])), max_size=5)


@given(st.lists(plans, min_size=1, max_size=4))
def test_together_costs_side_by_side_and_a_sequence_costs_the_sum(
    widths: list[list[tuple[int, float]]],
) -> None:
    alone = [run(learner(plan), Numbering()).ledger for plan in widths]
    beside, after = Ledger(), Ledger()
    for ledger in alone:
        beside, after = beside | ledger, after + ledger
    assert run(together(*map(learner, widths)), Numbering()).ledger == beside
    assert run(one_after_the_other(*map(learner, widths)), Numbering()).ledger == after


def test_together_hands_each_strategy_its_own_answers() -> None:
    plans = [[(2, 1.0), (1, 1.0)], [(1, 1.0)], [(1, 1.0), (2, 1.0)]]
    assert run(together(*map(learner, plans)), Numbering()).value == (
        [0.0, 1.0, 100.0],
        [2.0],
        [3.0, 101.0, 102.0],
    )


def test_together_keeps_the_notes_of_all() -> None:
    def noting(name: str) -> SQ[None]:
        yield from ask(scalar(), who=name)

    batch = next(together(noting("a"), noting("b")))
    assert batch.note == {"together": [{"who": "a"}, {"who": "b"}]}


def test_together_of_nothing_asks_nothing() -> None:
    assert run(together(learner([]), learner([])), Numbering()).value == ([], [])


def test_a_refusal_reaches_only_the_strategy_whose_query_was_refused() -> None:
    """One lane's unreachable tolerance must not end the others."""

    def stubborn(name: str) -> SQ[str]:
        try:
            answer = yield from ask(scalar())
        except QueryRefused:
            answer = yield from ask(scalar())
            return f"{name} again {answer}"
        return f"{name} {answer}"

    # The common batch is refused; asked alone, a is answered and b refused; then b asks again.
    oracle = Scripted([QueryRefused("no"), [1.0], QueryRefused("no"), [2.0]])
    result = run(together(stubborn("a"), stubborn("b")), oracle)
    assert result.value == ("a 1.0", "b again 2.0")
    assert result.ledger.queries == 2


def test_a_spent_budget_reaches_every_strategy_that_was_asking() -> None:
    """The budget is one for all: whoever was asking hears of it."""

    def thrifty(name: str) -> SQ[str]:
        try:
            yield from ask(scalar())
            yield from ask(scalar())
        except BudgetSpent:
            return f"{name} stopped"
        return name

    oracle = Scripted([[1.0, 2.0]])
    result = run(together(thrifty("a"), thrifty("b")), oracle, budget=Budget(rounds=1))
    assert result.value == ("a stopped", "b stopped")


def test_a_refusal_that_one_strategy_does_not_catch_closes_the_others() -> None:
    closed = []

    def careful() -> SQ[None]:
        try:
            while True:
                try:
                    yield from ask(scalar())
                except ToleranceUnreachable:
                    continue
        finally:
            closed.append(True)

    # The common batch, then each lane's own; the second lane does not catch its refusal.
    oracle = Scripted([ToleranceUnreachable("too fine") for _ in range(3)])
    with pytest.raises(ToleranceUnreachable, match="too fine"):
        run(together(careful(), learner([(1, 1.0)])), oracle)
    assert closed == [True]


def test_ask_tell_is_the_same_strategy_inside_out() -> None:
    plan = [(2, 1.0), (1, 1.0)]
    inside_out = AskTell(learner(plan))
    turn = 0
    while inside_out.batch is not None:
        inside_out.tell(Numbering().answer(inside_out.batch, turn))
        turn += 1
    assert inside_out.value == run(learner(plan), Numbering()).value
    with pytest.raises(BadInput, match="has finished"):
        inside_out.tell((1.0,))


def test_ask_tell_says_what_is_owed() -> None:
    inside_out = AskTell(learner([(2, 1.0)]))
    with pytest.raises(BadInput, match="still asking"):
        _ = inside_out.value
    with pytest.raises(BadInput, match="1 answers for 2 queries"):
        inside_out.tell((1.0,))
