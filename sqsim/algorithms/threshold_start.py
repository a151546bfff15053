"""A neuron of any bias, robustly: label threshold, robust halfspace, smoothed descent.

Knows the problem and its inputs; does not know how answers are made.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial

import numpy as np

from sqsim.algorithms.initialisations import Initialisation, LabelThreshold
from sqsim.algorithms.label_levels import MeanLevel, consistent_levels, levels_of
from sqsim.algorithms.profile import best_of
from sqsim.algorithms.refinement import refine
from sqsim.algorithms.smoothed import smoothed_descent
from sqsim.errors import BadInput
from sqsim.problems.hypothesis import ReluHypothesis, zero
from sqsim.problems.problem import Problem
from sqsim.queries import Ridge, Statistic
from sqsim.seeds import Seed
from sqsim.strategy import CSQ, SQ, ask, together

BIASES: tuple[float, ...] = (
    *(-12.0 / 1.15 ** np.arange(18)).tolist(),
    *(-0.5, 0.0, 0.5, 1.0, 2.0, 4.0),
)
"""Normalised biases tried where none is told."""

NEAR = 4.0
"""|b| up to which the assumed angle of the start is that of b = NEAR."""


def threshold_and_smooth(
    problem: Problem,
    *,
    initialisation: Initialisation | None = None,
    biases: Sequence[float] = BIASES,
    thresholds: int = 2,
    reach: float = 2.0,
    steps: int = 80,
    shrink: float = 1 / 16,
    seed: Seed = 0,
) -> SQ[ReluHypothesis]:
    """A neuron of loss O(OPT), of any bias, under adversarial labels.

    Labels of at least the neuron's mean active label (and multiples of it) are near a halfspace,
    which `biased_halfspace` learns to an angle O(1 / |b|); `smoothed_descent` refines each such
    start, and the least loss wins.

    Parameters
    ----------
    initialisation : Initialisation, optional
        `LabelThreshold()` if None.
    biases : sequence of float
        Where the problem does not tell norm and bias: normalised biases tried.
    thresholds : int
        How many of them, those that best fit the label's tail, are started from.
    reach : float
        Assumed angle of the starts is reach / max(|b|, 4) radians.
    steps, shrink :
        Of `smoothed_descent`; the published shrink is 1/256, with steps in proportion.

    Notes
    -----
    Guarantee: the start within O(1 / |b|) of the neuron is derived at `LabelThreshold`; from it
    Zarifis et al. (COLT 2025) prove O(OPT) + epsilon for their schedule and a told bias.  Their
    constant is not restated, and the longer steps and the search of norm and bias are measured.

    Access: SQ; correlational after the start.  Cost where norm and bias are told, with m multiples
    and a schedule of h steps: m ((d + 1) (h + 1) + 1) + m (steps (d + 1) + 2) + m queries in h +
    steps + 5 rounds; else E[y^2], the tails and the fits of `fit_norm_and_bias` in addition.
    """
    if thresholds < 1 or not 0 < reach < math.inf or not len(biases):
        raise BadInput(
            f"thresholds {thresholds}, reach {reach} and {len(biases)} biases; wanted at least "
            "one threshold and bias, and a positive finite reach"
        )
    energy, levels = math.inf, _told(problem)
    if levels is None:
        energy = float((yield from ask(Statistic(Ridge(np.square), "label energy"))))
        if not energy > 0:
            return zero(problem.dimension)
        tried = levels_of(energy, biases)
        levels = yield from consistent_levels(tried, thresholds)
    start = LabelThreshold() if initialisation is None else initialisation
    cuts = [level.cut for level in levels]
    found = yield from start.directions(problem, cuts, seed=seed)
    descent = partial(_smoothed, problem, reach, steps, shrink)
    refined = yield from together(
        *(refine(problem, candidates, biases, energy, descent) for candidates in found)
    )
    chosen = yield from best_of(problem, refined)
    return chosen.hypothesis


def _told(problem: Problem) -> list[MeanLevel] | None:
    if problem.norm is None or problem.bias is None:
        return None
    return [MeanLevel(problem.norm, problem.bias / problem.norm)]


def _smoothed(
    problem: Problem, reach: float, steps: int, shrink: float, neuron: ReluHypothesis
) -> CSQ[ReluHypothesis]:
    angle = min(reach / max(abs(neuron.bias / neuron.norm), NEAR), 1.5)
    return smoothed_descent(
        problem,
        start=neuron.weights / neuron.norm,
        angle=angle,
        norm=neuron.norm,
        bias=neuron.bias,
        steps=steps,
        shrink=shrink,
    )
