"""The agnostic learner of a ReLU of arbitrary bias of Guo and Vijayaraghavan (2024), complete.

Candidates for large positive, moderate and very negative bias run side by side; the least loss
wins.  This file does not know how answers are made.
"""

from __future__ import annotations

from collections.abc import Generator
from functools import partial
from typing import TypeAlias

import numpy as np

from sqsim.algorithms.descent import gradient_descent, random_neuron, reweighted_pgd
from sqsim.algorithms.guesses import GeometricMesh, Guess, PaperMesh
from sqsim.algorithms.initialisations import Initialisation, ThresholdedPca
from sqsim.algorithms.profile import best_of, fit_norm_and_bias
from sqsim.algorithms.refinement import refine
from sqsim.algorithms.regression import neuron_of_moments
from sqsim.errors import BadInput
from sqsim.lowrank import Array
from sqsim.problems.hypothesis import ReluHypothesis, zero
from sqsim.problems.problem import Problem
from sqsim.queries import Batch, Correlation, Query, Ridge, Statistic
from sqsim.seeds import Seed
from sqsim.strategy import CSQ, SQ, Answers, ask_all, together

Mesh: TypeAlias = GeometricMesh | PaperMesh
Candidate: TypeAlias = Generator[Batch[Query], Answers, ReluHypothesis]


def learn_relu(
    problem: Problem,
    *,
    mesh: Mesh | None = None,
    thresholds: int = 3,
    steps: int = 60,
    descent_steps: int = 60,
    initialisation: Initialisation | None = None,
    seed: Seed = 0,
) -> SQ[ReluHypothesis]:
    """A neuron of loss O(OPT), its norm and bias unknown.

    Candidates, in parallel: least squares (large positive bias); gradient descent from the
    one-shot regression and from a random start (moderate bias); thresholded PCA at several cuts,
    both signs of each eigenvector, then reweighted projected gradient descent (very negative
    bias; `initialisation` replaces the PCA).  Norm and bias of the winner are refined on the loss.

    Cost: `thresholds` d(d + 1)/2 + O((thresholds steps + descent_steps) d) queries in about
    steps + 20 rounds.  Genuine SQ: E[y^2], the label's tail and the thresholded moments are not
    linear in y; everything else is correlational.

    Parameters
    ----------
    mesh : GeometricMesh or PaperMesh, optional
        Guesses of (norm, bias).  With the geometric mesh the label's tail (one scalar a guess)
        chooses the `thresholds` guesses whose matrices are asked; the paper's mesh asks all of
        them: see `PaperMesh.queries` before.
    initialisation : Initialisation, optional
        How the very negative candidates start: `ThresholdedPca()` if None, as published, or
        `LabelThreshold()`, whose start no corruption of small energy tilts far (see there).
    """
    if thresholds < 1:
        raise BadInput(f"thresholds is {thresholds}; at least one matrix is needed")
    mean, moment, energy = yield from ask_all(
        Correlation(Ridge(), "mean label"),
        Correlation(Ridge(power=1), "degree-1 correlation"),
        Statistic(Ridge(np.square), "label energy"),
        step="moments",
    )
    if not float(energy) > 0:
        return zero(problem.dimension)
    mesh = GeometricMesh() if mesh is None else mesh
    scale = float(np.sqrt(energy))
    linear = ReluHypothesis(np.asarray(moment), float(mean))
    one_shot = neuron_of_moments(problem, float(mean), np.asarray(moment))
    wild = random_neuron(problem, seed=seed)
    wild = ReluHypothesis(wild.weights * scale, 0.0 if problem.bias is None else problem.bias)
    lanes: list[Candidate] = [
        gradient_descent(problem, start=start, steps=descent_steps)
        for start in (linear, one_shot, wild)
    ]
    first = ThresholdedPca() if initialisation is None else initialisation
    lanes.append(_very_negative(problem, mesh, float(energy), thresholds, steps, first, seed))
    found = yield from together(*lanes)
    chosen = yield from best_of(problem, [linear, one_shot, *found])
    if chosen.hypothesis.norm == 0.0:
        return chosen.hypothesis
    w = chosen.hypothesis.weights / chosen.hypothesis.norm
    b = chosen.hypothesis.bias / chosen.hypothesis.norm
    spread = np.linspace(-0.5, 0.5, 9)
    refined = yield from fit_norm_and_bias(
        problem, [w], (b + spread).tolist(), label_energy=float(energy)
    )
    return min(chosen, refined, key=lambda s: s.excess).hypothesis


def _very_negative(
    problem: Problem,
    mesh: Mesh,
    energy: float,
    thresholds: int,
    steps: int,
    initialisation: Initialisation,
    seed: Seed,
) -> SQ[ReluHypothesis]:
    """The initialisation and reweighted descent from every chosen guess; the least loss."""
    guesses = mesh.guesses(energy)
    if isinstance(mesh, GeometricMesh):
        guesses = yield from _consistent(guesses, thresholds)
    if not guesses:
        return zero(problem.dimension)
    cuts = [guess.cut for guess in guesses]
    starts = yield from initialisation.directions(problem, cuts, seed=seed)
    descent = partial(_reweighted, problem, steps, seed)
    refined = yield from together(
        *(
            refine(problem, candidates, mesh.biases.tolist(), energy, descent)
            for candidates in starts
        )
    )
    chosen = yield from best_of(problem, refined)
    return chosen.hypothesis


def _consistent(guesses: list[Guess], count: int) -> SQ[list[Guess]]:
    """The guesses whose predicted label tail P(|y| >= cut) is nearest to the one answered.

    One round of one scalar for each guess.  A corruption of energy OPT moves the tail at cut tau
    by O(OPT / tau^2), a small part of Phi(b), while a wrong bias misses by orders of magnitude.
    """
    answers = yield from ask_all(*(_tail(guess.cut) for guess in guesses), step="label tail")
    misfit = [
        (abs(float(np.log(tail)) - guess.expected_tail), position)
        for position, (guess, tail) in enumerate(zip(guesses, map(float, answers), strict=True))
        if tail > 0
    ]
    return [guesses[position] for _, position in sorted(misfit)[:count]]


def _tail(cut: float) -> Statistic:
    """P(|y| >= cut)."""

    def above(y: Array) -> Array:
        return (np.abs(y) >= cut).astype(np.float64)

    return Statistic(Ridge(above, levels=(-cut, cut)), "label tail")


def _reweighted(
    problem: Problem, steps: int, seed: Seed, neuron: ReluHypothesis
) -> CSQ[ReluHypothesis]:
    """Reweighted descent from a neuron, at its norm and bias."""
    return reweighted_pgd(
        problem,
        start=neuron.weights / neuron.norm,
        norm=neuron.norm,
        bias=neuron.bias,
        steps=steps,
        seed=seed,
    )
