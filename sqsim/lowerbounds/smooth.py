"""Smooth functions of one Gaussian variable: closed forms, and parts of other functions.

Same conventions as `expansions`; everything runs inside `working_bits`.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import final

from flint import arb

from sqsim.lowerbounds.expansions import Expansion, density, hermite_values, recurrence_guard
from sqsim.lowerbounds.integrals import Integrated
from sqsim.lowerbounds.precision import ball


@final
@dataclass(frozen=True)
class Exponential(Expansion):
    """exp(t + shift): c_k = e^(shift + 1/2) / sqrt(k!)."""

    shift: Fraction

    def guard_bits(self, degree: int) -> int:
        return 32 + degree.bit_length()

    def coefficients(self, degree: int) -> list[arb]:
        value = (ball(self.shift) + ball(Fraction(1, 2))).exp()
        return [value * r for r in _inverse_root_factorials(degree)]

    def second_moment(self) -> arb:
        return (2 * ball(self.shift) + 2).exp()


@final
@dataclass(frozen=True)
class Wave(Expansion):
    """The derivative number `turns` of sin(t + shift): turns 0 is the sine, 1 the cosine.

    c_k = e^(-1/2) sin^(k + turns)(shift) / sqrt(k!).
    """

    shift: Fraction
    turns: int

    def guard_bits(self, degree: int) -> int:
        return 32 + degree.bit_length()

    def coefficients(self, degree: int) -> list[arb]:
        sine, cosine = ball(self.shift).sin_cos()
        cycle = (sine, cosine, -sine, -cosine)
        front = ball(Fraction(-1, 2)).exp()
        roots = _inverse_root_factorials(degree)
        return [front * cycle[(k + self.turns) % 4] * r for k, r in enumerate(roots)]

    def second_moment(self) -> arb:
        part = arb(-2).exp() * (2 * ball(self.shift)).cos()
        return (1 + part) / 2 if self.turns else (1 - part) / 2


@final
@dataclass(frozen=True)
class ErrorFunction(Expansion):
    """erf(t + shift), the mean of sign(sqrt(2) (t + shift) + Z) over Z ~ N(0, 1).

    So c_k = r^k times the coefficient of sign(t + r shift), with r = sqrt(2/3).
    """

    shift: Fraction

    def guard_bits(self, degree: int) -> int:
        return recurrence_guard(abs(float(self.shift)), degree)

    def coefficients(self, degree: int) -> list[arb]:
        shift, r = ball(self.shift), ball(Fraction(2, 3)).sqrt()
        h = hermite_values(-r * shift, degree)
        front = 2 * density(r * shift)
        values = [(shift / arb(3).sqrt()).erf()]
        power = arb(1)
        for k in range(1, degree + 1):
            power *= r
            values.append(front * power * h[k - 1] / arb(k).sqrt())
        return values

    def second_moment(self) -> arb:
        if self.shift == 0:
            return 2 * ball(Fraction(2, 3)).asin() / arb.pi()
        shift = ball(self.shift)
        return Integrated(lambda z, analytic: (z + shift).erf()).second_moment()


@final
@dataclass(frozen=True)
class Series(Expansion):
    """sum_k weights[k] h_k."""

    weights: tuple[Fraction, ...]

    @property
    def top(self) -> int | None:
        return max((k for k, w in enumerate(self.weights) if w), default=0)

    def guard_bits(self, degree: int) -> int:
        return 32

    def coefficients(self, degree: int) -> list[arb]:
        padded = (*self.weights, *[Fraction(0)] * (degree + 1))
        return [ball(w) for w in padded[: degree + 1]]

    def second_moment(self) -> arb:
        return ball(sum((w * w for w in self.weights), Fraction(0)))


@final
@dataclass(frozen=True)
class Without(Expansion):
    """A function less its Hermite part of degree <= `degree`."""

    whole: Expansion
    degree: int

    @property
    def top(self) -> int | None:
        return self.whole.top

    def guard_bits(self, degree: int) -> int:
        return self.whole.guard_bits(max(degree, self.degree))

    def coefficients(self, degree: int) -> list[arb]:
        values = self.whole.coefficients(degree)
        low = min(degree, self.degree) + 1
        return [arb(0)] * low + values[low:]

    def second_moment(self) -> arb:
        if self.top is not None and self.top <= self.degree:
            return arb(0)
        low = self.whole.coefficients(self.degree)
        return self.whole.second_moment() - sum((c * c for c in low), arb(0))


@final
@dataclass(frozen=True)
class Multiple(Expansion):
    """factor times a function."""

    whole: Expansion
    factor: Fraction

    @property
    def top(self) -> int | None:
        return self.whole.top

    def guard_bits(self, degree: int) -> int:
        return self.whole.guard_bits(degree)

    def coefficients(self, degree: int) -> list[arb]:
        return [ball(self.factor) * c for c in self.whole.coefficients(degree)]

    def second_moment(self) -> arb:
        return ball(self.factor) ** 2 * self.whole.second_moment()


def _inverse_root_factorials(degree: int) -> list[arb]:
    """1 / sqrt(k!), k = 0, ..., degree."""
    square, values = arb(1), [arb(1)]
    for k in range(1, degree + 1):
        square /= k
        values.append(square.sqrt())
    return values
