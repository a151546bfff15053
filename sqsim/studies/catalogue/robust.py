"""Learners that thresholded labels and robust halfspaces begin.

This file does not know what is done with them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqsim.algorithms.biased_halfspaces import biased_halfspace
from sqsim.algorithms.boolean_labels import AtLeast
from sqsim.algorithms.guesses import GeometricMesh
from sqsim.algorithms.halfspaces import Halfspace
from sqsim.algorithms.localisation import localised_halfspace
from sqsim.algorithms.threshold_start import BIASES
from sqsim.problems.index import ReluRegression
from sqsim.problems.problem import Problem
from sqsim.seeds import Seed
from sqsim.strategy import SQ
from sqsim.studies.registry import Algorithm, Cost, Symbol, relu_example
from sqsim.studies.robust_neurons import (
    label_threshold_smoothed,
    learn_relu_from_label_thresholds,
    optimally_weighted,
    thresholded_halfspace,
)


def localised(problem: Problem, seed: Seed) -> SQ[Halfspace]:
    """`localised_halfspace` of the labels of at least 1/2."""
    return localised_halfspace(problem, labels=AtLeast(0.5), seed=seed)


def biased(problem: Problem, seed: Seed) -> SQ[Halfspace]:
    """`biased_halfspace` of the labels of at least 1/2."""
    return biased_halfspace(problem, labels=AtLeast(0.5), seed=seed)


def _neuron() -> Any:
    return relu_example(told=True)


def _homogeneous() -> Any:
    return ReluRegression(6, norm=1.0, bias=0.0).draw(seed=1)


ROUNDS = {
    "rounds": Symbol("rounds of localisation", 7),
    "steps": Symbol("steps of descent on the hinge loss in each", 12),
}
HALFSPACE = Symbol("steps of the halfspace learner", 24)

ALGORITHMS: Sequence[Algorithm] = (
    Algorithm(
        name="threshold-and-halfspace",
        access="SQ",
        rounds="rounds*steps + 3",
        queries="levels*(d + rounds*steps*d + rounds + 2)",
        untold=Cost("rounds*steps + 9", "levels*(d + rounds*steps*d + rounds + 2) + biases + 35"),
        at_most=True,
        symbols={
            **ROUNDS,
            "levels": Symbol("thresholds of the label", 8),
            "biases": Symbol("biases on the grid that is tried where none is told", len(BIASES)),
        },
        source="Goel, Karmalkar and Klivans (2019), algorithm 2 and theorem 5",
        guarantee="norm 1, bias 0, x ~ N(0, I): loss O(OPT^(2/3))",
        strategy=thresholded_halfspace,
        wants="ReLU regression of bias 0",
        example=_homogeneous,
    ),
    Algorithm(
        name="threshold-and-smooth",
        access="SQ",
        rounds="halfspace + steps + 5",
        queries="multiples*((d + 1)*(halfspace + 1) + 1) + multiples*(steps*(d + 1) + 2) "
        "+ multiples",
        at_most=True,
        symbols={
            "halfspace": HALFSPACE,
            "steps": Symbol("descent steps", 80),
            "multiples": Symbol("levels at which the label is cut", 3),
        },
        source="Zarifis, Wang, Diakonikolas and Diakonikolas (2025)",
        guarantee="loss O(OPT) for any bias, x ~ N(0, I); the constant is measured",
        strategy=label_threshold_smoothed,
        told=True,
    ),
    Algorithm(
        name="learn-relu-label-threshold",
        access="SQ",
        rounds="6 + Max(descent_steps, halfspace + steps + 15)",
        queries="thresholds*multiples*((d + 1)*(halfspace + 1) + 1 + steps*(d + 1) + guesses + 76) "
        "+ guesses + (3*descent_steps + 1)*(d + 2) + 49",
        at_most=True,
        symbols={
            "thresholds": Symbol("guesses that are descended from", 3),
            "multiples": Symbol("levels at which the label is cut", 3),
            "halfspace": HALFSPACE,
            "steps": Symbol("descent steps", 60),
            "descent_steps": Symbol("steps of each gradient descent", 60),
            "guesses": Symbol("guesses of the bias", len(GeometricMesh().biases)),
        },
        source="Guo and Vijayaraghavan (2024) with the start of Zarifis et al. (2025)",
        guarantee="loss O(OPT), x ~ N(0, I), for any norm and bias; start within O(1/|bias|)",
        strategy=learn_relu_from_label_thresholds,
        told=False,
    ),
    Algorithm(
        name="optimal-descent",
        access="CSQ",
        rounds="steps + 2",
        queries="d + 2 + steps*(d + 1)",
        symbols={"steps": Symbol("descent steps", 60)},
        source="the weight of least worst-case noise, computed here",
        guarantee="progress from overlap L against all noise iff (1 - L^2) P2(bias; L^2) > OPT",
        strategy=optimally_weighted,
    ),
    Algorithm(
        name="localised-halfspace",
        access="SQ",
        rounds="rounds*steps + 2",
        queries="d + rounds*steps*d + rounds + 1",
        symbols=ROUNDS,
        source="Awasthi, Balcan and Long (2014)",
        guarantee="a homogeneous halfspace of disagreement O(least); CSQ on two-valued labels",
        strategy=localised,
        result="halfspace",
        wants="labels cut at a level, x ~ N(0, I)",
        example=_neuron,
    ),
    Algorithm(
        name="biased-halfspace",
        access="SQ",
        rounds="halfspace + 2",
        queries="(d + 1)*(halfspace + 1) + 1",
        symbols={"halfspace": HALFSPACE},
        source="derived here, in the form of Zarifis et al. (2025), proposition 19",
        guarantee="angle exp(-t^2/2) = O(noise) for a halfspace at threshold t; CSQ on two values",
        strategy=biased,
        result="halfspace",
        wants="labels cut at a level, x ~ N(0, I)",
        example=_neuron,
    ),
)
