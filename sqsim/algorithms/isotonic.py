"""Isotron: a direction and a monotone link that is fitted anew in every round.

What the label says along a direction is asked bin by bin; the fit itself is label-free.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import final

import numpy as np

from sqsim.errors import BadInput
from sqsim.lowrank import Array
from sqsim.problems.problem import Problem
from sqsim.queries import Correlation, Ridge
from sqsim.strategy import CSQ, ask_all

REACH = 3.0
"""Standard deviations of <w, x> that are divided into bins; one bin more lies on either side."""


@final
@dataclass(frozen=True, eq=False)
class IsotonicHypothesis:
    """x -> the broken line through (nodes, values) at <weights, x>, constant beyond its ends."""

    weights: Array
    nodes: Array
    values: Array

    def __call__(self, inputs: Array) -> Array:
        return np.asarray(np.interp(inputs @ self.weights, self.nodes, self.values))

    def form(self, *, power: int = 0, square: bool = False) -> Ridge:
        """T_power(x) times the prediction, or its square, as what is asked or integrated."""

        def h(s: Array) -> Array:
            found = np.interp(s, self.nodes, self.values)
            return np.asarray(found**2 if square else found)

        return Ridge(h, self.weights, power=power, kinks=tuple(self.nodes.tolist()))


@final
@dataclass(frozen=True, eq=False)
class _Bins:
    """Bins of <w, x>: their ends, masses and conditional means, all label-free."""

    ends: Array
    masses: Array
    nodes: Array


def isotron(
    problem: Problem, *, lipschitz: float | None = 1.0, bins: int = 40, steps: int = 20
) -> CSQ[IsotonicHypothesis]:
    """w <- w + E[(y - u_t(<w, x>)) x] with u_t the best monotone link along w; the best iterate.

    Kakade, Kalai, Kanade and Shamir (2011), L-Isotron; Isotron (Kalai and Sastry, 2009) for
    lipschitz = None.  Each of `steps` rounds asks E[y 1(<w, x> in bin)] for each of at most `bins`
    bins, and u_t is the least-squares monotone (and Lipschitz) line through the bins' means.
    Before it one round of d + 1 (E[y x] enters every update and is asked once), after it one of
    `steps` scalars that ranks the iterates: d + 1 + steps (bins + 1) correlational queries in
    steps + 2 rounds.

    Where E[y | x] = u*(<w*, x>) with u* nondecreasing and 1-Lipschitz, E[x x'] <= I, lipschitz is
    1 and answers are exact, every round brings ||w - w*||^2 down by E(u_t(<w, x>) - u*(<w*, x>))^2
    at least, up to what the bins do not resolve, so that the best of T iterates loses at most
    ||w*||^2 / T more than the noise.  The learner is told neither u* nor w*.

    Parameters
    ----------
    lipschitz : float, optional
        Largest slope of u_t; None for none.
    """
    if steps < 1 or bins < 3:
        raise BadInput(f"steps {steps} and bins {bins}; wanted at least 1 and at least 3")
    if lipschitz is not None and not 0 < lipschitz < np.inf:
        raise BadInput(f"lipschitz is {lipschitz}; a slope is positive and finite (None: any)")
    mean, answer = yield from ask_all(
        Correlation(Ridge(), "mean label"),
        Correlation(Ridge(power=1), "degree-1 correlation"),
    )
    moment = np.asarray(answer)
    centre = problem.inputs.expectation(Ridge(power=1))
    w = moment - float(mean) * centre
    path: list[IsotonicHypothesis] = []
    for step in range(steps):
        if not np.any(w):
            break
        cut = _bins(problem, w, bins)
        sums = yield from ask_all(*map(Correlation, _indicators(w, cut.ends)), step=step, w=w)
        heights = np.array(sums, dtype=np.float64) / cut.masses
        current = IsotonicHypothesis(w, cut.nodes, _monotone(heights, cut, lipschitz))
        path.append(current)
        w = w + moment - problem.inputs.expectation(current.form(power=1))
    if not path:
        return IsotonicHypothesis(w, np.zeros(1), np.array([float(mean)]))
    answers = yield from ask_all(
        *(Correlation(one.form(), "agreement") for one in path), step="selection"
    )
    losses = [
        float(problem.inputs.expectation(one.form(square=True))) - 2 * float(agreed)
        for one, agreed in zip(path, answers, strict=True)
    ]
    return path[int(np.argmin(losses))]


def _bins(problem: Problem, w: Array, count: int) -> _Bins:
    """Equal bins over REACH deviations of <w, x>, and the tails; empty ones joined to the next."""
    middle, square = (
        float(problem.inputs.expectation(Ridge(lambda s, p=p: s**p, w))) for p in (1, 2)
    )
    spread = np.sqrt(max(square - middle**2, 0.0))
    inner = middle + spread * np.linspace(-REACH, REACH, count - 1)
    ends = np.concatenate([[-np.inf], np.unique(inner), [np.inf]])
    masses = _expectations(problem, _indicators(w, ends))
    full = np.flatnonzero(masses > 0)
    ends = np.concatenate([[-np.inf], ends[full[1:]], [np.inf]])
    masses = masses[full]
    firsts = _expectations(problem, _indicators(w, ends, first=True))
    return _Bins(ends, masses, firsts / masses)


def _expectations(problem: Problem, forms: list[Ridge]) -> Array:
    return np.array([float(problem.inputs.expectation(form)) for form in forms])


def _indicators(w: Array, ends: Array, *, first: bool = False) -> list[Ridge]:
    """1(low <= <w, x> < high) for each bin, times <w, x> if `first`."""

    def one(low: float, high: float) -> Ridge:
        def h(s: Array) -> Array:
            inside = ((low <= s) & (s < high)).astype(np.float64)
            return inside * s if first else inside

        return Ridge(h, w, kinks=tuple(end for end in (low, high) if np.isfinite(end)))

    return [one(float(a), float(b)) for a, b in pairwise(ends)]


def _monotone(heights: Array, bins: _Bins, lipschitz: float | None) -> Array:
    """Least squares over nondecreasing values, rising at most `lipschitz` a unit of node."""
    if lipschitz is None or len(heights) == 1:
        from scipy.optimize import isotonic_regression

        return np.asarray(isotonic_regression(heights, weights=bins.masses).x)
    from scipy.optimize import lsq_linear

    # The variables are the first value and the rises.
    root = np.sqrt(bins.masses)
    sums = np.tril(np.ones((len(heights), len(heights))))
    most = np.append(np.inf, lipschitz * np.maximum(np.diff(bins.nodes), 1e-300))
    least = np.append(-np.inf, np.zeros(len(heights) - 1))
    found = lsq_linear(root[:, None] * sums, root * heights, bounds=(least, most), method="bvls")
    return np.asarray(sums @ found.x)
