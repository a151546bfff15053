"""Gauss-Kronrod panels: the rule itself, convergence, and honesty where convergence fails."""

from __future__ import annotations

from collections.abc import Callable

import mpmath
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sqsim.gaussian import BASE_KNOTS
from sqsim.panels import GAUSS, KRONROD, NODES, Integrals, Samples, integrate


def plain(f: Callable[[np.ndarray], np.ndarray], knots: np.ndarray) -> Integrals:
    def integrand(row: np.ndarray, x: np.ndarray) -> Samples:
        values = f(x)[None, :]
        return Samples(values, np.abs(values))

    return integrate(integrand, knots[None, :])


@pytest.mark.parametrize(("weights", "degree"), [(GAUSS, 19), (KRONROD, 31)])
def test_rules_are_exact_to_their_degree(weights: np.ndarray, degree: int) -> None:
    for k in range(degree + 1):
        exact = 2 / (k + 1) if k % 2 == 0 else 0.0
        assert weights @ NODES**k == pytest.approx(exact, abs=1e-15)
    assert abs(weights @ NODES ** (degree + 1) - 2 / (degree + 2)) > 1e-13


def test_gauss_nodes_are_the_roots_of_the_legendre_polynomial() -> None:
    with mpmath.workdps(40):
        for node in NODES[GAUSS > 0]:
            slope = mpmath.diff(lambda x: mpmath.legendre(10, x), float(node))
            assert abs(mpmath.legendre(10, float(node)) / slope) < 2e-16


def test_rows_are_independent_and_components_share_their_panels() -> None:
    knots = np.array([[0.0, 1.0, 2.0], [0.0, 3.0, 3.0]])
    result = integrate(
        lambda row, x: Samples(np.stack([np.exp(x), x * row]), np.stack([np.exp(x), x])), knots
    )
    assert result.values[0] == pytest.approx([np.expm1(2.0), np.expm1(3.0)], rel=1e-15)
    assert result.values[1] == pytest.approx([0.0, 4.5], rel=1e-15)


KINDS = {
    "jump": lambda x, p: (x >= p) * 1.0,
    "bend": lambda x, p: np.maximum(x - p, 0.0),
    "root": lambda x, p: np.sqrt(np.abs(x - p)),
    "spike": lambda x, p: 1e-3 / (1e-6 + (x - p) ** 2),
}


@pytest.mark.parametrize("kind", KINDS)
@given(p=st.floats(-5, 5), ends=st.sampled_from([BASE_KNOTS, np.array([-9.0, 9.0])]))
@example(p=5e-324, ends=BASE_KNOTS)
def test_what_no_knot_declares_is_found_or_confessed(
    kind: str, p: float, ends: np.ndarray
) -> None:
    def f(x: np.ndarray) -> np.ndarray:
        return np.asarray(KINDS[kind](x, p) * np.exp(-x * x / 2))

    found = plain(f, ends)
    around = p + np.array([-1, -0.1, -0.01, -0.001, 0, 0.001, 0.01, 0.1, 1])
    known = plain(f, np.clip(np.sort(np.append(ends, around)), ends[0], ends[-1]))
    gap = abs(found.values[0, 0] - known.values[0, 0])
    # Twice the contract is left for a bend that only the last 0.2% of a panel holds.
    allowed = found.errors[0, 0] + known.errors[0, 0] + 1e-12 * known.magnitudes[0, 0]
    assert gap <= allowed


@pytest.mark.parametrize("p", [2.9999, 3.0001, 2.995, -0.004, 1e-5, 5.9995, 1.4999, 0.7501])
def test_a_jump_that_hides_between_the_nodes_and_a_panel_end_is_found(p: float) -> None:
    found = plain(lambda x: (x >= p) * np.exp(-x), np.array([-3.0, 0.0, 3.0, 6.0]))
    exact = np.exp(-p) - np.exp(-6)
    assert abs(found.values[0, 0] - exact) <= found.errors[0, 0] + 1e-14
    assert found.values[0, 0] == pytest.approx(exact, rel=1e-11)


def test_a_noisy_integrand_stops_and_confesses_its_noise() -> None:
    points = []

    def noisy(x: np.ndarray) -> np.ndarray:
        points.append(len(x))
        return np.cos(x).astype(np.float32).astype(np.float64)

    result = plain(noisy, BASE_KNOTS / 10)
    exact = 2 * np.sin(3.75)
    assert 1e-12 < abs(result.values[0, 0] - exact) <= result.errors[0, 0] < 1e-5
    assert sum(points) < 23 * 10_000


def test_a_function_of_noise_alone_does_not_hang() -> None:
    rng = np.random.default_rng(0)
    result = plain(lambda x: rng.standard_normal(len(x)), np.array([0.0, 1.0]))
    assert abs(result.values[0, 0]) <= result.errors[0, 0]


def test_inherited_errors_are_integrated() -> None:
    def integrand(row: np.ndarray, x: np.ndarray) -> Samples:
        return Samples(x[None, :], x[None, :], np.full((1, len(x)), 1e-3))

    result = integrate(integrand, np.array([[0.0, 2.0]]))
    assert result.errors[0, 0] == pytest.approx(2e-3, rel=1e-6)
