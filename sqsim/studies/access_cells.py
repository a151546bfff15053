"""The cell "the same learner under one of many oracles".

This file does not know grids or stores.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from sqsim.errors import BadInput, BudgetSpent, QueryRefused, ToleranceUnreachable
from sqsim.loop import run
from sqsim.oracles.bits import bits_for_stat, one_stat, through_bits
from sqsim.oracles.scoring import loss, null_loss
from sqsim.problems.index import IndexInstance
from sqsim.record import Ledger
from sqsim.seeds import Seed
from sqsim.studies.cells import Measure
from sqsim.studies.learning_cells import Access, CorruptedNeuron, Named
from sqsim.studies.named import algorithm as algorithm_named
from sqsim.studies.named_values import read_table
from sqsim.studies.sampling_access import FAILURE, SAMPLED, AnyAccess, Request
from sqsim.studies.trials import STATUS
from sqsim.tolerance import Absolute

MOST_DRAWS = 5e9
"""Numbers drawn in one run: some tens of seconds."""


def _under_access(
    *,
    problem: Mapping[str, Any],
    algorithm: Mapping[str, Any],
    oracle: Mapping[str, Any],
    seed: Seed,
    tolerance: float | None = None,
) -> dict[str, Any]:
    """Run a learner under one oracle.

    Returns
    -------
    dict
        label (the model, with its adversary where it has one), status, success, loss, ratio,
        overlap, queries, rounds, granted (the finest tolerance booked), examples (that the oracle
        makes one scalar of, None where it computes means), promise (words, None for a window).
    """
    access, chosen = (
        read_table(AnyAccess, oracle, "oracle"),
        read_table(Named, algorithm, "algorithm"),
    )
    neuron = read_table(CorruptedNeuron, problem, "problem")
    found = chosen.learner
    instance = neuron.instance(told=found.told, seed=seed)
    made, strategy = _made(access, chosen, instance, tolerance, seed)
    ledger, status, hypothesis = Ledger(), "finished", None
    try:
        result = run(strategy, made)
        ledger, hypothesis = result.ledger, result.value
    except (ToleranceUnreachable, QueryRefused, BudgetSpent) as error:
        status = STATUS[type(error)]
    null = float(np.asarray(null_loss(instance).value))
    own = null if hypothesis is None else float(np.asarray(loss(instance, hypothesis).value))
    bound = instance.opt_upper_bound
    limit = chosen.success * bound if bound > 0 else chosen.exactness * null
    return {
        "label": f"{access.model}, {access.policy}" if access.is_window else access.model,
        "status": status,
        "success": hypothesis is not None and own <= limit,
        "loss": own,
        "null_loss": null,
        "opt_bound": bound,
        "ratio": own / bound if bound > 0 else None,
        "overlap": 0.0 if hypothesis is None else hypothesis.overlap(instance.direction),
        "queries": ledger.queries,
        "rounds": ledger.rounds,
        "granted": None if ledger.finest is None else float(ledger.finest),
        **_drawn(access, made, tolerance, chosen, instance),
    }


def _check(
    *,
    problem: Mapping[str, Any],
    algorithm: Mapping[str, Any],
    oracle: Mapping[str, Any],
    seed: Seed,
    tolerance: float | None = None,
) -> None:
    access, chosen = (
        read_table(AnyAccess, oracle, "oracle"),
        read_table(Named, algorithm, "algorithm"),
    )
    neuron = read_table(CorruptedNeuron, problem, "problem")
    instance = neuron.instance(told=chosen.learner.told, seed=seed)
    made, _ = _made(access, chosen, instance, tolerance, seed)
    drawn = _drawn(access, made, tolerance, chosen, instance)["examples"] or 0
    draws = drawn * _request(chosen, instance, tolerance or 1.0, seed).queries * neuron.dimension
    if draws > MOST_DRAWS:
        raise BadInput(
            f"{chosen.name} under {access.model!r} at tolerance {tolerance} draws about "
            f"{draws:.1g} numbers a run, and {MOST_DRAWS:.0e} are allowed; use a coarser "
            "tolerance, a smaller dimension, or a learner of fewer queries"
        )


under_access = Measure(_under_access, _check)
"""A registered learner under any oracle; `oracle` holds the fields of `AnyAccess`."""


def _made(
    access: AnyAccess, chosen: Named, instance: IndexInstance, tolerance: float | None, seed: Seed
) -> tuple[Any, Any]:
    """The oracle, and the strategy that runs against it."""
    found = chosen.learner
    strategy = found.strategy(instance.problem, seed)
    if access.is_window:
        window = Access(access.model, access.policy)
        return window.oracle(instance, found.access, tolerance, seed), strategy
    if tolerance is None:
        raise BadInput(f"the oracle {access.model!r} needs a tolerance; give one")
    asked = _request(chosen, instance, tolerance, seed)
    if access.model != "bits":
        return SAMPLED[access.model](instance, access, asked), strategy
    wrapped = through_bits(
        strategy,
        dimension=instance.problem.dimension,
        tolerance=Absolute(tolerance),
        failure=FAILURE,
        queries=asked.queries,
        clip=access.clip,
        seed=seed,
    )
    return one_stat(instance, seed=seed), wrapped


def _request(chosen: Named, instance: IndexInstance, tolerance: float, seed: Seed) -> Request:
    rounds, queries = algorithm_named(chosen.name).costs_on(instance.problem)
    return Request(tolerance, queries, rounds, seed)


def _drawn(
    access: AnyAccess,
    made: Any,
    tolerance: float | None,
    chosen: Named,
    instance: IndexInstance,
) -> dict[str, Any]:
    """Examples behind one scalar answer, and what is promised of it."""
    if access.is_window:
        return {"examples": None, "promise": None}
    about = made.describe()
    names = ("samples", "users", "records", "holdout")
    count = next(int(about[name]) for name in names if name in about)
    promise = about.get("guarantee", {}).get("theorem")
    if access.model == "bits" and tolerance is not None:
        asked = _request(chosen, instance, tolerance, 0)
        count = bits_for_stat(
            tolerance=Absolute(tolerance),
            failure=FAILURE,
            queries=asked.queries,
            clip=access.clip,
        )
        promise = f"{count} bits a scalar"
    return {"examples": count, "promise": promise}
