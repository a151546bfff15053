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
from scipy.special import erfcx, expit, ndtr

from sqsim.errors import BadInput
from sqsim.gaussian import BASE_KNOTS, LIMIT
from sqsim.lowrank import Array
from sqsim.panels import Samples, integrate

EPSILON = 4.5e-16
"""Two units of float64 rounding."""


@final
@dataclass(frozen=True, eq=False)
class Smoothed:
    """E[f(m + q Z) He_j(Z)], j = 0, 1, 2, each array of shape (3, n).

    Attributes
    ----------
    moments : the values.
    magnitudes : sizes of what was added up on the way.
    errors : their rounding, that of the argument m included.
    """

    moments: Array
    magnitudes: Array
    errors: Array


class Link(ABC):
    """A function of one Gaussian variable t."""

    @property
    def kinks(self) -> tuple[float, ...]:
        """Points where the function jumps or bends."""
        return ()

    @abstractmethod
    def __call__(self, t: Array) -> Array:
        """Values, elementwise."""

    def rounding(self, t: Array) -> Array:
        """Error of the values, that of a rounded argument included."""
        return EPSILON * (1 + np.abs(t)) * np.abs(self(t))

    def smoothed(self, mean: Array, deviation: float) -> Smoothed:
        """Moments of f(mean + deviation Z) against He_0, He_1, He_2 of Z ~ N(0, 1).

        `mean` is the part of t already fixed; its variance is 1 - deviation^2.
        """
        knots = [np.broadcast_to(BASE_KNOTS, (len(mean), len(BASE_KNOTS)))]
        if self.kinks:
            knots.append((np.array(self.kinks)[None, :] - mean[:, None]) / deviation)
        ordered = np.sort(np.clip(np.concatenate(knots, axis=1), -LIMIT, LIMIT), axis=1)

        def integrand(row: np.ndarray, z: Array) -> Samples:
            t, density = mean[row] + deviation * z, normal_density(z)
            hermite = np.stack([np.ones_like(z), z, z * z - 1])
            rows = self(t) * density * hermite
            return Samples(rows, np.abs(rows), self.rounding(t) * density * np.abs(hermite))

        result = integrate(integrand, ordered)
        return Smoothed(result.values, result.magnitudes, result.errors)

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
            values = self(t)[None, :] ** 2 * normal_density(t)
            return Samples(values, values)

        return float(integrate(integrand, self._knots).values[0, 0])

    @property
    def _knots(self) -> Array:
        kinks = [k for k in self.kinks if abs(k) < LIMIT]
        return np.sort(np.concatenate([BASE_KNOTS, kinks]))[None, :]

    def _against_hermite(self, degree: int):  # type: ignore[no-untyped-def]
        def integrand(row: np.ndarray, t: Array) -> Samples:
            values = self(t) * normal_density(t)
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
    """phi(z), to full relative precision: the square of a float is not a float."""
    z = np.clip(np.asarray(z, dtype=np.float64), -40.0, 40.0)
    high = np.round(z * 1024) / 1024
    low = z - high
    root = np.sqrt(2 * np.pi)
    return np.asarray(np.exp(-high * high / 2) * np.exp(-low * (high + low / 2)) / root)


def positive_part_mean(z: Array) -> Array:
    """E[(z + Z)_+] = phi(z) + z Phi(z), to full relative precision in the far tail."""
    return normal_tail(np.asarray(z, dtype=np.float64))[2]


def normal_tail(z: Array) -> tuple[Array, Array, Array]:
    """phi(z), Phi(z) and phi(z) + z Phi(z), each to full relative precision.

    With the Mills ratio R they are phi, phi R and phi (1 + z R); for z < -3.5, where the last one
    cancels, R = r_0 and 1 + z R = r_0 r_1 with r_n = 1 / (x + (n + 1) r_(n + 1)), x = -z, the
    continued fraction of R: every term is positive.
    """
    density = normal_density(z)
    mills = np.sqrt(np.pi / 2) * erfcx(np.maximum(-z, 0.0) / np.sqrt(2))
    cdf = np.where(z < 0, density * mills, ndtr(z))
    part = density + z * cdf
    far = z < -3.5
    if far.any():
        x = -z[far]
        ratio = np.zeros_like(x)
        previous = ratio
        for n in range(12 + int(360 / float(x.min()) ** 2), -1, -1):
            previous, ratio = ratio, 1.0 / (x + (n + 1) * ratio)
        cdf[far] = density[far] * ratio
        part[far] = cdf[far] * previous
    return density, cdf, part


def _argument_errors(sizes: Array, reach: Array, deviation: float) -> Array:
    """Errors of E[f(m + q Z) He_j(Z)], j = 0, 1, 2, where |m_j| <= sizes[j], j = 0, ..., 4.

    The derivatives are m_(j+1) / q with respect to m, rounded relative to `reach`, and (m_(j+2) +
    j m_j) / q with respect to q, rounded relative to the unit vector that it is a part of.
    """
    order = np.arange(3.0)[:, None]
    slopes = reach * sizes[1:4] + sizes[2:5] + order * sizes[:3]
    return np.asarray(EPSILON * (sizes[:3] + slopes / deviation))


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
        errors = _argument_errors(sizes, np.abs(mean) + abs(kink), deviation)
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
        errors = _argument_errors(sizes, np.abs(mean) + abs(self.bias), deviation)
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
