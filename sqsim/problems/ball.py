"""Tables and finite laws in the unit ball: real tables scaled into it, and points made for it.

This file does not know queries, nor how labels come about.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import final

import numpy as np
from numpy.typing import NDArray

from sqsim.errors import BadInput
from sqsim.lowrank import Array
from sqsim.problems.dataset import Dataset
from sqsim.seeds import Role, Seed, rng

LARGEST_CUBE = 16


@final
@dataclass(frozen=True, eq=False)
class Scaling:
    """What was done to a table: x_j / column_sizes_j / row_norm, and (y - low) / (high - low).

    A label that means 'negative' must become exactly 0 for reliable learning: `low` does.
    """

    column_sizes: Array = field(repr=False)
    row_norm: float
    low: float
    high: float

    def inputs(self, x: Array) -> Array:
        """Inputs in original units, as the learner sees them."""
        return np.asarray(np.asarray(x, float) / self.column_sizes / self.row_norm)

    def targets(self, y: Array) -> Array:
        """Targets in original units, as the learner sees them."""
        return np.asarray((np.asarray(y, float) - self.low) / (self.high - self.low))

    def __str__(self) -> str:
        return (
            f"columns divided by their largest |value|, rows by {self.row_norm:.6g}; labels are "
            f"(y - {self.low:.6g}) / {self.high - self.low:.6g}"
        )


def scaled_into_ball(dataset: Dataset) -> tuple[Dataset, Scaling]:
    """The table with rows of norm at most 1 and targets in [0, 1], and how that was done.

    Every column is divided by its largest |value|, so that none rules the norm, and all rows by
    the largest norm then; signs and zeros stay what they are.  Targets that lie in [0, 1] stay.
    """
    x, y = np.asarray(dataset.inputs, float), np.asarray(dataset.targets, float)
    sizes = np.abs(x).max(axis=0)
    scaled = x / sizes
    longest = float(np.linalg.norm(scaled, axis=1).max())
    low, high = min(0.0, float(y.min())), max(1.0, float(y.max()))
    if (low, high) != (0.0, 1.0):
        low, high = float(y.min()), float(y.max())
    if not high > low:
        raise BadInput(f"all targets are {low:g}; wanted targets that differ, to scale them")
    scaling = Scaling(sizes, longest * (1 + 2.0**-50), low, high)
    table = Dataset(scaling.inputs(x), scaling.targets(y), dataset.names, dataset.target_name)
    return table, scaling


def sphere_points(dimension: int, count: int, *, seed: Seed = 0) -> Array:
    """`count` points drawn from the uniform law on the sphere."""
    return _normalised(rng(seed, Role.INSTANCE).standard_normal((count, dimension)))


def clustered_points(
    dimension: int, count: int, *, clusters: int = 4, spread: float = 0.1, seed: Seed = 0
) -> Array:
    """Points on the sphere around a few centres, in shares that halve from one to the next."""
    generator = rng(seed, Role.INSTANCE)
    centres = _normalised(generator.standard_normal((clusters, dimension)))
    shares = 0.5 ** np.arange(clusters)
    chosen = generator.choice(clusters, size=count, p=shares / shares.sum())
    moved = centres[chosen] + spread * generator.standard_normal((count, dimension))
    return _normalised(moved)


def straddling_points(direction: Array, count: int, *, gap: float = 0.05, seed: Seed = 0) -> Array:
    """Pairs on either side of the plane across `direction`, `gap` from it: hard for polynomials.

    They are the small support that an adversary against a smooth approximation of the ReLU picks:
    all mass is where the kink is.
    """
    w = np.asarray(direction, float)
    w = w / np.linalg.norm(w)
    if not 0 < gap < 1:
        raise BadInput(f"gap is {gap!r}; wanted one in (0, 1)")
    flat = rng(seed, Role.INSTANCE).standard_normal((-(-count // 2), len(w)))
    flat = _normalised(flat - np.outer(flat @ w, w)) * np.sqrt(1 - gap**2)
    pairs = np.stack([flat + gap * w, flat - gap * w], axis=1)
    return np.asarray(pairs.reshape(-1, len(w))[:count])


def cube_points(dimension: int) -> Array:
    """All points of the cube {-1, 1}^n, divided by sqrt n so that they lie on the sphere."""
    if not 1 <= dimension <= LARGEST_CUBE:
        raise BadInput(f"dimension is {dimension!r}; wanted 1 to {LARGEST_CUBE}: 2^n points")
    signs = 1.0 - 2.0 * (np.arange(1 << dimension)[:, None] >> np.arange(dimension) & 1)
    return np.asarray(signs / np.sqrt(dimension))


def repeated(points: Array, times: NDArray[np.int64]) -> Array:
    """Each point so many times: a finite law with rational weights, as rows of equal weight."""
    counts = np.asarray(times)
    if counts.shape != (len(points),) or counts.dtype.kind not in "iu" or (counts < 0).any():
        raise BadInput(f"times has shape {counts.shape}; wanted a whole number >= 0 a point")
    return np.asarray(np.repeat(points, counts, axis=0))


def _normalised(points: Array) -> Array:
    return np.asarray(points / np.linalg.norm(points, axis=1, keepdims=True))
