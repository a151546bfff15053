"""Sparse parities through learners of ReLUs: what is carried over, what it costs, what it finds."""

from __future__ import annotations

import json
import math
from contextlib import suppress
from functools import partial

import numpy as np
import pytest
from typer.testing import CliRunner

from sqsim import (
    L2,
    Absolute,
    BadInput,
    Batch,
    Budget,
    Correlation,
    Opaque,
    QueryRefused,
    Ridge,
    RootMeanSquare,
    Statistic,
    Unperturbed,
    ask,
    ask_all,
    csq,
    exact,
    grid,
    run,
    sq,
    toward,
    toward_zero,
    uniform,
    worst_direction,
)
from sqsim.algorithms.descent import projected_gradient_descent
from sqsim.algorithms.dropped_coordinates import WithoutCoordinate
from sqsim.algorithms.parity_reduction import (
    BLIND_LOSS,
    NORM,
    relevant_variables,
)
from sqsim.algorithms.parity_search import (
    eliminating_parity,
    exhaustive_parity,
    greedy_parity,
    staged_parity,
)
from sqsim.algorithms.regression import one_shot_regression
from sqsim.algorithms.set_search import exhaustive_neurons
from sqsim.cli import app
from sqsim.errors import BudgetSpent
from sqsim.lowerbounds.parity_gaps import parity_neuron_gain
from sqsim.lowrank import dense
from sqsim.oracles.parity_quadrature import ParityQuadrature, neuron_correlation
from sqsim.oracles.policies import policy_name
from sqsim.problems import Dataset, ReluHypothesis, ReluRegression
from sqsim.problems.parity import SparseParity
from sqsim.queries import Characters
from sqsim.set_neurons import SetNeurons
from sqsim.studies.catalogue.parities import ALGORITHMS
from sqsim.studies.parity import ParityRecovery, recover_parity
from sqsim.studies.parity_contenders import cut_between
from sqsim.subsets import masks_of
from sqsim.testing import check_strategy

POLICIES = [exact, uniform, grid, toward_zero, toward(0.01), toward(-1.0), worst_direction]
policies = pytest.mark.parametrize("policy", POLICIES, ids=policy_name)
MEANS = ParityQuadrature()


def lifted(dimension, sparsity, noise=0):
    return SparseParity(dimension, sparsity, noise=noise, lifted=True)


def reduction(problem, *, accuracy, **how):
    learn = partial(exhaustive_neurons, sparsity=problem.sparsity)
    return relevant_variables(problem, learn, accuracy=accuracy, **how)


@pytest.mark.parametrize(
    ("dimension", "sparsity", "noise", "finest"),
    [(8, 2, "0", 1e-9), (30, 2, "0.1", 1e-9), (12, 6, "0.1", 1e-8)],
)
def test_found_just_below_the_exact_gap_and_not_just_above_it(dimension, sparsity, noise, finest):
    """An adversary that answers 0 where it may hides the parity from the gap on, to 8 digits."""
    gap = float(parity_neuron_gain(sparsity, noise=noise))
    for share in (1 - finest, 1 + finest):
        results = recover_parity(ParityRecovery(dimension, sparsity, noise, tolerance=share * gap))
        if share < 1:
            assert results["found"] == results["declared"] == results["relevant"]
        else:
            assert results["declared"] == list(range(dimension))
            assert results["found"] == []


def test_six_of_thirty_are_found_just_below_the_gap():
    """14 million correlations in two rounds: batches are vectors, so it takes seconds."""
    gap = float(parity_neuron_gain(6, noise="0.1"))
    results = recover_parity(ParityRecovery(30, 6, "0.1", tolerance=gap * (1 - 1e-6)))
    assert results["found"] == results["relevant"]
    assert results["queries"] == 30 * (math.comb(29, 6) + 1)
    assert results["rounds"] == 2
    assert results["gap"] == gap


@pytest.mark.parametrize("norm", [Absolute, L2, RootMeanSquare])
@pytest.mark.parametrize(("dimension", "sparsity"), [(7, 2), (8, 6)])
@policies
def test_every_policy_below_half_of_the_gap_is_survived(policy, dimension, sparsity, norm):
    """Losses are off by less than half the gap, and so no threshold is crossed."""
    problem = lifted(dimension, sparsity, "0.1")
    gap = float(parity_neuron_gain(sparsity, noise="0.1"))
    # The neuron's norm is 1 / (2 sqrt pi), which is what the other tolerances are measured in.
    tau = 0.49 * gap * (1.0 if norm is Absolute else 2 * math.sqrt(math.pi))
    instance = problem.draw(seed=sparsity)
    oracle = csq(instance, tolerance=norm(tau), policy=policy, means=MEANS)
    result = run(reduction(problem, accuracy=2 * gap), oracle)
    assert result.value.found == instance.subset
    for j, loss in enumerate(result.value.losses):
        least = BLIND_LOSS - gap * (j not in instance.subset)
        assert abs(loss - least) <= 0.49 * gap + 1e-12


@policies
def test_a_quarter_of_the_accuracy_is_enough_with_the_published_threshold(policy):
    """Algorithm 1 as it is written, accuracy = gap: answers within accuracy / 4."""
    problem = lifted(8, 2)
    gap = float(parity_neuron_gain(2))
    instance = problem.draw(seed=4)
    oracle = csq(instance, tolerance=Absolute(0.249 * gap), policy=policy, means=MEANS)
    assert run(reduction(problem, accuracy=gap), oracle).value.found == instance.subset


@pytest.mark.parametrize(("parallel", "rounds"), [(True, 2), (False, 14)])
def test_the_ledger_is_the_formula(parallel, rounds):
    """d (binomial(d - 1, k) + 1) queries; 2 rounds, or 2 d one after the other."""
    problem = lifted(7, 2)
    oracle = csq(problem.draw(seed=1), tolerance=Absolute(0.03), policy=uniform, means=MEANS)
    ledger = run(reduction(problem, accuracy=0.1, parallel=parallel), oracle).ledger
    assert (ledger.queries, ledger.rounds) == (7 * (math.comb(6, 2) + 1), rounds)


def test_all_coordinates_relevant_leaves_nothing_to_ask_but_the_losses():
    problem = lifted(6, 6)
    oracle = csq(problem.draw(), tolerance=Absolute(0.001), means=MEANS)
    result = run(reduction(problem, accuracy=0.001), oracle)
    assert result.value.found == tuple(range(6))
    assert (result.ledger.queries, result.ledger.rounds) == (6, 1)


def test_four_signs_are_found_by_neurons_with_one_opposite_weight():
    """c_4 < 0 hides them from weights of one sign alone."""
    problem = lifted(7, 4)
    instance = problem.draw(seed=2)
    gap = -neuron_correlation(4, 4)[0] * NORM
    oracle = csq(instance, tolerance=Absolute(0.4 * gap), policy=uniform, means=MEANS)
    for opposed, declared in ((True, instance.subset), (False, tuple(range(7)))):
        learn = partial(exhaustive_neurons, sparsity=4, opposed=opposed)
        result = run(relevant_variables(problem, learn, accuracy=2 * gap), oracle)
        assert result.value.declared == declared


def test_a_descent_through_the_reduction_finds_two_signs_and_one_shot_none():
    """Any learner can be wrapped: what it sees of the gap decides."""
    problem = lifted(5, 2)
    instance = problem.draw(seed=0)
    oracle = csq(instance, tolerance=Absolute(1e-3), means=MEANS)
    gap = float(parity_neuron_gain(2))
    descent = partial(projected_gradient_descent, steps=20, step_size=0.6, seed=3)
    result = run(relevant_variables(problem, descent, accuracy=gap), oracle)
    assert result.value.found == instance.subset
    # Its vectors have d entries instead of d - 1; a loss is one more query.
    assert (result.ledger.queries, result.ledger.rounds) == (5 * (20 * (5 + 1) + 1), 21)
    blind = run(relevant_variables(problem, one_shot_regression, accuracy=gap), oracle)
    assert blind.value.declared == tuple(range(5))


def test_the_reduction_is_a_strategy_like_others():
    problem = lifted(5, 2)
    oracle = csq(problem.draw(), tolerance=Absolute(0.02), policy=uniform, means=MEANS)
    check_strategy(lambda: reduction(problem, accuracy=0.1), oracle)


def test_a_parity_on_the_cube_is_lifted_by_half_normals():
    """Functions are averaged over draws; then 2^d points are summed over."""
    problem = SparseParity(6, 2, noise="0.1")
    instance = problem.draw(seed=1)
    gap = float(parity_neuron_gain(2, noise="0.1"))
    oracle = csq(instance, tolerance=Absolute(gap / 5), policy=toward_zero)
    result = run(reduction(problem, accuracy=gap, draws=400), oracle)
    assert result.value.found == instance.subset
    assert result.ledger.queries == 6 * (math.comb(5, 2) + 1)


J, D = 2, 5
STREAM = np.random.default_rng(8)
TABLE = lifted(D, 2, "0.1").draw(seed=3)
X = STREAM.standard_normal((300, D))
SIGNS = TABLE.labels.draw(X, STREAM)
SHOWN = Dataset(X, SIGNS)
HIDDEN = Dataset(np.delete(X, J, axis=1), (SIGNS + 1) / 2)
W = STREAM.standard_normal(D - 1)
STATISTICS = {
    "scalar": Statistic(
        Ridge(lambda s, y: np.abs(s - 0.3 * y), W, kinks=(0.0, 0.3), levels=(0.0, 1.0))
    ),
    "vector": Statistic(Ridge(lambda s, y: np.cos(s * y), W, 1)),
    "matrix": Statistic(Ridge(lambda s, y: np.cos(s + y), W, 2)),
    "of the label": Statistic(Ridge(np.exp)),
    "example": Statistic(Opaque(lambda x, y: x * y[:, None], D - 1)),
    "parities": Statistic(Characters(masks_of([(0, 1), (1, 2, 3), ()]), h=lambda y: y**2 - 3 * y)),
    "all parities": Statistic(Characters(h=np.exp)),
}
CORRELATIONS = {
    "scalar": Correlation(Ridge(np.abs, W, kinks=(0.0,))),
    "vector": Correlation(Ridge(np.cos, W, 1)),
    "matrix": Correlation(Ridge(np.cos, W, 2)),
    "mean": Correlation(Ridge()),
    "moment": Correlation(Ridge(power=1)),
    "neurons": Correlation(Opaque(SetNeurons(np.array([[0, 1], [2, 3]])), 2)),
    "parities": Correlation(Characters(masks_of([(0, 1), (1, 2, 3), ()]))),
}


def answered(query, table, view=None):
    """The answer that a strategy sees."""
    strategy = ask(query)
    if view is not None:
        strategy = view.carry(strategy)
    return dense(run(strategy, sq(table, tolerance=Unperturbed())).value)


@pytest.mark.parametrize("name", STATISTICS)
def test_statistics_carried_over_are_those_of_the_other_problem(name):
    """On one table of examples the learner cannot tell which one was asked."""
    query = STATISTICS[name]
    view = WithoutCoordinate(D, J)
    assert np.allclose(answered(query, SHOWN, view), answered(query, HIDDEN), atol=1e-12)
    (asked, _) = view.asked(query)
    assert isinstance(asked, Statistic)
    if name == "scalar":
        assert tuple(asked.form.levels) == (-1.0, 1.0)


@pytest.mark.parametrize("name", CORRELATIONS)
def test_correlations_carried_over_stay_correlations_and_agree(name):
    """E[y' g] = (E[y g] + E[g]) / 2; a table's own E[g] differs from the law's."""
    query = CORRELATIONS[name]
    view = WithoutCoordinate(D, J)
    (asked, _) = view.asked(query)
    assert isinstance(asked, Correlation)
    ones = Dataset(HIDDEN.inputs, np.ones(len(X)))
    surplus = answered(query, ones) - view._label_free(query.form, "")
    found = answered(query, SHOWN, view) + surplus / 2
    assert np.allclose(found, answered(query, HIDDEN), atol=1e-9)


def test_a_named_tolerance_is_doubled_and_only_if_it_can_be():
    """The label moves by 2 where y' moves by 1; norms of y' g and y g are no multiples."""
    view = WithoutCoordinate(D, J)
    for kind in (Absolute, L2):
        asked, _ = view.asked(Correlation(Ridge(np.abs, W), tolerance=kind(0.1)))
        assert asked.tolerance == kind(0.2)
        kept, _ = view.asked(Statistic(Ridge(np.exp), tolerance=kind(0.1)))
        assert kept.tolerance == kind(0.1)
    with pytest.raises(BadInput, match="Absolute or L2"):
        view.asked(Correlation(Ridge(np.abs, W), tolerance=RootMeanSquare(0.1)))


def test_what_cannot_be_carried_over_is_refused():
    view = WithoutCoordinate(D, J)
    with pytest.raises(BadInput, match="label-free mean"):
        view.asked(Correlation(Opaque(lambda x: x[:, 0])))
    with pytest.raises(BadInput, match="name the sets"):
        WithoutCoordinate(30, J).asked(Correlation(Characters()))
    with pytest.raises(BadInput, match="lifted"):
        WithoutCoordinate(D, J, np.ones((2, D))).asked(Correlation(Ridge(np.abs, W, 2)))


def test_a_refusal_reaches_the_learner_at_its_own_line():
    """And what a spent budget still answered is translated too."""
    view = WithoutCoordinate(D, J)
    mean = Correlation(Ridge(), "mean")

    def learner(problem):
        with suppress(QueryRefused):
            yield from ask(Statistic(Ridge(np.exp)))
        try:
            yield from ask_all(mean, mean)
        except BudgetSpent as spent:
            return spent.answered

    oracle = csq(TABLE, tolerance=Absolute(0.1), means=MEANS)
    result = run(view.carry(learner(None)), oracle, budget=Budget(queries=1))
    assert [float(a) for a in result.value] == [0.5]


def test_a_biased_neuron_is_refused_because_a_constant_would_pass():
    """The constant 1/2 loses 1/4 < 1/2 - 1/(4 pi)."""

    def constant(problem):
        yield from ask(Correlation(Ridge()))
        return ReluHypothesis(np.zeros(problem.dimension), 0.5)

    problem = lifted(4, 2)
    with pytest.raises(BadInput, match="proper"):
        run(
            relevant_variables(problem, constant, accuracy=0.1),
            csq(problem.draw(), tolerance=Absolute(0.1), means=MEANS),
        )


@pytest.mark.parametrize(
    ("problem", "accuracy", "words"),
    [
        (lifted(5, 3), 0.1, "vanishes for every w"),
        (lifted(5, 1), 0.1, "even"),
        (lifted(5, 0), 0.1, "no coordinate"),
        (lifted(5, 2), 0.0, "accuracy"),
        (lifted(5, 2), math.nan, "accuracy"),
    ],
    ids=["three", "one", "none", "no gap", "nan"],
)
def test_reductions_that_cannot_work_are_refused(problem, accuracy, words):
    with pytest.raises(BadInput, match=words):
        next(reduction(problem, accuracy=accuracy))


@policies
def test_the_exhaustive_learner_is_agnostic_within_its_class(policy):
    """Loss at most 4 sqrt(2) t ||y|| + 2 t^2 above the least where the norm is not told."""
    problem = lifted(7, 2, "0.1")
    signal = 0.8 * neuron_correlation(2, 2)[0]
    for seed, tau in enumerate((0.3 * signal, 0.8 * signal, 3 * signal)):
        instance = problem.draw(seed=seed)
        oracle = csq(instance, tolerance=Absolute(tau), policy=policy, means=MEANS, seed=seed)
        result = run(exhaustive_neurons(problem, sparsity=2), oracle)
        assert (result.ledger.queries, result.ledger.rounds) == (math.comb(7, 2), 1)
        neuron = result.value
        agreed = 0.0
        if neuron.norm:
            form = Ridge(lambda s: np.maximum(s, 0.0), neuron.weights, kinks=(0.0,))
            agreed = float(MEANS.means(instance, [Correlation(form)], [L2(1).scale])[0].value)
        excess = neuron.norm**2 / 2 - 2 * agreed + 2 * signal**2
        assert excess <= 4 * math.sqrt(2) * tau + 2 * tau**2 + 1e-12


def test_the_exhaustive_learner_keeps_a_norm_that_it_is_told():
    problem = ReluRegression(3, norm=0.7, bias=0.0)
    with pytest.raises(StopIteration) as stop:
        next(exhaustive_neurons(problem, sparsity=4))
    assert stop.value.value.norm == pytest.approx(0.7)
    with pytest.raises(BadInput, match="sparsity"):
        next(exhaustive_neurons(problem, sparsity=0))


@pytest.mark.parametrize("sparsity", [1, 2, 3, 5])
@policies
def test_brute_force_finds_every_parity_below_half_of_the_signal(policy, sparsity):
    """In one round of binomial(d, k), or in stages of 10 until it is met; lifted or not."""
    for seed, lift in enumerate((True, False)):
        problem = SparseParity(8, sparsity, noise="0.1", lifted=lift)
        instance = problem.draw(seed=seed)
        oracle = csq(instance, tolerance=Absolute(0.399), policy=policy, seed=seed)
        whole = run(exhaustive_parity(problem), oracle)
        count = math.comb(8, sparsity)
        assert whole.value == instance.subset
        assert (whole.ledger.queries, whole.ledger.rounds) == (count, 1)
        staged = run(staged_parity(problem, stage=10), oracle)
        assert staged.value == instance.subset
        assert staged.ledger.queries <= count
        assert staged.ledger.rounds <= -(-count // 10)


@pytest.mark.parametrize("sparsity", [1, 2, 4])
def test_greed_finds_one_sign_and_has_no_first_step_toward_more(sparsity):
    """Its k d - k (k - 1)/2 answers are 0 for all but luck."""
    problem = lifted(9, sparsity)
    instance = problem.draw(seed=1)
    result = run(greedy_parity(problem), csq(instance, tolerance=Absolute(0.3)))
    assert result.value == (instance.subset if sparsity == 1 else ())
    queries = sparsity * 9 - sparsity * (sparsity - 1) // 2
    assert (result.ledger.queries, result.ledger.rounds) == (queries, sparsity)


@pytest.mark.parametrize("sparsity", [2, 4, 6])
@policies
def test_elimination_needs_few_queries_and_a_fine_tolerance(policy, sparsity):
    """d queries within q |c_(k, d-1)| / sqrt 2; at sqrt(2) q |c_(k, d-1)| zeros are lawful."""
    problem = lifted(9, sparsity, "0.1")
    instance = problem.draw(seed=sparsity)
    half = 0.8 * abs(neuron_correlation(sparsity, 8)[0]) / math.sqrt(2)
    for norm in (Absolute, L2):
        oracle = csq(instance, tolerance=norm(0.99 * half), policy=policy, means=MEANS)
        result = run(eliminating_parity(problem), oracle)
        assert result.value == instance.subset
        assert (result.ledger.queries, result.ledger.rounds) == (9, 1)
    blind = csq(instance, tolerance=Absolute(2.01 * half), policy=toward_zero, means=MEANS)
    assert run(eliminating_parity(problem), blind).value == ()


def test_searches_refuse_what_they_are_not_made_for():
    with pytest.raises(BadInput, match="Gaussian inputs"):
        next(eliminating_parity(SparseParity(6, 2)))
    with pytest.raises(BadInput, match="even"):
        next(eliminating_parity(lifted(6, 3)))
    with pytest.raises(BadInput, match="stage"):
        next(staged_parity(lifted(6, 3), stage=0))
    with pytest.raises(BadInput, match="cut"):
        next(staged_parity(lifted(6, 3), cut=-1.0))


@pytest.mark.parametrize(
    ("name", "queries", "rounds"),
    [
        ("exhaustive-neurons", 8 * (math.comb(7, 2) + 1), 2),
        ("exhaustive-parity", math.comb(8, 2), 1),
        ("staged-parity", math.comb(8, 2), 1),
        ("eliminating-parity", 8, 1),
    ],
)
@pytest.mark.parametrize("norm", ["absolute", "l2", "vstat"])
def test_every_learner_finds_the_parity_below_what_hides_it_and_not_above(
    name, queries, rounds, norm
):
    """The study's `hidden_from` is exact, whatever a unit of tolerance means."""
    below = recover_parity(ParityRecovery(8, 2, "0.1", name, norm=norm, seed=5))
    assert below["found"] == below["relevant"]
    assert (below["queries"], below["rounds"]) == (queries, rounds)
    beyond = below["hidden_from"] * (1 + 1e-9)
    above = ParityRecovery(8, 2, "0.1", name, norm=norm, seed=5, tolerance=beyond)
    assert recover_parity(above)["found"] == []


@pytest.mark.parametrize("entry", ALGORITHMS, ids=lambda entry: entry.name)
def test_registered_costs_are_those_of_the_ledger(entry):
    """What the catalogue states of each, on its example."""
    entry.check_formulas()
    instance = entry.instance()
    strategy = entry.strategy(instance.problem, 0)
    ledger = run(strategy, csq(instance, tolerance=Unperturbed(), means=MEANS)).ledger
    assert (ledger.rounds, ledger.queries) == entry.costs_on(instance.problem)


def test_cuts_lie_between_the_signal_and_nothing():
    """For every policy below half of the signal, for zeros below all of it."""
    for radius in (0.0, 0.2, 0.49):
        assert radius < cut_between(1.0, radius) < 1 - radius + 1e-12
    for radius in (0.5, 0.7, 0.999):
        assert 0 < cut_between(1.0, radius) < 1 - radius


def command(*words):
    return CliRunner().invoke(app, ["parity", *map(str, words)])


def test_the_command_writes_its_contract(tmp_path):
    """gap is a number, with its proved interval beside it."""
    path = tmp_path / "parity.json"
    done = command(
        *("--dimension", 9, "--sparsity", 6, "--noise", "0.1", "--seed", 3, "--json", path)
    )
    assert done.exit_code == 0, done.output
    results = json.loads(path.read_text())
    assert results["schema"] == "sqsim.parity/1"
    assert results["relevant"] == results["found"]
    assert len(results["relevant"]) == 6
    assert results["queries"] == 9 * (math.comb(8, 6) + 1)
    assert results["rounds"] == 2
    ends = results["gap_interval"]
    assert float(ends["lower"]) <= results["gap"] <= float(ends["upper"])
    assert results["gap"] == pytest.approx(0.8 * 0.004756930013 / math.sqrt(2 * math.pi))
    assert "found:" in done.output


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--sparsity", 4], "changes sign"),
        (["--sparsity", 3], "vanishes"),
        (["--sparsity", 1], "linear part"),
        (["--sparsity", 10], "from 0 to 8"),
        (["--dimension", 3000], "smaller dimension"),
        (["--noise", "1/2"], "below 1/2"),
        (["--noise", "much"], "noise"),
        (["--tolerance", 0], "tolerance"),
        (["--policy", "kind"], "policy"),
        (["--norm", "l3"], "norm"),
        (["--learner", "nobody"], "nobody"),
        (["--seed", -1], "seed"),
    ],
    ids=lambda value: " ".join(map(str, value)) if isinstance(value, list) else "",
)
def test_the_command_refuses_with_the_assumption(words, message):
    given = {"--dimension": 8, "--sparsity": 2, "--noise": "0.1"}
    given.update(dict([words]))
    done = command(*(part for pair in given.items() for part in pair))
    assert isinstance(done.exception, BadInput)
    assert message in str(done.exception)


def test_any_learner_of_a_neuron_goes_through_the_reduction(capsys):
    """By its registered name; a learner that sees degree 1 alone declares every coordinate."""
    done = command(
        *("--dimension", 5, "--sparsity", 2, "--noise", "0", "--learner", "one-shot-regression")
    )
    assert done.exit_code == 0, done.output
    assert "declared: 5 coordinates, not 2" in done.output


def test_batches_stay_single_vectorised_queries():
    """A batch of the reduction holds one query for each coordinate, not one for each set."""
    strategy = reduction(lifted(10, 2), accuracy=0.1)
    batch = next(strategy)
    assert isinstance(batch, Batch)
    assert [query.size(10) for query in batch.queries] == [math.comb(9, 2)] * 10
    strategy.close()
