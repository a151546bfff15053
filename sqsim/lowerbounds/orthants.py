"""Correlations of piecewise polynomials: closed forms and one integral for each pair of breaks.

Conventions: (X, Y) is a standard Gaussian pair with correlation r, T_j = (t - s)_+^j / j! at a
break s, T_-1 the unit mass at s.  Everything runs at FLINT's working precision, inside
`working_bits`.
"""

from __future__ import annotations

from fractions import Fraction

from flint import acb, arb

from sqsim.lowerbounds.expansions import (
    Expansion,
    Piecewise,
    Polynomial,
    density,
    truncated_moments,
    upper_tail,
)
from sqsim.lowerbounds.pieces import multiply
from sqsim.lowerbounds.precision import ball, working_precision
from sqsim.lowerbounds.smooth import Multiple, Without


def closed_correlation(f: Expansion, r: arb) -> arb | None:
    """E[f(X) f(Y)] at a correlation |r| < 1, or None where f is not piecewise polynomial."""
    match f:
        case Piecewise():
            return _piecewise(f, r)
        case Multiple(whole, factor):
            value = closed_correlation(whole, r)
            return None if value is None else ball(factor) ** 2 * value
        case Without(whole, degree):
            value = closed_correlation(whole, r)
            return None if value is None else value - _low_part(whole, degree, r)
    return None


def mirrored_correlation(f: Expansion) -> arb | None:
    """E[f(X) f(-X)], the correlation at r = -1, or None where f is not piecewise polynomial."""
    match f:
        case Piecewise(breaks, pieces):
            back = tuple(_mirrored(p) for p in reversed(pieces))
            other = Piecewise(tuple(-t for t in reversed(breaks)), back)
            return multiply(f, other).coefficients(0)[0]
        case Multiple(whole, factor):
            value = mirrored_correlation(whole)
            return None if value is None else ball(factor) ** 2 * value
        case Without(whole, degree):
            value = mirrored_correlation(whole)
            return None if value is None else value - _low_part(whole, degree, arb(-1))
    return None


def _low_part(f: Expansion, degree: int, r: arb) -> arb:
    """sum of c_k^2 r^k over k <= degree."""
    total = arb(0)
    for c in reversed(f.coefficients(degree)):
        total = total * r + c * c
    return total


def _mirrored(p: Polynomial) -> Polynomial:
    return tuple(c * (-1) ** m for m, c in enumerate(p))


def _piecewise(f: Piecewise, r: arb) -> arb:
    """With f = p + g, p its leftmost polynomial and g = sum over breaks and jumps of J_j T_j:

    E[f f] = E[g g] + sum_k p_k (2 c_k - p_k) r^k, which is finite since p_k = 0 beyond p's degree.
    """
    top = max(len(f.pieces[0]) - 1, 0)
    low = Piecewise((), (f.pieces[0],)).coefficients(top)
    total, power = arb(0), arb(1)
    for p, c in zip(low, f.coefficients(top), strict=True):
        total += p * (2 * c - p) * power
        power *= r
    jumps = f.jumps()
    for i, (s, first) in enumerate(jumps):
        for other, (t, second) in enumerate(jumps[: i + 1]):
            table = _moments(s, t, r, len(first), len(second))
            part = sum(
                (ball(a * b) * table[j + 1][k + 1] for j, a in enumerate(first) if a
                 for k, b in enumerate(second) if b),
                arb(0),
            )  # fmt: skip
            total += part if other == i else 2 * part
    return total


def _moments(s: Fraction, t: Fraction, r: arb, rows: int, columns: int) -> list[list[arb]]:
    """E[T_j(X) T_k(Y)] at the breaks s and t; entry [j + 1][k + 1], from j = k = -1 on.

    Stein: E[X T_j T_k] = E[T_j-1 T_k] + r E[T_j T_k-1], and X T_j = (j + 1) T_j+1 + s T_j.
    """
    a, b = ball(s), ball(t)
    deviation = ((1 - r) * (1 + r)).sqrt()
    table = [[arb(0)] * (columns + 1) for _ in range(rows + 1)]
    for k, value in enumerate(_against_mass(a, b, r, deviation, columns)):
        table[0][k + 1] = value
    for j, value in enumerate(_against_mass(b, a, r, deviation, rows)):
        table[j + 1][0] = value
    table[1][1] = _orthant(s, t, r)
    for k in range(1, columns):
        table[1][k + 1] = (table[1][k - 1] + r * table[0][k] - b * table[1][k]) / k
    for j in range(1, rows):
        for k in range(columns):
            before = table[j - 1][k + 1] + r * table[j][k]
            table[j + 1][k + 1] = (before - a * table[j][k + 1]) / j
    return table


def _against_mass(s: arb, t: arb, r: arb, deviation: arb, count: int) -> list[arb]:
    """E[T_-1(X) T_k(Y)] = phi(s) q^k I_k((t - r s) / q), q^2 = 1 - r^2, for k < count."""
    shift = (t - r * s) / deviation
    values, power = [], density(s)
    for moment in truncated_moments(shift, density(shift), count):
        values.append(power * moment)
        power *= deviation
    return values


def _orthant(s: Fraction, t: Fraction, r: arb) -> arb:
    """P(X > s, Y > t), whose derivative in r is the pair's density at (s, t) (Plackett).

    As a function of v with r = -cos(v) the density is exp(-E(v)) / (2 pi sin(v)),
    E = (s - t)^2 / (8 cos(v/2)^2) + (s + t)^2 / (8 sin(v/2)^2), and dr = sin(v) dv.  Only positive
    numbers are added: from r = 0 on where r > 0, else from r = -1 on, where X + Y = 0.
    """
    end, half = (-r).acos(), arb.pi() / 2
    if r > 0:
        first = upper_tail(ball(s)) * upper_tail(ball(t))
        return first + _area(s, t, half, end) / (2 * arb.pi())
    first = upper_tail(ball(s)) - upper_tail(ball(-t)) if s + t < 0 else arb(0)
    start, cut = arb(0), arb(0)
    if s != -t:
        # Below `start` the integrand is less than 2^-bits of its last value.
        far = ball((s + t) ** 2 / 8)
        depth = far / (end / 2).sin() ** 2 + working_precision()
        start = 2 * (far / depth).sqrt().asin()
        start = start.mid()
        cut = arb(0).union(start * (-far / (start / 2).sin() ** 2).exp())
    return first + (_area(s, t, start, end) + cut) / (2 * arb.pi())


def _area(s: Fraction, t: Fraction, start: arb, end: arb) -> arb:
    """The integral of exp(-E(v)) from start to end."""
    apart, near = ball((s - t) ** 2 / 8), ball((s + t) ** 2 / 8)

    def integrand(u: acb, analytic: bool) -> acb:
        # At a pole the quotient is not finite, as the integrator wants to be told.
        sine, cosine = ((start + u * (end - start)) / 2).sin_cos()
        exponent = acb(0)
        if s != t:
            exponent += apart / cosine**2
        if s != -t:
            exponent += near / sine**2
        return (-exponent).exp()

    tolerance = arb(2) ** (-working_precision())
    # Both ends: the integrand rises or falls, and its values may be any power of e.
    ends = [integrand(acb(u), False).real.abs_lower() for u in (0, 1)]
    scale = tolerance * ends[0].max(ends[1])
    area = acb.integral(integrand, 0, 1, rel_tol=tolerance, abs_tol=scale).real
    return (end - start) * area
