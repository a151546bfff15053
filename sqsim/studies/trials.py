"""A learner on a scale-free table at one tolerance, or at a row of them.

This file does not know files of tables or what a result is compared with.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, final

import numpy as np

from sqsim.errors import BadInput, BudgetSpent, QueryRefused, SqsimError, ToleranceUnreachable
from sqsim.loop import run
from sqsim.lowrank import Array
from sqsim.oracles.protocol import Means
from sqsim.oracles.simulated import SimulatedOracle, csq, sq
from sqsim.problems.chunked import Chunked, examples, row_count
from sqsim.problems.dataset import Dataset
from sqsim.problems.hypothesis import ReluHypothesis
from sqsim.recipe import Recipe
from sqsim.record import Exchange, Ledger
from sqsim.seeds import Seed
from sqsim.strategy import Strategy
from sqsim.studies.learners import CONVENTIONS, POLICIES, Learner
from sqsim.studies.observers import Observer
from sqsim.studies.samples import largest_value
from sqsim.tolerance import Absolute, Tolerance, Unperturbed

SWEEP: tuple[float, ...] = tuple(float(f"{10.0**e:.3g}") for e in np.linspace(-4.0, 0.0, 9))
"""Tolerances at which a learner is run again."""

STATUS: Mapping[type[SqsimError], str] = {
    ToleranceUnreachable: "tolerance unreachable",
    QueryRefused: "refused",
    BudgetSpent: "budget spent",
}


@final
@dataclass(frozen=True, eq=False)
class Setting:
    """A table made scale-free and everything about a run but its tolerance.

    Attributes
    ----------
    norm, policy : names of a convention and of an adversary.
    unit : what the targets were divided by.
    means : what computes means; Sample() unless given.
    """

    train: Dataset | Chunked
    learner: Learner
    norm: str
    policy: str
    seed: Seed
    unit: float = 1.0
    means: Means | None = None

    def __post_init__(self) -> None:
        for what, value, known in (
            ("norm", self.norm, CONVENTIONS),
            ("policy", self.policy, POLICIES),
        ):
            if value not in known:
                raise BadInput(f"{what} is {value!r}; wanted one of {', '.join(known)}")

    def tolerance(self, tau: float | None) -> Tolerance | None:
        """tau in the convention of this setting."""
        return None if tau is None else CONVENTIONS[self.norm](tau)

    def oracle(self, tau: float | None) -> SimulatedOracle[Any]:
        """The oracle that the learner is run against; None is no tolerance at all."""
        make: Callable[..., SimulatedOracle[Any]] = csq if self.learner.access == "CSQ" else sq
        granted = self.tolerance(tau) or Unperturbed()
        return make(
            self.train,
            tolerance=granted,
            policy=POLICIES[self.policy],
            means=self.means,
            seed=self.seed,
        )

    def strategy(self) -> Strategy[Any, ReluHypothesis]:
        """The learner, about to ask its first question."""
        return self.learner.strategy(self.train.problem, self.seed)


@final
@dataclass(eq=False)
class Trial:
    """One run: what it learned and cost, as far as it came.

    Attributes
    ----------
    hypothesis : in the table's units of the target.
    largest : largest |phi| that was asked, measured where the tolerance is absolute.
    """

    status: str = "interrupted"
    message: str = "interrupted; what was written so far is kept"
    hypothesis: ReluHypothesis | None = None
    ledger: Ledger = field(default_factory=Ledger)
    largest: float | None = None
    seconds: float = 0.0


def attempt(
    setting: Setting,
    tau: float | None,
    *,
    log: Path | None = None,
    recipe: Recipe | None = None,
    observer: Observer | None = None,
) -> Trial:
    """Run the learner; a refusal or Ctrl-C ends the trial and not the program."""
    trial, started = Trial(), time.perf_counter()
    oracle, strategy = setting.oracle(tau), setting.strategy()

    def watch(exchange: Exchange, ledger: Ledger) -> None:
        trial.ledger = ledger
        if observer is None:
            return
        if isinstance(oracle.tolerance, Absolute):
            size = largest_value(exchange.batch.queries, setting.train)
            trial.largest = max(size, trial.largest or 0.0)
        observer("round", {"queries": ledger.queries, "rounds": ledger.rounds})

    try:
        result = run(strategy, oracle, log=log, callback=watch, recipe=recipe)
        if result.value is not None:
            weights = setting.unit * result.value.weights
            trial.hypothesis = ReluHypothesis(weights, setting.unit * result.value.bias)
        trial.status, trial.message = "finished", result.message
    except (ToleranceUnreachable, QueryRefused, BudgetSpent) as error:
        trial.status, trial.message = STATUS[type(error)], str(error)
    except KeyboardInterrupt:
        pass
    trial.seconds = time.perf_counter() - started
    return trial


def sweep_tolerances(setting: Setting, observer: Observer) -> list[dict[str, Any]]:
    """Status and training loss at the tolerances of SWEEP; Ctrl-C keeps the points so far."""
    points: list[dict[str, Any]] = []
    for tau in SWEEP:
        trial = attempt(setting, tau)
        if trial.status == "interrupted":
            break
        loss = None
        if trial.hypothesis is not None:
            loss = loss_on(trial.hypothesis, setting.train, setting.unit)
        points.append({"tolerance": tau, "status": trial.status, "loss": loss})
        observer("sweep", points[-1])
    return points


def loss_on(hypothesis: ReluHypothesis, table: Dataset | Chunked, unit: float) -> float:
    """E[(y - yhat)^2] over the rows of a table whose targets were divided by `unit`."""
    if isinstance(table, Dataset):
        return mean_squared_error(hypothesis, table.inputs, unit * table.targets)
    total = sum(float(np.sum((hypothesis(x) - unit * y) ** 2)) for x, y in examples(table))
    return total / row_count(table)


def mean_squared_error(hypothesis: ReluHypothesis, inputs: Array, targets: Array) -> float:
    """E[(y - yhat)^2] over the rows."""
    return float(np.mean((hypothesis(inputs) - targets) ** 2))
