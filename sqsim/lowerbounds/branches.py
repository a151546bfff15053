"""A link as its monotone branches and its flat pieces: all that conditioning on its value needs.

Everything runs inside `working_bits`.  This file knows no probability.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, final

from flint import arb

from sqsim.errors import NotCertified
from sqsim.lowerbounds.precision import working_precision

INFINITY = arb("inf")
Interval = tuple[arb, arb]
Function = Callable[[Any], Any]


@final
@dataclass(frozen=True, eq=False)
class Branch:
    """A strictly monotone piece of the link.

    Attributes
    ----------
    left, right : its ends, possibly infinite.
    low, high : the infimum and the supremum of its values.
    value, slope : the function and its derivative, on balls and on power series.
    """

    left: arb
    right: arb
    low: arb
    high: arb
    rising: bool
    value: Function
    slope: Function

    @property
    def ends(self) -> Interval:
        """The ends where the value is lowest and highest."""
        return (self.left, self.right) if self.rising else (self.right, self.left)

    def solve(self, level: arb, near: arb | None = None) -> arb:
        """The point where the value is `level` (an exact number), enclosed.

        A level that is not above the infimum, or not below the supremum, gives that end.
        """
        at_low, at_high = self.ends
        if not level > self.low:
            return at_low
        if not level < self.high:
            return at_high
        found = self._newton(level, near) if near is not None else None
        return found if found is not None else self._bisection(level)

    def _newton(self, level: arb, near: arb) -> arb | None:
        z = near.mid()
        for _ in range(8):
            z = (z - (self.value(z) - level) / self.slope(z)).mid()
            if not (z.is_finite() and z > self.left and z < self.right):
                return None
        return self._framed(level, z)

    def _framed(self, level: arb, z: arb) -> arb | None:
        """A small interval around z at whose ends the value is proved below and above."""
        width = arb(2) ** (20 - working_precision()) * (1 + abs(z))
        a, b = (z - width).lower(), (z + width).upper()
        if not (a > self.left and b < self.right):
            return None
        below, above = (a, b) if self.rising else (b, a)
        if self.value(below) < level and self.value(above) > level:
            return a.union(b)
        return None

    def _bisection(self, level: arb) -> arb:
        a, b = self._finite(level)
        while (b - a).upper() > arb(2) ** (20 - working_precision()):
            # The solution may be the middle itself, where no sign is proved.
            tried = ((a + part * (b - a)).mid() for part in (arb(0.5), arb(0.375)))
            for m in tried:
                difference = self.value(m) - level
                if m > self.left and m < self.right and not difference.contains(0):
                    above = bool(difference > 0)
                    a, b = (a, m) if above == self.rising else (m, b)
                    break
            else:
                break
        return a.union(b)

    def _finite(self, level: arb) -> Interval:
        """Two finite points with the solution between them."""
        a, b, step = self.left, self.right, arb(1)
        start = a if a.is_finite() else b if b.is_finite() else arb(0)
        while not (a.is_finite() and b.is_finite()):
            if step > 2**60:
                raise NotCertified("a level of the link is reached nowhere below 2^60")
            before, after = ((start - step).mid(), (start + step).mid())
            if not b.is_finite() and self._beyond(after, level, self.rising):
                b = after
            if not a.is_finite() and self._beyond(before, level, not self.rising):
                a = before
            step *= 2
        return a, b

    def _beyond(self, at: arb, level: arb, above: bool) -> bool:
        """Whether the value there is proved to lie on this side of the level."""
        value = self.value(at)
        return bool(value > level if above else value < level)


@final
@dataclass(frozen=True, eq=False)
class Shape:
    """Branches and atoms of a link.

    Attributes
    ----------
    atoms : for each value that is taken on a set of positive length, the intervals of that set.
    even : only t >= 0 is listed, and the link is even.
    reach : only |t| <= reach is listed; infinite where everything is.
    """

    branches: tuple[Branch, ...]
    atoms: tuple[tuple[Interval, ...], ...] = ()
    even: bool = False
    reach: arb = INFINITY


def monotone(
    left: arb, right: arb, value: Function, slope: Function, *, limits: Interval | None = None
) -> Branch:
    """The branch between two neighbouring turning points, which way it goes found out.

    Without `limits`, the values at the left and right end, an infinite end has an infinite value.
    """
    rising = _rises(left, right, slope)
    if limits is None:
        at_left = value(left) if left.is_finite() else (-INFINITY if rising else INFINITY)
        at_right = value(right) if right.is_finite() else (INFINITY if rising else -INFINITY)
    else:
        at_left, at_right = limits
    low, high = (at_left, at_right) if rising else (at_right, at_left)
    return Branch(left, right, low, high, rising, value, slope)


def _rises(left: arb, right: arb, slope: Function) -> bool:
    """The sign of the slope, at the first of a few inner points where it is proved."""
    for n in range(1, 8):
        part = arb(2 * n + 1) / 17
        if left.is_finite() and right.is_finite():
            at = left + part * (right - left)
        elif left.is_finite():
            at = left + 2 * part
        else:
            at = (right if right.is_finite() else arb(0)) - 2 * part
        value = slope(at.mid())
        if value.is_finite() and not value.contains(0):
            return bool(value > 0)
    raise NotCertified("the sign of the link's slope stays open; ask for more digits")


def by_lower_end(v: arb, w: arb) -> int:
    """By lower ends, which are exact."""
    return 1 if v.lower() > w.lower() else -1 if v.lower() < w.lower() else 0
