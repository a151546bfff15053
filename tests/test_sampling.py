"""Averages over examples, against plain numpy and known Gaussian means."""

from __future__ import annotations

from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pytest

from sqsim.errors import BadInput
from sqsim.inputs import Gaussian
from sqsim.oracles.sampling import MonteCarlo, Sample
from sqsim.problems.dataset import Dataset
from sqsim.queries import Correlation, Opaque, Ridge, Statistic
from sqsim.tolerance import Scale

D = 4
DRAW = np.random.default_rng(8)
W = DRAW.standard_normal((D, 2))


def relu(s):
    return np.maximum(s + 0.3, 0.0)


def signed(s, y):
    return (s[:, 0] > 0.2) * y - 0.5 * (y > 1) + 0.1 * s[:, 1]


def every_query():
    for power in (0, 1, 2):
        yield Correlation(Ridge(relu, W[:, 0], power), f"relu {power}")
        yield Correlation(Ridge(power=power), f"label {power}")
        yield Statistic(Ridge(signed, W, power), f"signed {power}")
        yield Statistic(Ridge(lambda y: (np.abs(y) > 1) * 1.0, power=power), f"cut {power}")
    yield Correlation(Opaque(lambda x: np.sin(x[:, 0])), "sine")
    yield Statistic(Opaque(lambda x, y: np.stack([x[:, 0] * y, y**2], axis=1), 2), "pair")


def by_hand(query, x, y):
    """phi and g on every row, whole."""
    form, labelled = query.form, query.labelled
    if isinstance(form, Opaque):
        g = form.values(x, y if labelled else None)
    else:
        arguments = [] if form.frame is None else [x @ form.frame]
        arguments += [y] if labelled else []
        h = np.ones(len(x)) if form.h is None else form.h(*arguments)
        tensors = [np.ones(len(x)), x, np.einsum("ni,nj->nij", x, x) - np.eye(x.shape[1])]
        g = (h * tensors[form.power].T).T
    return (g if labelled else (y * g.T).T), g


def table(count: int = 9000, dtype=np.float64) -> Dataset:
    draw = np.random.default_rng(3)
    x = draw.standard_normal((count, D)).astype(dtype)
    return Dataset(x, np.maximum(x[:, 0] - 0.2, 0) * 2 + 0.1 * draw.standard_normal(count))


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("scale", list(Scale))
def test_sample_is_what_numpy_says(dtype, scale: Scale) -> None:
    data = table(dtype=dtype)
    queries = list(every_query())
    x, y = data.inputs.astype(np.float64), data.targets
    means = Sample().means(data, queries, [scale] * len(queries), seed=0, turn=0)
    for query, mean in zip(queries, means, strict=True):
        phi, g = by_hand(query, x, y)
        assert np.shape(mean.value) == query.shape(D)
        size = np.sqrt((phi**2).mean(axis=0))
        np.testing.assert_allclose(mean.value, phi.mean(axis=0), rtol=1e-12, atol=1e-13)
        assert (np.abs(mean.value - phi.mean(axis=0)) <= mean.error).all()
        assert (mean.error <= 1e-10 * (size + 1)).all()
        assert (mean.error > 2e-16 * np.abs(mean.value)).all()
        if scale is Scale.NONE:
            assert mean.scale == 1.0
        else:
            norm = size if scale is Scale.PRODUCT else np.sqrt((g**2).mean(axis=0))
            np.testing.assert_allclose(mean.scale, norm, rtol=1e-12)


def test_rounding_is_within_the_confessed_error() -> None:
    """Against exact rational arithmetic, with terms that cancel."""
    draw = np.random.default_rng(4)
    x = draw.standard_normal((4500, 2)) * 10.0 ** draw.integers(-6, 7, (4500, 2))
    y = draw.standard_normal(4500) * 10.0 ** draw.integers(-3, 4, 4500)
    queries = [Correlation(Ridge(power=p)) for p in (0, 1, 2)]
    found = Sample().means(Dataset(x, y), queries, [Scale.NONE] * 3, seed=0, turn=0)
    fx = [[Fraction(v) for v in row] for row in x.tolist()]
    fy = [Fraction(v) for v in y.tolist()]
    n = len(y)
    truth = [sum(fy), sum(b * a[0] for a, b in zip(fx, fy, strict=True))]
    truth.append(sum(b * (a[0] * a[0] - 1) for a, b in zip(fx, fy, strict=True)))
    for mean, total in zip(found, truth, strict=True):
        value, error = np.ravel(mean.value)[0], np.ravel(mean.error)[0]
        assert abs(Fraction(float(value)) - total / n) <= Fraction(float(error))


def gaussian_instance(draw=lambda x, rng: x[:, 0] + rng.standard_normal(len(x))):
    problem = SimpleNamespace(dimension=D, inputs=Gaussian(D))
    return SimpleNamespace(problem=problem, labels=SimpleNamespace(draw=draw))


def test_monte_carlo_covers_known_means() -> None:
    e = np.eye(D)
    known = [
        (Correlation(Ridge(power=1)), e[0]),
        (Correlation(Ridge(lambda s: s, e[0])), np.array(1.0)),
        (Statistic(Ridge(lambda y: y**2, power=2)), 2 * np.outer(e[0], e[0])),
        (Statistic(Opaque(lambda x, y: y**2)), np.array(2.0)),
        (Correlation(Ridge(lambda s: (s > 0) * 1.0, e[0])), np.array(1 / np.sqrt(2 * np.pi))),
    ]
    queries = [query for query, _ in known]
    means = MonteCarlo(40_000)
    widths = []
    for turn in range(5):
        found = means.means(
            gaussian_instance(), queries, [Scale.FUNCTION] * len(known), seed=1, turn=turn
        )
        for mean, (_, truth) in zip(found, known, strict=True):
            assert (np.abs(mean.value - truth) <= mean.error).all()
        widths.append(float(np.max(found[0].error)))
        np.testing.assert_allclose(found[0].scale, 1.0, atol=0.05)
        np.testing.assert_allclose(found[1].scale, 1.0, atol=0.05)
    # E[y^2 x_0^2] - 1 = 3: the interval is honest and not lavish.
    assert np.mean(widths) == pytest.approx(means.quantile * np.sqrt(3 / 40_000), rel=0.1)


def test_monte_carlo_misses_as_often_as_it_says() -> None:
    means = MonteCarlo(500, confidence=0.1)
    query = [Statistic(Ridge(lambda y: y, power=1))]
    misses = []
    for turn in range(200):
        (mean,) = means.means(gaussian_instance(), query, [Scale.NONE], seed=0, turn=turn)
        misses.extend(np.abs(mean.value - np.eye(D)[0]) > mean.error)
    assert np.mean(misses) == pytest.approx(0.1, abs=0.035)


def test_turns_are_fresh_and_queries_of_a_turn_share_the_sample() -> None:
    def mean(seed, turn, **options):
        queries = [Statistic(Opaque(lambda x, y: y)), Statistic(Opaque(lambda x, y: 2 * y))]
        scales = [Scale.NONE] * 2
        means = MonteCarlo(1000, **options)
        return [
            float(m.value)
            for m in means.means(gaussian_instance(), queries, scales, seed=seed, turn=turn)
        ]

    assert mean(1, 1) == mean(1, 1)
    assert mean(1, 1)[1] == pytest.approx(2 * mean(1, 1)[0], rel=1e-12)
    assert mean(1, 1)[0] != mean(1, 2)[0] != mean(2, 2)[0]
    assert mean(1, 1, chunk=7)[0] == pytest.approx(mean(1, 1)[0], rel=1e-10)


def test_monte_carlo_draws_from_a_table_with_replacement() -> None:
    data = table(500)
    (mean,) = MonteCarlo(20_000).means(
        data, [Correlation(Ridge(power=1))], [Scale.PRODUCT], seed=0, turn=0
    )
    assert (np.abs(mean.value - data.targets @ data.inputs / 500) <= mean.error).all()


def test_a_constant_function_has_almost_no_error() -> None:
    (mean,) = MonteCarlo(1000).means(
        gaussian_instance(), [Statistic(Ridge())], [Scale.FUNCTION], seed=0, turn=0
    )
    assert mean.value == 1.0
    assert 0 < float(mean.error) < 1e-7


def test_bad_arguments() -> None:
    for bad in ({"samples": 1}, {"samples": 1.5}, {"samples": 9, "confidence": 0.99}):
        with pytest.raises(BadInput, match=r"wanted|probability"):
            MonteCarlo(**bad)
    with pytest.raises(BadInput, match="chunk"):
        MonteCarlo(10, chunk=0)
    with pytest.raises(BadInput, match=r"Quadrature\(\)"):
        Sample().means(gaussian_instance(), [], [], seed=0, turn=0)


def test_functions_that_are_not_finite_are_named() -> None:
    query = Statistic(Opaque(lambda x, y: np.where(x[:, 0] > 0, np.nan, 1.0)), "log of a negative")
    with pytest.raises(BadInput, match="'log of a negative' is not finite"):
        Sample().means(table(100), [query], [Scale.NONE], seed=0, turn=0)
