"""The binarised network and its coarse gradients: closed forms against quadrature and sampling."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import zoo

from sqsim import (
    Absolute,
    BadInput,
    MonteCarlo,
    QueryRefused,
    Unperturbed,
    csq,
    run,
    toward_zero,
    worst_direction,
)
from sqsim.algorithms import (
    coarse_gradient,
    coarse_gradient_descent,
    network_gradient,
    network_loss,
)
from sqsim.problems import BinarisedNetwork, BinarisedRegression, ReluRegression
from sqsim.testing import check_strategy

ROWS, COLUMNS = 3, 4
PROBLEM = BinarisedRegression(ROWS, COLUMNS)
ESTIMATORS = ["relu", "identity"]
estimators = pytest.mark.parametrize("estimator", ESTIMATORS)
seeds = pytest.mark.parametrize("seed", range(4))


def network(seed: int, *, unit: bool = False) -> BinarisedNetwork:
    stream = np.random.default_rng(seed)
    outer, w = stream.standard_normal(ROWS), stream.standard_normal(COLUMNS)
    return BinarisedNetwork(outer, w / np.linalg.norm(w) if unit else w)


TARGET = BinarisedNetwork(np.array([1.0, -0.6, 0.8]), network(100, unit=True).filter)
INSTANCE = PROBLEM.draw(outer=TARGET.outer, filter=TARGET.filter)


def angle(one: Any, two: Any) -> float:
    return math.acos(float(one @ two / np.linalg.norm(one) / np.linalg.norm(two)))


# The landscape.


@seeds
def test_the_loss_is_half_the_mean_square_over_examples(seed):
    """Monte Carlo with 400 000 examples: within five standard errors."""
    other = network(seed)
    x = np.random.default_rng(seed).standard_normal((400_000, ROWS * COLUMNS))
    seen = (other(x) - TARGET(x)) ** 2 / 2
    spread = 5 * float(seen.std()) / math.sqrt(len(seen))
    assert network_loss(TARGET, other) == pytest.approx(float(seen.mean()), abs=spread)


@seeds
def test_the_gradient_is_the_difference_quotient_of_the_loss(seed):
    """To 1e-10, in v and in w, by central differences extrapolated twice."""
    other = network(seed)
    point = np.append(other.outer, other.filter)

    def at(z: Any) -> float:
        return network_loss(TARGET, BinarisedNetwork(z[:ROWS], z[ROWS:]))

    def slope(h: Any) -> float:
        return at(point + h) - at(point - h)

    size = 4e-3
    found = [
        (45 * slope(h) - 9 * slope(2 * h) + slope(3 * h)) / (60 * size)
        for h in size * np.eye(ROWS + COLUMNS)
    ]
    gradient = np.concatenate(network_gradient(TARGET, other))
    np.testing.assert_allclose(gradient, found, atol=1e-10)


@estimators
@seeds
def test_the_coarse_gradient_is_what_back_propagation_averages(seed, estimator):
    """Monte Carlo to 1e-2 of E[Z'(mu'(Zw) v)(yhat - y)]."""
    other = network(seed)
    x = np.random.default_rng(seed).standard_normal((400_000, ROWS * COLUMNS))
    rows = x.reshape(-1, ROWS, COLUMNS)
    slopes = (rows @ other.filter > 0) * 1.0 if estimator == "relu" else np.ones(rows.shape[:2])
    error = other(x) - TARGET(x)
    seen = np.einsum("k,ki,i,kij->j", error, slopes, other.outer, rows) / len(x)
    closed = coarse_gradient(TARGET, other, estimator=estimator)
    np.testing.assert_allclose(closed, seen, atol=1e-2 * (1 + np.abs(closed).max()))


@seeds
def test_coarse_gradients_descend_as_much_as_the_identities_say(seed):
    """<g, grad_w f> = sin(theta) <v, v*>^2 / (2 (2 pi)^(3/2) ||w||), and twice that."""
    other = network(seed)
    w = other.filter
    gradient = network_gradient(TARGET, other)[1]
    share = math.sin(angle(w, TARGET.filter)) * float(other.outer @ TARGET.outer) ** 2
    base = share / (2 * (2 * math.pi) ** 1.5 * float(np.linalg.norm(w)))
    for estimator, factor in (("relu", 1), ("identity", 2)):
        found = float(coarse_gradient(TARGET, other, estimator=estimator) @ gradient)
        assert found == pytest.approx(factor * base, rel=1e-10)


def spurious() -> BinarisedNetwork:
    """theta = pi and (I + J) v = (J - I) v*."""
    ones = np.ones((ROWS, ROWS))
    outer = np.linalg.solve(np.eye(ROWS) + ones, (ones - np.eye(ROWS)) @ TARGET.outer)
    return BinarisedNetwork(outer, -1.3 * TARGET.filter)


def test_only_the_relu_estimator_rests_at_the_spurious_critical_point():
    """The gradient in v is 0 there; the identity's is 0 only where v* adds up to 0, or m = 1."""
    at = spurious()
    assert np.abs(network_gradient(TARGET, at)[0]).max() <= 1e-14
    assert network_loss(TARGET, at) > 0.1
    assert np.abs(coarse_gradient(TARGET, at, estimator="relu")).max() <= 1e-14
    total = float(TARGET.outer.sum())
    expected = 2 * total**2 * (ROWS - 1) / (ROWS + 1) ** 2 / math.sqrt(2 * math.pi)
    found = float(np.linalg.norm(coarse_gradient(TARGET, at, estimator="identity")))
    assert found == pytest.approx(expected, rel=1e-12)
    assert found > 0.1


@estimators
def test_both_rest_at_the_target(estimator):
    """theta = 0 and v = v*: loss, gradient in v and coarse gradient are all 0."""
    at = BinarisedNetwork(TARGET.outer, 2.0 * TARGET.filter)
    assert network_loss(TARGET, at) == pytest.approx(0.0, abs=1e-15)
    assert np.abs(network_gradient(TARGET, at)[0]).max() <= 1e-15
    assert np.abs(coarse_gradient(TARGET, at, estimator=estimator)).max() <= 1e-15


# The strategy.


@estimators
@seeds
def test_a_step_through_queries_is_the_step_of_the_closed_forms(seed, estimator):
    """Quadrature's answers, and the label-free rest, give the coarse gradient to rounding."""
    start = network(seed)
    strategy = coarse_gradient_descent(
        PROBLEM, start=start, estimator=estimator, steps=1, step_size=0.7
    )
    found = run(strategy, zoo.exact_oracle(INSTANCE)).value
    in_outer = network_gradient(TARGET, start)[0]
    in_filter = coarse_gradient(TARGET, start, estimator=estimator)
    np.testing.assert_allclose(found.outer, start.outer - 0.7 * in_outer, atol=1e-13)
    np.testing.assert_allclose(found.filter, start.filter - 0.7 * in_filter, atol=1e-13)


@estimators
def test_one_opaque_vector_asks_the_same_of_samples(estimator):
    """To the error of 200 000 examples."""
    start = network(1)
    strategy = coarse_gradient_descent(
        PROBLEM, start=start, estimator=estimator, steps=1, step_size=1.0, by_rows=False
    )
    oracle = csq(INSTANCE, tolerance=Absolute(0.2), means=MonteCarlo(200_000))
    result = run(strategy, oracle)
    in_filter = coarse_gradient(TARGET, start, estimator=estimator)
    np.testing.assert_allclose(start.filter - result.value.filter, in_filter, atol=0.03)
    assert (result.ledger.rounds, result.ledger.queries) == (1, ROWS + COLUMNS)


@pytest.mark.parametrize(
    ("estimator", "queries"),
    [("relu", ROWS + ROWS * ROWS * COLUMNS), ("identity", ROWS + ROWS * COLUMNS)],
)
def test_ledger_is_the_docstrings_formula(estimator, queries):
    """And a correlational oracle answers it."""
    strategy = coarse_gradient_descent(PROBLEM, start=network(1), estimator=estimator, steps=5)
    ledger = run(strategy, csq(INSTANCE, tolerance=Unperturbed())).ledger
    assert (ledger.rounds, ledger.queries) == (5, 5 * queries)


@estimators
@pytest.mark.parametrize("seed", range(3))
def test_it_finds_the_target_from_starts_that_agree_with_it(seed, estimator):
    """<v, v*> > 0 and <w, w*> > 0 at the start: the loss falls by three orders in 60 steps."""
    stream = np.random.default_rng(seed)
    outer, w = TARGET.outer + 0.3 * stream.standard_normal(ROWS), stream.standard_normal(COLUMNS)
    start = BinarisedNetwork(outer, w * np.sign(w @ TARGET.filter) / np.linalg.norm(w))
    assert start.outer @ TARGET.outer > 0
    strategy = coarse_gradient_descent(PROBLEM, start=start, estimator=estimator, steps=60)
    found = run(strategy, zoo.exact_oracle(INSTANCE)).value
    assert network_loss(TARGET, found) <= 1e-3 * network_loss(TARGET, start)


@pytest.mark.parametrize("policy", [toward_zero, worst_direction])
@estimators
def test_a_tolerance_keeps_it_near_the_target(estimator, policy):
    """Absolute 1e-3 in every answer: the loss stays below a hundredth of the start's."""
    start = BinarisedNetwork(TARGET.outer + 0.3, TARGET.filter + 0.5 * network(5).filter)
    strategy = coarse_gradient_descent(PROBLEM, start=start, estimator=estimator, steps=40)
    found = run(strategy, csq(INSTANCE, tolerance=Absolute(1e-3), policy=policy)).value
    assert network_loss(TARGET, found) <= 0.01 * network_loss(TARGET, start)


def test_the_estimators_part_at_the_spurious_point():
    """Near it the identity moves away in length or direction; the ReLU's steps stay small."""
    at = spurious()
    moved = []
    for estimator in ESTIMATORS:
        strategy = coarse_gradient_descent(PROBLEM, start=at, estimator=estimator, steps=1)
        found = run(strategy, zoo.exact_oracle(INSTANCE)).value
        moved.append(float(np.linalg.norm(found.filter - at.filter)))
    assert moved[0] <= 1e-13
    assert moved[1] > 0.05


@estimators
def test_it_asks_the_same_again_and_can_be_closed(estimator):
    check_strategy(
        lambda: coarse_gradient_descent(PROBLEM, estimator=estimator, steps=3, seed=4),
        csq(INSTANCE, tolerance=Absolute(0.01), policy=toward_zero),
    )


# The problem.


def test_labels_of_the_instance_are_the_networks():
    x = np.random.default_rng(0).standard_normal((500, ROWS * COLUMNS))
    labels = INSTANCE.labels.draw(x, np.random.default_rng(1))
    np.testing.assert_allclose(labels, TARGET(x), atol=1e-12)


def test_a_seed_draws_the_same_instance_again():
    one, two, other = (PROBLEM.draw(seed=s).labels.columns[0] for s in (1, 1, 2))
    np.testing.assert_array_equal(one, two)
    assert not np.allclose(one, other)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: BinarisedRegression(0, 3), "rows"),
        (lambda: PROBLEM.draw(outer=np.ones(2)), "outer"),
        (lambda: PROBLEM.draw(filter=np.zeros(COLUMNS)), "filter"),
        (lambda: PROBLEM.draw(noise=-1.0), "noise"),
        (lambda: network_loss(TARGET, BinarisedNetwork(np.ones(2), np.ones(COLUMNS))), "shapes"),
        (lambda: network_loss(TARGET, BinarisedNetwork(TARGET.outer, 0 * TARGET.filter)), "length"),
        (lambda: coarse_gradient(TARGET, TARGET, estimator="clipped"), "estimator"),  # type: ignore[arg-type]
        (lambda: next(coarse_gradient_descent(PROBLEM, steps=0)), "steps"),
        (lambda: next(coarse_gradient_descent(PROBLEM, estimator="x")), "estimator"),  # type: ignore[arg-type]
        (lambda: next(coarse_gradient_descent(ReluRegression(3))), "BinarisedRegression"),  # type: ignore[arg-type]
        (
            lambda: next(
                coarse_gradient_descent(PROBLEM, start=BinarisedNetwork(np.ones(1), np.ones(1)))
            ),
            "start",
        ),
    ],
)
def test_bad_input_is_refused_in_words(call, words):
    with pytest.raises(BadInput, match=words):
        call()


def test_quadrature_refuses_the_opaque_vector():
    strategy = coarse_gradient_descent(PROBLEM, by_rows=False, steps=1)
    with pytest.raises(QueryRefused, match="Opaque"):
        run(strategy, zoo.exact_oracle(INSTANCE))
