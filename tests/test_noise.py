"""Noise on the data: exact means against Monte Carlo, and bad rates."""

from __future__ import annotations

import numpy as np
import pytest

from sqsim.errors import BadInput, QueryRefused
from sqsim.loop import run
from sqsim.lowrank import dense
from sqsim.oracles.noisy_means import NoisyMeans
from sqsim.oracles.quadrature import Quadrature
from sqsim.oracles.sampling import MonteCarlo, Sample
from sqsim.oracles.sampling_oracles import fresh_stat, honest
from sqsim.oracles.simulated import csq, sq
from sqsim.problems import Dataset, ReluRegression
from sqsim.problems.noise import (
    ClassificationNoise,
    Contamination,
    DataNoise,
    Drift,
    MassartNoise,
    Points,
    with_noise,
)
from sqsim.queries import Batch, Correlation, Opaque, Ridge, Statistic
from sqsim.strategy import ask
from sqsim.tolerance import L2, Absolute, Scale, Unperturbed

D = 3
CLEAN = ReluRegression(D, norm=1.0, bias=-0.3).draw(seed=1)
OTHER = ReluRegression(D, norm=2.0, bias=0.2).draw(seed=2)
W = np.array([0.3, -0.2, 0.9])
POINTS = Points(np.array([[1.0, 2.0, -1.0], [0.5, 0.0, 3.0]]), np.array([4.0, -2.0]))
DRAW = np.random.default_rng(3)
_X = DRAW.standard_normal((400, D))
TABLE = Dataset(_X, np.where(_X @ W + 0.3 * DRAW.standard_normal(400) > 0, 1.0, -1.0))


def queries():
    return [
        Correlation(Ridge(power=1), "moment"),
        Correlation(Ridge(lambda s: np.maximum(s, 0), W, kinks=(0.0,)), "neuron"),
        Correlation(Ridge(power=2), "matrix"),
        Statistic(Ridge(lambda y: (y > 0.5) * 1.0, levels=(0.5,)), "tail"),
        Statistic(Ridge(lambda s, y: np.sin(y) * s, W), "odd in y"),
        Statistic(Ridge(lambda y: np.cos(y - 1), power=1), "vector"),
    ]


NOISES: dict[str, tuple[DataNoise, ...]] = {
    "classification": (ClassificationNoise(0.2),),
    "points": (Contamination(0.1, POINTS),),
    "another law": (Contamination(0.25, OTHER),),
    "both": (ClassificationNoise(0.1), Contamination(0.2, POINTS)),
    "both, turned round": (Contamination(0.2, POINTS), ClassificationNoise(0.1)),
    "drift": (Drift(lambda turn: ClassificationNoise(0.3) if turn else None),),
}


@pytest.mark.parametrize("turn", [0, 1])
@pytest.mark.parametrize("noise", NOISES.values(), ids=NOISES)
def test_exact_means_agree_with_draws(noise, turn: int) -> None:
    """Formulas for the noisy law against 60 000 noisy examples, at 5 deviations or so."""
    noisy = with_noise(CLEAN, noise)
    scales = [Scale.PRODUCT] * len(queries())
    asked = queries()
    exact = NoisyMeans(Quadrature(), adversary=Quadrature()).means(
        noisy, asked, scales, seed=0, turn=turn
    )
    drawn = MonteCarlo(60_000).means(noisy, asked, scales, seed=1, turn=turn)
    for query, one, two in zip(asked, exact, drawn, strict=True):
        gap = np.abs(dense(one.value) - dense(two.value))
        assert (gap <= np.asarray(two.error) + np.asarray(one.error)).all(), query.label
        np.testing.assert_allclose(dense(one.scale), dense(two.scale), rtol=0.1)


def test_classification_noise_scales_correlations_by_one_minus_two_eta() -> None:
    query = queries()[0]
    clean = Quadrature().means(CLEAN, [query], [Scale.NONE], seed=0, turn=0)[0]
    noisy = with_noise(CLEAN, ClassificationNoise(0.2))
    (mean,) = NoisyMeans(Quadrature()).means(noisy, [query], [Scale.NONE], seed=0, turn=0)
    np.testing.assert_allclose(mean.value, 0.6 * np.asarray(clean.value), rtol=1e-14)


def massart(x):
    return 0.3 / (1 + np.exp(-x[:, 0]))


def test_massart_noise_is_a_weight_on_the_query() -> None:
    """On a table the noisy mean is a sum over rows, written out here by hand."""
    noisy = with_noise(TABLE, MassartNoise(massart, 0.3))
    x, y, r = TABLE.inputs, TABLE.targets, massart(TABLE.inputs)
    neuron = np.maximum(x @ W, 0)
    asked = [
        Correlation(Ridge(lambda s: np.maximum(s, 0), W), "neuron"),
        Correlation(Ridge(None, W, 1), "moment"),
        Statistic(Ridge(lambda s, y: (s + y > 0) * 1.0, W), "tail"),
        Statistic(Opaque(lambda x, y: x * (y + 1)[:, None], D), "vector"),
    ]
    by_hand = [
        (y * (1 - 2 * r) * neuron).mean(),
        (x * (y * (1 - 2 * r))[:, None]).mean(axis=0),
        ((1 - r) * (x @ W + y > 0) + r * (x @ W - y > 0)).mean(),
        (x * (1 + y * (1 - 2 * r))[:, None]).mean(axis=0),
    ]
    none = [Scale.NONE] * len(asked)
    exact = NoisyMeans(Sample()).means(noisy, asked, none, seed=0, turn=0)
    drawn = MonteCarlo(60_000).means(noisy, asked, none, seed=1, turn=0)
    for mean, sampled, value in zip(exact, drawn, by_hand, strict=True):
        np.testing.assert_allclose(mean.value, value, atol=1e-13)
        assert (np.abs(sampled.value - value) <= sampled.error).all()
    with pytest.raises(QueryRefused, match="MonteCarlo"):
        NoisyMeans(Sample()).means(
            noisy, [Correlation(Ridge(power=2))], [Scale.NONE], seed=0, turn=0
        )
    with pytest.raises(QueryRefused, match="norm of a query"):
        NoisyMeans(Sample()).means(noisy, asked[:1], [Scale.PRODUCT], seed=0, turn=0)


def test_every_drawing_oracle_sees_the_noise() -> None:
    """E[y] of a clean neuron is positive; flipped at rate 0.4 it shrinks to a fifth."""
    noisy = with_noise(CLEAN, ClassificationNoise(0.4))
    query = Correlation(Ridge(), "mean label")
    clean = float(Quadrature().means(CLEAN, [query], [Scale.NONE], seed=0, turn=0)[0].value)
    for oracle in (
        honest(noisy, samples=60_000),
        fresh_stat(noisy, tolerance=Absolute(0.02), failure=1e-3, queries=1, clip=3.0),
        csq(noisy, tolerance=Absolute(0.02), means=MonteCarlo(60_000)),
        sq(noisy, tolerance=L2(0.001), means=NoisyMeans(Quadrature())),
    ):
        answer = float(oracle.answer(Batch((query,)), 0)[0])
        assert answer == pytest.approx(0.2 * clean, abs=0.02)


def test_a_learner_meets_the_noise_of_each_round() -> None:
    noisy = with_noise(CLEAN, Drift(lambda turn: ClassificationNoise(0.1 * turn)))
    oracle = sq(noisy, tolerance=Unperturbed(), means=NoisyMeans(Quadrature()))

    def strategy():
        found = []
        for _ in range(4):
            found.append((yield from ask(Correlation(Ridge(), "mean label"))))
        return found

    found = run(strategy(), oracle).value
    np.testing.assert_allclose(np.array(found) / found[0], [1.0, 0.8, 0.6, 0.4], rtol=1e-12)


def test_noise_leaves_the_clean_draws_as_they_were() -> None:
    """The share of replaced examples is binomial, and the others are those without noise."""
    stream = [np.random.default_rng(i) for i in range(4)]
    x, y = with_noise(CLEAN, ()).examples(stream[0], stream[1], 5000, 0)
    again = [np.random.default_rng(i) for i in range(2)]
    noisy_x, _ = with_noise(CLEAN, Contamination(0.1, POINTS)).examples(*again, 5000, 0)
    same = (x == noisy_x).all(axis=1)
    assert 0.07 < 1 - same.mean() < 0.13
    assert np.isin(noisy_x[~same][:, 0], POINTS.inputs[:, 0]).all()
    assert (y == CLEAN.labels.draw(x, np.random.default_rng(1))).all()


@pytest.mark.parametrize(
    "bad",
    [
        lambda: ClassificationNoise(0.5),
        lambda: ClassificationNoise(-0.1),
        lambda: Contamination(1.0, POINTS),
        lambda: MassartNoise(massart, 0.6),
        lambda: MassartNoise(3, 0.2),
        lambda: Points(np.ones((2, 3)), np.ones(3)),
        lambda: Points(np.full((1, 3), np.nan), np.ones(1)),
        lambda: with_noise(CLEAN, [3]),
        lambda: with_noise(3, ClassificationNoise(0.1)),
        lambda: Drift(lambda turn: 3).at(0),
        lambda: NoisyMeans(Quadrature()).means(CLEAN, [], [], seed=0, turn=0),
    ],
)
def test_bad_noise_is_refused(bad) -> None:
    with pytest.raises(BadInput):
        bad()


def test_noise_that_breaks_its_own_bound_is_named() -> None:
    noisy = with_noise(CLEAN, MassartNoise(lambda x: np.full(len(x), 0.4), 0.3))
    with pytest.raises(BadInput, match=r"Massart noise of bound 0\.3"):
        honest(noisy, samples=10).answer(Batch((Correlation(Ridge()),)), 0)
    flat = with_noise(CLEAN, Contamination(0.5, Points(np.ones((1, 2)), np.ones(1))))
    with pytest.raises(BadInput, match="dimension 2"):
        honest(flat, samples=10).answer(Batch((Correlation(Ridge()),)), 0)
    with pytest.raises(BadInput, match="adversary=Quadrature"):
        NoisyMeans(Quadrature()).means(
            with_noise(CLEAN, Contamination(0.1, OTHER)),
            [Correlation(Ridge())],
            [Scale.NONE],
            seed=0,
            turn=0,
        )
