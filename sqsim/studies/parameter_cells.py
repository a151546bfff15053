"""The cell "the two-stage learner of a very negative neuron with these choices of its parameters".

This file does not know grids or stores.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from sqsim.algorithms.descent import reweighted_pgd
from sqsim.algorithms.fields import agreement
from sqsim.algorithms.profile import best_of
from sqsim.algorithms.spectral import thresholded_pca
from sqsim.errors import BadInput, BudgetSpent, QueryRefused, ToleranceUnreachable
from sqsim.loop import run
from sqsim.oracles.scoring import loss, null_loss
from sqsim.problems.hypothesis import ReluHypothesis
from sqsim.problems.problem import Problem
from sqsim.record import Ledger
from sqsim.seeds import Seed
from sqsim.strategy import SQ, ask_all
from sqsim.studies.cells import Measure
from sqsim.studies.learning_cells import Access, CorruptedNeuron
from sqsim.studies.named_values import read_table
from sqsim.studies.trials import STATUS


@final
@dataclass(frozen=True)
class TwoStages:
    """Thresholded PCA, its sign by the loss, then reweighted projected descent.

    Attributes
    ----------
    threshold : the cut of the PCA in units of norm / |bias|; 1 in the paper.
    rho, overlap : shift and lambda of the reweighting; 1/2 and 0.9 in the paper.
    step_size, steps : of the descent.
    norm_guess, bias_guess : what it is told: factors on the true norm, and on the true bias per
        unit of norm.
    success : times the bound on OPT that the loss may be.
    """

    threshold: float = 1.0
    rho: float = 0.5
    overlap: float = 0.9
    step_size: float = 0.3
    steps: int = 30
    norm_guess: float = 1.0
    bias_guess: float = 1.0
    success: float = 1.5

    def __post_init__(self) -> None:
        for name in ("threshold", "step_size", "norm_guess", "bias_guess"):
            if not 0 < getattr(self, name) < np.inf:
                raise BadInput(f"{name} is {getattr(self, name)}; wanted a finite number > 0")
        if not (0 <= self.rho <= 1 and 0 < self.overlap <= 1):
            raise BadInput(
                f"rho {self.rho} and overlap {self.overlap}: 0 <= rho <= 1 and 0 < overlap <= 1 "
                "wanted"
            )


def two_stages(
    problem: Problem, choice: TwoStages, *, norm: float, bias: float, seed: Seed
) -> SQ[ReluHypothesis]:
    """Thresholded PCA and reweighted descent at a guessed norm and bias.

    d(d + 1)/2 + 2 queries for the start and its sign, steps (d + 1) for the descent and 2 to
    choose between its result and its start: steps + 3 rounds.

    Parameters
    ----------
    norm, bias : guesses; the neuron is norm max(<v, x> + bias / norm, 0).
    """
    v = yield from thresholded_pca(problem, cut=choice.threshold * norm**2 / abs(bias), seed=seed)
    pair = ReluHypothesis(norm * v, bias), ReluHypothesis(-norm * v, bias)
    answers = yield from ask_all(*map(agreement, pair), step="sign")
    start = pair[int(np.argmax([float(answer) for answer in answers]))]
    descended = yield from reweighted_pgd(
        problem,
        start=start.weights,
        norm=norm,
        bias=bias,
        rho=choice.rho,
        overlap=choice.overlap,
        steps=choice.steps,
        step_size=choice.step_size,
        seed=seed,
    )
    return (yield from best_of(problem, [start, descended])).hypothesis


def _tuned(
    *,
    problem: Mapping[str, Any],
    algorithm: Mapping[str, Any],
    seed: Seed,
    oracle: Mapping[str, Any] | None = None,
    tolerance: float | None = None,
) -> dict[str, Any]:
    """Run with these choices and score.

    Returns
    -------
    dict
        status, success, loss, null_loss, opt_bound, ratio, overlap, queries, rounds.
    """
    neuron = read_table(CorruptedNeuron, problem, "problem")
    choice = read_table(TwoStages, algorithm, "algorithm")
    instance = neuron.instance(told=False, seed=seed)
    made = read_table(Access, oracle, "oracle").oracle(instance, "SQ", tolerance, seed)
    strategy = two_stages(
        instance.problem,
        choice,
        norm=choice.norm_guess * neuron.norm,
        bias=choice.norm_guess * choice.bias_guess * neuron.bias,
        seed=seed,
    )
    ledger, status, hypothesis = Ledger(), "finished", None
    try:
        result = run(strategy, made)
        ledger, hypothesis = result.ledger, result.value
    except (ToleranceUnreachable, QueryRefused, BudgetSpent) as error:
        status = STATUS[type(error)]
    null = float(np.asarray(null_loss(instance).value))
    own = null if hypothesis is None else float(np.asarray(loss(instance, hypothesis).value))
    bound = instance.opt_upper_bound
    return {
        "status": status,
        "success": hypothesis is not None and own <= choice.success * bound,
        "loss": own,
        "null_loss": null,
        "opt_bound": bound,
        "ratio": own / bound,
        "overlap": 0.0 if hypothesis is None else hypothesis.overlap(instance.direction),
        "queries": ledger.queries,
        "rounds": ledger.rounds,
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
    read_table(TwoStages, algorithm, "algorithm")
    if not neuron.bias < 0 or neuron.corruption == "none":
        raise BadInput(
            f"bias {neuron.bias}, corruption {neuron.corruption!r}: the two stages are made for a "
            "negative bias, and a ratio to OPT needs corrupted labels"
        )
    instance = neuron.instance(told=False, seed=seed)
    read_table(Access, oracle, "oracle").oracle(instance, "SQ", tolerance, seed)


tuned = Measure(_tuned, _check)
"""Thresholded PCA and reweighted descent with given parameters, on a corrupted neuron."""
