"""Neurons of a known monotone link from E[y x] alone: GLMtron and the matching surrogate loss.

The label enters the update once and for all; everything else that moves is label-free.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from sqsim.errors import BadInput
from sqsim.links import Link, Relu
from sqsim.lowrank import Array
from sqsim.problems.problem import Problem
from sqsim.queries import Correlation, Ridge
from sqsim.strategy import CSQ, ask_all

SETTLED = 1e-15
"""A step this small against the iterate is rounding: those after it would repeat it."""


@final
@dataclass(frozen=True, eq=False)
class GeneralisedLinear:
    """x -> link(<weights, x> + bias)."""

    weights: Array
    bias: float
    link: Link

    def __call__(self, inputs: Array) -> Array:
        return np.asarray(self.link(inputs @ self.weights + self.bias))

    def form(self, *, power: int = 0, square: bool = False) -> Ridge:
        """T_power(x) link(<w, x> + b), or the link's square, as what is asked or integrated."""

        def h(s: Array) -> Array:
            values = self.link(s + self.bias)
            return np.asarray(values**2 if square else values)

        kinks = tuple(kink - self.bias for kink in self.link.kinks)
        return Ridge(h, self.weights, power=power, kinks=kinks)


def glmtron(
    problem: Problem, *, link: Link | None = None, intercept: bool = False, steps: int = 40
) -> CSQ[GeneralisedLinear]:
    """w <- w + E[(y - u(<w, x>)) x] from w = 0 for a known link u; the iterate of least loss.

    Kakade, Kalai, Kanade and Shamir (2011), GLMtron, with means for their averages.  The label
    part E[y x] is the same in every round, so it is asked once: two rounds, d (and 1 with an
    intercept) + `steps` correlational queries; the second round ranks the iterates.

    Where E[y | x] = u(<w*, x>), u is nondecreasing and 1-Lipschitz, the eigenvalues of E[x x'] (of
    (x, 1) with an intercept) are at most 1, and answers are exact, every step brings
    ||w - w*||^2 down by E[(u(<w, x>) - u(<w*, x>))^2] at least, so that the best of T iterates
    loses at most ||w*||^2 / T more than the noise.

    Parameters
    ----------
    link : Link, optional
        u; the ReLU if None.
    intercept : bool
        Learn also the b of u(<w, x> + b), as the weight of a constant coordinate.
    """
    u = Relu() if link is None else link
    _check_count(steps, "steps")
    moment, mean = yield from _moments(problem, intercept)
    path = list(_matching(problem, u, moment, mean, steps, 1.0, None))
    alive = [one for one in path if np.any(one.weights)]
    if not alive:
        return path[-1]
    answers = yield from ask_all(
        *(Correlation(one.form(), "agreement") for one in alive), step="selection"
    )
    losses = [
        float(problem.inputs.expectation(one.form(square=True))) - 2 * float(answer)
        for one, answer in zip(alive, answers, strict=True)
    ]
    return alive[int(np.argmin(losses))]


def surrogate_descent(
    problem: Problem,
    *,
    link: Link | None = None,
    intercept: bool = False,
    radius: float | None = None,
    steps: int = 300,
    step_size: float = 1.0,
) -> CSQ[GeneralisedLinear]:
    """The minimiser of the convex matching loss E[integral of u(t) - y from 0 to <w, x>].

    Its gradient is chi(w) - E[y x] with the Chow parameters chi(w) = E[u(<w, x>) x]: one round of
    d correlational queries (d + 1 with an intercept), then projected gradient descent that asks
    nothing.  Diakonikolas, Goel, Karmalkar, Klivans and Soltanolkotabi (2020).

    For u nondecreasing and 1-Lipschitz, E[x x'] <= I and chi strongly monotone, that is
    <chi(w) - chi(w*), w - w*> >= mu ||w - w*||^2, matching E[y x] exactly loses at most
    (1 + 1/sqrt(mu))^2 OPT with OPT over all w*: E(u_w - u_w*)^2 <= <chi(w) - chi(w*), w - w*> and
    ||chi(w) - chi(w*)|| <= sqrt(OPT).  For the ReLU under N(0, I), chi(w) = w/2 and this is
    `one_shot_regression`: (3 + 2 sqrt 2) OPT, and by Parseval's identity at most 2 OPT, since the
    degree-1 parts of u_w - u_w* and of y - u_w* are then the same (derived here; 2 is attained in
    the limit of small corruptions).

    Parameters
    ----------
    link, intercept : as in `glmtron`
    radius : float, optional
        Weights (and intercept) are kept in the ball of this radius.
    step_size : float
        In (0, 2): the gradient is 1-Lipschitz.
    """
    u = Relu() if link is None else link
    _check_count(steps, "steps")
    if not 0 < step_size < 2:
        raise BadInput(f"step_size is {step_size}; the gradient is 1-Lipschitz: take one in (0, 2)")
    if radius is not None and not 0 < radius < np.inf:
        raise BadInput(f"radius is {radius}; wanted a positive finite one, or None for no ball")
    moment, mean = yield from _moments(problem, intercept)
    return _matching(problem, u, moment, mean, steps, step_size, radius)[-1]


def _moments(problem: Problem, intercept: bool) -> CSQ[tuple[Array, float | None]]:
    """E[y x], and E[y] where an intercept is learnt: one round."""
    asked = [Correlation(Ridge(power=1), "degree-1 correlation")]
    if intercept:
        asked.append(Correlation(Ridge(), "mean label"))
    answers = yield from ask_all(*asked)
    return np.asarray(answers[0]), float(answers[1]) if intercept else None


def _matching(
    problem: Problem,
    link: Link,
    moment: Array,
    mean: float | None,
    steps: int,
    step_size: float,
    radius: float | None,
) -> list[GeneralisedLinear]:
    """The iterates after 0 of descent on the matching loss; all of it is label-free."""
    current = GeneralisedLinear(np.zeros(problem.dimension), 0.0, link)
    path = []
    for _ in range(steps):
        push = moment - _own(problem, current, 1)
        lift = 0.0 if mean is None else mean - float(_own(problem, current, 0))
        joint = np.append(current.weights + step_size * push, current.bias + step_size * lift)
        length = float(np.linalg.norm(joint))
        if radius is not None and length > radius:
            joint = joint * (radius / length)
        before = np.append(current.weights, current.bias)
        current = GeneralisedLinear(joint[:-1], float(joint[-1]), link)
        path.append(current)
        if np.linalg.norm(joint - before) <= SETTLED * length:
            path += [current] * (steps - len(path))
            break
    return path


def _own(problem: Problem, current: GeneralisedLinear, power: int) -> Array:
    """E[T_power(x) u(<w, x> + b)]."""
    if np.any(current.weights):
        return problem.inputs.expectation(current.form(power=power))
    level = float(current.link(np.array([current.bias]))[0])
    return level * problem.inputs.expectation(Ridge(power=power))


def _check_count(count: int, name: str) -> None:
    if count < 1:
        raise BadInput(f"{name} is {count}; wanted at least 1")
