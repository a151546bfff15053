"""Links by name: the function of <v, x> in the label, with its kinks, its Gaussian smoothing and
its Hermite coefficients.

Conventions: t ~ N(0, 1); h_k = He_k / sqrt(k!), so that E[h_j h_k] = delta_jk.
This file does not know directions, inputs or noise.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import final

import numpy as np
from scipy.special import expit, ndtr

from sqsim.errors import BadInput
from sqsim.lowrank import Array
from sqsim.smoothing import EPSILON, Link, Smoothed, argument_errors
from sqsim.special import hermite_functions, normal_tail

__all__ = [
    "HermiteSeries",
    "LeakyRelu",
    "Link",
    "Relu",
    "Residual",
    "Scaled",
    "Sigmoid",
    "Sign",
    "Step",
    "hermite",
    "leaky_relu",
    "relu",
    "residual",
    "sigmoid",
    "sign",
    "step",
]


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
        kink = self.bias / self.norm
        z = (mean + kink) / deviation
        density, cdf, part = normal_tail(z)
        sizes = np.stack([part, cdf, density, np.abs(z) * density, (z * z + 1) * density])
        sizes *= self.norm * deviation
        errors = argument_errors(sizes, np.abs(mean) + abs(kink), deviation)
        return Smoothed(sizes[:3], sizes[:3], errors)

    def rounding(self, t: Array) -> Array:
        return EPSILON * (self.norm * np.abs(t) + abs(self.bias)) * (self(t) > 0)

    def coefficients(self, degree: int) -> Array:
        """c_0 = phi(b) + b Phi(b), c_1 = Phi(b), c_k = h_{k-2}(-b) phi(b) / sqrt(k (k - 1))."""
        if degree < 0:
            raise BadInput(f"degree is {degree}; Hermite coefficients start at 0")
        bias = self.bias / self.norm
        density, cdf, part = (float(values[0]) for values in normal_tail(np.array([bias])))
        rows = [part, cdf]
        tail = hermite_functions(np.array(-bias), max(degree - 2, 0)) * density
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
        straight = np.stack([line, np.full_like(line, self.slope * deviation), np.zeros_like(line)])
        size = abs(self.slope) * (np.abs(mean) + abs(self.bias))
        return Smoothed(
            straight + rest * neuron.moments,
            np.abs(straight) + abs(rest) * neuron.magnitudes,
            EPSILON * np.stack([size, 0 * size + abs(self.slope), 0 * size])
            + abs(rest) * neuron.errors,
        )

    def rounding(self, t: Array) -> Array:
        slope = np.where(t + self.bias > 0, 1.0, abs(self.slope))
        return EPSILON * slope * (np.abs(t) + abs(self.bias))


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
        step = Step(self.bias).smoothed(mean, deviation)
        z = (mean + self.bias) / deviation
        moments = 2 * step.moments
        moments[0] = ndtr(z) - ndtr(-z)
        sizes = np.abs(moments)
        sizes[0] = 1.0
        return Smoothed(moments, sizes, 2 * step.errors + EPSILON * sizes)


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
        density, cdf, _ = normal_tail(z)
        moments = np.stack([cdf, density, -z * density])
        a = np.abs(z)
        hermite = np.stack([np.ones_like(a), a, a * a + 1, a**3 + 3 * a])
        sizes = np.concatenate([cdf[None, :], density * hermite])
        errors = argument_errors(sizes, np.abs(mean) + abs(self.bias), deviation)
        return Smoothed(moments, sizes[:3], errors)


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
        return np.asarray(np.tensordot(self._weights, rows, axes=1))

    def smoothed(self, mean: Array, deviation: float) -> Smoothed:
        """Mehler: E[h_k(mean + q Z)] = r^k h_k(mean / r) with r^2 = 1 - q^2, without dividing."""
        remaining = (1.0 - deviation) * (1.0 + deviation)
        degree = len(self.weights) - 1
        rows = np.zeros((degree + 3, *np.shape(mean)))
        rows[2] = 1.0
        for k in range(degree):
            rows[k + 3] = (mean * rows[k + 2] - remaining * np.sqrt(k) * rows[k + 1]) / np.sqrt(
                k + 1
            )
        order = np.arange(degree + 1.0)
        first = np.sqrt(order) * deviation
        second = np.sqrt(order * np.maximum(order - 1, 0)) * deviation**2
        by_moment = [(self._weights, rows[2:]), (first * self._weights, rows[1:-1])]
        by_moment.append((second * self._weights, rows[:-2]))
        sizes = np.stack([np.abs(w) @ np.abs(h) for w, h in by_moment])
        moments = np.stack([w @ h for w, h in by_moment])
        # The angle is known to rounding, and moment j has the factor deviation^j.
        units = degree + 2 + np.arange(3.0)[:, None] / deviation
        return Smoothed(moments, sizes, EPSILON * units * sizes)

    def rounding(self, t: Array) -> Array:
        rows = np.abs(hermite_functions(t, len(self.weights) - 1))
        return np.asarray(EPSILON * (len(self.weights) + 1) * (np.abs(self._weights) @ rows))

    @cached_property
    def _weights(self) -> Array:
        return np.array(self.weights)

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
        return Smoothed(
            whole.moments - low.moments,
            whole.magnitudes + low.magnitudes,
            whole.errors + low.errors,
        )

    def rounding(self, t: Array) -> Array:
        return self.link.rounding(t) + self.removed.rounding(t)

    def coefficients(self, degree: int) -> Array:
        values = self.link.coefficients(degree)
        values[: self.degree + 1] = 0.0
        return values

    @cached_property
    def second_moment(self) -> float:
        """E[f^2] by Parseval: nothing cancels while the removed part is not nearly the whole."""
        return self.link.second_moment - float(np.sum(np.square(self.removed.weights)))


@final
@dataclass(frozen=True)
class Scaled(Link):
    """factor times a link."""

    link: Link
    factor: float

    @property
    def kinks(self) -> tuple[float, ...]:
        return self.link.kinks

    def __call__(self, t: Array) -> Array:
        return self.factor * self.link(t)

    def smoothed(self, mean: Array, deviation: float) -> Smoothed:
        whole, size = self.link.smoothed(mean, deviation), abs(self.factor)
        return Smoothed(self.factor * whole.moments, size * whole.magnitudes, size * whole.errors)

    def rounding(self, t: Array) -> Array:
        return abs(self.factor) * self.link.rounding(t)

    def coefficients(self, degree: int) -> Array:
        return self.factor * self.link.coefficients(degree)

    @cached_property
    def second_moment(self) -> float:
        """factor^2 E[f^2]."""
        return self.factor**2 * self.link.second_moment


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
