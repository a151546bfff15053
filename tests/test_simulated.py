"""Oracles answer inside the tolerance, refuse what they may not answer, and repeat themselves."""

from __future__ import annotations

import json
from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import pytest

from sqsim.errors import BadInput, QueryRefused, ToleranceUnreachable
from sqsim.inputs import Gaussian
from sqsim.oracles.policies import exact, grid, toward_zero, uniform, worst_direction
from sqsim.oracles.sampling import MonteCarlo
from sqsim.oracles.simulated import csq, sq
from sqsim.problems.dataset import Dataset
from sqsim.queries import Batch, Correlation, Opaque, Ridge, Statistic
from sqsim.tolerance import L2, Absolute, Mean, RootMeanSquare, Unperturbed

INSTANCE = SimpleNamespace(problem=SimpleNamespace(dimension=3, inputs=Gaussian(3)))
VECTOR = Correlation(Ridge(power=1), "E[y x]")
SCALAR = Statistic(Opaque(lambda x, y: y), "E[y]")
MATRIX = Statistic(Ridge(power=2), "E[x x' - I]")


@dataclass(frozen=True)
class Known:
    """Means that are known beforehand, with norm 2 and the error told."""

    error: float = 1e-12

    def means(self, instance, queries, scales, *, seed, turn):
        values = {(): np.array(0.7), (3,): np.array([1.0, -0.1, 0.0])}
        values[(3, 3)] = np.diag([1.0, 0.5, -0.25])
        return [
            Mean(values[q.shape(3)], self.error, 1.0 if s.name == "NONE" else 2.0)
            for q, s in zip(queries, scales, strict=True)
        ]


@pytest.mark.parametrize("policy", [exact, uniform, grid, toward_zero, worst_direction])
@pytest.mark.parametrize(
    ("tolerance", "radius"),
    [(Absolute(0.2), 0.2), (L2(0.2), 0.4), (RootMeanSquare(0.1), 0.2), (Unperturbed(), 1e-12)],
)
def test_answers_are_within_the_tolerance(policy, tolerance, radius: float) -> None:
    oracle = sq(INSTANCE, tolerance=tolerance, policy=policy, means=Known())
    batch = Batch((SCALAR, VECTOR, MATRIX))
    truth = Known().means(None, batch.queries, [tolerance.scale] * 3, seed=0, turn=0)
    for answer, mean in zip(oracle.answer(batch, 0), truth, strict=True):
        assert np.shape(answer) == mean.value.shape
        assert (np.abs(answer - mean.value) <= radius - 1e-12).all()


def test_a_query_may_ask_for_a_coarser_tolerance_only() -> None:
    oracle = sq(INSTANCE, tolerance=L2(0.01), policy=toward_zero, means=Known())
    coarse = Statistic(SCALAR.form, "coarse", L2(0.1))
    assert oracle.answer(Batch((coarse,)), 0)[0] == pytest.approx(0.5)
    for tolerance in (L2(0.001), Absolute(0.1)):
        with pytest.raises(QueryRefused, match=r"'finer' asks for .*not finer"):
            oracle.answer(Batch((Statistic(SCALAR.form, "finer", tolerance),)), 0)


def test_correlational_oracles_refuse_statistics() -> None:
    oracle = csq(INSTANCE, tolerance=L2(0.01), means=Known())
    with pytest.raises(QueryRefused, match=r"Statistic 'E\[y\]'.*sq\(\.\.\.\) would answer it"):
        oracle.answer(Batch((VECTOR, SCALAR)), 0)  # type: ignore[arg-type]
    assert len(oracle.answer(Batch((VECTOR,)), 0)) == 1


def test_answers_repeat_in_seed_and_turn() -> None:
    def answer(seed: int, turn: int):
        oracle = sq(INSTANCE, tolerance=L2(0.1), policy=uniform, means=Known(), seed=seed)
        return oracle.answer(Batch((VECTOR, SCALAR)), turn)

    for one, two in zip(answer(3, 4), answer(3, 4), strict=True):
        np.testing.assert_array_equal(one, two)
    assert not np.array_equal(answer(3, 4)[0], answer(3, 5)[0])
    assert not np.array_equal(answer(3, 4)[0], answer(4, 4)[0])


def test_the_same_query_twice_in_a_batch_has_one_answer() -> None:
    oracle = sq(INSTANCE, tolerance=L2(0.1), policy=uniform, means=Known())
    a, b, c, d = oracle.answer(Batch((VECTOR, SCALAR, VECTOR, SCALAR)), 0)
    np.testing.assert_array_equal(a, c)
    assert b == d
    alone = oracle.answer(Batch((VECTOR,)), 0)[0]
    np.testing.assert_array_equal(a, alone)


def test_unreachable_tolerances_say_what_would_do() -> None:
    oracle = sq(INSTANCE, tolerance=Absolute(0.01), means=Known(error=0.05))
    with pytest.raises(
        ToleranceUnreachable, match=r"'E\[y\]': error 0.05 exceeds radius 0.01.*at least 0.05"
    ):
        oracle.answer(Batch((SCALAR,)), 0)
    assert sq(INSTANCE, tolerance=Absolute(0.05), means=Known(0.05)).answer(Batch((SCALAR,)), 0)
    with pytest.raises(ToleranceUnreachable):
        sq(INSTANCE, tolerance=Absolute(0.05), means=Known(np.nan)).answer(Batch((SCALAR,)), 0)


def test_unreachable_by_sampling_names_a_number_of_samples_that_does() -> None:
    labels = SimpleNamespace(draw=lambda x, rng: x[:, 0] + 1)
    instance = SimpleNamespace(problem=INSTANCE.problem, labels=labels)
    oracle = csq(instance, tolerance=Absolute(0.02), means=MonteCarlo(1000))
    with pytest.raises(ToleranceUnreachable, match="use at least") as caught:
        oracle.answer(Batch((VECTOR,)), 0)
    needed = int(str(caught.value).split("at least ")[1].split()[0])
    assert 10_000 < needed < 1_000_000
    better = csq(instance, tolerance=Absolute(0.02), means=MonteCarlo(needed))
    np.testing.assert_allclose(better.answer(Batch((VECTOR,)), 0)[0], [1, 0, 0], atol=0.02)


@pytest.mark.parametrize(
    ("mean", "words"),
    [
        (Mean(np.zeros(2), 0.0), r"shape \(2,\); wanted \(\)"),
        (Mean(np.array(np.nan), 0.0), "not a finite number"),
    ],
)
def test_evaluators_are_checked(mean: Mean, words: str) -> None:
    means = SimpleNamespace(means=lambda *_, **__: [mean])
    with pytest.raises(BadInput, match=words):
        sq(INSTANCE, tolerance=L2(0.1), means=means).answer(Batch((SCALAR,)), 0)
    empty = SimpleNamespace(means=lambda *_, **__: [])
    with pytest.raises(BadInput, match="0 means for 1 queries"):
        sq(INSTANCE, tolerance=L2(0.1), means=empty).answer(Batch((SCALAR,)), 0)


def test_arguments_are_checked() -> None:
    with pytest.raises(BadInput, match=r"L2\(0.02\) or Absolute\(0.02\)"):
        sq(INSTANCE, tolerance=0.02)  # type: ignore[arg-type]
    with pytest.raises(BadInput, match="instance or a Dataset, not ndarray"):
        csq(np.zeros((2, 2)), tolerance=L2(0.1))
    with pytest.raises(BadInput, match="policy is 'exact'"):
        csq(INSTANCE, tolerance=L2(0.1), policy="exact")  # type: ignore[arg-type]
    with pytest.raises(BadInput, match="seed is -1"):
        csq(INSTANCE, tolerance=L2(0.1), seed=-1)
    unknown = SimpleNamespace(problem=SimpleNamespace(dimension=3, inputs=None))
    with pytest.raises(BadInput, match="MonteCarlo"):
        csq(unknown, tolerance=L2(0.1))


def test_a_dataset_is_its_own_population() -> None:
    draw = np.random.default_rng(0)
    data = Dataset(draw.standard_normal((50, 3)), draw.standard_normal(50))
    answer = csq(data, tolerance=L2(0.01)).answer(Batch((VECTOR,)), 0)[0]
    np.testing.assert_allclose(answer, data.targets @ data.inputs / 50, rtol=1e-13)


def test_headers_are_json() -> None:
    oracle = csq(INSTANCE, tolerance=L2(0.1), policy=toward_zero, means=MonteCarlo(100), seed=7)
    header = json.loads(json.dumps(oracle.describe()))
    assert header["access"] == "CSQ"
    assert header["policy"] == "toward_zero"
    assert header["tolerance"] == "L2(tau=0.1)"
    assert header["seed"] == 7
    assert header["means"].startswith("MonteCarlo(samples=100")
