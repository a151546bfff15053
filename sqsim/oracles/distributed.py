"""Means over a chunked table whose parts are read by other processes or machines.

This file does not know how work travels; that is in `engines`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Any, final

from sqsim.errors import BadInput
from sqsim.oracles.chunks import part_totals
from sqsim.oracles.engines import connected, is_dask, over_executor, over_graph
from sqsim.oracles.moments import Request, Totals, added
from sqsim.oracles.sampling import Sample, means_of, request_of
from sqsim.problems.chunked import Chunked
from sqsim.problems.dataset import Dataset
from sqsim.problems.reading import Survey, surveyed
from sqsim.problems.sources import from_arrays
from sqsim.queries import Query
from sqsim.seeds import Seed
from sqsim.tolerance import Mean, Scale


@final
@dataclass(frozen=True, eq=False)
class Distributed:
    """The average over a chunked table, its parts read by workers: `Sample` on a cluster.

    A batch of queries is one graph: one task for each part of the table, which sums over it by the
    code that `Sample` runs, and one tree of additions whose shape is fixed by the number of parts.
    The answers have the bits of `Sample` on the same parts, whichever worker did what, in which
    order and however often, on machines of one kind that run their matrix products on the same
    number of threads (workers of dask: one).  Other parts of the same rows change an answer by at
    most the sum of the two confessed errors.

    A task that ends in an error of the machine (OSError, MemoryError) is repeated, and tasks of a
    worker that died are done by another one.  Errors of the data or of a query's function are not
    repeated: they are raised as `Sample` would raise them.

    Parameters
    ----------
    engine : address, dask.distributed.Client or executor
        An address such as "tcp://scheduler:8786" is connected to, now, and closed by `close()` or
        at the end of a `with` block.  An executor is any object with `submit(function, *arguments)`
        that returns futures: ThreadPoolExecutor, ProcessPoolExecutor, loky, MPIPoolExecutor of
        mpi4py.futures, or `client.get_executor()`.
    retries : int
        Repetitions of a task before EngineFailed.  How many deaths of workers a task may be present
        at is the scheduler's to say: `distributed.scheduler.allowed-failures`.
    timeout : float
        Seconds to wait for the scheduler at an address, and for a worker where there is none.
    ahead : int
        Parts that an executor is given before the first of them is back; bounds the memory here.

    Raises
    ------
    BadInput
        No scheduler at the address, or something that is not an engine.
    EngineFailed
        From `means`: no worker was left, or a task failed after all repetitions.  A log kept by
        `run` in a file holds all turns before, and can be resumed.

    Notes
    -----
    On a real cluster, start `dask scheduler` on one machine and on each of the others

        dask worker tcp://scheduler:8786 --nworkers 16 --nthreads 1 --memory-limit 4GiB

    with sqsim and cloudpickle installed in the same versions; from a batch system, dask-jobqueue
    or `dask-mpi` start them, and from Kubernetes its operator.  The table lies where every worker
    sees it: `from_parquet` and `from_npy` send a path and a range of rows, `from_dask` uses blocks
    where they are, `from_chunks` sends functions that may make or fetch the rows, whereas
    `from_arrays` sends the rows with every batch.

        with Distributed("tcp://scheduler:8786") as means:
            table = means.surveyed(from_parquet("/data/table", target="y"))
            oracle = sq(table, tolerance=L2(0.01), means=means)
            result = run(strategy(table.problem), oracle, log="run.jsonl")

    A part is what a worker does at a time and must fit into its memory with a few of its
    neighbours; the answers of a batch must fit as often as a node of the tree has children (8).
    Functions of queries are sent by cloudpickle, so that lambdas and functions of a notebook work.
    """

    engine: Any = field(repr=False)
    retries: int = field(default=3, kw_only=True, repr=False)
    timeout: float = field(default=10.0, kw_only=True, repr=False)
    ahead: int = field(default=16, kw_only=True, repr=False)

    # What cannot change an answer is not in the repr: a run that failed may be resumed on another
    # engine, or with more patience.

    def __post_init__(self) -> None:
        for name, least in (("retries", 0), ("ahead", 1)):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < least:
                raise BadInput(f"{name} is {value!r}; wanted an integer >= {least}")
        if not (isinstance(self.timeout, int | float) and 0 < self.timeout < math.inf):
            raise BadInput(f"timeout is {self.timeout!r}; wanted a positive number of seconds")
        if isinstance(self.engine, str):
            object.__setattr__(self, "_connected", True)
            object.__setattr__(self, "engine", connected(self.engine, timeout=self.timeout))
        elif isinstance(self.engine, type) or not hasattr(self.engine, "submit"):
            raise BadInput(
                f"the engine is {self.engine!r}; wanted the address of a dask scheduler, a "
                "dask.distributed.Client, or an object with submit(function, *arguments)"
            )

    def means(
        self,
        instance: Any,
        queries: Sequence[Query],
        scales: Sequence[Scale],
        *,
        seed: Seed,
        turn: int,
    ) -> list[Mean]:
        """One mean for each query, in one pass over the table; `seed` and `turn` are not used."""
        if not isinstance(instance, Dataset | Chunked):
            raise BadInput(
                f"Distributed averages over a Chunked table or a Dataset, not "
                f"{type(instance).__name__}"
            )
        table = instance if isinstance(instance, Chunked) else _parted(instance)
        request = request_of(queries, scales, table.dimension)
        totals: Totals = self._reduced(table, _Sums(request), added)
        return means_of(request, totals, scales)

    def surveyed(self, table: Chunked) -> Chunked:
        """The table with its rows and defects counted by the workers."""
        return replace(table, counted=self._reduced(table, _counts, _all_counts))

    def advice(self, error: float, radius: float) -> str:
        """How a rounding error is brought below the radius: as for a table in memory."""
        return Sample().advice(error, radius)

    def close(self) -> None:
        """Leave the scheduler, if this object was made of its address."""
        if getattr(self, "_connected", False):
            self.engine.close()

    def __enter__(self) -> Distributed:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _reduced(self, table: Chunked, work: Any, join: Any) -> Any:
        if is_dask(self.engine):
            return over_graph(
                self.engine, table, work, join, retries=self.retries, timeout=self.timeout
            )
        return over_executor(self.engine, table, work, join, retries=self.retries, ahead=self.ahead)


@final
@dataclass(frozen=True, eq=False)
class _Sums:
    """The work of a batch on one part."""

    request: Request

    def __call__(self, piece: Chunked) -> Totals:
        return part_totals(self.request, piece, 0)


def _counts(piece: Chunked) -> Survey:
    return surveyed(piece, 0)


def _all_counts(found: Sequence[Survey]) -> Survey:
    return sum(found, Survey())


def _parted(table: Dataset) -> Chunked:
    return from_arrays(
        table.inputs, table.targets, names=table.names, target_name=table.target_name
    )
