"""The largest tolerance at which a strategy still finds the direction, by bisection.

This file does not know any strategy: it only narrows a bracket and counts overlaps.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from math import log10
from statistics import median
from typing import Any, final

import numpy as np

from sqsim.errors import ToleranceUnreachable
from sqsim.loop import run
from sqsim.lowrank import Array
from sqsim.oracles.policies import Policy, toward_zero, uniform, worst_direction
from sqsim.oracles.simulated import csq, sq
from sqsim.problems.index import SingleIndex
from sqsim.seeds import Role, Seed, rng
from sqsim.studies.exponent_strategies import Demonstration
from sqsim.studies.hermite_means import HermiteMeans
from sqsim.tolerance import Absolute

FOUND = 0.5
"""Overlap from which a direction counts as found; a random one has about d^(-1/2)."""

COARSEST, FINEST, WIDTH, STRIDE = 0.0, -11.0, 0.08, 0.5
"""Decimal logarithms of the tolerances that are tried, and when a bracket is narrow enough."""

ERRORS: dict[str, Policy] = {
    "uniform": uniform,
    "toward-zero": toward_zero,
    "worst-direction": worst_direction,
}
"""Answer errors: independent in every entry and round, and two adversaries."""


@final
@dataclass(frozen=True)
class Trials:
    """How a threshold is measured: trials from `seed` on, exact means shared by all of them."""

    count: int
    seed: Seed
    means: HermiteMeans = field(default_factory=HermiteMeans)


def threshold(
    one: Demonstration,
    problem: SingleIndex,
    errors: str,
    trials: Trials,
    *,
    guess: float | None = None,
) -> float | None:
    """The median over trials of the largest tolerance that succeeds; None if one finds none.

    Parameters
    ----------
    errors : name in ERRORS.
    guess : a tolerance near which to begin.
    """
    near = None if guess is None else log10(guess)
    found: list[float] = []
    for trial in range(trials.count):
        seed = trials.seed + 1000 * trial
        instance = problem.draw(seed=seed)
        start = typical_start(instance.direction, seed)

        def succeeds(
            power: float, instance: Any = instance, start: Array = start, seed: Seed = seed
        ) -> bool:
            policy, means = ERRORS[errors], trials.means
            make: Any = csq if one.access == "CSQ" else sq
            tolerance = Absolute(10.0**power)
            oracle = make(instance, tolerance=tolerance, policy=policy, means=means, seed=seed)
            try:
                w = run(one.strategy(problem, start, seed), oracle).value
            except ToleranceUnreachable:
                return False
            return w is not None and abs(float(w @ instance.direction)) >= FOUND

        power = bisected(succeeds, found[-1] if found else near)
        if power is None:
            return None
        found.append(power)
    return float(10.0 ** median(found))


def bisected(succeeds_at: Callable[[float], bool], guess: float | None) -> float | None:
    """The decimal logarithm of a tolerance that succeeds next to one that fails.

    From a guess the bracket is found by strides, without one it is all that is tried.
    """
    fails, succeeds = COARSEST, FINEST
    if guess is not None:
        found = succeeds_at(guess)
        succeeds, fails = (guess, COARSEST) if found else (FINEST, guess)
        probe, stride = guess, STRIDE if found else -STRIDE
        while FINEST < (probe := probe + stride) < COARSEST:
            if succeeds_at(probe) != found:
                succeeds, fails = (succeeds, probe) if found else (probe, fails)
                break
            succeeds, fails = (probe, fails) if found else (succeeds, probe)
    if succeeds == FINEST and not succeeds_at(FINEST):
        return None
    while fails - succeeds > WIDTH:
        middle = (fails + succeeds) / 2
        if succeeds_at(middle):
            succeeds = middle
        else:
            fails = middle
    return succeeds


def typical_start(direction: Array, seed: Seed) -> Array:
    """A unit vector of overlap exactly d^(-1/2) with the direction, else uniform.

    A start of the typical size: over random ones the threshold of a descent would vary like a
    power of their overlap.
    """
    side = rng(seed, Role.LEARNER).standard_normal(len(direction))
    side -= (side @ direction) * direction
    share = 1 / np.sqrt(len(direction))
    return np.asarray(share * direction + np.sqrt(1 - share**2) * side / np.linalg.norm(side))
