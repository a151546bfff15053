"""The best uniform approximation of a continuous function on [-1, 1], proved from both sides.

From below: an error that alternates in sign at n + 2 points is nowhere better than its smallest
value there (de la Vallee-Poussin).  From above: the largest error of the polynomial itself.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import final

import numpy as np
from flint import arb, arb_mat, arb_poly, fmpq_poly, fmpz_poly

from sqsim.errors import BadInput, NotCertified
from sqsim.lowerbounds.expansions import Piecewise, Polynomial
from sqsim.lowerbounds.levels import parts_of
from sqsim.lowerbounds.precision import Enclosure, ball, bits_for, enclose, rational, working_bits
from sqsim.lowerbounds.suprema import largest_error
from sqsim.lowrank import Array
from sqsim.remez import Equioscillation, equioscillation

LARGEST_DEGREE = 256
STEPS = 12


@final
@dataclass(frozen=True, eq=False)
class Best:
    """A polynomial that is the best one but for rounding.

    Attributes
    ----------
    polynomial : exact coefficients of 1, t, t^2, ...
    sup_error : holds max |f - p| of this p, and the smallest one that any p of the degree has.
    alternation : points at which f - p alternates in sign.
    """

    polynomial: fmpq_poly
    sup_error: Enclosure
    alternation: tuple[Fraction, ...]


@final
@dataclass(frozen=True)
class Symmetric:
    """What is left to approximate: an even or odd part on [0, 1], or all of f on [-1, 1].

    f = part + rest with rest a polynomial of degree <= n of the other parity.  The best p of an
    even f is even (the mean of p(t) and p(-t) is no worse), and even polynomials are a Haar system
    on [0, 1], odd ones on (0, 1]: so alternation on that half alone proves the lower bound.
    """

    part: Piecewise
    rest: Polynomial
    degrees: tuple[int, ...]
    start: int


def best_approximation(f: Piecewise, degree: int, *, digits: int = 20) -> Best:
    """The best polynomial of degree <= `degree`, its error proved to this many digits.

    Parameters
    ----------
    f : of `suprema.on_the_interval`.
    degree : up to 256.

    Raises
    ------
    BadInput
        If f is a polynomial of such a degree.
    NotCertified
        If the two sides do not meet to that many digits.

    Notes
    -----
    Remez's exchange in floats, then Newton's method for its conditions at many digits: about
    degree^3 / 8 operations on numbers of that many digits for an even or odd f.
    """
    core = symmetric(f, degree)
    start = exchanged(core)
    for attempt in (1, 2, 4):
        bits = attempt * bits_for(digits)
        with working_bits(2 * bits + 3 * degree + 128):
            found = _bracketed(f, core, start, bits + 40, digits)
            if found.sup_error.digits >= digits:
                return found
    low, high = found.sup_error.bounds
    raise NotCertified(
        f"the best error of degree {degree} lies between {float(low):.12g} and {float(high):.12g}, "
        f"which is not {digits} digits; ask for fewer"
    )


def float_error(f: Piecewise, degree: int) -> float:
    """About the best error; not proved."""
    return exchanged(symmetric(f, degree)).largest


def symmetric(f: Piecewise, degree: int) -> Symmetric:
    """The smallest equivalent problem."""
    if isinstance(degree, bool) or not isinstance(degree, int) or not 0 <= degree <= LARGEST_DEGREE:
        raise BadInput(
            f"degree is {degree!r}; wanted a whole number from 0 to {LARGEST_DEGREE}; Chebyshev "
            "truncations of functions with one kink, at 0, have any degree"
        )
    if f.top is not None and f.top <= degree:
        raise BadInput(f"the function is a polynomial of degree {f.top}: its error is 0")
    parts = parts_of(f)
    for parity in (0, 1):
        part, other = parts[parity], parts[1 - parity]
        degrees = tuple(range(parity, degree + 1, 2))
        if degrees and other.top is not None and other.top <= degree:
            inside = [t for t in part.breaks if t > 0]
            pieces = part.pieces[len(part.breaks) - len(inside) :]
            half = Piecewise(tuple(inside), pieces)
            return Symmetric(half, other.pieces[0], degrees, 0)
    return Symmetric(f, (), tuple(range(degree + 1)), -1)


def exchanged(core: Symmetric) -> Equioscillation:
    """Remez's exchange on it, in floats."""
    return equioscillation(
        _floats(core.part),
        core.degrees,
        start=float(core.start),
        kinks=tuple(float(t) for t in core.part.breaks),
    )


def _floats(f: Piecewise) -> Callable[[Array], Array]:
    pieces = [np.array([float(c) for c in p] or [0.0]) for p in f.pieces]
    breaks = np.array([float(t) for t in f.breaks])

    def values(x: Array) -> Array:
        which = np.searchsorted(breaks, x)
        table = np.stack([np.polynomial.polynomial.polyval(x, p) for p in pieces])
        return np.asarray(table[which, np.arange(len(x))])

    return values


def _bracketed(
    f: Piecewise, core: Symmetric, start: Equioscillation, bits: int, digits: int
) -> Best:
    points = _places(core, start)
    points, weights = _levelled(core, start, points)
    p = fmpq_poly([rational(c) for c in core.rest])
    for k, weight in zip(core.degrees, weights, strict=True):
        p += fmpq_poly(fmpz_poly.chebyshev_t(k)) * rational(rounded(weight, bits))
    places = tuple(rounded(x, bits) for x in points)
    free = [x for x, fixed in zip(points, start.fixed, strict=True) if not fixed]
    mirrored = [-x for x in free] if core.start == 0 else []
    high = largest_error(f, p, (*free, *mirrored))
    low = _alternating(f, p, places)
    return Best(p, Enclosure(enclose(low, digits).lower, enclose(high, digits).upper), places)


def _places(core: Symmetric, start: Equioscillation) -> list[arb]:
    """The exchange's points; ends and kinks exactly."""
    exact = [Fraction(core.start), *core.part.breaks, Fraction(1)]
    return [
        ball(min(exact, key=lambda t: abs(float(t) - x))) if fixed else arb(float(x))
        for x, fixed in zip(start.points, start.fixed, strict=True)
    ]


def _levelled(
    core: Symmetric, start: Equioscillation, points: list[arb]
) -> tuple[list[arb], list[arb]]:
    """Equal errors at the points, and Newton steps to where the error is stationary."""
    count, largest = len(core.degrees), math.inf
    for _ in range(STEPS):
        tables = [_table(x, core.degrees) for x in points]
        matrix = arb_mat([[*row[0], arb((-1) ** i)] for i, row in enumerate(tables)])
        values = [_piece(core.part, x) for x in points]
        solved = matrix.solve(arb_mat([[v[0]] for v in values]), algorithm="approx")
        weights = [solved[k, 0].mid() for k in range(count)]
        if largest < 2.0**-200 * 2.0 ** -(len(points) // 8):
            return points, weights
        moves = []
        for i, fixed in enumerate(start.fixed):
            if fixed:
                moves.append(arb(0))
                continue
            slope, bend = (
                values[i][m] - sum((w * t for w, t in zip(weights, tables[i][m], strict=True)),
                                   arb(0))
                for m in (1, 2)
            )  # fmt: skip
            moves.append((slope / bend).mid())
        points = [(x - move).mid() for x, move in zip(points, moves, strict=True)]
        largest = max(float(abs(move)) for move in moves)
        if not all(x < y for x, y in pairwise(points)):
            break
    raise NotCertified("Newton's method for the alternation did not converge")


def _table(x: arb, degrees: tuple[int, ...]) -> list[list[arb]]:
    """T_k, T_k' and T_k'' there, (1 - x^2) T'' = x T' - k^2 T."""
    top = degrees[-1]
    first, second = [arb(1), x], [arb(1), 2 * x]
    for k in range(2, top + 1):
        first.append(2 * x * first[k - 1] - first[k - 2])
        second.append(2 * x * second[k - 1] - second[k - 2])
    values = [first[k] for k in degrees]
    slopes = [k * second[k - 1] if k else arb(0) for k in degrees]
    room = 1 - x * x
    if room == 0:
        return [values, slopes, []]
    return [values, slopes,
            [(x * s - k * k * v) / room for k, s, v in zip(degrees, slopes, values, strict=True)],
    ]  # fmt: skip


def _piece(f: Piecewise, x: arb) -> list[arb]:
    """f, f' and f'' at a point."""
    p = arb_poly([ball(c) for c in f.pieces[sum(bool(ball(t) < x) for t in f.breaks)]])
    slope = p.derivative()
    return [p(x), slope(x), slope.derivative()(x)]


def _alternating(f: Piecewise, p: fmpq_poly, places: tuple[Fraction, ...]) -> arb:
    """The smallest |f - p| at points where the signs alternate."""
    polynomial = arb_poly(p)
    errors = [_piece(f, ball(t))[0] - polynomial(ball(t)) for t in places]
    if not all(a * b < 0 for a, b in pairwise(errors)):
        raise NotCertified("the error does not alternate in sign at the points of the exchange")
    low = abs(errors[0])
    for e in errors[1:]:
        low = low.min(abs(e))
    return low


def rounded(x: arb, bits: int) -> Fraction:
    """The middle of a ball as a fraction of 2^bits."""
    mantissa, exponent = x.mid().man_exp()
    return Fraction(round(Fraction(int(mantissa)) * Fraction(2) ** (int(exponent) + bits)), 2**bits)
