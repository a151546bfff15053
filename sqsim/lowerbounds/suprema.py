"""Extremes of a piecewise polynomial less a polynomial on [-1, 1], proved.

On every piece the stationary points are isolated as roots of an exact polynomial, so none is
missed.  Everything runs inside `working_bits`.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from typing import Any

from flint import arb, arb_poly, fmpq_poly, fmpz_poly

from sqsim.errors import BadInput
from sqsim.links import Link
from sqsim.lowerbounds.duality import exact_pieces
from sqsim.lowerbounds.expansions import Expansion, Piecewise
from sqsim.lowerbounds.precision import (
    Enclosure,
    Exact,
    ball,
    bits_for,
    enclose,
    exact_fraction,
    rational,
    working_bits,
    working_precision,
)

ONE = Fraction(1)
LARGEST_DEGREE = 512
NEWTON = 5


def on_the_interval(link: Link | Expansion) -> Piecewise:
    """The function on [-1, 1]: piecewise polynomial, with the breaks inside, and continuous."""
    try:
        f = exact_pieces(link)
    except BadInput:
        raise BadInput(
            f"{type(link).__name__} is not piecewise polynomial with rational data; uniform "
            "approximation is proved for relu, leaky-relu, abs, their multiples and expressions "
            'such as "min(max(1/2+2*z,0),1)"'
        ) from None
    points = [(t, jumps[0]) for t, jumps in f.jumps() if -1 < t < 1]
    broken = [t for t, jump in points if jump]
    if broken:
        raise BadInput(
            f"the function jumps at {broken[0]}; polynomials do not come closer to it than half "
            "of the jump: uniform approximation assumes a continuous function"
        )
    breaks = tuple(t for t, _ in points)
    ends = (-ONE, *breaks, ONE)
    return Piecewise(breaks, tuple(f.pieces[_at(f, (a + b) / 2)] for a, b in pairwise(ends)))


def extremes(f: Piecewise, p: fmpq_poly, near: Sequence[arb] = ()) -> tuple[arb, arb]:
    """Minimum and maximum of f - p on [-1, 1], each as a ball.

    The ball of a value holds a value that is taken, and all values that may be larger or smaller
    are held by some ball: so the largest lower end is below the maximum, the largest upper end
    above it.  Points `near` which the error is thought stationary spare the isolation of roots,
    where by Descartes' rule there can be no others.
    """
    low = high = None
    for (a, b), piece in zip(pairwise((-ONE, *f.breaks, ONE)), f.pieces, strict=True):
        error = fmpq_poly([rational(c) for c in piece]) - p
        balls = arb_poly(error)
        for x in (ball(a), ball(b), *_stationary(error, a, b, near)):
            value = balls(x)
            low = value if low is None else low.min(value)
            high = value if high is None else high.max(value)
    assert low is not None
    assert high is not None
    return low, high


def largest_error(f: Piecewise, p: fmpq_poly, near: Sequence[arb] = ()) -> arb:
    """max |f - p| on [-1, 1]."""
    low, high = extremes(f, p, near)
    return (-low).max(high)


def uniform_error(
    link: Link | Expansion, coefficients: Sequence[Exact], *, digits: int = 20
) -> Enclosure:
    """max |f(t) - p(t)| over [-1, 1], proved, for p of these coefficients of 1, t, t^2, ...

    A float is the binary fraction that it holds.  Costs an isolation of the roots of a polynomial
    of p's degree on every piece.
    """
    p = fmpq_poly([rational(exact_fraction(c, "a coefficient")) for c in coefficients])
    with working_bits(error_bits(p, digits)):
        return enclose(largest_error(on_the_interval(link), p), digits)


def polynomial_range(coefficients: Sequence[Exact], *, digits: int = 20) -> Enclosure:
    """[min p, max p] on [-1, 1], its ends rounded outwards."""
    p = fmpq_poly([rational(exact_fraction(c, "a coefficient")) for c in coefficients])
    with working_bits(error_bits(p, digits)):
        low, high = extremes(Piecewise((), ((Fraction(0),),)), -p)
        return Enclosure(enclose(low, digits).lower, enclose(high, digits).upper)


def error_bits(p: fmpq_poly, digits: int) -> int:
    """Bits at which values of p on [-1, 1] keep these digits, whatever cancels."""
    if p.degree() > LARGEST_DEGREE:
        raise BadInput(f"degree {p.degree()} is above {LARGEST_DEGREE}; take a smaller one")
    size = max((abs(int(c.p)) // int(c.q) for c in p.coeffs()), default=0)
    return bits_for(digits) + 2 * size.bit_length() + max(p.degree(), 0) + 64


def _stationary(error: fmpq_poly, a: Fraction, b: Fraction, near: Sequence[arb]) -> list[arb]:
    """Balls around all zeros of the derivative in [a, b]; where it is the zero function, none."""
    slope: fmpz_poly = error.derivative().numer()
    if slope.degree() < 1:
        return []
    known = _known(slope, a, b, near)
    if known is not None:
        return known
    whole = ball(a).union(ball(b))
    isolated: Any = slope.complex_roots()
    real = [root.real for root, _ in isolated if root.imag.contains(0)]
    return [x for x in real if x.overlaps(whole)]


def _known(slope: fmpz_poly, a: Fraction, b: Fraction, near: Sequence[arb]) -> list[arb] | None:
    """Zeros by changes of sign, if they are as many as the coefficients' signs allow, else None."""
    side = 1 if a >= 0 else -1 if b <= 0 else 0
    if not (near and side):
        return None
    signs = [(c > 0) ^ (side < 0 and i % 2 == 1) for i, c in enumerate(slope.coeffs()) if c]
    most = sum(s != t for s, t in pairwise(signs))
    f, rise = arb_poly(slope), arb_poly(slope.derivative())
    margin = arb(2) ** -(working_precision() - 32 - 3 * slope.degree() // 2)
    found: list[arb] = []
    for x in near:
        for _ in range(NEWTON):
            x = (x - f(x) / rise(x)).mid()
        low, high = x - margin, x + margin
        apart = all(not low.union(high).overlaps(other) for other in found)
        if low > ball(a) and high < ball(b) and f(low) * f(high) < 0 and apart:
            found.append(low.union(high))
    return found if len(found) == most else None


def _at(f: Piecewise, t: Fraction) -> int:
    return sum(s < t for s in f.breaks)
