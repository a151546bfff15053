"""Orthonormal coordinates of columns at every angle."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sqsim.geometry import span

ANGLES = [0.0, 1e-13, 1e-8, 1e-4, 0.3, np.pi / 2, 2.0, np.pi - 1e-4, np.pi - 1e-8, np.pi]


def rotated(d: int, seed: int) -> np.ndarray:
    return np.linalg.qr(np.random.default_rng(seed).standard_normal((d, d)))[0]


@pytest.mark.parametrize("angle", ANGLES)
@pytest.mark.parametrize("d", [2, 7, 1000])
def test_columns_are_recovered(angle: float, d: int) -> None:
    q = np.linalg.qr(np.random.default_rng(d).standard_normal((d, 2)))[0]
    columns = [3.7 * q[:, 0], np.cos(angle) * q[:, 0] + np.sin(angle) * q[:, 1]]
    s = span(columns, d)
    assert np.abs(s.basis.T @ s.basis - np.eye(s.rank)).max() < 1e-15
    back = s.basis @ s.mixing
    for j, column in enumerate(columns):
        assert np.linalg.norm(back[:, j] - column) <= 2e-15 * np.linalg.norm(column)


@pytest.mark.parametrize("sine", [1e-14, 1e-8, 1e-4, 0.1])
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_small_angles_keep_full_relative_precision(sine: float, sign: float) -> None:
    v = np.array([sign * np.sqrt((1 - sine) * (1 + sine)), sine, 0.0])
    s = span([np.array([1.0, 0.0, 0.0]), v], 3)
    assert s.mixing[1, 1] == pytest.approx(sine, rel=1e-15)
    assert s.mixing[0, 1] == pytest.approx(v[0], rel=1e-15)


@given(seed=st.integers(0, 10**6), a=st.floats(-5, 5), b=st.floats(-5, 5))
def test_dependent_columns_add_no_direction(seed: int, a: float, b: float) -> None:
    w = np.random.default_rng(seed).standard_normal((2, 9))
    columns = [w[0], w[1], a * w[0] + b * w[1], -2 * w[1], np.zeros(9)]
    s = span(columns, 9)
    assert s.rank == 2
    assert s.levels[:2] == (1, 2)
    assert s.levels[4] == 0
    scale = np.linalg.norm(w, axis=1).max() * (1 + abs(a) + abs(b))
    assert np.abs(s.basis @ s.mixing - np.stack(columns, axis=1)).max() < 1e-14 * scale


def test_no_columns_and_zero_columns() -> None:
    assert span([], 4).rank == 0
    assert span([np.zeros(4)], 4).levels == (0,)


def test_columns_at_level_say_where_kinks_live() -> None:
    q = rotated(5, 1)
    s = span([q[:, 0], q[:, 1], q[:, 0] + 1e-3 * q[:, 2]], 5)
    assert s.levels == (1, 2, 3)
