"""Links: Gaussian smoothing, Hermite coefficients and tails against 40 digits."""

from __future__ import annotations

from functools import partial

import mpmath
import numpy as np
import pytest
from mpmath import mpf

from sqsim.errors import BadInput
from sqsim.links import (
    HermiteSeries,
    Link,
    Relu,
    Scaled,
    hermite,
    leaky_relu,
    relu,
    residual,
    sigmoid,
    sign,
    step,
)
from sqsim.special import hermite_functions, normal_tail, positive_part_mean

LINKS: dict[str, tuple[Link, object]] = {
    "relu(-1.5)": (relu(-1.5), lambda t: max(t - mpf("1.5"), 0)),
    "relu(0.7, norm 3)": (relu(0.7, norm=3.0), lambda t: max(3 * t + mpf(0.7), 0)),
    "relu(-30)": (relu(-30.0), lambda t: max(t - 30, 0)),
    "relu(10)": (relu(10.0), lambda t: max(t + 10, 0)),
    "scaled": (Scaled(relu(-1.0), -0.5), lambda t: -mpf("0.5") * max(t - 1, 0)),
    "leaky": (leaky_relu(0.1, bias=-1.0), lambda t: t - 1 if t > 1 else mpf(0.1) * (t - 1)),
    "sign": (sign(0.4), lambda t: mpmath.sign(t + mpf(0.4))),
    "step": (step(-2.0), lambda t: mpf(t >= 2)),
    "sigmoid": (sigmoid(-1.0), lambda t: 1 / (1 + mpmath.exp(1 - t))),
    "hermite(4)": (hermite(4), lambda t: (t**4 - 6 * t**2 + 3) / mpmath.sqrt(24)),
}


def mean_of(g, kinks) -> mpf:  # type: ignore[no-untyped-def]
    """E[g(Z)] by Gauss-Legendre between the kinks, in 40 digits where g is analytic."""
    cuts = {mpf(x) for x in (-40, -20, -13, -8, -5, -2, 0, 2, 5, 8, 13, 20, 40)}
    cuts |= {k + h for k in map(mpf, kinks) for h in (0, mpf(1) / 8, mpf(3) / 8, 1, 2, 4)}
    ordered = sorted(c for c in cuts if abs(c) <= 40)
    # mpmath stops at an absolute tolerance.
    peak = max((abs(g(c) * mpmath.npdf(c)) for c in ordered), default=0) or mpf(1)
    return peak * mpmath.quad(
        lambda z: g(z) * mpmath.npdf(z) / peak, ordered, method="gauss-legendre", maxdegree=5
    )


def hermite_at(k: int, t: mpf) -> mpf:
    """h_k(t)."""
    before, now = mpf(0), mpf(1)
    for j in range(k):
        before, now = now, (t * now - mpmath.sqrt(j) * before) / mpmath.sqrt(j + 1)
    return now


@pytest.mark.parametrize("name", LINKS)
@pytest.mark.parametrize(("mean", "q"), [(0.3, 0.8), (-2.5, 0.5)])
def test_smoothed_moments(name: str, mean: float, q: float) -> None:
    link, f = LINKS[name]
    smooth = link.smoothed(np.array([mean, 0.0]), q)
    with mpmath.workdps(40):
        kinks = [(mpf(k) - mpf(mean)) / mpf(q) for k in link.kinks]
        # Conditioning: the argument of a tail at z is known to a few units of rounding.
        tail = 1 + float(max(map(abs, kinks), default=1)) ** 2
        for j, root in ((0, 1), (1, 1), (2, mpmath.sqrt(2))):

            def g(z, j=j, root=root):  # type: ignore[no-untyped-def]
                return f(mpf(mean) + mpf(q) * z) * hermite_at(j, z) * root

            exact = mean_of(g, kinks)
            size = mean_of(lambda z, g=g: abs(g(z)), [*kinks, -1, 1])
            gap = abs(mpf(float(smooth.moments[j][0])) - exact)
            confessed = smooth.errors[j][0] + 2e-15 * smooth.magnitudes[j][0]
            assert gap <= confessed + mpf("1e-35") * size, j
            assert gap <= 2e-15 * tail * size, j


@pytest.mark.parametrize("name", LINKS)
def test_coefficients(name: str) -> None:
    link, f = LINKS[name]
    values = link.coefficients(12)
    with mpmath.workdps(40):
        for k in (0, 1, 2, 11):

            def g(t, k=k):  # type: ignore[no-untyped-def]
                return f(t) * hermite_at(k, t)

            exact, size = mean_of(g, link.kinks), mean_of(lambda t, g=g: abs(g(t)), link.kinks)
            assert abs(mpf(float(values[k])) - exact) <= 4e-14 * size, k


@pytest.mark.parametrize("name", LINKS)
def test_second_moment(name: str) -> None:
    link, f = LINKS[name]
    with mpmath.workdps(40):
        exact = mean_of(lambda t: f(t) ** 2, link.kinks)
        assert abs(mpf(link.second_moment) / exact - 1) < 1e-13


@pytest.mark.parametrize("bias", [-30.0, -17.3, -8.0, -3.0, 0.0, 2.0, 10.0])
def test_relu_tails_by_closed_form(bias: float) -> None:
    with mpmath.workdps(60):
        b = mpf(bias)
        density, cdf = mpmath.npdf(b), mpmath.erfc(-b / mpmath.sqrt(2)) / 2
        second = (b * b + 1) * cdf + b * density
        assert abs(Relu(bias).second_moment / second - 1) < 3e-13
        values = Relu(bias).coefficients(3)
        exact = (density + b * cdf, cdf, density / mpmath.sqrt(2), -b * density / mpmath.sqrt(6))
        for value, reference in zip(values, exact, strict=True):
            assert abs(mpf(float(value)) - reference) <= 2e-15 * abs(reference)


def test_positive_part_mean_to_full_relative_precision() -> None:
    rng = np.random.default_rng(0)
    z = np.concatenate([rng.uniform(-37, 10, 150), rng.uniform(-5, 0, 150), [-37.0, -3.5, 0, 10]])
    density, cdf, part = normal_tail(z)
    assert np.array_equal(part, positive_part_mean(z))
    with mpmath.workdps(60):
        for i, x in enumerate(z):
            exact = mpmath.npdf(mpf(float(x)))
            share = mpmath.erfc(-mpf(float(x)) / mpmath.sqrt(2)) / 2
            assert abs(density[i] / exact - 1) < 1e-15
            assert abs(cdf[i] / share - 1) < 2e-15
            assert abs(part[i] / (exact + mpf(float(x)) * share) - 1) < 1e-14


def test_extreme_arguments_are_silent() -> None:
    density, cdf, part = normal_tail(np.array([-1e12, -60.0, 60.0, 1e12]))
    assert density.tolist() == [0.0, 0.0, 0.0, 0.0]
    assert cdf.tolist() == [0.0, 0.0, 1.0, 1.0]
    assert part.tolist() == [0.0, 0.0, 60.0, 1e12]


@pytest.mark.parametrize("overlap", [1e-3, 0.05, 0.3])
@pytest.mark.parametrize(("bias", "degree"), [(-7.0, 9), (-3.0, 3), (0.5, 2)])
def test_residual_confesses_its_cancellation(overlap: float, bias: float, degree: int) -> None:
    """At a small overlap r, E[f(r s + q Z)] = sum over k > degree of c_k r^k h_k(s)."""
    link = residual(relu(bias), degree)
    points = np.array([-2.0, 0.3, 1.7])
    smooth = link.smoothed(overlap * points, float(np.sqrt((1 - overlap) * (1 + overlap))))
    with mpmath.workdps(40):
        b, terms, h = mpf(bias), 80, hermite_at
        for i, s in enumerate(points):
            exact = mpmath.fsum(
                mpmath.npdf(b) * h(k - 2, -b) / mpmath.sqrt(k * (k - 1))
                * mpf(overlap) ** k * h(k, mpf(float(s)))
                for k in range(degree + 1, terms)
            )  # fmt: skip
            gap = abs(mpf(float(smooth.moments[0][i])) - exact)
            assert gap <= smooth.errors[0][i] + 2e-15 * smooth.magnitudes[0][i]
            assert smooth.errors[0][i] < 1e-13 * smooth.magnitudes[0][i]


def test_residual_has_no_low_part() -> None:
    link = residual(relu(-2.0), 4)
    assert not link.coefficients(4).any()
    generic = partial(Link.coefficients, link)
    assert np.abs(generic(4)).max() < 1e-16
    assert generic(8)[5:] == pytest.approx(link.coefficients(8)[5:], rel=1e-11)
    twice = residual(link, 6)
    assert twice.second_moment == pytest.approx(residual(relu(-2.0), 6).second_moment, rel=1e-13)


def test_hermite_functions_are_orthonormal() -> None:
    nodes, weights = np.polynomial.hermite_e.hermegauss(60)
    rows = hermite_functions(nodes, 20)
    gram = (rows * weights / np.sqrt(2 * np.pi)) @ rows.T
    assert np.abs(gram - np.eye(21)).max() < 1e-12
    assert HermiteSeries((1.0, 2.0))(np.array([3.0])) == pytest.approx([7.0])


def test_bad_links() -> None:
    with pytest.raises(BadInput):
        hermite(-1)
    with pytest.raises(BadInput):
        residual(relu(), -1)
    with pytest.raises(BadInput):
        Relu(np.nan)
    with pytest.raises(BadInput):
        relu(0.0, norm=0.0)
    with pytest.raises(BadInput):
        relu().coefficients(-1)
