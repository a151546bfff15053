"""The tolerance at which each learner first succeeds.

This file does not know what a learner is told or how a run is scored: it only narrows a bracket.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from sqsim.oracles.scoring import null_loss
from sqsim.studies.learners import LEARNERS, Learner, warm
from sqsim.studies.observers import Observer, silent
from sqsim.studies.separation import SUCCESS, Separation, run_learner, warm_start


def find_tolerances(
    study: Separation,
    *,
    learners: Sequence[Learner] | None = None,
    observer: Observer = silent,
    coarsest: float = 1.0,
    finest: float = 1e-24,
) -> list[dict[str, Any]]:
    """The tolerance at which each learner first succeeds, by bisection, to a tenth of a decade.

    A learner's trials go from failure through success to tolerances that the evaluator's own
    error does not reach; `succeeds` is the largest tolerance seen to succeed, `fails` the smallest
    above it seen to fail, and `floor` says that what ended the search was that error.  `learners`
    are as in `separate`.
    """
    rows = []
    tried = [(learner, False) for learner in (LEARNERS if learners is None else learners)]
    if learners is None:
        tried += [(learner, True) for learner in warm(np.ones(study.dimension))]
    energy = null_loss(study.instance(told=True))
    for learner, warmed in tried:
        observer("learner", {"algorithm": learner.name, "access": learner.access, "search": True})

        def outcome(tau: float, learner: Learner = learner, warmed: bool = warmed) -> str:
            trial = replace(study, tolerance=tau)
            if warmed:
                start, _ = warm_start(trial, None)
                if start is None:
                    return "unreachable"
                learner = next(one for one in warm(start) if one.name == learner.name)
            record = run_learner(trial, learner, None, energy, None, silent, False)
            if record["loss_ratio"] is None:
                return "unreachable"
            return "success" if record["loss_ratio"] <= SUCCESS else "failure"

        row = {
            "algorithm": learner.name,
            "access": learner.access,
            "warm_start": warmed,
            **_bracket(outcome, coarsest, finest),
        }
        observer("tolerance", row)
        rows.append(row)
    return rows


def _bracket(outcome: Callable[[float], str], coarsest: float, finest: float) -> dict[str, Any]:
    """Bisect in the exponent for the first outcome that is not a failure."""
    if (first := outcome(coarsest)) != "failure":
        return {
            "succeeds": coarsest if first == "success" else None,
            "fails": None,
            "floor": first == "unreachable",
        }
    fails, other = np.log10(coarsest), np.log10(finest)
    kind = outcome(10.0**other)
    if kind == "failure":
        return {"succeeds": None, "fails": finest, "floor": False}
    while fails - other > 0.1:
        middle = (fails + other) / 2
        found = outcome(10.0**middle)
        if found == "failure":
            fails = middle
        else:
            other, kind = middle, found
    reached = kind == "success"
    return {
        "succeeds": 10.0**other if reached else None,
        "fails": 10.0**fails,
        "floor": not reached,
    }
