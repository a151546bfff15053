"""The cell "how few queries a learner needs".

This file does not know grids or stores.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from sqsim.errors import BadInput, BudgetSpent, QueryRefused, ToleranceUnreachable
from sqsim.loop import run
from sqsim.oracles.scoring import loss, null_loss
from sqsim.record import Exchange, Ledger
from sqsim.seeds import Seed
from sqsim.studies.cells import Measure
from sqsim.studies.comparisons import gap
from sqsim.studies.curve import Curve
from sqsim.studies.frontiers import certified_queries
from sqsim.studies.learning_cells import Access, CorruptedNeuron, Named, learn
from sqsim.studies.named_values import read_table


def _smallest_budget(
    *,
    problem: Mapping[str, Any],
    algorithm: Mapping[str, Any],
    seed: Seed,
    oracle: Mapping[str, Any] | None = None,
    tolerance: float | None = None,
) -> dict[str, Any]:
    """Run once, and look at which iterate is the first that is good enough.

    Returns
    -------
    dict
        needed_queries and needed_rounds (None if no iterate and no result was), queries and rounds
        of the whole run, success, certified_queries (exact text) and gap: needed over certified.
    """
    neuron = read_table(CorruptedNeuron, problem, "problem")
    chosen = read_table(Named, algorithm, "algorithm")
    access = read_table(Access, oracle, "oracle")
    found = chosen.learner
    instance = neuron.instance(told=found.told, seed=seed)
    curve, first = Curve(instance, null_loss(instance)), [Ledger()]
    spent = [Ledger()]

    def watch(exchange: Exchange, ledger: Ledger) -> None:
        curve.watch(exchange, ledger)
        spent[0] = ledger
        if not first[0].queries and curve.points and curve.points[-1][1] <= chosen.success:
            first[0] = ledger

    bound, success = instance.opt_upper_bound, False
    try:
        made = access.oracle(instance, found.access, tolerance, seed)
        result = run(found.strategy(instance.problem, seed), made, callback=watch)
        if result.value is not None:
            own = float(np.asarray(loss(instance, result.value).value))
            success = own <= chosen.success * bound
    except (ToleranceUnreachable, QueryRefused, BudgetSpent):
        pass
    if success and not first[0].queries:
        first[0] = spent[0]
    queries = first[0].queries or None
    certified = certified_queries(neuron, access, tolerance, chosen.success)
    return {
        "success": queries is not None,
        "needed_queries": queries,
        "needed_rounds": first[0].rounds or None,
        "queries": spent[0].queries,
        "rounds": spent[0].rounds,
        "access": found.access,
        "certified_queries": certified,
        "gap": gap(queries, certified),
    }


def _check_budget(
    *,
    problem: Mapping[str, Any],
    algorithm: Mapping[str, Any],
    seed: Seed,
    oracle: Mapping[str, Any] | None = None,
    tolerance: float | None = None,
) -> None:
    if read_table(CorruptedNeuron, problem, "problem").corruption == "none":
        raise BadInput("clean labels have OPT = 0, and a budget is counted to a ratio of OPT")
    learn.check(problem=problem, algorithm=algorithm, oracle=oracle, tolerance=tolerance, seed=seed)


smallest_budget = Measure(_smallest_budget, _check_budget)
"""The queries after which the first iterate of a learner is good enough."""
