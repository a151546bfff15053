"""Exact means of the queries of single-index learners, from Hermite coefficients.

With m = <w, v>, T(y) of coefficients c_i = E[T(y) h_i(<v, x>)] and f of coefficients f_j,

    E[T(y) f(<w, x>) x] = v sum_i sqrt(i) c_i f_(i-1) m^(i-1) + w sum_i c_i (f')_i m^i,

and E[T(y) He_k(x)] = sqrt(k!) c_k v^(tensor k): numbers that do not depend on the dimension, found
once for each link.  This file does not know who asks, nor how answers are chosen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import factorial
from typing import Any, final

import numpy as np

from sqsim.algorithms.hermite_series import HermiteSum
from sqsim.algorithms.label_transforms import Bounded
from sqsim.algorithms.partial_trace import LabelledRadialWeight, RadialWeight
from sqsim.algorithms.power_fields import PowerField
from sqsim.lowrank import Array, LowRank
from sqsim.oracles.protocol import Means
from sqsim.oracles.quadrature import Quadrature
from sqsim.problems.index import IndexInstance
from sqsim.queries import Correlation, Query, Ridge, Statistic
from sqsim.studies.label_coefficients import USUAL, Coefficients, coefficients_of
from sqsim.tolerance import Mean, Scale

ROUNDING = 1e-14

UNIT = 4e-15
"""How far from 1 the rounding of a normalised direction may leave its squared length."""


@final
@dataclass(frozen=True, eq=False)
class HermiteMeans:
    """Evaluator of the queries in `algorithms.index_descent`, `label_transforms` and
    `partial_trace` on single-index instances without noise; hands all others on.

    Microseconds a query once the link's coefficients are known, in any dimension.

    Attributes
    ----------
    others : Means
        Of other queries, instances with noise, and norms under the law of (x, y).
    """

    others: Means = field(default_factory=Quadrature)
    _found: dict[Any, Coefficients] = field(default_factory=dict, repr=False)

    def means(
        self,
        instance: Any,
        queries: Sequence[Query],
        scales: Sequence[Scale],
        *,
        seed: int = 0,
        turn: int = 0,
    ) -> list[Mean]:
        """Mean, error and scale of each query."""
        found = []
        for query, scale in zip(queries, scales, strict=True):
            mean = self._mean(instance, query, scale) if _clean(instance) else None
            if mean is None:
                mean = self.others.means(instance, [query], [scale], seed=seed, turn=turn)[0]
            found.append(mean)
        return found

    def _mean(self, instance: IndexInstance, query: Query, scale: Scale) -> Mean | None:
        form = query.form
        if not isinstance(form, Ridge):
            return None
        norms = _norms(query, form, scale)
        if norms is None:
            return None
        h, labelled = form.h, isinstance(query, Statistic)
        if isinstance(h, HermiteSum) and not labelled and h.degree == 0 and form.power:
            # A constant times x or x x' - I, which are He_1 and He_2.
            return self._moment(instance, None, form.power, h.coefficients[0], norms)
        if isinstance(h, HermiteSum | PowerField) and labelled == isinstance(h, PowerField):
            unit = form.power == 1 and form.frame is not None and _is_unit(form.frame)
            return self._gradient(instance, form, h, norms) if unit else None
        if isinstance(h, Bounded) and labelled and form.frame is None and form.power:
            return self._moment(instance, h, form.power, 1.0, norms)
        if isinstance(h, RadialWeight) and not labelled and _whole(form):
            return self._moment(instance, None, h.degree, 1 / h.unit, norms, radial=h)
        if isinstance(h, LabelledRadialWeight) and labelled and _whole(form):
            weight = h.weight
            return self._moment(instance, h.label, weight.degree, 1 / weight.unit, norms, weight)
        return None

    def _gradient(
        self,
        instance: IndexInstance,
        form: Ridge,
        h: HermiteSum | PowerField,
        norms: float | Array,
    ) -> Mean:
        v, frame = instance.direction, form.frame
        assert frame is not None
        terms = h.terms if isinstance(h, PowerField) else [(None, h)]
        m = float(np.clip(frame @ v, -1.0, 1.0))
        along_v = along_w = error_v = error_w = 0.0
        for label, f in terms:
            size = f.degree + 2
            c = self._coefficients(instance, label, size).upto(size)
            powers = m ** np.arange(size)
            values = np.array(f.coefficients)
            slopes = np.zeros(size)
            slopes[: f.slope.degree + 1] = f.slope.coefficients
            toward = np.sqrt(np.arange(1.0, size)) * values * powers[:-1]
            along_v += float(c.values[1:] @ toward)
            along_w += float(c.values @ (slopes * powers))
            error_v += float(c.error * np.abs(toward).sum())
            error_w += float(c.error * np.abs(slopes * powers).sum())
        # Rounding noise along v would tell it to whoever normalises the answer.
        if abs(along_v) <= error_v:
            along_v, error_v = 0.0, 2 * error_v
        error = error_v + error_w + ROUNDING * (abs(along_v) + abs(along_w))
        return Mean(along_v * v + along_w * frame, error, norms)

    def _moment(
        self,
        instance: IndexInstance,
        label: Bounded | None,
        degree: int,
        factor: float,
        norms: float | Array,
        radial: RadialWeight | None = None,
    ) -> Mean:
        """factor E[T(y) He_degree(x)], contracted to a vector or a matrix."""
        v, c = instance.direction, self._coefficients(instance, label, degree)
        scale = factor * float(np.sqrt(float(factorial(degree))))
        value, error = scale * float(c.values[degree]), scale * c.error
        if abs(value) <= error:
            value, error = 0.0, 2 * error
        error += ROUNDING * abs(value)
        if degree % 2:
            return Mean(value * v, error, norms)
        rest = 0.0 if radial is None else -factor * float(_identity(radial) @ c.values[:degree])
        if rest == 0.0:
            return Mean(LowRank(v[:, None], np.array([[value]])), error, norms)
        error += factor * c.error * float(np.abs(_identity(radial)).sum()) if radial else 0.0
        return Mean(value * np.outer(v, v) + rest * np.eye(len(v)), error, norms)

    def _coefficients(self, instance: IndexInstance, label: Any, size: int) -> Coefficients:
        """Of T(link), T = label; of the link itself for None."""
        link = instance.labels.terms[0].link
        key = (link, label)
        known = self._found.get(key)
        if known is None or len(known.values) <= size:
            known = self._found[key] = coefficients_of(link, label, max(size, USUAL))
        return known


def _identity(radial: RadialWeight) -> Array:
    """Weights on c_0, ..., c_(k-1) of what (x x' - I) L_p has in excess of He_k, times I.

    (-2)^p p! L_(p-1) of index d/2 + 1 is the sum over j < p of (p - j) times the Laguerre
    polynomial of degree j and index d/2 - 1, and that one is He_2j contracted over all its pairs,
    over (-2)^j j!.
    """
    weights, p = np.zeros(radial.degree), radial.pairs
    for j in range(p):
        contracted = np.sqrt(float(factorial(2 * j))) / ((-2.0) ** j * factorial(j))
        weights[2 * j] = radial.factor * (p - j) * contracted
    return weights


def _norms(query: Query, form: Ridge, scale: Scale) -> float | Array | None:
    """L2 norms entry by entry, where they are known without the label; else None."""
    if scale is Scale.NONE:
        return 1.0
    h = form.h
    if scale is Scale.FUNCTION and isinstance(query, Correlation):
        frame = form.frame if form.power == 1 else None
        if isinstance(h, HermiteSum) and frame is not None and _is_unit(frame):
            rise = h.tilted.norm**2 - h.norm**2
            return np.asarray(np.sqrt(h.norm**2 + np.square(frame) * rise))
        if isinstance(h, RadialWeight) and h.power == 1:
            return 1.0
    return None


def _is_unit(frame: Array) -> bool:
    """Whether the frame is one direction of length 1, of which alone the series hold."""
    return frame.ndim == 1 and abs(float(frame @ frame) - 1) < UNIT


def _whole(form: Ridge) -> bool:
    """Whether the frame is the identity, so that the function sees x itself."""
    frame = form.frame
    return (
        frame is not None
        and frame.ndim == 2
        and frame.shape[0] == frame.shape[1]
        and np.array_equal(frame, np.eye(len(frame)))
    )


def _clean(instance: Any) -> bool:
    """A single-index instance whose label is a function of one direction."""
    if not isinstance(instance, IndexInstance) or instance.labels.noise:
        return False
    terms = instance.labels.terms
    return len(terms) == 1 and terms[0].gate is None
