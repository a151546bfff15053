"""What is learned: a Problem, all that a learner may know, and an Instance with its secret."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqsim.lazy import attach

if TYPE_CHECKING:
    from sqsim.problems.ball import scaled_into_ball
    from sqsim.problems.binarised import BinarisedNetwork, BinarisedRegression
    from sqsim.problems.caps import CapAttack, SplitAttack
    from sqsim.problems.chunked import Chunked
    from sqsim.problems.components import NonGaussianComponent
    from sqsim.problems.conjunctions import ConjunctionGain, conjunction_neuron, reliable_floor
    from sqsim.problems.cube import CubeFunction
    from sqsim.problems.dataset import Dataset
    from sqsim.problems.designers import PushBack
    from sqsim.problems.gadgets import (
        MaxAffine,
        SumOfMaxAffine,
        conjunction,
        maximum_of_two,
        parametric_relu,
        ramp,
    )
    from sqsim.problems.hypothesis import ReluHypothesis
    from sqsim.problems.index import ReluRegression, SingleIndex
    from sqsim.problems.layers import LayeredRelu
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
    from sqsim.problems.planted_polynomials import (
        FarEnd,
        Impostor,
        Lifted,
        PlantedPolynomial,
        planted_polynomial,
    )
    from sqsim.problems.polynomial_hypothesis import PolynomialHypothesis, ReliableHypothesis
    from sqsim.problems.reading import Defects, Survey
    from sqsim.problems.reliable import Raised, ReliableRegression, Zeroed
    from sqsim.problems.sources import from_arrays, from_chunks, from_dask, from_npy
    from sqsim.problems.transfers import Clipped, Logistic, Transfer

__all__ = [
    "AlternatingPlane",
    "BinarisedNetwork",
    "BinarisedRegression",
    "CapAttack",
    "Chunked",
    "ClassificationNoise",
    "Clipped",
    "ConjunctionGain",
    "Contamination",
    "CubeFunction",
    "Dataset",
    "Defects",
    "Drift",
    "FarEnd",
    "Impostor",
    "LayeredRelu",
    "Lifted",
    "Logistic",
    "MassartNoise",
    "MaxAffine",
    "NetworkRegression",
    "NonGaussianComponent",
    "OrthogonalNetworks",
    "PConcept",
    "PlantedPolynomial",
    "Points",
    "PolynomialHypothesis",
    "PushBack",
    "Raised",
    "ReliableHypothesis",
    "ReliableRegression",
    "ReluHypothesis",
    "ReluNetwork",
    "ReluRegression",
    "SingleIndex",
    "SparseParity",
    "SplitAttack",
    "SumOfMaxAffine",
    "Survey",
    "Transfer",
    "Zeroed",
    "conjunction",
    "conjunction_neuron",
    "from_arrays",
    "from_chunks",
    "from_dask",
    "from_npy",
    "from_parquet",
    "maximum_of_two",
    "parametric_relu",
    "planted_polynomial",
    "ramp",
    "reliable_floor",
    "scaled_into_ball",
    "with_noise",
]

_NAMES = {
    "sqsim.problems.ball": ("scaled_into_ball",),
    "sqsim.problems.binarised": ("BinarisedNetwork", "BinarisedRegression"),
    "sqsim.problems.caps": ("CapAttack", "SplitAttack"),
    "sqsim.problems.chunked": ("Chunked",),
    "sqsim.problems.components": ("NonGaussianComponent",),
    "sqsim.problems.conjunctions": ("ConjunctionGain", "conjunction_neuron", "reliable_floor"),
    "sqsim.problems.cube": ("CubeFunction",),
    "sqsim.problems.dataset": ("Dataset",),
    "sqsim.problems.designers": ("PushBack",),
    "sqsim.problems.gadgets": (
        "MaxAffine",
        "SumOfMaxAffine",
        "conjunction",
        "maximum_of_two",
        "parametric_relu",
        "ramp",
    ),
    "sqsim.problems.hypothesis": ("ReluHypothesis",),
    "sqsim.problems.index": ("ReluRegression", "SingleIndex"),
    "sqsim.problems.layers": ("LayeredRelu",),
    "sqsim.problems.network": ("NetworkRegression", "ReluNetwork"),
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
    "sqsim.problems.planted_polynomials": (
        "FarEnd",
        "Impostor",
        "Lifted",
        "PlantedPolynomial",
        "planted_polynomial",
    ),
    "sqsim.problems.polynomial_hypothesis": ("PolynomialHypothesis", "ReliableHypothesis"),
    "sqsim.problems.reading": ("Defects", "Survey"),
    "sqsim.problems.reliable": ("Raised", "ReliableRegression", "Zeroed"),
    "sqsim.problems.sources": ("from_arrays", "from_chunks", "from_dask", "from_npy"),
    "sqsim.problems.transfers": ("Clipped", "Logistic", "Transfer"),
}

# Hidden from type checkers: they would take any misspelt name for a lazy one.
if not TYPE_CHECKING:
    __getattr__, __dir__ = attach(__name__, _NAMES)
