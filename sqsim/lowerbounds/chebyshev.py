"""Chebyshev truncations of piecewise polynomials on [-1, 1], with their sup errors, proved.

For |t| everything is in closed form, at any degree.  Everything runs inside `working_bits`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import final

from flint import arb, arb_poly, fmpq_poly, fmpz_poly

from sqsim.errors import BadInput
from sqsim.lowerbounds.expansions import Piecewise, Polynomial
from sqsim.lowerbounds.precision import ball, rational, working_precision
from sqsim.lowerbounds.suprema import LARGEST_DEGREE, largest_error

LARGEST_CLOSED = 20_000
ZERO = Fraction(0)


@final
@dataclass(frozen=True)
class OneKink:
    """height + slope t + jump |t|."""

    height: Fraction
    slope: Fraction
    jump: Fraction


@final
@dataclass(frozen=True, eq=False)
class Truncation:
    """sum over k <= n of c_k T_k: coefficients of 1, t, t^2, ..., and max |f - p|."""

    coefficients: tuple[arb, ...]
    sup_error: arb


def one_kink(f: Piecewise) -> OneKink | None:
    """ReLU, leaky ReLU, |t| and their like; None for other functions."""
    if f.breaks != (ZERO,) or any(len(p) > 2 for p in f.pieces):
        return None
    (height, left), (_, right) = ((*p, ZERO, ZERO)[:2] for p in f.pieces)
    return OneKink(height, (left + right) / 2, (right - left) / 2)


def chebyshev_truncation(f: Piecewise, degree: int) -> Truncation:
    """The Chebyshev series of f up to this degree.

    |t| = 2/pi - (4/pi) sum over k >= 1 of (-1)^k T_2k / (4 k^2 - 1).  Derived here:

    - The error up to degree 2m is largest at 0, where T_2k = (-1)^k makes all terms of one sign,
      and is (4/pi) sum over k > m of 1 / (4 k^2 - 1) = 2 / (pi (2m + 1)), as |T_2k| <= 1 anywhere
      and the sum telescopes.  The ReLU, (t + |t|) / 2, has half of it.
    - The coefficient of t^2j is (-1)^(j+1) 2 4^j (m + j)! / (pi (2m + 1) (2j - 1) (2j)! (m - j)!):
      those of T_2k, for k = j, ..., m, have signs that make the sum one of positive terms, and it
      telescopes (Gosper).
    """
    kink = one_kink(f)
    top = LARGEST_DEGREE if kink is None else LARGEST_CLOSED
    if isinstance(degree, bool) or not isinstance(degree, int) or not 0 <= degree <= top:
        raise BadInput(f"degree is {degree!r}; wanted a whole number from 0 to {top}")
    return _general(f, degree) if kink is None else _closed(kink, degree)


def truncation_error(kink: OneKink, degree: int) -> arb:
    """Its sup error in closed form."""
    largest = 2 * ball(abs(kink.jump)) / (arb.pi() * (2 * (degree // 2) + 1))
    if degree or not kink.slope:
        return largest
    # A constant leaves the slope: the error is then linear on [-1, 0] and on [0, 1].
    return largest.max(abs(ball(kink.slope)) + abs(ball(kink.jump)) * (1 - 2 / arb.pi()))


def _closed(kink: OneKink, degree: int) -> Truncation:
    half = degree // 2
    coefficients = [arb(0)] * (degree + 1)
    scale = 2 * ball(kink.jump) / (arb.pi() * (2 * half + 1))
    value = arb(1)
    for j in range(half + 1):
        coefficients[2 * j] = scale * value * (-1) ** (j + 1) / (2 * j - 1)
        value = value * (4 * (half + j + 1) * (half - j)) / ((2 * j + 1) * (2 * j + 2))
    coefficients[0] += ball(kink.height)
    if degree:
        coefficients[1] += ball(kink.slope)
    return Truncation(tuple(coefficients), truncation_error(kink, degree))


def _general(f: Piecewise, degree: int) -> Truncation:
    """The error of a rational neighbour, widened by how far the neighbour is."""
    exact, rounded, moved = arb_poly([0]), fmpq_poly([0]), arb(0)
    bits = working_precision()
    for k, c in enumerate(_series(f, degree)):
        first = fmpz_poly.chebyshev_t(k)
        mantissa, exponent = c.mid().man_exp()
        near = Fraction(int(mantissa)) * Fraction(2) ** int(exponent)
        near = Fraction(round(near * 2**bits), 2**bits)
        exact += arb_poly(first) * c
        rounded += fmpq_poly(first) * rational(near)
        moved += abs(c - ball(near))
    found = largest_error(f, rounded)
    coefficients = [*exact.coeffs(), *[arb(0)] * degree][: degree + 1]
    return Truncation(tuple(coefficients), found + (-moved).union(moved))


def _series(f: Piecewise, degree: int) -> list[arb]:
    """c_k = (2/pi) times the integral of f(cos u) cos(ku) over [0, pi], half of it for k = 0."""
    angles = [ball(t).acos() for t in (Fraction(-1), *f.breaks, Fraction(1))]
    total = [arb(0)] * (degree + 1)
    for (right, left), piece in zip(pairwise(angles), f.pieces, strict=True):
        for i, weight in enumerate(_in_chebyshev(piece)):
            for k in range(degree + 1):
                total[k] += ball(weight) * (
                    _cosine(i + k, left, right) + _cosine(i - k, left, right)
                )
    return [c / arb.pi() / (1 if k else 2) for k, c in enumerate(total)]


def _cosine(turns: int, left: arb, right: arb) -> arb:
    """The integral of cos(turns u) over [left, right]."""
    if not turns:
        return right - left
    return ((turns * right).sin() - (turns * left).sin()) / turns


def _in_chebyshev(p: Polynomial) -> list[Fraction]:
    """t^j = 2^-j sum over i of C(j, i) T_|j - 2i|."""
    weights = [ZERO] * len(p)
    for j, c in enumerate(p):
        for i in range(j + 1):
            weights[abs(j - 2 * i)] += c * math.comb(j, i) / 2**j
    return weights
