"""MVSTAT: sums over every set of a family are lawful, whoever answers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sqsim.bounded import Stat
from sqsim.errors import BadInput, QueryRefused, ToleranceUnreachable
from sqsim.links import Sign
from sqsim.loop import run
from sqsim.oracles.adversaries import drifting, quantised
from sqsim.oracles.policies import (
    Window,
    apply,
    exact,
    grid,
    policy_name,
    toward,
    toward_zero,
    uniform,
    worst_direction,
)
from sqsim.oracles.sampling import MonteCarlo
from sqsim.oracles.simulated import csq, sq
from sqsim.oracles.wrappers import cached, replaying
from sqsim.partitions import JointStat, MVStat, partition
from sqsim.problems.dataset import Dataset
from sqsim.problems.index import SingleIndex
from sqsim.queries import Batch, Statistic
from sqsim.strategy import ask
from sqsim.testing import check_oracle
from sqsim.tolerance import Mean, Unperturbed

CELLS = 5
POLICIES = [
    exact, uniform, grid, toward_zero, toward(1.0), worst_direction, drifting(), quantised(4)
]  # fmt: skip
FAMILIES = st.lists(
    st.sets(st.integers(0, CELLS - 1), min_size=1).map(lambda one: tuple(sorted(one))),
    min_size=1,
    max_size=8,
    unique=True,
)


def allowed(p: float, t: float) -> float:
    p = min(max(p, 0.0), 1.0)
    return max(1 / t, math.sqrt(p * (1 - p) / t)) * (1 + 1e-12)


def octant(x: Any, y: Any) -> Any:
    return np.clip(np.rint(x[:, 0] + y), 0, CELLS - 1).astype(int)


def table(dtype: Any = np.float64) -> Dataset:
    draw = np.random.default_rng(4)
    return Dataset(draw.standard_normal((80, 2)).astype(dtype), draw.standard_normal(80) + 1)


def shares(data: Dataset) -> Any:
    x = data.inputs.astype(np.float64)
    return np.bincount(octant(x, data.targets), minlength=CELLS) / len(data.targets)


@pytest.mark.parametrize("policy", POLICIES, ids=policy_name)
@given(
    family=FAMILIES,
    t=st.sampled_from([0.5, 3.0, 40.0, 1e4]),
    weights=st.lists(st.floats(0, 1), min_size=CELLS, max_size=CELLS).filter(any),
    error=st.floats(0, 1),
)
def test_sums_over_every_set_are_lawful(policy, family, t, weights, error) -> None:
    """For every distribution within the error of the computed one."""
    p = np.array(weights) / np.sum(weights)
    draw = np.random.default_rng(0)
    tolerance = JointStat(t, tuple(family))
    bound = 0.1 * error * tolerance.smallest_radius(Mean(p, 0.0))
    mean = Mean(p + bound * draw.uniform(-1, 1, CELLS), bound * (1 + 1e-12))
    answer = np.asarray(apply(policy, Window(mean, tolerance), draw))
    for one in family:
        entries = list(one)
        truth = float(np.sum(p[entries]))
        assert abs(np.sum(answer[entries]) - truth) <= allowed(truth, t) + 1e-15


@pytest.mark.parametrize("dtype", [np.float64, np.float32], ids=["float64", "float32"])
@pytest.mark.parametrize("policy", POLICIES, ids=policy_name)
def test_oracles_answer_partitions(policy, dtype) -> None:
    data, family = table(dtype), [(0,), (1, 2), (0, 1, 2, 3, 4), (3,)]
    query = partition(octant, CELLS, sets=family)
    oracle = sq(data, tolerance=MVStat(50), policy=policy)
    check_oracle(oracle, Batch((query,)), [shares(data)])
    (answer,) = oracle.answer(Batch((query,)), 0)
    for one in family:
        truth = float(np.sum(shares(data)[list(one)]))
        assert abs(np.sum(answer[list(one)]) - truth) <= allowed(truth, 50)
    if policy is toward_zero:
        # The adversary goes as far as some set allows.
        off = [abs(np.sum((answer - shares(data))[list(one)])) for one in family]
        most = [allowed(float(np.sum(shares(data)[list(one)])), 50) for one in family]
        assert max(a / b for a, b in zip(off, most, strict=True)) > 0.999


def test_cells_alone_unless_told_otherwise() -> None:
    query = partition(octant, CELLS)
    assert query.sets == tuple((cell,) for cell in range(CELLS))
    (answer,) = sq(table(), tolerance=Unperturbed()).answer(
        Batch((Statistic(query.form, range=(0, 1)),)), 0
    )
    np.testing.assert_allclose(answer, shares(table()), atol=1e-15)


def test_a_partition_costs_as_many_queries_as_it_has_sets() -> None:
    query = partition(octant, CELLS, sets=[(0,), (1, 2), (0, 4)])
    result = run(ask(query), sq(table(), tolerance=MVStat(50)))
    assert result.ledger.queries == 3
    assert result.ledger.cost == pytest.approx(150)


def test_partitions_are_told_apart_by_their_sets() -> None:
    one, two = partition(octant, CELLS), partition(octant, CELLS, sets=[(0, 1), (2,)])
    oracle = cached(sq(table(), tolerance=MVStat(50), policy=toward_zero))
    found = oracle.answer(Batch((one, two, partition(octant, CELLS))), 0)
    assert not np.allclose(found[0], found[1])
    np.testing.assert_array_equal(found[0], found[2])
    assert one.mark(2) != two.mark(2)
    transcript = run(ask(one), oracle).transcript
    np.testing.assert_array_equal(run(ask(one), replaying(oracle, transcript)).value, found[0])


def test_partitions_by_sampling() -> None:
    instance = SingleIndex(2, Sign()).draw(seed=1)
    query = partition(lambda x, y: (y > 0).astype(int), 2)
    oracle = sq(instance, tolerance=MVStat(100), means=MonteCarlo(20_000))
    np.testing.assert_allclose(oracle.answer(Batch((query,)), 0)[0], 0.5, atol=0.05)
    with pytest.raises(ToleranceUnreachable, match="use at least"):
        sq(instance, tolerance=MVStat(1e4), means=MonteCarlo(2000)).answer(Batch((query,)), 0)


def test_refusals() -> None:
    data = table()
    query = partition(octant, CELLS, label="cells")
    with pytest.raises(QueryRefused, match=r"'cells' is a Partition.*MVStat\(t\)"):
        sq(data, tolerance=Stat(0.1)).answer(Batch((query,)), 0)
    with pytest.raises(QueryRefused, match="made by partition"):
        sq(data, tolerance=MVStat(9)).answer(Batch((Statistic(query.form),)), 0)
    with pytest.raises(QueryRefused, match="correlational"):
        csq(data, tolerance=MVStat(9)).answer(Batch((query,)), 0)  # type: ignore[arg-type]
    with pytest.raises(BadInput, match="measured by a family"):
        MVStat(9).radius(Mean(np.zeros(2), 0.0))
    for function, words in (
        (lambda x, y: y, r"values other than 0, \.\.\., 4"),
        (lambda x, y: np.full(len(x), 5), "values other than"),
        (lambda x, y: x, r"shape \(80, 2\)"),
    ):
        with pytest.raises(BadInput, match=words):
            sq(data, tolerance=MVStat(9)).answer(Batch((partition(function, CELLS),)), 0)
    for cells, sets, words in (
        (0, None, "cells is 0"),
        (2.0, None, "cells is 2.0"),
        (3, [], "at least one set"),
        (3, [(0, 1), (1, 0)], "none of them twice"),
        (3, [()], "must hold cells"),
        (3, [(3,)], "from 0 to 2"),
    ):
        with pytest.raises(BadInput, match=words):
            partition(octant, cells, sets=sets)  # type: ignore[arg-type]
    with pytest.raises(BadInput, match="t is 0"):
        MVStat(0)
