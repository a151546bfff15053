"""How work on the parts of a table travels: one graph on dask, or tasks of any executor.

This file does not know what the work is.  It is a function of a table of one part, sent by
cloudpickle, and a function that joins a few results; the tree of joins is that of `moments.Tree`.
"""

from __future__ import annotations

import pickle
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import BrokenExecutor, Future
from dataclasses import dataclass, replace
from importlib import import_module
from typing import Any, TypeAlias, final

from sqsim.errors import BadInput, EngineFailed, SqsimError
from sqsim.oracles.moments import FAN, Tree
from sqsim.problems.chunked import Chunked
from sqsim.problems.sources import Blocks

Work: TypeAlias = Callable[[Chunked], Any]
Join: TypeAlias = Callable[[Sequence[Any]], Any]

LOOK_AGAIN = 0.5
"""Seconds between two looks at a cluster that has not finished."""


@final
@dataclass(frozen=True)
class Failure:
    """An error that repeating the work would meet again, on its way home."""

    error: Exception


def worked(work: bytes, piece: bytes, *blocks: Any) -> Any:
    """What a worker runs for one part; `blocks` are the computed inputs and targets of dask."""
    try:
        table: Chunked = pickle.loads(piece)
        if blocks:
            table = replace(table, parts=(lambda: [blocks],))
        return pickle.loads(work)(table)
    except (OSError, MemoryError):
        # The machine's doing: another attempt may succeed.
        raise
    except Exception as error:
        return Failure(_portable(error))


def joined(join: bytes, results: Sequence[Any]) -> Any:
    """A node of the tree; the first failure among the children goes up instead of a result."""
    failure = next((each for each in results if isinstance(each, Failure)), None)
    return pickle.loads(join)(results) if failure is None else failure


@final
class Inline:
    """An executor that does the work at once, in this process.

    Distributed(Inline()) repeats what a cluster found, to the last bit, where there is no cluster.
    """

    def submit(self, function: Callable[..., Any], *arguments: Any) -> Future[Any]:
        """A future that is done."""
        future: Future[Any] = Future()
        try:
            future.set_result(function(*arguments))
        except Exception as error:
            future.set_exception(error)
        return future


def over_executor(
    engine: Any, table: Chunked, work: Work, join: Join, *, retries: int, ahead: int
) -> Any:
    """The work of all parts, joined; at most `ahead` parts are under way at a time."""
    sent, tree = _dumps(work), Tree(join)
    waiting: deque[tuple[int, Any]] = deque()

    def submit(part: int) -> Any:
        try:
            return engine.submit(worked, sent, _dumps(table.piece(part)))
        except (BrokenExecutor, RuntimeError) as error:
            raise _broken(part, error) from error

    def collect() -> None:
        part, future = waiting.popleft()
        tree.add(_patient(lambda: submit(part), future, part, retries))

    try:
        for part in range(len(table.parts)):
            waiting.append((part, submit(part)))
            if len(waiting) == ahead:
                collect()
        while waiting:
            collect()
    finally:
        for _, future in waiting:
            future.cancel()
    return tree.total()


def _patient(submit: Callable[[], Any], future: Any, part: int, retries: int) -> Any:
    """The result of a task that is submitted again when the machine fails."""
    for attempt in range(retries + 1):
        try:
            result = future.result()
        except BrokenExecutor as error:
            raise _broken(part, error) from error
        except (OSError, MemoryError) as error:
            if attempt == retries:
                raise EngineFailed(
                    f"part {part} failed {retries + 1} times, at last with "
                    f"{type(error).__name__}: {error}; see to the machine and resume the transcript"
                ) from error
            future = submit()
        else:
            return _opened(result)
    raise AssertionError("not reached")


def _broken(part: int, error: Exception) -> EngineFailed:
    return EngineFailed(
        f"the executor broke down at part {part} ({type(error).__name__}: {error}); its workers "
        "may lack memory: make a new executor, perhaps with smaller parts, and resume the "
        "transcript"
    )


def over_graph(
    client: Any, table: Chunked, work: Work, join: Join, *, retries: int, timeout: float
) -> Any:
    """The work of all parts as one graph with one tree of joins."""
    delayed = _optional("dask.delayed", "a dask client needs dask").delayed
    # Named, so that a large batch of queries is in the graph once and not in each of its tasks.
    sent, joint = delayed(_dumps(work), traverse=False), _dumps(join)
    task, node = delayed(worked, pure=False), delayed(joined, pure=False)
    level = []
    for i in range(len(table.parts)):
        piece, part = table.piece(i), table.parts[i]
        if isinstance(part, Blocks):
            # The blocks are made by the graph, wherever they are or can be made.
            bare = _dumps(replace(piece, parts=(_nothing,)))
            level.append(task(sent, bare, part.inputs, part.targets))
        else:
            level.append(task(sent, _dumps(piece)))
    while len(level) > 1:
        groups = [level[i : i + FAN] for i in range(0, len(level), FAN)]
        level = [node(joint, group) if len(group) > 1 else group[0] for group in groups]
    future = client.compute(level[0], retries=retries)
    try:
        return _opened(_awaited(client, future, timeout))
    finally:
        future.cancel()


def _awaited(client: Any, future: Any, timeout: float) -> Any:
    """The result, unless the cluster fails or has no worker for `timeout` seconds."""
    last_seen = time.monotonic()
    while True:
        try:
            return future.result(timeout=LOOK_AGAIN)
        except TimeoutError:
            if client.status != "running":
                raise EngineFailed(
                    f"the scheduler at {client.scheduler.address} is gone; start it again and "
                    "resume the transcript"
                ) from None
            if client.nthreads():
                last_seen = time.monotonic()
            elif time.monotonic() - last_seen > timeout:
                raise EngineFailed(
                    f"no worker has been at the scheduler for {timeout:g} seconds; start workers "
                    "and resume the transcript"
                ) from None
        except Exception as error:
            raise EngineFailed(
                f"the cluster gave up with {type(error).__name__}: {error}; a worker that keeps "
                "dying may lack memory: give it more, or make parts smaller, and resume the "
                "transcript"
            ) from error


def is_dask(engine: Any) -> bool:
    """Whether this is a Client of dask.distributed."""
    return hasattr(engine, "compute") and hasattr(engine, "scheduler_info")


def connected(address: str, *, timeout: float) -> Any:
    """A Client at this address."""
    client = _optional("distributed", "an address needs dask.distributed").Client
    try:
        return client(address, timeout=timeout, set_as_default=False)
    except (OSError, TimeoutError, ValueError) as error:
        raise BadInput(
            f"no scheduler at {address} within {timeout:g} seconds ({error}); start one with "
            "`dask scheduler`, or check the address"
        ) from error


def _opened(result: Any) -> Any:
    if isinstance(result, Failure):
        raise result.error
    return result


def _nothing() -> Sequence[Any]:
    return ()


def _dumps(value: Any) -> bytes:
    """By cloudpickle, so that lambdas travel; what it writes is read by pickle."""
    pickler = _optional("cloudpickle", "sending queries to workers needs cloudpickle")
    try:
        return bytes(pickler.dumps(value))
    except (TypeError, AttributeError, pickle.PicklingError) as error:
        raise BadInput(
            f"a query's function or a part of the table cannot be sent to workers ({error}); "
            "let it open files and connections itself when it is called"
        ) from error


def _optional(name: str, need: str) -> Any:
    """A module that sqsim does not depend on."""
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        raise BadInput(f"{need}; install sqsim[distributed]") from error


def _portable(error: Exception) -> Exception:
    """The error itself if it survives the journey."""
    if isinstance(error, SqsimError):
        return error
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        return BadInput(f"{type(error).__name__}: {error}")
    return error
