"""Laws of the inputs, updates and index problems that a learner reads."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import norm

from sqsim import BadInput, Ridge
from sqsim.inputs import Empirical, Gaussian
from sqsim.lowrank import dense
from sqsim.problems import ReluRegression
from sqsim.updates import plain, reweighted


def _forms(dimension):
    w = np.arange(1.0, dimension + 1) / 4
    frame = np.stack([w, np.ones(dimension)], axis=1)
    return [
        *(Ridge(power=p) for p in range(3)),
        *(Ridge(lambda s: np.maximum(s - 1, 0), w, power=p, kinks=(1.0,)) for p in range(3)),
        *(Ridge(lambda s: np.tanh(s[:, 0]) * s[:, 1], frame, power=p) for p in range(3)),
    ]


def _average(form, x):
    s = None if form.frame is None else (x @ form.frame).reshape(len(x), -1)
    h = form.values(s, None, len(x))
    tensors = {0: np.ones(len(x)), 1: x, 2: x[:, :, None] * x[:, None] - np.eye(x.shape[1])}
    return np.tensordot(h, tensors[form.power], axes=1) / len(x)


@pytest.mark.parametrize("index", range(9))
def test_empirical_expectation_is_the_average_over_the_rows(index):
    x = np.random.default_rng(0).standard_normal((50, 3))
    form = _forms(3)[index]
    found = Empirical(x).expectation(form)
    assert found.shape == form.shape(3)
    np.testing.assert_allclose(found, _average(form, x), atol=1e-13)


@pytest.mark.parametrize("index", range(9))
def test_gaussian_expectation_is_what_a_large_sample_averages(index):
    form = _forms(3)[index]
    gaussian = Gaussian(3)
    found = gaussian.expectation(form)
    sampled = _average(form, gaussian.sample(np.random.default_rng(1), 200_000))
    assert found.shape == form.shape(3)
    np.testing.assert_allclose(found, sampled, atol=0.05)


def test_gaussian_expectation_of_a_neuron_is_its_closed_form():
    """E[sigma(c t + b)] = c (phi(b/c) + (b/c) Phi(b/c)), along v it is c Phi(b/c)."""
    w = np.array([0.6, 0.8, 0.0]) * 2
    for b in (-12.0, -2.0, 0.5):
        mean = 2 * (norm.pdf(b / 2) + b / 2 * norm.cdf(b / 2))
        form = Ridge(lambda s, b=b: np.maximum(s + b, 0), w, kinks=(-b,))
        # The closed form itself cancels in the tail.
        assert float(Gaussian(3).expectation(form)) == pytest.approx(mean, rel=1e-7)
        first = Ridge(form.h, w, power=1, kinks=(-b,))
        np.testing.assert_allclose(
            Gaussian(3).expectation(first), w * norm.cdf(b / 2), rtol=1e-12, atol=1e-300
        )


def test_empirical_sample_draws_rows():
    x = np.random.default_rng(0).standard_normal((5, 2))
    drawn = Empirical(x).sample(np.random.default_rng(3), 100)
    assert drawn.shape == (100, 2)
    assert {tuple(row) for row in drawn} <= {tuple(row) for row in x}


@pytest.mark.parametrize("inputs", [Gaussian(3), Empirical(np.eye(4)[:, :3])])
def test_a_frame_of_another_dimension_is_refused(inputs):
    with pytest.raises(BadInput, match="dimension 3"):
        inputs.expectation(Ridge(np.tanh, np.ones(4)))


@pytest.mark.parametrize("dimension", [0, -2, 2.5, math.nan, True])
def test_gaussian_refuses_what_is_no_dimension(dimension):
    with pytest.raises(BadInput, match="dimension"):
        Gaussian(dimension)


@pytest.mark.parametrize(
    "table",
    [np.zeros((0, 3)), np.zeros(3), np.zeros((3, 0))],
    ids=["no rows", "one axis", "no columns"],
)
def test_empirical_refuses_what_is_no_table(table):
    with pytest.raises(BadInput, match="table"):
        Empirical(table)


@pytest.mark.parametrize("bias", [-8.0, -3.0, 0.0])
def test_norm_of_the_reweighted_update_is_its_closed_form(bias):
    """||f||^2 = exp(rho^2 b^2) Phi(-(cut - 2 rho |b|)), a shifted Gaussian's tail."""
    rho, overlap = 0.5, 0.9
    update = reweighted(bias, rho=rho, overlap=overlap)
    cut = (rho + overlap - overlap**2 * rho) * -bias
    assert update.kinks == (cut,)
    square = np.exp(rho**2 * bias**2) * norm.sf(cut + 2 * rho * bias)
    assert update.norm == pytest.approx(np.sqrt(square), rel=1e-12)


@pytest.mark.parametrize("bias", [-8.0, 0.0, 2.0])
def test_norm_of_the_plain_update_is_the_root_of_its_mass(bias):
    assert plain(bias).norm == pytest.approx(np.sqrt(norm.cdf(bias)), rel=1e-12)


def test_reweighting_is_refused_for_positive_biases():
    with pytest.raises(BadInput, match="<= 0"):
        reweighted(0.1)


def test_draw_defaults_to_what_the_problem_tells():
    instance = ReluRegression(4, norm=2.0, bias=-1.5).draw(seed=3)
    assert instance.target.norm == pytest.approx(2.0)
    assert instance.target.bias == -1.5
    assert instance.opt_upper_bound == 0.0
    assert np.linalg.norm(instance.direction) == pytest.approx(1.0)
    again = ReluRegression(4, norm=2.0, bias=-1.5).draw(seed=3)
    np.testing.assert_array_equal(instance.direction, again.direction)


@pytest.mark.parametrize("given", [{"norm": 3.0}, {"bias": 0.0}])
def test_draw_refuses_to_contradict_the_problem(given):
    with pytest.raises(BadInput, match="tells the learner"):
        ReluRegression(4, norm=2.0, bias=-1.5).draw(**given)


@pytest.mark.parametrize(
    "direction", [np.zeros(3), np.ones(4), np.array([1.0, math.nan, 0.0]), np.eye(3)]
)
def test_draw_refuses_what_is_no_direction(direction):
    with pytest.raises(BadInput, match="direction"):
        ReluRegression(3).draw(direction=direction)


@pytest.mark.parametrize("norm", [0.0, -1.0, math.nan])
def test_a_known_norm_is_positive(norm):
    with pytest.raises(BadInput, match="norm"):
        ReluRegression(3, norm=norm)


def test_answers_of_the_second_power_come_back_dense():
    form = Ridge(np.square, np.eye(3)[0], power=2)
    found = Gaussian(3).expectation(form)
    assert isinstance(found, np.ndarray)
    # E[x x' - I, weighted by x_1^2] = 2 e_1 e_1'.
    np.testing.assert_allclose(dense(found), 2 * np.diag([1.0, 0, 0]), atol=1e-13)
