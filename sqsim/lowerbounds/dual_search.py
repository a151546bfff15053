"""Best L1 approximation: a linear program on a grid, then Newton's method; nothing is proved here.

The core is a piecewise polynomial on the line, or on t > 0 for an even or odd one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise
from typing import final

import numpy as np
from flint import arb, arb_mat, arb_poly
from scipy.optimize import linprog

from sqsim.errors import NotCertified
from sqsim.lowerbounds.expansions import Piecewise, density, hermite_values
from sqsim.lowerbounds.orthogonal import Pattern, balanced
from sqsim.lowerbounds.precision import ball, working_precision
from sqsim.lowrank import Array
from sqsim.special import hermite_functions

GRID = 4000
TILT = 1e-5
STEPS = 40


@final
@dataclass(frozen=True, eq=False)
class Candidate:
    """A sign pattern and the coefficients of h_k, k in pattern.degrees, of a polynomial."""

    pattern: Pattern
    weights: tuple[arb, ...]


@final
@dataclass(frozen=True, eq=False)
class Core:
    """What is left to approximate, and by what.

    Attributes
    ----------
    function : the piecewise polynomial.
    degrees : of the Hermite polynomials used.
    half : function and polynomials are all even, or all odd; only t > 0 is looked at.
    odd : which of the two.
    """

    function: Piecewise
    degrees: tuple[int, ...]
    half: bool
    odd: bool = False

    def piece(self, t: float) -> tuple[Fraction, ...]:
        """The polynomial left of the first break that is not below t."""
        return self.function.pieces[sum(float(b) < t for b in self.function.breaks)]

    def values(self, t: Array) -> Array:
        """In float64."""
        where = np.searchsorted([float(b) for b in self.function.breaks], t)
        rows = [np.polyval([float(c) for c in reversed(p)] or [0.0], t)
                for p in self.function.pieces]  # fmt: skip
        return np.asarray(np.choose(where, rows) if len(rows) > 1 else rows[0])

    def jumps(self) -> list[Fraction]:
        """Where the function jumps, in its domain."""
        found = []
        for t, left, right in zip(
            self.function.breaks, self.function.pieces, self.function.pieces[1:], strict=False
        ):
            sides = [sum((c * t**m for m, c in enumerate(p)), Fraction(0)) for p in (left, right)]
            if sides[0] != sides[1] and (t > 0 or not self.half):
                found.append(t)
        return found


def searched(core: Core) -> Candidate:
    """The program's optimum on a grid, sharpened by Newton's method where that converges."""
    start = _program(core, 0.0)
    if not core.degrees:
        return start
    if len(start.pattern.breaks) > 2 * len(core.degrees) + len(core.jumps()) + 2:
        # Where f = p on an interval any pattern will do there; a tilt picks one with few breaks.
        start = replace(start, pattern=_program(core, TILT).pattern)
    try:
        return _sharpened(core, start)
    except (NotCertified, ZeroDivisionError):
        return replace(start, pattern=balanced(start.pattern))


def _program(core: Core, tilt: float) -> Candidate:
    """max sum w (f + tilt q) g over |g| <= 1 with sum w g h_k = 0 on midpoints of equal cells."""
    reach = math.sqrt(2 * max(core.degrees, default=0) + 2) + 6
    low = 0.0 if core.half else -reach
    step = (reach - low) / GRID
    x: Array = np.asarray(low + step * (np.arange(GRID) + 0.5), dtype=np.float64)
    weights = np.exp(-x * x / 2) / math.sqrt(2 * math.pi)
    values = core.values(x)
    size = float(np.sqrt(np.mean(weights * values**2)))
    values = values + tilt * size * _curve(core, x)
    if not core.degrees:
        # Nothing to approximate with: an odd function against constants.
        first, breaks = _breaks(np.sign(values), low, step)
        return Candidate(_pinned(core, first, breaks, 3 * step), ())
    basis = hermite_functions(x, max(core.degrees))[list(core.degrees)]
    result = linprog(
        -weights * values / size,
        A_eq=weights * basis,
        b_eq=np.zeros(len(basis)),
        bounds=(-1, 1),
        method="highs-ds",
        options={"primal_feasibility_tolerance": 1e-9, "dual_feasibility_tolerance": 1e-9},
    )
    if result.status != 0:
        raise NotCertified(f"the linear program failed: {result.message}")
    polynomial = -size * result.eqlin.marginals
    gap = values - polynomial @ basis
    # Far out the program does not see its variables; where f = p, they are all there is.
    signs = np.where(np.abs(gap) > 0.1 * TILT * size, np.sign(gap), np.clip(result.x, -1, 1))
    pattern = _pinned(core, *_breaks(signs, low, step), 3 * step)
    return Candidate(pattern, tuple(arb(float(w)) for w in polynomial))


def _curve(core: Core, x: Array) -> Array:
    """An entire function of the core's symmetry that no polynomial meets often."""
    if not core.half:
        return np.asarray(np.exp(x / 2))
    return np.asarray(np.sinh(x / 2) if core.odd else np.cosh(x / 2))


def _breaks(signs: Array, low: float, step: float) -> tuple[int, list[float]]:
    """First sign, and where it changes; a value between -1 and 1 says where inside its cell."""
    clear = np.where(np.abs(signs) > 1 - 1e-6, np.sign(signs), 0).astype(int)
    places = np.flatnonzero(clear)
    sign = first = int(clear[places[0]])
    found = []
    for before, after in pairwise(places):
        if clear[after] == sign:
            continue
        between = signs[before + 1 : after]
        share = float(np.sum((1 + sign * between) / 2))
        found.append(float(low + step * (before + 1 + share)))
        sign = -sign
    return first, found


def _pinned(core: Core, first: int, breaks: list[float], margin: float) -> Pattern:
    """Breaks that fall on a jump of the function stay there."""
    jumps = core.jumps()
    places, fixed = [], []
    for t in breaks:
        near = [j for j in jumps if abs(float(j) - t) < margin]
        places.append(ball(near[0]) if near else arb(t))
        fixed.append(bool(near))
    return Pattern(first, tuple(places), tuple(fixed), core.degrees, core.half)


def _sharpened(core: Core, start: Candidate) -> Candidate:
    """Newton for: the polynomial meets f at the free breaks, the pattern is orthogonal."""
    pattern, weights = balanced(start.pattern), list(start.weights)
    free, count = pattern.free, len(core.degrees)
    size = len(free) + count
    if len(free) < count:
        raise NotCertified("fewer free breaks than conditions")
    for _ in range(STEPS):
        matrix = [[arb(0)] * size for _ in range(size)]
        right = [arb(0)] * size
        for j, i in enumerate(free):
            t = pattern.breaks[i]
            gap, slope, h = _gap(core, weights, t)
            right[j] = gap
            matrix[j][j] = slope
            change = -pattern.jump(i) * density(t)
            for n in range(count):
                matrix[j][len(free) + n] = -h[n]
                matrix[len(free) + n][j] = change * h[n]
        right[len(free) :] = pattern.moments()
        move = arb_mat(matrix).solve(arb_mat([[v] for v in right]))
        steps = [move[j, 0].mid() for j in range(size)]
        pattern = pattern.moved({i: (pattern.breaks[i] - steps[j]).mid()
                                 for j, i in enumerate(free)})  # fmt: skip
        weights = [(w - s).mid() for w, s in zip(weights, steps[len(free) :], strict=True)]
        if not pattern.ordered():
            break
        if max(float(abs(s)) for s in steps) < 2.0 ** (-working_precision() // 2):
            return replace(start, pattern=pattern, weights=tuple(weights))
    raise NotCertified("Newton's method did not converge")


def _gap(core: Core, weights: list[arb], t: arb) -> tuple[arb, arb, list[arb]]:
    """f - p at t, its slope, and the values of the basis there."""
    piece = arb_poly([ball(c) for c in core.piece(float(t))])
    top = max(core.degrees)
    h = hermite_values(t, top)
    basis = [h[k] for k in core.degrees]
    rises = [arb(k).sqrt() * h[k - 1] if k else arb(0) for k in core.degrees]
    value = sum((w * b for w, b in zip(weights, basis, strict=True)), arb(0))
    slope = sum((w * r for w, r in zip(weights, rises, strict=True)), arb(0))
    return piece(t) - value, piece.derivative()(t) - slope, basis
