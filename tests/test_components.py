"""Component correlations by closed form, Hermite series, quadrature and the theory's own values."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.polynomial.hermite_e import hermegauss
from scipy.integrate import dblquad

from sqsim.errors import BadInput, NotCertified
from sqsim.lowerbounds.components import (
    component_chi_squared,
    component_coefficients,
    component_correlation,
    correlation_bound,
    least_smoothing,
    matched_moments,
)
from sqsim.lowerbounds.mixtures import Component, matched_component, mixture
from sqsim.lowerbounds.precision import Enclosure, private_mpmath

mp = private_mpmath(30)

ZOO: dict[str, Component] = {
    "two bumps": mixture(["1/2", "1/2"], [1, -1], ["0.3", "0.3"]),
    "three bumps": mixture(["1/2", "1/3", "1/6"], ["-0.5", "0.25", 1], ["0.5", "1.5", "1"]),
    "wide": mixture([1], [0], ["1.7"]),
    "shifted": mixture([1], ["0.7"], [1]),
    "matched 1": matched_component(1, smoothing="0.4"),
    "matched 2": matched_component(2, smoothing="0.1"),
    "matched 4": matched_component(4, smoothing="0.3"),
}


def gaussians(component: Component) -> list[tuple[float, float, float]]:
    return [(float(w), float(m), float(s)) for w, m, s in component.parts()]


def density(component: Component) -> Any:
    table = gaussians(component)

    def value(x: Any) -> Any:
        return sum(w * mp.npdf(x, m, mp.sqrt(s)) for w, m, s in table)

    return value


@pytest.mark.parametrize("name", ZOO)
@pytest.mark.parametrize("overlap", ["0.5", "-0.6"])
def test_closed_form_and_series_agree(name: str, overlap: str) -> None:
    """Exact coefficients to degree 200, and what their squares leave out is below 0.7^200."""
    component, r = ZOO[name], Fraction(overlap)
    exact = component.moments(200)
    series = sum((a * a * r**k / math.factorial(k) for k, a in enumerate(exact) if k), Fraction(0))
    found = component_correlation(component, overlap, digits=25)
    assert found.digits >= 25
    low, high = found.bounds
    assert low - Fraction(1, 10**30) <= series <= high + Fraction(1, 10**30)


@pytest.mark.parametrize("name", ZOO)
def test_coefficients_are_means_of_hermite_polynomials(name: str) -> None:
    """Gauss-Hermite quadrature around each bump, exact for polynomials, in floats."""
    component = ZOO[name]
    x, weights = hermegauss(12)
    weights = weights / weights.sum()
    found = component_coefficients(component, 10)
    for k, value in enumerate(found):
        h = np.polynomial.hermite_e.HermiteE.basis(k)
        mean = sum(w * weights @ h(m + math.sqrt(s) * x) for w, m, s in gaussians(component))
        assert float(value) == pytest.approx(mean / math.sqrt(math.factorial(k)), abs=1e-11)


@pytest.mark.parametrize("name", ["two bumps", "three bumps", "matched 2", "matched 4"])
def test_chi_squared_is_its_integral(name: str) -> None:
    """int A^2 / N - 1 by mpmath."""
    a = density(ZOO[name])
    value = mp.quad(lambda x: a(x) ** 2 / mp.npdf(x), [-12, -4, -2, -1, 0, 1, 2, 4, 12]) - 1
    assert float(component_chi_squared(ZOO[name])) == pytest.approx(float(value), rel=1e-9)


def test_the_correlation_is_that_of_two_planar_laws() -> None:
    """E_N[(A(<u, x>) / N)(A(<v, x>) / N)] - 1 over the plane of u and v, r = 0.6."""
    table = gaussians(ZOO["two bumps"])

    def ratio(t: float) -> float:
        return sum(w * math.exp(t * t / 2 - (t - m) ** 2 / (2 * s)) / math.sqrt(s)
                   for w, m, s in table)  # fmt: skip

    def integrand(y: float, x: float) -> float:
        normal = math.exp(-(x * x + y * y) / 2) / (2 * math.pi)
        return normal * ratio(x) * ratio(0.6 * x + 0.8 * y)

    value = dblquad(integrand, -9, 9, -9, 9, epsabs=1e-9)[0] - 1
    assert float(component_correlation(ZOO["two bumps"], "0.6")) == pytest.approx(value, rel=1e-7)


@pytest.mark.parametrize(
    ("nodes", "smoothing", "first", "chi"),
    [(2, "0.1", -0.330681, 0.842), (3, "0.1", -0.163009, 0.549), (4, "0.1", -0.0784189, 0.364),
     (3, "0.02", None, 2.47)],
)  # fmt: skip
def test_published_values(nodes: int, smoothing: str, first: float | None, chi: float) -> None:
    """c_2m and chi^2 of smoothed Gauss-Hermite rules."""
    a = matched_component(nodes, smoothing=smoothing)
    top = float(component_coefficients(a, 2 * nodes)[-1])
    if first is not None:
        assert top == pytest.approx(first, rel=5e-6)
    assert float(component_chi_squared(a)) == pytest.approx(chi, rel=2e-3)


@given(st.integers(1, 12), st.fractions(Fraction(1, 50), Fraction(49, 50), max_denominator=50))
def test_matched_components_match_and_then_do_not(nodes: int, smoothing: Fraction) -> None:
    """2m - 1 moments, exactly, and c_2m by its formula; the nodes are a law with total mass 1."""
    a = matched_component(nodes, smoothing=smoothing)
    assert matched_moments(a) == 2 * nodes - 1
    exact = a.moments(2 * nodes)
    assert exact[1:-1] == [0] * (2 * nodes - 1)
    assert exact[-1] == -((1 - smoothing) ** nodes) * math.factorial(nodes)
    table = gaussians(a)
    assert sum(w for w, _, _ in table) == pytest.approx(1.0)
    variance = sum(w * (m * m + s) for w, m, s in table)
    assert variance == pytest.approx(1.0 if nodes > 1 else float(smoothing))


def test_matched_moments_of_mixtures() -> None:
    """Mean, variance and third moment one after the other."""
    assert matched_moments(mixture([1], ["1e-30"], [1])) == 0
    assert matched_moments(mixture([1], [0], ["1.000001"])) == 1
    assert matched_moments(mixture(["1/3", "2/3"], ["0.4", "-0.2"], ["0.92", "0.92"])) == 2
    assert matched_moments(mixture(["1/2", "1/2"], ["0.6", "-0.6"], ["0.64", "0.64"])) == 3
    assert matched_moments(mixture(["1/6", "2/3", "1/6"], [0, 0, 0], [0, 1, 2])) == 3
    with pytest.raises(NotCertified, match="itself"):
        matched_moments(mixture(["1/2", "1/2"], [0, 0], [1, 1]), limit=50)


def test_a_known_pair_of_bumps() -> None:
    """Half N(1.2, 0.36) and half N(-1.2, 0.36) at overlap 0.4."""
    bumps = mixture(["1/2", "1/2"], ["1.2", "-1.2"], ["0.36", "0.36"])
    assert float(component_correlation(bumps, "0.4")) == pytest.approx(0.0566775385, rel=1e-9)


def test_more_digits_nest() -> None:
    """Every precision encloses the finer one."""
    for component in ZOO.values():
        ends = [component_correlation(component, "-0.3", digits=n).bounds for n in (5, 15, 60)]
        for (low, high), (lower, upper) in pairwise(ends):
            assert low <= lower <= upper <= high


def test_the_bound_by_matched_moments() -> None:
    """|chi| <= |r|^(m+1) chi^2, nearly attained at r = 1, and never at r < 1."""
    a = ZOO["matched 2"]
    for r in ("-0.9", "0.1", "0.5"):
        exact, bound = component_correlation(a, r), correlation_bound(a, r)
        assert abs(float(exact)) < float(bound)
    assert float(correlation_bound(a, 1)) == pytest.approx(float(component_chi_squared(a)))
    zero = Enclosure("0", "0")
    assert component_correlation(a, 0) == correlation_bound(a, 0) == zero


def test_the_least_smoothing() -> None:
    """chi^2 = 0.842... at m = 2, s = 0.1: the designer finds s back, from above."""
    found = least_smoothing(2, chi_squared="0.8422349443130989", steps=40)
    assert 0 < found - Fraction(1, 10) < Fraction(1, 10**10)
    chi = component_chi_squared(matched_component(2, smoothing=found))
    assert chi.bounds[1] <= Fraction("0.8422349443130989")


def test_point_masses_have_correlations_but_no_chi_squared() -> None:
    """Mehler's own formula: A = N(0, 1) at a point has c_k = h_k(a)."""
    point = mixture([1], ["0.5"], [0])
    r, a = 0.4, 0.5
    kernel = math.exp((r * a * a - r * r * a * a) / (1 - r * r)) / math.sqrt(1 - r * r)
    assert float(component_correlation(point, "0.4")) == pytest.approx(kernel - 1)
    with pytest.raises(BadInput, match="diverges"):
        component_chi_squared(point)
    with pytest.raises(BadInput, match="diverges"):
        component_correlation(mixture([1], [0], [3]), "-0.5")


def test_bad_input() -> None:
    with pytest.raises(BadInput, match="as many"):
        mixture([1], [0, 1], [1])
    with pytest.raises(BadInput, match="add up"):
        mixture([0.1] * 10, [0] * 10, [1] * 10)
    with pytest.raises(BadInput, match="negative"):
        mixture([1], [0], [-1])
    with pytest.raises(BadInput, match="nodes"):
        matched_component(0, smoothing="0.1")
    for s in (0, 1, "2"):
        with pytest.raises(BadInput, match="smoothing"):
            matched_component(2, smoothing=s)
    with pytest.raises(BadInput, match="overlap"):
        component_correlation(ZOO["wide"], 2)
    with pytest.raises(BadInput, match="overlap"):
        correlation_bound(ZOO["wide"], -2)
    with pytest.raises(BadInput, match="degree"):
        component_coefficients(ZOO["wide"], -1)
    with pytest.raises(BadInput, match="positive"):
        least_smoothing(2, chi_squared=0)
    with pytest.raises(NotCertified, match="raise steps"):
        least_smoothing(1, chi_squared="1e-30", steps=5)
