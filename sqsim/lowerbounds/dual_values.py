"""Both sides of the duality of best L1 approximation, enclosed: E[f g] and E|f - p|.

Everything runs inside `working_bits`.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import cmp_to_key
from itertools import pairwise
from typing import Any

from flint import arb, fmpq_poly

from sqsim.lowerbounds.branches import by_lower_end
from sqsim.lowerbounds.dual_search import Core
from sqsim.lowerbounds.expansions import Piecewise, Polynomial, density, upper_tail
from sqsim.lowerbounds.orthogonal import Pattern
from sqsim.lowerbounds.pieces import combine
from sqsim.lowerbounds.precision import ball, rational

INFINITY = arb("inf")


def dual_value(core: Core, pattern: Pattern) -> arb:
    """E[f g] over the whole line."""
    start = arb(0) if core.half else -INFINITY
    total = pattern.first * _mean_above(core, start)
    for i, t in enumerate(pattern.breaks):
        total += pattern.jump(i) * _mean_above(core, t)
    return 2 * total if core.half else total


def _mean_above(core: Core, start: arb) -> arb:
    """E[f; Z > start]."""
    total, begin = arb(0), start
    ends = [*map(ball, core.function.breaks), INFINITY]
    pieces = [[ball(c) for c in p] for p in core.function.pieces]
    for i, (end, p) in enumerate(zip(ends, pieces, strict=True)):
        if end < begin:
            continue
        part = truncated_mean(p, begin, end)
        if not end > begin:
            # On which side of the break the start lies is open.
            part = part.union(truncated_mean(pieces[i + 1], begin, end))
        total, begin = total + part, end
    return total


def primal_value(core: Core, polynomial: Polynomial) -> arb:
    """An upper bound of E|f - p|, which is as good as the roots of f - p are known."""
    total = arb(0)
    points = [t for t in core.function.breaks if not core.half or t > 0]
    start = arb(0) if core.half else -INFINITY
    ends = [start, *map(ball, points), INFINITY]
    pieces = core.function.pieces[len(core.function.pieces) - len(points) - 1 :]
    for (a, b), p in zip(pairwise(ends), pieces, strict=True):
        gap = combine(Piecewise((), (p,)), Piecewise((), (polynomial,)), Fraction(-1)).pieces[0]
        # A root that may lie outside only adds to the sum: |x + y| <= |x| + |y|.
        cuts = [a, *_roots(gap, a, b), b]
        weights = [ball(c) for c in gap]
        for low, high in pairwise(cuts):
            total += abs(truncated_mean(weights, low, high))
    return 2 * total if core.half else total


def _roots(p: Polynomial, a: arb, b: arb) -> list[arb]:
    """Real roots that are not proved to lie outside (a, b), in order."""
    exact = fmpq_poly(list(map(rational, p)))
    if exact.degree() < 1:
        return []
    roots: Any = exact.complex_roots()
    real = [z.real for z, _ in roots if z.imag.is_zero()]
    return sorted((z for z in real if not (z < a or z > b)), key=cmp_to_key(by_lower_end))


def truncated_mean(coefficients: Sequence[arb], a: arb, b: arb) -> arb:
    """E[c_0 + c_1 Z + ...; a < Z < b] by n -> E[Z^n] = (n - 1) E[Z^(n-2)] - [t^(n-1) phi]."""
    moments: list[arb] = []
    ends = [(t, density(t) if t.is_finite() else arb(0)) for t in (a, b)]
    for n in range(len(coefficients)):
        if n == 0:
            moments.append(_tail(a) - _tail(b))
            continue
        low, high = (t ** (n - 1) * d if t.is_finite() else arb(0) for t, d in ends)
        moments.append(low - high + ((n - 1) * moments[n - 2] if n > 1 else 0))
    return sum((c * m for c, m in zip(coefficients, moments, strict=True)), arb(0))


def _tail(t: arb) -> arb:
    if not t.is_finite():
        return arb(1 if t < 0 else 0)
    return upper_tail(t)
