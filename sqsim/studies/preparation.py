"""A table of the user's own made scale-free, in memory or a chunk at a time.

This file does not know what is run on it, nor what results are compared with.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import final

import numpy as np

from sqsim.errors import BadInput
from sqsim.lowrank import Array
from sqsim.problems.chunked import Chunked, row_count
from sqsim.problems.dataset import Dataset, Whitening, split, whitened
from sqsim.problems.tables import read_table
from sqsim.seeds import Seed
from sqsim.studies.learners import Learner
from sqsim.studies.streaming import opened, scaled
from sqsim.studies.trials import Setting


def digest(path: str | PathLike[str]) -> str:
    """Which bytes a file holds, or the .parquet files of a folder in the order of their names."""
    files = sorted(Path(path).rglob("*.parquet")) if Path(path).is_dir() else [Path(path)]
    total = hashlib.blake2b()
    for part in files:
        with part.open("rb") as file:
            found = hashlib.file_digest(file, "blake2b")
        if len(files) == 1:
            return found.hexdigest()[:32]
        total.update(found.digest())
    return total.hexdigest()[:32]


@final
@dataclass(frozen=True, eq=False)
class Prepared:
    """A table read and made scale-free.

    Attributes
    ----------
    rows : number of rows in the whole table.
    train, test : in the units of the table; no test part where none is held out.
    deviation : of the columns of the training part.
    """

    rows: int
    train: Dataset | Chunked
    test: Dataset | None
    setting: Setting
    whitening: Whitening
    deviation: Array


def in_memory(
    path: str | PathLike[str],
    target: str,
    test_fraction: float,
    chosen: Learner,
    norm: str,
    policy: str,
    seed: Seed,
) -> Prepared:
    """The table as arrays, a part of its rows held out."""
    table = read_table(path, target=target)
    train, test = table, None
    if test_fraction:
        train, test = split(table, test_fraction=test_fraction, seed=seed)
    setting, whitening = scale_free(train, chosen, norm, policy, seed)
    deviation = np.asarray(train.inputs, dtype=np.float64).std(axis=0)
    return Prepared(len(table.targets), train, test, setting, whitening, deviation)


def in_chunks(
    path: str | PathLike[str],
    target: str,
    test_fraction: float,
    chosen: Learner,
    norm: str,
    policy: str,
    seed: Seed,
) -> Prepared:
    """The table a chunk at a time, all of it for training."""
    if test_fraction:
        raise BadInput(
            f"test_fraction {test_fraction!r} needs rows by their number, which a table read in "
            "chunks does not give; use engine memory, or keep test rows in a file of their own"
        )
    table = opened(path, target=target)
    train, change = scaled(table)
    setting = Setting(train, chosen, norm, policy, seed, change.unit)
    # x = z V + mean with covariance I of z: a column's deviation is the norm of one of V.
    deviation = np.linalg.norm(change.whitening.inverse, axis=0)
    rows = row_count(train)
    return Prepared(rows, table, None, setting, change.whitening, np.asarray(deviation))


def scale_free(
    train: Dataset, chosen: Learner, norm: str, policy: str, seed: Seed
) -> tuple[Setting, Whitening]:
    """The training rows, their inputs whitened and their target of root mean square 1."""
    white, whitening = whitened(train)
    unit = float(np.sqrt(np.mean(np.square(train.targets, dtype=np.float64)))) or 1.0
    scaled = Dataset(white.inputs, white.targets / unit, white.names, white.target_name)
    return Setting(scaled, chosen, norm, policy, seed, unit), whitening
