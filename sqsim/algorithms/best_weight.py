"""Projected descent with the correlational weight that worst-case noise harms least.

This file does not know how the start was found.
"""

from __future__ import annotations

from sqsim.algorithms.iterates import best_iterate, scale_of, unit_start
from sqsim.errors import BadInput
from sqsim.lowrank import Array
from sqsim.problems.hypothesis import ReluHypothesis
from sqsim.problems.problem import Problem
from sqsim.strategy import CSQ
from sqsim.updates import optimal


def optimal_descent(
    problem: Problem,
    *,
    start: Array,
    overlap: float = 0.9,
    norm: float | None = None,
    bias: float | None = None,
    steps: int = 60,
    step_size: float = 0.3,
) -> CSQ[ReluHypothesis]:
    """Projected gradient descent with the optimal weight at one overlap; the best iterate.

    w <- normalise(w + eta g), g = P_w E[y x h(<w, x>)] with h(s) = Phi((L s + b) / sqrt(1 - L^2)),
    L = `overlap`: of all weights of <w, x> the one of least worst-case noise over signal where
    <w, v> = L, as computed here (`updates.optimal`); eta = step_size |g| / (||h|| ||neuron||).
    `smoothed_descent` follows the same weight along a schedule of overlaps.

    Guarantee (derived here, exact answers, labels of budget ||sigma_b||^2 / alpha): at overlap L
    g has a positive component toward v iff (1 - L^2) P(X, Y >= -b) > ||sigma_b||^2 / alpha, at
    correlation L^2, and where it fails no weight of <w, x> has one.

    d + 1 correlational queries of norm at most 1 in each of `steps` rounds.

    Parameters
    ----------
    start : (d,) array
    overlap : float
        In [0, 1): that of the start with v, or less.
    norm, bias : float, optional
        Of the neuron; needed where the problem does not tell them.
    """
    if steps < 1 or not 0 < step_size < float("inf"):
        raise BadInput(f"steps {steps} and step_size {step_size}; wanted >= 1, and > 0")
    scale, offset = scale_of(problem, norm, bias)
    update = optimal(offset, overlap=overlap)
    return (
        yield from best_iterate(
            problem,
            unit_start(problem, start),
            norm=scale,
            bias=offset,
            update=lambda _: update,
            stride=lambda _, share: step_size * share,
            steps=steps,
        )
    )
