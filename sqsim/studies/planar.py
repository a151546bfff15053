"""Population means on label laws of two directions, at biases where everything is a tail.

A fixed rule on panels scaled to each kink, some milliseconds a query, in place of the adaptive
quadrature that proves itself to 13 digits.  This file does not know learners or adversaries.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np

from sqsim.errors import BadInput
from sqsim.gaussian import columns_of
from sqsim.geometry import Span, span
from sqsim.lowrank import Array
from sqsim.oracles.quadrature import Quadrature
from sqsim.problems.index import IndexInstance
from sqsim.queries import Correlation, Query, Ridge
from sqsim.studies.plane_rule import PlaneRule
from sqsim.tensors import answer, tensor_hermite
from sqsim.tolerance import Mean, Scale

OFF = 1e-9
"""Distance of a unit direction from a plane that counts as rounding."""


@final
@dataclass(frozen=True)
class Planar:
    """Evaluator of Ridge queries whose directions and the label's span at most a plane.

    The error is the difference to a rule of lower degree on the same nodes: an estimate, on
    smooth pieces a generous one.  Queries of one batch along one direction share their nodes.
    Noisy labels, more directions and norms go to `Quadrature`.
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
        """Mean and error of each query."""
        groups: dict[object, list[int]] = {}
        for i, (query, scale) in enumerate(zip(queries, scales, strict=True)):
            groups.setdefault(_shared(query, scale) or i, []).append(i)
        found: dict[int, Mean] = {}
        for group in groups.values():
            asked = [queries[i] for i in group]
            frame = _frame(asked[0], instance, scales[group[0]])
            if frame is None:
                means = Quadrature().means(instance, asked, [scales[i] for i in group])
            else:
                assert isinstance(instance, IndexInstance)
                means = _means(instance, asked, frame)
            found.update(zip(group, means, strict=True))
        return [found[i] for i in range(len(queries))]


def _shared(query: Query, scale: Scale) -> object:
    """What queries have in common that can share nodes; None for those that cannot."""
    form = query.form
    if not isinstance(form, Ridge) or form.frame is None or form.columns != 1:
        return None
    return isinstance(query, Correlation), scale, form.frame.tobytes(), form.levels


def _frame(query: Query, instance: object, scale: Scale) -> Span | None:
    """The span of query and label where it is a line or a plane, up to rounding."""
    form = query.form
    if not (isinstance(instance, IndexInstance) and isinstance(form, Ridge)):
        return None
    dimension = instance.problem.dimension
    form.shape(dimension)
    if scale is not Scale.NONE or form.columns > 1 or instance.labels.noise:
        return None
    columns = [*columns_of(form), *instance.labels.columns]
    plane = span([*instance.labels.columns, *columns_of(form)], dimension).basis[:, :2]
    inside = [plane.T @ column for column in columns]
    for column, coordinates in zip(columns, inside, strict=True):
        size = float(np.linalg.norm(column))
        if not np.linalg.norm(column - plane @ coordinates) <= OFF * size:
            return None
    if not inside or not plane.shape[1]:
        return None
    # In coordinates of the plane rounding cannot make a third direction.
    frame = span(inside, plane.shape[1])
    return Span(plane @ frame.basis, frame.mixing, frame.levels)


def _means(instance: IndexInstance, queries: Sequence[Query], frame: Span) -> list[Mean]:
    """Means of queries along one direction, on the nodes that any of them needs."""
    forms = [query.form for query in queries if isinstance(query.form, Ridge)]
    rule = PlaneRule(instance.labels, tuple(forms), frame, isinstance(queries[0], Correlation))
    points, by_high, by_low, values = rule.nodes()
    found = []
    for form, value in zip(forms, values, strict=True):
        entries = value * tensor_hermite(points, form.power)
        means = entries @ by_high
        errors = np.abs(means - entries @ by_low) + 1e-14 * (np.abs(entries) @ np.abs(by_high))
        found.append(answer(frame.basis, means, errors, form.power))
    return found


def label_nodes(instance: IndexInstance) -> tuple[Array, Array, Array]:
    """Basis (d, r) of the label's directions, points (n, r) and weights (n,).

    weights @ f(points) is E[y f(basis' x)] for smooth f; across a kink of f the rule converges
    slowly, a few thousandths of the panel that the kink cuts.
    """
    frame = span(instance.labels.columns, instance.problem.dimension)
    if not 1 <= frame.rank <= 2 or instance.labels.noise:
        raise BadInput(
            f"the label depends on {frame.rank} directions with noise {instance.labels.noise}; "
            "the rule is for noiseless labels of one or two"
        )
    points, weights, _, values = PlaneRule(instance.labels, (Ridge(),), frame, True).nodes()
    return frame.basis, points, weights * values[0]
