"""Exact means under noise on the data, from exact means without it.

This file does not know how clean means are found.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, final

import numpy as np

from sqsim.errors import BadInput, QueryRefused
from sqsim.lowrank import Array, LowRank, dense, total
from sqsim.oracles.entries import answer_of, entries
from sqsim.oracles.protocol import Means
from sqsim.problems.noise import (
    ClassificationNoise,
    Contamination,
    DataNoise,
    Drift,
    MassartNoise,
    NoisyInstance,
    Points,
)
from sqsim.queries import Correlation, Opaque, Query, Ridge
from sqsim.seeds import Seed
from sqsim.tolerance import Mean, Scale


@final
@dataclass(frozen=True)
class NoisyMeans:
    """Means of a NoisyInstance, by formulas that hold for any clean law.

    Classification noise of rate r: E[y g] becomes (1 - 2 r) E[y g], and E[phi(x, y)] a mixture of
    phi(x, y) and phi(x, -y).  Massart noise: E[y g] becomes E[y (1 - 2 r(x)) g], an Opaque query.
    Contamination: the mixture of two means.  Drift: the noise of the turn.

    Parameters
    ----------
    clean : Means
        How means without noise are found, such as Quadrature() or Sample(); for Massart noise one
        that answers Opaque queries.
    adversary : Means, optional
        The same for the law of Contamination's adversary; not needed for Points.
    """

    clean: Means
    adversary: Means | None = None

    def means(
        self,
        instance: Any,
        queries: Sequence[Query],
        scales: Sequence[Scale],
        *,
        seed: Seed,
        turn: int,
    ) -> list[Mean]:
        """One mean for each query."""
        if not isinstance(instance, NoisyInstance):
            raise BadInput(
                f"NoisyMeans is for an instance made by with_noise(...), not "
                f"{type(instance).__name__}"
            )

        def under(noise: tuple[DataNoise, ...], asked: Sequence[Query]) -> list[Mean]:
            # The last noise acts on what the earlier ones left.
            if not noise:
                return self.clean.means(instance.clean, asked, wanted, seed=seed, turn=turn)
            *earlier, last = noise
            return self._after(last, asked, wanted, lambda q: under(tuple(earlier), q), seed, turn)

        wanted = list(scales)
        return under(instance.noise, list(queries))

    def _after(
        self,
        noise: DataNoise,
        queries: Sequence[Query],
        scales: Sequence[Scale],
        before: Callable[[Sequence[Query]], list[Mean]],
        seed: Seed,
        turn: int,
    ) -> list[Mean]:
        if isinstance(noise, Drift):
            current = noise.at(turn)
            if current is None:
                return before(queries)
            return self._after(current, queries, scales, before, seed, turn)
        if isinstance(noise, ClassificationNoise):
            return _flipped(noise.rate, queries, before)
        if isinstance(noise, MassartNoise):
            shrunk = before([_shrunk(noise, query) for query in queries])
            return [_known(m, s) for m, s in zip(shrunk, scales, strict=True)]
        if isinstance(noise, Contamination):
            ours = before(queries)
            theirs = self._theirs(noise, queries, scales, seed, turn)
            return [_mixed(noise.rate, one, two) for one, two in zip(ours, theirs, strict=True)]
        raise BadInput(f"no exact means under {type(noise).__name__}; use MonteCarlo(samples=...)")

    def _theirs(
        self,
        noise: Contamination,
        queries: Sequence[Query],
        scales: Sequence[Scale],
        seed: Seed,
        turn: int,
    ) -> list[Mean]:
        if isinstance(noise.adversary, Points):
            points = noise.adversary
            return [_over_points(points, q, s) for q, s in zip(queries, scales, strict=True)]
        if self.adversary is None:
            raise BadInput(
                "the adversary is a law of its own; say how its means are found, as in "
                "NoisyMeans(Quadrature(), adversary=Quadrature())"
            )
        return self.adversary.means(noise.adversary, queries, scales, seed=seed, turn=turn)


def _flipped(
    rate: float, queries: Sequence[Query], before: Callable[[Sequence[Query]], list[Mean]]
) -> list[Mean]:
    straight = before(queries)
    other = before([q if isinstance(q, Correlation) else _mirrored(q) for q in queries])
    return [
        # Norms of y g do not depend on the sign of y.
        _scaled(one, 1 - 2 * rate) if isinstance(query, Correlation) else _mixed(rate, one, two)
        for query, one, two in zip(queries, straight, other, strict=True)
    ]


def _scaled(mean: Mean, factor: float) -> Mean:
    """The mean times a factor that was rounded once, as the product is."""
    value = _times(mean.value, factor)
    size = np.abs(dense(value))
    rounding = 2.0**-51 * (np.max(size) if isinstance(value, LowRank) else size) + 2.0**-1074
    return replace(mean, value=value, error=factor * np.asarray(mean.error) + rounding)


def _mirrored(query: Query) -> Query:
    """phi(x, -y)."""
    form = query.form
    if isinstance(form, Ridge):
        if form.h is None:
            return query
        levels = tuple(-level for level in reversed(tuple(form.levels)))
        return replace(query, form=replace(form, h=_Mirror(form.h), levels=levels))
    if isinstance(form, Opaque):
        return replace(query, form=replace(form, fn=_Mirror(form.fn)))
    raise QueryRefused(
        f"query {query.label!r} is a {type(form).__name__}; under label noise a Statistic is "
        "answered exactly as a Ridge or an Opaque"
    )


@final
@dataclass(frozen=True)
class _Mirror:
    """h(..., y) with the label's sign turned; the label comes last."""

    function: Callable[..., Any]

    def __call__(self, *arguments: Array) -> Any:
        return self.function(*arguments[:-1], -arguments[-1])


def _shrunk(noise: MassartNoise, query: Query) -> Query:
    """The query whose clean mean is the noisy one: y (1 - 2 r) g, or (1 - r) phi + r phi(x, -y)."""
    return replace(
        query,
        form=Opaque(_Massart(noise, query), None if _scalar(query) else _columns(query)),
        range=None,
    )


def _scalar(query: Query) -> bool:
    form = query.form
    return form.power == 0 if isinstance(form, Ridge) else getattr(form, "size", None) is None


def _columns(query: Query) -> int:
    form = query.form
    if isinstance(form, Opaque) and form.size is not None:
        return form.size
    if isinstance(form, Ridge) and form.power == 1 and form.frame is not None:
        return len(form.frame)
    raise QueryRefused(
        f"query {query.label!r}: under Massart noise scalars, Opaque vectors and vectors of a "
        "Ridge with a frame are answered exactly; use MonteCarlo(samples=...) for others"
    )


@final
@dataclass(frozen=True, eq=False)
class _Massart:
    noise: MassartNoise
    query: Query

    def __call__(self, x: Array, *label: Array) -> Array:
        rates = self.noise.rates(x)[:, None]
        if not label:
            # entries of y g at y = 1 are g.
            values = (1 - 2 * rates) * entries(self.query, x, np.ones(len(x)))
        else:
            straight, turned = (entries(self.query, x, y) for y in (label[0], -label[0]))
            values = (1 - rates) * straight + rates * turned
        return np.asarray(values[:, 0] if _scalar(self.query) else values)


def _known(mean: Mean, scale: Scale) -> Mean:
    if scale is Scale.NONE:
        return mean
    raise QueryRefused(
        "under Massart noise the L2 norm of a query is not found exactly; use Absolute(tau), or "
        "MonteCarlo(samples=...)"
    )


def _mixed(rate: float, one: Mean, two: Mean) -> Mean:
    """The mean under (1 - rate) D1 + rate D2; squared norms mix likewise."""
    value = total([_times(one.value, 1 - rate), _times(two.value, rate)])
    error = (1 - rate) * np.asarray(one.error) + rate * np.asarray(two.error)
    # Mixing rounds by a few units in the last place.
    error = error + 2.0**-50 * np.max(np.abs(dense(value)), initial=0.0)
    squares = (1 - rate) * dense(one.scale) ** 2 + rate * dense(two.scale) ** 2
    return Mean(value, error, np.sqrt(squares))


def _times(value: Array | LowRank, factor: float) -> Any:
    if isinstance(value, LowRank):
        return LowRank(value.basis, factor * value.core)
    return np.asarray(factor * np.asarray(value))


def _over_points(points: Points, query: Query, scale: Scale) -> Mean:
    dimension = points.inputs.shape[1]
    values = entries(query, points.inputs, points.targets)
    size = 1.0 if scale is Scale.NONE else np.sqrt((values**2).mean(axis=0))
    if scale is Scale.FUNCTION and isinstance(query, Correlation):
        g = entries(query, points.inputs, np.ones(len(points.targets)))
        size = np.sqrt((g**2).mean(axis=0))
    # The sum is rounded once; the values were by a few units in the last place, and x_i x_j - 1
    # by some of 1 more.
    error = 2.0**-50 * _average(np.abs(values))
    if isinstance(query.form, Ridge) and query.form.power == 2:
        weights = replace(query, form=replace(query.form, power=0), range=None)
        factors = entries(weights, points.inputs, points.targets)
        error = error + 2.0**-50 * _average(np.abs(factors))
    return Mean(
        answer_of(query, _average(values), dimension),
        answer_of(query, error + 2.0**-1074, dimension),
        size if np.ndim(size) == 0 else answer_of(query, np.asarray(size), dimension),
    )


def _average(values: Array) -> Array:
    """The mean of every column, its sum rounded once whatever cancels."""
    return np.array([math.fsum(column) for column in values.T.tolist()]) / len(values)
