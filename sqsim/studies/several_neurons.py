"""Sums of a few ReLU neurons: which learner finds all of them, at what tolerance, at what cost.

Found here (d = 20 to 30, L2 tolerances 3e-4 to 1e-2, answers toward zero), computed, not proved:

- At equal biases from -2 to 0, orthogonal or correlated, every start led to all neurons; at -1.5
  the loss fell like the tolerance squared.  No genuine statistical query was needed there.
- At bias -3 and tolerance 3e-3 the correlational starts found nothing, where thresholded moments
  found both of two directions to an overlap of 0.99.  In L2 a statistic's radius is relative to
  its norm, small for rare events, while a correlation's is not relative to the label: this unit
  is generous to SQ.  The loss was then limited by the correlational fit of norms and biases.
- Reweighted descent by deflation alone is not enough: its first neuron blends several (overlap
  0.6 to 0.8 for three at bias 0 or overlapping directions).  Joint rounds repair it.
- Thresholded third and fourth moments tell directions apart where neurons are seldom active
  together; at bias 0 or overlap 0.6 their mixed terms turn them (0.85 and 0.59).
- With biases -3, -2, -1, 0 at 5e-3 the loss is small, three neurons are found and that of bias -3
  is missed: its energy is below what the others' errors leave.
- With a decoy of energy 1/50 and tolerance 1e-2 all three directions of bias -1.5 were found, at
  a loss of 5.5 times the budget; exact answers, two neurons of bias -1: at most twice the budget.

This file does not draw or print.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, final

import numpy as np

from sqsim.algorithms.network_learners import (
    DESCENT,
    NETWORK_LEARNERS,
    PLACED,
    network_costs,
)
from sqsim.algorithms.network_means import distance_between, network_energy
from sqsim.errors import BadInput, SqsimError
from sqsim.loop import run
from sqsim.oracles.polar import Polar
from sqsim.oracles.simulated import SimulatedOracle, csq, sq
from sqsim.problems.corruption import Corruption, Decoy
from sqsim.problems.index import IndexInstance
from sqsim.problems.network import NetworkRegression, ReluNetwork, no_neurons
from sqsim.studies.learners import CONVENTIONS, POLICIES
from sqsim.studies.network_scores import label_network, network_scores

JOINT_ROUNDS = 10


@final
@dataclass(frozen=True)
class SeveralNeurons:
    """One instance and the runs on it.

    Attributes
    ----------
    count, dimension : of the hidden neurons and of the inputs.
    biases : one for all neurons, or one for each.
    outer : outer weights, likewise; learners are told whether some are negative.
    overlap : every <v_i, v_j>, or None for independent random directions.
    tolerances : each learner runs at each of them.
    norm, policy : what a unit of tolerance means, and where answers fall.
    alpha : if given, labels carry a decoy neuron of energy 1 / alpha of the network's.
    algorithms : names of NETWORK_LEARNERS.
    """

    count: int = 3
    dimension: int = 20
    biases: tuple[float, ...] = (-1.0,)
    outer: tuple[float, ...] = (1.0,)
    overlap: float | None = 0.0
    tolerances: tuple[float, ...] = (1e-2, 3e-3, 1e-3)
    norm: str = "l2"
    policy: str = "toward-zero"
    alpha: float | None = None
    algorithms: tuple[str, ...] = tuple(NETWORK_LEARNERS)
    seed: int = 0

    def __post_init__(self) -> None:
        for name, values in (("biases", self.biases), ("outer", self.outer)):
            if len(values) not in (1, self.count):
                raise BadInput(
                    f"{len(values)} {name} for {self.count} neurons; wanted one, or one for each"
                )
        if not self.tolerances or not all(0 < t < math.inf for t in self.tolerances):
            raise BadInput(f"tolerances are {self.tolerances}; wanted positive finite numbers")
        for kind, name, known in (
            ("norm", self.norm, CONVENTIONS),
            ("policy", self.policy, POLICIES),
            *(("algorithm", one, NETWORK_LEARNERS) for one in self.algorithms),
        ):
            if name not in known:
                raise BadInput(f"{kind} is {name!r}; there are {', '.join(known)}")
        if self.norm == "vstat":
            raise BadInput(
                "vstat needs norms under the joint law of several neurons, which are not computed "
                "for gradients; use l2 or absolute"
            )
        if self.alpha is not None and not 0 < self.alpha < math.inf:
            raise BadInput(f"alpha is {self.alpha}; it is energy / budget, positive and finite")

    @property
    def problem(self) -> NetworkRegression:
        return NetworkRegression(self.dimension, self.count)

    def network(self) -> ReluNetwork:
        """The hidden network."""
        biases, outer = (
            values[0] if len(values) == 1 else values for values in (self.biases, self.outer)
        )
        return self.problem.network(
            overlap=self.overlap, biases=biases, outer=outer, seed=self.seed
        )

    def instance(self) -> IndexInstance:
        """The labelled problem, its decoy among the corruptions."""
        network = self.network()
        corruptions: list[Corruption] = []
        if self.alpha is not None:
            bias = float(network.biases[0])
            one = ReluNetwork(np.ones(1), network.directions[:1], np.array([bias]))
            size = math.sqrt(network_energy(network) / self.alpha / network_energy(one))
            corruptions.append(Decoy(size, bias))
        return self.problem.draw(network, corruptions=corruptions, seed=self.seed)


def several_neurons(
    study: SeveralNeurons, *, observer: Callable[[dict[str, Any]], None] | None = None
) -> dict[str, Any]:
    """The `sqsim.neurons/1` object: every learner at every tolerance, on one instance."""
    network, instance = study.network(), study.instance()
    energy = distance_between(label_network(instance), no_neurons(study.dimension))
    results: dict[str, Any] = {
        "schema": "sqsim.neurons/1",
        "count": study.count,
        "dimension": study.dimension,
        "biases": network.biases.tolist(),
        "outer": network.outer.tolist(),
        "overlaps": (network.directions @ network.directions.T).tolist(),
        "norm": study.norm,
        "policy": study.policy,
        "alpha": study.alpha,
        "seed": study.seed,
        "zero_loss": energy,
        "opt_upper_bound": instance.opt_upper_bound,
        "origin": "computed here",
        "runs": [],
    }
    for name in study.algorithms:
        for tolerance in study.tolerances:
            found = _run(study, name, tolerance, instance, network)
            results["runs"].append(found)
            if observer is not None:
                observer(found)
    return results


def _run(
    study: SeveralNeurons,
    name: str,
    tolerance: float,
    instance: IndexInstance,
    network: ReluNetwork,
) -> dict[str, Any]:
    access = "SQ" if name.endswith("thresholded") else "CSQ"
    model: Callable[..., SimulatedOracle[Any]] = sq if access == "SQ" else csq
    oracle = model(
        instance,
        tolerance=CONVENTIONS[study.norm](tolerance),
        policy=POLICIES[study.policy],
        means=Polar(accuracy=tolerance / 4),
        seed=study.seed,
    )
    pursuit = replace(
        DESCENT if name.startswith("deflate") else PLACED, signed=min(study.outer) < 0
    )
    stated = network_costs(
        name, study.problem, pursuit=pursuit, rounds=JOINT_ROUNDS, told_cut=False
    )
    row: dict[str, Any] = {
        "algorithm": name,
        "access": access,
        "tolerance": tolerance,
        "stated_queries": stated[0],
        "stated_rounds": stated[1],
    }
    began = time.perf_counter()
    try:
        strategy = NETWORK_LEARNERS[name](
            study.problem, pursuit=pursuit, rounds=JOINT_ROUNDS, seed=study.seed
        )
        result = run(strategy, oracle)
    except SqsimError as error:
        return {**row, "outcome": "refused", "message": str(error)}
    assert result.value is not None
    row |= {
        "queries": result.ledger.queries,
        "rounds": result.ledger.rounds,
        "seconds": time.perf_counter() - began,
    }
    return row | network_scores(result.value, instance, network)


def outcome_words(results: dict[str, Any]) -> Sequence[str]:
    """One line for each run."""
    lines = []
    for row in results["runs"]:
        head = f"{row['algorithm']:22s} {row['access']:3s} tau {row['tolerance']:<8g}"
        if row["outcome"] == "refused":
            lines.append(f"{head} refused: {row['message']}")
            continue
        least, before = min(row["overlaps"]), min(row["pursued_overlaps"])
        lines.append(
            f"{head} {row['outcome']:19s} {row['recovered']} of {len(row['overlaps'])}  "
            f"loss/zero {row['loss_to_zero']:9.3g}  worst overlap {least:7.5f} (one by one "
            f"{before:7.5f})  {row['queries']} queries in {row['rounds']} rounds"
        )
    return lines
