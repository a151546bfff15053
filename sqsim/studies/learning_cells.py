"""The cell "a learner on one corrupted neuron against one oracle", and what its row says.

This file does not know grids or stores.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from sqsim.errors import BadInput, BudgetSpent, QueryRefused, ToleranceUnreachable
from sqsim.links import Relu
from sqsim.loop import run
from sqsim.oracles.scoring import loss, null_loss
from sqsim.oracles.simulated import SimulatedOracle, csq, sq
from sqsim.problems.corruption import (
    Corruption,
    Decoy,
    LabelNoise,
    LowDegreeRemoval,
    WorstCase,
)
from sqsim.problems.hypothesis import ReluHypothesis
from sqsim.problems.index import IndexInstance, ReluRegression
from sqsim.record import Exchange, Ledger
from sqsim.seeds import Seed
from sqsim.studies.access import NORMS, check_feasible, sampled
from sqsim.studies.cells import Measure
from sqsim.studies.certified import certified_csq_queries
from sqsim.studies.learners import CONVENTIONS, POLICIES, Learner, learner
from sqsim.studies.named_values import read_table
from sqsim.studies.trials import STATUS
from sqsim.tolerance import Unperturbed
from sqsim.updates import Update, plain, reweighted

UPDATES: Mapping[str, Callable[[float], Update]] = {"plain": plain, "reweighted": reweighted}


@final
@dataclass(frozen=True)
class CorruptedNeuron:
    """One instance family: sigma(<v, x> + bias) with corrupted labels, x ~ N(0, I_d).

    Attributes
    ----------
    told : whether the learner is told norm and bias; None: as the learner is made for.
    corruption : "none", "low-degree" (removes Hermite degrees up to `cutoff`), "noise"
        (independent, of second moment budget), "decoy" (a second neuron of that energy, at
        `overlap`) or "worst-case" (against `update` at `overlap`).
    alpha : energy of the neuron over the budget of noise, decoy or worst case.
    """

    dimension: int
    bias: float = 0.0
    norm: float = 1.0
    told: bool | None = None
    corruption: str = "none"
    cutoff: int = 3
    alpha: float = 100.0
    overlap: float = 0.0
    update: str = "plain"

    def __post_init__(self) -> None:
        if not self.alpha > 0:
            raise BadInput(f"alpha is {self.alpha}; the energy of the neuron over a budget is > 0")
        if self.update not in UPDATES:
            raise BadInput(f"update is {self.update!r}; wanted one of {', '.join(UPDATES)}")

    @property
    def budget(self) -> float:
        """E[noise^2], in E form."""
        return Relu(self.bias, self.norm).second_moment / self.alpha

    def corruptions(self) -> list[Corruption]:
        """The corruption as a list of at most one."""
        if self.corruption == "none":
            return []
        if self.corruption == "low-degree":
            return [LowDegreeRemoval(self.cutoff)]
        if self.corruption == "noise":
            return [LabelNoise(math.sqrt(self.budget))]
        if self.corruption == "decoy":
            weight = math.sqrt(self.budget / Relu(self.bias, 1.0).second_moment)
            return [Decoy(weight, self.bias, self.overlap)]
        if self.corruption == "worst-case":
            update = UPDATES[self.update](self.bias / self.norm)
            return [WorstCase(update, self.budget, self.overlap)]
        raise BadInput(
            f"corruption is {self.corruption!r}; wanted none, low-degree, noise, decoy or "
            "worst-case"
        )

    def instance(self, *, told: bool, seed: Seed) -> IndexInstance:
        """The instance of this seed, with norm and bias told or not."""
        told = told if self.told is None else self.told
        problem = ReluRegression(
            self.dimension,
            norm=self.norm if told else None,
            bias=self.bias if told else None,
        )
        return problem.draw(
            norm=self.norm, bias=self.bias, corruptions=self.corruptions(), seed=seed
        )


@final
@dataclass(frozen=True)
class Access:
    """How answers are made.

    Attributes
    ----------
    model : "l2", "absolute" or "vstat" (a window of radius `tolerance`, as the command line's
        --norm), "honest" or "ldp" (samples), "unperturbed" (no tolerance).
    policy : the adversary inside a window.
    epsilon, clip : of "ldp".
    """

    model: str = "l2"
    policy: str = "exact"
    epsilon: float = 1.0
    clip: float = 5.0

    def __post_init__(self) -> None:
        if self.policy not in POLICIES:
            raise BadInput(f"policy is {self.policy!r}; wanted one of {', '.join(POLICIES)}")
        if self.model not in (*CONVENTIONS, *NORMS, "unperturbed"):
            sampled(self.model, epsilon=self.epsilon, clip=self.clip)

    def oracle(self, instance: Any, access: str, tolerance: float | None, seed: Seed) -> Any:
        """The oracle that answers a learner of this access."""
        if self.model not in (*NORMS, "unperturbed"):
            model = sampled(self.model, epsilon=self.epsilon, clip=self.clip)
            wanted = _given(tolerance, self.model)
            check_feasible(model, wanted, instance.problem.dimension)
            return model.make(instance, wanted, seed)
        make: Callable[..., SimulatedOracle[Any]] = csq if access == "CSQ" else sq
        if self.model == "unperturbed":
            return make(instance, tolerance=Unperturbed(), seed=seed)
        granted = CONVENTIONS[NORMS[self.model]](_given(tolerance, self.model))
        return make(instance, tolerance=granted, policy=POLICIES[self.policy], seed=seed)


@final
@dataclass(frozen=True)
class Named:
    """A registered learner of a neuron, and what counts as its success.

    Attributes
    ----------
    success : times the upper bound on OPT that the loss may be; with a bound of 0, the part of the
        zero hypothesis's loss that it may be.
    """

    name: str
    success: float = 1.5
    exactness: float = 1e-3

    @property
    def learner(self) -> Learner:
        return learner(self.name)


def _learn(
    *,
    problem: Mapping[str, Any],
    algorithm: Mapping[str, Any],
    seed: Seed,
    oracle: Mapping[str, Any] | None = None,
    tolerance: float | None = None,
) -> dict[str, Any]:
    """Run one learner and score it against the secret.

    Returns
    -------
    dict
        success, loss, null_loss, opt_bound, ratio (loss / bound on OPT), overlap, norm, bias,
        queries, rounds, finest, status, access; certified_queries (a proved lower bound on the
        queries of a correlational learner, exact decimal text) where a theorem applies.
    """
    neuron = read_table(CorruptedNeuron, problem, "problem")
    chosen = read_table(Named, algorithm, "algorithm")
    access = read_table(Access, oracle, "oracle")
    found = chosen.learner
    instance = neuron.instance(told=found.told, seed=seed)
    found.check_told(instance.problem)
    ledger, status, hypothesis = _run(
        found, instance, access.oracle(instance, found.access, tolerance, seed), seed
    )
    scored = _scored(instance, hypothesis, chosen)
    return {
        "status": status,
        **scored,
        "access": found.access,
        "queries": ledger.queries,
        "rounds": ledger.rounds,
        "finest": None if ledger.finest is None else float(ledger.finest),
        **_certified(neuron, access, tolerance, chosen.success),
    }


def _check(
    *,
    problem: Mapping[str, Any],
    algorithm: Mapping[str, Any],
    seed: Seed,
    oracle: Mapping[str, Any] | None = None,
    tolerance: float | None = None,
) -> None:
    neuron = read_table(CorruptedNeuron, problem, "problem")
    found = read_table(Named, algorithm, "algorithm").learner
    access = read_table(Access, oracle, "oracle")
    instance = neuron.instance(told=found.told, seed=seed)
    found.check_told(instance.problem)
    access.oracle(instance, found.access, tolerance, seed)


learn = Measure(_learn, _check)
"""A registered learner on a corrupted neuron; arguments are the three tables above."""


def _run(
    found: Learner, instance: IndexInstance, oracle: Any, seed: Seed
) -> tuple[Ledger, str, ReluHypothesis | None]:
    spent = [Ledger()]

    def watch(exchange: Exchange, ledger: Ledger) -> None:
        spent[0] = ledger

    try:
        result = run(found.strategy(instance.problem, seed), oracle, callback=watch)
    except (ToleranceUnreachable, QueryRefused, BudgetSpent) as error:
        return spent[0], STATUS[type(error)], None
    return result.ledger, "finished", result.value


def _scored(
    instance: IndexInstance, hypothesis: ReluHypothesis | None, chosen: Named
) -> dict[str, Any]:
    null = float(np.asarray(null_loss(instance).value))
    bound = instance.opt_upper_bound
    own = null if hypothesis is None else float(np.asarray(loss(instance, hypothesis).value))
    limit = chosen.success * bound if bound > 0 else chosen.exactness * null
    return {
        "success": hypothesis is not None and own <= limit,
        "loss": own,
        "null_loss": null,
        "opt_bound": bound,
        "ratio": own / bound if bound > 0 else None,
        "overlap": 0.0 if hypothesis is None else hypothesis.overlap(instance.direction),
        "norm": 0.0 if hypothesis is None else hypothesis.norm,
        "bias": 0.0 if hypothesis is None else hypothesis.bias,
    }


def _certified(
    neuron: CorruptedNeuron, access: Access, tolerance: float | None, success: float
) -> dict[str, Any]:
    """The lower bound of Guo and Vijayaraghavan's family, where the cell is a member of it."""
    applies = neuron.corruption == "low-degree" and neuron.bias < 0 and neuron.norm == 1.0
    if not applies or tolerance is None or access.model != "l2":
        return {}
    found = certified_csq_queries(
        dimension=neuron.dimension,
        bias=neuron.bias,
        cutoff=neuron.cutoff,
        tolerance=tolerance,
        norm="l2",
        ratio=success,
    )
    return {"certified_queries": found["lower"]}


def _given(tolerance: float | None, model: str) -> float:
    if tolerance is None:
        raise BadInput(f"the oracle {model!r} needs a tolerance; give one, or model unperturbed")
    return tolerance
