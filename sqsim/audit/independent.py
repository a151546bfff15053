"""The mean of a query found in another way than the oracle found it.

This file does not know answers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, final

import numpy as np

from sqsim.audit.exact_sums import SCALE_ERROR, table_mean
from sqsim.audit.granting import instance_of
from sqsim.errors import BadInput, NotCertified, QueryRefused, ToleranceUnreachable
from sqsim.inputs import Gaussian
from sqsim.lowerbounds.many_digit_means import SpanMean, correlation_mean, statistic_mean
from sqsim.lowrank import Array, EntryNorms, LowRank, total
from sqsim.oracles.quadrature import Quadrature
from sqsim.problems.dataset import Dataset
from sqsim.problems.index import IndexInstance
from sqsim.queries import Correlation, Query, Ridge, Statistic
from sqsim.tensors import full_tensor
from sqsim.tolerance import Mean, Scale

UNIT = 2.0**-53
ROUNDING = 8 * UNIT
"""Of entries that are put together from many-digit numbers by a few products in floats."""
NORM_ERROR = 1e-9
"""Relative error of norms that need the label too, found by quadrature."""


@final
@dataclass(frozen=True, eq=False)
class IndependentMean:
    """A mean with the ends of its norms.

    Attributes
    ----------
    mean : value, error entry by entry or for all, and the norm that the tolerance asks for.
    scale_error : relative error of the norms.
    square_error : absolute error of their squares.
    method : a few words.
    exact : for a scalar, ends of its mean and of its squared norm in many digits.
    """

    mean: Mean
    method: str
    scale_error: float = 0.0
    square_error: float = 0.0
    exact: tuple[Fraction, Fraction, Fraction, Fraction] | None = None


def independent_mean(
    oracle: Any, query: Query, scale: Scale, *, turn: int, digits: int
) -> IndependentMean:
    """The query's mean on the oracle's instance, in the first of these ways that applies.

    For a table by exact sums; for correlations of ungated links with a frame of at most one column,
    and statistics of one link without frame and noise, by one-dimensional quadrature in many
    digits; for another Gaussian correlation of at most two directions as the statistic y g(x), in
    float quadrature without the closed form of the label; else by the oracle's evaluator once
    more, which only finds changed answers.
    """
    instance = instance_of(oracle)
    if isinstance(instance, Dataset):
        try:
            return _summed(instance, query, scale)
        except NotCertified:
            pass
    if isinstance(instance, IndexInstance) and isinstance(instance.problem.inputs, Gaussian):
        for attempt in (_many_digits, _as_statistic):
            try:
                return attempt(instance, query, scale, digits)
            except (NotCertified, QueryRefused, ToleranceUnreachable):
                continue
    if not hasattr(oracle, "means"):
        raise BadInput(
            f"means of {type(query.form).__name__} queries on {type(instance).__name__} are not "
            f"found otherwise, and {type(oracle).__name__} has no evaluator to ask again"
        )
    means = oracle.means.means(instance, [query], [scale], seed=oracle.seed, turn=turn)
    return IndependentMean(means[0], "the oracle's evaluator again", scale_error=NORM_ERROR)


def _summed(table: Dataset, query: Query, scale: Scale) -> IndependentMean:
    found = table_mean(table, query, scale)
    mean = Mean(found.value, found.error, found.scale)
    return IndependentMean(mean, "exact sums", scale_error=SCALE_ERROR)


def _many_digits(
    instance: IndexInstance, query: Query, scale: Scale, digits: int
) -> IndependentMean:
    form, terms = query.form, instance.labels.terms
    if not terms or not isinstance(form, Ridge) or any(term.gate is not None for term in terms):
        raise NotCertified("not links along directions")
    linear = isinstance(query, Correlation)
    if not linear and (instance.labels.noise or len(terms) > 1):
        raise NotCertified("a statistic of a label of noise or of several terms")
    make = correlation_mean if linear else statistic_mean
    # A correlation is linear in the label, and noise has no part in it.
    found = [make(term.link, term.direction, form, digits=digits) for term in terms]
    values, errors = zip(*(_entries(one, form.power) for one in found), strict=True)
    value, error = total(list(values)), np.asarray(sum(errors))
    method = f"quadrature in {digits} digits"
    if scale is Scale.PRODUCT and linear:
        norms = _product_norms(instance, query, form)
        return IndependentMean(Mean(value, error, norms), method, scale_error=NORM_ERROR)
    if scale is Scale.NONE:
        unit = (Fraction(1), Fraction(1))
        return IndependentMean(Mean(value, error), method, exact=_exact(found, form.power, unit))
    norm, size = _norms(found[0], form.power)
    first = found[0].squares[0]
    ends = (first.value - first.error, first.value + first.error)
    return IndependentMean(
        Mean(value, error, norm),
        method,
        scale_error=ROUNDING,
        square_error=ROUNDING * size,
        exact=_exact(found, form.power, ends),
    )


def _exact(
    found: Sequence[SpanMean], power: int, squares: tuple[Fraction, Fraction]
) -> tuple[Fraction, Fraction, Fraction, Fraction] | None:
    if power:
        return None
    entries = [one.entries[0] for one in found]
    value = sum((entry.value for entry in entries), Fraction(0))
    error = sum((entry.error for entry in entries), Fraction(0))
    return value - error, value + error, *squares


def _entries(found: SpanMean, power: int) -> tuple[Array | LowRank, Array]:
    """The tensor, and a bound on its error for each entry, or for each row of a matrix."""
    basis, rank = found.basis, found.basis.shape[1]
    entries = np.array([float(number) for number in found.entries])
    confessed = sum(float(number.error) for number in found.entries)
    if power == 0:
        return np.asarray(entries[0]), np.asarray(confessed + UNIT * abs(entries[0]))
    sizes = np.abs(basis) @ np.abs(full_tensor(entries, rank, power))
    if power == 1:
        return np.asarray(basis @ entries), confessed + ROUNDING * sizes
    rows = sizes @ np.abs(basis).max(axis=0)
    return LowRank(basis, full_tensor(entries, rank, 2)), 2 * confessed + ROUNDING * rows


def _norms(found: SpanMean, power: int) -> tuple[Array | EntryNorms, float]:
    """Norms of T_p g entry by entry, and the size of what is added up for a square."""
    moments = [float(number) for number in found.squares]
    size = sum(abs(m) for m in moments) * (1 + 3 * power)
    if power == 0:
        return np.asarray(np.sqrt(moments[0])), size
    q = found.basis[:, :1]
    if power == 1:
        squares = moments[0] + moments[1] * q[:, 0] ** 2
        return np.sqrt(np.maximum(squares, 0.0)), size
    second, fourth = np.full((1, 1), moments[1]), np.full((1, 1, 1, 1), moments[2])
    return EntryNorms(q, moments[0], second, fourth), size


def _product_norms(instance: IndexInstance, query: Query, form: Ridge) -> Any:
    """||y g|| entry by entry, as the norm of the statistic y g(x)."""
    asked = _statistic(query, form)
    return Quadrature().means(instance, [asked], [Scale.FUNCTION])[0].scale


def _as_statistic(
    instance: IndexInstance, query: Query, scale: Scale, digits: int
) -> IndependentMean:
    form = query.form
    if not isinstance(query, Correlation) or not isinstance(form, Ridge):
        raise NotCertified("not a correlation")
    if form.columns + len(instance.labels.columns) + bool(instance.labels.noise) > 2:
        raise NotCertified("more directions than are integrated at once in reasonable time")
    asked = _statistic(query, form)
    wanted = Scale.FUNCTION if scale is Scale.PRODUCT else Scale.NONE
    mean = Quadrature().means(instance, [asked], [wanted])[0]
    if scale is Scale.FUNCTION:
        own = Quadrature().means(instance, [query], [scale])[0]
        mean = replace(mean, scale=own.scale)
    method = "quadrature of the statistic y g(x)"
    return IndependentMean(mean, method, scale_error=NORM_ERROR)


def _statistic(query: Query, form: Ridge) -> Statistic:
    """y g(x) as a function of x and y."""
    h = form.h
    weighted: Callable[..., Any]
    if h is None:

        def weighted(*arguments: Array) -> Array:
            return arguments[-1]
    else:

        def weighted(s: Array, y: Array) -> Array:
            return np.asarray(y * h(s))

    return Statistic(replace(form, h=weighted), query.label)
