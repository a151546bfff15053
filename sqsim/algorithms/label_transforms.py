"""Bounded transformations of the label, and the spectral starts that they allow.

A transformation T makes a label of higher information exponent one of lower: with the conditional
mean zeta_k(y) = E[h_k(Z) | y] it is k as soon as zeta_k is not 0 (Damian, Pillaud-Vivien, Lee and
Bruna, 2024).  A learner who knows the link computes zeta_k itself; it knows no direction.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from scipy.special import ndtri

from sqsim.algorithms.descent import random_direction
from sqsim.algorithms.spectral import leading_eigenvector
from sqsim.errors import BadInput
from sqsim.links import Link
from sqsim.lowrank import Array, LowRank, dense
from sqsim.problems.problem import Problem
from sqsim.queries import Ridge, Statistic
from sqsim.seeds import Seed
from sqsim.special import hermite_functions, normal_density
from sqsim.strategy import SQ, ask

CELLS = 2000
"""Parts of equal probability of the line in each bin of labels: fewer see what is not there."""

MOST_BINS, LARGEST_DEGREE = 256, 40
VANISHES = 5e-3
"""||E[h_k | bin of y]|| below which it is the grid's error: a transformation of noise."""


@final
@dataclass(frozen=True)
class LabelSteps:
    """y -> values[number of levels <= y], each value in [-1, 1].

    Attributes
    ----------
    levels : ascending.
    values : one more than levels.
    """

    levels: tuple[float, ...]
    values: tuple[float, ...]

    def __post_init__(self) -> None:
        levels, values = np.array(self.levels), np.array(self.values)
        if len(values) != len(levels) + 1 or not (np.diff(levels) > 0).all():
            raise BadInput(
                f"{len(levels)} levels and {len(values)} values; wanted ascending levels and one "
                "value more than levels"
            )
        if not (np.abs(values) <= 1).all():
            raise BadInput("values leave [-1, 1]; a transformation is a bounded query: divide it")

    def __call__(self, y: Array) -> Array:
        found = np.searchsorted(np.array(self.levels), y, side="right")
        return np.asarray(np.array(self.values)[found])

    @property
    def signs(self) -> LabelSteps:
        """The signs: of all |T| <= 1 that of zeta_k has the largest E[T(y) h_k(Z)]."""
        return _merged(np.array(self.levels), np.sign(np.array(self.values)))


Transformation = Callable[[Array], Array]


def conditional_mean(link: Link, degree: int, *, bins: int = 64) -> LabelSteps:
    """E[h_degree(Z) | bin of y] for y = link(Z) without noise, over its largest absolute value.

    By data processing E[T(y) h_k] / ||T|| of this T is at most lambda_k = ||zeta_k|| and, as bins
    are refined, tends to it.  The zero function where ||E[h_k | bin]|| is below VANISHES: that may
    be the grid's own error.

    Parameters
    ----------
    bins : int
        Of about equal probability; a value that is taken with positive probability has its own.
    """
    for name, number, most in (("degree", degree, LARGEST_DEGREE), ("bins", bins, MOST_BINS)):
        if isinstance(number, bool) or not isinstance(number, int) or not 1 <= number <= most:
            raise BadInput(f"{name} is {number!r}; wanted an integer from 1 to {most}")
    count = bins * CELLS
    ends = ndtri(np.arange(count + 1) / count)
    inner = ends[1:-1]
    # Exact over each cell: h_k phi has the primitive -h_(k-1) phi / sqrt(k).
    primitive = np.zeros(count + 1)
    primitive[1:-1] = -hermite_functions(inner, degree - 1)[-1] * normal_density(inner)
    masses = np.diff(primitive) / np.sqrt(degree)
    labels = np.asarray(link(ndtri((np.arange(count) + 0.5) / count)), dtype=np.float64)
    order = np.argsort(labels, kind="stable")
    labels, masses = labels[order], masses[order]
    cuts = _cuts(labels, bins)
    sums = np.add.reduceat(masses, np.append(0, cuts))
    shares = np.diff(np.concatenate([[0], cuts, [count]])) / count
    values = sums / shares
    largest = float(np.abs(values).max())
    if float(np.sqrt(shares @ values**2)) < VANISHES:
        return LabelSteps((), (0.0,))
    levels = (labels[cuts - 1] + labels[cuts]) / 2
    return _merged(levels, values / largest)


def transformed_start(
    problem: Problem,
    *,
    transformation: Transformation,
    levels: Sequence[float] | None = None,
    seed: Seed = 0,
) -> SQ[Array]:
    """Direction of E[T(y) x] = E[T(y) h_1(<v, x>)] v: a start for generative exponent 1.

    One round of d queries of norm at most 1.  With worst-case answers within tau it has an
    overlap of at least 1 - 2 d tau^2 / c^2 with +v or -v, c = E[T(y) h_1] (derived here: the error
    has length at most tau sqrt(d)).  Not correlational.  Damian et al. (2024).

    Parameters
    ----------
    transformation : function of labels with values in [-1, 1]
        Such as `conditional_mean(link, 1).signs`.
    levels : sequence of float, optional
        Labels at which it jumps; those of a LabelSteps unless given.
    """
    vector = yield from ask(_moment(transformation, levels, power=1))
    length = float(np.linalg.norm(vector))
    return random_direction(problem, seed=seed) if length == 0.0 else np.asarray(vector / length)


def transformed_spectral_start(
    problem: Problem,
    *,
    transformation: Transformation,
    levels: Sequence[float] | None = None,
    seed: Seed = 0,
) -> SQ[Array]:
    """Eigenvector of E[T(y) (x x' - I)] = sqrt(2) E[T(y) h_2] v v': for generative exponent 2.

    Of the largest absolute eigenvalue, up to sign.  One round of d(d + 1)/2 queries, divided by
    sqrt(2) so that their norm is at most 1.  Not correlational.  Damian et al. (2024); thresholded
    PCA is the case of T = 1(|y| >= cut).  Parameters as in `transformed_start`.
    """
    matrix = yield from ask(_moment(transformation, levels, power=2))
    return extreme_eigenvector(matrix, seed=seed)


def extreme_eigenvector(matrix: Array | LowRank, *, seed: Seed = 0) -> Array:
    """Unit eigenvector of the largest absolute eigenvalue; a random one for the zero matrix."""
    flat = dense(matrix)
    top, bottom = (leading_eigenvector(m, seed=seed) for m in (flat, -flat))
    return top if top @ flat @ top >= -(bottom @ flat @ bottom) else bottom


def _moment(
    transformation: Transformation, levels: Sequence[float] | None, *, power: int
) -> Statistic:
    """E[T(y) T_p(x)], in units of the largest norm of an entry of T_p."""
    if not callable(transformation):
        raise BadInput(f"transformation is {transformation!r}; wanted a function of labels")
    if levels is None:
        levels = transformation.levels if isinstance(transformation, LabelSteps) else ()
    names = {1: "transformed first moment", 2: "transformed second moment"}
    h = Bounded(transformation, 1.0 if power == 1 else float(np.sqrt(0.5)))
    return Statistic(Ridge(h, power=power, levels=tuple(levels)), names[power])


@final
@dataclass(frozen=True)
class Bounded:
    """y -> factor T(y), T clipped to [-1, 1]."""

    transformation: Transformation
    factor: float

    def __call__(self, y: Array) -> Array:
        values = np.asarray(self.transformation(y), dtype=np.float64)
        return np.asarray(self.factor * np.clip(values, -1.0, 1.0))


def _cuts(labels: Array, bins: int) -> Array:
    """Positions where a new bin begins: near the quantiles, and around repeated labels."""
    count = len(labels)
    new = np.flatnonzero(labels[1:] > labels[:-1]) + 1
    if not len(new):
        return np.zeros(0, dtype=np.intp)
    wanted = np.arange(1, bins) * count // bins
    at = np.searchsorted(new, wanted)
    before = new[np.maximum(at - 1, 0)]
    after = new[np.minimum(at, len(new) - 1)]
    runs = np.diff(np.concatenate([[0], new, [count]]))
    long = np.flatnonzero(runs >= CELLS // 2)
    edges = np.concatenate([[0], new, [count]])
    around = np.concatenate([edges[long], edges[long + 1]])
    near = np.where(wanted - before <= after - wanted, before, after)
    cuts = np.unique(np.concatenate([near, around]))
    return np.asarray(cuts[(cuts > 0) & (cuts < count)])


def _merged(levels: Array, values: Array) -> LabelSteps:
    """Neighbours of equal value as one step."""
    new = np.flatnonzero(values[1:] != values[:-1])
    kept = np.append(0, new + 1)
    return LabelSteps(tuple(levels[new].tolist()), tuple(values[kept].tolist()))
