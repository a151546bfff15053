"""The cell "a learner on a neuron under another product law", with the numerical lower bound.

This file does not know grids or stores.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from sqsim.errors import BadInput
from sqsim.seeds import Seed
from sqsim.studies.cells import Measure
from sqsim.studies.learning_cells import Named
from sqsim.studies.marginals import MarginalNeuron, correlational_dimension
from sqsim.studies.named_values import read_table
from sqsim.studies.trials import Setting, attempt, mean_squared_error

DIRECTIONS = 300


def _under(
    *,
    problem: Mapping[str, Any],
    algorithm: Mapping[str, Any],
    tolerance: float,
    seed: Seed,
    oracle: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Run a learner on a table drawn from the law; neither norm nor bias is told.

    Returns
    -------
    dict
        status, message, success (loss at most `success` times what the removal of low degrees
        costs), loss, null_loss, opt_bound, ratio, overlap, queries, rounds, access.
    """
    chosen = read_table(Named, algorithm, "algorithm")
    sample = read_table(MarginalNeuron, problem, "problem").sample(seed)
    table = sample.table()
    norm, policy = _read_oracle(oracle)
    trial = attempt(Setting(table, chosen.learner, norm, policy, seed), tolerance)
    null = float(np.mean(table.targets**2))
    own, overlap = null, 0.0
    if trial.hypothesis is not None:
        own = mean_squared_error(trial.hypothesis, table.inputs, table.targets)
        overlap = trial.hypothesis.overlap(sample.direction)
    bound = sample.removed
    limit = chosen.success * bound if bound > 0 else chosen.exactness * null
    return {
        "status": trial.status,
        "message": trial.message or None,
        "success": trial.hypothesis is not None and own <= limit,
        "loss": own,
        "null_loss": null,
        "opt_bound": bound,
        "ratio": own / bound if bound > 0 else None,
        "overlap": overlap,
        "access": chosen.learner.access,
        "queries": trial.ledger.queries,
        "rounds": trial.ledger.rounds,
    }


def _check(
    *,
    problem: Mapping[str, Any],
    algorithm: Mapping[str, Any],
    tolerance: float,
    seed: Seed,
    oracle: Mapping[str, Any] | None = None,
) -> None:
    read_table(MarginalNeuron, problem, "problem")
    found = read_table(Named, algorithm, "algorithm").learner
    if found.needs:
        raise BadInput(
            f"{found.name} needs to be told {' and '.join(found.needs)}, and a table tells neither"
        )
    _read_oracle(oracle)


under = Measure(_under, _check)
"""A learner on a table of another law; `problem` holds the fields of `MarginalNeuron`."""


def _bounded(*, problem: Mapping[str, Any], seed: Seed) -> dict[str, Any]:
    """The numerical lower bound alone: no learner.

    Returns
    -------
    dict
        csq_dimension (an estimate), its error and method, null_loss, opt_bound.
    """
    sample = read_table(MarginalNeuron, problem, "problem").sample(seed)
    found = correlational_dimension(sample, directions=DIRECTIONS, seed=seed)
    residual = sample.residuals(sample.direction[None])
    return {
        "csq_dimension": found.value,
        "csq_dimension_low": found.value - found.error,
        "csq_dimension_high": found.value + found.error,
        "grade": found.grade,
        "method": found.method,
        "null_loss": float(np.mean(residual**2)),
        "opt_bound": sample.removed,
    }


def _check_bounded(*, problem: Mapping[str, Any], seed: Seed) -> None:
    read_table(MarginalNeuron, problem, "problem")


bounded = Measure(_bounded, _check_bounded)
"""How many directions a correlational query cannot tell apart under another law: an estimate."""


def _read_oracle(oracle: Mapping[str, Any] | None) -> tuple[str, str]:
    given = dict(oracle or {})
    if strange := set(given) - {"norm", "policy"}:
        raise BadInput(f"oracle holds {sorted(strange)}; known: norm, policy")
    return given.get("norm", "l2"), given.get("policy", "exact")
