"""Functions of one Gaussian variable whose Hermite coefficients are known in closed form.

Conventions: t ~ N(0, 1), phi and Q its density and upper tail; h_k = He_k / sqrt(k!), so that
E[h_j h_k] = delta_jk.  Everything here runs at FLINT's working precision, inside `working_bits`.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise, zip_longest
from typing import final

from flint import arb

from sqsim.errors import BadInput
from sqsim.lowerbounds.precision import ball

Polynomial = tuple[Fraction, ...]
"""Coefficients of 1, t, t^2, ..."""


class Expansion(ABC):
    """A square-integrable function, given by its exact parameters."""

    @property
    def top(self) -> int | None:
        """Every coefficient above this degree is zero; None where that is not known."""
        return None

    @abstractmethod
    def guard_bits(self, degree: int) -> int:
        """Bits that the computation up to this degree is expected to lose."""

    @abstractmethod
    def coefficients(self, degree: int) -> list[arb]:
        """E[f(t) h_k(t)], k = 0, ..., degree."""

    @abstractmethod
    def second_moment(self) -> arb:
        """E[f(t)^2]."""


def density(t: arb) -> arb:
    """phi(t)."""
    return (-t * t / 2).exp() / (2 * arb.pi()).sqrt()


def upper_tail(t: arb) -> arb:
    """Q(t) = P(Z > t)."""
    return (t / arb(2).sqrt()).erfc() / 2


def hermite_values(t: arb, degree: int) -> list[arb]:
    """h_0(t), ..., h_degree(t).

    Runs on e_2m = He_2m / (2^m m!) and e_2m+1 = He_2m+1 / (2^m m!), which need no square roots:
    h_2m = T_m e_2m and h_2m+1 = T_m e_2m+1 / sqrt(2m + 1) with T_m^2 = (2m)!! / (2m - 1)!!.
    """
    even, odd, square = arb(1), t, arb(1)
    values: list[arb] = []
    for m in range(degree // 2 + 1):
        norm = square.sqrt()
        values += [even * norm, odd * norm / arb(2 * m + 1).sqrt()]
        even = (t * odd - (2 * m + 1) * even) / (2 * m + 2)
        odd = t * even - odd
        square = square * (2 * m + 2) / (2 * m + 1)
    return values[: degree + 1]


def recurrence_guard(reach: float, degree: int) -> int:
    """Growth of the ball recurrence, about exp(min(|t| sqrt(degree), degree)), and a margin."""
    growth = min(reach * math.sqrt(degree + 1), degree)
    loss = 1.4427 * growth + 2 * math.log2(degree + 2) + 16
    return math.ceil(loss)


@final
@dataclass(frozen=True)
class Piecewise(Expansion):
    """A polynomial between any two neighbouring breaks.

    Attributes
    ----------
    breaks : increasing rationals.
    pieces : coefficients of 1, t, t^2, ... on each of the len(breaks) + 1 intervals.
    """

    breaks: tuple[Fraction, ...]
    pieces: tuple[Polynomial, ...]

    def __post_init__(self) -> None:
        rising = all(a < b for a, b in pairwise(self.breaks))
        if not rising or len(self.pieces) != len(self.breaks) + 1:
            raise BadInput("breaks must increase, and there is one piece more than breaks")

    @property
    def top(self) -> int | None:
        if self._essential().breaks:
            return None
        return max(len(trimmed(self.pieces[0])) - 1, 0)

    def guard_bits(self, degree: int) -> int:
        reach = max((abs(float(t)) for t in self.breaks), default=0.0)
        order = max(map(len, self.pieces))
        # Low degrees: truncated moments cancel like a few powers of the break.
        return recurrence_guard(reach, degree) + math.ceil(4 * order * math.log2(2 + reach))

    def coefficients(self, degree: int) -> list[arb]:
        """Even and odd part apart where the breaks allow it: then exact zeros come out as such."""
        f = self._essential()
        if not f.breaks or f.breaks != tuple(-t for t in reversed(f.breaks)):
            return f._whole(degree)
        values = [arb(0)] * (degree + 1)
        for parity in (0, 1):
            values[parity::2] = f._part(parity)._whole(degree)[parity::2]
        return values

    def second_moment(self) -> arb:
        square = Piecewise(self.breaks, tuple(product(p, p) for p in self.pieces))
        return square.coefficients(0)[0]

    def jumps(self) -> list[tuple[Fraction, list[Fraction]]]:
        """Breaks where something happens, each with the jumps of f, f', f'', ... there."""
        f = self._essential()
        return [(point, f._jumps(i)) for i, point in enumerate(f.breaks)]

    def _whole(self, degree: int) -> list[arb]:
        """E[p h_k] + sum over breaks s and jumps J_j of f^(j) of J_j E[(t - s)_+^j h_k] / j!.

        The last mean is phi(s) h_n(s) sqrt(n! / k!) with n = k - 1 - j >= 0; for k <= j it is
        I_(j-k)(s) / sqrt(k!), where I_n(s) = E[(t - s)_+^n] / n! has n I_n = I_n-2 - s I_n-1.
        """
        values = [arb(0)] * (degree + 1)
        for k, weight in enumerate(_hermite_weights(self.pieces[0])[: degree + 1]):
            values[k] = ball(weight) * arb(math.factorial(k)).sqrt()
        for i, point in enumerate(self.breaks):
            jumps, s = self._jumps(i), ball(point)
            if not any(jumps):
                continue
            phi, h = density(s), hermite_values(s, degree)
            moments = truncated_moments(s, phi, len(jumps))
            for j, jump in ((j, ball(jump)) for j, jump in enumerate(jumps) if jump):
                for k in range(min(j, degree) + 1):
                    values[k] += jump * moments[j - k] / arb(math.factorial(k)).sqrt()
                front = jump * phi
                for k in range(j + 1, degree + 1):
                    values[k] += front * h[k - 1 - j] / arb(math.perm(k, j + 1)).sqrt()
        return values

    def _jumps(self, i: int) -> list[Fraction]:
        """Jumps of f, f', f'', ... at break i."""
        left, right = (_derivatives(p, self.breaks[i]) for p in self.pieces[i : i + 2])
        return [b - a for a, b in zip_longest(left, right, fillvalue=Fraction(0))]

    def _essential(self) -> Piecewise:
        """The same function without the breaks where nothing happens."""
        kept = [i for i in range(len(self.breaks)) if any(self._jumps(i))]
        pieces = (self.pieces[0], *(self.pieces[i + 1] for i in kept))
        return Piecewise(tuple(self.breaks[i] for i in kept), pieces)

    def _part(self, parity: int) -> Piecewise:
        """The even part (0) or the odd part (1), where the breaks are symmetric."""
        pieces = []
        for p, q in zip(self.pieces, reversed(self.pieces), strict=True):
            back = (c * (-1) ** (m + parity) for m, c in enumerate(q))
            pairs = zip_longest(p, back, fillvalue=Fraction(0))
            pieces.append(tuple((a + b) / 2 for a, b in pairs))
        return Piecewise(self.breaks, tuple(pieces))


def trimmed(p: Polynomial) -> Polynomial:
    """Without leading zeros."""
    size = max((m + 1 for m, c in enumerate(p) if c), default=0)
    return p[:size]


def product(p: Polynomial, q: Polynomial) -> Polynomial:
    """p q."""
    out = [Fraction(0)] * max(len(p) + len(q) - 1, 0)
    for i, a in enumerate(p):
        for j, b in enumerate(q):
            out[i + j] += a * b
    return tuple(out)


def _derivatives(p: Polynomial, at: Fraction) -> list[Fraction]:
    """p(at), p'(at), p''(at), ..."""
    values, rest = [], list(p)
    while rest:
        value = Fraction(0)
        for c in reversed(rest):
            value = value * at + c
        values.append(value)
        rest = [m * c for m, c in enumerate(rest)][1:]
    return values


def _hermite_weights(p: Polynomial) -> list[Fraction]:
    """w with p = sum_k w_k He_k, by Horner and t He_k = He_k+1 + k He_k-1."""
    weights: list[Fraction] = []
    for c in reversed(p):
        raised = [Fraction(0), *weights]
        for k in range(1, len(weights)):
            raised[k - 1] += k * weights[k]
        raised[0] += c
        weights = raised
    return weights


def truncated_moments(s: arb, phi: arb, count: int) -> list[arb]:
    """I_0(s), ..., I_(count-1)(s), where I_n(s) = E[(t - s)_+^n] / n!."""
    before, moments = phi, [upper_tail(s)]
    for n in range(1, count):
        moments.append((before - s * moments[-1]) / n)
        before = moments[-2]
    return moments
