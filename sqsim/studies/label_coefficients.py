"""Hermite coefficients E[T(y) h_i(<v, x>)] of functions of a noiseless single-index label.

This file does not know queries' answers, nor dimensions.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, final

import numpy as np

from sqsim.algorithms.hermite_series import HermiteSum
from sqsim.algorithms.power_fields import PowerField
from sqsim.errors import BadInput
from sqsim.links import Link
from sqsim.lowrank import Array
from sqsim.oracles.quadrature import Quadrature
from sqsim.problems.index import SingleIndex
from sqsim.queries import Correlation, Query, Ridge, Statistic
from sqsim.special import hermite_functions
from sqsim.tolerance import Scale

SMALL = 1e-9
"""Coefficients below this count as 0 where the least degree is looked for."""

REACH, USUAL = 0.9, 20


@final
@dataclass(frozen=True, eq=False)
class Coefficients:
    """c_0, c_1, ... of a function of the label, and a bound on their errors."""

    values: Array
    error: float

    def upto(self, size: int) -> Coefficients:
        """The first `size` of them."""
        return Coefficients(self.values[:size], self.error)


def least_degree(link: Link, field: HermiteSum | PowerField) -> int:
    """The least i with m^(i - 1) in the component of E[x psi] toward v, at overlap m -> 0.

    Numerically: coefficients below SMALL count as 0.
    """
    for degree, value in enumerate(toward(link, field), start=1):
        if abs(value) > SMALL:
            return degree
    raise BadInput("this gradient has no component toward the hidden direction at any overlap")


def leans(link: Link, field: HermiteSum | PowerField) -> bool:
    """Whether E[x psi] has a part along w that stays as the overlap vanishes: E[T(y)] E[f'(z)]."""
    terms = field.terms if isinstance(field, PowerField) else [(None, field)]
    parts = (
        coefficients_of(link, label, USUAL).values[0] * f.slope.coefficients[0]
        for label, f in terms
    )
    return abs(float(sum(parts))) > SMALL


def grows(link: Link, field: HermiteSum | PowerField) -> bool:
    """Whether the overlap goes on growing up to REACH on one side, once it is not 0."""
    rows = toward(link, field)
    m = np.linspace(0.0, REACH, 91)[1:]
    up, down = (np.polynomial.polynomial.polyval(side, rows) for side in (m, -m))
    return bool((up > 0).all() or (down < 0).all())


def toward(link: Link, field: HermiteSum | PowerField) -> Array:
    """a_1, a_2, ... with E[x psi] = (sum_i a_i m^(i - 1)) v + (...) w, without label noise."""
    terms = field.terms if isinstance(field, PowerField) else [(None, field)]
    size = max(f.degree for _, f in terms) + 2
    total = np.zeros(size - 1)
    for label, f in terms:
        c = coefficients_of(link, label, max(f.degree + 1, USUAL)).values
        count = f.degree + 1
        total[:count] += np.sqrt(np.arange(1.0, count + 1)) * c[1 : count + 1] * f.coefficients
    return total


@lru_cache(maxsize=256)
def coefficients_of(link: Any, label: Any, size: int) -> Coefficients:
    """By quadrature over the one direction of the label."""
    line = SingleIndex(1, link).draw(direction=np.ones(1))
    levels = tuple(getattr(label, "levels", ()))
    queries: list[Query] = []
    for k in range(size + 1):

        def weight(z: Array, k: int = k) -> Array:
            return np.asarray(hermite_functions(z, k)[-1])

        def product(z: Array, y: Array, k: int = k) -> Array:
            return np.asarray(label(y) * hermite_functions(z, k)[-1])

        if label is None:
            queries.append(Correlation(Ridge(weight, np.ones(1))))
        else:
            queries.append(Statistic(Ridge(product, np.ones(1), levels=levels)))
    means = Quadrature().means(line, queries, [Scale.NONE] * len(queries))
    values = np.array([mean.number for mean in means])
    return Coefficients(values, max(float(np.max(mean.error)) for mean in means))
