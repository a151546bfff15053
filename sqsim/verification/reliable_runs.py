"""Goel, Kanade, Klivans and Thaler (2017): their learners, run on tables whose optimum is known."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache

import numpy as np

from sqsim.algorithms.polynomial_regression import agnostic_polynomial
from sqsim.algorithms.reliable import ReliableOutcome, reliable_relu
from sqsim.inputs import Empirical
from sqsim.loop import run
from sqsim.losses import AbsoluteLoss, LinearLoss, Loss, Square
from sqsim.lowerbounds.quantities import Estimate, Rational
from sqsim.oracles.simulated import csq, sq
from sqsim.polynomials import nearest_relu
from sqsim.problems.reliable import (
    LabelChange,
    Raised,
    ReliableInstance,
    ReliableRegression,
    Zeroed,
)
from sqsim.record import Ledger
from sqsim.risks import false_positive_rate, positive_loss
from sqsim.studies.reliable_optimum import best_reliable_relu
from sqsim.tolerance import Unperturbed
from sqsim.verification.entry import Entry, Finding, close, within
from sqsim.verification.proved_arithmetic import value_of
from sqsim.verification.reliable_approximation import HERE, PAPER

CHANGES: tuple[tuple[LabelChange, ...], ...] = (
    (),
    (Zeroed(np.array([0.6, 0.8]), 0.8),),
    (Raised(np.array([-1.0, 0.0]), 0.5),),
)
SETTINGS: tuple[tuple[Loss, float], ...] = (
    (Square(), 0.4),
    (Square(), 0.2),
    (AbsoluteLoss(), 0.4),
    (AbsoluteLoss(), 0.2),
)


def instance(changes: Sequence[LabelChange]) -> ReliableInstance:
    """40 points of the circle, a neuron, and labels changed by an adversary."""
    turn = np.linspace(0, 2 * math.pi, 41)[:-1]
    points = np.stack([np.cos(turn), np.sin(turn)], axis=1)
    problem = ReliableRegression(Empirical(points))
    return problem.draw(direction=np.array([1.0, 0.3]), corruptions=changes)


@lru_cache(maxsize=16)
def learned(place: int, loss: Loss, epsilon: float) -> tuple[ReliableOutcome, Ledger]:
    """One run on an exact oracle."""
    table = instance(CHANGES[place]).table
    learner = reliable_relu(table.problem, epsilon=epsilon, loss=loss)
    result = run(learner, sq(table, tolerance=Unperturbed()))
    return value_of(result), result.ledger


def _guarantee(claimed: Fraction) -> Finding:
    """(loss - least loss) / epsilon of guesses, and that no rate exceeds epsilon.

    The least loss of a reliable ReLU is enclosed by branch and bound over its weights.
    """
    found, reliable = [], True
    for place, changes in enumerate(CHANGES):
        table = instance(changes).table
        for loss, epsilon in SETTINGS:
            best = best_reliable_relu(table, loss, gap=1e-3)
            guess = learned(place, loss, epsilon)[0].hypothesis(np.asarray(table.inputs))
            reliable &= false_positive_rate(guess, table.targets) <= epsilon
            risk = positive_loss(loss, guess, table.targets)
            reliable &= risk <= best.upper + epsilon
            found.append((risk - best.lower) / epsilon)
    finding = close(claimed, max(found), error=0.0)
    return Finding(finding.holds and reliable, finding.computed)


def _queries(claimed: Fraction) -> Finding:
    """Queries a round: 2 d + 1 coordinates of polynomials on the circle, and three numbers."""
    rounds = set()
    for place in range(len(CHANGES)):
        outcome, ledger = learned(place, Square(), 0.4)
        assert outcome.plan.polynomial.degree == 4
        rounds.add(Fraction(ledger.queries, ledger.rounds))
    finding = within(claimed, Rational(max(rounds)), digits=6)
    return Finding(finding.holds and len(rounds) == 1, finding.computed)


def _agnostic(claimed: Fraction) -> Finding:
    """C(n + d, d) queries in one round; the loss is at most (sqrt(neuron's) + error)^2."""
    p, asked, kept = nearest_relu(degree=6), set(), True
    for changes in CHANGES:
        here = instance(changes)
        table = here.table
        x, y = np.asarray(table.inputs), np.asarray(table.targets)
        learner = agnostic_polynomial(table.problem, degree=6, norm_squared=p.norm_squared)
        result = run(learner, csq(table, tolerance=Unperturbed()))
        neuron = math.sqrt(float(np.mean((here.labels.neuron(x) - y) ** 2)))
        loss = float(np.mean((value_of(result)(x) - y) ** 2))
        kept &= loss <= (neuron + p.error) ** 2 + 1e-9 and result.ledger.rounds == 1
        asked.add(result.ledger.queries)
    finding = within(claimed, Rational(Fraction(max(asked))), digits=6)
    return Finding(finding.holds and kept and len(asked) == 1, finding.computed)


def _incremental(claimed: Fraction) -> Finding:
    """max of E[y relu(<w, x>)], enclosed by branch and bound, and a guess within eps of it."""
    table, epsilon = instance(()).table, 0.2
    best = best_reliable_relu(table, LinearLoss(), gap=1e-3)
    guess = learned(0, LinearLoss(), epsilon)[0].hypothesis(np.asarray(table.inputs))
    reached = float(np.mean(table.targets * guess))
    largest = Estimate(-(best.lower + best.upper) / 2, (best.upper - best.lower) / 2, "enclosed")
    finding = within(claimed, largest, digits=3)
    return Finding(finding.holds and reached >= -best.upper - epsilon, finding.computed)


RELIABLE_RUNS: tuple[Entry, ...] = (
    Entry("gkkt.theorem-3", "P[h != 0, y = 0] <= eps and the positive loss is within 1 eps of the "
          "best reliable ReLU's; runs that stop at their own certificate come that near", PAPER
          + ", Theorem 3 [2.1]", "runs on a circle of 40 points, 3 labellings, 2 losses, 2 eps, "
          "against branch and bound", "1", _guarantee),
    Entry("gkkt.theorem-3-queries", "on the circle a round takes 2 d + 4 queries: 12 for d = 4",
          HERE + ", Theorem 3 [2.1]", "the ledgers of the runs", "12", _queries),
    Entry("gkkt.theorem-7", "agnostic regression is one round of C(n + d, d) correlational "
          "queries: 28 for n = 2, d = 6", HERE + ", Theorem 7 [2.4]",
          "ledgers of runs whose loss is within the approximation error of the neuron's", "28",
          _agnostic),
    Entry("gkkt.theorem-28", "Bach's problem, the largest E[y relu(<w, x>)], is 0.25 on 40 points "
          "of the circle with a neuron's labels; learning with the loss -y' y comes within eps",
          HERE + ", Theorem 28 [2.2]", "branch and bound over w, and a run at eps = 0.2", "0.25",
          _incremental),
)  # fmt: skip
