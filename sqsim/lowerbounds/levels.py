"""From a link to its branches, and the cells of label values between its special levels.

Everything runs inside `working_bits`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from functools import cmp_to_key
from itertools import pairwise
from typing import final

from flint import arb

from sqsim.errors import NotCertified
from sqsim.lowerbounds.branches import INFINITY, Branch, Shape, by_lower_end, monotone
from sqsim.lowerbounds.damped import DampedSquare
from sqsim.lowerbounds.expansions import Expansion, Piecewise, Polynomial
from sqsim.lowerbounds.pieces import combine, constant, multiply, variable
from sqsim.lowerbounds.precision import ball, working_precision
from sqsim.lowerbounds.smooth import (
    ErrorFunction,
    Exponential,
    Multiple,
    Series,
    Wave,
    Without,
)
from sqsim.lowerbounds.turning import Pieces

WAVE_REACH = 13
ZERO, ONE = Fraction(0), Fraction(1)


def shape_of(f: Expansion) -> Shape | None:
    """The branches of a function that generates the same events; None where they are not known.

    Strictly increasing functions, factors and shifts carry no information of their own.
    """
    match f:
        case Exponential() | ErrorFunction():
            return Pieces(variable()).shape()
        case Multiple(inner, factor):
            return shape_of(inner) if factor else Pieces(constant(ZERO)).shape()
        case Piecewise(_, pieces):
            # Breaks where nothing happens would hide a constant.
            whole = f if f.top is None else Piecewise((), (pieces[0],))
            return Pieces(whole).shape()
        case DampedSquare():
            return _damped()
        case Wave(shift, turns):
            return _wave(shift, turns)
        case Series(weights):
            return _series(weights)
        case Without(Piecewise() as inner, degree):
            return _without(inner, degree)
    return None


def hermite_polynomial(degree: int) -> Piecewise:
    """He_degree, with integer coefficients."""
    before, now = constant(ZERO), constant(ONE)
    for k in range(degree):
        before, now = now, combine(multiply(variable(), now), before, Fraction(-k))
    return now


def _series(weights: tuple[Fraction, ...]) -> Shape:
    used = [k for k, w in enumerate(weights) if w and k]
    if len(used) <= 1:
        return Pieces(hermite_polynomial(used[0] if used else 0)).shape()
    rest = _combined([(k, ball(weights[k])) for k in used])
    return Pieces(constant(ZERO), rest, all(k % 2 == 0 for k in used)).shape()


def _without(whole: Piecewise, degree: int) -> Shape:
    if whole.top is not None and whole.top <= degree:
        return Pieces(constant(ZERO)).shape()
    for parity, part in enumerate(parts_of(whole)):
        if part.top is not None and part.top <= degree:
            # That part is removed entirely, exactly.
            whole = parts_of(whole)[1 - parity]
            break
    removed = [(k, -c) for k, c in enumerate(whole.coefficients(degree)) if k and not c.is_zero()]
    return Pieces(whole, _combined(removed), all(k % 2 == 0 for k, _ in removed)).shape()


def parts_of(f: Piecewise) -> tuple[Piecewise, Piecewise]:
    """The even and the odd part."""
    mirrored = Piecewise(
        tuple(-t for t in reversed(f.breaks)),
        tuple(tuple(c * (-1) ** m for m, c in enumerate(p)) for p in reversed(f.pieces)),
    )
    half = constant(Fraction(1, 2))
    even, odd = (multiply(half, combine(f, mirrored, Fraction(s))) for s in (1, -1))
    return even, odd


def _combined(terms: list[tuple[int, arb]]) -> tuple[arb, ...]:
    """Coefficients of the powers of t in sum of w h_k."""
    size = 1 + max((k for k, _ in terms), default=-1)
    total = [arb(0)] * size
    for k, weight in terms:
        polynomial: Polynomial = hermite_polynomial(k).pieces[0]
        norm = arb(math.factorial(k)).sqrt()
        for m, c in enumerate(polynomial):
            total[m] += weight * ball(c) / norm
    return tuple(total)


def _damped() -> Shape:
    """t^2 exp(-t^2) on t >= 0: up to t = 1, then down to 0."""

    def value(t: arb) -> arb:
        return t * t * (-t * t).exp()

    def slope(t: arb) -> arb:
        return 2 * t * (1 - t) * (1 + t) * (-t * t).exp()

    zero, one = arb(0), arb(1)
    top = value(one)
    up = monotone(zero, one, value, slope, limits=(zero, top))
    down = monotone(one, INFINITY, value, slope, limits=(top, zero))
    return Shape((up, down), even=True)


def _wave(shift: Fraction, turns: int) -> Shape:
    """sin or cos of t + shift for |t| <= reach, between neighbouring turning points."""
    s, quarter, reach = ball(shift), arb.pi() / 2, arb(WAVE_REACH)

    def value(t: arb) -> arb:
        return (t + s + turns * quarter).sin()

    def slope(t: arb) -> arb:
        return (t + s + turns * quarter).cos()

    even = turns % 2 == 1 and not shift
    start = math.floor(float(shift) / math.pi) - WAVE_REACH
    points = ((2 * n + 1 - turns) * quarter - s for n in range(start, start + 3 * WAVE_REACH))
    left = arb(0) if even else -reach
    # A turning point at 0 is the end itself.
    inner = [t for t in points if not (t < left or t > reach or (even and t.is_zero()))]
    if any(t.overlaps(left) or t.overlaps(reach) for t in inner):
        raise NotCertified("a turning point falls on the end of the range; change the shift")
    ends = [left, *inner, reach]
    branches = [monotone(a, b, value, slope) for a, b in pairwise(ends)]
    return Shape(tuple(branches), even=even, reach=reach)


@final
@dataclass(frozen=True, eq=False)
class Cell:
    """Label values between two exact numbers.

    Attributes
    ----------
    crossing : the branches that reach into it; every one of them all the way through, unless
        `special`, where the cell holds a turning value.
    """

    low: arb
    high: arb
    crossing: tuple[Branch, ...]
    special: bool = False


def cells_of(branches: tuple[Branch, ...]) -> list[Cell]:
    """The line of label values cut at the values at the ends of branches."""
    levels = _merged([v for b in branches for v in (b.low, b.high) if v.is_finite()])
    cells = []
    for level in levels:
        if not level.is_exact():
            low, high = level.lower(), level.upper()
            inside = tuple(b for b in branches if not (b.high < low or b.low > high))
            cells.append(Cell(low, high, inside, special=True))
    ends = [-INFINITY, *(v for level in levels for v in (level.lower(), level.upper())), INFINITY]
    for low, high in zip(ends[::2], ends[1::2], strict=True):
        through = tuple(b for b in branches if not (b.low > low or b.high < high) and low < high)
        if through:
            cells.append(Cell(low, high, through))
    return cells


def _merged(values: list[arb]) -> list[arb]:
    """Overlapping balls as one; a ball that is not a point is widened, so that it holds its own
    numbers strictly inside."""
    margin = arb(2) ** (24 - working_precision())
    wide = [v if v.is_exact() else v + arb(0, 1) * margin * (1 + abs(v)) for v in values]
    merged: list[arb] = []
    for v in sorted(wide, key=cmp_to_key(by_lower_end)):
        if merged and merged[-1].overlaps(v):
            same = merged[-1].is_exact() and v.is_exact()
            merged[-1] = v if same else merged[-1].union(v)
        else:
            merged.append(v)
    return merged
