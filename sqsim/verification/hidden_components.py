"""Entries on non-Gaussian components: matched moments, chi-square correlations, exponents."""

from __future__ import annotations

import math
from fractions import Fraction
from functools import partial

from scipy.integrate import dblquad, quad

from sqsim.lowerbounds.components import (
    component_chi_squared,
    component_coefficients,
    component_correlation,
    correlation_bound,
    matched_moments,
)
from sqsim.lowerbounds.family_bounds import ngca_bound
from sqsim.lowerbounds.mixtures import matched_component, mixture
from sqsim.problems.components import NonGaussianComponent
from sqsim.verification.conditions import exactly, joined, near
from sqsim.verification.entry import Entry, Finding, close, within

SOURCE = "Diakonikolas, Kane and Stewart (2017)"
COROLLARY = "Diakonikolas, Kane, Pittas and Zarifis (2021), Corollary 16"


def _mehler(constant: Fraction) -> Finding:
    """Half N(1.2, 0.36), half N(-1.2, 0.36), at overlap 0.4: closed form, series and the plane."""
    bumps = mixture(["1/2", "1/2"], ["1.2", "-1.2"], ["0.36", "0.36"])
    closed = component_correlation(bumps, "0.4", digits=15)
    coefficients = component_coefficients(bumps, 60, digits=15)
    series = sum(float(c) ** 2 * 0.4**k for k, c in enumerate(coefficients) if k)

    def ratio(t: float) -> float:
        parts = [math.exp(t * t / 2 - (t - m) ** 2 / 0.72) / 0.6 for m in (-1.2, 1.2)]
        return sum(parts) / 2

    def integrand(y: float, x: float) -> float:
        normal = math.exp(-(x * x + y * y) / 2) / (2 * math.pi)
        return normal * ratio(x) * ratio(0.4 * x + math.sqrt(0.84) * y)

    plane = dblquad(integrand, -9, 9, -9, 9, epsabs=1e-9)[0] - 1
    return joined(
        within(constant, closed, digits=9), near(series, float(closed)), near(plane, series, 1e-6)
    )


def _coefficient(nodes: int, constant: Fraction) -> Finding:
    """c_2m = -(1 - s)^m m! / sqrt((2m)!) of the smoothed Gauss-Hermite rule, s = 0.1."""
    component = matched_component(nodes, smoothing="0.1")
    proved = component_coefficients(component, 2 * nodes, digits=12)[-1]
    formula = -(0.9**nodes) * math.factorial(nodes) / math.sqrt(math.factorial(2 * nodes))
    return joined(within(constant, proved, digits=6), near(float(proved), formula))


def _chi_squared(nodes: int, smoothing: str, constant: Fraction) -> Finding:
    proved = component_chi_squared(matched_component(nodes, smoothing=smoothing), digits=12)
    problem = NonGaussianComponent(2, nodes, smoothing=float(smoothing))

    def integrand(t: float) -> float:
        density = math.exp(-t * t / 2) / math.sqrt(2 * math.pi)
        return density * float(problem.density_ratio(t)) ** 2  # type: ignore[arg-type]

    integral = quad(integrand, -10, 10, limit=400, points=[0.0])[0] - 1
    return joined(within(constant, proved, digits=3), near(float(proved), integral, 1e-7))


def _matched(constant: Fraction) -> Finding:
    found = [matched_moments(matched_component(m, smoothing="0.1")) for m in (1, 2, 3, 4, 7)]
    return joined(exactly(constant, found[2]), found == [1, 3, 5, 7, 13])


def _correlation_exponent(constant: Fraction) -> Finding:
    """|chi| <= |r|^(m+1) chi^2 for m = 5 matched moments, and the slope at small overlaps."""
    component = matched_component(3, smoothing="0.1")
    grid = ("-0.9", "-0.3", "0.05", "0.1", "0.6", "0.99")
    below = all(
        abs(float(component_correlation(component, r))) <= float(correlation_bound(component, r))
        for r in grid
    )
    at = ("0.01", "0.02")
    values = [float(component_correlation(component, r)) for r in at]
    slope = math.log(values[1] / values[0]) / math.log(2)
    return joined(close(constant, slope, error=5e-3), below)


def _bound_at_one(constant: Fraction) -> Finding:
    """The largest chi(P_u, P_v) / (r^(m+1) chi^2), which is that at r = 1."""
    component = matched_component(2, smoothing="0.1")
    shares = [
        float(component_correlation(component, r)) / float(correlation_bound(component, r))
        for r in ("0.1", "0.5", "0.9", "0.999", "1")
    ]
    return joined(close(constant, max(shares), error=1e-9), shares == sorted(shares))


def _tolerance_exponent(constant: Fraction) -> Finding:
    """Where the bound allows one query: tau = sqrt(lambda), and its slope in d."""

    def tolerance(dimension: int) -> float:
        made = ngca_bound(dimension=dimension, matched=5, chi_squared="0.549", tolerance=1)
        return 1 / math.sqrt(float(made.queries))

    at = (10**4, 10**5)
    slope = math.log(tolerance(at[1]) / tolerance(at[0])) / math.log(10)
    return close(constant, slope, error=1e-3)


def _count(constant: Fraction) -> Finding:
    """tau^2 d (d + 2) (d + 4) / (15 chi^2) queries for 5 matched moments."""
    made = ngca_bound(dimension=200, matched=5, chi_squared="0.549", tolerance="0.01")
    by_hand = Fraction(1, 10**4) * 200 * 202 * 204 / (15 * Fraction(549, 1000))
    return joined(
        within(constant, made.queries, digits=6), near(float(made.queries), float(by_hand), 1e-12)
    )


HIDDEN_COMPONENTS: tuple[Entry, ...] = (
    Entry(
        "dks.correlation",
        "sum c_k^2 0.4^k = 0.0566775385 for two bumps at +-1.2 of variance 0.36",
        f"{SOURCE}; value of this project's specification",
        "Mehler's formula in balls; 60 terms of the series; the integral over the plane",
        "0.0566775385",
        _mehler,
    ),
    *(
        Entry(
            f"dks.top-coefficient-{nodes}",
            f"the rule of {nodes} nodes smoothed by 0.1 has c_{2 * nodes} = {shown}",
            f"{SOURCE}; formula -(1 - s)^m m! / sqrt((2m)!) derived for this index",
            "exact rational moment over sqrt((2m)!); the formula",
            shown,
            partial(_coefficient, nodes),
        )
        for nodes, shown in ((2, "-0.330681"), (3, "-0.163009"), (4, "-0.0784189"))
    ),
    *(
        Entry(
            f"dks.chi-squared-{nodes}-nodes-{smoothing}",
            f"chi^2(A, N) = {shown} with {nodes} nodes smoothed by {smoothing}",
            f"{SOURCE}; value of this project's specification",
            "closed form in balls; the integral of the squared density ratio",
            shown,
            partial(_chi_squared, nodes, smoothing),
        )
        for nodes, smoothing, shown in (
            (2, "0.1", "0.842"),
            (3, "0.1", "0.549"),
            (4, "0.1", "0.364"),
            (3, "0.02", "2.47"),
        )
    ),
    Entry(
        "dks.matched-moments",
        "a smoothed rule of 3 nodes matches 5 moments, one of m nodes 2m - 1, and no more",
        SOURCE,
        "rational arithmetic, for m = 1, 2, 3, 4, 7",
        "5",
        _matched,
    ),
    Entry(
        "dkpz.correlation-exponent",
        "m = 5 matched moments: chi(P_u, P_v) falls like <u, v>^6, at most |<u, v>|^6 chi^2",
        COROLLARY,
        "slope between overlaps 0.01 and 0.02; the bound on a grid of overlaps",
        "6",
        _correlation_exponent,
    ),
    Entry(
        "dkpz.correlation-bound",
        "|chi(P_u, P_v)| <= 1 |<u, v>|^(m+1) chi^2, with equality at <u, v> = 1",
        COROLLARY,
        "largest share over a grid of overlaps up to 1",
        "1",
        _bound_at_one,
    ),
    Entry(
        "dkpz.tolerance-exponent",
        "with 5 matched moments the hard tolerance falls like d^-1.5, exponent (m + 1) / 4",
        f"{COROLLARY}, c = 0; slope measured here",
        "tolerance at which the certified count is 1, from d = 10^4 to 10^5",
        "-1.5",
        _tolerance_exponent,
    ),
    Entry(
        "dkpz.query-count",
        "5 matched moments, chi^2 = 0.549, d = 200, tau = 0.01: q >= 100.080",
        f"{SOURCE}; tau^2 d (d + 2) (d + 4) / (15 chi^2) derived for this index",
        "certificate; the quotient in rationals",
        "100.080",
        _count,
    ),
)
