"""The true OPT of a corrupted instance, and the worst labels of the one-shot learner."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sqsim.algorithms.regression import one_shot_regression
from sqsim.errors import BadInput
from sqsim.links import HermiteSeries, Relu
from sqsim.loop import run
from sqsim.oracles.policies import exact, worst_direction
from sqsim.oracles.quadrature import Quadrature
from sqsim.oracles.scoring import loss
from sqsim.oracles.simulated import csq
from sqsim.problems.caps import CapAttack
from sqsim.problems.corruption import Corruption, Decoy, LabelNoise
from sqsim.problems.designers import PushBack, unweighted
from sqsim.problems.hypothesis import ReluHypothesis
from sqsim.problems.index import IndexInstance, ReluRegression
from sqsim.problems.labels import LabelLaw, Term
from sqsim.queries import Correlation, Ridge
from sqsim.studies.neuron_means import population_loss
from sqsim.studies.one_shot import DERIVED, PUBLISHED, Labels, leaky_ratio, search_one_shot
from sqsim.studies.optimum import best_neuron
from sqsim.tolerance import Absolute, Scale
from sqsim.updates import plain, reweighted


def draw(corruption: Corruption, bias: float, d: int = 3) -> IndexInstance:
    return ReluRegression(d).draw(bias=bias, corruptions=[corruption], seed=2)


CASES = [
    (plain, -2.0, 10.0),
    (reweighted, -12.0, 5.0),
]


@pytest.mark.parametrize(("update", "bias", "alpha"), CASES)
def test_opt_is_attained_and_at_most_the_budget(update, bias: float, alpha: float) -> None:  # type: ignore[no-untyped-def]
    """The target loses the budget; freeing norm and bias can only lose less."""
    budget = Relu(bias).second_moment / alpha
    instance = draw(PushBack(update(bias), budget), bias)
    free = best_neuron(instance)
    fixed = best_neuron(instance, norm=1.0, bias=bias)
    slack = 1 + 1e-4
    assert 0.3 * budget < free.loss.value <= fixed.loss.value * slack <= budget * slack**2
    found = population_loss(instance, free.hypothesis)
    assert found.value == pytest.approx(free.loss.value, abs=free.loss.error + found.error)
    assert fixed.hypothesis.norm == pytest.approx(1)


def test_no_neuron_of_many_loses_less_than_opt() -> None:
    """Random neurons near and far, in and out of the plane, against the search."""
    bias = -1.0
    instance = draw(PushBack(plain(bias), Relu(bias).second_moment / 5), bias, d=4)
    opt = best_neuron(instance)
    rng = np.random.default_rng(3)
    centre = opt.hypothesis.weights
    for spread in np.repeat([0.03, 0.3, 1.0], 4):
        w = centre + spread * rng.standard_normal(4) / 2
        b = opt.hypothesis.bias + spread * rng.standard_normal()
        neuron = ReluHypothesis(w, float(b))
        form = Ridge(lambda s, b=b: np.maximum(s + b, 0.0), w, kinks=(-float(b),))
        agreed = Quadrature().means(instance, [Correlation(form)], [Scale.NONE])[0].number
        own = Relu(float(b), neuron.norm).second_moment
        value = population_loss(instance, ReluHypothesis(np.zeros(4), 0.0)).value
        assert value - 2 * agreed + own >= opt.loss.value - opt.loss.error


def test_opt_where_it_is_known() -> None:
    """Clean labels lose 0; of a neuron and its mirror image, a line, no neuron keeps the half."""
    clean = ReluRegression(3).draw(bias=-2.0)
    assert best_neuron(clean).loss.value <= 1e-8 * Relu(-2.0).second_moment
    line = draw(Decoy(-1.0, 0.0, -1.0), 0.0)
    unbiased = best_neuron(line, bias=0.0)
    assert unbiased.loss.value == pytest.approx(0.5, abs=1e-8)
    # Phi(B)^2 / E[max(z + B, 0)^2] is largest at B = 0: a bias does not help.
    assert best_neuron(line).loss.value == pytest.approx(0.5, abs=1e-6)


def test_directions_off_the_label_s_span_are_tried() -> None:
    """y = 1 - 0.9 h_2(<v, x>): a neuron orthogonal to v sees the constant and none of the rest."""
    instance = ReluRegression(3).draw(bias=0.0)
    link = HermiteSeries((1.0, 0.0, -0.9))
    bowl = replace(instance, labels=LabelLaw((Term(instance.direction, link),)))
    found = best_neuron(bowl, bias=0.0)
    constant = float(Relu(0.0).coefficients(0)[0])
    assert found.loss.value == pytest.approx(1.81 - 2 * constant**2, rel=1e-6)
    assert abs(found.hypothesis.overlap(instance.direction)) < 1e-2
    # With a free bias the constant itself is the limit of neurons, and better.
    free = best_neuron(bowl)
    assert free.loss.value == pytest.approx(0.81, rel=1e-3)


def test_the_search_reaches_two_and_not_the_published_constant() -> None:
    """Every ascent ends at error = 2 OPT; the bound derived here is tight, 5.83 is not reached."""
    found = search_one_shot(degrees=(1, 3), ascents=2)
    assert 1.999 < found.ratio <= DERIVED * (1 + 1e-6) < PUBLISHED
    assert all(ratio <= DERIVED * (1 + 1e-6) for ratio in found.ascents)
    assert found.leaky == pytest.approx(2, rel=1e-12)
    assert leaky_ratio(1.0) == pytest.approx(2, rel=1e-12)


@pytest.mark.parametrize("slope", [0.2, 0.7, 1.0])
def test_leaky_labels_reach_two_with_the_real_learner(slope: float) -> None:
    """The learner's own queries and the searched OPT, instead of Hermite sums."""
    instance = draw(Decoy(-slope, 0.0, -1.0), 0.0)
    oracle = csq(instance, tolerance=Absolute(1e-9), policy=exact)
    learnt = run(one_shot_regression(instance.problem), oracle).value
    assert learnt is not None
    error = float(np.asarray(loss(instance, learnt).value))
    opt = best_neuron(instance, bias=0.0)
    assert opt.loss.value == pytest.approx(slope**2 / 2, abs=1e-6)
    assert error / opt.loss.value == pytest.approx(2, rel=1e-5)


@pytest.mark.parametrize("tolerance", [0.02])
@pytest.mark.parametrize(
    "corruption",
    [
        Decoy(-0.5, 0.0, -1.0),
        PushBack(unweighted(), 0.05, 0.0),
        PushBack(plain(0.0), 0.1, 0.5),
        CapAttack(0.05, 0.8, 1.0),
    ],
    ids=["leaky", "push", "plain-push", "cap"],
)
def test_error_stays_below_the_bound_with_its_tolerance_term(
    corruption: Corruption, tolerance: float
) -> None:
    """sqrt(error) <= sqrt(2 OPT) + sqrt(2 d) tau under an adversary, well inside the published."""
    instance = draw(corruption, 0.0)
    oracle = csq(instance, tolerance=Absolute(tolerance), policy=worst_direction)
    learnt = run(one_shot_regression(instance.problem), oracle).value
    assert learnt is not None
    opt = best_neuron(instance, bias=0.0).loss
    error = population_loss(instance, learnt).value
    term = np.sqrt(2 * 3) * tolerance
    assert np.sqrt(max(error, 0)) <= np.sqrt(DERIVED * (opt.value + opt.error)) + term + 1e-7


def test_hermite_sums_agree_with_quadrature() -> None:
    """Labels of one coefficient, integrated on a grid, against the linear map."""
    labels = Labels(3)
    nodes, weights = np.polynomial.hermite_e.hermegauss(80)
    weights = weights / weights.sum()
    x, z = np.meshgrid(nodes, nodes, indexing="ij")
    mass = np.outer(weights, weights)
    angle = 0.7
    neuron = np.maximum(np.cos(angle) * x + np.sin(angle) * z, 0.0)
    row = labels.correlations(np.array([angle]), np.zeros(1))[0]
    for value, (j, k) in zip(row, labels.indices, strict=True):
        h = [np.ones_like(nodes), nodes, (nodes**2 - 1) / np.sqrt(2)]
        h.append((nodes**3 - 3 * nodes) / np.sqrt(6))
        assert value == pytest.approx(float((mass * neuron * np.outer(h[j], h[k])).sum()), abs=5e-3)


def test_bad_questions() -> None:
    with pytest.raises(BadInput, match="noise"):
        best_neuron(draw(LabelNoise(0.1), 0.0))
    with pytest.raises(BadInput):
        best_neuron(draw(Decoy(1.0, 0.0), 0.0), norm=0.0)
    with pytest.raises(BadInput):
        leaky_ratio(2.0)
    with pytest.raises(BadInput):
        Labels(0)
