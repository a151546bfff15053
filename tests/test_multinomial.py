"""Weighted monomials: their kernel, their sums without the matrix, their moments, their queries."""

from __future__ import annotations

import math

import numpy as np
import pytest

from sqsim import (
    Absolute,
    BadInput,
    MonteCarlo,
    QueryRefused,
    RootMeanSquare,
    Sample,
    Unperturbed,
    ask,
    csq,
    run,
    sq,
)
from sqsim.featured import Featured, Pairs
from sqsim.inputs import Empirical, Gaussian, Rademacher
from sqsim.monomial_moments import moment_matrix
from sqsim.multinomial import MonomialFeatures, multinomial_kernel
from sqsim.oracles.entries import entries
from sqsim.problems import Dataset
from sqsim.queries import Correlation, Opaque, Ridge, Statistic
from sqsim.sphere import Sphere
from sqsim.tolerance import Scale

SIZES = [(1, 0), (1, 5), (2, 3), (3, 4), (4, 1), (5, 6)]
sizes = pytest.mark.parametrize(("n", "d"), SIZES)


def points(count: int, n: int, seed: int = 0) -> np.ndarray:
    x = np.random.default_rng(seed).standard_normal((count, n))
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def table(n: int = 3, count: int = 40) -> Dataset:
    x = points(count, n, 5) * np.linspace(0.2, 1.0, count)[:, None]
    return Dataset(x, np.clip(x[:, 0] + 0.2, 0.0, 1.0))


@sizes
def test_each_monomial_is_there_once_with_its_multinomial_weight(n, d):
    """The order of heads and tails is a bijection onto exponents of degree <= d."""
    features, x = MonomialFeatures(n, d), points(5, n)
    rows = {tuple(row) for row in features.exponents.tolist()}
    assert len(rows) == features.size == math.comb(n + d, d)
    assert features.degrees.max() == d
    bare = np.prod(x[:, None] ** features.exponents[None].astype(float), axis=2)
    for row, weight in zip(features.exponents.tolist(), features.weights, strict=True):
        many = math.factorial(sum(row)) / math.prod(map(math.factorial, row))
        assert weight == pytest.approx(math.sqrt(many), rel=1e-14)
    assert features.matrix(x) == pytest.approx(bare * features.weights, abs=1e-14)


@sizes
def test_inner_products_of_features_are_the_multinomial_kernel(n, d):
    """<psi(x), psi(x')> = sum of <x, x'>^j; on the sphere ||psi||^2 = d + 1."""
    features, x, z = MonomialFeatures(n, d), points(6, n), points(4, n, 1)
    kernel = sum((x @ z.T) ** j for j in range(d + 1))
    assert features.matrix(x) @ features.matrix(z).T == pytest.approx(kernel, abs=1e-13)
    assert multinomial_kernel(x, z, d) == pytest.approx(kernel, abs=1e-13)
    assert (features.matrix(x) ** 2).sum(axis=1) == pytest.approx(d + 1, rel=1e-13)


@sizes
def test_scores_and_sums_need_no_matrix(n, d):
    """Products of heads and tails are the products with the whole matrix."""
    features, stream = MonomialFeatures(n, d), np.random.default_rng(2)
    x = stream.standard_normal((1500, n)) / 2
    c, r = stream.standard_normal(features.size), stream.standard_normal(len(x))
    psi = features.matrix(x)
    assert features.values(c, x) == pytest.approx(psi @ c, rel=1e-11, abs=1e-11)
    assert features.weighted_sum(x, r) == pytest.approx(r @ psi, rel=1e-11, abs=1e-10)


@sizes
def test_a_polynomial_of_one_direction_is_embedded_with_its_norm(n, d):
    """p(<w, x>) has coefficients p_j psi_I(w) and norm^2 sum p_j^2 ||w||^2j."""
    features, x = MonomialFeatures(n, d), points(9, n)
    p, w = np.random.default_rng(3).standard_normal(d + 1), 0.7 * points(1, n, 8)[0]
    v = features.embedding(p, w)
    assert features.values(v, x) == pytest.approx(np.polyval(p[::-1], x @ w), abs=1e-12)
    assert v @ v == pytest.approx(sum(c**2 * 0.49**j for j, c in enumerate(p)), rel=1e-12)


def test_too_many_features_are_refused_before_they_are_made():
    """The message has the number and the estimate."""
    with pytest.raises(BadInput, match=r"1623160 features.*GiB"):
        MonomialFeatures(29, 6).check_memory(limit=2**24)
    with pytest.raises(BadInput, match="GiB with a matrix of 1000000 rows"):
        MonomialFeatures(20, 6).check_memory(dense_rows=1_000_000)
    assert MonomialFeatures(20, 6).size == 230230
    MonomialFeatures(20, 6).check_memory()
    for wrong in ((0, 2), (2, -1), (2.5, 1)):
        with pytest.raises(BadInput, match="wanted a whole number"):
            MonomialFeatures(*wrong)


LAWS = [Gaussian(3), Rademacher(3), Sphere(3), Sphere(2)]


@pytest.mark.parametrize("law", LAWS, ids=lambda law: f"{type(law).__name__}{law.dimension}")
def test_moments_of_known_laws_are_those_of_a_sample(law):
    """E[psi psi'] by formula lies within sampling error of an average, entry by entry."""
    features, count = MonomialFeatures(law.dimension, 3), 200_000
    psi = features.matrix(law.sample(np.random.default_rng(4), count))
    exact = moment_matrix(features, law)
    sampled = psi.T @ psi / count
    spread = np.sqrt((psi**2).T @ (psi**2) / count)
    assert np.all(np.abs(sampled - exact) <= 6 * spread / math.sqrt(count) + 1e-9)
    if isinstance(law, Sphere):
        assert np.trace(exact) == pytest.approx(4)


def test_moments_of_a_table_are_averages_over_its_rows():
    """Empirical inputs need no formula."""
    data, features = table(), MonomialFeatures(3, 2)
    psi = features.matrix(data.inputs)
    assert moment_matrix(features, Empirical(data.inputs)) == pytest.approx(psi.T @ psi / 40)


@pytest.mark.parametrize("dimension", [2, 3, 8, 200])
def test_expectations_over_the_sphere_agree_with_their_closed_forms(dimension):
    """E relu(<w, x>), E x h and E x x' h along one direction."""
    law, w = Sphere(dimension), np.eye(1, dimension)[0] * 2.0
    half = math.exp(
        math.lgamma(dimension / 2) - math.lgamma((dimension + 1) / 2) - math.log(2)
    ) / math.sqrt(math.pi)
    mean = law.expectation(Ridge(lambda s: np.maximum(s, 0.0), w, kinks=(0.0,)))
    assert mean == pytest.approx(2 * half, rel=1e-12)
    first = law.expectation(Ridge(lambda s: s, w, power=1))
    assert first == pytest.approx(2 / dimension * np.eye(1, dimension)[0], abs=1e-13)
    second = law.expectation(Ridge(power=2))
    assert second == pytest.approx((1 / dimension - 1) * np.eye(dimension), abs=1e-12)


@pytest.mark.parametrize("framed", [False, True])
@pytest.mark.parametrize("kind", [Correlation, Statistic])
@pytest.mark.parametrize("scale", list(Scale))
def test_a_featured_mean_is_that_of_the_opaque_query_it_stands_for(framed, kind, scale):
    """Sums by heads and tails, their norms and their errors, against the matrix of entries."""
    data, features = table(), MonomialFeatures(3, 3)
    stream = np.random.default_rng(6)
    c = stream.standard_normal(features.size)
    frame = stream.standard_normal((features.size, 4)) if framed else None
    h = np.cos if kind is Correlation else lambda s, y: np.cos(s) * (y - 0.3)
    form = Featured(features, h, c, frame)
    size = form.shape(3)[0]
    whole = (lambda x: form.entries(x, None)) if kind is Correlation else form.entries
    pair = [kind(form), kind(Opaque(whole, size))]
    fast, plain = Sample().means(data, pair, [scale, scale], seed=0, turn=0)
    assert np.all(np.abs(fast.value - plain.value) <= fast.error + plain.error)
    assert np.max(fast.error) < 1e-12 * (50 if framed else 1)
    assert fast.scale == pytest.approx(plain.scale, rel=1e-11)


def test_sampling_and_recording_take_featured_queries():
    """Monte Carlo confesses a fair error; RootMeanSquare finds its norms; marks tell queries."""
    data, features = table(), MonomialFeatures(3, 2)
    query = Correlation(Featured(features))
    exact = run(ask(query), csq(data, tolerance=Unperturbed())).value
    psi = features.matrix(data.inputs)
    assert exact == pytest.approx(data.targets @ psi / 40, abs=1e-14)
    means = MonteCarlo(20_000)
    sampled = run(ask(query), csq(data, tolerance=RootMeanSquare(0.1), means=means)).value
    assert np.all(np.abs(sampled - exact) < 0.05)
    others = [Featured(features, coefficients=None, h=None), Featured(MonomialFeatures(3, 3))]
    assert others[0].mark(3, labelled=False) != others[1].mark(3, labelled=False)


def test_the_kernel_trick_is_not_a_statistical_query():
    """K(x, x') needs two examples: the oracle refuses, and says what to ask instead."""
    data = table()
    pairs = Pairs(lambda x, y, z, t: multinomial_kernel(x, z, 2) * y * t)
    with pytest.raises(QueryRefused, match=r"two examples at once.*not a statistical query"):
        run(ask(Statistic(pairs, "kernel")), sq(data, tolerance=Absolute(0.1)))


def test_features_of_another_dimension_are_refused():
    """The shapes are named."""
    with pytest.raises(BadInput, match="of 2 variables, the inputs have dimension 3"):
        run(ask(Correlation(Featured(MonomialFeatures(2, 2)))), csq(table(), tolerance=Absolute(1)))
    with pytest.raises(BadInput, match="6 rows, one for each feature"):
        Featured(MonomialFeatures(2, 2), coefficients=np.ones(5))
    with pytest.raises(BadInput, match="has 2 directions"):
        Sphere(3).expectation(Ridge(lambda s: s[:, 0], np.eye(3)[:, :2]))


def test_evaluators_of_single_examples_take_featured_queries():
    """Sampling oracles value entries one example at a time, held to the declared range."""
    data, features = table(), MonomialFeatures(3, 2)
    x, y = np.asarray(data.inputs), np.asarray(data.targets)
    found = entries(Correlation(Featured(features)), x, y)
    assert found == pytest.approx(features.matrix(x) * y[:, None])
    with pytest.raises(BadInput, match="declares values in"):
        entries(Correlation(Featured(features), range=(-0.1, 0.1)), x, y)
    form = Featured(features, lambda s, y: s * np.nan, np.ones(features.size))
    with pytest.raises(BadInput, match="not finite on 40 of 40"):
        run(ask(Statistic(form)), sq(data, tolerance=Unperturbed()))
