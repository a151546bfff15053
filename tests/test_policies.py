"""Every policy stays in its window, at the ends of the floating-point range too."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sqsim.errors import BadInput
from sqsim.lowrank import EntryNorms, LowRank
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
from sqsim.tolerance import L2, Absolute, Mean, Unperturbed

POLICIES = [
    exact,
    uniform,
    grid,
    toward_zero,
    worst_direction,
    toward(0.3),
    toward(lambda shape: np.full(shape, -2.0)),
]
SIZES = st.sampled_from([0.0, 5e-324, 1e-300, 1e-17, 1e-9, 0.01, 1.0, 3.7, 1e9, 1e150])


def generator() -> np.random.Generator:
    return np.random.default_rng(5)


def mean_of(kind: str, size: float, error: float, spread: float, seed: int) -> Mean:
    draw = np.random.default_rng(seed)
    shape = {"scalar": (), "vector": (7,), "matrix": (5, 5)}[kind.removesuffix("32")]
    value = np.asarray(size * draw.standard_normal(shape))
    scale = np.asarray(spread * draw.uniform(0, 1, size=shape))
    if value.ndim == 2:
        value, scale = np.asarray((value + value.T) / 2), np.asarray((scale + scale.T) / 2)
    if kind.endswith("32"):
        with np.errstate(over="ignore"):
            value = np.clip(value.astype(np.float32), -3e38, 3e38)
    return Mean(value, error, scale)


@pytest.mark.parametrize("policy", POLICIES, ids=policy_name)
@given(
    kind=st.sampled_from(["scalar", "vector", "matrix", "scalar32", "vector32", "matrix32"]),
    size=SIZES,
    error=SIZES,
    spread=SIZES,
    seed=st.integers(0, 9),
)
def test_every_answer_is_in_its_window(policy, kind, size, error, spread, seed) -> None:
    mean = mean_of(kind, size, error, spread, seed)
    window = Window(mean, L2(0.5))
    answer = np.asarray(apply(policy, window, generator()))
    assert answer.shape == np.shape(mean.value)
    assert (np.abs(answer - window.center) <= window.slack).all()
    assert (window.slack + error <= np.maximum(window.radius, error) * (1 + 1e-15)).all()
    if answer.ndim == 2:
        np.testing.assert_array_equal(answer, answer.T)


@pytest.mark.parametrize("policy", POLICIES, ids=policy_name)
def test_no_slack_leaves_the_mean(policy) -> None:
    for tolerance, error in ((Absolute(0.1), 0.1), (Unperturbed(), 1e-9)):
        mean = Mean(np.array([1.0, -2.0]), error)
        np.testing.assert_array_equal(apply(policy, Window(mean, tolerance), generator()), [1, -2])


def test_window_is_inside_radius_minus_error_exactly() -> None:
    from fractions import Fraction

    for error in (1e-17, 3e-3, 0.1 / 3, 0.0999999):
        window = Window(Mean(np.array(1 / 3), error), Absolute(0.1))
        slack = Fraction(float(window.slack))
        assert slack + Fraction(error) <= Fraction(0.1)
        assert Fraction(float(window.high)) - Fraction(1 / 3) <= slack
        assert Fraction(1 / 3) - Fraction(float(window.low)) <= slack


def test_each_policy_does_what_it_says() -> None:
    window = Window(Mean(np.array([0.55, -0.05, -3.0]), 0.0), Absolute(0.1))
    rng = generator()
    assert exact(window, rng) is window.mean.value
    np.testing.assert_allclose(toward_zero(window, rng), [0.45, 0, -2.9])
    np.testing.assert_allclose(toward(0.5)(window, rng), [0.5, 0.05, -2.9])
    reference = np.array([0.0, -0.1, -9.0])
    np.testing.assert_allclose(toward(reference)(window, rng), [0.45, -0.1, -3.1])
    np.testing.assert_allclose(grid(window, rng), [0.6, 0, -3], atol=1e-15)
    moved = worst_direction(window, rng) - window.center
    np.testing.assert_allclose(np.abs(moved), 0.1)
    np.testing.assert_array_equal(moved, worst_direction(window, generator()) - window.center)
    assert worst_direction(Window(Mean(np.array(-2.0), 0.0), Absolute(0.1)), rng) == -1.9
    assert np.unique(uniform(window, rng) - window.center).size == 3


def test_names_for_reports() -> None:
    assert policy_name(toward(0.5)) == "toward(0.5)"
    assert policy_name(toward(np.zeros(3))) == "toward(array of shape (3,))"
    assert policy_name(toward_zero) == "toward_zero"
    assert policy_name(partial(uniform)) == "uniform"


@pytest.mark.parametrize("dimension", [6, 300])
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_worst_direction_turns_the_leading_eigenvector(dimension: int, sign: float) -> None:
    """More than random errors of the same size do, and the same for both ways to hold a matrix."""
    v = np.random.default_rng(1).standard_normal((dimension, 1))
    low = LowRank(v / np.linalg.norm(v), np.array([[sign]]))
    tolerance = Absolute(0.3 / dimension)

    def angle(answer) -> float:
        values, vectors = np.linalg.eigh(answer)
        return 1 - abs(vectors[:, np.argmax(np.abs(values))] @ low.basis[:, 0])

    held = apply(worst_direction, Window(Mean(low, 0.0), tolerance), generator())
    plain = apply(worst_direction, Window(Mean(low.dense(), 0.0), tolerance), generator())
    np.testing.assert_allclose(held, plain, atol=1e-14)
    random = apply(uniform, Window(Mean(low, 0.0), tolerance), generator())
    assert angle(held) > 2 * angle(random)
    # A rank-one change of norm 0.3 exactly at 45 degrees turns v by half of atan(0.3).
    assert angle(held) > 0.8 * (1 - np.cos(np.arctan(0.3) / 2))


def test_worst_direction_of_the_zero_matrix_is_lawful() -> None:
    window = Window(Mean(np.zeros((4, 4)), 0.0), Absolute(0.1))
    np.testing.assert_allclose(np.abs(apply(worst_direction, window, generator())), 0.1)


def test_exact_never_makes_a_structured_answer_dense(monkeypatch) -> None:
    d = 50
    basis = np.eye(d)[:, :1]
    value = LowRank(basis, np.array([[2.0]]))
    norms = EntryNorms(basis, 1.0, np.zeros((1, 1)), np.zeros((1, 1, 1, 1)))
    monkeypatch.setattr(LowRank, "dense", lambda self: pytest.fail("made dense"))
    assert apply(exact, Window(Mean(value, 0.0, norms), L2(0.1)), generator()) is value


@pytest.mark.parametrize("policy", POLICIES[1:], ids=policy_name)
def test_structured_answers_get_structured_windows(policy) -> None:
    basis = np.linalg.qr(np.random.default_rng(2).standard_normal((8, 2)))[0]
    value = LowRank(basis, np.array([[1.0, 0.2], [0.2, -0.5]]))
    norms = EntryNorms(basis, 1.0, np.zeros((2, 2)), np.zeros((2, 2, 2, 2)))
    window = Window(Mean(value, 1e-12, norms), L2(0.05))
    answer = apply(policy, window, generator())
    assert (np.abs(answer - value.dense()) <= window.slack).all()


def lawless(answer):
    def policy(window, rng):
        return answer

    return policy


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (np.array([1.0, np.nan]), r"entry \(1,\) of the answer is not a finite"),
        (np.array([np.inf, 1.0]), r"entry \(0,\) of the answer is not a finite"),
        (np.zeros(3), r"shape \(3,\); wanted \(2,\)"),
        (1.0, r"shape \(\); wanted \(2,\)"),
        ("one", "answered str"),
        (None, "shape"),
        (np.array([1.0, 1.2]), r"entry \(1,\) of the answer is 1.2.*keep"),
    ],
)
def test_lawless_policies_are_caught(answer, words: str) -> None:
    window = Window(Mean(np.ones(2), 0.0), Absolute(0.1))
    with pytest.raises(BadInput, match=words) as caught:
        apply(lawless(answer), window, generator())
    assert "policy policy" in str(caught.value)


def test_asymmetric_answers_are_caught() -> None:
    window = Window(Mean(np.eye(2), 0.0), Absolute(0.1))
    with pytest.raises(BadInput, match="not symmetric at entry"):
        apply(lawless(np.array([[1.0, 0.05], [-0.05, 1.0]])), window, generator())


def test_a_policy_cannot_widen_its_window_by_changing_it() -> None:
    def in_place(window, rng):
        value = window.mean.value
        value += 1.0
        return value

    def through_the_center(window, rng):
        center = window.center
        center += 1.0
        return center

    with pytest.raises(BadInput, match="outside its window"):
        apply(in_place, Window(Mean(np.ones(2), 0.0), Absolute(0.1)), generator())
    with pytest.raises(ValueError, match="read-only"):
        apply(through_the_center, Window(Mean(np.ones(2), 0.0), Absolute(0.1)), generator())


@pytest.mark.parametrize("reference", [np.zeros(3), np.nan, lambda shape: np.zeros(9)])
def test_references_must_fit(reference) -> None:
    window = Window(Mean(np.ones(2), 0.0), Absolute(0.1))
    with pytest.raises(BadInput, match="reference 'zero' is not"):
        toward("zero")  # type: ignore[arg-type]
    with pytest.raises(BadInput, match="reference"):
        apply(toward(reference), window, generator())


def test_a_user_policy_may_leave_the_window_by_its_own_rounding() -> None:
    def edge(window, rng):
        return np.nextafter(window.high, np.inf)

    window = Window(Mean(np.array(1 / 3), 0.0), Absolute(0.1))
    assert apply(edge, window, generator()) == window.high
