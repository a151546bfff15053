"""The cell "a learner of a noisy sparse parity", beside the proved number of queries.

This file does not know grids or stores; what is run is `recover_parity`.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from sqsim.errors import BadInput
from sqsim.lowerbounds.family_bounds import sq_parity_bound
from sqsim.lowerbounds.precision import exact_fraction
from sqsim.seeds import Seed
from sqsim.studies.cells import Measure
from sqsim.studies.comparisons import gap
from sqsim.studies.named_values import read_table
from sqsim.studies.parity import ParityRecovery, recover_parity

KEPT = ("access", "tolerance", "hidden_from", "queries", "rounds")


def _parity(
    *,
    problem: Mapping[str, Any],
    algorithm: Mapping[str, Any],
    seed: Seed,
    oracle: Mapping[str, Any] | None = None,
    tolerance: float | None = None,
) -> dict[str, Any]:
    """Draw a parity, run the learner and count.

    Returns
    -------
    dict
        success (the set that was found is the hidden one), queries, rounds, tolerance (of the
        labels -1 and 1; what was granted), hidden_from (the tolerance from which the learner
        cannot), certified_queries (exact text: C(d, k) tau^2 / (1 - 2 noise)^2 - 1 statistical
        queries are needed, Infinity where the tolerance is blind to the labels), gap: measured over
        certified queries where it succeeded; signal: what the neuron of the reduction gains.
    """
    study = _read(problem, algorithm, seed, oracle, tolerance)
    results = recover_parity(study)
    success = results["found"] == results["relevant"]
    certified = certified_parity_queries(study, results["tolerance"], results["access"])
    return {
        "success": success,
        **{name: results[name] for name in KEPT},
        "signal": results["gap"],
        "relevant": results["relevant"],
        "found": results["found"],
        "certified_queries": certified,
        "gap": gap(results["queries"] if success else None, certified),
    }


def _check(
    *,
    problem: Mapping[str, Any],
    algorithm: Mapping[str, Any],
    seed: Seed,
    oracle: Mapping[str, Any] | None = None,
    tolerance: float | None = None,
) -> None:
    _read(problem, algorithm, seed, oracle, tolerance)


parity = Measure(_parity, _check)
"""`problem`: dimension, sparsity, noise; `algorithm`: learner; `oracle`: norm, policy; `tolerance`
of the labels, 0.99 of what hides the parity unless given."""


def certified_parity_queries(study: ParityRecovery, tolerance: float, access: str) -> str | None:
    """Queries that any learner needs at this tolerance; None where nothing is proved.

    The theorem is about answers within the tolerance of every query |phi| <= 1.  Its proof needs
    no more of a correlational query y g(x) than ||g||_2 <= 1: those are covered in l2 as well.
    """
    if study.norm == "vstat" or (study.norm == "l2" and access != "CSQ"):
        return None
    tau = exact_fraction(tolerance)
    if tau > 1 - 2 * Fraction(study.problem.flip_rate):
        return "Infinity"
    found = sq_parity_bound(
        dimension=study.dimension,
        sparsity=study.sparsity,
        noise=study.problem.flip_rate,
        tolerance=tau,
        digits=15,
    )
    return found.queries.lower


def _read(
    problem: Mapping[str, Any],
    algorithm: Mapping[str, Any],
    seed: Seed,
    oracle: Mapping[str, Any] | None,
    tolerance: float | None,
) -> ParityRecovery:
    for name, table, known in (
        ("problem", problem, {"dimension", "sparsity", "noise"}),
        ("algorithm", algorithm, {"learner"}),
        ("oracle", oracle or {}, {"norm", "policy"}),
    ):
        if strange := set(table) - known:
            raise BadInput(f"{name} holds {sorted(strange)}; known: {', '.join(sorted(known))}")
    given = {**problem, **algorithm, **(oracle or {}), "seed": seed, "tolerance": tolerance}
    if "noise" in given:
        given["noise"] = str(given["noise"])
    return read_table(ParityRecovery, given, "problem")
