"""Adversaries stay in their windows, do what they say, and keep no state."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sqsim.algorithms import projected_gradient_descent
from sqsim.bounded import RootStat
from sqsim.errors import BadInput
from sqsim.loop import run
from sqsim.lowrank import LowRank
from sqsim.oracles.adversaries import consistent, drifting, quantised
from sqsim.oracles.looking_ahead import against, against_progress, look_ahead
from sqsim.oracles.policies import (
    Question,
    Window,
    apply,
    exact,
    policy_name,
    uniform,
    worst_direction,
)
from sqsim.oracles.simulated import csq, sq
from sqsim.problems.dataset import Dataset
from sqsim.problems.index import ReluRegression
from sqsim.queries import Batch, Correlation, Opaque, Ridge, Statistic
from sqsim.testing import check_oracle, check_policy
from sqsim.tolerance import L2, Absolute, Mean

D = 4
ADVERSARIES = [
    drifting(period=5),
    quantised(4),
    quantised(1, span=1e6),
    consistent(uniform),
    consistent(worst_direction),
    against(lambda question: np.full(question.query.shape(D), -1.0)),
    against(lambda question: None),
    against_progress(np.arange(1.0, D + 1)),
    look_ahead(lambda question, answer: float(np.tanh(np.sum(answer))), evaluations=30),
]
SIZES = st.sampled_from([0.0, 5e-324, 1e-300, 1e-17, 1e-9, 0.01, 1.0, 3.7, 1e9, 1e150])
FORMS = {
    "scalar": Ridge(np.sign, np.ones(D)),
    "vector": Ridge(power=1),
    "matrix": Ridge(power=2),
}


def generator() -> np.random.Generator:
    return np.random.default_rng(5)


def asked(kind: str, turn: int = 0, **note: Any) -> Question:
    return Question(Correlation(FORMS[kind]), note, turn, 3, D)


def window_of(kind: str, size: float, error: float, spread: float, seed: int) -> Window:
    draw = np.random.default_rng(seed)
    shape = FORMS[kind.removesuffix("32")].shape(D)
    value = np.asarray(size * draw.standard_normal(shape))
    scale = np.asarray(spread * draw.uniform(0, 1, size=shape))
    if value.ndim == 2:
        value, scale = np.asarray((value + value.T) / 2), np.asarray((scale + scale.T) / 2)
    if kind.endswith("32"):
        with np.errstate(over="ignore"):
            value = np.clip(value.astype(np.float32), -3e38, 3e38)
    question = asked(kind.removesuffix("32"), turn=seed, w=draw.standard_normal(D))
    return Window(Mean(value, error, scale), L2(0.5), question)


@pytest.mark.parametrize("policy", ADVERSARIES, ids=policy_name)
@given(
    kind=st.sampled_from(["scalar", "vector", "matrix", "scalar32", "vector32", "matrix32"]),
    size=SIZES,
    error=SIZES,
    spread=SIZES,
    seed=st.integers(0, 9),
)
def test_every_answer_is_in_its_window(policy, kind, size, error, spread, seed) -> None:
    window = window_of(kind, size, error, spread, seed)
    answer = np.asarray(apply(policy, window, generator()))
    assert answer.shape == window.center.shape
    assert (window.low <= answer).all()
    assert (answer <= window.high).all()
    assert (np.abs(answer - window.center) <= window.slack).all()
    if answer.ndim == 2:
        np.testing.assert_array_equal(answer, answer.T)


@pytest.mark.parametrize("policy", ADVERSARIES, ids=policy_name)
def test_adversaries_keep_the_laws_of_policies(policy) -> None:
    windows = [window_of(kind, 1.0, 0.01, 0.3, 1) for kind in FORMS]
    basis = np.linalg.qr(generator().standard_normal((D, 2)))[0]
    low = LowRank(basis, np.array([[1.0, 0.2], [0.2, -0.5]]))
    windows.append(Window(Mean(low, 0.0), Absolute(0.1), asked("matrix")))
    check_policy(policy, windows, 3)


@pytest.mark.parametrize("policy", ADVERSARIES, ids=policy_name)
def test_adversaries_make_lawful_oracles(policy) -> None:
    data = Dataset(generator().standard_normal((30, D)), generator().standard_normal(30))
    batch = Batch(tuple(Correlation(form) for form in FORMS.values()), {"w": np.ones(D)})
    oracle = csq(data, tolerance=Absolute(0.05), policy=policy, seed=2)
    truth = csq(data, tolerance=Absolute(1e-9)).answer(batch, 0)
    check_oracle(oracle, batch, truth)


def errors(policy: Any, turns: int, seed: int = 3, kind: str = "vector") -> np.ndarray:
    """Errors in units of the slack, turn by turn."""
    shape = FORMS[kind].shape(D)
    found = []
    for turn in range(turns):
        question = Question(Correlation(FORMS[kind]), {}, turn, seed, D)
        window = Window(Mean(np.full(shape, 0.3), 0.0), Absolute(0.1), question)
        found.append((np.asarray(apply(policy, window, generator())) - 0.3) / 0.1)
    return np.array(found)


def test_drifting_errors_wander_through_the_window() -> None:
    drift = errors(drifting(period=40), 400)
    assert (np.abs(drift) <= 1 + 1e-12).all()
    assert (drift.max(axis=0) > 0.99).all()
    assert (drift.min(axis=0) < -0.99).all()
    assert np.abs(np.diff(drift, axis=0)).max() <= 2 * np.pi / 40
    # Over a quarter of a period the errors add up, unlike independent ones.
    assert np.abs(drift.reshape(40, 10, D).mean(axis=1)).mean() > 0.5
    assert len(np.unique(np.round(drift[0], 6))) == D


def test_drifting_depends_on_seed_and_turn_alone() -> None:
    np.testing.assert_array_equal(errors(drifting(), 5), errors(drifting(), 9)[:5])
    assert not np.allclose(errors(drifting(), 5), errors(drifting(), 5, seed=4))


@given(center=st.floats(-0.99, 0.99), slack=st.floats(1e-6, 0.5), bits=st.integers(1, 12))
def test_quantised_answers_have_few_bits(center: float, slack: float, bits: int) -> None:
    window = Window(Mean(np.array(center), 0.0), Absolute(slack))
    answer = float(apply(quantised(bits), window, generator()))
    step = 2.0 ** (1 - bits)
    coarse = round(center / step) * step
    if window.low <= coarse <= window.high:
        assert answer == coarse
    else:
        finer = 2.0 ** np.floor(np.log2(float(window.slack)) + 1)
        assert answer / finer == round(answer / finer)
        assert finer > float(window.slack)


def test_quantised_multiples_of_a_span() -> None:
    window = Window(Mean(np.array([0.9, -0.4, 1e300]), 0.0), Absolute(1.0))
    np.testing.assert_array_equal(apply(quantised(2, span=3.0), window, generator())[:2], [1.5, 0])
    narrow = Window(Mean(np.array(1 / 3), 0.0), Absolute(5e-324))
    assert apply(quantised(2), narrow, generator()) == 1 / 3


def test_the_same_function_gets_the_same_answer() -> None:
    """At another turn, in another place, under another name, as another object."""
    data = Dataset(generator().standard_normal((30, D)), generator().standard_normal(30))
    oracle = csq(data, tolerance=Absolute(0.1), policy=consistent(uniform), seed=2)

    def gradient(scale: float, label: str = "") -> Correlation:
        return Correlation(Ridge(np.tanh, scale * np.ones(D), power=1), label)

    first, other = oracle.answer(Batch((gradient(1.0), gradient(2.0))), 0)
    again = oracle.answer(Batch((gradient(3.0), gradient(1.0, "again")), {"w": 1.0}), 7)[1]
    np.testing.assert_array_equal(first, again)
    plain = csq(data, tolerance=Absolute(0.1), policy=uniform, seed=2)
    assert not np.array_equal(
        plain.answer(Batch((gradient(1.0),)), 0)[0], plain.answer(Batch((gradient(1.0),)), 7)[0]
    )
    exactly = csq(data, tolerance=Absolute(0.1)).answer(Batch((gradient(1.0), gradient(2.0))), 0)
    assert not np.allclose(first - exactly[0], other - exactly[1])
    reseeded = csq(data, tolerance=Absolute(0.1), policy=consistent(uniform), seed=3)
    assert not np.array_equal(first, reseeded.answer(Batch((gradient(1.0),)), 0)[0])


def test_consistent_drift_stands_still() -> None:
    drift = errors(consistent(drifting()), 5)
    np.testing.assert_array_equal(drift, np.tile(drift[0], (5, 1)))


@given(seed=st.integers(0, 50))
def test_against_is_least_over_the_window(seed: int) -> None:
    draw = np.random.default_rng(seed)
    direction = draw.standard_normal(D) * (draw.random(D) < 0.7)
    policy = against(lambda question: direction)
    p = draw.random(D)
    window = Window(Mean(p, 0.0), RootStat(0.2), asked("vector"))
    least = direction @ np.asarray(apply(policy, window, generator()))
    for _ in range(20):
        other = window.low + draw.random(D) * (window.high - window.low)
        assert least <= direction @ other + 1e-12


def test_against_progress_takes_overlap_from_the_next_iterate() -> None:
    target, w = np.eye(D)[0], np.array([0.6, 0.8, 0.0, 0.0])
    policy = against_progress(target)
    center = np.array([0.5, -0.3, 0.2, 0.1])
    window = Window(Mean(center, 0.0), Absolute(0.1), asked("vector", w=w))

    def overlap(field: Any) -> float:
        step = w + 0.1 * (field - (field @ w) * w)
        return float(step @ target / np.linalg.norm(step))

    held = overlap(np.asarray(apply(policy, window, generator())))
    assert held < overlap(center)
    draw = generator()
    assert held <= min(overlap(center + draw.uniform(-0.1, 0.1, D)) for _ in range(300)) + 1e-4
    for note in ({}, {"w": "text"}, {"w": np.zeros(D)}, {"w": 3.0}):
        blind = Window(Mean(center, 0.0), Absolute(0.1), asked("vector", **note))
        moved = np.asarray(apply(policy, blind, generator())) - center
        np.testing.assert_allclose(moved, [-0.1, 0, 0, 0], atol=1e-15)
    matrix = Window(Mean(np.eye(D), 0.0), Absolute(0.1), asked("matrix"))
    tilted = np.asarray(apply(against_progress(np.array([1.0, -1, 0, 0])), matrix, generator()))
    np.testing.assert_allclose(tilted[:2, :2], [[0.9, 0.1], [0.1, 0.9]])
    scalar = Window(Mean(np.array(0.4), 0.0), Absolute(0.1), asked("scalar"))
    assert apply(policy, scalar, generator()) == 0.4


def test_looking_ahead_costs_a_descent_more_than_other_adversaries() -> None:
    """The same tolerance and the same learner; only where in the window the answers fall."""
    instance = ReluRegression(8, norm=1.0, bias=0.0).draw(seed=2)
    v = instance.direction
    side = np.random.default_rng(1).standard_normal(8)
    side -= (side @ v) * v
    start = 0.5 * v + np.sqrt(0.75) * side / np.linalg.norm(side)

    def reached(policy: Any) -> float:
        oracle = csq(instance, tolerance=L2(0.1), policy=policy)
        learner = projected_gradient_descent(instance.problem, start=start, steps=10)
        learned = run(learner, oracle).value
        return float(learned.weights @ v / learned.norm)

    held = reached(against_progress(v))
    for policy, margin in (
        (worst_direction, 0.03),
        (drifting(), 0.1),
        (uniform, 0.1),
        (exact, 0.1),
    ):
        assert held < reached(policy) - margin


def test_look_ahead_finds_the_least_of_a_smooth_score() -> None:
    """A quadratic with its least point inside the window of some entries and outside of others."""
    aim = np.array([0.32, 0.9, -0.5, 0.28])

    def score(question: Question, answer: Any) -> float:
        answer_error = float(np.sum((answer - aim) ** 2))
        answer *= 0
        return answer_error

    window = Window(Mean(np.full(D, 0.3), 0.0), Absolute(0.1), asked("vector"))
    found = np.asarray(apply(look_ahead(score), window, generator()))
    np.testing.assert_allclose(found, [0.32, 0.4, 0.2, 0.28], atol=1e-5)
    corner = np.asarray(apply(look_ahead(score, evaluations=0), window, generator()))
    assert np.sum((found - aim) ** 2) < np.sum((corner - aim) ** 2)


def test_look_ahead_sees_question_and_note() -> None:
    seen = []

    def score(question: Question, answer: Any) -> float:
        seen.append((question.query, question.note["step"], question.turn, question.seed))
        return float(-answer)

    data = Dataset(np.eye(3), [1.0, 2.0, 3.0])
    query = Statistic(Opaque(lambda x, y: y), "E[y]")
    oracle = sq(data, tolerance=Absolute(0.1), policy=look_ahead(score), seed=6)
    (answer,) = oracle.answer(Batch((query,), {"step": 4}), 2)
    assert answer == pytest.approx(2.1)
    assert set(seen) == {(query, 4, 2, 6)}


def test_names_for_reports() -> None:
    assert policy_name(drifting()) == "drifting(period=20)"
    assert policy_name(quantised(8)) == "quantised(8 bits, span=1)"
    assert policy_name(consistent(quantised(8))) == "consistent(quantised(8 bits, span=1))"
    assert policy_name(against_progress(np.ones(2))) == "against(progress)"


def test_bad_arguments_are_named() -> None:
    window = Window(Mean(np.zeros(D), 0.0), Absolute(0.1), asked("vector"))
    for call, words in (
        (lambda: drifting(period=1), "period is 1"),
        (lambda: drifting(period=np.inf), "period is inf"),
        (lambda: quantised(0), "bits is 0"),
        (lambda: quantised(2.5), "bits is 2.5"),  # type: ignore[arg-type]
        (lambda: quantised(8, span=0), "span is 0"),
        (lambda: consistent("uniform"), "policy is 'uniform'"),  # type: ignore[arg-type]
        (lambda: against(np.ones(3)), "direction is ndarray"),  # type: ignore[arg-type]
        (lambda: against_progress(np.zeros(3)), "not 0"),
        (lambda: against_progress(np.eye(3)), r"shape \(3, 3\)"),
        (lambda: look_ahead(1.0), "score is float"),  # type: ignore[arg-type]
        (lambda: look_ahead(lambda q, a: 0.0, evaluations=-1), "evaluations is -1"),
        (lambda: apply(against(lambda q: np.ones(9)), window, generator()), r"shape \(9,\)"),
        (lambda: apply(look_ahead(lambda q, a: np.nan), window, generator()), "score .* is nan"),
    ):
        with pytest.raises(BadInput, match=words):
            call()
