"""The basin study: where labels of a given budget can stop a local correlational step.

Collects the proved numbers of `sqsim.lowerbounds` into one JSON object; does not draw or print.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from multiprocessing import get_context
from typing import Any, final

from sqsim.errors import BadInput
from sqsim.lowerbounds.basin_limits import (
    LimitLaw,
    cap_angle,
    limit_roots,
    limit_threshold,
    optimal_exponent,
    plain_exponent,
    reweighted_exponent,
    two_stage_bias,
)
from sqsim.lowerbounds.basins import STEPS, LocalStep, ReweightedStep, basin_point
from sqsim.lowerbounds.precision import Enclosure, Exact, exact_fraction

DIGITS, GRID_DIGITS = 12, 5
LARGEST_GRID = 300
WORTH_PROCESSES = 400
SMALLEST_ANGLE, LARGEST_ANGLE = 1e-3, 1.5
BUDGET = "E[noise^2] <= ||s_b||^2 / alpha"


@final
@dataclass(frozen=True)
class Place:
    """Where w is: the cosine of its angle with v, or the angle, exactly."""

    overlap: Fraction | None = None
    angle: Fraction | None = None

    @property
    def degrees_of_freedom(self) -> tuple[float, float]:
        """Overlap and angle to the nearest float: labels, no bounds."""
        if self.angle is not None:
            return math.cos(self.angle), float(self.angle)
        cosine = self.overlap if self.overlap is not None else Fraction(0)
        return float(cosine), math.atan2(math.sqrt((1 - cosine) * (1 + cosine)), cosine)


@final
@dataclass(frozen=True)
class Grid:
    """Geometric axes of a picture: |bias| from `low` to `high`, angles from 0.001 to 1.5."""

    low: float = 2.0
    high: float = 200.0
    size: int = 60

    def __post_init__(self) -> None:
        if not 0 < self.low < self.high:
            raise BadInput(f"the range is {self.low}:{self.high}; wanted 0 < LO < HI")
        if not 4 <= self.size <= LARGEST_GRID:
            raise BadInput(
                f"grid is {self.size}: {self.size**2} points for each update, each some "
                f"milliseconds; wanted 4 to {LARGEST_GRID}"
            )

    @property
    def biases(self) -> list[Fraction]:
        """Negative, each a short decimal."""
        return [-x for x in _geometric(self.low, self.high, self.size)]

    @property
    def places(self) -> list[Place]:
        return [Place(angle=x) for x in _geometric(SMALLEST_ANGLE, LARGEST_ANGLE, self.size)]


def basin_study(
    *,
    alpha: Exact,
    biases: Sequence[Exact] = (),
    places: Sequence[Place] = (),
    steps: Sequence[LocalStep] = STEPS,
    grid: Grid | None = None,
    workers: int = 1,
) -> dict[str, Any]:
    """The `sqsim.basin/1` object: ratios at every bias and place, limits, exponents.

    Parameters
    ----------
    alpha : ||s_b||^2 / OPT, no factor 1/2 in either.
    biases, places : every pair is one point of each step, to 12 digits.
    grid : further points, to 5 digits, for a picture.
    workers : processes for the grid; the numbers do not depend on it.
    """
    if workers < 1:
        raise BadInput(f"workers is {workers}; at least one process computes")
    ratio = exact_fraction(alpha, "alpha")
    wanted = [exact_fraction(bias, "bias") for bias in biases]
    tasks = [_Task(step, b, p, ratio, DIGITS) for b, p, step in product(wanted, places, steps)]
    if grid is not None:
        pairs = product(grid.biases, grid.places, steps)
        tasks += [_Task(step, b, p, ratio, GRID_DIGITS) for b, p, step in pairs]
    results = {
        "schema": "sqsim.basin/1",
        "alpha": float(ratio),
        "budget": BUDGET,
        "origin": "computed here",
        "points": _rows(tasks, workers),
        **_limits(ratio, steps),
        "exponents": _exponents(places, steps),
    }
    if grid is not None:
        angles = [place.degrees_of_freedom[1] for place in grid.places]
        results["grid"] = {"biases": [float(b) for b in grid.biases], "angles": angles}
    return results


@final
@dataclass(frozen=True)
class _Task:
    step: LocalStep
    bias: Fraction
    place: Place
    alpha: Fraction
    digits: int


def _rows(tasks: list[_Task], workers: int) -> list[dict[str, Any]]:
    if workers == 1 or len(tasks) < WORTH_PROCESSES:
        return [_row(task) for task in tasks]
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        return list(pool.map(_row, tasks, chunksize=100))


def _row(task: _Task) -> dict[str, Any]:
    found = basin_point(
        task.step,
        bias=task.bias,
        alpha=task.alpha,
        overlap=task.place.overlap,
        angle=task.place.angle,
        digits=task.digits,
    )
    overlap, angle = task.place.degrees_of_freedom
    return {
        "update": task.step.name,
        "bias": float(task.bias),
        "overlap": overlap,
        "angle": angle,
        "noise_to_signal": _ends(found.noise_to_signal),
    }


def _limits(alpha: Fraction, steps: Sequence[LocalStep]) -> dict[str, Any]:
    """The limit law as b -> -infinity; `limit_roots` are the only step's, else the best one's."""
    found = {law.value: limit_roots(law, alpha=alpha, digits=DIGITS) for law in LimitLaw}
    roots = {
        name: None if pair is None else [_ends(end) for end in pair] for name, pair in found.items()
    }
    name = steps[0].name if len(steps) == 1 else LimitLaw.OPTIMAL.value
    bias = two_stage_bias(alpha, digits=DIGITS)
    return {
        "limit_roots": roots.get(name),
        "limit_roots_of": name,
        "limits": {
            law.value: {
                "threshold": _ends(limit_threshold(law, digits=DIGITS)),
                "roots": roots[law.value],
            }
            for law in LimitLaw
        },
        "cap_angle": _ends(cap_angle(alpha, digits=DIGITS)),
        "two_stage_bias": None if bias is None else _ends(bias),
    }


def _exponents(places: Sequence[Place], steps: Sequence[LocalStep]) -> list[dict[str, Any]]:
    """Exact growth rates of log(noise / signal) / b^2, at the overlaps that were given exactly.

    The reweighted step's is for lambda = overlap.
    """
    shifts = [step.rho for step in steps if isinstance(step, ReweightedStep)]
    rows = []
    for overlap in (place.overlap for place in places):
        if overlap is None or not 0 < overlap <= 1:
            continue
        row = {
            "overlap": float(overlap),
            "plain": f"{plain_exponent(overlap).value}",
            "optimal": f"{optimal_exponent(overlap).value}",
        }
        if shifts:
            row["reweighted"] = f"{reweighted_exponent(shifts[0], overlap).value}"
        rows.append(row)
    return rows


def _ends(value: Enclosure) -> dict[str, str]:
    return {"lower": value.lower, "upper": value.upper}


def _geometric(low: float, high: float, size: int) -> list[Fraction]:
    """From low to high in equal ratios, rounded to 5 digits: exact decimals all the same."""
    ratio = math.log(high / low) / (size - 1)
    return [Fraction(f"{low * math.exp(ratio * k):.5g}") for k in range(size)]
