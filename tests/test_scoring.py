"""Losses: direct against expanded, tiny losses, and the zero hypothesis."""

from __future__ import annotations

import numpy as np
import pytest
import references as ref
from flint import arb
from hypothesis import given, settings
from hypothesis import strategies as st

from sqsim.oracles.scoring import expanded_loss, loss, null_loss
from sqsim.problems.corruption import Decoy, LabelNoise, LowDegreeRemoval
from sqsim.problems.hypothesis import ReluHypothesis, zero
from sqsim.problems.index import ReluRegression

D = 4


def unit(seed: int) -> np.ndarray:
    v = np.random.default_rng(seed).standard_normal(D)
    return np.asarray(v / np.linalg.norm(v))


@given(
    bias=st.floats(-5, 2),
    other=st.floats(-5, 2),
    norm=st.floats(0.1, 5),
    angle=st.floats(0, np.pi),
    removed=st.sampled_from([None, 0, 3, 5]),
)
@settings(max_examples=25)
def test_direct_and_expanded_losses_agree_within_their_errors(
    bias: float, other: float, norm: float, angle: float, removed: int | None
) -> None:
    v, g = unit(1), unit(2)
    g = g - (g @ v) * v
    w = norm * (np.cos(angle) * v + np.sin(angle) * g / np.linalg.norm(g))
    corruptions = [] if removed is None else [LowDegreeRemoval(removed)]
    instance = ReluRegression(D).draw(bias=bias, direction=v, corruptions=corruptions)
    hypothesis = ReluHypothesis(w, other)
    direct, expanded = loss(instance, hypothesis), expanded_loss(instance, hypothesis)
    gap = abs(float(direct.value) - float(expanded.value))
    assert gap <= float(direct.error) + float(expanded.error)
    assert float(direct.error) <= 1e-11 * float(direct.value) + 1e-300
    energy = float(null_loss(instance).value) + float(norm**2 + other**2)
    assert float(expanded.error) <= 1e-12 * energy


@pytest.mark.parametrize("bias", [-7.0, -3.0, 0.0, 2.0])
@pytest.mark.parametrize("angle", [1e-7, 1e-5, 1e-3])
def test_tiny_losses_keep_their_relative_precision(bias: float, angle: float) -> None:
    """E[(sigma(<v, x> + b) - sigma(<w, x> + b))^2] along one line and across it, in 40 digits.

    With s = <w, x> the square is an integral over s of moments of a smoothed relu; at 60 working
    digits the cancellation is harmless.
    """
    v = np.array([1.0, 0.0, 0.0, 0.0])
    w = np.array([np.sqrt((1 - angle) * (1 + angle)), angle, 0.0, 0.0])
    instance = ReluRegression(D).draw(bias=bias, direction=v)
    found = loss(instance, ReluHypothesis(w, bias))
    at = ref.plane(w, instance.labels.terms[0].direction)
    b, length = arb(bias), at.length

    def square(weight_of: arb) -> arb:
        """E[sigma(weight_of Z + b)^2] in closed form."""
        t = b / weight_of
        return weight_of**2 * ((t * t + 1) * ref.cdf(t) + t * ref.density(t))

    unit_length = (at.along**2 + at.across**2).sqrt()
    cross = length * ref.moment(
        at, 0, 0, bias=b, low=-b / length, weight=lambda s: s + b / length
    )
    exact = square(length) + square(unit_length) - 2 * cross
    gap = abs(float(arb(float(found.value)) - exact))
    assert gap <= 1e-8 * float(exact)
    assert gap <= float(found.error)
    assert float(found.error) < 1e-3 * float(found.value)


def test_the_target_of_a_clean_instance_loses_nothing() -> None:
    instance = ReluRegression(D).draw(bias=-2.0, norm=3.0, seed=5)
    found = loss(instance, instance.target)
    assert float(found.value) <= float(found.error) + 1e-25
    assert float(found.value) < 1e-28


@pytest.mark.parametrize("bias", [-1.0, 0.0, 0.7])
def test_constant_hypotheses(bias: float) -> None:
    instance = ReluRegression(D).draw(bias=0.3, seed=5, corruptions=[LabelNoise(0.1)])
    constant = ReluHypothesis(np.zeros(D), bias)
    x = 0.3
    density, share = float(ref.density(arb(x))), float(ref.cdf(arb(x)))
    mean, energy = density + x * share, (x * x + 1) * share + x * density + 0.01
    level = max(bias, 0.0)
    exact = energy - 2 * level * mean + level**2
    for score in (loss, expanded_loss):
        assert float(score(instance, constant).value) == pytest.approx(exact, rel=1e-12)
    assert float(loss(instance, zero(D)).value) == pytest.approx(energy, rel=1e-13)


def test_noise_and_decoys_are_scored_by_expansion() -> None:
    noisy = ReluRegression(D).draw(bias=-1.0, seed=2, corruptions=[LabelNoise(0.25)])
    assert float(loss(noisy, noisy.target).value) == pytest.approx(0.0625, rel=1e-12)
    decoy = ReluRegression(D).draw(bias=-1.0, seed=2, corruptions=[Decoy(0.5, 0.3, 0.6)])
    found = loss(decoy, decoy.target)
    assert float(found.value) == pytest.approx(decoy.opt_upper_bound, rel=1e-11)
    assert abs(float(found.value) - decoy.opt_upper_bound) <= 2 * float(found.error)


def test_losses_against_samples() -> None:
    rng = np.random.default_rng(0)
    instance = ReluRegression(D).draw(bias=0.2, seed=2, corruptions=[Decoy(-0.5, 0.3, 0.6)])
    hypothesis = ReluHypothesis(1.3 * unit(9), 0.4)
    x = rng.standard_normal((300_000, D))
    samples = (instance.labels.draw(x, rng) - hypothesis(x)) ** 2
    error = samples.std() / np.sqrt(len(x))
    assert abs(samples.mean() - float(loss(instance, hypothesis).value)) < 5 * error
