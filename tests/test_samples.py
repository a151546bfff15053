"""Sample sizes against exact tails."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import binom

from sqsim.errors import BadInput
from sqsim.problems.dataset import Dataset
from sqsim.queries import Correlation, Opaque, Query, Ridge, Statistic
from sqsim.record import Ledger
from sqsim.studies.samples import bernstein, hoeffding, largest_value, sample_size
from sqsim.tolerance import L2, Absolute, RootMeanSquare


def tail(count: int, p: float, radius: float) -> float:
    """P(|average - p| > radius) of `count` coins, exactly."""
    below = math.ceil(count * (p - radius)) - 1
    above = math.floor(count * (p + radius))
    return float(binom.cdf(below, count, p) + binom.sf(above, count, p))


@pytest.mark.parametrize("p", [0.5, 0.1, 0.01])
@pytest.mark.parametrize("radius", [0.3, 0.1, 0.02])
def test_hoeffding_covers_the_exact_tail_of_signs(p: float, radius: float) -> None:
    """phi = +-1: its average is off by twice what the share of +1 is."""
    for queries in (1, 100):
        count = hoeffding(radius, queries=queries, failure=0.05)
        assert count is not None
        assert queries * tail(count, p, radius / 2) <= 0.05


def test_hoeffding_is_not_wasteful() -> None:
    """A tenth of it is too little for fair signs."""
    count = hoeffding(0.02, queries=1, failure=0.05)
    assert count is not None
    assert tail(count // 10, 0.5, 0.01) > 0.05


@pytest.mark.parametrize("p", [0.5, 0.1, 1e-2, 1e-3])
@pytest.mark.parametrize("tau", [1.0, 0.3, 0.1, 0.02])
def test_bernstein_covers_the_exact_tail_of_rare_events(p: float, tau: float) -> None:
    """phi = 1(event): ||phi|| = sqrt(p), and |phi - p| <= sqrt(1/p) ||phi||."""
    norm = math.sqrt(p)
    for queries in (1, 100):
        count = bernstein(tau, queries=queries, peak=1 / norm, failure=0.05)
        assert count is not None
        assert queries * tail(count, p, tau * norm) <= 0.05


def test_bernstein_is_not_wasteful() -> None:
    count = bernstein(0.02, queries=1, peak=2.0, deviation=1.0, failure=0.05)
    assert count is not None
    assert tail(count // 10, 0.5, 0.01) > 0.05


@pytest.mark.parametrize("tau", [0.5, 0.01, 1e-5])
def test_they_solve_their_inequalities(tau: float) -> None:
    """n is enough and n - 1 is not."""
    for count, exponent in (
        (hoeffding(tau, queries=7, size=3.0), tau**2 / 18),
        (
            bernstein(tau, queries=7, peak=5.0, deviation=2.0),
            tau**2 / (2 * (4 + 5 * tau / 3)),
        ),
    ):
        assert count is not None
        assert 14 * math.exp(-count * exponent) <= 0.05 * (1 + 1e-9)
        assert 14 * math.exp(-(count - 1) * exponent) >= 0.05 * (1 - 1e-9)


@pytest.mark.parametrize("tolerance", [None, 0.0])
def test_no_tolerance_needs_no_number(tolerance: float | None) -> None:
    assert hoeffding(tolerance, queries=1) is None
    assert bernstein(tolerance, queries=1, peak=1.0) is None


def test_tiny_tolerances_do_not_underflow() -> None:
    count = hoeffding(1e-200, queries=1)
    assert count is not None
    assert count > 10**400


@pytest.mark.parametrize("bad", [-1.0, math.inf])
def test_a_bad_tolerance_is_refused(bad: float) -> None:
    with pytest.raises(BadInput, match="tolerance"):
        hoeffding(bad, queries=1)


@pytest.mark.parametrize(("queries", "failure"), [(0, 0.05), (1, 0.0), (1, 1.0)])
def test_bad_counts_are_refused(queries: int, failure: float) -> None:
    with pytest.raises(BadInput, match="wanted at least 1 query"):
        hoeffding(0.1, queries=queries, failure=failure)


@pytest.fixture
def table() -> Dataset:
    rng = np.random.default_rng(0)
    return Dataset(rng.standard_normal((200, 3)), 2 * rng.standard_normal(200))


def bent(s: np.ndarray) -> np.ndarray:
    return np.maximum(s - 0.2, 0.0)


QUERIES: dict[str, Query] = {
    "scalar": Correlation(Ridge(bent, np.ones(3))),
    "vector": Correlation(Ridge(bent, np.ones(3), power=1)),
    "matrix": Statistic(Ridge(lambda s, y: bent(s) * y, np.ones(3), power=2)),
    "label": Statistic(Ridge(np.square)),
    "opaque": Statistic(Opaque(lambda x, y: x * y[:, None], size=3)),
}


@pytest.mark.parametrize("name", QUERIES)
def test_largest_value_is_that_of_the_function(name: str, table: Dataset) -> None:
    x, y = table.inputs, table.targets
    h = bent(x @ np.ones(3)) * y
    matrices = x[:, :, None] * x[:, None, :] - np.eye(3)
    phi = {
        "scalar": h,
        "vector": h[:, None] * x,
        "matrix": h[:, None, None] * matrices,
        "label": y**2,
        "opaque": x * y[:, None],
    }[name]
    found = largest_value([QUERIES[name]], table)
    largest = float(np.abs(phi).max())
    assert found >= largest * (1 - 1e-12)
    if name != "matrix":
        assert found == pytest.approx(largest)


def test_each_convention_has_its_inequality(table: Dataset) -> None:
    ledger = Ledger(queries=10, rounds=3, finest=0.01, cost=1e5)
    largest = float(np.abs(table.targets).max())
    plain = sample_size(None, ledger, table)
    assert plain["hoeffding"] is plain["bernstein"] is None
    absolute = sample_size(Absolute(0.01), ledger, table, size=2.0)
    assert absolute["hoeffding"] == hoeffding(0.01, queries=10, size=2.0)
    assert absolute["bernstein"] is None
    strict = sample_size(RootMeanSquare(0.01), ledger, table)
    assert strict["bernstein"] == bernstein(0.01, queries=10, peak=math.sqrt(200))
    loose = sample_size(L2(0.01), ledger, table)
    assert loose["bernstein"] == bernstein(
        0.01, queries=10, peak=largest * math.sqrt(200), deviation=largest
    )
    assert loose["hoeffding"] is None
    for found in (absolute, strict, loose):
        assert found["confidence"] == 0.95
        assert "in each of 3 rounds" in found["words"]


def test_nothing_was_asked(table: Dataset) -> None:
    assert "no query was answered" in sample_size(L2(0.1), Ledger(), table)["words"]


def test_the_promise_holds_when_drawn(table: Dataset) -> None:
    """Samples of that size from the table itself keep every answer within tau ||phi||."""
    rng = np.random.default_rng(1)
    tau, phi = 0.2, table.inputs * table.targets[:, None]
    count = sample_size(RootMeanSquare(tau), Ledger(3, 1, tau, 75.0), table)["bernstein"]
    radius = tau * np.sqrt((phi**2).mean(axis=0))
    missed = 0
    for _ in range(200):
        drawn = phi[rng.integers(len(phi), size=count)].mean(axis=0)
        missed += bool((np.abs(drawn - phi.mean(axis=0)) > radius).any())
    assert missed <= 10
