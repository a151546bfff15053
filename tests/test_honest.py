"""Oracles that sample: what they promise, how often they miss, and how many examples that takes."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from bernoulli import LABEL, RUNS, SIGNED, SURE, Bernoulli, consistent, misses
from scipy import stats

from sqsim.algorithms import gradient_descent, one_shot_regression
from sqsim.bounded import Stat, VStat
from sqsim.errors import BadInput, QueryRefused
from sqsim.loop import run
from sqsim.oracles.binomial import (
    bits_needed,
    blocks_needed,
    failure_of_bits,
    failure_of_variance_bits,
    variance_bits_needed,
)
from sqsim.oracles.bits import bits_for_stat, one_stat, through_bits
from sqsim.oracles.entries import entries
from sqsim.oracles.sampling import Sample
from sqsim.oracles.sampling_oracles import fresh_stat, honest, reused_stat, unbiased
from sqsim.oracles.wrappers import cached
from sqsim.problems import Dataset, ReluRegression
from sqsim.problems.chunked import Chunked
from sqsim.queries import Batch, Characters, Correlation, Opaque, Ridge, Statistic
from sqsim.strategy import ask, ask_all
from sqsim.testing import check_oracle
from sqsim.tolerance import L2, Absolute, Mean, RootMeanSquare, Scale
from sqsim.transcript import Transcript

INSTANCE = ReluRegression(3, norm=1.0, bias=0.0).draw(seed=1)


def exact_failure(count: int, p, radius) -> float:
    """P(|X / n - p| > r(p)), largest over the given p, from scipy's own binomial law."""
    p = np.asarray(p)
    r = radius(p)
    over = np.floor(count * (p + r) + 1e-9)
    under = np.ceil(count * (p - r) - 1e-9)
    law = stats.binom(count, p)
    return float(np.max(law.sf(over) + law.cdf(under - 1)))


@pytest.mark.parametrize("rounded", [True, False], ids=["bits", "plain"])
def test_fresh_stat_misses_no_more_often_than_it_says(rounded: bool) -> None:
    """The worst query for a promise about bounded values is a fair sign."""
    oracle = fresh_stat(
        Bernoulli(0.5), tolerance=Absolute(0.25), failure=0.1, queries=1, clip=1.0, rounded=rounded
    )
    count = misses(oracle, SIGNED, 0.0, 0.25)
    assert consistent(count, 0.1)
    if rounded:
        assert count > 0.03 * RUNS, "the promise is lavish: the count should be exact"


def test_stat_and_vstat_of_declared_ranges_keep_their_promise() -> None:
    stat = fresh_stat(Bernoulli(0.5), tolerance=Stat(0.3), failure=0.1, queries=1)
    assert consistent(misses(stat, SIGNED, 0.0, 0.3), 0.1)
    for p in (0.5, 0.06):
        vstat = fresh_stat(Bernoulli(p), tolerance=VStat(20), failure=0.1, queries=1, seed=3)
        radius = max(1 / 20, math.sqrt(p * (1 - p) / 20))
        assert consistent(misses(vstat, LABEL, p, radius), 0.1)


def test_median_of_means_needs_no_range() -> None:
    """A heavy tail: x^3 of a Gaussian has mean 0 and E[x^6] = 15."""
    oracle = fresh_stat(INSTANCE, tolerance=RootMeanSquare(0.5), failure=0.1, queries=1)
    cube = Statistic(Opaque(lambda x, y: x[:, 0] ** 3), "cube")
    assert consistent(misses(oracle, cube, 0.0, 0.5 * math.sqrt(15)), 0.1)
    rare = Statistic(Ridge(lambda y: 10.0 * y), "rare")
    found = misses(
        fresh_stat(Bernoulli(0.01), tolerance=RootMeanSquare(0.5), failure=0.1, queries=1),
        rare,
        0.1,
        0.5 * math.sqrt(1.0),
    )
    assert consistent(found, 0.1)


@pytest.mark.parametrize("make", [honest, unbiased])
def test_honest_answers_keep_chebyshev_and_are_unbiased(make) -> None:
    oracle = make(Bernoulli(0.5), samples=25, failure=0.1)
    radius = oracle.tolerance.tau * math.sqrt(0.5)
    assert consistent(misses(oracle, LABEL, 0.5, radius), 0.1)
    answers = [float(oracle.answer(Batch((LABEL,)), t)[0]) for t in range(RUNS)]
    # The average of 2000 answers is normal with deviation 0.1 / sqrt(2000).
    assert abs(np.mean(answers) - 0.5) < 4 * 0.1 / math.sqrt(RUNS)
    # An honest answer is an average of 25 bits: its variance is p (1 - p) / 25.
    assert np.var(answers) == pytest.approx(0.01, rel=0.15)


def test_one_stat_bits_have_the_law_of_the_example() -> None:
    oracle = one_stat(Bernoulli(0.3), bits=2)
    pair = Statistic(Opaque(lambda x, y: np.stack([y, 1 - y], axis=1), 2), "pair")
    answers = np.array([oracle.answer(Batch((pair,)), turn)[0] for turn in range(RUNS)])
    assert (answers.sum(axis=1) == 1).all()
    assert stats.binomtest(int(answers[:, 0].sum()), RUNS, 0.3).pvalue > SURE
    batch = oracle.answer(Batch((LABEL,) * 400), 0)
    assert 0.2 < np.mean(batch) < 0.4, "one object asked 400 times is 400 examples"


def test_stat_through_bits_keeps_its_promise() -> None:
    tolerance = Absolute(0.5)
    options = {"tolerance": tolerance, "failure": 0.1, "queries": 1, "clip": 1.0}

    def strategy():
        return (yield from ask(SIGNED))

    needed = bits_for_stat(**options)
    missed = 0
    for seed in range(RUNS):
        oracle = one_stat(Bernoulli(0.5), seed=seed)
        bits = through_bits(strategy(), dimension=1, seed=seed, **options)
        batch = next(bits)
        assert len(batch.queries) == needed
        with pytest.raises(StopIteration) as stop:
            bits.send(oracle.answer(batch, 0))
        missed += abs(stop.value.value) > 0.5
    assert consistent(missed, 0.1)


def test_through_bits_runs_a_learner_unchanged() -> None:
    """One-shot regression, every scalar from single bits of single examples."""
    bits = through_bits(
        one_shot_regression(INSTANCE.problem),
        dimension=3,
        tolerance=Absolute(0.4),
        failure=0.05,
        queries=3,
        clip=6.0,
        seed=1,
    )
    result = run(bits, one_stat(INSTANCE, seed=5))
    # Clipping at 6 moves these means by less than 0.02, and the weights are twice the answers.
    assert np.abs(result.value.weights - INSTANCE.target.weights).max() < 2 * (0.4 + 0.02)
    assert result.ledger.rounds == 1


def test_through_bits_refuses_what_was_not_counted() -> None:
    def strategy():
        yield from ask(SIGNED)
        try:
            yield from ask(SIGNED)
        except QueryRefused as refusal:
            return str(refusal)

    bits = through_bits(
        strategy(), dimension=1, tolerance=Absolute(0.5), failure=0.1, queries=1, clip=1.0
    )
    assert "counted for 1" in run(bits, one_stat(Bernoulli(0.5))).value


@pytest.mark.parametrize("half_width", [0.2, 0.05])
@pytest.mark.parametrize("failure", [0.2, 0.05, 1e-3, 1e-6])
def test_bits_needed_is_near_the_smallest_that_works(half_width: float, failure: float) -> None:
    """On the worst query, a bit of unknown mean: by scipy's binomial law on a fine grid of p."""

    def radius(p):
        return np.full_like(p, half_width)

    found = bits_needed(half_width, failure)
    grid = np.linspace(0, 1, 4001)
    assert exact_failure(found, grid, radius) <= failure
    # The fair bit alone proves that fewer fail: any count up to 1 / 1.3 of it.
    fewer = range(max(1, int(found / 1.3) - 60), int(found / 1.3) + 1)
    assert all(exact_failure(n, grid, radius) > failure for n in fewer if n >= 1)


@pytest.mark.parametrize("size", [10, 200])
@pytest.mark.parametrize("failure", [0.05, 1e-4])
def test_variance_bits_needed_is_near_the_smallest_that_works(size: int, failure: float) -> None:
    def radius(p):
        return np.maximum(1 / size, np.sqrt(p * (1 - p) / size))

    found = variance_bits_needed(float(size), failure)
    grid = np.sin(np.linspace(0, np.pi / 2, 4001)) ** 2
    assert exact_failure(found, grid, radius) <= failure
    fewer = range(max(1, int(found / 1.3) - 40), int(found / 1.3) + 1)
    assert all(exact_failure(n, grid, radius) > failure for n in fewer)


def test_failure_bounds_are_above_exact_failures_and_near() -> None:
    for count in (7, 40, 300):
        for h in (0.3, 0.11):
            grid = np.linspace(0, 1, 20001)
            exact = exact_failure(count, grid, lambda p, h=h: np.full_like(p, h))
            bound = failure_of_bits(count, h)
            assert exact <= bound <= 1.6 * exact + 1e-12
        exact = exact_failure(count, grid, lambda p: np.maximum(1 / 30, np.sqrt(p * (1 - p) / 30)))
        assert exact <= failure_of_variance_bits(count, 30.0) * (1 + 1e-9)
    assert failure_of_bits(5, 1.0) == 0.0


@pytest.mark.parametrize("failure", [0.05, 1e-3, 1e-5])
def test_blocks_needed_is_near_the_smallest_for_a_rare_large_value(failure: float) -> None:
    """phi is 1 with probability p, and p is the worst: blocks as many, how small may they be?"""
    tau = 0.1
    blocks, size = blocks_needed(tau, failure)
    p = np.geomspace(1e-5, 0.5, 4000)

    def missing(m: int) -> float:
        over = stats.binom(m, p).sf(np.floor(m * (p + tau * np.sqrt(p)) + 1e-9))
        under = stats.binom(m, p).cdf(np.ceil(m * (p - tau * np.sqrt(p)) - 1e-9) - 1)
        half = (blocks + 1) // 2
        tail = stats.binom(blocks, over).sf(half - 1) + stats.binom(blocks, under).sf(half - 1)
        return float(np.max(tail))

    assert missing(size) <= failure
    assert missing(int(size / 1.3)) > failure


def test_reused_sample_is_one_sample_and_its_promise_is_for_one_round() -> None:
    options = {"tolerance": Absolute(0.3), "failure": 0.05, "queries": 40, "clip": 3.0}
    reused = reused_stat(INSTANCE, **options)
    query = Correlation(Ridge(power=1), "moment")
    first, later = reused.answer(Batch((query,)), 0)[0], reused.answer(Batch((query,)), 5)[0]
    np.testing.assert_array_equal(first, later)
    fresh = fresh_stat(INSTANCE, **options)
    assert (fresh.answer(Batch((query,)), 0)[0] != fresh.answer(Batch((query,)), 5)[0]).any()

    one = run(one_shot_regression(INSTANCE.problem), reused).guarantee
    assert one is not None
    assert one.void is None
    many = run(gradient_descent(INSTANCE.problem, steps=2), reused)
    assert "rounds were asked" in (many.guarantee.void or "")
    assert "guarantee void" in repr(many)
    assert many.to_dict()["guarantee"]["void"]
    assert "void" in many._repr_html_()


def test_reused_sample_misses_no_more_often_than_it_says() -> None:
    missed = 0
    for seed in range(RUNS):
        oracle = reused_stat(
            Bernoulli(0.5), tolerance=Absolute(0.5), failure=0.1, queries=1, clip=1.0, seed=seed
        )
        missed += abs(float(oracle.answer(Batch((SIGNED,)), 0)[0])) > 0.5
    assert consistent(missed, 0.1)


def test_a_run_says_what_was_promised_and_when_it_was_outrun() -> None:
    oracle = fresh_stat(
        INSTANCE, tolerance=Absolute(0.3), failure=0.05, queries=3, clip=3.0, seed=4
    )
    result = run(one_shot_regression(INSTANCE.problem), oracle)
    assert result.guarantee is not None
    assert result.guarantee.failure == 0.05
    assert "probability at least 0.95" in str(result.guarantee)
    outrun = run(gradient_descent(INSTANCE.problem, steps=1), cached(oracle)).guarantee
    assert "scalar queries were asked; it is about 3" in (outrun.void or "")
    assert json.dumps(oracle.describe())
    certain = run(one_shot_regression(INSTANCE.problem), cached(oracle))
    assert certain.guarantee is not None, "a wrapper does not hide the promise"


def test_answers_are_pure_and_do_not_depend_on_the_rest_of_the_batch() -> None:
    queries = (
        Correlation(Ridge(power=1), "moment"),
        Statistic(Ridge(lambda y: (np.abs(y) > 0.5) * 1.0, power=2), "matrix"),
        Statistic(SIGNED.form, "of labels of any size"),
    )
    for make in (
        lambda: honest(INSTANCE, samples=3000),
        lambda: unbiased(INSTANCE, samples=3000),
        lambda: fresh_stat(INSTANCE, tolerance=Absolute(0.5), failure=0.1, queries=20, clip=2.0),
        lambda: reused_stat(INSTANCE, tolerance=Absolute(0.5), failure=0.1, queries=20, clip=2.0),
        lambda: fresh_stat(INSTANCE, tolerance=RootMeanSquare(0.5), failure=0.1, queries=20),
    ):
        whole = make().answer(Batch(queries), 2)
        cut = make().answer(Batch(queries[:2]), 2)
        for one, two in zip(whole, cut, strict=False):
            np.testing.assert_array_equal(one, two)
        assert np.array_equal(whole[1], whole[1].T)
        twice = make().answer(Batch((queries[0], queries[0])), 2)
        np.testing.assert_array_equal(*twice)


def test_sampling_oracles_keep_the_laws_of_oracles() -> None:
    """Purity, JSON headers, shapes and the refusal of finer tolerances, as for certain oracles."""
    batch = Batch((SIGNED,))
    law = Bernoulli(0.5)
    options = {"tolerance": Absolute(0.4), "failure": 1e-4, "queries": 2, "clip": 1.0}
    for oracle in (fresh_stat(law, **options), reused_stat(law, **options)):
        check_oracle(oracle, batch, [0.0])
    wide = Mean(np.asarray(0.0), 0.0, 1.0)
    check_oracle(honest(law, samples=400, failure=0.01), batch, [wide])
    check_oracle(unbiased(law, samples=400, failure=0.01), batch, [wide])


def test_resuming_a_sampled_run_changes_nothing(tmp_path) -> None:
    def oracle():
        return fresh_stat(INSTANCE, tolerance=Absolute(0.3), failure=0.05, queries=30, clip=3.0)

    def learner():
        return gradient_descent(INSTANCE.problem, steps=3)

    path = tmp_path / "run.jsonl"
    whole = run(learner(), oracle())
    run(learner(), oracle(), log=path, callback=lambda exchange, _: exchange.turn == 1)
    resumed = run(learner(), oracle(), log=Transcript.resume(path))
    np.testing.assert_array_equal(whole.value.weights, resumed.value.weights)
    assert resumed.guarantee == whole.guarantee


def test_entries_are_what_tables_average() -> None:
    """Every form of query, against the means of the same rows by Sample()."""
    draw = np.random.default_rng(0)
    x = draw.standard_normal((300, 3))
    table = Dataset(x, np.maximum(x[:, 0], 0) + 0.1 * draw.standard_normal(300))
    queries = [Correlation(Ridge(lambda s: s**2, np.ones(3), power), "c") for power in (0, 1, 2)]
    queries += [Statistic(Ridge(lambda y: np.abs(y), power=power), "s") for power in (0, 1, 2)]
    queries += [Correlation(Characters.of([(0, 2), (), (1,)]), "parities")]
    queries += [Statistic(Characters(None, lambda y: y**2), "all parities")]
    queries += [Statistic(Opaque(lambda x, y: x[:, :2] * y[:, None], 2), "pair")]
    means = Sample().means(table, queries, [Scale.NONE] * len(queries), seed=0, turn=0)
    for query, mean in zip(queries, means, strict=True):
        value = np.asarray(mean.value)
        flat = value[np.triu_indices(3)] if value.ndim == 2 else np.ravel(value)
        np.testing.assert_allclose(
            entries(query, table.inputs, table.targets).mean(axis=0), flat, atol=1e-12
        )


def test_a_table_is_drawn_from_with_replacement() -> None:
    draw = np.random.default_rng(1)
    table = Dataset(draw.standard_normal((50, 2)), draw.choice([0.0, 1.0], 50))
    oracle = fresh_stat(table, tolerance=Absolute(0.2), failure=1e-6, queries=1, clip=1.0)
    answer = float(oracle.answer(Batch((LABEL,)), 0)[0])
    assert oracle.samples > 50
    assert abs(answer - table.targets.mean()) <= 0.2


def test_a_batch_of_several_queries_holds_together() -> None:
    """The union bound: the worst of 20 fair signs over 300 runs."""
    options = {"tolerance": Absolute(0.4), "failure": 0.2, "queries": 20, "clip": 1.0}
    oracle = fresh_stat(Bernoulli(0.5), **options)

    def strategy():
        return (yield from ask_all(*(Statistic(SIGNED.form, str(i)) for i in range(20))))

    answers = np.array([oracle.answer(next(strategy()), turn) for turn in range(300)])
    assert consistent(int((np.abs(answers) > 0.4).any(axis=1).sum()), 0.2, 300)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"failure": 0.0}, "failure is 0"),
        ({"failure": 1.5}, "strictly between 0 and 1"),
        ({"queries": 0}, "queries is 0"),
        ({"clip": None}, "RootMeanSquare"),
        ({"clip": -1.0}, "clip is -1"),
        ({"clip": math.inf}, "clip is inf"),
        ({"samples": 10}, "the promise needs"),
        ({"tolerance": L2(0.1)}, "sampling answers within"),
        ({"tolerance": VStat(10)}, "leave out clip"),
    ],
)
def test_bad_arguments_say_what_to_do(change, says: str) -> None:
    good = {"tolerance": Absolute(0.3), "failure": 0.05, "queries": 3, "clip": 1.0}
    with pytest.raises(BadInput, match=says):
        fresh_stat(INSTANCE, **(good | change))


def test_other_misuse_is_named() -> None:
    with pytest.raises(BadInput, match="made of an instance"):
        honest(3, samples=10)
    with pytest.raises(BadInput, match="samples is 0"):
        honest(INSTANCE, samples=0)
    stat = fresh_stat(INSTANCE, tolerance=Stat(0.3), failure=0.05, queries=3)
    with pytest.raises(QueryRefused, match="declares no range"):
        stat.answer(Batch((Statistic(Ridge(lambda y: y), "label"),)), 0)
    fine = Statistic(Ridge(lambda y: y), "fine", tolerance=Absolute(0.01))
    oracle = fresh_stat(INSTANCE, tolerance=Absolute(0.3), failure=0.05, queries=3, clip=1.0)
    with pytest.raises(QueryRefused, match="not finer"):
        oracle.answer(Batch((fine,)), 0)
    chunked = Chunked((lambda: iter(()),), ("a",))
    with pytest.raises(BadInput, match="wanted a Dataset"):
        honest(chunked, samples=10).answer(Batch((LABEL,)), 0)
    bits = one_stat(Bernoulli(0.5))
    with pytest.raises(QueryRefused, match="asks for 2 bits"):
        bits.answer(Batch((Statistic(Opaque(lambda x, y: np.ones((len(x), 2)), 2)),)), 0)
    with pytest.raises(BadInput, match="through_bits"):
        bits.answer(Batch((Statistic(Ridge(lambda y: y + 0.5)),)), 0)
    with pytest.raises(BadInput, match="not finite"):
        honest(INSTANCE, samples=10).answer(
            Batch((Statistic(Ridge(lambda y: np.where(y > 0, np.nan, 0))),)), 0
        )
