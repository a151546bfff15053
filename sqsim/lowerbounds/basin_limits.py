"""What local correlational steps can do for a ReLU of bias b -> -infinity, in closed form.

Computed here from the exact ratios of `basins`; nothing of it is a statement of the papers whose
updates it is about.  OPT = ||s_b||^2 / alpha, losses without 1/2.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from fractions import Fraction

from flint import arb

from sqsim.errors import BadInput, NotCertified
from sqsim.lowerbounds.expansions import density, upper_tail
from sqsim.lowerbounds.precision import (
    Enclosure,
    Exact,
    ball,
    bits_for,
    enclose,
    enclose_between,
    exact_fraction,
    working_bits,
)
from sqsim.lowerbounds.quantities import Rational

LARGEST_ALPHA = Fraction(10) ** 100
MOST_BITS = 20_000


class LimitLaw(Enum):
    """Weights whose ratio has a limit as b -> -infinity with angle |b| = c fixed.

    The reweighted step of a fixed lambda < 1 and the smoothed step of a fixed rho < 1 have none:
    their ratio grows without limit, since their weights spread over |z - |b|| >> 1/|b|.
    """

    PLAIN = "plain"
    OPTIMAL = "optimal"

    def progress(self, c: arb) -> arb:
        """lim alpha^-1 (signal / noise)^2: 2 c^2 Q(c / 2)^2, or c^2 Q(c / sqrt 2)."""
        if self is LimitLaw.PLAIN:
            return 2 * (c * upper_tail(c / 2)) ** 2
        return c * c * upper_tail(c / arb(2).sqrt())

    def slope(self, c: arb) -> arb:
        """A positive multiple of the derivative of log progress at c > 0."""
        if self is LimitLaw.PLAIN:
            return 2 * upper_tail(c / 2) - c * density(c / 2)
        x = c / arb(2).sqrt()
        return 2 * upper_tail(x) - x * density(x)


def limit_threshold(law: LimitLaw, *, digits: int = 15) -> Enclosure:
    """The least alpha with a basin: below it noise beats the step at every c.

    1 / max_c progress(c).  log progress is concave (log Q is), so the maximum is where the slope
    changes sign, once.
    """
    low, high = _peak(law, digits + 2)
    with working_bits(2 * bits_for(digits) + 64):
        return enclose(1 / law.progress(ball(low).union(ball(high))), digits)


def limit_roots(
    law: LimitLaw, *, alpha: Exact, digits: int = 15
) -> tuple[Enclosure, Enclosure] | None:
    """[c_min, c_max] with: noise of budget ||s_b||^2 / alpha cannot stop the step iff c between.

    c = angle |b| as b -> -infinity; the roots of progress(c) = 1 / alpha.  log progress is
    concave, so there are two or none.  Each bracket comes from a bisection in which both signs are
    proved.

    Returns
    -------
    pair of Enclosure, or None below the threshold (proved as well).

    Notes
    -----
    P(X, Y > a) / Q(a) tends to 2 Q(c / 2) where the angle between X and Y is c / a (sqrt 2 c / a
    for correlation L^2), and ||s_b||^2 ~ 2 Q(a) / a^2.
    """
    ratio = exact_fraction(alpha, "alpha")
    if not 0 < ratio <= LARGEST_ALPHA:
        raise BadInput(f"alpha is {alpha}; wanted 0 < alpha <= 1e100")
    top = sum(_peak(law, digits + 2), Fraction(0)) / 2

    def above(c: Fraction) -> bool:
        return _sign(lambda: law.progress(ball(c)) - ball(1 / ratio)) > 0

    if not above(top):
        low, _ = limit_threshold(law, digits=digits).bounds
        if ratio < low:
            return None
        raise NotCertified(
            f"alpha = {alpha} cannot be told from the threshold at {digits} digits; ask for more"
        )
    near, far = top, top
    while above(near):
        near /= 2
    while above(far):
        far *= 2
    first = _bisect(above, near, min(2 * near, top), digits)
    second = _bisect(lambda c: not above(c), max(far / 2, top), far, digits)
    return enclose_between(*first, digits), enclose_between(*second, digits)


def plain_exponent(overlap: Exact) -> Rational:
    """lim log(noise / signal) / b^2 of plain projected descent: (1 - L) / (2 (1 + L))."""
    cosine = _cosine(overlap)
    return Rational((1 - cosine) / (2 * (1 + cosine)))


def optimal_exponent(overlap: Exact) -> Rational:
    """The same of the best weight of <w, x>: (1 - L^2) / (4 (1 + L^2)).

    Every other weight's is at least this by Cauchy-Schwarz.
    """
    square = _cosine(overlap) ** 2
    return Rational((1 - square) / (4 * (1 + square)))


def best_shift(overlap: Exact) -> Rational:
    """The rho at which the reweighted step has the optimal exponent: lambda / (1 + lambda^2)."""
    cosine = _cosine(overlap)
    return Rational(cosine / (1 + cosine**2))


def reweighted_exponent(rho: Exact, overlap: Exact) -> Rational:
    """lim log(noise / signal) / b^2 of the reweighted step where cos(angle) = lambda = `overlap`.

    ((1 - rho lambda)^2 - 1/2 + rho^2 - max(0, lambda - rho lambda^2 - rho)^2 / 2) / 2, from
    log signal ~ -(1 - rho lambda)^2 b^2 / 2 and the two exact norms.  With rho* = `best_shift` it
    is identically the optimal exponent plus (1 + lambda^2) (rho - rho*)^2 times (1 - lambda^2) / 4
    where rho <= rho* and 1 / 2 elsewhere: never negative, and zero at lambda = 1 only.

    Parameters
    ----------
    rho : in [0, 1].
    overlap : lambda in (0, 1].
    """
    shift, cosine = exact_fraction(rho, "rho"), _cosine(overlap)
    if not 0 <= shift <= 1:
        raise BadInput(f"rho is {rho}; wanted 0 <= rho <= 1")
    spill = max(Fraction(0), cosine - shift * cosine**2 - shift)
    doubled = (1 - shift * cosine) ** 2 - Fraction(1, 2) + shift**2 - spill**2 / 2
    return Rational(doubled / 2)


def cap_angle(alpha: Exact, *, digits: int = 15) -> Enclosure:
    """How far labels on a cap tilt thresholded PCA as b -> -infinity: arcsin(2 e / alpha) / 2.

    Labels 1/|b| on {<x, v'> >= t}, of budget ||s_b||^2 / alpha, add about B v' v'^T to the neuron's
    A v v^T, with B / A -> 2 e / alpha; the best angle between v and v' tilts the top eigenvector by
    theta with sin(2 theta) = B / A.  pi / 2 where alpha < 2 e: the cap outweighs the neuron.
    """
    ratio = exact_fraction(alpha, "alpha")
    if ratio <= 0:
        raise BadInput(f"alpha is {alpha}; ||s_b||^2 / OPT is positive")
    with working_bits(2 * bits_for(digits) + 64):
        share = 2 * arb(1).exp() / ball(ratio)
        if share > 1:
            return enclose(arb.pi() / 2, digits)
        return enclose(share.asin() / 2, digits)


def two_stage_bias(alpha: Exact, *, digits: int = 15) -> Enclosure | None:
    """c_max / theta: |b| from which the cap's tilt leaves the limit basin of all weights of <w, x>.

    Indicative: both limits are read at one |b|, and one budget is spent twice.  None where there
    is no basin at all.
    """
    roots = limit_roots(LimitLaw.OPTIMAL, alpha=alpha, digits=digits + 2)
    if roots is None:
        return None
    with working_bits(2 * bits_for(digits) + 64):
        return enclose(roots[1].ball() / cap_angle(alpha, digits=digits + 2).ball(), digits)


def _peak(law: LimitLaw, digits: int) -> tuple[Fraction, Fraction]:
    """Where the slope changes sign, once: proved at both ends."""

    def falling(c: Fraction) -> bool:
        return _sign(lambda: law.slope(ball(c))) < 0

    return _bisect(falling, Fraction(1, 2), Fraction(8), digits)


def _bisect(
    beyond: Callable[[Fraction], bool], low: Fraction, high: Fraction, digits: int
) -> tuple[Fraction, Fraction]:
    """Shrink a bracket with beyond(low) false and beyond(high) true to 10^-digits of itself."""
    if beyond(low) or not beyond(high):
        raise NotCertified(f"[{float(low)}, {float(high)}] brackets no change of sign")
    while (high - low) * 10**digits > low:
        middle = (low + high) / 2
        if beyond(middle):
            high = middle
        else:
            low = middle
    return low, high


def _sign(value: Callable[[], arb]) -> int:
    """The proved sign of a number, at the first precision that shows it."""
    bits = 128
    while bits <= MOST_BITS:
        with working_bits(bits):
            found = value()
            if found > 0 or found < 0:
                return 1 if found > 0 else -1
        bits *= 2
    raise NotCertified(f"a sign is not decided with {MOST_BITS} bits; perturb the parameters")


def _cosine(overlap: Exact) -> Fraction:
    value = exact_fraction(overlap, "overlap")
    if not 0 < value <= 1:
        raise BadInput(f"overlap is {overlap}; wanted 0 < overlap <= 1")
    return value
