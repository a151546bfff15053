"""A learner on the user's own table, through queries only, against two plain predictors.

This file does not know how results are drawn or printed: it returns them, and tells an observer
what is happening.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from sqsim.errors import BadInput
from sqsim.lowrank import Array
from sqsim.problems.chunked import Chunked
from sqsim.problems.dataset import Dataset, Whitening, least_squares_loss
from sqsim.problems.hypothesis import ReluHypothesis
from sqsim.recipe import Recipe
from sqsim.seeds import Seed
from sqsim.studies.learners import learner
from sqsim.studies.observers import Observer, silent
from sqsim.studies.preparation import Prepared, digest, in_chunks, in_memory
from sqsim.studies.samples import sample_size
from sqsim.studies.separation import versions
from sqsim.studies.streaming import engine_means, least_squares
from sqsim.studies.trials import attempt, loss_on, mean_squared_error, sweep_tolerances


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
    engine: str = "memory",
    scheduler: str | None = None,
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
    path : .csv, .parquet or .npz file, or for an engine other than memory a folder of .parquet
    target : column to predict
    algorithm : name of a learner
    tolerance : float, optional
        None: the means themselves.
    norm, policy : names of a convention and of an adversary
    test_fraction : float
        Part of the rows that is held out; 0 for none.
    engine, scheduler : str
        Where the means are computed; see `streaming.engine_means`.
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
    with engine_means(engine, scheduler) as means:
        make = in_memory if engine == "memory" else in_chunks
        prepared = make(path, target, test_fraction, chosen, norm, policy, seed)
        chosen.check_told(prepared.setting.train.problem)
        prepared = replace(prepared, setting=replace(prepared.setting, means=means))
        return _run(
            prepared, path, target, tolerance, test_fraction, engine, directory, sweep, observer
        )


def _run(
    prepared: Prepared,
    path: str | PathLike[str],
    target: str,
    tolerance: float | None,
    test_fraction: float,
    engine: str,
    directory: str | PathLike[str] | None,
    sweep: bool,
    observer: Observer,
) -> dict[str, Any]:
    setting, whitening, unit = prepared.setting, prepared.whitening, prepared.setting.unit
    chosen, norm, policy, seed = setting.learner, setting.norm, setting.policy, setting.seed
    granted = setting.tolerance(tolerance)
    oracle = {"tolerance": tolerance, "norm": norm, "policy": policy}
    facts = {
        "path": str(path),
        "target": target,
        "rows": prepared.rows,
        "features": setting.train.problem.dimension,
        "test_rows": 0 if prepared.test is None else len(prepared.test.targets),
    }
    log, recipe = None, None
    if directory is not None:
        log = _prepared(Path(directory), chosen.name)
        recipe = Recipe(
            "sqsim.studies.rebuilding:table_run",
            {
                "path": str(path),
                "content": digest(path),
                "target": target,
                "algorithm": chosen.name,
                "test_fraction": test_fraction,
                "seed": seed,
                **oracle,
                **({} if engine == "memory" else {"engine": engine}),
            },
        )
        _save(Path(directory) / "whitening.npz", whitening, prepared.train.names, unit)
    observer("table", facts)
    observer("learner", {"algorithm": chosen.name, "access": chosen.access, **oracle})
    trial = attempt(setting, tolerance, log=log, recipe=recipe, observer=observer)
    results: dict[str, Any] = {
        "schema": "sqsim.run/1",
        "table": facts,
        "whitening": {**_whitening_facts(prepared), "target_unit": unit},
        "oracle": oracle,
        "algorithm": chosen.name,
        "access": chosen.access,
        "status": trial.status,
        "message": trial.message,
        "hypothesis": _described(trial.hypothesis, whitening, prepared.train.names),
        "loss": _all_losses(trial.hypothesis, prepared),
        "queries": trial.ledger.queries,
        "rounds": trial.ledger.rounds,
        "finest_tolerance": trial.ledger.finest,
        "seconds": trial.seconds,
        "transcript": None if log is None else f"transcripts/{log.name}",
        "sample_size": sample_size(granted, trial.ledger, setting.train, size=trial.largest),
        "sweep": None,
        "sweep_policy": None,
        "command": _command(
            str(path), target, chosen.name, tolerance, norm, policy, test_fraction, seed, engine
        ),
        "versions": versions(),
    }
    observer("run", results)
    if sweep and trial.status != "interrupted":
        swept = replace(setting, policy="toward-zero") if policy == "exact" else setting
        results["sweep_policy"] = swept.policy
        results["sweep"] = sweep_tolerances(swept, observer)
    return results


def _all_losses(hypothesis: ReluHypothesis | None, prepared: Prepared) -> dict[str, Any]:
    """On the rows that were queried and on those held out, in the table's units."""
    setting, train, test = prepared.setting, prepared.train, prepared.test
    if isinstance(setting.train, Chunked):
        unit = setting.unit
        known = None if hypothesis is None else loss_on(hypothesis, setting.train, unit)
        squares = least_squares(setting.train) * unit**2
        return {
            "train": {"learner": known, "zero": unit**2, "least_squares": squares},
            "test": None,
        }
    assert isinstance(train, Dataset)
    held = None
    if test is not None:
        held = _losses(hypothesis, train, test, prepared.whitening.apply(test.inputs))
    return {"train": _losses(hypothesis, train, train, setting.train.inputs), "test": held}


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
    hypothesis: ReluHypothesis | None, whitening: Whitening, names: Sequence[str]
) -> dict[str, Any] | None:
    """Norm and bias for whitened inputs, weights and intercept for those of the table."""
    if hypothesis is None:
        return None
    original = whitening.pull_back(hypothesis)
    return {
        "norm": hypothesis.norm,
        "bias": float(hypothesis.bias),
        "weights": dict(zip(names, original.weights.tolist(), strict=True)),
        "intercept": float(original.bias),
    }


def _whitening_facts(prepared: Prepared) -> dict[str, Any]:
    """The condition number is that of the standardised columns; shifts are in deviations."""
    whitening, deviation, names = prepared.whitening, prepared.deviation, prepared.train.names
    shifts = np.abs(whitening.mean) / deviation
    return {
        "condition_number": float(np.linalg.cond(whitening.inverse / deviation)),
        "largest_shift": float(shifts.max()),
        "largest_shift_column": names[int(shifts.argmax())],
        "smallest_deviation": float(deviation.min()),
        "smallest_deviation_column": names[int(deviation.argmin())],
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


def _save(file: Path, whitening: Whitening, names: Sequence[str], unit: float) -> None:
    np.savez(
        file,
        mean=whitening.mean,
        matrix=whitening.matrix,
        inverse=whitening.inverse,
        target_unit=unit,
        names=np.array(names),
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
    engine: str,
) -> str:
    """The command line that does the same."""
    words = ["sqsim", "run", path, "--target", target, "--algorithm", algorithm]
    words += [] if tolerance is None else ["--tolerance", repr(tolerance)]
    words += ["--norm", norm, "--policy", policy]
    words += ["--test-fraction", repr(test_fraction)] if test_fraction else []
    words += [] if engine == "memory" else ["--engine", engine]
    return shlex.join([*words, "--seed", str(seed)])
