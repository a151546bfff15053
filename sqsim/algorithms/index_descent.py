"""Online gradient steps for single-index models: correlational, alternating, with reused batches.

Each step is one vectorised query.  Answered with the average over n fresh examples it is a step of
online SGD with batches of n, n = 1 the classical one, and n examples stand for a tolerance of about
1 / sqrt(n).  This file does not know how a direction is found that no gradient sees.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from math import factorial
from typing import TypeVar

import numpy as np

from sqsim.algorithms.descent import random_direction
from sqsim.algorithms.hermite_series import HermiteSum, activation
from sqsim.algorithms.iterates import unit_start
from sqsim.algorithms.power_fields import PowerField
from sqsim.errors import BadInput
from sqsim.lowrank import Array
from sqsim.problems.index import SingleIndex
from sqsim.problems.problem import Problem
from sqsim.queries import Batch, Correlation, Query, Ridge, Statistic
from sqsim.seeds import Seed
from sqsim.strategy import CSQ, SQ, Answers, ask

MOST_POWERS = 6
ROUNDING = 1e-12

Q = TypeVar("Q", bound=Query)


def correlation_sgd(
    problem: Problem,
    *,
    model: HermiteSum | None = None,
    start: Array | None = None,
    steps: int = 60,
    step_size: float = 0.3,
    normalised: bool = True,
    seed: Seed = 0,
) -> CSQ[Array]:
    """Online SGD on the sphere for the correlation loss 1 - y s(<w, x>); the last direction.

    w <- normalise(w + eta P_w E[y x s'(<w, x>)] / unit).  `steps` rounds of d correlational
    queries of norm at most 1.  On clean labels the gradient has the component

        sqrt(1 - m^2) sum_k k c_k(g) c_k(s) m^(k - 1),  m = <w, v>,

    toward v, so that from m ~ d^(-1/2) it is of the size d^(-(k - 1)/2), k the information
    exponent, and k - 1 is the exponent of the time of online SGD for k >= 3: Ben Arous, Gheissari
    and Jagannath (2021).

    Parameters
    ----------
    model : HermiteSum, optional
        The activation s; that of the problem's link where it tells one.
    start : (d,) array, optional
        A random direction if None.
    steps : int
    step_size : float
        Eta, in units of the gradient's largest norm, or, normalised, of length.
    normalised : bool
        Steps of length `step_size` whatever the gradient's length: the rule most favourable to a
        learner whose gradient is tiny but true.
    """
    slope = _model(problem, model).slope

    def query(w: Array) -> Correlation:
        weight = slope.scaled(1 / slope.field_norm(w))
        return Correlation(Ridge(weight, w, power=1), "correlation gradient")

    return (yield from _on_the_sphere(problem, start, query, steps, step_size, normalised, seed))


def alternating_sgd(
    problem: Problem,
    *,
    model: HermiteSum | None = None,
    outer: float = 1.0,
    rate: float = 0.3,
    limit: float | None = None,
    start: Array | None = None,
    steps: int = 60,
    step_size: float = 0.3,
    normalised: bool = True,
    seed: Seed = 0,
) -> SQ[Array]:
    """Layer-wise SGD on a s(<w, x>): the step of w sees the step that a has just made.

    On one example the correlation loss moves the outer weight to a + eta y s(z), and the gradient
    in w is then x psi, psi = y a s'(z) + eta y^2 s(z) s'(z) (derived here).  Not correlational for
    eta > 0.  `steps` rounds of d queries of norm at most 1.  Its gradient at the start is of the
    size d^(-(k - 1)/2), k the lesser information exponent of y and y^2, which may still be above
    the generative exponent: for y = He_3 it is 2, where y^3 would have 1.

    Parameters
    ----------
    outer, rate : float
        a and eta; y is measured in units of `limit`.  Neither need be positive: whether the
        overlap grows depends on the signs of what the powers of y contribute.
    limit : float, optional
        Labels are clipped to [-limit, limit], so that the query is bounded; twice the root mean
        square of the link's values where the problem tells the link.
    model, start, steps, step_size, normalised :
        As in `correlation_sgd`.
    """
    s = _model(problem, model)
    parts = (s.slope.scaled(outer), s.times(s.slope).scaled(rate))
    query = _power_query(PowerField(parts, _limit(problem, limit)), "alternating gradient")
    return (yield from _on_the_sphere(problem, start, query, steps, step_size, normalised, seed))


def batch_reuse_sgd(
    problem: Problem,
    *,
    model: HermiteSum | None = None,
    rate: float = 0.3,
    powers: int = 3,
    limit: float | None = None,
    start: Array | None = None,
    steps: int = 60,
    step_size: float = 0.3,
    normalised: bool = True,
    seed: Seed = 0,
) -> SQ[Array]:
    """Two gradient steps on the same batch: powers of the label, to the order `powers`.

    After a step of length eta / d on one example, z has moved by eta y s'(z) |x|^2 / d, which is
    eta y s'(z) for large d, and the second gradient is x y s'(z + eta y s'(z)): by Taylor's
    theorem the sum of eta^(p - 1) y^p s'(z)^(p - 1) s^(p)(z) / (p - 1)! (derived here).  The
    effect is that of Dandi, Troiani, Arnaboldi, Pesce, Zdeborova and Krzakala (2024).

    `steps` rounds of d queries of norm at most 1.  As `alternating_sgd`, with the least information
    exponent of y, ..., y^powers: the generative exponent where one of these powers attains it.

    Parameters
    ----------
    rate : float
        Eta; y is measured in units of `limit`.  It may be negative, as `alternating_sgd` says.
    powers : int
        From 1, which is `correlation_sgd` on clipped labels, to 6.
    model, limit, start, steps, step_size, normalised :
        As in `alternating_sgd`.
    """
    if isinstance(powers, bool) or not isinstance(powers, int) or not 1 <= powers <= MOST_POWERS:
        raise BadInput(f"powers is {powers!r}; wanted an integer from 1 to {MOST_POWERS}")
    slope = _model(problem, model).slope
    parts, before, derivative = [], HermiteSum((1.0,)), slope
    for p in range(1, powers + 1):
        parts.append(before.times(derivative).scaled(rate ** (p - 1) / factorial(p - 1)))
        before, derivative = before.times(slope), derivative.slope
    query = _power_query(PowerField(tuple(parts), _limit(problem, limit)), "reused-batch gradient")
    return (yield from _on_the_sphere(problem, start, query, steps, step_size, normalised, seed))


def _power_query(field: PowerField, label: str) -> Callable[[Array], Statistic]:
    """w -> E[x psi(<w, x>, y)] / unit, of norm at most 1 whatever the law of the label."""

    def query(w: Array) -> Statistic:
        unit = sum(part.field_norm(w) for part in field.parts)
        levels = (-field.limit, field.limit)
        return Statistic(Ridge(field.scaled(1 / unit), w, power=1, levels=levels), label)

    return query


def _on_the_sphere(
    problem: Problem,
    start: Array | None,
    query: Callable[[Array], Q],
    steps: int,
    step_size: float,
    normalised: bool,
    seed: Seed,
) -> Generator[Batch[Q], Answers, Array]:
    """w <- normalise(w + eta P_w g), g the answer to `query` at w."""
    if isinstance(steps, bool) or not isinstance(steps, int) or steps < 0:
        raise BadInput(f"steps is {steps!r}; wanted an integer >= 0")
    if not 0 < step_size < np.inf:
        raise BadInput(f"step_size is {step_size!r}; it must be positive and finite")
    w = random_direction(problem, seed=seed) if start is None else unit_start(problem, start)
    for step in range(steps):
        gradient = yield from ask(query(w), step=step, w=w)
        tangent = gradient - (gradient @ w) * w
        length = float(np.linalg.norm(tangent))
        # What projecting leaves of a gradient along w is rounding.
        if length > ROUNDING * float(np.linalg.norm(gradient)):
            w = w + step_size * tangent / (length if normalised else 1.0)
            w = np.asarray(w / np.linalg.norm(w))
    return w


def _model(problem: Problem, model: HermiteSum | None) -> HermiteSum:
    """The activation, from the call or from the problem's link; of degree at least 1."""
    if model is None:
        if not isinstance(problem, SingleIndex):
            raise BadInput(
                f"{type(problem).__name__} tells no link; pass model=, such as "
                "HermiteSum((0.0, 1.0)) or activation(relu())"
            )
        model = activation(problem.link)
    if not isinstance(model, HermiteSum) or not any(model.coefficients[1:]):
        raise BadInput(f"model is {model!r:.80}; wanted a HermiteSum that is not constant")
    return model


def _limit(problem: Problem, limit: float | None) -> float:
    """The clipping level of the label."""
    if limit is None:
        if not isinstance(problem, SingleIndex):
            raise BadInput(
                f"{type(problem).__name__} tells no link; pass limit=, the size beyond which "
                "labels are clipped"
            )
        limit = 2.0 * float(np.sqrt(problem.link.second_moment))
    if not 0 < limit < np.inf:
        raise BadInput(f"limit is {limit!r}; labels are clipped at a positive finite size")
    return limit
