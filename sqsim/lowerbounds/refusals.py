"""Why an expression in z is not read: not square integrable, or merely not supported.

This file does not know how expressions are parsed.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from flint import fmpq_poly

from sqsim.errors import BadInput
from sqsim.lowerbounds.expansions import Piecewise, Polynomial, trimmed
from sqsim.lowerbounds.precision import rational

UNDERSTOOD = (
    "an expression has z, numbers, + - * / and whole powers, max, min, abs, relu, sign and step; "
    "exp, sin, cos, erf and sigmoid stand alone, as in exp(z-1); and z**2*exp(-z**2) is known"
)
HALF_LINE = ("log(z)", "sqrt(z)")


def refuse_quotient(left: Piecewise, right: Piecewise, source: str) -> BadInput:
    """Of two functions of z: a pole on the line has no square integral."""
    if left.breaks or right.breaks:
        return BadInput(
            f"{source!r:.80}: dividing by a function of z is not supported; {UNDERSTOOD}"
        )
    top, below = (_polynomial(f.pieces[0]) for f in (left, right))
    if not below.degree() > -1:
        return BadInput(f"{source!r:.80} divides by zero; divide by a number that is not 0")
    reduced = below / top.gcd(below)
    roots: Any = reduced.complex_roots() if reduced.degree() > 0 else []
    poles = [z.real for z, _ in roots if z.imag.is_zero()]
    if poles and top.degree() > -1:
        return BadInput(
            f"{source!r:.80} has a pole at z = {float(poles[0]):.4g} and is not square "
            "integrable there; only square integrable functions have Hermite coefficients"
        )
    return BadInput(f"{source!r:.80}: dividing by a function of z is not supported; {UNDERSTOOD}")


def refuse_exponential(exponent: Piecewise, source: str) -> BadInput:
    """exp(p(z)) is square integrable iff e^(2 p - z^2/2) falls on both sides."""
    p = [trimmed(piece) for piece in exponent.pieces]
    if any(_outgrows(piece, side) for piece, side in ((p[0], -1), (p[-1], 1))):
        return BadInput(
            f"{source!r:.80} is not square integrable: its square grows at least as fast as the "
            "Gaussian density falls, exp(z**2/2); from exp(z**2/4) on there are no coefficients"
        )
    return BadInput(f"{source!r:.80} is not supported inside an expression; {UNDERSTOOD}")


def refuse_function(source: str) -> BadInput:
    """Any other function of z."""
    where = ", and not defined for z < 0" if source.replace(" ", "") in HALF_LINE else ""
    return BadInput(f"{source!r:.80} is not supported{where}; {UNDERSTOOD}")


def _outgrows(p: Polynomial, side: int) -> bool:
    """Whether the integral of e^(2 p(t) - t^2/2) towards side times infinity diverges.

    With q = 2 p - t^2/2 it converges iff q goes to minus infinity there.
    """
    padded = [*p, *[Fraction(0)] * (3 - len(p))]
    q = [2 * c for c in padded]
    q[2] -= Fraction(1, 2)
    while len(q) > 1 and not q[-1]:
        q.pop()
    return len(q) == 1 or q[-1] * side ** (len(q) - 1) > 0


def _polynomial(p: Polynomial) -> fmpq_poly:
    return fmpq_poly([rational(c) for c in p])
