"""Reliable learning of one table: the strategy, what it promised, and the best reliable ReLU.

This file does not know the command line.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, final

import numpy as np

from sqsim.algorithms.ball_inputs import LEEWAY, largest_norm
from sqsim.algorithms.reliable import ReliableOutcome, reliable_relu
from sqsim.algorithms.reliable_constants import ReliablePlan, reliable_plan, subgradient_rounds
from sqsim.errors import BadInput
from sqsim.inputs import Empirical
from sqsim.loop import run
from sqsim.losses import AbsoluteLoss, LinearLoss, Loss, Square
from sqsim.lowrank import Array
from sqsim.oracles.simulated import sq
from sqsim.problems.ball import (
    Scaling,
    clustered_points,
    cube_points,
    scaled_into_ball,
    sphere_points,
    straddling_points,
)
from sqsim.problems.dataset import Dataset
from sqsim.problems.problem import Problem
from sqsim.problems.reliable import Raised, ReliableRegression
from sqsim.problems.tables import read_table
from sqsim.risks import check_labels, false_positive_rate, positive_loss
from sqsim.seeds import Seed
from sqsim.studies.conventions import POLICIES
from sqsim.studies.reliable_optimum import LARGEST_DIMENSION, best_reliable_relu
from sqsim.tolerance import Absolute, Unperturbed

SCHEMA = "sqsim.reliable/1"

LOSSES: Mapping[str, Loss] = {
    "square": Square(),
    "absolute": AbsoluteLoss(),
    "linear": LinearLoss(),
}


def _first(dimension: int) -> Array:
    return np.asarray(np.eye(1, dimension)[0])


def _straddling(dimension: int, count: int, seed: Seed) -> Array:
    return straddling_points(_first(dimension), count, seed=seed)


def _cube(dimension: int, count: int, seed: Seed) -> Array:
    return cube_points(dimension)


PROBLEMS: Mapping[str, Callable[[int, int, Seed], Array]] = {
    "sphere": lambda dimension, count, seed: sphere_points(dimension, count, seed=seed),
    "clustered": lambda dimension, count, seed: clustered_points(dimension, count, seed=seed),
    "straddling": _straddling,
    "cube": _cube,
}
"""Points of a finite support by name; labels are those of the neuron max(x_1, 0), and 1 where it
is 0 and x_2 >= 1/2."""


@final
@dataclass(frozen=True, kw_only=True)
class ReliableRun:
    """One run, as plain data.

    Attributes
    ----------
    epsilon, degree : as in `reliable_relu`.
    loss : square, absolute or linear.
    tolerance : float, optional
        Absolute tolerance of every answer; None: the means themselves.
    policy : name of an adversary.
    stop_early : whether the certificate may end the run.
    seed : of the oracle.
    """

    epsilon: float
    loss: str = "square"
    degree: int | None = None
    tolerance: float | None = None
    policy: str = "toward-zero"
    stop_early: bool = True
    seed: Seed = 0


def named_table(name: str, *, dimension: int, count: int, seed: Seed) -> Dataset:
    """The finite problem of this name."""
    if name not in PROBLEMS:
        raise BadInput(
            f"no problem {name!r}; wanted {', '.join(PROBLEMS)}, or a file .csv, .parquet or .npz"
        )
    if dimension < 2 or count < 4:
        raise BadInput(f"{dimension} dimensions and {count} points; wanted at least 2 and 4")
    points = PROBLEMS[name](dimension, count, seed)
    change = Raised(np.eye(dimension)[1], 0.5)
    problem = ReliableRegression(Empirical(points))
    return problem.draw(direction=_first(dimension), corruptions=[change], seed=seed).table


def table_in_ball(path: str | Path, *, target: str, scale: bool) -> tuple[Dataset, Scaling | None]:
    """A file's table, checked to lie in the ball with labels in [0, 1], or scaled into it.

    Raises
    ------
    BadInput
        Where it does not and `scale` is False: with what was found and what scaling would do.
    """
    dataset = read_table(path, target=target)
    if scale:
        return scaled_into_ball(dataset)
    longest = largest_norm(np.asarray(dataset.inputs))
    try:
        check_labels(dataset.targets)
    except BadInput as error:
        raise BadInput(f"{error}; --scale does this") from None
    if longest > 1 + LEEWAY:
        raise BadInput(
            f"a row has norm {longest:.10g}, and reliable learning assumes norms of at most 1; "
            f"divide all rows by {longest:.6g}, or pass --scale, which divides columns by their "
            "largest |value| and rows by the largest norm"
        )
    return dataset, None


def reliable_run(dataset: Dataset, setting: ReliableRun) -> dict[str, Any]:
    """Run it and measure the guess on the table; the keys of schema sqsim.reliable/1, and more."""
    for what, value, known in (
        ("loss", setting.loss, LOSSES),
        ("policy", setting.policy, POLICIES),
    ):
        if value not in known:
            raise BadInput(f"{what} is {value!r}; wanted one of {', '.join(known)}")
    loss, tau = LOSSES[setting.loss], setting.tolerance
    check_labels(dataset.targets)
    oracle = sq(
        dataset,
        tolerance=Unperturbed() if tau is None else Absolute(tau),
        policy=POLICIES["exact" if tau is None else setting.policy],
        seed=setting.seed,
    )
    strategy = reliable_relu(
        dataset.problem,
        epsilon=setting.epsilon,
        loss=loss,
        degree=setting.degree,
        tolerance=tau or 0.0,
        stop_early=setting.stop_early,
    )
    found = run(strategy, oracle)
    outcome: ReliableOutcome | None = found.value
    assert outcome is not None
    guesses = outcome.hypothesis(np.asarray(dataset.inputs, float))
    best = None
    if dataset.inputs.shape[1] <= LARGEST_DIMENSION:
        best = best_reliable_relu(dataset, loss, gap=min(0.02 * setting.epsilon, 2e-3))
    return {
        "schema": SCHEMA,
        "false_positive_rate": false_positive_rate(guesses, dataset.targets),
        "positive_loss": positive_loss(loss, guesses, dataset.targets),
        "best_positive_loss": None if best is None else best.upper,
        "best_positive_loss_bounds": None if best is None else [best.lower, best.upper],
        "degree": outcome.plan.polynomial.degree,
        "features": outcome.plan.ball.features.size,
        "queries": found.ledger.queries,
        "rounds": found.ledger.rounds,
        "epsilon": setting.epsilon,
        "loss": setting.loss,
        "tolerance": tau,
        "certified": outcome.certified,
        "best_is_at_least": outcome.least_loss,
        "promised": promised(outcome.plan),
    }


def promised(plan: ReliablePlan) -> dict[str, Any]:
    """What the theorem asks for, whatever the labels are."""
    return {
        "rounds": plan.rounds,
        "queries": plan.queries,
        "tolerance": plan.tolerance,
        "coordinates": plan.ball.size,
        "subgradient_rounds": subgradient_rounds(plan),
    }


def growth(
    problem: Problem, *, epsilons: Sequence[float], loss: Loss | None = None
) -> list[dict[str, Any]]:
    """Degree, features, rounds, queries and tolerance for each epsilon; nothing is asked."""
    plans = map(partial(_plan, problem, loss), epsilons)
    return [
        {
            "epsilon": plan.epsilon,
            "degree": plan.polynomial.degree,
            "features": plan.ball.features.size,
            "norm_squared": plan.polynomial.norm_squared,
            **promised(plan),
        }
        for plan in plans
    ]


def _plan(problem: Problem, loss: Loss | None, epsilon: float) -> ReliablePlan:
    return reliable_plan(problem, epsilon=epsilon, loss=loss)
