"""The correlation kernel r -> kappa(r) / kappa(1) as a float64 polynomial with a proved error.

The error counts everything between the exact overlap of two directions and the float that comes
out: the rounded overlap, the polynomial's truncation, its rounded coefficients, its evaluation.
This file does not know families or matrices.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import final

import numpy as np
from flint import arb, arb_poly

from sqsim.errors import NotCertified
from sqsim.lowerbounds.correlation import longest_series, pairwise_correlation
from sqsim.lowerbounds.expansions import Expansion
from sqsim.lowerbounds.precision import ball, working_bits
from sqsim.lowrank import Array

UNIT = Fraction(1, 2**53)
TINY = Fraction(1, 10**280)
"""Bounds what underflow can do to a sum of products of numbers below 2."""

WIDTH = 4
CHUNK = 16384
PAD = 64
"""Rows of a work array that lie a power of two apart would share cache lines."""

BITS = 160
MODULUS_DIGITS = 45
LARGEST_SIMPLE = Fraction(3, 4)
"""Up to here powers of the overlap lose next to nothing; beyond it they lose everything."""


@final
@dataclass(frozen=True, eq=False)
class Kernel:
    """kappa(r) / kappa(1) for |r| <= reach.

    Attributes
    ----------
    coefficients : Array
        Of 1, r, r^2, ... in rows of four, or of the Chebyshev polynomials in r / reach.
    chebyshev : whether they are the latter.
    error : bounds |value - kappa(r) / kappa(1)| wherever the float argument differs from r by at
        most the `shift` that the kernel was built for and neither exceeds the reach.
    """

    reach: Fraction
    coefficients: Array
    chebyshev: bool
    error: Fraction


def gamma(count: int) -> Fraction:
    """Higham's gamma_n = n u / (1 - n u): relative error of n roundings."""
    return count * UNIT / (1 - count * UNIT)


def ridge_kernel(f: Expansion, reach: Fraction, shift: Fraction) -> Kernel:
    """The kernel on [-reach, reach], 0 < reach < 1, for overlaps rounded by at most `shift`.

    kappa has coefficients c_k^2 >= 0 with sum kappa(1), so |kappa(x) - kappa(y)| <= kappa(reach) -
    kappa(reach - |x - y|); the Mehler sum cut at N errs by at most reach^(N + 1) kappa(1); and the
    cut sum is at most kappa(1) on the Bernstein ellipse with semi-axis 1 around [-reach, reach], of
    parameter e = 1 / reach + sqrt(1 / reach^2 - 1), so that its interpolant at M + 1 Chebyshev
    points errs by at most 4 kappa(1) e^-M / (e - 1) (Trefethen, Approximation Theory and
    Approximation Practice, theorem 8.2).  The polynomial is then cut as far as the rounded overlaps
    forgive, and its coefficients' and evaluation's rounding is added up.
    """
    moved = modulus(f, reach, shift)
    goal = moved / 8 + Fraction(1, 10**40)
    log_goal = math.log(goal.numerator) - math.log(goal.denominator)
    degree = math.ceil(log_goal / math.log(reach)) + 1
    degree = max(1, min(degree, longest_series(f)))
    with working_bits(BITS + _basis_bits(reach) + f.guard_bits(degree)):
        whole, error = _cut_sum(f, degree, reach)
        coefficients, outside = _chebyshev(whole, reach, log_goal)
        error += outside
        size = _kept(coefficients, ball(goal))
        error += _mass(coefficients[size:])
        kept = coefficients[:size]
        bounds = moved + fraction_above(error)
        if reach <= LARGEST_SIMPLE:
            floats, own = _monomial(kept, reach)
        else:
            floats, own = _clenshaw(kept)
        return Kernel(reach, floats, reach > LARGEST_SIMPLE, bounds + own)


def _basis_bits(reach: Fraction) -> int:
    """Where powers are tried: their coefficients grow, and small ones are differences."""
    return 240 if reach <= LARGEST_SIMPLE else 0


def modulus(f: Expansion, reach: Fraction, shift: Fraction) -> Fraction:
    """(kappa(reach) - kappa(reach - shift)) / kappa(1), rounded up: how far a shift can move it."""
    top, low, one = (
        pairwise_correlation(f, r, digits=MODULUS_DIGITS).bounds
        for r in (reach, max(reach - shift, -reach), Fraction(1))
    )
    if one[0] <= 0:
        raise NotCertified("the function is not proved to be other than zero")
    return (top[1] - low[0]) / one[0]


def _cut_sum(f: Expansion, degree: int, reach: Fraction) -> tuple[arb_poly, arb]:
    """sum_{k <= degree} c_k^2 z^k / kappa(1), and a bound of the rest for |z| <= reach."""
    second = f.second_moment()
    squares = [c * c / second for c in f.coefficients(degree)]
    if f.top is not None and f.top <= degree:
        return arb_poly(squares), arb(0)
    rest = (1 - sum(squares, arb(0))).abs_upper()
    return arb_poly(squares), rest * ball(reach) ** (degree + 1)


def _chebyshev(p: arb_poly, reach: Fraction, log_goal: float) -> tuple[list[arb], arb]:
    """Chebyshev coefficients in z / reach of an interpolant, and how far it is from p."""
    inverse = 1 / ball(reach)
    e = inverse + (inverse * inverse - 1).sqrt()
    size = max(2, math.ceil((math.log(4) - log_goal) / math.log(float(e))) + 1)
    cosines = [(arb(j) * arb.pi() / size).cos() for j in range(2 * size)]
    values = [p(ball(reach) * cosines[j]) for j in range(size + 1)]
    values[0] /= 2
    values[size] /= 2
    coefficients = [
        2 * sum((v * cosines[j * n % (2 * size)] for j, v in enumerate(values)), arb(0)) / size
        for n in range(size + 1)
    ]
    coefficients[0] /= 2
    coefficients[size] /= 2
    if p.degree() <= size:
        return coefficients, arb(0)
    return coefficients, 4 * e ** (-size) / (e - 1)


def _kept(coefficients: list[arb], goal: arb) -> int:
    """How many coefficients stay when those behind them add up to at most the goal."""
    rest = arb(0)
    for n in range(len(coefficients) - 1, 0, -1):
        rest += abs(coefficients[n])
        if not rest <= goal:
            return n + 1
    return 1


def _mass(coefficients: list[arb]) -> arb:
    return sum((abs(c) for c in coefficients), arb(0))


def _monomial(chebyshev: list[arb], reach: Fraction) -> tuple[Array, Fraction]:
    """Coefficients of 1, r, ... in rows of four, and the error of rounding and evaluating.

    Each term meets fewer than 2 n + 16 roundings on its way into the value.
    """
    before, now = arb_poly([1]), arb_poly([0, 1 / ball(reach)])
    twice, total = 2 * now, arb_poly([chebyshev[0]])
    for c in chebyshev[1:]:
        total += c * now
        before, now = now, twice * now - before
    exact = [total[k] for k in range(len(chebyshev))]
    rows = -(-len(exact) // WIDTH)
    floats = np.zeros(rows * WIDTH)
    floats[: len(exact)] = [float(c.mid()) for c in exact]
    rounding, size, power = arb(0), arb(0), arb(1)
    for c, value in zip(exact, floats.tolist(), strict=False):
        rounding += abs(c - arb(value)) * power
        size += abs(arb(value)) * power
        power *= ball(reach)
    error = fraction_above(rounding + size * ball(gamma(2 * len(floats) + 16)))
    return floats.reshape(rows, WIDTH), error + TINY


def _clenshaw(chebyshev: list[arb]) -> tuple[Array, Fraction]:
    """Chebyshev coefficients as floats, and the error of rounding and evaluating them.

    The recurrence y_k = 2 x y_k+1 - y_k+2 + b_k with local errors e_k is the exact one for
    b_k + e_k, so it errs by sum |e_k|, and |y_k| <= sum_{j >= k} (j - k + 1) (|b_j| + |e_j|).
    A step has three roundings; that of the scaled argument belongs to the shift of the overlap.
    """
    floats = np.array([float(c.mid()) for c in chebyshev])
    rounding = sum(
        (abs(c - arb(v)) for c, v in zip(chebyshev, floats.tolist(), strict=True)), arb(0)
    )
    local = ball(gamma(5))
    total, slope, value, next_value = arb(0), arb(0), arb(0), arb(0)
    for b in map(abs, floats[::-1].tolist()):
        # y_k is at most sum (j - k + 1) weight_j: a sum of sums.
        size = local * (2 * value + next_value + arb(b))
        total += size
        slope += arb(b) + size
        value, next_value = value + slope, value
    return floats, fraction_above(rounding + 2 * total) + TINY


def workspace(kernel: Kernel) -> tuple[Array, Array]:
    """Room for the powers of a chunk and for one polynomial a row of coefficients."""
    powers = np.empty((WIDTH, CHUNK + PAD))
    powers[0] = 1.0
    rows = 3 if kernel.chebyshev else len(kernel.coefficients)
    return powers, np.empty((rows, CHUNK + PAD))


def evaluate(kernel: Kernel, overlaps: Array, work: tuple[Array, Array]) -> Array:
    """Values at no more than CHUNK overlaps; a view that the next call overwrites."""
    powers, inner = (part[:, : len(overlaps)] for part in work)
    if kernel.chebyshev:
        return _clenshaw_values(kernel, overlaps, inner)
    x, square, cube = powers[1:]
    np.copyto(x, overlaps)
    np.multiply(x, x, out=square)
    np.multiply(square, x, out=cube)
    # Four terms at a time by a matrix product: half of Horner's passes over the chunk.
    np.matmul(kernel.coefficients, powers, out=inner)
    np.multiply(square, square, out=square)
    value = inner[-1]
    for row in inner[-2::-1]:
        value *= square
        value += row
    return np.asarray(value)


def _clenshaw_values(kernel: Kernel, overlaps: Array, inner: Array) -> Array:
    x = overlaps * (1 / float(kernel.reach))
    now, before, spare = inner
    now[:] = kernel.coefficients[-1]
    before[:] = 0.0
    for c in kernel.coefficients[-2:0:-1]:
        np.multiply(x, now, out=spare)
        spare *= 2.0
        spare -= before
        spare += c
        now, before, spare = spare, now, before
    x *= now
    x -= before
    x += kernel.coefficients[0]
    return x


def fraction_above(number: arb) -> Fraction:
    """A rational that is not less."""
    if not number.is_finite():
        raise NotCertified("the error of the kernel's polynomial is not finite")
    mantissa, exponent = number.abs_upper().man_exp()
    return Fraction(int(mantissa)) * Fraction(2) ** int(exponent)
