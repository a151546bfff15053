"""Exact means over data with one non-Gaussian component: a mixture of Gaussians along a direction.

Given the bump, x = mu v + L g with g ~ N(0, I) and L = I + (sqrt(s) - 1) v v', so that T_p(x)
h(W'x) is a label-free Ridge of g.  This file does not know tolerances' policies, nor who asks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from sqsim.errors import QueryRefused
from sqsim.gaussian import columns_of, ridge_expectation
from sqsim.geometry import span
from sqsim.lowrank import Array, LowRank, dense
from sqsim.panels import ROUNDING
from sqsim.problems.components import Bump, ComponentInstance
from sqsim.queries import Correlation, Query, Ridge
from sqsim.tensors import answer, indices
from sqsim.tolerance import Mean, Scale


@final
@dataclass(frozen=True)
class MixtureQuadrature:
    """Evaluator of Ridge queries on a ComponentInstance, one small quadrature for each bump.

    The integral is over the query's own directions, at most three; a millisecond a bump for one.
    Norms of T_2 h are refused: Absolute tolerances need none.
    """

    def means(
        self,
        instance: object,
        queries: Sequence[Query],
        scales: Sequence[Scale],
        *,
        seed: int = 0,
        turn: int = 0,
    ) -> list[Mean]:
        """Mean, error and scale of each query; `seed` and `turn` are not used.

        Raises
        ------
        QueryRefused
            For forms other than Ridge, other instances, and norms of T_2 h.
        """
        if not isinstance(instance, ComponentInstance):
            raise QueryRefused(
                f"MixtureQuadrature integrates non-Gaussian components, not "
                f"{type(instance).__name__}; use means=Quadrature() for index models"
            )
        return [_mean(instance, query, scale) for query, scale in zip(queries, scales, strict=True)]


def _mean(instance: ComponentInstance, query: Query, scale: Scale) -> Mean:
    form, d = query.form, instance.problem.dimension
    if not isinstance(form, Ridge):
        raise QueryRefused(
            f"{query.label or 'query'}: MixtureQuadrature cannot integrate "
            f"{type(form).__name__}; write it as a Ridge, or use means=MonteCarlo(n)"
        )
    form.shape(d)
    linear = isinstance(query, Correlation)
    if linear:
        found = _mixed(instance, lambda b: b.label * b.weight, _asked(form, True), form, form.power)
    else:
        found = _mixed(instance, lambda b: b.weight, _asked(form, False), form, form.power)
    if scale is Scale.NONE:
        return found
    if form.power == 2:
        raise QueryRefused(
            f"{query.label or 'query'}: norms of (x x' - I) h over a non-Gaussian component are "
            "not integrated here; use an Absolute tolerance, or means=MonteCarlo(n)"
        )
    # |y| = 1, so that both readings of the norm of y g agree.
    return Mean(found.value, found.error, _norms(instance, form, linear))


def _asked(form: Ridge, linear: bool) -> Callable[[Array | None, float, int], Array]:
    """h at projections, for one label."""

    def h(s: Array | None, label: float, count: int) -> Array:
        return form.values(s, None if linear else np.full(count, label), count)

    return h


def _norms(instance: ComponentInstance, form: Ridge, linear: bool) -> Array:
    """||T_p(x) h|| entry by entry, for p = 0, 1; errors are taken off."""
    h = _asked(form, linear)

    def square(s: Array | None, label: float, count: int) -> Array:
        return np.asarray(h(s, label, count) ** 2)

    def weight(bump: Bump) -> float:
        return bump.weight

    energy = _mixed(instance, weight, square, form, 0)
    whole = float(dense(energy.value)) - float(np.max(energy.error))
    if form.power == 0:
        return np.asarray(np.sqrt(max(whole, 0.0)))
    second = _mixed(instance, weight, square, form, 2)
    value = second.value
    if isinstance(value, LowRank):
        diagonal = np.einsum("ia,ab,ib->i", value.basis, value.core, value.basis)
    else:
        diagonal = np.diag(value)
    squares = np.maximum(whole + diagonal - float(np.max(second.error)), 0.0)
    return np.asarray(np.sqrt(squares))


def _mixed(
    instance: ComponentInstance,
    weight: Callable[[Bump], float],
    h: Callable[[Array | None, float, int], Array],
    form: Ridge,
    power: int,
) -> Mean:
    """sum over the bumps of weight E[T_power(x) h(W'x, label)]."""
    v = instance.direction
    basis = span([*columns_of(form), v], len(v)).basis
    moments, error = np.zeros((basis.shape[1],) * power), 0.0
    for bump in instance.problem.bumps:
        found = _of_bump(v, bump, h, form, power)
        part, size, off = _moments(basis.T @ v, basis, bump, found)
        moments = moments + weight(bump) * part
        # Bumps cancel: that is how moments match.
        error += abs(weight(bump)) * (off + ROUNDING * size)
    entries = np.array([moments[index] for index in indices(basis.shape[1], power)])
    return answer(basis, entries, np.full(len(entries), error), power)


def _of_bump(
    v: Array,
    bump: Bump,
    h: Callable[[Array | None, float, int], Array],
    form: Ridge,
    power: int,
) -> list[Mean]:
    """E[h], E[g h], E[(g g' - I) h] up to this power, for x = mean v + L g."""
    d, label = len(v), bump.label
    if form.frame is None:
        value = np.asarray(h(None, label, 1)[0])
        empty = LowRank(np.zeros((d, 0)), np.zeros((0, 0)))
        return [Mean(value, 0.0), Mean(np.zeros(d), 0.0), Mean(empty, 0.0)][: power + 1]
    given = form.frame.reshape(d, -1)
    shift = bump.mean * (v @ given)
    frame = given + (np.sqrt(bump.variance) - 1) * np.outer(v, v @ given)

    def moved(s: Array) -> Array:
        return h(s + shift, label, len(s))

    kinks = [
        tuple(k - at for k in column) for column, at in zip(form.columns_kinks, shift, strict=True)
    ]
    return [
        ridge_expectation(Ridge(moved, frame, power=p, kinks=kinks), d) for p in range(power + 1)
    ]


def _moments(v: Array, basis: Array, bump: Bump, found: list[Mean]) -> tuple[Array, float, float]:
    """E[T_p(x) h] in the coordinates of the basis, its size before sums cancel, and its error.

    `v` is the hidden direction in these coordinates, p + 1 the number of moments of g found.
    """
    mean, deviation = bump.mean, float(np.sqrt(bump.variance))
    stretched = np.eye(len(v)) + (deviation - 1) * np.outer(v, v)
    e0 = float(dense(found[0].value))
    off = [float(np.max(m.error)) for m in found]
    if len(found) == 1:
        return np.asarray(e0), abs(e0), off[0]
    reach = max(1.0, deviation)
    first = stretched @ (basis.T @ np.asarray(dense(found[1].value)))
    if len(found) == 2:
        size = float(np.linalg.norm(first)) + abs(mean * e0)
        return first + mean * e0 * v, size, reach * off[1] + abs(mean) * off[0]
    inner: Any = found[2].value
    within = basis.T @ inner.basis
    second = stretched @ (within @ inner.core @ within.T) @ stretched
    cross = mean * (np.outer(v, first) + np.outer(first, v))
    along = (mean**2 + bump.variance - 1) * e0 * np.outer(v, v)
    size = float(np.linalg.norm(second) + np.linalg.norm(cross))
    size += (mean**2 + bump.variance + 1) * abs(e0)
    error = reach**2 * off[2] + 2 * abs(mean) * reach * off[1]
    return second + cross + along, size, error + abs(mean**2 + bump.variance - 1) * off[0]
