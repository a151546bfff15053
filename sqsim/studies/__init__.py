"""Recipes of whole experiments: who runs against whom, and what is compared.

A study is a grid of runs in one resumable store; see `Study`, `run_study` and `resume_study`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqsim.lazy import attach

if TYPE_CHECKING:
    from sqsim.recipe import Recipe
    from sqsim.studies.cells import Measure
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
    from sqsim.studies.repeats import Repeats, frequency_interval
    from sqsim.studies.shipping import shipped, shipped_studies
    from sqsim.studies.store import Store, open_for_reading
    from sqsim.studies.study import Study

_NAMES = {
    "sqsim.recipe": ("Recipe",),
    "sqsim.studies.cells": ("Measure",),
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
    "sqsim.studies.repeats": ("Repeats", "frequency_interval"),
    "sqsim.studies.store": ("Store", "open_for_reading"),
    "sqsim.studies.study": ("Study",),
    "sqsim.studies.shipping": ("shipped", "shipped_studies"),
}

__all__ = [
    "Crew",
    "Measure",
    "Progress",
    "Recipe",
    "Repeats",
    "Store",
    "Study",
    "dask_workers",
    "export",
    "frequency_interval",
    "in_process",
    "inspector_frame",
    "lent",
    "loky_processes",
    "mpi_workers",
    "open_for_reading",
    "processes",
    "progress_of",
    "records",
    "resume_study",
    "run_study",
    "shipped",
    "shipped_studies",
    "to_xarray",
]

__getattr__, __dir__ = attach(__name__, _NAMES)
