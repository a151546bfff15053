"""Where cells run: in this process, in pools of processes, on a cluster; anything with `submit`.

This file does not know cells or stores.  A `Crew` can be hired again after its workers died.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from multiprocessing import get_context
from typing import Any, Protocol, final

from sqsim.errors import BadInput
from sqsim.studies.working import begin_worker


class Submits(Protocol):
    """An executor: `submit(function, *arguments)` returns a future with `add_done_callback`."""

    def submit(self, function: Callable[..., Any], /, *arguments: Any) -> Any:
        """Begin a call."""


@final
@dataclass(frozen=True)
class Crew:
    """Workers, and how to get new ones.

    Attributes
    ----------
    hire : function () -> context manager of an executor
    workers : int
        Calls that run at the same time.
    replaceable : bool
        Whether hiring again gives living workers; an executor that a caller lent does not.
    """

    hire: Callable[[], Any]
    workers: int
    replaceable: bool = True


@final
class Here:
    """Runs every call at once in this process."""

    def submit(self, function: Callable[..., Any], /, *arguments: Any) -> Future[Any]:
        """The finished future of the call."""
        done: Future[Any] = Future()
        try:
            done.set_result(function(*arguments))
        except Exception as error:
            done.set_exception(error)
        return done


@contextmanager
def _here() -> Iterator[Submits]:
    yield Here()


def in_process() -> Crew:
    """One cell after the other in this process."""
    return Crew(_here, 1)


def processes(workers: int) -> Crew:
    """A pool of processes of the standard library; they end with this one."""
    _positive(workers)

    def hire() -> ProcessPoolExecutor:
        # Spawned: forking a process that holds a store's lock would pass the lock on.
        return ProcessPoolExecutor(workers, get_context("spawn"), initializer=begin_worker)

    return Crew(lambda: _ended(hire), workers)


def loky_processes(workers: int) -> Crew:
    """A pool of loky; needs the extra "parallel"."""
    _positive(workers)

    def hire() -> Any:
        try:
            from loky import ProcessPoolExecutor as Pool
        except ImportError:
            raise BadInput(
                'loky is not installed; install "sqsim[parallel]" or use --executor process'
            ) from None
        return Pool(workers, initializer=begin_worker)

    return Crew(lambda: _ended(hire), workers)


def dask_workers(scheduler: str | None, *, workers: int = 2) -> Crew:
    """Workers of a dask cluster: the one at this address, or a local one of so many processes."""
    _positive(workers)

    @contextmanager
    def hire() -> Iterator[Any]:
        try:
            client_of: Any = import_module("distributed").Client
        except ImportError:
            raise BadInput(
                'dask.distributed is not installed; install "sqsim[distributed]"'
            ) from None
        try:
            client = (
                client_of(scheduler, timeout="15s")
                if scheduler
                else client_of(
                    n_workers=workers, threads_per_worker=1, processes=True, dashboard_address=None
                )
            )
        except (OSError, TimeoutError) as error:
            raise BadInput(f"no dask scheduler answers at {scheduler} ({error})") from None
        with client:
            yield client.get_executor(pure=False)

    return Crew(hire, workers)


def lent(executor: Any, *, workers: int) -> Crew:
    """An executor of the caller's, which is never shut down here."""
    _positive(workers)
    if not callable(getattr(executor, "submit", None)):
        raise BadInput(f"{executor!r:.60} has no submit; wanted an executor")

    @contextmanager
    def hire() -> Iterator[Submits]:
        yield executor

    return Crew(hire, workers, replaceable=False)


@contextmanager
def mpi_workers() -> Iterator[Crew | None]:
    """The processes of `mpiexec -n N`, all in this block: a crew in the first, None in the others.

    The others have served as workers by the time they see None.
    """
    try:
        from mpi4py import MPI
        from mpi4py.futures import MPICommExecutor
    except (ImportError, RuntimeError) as error:
        raise BadInput(
            f'MPI cannot be used ({error}); install an MPI library and "sqsim[mpi]"'
        ) from None
    size = MPI.COMM_WORLD.Get_size()
    if size < 2:
        raise BadInput(
            "one MPI process is running, and the first only gives out work; start the command as: "
            "mpiexec -n N sqsim study ..., N from 2 on"
        )
    with MPICommExecutor(MPI.COMM_WORLD, root=0) as pool:
        yield None if pool is None else lent(pool, workers=size - 1)


@contextmanager
def _ended(make: Callable[[], Any]) -> Iterator[Any]:
    pool = make()
    try:
        yield pool
    finally:
        pool.shutdown(wait=True)


def _positive(workers: int) -> None:
    if workers < 1:
        raise BadInput(f"workers is {workers}; at least one is needed")
