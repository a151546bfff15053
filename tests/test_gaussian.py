"""Nested Gaussian integrals and the tensors that they fill."""

from __future__ import annotations

import numpy as np
import pytest

from sqsim.errors import QueryRefused
from sqsim.gaussian import (
    Layers,
    nested,
    ridge_expectation,
    ridge_norms,
)
from sqsim.geometry import span
from sqsim.lowrank import dense
from sqsim.panels import Samples
from sqsim.queries import Ridge
from sqsim.tensors import (
    full_tensor,
    indices,
    moment_samples,
    tensor_hermite,
)


@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("degree", [0, 1, 2, 4])
def test_hermite_tensors_are_orthogonal(rank: int, degree: int) -> None:
    """E[He_a He_b] = a! delta_ab for multi-indices, by Gauss-Hermite."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(7)
    grid = np.stack([g.ravel() for g in np.meshgrid(*[nodes] * rank)], axis=1)
    mass = np.prod(np.meshgrid(*[weights / np.sqrt(2 * np.pi)] * rank), axis=0).ravel()
    rows = tensor_hermite(grid, degree)
    gram = (rows * mass) @ rows.T
    factorials = [1, 1, 2, 6, 24]
    counts = [[index.count(axis) for axis in range(rank)] for index in indices(rank, degree)]
    exact = [np.prod([factorials[c] for c in count]) for count in counts]
    assert gram == pytest.approx(np.diag(exact).astype(float), abs=1e-12)


def test_full_tensors_are_symmetric() -> None:
    tensor = full_tensor(np.arange(1.0, 6.0), 2, 4)
    for order in ([1, 0, 2, 3], [3, 2, 1, 0], [0, 2, 1, 3]):
        assert np.array_equal(tensor, tensor.transpose(order))
    assert tensor[0, 0, 0, 0] == 1.0
    assert tensor[1, 1, 1, 1] == 5.0


@pytest.mark.parametrize("depth", [0, 1, 2])
def test_nested_integrals_of_polynomials(depth: int) -> None:
    frame = span(list(np.eye(max(depth, 1))[:depth]), max(depth, 1))

    def integrand(points: np.ndarray) -> Samples:
        values = np.prod(1 + points**2, axis=1)
        return moment_samples(points, values, values, 0)

    result = nested(Layers(frame, depth, [()] * depth), integrand)
    assert abs(result.values[0, 0] - 2.0**depth) <= result.errors[0, 0] < 1e-13


def test_rows_known_to_be_zero_are_skipped() -> None:
    frame, seen = span(list(np.eye(2)), 2), []

    def integrand(points: np.ndarray) -> Samples:
        seen.append(len(points))
        values = (points[:, 0] >= 1.0) * 1.0
        return moment_samples(points, values, values, 0)

    def active(points: np.ndarray) -> np.ndarray:
        return np.asarray(points[:, 0] >= 1.0)

    results, work = [], []
    for rows in (None, active):
        seen.clear()
        results.append(nested(Layers(frame, 2, [(1.0,), ()], active=rows), integrand))
        work.append(sum(seen))
    assert results[0].values == pytest.approx(results[1].values, rel=1e-15)
    assert work[1] < 0.8 * work[0]


@pytest.mark.parametrize("bias", [-8.0, -1.0, 2.0])
@pytest.mark.parametrize("norm", [0.2, 3.0])
def test_expectations_without_a_label(bias: float, norm: float) -> None:
    """Moments of 1(s >= t): Phi(-t), phi(t), t phi(t) along the unit direction."""
    from mpmath import mp, mpf

    w = norm * np.array([0.6, 0.8, 0.0])
    b = bias * float(np.linalg.norm(w))
    with mp.workdps(40):
        length = mp.sqrt(sum(mpf(float(x)) ** 2 for x in w))
        t = -mpf(b) / length
        tail, edge = mp.erfc(t / mp.sqrt(2)) / 2, mp.npdf(t)
        exact = (float(tail), float(edge), float(t * edge))
    unit = np.array([0.6, 0.8, 0.0])
    wanted = (exact[0], exact[1] * unit, exact[2] * np.outer(unit, unit))
    for power in (0, 1, 2):
        form = Ridge(lambda s: (s + b >= 0) * 1.0, w, power=power, kinks=(-b,))
        found = ridge_expectation(form, 3)
        gap = np.linalg.norm(np.atleast_1d(dense(found.value) - wanted[power]))
        assert gap <= 1e-13 * np.linalg.norm(np.atleast_1d(wanted[power]))
        assert gap <= float(np.max(found.error))
    half = Ridge(lambda s: (s + b >= 0) * 1.0, w, kinks=(-b,))
    assert float(np.asarray(ridge_norms(half, 3))) == pytest.approx(exact[0] ** 0.5, rel=1e-12)


def test_integrals_over_many_directions_are_refused() -> None:
    wide = Ridge(lambda s: s.sum(axis=1), np.eye(5))
    with pytest.raises(QueryRefused, match="directions"):
        ridge_expectation(wide, 5)
