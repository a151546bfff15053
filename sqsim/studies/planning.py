"""Which cells of a study are still to be run.  This file does not know who runs them."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import final

from sqsim.studies.cells import Cell
from sqsim.studies.store import Outcome, Run
from sqsim.studies.study import Study


@final
class Plan:
    """What has been run, what is running and what comes next.

    A setting gets its next block of seeds when the block before is complete, so that the rows of a
    finished study do not depend on the order in which cells ended.
    """

    def __init__(self, study: Study, runs: Iterator[Run]) -> None:
        self._study = study
        self._repeats = study.repeats
        self._settings = list(study.settings())
        self._successes: list[dict[int, bool]] = [{} for _ in self._settings]
        self.done = self.failed = 0
        self.seconds = 0.0
        for run in runs:
            self._note(run.setting, run.repeat, run.outcome)
        self._wanted = [self._want(setting) for setting in range(len(self._settings))]
        self._queue = deque(self._fresh())

    @property
    def wanted(self) -> int:
        """Cells that the study is known to take; more where a block does not settle a setting."""
        return sum(self._wanted)

    @property
    def left(self) -> int:
        """Wanted cells that have no outcome."""
        return self.wanted - self.done

    def next(self) -> Cell | None:
        """A cell that was not given out before; None if there is none until more have ended."""
        if not self._queue:
            return None
        setting, repeat = self._queue.popleft()
        return self._study.cell(setting, repeat, self._settings[setting])

    def record(self, cell: Cell, outcome: Outcome) -> None:
        """Note what came of a cell; it may call for further repeats."""
        self._note(cell.setting, cell.repeat, outcome)
        before, after = self._wanted[cell.setting], self._want(cell.setting)
        self._wanted[cell.setting] = after
        self._queue += ((cell.setting, repeat) for repeat in range(before, after))

    def _note(self, setting: int, repeat: int, outcome: Outcome) -> None:
        self._successes[setting][repeat] = outcome.values.get(self._repeats.success) is True
        self.done += 1
        self.failed += outcome.state == "failed"
        self.seconds += outcome.seconds

    def _want(self, setting: int) -> int:
        known = self._successes[setting]
        prefix: list[bool] = []
        while len(prefix) in known:
            prefix.append(known[len(prefix)])
        return self._repeats.wanted(prefix)

    def _fresh(self) -> Iterator[tuple[int, int]]:
        # By seeds first: a study that is stopped early has something on every setting.
        for repeat in range(self._repeats.most):
            for setting, wanted in enumerate(self._wanted):
                if repeat < wanted and repeat not in self._successes[setting]:
                    yield setting, repeat
