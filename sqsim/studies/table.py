"""A learner on the user's own table, through queries only, against two plain predictors.

This file does not know how results are drawn or printed: it returns them, and tells an observer
what is happening.
"""

from __future__ import annotations

import shlex
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from sqsim.errors import BadInput
from sqsim.lowrank import Array
from sqsim.problems.dataset import Dataset, Whitening, least_squares_loss, split, whitened
from sqsim.problems.hypothesis import ReluHypothesis
from sqsim.problems.tables import read_table
from sqsim.seeds import Seed
from sqsim.studies.learners import learner
from sqsim.studies.samples import sample_size
from sqsim.studies.separation import Observer, silent, versions
from sqsim.studies.trials import Setting, attempt, mean_squared_error, sweep_tolerances


def run_table(
    path: str | PathLike[str],
    *,
    target: str,
    algorithm: str = "learn-relu",
    tolerance: float | None = None,
    norm: str = "l2",
    policy: str = "exact",
    test_fraction: float = 0.0,
    seed: Seed = 0,
    directory: str | PathLike[str] | None = None,
    sweep: bool = True,
    observer: Observer = silent,
) -> dict[str, Any]:
    """Run a learner on a table and return the results of schema sqsim.run/1.

    On the training rows the inputs are whitened and the target is divided by its root mean
    square, so that a tolerance means the same whatever units a table is in; averages over these
    rows are the means that the oracle answers.  Results are in the table's units of the target,
    losses are E[(y - yhat)^2].

    Parameters
    ----------
    path : .csv, .parquet or .npz file
    target : column to predict
    algorithm : name of a learner
    tolerance : float, optional
        None: the means themselves.
    norm, policy : names of a convention and of an adversary
    test_fraction : float
        Part of the rows that is held out; 0 for none.
    directory : path, optional
        Where the transcript and the whitening go; nothing is written otherwise.
    sweep : bool
        Run also at the tolerances of `trials.SWEEP`, toward zero where `policy` is exact: exact
        answers would be the same at all of them.  Ctrl-C ends the sweep and keeps its points.
    observer : function
        Called with "table", then "learner", "round" and "run" of the main run, then "sweep" with
        each point of the sweep.
    """
    chosen = learner(algorithm)
    table = read_table(path, target=target)
    train, test = table, None
    if test_fraction:
        train, test = split(table, test_fraction=test_fraction, seed=seed)
    white, whitening = whitened(train)
    unit = float(np.sqrt(np.mean(np.square(train.targets, dtype=np.float64)))) or 1.0
    scaled = Dataset(white.inputs, white.targets / unit, white.names, white.target_name)
    setting = Setting(scaled, chosen, norm, policy, seed, unit)
    granted = setting.tolerance(tolerance)
    oracle = {"tolerance": tolerance, "norm": norm, "policy": policy}
    facts = {
        "path": str(path),
        "target": target,
        "rows": len(table.targets),
        "features": white.problem.dimension,
        "test_rows": 0 if test is None else len(test.targets),
    }
    log = None
    if directory is not None:
        log = _prepared(Path(directory), chosen.name)
        _save(Path(directory) / "whitening.npz", whitening, train, unit)
    observer("table", facts)
    observer("learner", {"algorithm": chosen.name, "access": chosen.access, **oracle})
    trial = attempt(setting, tolerance, log=log, observer=observer)
    results: dict[str, Any] = {
        "schema": "sqsim.run/1",
        "table": facts,
        "whitening": {**_whitening_facts(whitening, train), "target_unit": unit},
        "oracle": oracle,
        "algorithm": chosen.name,
        "access": chosen.access,
        "status": trial.status,
        "message": trial.message,
        "hypothesis": _described(trial.hypothesis, whitening, train),
        "loss": {
            "train": _losses(trial.hypothesis, train, train, white.inputs),
            "test": None
            if test is None
            else _losses(trial.hypothesis, train, test, whitening.apply(test.inputs)),
        },
        "queries": trial.ledger.queries,
        "rounds": trial.ledger.rounds,
        "finest_tolerance": trial.ledger.finest,
        "seconds": trial.seconds,
        "transcript": None if log is None else f"transcripts/{log.name}",
        "sample_size": sample_size(granted, trial.ledger, scaled, size=trial.largest),
        "sweep": None,
        "sweep_policy": None,
        "command": _command(
            str(path), target, algorithm, tolerance, norm, policy, test_fraction, seed
        ),
        "versions": versions(),
    }
    observer("run", results)
    if sweep and trial.status != "interrupted":
        swept = replace(setting, policy="toward-zero") if policy == "exact" else setting
        results["sweep_policy"] = swept.policy
        results["sweep"] = sweep_tolerances(swept, observer)
    return results


def _losses(
    hypothesis: ReluHypothesis | None, train: Dataset, part: Dataset, inputs: Array
) -> dict[str, float | None]:
    """On a part of the table, whose whitened inputs are `inputs`."""
    learned = None
    if hypothesis is not None:
        learned = mean_squared_error(hypothesis, inputs, part.targets)
    return {
        "learner": learned,
        "zero": float(np.mean(np.square(part.targets, dtype=np.float64))),
        "least_squares": least_squares_loss(train, test=part),
    }


def _described(
    hypothesis: ReluHypothesis | None, whitening: Whitening, train: Dataset
) -> dict[str, Any] | None:
    """Norm and bias for whitened inputs, weights and intercept for those of the table."""
    if hypothesis is None:
        return None
    original = whitening.pull_back(hypothesis)
    return {
        "norm": hypothesis.norm,
        "bias": float(hypothesis.bias),
        "weights": dict(zip(train.names, original.weights.tolist(), strict=True)),
        "intercept": float(original.bias),
    }


def _whitening_facts(whitening: Whitening, train: Dataset) -> dict[str, Any]:
    """The condition number is that of the standardised columns; shifts are in deviations."""
    deviation = np.asarray(train.inputs, dtype=np.float64).std(axis=0)
    shifts = np.abs(whitening.mean) / deviation
    return {
        "condition_number": float(np.linalg.cond(whitening.inverse / deviation)),
        "largest_shift": float(shifts.max()),
        "largest_shift_column": train.names[int(shifts.argmax())],
        "smallest_deviation": float(deviation.min()),
        "smallest_deviation_column": train.names[int(deviation.argmin())],
    }


def _prepared(folder: Path, name: str) -> Path:
    """Where the transcript goes, in a folder with nothing of ours in it yet."""
    log = folder / "transcripts" / f"{name}.jsonl"
    for file in (folder / "whitening.npz", log):
        if file.exists():
            raise BadInput(f"{file} exists and is not written over; choose another folder")
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadInput(f"cannot write to {folder}: {error}; choose another folder") from error
    return log


def _save(file: Path, whitening: Whitening, train: Dataset, unit: float) -> None:
    np.savez(
        file,
        mean=whitening.mean,
        matrix=whitening.matrix,
        inverse=whitening.inverse,
        target_unit=unit,
        names=np.array(train.names),
    )


def _command(
    path: str,
    target: str,
    algorithm: str,
    tolerance: float | None,
    norm: str,
    policy: str,
    test_fraction: float,
    seed: Seed,
) -> str:
    """The command line that does the same."""
    words = ["sqsim", "run", path, "--target", target, "--algorithm", algorithm]
    words += [] if tolerance is None else ["--tolerance", repr(tolerance)]
    words += ["--norm", norm, "--policy", policy]
    words += ["--test-fraction", repr(test_fraction)] if test_fraction else []
    return shlex.join([*words, "--seed", str(seed)])
