"""What a stranger does by mistake, and what must not pass for an answer."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import ndtr

from sqsim import (
    L2,
    Absolute,
    Batch,
    Correlation,
    MonteCarlo,
    Opaque,
    Ridge,
    Statistic,
    Transcript,
    ask,
    csq,
    run,
    sq,
    together,
    worst_direction,
)
from sqsim.errors import BadInput, ToleranceUnreachable
from sqsim.links import Relu
from sqsim.problems import ReluRegression
from sqsim.problems.corruption import Decoy, LabelNoise, LowDegreeRemoval
from sqsim.studies.separation import Separation
from sqsim.tolerance import Mean

INSTANCE = ReluRegression(5).draw(bias=-1.0, seed=0)


def band(s, at, width):
    return (np.abs(s - at) < width) * 1.0


@pytest.mark.parametrize("width", [0.05, 0.02, 0.01])
def test_a_narrow_band_that_nothing_declares_is_found(width):
    """It hides between the first nodes, and an error of 0 would be a lie."""
    oracle = sq(INSTANCE, tolerance=L2(1e-3))
    for at in np.linspace(-2.0, 2.0, 41):
        exact = ndtr(at + width) - ndtr(at - width)
        query = Statistic(Ridge(lambda s, y, at=at: band(s, at, width), INSTANCE.direction))
        assert oracle.answer(Batch((query,)), 0)[0] == pytest.approx(exact, rel=1e-9)
        if at > width:
            exact = ndtr(at + 1 + width) - ndtr(at + 1 - width)
            query = Statistic(Ridge(lambda y, at=at: band(y, at, width)))
            assert oracle.answer(Batch((query,)), 0)[0] == pytest.approx(exact, rel=1e-9)


def test_a_sample_that_saw_nothing_answers_nothing():
    """Zero variance of an unseen event is not an error of zero."""
    oracle = sq(INSTANCE, tolerance=L2(1e-3), means=MonteCarlo(1000))
    for seed in range(5):
        query = Statistic(Opaque(lambda x, y: (x[:, 0] > 3.7) * 1.0))
        with pytest.raises(ToleranceUnreachable, match="fewer than 100"):
            oracle.answer(Batch((query,)), seed)


def test_a_decoy_may_pull_down():
    """A negative weight is a scaled link, not another direction to integrate."""
    instance = ReluRegression(5).draw(bias=-1.0, corruptions=[Decoy(-0.5, -1.0, 0.2)], seed=0)
    assert len(instance.labels.columns) == 2
    assert instance.opt_upper_bound == pytest.approx(0.25 * Relu(-1.0).second_moment)


def test_noise_adds_to_the_bound_exactly_and_functions_by_the_triangle():
    """Independent noise is orthogonal to every function of x."""
    removal, noise = LowDegreeRemoval(2), LabelNoise(0.2)
    alone = ReluRegression(5).draw(bias=-1.0, corruptions=removal).opt_upper_bound
    both = ReluRegression(5).draw(bias=-1.0, corruptions=[removal, noise]).opt_upper_bound
    assert both == pytest.approx(alone + 0.04)


class Broken:
    """Means that break the contract in one way."""

    def __init__(self, mean):
        self.mean = mean

    def means(self, instance, queries, scales, *, seed, turn):
        return [self.mean for _ in queries]


@pytest.mark.parametrize(
    ("mean", "words"),
    [
        (Mean(np.float64(0.0), -1.0, 1.0), "errors are >= 0"),
        (0.5, "wanted Mean"),
    ],
)
def test_an_evaluator_is_held_to_its_contract(mean, words):
    """A negative error would widen the window."""
    oracle = sq(INSTANCE, tolerance=Absolute(0.1), policy=worst_direction, means=Broken(mean))
    with pytest.raises(BadInput, match=words):
        oracle.answer(Batch((Statistic(Ridge(np.square)),)), 0)


def test_a_transcript_is_not_resumed_on_another_secret(tmp_path):
    """Half of the answers would come from each."""

    def twice():
        first = yield from ask(Correlation(Ridge(power=1)))
        yield from ask(Correlation(Ridge(power=1)))
        return first

    path = tmp_path / "log.jsonl"
    run(twice(), csq(INSTANCE, tolerance=L2(1e-3)), log=path)
    other = ReluRegression(5).draw(bias=-1.0, seed=9)
    with pytest.raises(BadInput):
        run(twice(), csq(other, tolerance=L2(1e-3)), log=Transcript.resume(path))


def test_representations_do_not_show_the_secret():
    """They end up in logs and messages."""
    shown = repr(INSTANCE) + repr(csq(INSTANCE, tolerance=L2(1e-3)).describe())
    assert "array" not in shown
    assert f"{INSTANCE.direction[0]:.4f}" not in shown


def test_a_structured_matrix_is_a_matrix_to_numpy():
    """The answer of the exact policy may be handed to any numpy function."""
    query = Statistic(Ridge(lambda y: (y >= 0.5) * 1.0, power=2, levels=(0.5,)))
    (matrix,) = sq(INSTANCE, tolerance=L2(1e-3)).answer(Batch((query,)), 0)
    full = np.asarray(matrix)
    assert full.shape == (5, 5)
    ones = np.ones(5)
    np.testing.assert_allclose(ones @ matrix, ones @ full, atol=1e-15)
    np.testing.assert_allclose(matrix.T @ ones, full @ ones, atol=1e-15)


def strategy():
    yield from ask(Correlation(Ridge(power=1)))


@pytest.mark.parametrize(
    "mistake",
    [
        lambda: Correlation(Ridge(lambda s: s)),
        lambda: Ridge(np.ones(5)),
        lambda: Ridge(lambda s: s, np.ones(5), kinks=1.0),
        lambda: Ridge(lambda s: s, np.ones(5), kinks=[np.nan]),
        lambda: Ridge(lambda y: y, levels=0.5),
        lambda: Correlation(Ridge(power=1), tolerance=0.1),
        lambda: sq(INSTANCE, tolerance=L2(1e-3), means=MonteCarlo),
        lambda: run(strategy(), INSTANCE),
        lambda: next(together(strategy, strategy)),
        lambda: next(together(*[strategy()] * 2)),
        lambda: ReluRegression(5).draw(corruptions=[0.3]),
        lambda: ReluRegression(5, bias=np.inf),
        lambda: Separation(bias=-40.0, dimension=20),
    ],
)
def test_natural_mistakes_are_named(mistake):
    """Each is a BadInput at the place where it was made."""
    with pytest.raises(BadInput):
        mistake()
