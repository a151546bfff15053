"""Run a learner against an evader, then show it an instance on which it fails.

This file does not know how the evader chooses; it checks every answer again on its own.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from sqsim.errors import BadInput, BudgetSpent, QueryRefused, ToleranceUnreachable
from sqsim.loop import Budget, run
from sqsim.lowerbounds.quantities import Estimate
from sqsim.oracles import scoring
from sqsim.oracles.candidates import Family, family_of
from sqsim.oracles.evader import Evader
from sqsim.oracles.protocol import Means
from sqsim.oracles.quadrature import Quadrature
from sqsim.problems.hypothesis import ReluHypothesis
from sqsim.problems.index import IndexInstance
from sqsim.problems.problem import Problem
from sqsim.queries import Batch
from sqsim.record import Ledger
from sqsim.refutation.answers import CheckedAnswer, check_answers
from sqsim.refutation.result import Refutation
from sqsim.seeds import Seed
from sqsim.strategy import Answers
from sqsim.tolerance import Mean, Tolerance

RATIO = 1.5
"""A learner fails if its loss is more than this many times OPT: where a study counts success."""

MOST_DIGITS = 1000
"""Of the bounds, whose first figures alone are compared with a tolerance."""

Loss = Callable[[IndexInstance, Any], Mean]


def refute(
    strategy: Callable[[Any], Any] | Generator[Batch[Any], Answers, Any],
    problem: Problem | IndexInstance | Sequence[IndexInstance],
    tolerance: Tolerance,
    *,
    correlational: bool = True,
    ratio: float = RATIO,
    loss: Loss | None = None,
    opt: float | None = None,
    means: Means | None = None,
    candidates: int = 32,
    digits: int = 40,
    budget: Budget | None = None,
    seed: Seed = 0,
) -> Refutation:
    """Search for an instance that allows all that a learner was answered, and on which it fails.

    The learner is run against an `Evader`.  Of the instances that allow every answer the one on
    which the learner loses most is taken, and every answer is checked on it again: the answer 0 to
    a correlation in the L2 convention by `seen_square` and `correlation_bound`, in exact
    arithmetic and whatever function was asked; any other by the evaluator, as an estimate.

    If `refuted`, then no oracle of this tolerance owed the learner anything else, had the label
    been that of `instance`: with the same random choices it fails there.  This is proved where the
    grade is "certified"; as an "estimate" it is as good as the evaluator's means, and a narrow
    feature that a query does not declare can escape those.

    Parameters
    ----------
    strategy : function problem -> generator, or a generator
    problem : what may be hidden
        A problem: its label along any direction.  An instance: the same, turned in any way; this
        is how labels with their low degrees removed are given.  Several instances: one of these.
    tolerance : Tolerance, such as L2(5e-11)
    correlational : whether the evader refuses what is not a Correlation.
    ratio : the learner fails where its loss is more than this many times OPT.
    loss : function (instance, what the learner returned) -> Mean
        Needed where that is not a ReluHypothesis.
    opt : what a good loss is; the instance's `opt_upper_bound` unless given.
    means : evaluator for queries whose mean has to be computed; Quadrature() unless given.
    candidates : directions drawn at a time.
    digits : of the proved bounds, 1 to 1000.
    budget : the most that the learner may ask.
    seed : of the directions drawn.
    """
    family = family_of(problem)
    if not isinstance(digits, int) or not 1 <= digits <= MOST_DIGITS:
        raise BadInput(f"digits is {digits!r}; wanted a whole number of digits, 1 to {MOST_DIGITS}")
    if not ratio >= 1:
        raise BadInput(f"ratio is {ratio}; a loss is compared with a multiple >= 1 of OPT")
    evader: Evader[Any] = Evader(
        family,
        tolerance=tolerance,
        correlational=correlational,
        means=means,
        candidates=candidates,
        seed=seed,
    )
    made = strategy if isinstance(strategy, Generator) else _made(strategy, family)
    ledger = Ledger()

    def watch(_: object, spent: Ledger) -> None:
        nonlocal ledger
        ledger = spent

    try:
        value = run(made, _Consecutive(evader), budget=budget, callback=watch).value
    except (QueryRefused, ToleranceUnreachable, BudgetSpent) as error:
        message = f"not refuted: the learner ended without a result. {error}"
        return Refutation(
            False,
            message,
            None,
            (),
            tolerance,
            ledger.queries,
            None,
            None,
            0,
            evader.history,
        )
    found, tried = _allowing(evader, family, value, candidates)
    scored = _scored(found, value, loss, opt)
    return _judged(scored, value, evader, tried, ledger, ratio, digits, means or Quadrature())


@final
class _Consecutive:
    """Numbers the turns that reach the evader: a spent budget may have kept some from it."""

    def __init__(self, evader: Evader[Any]) -> None:
        self._evader, self._turn = evader, 0
        self.dimension, self.tolerance = evader.dimension, evader.tolerance
        self.describe = evader.describe

    def answer(self, batch: Batch[Any], turn: int) -> Answers:
        self._turn += 1
        return self._evader.answer(batch, self._turn - 1)


@final
@dataclass(frozen=True, eq=False)
class _Scored:
    instance: IndexInstance
    loss: Estimate
    opt: float

    @property
    def ratio(self) -> float:
        return max(self.loss.value, 0.0) / self.opt

    def fails(self, ratio: float) -> bool:
        return self.loss.value - self.loss.error > ratio * self.opt


def _made(strategy: Any, family: Family) -> Generator[Batch[Any], Answers, Any]:
    if not callable(strategy):
        raise BadInput(
            f"the strategy is {strategy!r:.80}; wanted a function of the problem that contains "
            "`yield from ask(query)`, or the generator that it returns"
        )
    name = getattr(strategy, "__name__", repr(strategy))
    try:
        inspect.signature(strategy).bind(family.problem)
    except TypeError as error:
        raise BadInput(f"{name} cannot be called with the problem alone: {error}") from None
    except ValueError:
        # A callable without a signature; the call itself will tell.
        pass
    made = strategy(family.problem)
    if not isinstance(made, Generator):
        raise BadInput(
            f"{name} is not a strategy: called with the problem it returned "
            f"{type(made).__name__}, not a generator; it must contain `yield from ask(query)`"
        )
    return made


def _allowing(
    evader: Evader[Any], family: Family, value: Any, candidates: int
) -> tuple[list[IndexInstance], int]:
    """Instances that allow every answer, and how many were tried in all."""
    if family.members is not None:
        return list(evader.survivors), evader.tried
    left = evader.survivors
    learned = [value.weights] if isinstance(value, ReluHypothesis) and value.norm > 0 else []
    # Many learners cannot tell v from -v; and what they returned should see little of v.
    more = [family.member(-one.direction) for one in left]
    more += evader.draw(candidates, more=learned, turn=len(evader.history) + 1)
    return [*left, *evader.allowing(more)], evader.tried + len(more)


def _scored(
    found: Sequence[IndexInstance], value: Any, loss: Loss | None, opt: float | None
) -> list[_Scored]:
    """The instances with the learner's loss, the largest first."""
    if loss is None and not isinstance(value, ReluHypothesis):
        raise BadInput(
            f"the learner returned {type(value).__name__}; wanted a ReluHypothesis, or pass "
            "loss=, a function of the instance and of what was returned"
        )
    measure = scoring.loss if loss is None else loss
    method = "quadrature" if loss is None else getattr(loss, "__name__", "the loss that was given")
    scored: list[_Scored] = []
    for instance in found:
        good = instance.opt_upper_bound if opt is None else opt
        if not 0 < good < np.inf:
            raise BadInput(
                f"OPT is at most {good} here, and a loss is compared with a multiple of it; pass "
                "opt=, the loss that is good enough"
            )
        mean = measure(instance, value)
        error = float(np.max(mean.error))
        scored.append(_Scored(instance, Estimate(mean.number, error, method), good))
    return sorted(scored, key=lambda one: -one.ratio)


def _judged(
    scored: Sequence[_Scored],
    value: Any,
    evader: Evader[Any],
    tried: int,
    ledger: Ledger,
    ratio: float,
    digits: int,
    means: Means,
) -> Refutation:
    """The worst instance whose answers hold on a second look; else the worst, and why not."""
    first: tuple[_Scored, tuple[CheckedAnswer, ...]] | None = None
    refuted = False
    for one in scored:
        answers = check_answers(one.instance, evader.history, means=means, digits=digits)
        held = all(answer.lawful for answer in answers)
        refuted = held and one.fails(ratio)
        if first is None or refuted:
            first = (one, answers)
        if held:
            break
    worst = None if first is None else first[0]
    return Refutation(
        refuted,
        _message(worst, refuted, evader, tried, len(scored), ratio),
        None if worst is None else worst.instance,
        () if first is None else first[1],
        evader.tolerance,
        ledger.queries,
        None if worst is None else worst.loss,
        None if worst is None else worst.ratio,
        tried,
        evader.history,
        value,
    )


def _message(
    worst: _Scored | None,
    refuted: bool,
    evader: Evader[Any],
    tried: int,
    left: int,
    ratio: float,
) -> str:
    if worst is None:
        return f"not refuted: none of {tried} candidates allows every answer"
    loses = f"loses {worst.ratio:.4g} times OPT"
    if refuted:
        return f"refuted: on an instance that allows every answer the learner {loses}"
    if evader.family.members is not None and not worst.fails(ratio):
        return (
            f"the learner wins: of {tried} instances {left} allow every answer, and it {loses} "
            "at most on these"
        )
    return (
        f"not refuted: none was found among {tried} candidates; {left} allow every answer, and "
        f"the learner {loses} at most on these"
    )
