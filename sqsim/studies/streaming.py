"""Tables of the user's own that are not held in memory: read in chunks, here or by workers.

This file does not know learners, nor how results are drawn.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib import import_module
from os import PathLike
from pathlib import Path
from typing import Any, final

import numpy as np

from sqsim.errors import BadInput
from sqsim.lowrank import Array
from sqsim.oracles.distributed import Distributed
from sqsim.oracles.protocol import Means
from sqsim.oracles.sampling import Sample
from sqsim.problems.chunked import Chunked, examples, row_count
from sqsim.problems.dataset import Whitening, whitening_of
from sqsim.problems.parquet import from_parquet
from sqsim.problems.sources import from_arrays, mapped
from sqsim.problems.tables import read_table

ENGINES = ("memory", "chunks", "dask")
"""Where a table lives and who averages over it, by the name on the command line."""


@contextmanager
def engine_means(engine: str, scheduler: str | None) -> Iterator[Means]:
    """What computes means: this process, or workers of dask.

    Parameters
    ----------
    engine : "memory", "chunks" or "dask"
        The whole table in memory; a chunk at a time; parts read by workers.
    scheduler : address, optional
        Of the dask scheduler, such as tcp://127.0.0.1:8786; a cluster on this machine is started
        for the time of the run unless given.
    """
    if engine not in ENGINES:
        raise BadInput(f"engine is {engine!r}; wanted one of {', '.join(ENGINES)}")
    if scheduler is not None and engine != "dask":
        raise BadInput(f"a scheduler does nothing for engine {engine!r}; wanted engine dask")
    if engine != "dask":
        yield Sample()
    elif scheduler is not None:
        with Distributed(scheduler) as means:
            yield means
    else:
        try:
            distributed = import_module("distributed")
        except ModuleNotFoundError as error:
            raise BadInput("engine dask needs dask; install sqsim[distributed]") from error
        with (
            distributed.LocalCluster(threads_per_worker=1, dashboard_address=":0") as cluster,
            Distributed(cluster.scheduler_address) as means,
        ):
            yield means


def opened(path: str | PathLike[str], *, target: str) -> Chunked:
    """A chunked table of a file: Parquet by row groups, other kinds read and then cut."""
    file = Path(path)
    if file.is_dir() or file.suffix.lower() == ".parquet":
        return from_parquet(file, target=target)
    table = read_table(file, target=target)
    return from_arrays(table.inputs, table.targets, names=table.names, target_name=target)


@final
@dataclass(frozen=True, eq=False)
class Scaled:
    """A change of units for the chunks of a table: whitened inputs, targets over a unit."""

    whitening: Whitening
    unit: float

    def __call__(self, x: Any, y: Any) -> tuple[Array, Array]:
        inputs = np.asarray(x, dtype=np.float64)
        return self.whitening.apply(inputs), np.asarray(y, dtype=np.float64) / self.unit


def scaled(table: Chunked) -> tuple[Chunked, Scaled]:
    """The table with inputs of mean 0 and covariance I and a target of root mean square 1.

    Two passes: one for means, one for the triangle of the centred inputs (a QR decomposition of
    what is left of the chunks before and the next chunk).  Memory: a chunk and a few d x d.
    """
    count = row_count(table)
    if count < 2:
        raise BadInput(f"the table has {count} rows; wanted at least 2")
    mean, energy = np.zeros(table.dimension), 0.0
    for x, y in examples(table):
        mean += x.sum(axis=0)
        energy += float(y @ y)
    mean /= count
    triangle = np.zeros((0, table.dimension))
    for x, _ in examples(table):
        triangle = np.asarray(np.linalg.qr(np.concatenate([triangle, x - mean]), mode="r"))
    deviation = np.sqrt((triangle**2).sum(axis=0) / count)
    # A column of one value differs from its mean by rounding alone.
    constant = [
        name
        for name, one, centre in zip(table.names, deviation, mean, strict=True)
        if one <= 1e-14 * abs(centre)
    ]
    if constant:
        raise BadInput(
            f"constant column(s) {', '.join(map(repr, constant[:8]))}: they carry no information "
            "and a bias does their work; remove them"
        )
    correlation = triangle / deviation / np.sqrt(count)
    precision = float(np.finfo(np.float64).eps)
    whitening = whitening_of(mean, deviation, correlation, table.names, precision)
    unit = float(np.sqrt(energy / count)) or 1.0
    change, found = Scaled(whitening, unit), table.survey
    known = replace(found, largest_target=found.largest_target / unit)
    return replace(mapped(table, change), counted=known), change


def least_squares(table: Chunked) -> float:
    """Loss E[(y - w z - b)^2] of least squares on a table with whitened inputs, in two passes."""
    count = row_count(table)
    mean, weights = 0.0, np.zeros(table.dimension)
    for z, y in examples(table):
        mean += float(y.sum()) / count
        weights += y @ z / count
    # With covariance I and mean 0 of the inputs, the coefficients are the correlations.
    return sum(float(np.sum((y - z @ weights - mean) ** 2)) for z, y in examples(table)) / count
