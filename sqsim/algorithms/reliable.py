"""Reliable learning of a ReLU over any law on the unit ball, by statistical queries.

This file does not know the constants' derivation (`reliable_plan`) nor how means are found.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import final

import numpy as np

from sqsim.algorithms.accelerated import Accelerated, accelerated
from sqsim.algorithms.reliable_constants import SCALARS, ReliablePlan, reliable_plan
from sqsim.errors import BadInput
from sqsim.featured import Featured
from sqsim.losses import Loss
from sqsim.lowrank import Array
from sqsim.multinomial import MEMORY
from sqsim.problems.polynomial_hypothesis import (
    PolynomialHypothesis,
    ReliableHypothesis,
)
from sqsim.problems.problem import Problem
from sqsim.queries import Opaque, Statistic
from sqsim.risks import check_labels
from sqsim.strategy import SQ, ask_all


@final
@dataclass(frozen=True, eq=False)
class ReliableOutcome:
    """What reliable learning found, and what its own answers prove of it.

    Attributes
    ----------
    hypothesis : ReliableHypothesis
    plan : ReliablePlan
    false_positive_rate, positive_loss : of the hypothesis, as answered in the last round.
    least_loss : lower bound on the positive loss of the best reliable ReLU, up to the tolerance
        that was told, from the linear models of all rounds.
    certified : whether the answers show the promise kept: rate <= epsilon and loss <= least_loss +
        epsilon, each with the tolerance to spare.
    """

    hypothesis: ReliableHypothesis
    plan: ReliablePlan
    false_positive_rate: float
    positive_loss: float
    least_loss: float
    certified: bool


def reliable_relu(
    problem: Problem,
    *,
    epsilon: float,
    loss: Loss | None = None,
    degree: int | None = None,
    accuracy: float | None = None,
    tolerance: float = 0.0,
    stop_early: bool = True,
    rounds: int | None = None,
    in_kernel_space: bool = False,
    limit: int = MEMORY,
) -> SQ[ReliableOutcome]:
    """A guess h with P[h != 0, y = 0] <= epsilon and loss on y > 0 within epsilon of the best ReLU.

    The best is over max(<w, x>, 0), ||w|| <= 1, that are 0 wherever y = 0, almost surely.  Labels
    in [0, 1], inputs in the unit ball, of any law.  Goel, Kanade, Klivans and Thaler (2017),
    theorem 1, as a strategy: accelerated descent on a convex surrogate, whose terms with 1{y > 0}
    and 1{y = 0} are no correlations.  See `ReliablePlan` for the derivation.

    Each round is one query of r entries, psi(x) l'(f, y) and the like over S, and one of 3 numbers
    (the surrogate, and of the present guess how often it keeps 0 and its loss): (r + 3) queries;
    at most T + 1 rounds, T about 2 R sqrt(steepness (L / sigma + mu / a) / spare).  It stops
    before where the answers prove the promise kept, by the linear models of the rounds so far.

    Parameters
    ----------
    epsilon, loss, degree, accuracy, in_kernel_space, limit : as in `reliable_plan`.
    tolerance : of each answer, for the certificate; the promise needs at most `plan.tolerance`.
    stop_early : bool
        False: all rounds that the theorem asks for, or `rounds`.
    rounds : int, optional
        At most so many; the promise then rests on `certified`.

    Raises
    ------
    BadInput
        Before anything is asked: see `reliable_plan`; and for labels outside [0, 1].
    """
    if isinstance(tolerance, bool) or not 0 <= tolerance < math.inf:
        raise BadInput(f"tolerance is {tolerance!r}; wanted a number >= 0")
    if rounds is not None and (isinstance(rounds, bool) or rounds < 1):
        raise BadInput(f"rounds is {rounds!r}; wanted a whole number of at least 1")
    plan = reliable_plan(
        problem,
        epsilon=epsilon,
        loss=loss,
        degree=degree,
        accuracy=accuracy,
        in_kernel_space=in_kernel_space,
        limit=limit,
    )
    state = accelerated(plan.ball.size, radius=plan.ball.radius, curvature=plan.curvature)
    last = plan.rounds if rounds is None else rounds
    for turn in range(last):
        found = _guess(plan, state)
        gradient, scalars = yield from ask_all(*_queries(plan, state, found), turn=turn)
        value, kept, risk = np.asarray(scalars).tolist()
        state_after = state.advanced(plan.scale * np.asarray(gradient), plan.scale * value)
        least = _least_loss(plan, state_after, tolerance)
        outcome = _outcome(plan, found, 1.0 - kept, risk, least, tolerance)
        if stop_early and outcome.certified:
            break
        state = state_after
    return outcome


def _guess(plan: ReliablePlan, state: Accelerated) -> ReliableHypothesis:
    score = PolynomialHypothesis(plan.ball.features, plan.ball.coefficients(state.average))
    return ReliableHypothesis(score, plan.threshold, plan.loss.monotone)


def _queries(
    plan: ReliablePlan, state: Accelerated, guess: ReliableHypothesis
) -> tuple[Statistic, Statistic]:
    features, asked = plan.ball.features, plan.ball.coefficients(state.point)
    scaled = features.scaled(asked), features.scaled(guess.score.coefficients)

    def slopes(scores: Array, labels: Array) -> Array:
        return plan.slopes(scores, check_labels(labels))

    def scalars(x: Array, y: Array) -> Array:
        y, x = np.asarray(y, float), features.checked(x)
        both = np.empty((2, len(y)))
        for part, piece in features.pieces(x):
            for row, each in zip(both, scaled, strict=True):
                row[part] = piece.values(each)
        h = guess.of_scores(both[1])
        columns = np.empty((len(y), SCALARS))
        columns[:, 0] = plan.objective(both[0], y)
        # The complement: an average of 0s would leave a sample without an error to confess.
        columns[:, 1] = (h == 0) | (y != 0)
        columns[:, 2] = plan.loss.value(h, y) * (y > 0)
        return columns

    return (
        Statistic(Featured(features, slopes, asked, plan.ball.frame), "gradient of the dual loss"),
        Statistic(Opaque(scalars, SCALARS), "dual loss, no false positive, positive loss"),
    )


def _least_loss(plan: ReliablePlan, state: Accelerated, tolerance: float) -> float:
    """Lower bound on the best reliable ReLU's loss.

    Averaging l over the window moves the linear models by L sigma / 2 at most, answers by tau S (1
    + 2 R sqrt r), and the best neuron's polynomial is worse than it by L a + slack.
    """
    steep, ball = plan.loss.lipschitz, plan.ball
    blurred = tolerance * plan.scale * (1 + 2 * ball.radius * math.sqrt(ball.size))
    smoothing = steep * plan.window / 2
    return state.lower_bound - smoothing - blurred - steep * plan.margin - plan.slack


def _outcome(
    plan: ReliablePlan,
    guess: ReliableHypothesis,
    rate: float,
    risk: float,
    least: float,
    tolerance: float,
) -> ReliableOutcome:
    # No reliable neuron has a loss below that of guessing the label.
    least = max(least, 0.0 if plan.never_negative else -plan.loss.bound)
    kept = rate + tolerance <= plan.epsilon and risk + tolerance <= least + plan.epsilon
    return ReliableOutcome(guess, plan, rate, risk, least, bool(kept))
