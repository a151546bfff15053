"""Recipes of whole experiments: who runs against whom, and what is compared.

A study is a grid of runs in one resumable store; see `Study`, `run_study` and `resume_study`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqsim.lazy import attach

if TYPE_CHECKING:
    from sqsim.recipe import Recipe
    from sqsim.studies.basin_crossings import certified_crossing
    from sqsim.studies.cells import Measure
    from sqsim.studies.comparisons import boundaries, certified_against_measured, gap
    from sqsim.studies.driving import Progress, progress_of, resume_study, run_study
    from sqsim.studies.executors import (
        Crew,
        dask_workers,
        in_process,
        lent,
        loky_processes,
        mpi_workers,
        processes,
    )
    from sqsim.studies.exporting import export, inspector_frame, records, to_xarray
    from sqsim.studies.figures import Figure, figures_of
    from sqsim.studies.repeats import Repeats, frequency_interval
    from sqsim.studies.shipping import shipped, shipped_studies
    from sqsim.studies.store import Store, open_for_reading
    from sqsim.studies.study import Study
    from sqsim.studies.summaries import (
        expected_running_times,
        needed_tolerances,
        smallest_budgets,
        success_rates,
    )

_NAMES = {
    "sqsim.recipe": ("Recipe",),
    "sqsim.studies.basin_crossings": ("certified_crossing",),
    "sqsim.studies.cells": ("Measure",),
    "sqsim.studies.comparisons": ("boundaries", "certified_against_measured", "gap"),
    "sqsim.studies.driving": ("Progress", "progress_of", "resume_study", "run_study"),
    "sqsim.studies.executors": (
        "Crew",
        "dask_workers",
        "in_process",
        "lent",
        "loky_processes",
        "mpi_workers",
        "processes",
    ),
    "sqsim.studies.exporting": ("export", "inspector_frame", "records", "to_xarray"),
    "sqsim.studies.figures": ("Figure", "figures_of"),
    "sqsim.studies.repeats": ("Repeats", "frequency_interval"),
    "sqsim.studies.shipping": ("shipped", "shipped_studies"),
    "sqsim.studies.store": ("Store", "open_for_reading"),
    "sqsim.studies.study": ("Study",),
    "sqsim.studies.summaries": (
        "expected_running_times",
        "needed_tolerances",
        "smallest_budgets",
        "success_rates",
    ),
}

__all__ = [
    "Crew",
    "Figure",
    "Measure",
    "Progress",
    "Recipe",
    "Repeats",
    "Store",
    "Study",
    "boundaries",
    "certified_against_measured",
    "certified_crossing",
    "dask_workers",
    "expected_running_times",
    "export",
    "figures_of",
    "frequency_interval",
    "gap",
    "in_process",
    "inspector_frame",
    "lent",
    "loky_processes",
    "mpi_workers",
    "needed_tolerances",
    "open_for_reading",
    "processes",
    "progress_of",
    "records",
    "resume_study",
    "run_study",
    "shipped",
    "shipped_studies",
    "smallest_budgets",
    "success_rates",
    "to_xarray",
]

__getattr__, __dir__ = attach(__name__, _NAMES)
