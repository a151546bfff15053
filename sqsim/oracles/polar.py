"""Population means of labels that are sums of ReLU neurons, in more directions than nest.

Correlations split into the neurons and are Quadrature's.  A Statistic needs the joint law of all
neurons: in polar coordinates of their span, the label is piecewise linear along every ray, so
that radial integrals split exactly at its kinks and level crossings, and only the average over
the rays is sampled.  This file does not know policies, nor who asks.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import final

import numpy as np
from scipy.special import stdtrit

from sqsim.errors import BadInput, QueryRefused
from sqsim.forms import Form
from sqsim.gaussian import columns_of
from sqsim.geometry import Span, span
from sqsim.lowrank import Array, EntryNorms
from sqsim.oracles.label_rays import rays_of, rays_of_lines, shared_lines
from sqsim.oracles.quadrature import Quadrature
from sqsim.oracles.rays import (
    NODES,
    Rays,
    hermite_means,
    radial_means,
    scalar_means,
    sobol_directions,
)
from sqsim.problems.index import IndexInstance
from sqsim.queries import Correlation, Query, Ridge
from sqsim.seeds import Role, rng
from sqsim.tensors import NORM_DEGREES, answer, indices, norms
from sqsim.tolerance import Mean, Scale

MOST_DIRECTIONS = 9
"""Coordinates of a sphere that rays are drawn on; the error grows with them."""

FEWEST_RAYS = 256
"""Of each scramble at first."""

MOST_NODES = 128
"""Of a radial panel; half as many where the rule is doubled for the last time."""


@final
@dataclass(frozen=True)
class Polar:
    """Quadrature for correlations and narrow integrals; rays for statistics of several neurons.

    A Statistic that depends on a frame or on more than two directions is averaged over randomised
    quasi-Monte Carlo rays of exact radial integrals, four times as many until the error is at most
    `accuracy` times the query's norm.  The confessed error of an entry is that of Student's t over
    independent scrambles: a statement about random scrambles, not a proof.  What twice the radial
    nodes change on one scramble is added, for functions that turn within a panel.  Scalar
    statistics along lines share the rays of their batch.  At the default accuracy about a second
    for a second moment in three directions and ten in four.

    Parameters
    ----------
    accuracy : float
        Of the least entry's norm where the tolerance asks for norms, else absolute.
    most_rays : int
        Rays of each scramble, a power of 2, at which it stops and confesses a larger error.
    scrambles : int
        Independent repetitions, from which the error is told.
    confidence : float
        Two-sided probability that an entry misses by more than its error.
    """

    accuracy: float = 1e-3
    most_rays: int = 2**15
    scrambles: int = 32
    confidence: float = 1e-6

    def __post_init__(self) -> None:
        if self.most_rays < 2 or self.most_rays & (self.most_rays - 1):
            raise BadInput(
                f"most_rays is {self.most_rays}; wanted a power of 2, for which Sobol nets exist"
            )
        if not (self.accuracy > 0 and self.scrambles >= 3 and 0 < self.confidence < 0.5):
            raise BadInput(
                f"accuracy {self.accuracy}, scrambles {self.scrambles}, confidence "
                f"{self.confidence}; wanted > 0, at least 3, and the probability of a miss, "
                "between 0 and 0.5"
            )

    @property
    def quantile(self) -> float:
        """Standard errors that the confessed error spans."""
        return float(-stdtrit(self.scrambles - 1, self.confidence / 2))

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
            For Opaque queries, labels with terms that are not ReLU neurons, and more than nine
            directions.
        """
        found: dict[int, Mean] = {}
        if isinstance(instance, IndexInstance):
            for places in shared_lines(instance.labels, queries):
                streams = rng(seed, Role.SAMPLE, turn).spawn(places[0] + 1)[-1]
                forms = [queries[i].form for i in places]
                several = self._several(instance, forms, [scales[i] for i in places], streams)
                found.update(zip(places, several, strict=True))
        return [
            found[i] if i in found else self._mean(instance, query, scale, seed, turn, i)
            for i, (query, scale) in enumerate(zip(queries, scales, strict=True))
        ]

    def _several(
        self,
        instance: IndexInstance,
        forms: Sequence[Form],
        scales: Sequence[Scale],
        stream: np.random.Generator,
    ) -> list[Mean]:
        """Scalar queries along lines, from the same rays."""
        rays, functions = rays_of_lines(instance.labels, forms, instance.problem.dimension)
        _check_depth(rays.dimension, "a batch of lines")
        streams, effort = stream.spawn(self.scrambles), self._least
        while True:
            draws = [
                sobol_directions(rays.dimension, effort.count, deepcopy(one)) for one in streams
            ]
            rows = np.array([scalar_means(rays, functions, each, effort.nodes) for each in draws])
            finer = scalar_means(rays, functions, draws[0], 2 * effort.nodes)
            values, chance, drift = self._told(rows, finer)
            errors = chance + drift
            means = [_scalar(values[:, i], errors[:, i], scale) for i, scale in enumerate(scales)]
            more = self._more(effort, chance[0], drift[0])
            if more is None or all(map(self._fine, means)):
                return means
            effort = more

    @property
    def _least(self) -> _Effort:
        return _Effort(min(FEWEST_RAYS, self.most_rays), NODES)

    def _more(self, effort: _Effort, chance: Array, drift: Array) -> _Effort | None:
        """More nodes where these are what the error is of, else more rays; None where at an end."""
        if float(np.max(drift)) > float(np.max(chance)):
            return replace(effort, nodes=2 * effort.nodes) if effort.nodes < MOST_NODES else None
        if effort.count >= self.most_rays:
            return None
        return replace(effort, count=min(4 * effort.count, self.most_rays))

    def _told(self, rows: Array, finer: Array) -> tuple[Array, Array, Array]:
        """Means over scrambles, what they miss by chance, and what radial nodes miss.

        `finer` is the first row with twice the nodes.
        """
        chance = self.quantile * rows.std(axis=0, ddof=1) / math.sqrt(self.scrambles)
        return (
            rows.mean(axis=0),
            chance + 1e-14 * np.abs(rows).max(axis=0),
            2 * np.abs(rows[0] - finer),
        )

    def advice(self, error: float, radius: float) -> str:
        """What brings an error below the radius."""
        finer = self.accuracy * radius / (4 * error)
        more = self.most_rays * 2 ** math.ceil(math.log2(max(4 * error / radius, 2.0)))
        return (
            f"use Polar(accuracy={min(finer, self.accuracy):.1g}, most_rays={more}) or a coarser "
            "tolerance"
        )

    def _mean(
        self, instance: object, query: Query, scale: Scale, seed: int, turn: int, place: int
    ) -> Mean:
        form = query.form
        plain = isinstance(query, Correlation) or not isinstance(form, Ridge)
        if plain or not isinstance(instance, IndexInstance):
            return Quadrature().means(instance, [query], [scale])[0]
        assert isinstance(form, Ridge)
        dimension = instance.problem.dimension
        form.shape(dimension)
        labels = instance.labels
        frame = span([*columns_of(form), *labels.columns], dimension)
        depth = frame.rank + bool(labels.noise)
        if depth <= 1 or (depth == 2 and not form.columns):
            return Quadrature().means(instance, [query], [scale])[0]
        _check_depth(depth, query.label or "query")
        rays, effort = rays_of(labels, form, frame), self._least
        while True:
            streams = rng(seed, Role.SAMPLE, turn).spawn(place + 1)[place].spawn(self.scrambles)
            mean, more = self._from_scrambles(frame, rays, form.power, scale, effort, streams)
            if more is None or self._fine(mean):
                return mean
            effort = more

    def _fine(self, mean: Mean) -> bool:
        scale = mean.scale
        norm = scale.smallest() if isinstance(scale, EntryNorms) else float(np.min(scale))
        return float(np.max(mean.error)) <= self.accuracy * norm

    def _from_scrambles(
        self,
        frame: Span,
        rays: Rays,
        power: int,
        scale: Scale,
        effort: _Effort,
        streams: list[np.random.Generator],
    ) -> tuple[Mean, _Effort | None]:
        """The mean, and what should be spent on a better one."""
        wanted = () if scale is Scale.NONE else NORM_DEGREES[power]
        twice = replace(effort, nodes=2 * effort.nodes)
        finer = _scramble(rays, power, wanted, twice, deepcopy(streams[0]))
        rows = np.array([_scramble(rays, power, wanted, effort, stream) for stream in streams])
        values, chance, drift = self._told(rows, finer)
        errors = chance + drift
        size = len(indices(frame.rank, power))
        mean = answer(frame.basis, values[:size], errors[:size], power)
        more = self._more(effort, chance[:size], drift[:size])
        if not wanted:
            return mean, more
        # The squares of entry norms are these tensors along unit vectors, so they are off by at
        # most the errors' Frobenius norms; `norms` takes six times the sum of what it is told.
        orders = [_orderings(i) for degree in wanted for i in indices(frame.rank, degree)]
        parts = np.sqrt(np.array(orders, dtype=np.float64)) * errors[size:]
        told = np.zeros(len(parts))
        told[0] = (errors[size] + 2.0 * float(np.linalg.norm(parts[1:]))) / 6.0
        return Mean(mean.value, mean.error, norms(frame.basis, values[size:], told, power)), more


@final
@dataclass(frozen=True)
class _Effort:
    """Rays of each scramble, and nodes of each radial panel."""

    count: int
    nodes: int


def _scramble(
    rays: Rays, power: int, wanted: tuple[int, ...], effort: _Effort, stream: np.random.Generator
) -> Array:
    """The Hermite means of h, then those of h^2, from one scramble."""
    directions = sobol_directions(rays.dimension, effort.count, stream)
    most = max(wanted, default=-1)
    plain, squared = radial_means(rays, directions, power, most, effort.nodes)
    inner = directions[:, : rays.rank]
    parts = [hermite_means(inner, plain, power)]
    parts += [hermite_means(inner, squared, degree) for degree in wanted]
    return np.concatenate(parts)


def _orderings(index: tuple[int, ...]) -> int:
    """How often an entry stands in its symmetric tensor."""
    same = math.prod(math.factorial(index.count(axis)) for axis in set(index))
    return math.factorial(len(index)) // same


def _scalar(values: Array, errors: Array, scale: Scale) -> Mean:
    """Mean and norm from E[h] and E[h^2]."""
    norm = 1.0 if scale is Scale.NONE else math.sqrt(max(float(values[1] - errors[1]), 0.0))
    return Mean(np.asarray(values[0]), float(errors[0]), norm)


def _check_depth(depth: int, name: str) -> None:
    if depth > MOST_DIRECTIONS:
        raise QueryRefused(
            f"{name} depends on {depth} directions; rays are drawn in at most {MOST_DIRECTIONS}: "
            "use means=MonteCarlo(n)"
        )
