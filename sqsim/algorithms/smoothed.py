"""Descent on the sphere along smoothed gradients, for a ReLU of known norm and bias.

Knows the problem, its inputs and one start; does not know how the start was found.
"""

from __future__ import annotations

import numpy as np

from sqsim.algorithms.fields import agreement, energy, weight_norm, weighted_field
from sqsim.errors import BadInput
from sqsim.lowrank import Array
from sqsim.problems.hypothesis import ReluHypothesis, zero
from sqsim.problems.problem import Problem
from sqsim.strategy import CSQ, ask_all
from sqsim.updates import smoothed

SHRINK = 1 / 256
"""By how much of itself the assumed angle falls in a step, in the published schedule."""

SMALLEST_GAP = 1e-14
"""Of 1 - rho: below it float64 does not tell rho from 1."""


def smoothed_descent(
    problem: Problem,
    *,
    start: Array,
    angle: float = 0.5,
    norm: float | None = None,
    bias: float | None = None,
    steps: int = 600,
    shrink: float = SHRINK,
) -> CSQ[ReluHypothesis]:
    """Smoothed-gradient descent from a warm start; the best iterate.

    w <- normalise(w + eta_t g_t), g_t = P_w E[y x T_rho s_b'(<w, x>)], with rho_0 = cos(angle),
    1 - rho_(t+1) = (1 - shrink)^2 (1 - rho_t) and a step of length eta_t |g_t| =
    sqrt((1 - rho_t) / 2) / 4: the angle that is assumed falls by `shrink` a step, and each step
    turns w by about an eighth of it.  This is the strategy of Zarifis et al. (COLT 2025, SGD-VA)
    for max(norm <v, x> + bias, 0) with exact or tolerated means in place of samples; the smoothed
    slope T_rho s_b'(z) = Phi((rho z + bias) / sqrt(1 - rho^2)) is the best weight at an angle of
    cosine rho.

    Parameters
    ----------
    start : (d,) array
        Needs an angle to v of at most `angle`, and that angle of order 1 / |bias| where labels are
        adversarial: the published initialisation asks genuine statistical queries for it.
    angle : float
        In (0, pi / 2).
    norm, bias : float, optional
        Of the neuron; needed where the problem does not tell them.
    steps : int
        The schedule halves the angle in 177 steps at the published `shrink`.  It ends early where
        1 - rho gets below 1e-14.

    Notes
    -----
    Guarantee (standard Gaussian inputs, E[(y - s_b(<v, x>))^2] = OPT, norm 1, losses without 1/2;
    derived anew): if rho <= cos(theta) and sin(theta) >= 3 sqrt(OPT) / ||T_rho s_b'||, the step's
    component toward v is at least 2/3 of S P(X, Y >= -bias) at correlation rho cos(theta), its
    value on clean labels, whatever the noise.  The paper concludes loss O(OPT) + epsilon
    after O(log(1 / epsilon)) steps; its constant is not restated here.

    Cost: d + 1 correlational queries in each of `steps` rounds, of norm at most 1.
    """
    scale, offset = _scale(problem, norm, bias)
    _check(angle, shrink, steps)
    w = _unit(problem, start)
    best, lowest = zero(problem.dimension), 0.0
    gap = 2 * np.sin(angle / 2) ** 2
    for step in range(steps):
        if gap < SMALLEST_GAP:
            break
        hypothesis = ReluHypothesis(scale * w, scale * offset)
        update = smoothed(offset, rho=float(1 - gap))
        own, reach = energy(problem, hypothesis), weight_norm(problem, w, update)
        if not (own > 0 and reach > 0):
            raise BadInput(f"a neuron of bias {scale * offset} is never active on these inputs")
        field, agreed = yield from ask_all(
            weighted_field(w, update, unit=max(reach, 1.0)),
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
            w = w + np.sqrt(gap / 2) / 4 * tangent / length
        w = w / np.linalg.norm(w)
        gap *= (1 - shrink) ** 2
    return best


def _check(angle: float, shrink: float, steps: int) -> None:
    if not 0 < angle < np.pi / 2:
        raise BadInput(f"angle is {angle}; wanted radians strictly between 0 and pi / 2")
    if not 0 < shrink < 1:
        raise BadInput(f"shrink is {shrink}; wanted a share of the angle strictly between 0 and 1")
    if steps < 1:
        raise BadInput(f"steps is {steps}; at least one step wanted")


def _unit(problem: Problem, start: Array) -> Array:
    found = np.asarray(start, dtype=np.float64)
    length = float(np.linalg.norm(found)) if found.shape == (problem.dimension,) else 0.0
    if not 0 < length < np.inf:
        raise BadInput(
            f"start has shape {found.shape} and length {length}; wanted a finite non-zero "
            f"({problem.dimension},) vector: this descent refines a start, it does not find one"
        )
    return found / length


def _scale(problem: Problem, norm: float | None, bias: float | None) -> tuple[float, float]:
    """Norm and normalised bias, from the call or from the problem."""
    norm = problem.norm if norm is None else norm
    bias = problem.bias if bias is None else bias
    if norm is None or bias is None:
        raise BadInput("norm and bias are unknown to this problem; pass norm= and bias= guesses")
    if not (0 < norm < np.inf and np.isfinite(bias)):
        raise BadInput(f"norm {norm} and bias {bias}: finite, and norm > 0, wanted")
    return norm, bias / norm
