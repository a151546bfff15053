"""Sums of several ReLU neurons: their means two ways, their learners, their costs."""

from __future__ import annotations

import math

import numpy as np
import pytest
import zoo

from sqsim import L2, BadInput, MonteCarlo, Quadrature, Unperturbed, csq, run, sq
from sqsim.algorithms.deflation import Pursuit, deflated, pursue
from sqsim.algorithms.joint import fit_outer, refine_jointly
from sqsim.algorithms.network_learners import (
    DESCENT,
    NETWORK_LEARNERS,
    PLACED,
    network_costs,
    tensor_correlational,
)
from sqsim.algorithms.network_means import (
    distance_between,
    network_energy,
    network_mean,
    neuron_gram,
)
from sqsim.algorithms.several_directions import (
    correlational_moments,
    separated_directions,
    tensor_queries,
    thresholded_moments,
    thresholded_span,
)
from sqsim.algorithms.spectral import spectral_start, thresholded_moment
from sqsim.errors import BudgetSpent
from sqsim.links import Relu, relu
from sqsim.loop import Budget
from sqsim.lowrank import dense
from sqsim.oracles.polar import Polar
from sqsim.oracles.rays import sobol_directions
from sqsim.problems.corruption import Decoy, LabelNoise
from sqsim.problems.network import NetworkRegression, ReluNetwork, no_neurons
from sqsim.queries import Correlation, Ridge, Statistic
from sqsim.strategy import ask, ask_all
from sqsim.studies.network_scores import label_network, matched_overlaps
from sqsim.tolerance import Scale

D = 6


def drawn(count, *, biases=-1.0, overlap=0.0, outer=1.0, corruptions=(), d=D, seed=0):
    problem = NetworkRegression(d, count)
    network = problem.network(overlap=overlap, biases=biases, outer=outer, seed=seed)
    return problem, network, problem.draw(network, corruptions=corruptions, seed=seed)


def exactly(strategy, instance):
    return run(strategy, csq(instance, tolerance=Unperturbed()))


def worst(found, network):
    return float(matched_overlaps(found, network)[0].min())


@pytest.mark.parametrize("frame", ["random", "a neuron's own", "none"])
@pytest.mark.parametrize("power", [0, 1, 2])
def test_label_free_means_of_a_network_are_those_of_the_oracle(power, frame):
    """The learner's closed form given one projection, against Quadrature on y = network."""
    problem, network, instance = drawn(2, biases=[-0.5, 0.7], outer=[1.0, -2.0], overlap=0.3)
    w = np.random.default_rng(1).standard_normal(D)
    if frame == "none":
        form = Ridge(power=power)
    else:
        w = w if frame == "random" else 2 * network.directions[0]
        form = Ridge(lambda s: (s > 0.4) * np.exp(0.2 * s), w, power=power, kinks=(0.4,))
    mean = Quadrature().means(instance, [Correlation(form)], [Scale.NONE])[0]
    np.testing.assert_allclose(network_mean(problem, network, form), dense(mean.value), atol=1e-12)


@pytest.mark.parametrize("overlap", [-0.8, 0.0, 0.5, 0.999])
def test_the_gram_matrix_of_neurons_is_that_of_quadrature(overlap):
    """E[sigma_i sigma_j] in closed form by bivariate normals, and as a correlation."""
    _, network, _ = drawn(2, biases=[-1.5, 0.3], overlap=overlap)
    first = ReluNetwork(np.ones(1), network.directions[:1], network.biases[:1])
    instance = NetworkRegression(D, 1).draw(first)
    b = float(network.biases[1])
    form = Ridge(Relu(b), network.directions[1], kinks=(-b,))
    mean = Quadrature().means(instance, [Correlation(form)], [Scale.NONE])[0]
    gram = neuron_gram(network)
    assert math.isclose(gram[0, 1], float(dense(mean.value)), abs_tol=1e-13)
    assert gram[0, 1] == gram[1, 0]
    np.testing.assert_allclose(np.diag(gram), np.diag(neuron_gram(network, network)), atol=1e-13)


def test_the_distance_of_networks_is_that_of_samples():
    """Closed form inside five standard errors, and 0 from a network to itself."""
    _, one, _ = drawn(3, overlap=0.4)
    _, two, _ = drawn(2, biases=-0.5, outer=[1.0, -1.0], seed=4)
    x = np.random.default_rng(0).standard_normal((200_000, D))
    squares = (one(x) - two(x)) ** 2
    assert abs(squares.mean() - distance_between(one, two)) <= 5 * squares.std() / 200_000**0.5
    assert distance_between(one, one) <= 1e-15


@pytest.mark.parametrize("dimension", range(2, 7))
def test_rays_are_uniform_on_the_sphere(dimension):
    """Second and fourth moments of the coordinates: 1/m and 3/(m (m + 2))."""
    rays = sobol_directions(dimension, 4096, np.random.default_rng(0))
    np.testing.assert_allclose(np.linalg.norm(rays, axis=1), 1.0, atol=1e-12)
    np.testing.assert_allclose(rays.T @ rays / 4096, np.eye(dimension) / dimension, atol=2e-3)
    fourth = (rays**4).mean(axis=0) * dimension * (dimension + 2) / 3
    np.testing.assert_allclose(fourth, 1.0, atol=1e-2)


@pytest.mark.parametrize("noise", [0.0, 0.2])
def test_rays_meet_nested_quadrature_where_both_are_possible(noise):
    """A frame that h ignores sends two neurons' second moment to the rays."""
    corruptions = [LabelNoise(noise)] if noise else []
    _, network, instance = drawn(2, overlap=0.3, corruptions=corruptions)
    plain = thresholded_moment(0.5)
    assert isinstance(plain.form, Ridge)
    h = plain.form.h
    framed = Ridge(lambda s, y: h(y), network.directions[0], power=2, levels=plain.form.levels)
    rays = Polar(1e-2).means(instance, [Statistic(framed)], [Scale.FUNCTION])[0]
    if noise:
        known = Polar(5e-3).means(instance, [plain], [Scale.FUNCTION])[0]
        reach = float(np.max(rays.error)) + float(np.max(known.error))
    else:
        known = Quadrature().means(instance, [plain], [Scale.FUNCTION])[0]
        reach = float(np.max(rays.error))
    assert np.abs(dense(rays.value) - dense(known.value)).max() <= reach
    below = known.scale.dense() - rays.scale.dense()
    assert below.min() >= -1e-4
    assert below.max() <= 0.05 * known.scale.dense().max()


@pytest.mark.parametrize("turn", ["steep", "waves"])
def test_functions_that_turn_within_a_radial_panel_are_confessed(turn):
    """Every ray is wrong in the same way, which scrambles alone do not tell."""
    _, network, instance = drawn(2, overlap=0.3)
    h = {"steep": lambda s, y: np.tanh(60 * y), "waves": lambda s, y: np.cos(20 * s)}[turn]
    asked = Statistic(Ridge(h, network.directions[0] + 0.3 * network.directions[1]))
    rays = Polar().means(instance, [asked], [Scale.NONE])[0]
    known = Quadrature().means(instance, [asked], [Scale.NONE])[0]
    assert abs(float(rays.value) - float(known.value)) <= rays.error + known.error
    assert rays.error <= 2e-3


def test_lines_that_turn_within_a_radial_panel_are_confessed():
    """The same for statistics that share their rays."""
    _, network, instance = drawn(2, overlap=0.3)
    asked = [Statistic(Ridge(lambda s, y: np.cos(20 * s), row)) for row in network.directions]
    for mean in Polar().means(instance, asked, [Scale.NONE] * 2):
        # E[cos(20 z)] = exp(-200).
        assert abs(float(mean.value)) <= mean.error <= 2e-3


@pytest.mark.parametrize("count", [3, 4])
def test_rays_meet_a_monte_carlo_interval(count):
    """Thresholded moments of degree 2, and of degree 3 along a line that leaves the span."""
    _, network, instance = drawn(count, biases=-1.0, overlap=0.2)
    line = network.directions[0] + 0.2 * np.eye(D)[0]
    cubic = Ridge(lambda s, y: (np.abs(y) >= 0.5) * (s**3 - 3 * s), line, levels=(-0.5, 0.5))
    across = np.eye(D)[1] - 0.1 * line
    square = Ridge(lambda s, y: (np.abs(y) >= 0.5) * s**2, across, levels=(-0.5, 0.5))
    asked = [thresholded_moment(0.5), Statistic(cubic), Statistic(square)]
    scales = [Scale.NONE] * 3
    rays = Polar(2e-2).means(instance, asked, scales)
    sampled = MonteCarlo(100_000).means(instance, asked, scales, seed=1, turn=0)
    for one, two in zip(rays, sampled, strict=True):
        reach = np.max(one.error) + np.max(dense(two.error))
        assert np.abs(dense(one.value) - dense(two.value)).max() <= reach


def test_deflation_is_running_on_the_residual_label():
    """Answers less E[known g] are those of the instance whose labels are y - known."""
    problem, network, instance = drawn(2, overlap=0.4)
    known = network.without(1)
    rest = NetworkRegression(D, 1).draw(network.without(0))
    told = exactly(deflated(problem, known, spectral_start(problem)), instance)
    meant = exactly(spectral_start(problem), rest)
    assert abs(told.value @ meant.value) >= 1 - 1e-12
    assert told.ledger == meant.ledger
    form = Ridge(relu(-0.3), np.ones(D), power=1, kinks=(0.3,))
    told = exactly(deflated(problem, known, ask(Correlation(form)), sign=-1.0), instance)
    meant = exactly(ask(Correlation(form)), rest)
    np.testing.assert_allclose(told.value, -meant.value, atol=1e-12)


def test_what_a_spent_budget_still_answered_is_deflated_too():
    """A learner that ends with it would else believe in the whole label."""
    problem, network, instance = drawn(2, overlap=0.4)
    known = network.without(1)
    asked = Correlation(Ridge(relu(-0.3), np.ones(D), kinks=(0.3,)))

    def patient():
        try:
            yield from ask_all(asked, asked)
        except BudgetSpent as spent:
            return spent.answered

    oracle = csq(instance, tolerance=Unperturbed())
    cut = run(deflated(problem, known, patient()), oracle, budget=Budget(queries=1))
    meant = exactly(ask(asked), NetworkRegression(D, 1).draw(network.without(0)))
    np.testing.assert_allclose(cut.value, [meant.value], atol=1e-12)


@pytest.mark.parametrize("biases", [[0.0, 0.0], [-1.0, -1.0], [-2.0, 0.5, -1.0]])
@pytest.mark.parametrize("overlap", [0.0, 0.5])
def test_correlational_tensors_are_sums_of_powers_and_tell_the_directions(biases, overlap):
    """Coefficients a_j sqrt(p!) c_p(b_j); degree 3 is blind at bias 0, degree 4 at -1."""
    count = len(biases)
    problem, network, instance = drawn(count, biases=biases, overlap=overlap)
    result = exactly(correlational_moments(problem, count=count), instance)
    inside = network.directions @ result.value.basis
    np.testing.assert_allclose(np.linalg.norm(inside, axis=1), 1.0, atol=1e-9)
    third, fourth = np.zeros_like(result.value.third), np.zeros_like(result.value.fourth)
    for v, b in zip(inside, biases, strict=True):
        c = Relu(b).coefficients(4)
        third += math.sqrt(6) * c[3] * np.einsum("a,b,c->abc", v, v, v)
        fourth += math.sqrt(24) * c[4] * np.einsum("a,b,c,d->abcd", v, v, v, v)
    np.testing.assert_allclose(result.value.third, third, atol=1e-10)
    np.testing.assert_allclose(result.value.fourth, fourth, atol=1e-10)
    rows = separated_directions(result.value)
    assert np.abs(rows @ network.directions.T).max(axis=0).min() >= 1 - 1e-9
    assert result.ledger.queries == D * (D + 1) // 2 + tensor_queries(count)
    assert result.ledger.rounds == 2


@pytest.mark.parametrize("overlap", [0.0, 0.4])
def test_the_thresholded_span_is_the_hidden_one(overlap):
    """Exact answers: d(d + 1)/2 queries in one round, both directions in the span."""
    problem, network, instance = drawn(2, biases=-2.0, overlap=overlap)
    result = run(
        thresholded_span(problem, cut=0.5, count=2),
        sq(instance, tolerance=Unperturbed(), means=Polar()),
    )
    basis, _ = result.value
    np.testing.assert_allclose(np.linalg.norm(network.directions @ basis, axis=1), 1, atol=1e-9)
    assert (result.ledger.queries, result.ledger.rounds) == (D * (D + 1) // 2, 1)


@pytest.mark.parametrize("policy", sorted(zoo.POLICIES))
def test_the_thresholded_span_survives_every_policy(policy):
    """Davis and Kahan: sines of at most e / (gap - e), e the Frobenius norm of all radii."""
    problem, network, instance = drawn(2, biases=-2.0)
    oracle = sq(instance, tolerance=L2(1e-3), policy=zoo.POLICIES[policy], means=Polar())
    basis, _ = run(thresholded_span(problem, cut=0.5, count=2), oracle).value
    mean = Polar().means(instance, [thresholded_moment(0.5)], [Scale.FUNCTION])[0]
    moved = 1e-3 * float(np.linalg.norm(mean.scale.dense()))
    gap = float(np.linalg.eigvalsh(mean.value.core)[0])
    inside = np.linalg.norm(network.directions @ basis, axis=1)
    assert np.sqrt(np.maximum(1 - inside**2, 0)).max() <= moved / (gap - moved) < 0.05


def test_thresholded_tensors_tell_rare_directions_of_equal_neurons():
    """At bias -2 both neurons are hardly ever active together: overlaps above 0.99."""
    problem, network, instance = drawn(2, biases=-2.0)
    oracle = sq(instance, tolerance=L2(0.02), means=Polar(2e-2))
    moments = run(thresholded_moments(problem, cut=0.5, count=2), oracle).value
    rows = separated_directions(moments)
    assert np.abs(rows @ network.directions.T).max(axis=0).min() >= 0.99


@pytest.mark.parametrize("count", [2, 3])
def test_deflation_recovers_equal_orthogonal_neurons_from_exact_answers(count):
    """All directions, biases and weights, at the stated cost; the joint rounds do the rest."""
    problem, network, instance = drawn(count, biases=-1.0)
    learn = NETWORK_LEARNERS["deflate-correlational"]
    pursuit = Pursuit(biases=(-1.0,), steps=4)
    result = exactly(learn(problem, pursuit=pursuit, rounds=8), instance)
    found = result.value.network
    assert worst(found, network) >= 1 - 1e-8
    assert distance_between(found, network) <= 1e-8 * network_energy(network)
    stated = network_costs(
        "deflate-correlational", problem, pursuit=pursuit, rounds=8, told_cut=False
    )
    assert (result.ledger.queries, result.ledger.rounds) == stated


@pytest.mark.parametrize("name", ["deflate-thresholded", "tensor-thresholded"])
def test_statistical_learners_recover_neurons_at_the_stated_cost(name):
    """Genuine SQ in the start alone; two neurons, answers exact up to the rays' errors."""
    problem, network, instance = drawn(2, biases=-1.5)
    start = DESCENT if name.startswith("deflate") else PLACED
    pursuit = Pursuit(biases=(-1.5, 0.0), steps=min(start.steps, 4))
    learn = NETWORK_LEARNERS[name]
    oracle = sq(instance, tolerance=L2(0.05), means=Polar(5e-2))
    result = run(learn(problem, cut=0.5, pursuit=pursuit, rounds=6), oracle)
    assert distance_between(result.value.network, network) <= 1e-6 * network_energy(network)
    stated = network_costs(name, problem, pursuit=pursuit, rounds=6, told_cut=True)
    assert (result.ledger.queries, result.ledger.rounds) == stated


@pytest.mark.parametrize("policy", sorted(zoo.POLICIES))
def test_correlational_tensors_learn_under_every_policy(policy):
    """At tolerance 1e-3 in L2: every direction to 0.99, a fiftieth of the zero loss."""
    problem, network, instance = drawn(2, biases=[-1.5, -0.5], overlap=0.2)
    oracle = csq(instance, tolerance=L2(1e-3), policy=zoo.POLICIES[policy], seed=3)
    found = run(tensor_correlational(problem, rounds=3), oracle).value.network
    assert worst(found, network) >= 0.99
    assert distance_between(found, network) <= 0.02 * network_energy(network)


@pytest.mark.parametrize("alpha", [20.0, 100.0])
def test_the_constant_before_opt_stays_small_under_a_decoy(alpha):
    """Labels with a third neuron of energy 1 / alpha: loss at most 2 budgets, measured here."""
    problem, network, _ = drawn(2, biases=-1.0)
    size = math.sqrt(network_energy(network) / alpha / Relu(-1.0).second_moment)
    instance = problem.draw(network, corruptions=[Decoy(size, -1.0)])
    found = exactly(tensor_correlational(problem, rounds=6), instance).value.network
    loss = distance_between(label_network(instance), found)
    assert loss <= 2 * instance.opt_upper_bound


def test_joint_rounds_converge_quadratically_and_cost_what_they_say():
    """k (d + 2) queries a round; from a tenth away five rounds end at rounding."""
    problem, network, instance = drawn(3, biases=[-1.0, -0.5, 0.3], overlap=0.3, outer=[1, -1, 2])
    rows = network.directions + 0.1 * np.random.default_rng(2).standard_normal((3, D)) / D**0.5
    start = ReluNetwork(
        network.outer, rows / np.linalg.norm(rows, axis=1)[:, None], network.biases + 0.1
    )
    result = exactly(refine_jointly(problem, start, rounds=7), instance)
    assert (result.ledger.queries, result.ledger.rounds) == (7 * 3 * (D + 2), 7)
    assert distance_between(result.value, network) <= 1e-12
    np.testing.assert_allclose(result.value.outer, network.outer, atol=1e-5)


def test_outer_weights_are_those_of_least_squares():
    """From right directions and wrong weights, one round of k queries gives the weights."""
    problem, network, instance = drawn(3, overlap=0.5, outer=[1.0, -0.5, 2.0])
    wrong = ReluNetwork(np.ones(3), network.directions, network.biases)
    result = exactly(fit_outer(problem, wrong), instance)
    fitted, excess = result.value
    np.testing.assert_allclose(fitted.outer, network.outer, atol=1e-9)
    assert math.isclose(excess, -network_energy(network), rel_tol=1e-9)
    assert (result.ledger.queries, result.ledger.rounds) == (3, 1)


def test_pursuit_stops_where_nothing_is_left():
    """The neuron itself is known: no candidate lowers the loss of a label of 0."""
    problem, network, instance = drawn(1)
    lane = pursue(problem, network.directions, count=2, known=network, pursuit=Pursuit(steps=0))
    found = exactly(lane, instance).value
    assert network_energy(found.without(0)) <= 1e-9


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (lambda: NetworkRegression(3, 4), "4 neurons in dimension 3"),
        (lambda: NetworkRegression(5, 3).network(overlap=-0.9), "least eigenvalue"),
        (lambda: NetworkRegression(5, 3).network(biases=[1.0, 2.0]), "one for each"),
        (lambda: NetworkRegression(5, 2).draw(no_neurons(5)), "a network of 0 neurons"),
        (lambda: ReluNetwork(np.ones(1), 2 * np.eye(3)[:1], np.zeros(1)), "put norms"),
        (lambda: Polar(most_rays=100), "power of 2"),
        (lambda: Pursuit(biases=()), "at least one bias"),
    ],
    ids=["too many", "gram", "biases", "count", "length", "rays", "pursuit"],
)
def test_bad_networks_are_refused_in_words(made, words):
    with pytest.raises(BadInput, match=words):
        made()
