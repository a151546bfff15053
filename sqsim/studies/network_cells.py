"""The cell "a learner of several neurons on one network, at one tolerance".

This file does not know grids or stores; what is run is `several_neurons`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqsim.errors import BadInput
from sqsim.seeds import Seed
from sqsim.studies.cells import Measure
from sqsim.studies.named_values import read_table
from sqsim.studies.several_neurons import SeveralNeurons, several_neurons

FROM_ELSEWHERE = ("algorithms", "tolerances", "seed", "norm", "policy")
"""Fields of `SeveralNeurons` that a cell takes from its other tables."""


def _several(
    *,
    problem: Mapping[str, Any],
    algorithm: Mapping[str, Any],
    seed: Seed,
    tolerance: float,
    oracle: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Run one learner of a sum of neurons.

    Returns
    -------
    dict
        success (the loss beyond the corruption's budget is at most a twentieth of the zero
        hypothesis's), outcome, loss, loss_to_zero, loss_to_opt, recovered (hidden directions found
        to overlap 0.95), found, worst_overlap, worst_pursued_overlap, queries, rounds,
        stated_queries, stated_rounds, access; message where it was refused.
    """
    results = several_neurons(_read(problem, algorithm, seed, tolerance, oracle))
    run = results["runs"][0]
    kept = (
        "outcome access loss loss_to_zero loss_to_opt recovered found queries rounds "
        "stated_queries stated_rounds message"
    )
    overlaps, pursued = run.get("overlaps"), run.get("pursued_overlaps")
    return {
        "success": run["outcome"] == "learned",
        **{name: run.get(name) for name in kept.split()},
        "zero_loss": results["zero_loss"],
        "opt_bound": results["opt_upper_bound"],
        "worst_overlap": None if overlaps is None else min(overlaps),
        "worst_pursued_overlap": None if pursued is None else min(pursued),
    }


def _check(
    *,
    problem: Mapping[str, Any],
    algorithm: Mapping[str, Any],
    seed: Seed,
    tolerance: float,
    oracle: Mapping[str, Any] | None = None,
) -> None:
    _read(problem, algorithm, seed, tolerance, oracle).network()


several = Measure(_several, _check)
"""`problem`: the fields of `SeveralNeurons` that describe the instance (`biases` and `outer` are
numbers, one for all neurons); `algorithm`: name; `oracle`: norm and policy."""


def _read(
    problem: Mapping[str, Any],
    algorithm: Mapping[str, Any],
    seed: Seed,
    tolerance: float,
    oracle: Mapping[str, Any] | None,
) -> SeveralNeurons:
    given = dict(problem)
    if misplaced := set(given) & set(FROM_ELSEWHERE):
        raise BadInput(f"problem holds {sorted(misplaced)}; these belong to the other tables")
    if set(algorithm) != {"name"}:
        raise BadInput(f"algorithm holds {sorted(algorithm)}; wanted its name alone")
    if strange := set(oracle or {}) - {"norm", "policy"}:
        raise BadInput(f"oracle holds {sorted(strange)}; known: norm, policy")
    for name in ("biases", "outer"):
        if name in given:
            given[name] = (float(given[name]),)
    if given.get("overlap") == "random":
        given["overlap"] = None
    more = {"algorithms": (algorithm["name"],), "tolerances": (tolerance,), "seed": seed}
    return read_table(SeveralNeurons, {**given, **more, **(oracle or {})}, "problem")
