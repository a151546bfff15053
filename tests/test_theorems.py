"""Counting theorems against families small enough to count."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sqsim.errors import BadInput
from sqsim.lowerbounds.precision import Enclosure
from sqsim.lowerbounds.quantities import Estimate, Rational
from sqsim.lowerbounds.theorems import (
    average_bound,
    average_to_vstat,
    conditional_average_to_vstat,
    pairwise_bound,
    spectral_bound,
    sphere_bound,
    sq_dimension_bound,
    statistical_bound,
)

seeds = st.integers(0, 2**32 - 1)


def family(seed: int, count: int = 12, space: int = 9) -> np.ndarray:
    """Rows are functions on a finite uniform space, of norm 1."""
    rows = np.random.default_rng(seed).standard_normal((count, space))
    return rows / np.sqrt(np.mean(rows**2, axis=1, keepdims=True))


@given(seeds, st.floats(0.05, 0.95))
def test_no_query_rules_out_more_than_the_pairwise_count(seed: int, tau: float) -> None:
    """A unit query sees fewer than 2 (beta - gamma) / (tau^2 - gamma) of the family."""
    f = family(seed)
    gram = f @ f.T / f.shape[1]
    gamma = np.max(np.abs(gram - np.diag(np.diag(gram))))
    stream = np.random.default_rng(seed + 1)
    # The most that a query could see is along signed sums of members.
    queries = stream.choice([-1.0, 0.0, 1.0], size=(60, len(f))) @ f
    for h in queries[np.any(queries != 0, axis=1)]:
        h = h / np.sqrt(np.mean(h * h))
        seen = np.sum(np.abs(f @ h) / f.shape[1] > tau)
        if gamma < tau * tau:
            assert seen < 2 * (1 - gamma) / (tau * tau - gamma) + 1e-9
        assert seen <= np.linalg.eigvalsh(gram)[-1] / tau**2 + 1e-9


@given(seeds, st.floats(0.1, 0.9))
def test_learning_by_enumeration_pays_at_least_the_bound(seed: int, tau: float) -> None:
    """Keystone in miniature: asking f_1, f_2, ... until one member is left, against zeros."""
    basis = np.eye(16) * 4.0
    alive, asked = set(range(16)), 0
    for h in basis:
        if len(alive) == 1:
            break
        asked += 1
        alive -= {i for i in alive if abs(np.mean(basis[i] * h)) > tau}
    bound = spectral_bound(count=16, eigenvalue=1, tolerance=tau)
    assert asked >= bound.bounds[0]
    paired = pairwise_bound(count=16, norm=1, correlation=0, tolerance=tau)
    assert asked >= paired.bounds[0]


def test_the_pairwise_form_of_the_literature() -> None:
    """beta = 1, gamma = 1/N, output as good as a query: (N tau^2 - 1) / 2 up to the output."""
    n, tau = 100, Fraction(1, 2)
    found = pairwise_bound(count=n, norm=1, correlation=Fraction(1, n), tolerance=tau)
    identify = n * (tau**2 - Fraction(1, n)) / (2 * (1 - Fraction(1, n)))
    assert isinstance(found, Rational)
    assert found.value == identify - Fraction(1, 2)


def test_bessel_is_the_spectral_bound_of_an_orthonormal_family() -> None:
    """q + 1 >= N tau^2."""
    assert spectral_bound(count=1000, eigenvalue=1, tolerance="0.1").bounds[0] == 9
    assert statistical_bound(count=1000, eigenvalue=1, tolerance="0.1").bounds[0] == 10


@given(seeds, st.floats(0.2, 0.9))
def test_ruling_out_a_set_makes_its_average_correlation_large(seed: int, tau: float) -> None:
    """The step behind the average-correlation bound: rho(A) > tau^2 for what a query sees."""
    f = family(seed)
    h = family(seed + 7, 1)[0]
    seen = np.abs(f @ h) / f.shape[1] > tau
    if seen.any():
        part = f[seen] @ f[seen].T / f.shape[1]
        assert np.mean(np.abs(part)) > tau**2


def test_averages_to_queries() -> None:
    """SDA(gamma) queries of tolerance sqrt(gamma), or (2 nu - 1) SDA to VSTAT(1 / (3 gamma))."""
    assert average_bound(dimension=50, correlation="0.01", tolerance="0.1").bounds[0] == 50
    with pytest.raises(BadInput, match="average correlation"):
        average_bound(dimension=50, correlation="0.02", tolerance="0.1")
    found = average_to_vstat(dimension=50, correlation="0.01", success="0.75")
    assert found.queries.bounds[0] == 25
    assert found.samples.bounds[0] == Fraction(100, 3)
    other = conditional_average_to_vstat(samples=30, dimension=7)
    assert (other.queries.bounds[0], other.samples.bounds[0]) == (7, 10)


@pytest.mark.parametrize("d", [2, 8, 1000, 10**6])
def test_the_dimension_of_blum_et_al(d: int) -> None:
    """d^(1/3) / 2 queries up to the output's half, by the pairwise theorem."""
    found = float(sq_dimension_bound(dimension=d))
    gamma = d**-3.0
    assert found == pytest.approx((d * (d ** (-2 / 3) - gamma) / (1 - gamma) - 1) / 2, rel=1e-12)
    assert abs(found - (d ** (1 / 3) - 1) / 2) < 0.1


def test_the_sphere_bound_by_hand() -> None:
    """(nu - lambda / (tau - sqrt(lambda_0))^2) tau^2 / lambda."""
    found = sphere_bound(fluctuation="0.0001", mean="0.0004", tolerance="0.1", success="1/2")
    share = 0.0001 / (0.1 - 0.02) ** 2
    assert float(found) == pytest.approx((0.5 - share) * 100, rel=1e-12)
    assert found.grade == "certified"


def test_an_adversary_on_the_sphere_that_answers_the_mean() -> None:
    """Chebyshev on samples: the directions that a query h = f_u rules out are few enough.

    Monte Carlo over 40 000 directions; the theorem leaves more room than its error.
    """
    d, tau = 6, 0.2
    t = np.random.default_rng(5).standard_normal((40_000, d))
    t = t[:, 0] / np.linalg.norm(t, axis=1)
    kernel = 0.5 * t**3 + 0.5 * t**4
    mean = np.mean(kernel)
    fluctuation = max(0.5 * 3 / (d * (d + 2)), 0.5 * 12 / (d * (d + 2) * (d + 4)))
    assert np.mean(np.abs(kernel - mean) > tau) <= fluctuation / tau**2


def test_a_family_seen_through_its_mean_has_no_bound() -> None:
    """tau <= sqrt(lambda_0): the bound is zero, not negative."""
    found = sphere_bound(fluctuation="0.0001", mean="0.04", tolerance="0.1")
    assert found == Enclosure("0", "0")


def test_an_estimate_in_is_an_estimate_out() -> None:
    """The grade of a bound is that of its weakest input."""
    weak = Estimate(0.5, 0.01, "quadrature")
    found = spectral_bound(count=100, eigenvalue=weak, tolerance="0.5")
    assert isinstance(found, Estimate)
    low, high = found.bounds
    assert low <= 100 * 0.25 / 0.5 - 1 <= high


def test_an_interval_in_gives_the_bounds_of_both_ends() -> None:
    """The lower end uses the largest eigenvalue."""
    found = spectral_bound(count=100, eigenvalue=Enclosure("0.4", "0.5"), tolerance="0.5")
    assert isinstance(found, Enclosure)
    assert found.bounds == (49, Fraction(123, 2))


@pytest.mark.parametrize(
    "wrong",
    [
        {"tolerance": "0"},
        {"tolerance": "0.01"},
        {"tolerance": "2"},
        {"margin": "0.01"},
        {"margin": "-0.5"},
        {"margin": "1.5"},
        {"correlation": "-5"},
        {"tolerance": "nonsense"},
    ],
    ids=str,
)
def test_what_the_pairwise_theorem_needs(wrong: dict[str, str]) -> None:
    """correlation < tolerance^2 < norm, and a margin that counts."""
    given_: dict[str, str] = {"count": "10", "norm": "1", "correlation": "0.01", "tolerance": "0.5"}
    with pytest.raises(BadInput):
        pairwise_bound(**(given_ | wrong))  # type: ignore[arg-type]
