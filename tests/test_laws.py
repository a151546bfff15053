"""The laws of the design, each over every part of the zoo that owes it."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
import zoo

from sqsim import (
    L2,
    Absolute,
    Batch,
    Correlation,
    QueryRefused,
    Sample,
    Transcript,
    cached,
    csq,
    exact,
    replaying,
    run,
    sq,
    together,
    toward_zero,
    uniform,
    worst_direction,
)
from sqsim.algorithms import learn_relu, reweighted_pgd
from sqsim.algorithms.descent import random_direction
from sqsim.lowrank import dense
from sqsim.problems import Dataset, ReluRegression
from sqsim.seeds import Role, rng
from sqsim.testing import check_strategy
from sqsim.tolerance import Mean, Scale

FEW = ("clean", "low-degree removal", "sign", "table", "cube")
"""Instances on which the longest learner takes a second or two."""
SKIPPED = ("negative decoy", "worst case")
"""As the other decoy and the other worst case, and slower."""

BLIND = {
    # No Hermite part of degree 2.
    ("spectral start", "low-degree removal"),
    ("spectral start", "hermite"),
    # The label is always above the cut.
    ("thresholded PCA", "sign"),
    ("warm-started descent", "sign"),
    # Most labels are above the cut, which lowers the second moment along the direction.
    ("thresholded PCA", "positive bias"),
    ("warm-started descent", "positive bias"),
}
"""Where the second moment shows no direction and a random one is returned."""

ASKING = ("gradient descent", "spectral start", "warm-started descent")
"""Learners that ask every kind of query between them."""

learners = pytest.mark.parametrize("learner", zoo.LEARNERS)
few_instances = pytest.mark.parametrize("name", FEW)
simple_learners = pytest.mark.parametrize(
    "learner", [name for name in zoo.LEARNERS if name != "learn_relu"]
)


def oracle_for(learner: str, instance: Any, **options: Any) -> Any:
    """The weakest oracle that this learner needs."""
    access = csq if zoo.LEARNERS[learner].correlational else sq
    return access(instance, **{"tolerance": L2(0.01), **options})


def correlational(learner: str, name: str) -> list[Any]:
    return [q for q in zoo.questions(learner, name) if isinstance(q, Correlation)]


# 1. Watching changes nothing.


@learners
@pytest.mark.parametrize("policy", [exact, toward_zero, worst_direction])
def test_watching_changes_nothing(learner, policy, tmp_path):
    """Wrappers, logs and callbacks only look: no answer passes through them changed."""
    instance = zoo.INSTANCES["low-degree removal"]
    oracle = oracle_for(learner, instance, policy=policy)
    bare = run(zoo.made(learner, instance), oracle)
    seen: list[int] = []
    watched = {
        "cached": run(zoo.made(learner, instance), cached(oracle)),
        "recorded": run(zoo.made(learner, instance), oracle, log=tmp_path / "log.jsonl"),
        "called back": run(
            zoo.made(learner, instance), oracle, callback=lambda e, _: seen.append(e.turn)
        ),
        "replayed": run(zoo.made(learner, instance), replaying(oracle, bare.transcript)),
        "replayed from file": run(
            zoo.made(learner, instance),
            replaying(oracle, Transcript.read(tmp_path / "log.jsonl")),
        ),
    }
    for how, result in watched.items():
        assert zoo.same(result.value, bare.value), how
        assert result.ledger == bare.ledger, how
    assert seen == list(range(bare.ledger.rounds))


@simple_learners
@pytest.mark.parametrize("name", ["label noise", "table"])
def test_a_policy_that_draws_is_recorded_and_replayed_as_it_was(learner, name, tmp_path):
    """Answers drawn at random depend on (seed, turn) alone, so a transcript stands for them."""
    instance = zoo.INSTANCES[name]
    oracle = oracle_for(learner, instance, policy=uniform, seed=3)
    bare = run(zoo.made(learner, instance), oracle, log=tmp_path / "log.jsonl")
    other = oracle_for(learner, instance, policy=uniform, seed=4)
    replay = replaying(other, Transcript.read(tmp_path / "log.jsonl"))
    assert zoo.same(run(zoo.made(learner, instance), replay).value, bare.value)
    fresh = run(zoo.made(learner, instance), other).transcript
    assert not all(map(zoo.same, fresh[0].answers, bare.transcript[0].answers))


# 2. `together` costs `|`, sequence costs `+`.


@pytest.mark.parametrize(
    "pair",
    [
        ("gradient descent", "reweighted descent"),
        ("biased one-shot regression", "normalised descent"),
        ("warm-started descent", "spectral start"),
        ("learn_relu", "one-shot regression"),
    ],
    ids=" | ".join,
)
def test_together_costs_the_join_and_sequence_costs_the_sum(pair):
    """Side by side queries add and rounds are those of the longest; in a row both add."""
    instance = zoo.INSTANCES["low-degree removal"]
    oracle = sq(instance, tolerance=L2(0.01), policy=toward_zero)
    one, two = (run(zoo.made(learner, instance), oracle) for learner in pair)

    def in_a_row():
        first = yield from zoo.made(pair[0], instance)
        second = yield from zoo.made(pair[1], instance)
        return first, second

    side = run(together(*(zoo.made(learner, instance) for learner in pair)), oracle)
    row = run(in_a_row(), oracle)
    for joined, ledger in ((side, one.ledger | two.ledger), (row, one.ledger + two.ledger)):
        assert all(map(zoo.same, joined.value, (one.value, two.value)))
        found = joined.ledger
        assert (found.queries, found.rounds, found.finest) == (
            ledger.queries,
            ledger.rounds,
            ledger.finest,
        )
        assert found.cost == pytest.approx(ledger.cost, rel=1e-12)


# 3. Every policy's answer is in its window.


@pytest.mark.parametrize("policy", zoo.POLICIES)
@pytest.mark.parametrize(
    ("tolerance", "name"),
    [
        (tolerance, name)
        for tolerance in zoo.TOLERANCES
        for name in zoo.INDEX
        if tolerance != "root mean square" or name not in zoo.SEVERAL_DIRECTIONS
    ],
)
def test_every_answer_is_within_its_tolerance_of_the_exact_mean(policy, tolerance, name):
    """The radius binds the distance to the true mean, not to what the evaluator happened to get."""
    instance = zoo.INDEX[name]
    tolerance = zoo.TOLERANCES[tolerance]
    queries = zoo.one_of_each(name, *ASKING)
    means = zoo.MEANS["quadrature"]
    oracle = sq(instance, tolerance=tolerance, policy=zoo.POLICIES[policy], means=means, seed=1)
    answers = oracle.answer(Batch(tuple(queries)), 0)
    means = exact_means(name, queries, tolerance.scale)
    for query, answer, mean in zip(queries, answers, means, strict=True):
        off = np.abs(dense(answer) - dense(mean.value))
        assert (off <= tolerance.radius(mean) * (1 + 1e-12) + mean.error).all(), query.label


@pytest.mark.parametrize("policy", zoo.POLICIES)
@pytest.mark.parametrize("name", ["label noise", "low-degree removal", "sigmoid"])
def test_answers_from_samples_are_within_tolerance_of_the_exact_mean(policy, name):
    """A sampled mean confesses its error and the policy has only the rest of the radius."""
    instance = zoo.INDEX[name]
    queries = zoo.one_of_each(name, *ASKING)
    tolerance, sampled = Absolute(0.1), zoo.MEANS["Monte Carlo"]
    oracle = sq(instance, tolerance=tolerance, policy=zoo.POLICIES[policy], means=sampled)
    means = exact_means(name, queries, Scale.NONE)
    for answer, mean in zip(oracle.answer(Batch(tuple(queries)), 0), means, strict=True):
        assert (np.abs(dense(answer) - dense(mean.value)) <= 0.1).all()


def exact_means(name: str, queries: list[Any], scale: Scale) -> list[Mean]:
    """Quadrature's means."""
    return zoo.MEANS["quadrature"].means(zoo.INDEX[name], queries, [scale] * len(queries))


# 4. Every CSQ query is linear in y.


def linearity_defect(queries: list[Any]) -> list[float]:
    """How far E[phi(x, y + y')] is from E[phi(x, y)] + E[phi(x, y')] on a table, for each query."""
    stream = np.random.default_rng(0)
    x, y, z = (stream.standard_normal(s) for s in ((40, zoo.DIMENSION), 40, 40))
    first, second, both = (
        Sample().means(Dataset(x, labels), queries, [Scale.PRODUCT] * len(queries), seed=0, turn=0)
        for labels in (y, z, y + z)
    )
    return [
        float(np.max(np.abs(a.value + b.value - c.value)) / (np.max(dense(c.scale)) + 1e-300))
        for a, b, c in zip(first, second, both, strict=True)
    ]


@pytest.mark.parametrize("learner", [n for n in zoo.LEARNERS if n != "thresholded PCA"])
@few_instances
def test_every_correlational_query_that_was_asked_is_linear_in_the_label(learner, name):
    """What a CSQ oracle answers is E[y g(x)]: doubling or adding labels does so to the mean."""
    assert max(linearity_defect(correlational(learner, name))) < 1e-13


def test_the_check_of_linearity_sees_a_threshold_on_the_label():
    """The law has teeth: the query that makes thresholded PCA genuine SQ breaks it."""
    asked = zoo.questions("thresholded PCA", "clean")
    assert min(linearity_defect(asked)) > 0.01


@learners
def test_a_learner_is_correlational_exactly_if_a_csq_oracle_answers_it(learner):
    """Type and run time agree on who may ask."""
    instance = zoo.INSTANCES["clean"]
    oracle = csq(instance, tolerance=L2(0.01))
    if zoo.LEARNERS[learner].correlational:
        run(zoo.made(learner, instance), oracle)
    else:
        with pytest.raises(QueryRefused):
            run(zoo.made(learner, instance), oracle)


def test_reweighted_descent_is_correlational_once_it_has_its_warm_start():
    """The start may come from SQ; no step after it needs more than CSQ."""
    instance = zoo.INSTANCES["clean"]
    start = run(zoo.made("thresholded PCA", instance), zoo.exact_oracle(instance)).value
    oracle = csq(instance, tolerance=L2(1e-6), policy=toward_zero)
    best = max(
        (run(reweighted_pgd(instance.problem, start=s), oracle).value for s in (start, -start)),
        key=lambda hypothesis: hypothesis.overlap(instance.direction),
    )
    assert best.overlap(instance.direction) > 1 - 1e-6


def test_learn_relu_is_refused_at_its_first_query_that_is_not_linear_in_the_label():
    """Its first round asks E[y^2] beside two correlations; nothing is answered before."""
    instance = zoo.INSTANCES["clean"]
    with pytest.raises(QueryRefused, match="label energy"):
        run(learn_relu(instance.problem), csq(instance, tolerance=L2(0.01)))


# 5. Replaying any prefix, then continuing, equals never having stopped.


@learners
@few_instances
def test_stopping_and_resuming_changes_nothing(learner, name, tmp_path):
    """A transcript prefix plus the same call is the whole state of a run."""
    instance = zoo.INSTANCES[name]
    oracle = oracle_for(learner, instance, policy=uniform, seed=2)
    whole = run(zoo.made(learner, instance), oracle)
    turns = range(len(whole.transcript) - 1)
    for turn in sorted({*turns[:1], *turns[1:-1:9], *turns[-1:]}):
        log = tmp_path / f"{turn}.jsonl"
        run(zoo.made(learner, instance), oracle, log=log, callback=lambda e, _: e.turn == turn)  # noqa: B023
        resumed = run(zoo.made(learner, instance), oracle, log=Transcript.resume(log))
        assert zoo.same(resumed.value, whole.value)
        assert resumed.ledger == whole.ledger
        for mine, its in zip(resumed.transcript, whole.transcript, strict=True):
            assert all(map(zoo.same, mine.answers, its.answers))


# 6. Rotating the instance rotates the answer.


@pytest.mark.parametrize(
    ("learner", "name"),
    [
        (learner, name)
        for learner, made in zoo.LEARNERS.items()
        for name in zoo.INDEX
        if not made.moving and name not in SKIPPED and (learner, name) not in BLIND
    ],
)
def test_rotating_the_instance_rotates_the_answer(learner, name):
    """Gaussian inputs know no axes, so neither may a learner or the quadrature."""
    instance = zoo.INDEX[name]
    turn = zoo.rotation(zoo.DIMENSION)
    moved = zoo.rotated(instance, turn)
    make, start = zoo.LEARNERS[learner].make, zoo.start_of(instance.problem)
    before = run(make(instance.problem, start), zoo.exact_oracle(instance)).value
    after = run(make(instance.problem, turn @ start), zoo.exact_oracle(moved)).value
    before, after = zoo.numbers(before), zoo.numbers(after)
    # A direction comes back without its bias, and its sign is free.
    expected = np.append(turn @ before[: zoo.DIMENSION], before[zoo.DIMENSION :])
    free = len(before) == zoo.DIMENSION and expected @ after < 0
    np.testing.assert_allclose(after, -expected if free else expected, atol=1e-9)


@pytest.mark.slow
def test_rotating_the_instance_rotates_what_learn_relu_finds():
    """Its random start does not turn along, but on this instance another candidate wins."""
    instance = ReluRegression(zoo.DIMENSION).draw(bias=-3.0, seed=1)
    turn = zoo.rotation(zoo.DIMENSION)
    found = [
        run(learn_relu(i.problem, steps=20, descent_steps=5), zoo.exact_oracle(i)).value
        for i in (instance, zoo.rotated(instance, turn))
    ]
    np.testing.assert_allclose(found[1].weights, turn @ found[0].weights, atol=1e-7)
    assert found[1].bias == pytest.approx(found[0].bias, abs=1e-7)


# 8. The exact mean, the sampled mean and a Monte-Carlo interval agree.


@pytest.mark.parametrize(
    ("scale", "name"),
    [
        *((Scale.FUNCTION, name) for name in zoo.INDEX),
        *((Scale.PRODUCT, name) for name in zoo.INDEX if name not in zoo.SEVERAL_DIRECTIONS),
    ],
)
def test_exact_mean_lies_in_the_monte_carlo_interval(scale, name):
    """Two evaluators that share no code are right together."""
    queries = zoo.one_of_each(name, *ASKING)
    exactly = exact_means(name, queries, scale)
    scales = [scale] * len(queries)
    sampled = zoo.MEANS["Monte Carlo"]
    roughly = sampled.means(zoo.INDEX[name], queries, scales, seed=4, turn=0)
    for query, one, two in zip(queries, exactly, roughly, strict=True):
        off = np.abs(dense(one.value) - dense(two.value))
        # The interval knows nothing of events too rare for the sample to have seen.
        assert (off <= dense(two.error) + one.error + 1e-6).all(), query.label
        np.testing.assert_allclose(dense(one.scale), dense(two.scale), rtol=0.25, atol=1e-4)


@pytest.mark.parametrize("name", ["label noise", "low-degree removal", "sigmoid", "residual"])
def test_exact_mean_agrees_with_the_average_over_a_drawn_table(name):
    """The average over a sample's rows is within six standard errors of the population's."""
    instance = zoo.INDEX[name]
    queries, count = zoo.one_of_each(name, *ASKING), 50_000
    table = zoo.drawn(instance, count)
    scales = [Scale.PRODUCT] * len(queries)
    exactly = exact_means(name, queries, Scale.PRODUCT)
    sampled = zoo.MEANS["sample"].means(table, queries, scales, seed=0, turn=0)
    for query, one, two in zip(queries, exactly, sampled, strict=True):
        off = np.abs(dense(one.value) - dense(two.value))
        assert (off <= 6 * dense(two.scale) / np.sqrt(count) + one.error).all(), query.label


# 10. The same seed gives the same result, and different roles never share a stream.


@learners
@few_instances
def test_the_same_seed_gives_the_same_result(learner, name):
    """Nothing is drawn but from (seed, role, turn)."""
    instance = zoo.INSTANCES[name]
    oracle = oracle_for(learner, instance, policy=uniform, seed=6)
    check_strategy(lambda: zoo.made(learner, instance), oracle)


def test_a_learner_with_the_instances_seed_is_not_started_at_the_secret():
    """With one integer for both, the first draw of a learner would be the hidden direction."""
    problem = ReluRegression(40)
    for seed in range(50):
        start = random_direction(problem, seed=seed)
        assert abs(start @ problem.draw(seed=seed).direction) < 0.9


def test_no_two_roles_share_a_stream():
    """One seed may serve all roles."""
    triples = itertools.product((0, 1), Role, (0, 1))
    first = [tuple(rng(seed, role, turn).random(3)) for seed, role, turn in triples]
    assert len(set(first)) == len(first)
