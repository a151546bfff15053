"""Gaussian integrals along rays, split where a sum of ReLU neurons bends or crosses a level.

u = r omega has r independent of omega, of density r^(m - 1) exp(-r^2 / 2) up to its constant.
This file does not know queries.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from typing import final

import numpy as np

from sqsim.lowrank import Array
from sqsim.tensors import indices

RADII = np.array([0.0, 1.5, 3.0, 4.5, 6.0, 8.0, 11.0, 15.0])
"""Panel ends of every ray; beyond the last one float64 has no mass."""

NODES = 8
"""Gauss-Legendre nodes of a panel."""
HERMITE = ((1,), (0, 1), (-1, 0, 1), (0, -3, 0, 1), (3, 0, -6, 0, 1))
"""Coefficients of He_0 to He_4 in ascending powers."""
MOST_POINTS = 2_000_000


@final
@dataclass(frozen=True, eq=False)
class Rays:
    """h(W'u, y) along rays of u in R^m, y = sum_j outer_j max(<n_j, u> + b_j, 0) + <drift, u>.

    Attributes
    ----------
    rank : coordinates of u that are inputs; the rest is label noise.
    columns : (m, c), the frame W.
    kinks : one sequence for each column.
    neurons, biases, outer : (m, k), (k,), (k,).
    drift : (m,), the noise.
    levels : label values at which h jumps or bends.
    h : function (projections (n, c), labels (n,), n) -> (n,).
    """

    rank: int
    columns: Array
    kinks: Sequence[Sequence[float]]
    neurons: Array
    biases: Array
    outer: Array
    drift: Array
    levels: tuple[float, ...]
    h: Callable[[Array | None, Array | None, int], Array]

    @property
    def dimension(self) -> int:
        return len(self.drift)


def radial_means(
    rays: Rays, directions: Array, degree: int, degree_squared: int, nodes: int = NODES
) -> tuple[Array, Array]:
    """For each direction E[h r^q], q <= degree, and E[h^2 r^q], q <= degree_squared.

    Shapes (degree + 1, n) and (degree_squared + 1, n).
    """
    size = max(1, MOST_POINTS // (nodes * _most_knots(rays)))
    plain, squared = [], []
    for start in range(0, len(directions), size):
        one, two = _block(rays, directions[start : start + size], degree, degree_squared, nodes)
        plain.append(one)
        squared.append(two)
    return np.concatenate(plain, axis=1), np.concatenate(squared, axis=1)


def hermite_means(directions: Array, radial: Array, degree: int) -> Array:
    """Means over the directions of the independent entries of the tensor He_degree(u).

    `radial[q]` is the mean of h r^q along each direction.
    """
    found = []
    for index in indices(directions.shape[1], degree):
        axes = sorted(set(index))
        total = 0.0
        for powers in product(*(range(index.count(axis) + 1) for axis in axes)):
            weight = math.prod(
                HERMITE[index.count(axis)][p] for axis, p in zip(axes, powers, strict=True)
            )
            if not weight:
                continue
            part = radial[sum(powers)].copy()
            for axis, p in zip(axes, powers, strict=True):
                part *= directions[:, axis] ** p
            total += weight * float(part.mean())
        found.append(total)
    return np.array(found)


def _most_knots(rays: Rays) -> int:
    neurons = len(rays.biases)
    return len(RADII) + neurons + sum(map(len, rays.kinks)) + (neurons + 1) * len(rays.levels)


def scalar_means(
    rays: Rays,
    functions: Sequence[Callable[[Array, Array], Array]],
    directions: Array,
    nodes: int = NODES,
) -> Array:
    """E[h_q(s_q, y)] and E[h_q^2], (2, queries), s_q along column q: one set of nodes for all."""
    size = max(1, MOST_POINTS // (nodes * _most_knots(rays)))
    sums = np.zeros((2, len(functions)))
    for start in range(0, len(directions), size):
        some = directions[start : start + size]
        row, r, weights = _nodes(rays, some, nodes)
        labels, along = _label(rays, some[row], r).ravel(), some[row] @ rays.columns
        for q, function in enumerate(functions):
            h = function((r * along[:, q, None]).ravel(), labels).reshape(r.shape)
            part = weights * h
            sums[:, q] += part.sum(), (part * h).sum()
    return sums / len(directions)


@lru_cache(maxsize=8)
def _rule(nodes: int) -> tuple[Array, Array]:
    at, spread = np.polynomial.legendre.leggauss(nodes)
    return np.asarray(at), np.asarray(spread)


def _nodes(rays: Rays, directions: Array, nodes: int) -> tuple[np.ndarray, Array, Array]:
    """For each panel its ray, and radii and weights of its nodes, (panels, nodes)."""
    at, spread = _rule(nodes)
    knots = _knots(rays, directions)
    row, panel = np.nonzero(knots[:, 1:] - knots[:, :-1] > 1e-14)
    low, high = knots[row, panel], knots[row, panel + 1]
    r = ((low + high) / 2)[:, None] + ((high - low) / 2)[:, None] * at
    return row, r, ((high - low) / 2)[:, None] * spread * _density(r, rays.dimension)


def _block(
    rays: Rays, directions: Array, degree: int, degree_squared: int, nodes: int
) -> tuple[Array, Array]:
    row, r, weights = _nodes(rays, directions, nodes)
    labels = _label(rays, directions[row], r).ravel()
    along = directions[row] @ rays.columns
    points = (r[:, :, None] * along[:, None, :]).reshape(len(labels), -1)
    h = rays.h(points if points.shape[1] else None, labels, len(labels)).reshape(r.shape)
    count = len(directions)

    def summed(values: Array, most: int) -> Array:
        sums = np.zeros((most + 1, count))
        term = weights * values
        for q in range(most + 1):
            sums[q] = np.bincount(row, weights=term.sum(axis=1), minlength=count)
            term = term * r
        return sums

    return summed(h, degree), summed(h**2, degree_squared)


def _density(r: Array, dimension: int) -> Array:
    constant = (dimension / 2 - 1) * math.log(2) + math.lgamma(dimension / 2)
    return np.asarray(r ** (dimension - 1) * np.exp(-r * r / 2 - constant))


def _label(rays: Rays, directions: Array, r: Array) -> Array:
    """y at radii r (n, points) on the rays of these directions (n, m)."""
    slopes = directions @ rays.neurons
    total = (directions @ rays.drift)[:, None] * r
    for j, (weight, bias) in enumerate(zip(rays.outer, rays.biases, strict=True)):
        total = total + weight * np.maximum(slopes[:, j, None] * r + bias, 0.0)
    return np.asarray(total)


def _knots(rays: Rays, directions: Array) -> Array:
    """Ascending panel ends on every ray: fixed ones, kinks, and where y crosses a level."""
    count, last = len(directions), float(RADII[-1])
    bends = _hits(-rays.biases, directions @ rays.neurons)
    corners = np.sort(
        np.concatenate([np.zeros((count, 1)), bends, np.full((count, 1), last)], axis=1), axis=1
    )
    found = [np.broadcast_to(RADII, (count, len(RADII))), bends]
    for column, kinks in zip((directions @ rays.columns).T, rays.kinks, strict=True):
        if len(kinks):
            found.append(_hits(np.array(kinks), np.repeat(column[:, None], len(kinks), axis=1)))
    if rays.levels:
        values = _label(rays, directions, corners)
        low, high = corners[:, :-1], corners[:, 1:]
        for level in rays.levels:
            below, above = values[:, :-1] - level, values[:, 1:] - level
            with np.errstate(divide="ignore", invalid="ignore"):
                at = low + (high - low) * below / (below - above)
            found.append(np.where(below * above < 0, at, last))
    return np.sort(np.clip(np.concatenate(found, axis=1), 0.0, last), axis=1)


def _hits(levels: Array, slopes: Array) -> Array:
    """The radius at which slope r = level, or the end of the ray where there is none."""
    with np.errstate(divide="ignore", invalid="ignore"):
        at = levels / slopes
    return np.where(np.isfinite(at) & (at > 0), at, RADII[-1])


def sobol_directions(dimension: int, count: int, stream: np.random.Generator) -> Array:
    """Scrambled Sobol points carried to the sphere by coordinate pairs, (count, dimension).

    The last two of m coordinates have squared length 1 - t with t ~ Beta((m - 2)/2, 1) and a
    uniform angle, and the others are uniform on a sphere of radius sqrt(t): no point of the cube
    is wasted on a length, and the angles are periodic.
    """
    from scipy.stats import qmc

    cube = qmc.Sobol(max(dimension - 1, 1), scramble=True, rng=stream).random(count)
    found = np.where(cube[:, :1] < 0.5, -1.0, 1.0) if dimension % 2 else np.zeros((count, 0))
    used = dimension % 2 if dimension == 1 else 0
    while found.shape[1] < dimension:
        angle = 2 * np.pi * cube[:, used]
        pair = np.stack([np.cos(angle), np.sin(angle)], axis=1)
        used += 1
        if not found.shape[1]:
            found = pair
            continue
        size = cube[:, used, None]
        share = size ** (2.0 / found.shape[1])
        if found.shape[1] == 1:
            # The sign and the height of one coordinate share a number.
            height = 2 * size - 1
            found, share, used = np.sign(height) + (height == 0), height**2, used + 1
        else:
            used += 1
        found = np.concatenate([np.sqrt(share) * found, np.sqrt(1 - share) * pair], axis=1)
    return np.asarray(found)
