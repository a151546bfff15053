"""Single-neuron algorithms of the literature: their closed forms, guarantees and costs."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace
from functools import partial
from math import comb
from typing import Any

import numpy as np
import pytest
import zoo
from hypothesis import given, settings
from hypothesis import strategies as st

from sqsim import (
    Absolute,
    BadInput,
    MonteCarlo,
    Quadrature,
    QueryRefused,
    Unperturbed,
    csq,
    run,
    sq,
    toward_zero,
    uniform,
    worst_direction,
)
from sqsim.algorithms import (
    GeneralisedLinear,
    active_moments,
    glmtron,
    isotron,
    nearest_sparse,
    one_shot_regression,
    piecewise_regression,
    planted_descent,
    population_descent,
    population_gradient,
    population_loss,
    scaled_gradient_descent,
    surrogate_descent,
)
from sqsim.gaussian import ridge_expectation
from sqsim.links import HermiteSeries, LeakyRelu, Link, Relu, Sigmoid
from sqsim.oracles.scoring import expanded_loss, null_loss
from sqsim.problems import ReluHypothesis, ReluRegression
from sqsim.problems.corruption import Decoy, LabelNoise, LowDegreeRemoval, WorstCase
from sqsim.problems.index import IndexInstance, SingleIndex
from sqsim.problems.labels import Gate, LabelLaw, Term
from sqsim.queries import Correlation, Ridge
from sqsim.studies.learners import LEARNERS, SINGLE_NEURONS, learner
from sqsim.studies.table import run_table
from sqsim.testing import check_strategy
from sqsim.tolerance import Scale
from sqsim.updates import plain, reweighted

D = 5
UNTOLD = ReluRegression(D)
POLICIES = [toward_zero, uniform, worst_direction]
LINKS: list[Link] = [Relu(), Relu(-0.5), LeakyRelu(0.2), Sigmoid(0.5)]
"""Nondecreasing and 1-Lipschitz."""


def learnt(strategy: Any, instance: Any) -> Any:
    return run(strategy, zoo.exact_oracle(instance)).value


def loss(instance: Any, hypothesis: Any) -> float:
    return float(expanded_loss(instance, hypothesis).value)


def vectors(seed: int, *shape: int) -> Any:
    return np.random.default_rng(seed).standard_normal(shape)


def neuron(weights: Any, bias: float) -> ReluHypothesis:
    return ReluHypothesis(np.asarray(weights), bias)


def clean(target: ReluHypothesis) -> IndexInstance:
    problem = ReluRegression(len(target.weights))
    return problem.draw(norm=target.norm, bias=target.bias, direction=target.weights)


# Closed forms of two biased neurons.

V, W = vectors(0, 2, D)
PAIRS = {
    "general": (neuron(V, -0.7), neuron(W, 0.4)),
    "both rare": (neuron(V, -4.0), neuron(0.5 * W, -2.0)),
    "both nearly always active": (neuron(V, 5.0), neuron(W, 6.0)),
    "no biases": (neuron(V, 0.0), neuron(W, 0.0)),
    "one bias 0": (neuron(V, 0.0), neuron(W, -1.0)),
    "the other bias 0": (neuron(V, 1.0), neuron(W, 0.0)),
    "the same": (neuron(V, -0.7), neuron(V, -0.7)),
    "one boundary": (neuron(V, -0.7), neuron(1.7 * V, -0.7 * 1.7)),
    "parallel": (neuron(V, -0.7), neuron(0.3 * V, 0.1)),
    "opposite": (neuron(V, 0.9), neuron(-V, 0.4)),
    "opposite, no overlap": (neuron(V, -0.9), neuron(-V, -0.4)),
    "opposite, one boundary": (neuron(V, -0.9), neuron(-2 * V, 1.8)),
    "nearly parallel": (neuron(V, -0.7), neuron(V + 1e-9 * W, -0.7)),
    "orthogonal": (neuron(V, -0.5), neuron(W - (W @ V) / (V @ V) * V, 0.5)),
}
pairs = pytest.mark.parametrize(("target", "student"), PAIRS.values(), ids=list(PAIRS))


@pairs
def test_quadrature_finds_the_closed_form_of_the_active_moments(target, student):
    """Two ways to E[y 1(active) (x, 1)]: Stein and Owen, and panels split at kinks."""
    b = student.bias
    queries = [
        Correlation(Ridge(lambda s: (s + b >= 0) * 1.0, student.weights, power=p, kinks=(-b,)))
        for p in (1, 0)
    ]
    means = Quadrature().means(clean(target), queries, [Scale.NONE] * 2)
    for mean, closed in zip(means, active_moments(target, student), strict=True):
        assert np.abs(mean.value - closed).max() <= 1e-13 * (1 + target.norm + abs(target.bias))


@pairs
def test_the_closed_form_of_the_loss_is_the_integrated_one(target, student):
    """The scorer integrates; the closed form takes <w, .> of the active moments."""
    assert population_loss(target, student) == pytest.approx(
        loss(clean(target), student), rel=1e-10, abs=1e-12 * float(null_loss(clean(target)).value)
    )


@pytest.mark.parametrize("name", ["general", "both rare", "no biases", "nearly parallel"])
def test_the_population_gradient_is_the_difference_quotient_of_the_loss(name):
    target, student = PAIRS[name]
    point = np.append(student.weights, student.bias)

    def at(z: Any) -> float:
        return population_loss(target, neuron(z[:-1], float(z[-1])))

    steps = 1e-3 * np.eye(D + 1)
    # Central differences, extrapolated once: the error is of order 1e-12.
    found = [
        (8 * (at(point + h) - at(point - h)) - (at(point + 2 * h) - at(point - 2 * h))) / 12e-3
        for h in steps
    ]
    gradient = np.append(*population_gradient(target, student))
    np.testing.assert_allclose(gradient, found, atol=1e-8 * (1 + np.abs(gradient).max()))


def test_a_step_of_descent_through_queries_is_the_step_of_the_closed_form():
    target = neuron(V, -0.7)
    instance = clean(target)
    one, two = (learnt(scaled_gradient_descent(UNTOLD, seed=3, steps=k), instance) for k in (1, 2))
    in_weights, in_bias = population_gradient(target, one)
    np.testing.assert_allclose(two.weights, one.weights - 0.5 * in_weights, atol=1e-12)
    assert two.bias == pytest.approx(one.bias - 0.5 * in_bias, abs=1e-12)


# Basins of gradient descent with bias.


TARGET = neuron([1.0, 0.0, 0.0], -0.5)


def start_of(seed: int, *, norm: float, bias: float) -> ReluHypothesis:
    """A neuron of random direction; its bias in units of its norm."""
    w = vectors(seed, 3)
    return neuron(norm * w / np.linalg.norm(w), norm * bias)


def test_starts_below_the_loss_of_zero_never_die_and_others_may():
    """Vardi, Yehudai and Shamir (2021): loss falls, and dying would bring it up to that of zero.

    Measured: 16 below, all found; of the others 9 found and 5 dead.
    """
    energy = Relu(TARGET.bias).second_moment
    kinds: dict[bool, list[str]] = {True: [], False: []}
    for seed in range(30):
        start = start_of(seed, norm=0.3, bias=-0.5)
        ending = population_descent(TARGET, start, steps=400)
        kinds[population_loss(TARGET, start) < energy].append(ending.kind)
    assert kinds[True] == ["found"] * len(kinds[True])
    assert len(kinds[True]) >= 10
    assert {"found", "dead"} <= set(kinds[False])


def test_scaling_the_start_saves_the_descents_that_die():
    """The multiple of least loss of the same direction: what had died arrives."""
    instance = clean(TARGET)
    starts = [start_of(seed, norm=1.0, bias=-0.5) for seed in range(12)]
    died = [one for one in starts if population_descent(TARGET, one, steps=200).kind == "dead"]
    assert len(died) >= 2
    for one in died[:2]:
        strategy = scaled_gradient_descent(instance.problem, start=one, steps=150)
        found = learnt(strategy, instance)
        assert population_loss(TARGET, found) <= 1e-3 * float(null_loss(instance).value)


@pytest.mark.parametrize("step_size", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("bias", [-2.0, -0.5, 1.0])
def test_scaled_descent_falls_as_fast_as_its_lemma_says(bias, step_size):
    """F falls by step (1 - step) ||grad F||^2 at least, where E[y | x] >= 0."""
    target = neuron(V, bias * float(np.linalg.norm(V)))
    path: list[ReluHypothesis] = []

    def watch(exchange: Any, ledger: Any) -> None:
        if "w" in exchange.batch.note:
            path.append(neuron(exchange.batch.note["w"], exchange.batch.note["b"]))

    strategy = scaled_gradient_descent(UNTOLD, step_size=step_size, steps=25, seed=1)
    run(strategy, zoo.exact_oracle(clean(target)), callback=watch)
    losses = [population_loss(target, one) for one in path]
    energy = Relu(target.bias, target.norm).second_moment
    assert losses[0] < energy
    for one, before, after in zip(path[:-1], losses[:-1], losses[1:], strict=True):
        in_weights, in_bias = population_gradient(target, one)
        size = float(in_weights @ in_weights) + in_bias**2
        assert after <= before - step_size * (1 - step_size) * size + 1e-13 * energy


def test_a_start_that_no_multiple_improves_ends_at_zero():
    instance = replace(
        clean(TARGET), labels=LabelLaw((Term(np.eye(3)[0], HermiteSeries((-1.0,))),))
    )
    assert learnt(scaled_gradient_descent(instance.problem), instance).norm == 0.0


# GLMtron and the matching surrogate.


def glmtron_path(strategy: Any, instance: Any) -> list[Any]:
    """The iterates, which the last round asks about."""
    frames: list[Any] = []

    def watch(exchange: Any, ledger: Any) -> None:
        if exchange.batch.note.get("step") == "selection":
            frames.extend(np.asarray(query.form.frame) for query in exchange.batch.queries)

    run(strategy, zoo.exact_oracle(instance), callback=watch)
    return frames


@pytest.mark.parametrize("noise", [0.0, 0.5])
@pytest.mark.parametrize("link", LINKS, ids=str)
def test_glmtron_comes_nearer_by_its_excess_loss_in_every_step(link, noise):
    """||w - w*||^2 falls by E(u_w - u_w*)^2 at least: the lemma of Kakade et al. (2011)."""
    instance = SingleIndex(D, link).draw(noise=noise, seed=1)
    v = instance.direction
    path = [np.zeros(D), *glmtron_path(glmtron(instance.problem, link=link, steps=15), instance)]
    assert len(path) == 16
    for w, after in itertools.pairwise(path):
        excess = _distance(link, w, v)
        before, now = (float((u - v) @ (u - v)) for u in (w, after))
        assert now <= before - excess + 1e-12


@pytest.mark.parametrize("steps", [1, 3, 10])
@pytest.mark.parametrize("link", LINKS, ids=str)
def test_glmtrons_best_iterate_loses_at_most_its_rate(link, steps):
    """||w*||^2 / T more than the noise, whose energy drops out of the excess."""
    instance = SingleIndex(D, link).draw(noise=0.3, seed=2)
    found = learnt(glmtron(instance.problem, link=link, steps=steps), instance)
    assert _distance(link, found.weights, instance.direction) <= 1 / steps


def _distance(link: Link, w: Any, v: Any) -> float:
    """E(u(<w, x>) - u(<v, x>))^2, over the plane of the two."""
    kinks = (link.kinks, link.kinks) if link.kinks else ()
    form = Ridge(
        lambda s: (link(s[:, 0]) - link(s[:, 1])) ** 2, np.column_stack([w, v]), kinks=kinks
    )
    if not np.any(w):
        at_zero = float(link(np.zeros(1))[0])
        form = Ridge(lambda s: (at_zero - link(s)) ** 2, v, kinks=link.kinks)
    return float(ridge_expectation(form, D).value)


@pytest.mark.parametrize("bias", [-0.3, 0.0, 0.7])
@pytest.mark.parametrize("scale", [0.1, 5.0])
def test_surrogate_descent_finds_weights_and_intercept_of_a_clean_neuron(bias, scale):
    instance = UNTOLD.draw(norm=scale, bias=bias * scale, seed=3)
    found = learnt(surrogate_descent(UNTOLD, intercept=True), instance)
    np.testing.assert_allclose(found.weights, instance.target.weights, atol=1e-4 * scale)
    assert found.bias == pytest.approx(bias * scale, abs=1e-4 * scale)


def test_for_the_relu_the_surrogates_minimiser_is_one_shot_regression():
    """chi(w) = w/2 exactly under N(0, I)."""
    instance = UNTOLD.draw(corruptions=[Decoy(0.5, -1.0, -0.9)], seed=3)
    one, two = (learnt(make(UNTOLD), instance) for make in (surrogate_descent, one_shot_regression))
    np.testing.assert_allclose(one.weights, two.weights, atol=1e-12)


def test_the_ball_bounds_the_surrogates_weights():
    instance = UNTOLD.draw(norm=2.0, seed=3)
    found = learnt(surrogate_descent(UNTOLD, radius=0.5), instance)
    np.testing.assert_allclose(found.weights, 0.5 * instance.direction, atol=1e-12)


CORRUPTIONS = {
    "noise": LabelNoise(0.5),
    "decoy": Decoy(0.5, 0.0),
    "opposite decoy": Decoy(0.5, -1.0, -0.9),
    "negative decoy": Decoy(-0.8, 0.3, 0.4),
    "against descent": WorstCase(plain(0.0), 0.05, 0.5),
    "against the reweighted": WorstCase(reweighted(0.0), 0.3, 0.9),
    "low degrees": LowDegreeRemoval(1),
}
corrupted = pytest.mark.parametrize("corruption", CORRUPTIONS.values(), ids=list(CORRUPTIONS))


@corrupted
def test_one_shot_regression_loses_at_most_twice_opt(corruption):
    """Twice, by Parseval: within the (3 + 2 sqrt 2) OPT of Diakonikolas et al. (2020)."""
    instance = UNTOLD.draw(corruptions=[corruption], seed=3)
    found = learnt(surrogate_descent(UNTOLD), instance)
    share = loss(instance, neuron(found.weights, 0.0)) / instance.opt_upper_bound
    assert share <= 2 + 1e-9 < 3 + 2 * math.sqrt(2)


@settings(max_examples=40)
@given(
    weight=st.floats(0.01, 3),
    sign=st.sampled_from([-1, 1]),
    bias=st.floats(-2, 2),
    overlap=st.floats(-1, 1),
)
def test_a_search_over_decoys_stays_below_twice_opt(weight, sign, bias, overlap):
    instance = ReluRegression(3).draw(corruptions=[Decoy(sign * weight, bias, overlap)], seed=3)
    found = learnt(one_shot_regression(instance.problem), instance)
    assert loss(instance, found) <= (2 + 1e-9) * instance.opt_upper_bound


@pytest.mark.parametrize(("size", "least"), [(0.1, 1.83), (0.01, 1.98), (0.001, 1.99)])
def test_twice_opt_is_approached_by_a_linear_corruption_where_the_neuron_is_silent(size, least):
    """y = sigma(<v, x>) + 2 size <e, x> 1(<v, x> < 0): the degree-1 part turns w, for nothing."""
    v, e, _ = np.eye(3)
    base = ReluRegression(3).draw(direction=v)
    gate = Gate(v, lambda s: (s < 0) * 1.0, (0.0,))
    extra = Term(e, HermiteSeries((0.0, 2 * size)), gate)
    instance = replace(base, labels=LabelLaw((*base.labels.terms, extra)))
    found = learnt(one_shot_regression(base.problem), instance)
    assert least <= loss(instance, found) / (2 * size**2) <= 2


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("tau", [1e-3, 1e-2])
def test_the_tolerance_adds_its_own_term_to_twice_opt(policy, tau):
    """sqrt(err) <= sqrt(2 OPT) + sqrt(2 d) tau with tau the error of every scalar."""
    instance = UNTOLD.draw(corruptions=[Decoy(0.2, 0.0)], seed=3)
    oracle = csq(instance, tolerance=Absolute(tau), policy=policy)
    found = run(one_shot_regression(UNTOLD), oracle).value
    most = math.sqrt(2 * instance.opt_upper_bound) + math.sqrt(2 * D) * tau
    assert math.sqrt(loss(instance, found)) <= most


def test_matching_a_smooth_link_loses_at_most_the_bound_of_its_curvature():
    """(1 + 1/sqrt mu)^2 OPT, mu the monotonicity of chi between the two points themselves."""
    link = Sigmoid()
    instance = SingleIndex(D, link).draw(seed=3)
    decoy = Term(_orthogonal(instance.direction), HermiteSeries((0.0, 0.1)))
    labels = LabelLaw((*instance.labels.terms, decoy))
    wrong = replace(instance, labels=labels)
    found = learnt(surrogate_descent(wrong.problem, link=link), wrong)
    v, w = instance.direction, found.weights
    chi = [ridge_expectation(Ridge(link, u, power=1), D).value for u in (w, v)]
    step = w - v
    curvature = float((chi[0] - chi[1]) @ step) / float(step @ step)
    x = vectors(5, 200_000, D)
    error = float(np.mean((found(x) - wrong.labels.draw(x, np.random.default_rng(0))) ** 2))
    assert error <= 1.02 * (1 + 1 / math.sqrt(curvature)) ** 2 * 0.1**2


def _orthogonal(v: Any) -> Any:
    e = vectors(9, D)
    e = e - (e @ v) * v
    return e / np.linalg.norm(e)


# Isotron.


@pytest.mark.parametrize(
    ("link", "share"), list(zip(LINKS, (0.015, 0.08, 0.008, 0.001), strict=True)), ids=str
)
def test_isotron_comes_nearer_while_it_loses_more_than_its_bins_resolve(link, share):
    """Never farther beyond the bins' resolution, and the best of T loses at most ||w*||^2 / T.

    `share` is what was measured, rounded up, in units of the label's variance: u* is not told.
    """
    instance = SingleIndex(D, link).draw(noise=0.3, seed=1)
    path: list[Any] = []
    strategy = isotron(instance.problem, bins=30, steps=6)
    found = run(
        strategy,
        zoo.exact_oracle(instance),
        callback=lambda exchange, _: path.append(exchange.batch.note.get("w")),
    ).value
    lengths = [np.linalg.norm(w - instance.direction) for w in path if w is not None]
    assert len(lengths) == 6
    assert all(after <= before + 2e-3 for before, after in itertools.pairwise(lengths))
    x = vectors(5, 100_000, D)
    clean_label = link(x @ instance.direction)
    excess = float(np.mean((found(x) - clean_label) ** 2))
    assert excess <= 1 / 6 + 1e-3
    assert excess <= share * float(np.var(clean_label))


def test_isotrons_fit_is_monotone_and_lipschitz():
    """Kakade et al. (2011): between 0 and the given slope, whatever the label does."""
    instance = SingleIndex(D, Sigmoid(-1.0)).draw(noise=0.2, seed=1)
    oracle = csq(instance, tolerance=Absolute(0.01), policy=uniform)
    for slope, most in ((0.1, 0.1), (None, np.inf)):
        found = run(isotron(instance.problem, lipschitz=slope, bins=12, steps=2), oracle).value
        rises = np.diff(found.values) / np.diff(found.nodes)
        assert (rises >= -1e-12).all()
        assert (rises <= most + 1e-12).all()


# Soltanolkotabi's projected gradient descent.


@pytest.mark.parametrize("scale", [0.1, 1.0, 10.0])
def test_planted_descent_arrives_in_two_steps_from_zero(scale):
    instance = UNTOLD.draw(norm=scale, seed=2)
    target = instance.target.weights
    one, two = (learnt(planted_descent(UNTOLD, steps=k), instance).weights for k in (1, 2))
    np.testing.assert_allclose(one, target / 2, atol=1e-13 * scale)
    np.testing.assert_allclose(two, target, atol=1e-13 * scale)


@pytest.mark.parametrize("seed", range(4))
def test_planted_descent_is_its_population_map_from_anywhere(seed):
    """((pi - theta) w* + sin(theta) ||w*|| w/||w||) / pi."""
    instance = UNTOLD.draw(norm=2.0, seed=seed)
    start, target = vectors(seed, D), instance.target.weights
    unit = start / np.linalg.norm(start)
    theta = math.acos(float(unit @ target) / 2)
    expected = ((math.pi - theta) * target + math.sin(theta) * 2 * unit) / math.pi
    found = learnt(planted_descent(UNTOLD, start=start, steps=1), instance).weights
    np.testing.assert_allclose(found, expected, atol=1e-13)


@pytest.mark.parametrize("policy", POLICIES)
def test_a_known_sparsity_leaves_the_error_of_its_own_coordinates(policy):
    """At most 2 (2 tau) sqrt(2 k) of each step's error survives, and 1/2 of what was before it."""
    d, count, tau = 30, 3, 0.005
    target = np.zeros(d)
    target[[2, 11, 23]] = [0.8, -0.5, 0.6]
    problem = ReluRegression(d)
    instance = problem.draw(norm=float(np.linalg.norm(target)), direction=target)
    oracle = csq(instance, tolerance=Absolute(tau), policy=policy)
    keep = partial(nearest_sparse, count=count)
    found = run(planted_descent(problem, steps=6, projection=keep), oracle).value.weights
    assert set(np.flatnonzero(found)) == {2, 11, 23}
    assert np.linalg.norm(found - target) <= 4 * tau * math.sqrt(2 * count)


# The approximation scheme.


@pytest.mark.parametrize("corruption", [Decoy(0.3, 0.0), LabelNoise(0.3)], ids=str)
def test_more_degrees_on_the_slab_never_lose_more(corruption):
    """Projections on growing spaces; examples see the loss that the answers tell."""
    instance = UNTOLD.draw(corruptions=[corruption], seed=1)
    energy, opt = float(null_loss(instance).value), instance.opt_upper_bound
    losses = []
    for degree in (1, 2):
        strategy = piecewise_regression(UNTOLD, width=2 * math.sqrt(opt), degree=degree)
        found = learnt(strategy, instance)
        losses.append(energy - found.explained)
        x = vectors(1, 200_000, D)
        seen = (found(x) - instance.labels.draw(x, np.random.default_rng(2))) ** 2
        spread = 5 * float(seen.std()) / math.sqrt(len(seen))
        assert float(seen.mean()) == pytest.approx(losses[-1], abs=spread)
    assert losses[1] <= losses[0] + 1e-12
    assert losses[1] <= 1.01 * opt


def test_beyond_degree_two_the_scheme_is_asked_of_samples():
    problem = ReluRegression(3)
    instance = problem.draw(corruptions=[Decoy(0.5, 0.0)], seed=1)
    strategy = partial(piecewise_regression, problem, width=1.0)
    with pytest.raises(QueryRefused, match="Opaque"):
        run(strategy(degree=3), zoo.exact_oracle(instance))
    oracle = csq(instance, tolerance=Absolute(0.1), means=MonteCarlo(100_000))
    x = vectors(1, 100_000, 3)
    y = instance.labels.draw(x, np.random.default_rng(0))
    found = [run(strategy(degree=k), oracle) for k in (2, 4)]
    losses = [float(np.mean((each.value(x) - y) ** 2)) for each in found]
    assert losses[1] < losses[0] < 0.2 * float(np.mean(y**2))
    slab = 5 + 4 * 3 + 3 * 6 + 2 * comb(4, 3) + comb(5, 4)
    assert found[1].ledger.queries == 3 + slab + 5


def test_without_a_degree_one_correlation_the_scheme_predicts_zero():
    instance = replace(
        clean(TARGET), labels=LabelLaw((Term(np.eye(3)[0], HermiteSeries((0.0, 0.0, 1.0))),))
    )
    found = learnt(piecewise_regression(instance.problem, width=1.0), instance)
    # The moment is rounding, and nothing is known about where it points.
    assert np.isfinite(found(vectors(0, 10, 3))).all()


# Costs, laws and refusals, for each.

FACTORIES: dict[str, Any] = {
    "glmtron": lambda p: glmtron(p, steps=4),
    "glmtron, intercept": lambda p: glmtron(p, intercept=True, steps=4),
    "surrogate": lambda p: surrogate_descent(p, intercept=True, steps=20),
    "isotron": lambda p: isotron(p, bins=10, steps=3),
    "isotron, any slope": lambda p: isotron(p, lipschitz=None, bins=10, steps=3),
    "planted": lambda p: planted_descent(p, steps=3),
    "scaled": lambda p: scaled_gradient_descent(p, steps=3, seed=2),
    "scheme": lambda p: piecewise_regression(p, width=0.5),
}
COSTS = {
    "glmtron": (2, D + 4),
    "glmtron, intercept": (2, D + 1 + 4),
    "surrogate": (1, D + 1),
    "isotron": (5, D + 1 + 3 * 11),
    "isotron, any slope": (5, D + 1 + 3 * 11),
    "planted": (3, 3 * D),
    "scaled": (4, 1 + 3 * (D + 1)),
    "scheme": (2, D + 3 + 2 * D + D * (D + 1) // 2 + D + 2),
}
factories = pytest.mark.parametrize("name", FACTORIES)


@factories
def test_ledger_is_the_docstrings_formula(name):
    instance = UNTOLD.draw(corruptions=[LabelNoise(0.1)], seed=1)
    # A correlational oracle: it refuses whatever is not linear in the label.
    ledger = run(FACTORIES[name](UNTOLD), csq(instance, tolerance=Unperturbed())).ledger
    assert (ledger.rounds, ledger.queries) == COSTS[name]


@factories
@pytest.mark.parametrize("policy", POLICIES)
def test_a_small_tolerance_changes_little(name, policy):
    """Absolute 1e-4: the predictions move by less than 0.05 in root mean square."""
    instance = UNTOLD.draw(corruptions=[LabelNoise(0.1)], seed=1)
    x = vectors(3, 20_000, D)
    oracle = csq(instance, tolerance=Absolute(1e-4), policy=policy)
    one = learnt(FACTORIES[name](UNTOLD), instance)(x)
    two = run(FACTORIES[name](UNTOLD), oracle).value(x)
    assert math.sqrt(np.mean((one - two) ** 2)) <= 0.05


@factories
def test_it_asks_the_same_again_and_can_be_closed(name):
    instance = zoo.INSTANCES["label noise"]
    check_strategy(
        lambda: FACTORIES[name](UNTOLD), csq(instance, tolerance=Absolute(0.01), policy=toward_zero)
    )


@pytest.mark.parametrize("name", [n for n in FACTORIES if n != "scaled"])
def test_turning_the_instance_turns_the_learner(name):
    """No direction is preferred; the scaled descent alone draws its start."""
    instance = zoo.CORRUPTED["decoy"]
    turn = zoo.rotation(D)
    x = vectors(3, 50, D)
    one = learnt(FACTORIES[name](UNTOLD), instance)(x)
    two = learnt(FACTORIES[name](UNTOLD), zoo.rotated(instance, turn))(x @ turn.T)
    np.testing.assert_allclose(two, one, atol=1e-8)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: glmtron(UNTOLD, steps=0), "steps"),
        (lambda: surrogate_descent(UNTOLD, step_size=2.0), "1-Lipschitz"),
        (lambda: surrogate_descent(UNTOLD, radius=0.0), "radius"),
        (lambda: isotron(UNTOLD, bins=2), "bins"),
        (lambda: isotron(UNTOLD, lipschitz=-1.0), "lipschitz"),
        (lambda: planted_descent(UNTOLD, start=np.ones(D + 1)), "start"),
        (lambda: planted_descent(UNTOLD, step_size=0.0), "step_size"),
        (lambda: scaled_gradient_descent(UNTOLD, step_size=1.0), "step_size"),
        (lambda: scaled_gradient_descent(UNTOLD, start=neuron(np.zeros(D), 0.0)), "never active"),
        (lambda: piecewise_regression(UNTOLD, width=0.0), "width"),
        (lambda: piecewise_regression(UNTOLD, width=1.0, degree=0), "degree"),
        (lambda: piecewise_regression(zoo.TABLE.problem, width=1.0), "Gaussian"),
    ],
)
def test_bad_parameters_are_refused_in_words(make, words):
    with pytest.raises(BadInput, match=words):
        run(make(), zoo.exact_oracle(UNTOLD.draw(seed=1)))


@pytest.mark.parametrize(
    "call",
    [
        lambda: active_moments(neuron(np.zeros(2), 1.0), neuron(np.ones(2), 0.0)),
        lambda: population_descent(TARGET, TARGET, step_size=1.0),
        lambda: nearest_sparse(np.ones(3), count=0),
    ],
    ids=["a zero neuron", "a long step", "no entries"],
)
def test_closed_forms_refuse_what_has_none(call):
    with pytest.raises(BadInput):
        call()


# By name.


def test_a_separation_runs_the_learners_it_ran_before():
    """The names are found, and are none of those that `sqsim separation` goes through."""
    names = {one.name for one in SINGLE_NEURONS}
    assert len(names) == len(SINGLE_NEURONS)
    assert not names & {one.name for one in LEARNERS}
    assert all(learner(name).name == name for name in names)


@pytest.mark.parametrize("told", [True, False])
@pytest.mark.parametrize("one", SINGLE_NEURONS, ids=lambda one: one.name)
def test_each_ends_with_a_neuron_of_little_loss(one, told):
    """Unbiased, so that those made for no bias learn it too; at most 2e-3 of the null loss."""
    problem = ReluRegression(D, norm=1.0, bias=0.0) if told else UNTOLD
    instance = problem.draw(seed=1)
    found = learnt(one.strategy(problem, 0), instance)
    assert loss(instance, found) <= 2e-3 * float(null_loss(instance).value)


@pytest.mark.parametrize("one", SINGLE_NEURONS, ids=lambda one: one.name)
def test_each_runs_on_a_table(one, tmp_path):
    x = vectors(0, 300, 3)
    y = np.maximum(x @ [1.0, -0.5, 0.2] + 0.1, 0.0)
    file = tmp_path / "table.npz"
    np.savez(file, X=x, y=y)
    found = run_table(file, target="y", algorithm=one.name, sweep=False)
    assert found["status"] == "finished"
    assert found["loss"]["train"]["learner"] < 0.5 * found["loss"]["train"]["zero"]


def test_a_link_hypothesis_predicts_its_link():
    found = GeneralisedLinear(np.array([1.0, 2.0]), -1.0, Relu())
    np.testing.assert_array_equal(found(np.array([[1.0, 1.0], [0.0, 0.0]])), [2.0, 0.0])


def test_all_of_them_are_answered_by_a_general_oracle_too():
    """A CSQ strategy runs against an SQ oracle."""
    instance = UNTOLD.draw(seed=1)
    for make in FACTORIES.values():
        assert run(make(UNTOLD), sq(instance, tolerance=Unperturbed())).value is not None
