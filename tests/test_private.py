"""Private oracles: what leaks, what is promised, what it costs, and the way back to queries."""

from __future__ import annotations

import json
import math
import sys
from typing import Any

import mpmath
import numpy as np
import pytest
from bernoulli import LABEL, RUNS, SIGNED, Bernoulli, consistent, misses
from scipy import integrate, stats

from sqsim.algorithms import gradient_descent, one_shot_regression, thresholded_pca
from sqsim.errors import BadInput, BudgetSpent, QueryRefused
from sqsim.loop import run
from sqsim.oracles.binomial import bits_needed
from sqsim.oracles.central import central_private
from sqsim.oracles.gaussian_privacy import gaussian_delta, gaussian_distance
from sqsim.oracles.inversion import failure_of_noisy_bits
from sqsim.oracles.limits import limited
from sqsim.oracles.local_protocols import (
    RespondingChannel,
    local_simulation_cost,
    simulate_local,
)
from sqsim.oracles.private import local_private
from sqsim.oracles.randomisers import (
    DiscreteLaplaceReport,
    LaplaceReport,
    RandomisedResponse,
    users_needed,
)
from sqsim.oracles.randomness import Secure, Seeded
from sqsim.oracles.simulated import sq
from sqsim.oracles.spending import PrivacyLedger, local_ledger
from sqsim.problems import Dataset, ReluRegression
from sqsim.queries import Batch, Ridge, Statistic
from sqsim.strategy import ask
from sqsim.testing import check_oracle
from sqsim.tolerance import L2, Absolute
from sqsim.transcript import Transcript

RANDOMISERS = (RandomisedResponse, LaplaceReport, DiscreteLaplaceReport)
INSTANCE = ReluRegression(3, norm=1.0, bias=0.0).draw(seed=1)


def coins(count: int, seed: int = 0) -> Dataset:
    draw = np.random.default_rng(seed)
    return Dataset(draw.standard_normal((count, 2)), draw.choice([0.0, 1.0], count))


@pytest.mark.parametrize("randomiser", RANDOMISERS)
def test_local_answers_miss_no_more_often_than_promised(randomiser) -> None:
    """The fair sign is the worst query; the count is near exact, so misses are not rare either."""
    oracle = local_private(
        Bernoulli(0.5),
        epsilon=2.0,
        tolerance=Absolute(0.5),
        failure=0.1,
        queries=1,
        clip=1.0,
        randomiser=randomiser,
    )
    count = misses(oracle, SIGNED, 0.0, 0.5)
    assert consistent(count, 0.1)
    assert count > 0.04 * RUNS


@pytest.mark.parametrize("epsilon", [0.3, 1.0, 4.0])
@pytest.mark.parametrize("failure", [0.05, 1e-4])
def test_users_needed_for_randomised_response_is_near_the_smallest(epsilon, failure) -> None:
    """By scipy's binomial law of the bits that are sent; the closed form is never below."""
    local = RandomisedResponse(epsilon)
    h = 0.15
    found = local.users_needed(h, failure)
    p = np.linspace(0, 1, 2001)
    sent = local.flip + p * (1 - 2 * local.flip)

    def missing(n: int) -> float:
        # The debiased average is within h of p if the sent average is within h / spread of `sent`.
        over = np.floor(n * (sent + h / local.spread) + 1e-9)
        under = np.ceil(n * (sent - h / local.spread) - 1e-9) - 1
        law = stats.binom(n, sent)
        return float(np.max(law.sf(over) + law.cdf(under)))

    assert missing(found) <= failure
    fewer = range(max(1, int(found / 1.3) - 30), int(found / 1.3) + 1)
    assert all(missing(n) > failure for n in fewer)
    assert found <= local.chernoff(h, failure)
    formula = math.ceil(
        ((math.exp(epsilon) + 1) / (math.exp(epsilon) - 1)) ** 2
        * math.log(2 / failure)
        / (2 * h**2)
    )
    assert abs(local.chernoff(h, failure) - formula) <= 1


def lattice_tail(count: int, epsilon: float, p: float, level: float) -> float:
    """P(Bin + integer noises > level) by plain convolution of probabilities."""
    size = 4096
    k = np.arange(-size // 2, size // 2)
    one = np.exp(-epsilon * np.abs(k)) * math.tanh(epsilon / 2)
    bit = np.zeros(size)
    bit[[size // 2, size // 2 + 1]] = 1 - p, p
    spectrum = np.fft.fft(np.fft.ifftshift(one)) * np.fft.fft(np.fft.ifftshift(bit))
    law = np.fft.fftshift(np.fft.ifft(spectrum**count).real)
    return float(law[k > level + 1e-9].sum())


def test_tails_of_integer_noise_agree_with_convolution() -> None:
    """The bound over all p is above the fair bit's tail, and not by much."""
    for count, epsilon, h in ((60, 1.0, 0.4), (200, 2.0, 0.15)):
        noise = DiscreteLaplaceReport(epsilon).noise
        exact = 2 * lattice_tail(count, epsilon, 0.5, count * (0.5 + h))
        bound = failure_of_noisy_bits(count, h, noise)
        assert exact <= bound <= 1.5 * exact


def test_tails_of_laplace_noise_agree_with_simulation() -> None:
    local = LaplaceReport(1.0)
    draw = np.random.default_rng(0)
    reports = local.reports(np.full((40_000, 50), 0.5), Seeded(), draw)
    off = np.abs(reports.mean(axis=1) - 0.5) > 0.4
    bound = failure_of_noisy_bits(50, 0.4, local.noise)
    assert stats.binomtest(int(off.sum()), 40_000, bound, alternative="greater").pvalue > 1e-4
    assert off.mean() > bound / 1.3


@pytest.mark.parametrize("randomiser", [LaplaceReport, DiscreteLaplaceReport])
@pytest.mark.parametrize("failure", [0.05, 1e-4])
def test_users_needed_for_laplace_noise_is_near_the_smallest(randomiser, failure) -> None:
    """Fewer by 1.3 fail on the fair bit, whose variance is the largest: by the normal limit."""
    local = randomiser(1.0)
    h = 0.1
    found = local.users_needed(h, failure)
    deviation = math.sqrt((local.noise.variance + 0.25) / (found / 1.3))
    assert 2 * stats.norm.sf(h / deviation) > failure * 1.3
    assert failure_of_noisy_bits(found, h, local.noise) <= failure
    assert found <= local.chernoff(h, failure)


def test_noise_has_the_law_it_says() -> None:
    """Characteristic functions, by quadrature and by series."""
    for t in (0.3, 1.7):
        found = integrate.quad(lambda x, t=t: math.exp(-x) * math.cos(t * x / 2), 0, np.inf)[0]
        assert math.exp(LaplaceReport(2.0).noise.logarithm(np.array([t]))[0]) == pytest.approx(
            found, rel=1e-9
        )
        k = np.arange(1, 200)
        series = math.tanh(0.5) * (1 + 2 * np.sum(np.exp(-k) * np.cos(t * k)))
        noise = DiscreteLaplaceReport(1.0).noise
        assert math.exp(noise.logarithm(np.array([t]))[0]) == pytest.approx(series, rel=1e-12)


@pytest.mark.parametrize("epsilon", [0.2, 1.0, 3.0])
def test_every_randomiser_spends_its_epsilon_and_no_more(epsilon: float) -> None:
    """Largest log ratio of a report's probability under two values, from the laws themselves."""
    flip = RandomisedResponse(epsilon).flip
    assert math.log((1 - flip) / flip) == pytest.approx(epsilon, rel=1e-12)
    law = np.exp(-epsilon * np.abs(np.arange(-40, 42)))
    assert np.abs(np.log(law[1:] / law[:-1])).max() == pytest.approx(epsilon)
    # What is sent is a shifted copy of the noise, by 0 or 1, in units of 1 / epsilon.
    x = np.linspace(-3, 4, 8)
    ratio = stats.laplace.logpdf(x, 0, 1 / epsilon) - stats.laplace.logpdf(x, 1, 1 / epsilon)
    assert np.abs(ratio).max() == pytest.approx(epsilon)


@pytest.mark.parametrize("randomiser", RANDOMISERS)
@pytest.mark.parametrize("source", ["seeded", "OpenDP"])
def test_reports_have_the_mean_and_variance_of_their_law(randomiser, source: str) -> None:
    if source == "OpenDP":
        pytest.importorskip("opendp")
    local = randomiser(1.5)
    count = 20_000 if source == "seeded" else 4000
    noise = Seeded() if source == "seeded" else Secure()
    reports = local.reports(np.full(count, 0.3), noise, np.random.default_rng(0))
    if randomiser is RandomisedResponse:
        sent = local.flip + 0.3 * (1 - 2 * local.flip)
        variance = local.spread**2 * sent * (1 - sent)
    else:
        variance = 0.21 + local.noise.variance
    # Six deviations: OpenDP's draws are not the same from run to run.
    assert abs(reports.mean() - 0.3) < 6 * math.sqrt(variance / count)
    assert reports.var() == pytest.approx(variance, rel=0.35)


def test_one_shot_regression_under_epsilon_one_succeeds_as_promised() -> None:
    """SQ to local privacy: 60 runs with the user count of the formula, epsilon = 1.

    |y x_j| is at most the product of two Gaussians' sizes, so that clipping to [-5, 5] moves its
    mean by less than E[(z^2 - 5)+] < 0.07; the weights are twice the answers.
    """
    tolerance, failure = Absolute(0.4), 0.1
    formula = users_needed(
        epsilon=1.0, tolerance=tolerance, failure=failure, queries=3, clip=5.0, closed_form=True
    )
    direct = math.ceil(
        ((math.e + 1) / (math.e - 1)) ** 2 * math.log(2 * 3 / failure) / (2 * (0.4 / 10) ** 2)
    )
    assert abs(formula - direct) <= 1
    fails = 0
    for seed in range(60):
        oracle = local_private(
            INSTANCE,
            epsilon=1.0,
            tolerance=tolerance,
            failure=failure,
            queries=3,
            clip=5.0,
            users=formula,
            seed=seed,
        )
        result = run(one_shot_regression(INSTANCE.problem), oracle)
        error = np.abs(result.value.weights - INSTANCE.target.weights).max() / 2
        fails += error > 0.4 + 0.07
        assert oracle.ledger == PrivacyLedger(1.0, 0.0, 3 * formula, 1)
        assert not oracle.ledger.interactive
        assert local_ledger(result.transcript) == oracle.ledger
    assert consistent(fails, failure, 60)


def test_thresholded_pca_under_epsilon_one_finds_the_direction() -> None:
    """Six scalars of a clipped second moment, users of their own for each."""
    told = ReluRegression(3, norm=1.0, bias=-1.0).draw(seed=3)
    tolerance = Absolute(0.08)
    oracle = local_private(
        told, epsilon=1.0, tolerance=tolerance, failure=0.05, queries=6, clip=4.0, seed=1
    )
    result = run(thresholded_pca(told.problem, cut=0.3), oracle)
    assert abs(result.value @ told.direction) > 0.8
    assert result.guarantee is not None
    assert result.guarantee.void is None
    assert oracle.ledger.users == 6 * oracle.users


def test_the_ledger_of_an_adaptive_run_says_that_it_is_interactive() -> None:
    oracle = local_private(
        INSTANCE, epsilon=1.0, tolerance=Absolute(0.9), failure=0.2, queries=40, clip=4.0
    )
    result = run(gradient_descent(INSTANCE.problem, steps=2), oracle)
    assert oracle.ledger.interactive
    assert oracle.ledger.epsilon == 1.0, "every user is asked once, however many rounds"
    assert local_ledger(result.transcript) == oracle.ledger
    assert oracle.ledger.users == oracle.users * result.ledger.queries


def test_rows_of_a_table_are_asked_once_and_run_out() -> None:
    table = coins(4000)
    oracle = local_private(
        table, epsilon=3.0, tolerance=Absolute(0.25), failure=0.1, queries=3, clip=1.0
    )
    first = oracle.answer(Batch((LABEL,)), 0)
    assert abs(float(first[0]) - table.targets.mean()) <= 0.25
    assert oracle.answer(Batch((LABEL,)), 0) == first, "asked again, nobody is asked again"
    assert oracle.ledger.users == oracle.users
    affordable = 4000 // oracle.users
    for turn in range(1, affordable):
        oracle.answer(Batch((LABEL,)), turn)
    with pytest.raises(BudgetSpent, match="budget of users spent"):
        oracle.answer(Batch((LABEL,)), affordable)
    assert oracle.ledger.users <= 4000
    with pytest.raises(QueryRefused, match="not taken back"):
        oracle.answer(Batch((SIGNED,)), 0)


def test_no_row_is_asked_twice() -> None:
    """Rows that are told apart by their label: with epsilon large, reports are the labels."""
    table = Dataset(np.random.default_rng(0).standard_normal((4000, 2)), np.arange(4000.0))
    oracle = local_private(
        table, epsilon=50.0, tolerance=Absolute(0.2), failure=0.1, queries=9, clip=1.0
    )
    seen: list[float] = []
    spy = Statistic(Ridge(lambda y: seen.extend(y.tolist()) or np.zeros(len(y))), "spy")
    counted = 4000 // oracle.users
    before = len(seen)
    for turn in range(counted):
        oracle.answer(Batch((spy,)), turn)
    asked = [label for label in seen[before:] if label == round(label) and label >= 0]
    # The spy is also called at a few fixed points for its mark, none of them a row's label.
    assert len(asked) == len(set(asked)) == counted * oracle.users


def test_resuming_spends_no_epsilon_twice(tmp_path) -> None:
    def oracle():
        return local_private(
            coins(3000), epsilon=4.0, tolerance=Absolute(0.3), failure=0.1, queries=4, clip=1.0
        )

    def strategy():
        found = []
        for _ in range(4):
            found.append((yield from ask(LABEL)))
        return found

    whole = oracle()
    straight = run(strategy(), whole)
    path = tmp_path / "run.jsonl"
    run(strategy(), oracle(), log=path, callback=lambda exchange, _: exchange.turn == 1)
    resumed = oracle()
    again = run(strategy(), resumed, log=Transcript.resume(path))
    assert again.value == straight.value
    assert resumed.ledger == whole.ledger


def test_private_oracles_keep_the_laws_of_oracles() -> None:
    """Also with noise that cannot be drawn again: answers are remembered."""
    local = local_private(
        Bernoulli(0.5), epsilon=2.0, tolerance=Absolute(0.5), failure=1e-4, queries=2, clip=1.0
    )
    check_oracle(local, Batch((SIGNED,)), [0.0])
    table = coins(500)
    central = central_private(table, epsilon=1.0, delta=1e-6, failure=1e-4, queries=4, clip=1.0)
    check_oracle(central, Batch((LABEL,)), [table.targets.mean()])


def test_a_limit_of_epsilon_is_kept() -> None:
    local = local_private(
        INSTANCE, epsilon=1.0, tolerance=Absolute(0.9), failure=0.2, queries=9, clip=2.0
    )
    result = run(one_shot_regression(INSTANCE.problem), limited(local, epsilon=1.0))
    assert result.value is not None
    central = central_private(coins(500), epsilon=1.0, delta=1e-6, failure=0.1, queries=4, clip=1.0)
    capped = limited(central, epsilon=0.6)
    capped.answer(Batch((LABEL,)), 0)
    answered_before = central.ledger.epsilon
    while answered_before + central.epsilon_cost(Batch((LABEL,)), 9) <= 0.6:
        capped.answer(Batch((LABEL,)), central.ledger.rounds)
        answered_before = central.ledger.epsilon
    with pytest.raises(BudgetSpent):
        capped.answer(Batch((LABEL,)), central.ledger.rounds)
    assert central.ledger.rounds < 4
    assert central.ledger.epsilon <= 0.6


def test_gaussian_delta_is_the_hockey_stick_divergence() -> None:
    """By quadrature of (p - e^epsilon q)+ over the two normal densities."""
    for m, epsilon in ((0.5, 0.3), (2.0, 1.0), (0.1, 0.05)):

        def gap(x: float, m=m, epsilon=epsilon) -> float:
            return max(stats.norm.pdf(x, m) - math.exp(epsilon) * stats.norm.pdf(x), 0.0)

        cut = m / 2 + epsilon / m
        found = integrate.quad(gap, cut, cut + 40, limit=200)[0]
        assert gaussian_delta(m, epsilon) == pytest.approx(found, rel=1e-6)
        assert gaussian_distance(epsilon, gaussian_delta(m, epsilon)) == pytest.approx(m, rel=1e-6)
    # The classical calibration sqrt(2 ln(1.25 / delta)) / epsilon is never less noise.
    assert 1 / gaussian_distance(0.5, 1e-5) < math.sqrt(2 * math.log(1.25e5)) / 0.5


def test_central_answers_miss_as_often_as_they_say() -> None:
    """About the table's own average the promise is exact: a normal quantile."""
    table = coins(300)
    truth, missed, runs = table.targets.mean(), 0, 0
    for seed in range(200):
        oracle = central_private(
            table, epsilon=1.0, delta=1e-5, failure=0.1, queries=10, clip=1.0, seed=seed
        )
        answers = [float(oracle.answer(Batch((LABEL,)), t)[0]) for t in range(10)]
        single = oracle.deviation * stats.norm.isf(0.05)
        missed += int(np.sum(np.abs(np.array(answers) - truth) > single))
        runs += 10
        assert oracle.ledger.epsilon == pytest.approx(1.0, rel=1e-6)
    assert runs == RUNS
    assert stats.binomtest(missed, runs, 0.1).pvalue > 1e-4


def test_central_answers_about_a_population_keep_their_promise() -> None:
    missed = 0
    for seed in range(RUNS):
        oracle = central_private(
            Bernoulli(0.5),
            epsilon=2.0,
            delta=1e-3,
            failure=0.1,
            queries=1,
            clip=1.0,
            records=60,
            seed=seed,
        )
        answer = float(oracle.answer(Batch((SIGNED,)), 0)[0])
        missed += abs(answer) > oracle.tolerance.tau
    assert consistent(missed, 0.1)
    result = run(
        iter_twice(),
        central_private(
            Bernoulli(0.5), epsilon=2.0, delta=1e-3, failure=0.1, queries=2, clip=1.0, records=60
        ),
    )
    assert result.guarantee is not None
    assert "rounds were asked" in (result.guarantee.void or "")


def iter_twice():
    yield from ask(LABEL)
    yield from ask(SIGNED)


def test_central_privacy_composes_and_stops() -> None:
    """k of q answers leave sqrt(k / q) of the distance, and one more than q is refused."""
    oracle = central_private(coins(200), epsilon=1.0, delta=1e-5, failure=0.1, queries=4, clip=1.0)
    width, distance = 2.0, gaussian_distance(1.0, 1e-5)
    assert oracle.deviation == pytest.approx(width * 2 / (200 * distance))
    spent = []
    for turn in range(4):
        oracle.answer(Batch((LABEL,)), turn)
        spent.append(oracle.ledger.epsilon)
    assert spent == sorted(spent)
    assert spent[-1] == pytest.approx(1.0, rel=1e-6)
    assert gaussian_delta(distance / 2, spent[0]) == pytest.approx(1e-5, rel=1e-6)
    with pytest.raises(BudgetSpent, match="4 used, 1 requested, 0 remaining"):
        oracle.answer(Batch((LABEL,)), 4)


def test_a_protocol_of_randomised_response_is_simulated_by_queries() -> None:
    """200 users' reports from SQs alone: their number of ones has the protocol's law."""
    epsilon, users, p = 1.0, 200, 0.3
    channel = RespondingChannel(LABEL, epsilon)
    cost = local_simulation_cost(users=users, epsilon=epsilon, failure=0.05)
    asked, ones, runs = 0, 0, 10
    for seed in range(runs):
        strategy = simulate_local([channel] * users, failure=0.05, seed=seed)
        reports, queries = answered(strategy, p, cost.tau, seed)
        asked += queries
        ones += sum(reports)
    sent = RandomisedResponse(epsilon).flip + p * (1 - 2 * RandomisedResponse(epsilon).flip)
    # The simulated law is within 0.05 / users of the true one for each report.
    assert stats.binomtest(ones, runs * users, sent).pvalue > 1e-4
    # The number of trials is a sum of geometric variables of mean e and variance e (e - 1).
    spread = 5 * math.sqrt(users * runs * math.e * (math.e - 1))
    assert abs(asked - users * runs * math.e) < spread
    assert cost.queries == pytest.approx(users * math.e, rel=1e-3)


def answered(strategy, p: float, tau: float, seed: int) -> tuple[list[int], int]:
    """Runs it against answers anywhere within tau of the exact means of a Bernoulli label."""
    draw = np.random.default_rng(seed + 10_000)
    batch, asked = next(strategy), 0
    while True:
        found = []
        for query in batch.queries:
            assert query.tolerance == Absolute(tau)
            at = query.form.fn(np.zeros((2, 1)), np.array([0.0, 1.0]))
            found.append((1 - p) * at[0] + p * at[1] + tau * draw.uniform(-1, 1))
        asked += len(found)
        try:
            batch = strategy.send(tuple(found))
        except StopIteration as stop:
            return stop.value, asked


def test_likelihood_ratios_are_those_of_the_channel() -> None:
    channel = RespondingChannel(LABEL, 0.7)
    flip = RandomisedResponse(0.7).flip
    x, y = np.zeros((2, 1)), np.array([0.0, 1.0])
    for report in (0, 1):
        told = np.array([flip, 1 - flip]) if report else np.array([1 - flip, flip])
        np.testing.assert_allclose(channel.ratio(report, x, y), told / told[0], rtol=1e-12)
    with pytest.raises(BadInput, match="about a bit"):
        channel.ratio(1, x, np.array([0.5, 1.0]))
    with pytest.raises(StopIteration):
        next(simulate_local([], failure=0.1))


def test_secure_noise_is_opendps_and_is_not_drawn_twice() -> None:
    pytest.importorskip("opendp")
    oracle = local_private(
        Bernoulli(0.5),
        epsilon=1.0,
        tolerance=Absolute(0.5),
        failure=0.1,
        queries=2,
        clip=1.0,
        source=Secure(),
    )
    first = oracle.answer(Batch((SIGNED,)), 0)
    assert oracle.answer(Batch((SIGNED,)), 0) == first
    assert "Secure" in str(oracle.describe()["noise"])
    central = central_private(
        coins(300),
        epsilon=1.0,
        delta=1e-5,
        failure=1e-6,
        queries=2,
        clip=1.0,
        source=Secure(),
    )
    answer = float(central.answer(Batch((LABEL,)), 0)[0])
    assert abs(answer - coins(300).targets.mean()) <= central.tolerance.tau


def test_secure_noise_without_opendp_names_the_extra(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "opendp", None)
    monkeypatch.setitem(sys.modules, "opendp.prelude", None)
    with pytest.raises(BadInput, match=r"sqsim\[privacy\]"):
        Secure()


def test_headers_are_json_and_say_what_was_promised() -> None:
    oracle = local_private(
        INSTANCE, epsilon=1.0, tolerance=Absolute(0.9), failure=0.2, queries=9, clip=2.0
    )
    header = json.loads(json.dumps(oracle.describe()))
    assert header["guarantee"]["failure"] == 0.2
    assert "clipped to [-2, 2]" in header["guarantee"]["about"]
    central = central_private(coins(200), epsilon=1.0, delta=1e-5, failure=0.1, queries=4, clip=1.0)
    assert json.loads(json.dumps(central.describe()))["delta"] == 1e-5
    other = run(one_shot_regression(INSTANCE.problem), sq(INSTANCE, tolerance=L2(0.1)))
    assert other.guarantee is None
    with pytest.raises(QueryRefused, match="local_private"):
        local_ledger(other.transcript)


LOCAL = {"epsilon": 1.0, "tolerance": Absolute(0.5), "failure": 0.1, "queries": 2, "clip": 1.0}
CENTRAL = {"epsilon": 1.0, "delta": 1e-5, "failure": 0.1, "queries": 4, "clip": 1.0}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"epsilon": 0.0}, "epsilon is 0"),
        ({"epsilon": math.inf}, "epsilon is inf"),
        ({"epsilon": "1"}, "finite number"),
        ({"failure": 1.0}, "failure is 1"),
        ({"queries": -1}, "queries is -1"),
        ({"clip": None}, "pass clip=c"),
        ({"users": 5}, "the promise needs"),
        ({"users": 0}, "users is 0"),
        ({"population": 10}, "there are 10 users"),
        ({"tolerance": L2(0.1)}, "answers within Absolute"),
    ],
)
def test_bad_local_arguments_say_what_to_do(change, says: str) -> None:
    with pytest.raises(BadInput, match=says):
        local_private(INSTANCE, **(LOCAL | change))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"epsilon": -1.0}, "epsilon is -1"),
        ({"delta": 0.0}, "delta is 0"),
        ({"delta": 1.0}, "delta is 1"),
        ({"clip": None}, "pass clip=c"),
        ({"queries": 0}, "queries is 0"),
        ({"records": 7}, "leave it out"),
    ],
)
def test_bad_central_arguments_say_what_to_do(change, says: str) -> None:
    with pytest.raises(BadInput, match=says):
        central_private(coins(100), **(CENTRAL | change))


def test_too_few_users_are_told_how_many() -> None:
    needed = users_needed(epsilon=1.0, tolerance=Absolute(0.5), failure=0.1, queries=2)
    with pytest.raises(BadInput, match=f"at least {needed}"):
        local_private(INSTANCE, **(LOCAL | {"users": needed - 1}))
    assert bits_needed(0.25, 0.05) < needed
    with pytest.raises(BadInput, match="records is the number"):
        central_private(INSTANCE, **CENTRAL)
    with pytest.raises(BadInput, match="made of an instance"):
        local_private(3, **LOCAL)


@pytest.mark.parametrize("epsilon", [1e-12, 1e-9, 1e-3, 0.5, 3.0])
@pytest.mark.parametrize("delta", [1e-300, 1e-100, 1e-30, 1e-12, 1e-5])
def test_noise_is_never_less_than_sixty_digits_ask_for(epsilon: float, delta: float) -> None:
    """The difference of two tails cancels for tiny epsilon; what is lost must cost, not gain."""
    context = mpmath.mp.clone()
    context.dps = 400
    m, e = context.mpf(gaussian_distance(epsilon, delta)), context.mpf(epsilon)

    def tail(x: Any) -> Any:
        return context.erfc(-x / context.sqrt(2)) / 2

    true = tail(m / 2 - e / m) - context.exp(e) * tail(-m / 2 - e / m)
    assert true <= context.mpf(delta)


def test_a_tables_private_promise_is_about_one_round() -> None:
    """After a round the users left over are no uniform sample of the table."""
    table = Dataset(np.linspace(-1, 1, 400)[:, None] ** 3, np.linspace(0, 1, 400))
    oracle = local_private(
        table, epsilon=5.0, tolerance=Absolute(0.5), failure=0.1, queries=2, clip=1.0
    )
    assert oracle.guarantee.rounds == 1
