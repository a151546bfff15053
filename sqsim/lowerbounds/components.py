"""Non-Gaussian components: one direction of the data has law A, all others are N(0, 1).

P_v has density A(<v, x>) along a unit vector v and is N(0, I) across it.  With h_k orthonormal and
c_k = E_A[h_k], the chi-square correlations to N(0, I) are
E[(P_u / N)(P_v / N)] - 1 = sum_(k >= 1) c_k^2 <u, v>^k wherever the sum converges (Diakonikolas,
Kane and Stewart 2017).  This file does not know bounds on queries.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from itertools import product

from flint import arb

from sqsim.errors import BadInput, NotCertified
from sqsim.lowerbounds.mixtures import Component, matched_component
from sqsim.lowerbounds.precision import (
    Enclosure,
    Exact,
    ball,
    bits_for,
    enclose,
    exact_fraction,
    working_bits,
)

LARGEST_DEGREE = 5000


def component_coefficients(
    component: Component, degree: int, *, digits: int = 30
) -> tuple[Enclosure, ...]:
    """c_k = E_A[h_k] for k = 0, ..., degree; zeros are exact points."""
    exact = component.moments(_degree(degree))
    with working_bits(bits_for(digits) + 32):
        return tuple(
            enclose(ball(a) / arb(math.factorial(k)).sqrt(), digits) for k, a in enumerate(exact)
        )


def matched_moments(component: Component, *, limit: int = 1000) -> int:
    """The largest m such that A and N(0, 1) agree in the moments 1, ..., m, in exact arithmetic.

    E_A[He_k] is rational for both kinds of component, so this is a proof, which an enclosure
    around zero would not be.
    """
    # Far fewer are needed as a rule, and numbers grow with the degree.
    top = 8
    while True:
        exact = component.moments(min(top, _degree(limit)))
        for k, a in enumerate(exact):
            if k and a:
                return k - 1
        if top >= limit:
            raise NotCertified(
                f"all moments up to {limit} agree: the component may be N(0, 1) itself; raise limit"
            )
        top *= 2


def component_correlation(component: Component, overlap: Exact, *, digits: int = 30) -> Enclosure:
    """chi(P_u, P_v) = sum_(k >= 1) c_k^2 <u, v>^k in closed form, proved to this many digits.

    For two Gaussians N(m, s) and N(n, t), with p = 1 - s, q = 1 - t and D = 1 - r^2 p q,

        sum_k r^k E[He_k] E[He_k] / k! = D^(-1/2) exp((r m n - r^2 (q m^2 + p n^2) / 2) / D),

    which is Mehler's formula for s = t = 0; it needs r^2 (1 - s)^2 < 1 for every part, and the
    sum of absolute values diverges otherwise (chi^2(A, N), r = 1, is finite iff all 0 < s < 2).
    """
    r = exact_fraction(overlap, "overlap")
    if abs(r) > 1:
        raise BadInput(f"overlap is {overlap!r}; the product of two unit vectors lies in [-1, 1]")
    worst = max(abs(1 - s) for s in component.variances)
    if abs(r) * worst >= 1:
        raise BadInput(
            f"at overlap {float(r):g} the sum of c_k^2 |r|^k diverges: a part has variance "
            f"{float(1 - worst):g} or {float(1 + worst):g}, and |r| |1 - variance| < 1 is needed"
        )

    def value() -> arb:
        parts, total, x = component.parts(), arb(0), ball(r)
        for (w, m, s), (v, n, t) in product(parts, parts):
            p, q = ball(1 - s), ball(1 - t)
            room = 1 - x * x * p * q
            exponent = (x * m * n - x * x * (q * m * m + p * n * n) / 2) / room
            total += w * v * exponent.exp() / room.sqrt()
        return total - 1

    if not r:
        return Enclosure("0", "0")
    return _proved(value, digits)


def component_chi_squared(component: Component, *, digits: int = 30) -> Enclosure:
    """chi^2(A, N(0, 1)) = E_N[(A / N)^2] - 1, the correlation at overlap 1."""
    return component_correlation(component, 1, digits=digits)


def correlation_bound(component: Component, overlap: Exact, *, digits: int = 30) -> Enclosure:
    """|<u, v>|^(m+1) chi^2(A, N) >= |chi(P_u, P_v)|, for A that matches m moments."""
    r = abs(exact_fraction(overlap, "overlap"))
    if r > 1:
        raise BadInput(f"overlap is {overlap!r}; the product of two unit vectors lies in [-1, 1]")
    power = r ** (matched_moments(component) + 1)
    whole = component_chi_squared(component, digits=digits + 3)
    return _proved(lambda: ball(power) * whole.ball(), digits) if r else Enclosure("0", "0")


def least_smoothing(nodes: int, *, chi_squared: Exact, steps: int = 40) -> Fraction:
    """A smoothing s with chi^2 <= the bound, proved, at most 2^-steps above the least such s.

    chi^2 = sum_k (1 - s)^k (Q[He_k])^2 / k! decreases in s, so bisection on binary fractions; where
    a comparison stays open s is counted as too small.
    """
    bound = exact_fraction(chi_squared, "chi_squared")
    if bound <= 0:
        raise BadInput(f"chi_squared is {chi_squared!r}; it is positive for every smoothing")
    low, high = Fraction(0), Fraction(1)
    for _ in range(steps):
        middle = (low + high) / 2
        found = component_chi_squared(matched_component(nodes, smoothing=middle), digits=15)
        low, high = (low, middle) if found.bounds[1] <= bound else (middle, high)
    if high == 1:
        raise NotCertified(f"no smoothing up to 1 - 2^-{steps} gives {bound}; raise steps")
    return high


def _proved(value: Callable[[], arb], digits: int) -> Enclosure:
    need, guard = bits_for(digits), 64
    for _ in range(6):
        with working_bits(need + guard):
            found = value()
            if found.is_finite() and found.rel_accuracy_bits() >= need:
                return enclose(found, digits)
        guard = 2 * guard + need
    raise NotCertified(
        f"the correlation is not proved to {digits} digits with {need + guard} bits: it may be "
        "exactly zero; ask for fewer digits or another overlap"
    )


def _degree(degree: int) -> int:
    if isinstance(degree, bool) or not isinstance(degree, int) or not 0 <= degree <= LARGEST_DEGREE:
        raise BadInput(f"degree is {degree!r}; give one from 0 to {LARGEST_DEGREE}")
    return degree
