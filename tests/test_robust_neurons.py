"""Neurons under adversarial labels: Algorithm 2's exponent, and starts that no cap tilts."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import pytest
import zoo
from planes import on_plane, plane
from scipy.stats import norm

from sqsim import L2, BadInput, QueryRefused, csq, run, sq
from sqsim.algorithms.best_weight import optimal_descent
from sqsim.algorithms.biased_halfspaces import Narrowing
from sqsim.algorithms.descent import reweighted_pgd
from sqsim.algorithms.guesses import GeometricMesh
from sqsim.algorithms.guo_vijayaraghavan import learn_relu
from sqsim.algorithms.initialisations import LabelThreshold, ThresholdedPca
from sqsim.algorithms.label_levels import MeanLevel
from sqsim.algorithms.localisation import Localisation
from sqsim.algorithms.smoothed import smoothed_descent
from sqsim.algorithms.spectral import thresholded_pca
from sqsim.algorithms.threshold_start import threshold_and_smooth
from sqsim.algorithms.thresholding import threshold_and_halfspace
from sqsim.links import HermiteSeries, Relu, Scaled, Step
from sqsim.problems import ReluHypothesis, ReluRegression
from sqsim.problems.corruption import WorstCase
from sqsim.problems.index import IndexInstance
from sqsim.problems.labels import Gate, LabelLaw, Term
from sqsim.studies.robust_neurons import (
    label_threshold_smoothed,
    learn_relu_from_label_thresholds,
    optimally_weighted,
    thresholded_halfspace,
)
from sqsim.updates import optimal, plain, reweighted

V, E = np.eye(2)
D = 4
HOMOGENEOUS = ReluRegression(D, norm=1.0, bias=0.0)
BRIEF = LabelThreshold(multiples=(1.0,), schedule=Narrowing(steps=4))


def turned(theta):
    return math.cos(theta) * V + math.sin(theta) * E


def corrupted(bias, *terms):
    """A unit neuron along V with terms added to its label, in the plane."""
    problem = ReluRegression(2, norm=1.0, bias=bias)
    return IndexInstance(problem, LabelLaw((Term(V, Relu(bias)), *terms)), None, 1.0)


def losses(instance, population, *hypotheses):
    """Mean squared errors on the points, each in units of the target's, and that one."""
    x, labels = population.points, instance.labels
    y = labels.clean(x @ np.stack(labels.columns, axis=1))
    target = ReluHypothesis(V, instance.problem.bias)
    opt, *rest = (float(population.weights @ (y - h(x)) ** 2) for h in (target, *hypotheses))
    return [*(one / opt for one in rest), opt]


def angle(w, v=V):
    return float(2 * np.arcsin(min(np.linalg.norm(w / np.linalg.norm(w) - v) / 2, 1.0)))


# What each costs.


def test_ledgers_are_the_stated_formulas():
    oracle = zoo.exact_oracle(HOMOGENEOUS.draw(seed=1))
    k, t, levels = 2, 3, (0.5, 0.25)
    schedule = Localisation(rounds=k, steps=t)
    strategy = threshold_and_halfspace(HOMOGENEOUS, levels=levels, schedule=schedule)
    ledger = run(strategy, oracle).ledger
    each = D + k * t * D + k + 1
    assert (ledger.rounds, ledger.queries) == (k * t + 3, len(levels) * (each + 1))
    m, h, steps = 2, 4, 5
    start = LabelThreshold(multiples=(0.5, 1.0), schedule=Narrowing(steps=h))
    strategy = threshold_and_smooth(HOMOGENEOUS, initialisation=start, steps=steps)
    ledger = run(strategy, oracle).ledger
    expected = m * ((D + 1) * (h + 1) + 1) + m * (steps * (D + 1) + 2) + m
    assert (ledger.rounds, ledger.queries) == (h + steps + 5, expected)
    strategy = optimal_descent(HOMOGENEOUS, start=np.ones(D), steps=6)
    ledger = run(strategy, csq(HOMOGENEOUS.draw(seed=1), tolerance=L2(1e-9))).ledger
    assert (ledger.rounds, ledger.queries) == (6, 6 * (D + 1))


def test_the_default_start_of_learn_relu_is_the_thresholded_pca():
    """Naming it asks the same queries and finds the same neuron to the last bit."""
    instance = ReluRegression(D).draw(bias=-2.0, seed=3)
    found = [
        run(
            learn_relu(
                instance.problem,
                mesh=GeometricMesh(1.5, 2.5, 1.3),
                thresholds=1,
                steps=1,
                descent_steps=1,
                **options,
            ),
            zoo.exact_oracle(instance),
        )
        for options in ({}, {"initialisation": ThresholdedPca()})
    ]
    assert zoo.same(found[0].value, found[1].value)
    assert found[0].ledger == found[1].ledger


@pytest.mark.parametrize("bias", [-8.0, -2.0, 0.0, 3.0])
def test_the_level_is_the_mean_active_label(bias):
    """By integration; and the tail is that of the halfspace at the boundary."""
    level = MeanLevel(2.0, bias)
    t = np.linspace(-bias, -bias + 12, 400_001)
    mean = np.trapezoid((t + bias) * norm.pdf(t), t) / norm.cdf(bias)
    assert level.cut == pytest.approx(2 * mean, rel=1e-6)
    assert level.expected_tail == pytest.approx(norm.logsf(level.boundary), rel=1e-12)
    assert Relu(2 * bias, 2.0)(np.array([level.boundary]))[0] == pytest.approx(level.cut, rel=1e-9)


# Algorithm 2 of Goel, Karmalkar and Klivans.


def wedge(theta):
    """Labels 0 where <v, x> > 0 and theta where it is not, if the neuron at theta says otherwise.

    Energy of order theta^3, while labels cut at less than theta are those of the wrong halfspace.
    """
    w = turned(theta)
    return corrupted(
        0.0,
        Term(V, Scaled(Relu(), -1.0), Gate(-w, Step(), (0.0,))),
        Term(w, Scaled(Step(), theta), Gate(-V, Step(), (0.0,))),
    )


@cache
def exponents():
    """Per learner, log-log slope of the loss against OPT and the largest loss / OPT."""
    population = plane(np.eye(2), log_count=14)
    rows = []
    for theta in (0.05, 0.1, 0.2):
        instance = wedge(theta)
        (opt,) = losses(instance, population)
        problem, oracle = instance.problem, on_plane(instance, population)
        found = [
            run(strategy, oracle).value
            for strategy in (
                threshold_and_halfspace(problem, levels=[1.0, 0.25, 0.0625, 0.015625]),
                threshold_and_smooth(problem, steps=24),
                learn_relu(problem, thresholds=1, steps=2, descent_steps=20),
            )
        ]
        *ratios, opt = losses(instance, population, *found)
        rows.append([opt, *ratios])
    table = np.array(rows)
    slopes = 1 + np.polyfit(np.log(table[:, 0]), np.log(table[:, 1:]), 1)[0]
    return dict(
        zip(
            ("grid", "smoothed", "learn_relu"),
            zip(slopes.tolist(), table[:, 1:].max(axis=0).tolist(), strict=True),
            strict=True,
        )
    )


def test_algorithm_two_at_the_theorems_alpha_has_exponent_two_thirds():
    """Measured 0.674 as OPT falls by two decades, and more for a smaller OPT still."""
    population = plane(np.eye(2), log_count=14)
    rows = []
    for theta in (0.025, 0.05, 0.1):
        instance = wedge(theta)
        (opt,) = losses(instance, population)
        strategy = threshold_and_halfspace(instance.problem, levels=[opt ** (1 / 3)])
        found = run(strategy, on_plane(instance, population)).value
        ratio, opt = losses(instance, population, found)
        rows.append([opt, ratio * opt])
    slope = np.polyfit(*np.log(rows).T, 1)[0]
    assert 2 / 3 <= slope <= 0.75


def test_the_grid_over_alpha_escapes_one_cap_and_the_other_learners_have_slope_one():
    """At large alpha the wedge is not seen: measured slope 0.98 or more, loss at most OPT."""
    for name in ("grid", "smoothed", "learn_relu"):
        slope, largest = exponents()[name]
        assert slope >= 0.95
        assert largest <= 1.0 + 1e-6


# Starts that no cap tilts.

A = 20.0
BUDGET = Relu(-A).second_moment / 10


FAR = turned(1.2)
CAP_START = norm.isf(BUDGET * A**2)
CAP = Term(FAR, HermiteSeries((1 / A,)), Gate(FAR, Step(-CAP_START), (CAP_START,)))
"""Labels 1/a where <x, v'> is at least this: energy BUDGET."""


def pca_under_the_cap(population):
    """The direction of thresholded PCA, turned to the neuron's side."""
    instance = corrupted(-A, CAP)
    found = run(thresholded_pca(instance.problem, cut=1 / A), on_plane(instance, population)).value
    return found if found @ V > 0 else -found


@cache
def attack(update_name):
    """Half against the PCA, a cap of labels 1/a; half against the first step from where it ends."""
    population = plane(np.eye(2), inner=0.99 * A, angles=(-0.4, 1.6), spread=8.0)
    tilted = pca_under_the_cap(population)
    update = reweighted(-A) if update_name == "reweighted" else optimal(-A, overlap=tilted @ V)
    e = V - (V @ tilted) * tilted
    worst = HermiteSeries((0.0, -math.sqrt(BUDGET) / update.norm))
    aimed = Term(e / np.linalg.norm(e), worst, Gate(tilted, update.weight, update.kinks))
    return corrupted(-A, CAP, aimed), population, tilted


def test_a_cap_tilts_the_pca_by_its_closed_form():
    """A0 v v' + B v' v'' has tan 2 theta = B sin 2 psi / (A0 + B cos 2 psi); z = a + 1/a.

    A0 = z phi(z) and B = t phi(t): 0.27 radian, which is 5.5 / |b|.
    """
    population = plane(np.eye(2), inner=A, angles=(-0.4, 1.6), spread=3.0, log_count=18)
    z, t = A + 1 / A, CAP_START
    own, cap = z * norm.pdf(z), t * norm.pdf(t)
    tilt = math.atan2(cap * math.sin(2.4), own + cap * math.cos(2.4)) / 2
    assert angle(pca_under_the_cap(population)) == pytest.approx(tilt, rel=0.01)


@pytest.mark.parametrize("update", ["reweighted", "optimal"])
def test_the_cap_defeats_the_pca_start_and_not_the_label_thresholds(update):
    """OPT = ||sigma_b||^2 / 5, b = -20: from the PCA both descents stay at the zero hypothesis.

    Measured: loss 8 OPT or more from there; 1.02 OPT from the label thresholds, whose starts are
    within 0.2 / |b|.
    """
    instance, population, tilted = attack(update)
    problem, oracle = instance.problem, on_plane(instance, population)
    (pca,) = run(ThresholdedPca().directions(problem, [1 / A], seed=0), oracle).value
    defeated = [
        reweighted_pgd(problem, start=tilted, steps=40, normalised=True),
        smoothed_descent(problem, start=tilted, angle=0.4, steps=40, shrink=1 / 16),
        optimal_descent(problem, start=tilted, overlap=tilted @ V, steps=20),
    ]
    found = [run(strategy, oracle).value for strategy in defeated]
    robust = run(threshold_and_smooth(problem, steps=40), oracle).value
    *ratios, last, _ = losses(instance, population, *found, robust)
    assert angle(pca[0] if pca[0] @ V > 0 else pca[1]) * A > 5
    assert min(ratios) > 5
    assert last <= 1.05
    starts = run(LabelThreshold().directions(problem, [1 / A], seed=0), oracle).value
    assert all(len(one) == 1 and angle(one[0]) * A < 0.5 for one in starts)


@pytest.mark.parametrize(("bias", "alpha"), [(-2.0, 10), (-5.0, 100), (-12.0, 10)])
def test_the_robust_learner_loses_about_opt_under_labels_aimed_at_a_step(bias, alpha):
    """Budget ||sigma_b||^2 / alpha against plain steps at overlap 0.9: at most 1.05 budgets."""
    problem = ReluRegression(2, norm=1.0, bias=bias)
    budget = Relu(bias).second_moment / alpha
    corruption = WorstCase(plain(bias), budget, 0.9)
    instance = problem.draw(corruptions=[corruption], direction=V, seed=1)
    # Labels are 0 nearer to the origin.
    population = plane(np.eye(2), inner=-bias, spread=4.0, angles=(-1.2, 1.2), log_count=12)
    strategy = threshold_and_smooth(
        problem, initialisation=LabelThreshold(multiples=(0.5, 1.5)), steps=40
    )
    found = run(strategy, on_plane(instance, population)).value
    *ratio, _ = losses(instance, population, found)
    assert ratio[0] <= 1.05


@pytest.mark.parametrize("bias", [-6.0, -2.0, 0.0, 2.0])
def test_the_robust_learner_finds_clean_neurons_of_any_bias_untold(bias):
    """Norm and bias unknown, exact answers: the loss is a thousandth of the label's energy."""
    instance = ReluRegression(2).draw(norm=1.5, bias=1.5 * bias, direction=turned(0.3), seed=0)
    strategy = threshold_and_smooth(instance.problem, initialisation=BRIEF, thresholds=1, steps=10)
    found = run(strategy, zoo.exact_oracle(instance)).value
    assert found.norm == pytest.approx(1.5, rel=0.02)
    assert found.bias == pytest.approx(1.5 * bias, abs=0.06)
    assert angle(found.weights, turned(0.3)) < 0.01


@cache
def table():
    instance = ReluRegression(3, norm=1.0, bias=-1.0).draw(seed=4)
    return instance, zoo.drawn(instance, 40_000)


@pytest.mark.parametrize("policy", zoo.POLICIES)
def test_all_learn_under_every_policy_at_a_small_tolerance(policy):
    """In l2 units; the table's own sampling error is an angle of about 0.01."""
    instance, examples = table()
    oracle = sq(examples, tolerance=L2(1e-3), policy=zoo.POLICIES[policy])
    start = LabelThreshold(multiples=(1.0,), schedule=Narrowing(steps=10))
    strategy = threshold_and_smooth(instance.problem, initialisation=start, steps=30)
    assert angle(run(strategy, oracle).value.weights, instance.direction) < 0.07
    warm = instance.direction + np.array([0.3, -0.2, 0.1])
    strategy = optimal_descent(instance.problem, start=warm, step_size=1.0, steps=30)
    assert angle(run(strategy, oracle).value.weights, instance.direction) < 0.07
    homogeneous = ReluRegression(3, norm=1.0, bias=0.0)
    shifted = zoo.drawn(homogeneous.draw(direction=instance.direction), 40_000)
    oracle = sq(shifted, tolerance=L2(1e-3), policy=zoo.POLICIES[policy])
    schedule = Localisation(rounds=3, steps=5)
    strategy = threshold_and_halfspace(homogeneous, levels=[0.1], schedule=schedule)
    assert angle(run(strategy, oracle).value.weights, instance.direction) < 0.07


@pytest.mark.parametrize(("alpha", "moves"), [(3.5, True), (3.1, False)])
def test_the_optimal_weight_moves_forward_iff_no_weight_is_stopped(alpha, moves):
    """S^2 P(X, Y >= a) against ||sigma_b||^2 / alpha: at b = -3, L = 0.8 they meet at 3.30."""
    bias, overlap = -3.0, 0.8
    problem = ReluRegression(D, norm=1.0, bias=bias)
    update = optimal(bias, overlap=overlap)
    budget = Relu(bias).second_moment / alpha
    instance = problem.draw(corruptions=[WorstCase(update, budget, overlap)], seed=3)
    assert ((1 - overlap**2) * update.norm**2 > budget) == moves
    start, seen = instance.labels.terms[1].gate.direction, []
    run(
        optimal_descent(problem, start=start, overlap=overlap, steps=1),
        zoo.exact_oracle(instance),
        callback=lambda exchange, _: seen.append(exchange.answers[0]),
    )
    v = instance.direction
    assert ((seen[0] @ (v - (v @ start) * start)) > 0) == moves


@pytest.mark.parametrize(
    "learn",
    [
        thresholded_halfspace,
        label_threshold_smoothed,
        learn_relu_from_label_thresholds,
        optimally_weighted,
    ],
)
def test_registered_learners_run_on_a_table(learn):
    """Norm and bias are not told there; on 1 500 examples each beats the zero hypothesis."""
    instance, _ = table()
    examples = zoo.drawn(instance, 1500, seed=2)
    found = run(learn(examples.problem, 0), sq(examples, tolerance=L2(1e-6))).value
    loss = np.mean((examples.targets - found(examples.inputs)) ** 2)
    assert loss < 0.25 * np.mean(examples.targets**2)
    if learn is not optimally_weighted:
        with pytest.raises(QueryRefused):
            run(learn(examples.problem, 0), csq(examples, tolerance=L2(1e-6)))


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: threshold_and_halfspace(ReluRegression(D)), "norm= and bias="),
        (lambda: threshold_and_halfspace(ReluRegression(D, norm=1.0, bias=-1.0)), "homogeneous"),
        (lambda: threshold_and_halfspace(HOMOGENEOUS, levels=[0.0]), "alpha > 0"),
        (lambda: threshold_and_smooth(HOMOGENEOUS, thresholds=0), "threshold"),
        (lambda: optimal_descent(HOMOGENEOUS, start=np.ones(D), steps=0), "steps"),
        (lambda: optimal_descent(ReluRegression(D), start=np.ones(D)), "norm= and bias="),
    ],
)
def test_bad_input_names_the_assumption(make, words):
    with pytest.raises(BadInput, match=words):
        next(make())


def test_label_thresholds_need_multiples():
    with pytest.raises(BadInput, match="multiples"):
        LabelThreshold(multiples=())
