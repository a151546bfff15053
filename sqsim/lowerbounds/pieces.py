"""Arithmetic of piecewise polynomials with rational data, exactly."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

from sqsim.errors import BadInput
from sqsim.lowerbounds.expansions import Piecewise, Polynomial, product, trimmed

LARGEST_DEGREE = 200
LONGEST_NUMBER = 50_000
ZERO, ONE = Fraction(0), Fraction(1)


def constant(value: Fraction) -> Piecewise:
    """The constant function."""
    return Piecewise((), (trimmed((value,)),))


def variable() -> Piecewise:
    """The function t."""
    return Piecewise((), ((ZERO, ONE),))


def jump(at: Fraction, left: Fraction, right: Fraction) -> Piecewise:
    """One value on each side of a point."""
    return Piecewise((at,), (trimmed((left,)), trimmed((right,))))


def combine(f: Piecewise, g: Piecewise, factor: Fraction) -> Piecewise:
    """f + factor g."""
    breaks, pairs = _refined(f, g)
    return _bounded(breaks, [_sum(p, q, factor) for p, q in pairs])


def multiply(f: Piecewise, g: Piecewise) -> Piecewise:
    """f g."""
    breaks, pairs = _refined(f, g)
    return _bounded(breaks, [trimmed(product(p, q)) for p, q in pairs])


def affine_max(f: Piecewise, g: Piecewise) -> Piecewise:
    """max(f, g), where the pieces of f - g are straight so that they cross at rationals."""
    breaks, pairs = _refined(f, g)
    cuts = set(breaks)
    ends = (None, *breaks, None)
    for i, (p, q) in enumerate(pairs):
        line = _sum(p, q, -ONE)
        if len(line) > 2:
            raise BadInput("max, min, abs and relu take functions that differ by straight pieces")
        if len(line) == 2:
            root, low, high = -line[0] / line[1], ends[i], ends[i + 1]
            if (low is None or root > low) and (high is None or root < high):
                cuts.add(root)
    points = tuple(sorted(cuts))
    pieces = []
    for at in _inside(points):
        p, q = (_piece(h, at) for h in (f, g))
        line = _sum(p, q, -ONE)
        value = sum((c * at**m for m, c in enumerate(line)), ZERO)
        pieces.append(p if value >= 0 else q)
    return Piecewise(points, tuple(pieces))


def _bounded(breaks: tuple[Fraction, ...], pieces: list[Polynomial]) -> Piecewise:
    """Short text can stand for numbers beyond any memory: refuse before they are multiplied."""
    longest = max(
        (max(c.numerator.bit_length(), c.denominator.bit_length()) for p in pieces for c in p),
        default=0,
    )
    if max(map(len, pieces)) > LARGEST_DEGREE + 1 or longest > LONGEST_NUMBER:
        raise BadInput(
            f"a piece has degree over {LARGEST_DEGREE} or a number of over {LONGEST_NUMBER} bits; "
            "write smaller powers"
        )
    return Piecewise(breaks, tuple(pieces))


def _refined(
    f: Piecewise, g: Piecewise
) -> tuple[tuple[Fraction, ...], list[tuple[Polynomial, Polynomial]]]:
    """The common breaks, and the two polynomials on each interval."""
    breaks = tuple(sorted({*f.breaks, *g.breaks}))
    return breaks, [(_piece(f, at), _piece(g, at)) for at in _inside(breaks)]


def _inside(breaks: tuple[Fraction, ...]) -> list[Fraction]:
    """A point of each interval."""
    if not breaks:
        return [ZERO]
    middles = [(a + b) / 2 for a, b in pairwise(breaks)]
    return [breaks[0] - 1, *middles, breaks[-1] + 1]


def _piece(f: Piecewise, at: Fraction) -> Polynomial:
    return f.pieces[sum(b < at for b in f.breaks)]


def _sum(p: Polynomial, q: Polynomial, factor: Fraction) -> Polynomial:
    size = max(len(p), len(q))
    first, second = (r + (ZERO,) * (size - len(r)) for r in (p, q))
    return trimmed(tuple(a + factor * b for a, b in zip(first, second, strict=True)))
