"""P(X > s, Y > t) of a positively correlated Gaussian pair, for thresholds that are balls.

`orthants` has the same number for rational thresholds of any sign.  Everything runs at FLINT's
working precision, inside `working_bits`.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

from flint import acb, arb

from sqsim.lowerbounds.expansions import upper_tail
from sqsim.lowerbounds.precision import working_precision


def orthant(s: arb, t: arb | None, angle: arb) -> arb:
    """P(X > s, Y > t) of correlation cos(angle) in [0, 1); t = s where None.  Both at least 0.

    Plackett: the derivative in the correlation is the density at (s, t), so with r = cos(u) it is
    Q(s) Q(t) + (1 / 2 pi) times the integral over angle <= u <= pi / 2 of exp(-E(u)),
    E = (s - t)^2 / (2 sin(u)^2) + s t / (1 + cos(u)); only positive numbers are added.
    """
    other = s if t is None else t
    apart = None if t is None else (s - other) ** 2 / 2
    near, right = s * other, arb.pi() / 2
    ends = [angle, right]
    low, high = s.min(other), s.max(other)
    if t is not None and high > 0 and low / high < 1:
        # Where E is about least: elsewhere it may be larger without limit.
        middle = (low / high).acos().mid()
        if angle < middle and middle < right:
            ends.insert(1, middle)

    def integrand(u: acb) -> acb:
        sine, cosine = u.sin_cos()
        exponent = near / (1 + cosine)
        # At the pole the quotient is not finite, as the integrator wants to be told.
        return (-exponent if apart is None else -exponent - apart / sine**2).exp()

    scale = arb(0)
    for u in ends:
        scale = scale.max(integrand(acb(u)).real.abs_lower())
    area = arb(0)
    for start, end in pairwise(ends):
        area += (end - start) * _unit_integral(integrand, start, end, scale)
    return upper_tail(s) * upper_tail(other) + area / (2 * arb.pi())


def _unit_integral(f: Callable[[acb], acb], start: arb, end: arb, scale: arb) -> arb:
    """The integral of f(start + x (end - start)) over 0 <= x <= 1."""
    tolerance = arb(2) ** (-working_precision())
    area = acb.integral(
        lambda x, analytic: f(start + x * (end - start)),
        0, 1, rel_tol=tolerance, abs_tol=tolerance * scale,
    )  # fmt: skip
    return area.real
