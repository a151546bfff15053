"""Several learners on the user's own table, one after the other.

This file does not know how results are drawn or printed.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import Any

from sqsim.errors import BadInput
from sqsim.seeds import Seed
from sqsim.studies.learners import Learner
from sqsim.studies.observers import Observer, silent
from sqsim.studies.separation import versions
from sqsim.studies.table import run_table


def run_learners(
    path: str | PathLike[str],
    *,
    target: str,
    learners: Sequence[Learner],
    tolerance: float | None = None,
    norm: str = "l2",
    policy: str = "exact",
    test_fraction: float = 0.0,
    seed: Seed = 0,
    engine: str = "memory",
    scheduler: str | None = None,
    directory: str | PathLike[str] | None = None,
    sweep: bool = False,
    observer: Observer = silent,
) -> dict[str, Any]:
    """Run each learner on the same rows and return the results of schema sqsim.runs/1.

    Parameters
    ----------
    learners : sequence of Learner
        Registered ones, such as `learners("all")`.
    directory : path, optional
        Each learner's transcript and whitening go into the folder of its name in it; `transcript`
        in its results is a path from there.
    observer : function
        Called as in `run_table`, and with "results" of each run after it.
    target, tolerance, norm, policy, test_fraction, seed, engine, scheduler, sweep
        As in `run_table`, whose results `runs` holds; Ctrl-C ends with those that are complete and
        the one it interrupted.
    """
    if not learners:
        raise BadInput("no learner is named; pass at least one")
    runs: list[dict[str, Any]] = []
    for one in learners:
        folder = None if directory is None else Path(directory) / one.name
        found = run_table(
            path,
            target=target,
            algorithm=one.name,
            tolerance=tolerance,
            norm=norm,
            policy=policy,
            test_fraction=test_fraction,
            seed=seed,
            engine=engine,
            scheduler=scheduler,
            directory=folder,
            sweep=sweep,
            observer=observer,
        )
        runs.append(found)
        observer("results", found)
        if found["status"] == "interrupted":
            break
    words = shlex.split(runs[0]["command"])
    words[words.index("--algorithm") + 1] = ",".join(one.name for one in learners)
    return {
        "schema": "sqsim.runs/1",
        "table": runs[0]["table"],
        "oracle": runs[0]["oracle"],
        "runs": runs,
        "interrupted": runs[-1]["status"] == "interrupted",
        "command": shlex.join(words),
        "versions": versions(),
    }
