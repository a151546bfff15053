"""Means of ridge queries on single-index labels in many digits, one integral over a line each.

An evaluation that shares nothing with the quadrature of the oracles: other panels, other rules,
ball arithmetic instead of floats.  This file does not know oracles, tolerances or answers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, final

import numpy as np
from flint import arb

from sqsim.errors import NotCertified
from sqsim.gaussian import columns_of
from sqsim.links import Link
from sqsim.lowerbounds.links_of_many_digits import known, smoothed, values
from sqsim.lowerbounds.panels_of_many_digits import Balls, balls, integrate
from sqsim.lowerbounds.precision import bits_for, working_bits
from sqsim.lowrank import Array
from sqsim.queries import Ridge

_TAIL_DIGITS = 60
"""Decades that are kept beyond those asked for: means may be that small."""
_STEP = (0, 1, 2, 4, 6, 9, 12, 16, 21)
"""Ends of panels around a kink that was smoothed, in widths of the smoothing."""
_WIDTH = 3
_BEYOND = 9.0
"""Behind a kink at 20 or more the density loses 90 decades over this length."""
_TINY = 2.0**-1074
_FARTHEST = 38
"""Beyond it the density is below 1e-313, and no float holds a mean that comes from there."""
_SCAN = np.linspace(-_FARTHEST, _FARTHEST, 7601)


@final
@dataclass(frozen=True)
class Number:
    """A number of many digits and the error that it confesses; not proved."""

    value: Fraction
    error: Fraction

    def __float__(self) -> float:
        return float(self.value)


@final
@dataclass(frozen=True, eq=False)
class SpanMean:
    """E[T_p(x) h] of a function h of few directions, by its entries in coordinates of their span.

    Attributes
    ----------
    basis : (d, r) array, orthonormal, each entry rounded from many digits.
    entries : the ascending entries of the symmetric tensor of degree p: 1, r or r (r + 1) / 2.
    squares : E[g^2 He_k(u)], k = 0, 2, 4, along the first column of the basis, as far as the norms
        of T_p(x) g need them; for a correlation g = h(W'x), for a statistic the whole function.
    """

    basis: Array
    entries: tuple[Number, ...]
    squares: tuple[Number, ...]


def correlation_mean(link: Link, direction: Array, form: Ridge, *, digits: int = 40) -> SpanMean:
    """E[f(<v, x>) T_p(x) h(<w, x>)] and the norms of g = h(<w, x>), x ~ N(0, I_d).

    Given u = <w, x> / ||w||, <v, x> is rho u + sqrt(1 - rho^2) Z, so the link is averaged over Z in
    closed form and one integral over u is left.

    Parameters
    ----------
    link : f, a ReLU, leaky ReLU, step, sign or Hermite series; scaled, or without low degrees.
    direction : v, a unit vector up to rounding; its length is divided out exactly.
    form : at most one column; h is called on arrays of balls, or of floats where that fails.

    Raises
    ------
    NotCertified
        For other links, and for frames of more than one column.
    """
    columns = [c for c in columns_of(form) if np.any(c)]
    if not known(link) or form.columns > 1 or len(columns) < form.columns:
        raise NotCertified("a link or a frame whose means are not computed in many digits")
    bits = 2 * bits_for(digits) + 64
    with working_bits(bits):
        v = _unit(balls(direction))
        if not columns:
            moments = _along(lambda t: values(link, t, digits), link.kinks, form.power, digits)
            constant = _squares(None, arb(1), (), form.power, digits)
            return SpanMean(_columns([v]), tuple(map(_number, moments)), constant)
        w, length = balls(columns[0]), _length(balls(columns[0]))
        first = w / length
        overlap = arb((first * v).sum())
        rest = v - first * overlap
        sine = _length(rest)
        kinks = [arb(k) / length for k in form.columns_kinks[0]]
        parallel = not sine > arb(2) ** -80
        entries = _against_link(
            link, form, length, None if parallel else (overlap, sine), overlap, kinks, digits
        )
        squares = _squares(form.h, length, kinks, form.power, digits)
        basis = [first] if parallel else [first, rest / sine]
        return SpanMean(_columns(basis), entries, squares)


def statistic_mean(link: Link, direction: Array, form: Ridge, *, digits: int = 40) -> SpanMean:
    """E[T_p(x) h(y)] and the norms of h(y), y = f(<v, x>) without noise; no frame.

    Parameters and errors as for `correlation_mean`; the points at which y meets a level of the
    form are found among sign changes on a grid of step 0.01, then in many digits.
    """
    if not known(link) or form.frame is not None or form.h is None:
        raise NotCertified("a link or a frame whose means are not computed in many digits")
    h = form.h
    with working_bits(2 * bits_for(digits) + 64):
        v = _unit(balls(direction))
        kinks = [*map(arb, link.kinks)]
        for level in form.levels:
            kinks += _crossings(link, float(level), digits)

        def function(t: Balls) -> Balls:
            return _called(h, values(link, t, digits))

        moments = _along(function, kinks, form.power, digits)
        degrees = range(0, 2 * form.power + 1, 2)
        squares = _moments(lambda t: function(t) ** 2, kinks, degrees, digits)
        return SpanMean(_columns([v]), tuple(map(_number, moments)), tuple(map(_number, squares)))


def _against_link(
    link: Link,
    form: Ridge,
    length: arb,
    angle: tuple[arb, arb] | None,
    overlap: arb,
    kinks: Sequence[arb],
    digits: int,
) -> tuple[Number, ...]:
    """Entries of E[T_p h f] in the coordinates (u, z), or u alone where w is along v."""
    power, side = form.power, 1 if overlap > 0 else -1

    def integrand(u: Balls) -> list[Balls]:
        weight = _weight(form.h, u * length)
        if all(x == 0 for x in weight):
            return [weight] * (1 if angle is None else power + 1)
        weight = weight * _density(u)
        hermite = _hermite(u, power)
        if angle is None:
            return [weight * values(link, u * side, digits) * hermite[power]]
        moments = smoothed(link, u, *angle, power, digits)
        # An entry with j indices along z holds the jth moment of the smoothed link.
        return [weight * hermite[power - j] * moments[j] for j in range(power + 1)]

    ends = list(kinks)
    for kink in map(arb, link.kinks):
        if angle is None:
            ends.append(kink * side)
        elif abs(angle[1]) < 1.5 * abs(angle[0]):
            width = angle[1] / abs(angle[0])
            ends += [kink / angle[0] + sign * step * width for step in _STEP for sign in (1, -1)]
    found = integrate(integrand, _knots(ends, digits), digits)
    return tuple(map(_number, found))


def _along(
    function: Callable[[Balls], Balls], kinks: Sequence[Any], power: int, digits: int
) -> list[arb]:
    return _moments(function, kinks, [power], digits)


def _moments(
    function: Callable[[Balls], Balls], kinks: Sequence[Any], degrees: Sequence[int], digits: int
) -> list[arb]:
    """E[function(t) He_k(t)] for every degree k."""

    def integrand(t: Balls) -> list[Balls]:
        weight = function(t)
        if all(x == 0 for x in weight):
            return [weight] * len(degrees)
        weight, hermite = weight * _density(t), _hermite(t, max(degrees))
        return [weight * hermite[k] for k in degrees]

    return integrate(integrand, _knots([*map(arb, kinks)], digits), digits)


def _squares(
    h: Callable[..., Any] | None, length: arb, kinks: Sequence[Any], power: int, digits: int
) -> tuple[Number, ...]:
    degrees = range(0, 2 * power + 1, 2)
    if h is None:
        return tuple(Number(Fraction(k == 0), Fraction(0)) for k in degrees)
    found = _moments(lambda u: _called(h, u * length) ** 2, kinks, degrees, digits)
    return tuple(map(_number, found))


def _weight(h: Callable[..., Any] | None, points: Balls) -> Balls:
    return balls([1] * len(points)) if h is None else _called(h, points)


def _called(h: Callable[..., Any], points: Balls) -> Balls:
    """h on balls; on floats, with their rounding as its error, where it does not take balls."""
    try:
        found = np.asarray(h(points))
    except Exception:  # a user's function, which may fail on these numbers in any way
        found = None
    if found is not None and found.shape == points.shape:
        # Floats would be rounded results, unless they are the values of an indicator.
        plain = found.dtype == object or bool(np.isin(found, (-1.0, 0.0, 1.0)).all())
        if plain:
            return balls(found)
    floats = np.array([float(x) for x in points])
    rough = np.asarray(h(floats), dtype=np.float64)
    error = np.abs(rough) * (1 + np.abs(floats)) * 4.5e-16
    return balls([arb(float(y), float(e)) for y, e in zip(rough, error, strict=True)])


def _crossings(link: Link, level: float, digits: int) -> list[arb]:
    """Where f crosses a level."""
    grid = np.sort(np.append(_SCAN, [k for k in link.kinks if abs(k) < _SCAN[-1]]))
    below = np.asarray(link(grid)) < level
    found = []
    for at in np.flatnonzero(below[1:] != below[:-1]):
        low, high = arb(float(grid[at])), arb(float(grid[at + 1]))
        for _ in range(2 * bits_for(digits)):
            middle = ((low + high) / 2).mid()
            if bool(values(link, balls([middle]), digits)[0] < arb(level)) == bool(below[at]):
                low = middle
            else:
                high = middle
        found.append(high)
    return found


def _knots(kinks: Sequence[arb], digits: int) -> list[arb]:
    """Panels of width 3 and the kinks, ascending; beyond the ends is nothing that counts.

    Where all begins at a far kink, what counts lies just beyond it.
    """
    near = [k.mid() for k in kinks if abs(k) < _FARTHEST]
    reach = np.sqrt(2 * np.log(10) * (digits + _TAIL_DIGITS))
    reach = max([reach, *(abs(float(k)) + _BEYOND for k in near)])
    end = _WIDTH * int(np.ceil(reach / _WIDTH))
    return sorted([*map(arb, range(-end, end + 1, _WIDTH)), *near], key=_fraction)


def _hermite(u: Balls, degree: int) -> list[Balls]:
    """He_0, ..., He_degree."""
    rows = [balls([1] * len(u)), u]
    for k in range(1, degree):
        rows.append(u * rows[k] - rows[k - 1] * k)
    return rows


def _density(u: Balls) -> Balls:
    return balls(np.exp(u * u / -2) / (2 * arb.pi()).sqrt())


def _unit(vector: Balls) -> Balls:
    return balls(vector / _length(vector))


def _length(vector: Balls) -> arb:
    return arb((vector * vector).sum()).sqrt()


def _columns(columns: Sequence[Balls]) -> Array:
    return np.stack([np.array([float(x) for x in column]) for column in columns], axis=1)


def _number(found: arb) -> Number:
    middle, radius = found.mid(), arb(found.rad().upper())
    # A density 10^16 deviations out is a number whose exponent alone fills the memory.
    if abs(middle) < _TINY:
        middle, radius = arb(0), radius + abs(middle)
    if radius < _TINY:
        radius = arb(0) if radius == 0 else arb(_TINY)
    return Number(_fraction(middle), _fraction(arb(radius.upper())))


def _fraction(exact: arb) -> Fraction:
    mantissa, exponent = exact.man_exp()
    return Fraction(int(mantissa)) * Fraction(2) ** int(exponent)
