"""What `sqsim study` prints: a bar with the time left, the state of a store, the shipped studies.

This file does not run anything.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, final

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table

from sqsim.studies.driving import Progress as Reached
from sqsim.studies.driving import progress_of
from sqsim.studies.store import Store
from sqsim.studies.study import Study


@final
class StudyProgress:
    """A bar over the cells of a study, as an observer of its run."""

    def __init__(self, console: Console, name: str, words: str) -> None:
        self._console = console
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=console,
        )
        self._task = self._bar.add_task(name, total=None)
        self._failed = 0
        console.print(f"{name}: {words}")

    def __enter__(self) -> StudyProgress:
        self._bar.start()
        return self

    def __exit__(self, *raised: object) -> None:
        self._bar.stop()

    def observe(self, event: str, details: Mapping[str, Any]) -> None:
        """Called by the run."""
        if event == "begin":
            self._bar.update(self._task, total=details["wanted"], completed=details["done"])
        elif event == "lost":
            self._console.print(f"a worker was lost ({details['reason']}); its cell runs again")
        elif event == "run":
            self._bar.advance(self._task)
            total = self._bar.tasks[0].completed + details["left"]
            self._bar.update(self._task, total=total)
            if details["outcome"].state == "failed":
                self._failed += 1
                if self._failed <= 3:
                    self._console.print(f"a cell failed: {details['outcome'].reason}")

    def finish(self, reached: Reached, path: Path) -> None:
        """The last line."""
        self._bar.stop()
        failed = f", {reached.failed} failed" if reached.failed else ""
        self._console.print(
            f"{reached.done} of {reached.wanted} cells{failed}; {reached.seconds:.1f} s of work; "
            f"rows in {path}; see: sqsim report {path}"
        )


def print_status(console: Console, store: Store) -> None:
    """How far a store is, how long is left, and why cells stopped."""
    reached = progress_of(store)
    per_cell = reached.seconds / reached.done if reached.done else None
    console.print(f"{store.study.name}: {reached.done} of {reached.wanted} cells")
    if reached.left and per_cell is not None:
        console.print(
            f"about {per_cell * reached.left:.0f} s of work left, on all workers together"
        )
    reasons = Counter((run.outcome.state, run.outcome.reason) for run in store.runs())
    table = Table("state", "reason", "cells")
    for (state, reason), count in reasons.most_common(20):
        table.add_row(state, reason, str(count))
    console.print(table)
    made = store.meta
    console.print(f"sqsim {made['sqsim']}, numpy {made['numpy']}, scipy {made['scipy']}")


def print_studies(console: Console, studies: Iterable[Study]) -> None:
    """Names, sizes and titles."""
    table = Table("name", "cells (small)", "what it shows")
    for one in studies:
        table.add_row(one.name, f"{one.most_cells:,}", one.title)
    console.print(table)
