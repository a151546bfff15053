"""Descent on the sphere along smoothed gradients, for a ReLU of known norm and bias.

Knows the problem, its inputs and one start; does not know how the start was found.
"""

from __future__ import annotations

import numpy as np

from sqsim.algorithms.iterates import best_iterate, scale_of, unit_start
from sqsim.errors import BadInput
from sqsim.lowrank import Array
from sqsim.problems.hypothesis import ReluHypothesis
from sqsim.problems.problem import Problem
from sqsim.strategy import CSQ
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
    scale, offset = scale_of(problem, norm, bias)
    _check(angle, shrink, steps)
    w = unit_start(problem, start)
    gaps = 2 * np.sin(angle / 2) ** 2 * (1 - shrink) ** (2 * np.arange(steps))
    gaps = gaps[gaps >= SMALLEST_GAP]
    return (
        yield from best_iterate(
            problem,
            w,
            norm=scale,
            bias=offset,
            update=lambda step: smoothed(offset, rho=float(1 - gaps[step])),
            stride=lambda step, share: float(np.sqrt(gaps[step] / 2) / 4),
            steps=len(gaps),
        )
    )


def _check(angle: float, shrink: float, steps: int) -> None:
    if not 0 < angle < np.pi / 2:
        raise BadInput(f"angle is {angle}; wanted radians strictly between 0 and pi / 2")
    if not 0 < shrink < 1:
        raise BadInput(f"shrink is {shrink}; wanted a share of the angle strictly between 0 and 1")
    if steps < 1:
        raise BadInput(f"steps is {steps}; at least one step wanted")
