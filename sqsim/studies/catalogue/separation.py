"""The learners that a separation runs unless others are named, the correlational ones first.

This file does not know what is done with them.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from sqsim.algorithms.descent import projected_gradient_descent, reweighted_pgd
from sqsim.algorithms.guesses import GeometricMesh
from sqsim.studies.cold_starts import (
    BIASES,
    biased_one_shot,
    cold,
    complete,
    descended,
    one_shot,
    spectral,
    thresholded,
)
from sqsim.studies.registry import Algorithm, Cost, Symbol

STEPS = Symbol("descent steps", 60)
GRID = Symbol("biases on the grid that is tried where none is told", len(BIASES))
COLD = Cost("steps + 12", "steps*(d + 1) + d + biases + 79")
"""Untold: a regression for the direction, then norm and bias before and after the descent."""

ALGORITHMS: Sequence[Algorithm] = (
    Algorithm(
        name="gradient-descent",
        access="CSQ",
        rounds="steps",
        queries="steps*(d + 2)",
        symbols={"steps": Symbol("descent steps", 100)},
        source="Awasthi, Tang and Vijayaraghavan (2022)",
        guarantee="loss epsilon on clean labels of bounded bias, from random starts",
        strategy=descended,
    ),
    Algorithm(
        name="one-shot-regression",
        access="CSQ",
        rounds="1",
        queries="d",
        source="Diakonikolas, Goel, Karmalkar, Klivans and Soltanolkotabi (2020)",
        guarantee="bias 0, x ~ N(0, I), exact answers: loss at most (3 + 2 sqrt 2) OPT; 2 OPT, "
        "derived here",
        strategy=one_shot,
    ),
    Algorithm(
        name="biased-one-shot-regression",
        access="CSQ",
        rounds="2",
        queries="d + 2",
        source="moments of degree 0 and 1 inverted, derived here",
        guarantee="exact on clean labels, x ~ N(0, I), for any norm and bias",
        strategy=biased_one_shot,
    ),
    Algorithm(
        name="spectral-start",
        access="CSQ",
        rounds="steps + 2",
        queries="d*(d + 1)/2 + 2 + steps*(d + 1)",
        untold=Cost("steps + 16", "d*(d + 1)/2 + 3*biases + 111 + steps*(d + 1)"),
        symbols={"steps": STEPS, "biases": GRID},
        source="E[y (x x' - I)], the degree-2 Hermite part",
        guarantee="finds the direction where the label's degree-2 part is not corrupted; no bound "
        "against OPT",
        strategy=spectral,
    ),
    Algorithm(
        name="projected-gradient-descent",
        access="CSQ",
        rounds="steps",
        queries="steps*(d + 1)",
        untold=COLD,
        symbols={"steps": STEPS, "biases": GRID},
        source="the plain update that Guo and Vijayaraghavan (2024) compare with",
        guarantee="none against OPT from a random start; see `sqsim basin` for warm ones",
        strategy=partial(cold, projected_gradient_descent),
    ),
    Algorithm(
        name="reweighted-pgd",
        access="CSQ",
        rounds="steps",
        queries="steps*(d + 1)",
        untold=COLD,
        symbols={"steps": STEPS, "biases": GRID},
        source="Guo and Vijayaraghavan (2024), section 3.1",
        guarantee="O(OPT) for a very negative bias from overlap 0.9; none from a random start",
        strategy=partial(cold, reweighted_pgd),
    ),
    Algorithm(
        name="thresholded-pca",
        access="SQ",
        rounds="2",
        queries="d*(d + 1)/2 + 2",
        untold=Cost("7", "d*(d + 1)/2 + 2*biases + 35"),
        symbols={"biases": GRID},
        source="Guo and Vijayaraghavan (2024), section 3.2",
        guarantee="a direction of constant overlap for a very negative bias and loss >> OPT",
        strategy=thresholded,
    ),
    Algorithm(
        name="learn-relu",
        access="SQ",
        rounds="7 + Max(descent_steps, steps + 13)",
        queries="thresholds*(d*(d + 1)/2 + steps*(d + 1) + 2*guesses + 76) + guesses "
        "+ (3*descent_steps + 1)*(d + 2) + 49",
        at_most=True,
        symbols={
            "thresholds": Symbol("guesses whose matrices are asked", 3),
            "steps": STEPS,
            "descent_steps": Symbol("steps of each gradient descent", 60),
            "guesses": Symbol("guesses of the bias", len(GeometricMesh().biases)),
        },
        source="Guo and Vijayaraghavan (2024), completed here",
        guarantee="loss O(OPT), x ~ N(0, I), for any norm and bias, neither told",
        strategy=complete,
        told=False,
    ),
)
