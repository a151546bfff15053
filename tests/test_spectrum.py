"""Funk-Hecke eigenvalues of ridge families: closed forms, quadrature, circulant matrices."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.special import eval_gegenbauer, gamma

from sqsim.errors import BadInput
from sqsim.links import HermiteSeries, relu
from sqsim.lowerbounds.hermite import t_eps
from sqsim.lowerbounds.spectrum import ridge_spectrum, sphere_moment


def weight(t: float, d: int) -> float:
    """Density of one coordinate of a uniform unit vector of R^d."""
    return float(gamma(d / 2) / gamma((d - 1) / 2) / np.sqrt(np.pi) * (1 - t * t) ** ((d - 3) / 2))


def harmonic(t: float, order: int, d: int) -> float:
    lam = (d - 2) / 2
    return float(eval_gegenbauer(order, lam, t) / eval_gegenbauer(order, lam, 1.0))


@pytest.mark.parametrize("d", [3, 4, 9])
@pytest.mark.parametrize("order", [0, 1, 2, 3, 4])
@pytest.mark.parametrize("power", [0, 1, 2, 3, 5, 8])
def test_moments_against_quadrature(d: int, order: int, power: int) -> None:
    """The closed form is the integral of t^m P_l(t)."""
    found, _ = quad(lambda t: t**power * harmonic(t, order, d) * weight(t, d), -1, 1)
    assert float(sphere_moment(power, order, d)) == pytest.approx(found, abs=1e-12)


def test_moment_of_theory() -> None:
    """E t^4 = 3 / (100 102) = 2.941176e-4 in dimension 100."""
    assert sphere_moment(4, 0, 100) == Fraction(3, 100 * 102)
    assert sphere_moment(3, 1, 100) == Fraction(3, 100 * 102)


@given(st.integers(2, 60), st.integers(1, 40), st.integers(0, 40))
def test_moments_fall_with_the_harmonic_and_the_degree(d: int, order: int, extra: int) -> None:
    """So lambda_1 and lambda_2 dominate, and the tail of a series is below its first term."""
    power = order + 2 * extra
    here = sphere_moment(power, order, d)
    assert sphere_moment(power, order + 2, d) < here
    if order <= 2:
        assert sphere_moment(power + 2, order, d) <= here


@pytest.mark.parametrize("d", [3, 5, 10])
def test_arc_cosine_kernel(d: int) -> None:
    """The unbiased neuron has k(t) = (sqrt(1 - t^2) + t (pi - arccos t)) / (2 pi)."""
    spectrum = ridge_spectrum(relu(0), dimension=d, digits=12)
    for order, value in enumerate(spectrum.eigenvalues):

        def integrand(t: float, order: int = order) -> float:
            kernel = (np.sqrt(1 - t * t) + t * (np.pi - np.arccos(t))) / (2 * np.pi)
            return float(kernel) * harmonic(t, order, d) * weight(t, d)

        found, error = quad(integrand, -1, 1, epsabs=1e-13)
        low, high = (float(end) for end in value.bounds)
        assert low - error - 1e-12 <= found <= high + error + 1e-12


def test_circulant_gram_matrix_in_the_plane() -> None:
    """Equally spaced directions of the plane have a circulant Gram matrix: Fourier gives all."""
    weights = [0.0, 0.3, -0.5, 0.2, 0.7]
    spectrum = ridge_spectrum(HermiteSeries(tuple(weights)), dimension=2, digits=20)
    angles = 2 * np.pi * np.arange(16) / 16
    kernel = sum(w * w * np.cos(angles) ** m for m, w in enumerate(weights))
    eigen = np.fft.fft(kernel).real / 16
    for order in range(3):
        assert float(spectrum.eigenvalues[order]) == pytest.approx(eigen[order], rel=1e-12)
    assert eigen[1] >= eigen[3]
    assert eigen[2] >= eigen[4]


def test_the_trace_is_the_second_moment() -> None:
    """Multiplicities 1, d, (d + 2)(d - 1) / 2 of the harmonics of degree 0, 1, 2."""
    d, found = 7, ridge_spectrum(HermiteSeries((0.5, 0.25, 0.125)), dimension=7, digits=30)
    multiplicity = (1, d, (d + 2) * (d - 1) // 2)
    low = sum(n * v.bounds[0] for n, v in zip(multiplicity, found.eigenvalues, strict=True))
    high = sum(n * v.bounds[1] for n, v in zip(multiplicity, found.eigenvalues, strict=True))
    exact = Fraction(1, 4) + Fraction(1, 16) + Fraction(1, 64)
    assert low <= exact <= high
    assert high - low < Fraction(1, 10**28)


@pytest.mark.parametrize(
    ("a", "d", "ratio"),
    [(4, 50, 8.9e-5), (4, 200, 4.5e-6), (5, 50, 6.4e-6), (5, 200, 7.7e-8), (6, 50, 2.5e-7)],
)
def test_largest_eigenvalues_of_the_literature(a: int, d: int, ratio: float) -> None:
    """lambda_max over the second moment of the biased neuron at alpha = 10, two digits."""
    found = ridge_spectrum(relu(-a), dimension=d, cutoff=t_eps(relu(-a), alpha=10), digits=10)
    largest = max(map(float, found.eigenvalues))
    assert largest / float(found.second_moment) == pytest.approx(ratio, rel=0.02)


def test_more_terms_nest_and_few_terms_still_hold() -> None:
    """What is not summed lies inside the enclosure."""
    few = ridge_spectrum(relu(-1), dimension=4, cutoff=1, digits=20, terms=10)
    many = ridge_spectrum(relu(-1), dimension=4, cutoff=1, digits=20, terms=200)
    for wide, narrow in zip(few.eigenvalues, many.eigenvalues, strict=True):
        assert wide.bounds[0] <= narrow.bounds[0] <= narrow.bounds[1] <= wide.bounds[1]


def test_a_line_has_no_sphere_of_directions() -> None:
    """Two dimensions at least."""
    with pytest.raises(BadInput, match="from 2 on"):
        ridge_spectrum(relu(0), dimension=1)


def test_nothing_summed_is_still_an_enclosure() -> None:
    """The whole tail weighs as much as its first degree with the parity of the harmonic."""
    few = ridge_spectrum(relu(-1), dimension=5, cutoff=-1, digits=20, terms=0)
    many = ridge_spectrum(relu(-1), dimension=5, cutoff=-1, digits=20, terms=300)
    for wide, narrow in zip(few.eigenvalues, many.eigenvalues, strict=True):
        assert wide.bounds[0] <= narrow.bounds[0] <= narrow.bounds[1] <= wide.bounds[1]
    with pytest.raises(BadInput, match="terms"):
        ridge_spectrum(relu(-1), dimension=5, terms=-1)
