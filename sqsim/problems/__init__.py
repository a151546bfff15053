"""What is learned: a Problem, all that a learner may know, and an Instance with its secret."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqsim.lazy import attach

if TYPE_CHECKING:
    from sqsim.problems.binarised import BinarisedNetwork, BinarisedRegression
    from sqsim.problems.chunked import Chunked
    from sqsim.problems.components import NonGaussianComponent
    from sqsim.problems.cube import CubeFunction
    from sqsim.problems.dataset import Dataset
    from sqsim.problems.hypothesis import ReluHypothesis
    from sqsim.problems.index import ReluRegression, SingleIndex
    from sqsim.problems.network import NetworkRegression, ReluNetwork
    from sqsim.problems.noise import (
        ClassificationNoise,
        Contamination,
        Drift,
        MassartNoise,
        Points,
        with_noise,
    )
    from sqsim.problems.orthogonal_networks import OrthogonalNetworks
    from sqsim.problems.p_concepts import PConcept
    from sqsim.problems.parity import SparseParity
    from sqsim.problems.parquet import from_parquet
    from sqsim.problems.planes import AlternatingPlane
    from sqsim.problems.reading import Defects, Survey
    from sqsim.problems.sources import from_arrays, from_chunks, from_dask, from_npy
    from sqsim.problems.transfers import Clipped, Logistic, Transfer

__all__ = [
    "AlternatingPlane",
    "BinarisedNetwork",
    "BinarisedRegression",
    "Chunked",
    "ClassificationNoise",
    "Clipped",
    "Contamination",
    "CubeFunction",
    "Dataset",
    "Defects",
    "Drift",
    "Logistic",
    "MassartNoise",
    "NetworkRegression",
    "NonGaussianComponent",
    "OrthogonalNetworks",
    "PConcept",
    "Points",
    "ReluHypothesis",
    "ReluNetwork",
    "ReluRegression",
    "SingleIndex",
    "SparseParity",
    "Survey",
    "Transfer",
    "from_arrays",
    "from_chunks",
    "from_dask",
    "from_npy",
    "from_parquet",
    "with_noise",
]

_NAMES = {
    "sqsim.problems.binarised": (
        "BinarisedNetwork",
        "BinarisedRegression",
    ),
    "sqsim.problems.chunked": ("Chunked",),
    "sqsim.problems.components": ("NonGaussianComponent",),
    "sqsim.problems.cube": ("CubeFunction",),
    "sqsim.problems.dataset": ("Dataset",),
    "sqsim.problems.hypothesis": ("ReluHypothesis",),
    "sqsim.problems.index": (
        "ReluRegression",
        "SingleIndex",
    ),
    "sqsim.problems.network": (
        "NetworkRegression",
        "ReluNetwork",
    ),
    "sqsim.problems.noise": (
        "ClassificationNoise",
        "Contamination",
        "Drift",
        "MassartNoise",
        "Points",
        "with_noise",
    ),
    "sqsim.problems.orthogonal_networks": ("OrthogonalNetworks",),
    "sqsim.problems.p_concepts": ("PConcept",),
    "sqsim.problems.parity": ("SparseParity",),
    "sqsim.problems.parquet": ("from_parquet",),
    "sqsim.problems.planes": ("AlternatingPlane",),
    "sqsim.problems.reading": (
        "Defects",
        "Survey",
    ),
    "sqsim.problems.sources": (
        "from_arrays",
        "from_chunks",
        "from_dask",
        "from_npy",
    ),
    "sqsim.problems.transfers": (
        "Clipped",
        "Logistic",
        "Transfer",
    ),
}

# Hidden from type checkers: they would take any misspelt name for a lazy one.
if not TYPE_CHECKING:
    __getattr__, __dir__ = attach(__name__, _NAMES)
