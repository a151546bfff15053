"""Sign patterns orthogonal to polynomials: equations, Newton's method, a proof of existence.

A pattern is a sign right of a start (-inf, or 0 for patterns that are even or odd) and breaks where
it changes.  Everything runs inside `working_bits`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import final

import numpy as np
from flint import arb, arb_mat
from scipy.linalg import qr

from sqsim.errors import NotCertified
from sqsim.lowerbounds.expansions import density, hermite_values, upper_tail
from sqsim.lowerbounds.precision import working_precision

STEPS = 60


@final
@dataclass(frozen=True, eq=False)
class Pattern:
    """Values first, -first, first, ... between increasing breaks.

    Attributes
    ----------
    fixed : for each break whether it must stay where it is.
    degrees : of the Hermite polynomials that it shall be orthogonal to.
    half : it lives on t > 0, and its even or odd continuation is meant.
    """

    first: int
    breaks: tuple[arb, ...]
    fixed: tuple[bool, ...]
    degrees: tuple[int, ...]
    half: bool

    @property
    def free(self) -> list[int]:
        """Numbers of the breaks that may move."""
        return [i for i, stays in enumerate(self.fixed) if not stays]

    def jump(self, i: int) -> int:
        """By how much the pattern jumps at break i."""
        return 2 * self.first * (-1 if i % 2 == 0 else 1)

    def moved(self, places: dict[int, arb]) -> Pattern:
        """With some breaks elsewhere."""
        return replace(self, breaks=tuple(places.get(i, t) for i, t in enumerate(self.breaks)))

    def ordered(self) -> bool:
        """Whether the breaks are proved to increase."""
        points = [*([arb(0)] if self.half else []), *self.breaks]
        return all(a < b for a, b in pairwise(points))

    def moments(self) -> list[arb]:
        """E[g h_k], k in degrees (over t > 0 where that is the start)."""
        top = max(self.degrees, default=0)
        begin = _above(arb(0), top) if self.half else [arb(int(k == 0)) for k in range(top + 1)]
        total = [self.first * begin[k] for k in self.degrees]
        for i, t in enumerate(self.breaks):
            part = _above(t, top)
            total = [v + self.jump(i) * part[k] for v, k in zip(total, self.degrees, strict=True)]
        return total

    def slopes(self, breaks: Sequence[int]) -> arb_mat:
        """Derivatives of the moments by these breaks: a matrix, one row for each degree."""
        columns = []
        for i in breaks:
            t = self.breaks[i]
            h, phi = hermite_values(t, max(self.degrees)), density(t)
            columns.append([-self.jump(i) * phi * h[k] for k in self.degrees])
        return arb_mat([list(row) for row in zip(*columns, strict=True)])


def balanced(pattern: Pattern) -> Pattern:
    """Free breaks moved until the pattern is orthogonal: least squares in units of the gaps.

    Raises
    ------
    NotCertified
        If there are too few free breaks, or they would cross.
    """
    count, free = len(pattern.degrees), pattern.free
    if len(free) < count:
        raise NotCertified(f"a pattern with {len(free)} free breaks cannot meet {count} conditions")
    at = pattern.moved({i: pattern.breaks[i].mid() for i in free})
    for _ in range(STEPS if count else 0):
        gaps, slopes = _gaps(at), at.slopes(free)
        scale = arb_mat([[gaps[i] * gaps[i] if i == j else arb(0) for j in free] for i in free])
        back = scale * slopes.transpose()
        try:
            move = back * (slopes * back).mid().solve(arb_mat([[v] for v in at.moments()]))
        except ZeroDivisionError:
            raise NotCertified("the breaks of the pattern are too close to be moved") from None
        steps = [move[j, 0].mid() for j in range(len(free))]
        worst = max(float(abs(s) / gaps[i]) for i, s in zip(free, steps, strict=True))
        # Less than half a gap at a time, so that breaks do not cross.
        part = arb(min(1.0, 0.4 / worst)) if worst > 0 else arb(1)
        places = {i: (at.breaks[i] - part * s).mid() for i, s in zip(free, steps, strict=True)}
        at = at.moved(places)
        if not at.ordered():
            raise NotCertified("Newton's method left the order of the pattern's breaks")
        if worst < 2.0 ** (-3 * working_precision() // 4):
            return at
    if count:
        raise NotCertified("Newton's method for an orthogonal pattern did not converge")
    return at


def proved(at: Pattern) -> Pattern:
    """The same pattern with breaks enclosed so that some choice in them is exactly orthogonal.

    As many free breaks as degrees are enclosed.  Krawczyk: if m - Y F(m) + (1 - Y F'(X)) (X - m)
    lies inside X, then F has a zero there, for F the moments as functions of these breaks.

    Parameters
    ----------
    at : Pattern
        Orthogonal up to rounding; see `balanced`.
    """
    count = len(at.degrees)
    if not count:
        return at
    if len(at.free) < count:
        raise NotCertified(f"{len(at.free)} free breaks cannot meet {count} conditions")
    chosen = _pivots(at)
    radius = arb(2) ** (-working_precision() // 2)
    unit = arb(0, 1) * radius
    wide = at.moved({i: at.breaks[i] + unit for i in chosen})
    inverse = at.slopes(chosen).inv().mid()
    shift = inverse * arb_mat([[v] for v in at.moments()])
    one = arb_mat([[arb(int(i == j)) for j in range(count)] for i in range(count)])
    spread = one - inverse * wide.slopes(chosen)
    image = {}
    for j, i in enumerate(chosen):
        drift = sum((spread[j, n] * unit for n in range(count)), arb(0))
        image[i] = at.breaks[i] - shift[j, 0] + drift
    inside = all(wide.breaks[i].contains_interior(b) for i, b in image.items())
    if not (wide.ordered() and inside):
        raise NotCertified("the proof that an orthogonal pattern exists did not go through")
    return at.moved(image)


def _above(t: arb, top: int) -> list[arb]:
    """E[h_k; Z > t], k = 0, ..., top."""
    h, phi = hermite_values(t, top), density(t)
    return [upper_tail(t), *(h[k - 1] * phi / arb(k).sqrt() for k in range(1, top + 1))]


def _gaps(pattern: Pattern) -> list[arb]:
    """How far each break is from its neighbours."""
    points = list(pattern.breaks)
    padded = [arb(0) if pattern.half else points[0] - 1, *points, points[-1] + 1]
    return [
        min((b - a).mid(), (c - b).mid(), key=float)
        for a, b, c in zip(padded, padded[1:], padded[2:], strict=False)
    ]


def _pivots(at: Pattern) -> list[int]:
    """As many free breaks as degrees, those on which the moments depend most independently."""
    gaps, slopes = _gaps(at), at.slopes(at.free)
    matrix = np.array(
        [
            [float((slopes[r, c] * gaps[i]).mid()) for c, i in enumerate(at.free)]
            for r in range(slopes.nrows())
        ]
    )
    _, order = qr(matrix, mode="r", pivoting=True)
    return sorted(at.free[int(j)] for j in order[: len(at.degrees)])
