"""Gaussian integrals over a few directions, one inside the other, split at every declared kink.

Knows Ridge functions and their spans; does not know labels, oracles or tolerances.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import final

import numpy as np

from sqsim.errors import BadInput, QueryRefused
from sqsim.geometry import Span, span
from sqsim.lowrank import Array, EntryNorms
from sqsim.panels import CONVERGED, ROUNDING, Integrals, Samples, integrate
from sqsim.queries import Ridge
from sqsim.tensors import answer, moment_samples, norm_samples, norms
from sqsim.tolerance import Mean

LIMIT = 37.5
"""The density at this point is 1e-306: the last one that float64 holds with full precision."""

_HALF = np.array([3.0, 6.0, 9.0, 14.0, 22.0, LIMIT])
BASE_KNOTS = np.concatenate([-_HALF[::-1], [0.0], _HALF])

# A kink that an inner integral has smoothed is a step of this many widths on either side.
_STEP = np.array([1.0, 2.5, 5.0, 9.0, 14.0])
STEP_KNOTS = np.concatenate([-_STEP[::-1], [0.0], _STEP])

GEOMETRY = 6e-16
"""Relative error of directions and kinks: it acts on a mean of f like the mean of f |u|^2."""

MOST_COORDINATES = 3
"""Directions (and noise) that an iterated integral takes within seconds."""

SCAN = np.linspace(-10.0, 10.0, 2001)
BEND = 2e-3
"""Second difference on SCAN, relative to the range of values, that counts as a kink."""

MOST_FOUND = 60
TINY = 1e-300

MOST_POINTS = 1_500_000
"""Points evaluated at a time inside nested integrals; bounds memory, not accuracy."""


@final
@dataclass(frozen=True, eq=False)
class Layers:
    """Where the kinks of an iterated integral lie.

    Attributes
    ----------
    span : Span
        Its first `depth` coordinates are integrated.
    kinks : for each column of the span, the points where the integrand bends or jumps.
    dynamic : function, optional
        For rows of outer coordinates (n, depth - 1), further knots (n, K) of the last one.
    active : function, optional
        For rows of the first coordinates, (n, k) with k < depth, whether the integrand can differ
        from zero there; rows that cannot are not integrated further.
    converged : float
        Truncation error of a panel relative to its row.
    """

    span: Span
    depth: int
    kinks: Sequence[Sequence[float]]
    dynamic: Callable[[Array], Array] | None = None
    active: Callable[[Array], np.ndarray] | None = None
    converged: float = CONVERGED

    def knots(self, outer: Array) -> Array:
        """Ascending panel ends of the next coordinate, for each row of outer coordinates."""
        rows, level = outer.shape
        mixing = self.span.mixing
        found = [np.broadcast_to(BASE_KNOTS, (rows, len(BASE_KNOTS)))]
        for j, kinks in enumerate(self.kinks):
            top = min(self.span.levels[j], self.depth)
            if not len(kinks) or top <= level or mixing[level, j] == 0.0:
                continue
            slope = mixing[level, j]
            centre = (np.array(kinks)[None, :] - (outer @ mixing[:level, j])[:, None]) / slope
            width = float(np.linalg.norm(mixing[level + 1 :, j]) / abs(slope))
            if width == 0.0:
                found.append(centre)
            elif width < 0.7:
                found.append((centre[:, :, None] + width * STEP_KNOTS).reshape(rows, -1))
        if self.dynamic is not None and level == self.depth - 1:
            found.append(self.dynamic(outer))
        return np.sort(np.clip(np.concatenate(found, axis=1), -LIMIT, LIMIT), axis=1)


def nested(layers: Layers, integrand: Callable[[Array], Samples]) -> Integrals:
    """Mean of the integrand over independent N(0, 1) coordinates.

    Parameters
    ----------
    integrand : function
        On points (n, depth) returns Samples of C components; the density is applied here.
    """
    check_depth(layers.depth)
    start = np.zeros((1, 0))
    if layers.depth == 0:
        sample = _finite(integrand(start))
        inherited = 0.0 if sample.errors is None else sample.errors
        return Integrals(sample.values, ROUNDING * sample.magnitudes + inherited, sample.magnitudes)
    return _level(layers, integrand, start)


def check_depth(depth: int) -> None:
    """Refuse integrals that no one waits for."""
    if depth > MOST_COORDINATES:
        raise QueryRefused(
            f"the query depends on {depth} directions of this instance; Quadrature integrates at "
            f"most {MOST_COORDINATES}: use means=MonteCarlo(n)"
        )


def _level(layers: Layers, integrand: Callable[[Array], Samples], outer: Array) -> Integrals:
    level = outer.shape[1]
    knots = layers.knots(outer)
    most = max(1, MOST_POINTS // (21 * knots.shape[1]))
    parts = []
    for start in range(0, len(outer), most):
        rows = outer[start : start + most]

        def density_weighted(row: np.ndarray, u: Array, rows: Array = rows) -> Samples:
            points = np.concatenate([rows[row], u[:, None]], axis=1)
            density = np.exp(-u * u / 2) / np.sqrt(2 * np.pi)
            if level + 1 == layers.depth:
                sample = _finite(integrand(points))
            else:
                inner = _active_level(layers, integrand, points)
                sample = Samples(inner.values, inner.magnitudes, inner.errors)
            errors = GEOMETRY * u * u * sample.magnitudes
            if sample.errors is not None:
                errors += sample.errors
            return Samples(sample.values * density, sample.magnitudes * density, errors * density)

        block = knots[start : start + most]
        parts.append(integrate(density_weighted, block, converged=layers.converged))
    if len(parts) == 1:
        return parts[0]
    return Integrals(
        np.concatenate([p.values for p in parts], axis=1),
        np.concatenate([p.errors for p in parts], axis=1),
        np.concatenate([p.magnitudes for p in parts], axis=1),
    )


def _finite(sample: Samples) -> Samples:
    if not np.isfinite(sample.values).all():
        raise BadInput("the query's function is not finite at some point of the integral")
    return sample


def _active_level(layers: Layers, integrand: Callable[[Array], Samples], outer: Array) -> Integrals:
    """`_level`, without the rows that are known to be zero."""
    if layers.active is None:
        return _level(layers, integrand, outer)
    keep = layers.active(outer)
    if keep.all():
        return _level(layers, integrand, outer)
    # One row is kept at least, so that the number of components is known.
    keep[0] = True
    inner = _level(layers, integrand, outer[keep])
    full = []
    for part in (inner.values, inner.errors, inner.magnitudes):
        spread = np.zeros((len(part), len(outer)))
        spread[:, keep] = part
        full.append(spread)
    return Integrals(*full)


def ridge_norms(form: Ridge, dimension: int) -> Array | EntryNorms:
    """||T_p(x) h(W'x)||_2 entry by entry for x ~ N(0, I_d); no label enters."""
    frame = span(columns_of(form), dimension)

    def integrand(points: Array) -> Samples:
        values = form.values(points @ frame.mixing, None, len(points))
        return norm_samples(points, values**2, form.power)

    result = nested(Layers(frame, frame.rank, all_kinks(form)), integrand)
    return norms(frame.basis, result.values[:, 0], result.errors[:, 0], form.power)


def ridge_expectation(form: Ridge, dimension: int) -> Mean:
    """E[T_p(x) h(W'x)] for x ~ N(0, I_d), exact up to the stated error; no label enters."""
    form.shape(dimension)
    columns = columns_of(form)
    frame = span(columns, dimension)
    layers = Layers(frame, frame.rank, all_kinks(form))

    def integrand(points: Array) -> Samples:
        values = form.values(points @ frame.mixing, None, len(points))
        return moment_samples(points, values, np.abs(values), form.power)

    result = nested(layers, integrand)
    return answer(frame.basis, result.values[:, 0], result.errors[:, 0], form.power)


def all_kinks(form: Ridge, label: float | None = None) -> list[list[float]]:
    """Declared kinks of each column, and those that a scan of a one-column function finds.

    A function of the label too is scanned at one label.
    """
    kinks = [list(column) for column in form.columns_kinks]
    if form.columns == 1 and form.h is not None and form.frame is not None:
        size = float(np.linalg.norm(form.frame))
        labels = None if label is None else np.full(len(SCAN), label)
        values = form.values(size * SCAN[:, None], labels, len(SCAN))
        kinks[0] += (size * undeclared(values, np.array(kinks[0]) / max(size, TINY))).tolist()
    return kinks


def undeclared(values: Array, declared: Array) -> Array:
    """Ends of the steps of SCAN on which values bend or jump though no declared kink is near.

    The adaptive rule finds one jump by itself, but not a narrow band between its first nodes.
    """
    with np.errstate(invalid="ignore", over="ignore"):
        bend = np.abs(np.diff(values, 2))
        size = np.ptp(values)
    if not (np.isfinite(size) and size > 0):
        return np.zeros(0)
    at = np.flatnonzero(bend > BEND * size)
    if len(at) > MOST_FOUND:
        # Steep everywhere: a smooth function on its own scale, which halving resolves.
        return np.zeros(0)
    low, high = SCAN[at], SCAN[at + 2]
    near = (declared[None, :] > low[:, None] - 1e-9) & (declared[None, :] < high[:, None] + 1e-9)
    free = ~near.any(axis=1)
    return np.unique(np.concatenate([low[free], high[free]]))


def columns_of(form: Ridge) -> list[Array]:
    if form.frame is None:
        return []
    return [form.frame] if form.frame.ndim == 1 else list(form.frame.T)
