"""Exact population means of Ridge queries on Gaussian index models.

A mean is an integral over the span of the query's and the label's directions, so its cost does not
depend on the dimension beyond the d-vectors themselves.  This file does not know tolerances'
policies, nor who asks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np

from sqsim.errors import QueryRefused
from sqsim.gaussian import (
    SCAN,
    Layers,
    all_kinks,
    check_depth,
    columns_of,
    nested,
    ridge_norms,
    undeclared,
)
from sqsim.geometry import Span, span
from sqsim.lowrank import Array, EntryNorms, total
from sqsim.oracles.crossings import level_crossings
from sqsim.panels import Samples
from sqsim.problems.index import IndexInstance
from sqsim.problems.labels import LabelLaw, Term
from sqsim.queries import Characters, Correlation, Query, Ridge
from sqsim.tensors import (
    answer,
    moment_samples,
    norm_samples,
    norms,
    stacked,
    tensor_hermite,
)
from sqsim.tolerance import Mean, Scale

NORM_CONVERGED = 1e-10
"""Relative accuracy of norms that need the label; what is lost is taken off the radius."""


@final
@dataclass(frozen=True)
class Quadrature:
    """Evaluator by iterated Gauss-Kronrod quadrature, split at kinks and label levels.

    Answers Ridge queries on Gaussian index models; about a millisecond a query that depends on
    one direction (all correlations with a single-index label), tens of milliseconds for two,
    seconds to minutes for three.  A function that jumps or bends where no kink or level says so is
    found if the feature is wider than about 0.01 and the query depends on one direction; with more
    directions, undeclared features narrower than a panel (about 3) can be missed.
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
        """Mean, error and scale of each query.

        Raises
        ------
        QueryRefused
            For Opaque queries, tables, and integrals over more than three directions.
        """
        if not isinstance(instance, IndexInstance):
            raise QueryRefused(
                f"Quadrature integrates Gaussian index models, not {type(instance).__name__}; "
                "use means=Sample() for a table and means=Enumerate() for a function on the cube"
            )
        return [
            _mean(instance.labels, query, scale, instance.problem.dimension)
            for query, scale in zip(queries, scales, strict=True)
        ]


def _mean(labels: LabelLaw, query: Query, scale: Scale, dimension: int) -> Mean:
    form = query.form
    if not isinstance(form, Ridge):
        what = "parities" if isinstance(form, Characters) else "an Opaque function"
        raise QueryRefused(
            f"{query.label or 'query'}: Quadrature cannot integrate {what}; write it "
            "as a Ridge, or use means=MonteCarlo(n)"
        )
    form.shape(dimension)
    if not isinstance(query, Correlation):
        return _statistic(labels, form, scale, dimension)
    parts = [_correlation(term, form, dimension) for term in labels.terms]
    value = total([part.value for part in parts]) if parts else np.zeros(form.shape(dimension))
    error = float(sum(float(np.max(part.error)) for part in parts))
    size: float | Array | EntryNorms = 1.0
    if scale is Scale.FUNCTION:
        size = ridge_norms(form, dimension)
    elif scale is Scale.PRODUCT:
        size = _product_norms(labels, form, dimension)
    return Mean(value, error, size)


def _correlation(term: Term, form: Ridge, dimension: int) -> Mean:
    """E[T_p(x) h(W'x) gate link(<v, x>)]: the link is integrated in closed form given the rest."""
    columns, kinks = columns_of(form), all_kinks(form)
    count = len(columns)
    frame = span([*columns, *term.columns], dimension)
    depth = max(frame.levels[:-1], default=0)
    check_depth(depth)
    last = frame.mixing[:, -1]
    deviation = float(np.linalg.norm(last[depth:]))

    def integrand(points: Array) -> Samples:
        projections = points @ frame.mixing[:depth]
        weight = form.values(projections[:, :count], None, len(points))
        if term.gate is not None:
            weight = weight * term.gate.function(projections[:, count])
        mean = projections[:, -1]
        if deviation == 0.0:
            values = weight * term.link(mean)
            rounding = np.abs(weight) * term.link.rounding(mean)
            return moment_samples(points, values, np.abs(values), form.power, rounding)
        # The link is the costly part, and most weights are zero on half of the line.
        on = weight != 0.0
        smooth = term.link.smoothed(mean[on], deviation)
        rows, sizes, errors = [], [], []
        # Entries of T_p split by how many of their p indices lie along the link's own coordinate.
        for inner in range(form.power + 1):
            tensor = weight[on] * tensor_hermite(points[on], form.power - inner)
            rows.append(tensor * smooth.moments[inner])
            sizes.append(np.abs(tensor) * smooth.magnitudes[inner])
            errors.append(np.abs(tensor) * smooth.errors[inner])
        return Samples(*(_spread(np.concatenate(part), on) for part in (rows, sizes, errors)))

    result = nested(Layers(frame, depth, [*kinks, *term.columns_kinks]), integrand)
    entries, errors = result.values[:, 0], result.errors[:, 0]
    if deviation > 0.0:
        order = _entry_order(depth, form.power)
        entries, errors = entries[order], errors[order]
    return answer(frame.basis, entries, errors, form.power)


def _spread(values: Array, on: np.ndarray) -> Array:
    """Values at the points `on`, zero at the others, (C, n)."""
    full = np.zeros((len(values), len(on)))
    full[:, on] = values
    return full


def _entry_order(depth: int, power: int) -> list[int]:
    """Position of each ascending entry of T_p on depth + 1 coordinates in the split order."""
    if power == 0:
        return [0]
    if power == 1:
        return list(range(depth + 1))
    pairs = depth * (depth + 1) // 2
    order, position = [], 0
    for i in range(depth):
        order += list(range(position, position + depth - i))
        position += depth - i
        order.append(pairs + i)
    return [*order, pairs + depth]


def _statistic(labels: LabelLaw, form: Ridge, scale: Scale, dimension: int) -> Mean:
    """E[T_p(x) h(W'x, y)], and the entry norms of what is averaged."""
    frame = span([*columns_of(form), *labels.columns], dimension)
    layers = _label_layers(labels, form, frame)
    count, rank = form.columns, frame.rank

    def integrand(points: Array) -> Samples:
        u = points[:, :rank]
        projections = u @ frame.mixing
        y = labels.clean(projections[:, count:])
        if labels.noise:
            y = y + labels.noise * points[:, rank]
        values = form.values(projections[:, :count], y, len(points))
        sample = moment_samples(u, values, np.abs(values), form.power)
        return (
            sample
            if scale is Scale.NONE
            else stacked(sample, norm_samples(u, values**2, form.power))
        )

    result = nested(layers, integrand)
    size = len(tensor_hermite(np.zeros((1, rank)), form.power))
    mean = answer(frame.basis, result.values[:size, 0], result.errors[:size, 0], form.power)
    if scale is Scale.NONE:
        return mean
    values, errors = result.values[size:, 0], result.errors[size:, 0]
    return Mean(mean.value, mean.error, norms(frame.basis, values, errors, form.power))


def _product_norms(labels: LabelLaw, form: Ridge, dimension: int) -> Array | EntryNorms:
    """||y g||_2 entry by entry, for g = T_p(x) h(W'x)."""
    frame = span([*columns_of(form), *labels.columns], dimension)
    count = form.columns
    outer = max(frame.levels[:count], default=0)
    check_depth(frame.rank)

    def weight(points: Array) -> Array:
        projections = points @ frame.mixing[: points.shape[1], :count]
        return form.values(projections, None, len(points))

    def integrand(points: Array) -> Samples:
        y = labels.clean((points @ frame.mixing)[:, count:])
        return norm_samples(points, weight(points) ** 2 * (y**2 + labels.noise**2), form.power)

    def active(points: Array) -> np.ndarray:
        if points.shape[1] != outer:
            return np.ones(len(points), dtype=bool)
        return np.asarray(weight(points) != 0.0)

    kinks = [*form.columns_kinks, *labels.columns_kinks]
    result = nested(
        Layers(frame, frame.rank, kinks, active=active, converged=NORM_CONVERGED), integrand
    )
    return norms(frame.basis, result.values[:, 0], result.errors[:, 0], form.power)


def _label_layers(labels: LabelLaw, form: Ridge, frame: Span) -> Layers:
    """Layers of a Statistic: the label's levels become kinks of the last coordinate."""
    count, rank = form.columns, frame.rank
    typical = labels.clean(np.full((1, len(labels.columns)), 0.5))[0] if labels.terms else 0.0
    kinks = [*all_kinks(form, float(typical)), *map(list, labels.columns_kinks)]
    levels = np.array(form.levels, dtype=np.float64)
    check_depth(rank + bool(labels.noise))
    if labels.noise:
        mixing = np.concatenate([frame.mixing, np.zeros((1, frame.mixing.shape[1]))])
        noisy = Span(frame.basis, mixing, frame.levels)

        def crossings(outer: Array) -> Array:
            clean = labels.clean((outer @ frame.mixing)[:, count:])
            return np.asarray((levels[None, :] - clean[:, None]) / labels.noise)

        return Layers(noisy, rank + 1, kinks, crossings if len(levels) else None)
    if not labels.terms:
        return Layers(frame, rank, kinks)
    if len(labels.columns) == 1:
        if len(levels):
            kinks[-1] += level_crossings(
                lambda _, t: labels.clean(t[:, None]), np.zeros((1, 0)), levels, kinks[-1]
            )[0].tolist()
        if not count:
            values = form.values(None, labels.clean(SCAN[:, None]), len(SCAN))
            kinks[-1] += undeclared(values, np.array(kinks[-1])).tolist()
        return Layers(frame, rank, kinks)
    if not len(levels):
        return Layers(frame, rank, kinks)

    def label(outer: Array, u: Array) -> Array:
        points = np.concatenate([outer, u[:, None]], axis=1)
        return labels.clean((points @ frame.mixing)[:, count:])

    def inner_crossings(outer: Array) -> Array:
        return level_crossings(label, outer, levels, [])

    return Layers(frame, rank, kinks, inner_crossings)
