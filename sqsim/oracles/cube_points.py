"""Sums over all points of the cube, by the same pass that averages examples.

This file does not know parities.  Labels -1 and 1 with a mean E[y | x] are averaged inside the
query's function, so that every point is one example.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from sqsim.errors import QueryRefused
from sqsim.forms import Form
from sqsim.lowrank import Array
from sqsim.oracles.moments import Request, averages, chunk_rows, gather
from sqsim.oracles.sums import Moments, Wanted
from sqsim.problems.cube import CubeLaw
from sqsim.queries import Correlation, Opaque, Query, Ridge
from sqsim.tolerance import Mean, Scale
from sqsim.walsh import UNIT


def point_means(law: CubeLaw, queries: Sequence[Query], scales: Sequence[Scale]) -> list[Mean]:
    """One mean for each query, from one pass over the 2^d points; memory of one chunk.

    The error is the bound on rounding of `moments`.  For labels -1 and 1 it has a further
    (q + 6) u ||phi||: P(y = 1 | x), a fraction over 2 q computed as a float, is off by a relative
    q u at most where it is not 0 (by 2 u where q is a power of two), and Jensen's inequality bounds
    E|phi| by ||phi||.
    """
    asked = [_wanted(law, query, scale) for query, scale in zip(queries, scales, strict=True)]
    request = Request(law.dimension, tuple(each for wanted in asked for each in wanted))
    totals = gather(request, _points(law))
    found = iter(averages(request, totals))
    # What the sum of squares may be too large by, and a few roundings here.
    lowered = 1 - (totals.steps + 32) * UNIT
    return [
        _mean(law, query, scale, [next(found) for _ in wanted], lowered)
        for query, scale, wanted in zip(queries, scales, asked, strict=True)
    ]


def _wanted(law: CubeLaw, query: Query, scale: Scale) -> list[Wanted]:
    if isinstance(query, Correlation):
        # For labels -1 and 1, ||y g|| is ||g||.
        of_function = law.signed or scale is Scale.FUNCTION
        asks = scale is not Scale.NONE
        return [Wanted(query, square=asks and not of_function, function=asks and of_function)]
    if not law.signed:
        return [Wanted(query, square=scale is not Scale.NONE)]
    return [Wanted(_averaged(query, _mixed)), Wanted(_averaged(query, _root), square=True)]


def _mean(
    law: CubeLaw, query: Query, scale: Scale, moments: Sequence[Moments], lowered: float
) -> Mean:
    first, last = moments[0], moments[-1]
    value, error = first.mean, first.rounding
    square = last.square if last.square is not None else last.function
    norm = None if square is None else np.sqrt(np.maximum(square, 0.0))
    if law.signed and not isinstance(query, Correlation) and norm is not None:
        under = law.scale.denominator
        steps = 6 if under & (under - 1) == 0 else 6 + under
        error = error + 1.01 * steps * UNIT * norm
    size = 1.0 if scale is Scale.NONE or norm is None else norm * lowered
    if isinstance(query.form, Ridge) and query.form.power == 2:
        # x_i^2 - 1 is 0 on the cube; what is left on the diagonal is rounding.
        for matrix in (value, error, size):
            if isinstance(matrix, np.ndarray):
                np.fill_diagonal(matrix, 0.0)
    return Mean(value, error, size)


def _points(law: CubeLaw) -> Iterator[tuple[Array, Array]]:
    """All points and E[y | x], a chunk at a time."""
    d = law.dimension
    low = min(d, chunk_rows(d).bit_length() - 1)
    index = np.arange(1 << low)[:, None]
    first = np.ones((1 << low, d))
    first[:, :low] -= 2.0 * (index >> np.arange(low) & 1)
    for start in range(0, 1 << d, 1 << low):
        # A copy, since a query's function may write to what it is given.
        x = first.copy()
        x[:, low:] = 1.0 - 2.0 * ((start >> np.arange(low, d)) & 1)
        yield x, law.means(start, start + (1 << low))


def _averaged(query: Query, mean: Callable[[Array, Array, Array], Array]) -> Query:
    """The query averaged over labels -1 and 1, as a function of x and E[y | x]."""
    form, averaged = query.form, _Averaged(query.form, mean)
    if isinstance(form, Ridge):
        # Without h nor a frame there is nothing to average.
        return query if form.h is None else replace(query, form=replace(form, h=averaged.ridge))
    if isinstance(form, Opaque):
        return replace(query, form=replace(form, fn=averaged.opaque))
    raise QueryRefused(f"no sum over the cube of a {type(form).__name__}")


class _Averaged:
    """A form's function with the label's two values averaged; kept apart for its two calls."""

    def __init__(self, form: Any, mean: Callable[[Array, Array, Array], Array]) -> None:
        self.form: Form = form
        self.mean = mean

    def ridge(self, *arguments: Array) -> Array:
        *projections, means = arguments
        along = projections[0].reshape(len(means), -1) if projections else None
        return self._over(means, lambda labels: self.form.values(along, labels, len(means)))  # type: ignore[attr-defined]

    def opaque(self, inputs: Array, means: Array) -> Array:
        return self._over(means, lambda labels: self.form.values(inputs.copy(), labels))  # type: ignore[attr-defined]

    def _over(self, means: Array, values: Callable[[Array], Array]) -> Array:
        up, down = values(np.ones(len(means))), values(-np.ones(len(means)))
        with np.errstate(invalid="ignore", over="ignore"):
            return self.mean(means.reshape(-1, *[1] * (up.ndim - 1)), up, down)


def _mixed(means: Array, up: Array, down: Array) -> Array:
    """The mean of a value that is `up` where y = 1 and `down` where y = -1."""
    rise, fall = (1 + means) / 2, (1 - means) / 2
    # What never happens does not count, even where it is not a number.
    return np.where(rise > 0, rise * up, 0.0) + np.where(fall > 0, fall * down, 0.0)


def _root(means: Array, up: Array, down: Array) -> Array:
    """The root mean square of the same."""
    return np.asarray(np.sqrt(_mixed(means, up * up, down * down)))
