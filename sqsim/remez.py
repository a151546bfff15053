"""Remez's exchange in floats: the polynomial that is closest to a function in the sup norm.

Everything is on [start, 1] with Chebyshev polynomials of chosen degrees, so that an even or an odd
function is approximated on [0, 1] alone.  Floats prove nothing: what is proved from the result is
proved elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import final

import numpy as np

from sqsim.errors import BadInput, NotCertified
from sqsim.lowrank import Array

STEPS = 60
REFINEMENTS = 45
ENOUGH = 1e-12


@final
@dataclass(frozen=True, eq=False)
class Equioscillation:
    """The result of the exchange.

    Attributes
    ----------
    weights : of T_k, k in `degrees`.
    points : rising, one more than weights; the error alternates in sign there.
    fixed : whether a point is an end or a kink, else the error is stationary there.
    smallest, largest : |error| at the points; the best polynomial's error lies between them.
    """

    degrees: tuple[int, ...]
    weights: Array
    points: Array
    fixed: tuple[bool, ...]
    smallest: float
    largest: float


def chebyshev_values(x: Array, degrees: tuple[int, ...]) -> Array:
    """T_k(x), one column for each degree."""
    angle = np.arccos(np.clip(x, -1.0, 1.0))
    return np.asarray(np.cos(np.multiply.outer(angle, np.array(degrees, float))))


def equioscillation(
    function: Callable[[Array], Array],
    degrees: tuple[int, ...],
    *,
    start: float = -1.0,
    kinks: tuple[float, ...] = (),
) -> Equioscillation:
    """The best approximation of a continuous function on [start, 1] by sums of T_k.

    Parameters
    ----------
    function : vectorised, continuous, smooth between its kinks.
    degrees : distinct; 0, ..., n on [-1, 1], all even or all odd ones up to n on [0, 1].
    start : -1 or 0.
    kinks : inside (start, 1), rising.

    Raises
    ------
    NotCertified
        If the exchange does not settle; a polynomial as the function has no alternation.

    Notes
    -----
    Every step solves for equal and alternating errors at the points and then moves all points to
    the extrema of the error.  About 20 evaluations of the error for each degree and step.
    """
    if not degrees or start not in (-1.0, 0.0):
        raise BadInput(f"degrees {degrees!r} from {start!r}; wanted some, on [-1, 1] or [0, 1]")
    knots = np.array([start, *kinks, 1.0])
    points, best = _first_points(degrees, start), None
    for _ in range(STEPS):
        weights = _levelled(function, degrees, points)

        def error(x: Array, weights: Array = weights) -> Array:
            return function(x) - chebyshev_values(x, degrees) @ weights

        points, fixed = _extrema(error, knots, max(degrees), len(degrees) + 1)
        sizes = np.abs(error(points))
        found = Equioscillation(
            degrees, weights, points, fixed, float(sizes.min()), float(sizes.max())
        )
        if best is None or found.largest < best.largest:
            best = found
        elif found.largest <= best.largest * (1 + ENOUGH) or best.smallest >= best.largest * (
            1 - ENOUGH
        ):
            break
    assert best is not None
    if best.smallest < best.largest * (1 - 1e-6):
        raise NotCertified(
            f"the exchange settled at errors between {best.smallest:.6g} and {best.largest:.6g}; "
            "choose another degree"
        )
    return best


def _first_points(degrees: tuple[int, ...], start: float) -> Array:
    """Extrema of the first Chebyshev polynomial that is left out."""
    count = len(degrees) + 1
    odd = start == 0 and degrees[0] % 2
    turn = 2 * count - 1 if odd else (count - 1) * (1 if start < 0 else 2)
    return np.asarray(np.cos(np.pi * np.arange(count)[::-1] / turn).clip(start, 1.0))


def _levelled(function: Callable[[Array], Array], degrees: tuple[int, ...], points: Array) -> Array:
    signs = (-1.0) ** np.arange(len(points))
    matrix = np.column_stack([chebyshev_values(points, degrees), signs])
    return np.asarray(np.linalg.solve(matrix, function(points))[:-1])


def _extrema(
    error: Callable[[Array], Array], knots: Array, top: int, count: int
) -> tuple[Array, tuple[bool, ...]]:
    """`count` extrema of alternating sign, the largest among them."""
    cells = 12 * top + 48
    shape = (1 - np.cos(np.pi * np.arange(cells + 1) / cells)) / 2
    grid = [a + (b - a) * shape[:-1] for a, b in pairwise(knots)]
    x = np.concatenate([*grid, knots[-1:]])
    e = error(x)
    positive = e >= 0
    changes = np.flatnonzero(positive[1:] != positive[:-1]) + 1
    groups = np.split(np.arange(len(x)), changes)
    if len(groups) < count:
        raise NotCertified(
            f"the error alternates {len(groups)} times and {count} are needed: the function is a "
            "polynomial of that degree, or its error is lost in rounding"
        )
    peaks = np.array([g[np.argmax(np.abs(e[g]))] for g in groups])
    fixed = np.isin(peaks % cells, 0)
    places = np.where(fixed, x[peaks], _refined(error, x, peaks, np.sign(e[peaks])))
    sizes = np.abs(error(places))
    chosen = _alternating(sizes, count)
    return places[chosen], tuple(bool(f) for f in fixed[chosen])


def _refined(error: Callable[[Array], Array], x: Array, peaks: Array, signs: Array) -> Array:
    """The maxima of signs * error around grid points, by golden sections."""
    low, high = x[np.maximum(peaks - 1, 0)], x[np.minimum(peaks + 1, len(x) - 1)]
    ratio = (np.sqrt(5.0) - 1) / 2
    for _ in range(REFINEMENTS):
        left, right = high - ratio * (high - low), low + ratio * (high - low)
        keep = signs * error(left) >= signs * error(right)
        low, high = np.where(keep, low, left), np.where(keep, right, high)
    return np.asarray((low + high) / 2)


def _alternating(sizes: Array, count: int) -> list[int]:
    """Which extrema stay: `count` of alternating sign, without the smallest ones.

    Dropping an end, or two neighbours, keeps the signs alternating.
    """
    kept = list(range(len(sizes)))
    while len(kept) > count:
        least = min(range(len(kept)), key=lambda i: float(sizes[kept[i]]))
        if len(kept) == count + 1:
            del kept[0 if sizes[kept[0]] < sizes[kept[-1]] else -1]
        elif least in (0, len(kept) - 1):
            del kept[least]
        else:
            other = min((least - 1, least + 1), key=lambda i: float(sizes[kept[i]]))
            del kept[min(least, other) : max(least, other) + 1]
    return kept
