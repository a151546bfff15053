"""Exact means over p-concepts: labels of -1 and 1 with a known mean, x Gaussian.

E[phi(x, y)] = E[((1 + p(x)) phi(x, 1) + (1 - p(x)) phi(x, -1)) / 2] with p(x) = E[y | x]: a
label-free integral over the directions of the query and of p.  This file does not know who asks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import final

import numpy as np

from sqsim.errors import QueryRefused
from sqsim.gaussian import columns_of, ridge_expectation, ridge_norms
from sqsim.lowrank import Array, EntryNorms
from sqsim.problems.p_concepts import BooleanLaw, PConceptInstance
from sqsim.queries import Correlation, Query, Ridge
from sqsim.tolerance import Mean, Scale


@final
@dataclass(frozen=True)
class BooleanQuadrature:
    """Evaluator of Ridge queries on p-concepts over Gaussian inputs, by iterated quadrature.

    The query and the concept may depend on at most three directions together: milliseconds to
    tens of them for two, seconds to minutes for three.  A Clipped transfer of a concept of
    several directions bends along curves that cannot be declared; the error confesses it.
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
            For forms other than Ridge, other instances, and more than three directions.
        """
        if not isinstance(instance, PConceptInstance):
            raise QueryRefused(
                f"BooleanQuadrature integrates p-concepts, not {type(instance).__name__}; use "
                "means=Quadrature() for index models"
            )
        dimension = instance.problem.dimension
        return [
            _mean(instance.labels, query, scale, dimension)
            for query, scale in zip(queries, scales, strict=True)
        ]


def _mean(law: BooleanLaw, query: Query, scale: Scale, dimension: int) -> Mean:
    form = query.form
    if not isinstance(form, Ridge):
        raise QueryRefused(
            f"{query.label or 'query'}: BooleanQuadrature cannot integrate {type(form).__name__}; "
            "write it as a Ridge, or use means=MonteCarlo(n)"
        )
    form.shape(dimension)
    linear = isinstance(query, Correlation)

    def phi(s: Array | None, y: float, count: int) -> Array:
        if linear:
            return y * form.values(s, None, count)
        return form.values(s, np.full(count, y), count)

    def average(s: Array | None, p: Array) -> Array:
        return ((1 + p) * phi(s, 1.0, len(p)) + (1 - p) * phi(s, -1.0, len(p))) / 2

    def size(s: Array | None, p: Array) -> Array:
        plus, minus = phi(s, 1.0, len(p)) ** 2, phi(s, -1.0, len(p)) ** 2
        return np.sqrt(((1 + p) * plus + (1 - p) * minus) / 2)

    found = ridge_expectation(_weighted(law, form, average, dimension), dimension)
    if scale is Scale.NONE:
        return found
    norms: Array | EntryNorms
    if linear:
        # y^2 = 1, so that ||y g|| is ||g||.
        norms = ridge_norms(form, dimension)
    else:
        norms = ridge_norms(_weighted(law, form, size, dimension), dimension)
    return replace(found, scale=norms)


def _weighted(
    law: BooleanLaw,
    form: Ridge,
    function: Callable[[Array | None, Array], Array],
    dimension: int,
) -> Ridge:
    """T_p(x) function(W'x, p(x)) as a label-free Ridge of both directions."""
    count = form.columns
    columns = [*columns_of(form), *law.columns]

    def h(s: Array) -> Array:
        return function(s[:, :count] if count else None, law.means(s[:, count:]))

    kinks = [*form.columns_kinks, *law.columns_kinks]
    return Ridge(h, np.stack(columns, axis=1), power=form.power, kinks=kinks)
