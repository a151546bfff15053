"""The cell "how coarse a tolerance a learner bears".

This file does not know grids or stores.  The certified tolerance beside the measured one is where
the lower bound on correlational queries passes what the learner asked.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from sqsim.errors import BadInput
from sqsim.seeds import Seed
from sqsim.studies.cells import Measure
from sqsim.studies.crossing import locate
from sqsim.studies.frontiers import frontier_row
from sqsim.studies.learning_cells import Access, CorruptedNeuron, Named, learn
from sqsim.studies.named_values import read_table


@final
@dataclass(frozen=True)
class Decades:
    """Tolerances that are tried.

    Attributes
    ----------
    fine, coarse : the first and the last, from where it succeeds to where it fails.
    points : scanned between them, in equal ratios, before the bisection.
    width : of the bracket that the bisection ends with, in decades.
    """

    fine: float = 1e-9
    coarse: float = 1.0
    points: int = 4
    width: float = 0.2

    def __post_init__(self) -> None:
        if not 0 < self.fine < self.coarse:
            raise BadInput(
                f"tolerances from {self.fine} to {self.coarse}; wanted 0 < fine < coarse"
            )
        if self.points < 2 or not self.width > 0:
            raise BadInput(f"points {self.points}, width {self.width}; wanted >= 2 and > 0")

    @property
    def places(self) -> list[float]:
        """Exponents of ten."""
        ends = math.log10(self.fine), math.log10(self.coarse)
        return [float(place) for place in np.linspace(*ends, self.points)]


def _smallest_tolerance(
    *,
    problem: Mapping[str, Any],
    algorithm: Mapping[str, Any],
    seed: Seed,
    oracle: Mapping[str, Any] | None = None,
    parameters: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Scan and bisect in the exponent of the tolerance.

    Returns
    -------
    dict
        needed_tolerance (the coarsest that succeeded), fails (the least above it that failed),
        located, regular, runs, access, queries (of the last run that succeeded); for instances
        that the theorem is about, certificate_begins (exact text of a tolerance from which on it
        asks for queries at all), csq_frontier (of one from which on no correlational learner of
        so many queries succeeds: proved), certified_frontier (the same as a float to draw), and
        gap: csq_frontier / needed_tolerance, at least 1 for every correlational learner; one
        below 1 shows a learner that sees the label to bear what none of those can.
    """
    decades, access = _decades(parameters), read_table(Access, oracle, "oracle")
    chosen = read_table(Named, algorithm, "algorithm")
    asked = 0

    def succeeds(exponent: float) -> bool:
        nonlocal asked
        row = learn(
            problem=problem,
            algorithm=algorithm,
            oracle=oracle,
            tolerance=10.0**exponent,
            seed=seed,
        )
        asked = int(row["queries"]) if row["success"] else asked
        return bool(row["success"])

    found = locate(succeeds, decades.places, width=decades.width)
    needed = None if found.succeeds is None else 10.0**found.succeeds
    return {
        "needed_tolerance": needed,
        "fails": None if found.fails is None else 10.0**found.fails,
        "located": found.middle is not None,
        "regular": found.regular,
        "runs": found.runs,
        "access": chosen.learner.access,
        "queries": asked or None,
        **frontier_row(
            read_table(CorruptedNeuron, problem, "problem"),
            access,
            ratio=chosen.success,
            asked=asked,
            needed=needed,
        ),
    }


def _check_tolerances(
    *,
    problem: Mapping[str, Any],
    algorithm: Mapping[str, Any],
    seed: Seed,
    oracle: Mapping[str, Any] | None = None,
    parameters: Mapping[str, Any] | None = None,
) -> None:
    coarse = _decades(parameters).coarse
    learn.check(problem=problem, algorithm=algorithm, oracle=oracle, tolerance=coarse, seed=seed)


smallest_tolerance = Measure(_smallest_tolerance, _check_tolerances)
"""The coarsest tolerance at which a learner still succeeds, beside the certified frontier."""


def _decades(parameters: Mapping[str, Any] | None) -> Decades:
    return read_table(Decades, parameters, "parameters")
