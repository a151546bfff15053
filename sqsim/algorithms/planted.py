"""Projected gradient descent for an unbiased neuron that is planted in a known set."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from sqsim.algorithms.fields import activation, neuron
from sqsim.errors import BadInput
from sqsim.lowrank import Array
from sqsim.problems.hypothesis import ReluHypothesis
from sqsim.problems.problem import Problem
from sqsim.queries import Correlation, Ridge
from sqsim.strategy import CSQ, ask


def planted_descent(
    problem: Problem,
    *,
    start: Array | None = None,
    steps: int = 10,
    step_size: float = 1.0,
    projection: Callable[[Array], Array] | None = None,
) -> CSQ[ReluHypothesis]:
    """w <- P_K(w - mu E[(sigma(<w, x>) - y)(1 + sgn <w, x>) x]), from w = 0; the last iterate.

    Soltanolkotabi (2017), with means for averages and sgn(0) = 0.  `steps` rounds of d
    correlational queries: E[y (1 + sgn <w, x>) x]; the neuron's own part is label-free.

    On clean labels of an unbiased neuron w* in K under N(0, I), with mu = 1 and exact answers, w*
    is reached in two steps: w = w*/2 after the first, and from any w at the angle theta to w*
    the next is ((pi - theta) w* + sin(theta) ||w*|| w/||w||) / pi.  With n samples it contracts
    the distance by 1/2 a step where n exceeds a constant times the statistical dimension of K.

    Parameters
    ----------
    start : (d,) array, optional
        0 if None.
    projection : function, optional
        The nearest point of K, for instance `partial(nearest_sparse, count=3)`; None for R^d.
    """
    if steps < 1 or not 0 < step_size < np.inf:
        raise BadInput(f"steps {steps} and step_size {step_size}; wanted >= 1, and finite and > 0")
    d = problem.dimension
    w = np.zeros(d) if start is None else np.array(start, dtype=np.float64)
    if w.shape != (d,) or not np.isfinite(w).all():
        raise BadInput(f"start has shape {w.shape}; wanted a finite ({d},) vector, or None for 0")
    for step in range(steps):
        current = ReluHypothesis(w, 0.0)
        if current.norm == 0.0:
            # sgn(0) = 0, and a neuron of weight 0 has no part of its own.
            push = yield from ask(Correlation(Ridge(power=1), "degree-1 correlation"), step=step)
        else:
            field = yield from ask(
                Correlation(activation(current, power=1), "gradient in w"), step=step, w=w, b=0.0
            )
            own = neuron(current)
            push = 2 * np.asarray(field) - 2 * problem.inputs.expectation(
                Ridge(own.h, own.frame, power=1, kinks=own.kinks)
            )
        w = w + step_size * np.asarray(push)
        w = w if projection is None else np.asarray(projection(w))
    return ReluHypothesis(w, 0.0)


def nearest_sparse(vector: Array, *, count: int) -> Array:
    """The nearest vector with at most `count` entries that are not 0: the largest are kept."""
    if count < 1:
        raise BadInput(f"count is {count}; a sparse vector keeps at least 1 entry")
    kept = np.argsort(-np.abs(vector), kind="stable")[:count]
    found = np.zeros_like(vector)
    found[kept] = vector[kept]
    return found
