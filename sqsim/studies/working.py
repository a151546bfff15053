"""What a worker does: one cell, its outcome returned whatever happens inside it.

This file does not know who sends cells, nor where outcomes go.
"""

from __future__ import annotations

import os
import signal
import threading
import time
import traceback
from functools import cache
from multiprocessing import parent_process
from multiprocessing.connection import wait
from typing import Any

from sqsim.errors import SqsimError
from sqsim.studies.cells import canonical, measure_named
from sqsim.studies.store import Outcome


def work(maker: str, arguments: dict[str, Any]) -> Outcome:
    """The outcome of a cell.  An exception inside it is a failed outcome with its traceback."""
    started = time.perf_counter()
    try:
        with _one_thread().limit(limits=1):
            row = measure_named(maker)(**arguments)
        text = canonical(dict(row))
    except Exception as error:
        kind = "" if isinstance(error, SqsimError) else f"{type(error).__name__}: "
        reason = f"{kind}{error}".splitlines()[0] if str(error) else type(error).__name__
        taken = time.perf_counter() - started
        return Outcome("failed", None, reason, traceback.format_exc(), taken)
    status = str(row.get("status", "finished"))
    return Outcome("done", text, status, None, time.perf_counter() - started)


def begin_worker() -> None:
    """For processes of our own: the driver alone hears Ctrl-C, and its end is theirs."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()


def _end_with(sentinel: int) -> None:
    wait([sentinel])
    os._exit(1)


@cache
def _one_thread() -> Any:
    """Linear algebra on one thread: workers share the machine, and bits must not depend on it."""
    import scipy.linalg  # noqa: F401  (its BLAS must be loaded to be limited)
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()
