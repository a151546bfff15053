"""Links: the function of <v, x> in the label, with its kinks, its Gaussian smoothing and its
Hermite coefficients.

Conventions: t ~ N(0, 1); h_k = He_k / sqrt(k!), so that E[h_j h_k] = delta_jk.
This file does not know directions, inputs or noise.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property
from typing import final

import numpy as np
from scipy.special import expit, ndtr

from sqsim.errors import BadInput
from sqsim.gaussian import BASE_KNOTS, LIMIT
from sqsim.lowrank import Array
from sqsim.panels import Samples, integrate


@final
@dataclass(frozen=True, eq=False)
class Smoothed:
    """E[f(m + q Z) He_j(Z)], j = 0, 1, 2, and for each the size of what was added up on the way."""

    moments: tuple[Array, Array, Array]
    magnitudes: tuple[Array, Array, Array]


class Link(ABC):
    """A function of one Gaussian variable t."""

    @property
    def kinks(self) -> tuple[float, ...]:
        """Points where the function jumps or bends."""
        return ()

    @abstractmethod
    def __call__(self, t: Array) -> Array:
        """Values, elementwise."""

    def smoothed(self, mean: Array, deviation: float) -> Smoothed:
        """Moments of f(mean + deviation Z) against He_0, He_1, He_2 of Z ~ N(0, 1).

        `mean` is the part of t already fixed; its variance is 1 - deviation^2.
        """
        knots = [np.broadcast_to(BASE_KNOTS, (len(mean), len(BASE_KNOTS)))]
        if self.kinks:
            knots.append((np.array(self.kinks)[None, :] - mean[:, None]) / deviation)
        ordered = np.sort(np.clip(np.concatenate(knots, axis=1), -LIMIT, LIMIT), axis=1)

        def integrand(row: np.ndarray, z: Array) -> Samples:
            values = self(mean[row] + deviation * z) * np.exp(-z * z / 2) / np.sqrt(2 * np.pi)
            rows = np.stack([values, values * z, values * (z * z - 1)])
            return Samples(rows, np.abs(rows))

        result = integrate(integrand, ordered)
        m0, m1, m2 = result.values
        s0, s1, s2 = result.magnitudes
        return Smoothed((m0, m1, m2), (s0, s1, s2))

    def coefficients(self, degree: int) -> Array:
        """Hermite coefficients E[f(t) h_k(t)], k = 0..degree, in float64."""
        if degree < 0:
            raise BadInput(f"degree is {degree}; Hermite coefficients start at 0")
        result = integrate(self._against_hermite(degree), self._knots)
        return np.asarray(result.values[:, 0])

    @cached_property
    def second_moment(self) -> float:
        """E[f(t)^2], to full relative precision (nothing cancels)."""

        def integrand(row: np.ndarray, t: Array) -> Samples:
            values = self(t)[None, :] ** 2 * np.exp(-t * t / 2) / np.sqrt(2 * np.pi)
            return Samples(values, values)

        return float(integrate(integrand, self._knots).values[0, 0])

    @property
    def _knots(self) -> Array:
        kinks = [k for k in self.kinks if abs(k) < LIMIT]
        return np.sort(np.concatenate([BASE_KNOTS, kinks]))[None, :]

    def _against_hermite(self, degree: int):  # type: ignore[no-untyped-def]
        def integrand(row: np.ndarray, t: Array) -> Samples:
            values = self(t) * np.exp(-t * t / 2) / np.sqrt(2 * np.pi)
            rows = values * hermite_functions(t, degree)
            return Samples(rows, np.abs(rows))

        return integrand


def hermite_functions(t: Array, degree: int) -> Array:
    """h_0(t), ..., h_degree(t) by the normalised recurrence, (degree + 1, ...)."""
    t = np.asarray(t, dtype=np.float64)
    rows = np.empty((degree + 1, *t.shape))
    rows[0] = 1.0
    if degree:
        rows[1] = t
    for k in range(1, degree):
        rows[k + 1] = (t * rows[k] - np.sqrt(k) * rows[k - 1]) / np.sqrt(k + 1)
    return rows


def normal_density(z: Array) -> Array:
    """phi(z)."""
    return np.asarray(np.exp(-np.square(z) / 2) / np.sqrt(2 * np.pi))


def positive_part_mean(z: Array) -> Array:
    """E[(z + Z)_+] = phi(z) + z Phi(z), to full relative precision in the far tail.

    For z < -2 it is phi(z) r_0 r_1, where r_n = 1 / (x + (n + 1) r_(n + 1)), x = -z, is the
    continued fraction of the Mills ratio: every term is positive, so nothing cancels.
    """
    z = np.asarray(z, dtype=np.float64)
    result = normal_density(z) + z * ndtr(z)
    tail = z < -2.0
    if tail.any():
        x = -z[tail]
        ratio = np.zeros_like(x)
        previous = ratio
        for n in range(12 + int(360 / max(float(x.min()), 2.0) ** 2), -1, -1):
            previous, ratio = ratio, 1.0 / (x + (n + 1) * ratio)
        result[tail] = normal_density(x) * ratio * previous
    return result


@final
@dataclass(frozen=True)
class Relu(Link):
    """max(norm t + bias, 0): the neuron sigma(<w, x> + bias) along w of this norm."""

    bias: float = 0.0
    norm: float = 1.0

    def __post_init__(self) -> None:
        if not (np.isfinite(self.bias) and np.isfinite(self.norm) and self.norm > 0):
            raise BadInput(f"bias {self.bias} and norm {self.norm}: finite, and norm > 0, wanted")

    @property
    def kinks(self) -> tuple[float, ...]:
        return (-self.bias / self.norm,)

    def __call__(self, t: Array) -> Array:
        return np.maximum(self.norm * np.asarray(t) + self.bias, 0.0)

    def smoothed(self, mean: Array, deviation: float) -> Smoothed:
        z = (mean + self.bias / self.norm) / deviation
        scale = self.norm * deviation
        m0 = scale * positive_part_mean(z)
        m1 = scale * ndtr(z)
        m2 = scale * normal_density(z)
        return Smoothed((m0, m1, m2), (m0, m1, m2))

    def coefficients(self, degree: int) -> Array:
        """c_0 = phi(b) + b Phi(b), c_1 = Phi(b), c_k = h_{k-2}(-b) phi(b) / sqrt(k (k - 1))."""
        if degree < 0:
            raise BadInput(f"degree is {degree}; Hermite coefficients start at 0")
        bias = self.bias / self.norm
        rows = [float(positive_part_mean(np.array([bias]))[0]), float(ndtr(bias))]
        tail = hermite_functions(np.array(-bias), max(degree - 2, 0)) * normal_density(np.array(bias))
        rows += [float(tail[k - 2]) / np.sqrt(k * (k - 1)) for k in range(2, degree + 1)]
        return self.norm * np.array(rows[: degree + 1])


@final
@dataclass(frozen=True)
class LeakyRelu(Link):
    """max(t + bias, 0) + slope min(t + bias, 0)."""

    slope: float
    bias: float = 0.0

    @property
    def kinks(self) -> tuple[float, ...]:
        return (-self.bias,)

    def __call__(self, t: Array) -> Array:
        shifted = np.asarray(t) + self.bias
        return np.where(shifted > 0, shifted, self.slope * shifted)

    def smoothed(self, mean: Array, deviation: float) -> Smoothed:
        neuron = Relu(self.bias).smoothed(mean, deviation)
        line, rest = self.slope * (mean + self.bias), 1 - self.slope
        m0, m1, m2 = neuron.moments
        return Smoothed(
            (line + rest * m0, self.slope * deviation + rest * m1, rest * m2),
            (
                np.abs(line) + abs(rest) * m0,
                abs(self.slope) * deviation + abs(rest) * m1,
                abs(rest) * m2,
            ),
        )


@final
@dataclass(frozen=True)
class Sign(Link):
    """sign(t + bias)."""

    bias: float = 0.0

    @property
    def kinks(self) -> tuple[float, ...]:
        return (-self.bias,)

    def __call__(self, t: Array) -> Array:
        return np.sign(np.asarray(t) + self.bias)

    def smoothed(self, mean: Array, deviation: float) -> Smoothed:
        z = (mean + self.bias) / deviation
        density = 2 * normal_density(z)
        slope = -z * density
        return Smoothed(
            (ndtr(z) - ndtr(-z), density, slope), (np.ones_like(z), density, np.abs(slope))
        )


@final
@dataclass(frozen=True)
class Step(Link):
    """1 where t + bias >= 0, else 0."""

    bias: float = 0.0

    @property
    def kinks(self) -> tuple[float, ...]:
        return (-self.bias,)

    def __call__(self, t: Array) -> Array:
        return (np.asarray(t) + self.bias >= 0).astype(np.float64)

    def smoothed(self, mean: Array, deviation: float) -> Smoothed:
        z = (mean + self.bias) / deviation
        density = normal_density(z)
        share, slope = np.asarray(ndtr(z)), -z * density
        return Smoothed((share, density, slope), (share, density, np.abs(slope)))


@final
@dataclass(frozen=True)
class Sigmoid(Link):
    """1 / (1 + exp(-(t + bias)))."""

    bias: float = 0.0

    def __call__(self, t: Array) -> Array:
        return np.asarray(expit(np.asarray(t) + self.bias))


@final
@dataclass(frozen=True)
class HermiteSeries(Link):
    """sum_k weights[k] h_k(t)."""

    weights: tuple[float, ...]

    def __call__(self, t: Array) -> Array:
        rows = hermite_functions(t, len(self.weights) - 1)
        return np.asarray(np.tensordot(np.array(self.weights), rows, axes=1))

    def smoothed(self, mean: Array, deviation: float) -> Smoothed:
        """Mehler: E[h_k(mean + q Z)] = r^k h_k(mean / r) with r^2 = 1 - q^2, without dividing."""
        remaining = (1.0 - deviation) * (1.0 + deviation)
        degree = len(self.weights) - 1
        rows = np.zeros((degree + 3, *np.shape(mean)))
        rows[2] = 1.0
        for k in range(degree):
            rows[k + 3] = (mean * rows[k + 2] - remaining * np.sqrt(k) * rows[k + 1]) / np.sqrt(k + 1)
        weights = np.array(self.weights)
        order = np.arange(degree + 1.0)
        first = weights * np.sqrt(order) * deviation
        second = weights * np.sqrt(order * np.maximum(order - 1, 0)) * deviation**2
        parts = ((weights, rows[2:]), (first, rows[1:-1]), (second, rows[:-2]))
        m0, m1, m2 = (np.tensordot(w, r, axes=1) for w, r in parts)
        s0, s1, s2 = (np.tensordot(np.abs(w), np.abs(r), axes=1) for w, r in parts)
        return Smoothed((m0, m1, m2), (s0, s1, s2))

    def coefficients(self, degree: int) -> Array:
        padded = np.zeros(max(degree + 1, len(self.weights)))
        padded[: len(self.weights)] = self.weights
        return padded[: degree + 1]


@final
@dataclass(frozen=True)
class Residual(Link):
    """A link minus its Hermite part of degree <= `degree`: invisible to low-degree correlations."""

    link: Link
    degree: int

    def __post_init__(self) -> None:
        if self.degree < 0:
            raise BadInput(f"degree is {self.degree}; low-degree removal starts at degree 0")

    @cached_property
    def removed(self) -> HermiteSeries:
        """The part that was taken away."""
        return HermiteSeries(tuple(self.link.coefficients(self.degree).tolist()))

    @property
    def kinks(self) -> tuple[float, ...]:
        return self.link.kinks

    def __call__(self, t: Array) -> Array:
        return self.link(t) - self.removed(t)

    def smoothed(self, mean: Array, deviation: float) -> Smoothed:
        whole = self.link.smoothed(mean, deviation)
        low = self.removed.smoothed(mean, deviation)
        a, b = whole.moments, low.moments
        p, q = whole.magnitudes, low.magnitudes
        return Smoothed(
            (a[0] - b[0], a[1] - b[1], a[2] - b[2]), (p[0] + q[0], p[1] + q[1], p[2] + q[2])
        )

    def coefficients(self, degree: int) -> Array:
        values = self.link.coefficients(degree)
        values[: self.degree + 1] = 0.0
        return values

    @cached_property
    def second_moment(self) -> float:
        """E[f^2] by Parseval: nothing cancels while the removed part is not nearly the whole."""
        return self.link.second_moment - float(np.sum(np.square(self.removed.weights)))


def relu(bias: float = 0.0, *, norm: float = 1.0) -> Link:
    """max(norm t + bias, 0)."""
    return Relu(bias, norm)


def leaky_relu(slope: float, *, bias: float = 0.0) -> Link:
    """max(t + bias, 0) + slope min(t + bias, 0)."""
    return LeakyRelu(slope, bias)


def sign(bias: float = 0.0) -> Link:
    """sign(t + bias)."""
    return Sign(bias)


def step(bias: float = 0.0) -> Link:
    """1 where t + bias >= 0."""
    return Step(bias)


def sigmoid(bias: float = 0.0) -> Link:
    """1 / (1 + exp(-(t + bias)))."""
    return Sigmoid(bias)


def hermite(degree: int) -> Link:
    """h_degree, orthonormal."""
    if degree < 0:
        raise BadInput(f"degree is {degree}; Hermite polynomials start at 0")
    return HermiteSeries((0.0,) * degree + (1.0,))


def residual(link: Link, degree: int) -> Link:
    """The link without its Hermite part of degree <= `degree`."""
    return Residual(link, degree)

