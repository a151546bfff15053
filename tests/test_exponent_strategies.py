"""Descents and moments that see a link at its information or its generative exponent."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import zoo

from sqsim import (
    L2,
    Absolute,
    BadInput,
    MonteCarlo,
    Quadrature,
    Query,
    QueryRefused,
    Unperturbed,
    csq,
    exact,
    run,
    sq,
    toward_zero,
    uniform,
    worst_direction,
)
from sqsim.algorithms.hermite_series import HermiteSum, activation
from sqsim.algorithms.index_descent import alternating_sgd, batch_reuse_sgd, correlation_sgd
from sqsim.algorithms.label_transforms import (
    LabelSteps,
    conditional_mean,
    transformed_spectral_start,
    transformed_start,
)
from sqsim.algorithms.partial_trace import (
    RadialWeight,
    partial_trace_start,
    tensor_power_steps,
    transformed_partial_trace_start,
)
from sqsim.links import HermiteSeries, hermite, relu, sign
from sqsim.lowerbounds.conditional import lambda_squared
from sqsim.lowerbounds.named import named_expansion
from sqsim.lowrank import dense
from sqsim.oracles.sampling_oracles import honest
from sqsim.problems import ReluRegression
from sqsim.problems.index import SingleIndex
from sqsim.queries import Correlation, Ridge
from sqsim.special import hermite_functions
from sqsim.studies.exponent_strategies import LINKS, demonstrations
from sqsim.studies.exponent_thresholds import typical_start
from sqsim.studies.hermite_means import HermiteMeans
from sqsim.studies.label_coefficients import leans, least_degree
from sqsim.tolerance import Scale

MEANS = HermiteMeans()
EXPONENTS = {
    "he2": (2, 2), "he3": (3, 1), "he4": (4, 2), "damped-square": (4, 4), "relu": (1, 1),
    "shifted-relu": (1, 1), "sign": (1, 1), "abs": (2, 2),
}  # fmt: skip
"""(information, generative) as `sqsim exponents` proves them; tests/test_exponents.py."""


def instance(name, d, seed=0):
    return SingleIndex(d, LINKS[name].link).draw(seed=seed)


def found(strategy, secret, *, tau, policy, access="SQ", seed=0):
    """Absolute overlap of what was learned within this absolute tolerance."""
    make = csq if access == "CSQ" else sq
    oracle = make(secret, tolerance=Absolute(tau), policy=policy, means=MEANS, seed=seed)
    return abs(float(run(strategy, oracle).value @ secret.direction))


def asked(strategy, secret):
    """All queries, answered exactly."""
    queries: list[Query] = []
    oracle = sq(secret, tolerance=Unperturbed(), means=MEANS)
    run(strategy, oracle, callback=lambda exchange, _: queries.extend(exchange.batch.queries))
    return queries


def one_step_each(problem, w):
    """The first query of every descent, and the moments of degree 1 and 2."""
    steps = [make(problem, start=w, steps=1) for make in (correlation_sgd, alternating_sgd)]
    steps.append(batch_reuse_sgd(problem, start=w, steps=1))
    for degree, make in ((1, transformed_start), (2, transformed_spectral_start)):
        weights = conditional_mean(problem.link, degree, bins=4).signs
        steps.append(make(problem, transformation=weights))
    return steps


# Hermite series


def test_products_slopes_and_norms_of_series_are_those_of_functions():
    f, g = HermiteSum((0.3, -1.0, 0.5)), HermiteSum((0.0, 0.2, 0.0, 1.1))
    z = np.linspace(-3, 3, 31)
    np.testing.assert_allclose(f.times(g)(z), f(z) * g(z), atol=1e-12)
    np.testing.assert_allclose(g.slope(z), np.gradient(g(z), z, edge_order=2), atol=0.05)
    np.testing.assert_allclose(g.tilted(z), z * g(z), atol=1e-12)
    nodes, weights = np.polynomial.hermite_e.hermegauss(30)
    mean = (weights @ g(nodes) ** 2) / math.sqrt(2 * math.pi)
    assert g.norm**2 == pytest.approx(mean, rel=1e-12)


def test_an_activation_keeps_the_low_coefficients_up_to_a_factor():
    f = activation(relu(-0.5), degree=6)
    c = relu(-0.5).coefficients(6)
    np.testing.assert_allclose(np.array(f.coefficients[1:]) / c[1:], f.coefficients[1] / c[1])
    assert f.norm == pytest.approx(1.0)
    with pytest.raises(BadInput, match="no Hermite part"):
        activation(hermite(8), degree=6)


def test_no_entry_of_a_field_is_longer_than_its_norm():
    """Entry by entry through an independent evaluator: L2 norms by quadrature."""
    f, w = HermiteSum((0.5, -1.0, 0.7)), np.array([0.8, 0.6, 0.0])
    problem = SingleIndex(3, hermite(1))
    query = next(correlation_sgd(problem, model=f, start=w, steps=1)).queries[0]
    sizes = Quadrature().means(problem.draw(), [query], [Scale.FUNCTION])[0].scale
    assert np.max(np.asarray(sizes)) == pytest.approx(1.0, rel=1e-10)


# Evaluator


@pytest.mark.parametrize("name", ["he3", "sign", "abs"])
def test_means_by_coefficients_are_those_by_quadrature(name):
    secret = instance(name, 4, seed=3)
    w = zoo.start_of(secret.problem)
    for strategy in one_step_each(secret.problem, w):
        for query in asked(strategy, secret):
            mine = MEANS.means(secret, [query], [Scale.NONE])[0]
            theirs = Quadrature().means(secret, [query], [Scale.NONE])[0]
            gap = np.abs(dense(mine.value) - dense(theirs.value)).max()
            assert gap <= np.max(mine.error) + np.max(theirs.error)


def test_directions_that_are_nearly_of_length_one_are_not_taken_for_it():
    """h_4(r z) has a part of degree 2 for r != 1: the gradient of He_3 along it is not 0."""
    secret = instance("he3", 3, seed=1)
    w = (1 + 4e-10) * zoo.start_of(secret.problem)
    query = Correlation(Ridge(HermiteSum((0.0,) * 4 + (1.0,)), w, power=1))
    mine = MEANS.means(secret, [query], [Scale.NONE])[0]
    theirs = Quadrature().means(secret, [query], [Scale.NONE])[0]
    gap = np.abs(dense(mine.value) - dense(theirs.value)).max()
    assert gap <= np.max(mine.error) + np.max(theirs.error)


@pytest.mark.parametrize("degree", [3, 4, 5, 6])
def test_partial_traces_have_the_derived_means_and_norms(degree):
    """Six standard errors of Monte Carlo; the link has all degrees, so that no term is idle."""
    link = HermiteSeries((0.5, 0.3, -0.4, 0.5, 0.4, 0.3, 0.2))
    secret = SingleIndex(3, link).draw(seed=degree)
    weights = conditional_mean(link, 2).signs
    strategies = (
        partial_trace_start(secret.problem, degree=degree),
        transformed_partial_trace_start(secret.problem, degree=degree, transformation=weights),
    )
    x = np.random.default_rng(degree).standard_normal((200_000, 3))
    y = link(x @ secret.direction)
    for query in itertools.chain(*(asked(strategy, secret) for strategy in strategies)):
        h = query.form.values(x, y if query.labelled else None, len(x))
        tensor = x if degree % 2 else np.einsum("ni,nj->nij", x, x) - np.eye(3)
        entries = tensor * h.reshape(-1, *[1] * (tensor.ndim - 1))
        if not query.labelled:
            norms = np.sqrt((entries**2).mean(axis=0))
            assert norms.max() == pytest.approx(1.0, rel=0.1)
            entries = entries * y.reshape(-1, *[1] * (tensor.ndim - 1))
        mean = dense(MEANS.means(secret, [query], [Scale.NONE])[0].value)
        spread = entries.std(axis=0) / math.sqrt(len(x))
        assert (np.abs(entries.mean(axis=0) - mean) <= 6 * spread).all()


def test_radial_weights_are_contracted_hermite_tensors():
    """Degrees 3 and 4 by the definition of He_3 and He_4, summed over a pair of indices."""
    d, x = 5, np.random.default_rng(2).standard_normal((7, 5))
    r, eye = np.sum(x**2, axis=1), np.eye(5)
    third = RadialWeight(3, d)
    np.testing.assert_allclose(third(x) * third.unit, r - (d + 2), rtol=1e-12)
    fourth = RadialWeight(4, d)
    outer = np.einsum("ni,nj->nij", x, x)
    # He_4 summed over a pair is x x' (r - d - 4) - (r - d - 2) I; ours exceeds it by 2 I.
    contracted = outer * (r - d - 4)[:, None, None] - (r - d - 2)[:, None, None] * eye
    ours = (outer - eye) * (fourth(x) * fourth.unit)[:, None, None]
    np.testing.assert_allclose(ours - contracted, np.broadcast_to(2 * eye, ours.shape), atol=1e-9)


def test_quadrature_refuses_what_sees_all_of_x():
    secret = instance("he3", 6)
    oracle = csq(secret, tolerance=Absolute(0.1))
    with pytest.raises(QueryRefused, match="MonteCarlo"):
        run(partial_trace_start(secret.problem, degree=3), oracle)


# What gradients see


@pytest.mark.parametrize("m", [0.1, 0.4])
def test_the_correlation_gradient_is_the_series_in_the_overlap(m):
    """sqrt(1 - m^2) sum_k k c_k(g) c_k(s) m^(k - 1), by quadrature of what is asked."""
    link, s = relu(-0.5), activation(relu(-0.5), degree=5)
    secret = SingleIndex(6, link).draw(seed=1)
    v = secret.direction
    side = zoo.start_of(secret.problem)
    side -= (side @ v) * v
    w = m * v + math.sqrt(1 - m * m) * side / np.linalg.norm(side)
    query = next(correlation_sgd(secret.problem, model=s, start=w, steps=1)).queries[0]
    mean = dense(Quadrature().means(secret, [query], [Scale.NONE])[0].value)
    k, c = np.arange(1, 6), link.coefficients(5)[1:]
    signal = float(np.sum(k * c * s.coefficients[1:] * m ** (k - 1.0)))
    tangent = v - m * w
    across = float((mean - (mean @ w) * w) @ tangent) / float(tangent @ tangent)
    assert across == pytest.approx(signal / s.slope.field_norm(w), rel=1e-10)


def test_weights_of_a_gradient_are_products_of_expansion_coefficients():
    """<v, E[x psi]> off w is (1 - m^2) sum_i i! mu_i m^(i - 1) where psi = sum mu_i He_i He_(i-1):
    mu_i is E[psi He_i He_(i-1)] / (i! (i - 1)!), not the moment itself.
    """
    m, s = 0.3, activation(hermite(3))
    t, u = (np.random.default_rng(5).standard_normal(400_000) for _ in range(2))
    u = np.random.default_rng(6).standard_normal(400_000)
    z = m * t + math.sqrt(1 - m * m) * u
    psi = hermite(3)(t) * s.slope(z)
    sample = psi * (t - m * z)
    third = math.sqrt(3) * (1 - m * m) * m**2 * s.slope.coefficients[2]
    assert abs(sample.mean() - third) <= 5 * sample.std() / math.sqrt(len(t))


def test_reused_batches_are_the_taylor_series_of_two_steps():
    """y s'(z + eta y s'(z)) for small eta, up to the order that is dropped."""
    problem, s = SingleIndex(2, hermite(3)), HermiteSum((0.0, 0.4, 0.5, 0.3))
    z, y = np.linspace(-2, 2, 41), np.linspace(-1, 1, 41)
    errors = []
    for eta in (0.02, 0.01):
        strategy = batch_reuse_sgd(problem, model=s, rate=eta, powers=2, limit=1.0)
        field = next(strategy).queries[0].form.h
        unit = s.slope(z)[0] * y[0] and field(z, y * 1e-9)[0] / (1e-9 * y[0] * s.slope(z)[0])
        exact_step = y * s.slope(z + eta * y * s.slope(z))
        errors.append(np.abs(field(z, y) / unit - exact_step).max())
    assert errors[1] <= errors[0] / 3.5


@pytest.mark.parametrize("name", list(LINKS))
def test_correlations_are_blocked_at_the_information_exponent_and_statistics_later(name):
    """The first degree that each strategy's own query sees; polynomials of y stay above the GE."""
    information, generative = EXPONENTS[name]
    rows = demonstrations(LINKS[name].link, information=information, generative=generative)
    degrees = {row.name: row.degree for row in rows}
    assert degrees["online SGD"] == degrees["partial trace"] == information
    assert generative == degrees["label transform"]
    assert generative <= degrees["batch reuse"] <= degrees["alternating SGD"] <= information
    if name == "he3":
        assert (degrees["alternating SGD"], degrees["batch reuse"]) == (2, 1)
    if name == "he4":
        assert degrees["alternating SGD"] == 2


def test_statistics_are_asked_of_no_correlational_oracle():
    secret = instance("he3", 5)
    weights = conditional_mean(hermite(3), 1).signs
    strategies = [
        alternating_sgd(secret.problem),
        batch_reuse_sgd(secret.problem),
        transformed_start(secret.problem, transformation=weights),
        transformed_spectral_start(secret.problem, transformation=weights),
        transformed_partial_trace_start(secret.problem, degree=3, transformation=weights),
    ]
    for strategy in strategies:
        with pytest.raises(QueryRefused, match="Statistic"):
            run(strategy, csq(secret, tolerance=Absolute(0.1)))
    for strategy in (
        correlation_sgd(secret.problem),
        partial_trace_start(secret.problem, degree=3),
    ):
        assert all(isinstance(query, Correlation) for query in asked(strategy, secret))


# Transformations of the label


@pytest.mark.parametrize("name", list(LINKS))
def test_conditional_means_reach_the_proved_lambda_from_below(name):
    """Data processing: at most lambda_k, more with finer bins, nothing where it is proved 0."""
    link = LINKS[name].link
    expression = named_expansion(LINKS[name].expression, bias=LINKS[name].bias)
    brackets = lambda_squared(expression, max_degree=2, cells=200)
    z = np.random.default_rng(0).standard_normal(200_000)
    rows, y = hermite_functions(z, 2), link(z)
    for degree in (1, 2):
        most = math.sqrt(float(brackets[degree - 1].bounds[1]))
        seen = []
        for bins in (16, 64):
            values = conditional_mean(link, degree, bins=bins)(y)
            if most == 0.0:
                assert not values.any()
                continue
            seen.append(np.mean(values * rows[degree]) / math.sqrt(np.mean(values**2)))
        if seen:
            assert seen[0] <= seen[1] + 1e-3
            assert 0.9 * most <= seen[1] <= most + 0.01


def test_of_bounded_transformations_the_sign_sees_most():
    """E[T h_k] = E[T zeta_k] <= E|zeta_k|, attained by the sign; random bounded T see less."""
    link, z = hermite(3), np.random.default_rng(1).standard_normal(200_000)
    weights, y = conditional_mean(link, 1), hermite(3)(z)
    most = np.mean(weights.signs(y) * z)
    for seed in range(10):
        levels = weights.levels
        values = np.random.default_rng(seed).uniform(-1, 1, len(levels) + 1)
        assert np.mean(LabelSteps(levels, tuple(values))(y) * z) < most
    assert np.mean(weights(y) * z) < most


# Guarantees, policies, ledgers


@pytest.mark.parametrize("name", list(LINKS))
def test_every_strategy_finds_the_direction_from_exact_answers(name):
    information, generative = EXPONENTS[name]
    secret = instance(name, 40, seed=2)
    start = typical_start(secret.direction, 2)
    for one in demonstrations(secret.problem.link, information=information, generative=generative):
        strategy = one.strategy(secret.problem, start, 0)
        oracle = sq(secret, tolerance=Unperturbed(), means=MEANS)
        assert abs(run(strategy, oracle).value @ secret.direction) >= 0.9, one.name


@pytest.mark.parametrize("policy", zoo.POLICIES.values(), ids=zoo.POLICIES)
@pytest.mark.parametrize("name", ["relu", "sign", "he3"])
def test_a_transformed_start_keeps_the_overlap_that_its_tolerance_promises(name, policy):
    """At least 1 - 2 d tau^2 / c^2, c = E[T(y) h_1], whatever the answers within tau."""
    d = 50
    secret = instance(name, d, seed=4)
    weights = conditional_mean(secret.problem.link, 1).signs
    z = np.random.default_rng(0).standard_normal(200_000)
    c = abs(np.mean(weights(secret.problem.link(z)) * z))
    tau = 0.35 * c / math.sqrt(d)
    strategy = transformed_start(secret.problem, transformation=weights)
    assert found(strategy, secret, tau=tau, policy=policy) >= 1 - 2 * d * tau**2 / (0.98 * c) ** 2


@pytest.mark.parametrize("policy", zoo.POLICIES.values(), ids=zoo.POLICIES)
@pytest.mark.parametrize("name", ["he2", "he4", "abs"])
def test_a_transformed_spectral_start_survives_every_policy(name, policy):
    """Errors of norm tau d turn the eigenvector of c v v' by at most sin = 2 tau d / c."""
    d = 40
    secret = instance(name, d, seed=4)
    weights = conditional_mean(secret.problem.link, 2).signs
    z = np.random.default_rng(0).standard_normal(200_000)
    c = abs(np.mean(weights(secret.problem.link(z)) * (z * z - 1))) / math.sqrt(2)
    strategy = transformed_spectral_start(secret.problem, transformation=weights)
    overlap = found(strategy, secret, tau=0.2 * c / d, policy=policy)
    assert overlap >= math.sqrt(1 - 0.41**2)


@pytest.mark.parametrize("policy", zoo.POLICIES.values(), ids=zoo.POLICIES)
@pytest.mark.parametrize("degree", [1, 2, 3, 4])
def test_a_partial_trace_survives_every_policy(degree, policy):
    """A vector's error is at most tau sqrt(d), a matrix's 2 tau d once its trace is taken off."""
    d, link = 30, hermite(degree)
    secret = SingleIndex(d, link).draw(seed=5)
    weight = RadialWeight(degree, d)
    tau = 0.2 * weight.signal / (math.sqrt(d) if degree % 2 else 2 * d)
    strategy = partial_trace_start(secret.problem, degree=degree)
    overlap = found(strategy, secret, tau=tau, policy=policy, access="CSQ")
    assert overlap >= math.sqrt(1 - 0.45**2)


@pytest.mark.parametrize("policy", zoo.POLICIES.values(), ids=zoo.POLICIES)
@pytest.mark.parametrize("degree", [3, 4])
def test_power_steps_go_on_from_an_overlap_of_d_to_the_minus_quarter(degree, policy):
    """Errors of length tau sqrt(d) below half of the first mean leave all later overlaps larger."""
    d, link = 81, hermite(degree)
    secret = SingleIndex(d, link).draw(seed=5)
    v, m = secret.direction, d**-0.25
    side = zoo.start_of(secret.problem)
    side -= (side @ v) * v
    w = m * v + math.sqrt(1 - m * m) * side / np.linalg.norm(side)
    unit = HermiteSum((0.0,) * (degree - 1) + (1.0,)).field_norm(w)
    tau = 0.4 * math.sqrt(degree) * m ** (degree - 1) / unit / math.sqrt(d)
    strategy = tensor_power_steps(secret.problem, degree=degree, start=w)
    assert found(strategy, secret, tau=tau, policy=policy, access="CSQ") >= 0.99


@pytest.mark.parametrize("policy", zoo.POLICIES.values(), ids=zoo.POLICIES)
@pytest.mark.parametrize("make", [correlation_sgd, alternating_sgd, batch_reuse_sgd])
def test_a_descent_survives_every_policy_below_its_first_gradient(make, policy):
    """Errors of length tau sqrt(d) below a tenth of the gradient at the start leave it its sign."""
    d = 36
    secret = instance("relu", d, seed=6)
    start = typical_start(secret.direction, 6)
    query = next(make(secret.problem, start=start)).queries[0]
    mean = dense(MEANS.means(secret, [query], [Scale.NONE])[0].value)
    tangent = mean - (mean @ start) * start
    tau = 0.1 * float(np.linalg.norm(tangent)) / math.sqrt(d)
    access = "CSQ" if make is correlation_sgd else "SQ"
    strategy = make(secret.problem, start=start, steps=60, step_size=0.1)
    assert found(strategy, secret, tau=tau, policy=policy, access=access) >= 0.9


@pytest.mark.parametrize("policy", [toward_zero, worst_direction, uniform])
def test_he3_is_found_by_transforming_the_label_where_correlations_see_nothing(policy):
    """Information exponent 3, generative exponent 1: one tolerance, two kinds of access."""
    d, tau = 256, 0.03
    secret = instance("he3", d, seed=1)
    start = typical_start(secret.direction, 1)
    ones = demonstrations(secret.problem.link, information=3, generative=1)
    for one in ones:
        strategy = one.strategy(secret.problem, start, 0)
        overlap = found(strategy, secret, tau=tau, policy=policy, access=one.access)
        if one.access == "CSQ" and policy is toward_zero:
            assert overlap <= 0.3, one.name
        if one.name == "label transform":
            assert overlap >= 0.75


@pytest.mark.parametrize("policy", [toward_zero, worst_direction])
def test_the_damped_square_defeats_correlations_and_statistics_alike(policy):
    """Information and generative exponent 4: at the tolerance that finds He_3, nothing is seen."""
    d, tau = 256, 0.03
    secret = instance("damped-square", d, seed=1)
    start = typical_start(secret.direction, 1)
    for one in demonstrations(secret.problem.link, information=4, generative=4):
        strategy = one.strategy(secret.problem, start, 0)
        assert found(strategy, secret, tau=tau, policy=policy, access=one.access) <= 0.4, one.name
    for degree in (1, 2, 3):
        weights = conditional_mean(secret.problem.link, degree)
        assert weights.levels == ()
        assert weights.values == (0.0,)


@pytest.mark.parametrize("d", [1, 7])
def test_ledgers_are_the_stated_formulas(d):
    """steps rounds of d; one round of d or d(d + 1)/2."""
    secret = instance("relu", d)
    problem, pairs = secret.problem, d * (d + 1) // 2
    weights = conditional_mean(problem.link, 1).signs
    wanted = {
        correlation_sgd(problem, steps=5): (5, 5 * d),
        alternating_sgd(problem, steps=4): (4, 4 * d),
        batch_reuse_sgd(problem, steps=3): (3, 3 * d),
        transformed_start(problem, transformation=weights): (1, d),
        transformed_spectral_start(problem, transformation=weights): (1, pairs),
        tensor_power_steps(problem, degree=1, start=np.ones(d), steps=6): (6, 6 * d),
        partial_trace_start(problem, degree=1): (1, d),
        partial_trace_start(problem, degree=2): (1, pairs),
        partial_trace_start(problem, degree=3): (1, d),
        partial_trace_start(problem, degree=4): (1, pairs),
        transformed_partial_trace_start(problem, degree=5, transformation=weights): (1, d),
        transformed_partial_trace_start(problem, degree=6, transformation=weights): (1, pairs),
    }
    for strategy, (rounds, queries) in wanted.items():
        ledger = run(strategy, sq(secret, tolerance=Absolute(0.1), means=MEANS)).ledger
        assert (ledger.rounds, ledger.queries) == (rounds, queries)


def test_answers_from_fresh_examples_make_a_step_online_sgd():
    """With n fresh examples a round, the step is the batch's gradient: its mean and deviation."""
    d, n = 5, 400
    secret = instance("relu", d)
    w = zoo.start_of(secret.problem)
    query = next(correlation_sgd(secret.problem, start=w, steps=1)).queries[0]
    mean = dense(MEANS.means(secret, [query], [Scale.NONE])[0].value)
    answers = []
    for seed in range(60):
        strategy = correlation_sgd(secret.problem, start=w, steps=1)
        run(
            strategy,
            honest(secret, samples=n, seed=seed),
            callback=lambda exchange, _: answers.append(exchange.answers[0]),
        )
    noise = (np.array(answers) - mean) * math.sqrt(n)
    assert np.abs(noise.mean(axis=0)).max() <= 5 * noise.std() / math.sqrt(60)
    x = np.random.default_rng(0).standard_normal((100_000, d))
    terms = x * (secret.problem.link(x @ secret.direction) * query.form.h(x @ w))[:, None]
    np.testing.assert_allclose(noise.std(axis=0), terms.std(axis=0), rtol=0.35)


def test_leaning_is_a_part_along_w_at_overlap_zero():
    """|z| has a mean and its activation a curvature; He_3 has neither."""
    for name, wanted in (("abs", True), ("he3", False)):
        secret = instance(name, 3)
        v = secret.direction
        w = np.cross(v, zoo.start_of(secret.problem))
        w /= np.linalg.norm(w)
        query = next(correlation_sgd(secret.problem, start=w)).queries[0]
        mean = dense(Quadrature().means(secret, [query], [Scale.NONE])[0].value)
        assert (abs(mean @ w) > 1e-6) == wanted == leans(secret.problem.link, query.form.h)


def test_a_gradient_without_a_component_is_refused():
    with pytest.raises(BadInput, match="no component"):
        least_degree(hermite(4), activation(hermite(3)).slope)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda p: correlation_sgd(ReluRegression(4)), "tells no link"),
        (lambda p: correlation_sgd(p, model=HermiteSum((1.0,))), "not constant"),
        (lambda p: correlation_sgd(p, step_size=0.0), "step_size"),
        (lambda p: correlation_sgd(p, steps=-1), "steps"),
        (lambda p: alternating_sgd(p, limit=0.0), "limit"),
        (lambda p: alternating_sgd(ReluRegression(4), model=HermiteSum((0.0, 1.0))), "limit="),
        (lambda p: batch_reuse_sgd(p, powers=0), "powers"),
        (lambda p: transformed_start(p, transformation=3), "transformation"),
        (lambda p: partial_trace_start(p, degree=0), "degree"),
        (lambda p: partial_trace_start(p, degree=13), "degree"),
    ],
)
def test_bad_input_is_named(make, words):
    secret = instance("relu", 4)
    with pytest.raises(BadInput, match=words):
        run(make(secret.problem), sq(secret, tolerance=Absolute(0.1)))


def test_bad_transformations_are_named():
    with pytest.raises(BadInput, match=r"\[-1, 1\]"):
        LabelSteps((0.0,), (0.0, 2.0))
    with pytest.raises(BadInput, match="ascending"):
        LabelSteps((1.0, 0.0), (0.0, 0.0, 0.0))
    with pytest.raises(BadInput, match="bins"):
        conditional_mean(sign(), 1, bins=0)


def test_noise_and_norms_of_labels_are_left_to_the_other_evaluator():
    secret = SingleIndex(3, relu()).draw(noise=0.2, seed=1)
    query = next(correlation_sgd(secret.problem, steps=1)).queries[0]
    mine, theirs = (
        means.means(secret, [query], [Scale.FUNCTION])[0] for means in (MEANS, Quadrature())
    )
    np.testing.assert_array_equal(mine.value, theirs.value)
    clean = SingleIndex(3, relu()).draw(seed=1)
    mine, theirs = (
        means.means(clean, [query], [Scale.FUNCTION])[0] for means in (MEANS, Quadrature())
    )
    np.testing.assert_allclose(np.asarray(mine.scale), np.asarray(theirs.scale), rtol=1e-10)
    oracle = csq(clean, tolerance=L2(0.1), means=HermiteMeans(MonteCarlo(50_000)), policy=exact)
    assert run(partial_trace_start(clean.problem, degree=4), oracle).value.shape == (3,)
