"""Norm and bias of a neuron whose direction is known, found on the loss.

For a fixed direction and bias the best norm is in closed form, so only the bias is searched, and
each candidate costs one scalar correlation.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import final

import numpy as np

from sqsim.algorithms.fields import agreement, energy
from sqsim.errors import BadInput
from sqsim.lowrank import Array
from sqsim.problems.hypothesis import ReluHypothesis, zero
from sqsim.problems.problem import Problem
from sqsim.strategy import CSQ, ask_all

EDGE = 0.5
"""Normalised bias searched beyond an end of the grid."""

POINTS = 11
PARABOLAS = (1.0, 0.35)
"""Half-widths of the fitted grids, in units of 1 / (1 + |b|)."""


@final
@dataclass(frozen=True, eq=False)
class Scored:
    """A hypothesis and its loss minus E[y^2], as far as the answers tell."""

    hypothesis: ReluHypothesis
    excess: float


def best_norm(
    problem: Problem,
    directions: Iterable[Array],
    biases: Sequence[float],
    *,
    label_energy: float = math.inf,
) -> CSQ[list[Scored]]:
    """For every direction and normalised bias, the norm of least loss.

    A neuron of norm c and normalised bias b is c sigma(<w, x> + b), so its loss is
    E[y^2] - 2 c E[y sigma] + c^2 E[sigma^2], least at c = E[y sigma] / E[sigma^2].
    One round of (directions x biases) scalars.  Where the problem tells the norm, it is used.
    By Cauchy-Schwarz c^2 E[sigma^2] <= E[y^2] = `label_energy`, where that is known: a correlation
    lost in its tolerance cannot make an enormous neuron.
    """
    units = [ReluHypothesis(w, float(b)) for w in directions for b in biases]
    answers = yield from ask_all(*(agreement(unit) for unit in units), step="norm and bias")
    scored = []
    for unit, answer in zip(units, answers, strict=True):
        size = energy(problem, unit)
        correlation = float(answer)
        if size <= 0.0:
            scored.append(Scored(zero(problem.dimension), 0.0))
            continue
        most = math.sqrt(label_energy / size)
        norm = min(max(correlation / size, 0.0), most) if problem.norm is None else problem.norm
        hypothesis = ReluHypothesis(norm * unit.weights, norm * unit.bias)
        scored.append(Scored(hypothesis, norm**2 * size - 2 * norm * correlation))
    return scored


def fit_norm_and_bias(
    problem: Problem,
    directions: Sequence[Array],
    biases: Sequence[float],
    *,
    label_energy: float = math.inf,
) -> CSQ[Scored]:
    """Search the bias on a grid, then on three finer ones around the best so far.

    Five rounds; (directions x biases) + 34 scalars.  The last two grids are read through a
    parabola: with answers anywhere in their windows the lowest of many losses is one that was
    answered too low, while a fit averages them.  Where the problem tells norm and bias there is
    one candidate for each direction and nothing to search.
    """
    if not len(directions) or not len(biases):
        raise BadInput("there is nothing to search; pass at least one direction and one bias")
    if problem.bias is not None and problem.norm is not None:
        known = yield from best_norm(problem, directions, [problem.bias / problem.norm])
        return min(known, key=_excess)
    grid = sorted(float(b) for b in biases)
    scored = yield from best_norm(problem, directions, grid, label_energy=label_energy)
    winner = int(np.argmin([s.excess for s in scored]))
    at = winner % len(grid)
    direction = directions[winner // len(grid)]
    low = grid[at - 1] if at else grid[at] - EDGE
    high = grid[at + 1] if at + 1 < len(grid) else grid[at] + EDGE
    points = np.linspace(low, high, POINTS)
    again = yield from best_norm(problem, [direction], points.tolist(), label_energy=label_energy)
    bias = float(points[int(np.argmin([s.excess for s in again]))])
    for width in PARABOLAS:
        # c sigma_b and c' sigma_b' differ by a function of |b| (b - b') alone, for b far below 0.
        reach = width / (1 + abs(bias))
        points = np.linspace(bias - reach, bias + reach, POINTS)
        again = yield from best_norm(
            problem, [direction], points.tolist(), label_energy=label_energy
        )
        bias = _lowest(points, np.array([s.excess for s in again]))
    return (yield from best_norm(problem, [direction], [bias], label_energy=label_energy))[0]


def _lowest(biases: Array, losses: Array) -> float:
    """Where the least-squares parabola through the losses is lowest, within the grid."""
    size = float(np.ptp(losses))
    middle = float(biases.mean())
    if size == 0.0:
        return middle
    curvature, slope, _ = np.polyfit(biases - middle, losses / size, 2)
    if curvature <= 0:
        return float(biases[int(np.argmin(losses))])
    return float(np.clip(middle - slope / (2 * curvature), biases[0], biases[-1]))


def _excess(scored: Scored) -> float:
    return scored.excess


def best_of(problem: Problem, hypotheses: Sequence[ReluHypothesis]) -> CSQ[Scored]:
    """The hypothesis of least loss, the zero hypothesis included.

    One round of one scalar for each hypothesis: E[y^2] is common to all and never asked.
    """
    alive = [h for h in hypotheses if h.norm > 0]
    candidates = [Scored(zero(problem.dimension), 0.0)]
    if alive:
        answers = yield from ask_all(*(agreement(h) for h in alive), step="selection")
        for hypothesis, answer in zip(alive, answers, strict=True):
            excess = energy(problem, hypothesis) - 2 * float(answer)
            candidates.append(Scored(hypothesis, excess))
    return min(candidates, key=_excess)
