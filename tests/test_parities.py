"""The ReLU's view of a parity two proved ways, and against mpmath, closed forms and simulation."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from scipy.integrate import nquad

from sqsim.errors import BadInput
from sqsim.links import relu
from sqsim.lowerbounds import Enclosure, hermite_coefficients
from sqsim.lowerbounds.fourier import degree_masses, walsh_coefficients
from sqsim.lowerbounds.lifts import lifted_correlation, lifted_masses
from sqsim.lowerbounds.parities import (
    relu_parity_correlation,
    relu_parity_gap,
    relu_parity_leading_term,
    relu_parity_series,
)
from sqsim.lowerbounds.precision import private_mpmath

mp = private_mpmath(30)


def overlap(a: Enclosure, b: Enclosure) -> bool:
    return a.bounds[0] <= b.bounds[1] and b.bounds[0] <= a.bounds[1]


@pytest.mark.parametrize("k", [2, 4, 6, 8, 10, 14, 30])
def test_quadrature_and_series_overlap(k: int) -> None:
    """Two proofs of one number that share no formula."""
    by_integral = relu_parity_correlation(k)
    by_series = relu_parity_series(k, 1000)
    assert by_integral.digits >= 30
    assert by_series.digits >= 3
    assert overlap(by_integral, by_series)
    assert (float(by_integral) > 0) == (k % 4 == 2)
    leading = relu_parity_leading_term(k)
    assert float(by_integral) / float(leading) > 1


def test_published_values() -> None:
    """c_2 is (sqrt 2 - 1) / sqrt(2 pi) in polar coordinates; the others to their digits."""
    two = (mp.sqrt(2) - 1) / mp.sqrt(2 * mp.pi)
    found = relu_parity_correlation(2, digits=28)
    assert mp.mpf(found.lower) <= two + mp.mpf(10) ** -28
    assert mp.mpf(found.upper) >= two - mp.mpf(10) ** -28
    assert float(relu_parity_correlation(6)) == pytest.approx(0.004756930013, rel=1e-9)
    assert float(relu_parity_correlation(10)) == pytest.approx(3.6956e-4, rel=2e-5)
    for k, value in ((2, 0.126987271868), (6, 1.42961e-3), (10, 4.38026e-5)):
        assert float(relu_parity_leading_term(k)) == pytest.approx(value, rel=3e-6)


def test_the_leading_term_is_the_degree_k_part() -> None:
    """T_k = relu_k (k! / k^k)^(1/2) sign_1^k, from the library's own Hermite coefficients."""
    for k in (2, 4, 6, 12):
        c = float(hermite_coefficients(relu(0.0), [k])[0])
        value = c * math.sqrt(math.factorial(k) / k**k) * (2 / math.pi) ** (k / 2)
        assert float(relu_parity_leading_term(k)) == pytest.approx(value, rel=1e-12)


def test_against_mpmath_quadrature() -> None:
    """Dawson's integral to the power 6, by an unproved rule on an infinite range."""

    def integrand(u: Any) -> Any:
        dawson = mp.sqrt(mp.pi) / 2 * mp.exp(-u * u / 2) * mp.erfi(u / mp.sqrt(2))
        return (2 / mp.sqrt(mp.pi) * dawson) ** 6 / u**2

    value = mp.quad(integrand, [0, 1, 2, 4, 8, 12]) / (mp.pi * mp.sqrt(6))
    # Beyond 12 the integrand is about (2 / pi)^3 / u^8.
    value += (2 / mp.pi) ** 3 / (7 * mp.mpf(12) ** 7) / (mp.pi * mp.sqrt(6))
    assert float(relu_parity_correlation(6)) == pytest.approx(float(value), rel=1e-8)


def test_simulation_agrees() -> None:
    """10^6 draws, six standard deviations."""
    z = np.random.default_rng(5).normal(size=(10**6, 4))
    for k in (2, 4):
        x = z[:, :k]
        draws = np.maximum(x.sum(axis=1) / math.sqrt(k), 0) * np.sign(x).prod(axis=1)
        assert abs(draws.mean() - float(relu_parity_correlation(k))) < 6e-3 * draws.std()


def test_more_digits_nest() -> None:
    """Every precision encloses the finer one."""
    coarse, fine = (relu_parity_correlation(6, digits=n) for n in (8, 40))
    assert coarse.bounds[0] <= fine.bounds[0] <= fine.bounds[1] <= coarse.bounds[1]


def test_the_gap_is_the_best_scale() -> None:
    """min over s of s^2 / 2 - s q + 1 / 2, by a scan; and it shrinks with the noise."""
    for k, noise in ((2, Fraction(0)), (2, Fraction(1, 5)), (6, Fraction(1, 10))):
        q = 1 / math.sqrt(2 * math.pi) + (1 - 2 * noise) * float(relu_parity_correlation(k))
        s = np.linspace(0, 2, 200_001)
        least = float((s * s / 2 - s * q + 0.5).min())
        gap = 0.5 - 1 / (4 * math.pi) - least
        assert float(relu_parity_gap(k, noise=noise)) == pytest.approx(gap, abs=1e-10)
    assert float(relu_parity_gap(2, noise="0.1")) < float(relu_parity_gap(2))


CUBE = [1, -2, 3, 3, 0, 1, -1, 2]


def masses() -> list[Fraction]:
    return [m.bounds[0] for m in degree_masses(walsh_coefficients(CUBE))]  # type: ignore[misc]


def test_lifted_masses_add_up_and_start_right() -> None:
    """Degree 0 is the mean squared, degree 1 is W_1 2 / pi; the sum tends to E[f^2]."""
    found = [float(m) for m in lifted_masses(masses(), 300)]
    w = masses()
    assert found[0] == float(w[0])
    assert found[1] == pytest.approx(float(w[1]) * 2 / math.pi)
    assert found[2] == pytest.approx(float(w[2]) * 4 / math.pi**2)
    assert 0.9 * float(sum(w)) < sum(found) < float(sum(w))


def test_lifted_masses_against_products_of_sign_coefficients() -> None:
    """Sum over multi-indices of the squared products, as the definition says."""

    def sign(n: int) -> float:
        odd = math.prod(range(n - 2, 0, -2)) if n % 2 else 0
        return odd * math.sqrt(2 / (math.pi * math.factorial(n)))

    spectrum = walsh_coefficients(CUBE)
    expected = np.zeros(8)
    for index in itertools.product(range(8), repeat=3):
        if sum(index) < 8 and all(n % 2 for n in index if n):
            value = float(spectrum.coefficient([i for i in range(3) if index[i]]))
            expected[sum(index)] += value**2 * math.prod(sign(n) ** 2 for n in index if n)
    assert [float(m) for m in lifted_masses(masses(), 7)] == pytest.approx(expected.tolist())


def test_lifted_correlation_is_a_mehler_sum_and_a_mean() -> None:
    """Against the masses at overlap 1/2, and a simulation with six standard deviations."""
    half = [float(m) * 0.5**n for n, m in enumerate(lifted_masses(masses(), 80))]
    found = float(lifted_correlation(masses(), "1/2"))
    assert found == pytest.approx(sum(half), rel=1e-12)
    rng = np.random.default_rng(2)
    x, z = rng.normal(size=(2, 10**6, 3))
    y = 0.5 * x + math.sqrt(0.75) * z
    a, b = (np.array(CUBE)[(v < 0) @ np.array([1, 2, 4])] for v in (x, y))
    assert abs((a * b).mean() - found) < 6e-3 * (a * b).std()
    assert float(lifted_correlation(masses(), 1)) == float(sum(masses()))


def test_two_signs_by_plain_quadrature() -> None:
    """The definition of c_2 over the positive quadrant and its three reflections."""

    def density(x: float, y: float) -> float:
        return math.exp(-(x * x + y * y) / 2) / (2 * math.pi)

    def integrand(x: float, y: float) -> float:
        total = sum(s * t * max(s * x + t * y, 0) for s in (1, -1) for t in (1, -1))
        return total / math.sqrt(2) * density(x, y)

    value = 2 * nquad(integrand, [lambda y: (0, y), (0, 9)])[0]
    assert float(relu_parity_correlation(2)) == pytest.approx(value, abs=1e-7)


def test_bad_input() -> None:
    for k in (0, 3, -2, True, 2.0, 10**6):
        with pytest.raises(BadInput, match="even k"):
            relu_parity_correlation(k)  # type: ignore[arg-type]
    with pytest.raises(BadInput, match="terms"):
        relu_parity_series(6, 5)
    with pytest.raises(BadInput, match="gains only"):
        relu_parity_gap(4)
    with pytest.raises(BadInput, match="noise"):
        relu_parity_gap(2, noise="0.5")
    with pytest.raises(BadInput, match="overlap"):
        lifted_correlation([1], 2)
    with pytest.raises(BadInput, match="squares"):
        lifted_masses([-1], 2)
    with pytest.raises(BadInput, match="degree"):
        lifted_masses([1], -2)
