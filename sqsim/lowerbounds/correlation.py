"""Proved correlations E[f(<x, u>) f(<x, v>)] of one function along two unit directions.

Conventions: x ~ N(0, I_d), r = <u, v>; then the correlation is kappa(r) = sum_k c_k^2 r^k (Mehler),
whatever d is.  This file does not know families or matrices.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

from flint import arb

from sqsim.errors import BadInput, NotCertified
from sqsim.links import Link
from sqsim.lowerbounds.expansions import Expansion
from sqsim.lowerbounds.integrals import LARGEST_INTEGRAL_DEGREE, Integrated
from sqsim.lowerbounds.named import expansion_of, named_expansion
from sqsim.lowerbounds.orthants import closed_correlation, mirrored_correlation
from sqsim.lowerbounds.precision import (
    Enclosure,
    Exact,
    ball,
    bits_for,
    enclose,
    exact_fraction,
    working_bits,
)
from sqsim.lowerbounds.smooth import Multiple, Without

ATTEMPTS = 6
LONG_SERIES = 300
"""From so many terms on a closed form is faster than the series."""

LONGEST_SERIES = 2**17


def pairwise_correlation(link: Link | Expansion, overlap: Exact, *, digits: int = 30) -> Enclosure:
    """E[f(<x, u>) f(<x, v>)] for unit u, v with <u, v> = overlap, x ~ N(0, I).

    For square-integrable f it is sum_k c_k^2 r^k, c_k = E[f(t) h_k(t)] (Mehler's formula).  The sum
    is cut at a degree N where |r|^(N + 1) sum_{k > N} c_k^2 is small enough, the last sum by
    Parseval; a piecewise polynomial near |r| = 1 is done by `closed_correlation` instead (Price's
    theorem), and r = 0, 1, -1 are c_0^2, E[f(t)^2] and E[f(t) f(-t)].

    Parameters
    ----------
    link : Link or Expansion
        A float parameter is the binary fraction that it holds.
    overlap : exact number in [-1, 1].
    digits : significant digits that are proved, unless the value is exactly zero.

    Raises
    ------
    NotCertified
        Where the digits are not reached: a zero of kappa, or a function without a closed form that
        would need more coefficients than can be had.
    """
    r = exact_fraction(overlap, "overlap")
    if abs(r) > 1:
        raise BadInput(f"overlap is {overlap!r}; that of two unit vectors lies in [-1, 1]")
    f = link if isinstance(link, Expansion) else expansion_of(link)
    need, extra = bits_for(digits), 32
    for _ in range(ATTEMPTS):
        value = _value(f, r, need, extra)
        if value is not None and _accurate(value, need):
            return enclose(value, digits)
        if value is None:
            break
        extra = 3 * extra + need
    raise NotCertified(
        f"the correlation at overlap {overlap} is not decided to {digits} digits: it may be "
        f"exactly zero, or its series too slow ({longest_series(f)} terms are allowed); ask for "
        "fewer digits or an overlap further from 1"
    )


def correlation_report(
    link_name: str, bias: Exact, cutoff: int | None, overlap: Exact, digits: int
) -> dict[str, Any]:
    """The `sqsim.correlation/1` object of a named link less its degrees <= cutoff."""
    f = residual_expansion(named_expansion(link_name, bias=bias), cutoff)
    found = pairwise_correlation(f, overlap, digits=digits)
    return {"schema": "sqsim.correlation/1", "lower": found.lower, "upper": found.upper}


def residual_expansion(f: Expansion, cutoff: int | None) -> Expansion:
    """f without its Hermite part of degree <= cutoff; None and -1 leave it whole."""
    if cutoff is None or cutoff == -1:
        return f
    if isinstance(cutoff, bool) or not isinstance(cutoff, int) or not 0 <= cutoff < LONGEST_SERIES:
        raise BadInput(
            f"cutoff is {cutoff!r}; wanted a whole degree from 0 to {LONGEST_SERIES - 1}, or -1 to "
            "remove nothing"
        )
    return Without(f, cutoff)


def _value(f: Expansion, r: Fraction, need: int, extra: int) -> arb | None:
    """kappa(r) by the fastest way there is, or None."""
    if r in (0, 1):
        with working_bits(need + extra + f.guard_bits(0)):
            return f.second_moment() if r else f.coefficients(0)[0] ** 2
    if abs(r) == 1 or _terms(f, r, need) > LONG_SERIES:
        with working_bits(need + extra + f.guard_bits(0)):
            value = mirrored_correlation(f) if r == -1 else closed_correlation(f, ball(r))
        if value is not None:
            return value
    return _series(f, r, need, extra)


def _terms(f: Expansion, r: Fraction, need: int) -> int:
    """Degrees until r^N alone is small; fewer where the coefficients fall fast themselves."""
    if f.top is not None:
        return f.top
    return math.ceil(need * math.log(2) / -math.log1p(-float(1 - abs(r))))


def _series(f: Expansion, r: Fraction, need: int, extra: int) -> arb | None:
    """The Mehler sum to the first of the degrees 31, 63, ... whose tail is small enough."""
    longest, degree = longest_series(f), 0
    if longest == LARGEST_INTEGRAL_DEGREE and _hopeless(f, r, need):
        return None
    while degree < longest:
        degree = min(2 * degree + 31, longest)
        with working_bits(need + extra + f.guard_bits(degree)):
            total, bound = mehler_sum(f, r, degree)
            # The middle: a ball too wide asks for more bits, not for more terms.
            if bound.is_zero() or bound * arb(2) ** (need + 2) <= abs(total.mid()):
                return total + arb(0, bound.abs_upper())
    return None


def _hopeless(f: Expansion, r: Fraction, need: int) -> bool:
    """Whether a series of costly integrals would end too early, judged by its first 16 terms.

    Squares that fall at one and a half times the pace seen so far would still leave too much.
    """
    low, high, top = 7, 15, LARGEST_INTEGRAL_DEGREE
    with working_bits(need + f.guard_bits(high)):
        squares = [c * c for c in f.coefficients(high)]
        second = f.second_moment()
        tails = [(second - sum(squares[: k + 1], arb(0))).abs_lower() for k in (low, high)]
        if not (tails[0] > tails[1] and tails[1] > 0):
            return False
        pace = (tails[1] / tails[0]).log() / (high - low)
        left = tails[1] * (pace * 3 * (top - high) / 2).exp() * abs(ball(r)) ** (top + 1)
        return bool(left * arb(2) ** need > second)


def mehler_sum(f: Expansion, r: Fraction, degree: int) -> tuple[arb, arb]:
    """sum of c_k^2 r^k over k <= degree, and a bound |r|^(degree + 1) sum_{k > degree} c_k^2.

    Runs at the working precision.
    """
    overlap, power, total, mass = ball(r), arb(1), arb(0), arb(0)
    for c in f.coefficients(degree):
        square = c * c
        mass += square
        total += square * power
        power *= overlap
    if f.top is not None and f.top <= degree:
        return total, arb(0)
    return total, abs(power) * (f.second_moment() - mass).abs_upper()


def longest_series(f: Expansion) -> int:
    """The largest degree that may be asked for."""
    match f:
        case Without(whole, _) | Multiple(whole, _):
            return longest_series(whole)
        case Integrated():
            return LARGEST_INTEGRAL_DEGREE
    return LONGEST_SERIES if f.top is None else f.top


def _accurate(value: arb, bits: int) -> bool:
    return value.is_zero() or (value.is_finite() and value.rel_accuracy_bits() >= bits)
