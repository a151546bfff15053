"""How long a study will take, from a few of its cells, before it begins."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import final

from sqsim.errors import BadInput
from sqsim.studies.study import Study
from sqsim.studies.working import work

LARGEST = 10_000_000
"""Cells beyond which no store is made."""
UNASKED_CELLS, UNASKED_SECONDS = 20_000, 3600.0
"""What a study may take before it is asked whether that was meant."""
TRIED = 3


@final
@dataclass(frozen=True)
class Estimate:
    """Cells at most, and seconds for them on all workers; None where none was tried."""

    cells: int
    seconds: float | None

    @property
    def words(self) -> str:
        if self.seconds is None:
            return f"up to {self.cells:,} cells"
        return f"up to {self.cells:,} cells, about {_duration(self.seconds)}"


def estimated(study: Study, *, workers: int = 1, few: int = 200) -> Estimate:
    """Count the cells of a study and, if there are more than a few, time some spread over it.

    Raises BadInput for a study that no store could hold.
    """
    cells = study.most_cells
    if cells > LARGEST:
        raise BadInput(
            f"study {study.name!r} has up to {cells:,} cells, and {LARGEST:,} are allowed; vary "
            "fewer values at once"
        )
    if cells <= few:
        return Estimate(cells, None)
    settings = [next(islice(study.settings(), place, None)) for place in _spread(len(study), TRIED)]
    tried = [work(study.measure, {**setting, "seed": 0}).seconds for setting in settings]
    return Estimate(cells, sum(tried) / len(tried) * cells / workers)


def check_meant(study: Study, *, workers: int = 1) -> Estimate:
    """Raise BadInput, with count and time, for a study that is larger than a user may mean."""
    found = estimated(study, workers=workers)
    if found.cells > UNASKED_CELLS or (found.seconds or 0.0) > UNASKED_SECONDS:
        raise BadInput(
            f"study {study.name!r} takes {found.words} on {workers} worker(s); say --yes to run "
            "it, or vary fewer values (a run can be stopped with Ctrl-C and resumed at any time)"
        )
    return found


def _spread(size: int, count: int) -> list[int]:
    return sorted({round(i * (size - 1) / (count - 1)) for i in range(count)})


def _duration(seconds: float) -> str:
    for unit, length in (("days", 86400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.1f} {unit}"
    return f"{seconds:.0f} seconds"
