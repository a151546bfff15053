"""What is learned: a Problem, all that a learner may know, and an Instance with its secret."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqsim.lazy import attach

if TYPE_CHECKING:
    from sqsim.problems.binarised import BinarisedNetwork, BinarisedRegression
    from sqsim.problems.chunked import Chunked
    from sqsim.problems.cube import CubeFunction
    from sqsim.problems.dataset import Dataset
    from sqsim.problems.hypothesis import ReluHypothesis
    from sqsim.problems.index import ReluRegression, SingleIndex
    from sqsim.problems.noise import (
        ClassificationNoise,
        Contamination,
        Drift,
        MassartNoise,
        Points,
        with_noise,
    )
    from sqsim.problems.parity import SparseParity
    from sqsim.problems.parquet import from_parquet
    from sqsim.problems.reading import Defects, Survey
    from sqsim.problems.sources import from_arrays, from_chunks, from_dask, from_npy

__all__ = [
    "BinarisedNetwork",
    "BinarisedRegression",
    "Chunked",
    "ClassificationNoise",
    "Contamination",
    "CubeFunction",
    "Dataset",
    "Defects",
    "Drift",
    "MassartNoise",
    "Points",
    "ReluHypothesis",
    "ReluRegression",
    "SingleIndex",
    "SparseParity",
    "Survey",
    "from_arrays",
    "from_chunks",
    "from_dask",
    "from_npy",
    "from_parquet",
    "with_noise",
]

_NAMES = {
    "sqsim.problems.binarised": ("BinarisedNetwork", "BinarisedRegression"),
    "sqsim.problems.chunked": ("Chunked",),
    "sqsim.problems.cube": ("CubeFunction",),
    "sqsim.problems.dataset": ("Dataset",),
    "sqsim.problems.hypothesis": ("ReluHypothesis",),
    "sqsim.problems.index": ("ReluRegression", "SingleIndex"),
    "sqsim.problems.noise": (
        "ClassificationNoise",
        "Contamination",
        "Drift",
        "MassartNoise",
        "Points",
        "with_noise",
    ),
    "sqsim.problems.parity": ("SparseParity",),
    "sqsim.problems.parquet": ("from_parquet",),
    "sqsim.problems.reading": ("Defects", "Survey"),
    "sqsim.problems.sources": ("from_arrays", "from_chunks", "from_dask", "from_npy"),
}

# Hidden from type checkers: they would take any misspelt name for a lazy one.
if not TYPE_CHECKING:
    __getattr__, __dir__ = attach(__name__, _NAMES)
