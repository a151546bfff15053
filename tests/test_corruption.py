"""Corruptions: exact budgets, the worst case that really is the worst, and the paper's ratios."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.special import ndtr

from sqsim.errors import BadInput
from sqsim.links import HermiteSeries, Relu
from sqsim.lowrank import Array
from sqsim.oracles.quadrature import Quadrature
from sqsim.oracles.scoring import null_loss
from sqsim.problems.corruption import (
    Corruption,
    Decoy,
    LabelNoise,
    LowDegreeRemoval,
    WorstCase,
    at_overlap,
)
from sqsim.problems.index import IndexInstance, ReluRegression
from sqsim.problems.labels import Gate, Term
from sqsim.queries import Correlation, Ridge, Statistic
from sqsim.tolerance import Scale
from sqsim.updates import Update, plain, reweighted


def draw(bias: float, *corruptions: Corruption, d: int = 6, norm: float = 1.0) -> IndexInstance:
    return ReluRegression(d).draw(bias=bias, norm=norm, corruptions=corruptions, seed=3)


def field(instance: IndexInstance, w: Array, update: Update) -> Array:
    """E[y x weight(<w, x>)]."""
    form = Ridge(update.weight, w, power=1, kinks=update.kinks)
    return np.asarray(Quadrature().means(instance, [Correlation(form)], [Scale.NONE])[0].value)


CASES = [
    (LowDegreeRemoval(3), -2.0, 1.0),
    (LowDegreeRemoval(9), -7.0, 1.0),
    (LowDegreeRemoval(0), 1.0, 2.5),
    (LabelNoise(0.3), 0.0, 1.0),
    (Decoy(0.4, -1.0, 0.2), -1.0, 2.0),
    (Decoy(-2.0, 0.5, -0.9), -1.0, 1.0),
    (WorstCase(plain(-2.0), 1e-3, 0.9), -2.0, 1.0),
    (WorstCase(reweighted(-5.0), 1e-9, 0.8), -5.0, 1.0),
]


@pytest.mark.parametrize(("corruption", "bias", "norm"), CASES)
def test_budgets_are_exact(corruption: Corruption, bias: float, norm: float) -> None:
    """E[(y - target)^2] by integrating the square where the stated budget is a closed form."""
    instance = draw(bias, corruption, norm=norm)
    hypothesis = instance.target

    def excess(s: Array, y: Array) -> Array:
        return np.asarray((y - np.maximum(s + hypothesis.bias, 0.0)) ** 2)

    if isinstance(corruption, WorstCase):
        # One direction more than a square takes in a moment: the change alone.
        term = instance.labels.terms[1]
        assert term.gate is not None
        columns = np.stack([term.gate.direction, term.direction])
        assert columns @ columns.T == pytest.approx(np.eye(2), abs=1e-15)
        weight, update = corruption.update, corruption.update
        edge = update.kinks[0]
        energy = quad(
            lambda s: float(weight.weight(np.array([s]))[0]) ** 2
            * np.exp(-s * s / 2) / np.sqrt(2 * np.pi),
            edge, edge + 25, points=(edge + 1, edge + 4), epsabs=0, epsrel=1e-12, limit=400,
        )[0]  # fmt: skip
        size = float(term.link(np.array([1.0]))[0]) ** 2
        assert instance.opt_upper_bound == pytest.approx(size * energy, rel=1e-10)
        assert instance.opt_upper_bound == corruption.budget
        return
    query = Statistic(
        Ridge(excess, hypothesis.weights, kinks=(-hypothesis.bias,)), "distance to the target"
    )
    found = Quadrature().means(instance, [query], [Scale.NONE])[0]
    assert instance.opt_upper_bound == pytest.approx(float(found.value), rel=1e-11)


def test_budgets_of_several_corruptions_are_bounds() -> None:
    instance = draw(-1.0, Decoy(0.3, -1.0, 0.5), LabelNoise(0.2))
    noiseless = draw(-1.0, Decoy(0.3, -1.0, 0.5))
    exact = noiseless.opt_upper_bound + 0.04
    assert exact < instance.opt_upper_bound <= 2 * exact


@pytest.mark.parametrize(
    ("bias", "cutoff", "ratio"),
    [(-5, 5, 66.5575076), (-6, 7, 153.876338), (-7, 9, 617.031653994), (-8, 11, 4409.13613)],
)
def test_the_hard_instances(bias: float, cutoff: int, ratio: float) -> None:
    instance = draw(bias, LowDegreeRemoval(cutoff))
    found = float(null_loss(instance).value) / instance.opt_upper_bound
    assert found == pytest.approx(ratio, rel=2e-9)
    if bias == -7:
        assert instance.opt_upper_bound == pytest.approx(7.699336342e-17, rel=2e-10)
        assert found == pytest.approx(617.031653994, rel=2e-12)
    link = instance.labels.terms[0].link
    assert link.second_moment / instance.opt_upper_bound == pytest.approx(ratio, rel=2e-9)


def signal(a: float, overlap: float, cut: float, shift: float) -> float:
    """theory: S times the integral of phi(z) Phi((L (z + shift) - a) / S) from cut - shift on."""
    sine = np.sqrt(1 - overlap**2)
    return float(
        sine
        * quad(
            lambda z: np.exp(-z * z / 2) / np.sqrt(2 * np.pi)
            * ndtr((overlap * (z + shift) - a) / sine),
            cut - shift, cut - shift + 14, epsabs=0, epsrel=1e-12, limit=200,
        )[0]
    )  # fmt: skip


E1 = {
    0.90: {3: 0.193, 5: 0.249, 8: 0.593, 12: 4.24, 20: 2.95e3},
    0.95: {3: 0.213, 5: 0.215, 8: 0.297, 12: 0.707, 20: 15.1},
    0.99: {3: 0.373, 5: 0.310, 8: 0.276, 12: 0.279, 20: 0.409},
}
E2 = {0.90: {3: 0.197, 5: 0.254, 8: 0.625, 12: 4.76}, 0.95: {3: 0.207, 5: 0.205, 8: 0.282}}


@pytest.mark.parametrize("overlap", E1)
@pytest.mark.parametrize("a", [3, 5, 8, 12, 20])
def test_noise_to_signal_of_the_reweighted_update(overlap: float, a: int) -> None:
    """Noise at a hundredth of the neuron's energy, against Guo and Vijayaraghavan's step."""
    budget = Relu(-float(a)).second_moment / 100
    update = reweighted(-float(a))
    clean = draw(-float(a))
    noisy = draw(-float(a), WorstCase(update, budget, overlap))
    gate = noisy.labels.terms[1].gate
    assert gate is not None
    w, e = gate.direction, noisy.labels.terms[1].direction
    forward = float(field(clean, w, update) @ e)
    if a <= 12:
        push = forward - float(field(noisy, w, update) @ e)
        assert push == pytest.approx(np.sqrt(budget) * update.norm, rel=1e-9)
        exact = signal(a, overlap, update.kinks[0], 0.5 * a)
        assert forward == pytest.approx(exact, rel=1e-9)
    # Closed form of the norm: e^(rho^2 a^2 / 2) sqrt(Phi(-(cut - 2 rho a))).
    norm = np.exp(a * a / 8) * np.sqrt(ndtr(-(update.kinks[0] - a)))
    assert update.norm == pytest.approx(norm, rel=1e-11)
    assert np.sqrt(budget) * update.norm / forward == pytest.approx(E1[overlap][a], rel=6e-3)


@pytest.mark.parametrize("overlap", E2)
@pytest.mark.parametrize("a", [3, 5, 8, 12])
def test_noise_to_signal_of_the_plain_update(overlap: float, a: int) -> None:
    if a not in E2[overlap]:
        pytest.skip("no value in the table")
    update, clean = plain(-float(a)), draw(-float(a))
    w = at_overlap(clean.direction, overlap, np.random.default_rng(0))
    e = (clean.direction - overlap * w) / np.sqrt(1 - overlap**2)
    forward = float(field(clean, w, update) @ e)
    noise = np.sqrt(Relu(-float(a)).second_moment / 100) * update.norm
    assert noise / forward == pytest.approx(E2[overlap][a], rel=6e-3)


@given(
    seed=st.integers(0, 10**6),
    degree=st.integers(0, 4),
    lean=st.floats(-1, 1),
    shift=st.floats(-2, 2),
)
@example(seed=0, degree=0, lean=0.0, shift=0.0)
@settings(max_examples=25)
def test_no_other_corruption_of_the_same_budget_pushes_further(
    seed: int, degree: int, lean: float, shift: float
) -> None:
    """Random gates along w and random links along e."""
    bias, overlap, budget = -1.5, 0.8, 1e-2
    update = plain(bias)
    worst = draw(bias, WorstCase(update, budget, overlap))
    gate = worst.labels.terms[1].gate
    assert gate is not None
    w, e = gate.direction, worst.labels.terms[1].direction
    clean = draw(bias)
    forward = float(field(clean, w, update) @ e)
    back = forward - float(field(worst, w, update) @ e)
    assert back == pytest.approx(np.sqrt(budget) * update.norm, rel=1e-11)

    # Another change gate(<x, w>) link(<x, e>): its energy factorises, its push is integrated.
    rng = np.random.default_rng(seed)
    weights = np.append(0.0, -1.0) if degree == 0 else rng.standard_normal(degree + 1)
    kinks = (*update.kinks, shift)

    def mixed(s: Array) -> Array:
        return np.asarray((1 - abs(lean)) * update.weight(s) + lean * (s > shift))

    energy = Update("mixed", mixed, kinks).norm ** 2 * float(weights @ weights)
    assume(energy > 1e-12)
    link = HermiteSeries(tuple((np.sqrt(budget / energy) * weights).tolist()))
    terms = (clean.labels.terms[0], Term(e, link, Gate(w, mixed, kinks)))
    other = replace(clean, labels=replace(clean.labels, terms=terms))
    pushed = forward - float(field(other, w, update) @ e)
    assert abs(pushed) <= back * (1 + 1e-11)
    if degree == 0 and lean == 0:
        assert pushed == pytest.approx(back, rel=1e-11)


def test_the_direction_of_the_push() -> None:
    update = plain(-2.0)
    worst = draw(-2.0, WorstCase(update, 1e-3, 0.9))
    gate = worst.labels.terms[1].gate
    assert gate is not None
    assert worst.direction @ gate.direction == pytest.approx(0.9, abs=1e-15)
    clean = draw(-2.0)
    assert np.array_equal(clean.direction, worst.direction)
    change = field(worst, gate.direction, update) - field(clean, gate.direction, update)
    change -= (change @ gate.direction) * gate.direction
    assert change @ worst.direction < 0
    assert abs(change @ worst.direction) == pytest.approx(
        np.linalg.norm(change) * np.sqrt(1 - 0.81), rel=1e-9
    )


def test_draws_follow_the_law() -> None:
    """Means of samples within five standard errors of quadrature, for every corruption."""
    rng = np.random.default_rng(1)
    for corruption, _, _ in CASES:
        instance = draw(-0.5, corruption) if not isinstance(corruption, WorstCase) else draw(
            -2.0, WorstCase(plain(-2.0), 0.05, 0.7)
        )  # fmt: skip
        x = rng.standard_normal((200_000, 6))
        y = instance.labels.draw(x, rng)
        w = at_overlap(instance.direction, 0.5, rng)
        query = Correlation(Ridge(lambda s: (s > 0) * 1.0, w, power=1, kinks=(0.0,)))
        mean = np.asarray(Quadrature().means(instance, [query], [Scale.NONE])[0].value)
        samples = (y * (x @ w > 0))[:, None] * x
        error = samples.std(axis=0) / np.sqrt(len(x))
        assert (np.abs(samples.mean(axis=0) - mean) < 5 * error).all()


@pytest.mark.parametrize("overlap", [-1.0, -0.999999, -0.3, 0.0, 0.5, 1 - 1e-12, 1.0])
def test_at_overlap(overlap: float) -> None:
    v = draw(0.0).direction
    u = at_overlap(v, overlap, np.random.default_rng(0))
    assert np.linalg.norm(u) == pytest.approx(1, abs=3e-16)
    assert u @ v == pytest.approx(overlap, abs=3e-16)


def test_bad_corruptions() -> None:
    with pytest.raises(BadInput):
        LabelNoise(0.0)
    with pytest.raises(BadInput):
        WorstCase(plain(-1.0), 0.0)
    with pytest.raises(BadInput):
        WorstCase(plain(-1.0), 1.0, 1.0)
    with pytest.raises(BadInput):
        draw(0.0, Decoy(0.0, 1.0))
    with pytest.raises(BadInput):
        draw(0.0, Decoy(1.0, 1.0, 1.5))
    with pytest.raises(BadInput):
        draw(0.0, Decoy(1.0, 1.0), d=1)
    with pytest.raises(BadInput):
        draw(0.0, LowDegreeRemoval(-1))
    with pytest.raises(BadInput):
        reweighted(0.5)
