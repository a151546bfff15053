"""Polynomials from values of which many are wrong."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from scipy.optimize import linprog, minimize
from zoo import POLICIES

from sqsim import Absolute, Unperturbed, csq, run, sq
from sqsim.algorithms.reconstruction import reconstruct_polynomial, reconstruction_plan
from sqsim.algorithms.residual_powers import ResidualPower, smoothed_power
from sqsim.errors import BadInput, QueryRefused
from sqsim.multinomial import MonomialFeatures
from sqsim.problems.ball import sphere_points
from sqsim.problems.dataset import Dataset
from sqsim.problems.planted_polynomials import FarEnd, Impostor, Lifted, planted_polynomial
from sqsim.studies.recovery import recovery_margin

ADVERSARIES = {"far end": FarEnd(), "lifted": Lifted(), "impostor": Impostor(2)}


def planted(adversary: Any, **change: Any) -> Any:
    facts = {"rows": 300, "dimension": 3, "degree": 2, "wrong": 0.2, "seed": 1, **change}
    return planted_polynomial(adversary=adversary, **facts)


@pytest.mark.parametrize("adversary", [FarEnd(), Impostor(3)], ids=["far end", "impostor"])
def test_a_cubic_in_ten_variables_is_recovered_from_a_fifth_of_wrong_labels(adversary: Any) -> None:
    """Within epsilon of the best in l1, hence within epsilon / margin of the polynomial itself."""
    secret = planted(adversary, rows=2000, dimension=10, degree=3)
    x, y, epsilon = secret.dataset.inputs, secret.dataset.targets, 0.02
    clean = secret(x)
    assert secret.wrong.mean() == 0.2
    plan = reconstruction_plan(
        secret.dataset.problem, degree=3, weight=secret.weight, epsilon=epsilon
    )
    oracle = sq(secret.dataset, tolerance=Absolute(plan.tolerance))
    found = run(
        reconstruct_polynomial(
            secret.dataset.problem, degree=3, weight=secret.weight, epsilon=epsilon
        ),
        oracle,
    ).value
    assert found is not None
    values = found(x)
    assert found.norm_squared <= secret.weight * (1 + 1e-9)
    excess = float(np.mean(np.abs(values - y)) - np.mean(np.abs(clean - y)))
    assert excess <= epsilon
    psi = secret.features.matrix(x)
    certificate = recovery_margin(psi, y - clean, secret.wrong)
    assert certificate.margin > 0.4
    assert certificate.residue < 1e-12
    distance = np.abs(values - clean)
    assert np.mean(distance * ~secret.wrong) <= certificate.distance(max(excess, 0.0)) + 1e-12
    # New points, where nothing was asked, and far from what least squares makes of these labels.
    fresh = sphere_points(10, 2000, seed=9)
    squares = np.linalg.lstsq(psi, y, rcond=None)[0]
    missed = np.mean(np.abs(secret.features.values(squares, fresh) - secret(fresh)))
    assert np.mean(np.abs(found(fresh) - secret(fresh))) < min(0.02, missed / 3)


@pytest.mark.parametrize("policy", POLICIES.values(), ids=POLICIES)
@pytest.mark.parametrize("adversary", ADVERSARIES.values(), ids=ADVERSARIES)
def test_the_loss_is_within_epsilon_whoever_wrote_the_labels(adversary: Any, policy: Any) -> None:
    """At the tolerance of the plan, under every policy: E|h - y| <= E|p - y| + epsilon; proper."""
    secret, epsilon = planted(adversary), 0.1
    problem = secret.dataset.problem
    plan = reconstruction_plan(problem, degree=2, weight=secret.weight, epsilon=epsilon)
    oracle = sq(secret.dataset, tolerance=Absolute(plan.tolerance), policy=policy, seed=2)
    result = run(
        reconstruct_polynomial(problem, degree=2, weight=secret.weight, epsilon=epsilon), oracle
    )
    assert result.value is not None
    x, y = secret.dataset.inputs, secret.dataset.targets
    found = np.mean(np.abs(result.value(x) - y))
    assert found <= np.mean(np.abs(secret(x) - y)) + epsilon
    assert np.mean(np.abs(np.clip(result.value(x), 0, 1) - y)) <= found
    assert result.value.norm_squared <= secret.weight * (1 + 1e-9)
    assert (result.ledger.rounds, result.ledger.queries) == (plan.steps, plan.queries)
    assert plan.queries == plan.steps * math.comb(5, 2)


@pytest.mark.parametrize("power", [1.0, 1.5, 2.0, 3.0])
@pytest.mark.parametrize("weight", [0.05, 2.0])
def test_every_power_is_within_epsilon_of_the_best_in_the_ball(power: float, weight: float) -> None:
    """The best of the ball by a general solver: another algorithm on the same function."""
    secret, epsilon = planted(FarEnd(), rows=80, dimension=2), 0.05
    x, y = secret.dataset.inputs, secret.dataset.targets
    psi = secret.features.matrix(x)
    strategy = reconstruct_polynomial(
        secret.dataset.problem, degree=2, weight=weight, epsilon=epsilon, power=power
    )
    found = run(strategy, sq(secret.dataset, tolerance=Unperturbed())).value
    assert found is not None

    def loss(v: Any) -> float:
        return float(np.mean(np.abs(psi @ v - y) ** power))

    ball = {"type": "ineq", "fun": lambda v: weight - v @ v, "jac": lambda v: -2 * v}
    best = min(
        minimize(loss, start, constraints=[ball], method="SLSQP").fun
        for start in (np.zeros(6), found.coefficients)
    )
    assert loss(found.coefficients) <= best + epsilon
    assert found.norm_squared <= weight * (1 + 1e-9)


@pytest.mark.parametrize("power", [1.0, 1.3, 2.0, 4.0])
def test_smoothed_powers_are_what_a_descent_needs(power: float) -> None:
    """The slope is the derivative of phi, within its bounds, and phi is within the gap."""
    loss = smoothed_power(power, gap=0.02, reach=3.0)
    r = np.linspace(-3.0, 3.0, 60_001)
    slopes = loss.slope(r)
    phi = np.concatenate([[0.0], np.cumsum((slopes[1:] + slopes[:-1]) / 2 * np.diff(r))])
    phi -= phi[len(r) // 2]
    below = np.abs(r) ** power - phi
    assert below.min() >= -1e-6
    assert below.max() <= loss.gap + 1e-6
    assert loss.gap == pytest.approx(0.0 if power >= 2 else 0.02)
    assert np.abs(slopes).max() == pytest.approx(loss.steepest, rel=1e-9)
    assert (np.diff(slopes) / np.diff(r)).max() <= loss.curvature * (1 + 1e-6)
    assert (np.diff(slopes) >= -1e-12).all()


@pytest.mark.parametrize("adversary", [FarEnd(), Impostor(2), Lifted()])
def test_a_recovery_margin_is_no_larger_than_the_best(adversary: Any) -> None:
    """The largest margin by a linear program; where there is none, another polynomial wins."""
    lifts = isinstance(adversary, Lifted)
    secret = planted(adversary, rows=120, wrong=0.4 if lifts else 0.2)
    x, y = secret.dataset.inputs, secret.dataset.targets
    psi, residuals = secret.features.matrix(x), y - secret(x)
    found = recovery_margin(psi, residuals, secret.wrong)
    right = psi[~secret.wrong]
    target = -(psi[secret.wrong].T @ np.sign(residuals[secret.wrong]))
    np.testing.assert_allclose(right.T @ found.dual, target, atol=1e-9)
    count = len(right)
    eye, ones = np.eye(count), np.ones((count, 1))
    least = linprog(
        np.append(np.zeros(count), 1.0),
        A_ub=np.block([[eye, -ones], [-eye, -ones]]),
        b_ub=np.zeros(2 * count),
        A_eq=np.column_stack([right.T, np.zeros(psi.shape[1])]),
        b_eq=target,
        bounds=[(None, None)] * count + [(0, None)],
    )
    assert found.margin <= 1 - least.fun + 1e-9
    if not lifts:
        assert found.margin >= 0.9 * (1 - least.fun) > 0
        return
    assert 1 - least.fun < 0
    assert math.isinf(found.distance(0.1))
    rows, size = psi.shape
    other = linprog(
        np.append(np.zeros(size), np.ones(rows)),
        A_ub=np.block([[psi, -np.eye(rows)], [-psi, -np.eye(rows)]]),
        b_ub=np.concatenate([y, -y]),
        bounds=[(None, None)] * size + [(0, None)] * rows,
    )
    assert other.fun < np.abs(residuals).sum() - 1e-6


@pytest.mark.parametrize("steps", [0, 300])
def test_polynomials_that_fit_as_well_are_as_near_as_the_certificate_says(steps: int) -> None:
    """E|q - y| - E|p - y| >= margin E[|q - p| 1(right)] for polynomials drawn at random."""
    secret = planted(FarEnd())
    x, y = secret.dataset.inputs, secret.dataset.targets
    psi, clean = secret.features.matrix(x), secret(x)
    found = recovery_margin(psi, y - clean, secret.wrong, steps=steps)
    assert found.margin > 0
    stream = np.random.default_rng(0)
    for size in (0.01, 0.1, 1.0):
        q = clean + psi @ stream.standard_normal(psi.shape[1]) * size
        excess = np.mean(np.abs(q - y)) - np.mean(np.abs(clean - y))
        assert np.mean(np.abs(q - clean) * ~secret.wrong) <= found.distance(excess) + 1e-12


def test_the_gradient_of_the_absolute_residual_is_no_correlation() -> None:
    secret = planted(FarEnd())
    strategy = reconstruct_polynomial(secret.dataset.problem, degree=2, weight=1.0, epsilon=0.1)
    with pytest.raises(QueryRefused, match="correlational oracle"):
        run(strategy, csq(secret.dataset, tolerance=Unperturbed()))


def test_rounds_grow_as_one_over_epsilon() -> None:
    """T = 1.5 sqrt(...)/epsilon exactly solves 2 L B / (T (T + 1)) <= epsilon / 3."""
    problem = planted(FarEnd()).dataset.problem
    for epsilon in (0.2, 0.1, 0.05, 0.01):
        plan = reconstruction_plan(problem, degree=2, weight=1.5, epsilon=epsilon)
        left = [2 * plan.smoothness * 1.5 / (t * (t + 1)) for t in (plan.steps, plan.steps - 1)]
        assert left[0] <= epsilon / 3 < left[1]
        assert plan.smoothness == pytest.approx(plan.second_moment * 3 / (2 * epsilon))
        assert plan.steps == pytest.approx(
            3 * math.sqrt(plan.second_moment * 1.5) / epsilon, abs=1.0
        )


def test_the_second_moment_is_that_of_the_table_and_at_most_the_bound() -> None:
    problem = planted(FarEnd()).dataset.problem
    psi = MonomialFeatures(3, 2).matrix(problem.inputs.table)
    plan = reconstruction_plan(problem, degree=2, weight=1.0, epsilon=0.1)
    assert plan.second_moment == pytest.approx(np.linalg.norm(psi, 2) ** 2 / len(psi))
    assert plan.second_moment <= 3


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"epsilon": 0.0}, "epsilon is 0.0"),
        ({"weight": -1.0}, "weight is -1.0"),
        ({"power": 0.5}, "convex for p >= 1"),
        ({"degree": -1}, "degree is -1"),
    ],
)
def test_bad_parameters_are_refused_before_anything_is_asked(change: Any, words: str) -> None:
    problem = planted(FarEnd()).dataset.problem
    facts = {"degree": 2, "weight": 1.0, "epsilon": 0.1, **change}
    with pytest.raises(BadInput, match=words):
        next(reconstruct_polynomial(problem, **facts))


def test_inputs_outside_the_ball_are_refused() -> None:
    problem = Dataset(3 * sphere_points(3, 9), np.linspace(0, 1, 9)).problem
    with pytest.raises(BadInput, match="divide all rows"):
        next(reconstruct_polynomial(problem, degree=2, weight=1.0, epsilon=0.1))


def test_a_planted_polynomial_has_its_labels_in_the_unit_interval() -> None:
    for adversary in ADVERSARIES.values():
        secret = planted(adversary, wrong=0.3)
        y = secret.dataset.targets
        assert y.min() >= 0
        assert y.max() <= 1
        assert secret.wrong.sum() == 90
        right = ~secret.wrong
        assert np.array_equal(y[right], secret(secret.dataset.inputs)[right])
    assert not planted(FarEnd(), wrong=0.0).wrong.any()
    with pytest.raises(BadInput, match="fraction of wrong labels"):
        planted(FarEnd(), wrong=0.5)


def test_a_margin_needs_rows_that_fit_together() -> None:
    with pytest.raises(BadInput, match="same number of rows"):
        recovery_margin(np.eye(3), np.zeros(3), np.ones(3, dtype=bool))


def test_a_residual_power_checks_its_numbers() -> None:
    with pytest.raises(BadInput, match="width is 0"):
        ResidualPower(1.5, 0, 1.0)
