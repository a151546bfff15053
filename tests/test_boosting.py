"""Boosting: the Frank-Wolfe rate, the distance it bounds, and what transport does to queries."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pytest

from sqsim import (
    L2,
    MonteCarlo,
    Sample,
    Unperturbed,
    csq,
    exact,
    grid,
    run,
    sq,
    toward_zero,
    uniform,
    worst_direction,
)
from sqsim.algorithms.boosting import boosted_p_concept, frank_wolfe_excess
from sqsim.algorithms.combinations import Atom, Combination
from sqsim.algorithms.correlating import (
    agnostic_choice,
    agnostic_neuron,
    agnostic_parity,
    unit_neuron,
)
from sqsim.algorithms.label_free import LabelFree, spectrum
from sqsim.algorithms.relabelling import residual_labels, with_random_signs
from sqsim.algorithms.transport import transported
from sqsim.errors import BadInput, BudgetSpent, QueryRefused
from sqsim.inputs import Gaussian, Rademacher
from sqsim.links import Relu, Scaled
from sqsim.loop import Budget
from sqsim.oracles.boolean_quadrature import BooleanQuadrature
from sqsim.problems import Dataset, ReluHypothesis
from sqsim.problems.cube import CubeFunction
from sqsim.problems.index import SingleIndex
from sqsim.problems.orthogonal_networks import OrthogonalNetworks
from sqsim.problems.p_concepts import PConcept
from sqsim.problems.transfers import Clipped, Logistic
from sqsim.queries import Batch, Characters, Correlation, Opaque, Query, Ridge, Statistic
from sqsim.strategy import ask, ask_all
from sqsim.studies.p_concepts import (
    KindsAsked,
    boosting_trace,
    kinds_asked,
    radius_of,
    surrogate_excess,
    target_of,
)
from sqsim.subsets import parity_table

POLICIES = {
    "exact": exact,
    "uniform": uniform,
    "grid": grid,
    "toward zero": toward_zero,
    "worst direction": worst_direction,
}
SETS = ((0, 1, 2), (1, 3, 4), (0, 4, 5))
WEIGHTS = (0.8, -0.5, 0.3)
STAR = Combination(tuple(Characters.of([s]) for s in SETS), WEIGHTS)


def parities(transfer: Any, dimension: int = 6) -> CubeFunction:
    """y = -1 or 1 with E[y | x] = psi(0.8 chi - 0.5 chi' + 0.3 chi'')."""
    tables = [parity_table(sum(1 << i for i in s), dimension) for s in SETS]
    score = sum(w * table for w, table in zip(WEIGHTS, tables, strict=True))
    return CubeFunction(np.asarray(transfer(score)), conditional=True)


def neurons() -> Any:
    """One neuron of norm 2 in the score."""
    return PConcept(SingleIndex(4, Scaled(Relu(-0.5), 2.0))).draw(seed=3)


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("transfer", [Logistic(), Clipped()], ids=lambda t: type(t).__name__)
def test_boosted_parities_keep_the_rate(transfer: Any, policy: str) -> None:
    """8 L radius^2 / (T + 2) + radius slack in every step, with slack 2 tau under any policy."""
    instance, tau, steps = parities(transfer), 0.03, 24
    oracle = csq(instance, tolerance=L2(tau), policy=POLICIES[policy])
    learner = partial(agnostic_parity, sparsity=3)
    boosted = boosted_p_concept(
        instance.problem, learner, transfer=transfer, radius=1.6, steps=steps
    )
    result = run(boosted, oracle)
    known = LabelFree(Rademacher(6))
    trace = boosting_trace(result.value, STAR, known, radius=1.6, norm=1.0, slack=2 * tau)
    for step in trace:
        assert -1e-12 <= step.excess <= step.excess_bound
        assert step.squared_distance <= step.distance_bound + 1e-12
    assert trace[-1].excess < trace[0].excess / 4
    assert (result.ledger.queries, result.ledger.rounds) == (steps * 20, steps)


@pytest.mark.parametrize("policy", POLICIES)
def test_boosted_neurons_keep_the_rate(policy: str) -> None:
    """A list of neurons, two of them wrong, over Gaussian inputs; the tolerance is of norm 1."""
    instance, tau = neurons(), 0.02
    v = instance.labels.columns[0]
    problem = instance.problem
    concepts = [
        unit_neuron(problem, ReluHypothesis(w, b)) for w, b in ((v, -0.5), (-v, 0.0), (v, 1.0))
    ]
    oracle = csq(instance, tolerance=L2(tau), policy=POLICIES[policy], means=BooleanQuadrature())
    radius = radius_of(instance)
    transfer = problem.transfer
    learner = partial(agnostic_choice, concepts=concepts)
    boosted = boosted_p_concept(problem, learner, transfer=transfer, radius=radius, steps=10)
    result = run(boosted, oracle)
    known = LabelFree(problem.inputs)
    trace = boosting_trace(
        result.value, target_of(instance), known, radius=radius, norm=1.0, slack=2 * tau
    )
    for step in trace:
        assert -1e-12 <= step.excess <= step.excess_bound
        assert step.squared_distance <= step.distance_bound + 1e-12
    assert trace[-1].squared_distance < 0.02
    assert (result.ledger.queries, result.ledger.rounds) == (30, 10)


def test_a_known_neuron_learner_boosts() -> None:
    """One-shot regression inside: d + 2 queries in two rounds a step, and the distance falls."""
    instance = PConcept(SingleIndex(4, Scaled(Relu(), 3.0))).draw(seed=3)
    oracle = csq(instance, tolerance=L2(0.01), policy=toward_zero, means=BooleanQuadrature())
    transfer, problem = instance.problem.transfer, instance.problem
    result = run(
        boosted_p_concept(
            problem, agnostic_neuron(), transfer=transfer, radius=3 / np.sqrt(2), steps=5
        ),
        oracle,
    )
    known = LabelFree(problem.inputs)
    trace = boosting_trace(
        result.value, target_of(instance), known, radius=3 / np.sqrt(2), norm=1.0, slack=0.1
    )
    assert trace[-1].squared_distance < 0.05 * trace[0].squared_distance
    assert (result.ledger.queries, result.ledger.rounds) == (5 * 6, 5 * 2)
    x = np.random.default_rng(0).standard_normal((20, 4))
    assert np.allclose(result.value(x), np.tanh(result.value.score(x) / 2))


@pytest.mark.parametrize("transfer", [Logistic(), Clipped()], ids=lambda t: type(t).__name__)
def test_the_distance_is_at_most_the_excess(transfer: Any) -> None:
    """||psi(f) - psi(g)||^2 <= 2 L (Ls(f) - Ls(g)) for any f where E[y | x] = psi(g)."""
    known, stream = LabelFree(Rademacher(6)), np.random.default_rng(0)
    worst = 0.0
    for _ in range(200):
        size = 3 * stream.random()
        f, g = (Combination(STAR.forms, tuple(size * stream.standard_normal(3))) for _ in "fg")
        excess = surrogate_excess(transfer, f, g, known)
        distance = known.scalar([f, g], lambda v: (transfer(v[0]) - transfer(v[1])) ** 2)
        assert distance <= 2 * transfer.lipschitz * excess + 1e-12
        if excess > 1e-9:
            worst = max(worst, distance / (2 * transfer.lipschitz * excess))
    assert worst > 0.5


def test_the_bound_solves_its_own_recursion() -> None:
    """h <- (1 - g) h + g radius slack + 2 g^2 L radius^2 norm^2 from any start stays below it."""
    excess, parts = 1e9, {"radius": 1.7, "norm": 1.3, "slack": 0.2, "lipschitz": 0.5}
    for step in range(60):
        g = 2 / (step + 2)
        excess = (1 - g) * excess + g * 1.7 * 0.2 + 2 * g * g * 0.5 * 1.7**2 * 1.3**2
        assert excess <= frank_wolfe_excess(steps=step + 1, **parts) + 1e-12


TABLE_X = np.random.default_rng(0).standard_normal((300, 3))
TABLE = Dataset(TABLE_X, np.sin(TABLE_X[:, 0]) + 0.5 * TABLE_X[:, 1])
F = Combination(
    (
        Ridge(lambda s: np.maximum(s, 0), np.array([1.0, 0.5, 0.0]), kinks=(0.0,)),
        Ridge(np.tanh, np.array([0.0, 1.0, -1.0])),
    ),
    (0.7, -1.2),
)
W = np.array([0.2, -0.4, 1.0])
INNER: dict[str, Query] = {
    "scalar correlation": Correlation(Ridge(np.cos, W)),
    "bare field": Correlation(Ridge(power=1)),
    "matrix": Correlation(Ridge(lambda s: s**2, W, power=2)),
    "opaque correlation": Correlation(Opaque(lambda x: np.cos(x), 3)),
    "parities": Correlation(Characters.of([(0, 1), (2,)])),
    "statistic": Statistic(Ridge(lambda s, r: np.cos(s + r), W, power=1)),
    "of the label": Statistic(Ridge(lambda r: r**2)),
    "opaque statistic": Statistic(Opaque(lambda x, r: r**2 * x[:, 0])),
}


def asked(strategy: Any, oracle: Any) -> KindsAsked:
    """What a run asks, by kind."""
    exchanges: list[Any] = []
    run(strategy, oracle, callback=lambda exchange, _: exchanges.append(exchange))
    return kinds_asked(exchanges, oracle.dimension)


def asking(*queries: Query) -> Any:
    return (yield from ask_all(*queries))


def test_transported_answers_are_those_about_the_residual() -> None:
    """On a table all means are averages: the inner learner sees exactly its own distribution."""
    psi = Logistic()
    residual = Dataset(TABLE_X, TABLE.targets - psi(F(TABLE_X)))
    queries = list(INNER.values())
    known = LabelFree(TABLE.problem.inputs)
    outer = run(
        residual_labels(asking(*queries), F, psi, known),
        sq(TABLE, tolerance=Unperturbed(), means=Sample()),
    )
    direct = run(asking(*queries), sq(residual, tolerance=Unperturbed(), means=Sample()))
    for one, two in zip(outer.value, direct.value, strict=True):
        assert np.allclose(one, two, atol=1e-12)
    assert outer.ledger == direct.ledger


def test_correlations_stay_correlations_with_their_own_function() -> None:
    """So a correlational learner meets the same tolerance outside as it was written for."""
    queries = [query for query in INNER.values() if isinstance(query, Correlation)]
    lane = residual_labels(asking(*queries), F, Logistic(), LabelFree(Gaussian(3), samples=50))
    batch: Batch[Query] = next(lane)
    assert all(one is two for one, two in zip(batch.queries, queries, strict=True))
    lane.close()


def test_statistics_stay_statistics_of_the_same_norm() -> None:
    """phi(x, y - psi(f(x))) under (x, y) is phi under (x, r): the tolerance means the same."""
    psi = Logistic()
    residual = Dataset(TABLE_X, TABLE.targets - psi(F(TABLE_X)))
    queries = [query for query in INNER.values() if isinstance(query, Statistic)]
    lane = residual_labels(asking(*queries), F, psi, LabelFree(TABLE.problem.inputs))
    batch: Batch[Query] = next(lane)
    assert all(isinstance(query, Statistic) for query in batch.queries)
    scale = [L2(0.1).scale] * len(queries)
    outer = Sample().means(TABLE, batch.queries, scale, seed=0, turn=0)
    direct = Sample().means(residual, queries, scale, seed=0, turn=0)
    for one, two in zip(outer, direct, strict=True):
        assert np.allclose(one.scale, two.scale, rtol=1e-12)
    lane.close()


def statistical(problem: Any) -> Any:
    """A learner of halfspaces by P(<v, x> has the label's sign): a genuine Statistic."""
    v = np.eye(problem.dimension)[0]
    query = Statistic(Ridge(lambda s, y: (s * y > 0) * 1.0, v, kinks=(0.0,), levels=(0.0,)))
    agreed = yield from ask(query)
    return Atom(Ridge(np.sign, v, kinks=(0.0,)), 1.0 if agreed >= 0.5 else -1.0)


def test_statistical_learners_make_statistical_boosters() -> None:
    """What a correlational oracle refuses and a statistical one answers."""
    instance = neurons()
    boosted = partial(
        boosted_p_concept, instance.problem, statistical, transfer=Logistic(), radius=1.0, steps=3
    )
    oracle = sq(instance, tolerance=L2(0.05), means=MonteCarlo(20_000))
    assert asked(boosted(), oracle) == KindsAsked(0, 3, 3)
    with pytest.raises(QueryRefused):
        run(boosted(), csq(instance, tolerance=L2(0.05), means=BooleanQuadrature()))


def test_random_signs_make_a_statistical_learner_correlational() -> None:
    """Answers are those on labels drawn as signs of mean r / bound, and every query is y g(x)."""
    signs = CubeFunction(np.array([0.9, -0.3, 0.4, -0.8]) / 2, conditional=True)
    reals = CubeFunction(np.array([0.9, -0.3, 0.4, -0.8]))
    queries = [
        Statistic(Ridge(lambda s, y: np.cos(s + 2 * y), np.array([1.0, 0.5]))),
        Statistic(Opaque(lambda x, y: (x[:, 0] == y) * 1.0)),
        Correlation(Ridge(np.tanh, np.array([0.0, 1.0]))),
    ]
    known = LabelFree(Rademacher(2), samples=400_000)
    wrapped = with_random_signs(lambda _: asking(*queries), known=known)
    outer = run(wrapped(None), csq(reals, tolerance=Unperturbed()))
    direct = run(asking(*queries), sq(signs, tolerance=Unperturbed()))
    assert np.allclose(outer.value, direct.value, atol=4e-3)
    assert np.allclose(np.array(outer.value)[[0, 2]], np.array(direct.value)[[0, 2]], atol=1e-12)
    assert outer.ledger.queries == direct.ledger.queries


def test_a_statistical_learner_boosts_through_a_correlational_oracle() -> None:
    """Random signs on the residuals: the outer learner is correlational, query for query."""
    instance = neurons()
    learner = with_random_signs(statistical, known=LabelFree(instance.problem.inputs))
    boosted = boosted_p_concept(instance.problem, learner, transfer=Logistic(), radius=1.0, steps=2)
    oracle = csq(instance, tolerance=L2(0.05), means=BooleanQuadrature())
    assert asked(boosted, oracle) == KindsAsked(2, 0, 2)


@pytest.mark.parametrize(("tau", "learns"), [(0.05, True), (0.4, False)])
def test_the_hard_family_is_learnt_by_an_agnostic_learner_of_its_units_alone(
    tau: float, learns: bool
) -> None:
    """The reduction's point: signs of f_S are learnt if single ReLUs are, at a tolerance that
    shows them, and otherwise every residual stays what it was.
    """
    networks = OrthogonalNetworks(4, 2)
    problem = PConcept(networks)
    instance = problem.draw(subset=(1, 3))
    concepts = [
        unit_neuron(problem, ReluHypothesis(row, 0.0))
        for subset in ((0, 1), (1, 3), (0, 2))
        for row in networks.units(subset)[0]
    ]
    radius, sampled = radius_of(instance), LabelFree(problem.inputs, directions=1)
    oracle = csq(instance, tolerance=L2(tau), policy=toward_zero, means=MonteCarlo(30_000), seed=1)
    boosted = boosted_p_concept(
        problem,
        partial(agnostic_choice, concepts=concepts),
        transfer=problem.transfer,
        radius=radius,
        steps=12,
        known=sampled,
    )
    found = run(boosted, oracle).value
    assert found is not None
    trace = boosting_trace(
        found,
        target_of(instance),
        sampled,
        radius=radius,
        norm=1.0,
        slack=2 * tau,
    )
    assert all(step.excess <= step.excess_bound for step in trace)
    if learns:
        assert trace[-1].squared_distance < trace[0].squared_distance / 2
    else:
        assert trace[-1] == replace(trace[0], step=12, excess_bound=trace[-1].excess_bound)


def test_refusals_reach_the_inner_learner() -> None:
    """A spent budget is met at the line that asks, inside both wrappers."""

    def patient(problem: Any) -> Any:
        try:
            yield from ask(Correlation(Ridge(power=1)))
        except BudgetSpent:
            return Atom(Ridge(np.sign, np.eye(4)[0], kinks=(0.0,)), 0.0)
        return Atom(Ridge(np.sign, np.eye(4)[0], kinks=(0.0,)))

    instance = neurons()
    boosted = boosted_p_concept(instance.problem, patient, transfer=Logistic(), radius=1.0, steps=3)
    oracle = csq(instance, tolerance=L2(0.05), means=BooleanQuadrature())
    result = run(boosted, oracle, budget=Budget(queries=8))
    assert result.ledger.queries == 8
    assert len(result.value.iterates) == 4


def test_what_a_spent_budget_still_answered_is_read_back() -> None:
    """Labels of 1 and -1 are believed in with r / 4 where answers are means of r."""
    instance = neurons()
    g = Correlation(Ridge(np.sign, np.eye(4)[0], kinks=(0.0,)))

    def cut(learner: Any) -> Any:
        oracle = csq(instance, tolerance=Unperturbed(), means=BooleanQuadrature())
        return run(learner, oracle, budget=Budget(queries=1)).value

    def patient(problem: Any) -> Any:
        try:
            yield from ask_all(g, g)
        except BudgetSpent as spent:
            return spent.answered

    whole = cut(patient(None))
    halved = cut(with_random_signs(patient, known=LabelFree(Gaussian(4)), bound=4.0)(None))
    np.testing.assert_allclose(halved, np.array(whole) / 4)


def test_spectra_of_combinations_are_those_of_their_tables() -> None:
    """Coefficients by independent generators, against sums over all points; dependent sets too."""
    stream, d = np.random.default_rng(1), 7
    sets = [(0, 1), (1, 2), (0, 2), (3, 4, 5), (), (6,), (0, 2, 6)]
    f = Combination(tuple(Characters.of([s]) for s in sets), tuple(stream.standard_normal(7)))
    cube = 1.0 - 2.0 * (np.arange(2**d)[:, None] >> np.arange(d) & 1)
    table = np.tanh(f(cube))
    found = spectrum([f], lambda v: np.tanh(v[0]))
    for mask in range(2**d):
        wanted = float(table @ parity_table(mask, d)) / 2**d
        assert found.get(mask, 0.0) == pytest.approx(wanted, abs=1e-13)
    whole = LabelFree(Rademacher(d)).mean([f], Characters(), lambda v, g: np.tanh(v[0]) * g)
    assert np.allclose([whole[m] for m in found], list(found.values()))


def test_exact_and_sampled_label_free_means_agree() -> None:
    """Two directions are integrated, and the same mean over the sample is within its deviation."""
    form = Ridge(lambda s: s**2, np.array([1.0, 0.0, 0.0, 0.0]), power=1)
    two = Combination((Ridge(np.tanh, np.eye(4)[1]), Ridge(np.tanh, 2 * np.eye(4)[1])), (1.0, 0.5))
    three = two.moved(0.0, Atom(Ridge(np.tanh, np.eye(4)[2])), 1.0)
    tiny = Combination((*two.forms, Ridge(np.tanh, np.eye(4)[2])), (1.0, 0.5, 1e-9))
    assert three.weights == two.weights
    known = LabelFree(Gaussian(4), samples=100_000)
    exact_mean = known.mean([two], form, lambda f, g: np.exp(f[0]) * g)
    sampled = known.mean([tiny], form, lambda f, g: np.exp(f[0]) * g)
    assert np.allclose(exact_mean, sampled, atol=0.1)
    assert np.abs(exact_mean[[0, 2, 3]]).max() < 1e-12


@pytest.mark.parametrize(
    "make",
    [
        lambda p: boosted_p_concept(p, agnostic_neuron(), transfer=Logistic(), radius=0.0, steps=2),
        lambda p: boosted_p_concept(p, agnostic_neuron(), transfer=Logistic(), radius=1.0, steps=0),
        lambda p: boosted_p_concept(p, agnostic_neuron(), transfer=np.tanh, radius=1.0, steps=2),
        lambda p: agnostic_choice(p, []),
        lambda p: agnostic_parity(p, sparsity=5),
        lambda p: with_random_signs(statistical, known=LabelFree(p.inputs), bound=0.0)(p),
        lambda p: transported(asking(Correlation(Ridge(power=2))), lambda q: Atom(Ridge())),
    ],
)
def test_bad_input_is_named(make: Any) -> None:
    """At the first question, before any query is charged."""
    with pytest.raises(BadInput):
        next(make(neurons().problem))
