"""Conditional Hermite means when labels are noisy, and the best transform of a label: floats.

Nothing here is proved: results are estimates, their errors differences of two rules.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, final

import numpy as np

from sqsim.errors import BadInput
from sqsim.gaussian import BASE_KNOTS
from sqsim.links import Link
from sqsim.lowerbounds.branches import Shape
from sqsim.lowerbounds.conditional import check_max_degree, increasing_core
from sqsim.lowerbounds.levels import shape_of
from sqsim.lowerbounds.precision import working_bits
from sqsim.lowerbounds.quantities import Estimate
from sqsim.lowrank import Array
from sqsim.special import hermite_functions

Kernel = Callable[[Any, Any], Any]
"""Density, or probability, of the label: (labels of shape (m, 1), points (1, n)) to (m, n)."""

REACH = 7.5
NODES = 8
BLOCK = 2**21
MOST_PAIRS = 2 * 10**9
METHOD = "quadrature; difference of two rules"


def kernel_lambda_squared(
    kernel: Kernel,
    *,
    labels: Sequence[float],
    weights: Sequence[float] | None = None,
    kinks: Sequence[float] = (),
    max_degree: int = 8,
    panels: int = 400,
) -> tuple[Estimate, ...]:
    """lambda_1^2, ..., lambda_max_degree^2 for a label with P(y | z) given by a function.

    lambda_k^2 = sum over y of w(y) E[h_k(Z) p(y | Z)]^2 / E[p(y | Z)].

    Parameters
    ----------
    kernel : function
        p(y | z), vectorised: labels come as a column, points as a row.
    labels : values of y: all of them, or the nodes of a quadrature rule.
    weights : of that rule; 1 for a finite alphabet.
    kinks : points z where p jumps or bends.
    panels : of eight Gauss-Legendre nodes each, on |z| <= 7.5; the error is the difference from
        half as many.
    """
    check_max_degree(max_degree)
    y = np.asarray(labels, dtype=np.float64)
    w = np.ones_like(y) if weights is None else np.asarray(weights, dtype=np.float64)
    if y.ndim != 1 or w.shape != y.shape or not len(y) or not np.isfinite(y).all():
        raise BadInput(f"labels of shape {y.shape} and weights of shape {w.shape}; wanted (m,)")
    knots = np.concatenate([BASE_KNOTS, np.asarray(kinks, dtype=np.float64)])
    ends: Array = np.linspace(-REACH, REACH, panels + 1)
    inner = knots[np.abs(knots) < REACH]
    fine = _energies(kernel, y, w, np.unique(np.concatenate([ends, inner])), max_degree)
    coarse = _energies(kernel, y, w, np.unique(np.concatenate([ends[::2], inner])), max_degree)
    return _estimates(fine, coarse)


def noisy_lambda_squared(link: Link, *, noise: float, max_degree: int = 8) -> tuple[Estimate, ...]:
    """lambda_1^2, ..., lambda_max_degree^2 for y = link(Z) + noise N(0, 1).

    Parameters
    ----------
    noise : float
        Standard deviation, positive.  Cost: the square of the link's variation on |z| <= 7.5 in
        units of the noise; what is beyond patience is refused with the number.
    """
    check_max_degree(max_degree)
    if not 0 < noise < math.inf:
        raise BadInput(f"noise is {noise}; wanted a positive standard deviation")
    _refuse_beyond_patience(link, noise)
    results = []
    for coarseness in (1.0, 2.0):
        ends = _adapted(link, noise * coarseness)
        values = link(ends)
        low, high = float(np.min(values)) - 9 * noise, float(np.max(values)) + 9 * noise
        step = coarseness * noise / 8
        count = math.ceil((high - low) / step)
        # The trapezoidal rule converges exponentially for smooth functions on the line.
        y: Array = np.asarray(low + step * np.arange(count + 1), dtype=np.float64)
        scale = 1 / (noise * math.sqrt(2 * math.pi))

        def density(labels: Array, points: Array, scale: float = scale) -> Array:
            return np.asarray(scale * np.exp(-(((labels - link(points)) / noise) ** 2) / 2))

        results.append(_energies(density, y, np.full(len(y), step), ends, max_degree))
    return _estimates(*results)


def _refuse_beyond_patience(link: Link, noise: float) -> None:
    values = link(np.linspace(-REACH, REACH, 3001))
    labels = 8 * (float(np.ptp(values)) / noise + 18)
    points = NODES * (300 + float(np.sum(np.abs(np.diff(values)))) / noise)
    if not labels * points <= MOST_PAIRS:
        raise BadInput(
            f"about {labels:.2g} labels times {points:.2g} points are too many at noise {noise}; "
            "use more noise, or lambda_squared without noise"
        )


def _estimates(fine: Array, coarse: Array) -> tuple[Estimate, ...]:
    """The fine rule; its error the difference, and ten times E[h_k^2; |Z| > reach]."""
    z = np.linspace(REACH, 2 * REACH, 4001)
    step = REACH / 4000
    squares = hermite_functions(z, len(fine))[1:] ** 2 * np.exp(-z * z / 2)
    beyond = 2 * step * squares.sum(axis=1) / math.sqrt(2 * math.pi)
    return tuple(
        Estimate(float(a), float(abs(a - b) + 10 * c + 1e-12), METHOD)
        for a, b, c in zip(fine, coarse, beyond, strict=True)
    )


def _adapted(link: Link, noise: float) -> Array:
    """Ends of panels on which the link changes by no more than twice the noise."""
    kinks = [k for k in link.kinks if abs(k) < REACH]
    ends = np.unique(np.concatenate([np.linspace(-REACH, REACH, 151), kinks]))
    for _ in range(24):
        change = np.abs(np.diff(link(ends)))
        wide = (change > 2 * noise) & (np.diff(ends) > 1e-6)
        if not wide.any():
            break
        ends = np.sort(np.concatenate([ends, ((ends[1:] + ends[:-1]) / 2)[wide]]))
    return np.asarray(ends)


def _energies(kernel: Kernel, y: Array, w: Array, ends: Array, degree: int) -> Array:
    """sum of w E[h_k p]^2 / E[p], k = 1, ..., degree, over Gauss-Legendre panels."""
    nodes, masses = np.polynomial.legendre.leggauss(NODES)
    half = np.diff(ends)[:, None] / 2
    z = ((ends[:-1, None] + half) + half * nodes).ravel()
    mass = (half * masses).ravel() * np.exp(-z * z / 2) / math.sqrt(2 * math.pi)
    basis = (hermite_functions(z, degree) * mass).T
    total = np.zeros(degree)
    block = max(1, BLOCK // len(z))
    for start in range(0, len(y), block):
        values = np.asarray(kernel(y[start : start + block, None], z[None, :]), dtype=np.float64)
        wanted = (len(y[start : start + block]), len(z))
        if values.shape != wanted or not (values >= 0).all():
            raise BadInput(f"the kernel gave shape {values.shape}; wanted {wanted} and values >= 0")
        means = values @ basis
        seen = means[:, 0] > 1e-300
        squares = means[seen, 1:] ** 2 / means[seen, :1]
        total += w[start : start + block][seen] @ squares
    return total


@final
@dataclass(frozen=True)
class LabelTransform:
    """T(y) = zeta_k(y) = E[h_k(Z) | link(Z) = y]: of all T of unit norm, it has most of degree k.

    Attributes
    ----------
    link : piecewise monotone, as in `lambda_squared`.
    degree : k.
    """

    link: Link
    degree: int

    def __post_init__(self) -> None:
        check_max_degree(self.degree)
        if self._shape is None:
            raise BadInput(f"the branches of {self.link!r} are not known; see lambda_squared")

    def __call__(self, labels: Array) -> Array:
        """Values at these labels; 0 at labels that the link does not take.

        The sum over preimages z of h_k(z) phi(z) / |g'(z)| over the same without h_k; on a flat
        piece of the link the mean of h_k over that piece.
        """
        y = np.asarray(labels, dtype=np.float64)
        top, bottom = np.zeros(y.shape), np.zeros(y.shape)
        for left, right in self._branches:
            z, inside = self._preimages(y, left, right)
            step = 1e-5 * (1 + np.abs(z))
            low, high = np.maximum(z - step, left), np.minimum(z + step, right)
            slope = np.abs(self.link(high) - self.link(low)) / (high - low)
            density = np.where(inside, np.exp(-z * z / 2), 0.0)
            weight = density / np.maximum(slope, 1e-300)
            top += weight * hermite_functions(z, self.degree)[-1]
            bottom += weight
        values = np.where(bottom > 0, top / np.where(bottom > 0, bottom, 1.0), 0.0)
        for level, mean in self._atoms:
            values = np.where(y == level, mean, values)
        if self._folded and self.degree % 2:
            values = np.zeros(y.shape)
        return values

    @cached_property
    def _shape(self) -> Shape | None:
        with working_bits(192):
            return shape_of(increasing_core(self.link))

    @property
    def _folded(self) -> bool:
        return self._shape is not None and self._shape.even

    @cached_property
    def _branches(self) -> list[tuple[float, float]]:
        assert self._shape is not None
        spans = [(float(b.left.mid()), float(b.right.mid())) for b in self._shape.branches]
        return [(max(a, -38.0), min(b, 38.0)) for a, b in spans]

    @cached_property
    def _atoms(self) -> list[tuple[float, float]]:
        assert self._shape is not None
        found = []
        for atom in self._shape.atoms:
            spans = [(max(float(a), -38.0), min(float(b), 38.0)) for a, b in atom]
            ends = np.array([t for span in spans for t in span])
            density = np.exp(-ends * ends / 2) / math.sqrt(2 * math.pi)
            primitive = -hermite_functions(ends, self.degree)[-2] * density / self.degree**0.5
            cdf = np.array([0.5 * math.erfc(-t / math.sqrt(2)) for t in ends])
            level = float(self.link(np.array([(spans[0][0] + spans[0][1]) / 2]))[0])
            signs = np.resize([-1.0, 1.0], len(ends))
            found.append((level, float(signs @ primitive / (signs @ cdf))))
        return found

    def _preimages(self, y: Array, left: float, right: float) -> tuple[Array, Array]:
        """Points of a monotone piece with these values, by bisection, and which labels it has."""
        # A jump at the end belongs to the neighbour: look at values just inside.
        inner = np.array([np.nextafter(left, right), np.nextafter(right, left)])
        at_left, at_right = self.link(inner)
        rising = at_right > at_left
        inside = (y >= min(at_left, at_right)) & (y <= max(at_left, at_right))
        a, b = np.full(y.shape, inner[0]), np.full(y.shape, inner[1])
        for _ in range(80):
            middle = (a + b) / 2
            above = (self.link(middle) > y) == rising
            a, b = np.where(above, a, middle), np.where(above, middle, b)
        return (a + b) / 2, inside
