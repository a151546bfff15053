"""What sampling and private oracles must not do: share examples, clip in silence, mix questions."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from bernoulli import LABEL, Bernoulli
from scipy import stats

from sqsim.bounded import RootStat, Stat, VStat
from sqsim.errors import BadInput, QueryRefused
from sqsim.oracles.binomial import bits_needed
from sqsim.oracles.bits import one_stat, through_bits
from sqsim.oracles.central import central_private
from sqsim.oracles.holdout import reusable_holdout
from sqsim.oracles.local_protocols import (
    RespondingChannel,
    local_simulation_cost,
    simulate_local,
)
from sqsim.oracles.noisy_means import NoisyMeans, _over_points
from sqsim.oracles.private import local_private
from sqsim.oracles.quadrature import Quadrature
from sqsim.oracles.records import Records
from sqsim.oracles.sampling import MonteCarlo
from sqsim.oracles.sampling_oracles import fresh_stat, honest, reused_stat, unbiased
from sqsim.partitions import partition
from sqsim.problems import Dataset, ReluRegression
from sqsim.problems.noise import ClassificationNoise, Contamination, Points, with_noise
from sqsim.queries import Batch, Characters, Correlation, Opaque, Ridge, Statistic
from sqsim.seeds import Role, rng
from sqsim.strategy import ask
from sqsim.tolerance import Absolute, Mean, Scale

INSTANCE = ReluRegression(3, norm=1.0, bias=0.0).draw(seed=1)
STAT = {"tolerance": Absolute(0.5), "failure": 0.1, "queries": 2, "clip": 1.0}
LOCAL = STAT | {"epsilon": 2.0}
HOLDOUT = STAT | {"budget": 1, "training": 50}
CENTRAL = {"epsilon": 1.0, "delta": 1e-5, "failure": 0.1, "queries": 4, "clip": 1.0}

KINDS = {
    "fresh": lambda at: fresh_stat(at, **STAT),
    "reused": lambda at: reused_stat(at, **STAT),
    "honest": lambda at: honest(at, samples=100),
    "unbiased": lambda at: unbiased(at, samples=100),
    "local": lambda at: local_private(at, **LOCAL),
    "holdout": lambda at: reusable_holdout(at, **HOLDOUT),
    "one bit": one_stat,
}


def central(at):
    return central_private(at, **CENTRAL, records=None if isinstance(at, Dataset) else 100)


def drawn(oracle) -> set[float]:
    """First coordinates of the examples that a query meets, at turns 0 and 1."""
    met: set[float] = set()

    def spy(x, y):
        met.update(x[:, 0].tolist())
        return np.zeros(len(x))

    query = Statistic(Opaque(spy), "spy")
    query.mark(3)
    probes, found = frozenset(met), set()
    for turn in range(2):
        met.clear()
        if oracle is None:
            MonteCarlo(samples=100).means(INSTANCE, [query], [Scale.NONE], seed=0, turn=turn)
        else:
            oracle.answer(Batch((query,)), turn)
        found |= met - probes
    return found


def test_oracles_of_different_kinds_share_no_example_at_one_seed() -> None:
    """Else what one has shown is what the next one answers from."""
    seen = {kind: drawn(make(INSTANCE)) for kind, make in KINDS.items()}
    seen |= {"central": drawn(central(INSTANCE)), "Monte Carlo": drawn(None)}
    assert all(len(one) >= 2 for one in seen.values())
    for one, two in itertools.combinations(seen, 2):
        assert not seen[one] & seen[two], (one, two)
    again = fresh_stat(INSTANCE, **STAT, seed=1)
    assert not drawn(again) & seen["fresh"]


def test_thresholds_are_not_drawn_from_the_learners_own_stream() -> None:
    """A learner with the same seed would know them before it asks."""
    options = {"tolerance": Absolute(0.5), "failure": 0.1, "queries": 1, "clip": 1.0, "seed": 5}
    batch = next(through_bits(ask(LABEL), dimension=1, **options))
    thresholds = [query.form.fn.threshold for query in batch.queries]
    assert len(thresholds) > 5
    for role in Role:
        same = rng(5, role, 0).uniform(-1.0, 1.0, len(thresholds)).tolist() == thresholds
        assert same == (role is Role.THRESHOLDS)


def test_coins_of_a_simulated_protocol_are_not_the_learners() -> None:
    """The references that are drawn first are those of Role.REPORTS and of no other."""
    channels = [RespondingChannel(LABEL, 1.0)] * 60
    asked = next(simulate_local(channels, failure=0.1, seed=5)).queries
    drawn_first = [query.form.fn.report for query in asked]
    for role in Role:
        coins = rng(5, role, 0)
        same = [channels[0].reference(coins) for _ in channels] == drawn_first
        assert same == (role is Role.REPORTS)


@pytest.mark.parametrize("kind", ["local", "holdout", "central"])
def test_another_question_with_the_same_probes_is_refused(kind: str) -> None:
    """Functions that agree at the few fixed points of a mark are still different questions."""
    oracle = central(INSTANCE) if kind == "central" else KINDS[kind](INSTANCE)

    def asked(sign: float) -> Statistic:
        # Marks are taken on one line, which no example is on.
        def function(x, y):
            on_the_line = np.isclose(x[:, 1] * np.cos(1), x[:, 0] * np.cos(2**1.5), atol=1e-12)
            return np.where(on_the_line, 0.0, sign)

        return Statistic(Opaque(function))

    one, two = asked(1.0), asked(-1.0)
    assert one.mark(3) == two.mark(3)
    first = oracle.answer(Batch((one,)), 0)
    with pytest.raises(QueryRefused, match="another function object"):
        oracle.answer(Batch((two,)), 0)
    assert oracle.answer(Batch((asked(1.0),)), 0) == first, "the same, made again by a second run"
    with pytest.raises(QueryRefused, match="transcript is of another run"):
        oracle.recall(Batch((one,)), 0, (np.asarray(first[0]) + 1,))


def test_a_float32_table_is_compared_in_double_precision() -> None:
    """float32(0.1) > 0.1 holds in double precision and not in single: one answer for everyone."""
    x = np.tile(np.array([[0.1, 1.0], [0.1, -1.0]], dtype=np.float32), (2000, 1))
    x[::4, 0] = 0.0
    table = Dataset(x, np.tile(np.array([0.0, 1.0], dtype=np.float32), 2000))
    kinds: list[type] = []

    def above(x, y):
        kinds.extend([x.dtype.type, y.dtype.type])
        return (x[:, 0] > 0.1) * 1.0

    query = Statistic(Opaque(above), "above", range=(0.0, 1.0))
    share = float(np.mean(x[:, 0].astype(np.float64) > 0.1))
    assert share == 0.75
    for make in (honest, unbiased):
        found = make(table, samples=4000).answer(Batch((query,)), 0)[0]
        assert abs(float(found) - share) < 0.05
    records = Records(table, 0, 4000, 0, Role.HOLDOUT)
    assert float(records.averages(query, (0.0, 1.0))[0]) == share
    assert abs(float(local_private(table, **LOCAL).answer(Batch((query,)), 0)[0]) - share) <= 0.5
    assert abs(float(central(table).answer(Batch((query,)), 0)[0]) - share) < 0.05
    assert set(kinds) == {np.float64}


@pytest.mark.parametrize("kind", ["fresh", "reused", "honest", "local", "holdout"])
def test_a_value_outside_of_the_declared_range_is_named_not_clipped(kind: str) -> None:
    """An answer about E[phi] that is about a clipped phi breaks its promise in silence."""
    wrong = Statistic(Ridge(lambda y: 3 * y), "three", range=(0.0, 1.0))
    with pytest.raises(BadInput, match="takes the value"):
        KINDS[kind](Bernoulli(0.9)).answer(Batch((wrong,)), 0)
    stat = fresh_stat(Bernoulli(0.9), tolerance=Stat(0.5), failure=0.1, queries=1)
    with pytest.raises(BadInput, match="takes the value"):
        stat.answer(Batch((wrong,)), 0)


def test_a_parity_has_both_signs_whatever_its_h() -> None:
    """VSTAT is for [0, 1]; h(y) chi_S is in [-1, 1] though h is in [0, 1]."""
    oracle = fresh_stat(Bernoulli(0.5), tolerance=VStat(20), failure=0.1, queries=1)
    signed = Statistic(Characters(np.array([1]), lambda y: y), "signed", range=(0.0, 1.0))
    with pytest.raises(QueryRefused, match=r"values in \[-1, 1\]"):
        oracle.answer(Batch((signed,)), 0)
    empty = Statistic(Characters(np.array([0]), lambda y: y), "empty set", range=(0.0, 1.0))
    assert 0 <= float(oracle.answer(Batch((empty,)), 0)[0][0]) <= 1


def test_a_partition_is_refused_by_sampling_oracles_with_the_way_out() -> None:
    cells = partition(lambda x, y: (x[:, 0] > 0).astype(int), 2)
    for make in (KINDS["fresh"], KINDS["honest"], KINDS["local"]):
        with pytest.raises(QueryRefused, match="MVStat"):
            make(INSTANCE).answer(Batch((cells,)), 0)


def test_more_samples_than_needed_are_refused_where_the_exact_failure_is_larger() -> None:
    """Tails of a lattice do not fall with every example: 101 bits do, and 105 do not."""
    options = {"tolerance": Absolute(0.2), "failure": 0.05, "queries": 1, "clip": 1.0}
    needed = fresh_stat(INSTANCE, **options).samples

    def missed(count: int) -> float:
        law = stats.binom(count, 0.5)
        reach = Fraction(1, 10) * count
        low, high = Fraction(count, 2) - reach, Fraction(count, 2) + reach
        return float(law.cdf(math.ceil(low) - 1) + law.sf(math.floor(high)))

    assert needed < 105
    assert missed(needed) <= 0.05
    fresh_stat(INSTANCE, **options, samples=needed + 1)
    with pytest.raises(BadInput, match=f"use {needed}"):
        fresh_stat(INSTANCE, **options, samples=105)
    assert fresh_stat(INSTANCE, **options, samples=10**6).samples == 10**6
    users = local_private(INSTANCE, **LOCAL).users
    assert local_private(INSTANCE, **LOCAL, users=10**5).users == 10**5 > users


def test_an_epsilon_beyond_doubles_is_refused_with_a_reason() -> None:
    for make in (
        lambda: local_private(INSTANCE, **(LOCAL | {"epsilon": 1e9})),
        lambda: RespondingChannel(LABEL, 1e9),
        lambda: local_simulation_cost(users=3, epsilon=1e9, failure=0.1),
    ):
        with pytest.raises(BadInput, match="epsilon <= 700"):
            make()
    assert local_private(INSTANCE, **(LOCAL | {"epsilon": 700.0})).users > 0


@pytest.mark.parametrize("make", [local_private, reusable_holdout])
def test_what_needs_a_clip_says_so_and_advises_nothing_else(make) -> None:
    options = (LOCAL if make is local_private else HOLDOUT) | {"clip": None}
    with pytest.raises(BadInput, match="pass clip=c") as refusal:
        make(INSTANCE, **options)
    assert "RootMeanSquare" not in str(refusal.value)


def test_answers_to_root_stat_are_not_negative() -> None:
    """sqrt v is in the law, so v >= 0 even where the mean has an error."""
    for value in (0.0, 1e-9, 1e-3, 0.04, 0.5):
        mean = Mean(np.asarray(value), np.asarray(1e-6), 1.0)
        below, above = RootStat(0.2).reach(mean)
        assert value - float(below) >= 0
        assert float(above) > 0


def test_means_over_points_confess_their_rounding_whatever_cancels() -> None:
    """Against rational arithmetic on the same numbers, which nearly cancel."""
    draw = np.random.default_rng(0)
    half = draw.standard_normal((5000, 2)) * 1e8
    x, y = np.concatenate([half, -half]), np.ones(10000)
    x[0, 0] += 1.0
    noisy = with_noise(
        ReluRegression(2, norm=1.0, bias=0.0).draw(seed=1), Contamination(0.5, Points(x, y))
    )
    for power in (1, 2):
        found = _over_points(noisy.noise[0].adversary, Correlation(Ridge(power=power)), Scale.NONE)
        for j in range(2):
            column = [Fraction(float(v)) for v in x[:, j]]
            exact = sum((v**power - (power == 2) for v in column), Fraction()) / len(x)
            place = (j,) * power
            off = abs(Fraction(float(found.value[place])) - exact)
            assert off <= Fraction(float(np.asarray(found.error)[place]))


def test_flipped_labels_confess_the_rounding_of_one_minus_two_rates() -> None:
    clean = ReluRegression(2, norm=1.0, bias=0.0).draw(seed=1)
    query = Correlation(Ridge(power=1))
    straight = Quadrature().means(clean, [query], [Scale.NONE], seed=0, turn=0)[0]
    noisy = with_noise(clean, ClassificationNoise(0.1))
    found = NoisyMeans(Quadrature()).means(noisy, [query], [Scale.NONE], seed=0, turn=0)[0]
    for j in range(2):
        exact = (1 - 2 * Fraction(0.1)) * Fraction(float(straight.value[j]))
        off = abs(Fraction(float(found.value[j])) - exact)
        spare = np.asarray(found.error) - 0.8 * np.asarray(straight.error)
        assert off <= Fraction(float(np.broadcast_to(spare, (2,))[j])) + Fraction(1, 10**20)


@pytest.mark.parametrize("failure", [1e-6, 1e-17, 1e-40])
def test_rare_failures_are_counted_and_not_rounded_away(failure: float) -> None:
    """Exact binomial tails at p = 1/2, where 1 - (1 - 1e-17) would be 0."""
    half = Fraction(3, 10)
    count = bits_needed(float(half), failure)
    far = [k for k in range(count + 1) if abs(Fraction(k, count) - Fraction(1, 2)) > half]
    assert Fraction(sum(math.comb(count, k) for k in far), 2**count) <= Fraction(failure)
