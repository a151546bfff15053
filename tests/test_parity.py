"""Sparse parities: what is drawn, what is answered, and a learner that reads the secret off."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import combinations

import numpy as np
import pytest

from sqsim import (
    L2,
    Absolute,
    BadInput,
    Batch,
    Budget,
    Correlation,
    MonteCarlo,
    Opaque,
    QueryRefused,
    Ridge,
    RootMeanSquare,
    Sample,
    Statistic,
    Status,
    Transcript,
    ask,
    cached,
    csq,
    exact,
    grid,
    replaying,
    run,
    sq,
    together,
    toward,
    toward_zero,
    uniform,
    worst_direction,
)
from sqsim.inputs import Gaussian, Rademacher
from sqsim.oracles.enumeration import Enumerate
from sqsim.oracles.instances import fingerprint
from sqsim.oracles.policies import policy_name
from sqsim.problems import Dataset
from sqsim.problems.cube import CubeFunction
from sqsim.problems.parity import SparseParity
from sqsim.queries import Characters
from sqsim.subsets import masks_of, parity_signs, sign_words
from sqsim.testing import check_strategy
from sqsim.tolerance import Scale

POLICIES = [exact, uniform, grid, toward_zero, toward(0.01), worst_direction]

policies = pytest.mark.parametrize("policy", POLICIES, ids=policy_name)


def correlational_learner(problem):
    """All parities in one round; the one that the label agrees with most."""
    answer = yield from ask(Correlation(Characters(), "all parities"))
    return members(int(np.argmax(answer)))


def thresholding_learner(problem):
    """The same from E[1(y > 0) chi_S], which no correlational oracle answers; S is not empty."""
    masks = np.arange(1, 2**problem.dimension)
    answer = yield from ask(
        Statistic(Characters(masks, h=lambda y: (y > 0) * 1.0), "positive labels")
    )
    return members(int(masks[np.argmax(answer)]))


def degree_learner(problem):
    """Only sets of the known size, in a dimension in which all sets are too many."""

    sets = list(combinations(range(problem.dimension), problem.sparsity))
    answer = yield from ask(Correlation(Characters.of(sets), "sets of the size"))
    return sets[int(np.argmax(answer))]


def members(mask):
    return tuple(j for j in range(mask.bit_length()) if mask >> j & 1)


@pytest.mark.parametrize("noise", [0, "0.1", 0.25])
@policies
def test_one_round_of_all_parities_finds_the_secret(policy, noise):
    """E[y chi_S] is 1 - 2 noise at the secret and 0 elsewhere; tau below half of it tells."""
    problem = SparseParity(10, 3, noise=noise)
    instance = problem.draw(seed=3)
    tau = 0.49 * float(1 - 2 * Fraction(noise))
    for tolerance in (Absolute(tau), L2(tau), RootMeanSquare(tau)):
        result = run(
            correlational_learner(problem), csq(instance, tolerance=tolerance, policy=policy)
        )
        assert result.value == instance.subset
        assert (result.ledger.queries, result.ledger.rounds) == (2**10, 1)


@pytest.mark.parametrize("lifted", [False, True])
@policies
def test_a_statistic_of_the_label_finds_it_too_but_not_a_correlational_oracle(policy, lifted):
    """E[1(y > 0) chi_S] is half the correlation; on Gaussian signs as on the cube."""
    problem = SparseParity(9, 4, noise="0.05", lifted=lifted)
    instance = problem.draw(seed=1)
    oracle = sq(instance, tolerance=Absolute(0.2), policy=policy)
    assert run(thresholding_learner(problem), oracle).value == instance.subset
    assert run(correlational_learner(problem), oracle).value == instance.subset
    with pytest.raises(QueryRefused, match="positive labels"):
        run(thresholding_learner(problem), csq(instance, tolerance=Absolute(0.2)))


def test_beyond_half_the_correlation_an_adversary_hides_the_parity():
    """toward_zero answers 0 to everything once tau >= 1 - 2 noise: nothing is learned."""
    problem = SparseParity(8, 2, noise=0.25)
    oracle = csq(problem.draw(seed=5), tolerance=L2(0.5), policy=toward_zero)
    (answer,) = oracle.answer(Batch((Correlation(Characters()),)), 0)
    assert not answer.any()


@pytest.mark.parametrize("lifted", [False, True])
def test_a_learner_of_known_size_works_where_the_cube_has_2_to_the_100_points(lifted):
    """The law knows which coefficient is not 0, so that no sum is needed; coordinates pass 64."""
    problem = SparseParity(100, 2, noise="0.2", lifted=lifted)
    instance = problem.draw(subset=(99, 7))
    oracle = csq(instance, tolerance=L2(0.2), policy=uniform)
    result = run(degree_learner(problem), oracle)
    assert result.value == instance.subset == (7, 99)
    assert result.ledger.queries == 4950


@pytest.mark.parametrize("lifted", [False, True])
def test_examples_alone_find_it(lifted):
    """A drawn table, and fresh samples in every turn."""
    problem = SparseParity(10, 3, noise="0.1", lifted=lifted)
    instance = problem.draw(seed=2)
    stream = np.random.default_rng(0)
    x = problem.inputs.sample(stream, 5000)
    table = Dataset(x, instance.labels.draw(x, stream))
    oracles = (
        csq(table, tolerance=Absolute(0.3), policy=worst_direction),
        csq(instance, tolerance=Absolute(0.3), policy=uniform, means=MonteCarlo(5000)),
    )
    for oracle in oracles:
        assert run(correlational_learner(problem), oracle).value == instance.subset


@pytest.mark.parametrize("noise", [0, "1/10", "1/4"])
def test_the_law_is_the_table_of_its_conditional_means(noise):
    """The closed form against a transform and a sum over the points of the same function."""
    problem = SparseParity(6, 3, noise=noise)
    instance = problem.draw(seed=4)
    means = [Fraction(int(s)) * instance.labels.scale for s in instance.labels.table()]
    function = CubeFunction(means, conditional=True)
    frame = np.random.default_rng(0).standard_normal((6, 2))
    queries = [
        Correlation(Characters()),
        Correlation(Characters(np.arange(64))),
        Statistic(Characters(h=np.exp)),
        Statistic(Characters()),
        Correlation(Ridge(np.tanh, frame[:, 0], 1)),
        Statistic(Ridge(lambda s, y: np.cos(s[:, 0] * y + s[:, 1]), frame, 2)),
        Statistic(Opaque(lambda x, y: x * np.exp(y)[:, None], 6)),
    ]
    for scale in Scale:
        closed, summed = (
            Enumerate().means(i, queries, [scale] * len(queries)) for i in (instance, function)
        )
        for one, two in zip(closed, summed, strict=True):
            assert (np.abs(one.value - two.value) <= one.error + np.asarray(two.error)).all()
            np.testing.assert_allclose(one.scale, two.scale, rtol=1e-14)
    exactly = closed[0]
    mask = sum(1 << i for i in instance.subset)
    assert exactly.value[mask] == float(1 - 2 * Fraction(noise))
    assert np.count_nonzero(exactly.value) == 1
    error = np.broadcast_to(exactly.error, 64)
    assert np.count_nonzero(error) == (Fraction(noise).denominator == 10)


def test_labels_are_flipped_at_the_known_rate():
    """y chi_S is -1 with the stated probability, independent of x."""
    for lifted in (False, True):
        problem = SparseParity(70, 3, noise=0.3, lifted=lifted)
        instance = problem.draw(subset=(0, 65, 69))
        stream = np.random.default_rng(1)
        x = problem.inputs.sample(stream, 40_000)
        y = instance.labels.draw(x, stream)
        flipped = y != np.prod(np.sign(x[:, instance.subset]), axis=1)
        deviation = math.sqrt(0.21 / 40_000)
        assert abs(flipped.mean() - 0.3) < 5 * deviation
        assert np.abs(np.sign(x).T @ (flipped - 0.3)).max() / 40_000 < 6 * deviation


def test_secrets_are_uniform_sets_of_the_size():
    """Each coordinate is in the set with probability k / d; the same seed draws the same set."""
    problem = SparseParity(8, 3)
    sets = [problem.draw(seed=seed).subset for seed in range(2000)]
    counts = np.bincount(np.ravel(sets), minlength=8) / 2000
    assert all(len(set(s)) == 3 and s == tuple(sorted(s)) for s in sets)
    np.testing.assert_allclose(counts, 3 / 8, atol=5 * math.sqrt(15 / 64 / 2000))
    assert problem.draw(seed=9).subset == problem.draw(seed=9).subset
    assert len({s for s in sets}) == 56


def test_what_is_shown_of_an_instance_does_not_name_the_set():
    """Neither its text nor the header of a transcript; fingerprints still differ."""
    problem = SparseParity(30, 3)
    one, two = problem.draw(subset=(11, 17, 23)), problem.draw(subset=(11, 17, 24))
    assert "11" not in repr(one)
    assert "17" not in str(csq(one, tolerance=L2(0.1)).describe())
    assert fingerprint(one) != fingerprint(two)
    assert fingerprint(one) == fingerprint(problem.draw(subset=(23, 11, 17)))


def test_signs_of_many_coordinates_are_packed_into_words():
    """Against plain products, at both sides of a border between words."""
    x = np.random.default_rng(0).standard_normal((200, 130))
    sets = [(), (63,), (64,), (0, 63, 64, 127, 128, 129), tuple(range(130))]
    masks = np.zeros((5, 3), dtype=np.uint64)
    masks[:] = masks_of(sets)
    expected = np.stack([np.prod(np.sign(x[:, list(s)]), axis=1) for s in sets], axis=1)
    assert np.array_equal(parity_signs(sign_words(x), masks), expected)


# Laws of strategies and runs, on a cube.


@pytest.mark.parametrize("learner", [correlational_learner, thresholding_learner])
def test_watching_and_resuming_change_nothing(learner, tmp_path):
    """Cached, recorded, replayed and resumed runs find the same, for the same ledger."""
    problem = SparseParity(8, 3, noise="0.1")
    instance = problem.draw(seed=6)

    def twice():
        one = yield from learner(problem)
        two = yield from learner(problem)
        return one, two

    oracle = sq(instance, tolerance=Absolute(0.1), policy=uniform, seed=3)
    bare = run(twice(), oracle)
    assert bare.value == (instance.subset,) * 2
    log = tmp_path / "log.jsonl"
    run(twice(), oracle, log=log, callback=lambda exchange, ledger: True)
    for other in (
        run(twice(), oracle, log=tmp_path / "whole.jsonl"),
        run(twice(), replaying(oracle, bare.transcript)),
        run(twice(), oracle, log=Transcript.resume(log)),
        run(twice(), cached(oracle)),
    ):
        assert (other.value, other.ledger) == (bare.value, bare.ledger)
    recorded = Transcript.read(tmp_path / "whole.jsonl")
    assert np.array_equal(recorded[1].answers[0], bare.transcript[1].answers[0])


def test_side_by_side_costs_the_join_and_a_budget_cuts():
    """A query for all parities costs 2^d scalars, and is asked whole or not at all."""
    problem = SparseParity(8, 3)
    oracle = sq(problem.draw(seed=1), tolerance=Absolute(0.1))
    side = run(together(correlational_learner(problem), thresholding_learner(problem)), oracle)
    assert (side.ledger.queries, side.ledger.rounds) == (2**9 - 1, 1)

    def cautious():
        from sqsim import BudgetSpent

        try:
            return (yield from correlational_learner(problem))
        except BudgetSpent:
            return None

    cut = run(cautious(), oracle, budget=Budget(queries=255))
    assert cut.status is Status.BUDGET_SPENT
    assert cut.ledger.queries == 0


def test_learners_of_parities_keep_the_laws_of_strategies():
    """Deterministic, and closed at any turn."""
    problem = SparseParity(7, 2, noise="0.1")
    oracle = sq(problem.draw(seed=1), tolerance=Absolute(0.1), policy=uniform)
    check_strategy(lambda: thresholding_learner(problem), oracle)
    check_strategy(lambda: correlational_learner(problem), oracle)


# Bad input.


def test_problems_that_are_none_are_refused():
    """Sizes, rates and sets out of range."""
    for sparsity in (-1, 6, 1.5, True):
        with pytest.raises(BadInput, match="sparsity"):
            SparseParity(5, sparsity)
    for noise in (0.5, -0.1, "1/2", math.nan, "much", None):
        with pytest.raises(BadInput, match="noise"):
            SparseParity(5, 2, noise=noise)
    with pytest.raises(BadInput, match="dimension"):
        SparseParity(0, 0)
    problem = SparseParity(5, 2)
    for subset in ((1,), (1, 2, 3), (1, 5), (1, 1), (-1, 2)):
        with pytest.raises(BadInput, match=r"wanted|set of coordinates"):
            problem.draw(subset=subset)
    assert isinstance(problem.inputs, Rademacher)
    assert isinstance(SparseParity(5, 2, lifted=True).inputs, Gaussian)


def test_other_forms_of_gaussian_inputs_are_refused_with_the_way_out():
    """Their means are no sums over signs."""
    instance = SparseParity(5, 2, lifted=True).draw()
    query = Correlation(Ridge(power=2), "matrix")
    with pytest.raises(QueryRefused, match=r"matrix: .*ParityQuadrature.*MonteCarlo"):
        csq(instance, tolerance=L2(0.1)).answer(Batch((query,)), 0)
    oracle = csq(instance, tolerance=L2(0.1), means=MonteCarlo(20_000))
    assert oracle.answer(Batch((query,)), 0)[0].shape == (5, 5)


def test_all_parities_of_a_large_cube_are_refused_with_an_estimate():
    """2^28 answers are 2 GiB, and as much again for their windows."""
    instance = SparseParity(28, 2).draw()
    with pytest.raises(
        QueryRefused, match=r"268435456 parities on a cube of dimension 28 need about 4 GiB"
    ):
        csq(instance, tolerance=L2(0.1), means=Enumerate(memory=2**30)).answer(
            Batch((Correlation(Characters()),)), 0
        )


def test_the_empty_set_is_a_parity():
    """y = 1 up to noise; E[y] tells."""
    instance = SparseParity(3, 0, noise="0.25").draw()
    query = [Correlation(Characters()), Statistic(Ridge(lambda y: y))]
    means = Enumerate().means(instance, query, [Scale.PRODUCT] * 2)
    assert means[0].value.tolist() == [0.5] + [0.0] * 7
    assert means[1].number == pytest.approx(0.5, abs=1e-15)
    x = instance.problem.inputs.sample(np.random.default_rng(0), 300)
    data = Dataset(x, instance.labels.draw(x, np.random.default_rng(1)))
    (mean,) = Sample().means(data, query[:1], [Scale.PRODUCT], seed=0, turn=0)
    assert mean.value[0] == pytest.approx(0.5, abs=0.2)
