"""Reliable and agnostic learning over any law in the ball: promises, certificates, costs."""

from __future__ import annotations

import math

import numpy as np
import pytest

from sqsim import (
    Absolute,
    BadInput,
    MonteCarlo,
    QueryRefused,
    Unperturbed,
    csq,
    exact,
    grid,
    run,
    sq,
    toward_zero,
    uniform,
    worst_direction,
)
from sqsim.algorithms.accelerated import accelerated, accelerated_rounds
from sqsim.algorithms.polynomial_balls import orthonormal_ball
from sqsim.algorithms.polynomial_regression import (
    agnostic_polynomial,
    agnostic_polynomial_asking,
    on_ball,
)
from sqsim.algorithms.reliable import reliable_relu
from sqsim.algorithms.reliable_constants import reliable_plan, subgradient_rounds
from sqsim.inputs import Empirical, Gaussian, Inputs, Rademacher
from sqsim.losses import AbsoluteLoss, Hinge, LinearLoss, Square
from sqsim.monomial_moments import moment_matrix
from sqsim.multinomial import MonomialFeatures
from sqsim.polynomials import nearest_relu
from sqsim.problems import Dataset, ReluRegression
from sqsim.problems.ball import (
    clustered_points,
    cube_points,
    repeated,
    scaled_into_ball,
    sphere_points,
    straddling_points,
)
from sqsim.problems.reliable import Raised, ReliableRegression, Zeroed
from sqsim.risks import false_positive_rate, positive_loss
from sqsim.sphere import Sphere
from sqsim.studies.convex_program import convex_program
from sqsim.studies.reliable import growth
from sqsim.studies.reliable_optimum import best_reliable_relu
from sqsim.testing import check_strategy

POLICIES = [exact, toward_zero, uniform, grid, worst_direction]
policies = pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: policy.__name__)
FIRST, SECOND = np.eye(2)


def finite(points: np.ndarray, *changes) -> Dataset:
    first = np.eye(points.shape[1])[0]
    return ReliableRegression(Empirical(points)).draw(direction=first, corruptions=changes).table


def small_support() -> Dataset:
    """Seven points of unequal weight whose labels contradict every neuron somewhere."""
    angles = np.array([0.0, 0.5, 0.9, 1.3, 2.2, 3.0, 4.2])
    points = np.stack([np.cos(angles), np.sin(angles)], axis=1) * np.linspace(1, 0.7, 7)[:, None]
    labels = np.array([0.2, 1.0, 0.1, 0.9, 0.8, 0.0, 0.0])
    times = np.array([3, 2, 4, 2, 3, 1, 2])
    return Dataset(repeated(points, times), np.repeat(labels, times))


RAISED = Raised(SECOND, 0.5)
INSTANCES = {
    "sphere": finite(sphere_points(2, 60, seed=1), RAISED),
    "unreliable neuron": finite(sphere_points(2, 60, seed=2), RAISED, Zeroed(-SECOND, 0.7)),
    "clustered": finite(clustered_points(2, 50, seed=3), RAISED),
    "straddling": finite(straddling_points(FIRST, 40, seed=4), RAISED),
    "small support": small_support(),
    "sphere in R^3": finite(sphere_points(3, 60, seed=5), Raised(np.eye(3)[1], 0.4)),
    "cube": finite(cube_points(3), Raised(np.eye(3)[1], 0.5)),
}
instances = pytest.mark.parametrize("name", INSTANCES)


def learned(data, *, tolerance=None, policy=exact, **options):
    oracle = sq(
        data,
        tolerance=Unperturbed() if tolerance is None else Absolute(tolerance),
        policy=policy,
    )
    return run(reliable_relu(data.problem, tolerance=tolerance or 0.0, **options), oracle)


def check_promise(data, loss, epsilon, outcome, best):
    guesses = outcome.hypothesis(data.inputs)
    assert false_positive_rate(guesses, data.targets) <= epsilon
    assert positive_loss(loss, guesses, data.targets) <= best.upper + epsilon
    assert outcome.least_loss <= best.upper


@pytest.mark.parametrize(
    ("loss", "epsilon"),
    [(loss, e) for loss in (Square(), AbsoluteLoss()) for e in (0.3, 0.2)]
    + [(LinearLoss(), 0.3), (AbsoluteLoss(), 0.1)],
    ids=lambda one: (
        type(one).__name__ if isinstance(one, Square | AbsoluteLoss | LinearLoss) else str(one)
    ),
)
@instances
def test_false_positives_and_loss_are_within_epsilon_of_the_best_neuron(name, loss, epsilon):
    """Theorem 2.1 against brute force; the certificate lies below the best neuron's loss."""
    data = INSTANCES[name]
    best = best_reliable_relu(data, loss, gap=0.01)
    found = learned(data, epsilon=epsilon, loss=loss)
    check_promise(data, loss, epsilon, found.value, best)
    assert found.value.certified
    assert found.ledger.rounds <= found.value.plan.rounds


@pytest.mark.parametrize(
    ("loss", "epsilon"),
    [(Square(), 0.1), (AbsoluteLoss(), 0.05)],
    ids=["square", "absolute"],
)
def test_small_epsilon_is_reached_on_a_small_support(loss, epsilon):
    """Down to 0.05, where degrees are two digits."""
    data = INSTANCES["small support"]
    best = best_reliable_relu(data, loss, gap=0.01)
    found = learned(data, epsilon=epsilon, loss=loss)
    check_promise(data, loss, epsilon, found.value, best)
    assert found.value.plan.polynomial.degree >= 6
    assert found.value.certified


@policies
def test_the_promise_is_kept_by_every_adversary_at_the_tolerance_asked_for(policy):
    """With all rounds and no certificate to stop at: the theorem itself."""
    data, loss = INSTANCES["unreliable neuron"], AbsoluteLoss()
    plan = reliable_plan(data.problem, epsilon=0.3, loss=loss)
    found = learned(
        data, tolerance=plan.tolerance, policy=policy, epsilon=0.3, loss=loss, stop_early=False
    )
    best = best_reliable_relu(data, loss, gap=0.005)
    check_promise(data, loss, 0.3, found.value, best)
    assert (found.ledger.rounds, found.ledger.queries) == (plan.rounds, plan.queries)


def test_a_round_costs_its_coordinates_and_three_numbers():
    """(r + 3) queries, of which r = rank of the features on the support."""
    data = INSTANCES["cube"]
    found = learned(data, epsilon=0.3, rounds=7, stop_early=False)
    ball = found.value.plan.ball
    assert ball.size == np.linalg.matrix_rank(ball.features.matrix(data.inputs))
    assert (found.ledger.rounds, found.ledger.queries) == (7, 7 * (ball.size + 3))
    kernel = learned(data, epsilon=0.3, rounds=3, stop_early=False, in_kernel_space=True)
    assert kernel.ledger.queries == 3 * (kernel.value.plan.ball.features.size + 3)


def test_the_strategy_is_lawful_and_refused_by_a_correlational_oracle():
    """1{y > 0} and 1{y = 0} are no correlations; replay and stopping change nothing."""
    data = INSTANCES["small support"]
    options = {"epsilon": 0.3, "rounds": 4, "stop_early": False}
    check_strategy(
        lambda: reliable_relu(data.problem, **options), sq(data, tolerance=Absolute(1e-3))
    )
    with pytest.raises(QueryRefused, match="correlational oracle"):
        run(reliable_relu(data.problem, **options), csq(data, tolerance=Absolute(0.1)))


@pytest.mark.parametrize(
    ("loss", "in_kernel_space", "accuracy"),
    [
        (Square(), False, 0.03),
        (AbsoluteLoss(), False, 0.03),
        (AbsoluteLoss(), True, 0.03),
        (Hinge(), False, 0.015),
    ],
    ids=["square", "absolute", "absolute in kernel space", "hinge"],
)
def test_the_strategy_is_within_one_percent_of_the_convex_program(loss, in_kernel_space, accuracy):
    """The same surrogate over the same ball, solved from the whole table by its kernel."""
    pytest.importorskip("cvxpy")
    # Every point has several labels, so that no polynomial fits them.
    points = np.repeat(sphere_points(2, 20, seed=2), 3, axis=0)
    labels = np.where(points[:, 0] < 0, np.tile([0.0, 0.2, 0.9], 20), np.tile([0.2, 0.9, 0.9], 20))
    data = Dataset(points, labels)
    options = {
        "epsilon": 0.3,
        "loss": loss,
        "accuracy": accuracy,
        "in_kernel_space": in_kernel_space,
    }
    plan = reliable_plan(data.problem, **options)
    outcome = learned(data, stop_early=False, **options).value
    scores = outcome.hypothesis.score(data.inputs)
    value = float(np.mean(plan.objective(scores, data.targets))) * plan.scale
    wanted = {
        "degree": plan.polynomial.degree,
        "norm_squared": plan.ball.radius**2,
        "margin": plan.margin,
        "loss": loss,
        "on_table": not in_kernel_space,
    }
    program = convex_program(data, penalty=plan.penalty, **wanted)
    hard = convex_program(data, **wanted)
    assert program.accurate
    assert hard.accurate
    assert 0.99 * program.value <= value <= 1.01 * program.value + 1e-6
    assert program.value <= hard.value + 1e-6
    assert value <= 1.01 * hard.value


def test_the_convex_program_refuses_what_it_cannot_write():
    """A large table, a loss of one's own."""
    pytest.importorskip("cvxpy")
    from sqsim.losses import Continued

    data = INSTANCES["cube"]
    with pytest.raises(BadInput, match="not written for cvxpy"):
        convex_program(data, degree=2, norm_squared=1.0, margin=0.1, loss=Continued(Square()))
    rows = np.repeat(data.inputs, 400, axis=0)
    large = Dataset(rows, np.repeat(data.targets, 400))
    with pytest.raises(BadInput, match="3200 rows"):
        convex_program(large, degree=2, norm_squared=1.0, margin=0.1, loss=Square())


def test_costs_grow_with_one_over_epsilon_as_derived():
    """Degree about 0.14 * 3 L / (0.8 epsilon); rounds as epsilon^-2, subgradients as epsilon^-5."""
    law = Empirical(sphere_points(2, 200, seed=0))
    epsilons = [0.3, 0.2, 0.1, 0.05]
    rows = growth(ReliableRegression(law), epsilons=epsilons)
    for row, epsilon in zip(rows, epsilons, strict=True):
        assert row["degree"] - 2 <= 0.1401 * 6 / (0.8 * epsilon) <= row["degree"]
        assert row["features"] == math.comb(row["degree"] + 2, 2)
        assert row["queries"] == row["rounds"] * (row["coordinates"] + 3)
        assert row["norm_squared"] <= (1 + math.sqrt(2)) ** (2 * row["degree"])
    first, last = rows[0], rows[-1]
    assert 1.6 < math.log(last["rounds"] / first["rounds"]) / math.log(6) < 2.4
    slower = math.log(last["subgradient_rounds"] / first["subgradient_rounds"]) / math.log(6)
    assert 5 < slower < 7


def test_rounds_and_tolerance_are_the_least_that_the_derivation_allows():
    """2 K R^2 / (T (T + 1)) <= spare / 2 fails for T - 1; 2 R sqrt(r) S tau = spare / 8."""
    data = INSTANCES["sphere"]
    for options in ({}, {"in_kernel_space": True}, {"degree": 8}):
        plan = reliable_plan(data.problem, epsilon=0.3, **options)
        t, r = plan.steps, plan.ball.radius

        def left(steps, plan=plan, r=r):
            return 2 * plan.curvature * r**2 / (steps * (steps + 1))

        assert left(t) <= plan.spare / 2 < left(t - 1)
        loss = 2 * r * math.sqrt(plan.ball.size) * plan.scale * plan.tolerance
        assert loss == pytest.approx(plan.spare / 8)
        assert plan.spare == pytest.approx(
            0.3 - 6 * nearest_relu(degree=plan.polynomial.degree).error
        )
        assert subgradient_rounds(plan) > plan.rounds
    kernel = reliable_plan(data.problem, epsilon=0.3, in_kernel_space=True)
    assert kernel.ball.radius**2 == pytest.approx(kernel.polynomial.norm_squared)


def test_the_accelerated_method_keeps_its_rate_under_adversarial_answers():
    """F(average) - min F <= 2 K R^2 / (T (T + 1)) + 2 R e; the models stay below the minimum."""
    stream = np.random.default_rng(0)
    for radius, error in ((0.5, 0.0), (0.5, 0.05), (10.0, 0.0), (10.0, 0.01)):
        a = stream.standard_normal((6, 4)) @ np.diag([3.0, 1.0, 0.1, 0.0])
        b = stream.standard_normal(6)
        second, linear = a.T @ a, a.T @ b
        least_at = on_ball(second, linear, radius**2)
        curvature = 2 * float(np.linalg.eigvalsh(second)[-1])

        def f(u, a=a, b=b):
            return float(np.sum((a @ u - b) ** 2))

        state = accelerated(4, radius=radius, curvature=curvature)
        for _ in range(60):
            z = state.point
            # Against the way that the method would like to go.
            wrong = error * (z - least_at) / max(float(np.linalg.norm(z - least_at)), 1e-12)
            state = state.advanced(2 * (second @ z - linear) - wrong, f(z))
            t = state.steps
            rate = 2 * curvature * radius**2 / (t * (t + 1)) + 2 * radius * error
            assert f(state.average) - f(least_at) <= rate + 1e-9
            assert state.lower_bound - 2 * radius * error <= f(least_at) + 1e-9
    assert accelerated_rounds(curvature=1.0, radius=1.0, gap=1.0) == 1


def test_orthonormal_polynomials_are_orthonormal_and_hold_the_comparators():
    """E[phi phi'] = I under tables and known laws; p(<w, x>) lies in the ball but for `lost`."""
    p = nearest_relu(degree=6)
    w = np.array([0.6, 0.8])
    for law in (Empirical(sphere_points(2, 80, seed=1) * 0.9), Sphere(2)):
        features = MonomialFeatures(2, 6)
        ball = orthonormal_ball(features, law, norm_squared=p.norm_squared, largest=1 + p.error)
        second = moment_matrix(features, law)
        assert ball.frame.T @ second @ ball.frame == pytest.approx(np.eye(ball.size), abs=1e-6)
        target = features.embedding(p.coefficients, w)
        inside = ball.frame.T @ second @ target
        assert np.linalg.norm(inside) <= ball.radius
        rest = target - ball.frame @ inside
        assert rest @ second @ rest <= ball.lost + 1e-9


class Unknown(Inputs):
    dimension = 2

    def sample(self, rng, count):
        return Sphere(2).sample(rng, count)

    def expectation(self, form):
        return Sphere(2).expectation(form)


def test_what_cannot_be_promised_is_said_before_anything_is_asked():
    """Epsilon, degree, memory, norms, labels: what was found and what to do."""
    data = INSTANCES["sphere"]
    ask = data.problem
    for wrong, words in (
        ({"epsilon": 0.5}, r"in \(0, 1/2\)"),
        ({"epsilon": 0.01}, "ask for epsilon >= 0.0"),
        ({"epsilon": 0.3, "degree": 2}, "larger epsilon or a higher degree"),
        ({"epsilon": 0.3, "limit": 1000}, "GiB are allowed; lower the degree"),
        ({"epsilon": 0.3, "accuracy": 0.5}, "accuracy is 0.5"),
    ):
        with pytest.raises(BadInput, match=words):
            reliable_plan(ask, **wrong)
    for inputs, words in ((2 * data.inputs, "a row has norm 2, .*divide all rows by that"),):
        with pytest.raises(BadInput, match=words):
            reliable_plan(Dataset(inputs, data.targets).problem, epsilon=0.3)
    for law in (Gaussian(2), Rademacher(2)):
        with pytest.raises(BadInput, match="leave the unit ball"):
            reliable_plan(ReliableRegression(law), epsilon=0.3)
    far = Dataset(data.inputs, 3 * data.targets)
    with pytest.raises(BadInput, match="rescale them"):
        learned(far, epsilon=0.3)
    for wrong in ({"tolerance": -1.0}, {"rounds": 0}):
        with pytest.raises(BadInput, match="wanted"):
            next(reliable_relu(ask, epsilon=0.3, **wrong))


def test_a_continuous_law_on_the_sphere_is_learned_from_samples():
    """Orthonormal polynomials by formula, answers by Monte Carlo, risks on fresh points."""
    e = np.eye(3)
    instance = ReliableRegression(Sphere(3)).draw(direction=e[0], corruptions=[Raised(e[1], 0.6)])
    oracle = sq(instance, tolerance=Unperturbed(), means=MonteCarlo(4000))
    strategy = reliable_relu(instance.problem, epsilon=0.3, loss=AbsoluteLoss(), rounds=60)
    outcome = run(strategy, oracle).value
    x = Sphere(3).sample(np.random.default_rng(9), 20_000)
    y = instance.labels(x)
    guesses = outcome.hypothesis(x)
    neuron = positive_loss(AbsoluteLoss(), np.maximum(x[:, 0], 0.0), y)
    assert false_positive_rate(guesses, y) <= 0.3
    assert positive_loss(AbsoluteLoss(), guesses, y) <= neuron + 0.3
    with pytest.raises(BadInput, match="no finite support"):
        _ = instance.table


@pytest.mark.parametrize("loss", [Square(), AbsoluteLoss(), Hinge(), LinearLoss()], ids=repr)
def test_the_brute_force_optimum_agrees_with_a_grid_of_weights(loss):
    """Branch and bound encloses what a fine grid of reliable neurons reaches, in R^2."""
    data = INSTANCES["unreliable neuron"]
    x, y = data.inputs, data.targets
    best = best_reliable_relu(data, loss, gap=1e-3)
    angles, radii = np.linspace(0, 2 * np.pi, 3001), np.linspace(0, 1, 41)
    directions = np.stack([np.cos(angles), np.sin(angles)])
    scores = x @ directions
    kept = scores[:, (scores[y == 0] <= 1e-9).all(axis=0)]
    guess = np.maximum(radii[:, None, None] * kept, 0.0)
    values = (loss.value(guess, y[:, None]) * (y > 0)[:, None]).mean(axis=1)
    assert best.upper - best.lower <= 1e-3
    assert best.lower <= values.min() <= best.upper + 2e-3
    w = best.weights
    assert np.linalg.norm(w) <= 1 + 1e-12
    assert (x[y == 0] @ w).max() <= 1e-9
    with pytest.raises(BadInput, match="at most 3"):
        best_reliable_relu(finite(cube_points(4)), loss)


@policies
def test_agnostic_regression_loses_at_most_what_the_tolerance_costs(policy):
    """E[(f - y)^2] <= min over the ball + 4 sqrt(B N) tau, whatever the adversary answers."""
    x = clustered_points(3, 60, seed=2)
    y = np.sign(x[:, 0]) + x[:, 1] * x[:, 2]
    data, features = Dataset(x, y), MonomialFeatures(3, 3)
    second, target = moment_matrix(features, data.problem.inputs), y @ features.matrix(x) / 60
    for b, tau in ((0.7, 0.01), (20.0, 0.001)):
        strategy = agnostic_polynomial(data.problem, degree=3, norm_squared=b)
        found = run(strategy, csq(data, tolerance=Absolute(tau), policy=policy))
        best = features.values(on_ball(second, target, b), x)
        assert found.value.norm_squared <= b * (1 + 1e-12)
        lost = np.mean((found.value(x) - y) ** 2) - np.mean((best - y) ** 2)
        assert lost <= 4 * math.sqrt(b * features.size) * tau + 1e-12
        assert (found.ledger.queries, found.ledger.rounds) == (features.size, 1)
        if policy is exact:
            assert lost == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize("law", [Sphere(3), Gaussian(3), Rademacher(3)], ids=repr)
def test_agnostic_regression_knows_the_moments_of_its_law(law):
    """Told E[y psi] of a polynomial label, it returns that polynomial: one correlational query."""
    features, problem = MonomialFeatures(3, 3), ReliableRegression(law)
    v = np.random.default_rng(7).standard_normal(features.size)
    second = moment_matrix(features, law)
    strategy = agnostic_polynomial(problem, degree=3, norm_squared=float(v @ v))
    (query,) = next(strategy).queries
    assert query.size(3) == features.size
    with pytest.raises(StopIteration) as stop:
        strategy.send((second @ v,))
    x = law.sample(np.random.default_rng(8), 50)
    assert stop.value.value(x) == pytest.approx(features.values(v, x), abs=1e-6)


def test_agnostic_regression_recovers_a_planted_polynomial():
    """Realisable labels and a ball that holds the target: error 0, one round of N queries."""
    features = MonomialFeatures(3, 2)
    x = clustered_points(3, 60, spread=0.5, seed=2) * 0.9
    v = np.random.default_rng(8).standard_normal(features.size)
    data = Dataset(x, features.values(v, x))
    options = {"degree": 2, "norm_squared": float(2 * v @ v)}
    found = run(agnostic_polynomial(data.problem, **options), csq(data, tolerance=Unperturbed()))
    assert found.value(x) == pytest.approx(data.targets, abs=1e-9)
    assert (found.ledger.queries, found.ledger.rounds) == (features.size, 1)
    asking = agnostic_polynomial_asking(data.problem, **options)
    asked = run(asking, sq(data, tolerance=Unperturbed()))
    size = features.size
    assert asked.value(x) == pytest.approx(data.targets, abs=1e-9)
    assert (asked.ledger.queries, asked.ledger.rounds) == (size + size * (size + 1) // 2, 1)


def test_ridge_regression_on_a_ball_satisfies_its_optimality_conditions():
    """(M + s I) v = c with s >= 0, and s (||v||^2 - B) = 0."""
    stream = np.random.default_rng(1)
    for b in (1e-3, 0.5, 1e3):
        a = stream.standard_normal((5, 4))
        second, linear = a.T @ a, a.T @ stream.standard_normal(5)
        v = on_ball(second, linear, b)
        rest = linear - second @ v
        s = float(rest @ v) / float(v @ v)
        assert s >= -1e-9
        assert rest == pytest.approx(s * v, abs=1e-7)
        assert abs(s) < 1e-7 or v @ v == pytest.approx(b, rel=1e-9)
    assert not on_ball(np.eye(3), np.zeros(3), 1.0).any()


def test_agnostic_regression_refuses_unknown_laws_and_empty_balls():
    """The message names the strategy that asks for the moments."""
    for make, words in (
        (lambda: agnostic_polynomial(ReliableRegression(Unknown()), degree=2, norm_squared=1.0),
         "agnostic_polynomial_asking"),
        (lambda: agnostic_polynomial(ReluRegression(2), degree=2, norm_squared=0.0), "> 0"),
        (lambda: agnostic_polynomial(ReluRegression(30), degree=6, norm_squared=1.0), "GiB"),
    ):  # fmt: skip
        with pytest.raises(BadInput, match=words):
            next(make())


def test_a_real_table_is_scaled_into_the_ball_and_it_is_said_how():
    """Rows of norm at most 1, targets in [0, 1], the maps as told."""
    stream = np.random.default_rng(3)
    raw = Dataset(stream.standard_normal((30, 3)) * [1.0, 50.0, 0.01], stream.uniform(-5, 7, 30))
    scaled, scaling = scaled_into_ball(raw)
    assert np.linalg.norm(scaled.inputs, axis=1).max() <= 1
    assert (scaled.targets.min(), scaled.targets.max()) == (0.0, 1.0)
    assert scaling.inputs(raw.inputs) == pytest.approx(scaled.inputs)
    assert scaling.targets(raw.targets) == pytest.approx(scaled.targets)
    assert "labels are" in str(scaling)
    kept, _ = scaled_into_ball(Dataset(raw.inputs, np.linspace(0.2, 0.9, 30)))
    assert kept.targets == pytest.approx(np.linspace(0.2, 0.9, 30))
    with pytest.raises(BadInput, match="all targets are"):
        scaled_into_ball(Dataset(raw.inputs, np.full(30, 4.0)))
