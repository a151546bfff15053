"""The loop between a study's cells, workers and its store.

This file does not know what a cell computes.  Every outcome is in the store before it is told to
anyone; Ctrl-C once finishes what runs and saves it, twice stops at once.
"""

from __future__ import annotations

import signal
import threading
from collections import Counter, deque
from collections.abc import Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, final

from sqsim.errors import EngineFailed
from sqsim.studies.cells import Cell
from sqsim.studies.executors import Crew, in_process
from sqsim.studies.observers import Observer, silent
from sqsim.studies.planning import Plan
from sqsim.studies.store import Outcome, Store, create, resume
from sqsim.studies.study import Study
from sqsim.studies.working import work

STRIKES = 3
"""Times that a worker may die over a cell which runs alone before the cell is held at fault."""
HIRES = 6
"""Times that workers are hired in a row without a single outcome."""


@final
@dataclass(frozen=True)
class Progress:
    """How far a study is.

    Attributes
    ----------
    wanted, done, failed : int
        Cells known to be wanted, those with an outcome, and the failures among these.
    seconds : float
        Of work in all outcomes.
    stopped : bool
        Whether Ctrl-C ended it.
    """

    wanted: int
    done: int
    failed: int
    seconds: float
    stopped: bool = False

    @property
    def left(self) -> int:
        return self.wanted - self.done


def run_study(
    study: Study, path: str | Path, *, crew: Crew | None = None, observer: Observer = silent
) -> Progress:
    """Run all cells of a study into a new store.

    Rows depend on the study alone: not on the crew, its size, or the order in which cells end.

    Parameters
    ----------
    crew : see `sqsim.studies.executors`; one cell after the other in this process if not given.
    observer : called with "begin", then "run" for every outcome, and "lost" when workers die.
    """
    study.check()
    with create(path, study) as store:
        return drive(store, crew=crew, observer=observer)


def resume_study(
    path: str | Path,
    *,
    crew: Crew | None = None,
    retry_failures: bool = False,
    other_version: bool = False,
    observer: Observer = silent,
) -> Progress:
    """Run the cells that a store lacks; its rows are then those of a study never stopped."""
    with resume(path, other_version=other_version) as store:
        if retry_failures:
            store.forget_failures()
        return drive(store, crew=crew, observer=observer)


def progress_of(store: Store) -> Progress:
    """How far the study of a store is."""
    plan = Plan(store.study, store.runs())
    return Progress(plan.wanted, plan.done, plan.failed, plan.seconds)


def drive(store: Store, *, crew: Crew | None = None, observer: Observer = silent) -> Progress:
    """Run what is left of the study of an open store."""
    crew = in_process() if crew is None else crew
    plan = Plan(store.study, store.runs())
    shift = _Shift(store, plan, crew, observer)
    observer("begin", {"wanted": plan.wanted, "done": plan.done, "workers": crew.workers})
    fruitless = 0
    with _interruptions(shift):
        while plan.left and not shift.stopping:
            before = plan.done
            with crew.hire() as executor:
                shift.run(executor)
            fruitless = 0 if plan.done > before else fruitless + 1
            if fruitless >= HIRES:
                raise EngineFailed(
                    f"workers were lost {fruitless} times in a row before any cell ended "
                    f"({shift.last_loss}); all outcomes so far are in {store.path}: mend the "
                    f"workers and run: sqsim study resume --store {store.path}"
                )
    return Progress(plan.wanted, plan.done, plan.failed, plan.seconds, shift.stopping)


@final
class _Shift:
    """The work of one set of workers, until it is done, or they are lost."""

    def __init__(self, store: Store, plan: Plan, crew: Crew, observer: Observer) -> None:
        self.stopping = False
        self.last_loss = ""
        self._store, self._plan, self._crew, self._observer = store, plan, crew, observer
        self._ended: SimpleQueue[Any] = SimpleQueue()
        self._suspects: deque[Cell] = deque()
        self._strikes: Counter[str] = Counter()
        self._running: dict[Any, Cell] = {}
        self._alone: Any = None

    def stop(self) -> None:
        """Begin nothing more.  Called from a signal handler."""
        self.stopping = True
        self._ended.put(None)

    def run(self, executor: Any) -> None:
        lost = False
        while True:
            if self.stopping:
                for future in self._running:
                    future.cancel()
            elif not lost:
                lost = not self._fill(executor)
            if not self._running:
                return
            lost = self._collect() or lost

    def _fill(self, executor: Any) -> bool:
        """Send cells while there is room; False if the executor takes none."""
        if self._alone is not None:
            return True
        alone = bool(self._suspects)
        room = 1 if alone or self._crew.workers == 1 else 2 * self._crew.workers
        while len(self._running) < room:
            cell = self._suspects.popleft() if alone else self._plan.next()
            if cell is None:
                return True
            try:
                future = executor.submit(work, cell.recipe.maker, dict(cell.recipe.arguments))
            except Exception as error:
                self._lose(cell, error, alone=False)
                return False
            self._running[future] = cell
            self._alone = future if alone else None
            future.add_done_callback(self._ended.put)
        return True

    def _collect(self) -> bool:
        """Wait for at least one end, keep all that came; whether workers were lost."""
        lost = False
        outcomes: list[tuple[Cell, Outcome]] = []
        for future in self._arrived():
            cell = self._running.pop(future)
            alone = future is self._alone
            self._alone = None if alone else self._alone
            try:
                outcomes.append((cell, future.result()))
            except CancelledError as error:
                if not self.stopping:
                    lost = True
                    self._lose(cell, error, alone=False)
            except Exception as error:
                # `work` returns what goes wrong in a cell: an exception here is the executor's.
                lost = True
                outcomes += self._lose(cell, error, alone=alone)
        if outcomes:
            self._store.add(outcomes)
        for cell, outcome in outcomes:
            self._plan.record(cell, outcome)
            self._observer("run", {"cell": cell, "outcome": outcome, "left": self._plan.left})
        return lost

    def _arrived(self) -> Iterator[Any]:
        first = self._ended.get()
        if first is not None:
            yield first
        while True:
            try:
                later = self._ended.get_nowait()
            except Empty:
                return
            if later is not None:
                yield later

    def _lose(self, cell: Cell, error: BaseException, *, alone: bool) -> list[tuple[Cell, Outcome]]:
        """Keep a cell whose worker died for another try, by itself; or give it up."""
        self.last_loss = f"{type(error).__name__}: {error}".splitlines()[0]
        self._observer("lost", {"cell": cell, "reason": self.last_loss})
        self._strikes[cell.content_id] += alone
        if self._strikes[cell.content_id] < STRIKES:
            self._suspects.append(cell)
            return []
        reason = f"the worker died {STRIKES} times while it ran this cell alone"
        return [(cell, Outcome("failed", None, reason, None, 0.0))]


@contextmanager
def _interruptions(shift: _Shift) -> Iterator[None]:
    """Ctrl-C and a polite end stop the shift the first time, and interrupt the second."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def heard(number: int, frame: Any) -> None:
        if shift.stopping:
            raise KeyboardInterrupt
        shift.stop()

    signals = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(one, heard) for one in signals]
    try:
        yield
    finally:
        for one, handler in zip(signals, before, strict=True):
            signal.signal(one, handler)
