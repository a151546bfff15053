"""Piecewise polynomials as monotone branches: turning points are isolated with proof.

Everything runs inside `working_bits`.  This file knows no probability.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cmp_to_key
from itertools import pairwise
from typing import Any, final

from flint import acb_poly, arb, arb_poly, fmpq_poly

from sqsim.errors import NotCertified
from sqsim.lowerbounds.branches import (
    INFINITY,
    Branch,
    Function,
    Interval,
    Shape,
    by_lower_end,
    monotone,
)
from sqsim.lowerbounds.expansions import Piecewise, Polynomial, trimmed
from sqsim.lowerbounds.precision import ball, rational


@final
@dataclass(frozen=True)
class Pieces:
    """Piecewise polynomial plus a polynomial that is only known as balls.

    Attributes
    ----------
    exact : the piecewise polynomial with rational data.
    rest : coefficients of 1, t, t^2, ...; empty where there is none.
    even : `rest` is even.
    """

    exact: Piecewise
    rest: tuple[arb, ...] = ()
    even: bool = True

    @property
    def symmetric(self) -> bool:
        """Whether the whole is an even function, decided exactly."""
        mirrored = tuple(
            trimmed(tuple(c * (-1) ** m for m, c in enumerate(p)))
            for p in reversed(self.exact.pieces)
        )
        breaks = tuple(-t for t in reversed(self.exact.breaks))
        pieces = tuple(map(trimmed, self.exact.pieces))
        return self.even and breaks == self.exact.breaks and mirrored == pieces

    def shape(self) -> Shape:
        """Its branches and atoms."""
        even = self.symmetric
        points = [t for t in self.exact.breaks if not even or t > 0]
        pieces = self.exact.pieces[len(self.exact.pieces) - len(points) - 1 :]
        ends = [Fraction(0) if even else None, *points, None]
        branches: list[Branch] = []
        atoms: dict[Polynomial, list[Interval]] = {}
        for (a, b), p in zip(pairwise(ends), map(trimmed, pieces), strict=True):
            if len(p) <= 1 and not self.rest:
                atoms.setdefault(p, []).append(_interval(a, b))
            else:
                branches += self._branches(p, a, b)
        return Shape(tuple(branches), tuple(map(tuple, atoms.values())), even)

    def _branches(self, p: Polynomial, a: Fraction | None, b: Fraction | None) -> list[Branch]:
        whole = arb_poly(list(map(ball, p))) + arb_poly(list(self.rest))
        slope = whole.derivative()
        left, right = _interval(a, b)
        if self.rest:
            roots, at_ends = _real_roots(slope), False
        else:
            exact = fmpq_poly(list(map(rational, p))).derivative()
            found: Any = exact.complex_roots() if exact.degree() > 0 else []
            roots = [z.real for z, times in found if z.imag.is_zero() and times % 2]
            at_ends = any(exact(rational(t)) == 0 for t in (a, b) if t is not None)
        turns = _inside(roots, left, right, at_ends=at_ends)
        return [
            monotone(s, t, _evaluator(whole), _evaluator(slope))
            for s, t in pairwise([left, *turns, right])
        ]


def _evaluator(p: arb_poly) -> Function:
    """The polynomial on balls and on power series."""
    coefficients = p.coeffs()

    def value(t: Any) -> Any:
        if isinstance(t, arb):
            return p(t)
        total = 0 * t
        for c in reversed(coefficients):
            total = total * t + c
        return total

    return value


def _interval(a: Fraction | None, b: Fraction | None) -> Interval:
    """Ends as balls; None is infinite."""
    return (-INFINITY if a is None else ball(a), INFINITY if b is None else ball(b))


def _real_roots(p: arb_poly) -> list[arb]:
    """Real roots of a polynomial with simple roots, given as balls."""
    found: list[arb] = []
    try:
        roots = acb_poly(p).roots() if p.degree() > 0 else []
    except ValueError:
        raise NotCertified(
            "the link's turning points were not isolated; ask for more digits"
        ) from None
    for i, z in enumerate(roots):
        if not z.imag.contains(0):
            continue
        # One root lies in each ball: if no other meets the mirror image, the root is real.
        if any(z.conjugate().overlaps(other) for j, other in enumerate(roots) if j != i):
            raise NotCertified("a turning point of the link may be double; ask for more digits")
        found.append(z.real)
    return found


def _inside(roots: list[arb], left: arb, right: arb, *, at_ends: bool) -> list[arb]:
    """The roots between the ends, in order."""
    kept = []
    for z in roots:
        if z > left and z < right:
            kept.append(z)
        elif not (z < left or z > right or at_ends):
            raise NotCertified("a turning point cannot be told from a break; ask for more digits")
    return sorted(kept, key=cmp_to_key(by_lower_end))
