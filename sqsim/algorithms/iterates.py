"""What descents of a neuron of known norm and bias share: their start, their scale, their loop.

This file does not know which weight a step uses, nor how long it is.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from sqsim.algorithms.fields import agreement, energy, weight_norm, weighted_field
from sqsim.errors import BadInput
from sqsim.lowrank import Array
from sqsim.problems.hypothesis import ReluHypothesis, zero
from sqsim.problems.problem import Problem
from sqsim.strategy import CSQ, ask_all
from sqsim.updates import Update


def unit_start(problem: Problem, start: Array) -> Array:
    """The start, checked and normalised."""
    found = np.asarray(start, dtype=np.float64)
    length = float(np.linalg.norm(found)) if found.shape == (problem.dimension,) else 0.0
    if not 0 < length < np.inf:
        raise BadInput(
            f"start has shape {found.shape} and length {length}; wanted a finite non-zero "
            f"({problem.dimension},) vector: a descent refines a start, it does not find one"
        )
    return found / length


def scale_of(problem: Problem, norm: float | None, bias: float | None) -> tuple[float, float]:
    """Norm and normalised bias, from the call or from the problem."""
    norm = problem.norm if norm is None else norm
    bias = problem.bias if bias is None else bias
    if norm is None or bias is None:
        raise BadInput("norm and bias are unknown to this problem; pass norm= and bias= guesses")
    if not (0 < norm < np.inf and np.isfinite(bias)):
        raise BadInput(f"norm {norm} and bias {bias}: finite, and norm > 0, wanted")
    return norm, bias / norm


def best_iterate(
    problem: Problem,
    w: Array,
    *,
    norm: float,
    bias: float,
    update: Callable[[int], Update],
    stride: Callable[[int, float], float],
    steps: int,
) -> CSQ[ReluHypothesis]:
    """w <- normalise(w + stride_t g_t / |g_t|), g_t = P_w E[y x f_t(<w, x>)]; the best neuron met.

    `steps` rounds of d + 1 correlational queries of norm at most 1.

    Parameters
    ----------
    w : unit vector.
    norm, bias : of the neuron norm sigma(<w, x> + bias).
    update : step -> weight f_t.
    stride : (step, share) -> length of the step, where share = |g_t| / (||f_t|| ||neuron||) is at
        most 1 on clean labels.
    """
    best, lowest = zero(problem.dimension), 0.0
    for step in range(steps):
        weight = update(step)
        hypothesis = ReluHypothesis(norm * w, norm * bias)
        own, reach = energy(problem, hypothesis), weight_norm(problem, w, weight)
        if not (own > 0 and reach > 0):
            if step == 0:
                raise BadInput(f"a neuron of bias {norm * bias} is never active on these inputs")
            break
        # Queries of norm at most 1, as theorems count them: a longer one would buy precision.
        unit = max(reach, 1.0)
        field, agreed = yield from ask_all(
            weighted_field(w, weight, unit=unit),
            agreement(hypothesis),
            step=step,
            w=hypothesis.weights,
            b=hypothesis.bias,
        )
        excess = own - 2 * float(agreed)
        if excess < lowest:
            best, lowest = hypothesis, excess
        tangent = field - (field @ w) * w
        length = float(np.linalg.norm(tangent))
        if length > 0.0:
            share = length * unit / (reach * np.sqrt(own))
            w = w + stride(step, share) * tangent / length
        w = w / np.linalg.norm(w)
    return best
