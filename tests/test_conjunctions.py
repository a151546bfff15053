"""Sparse parities with noise through learners of conjunctions."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import combinations, product
from typing import Any

import numpy as np
import pytest
from zoo import POLICIES

from sqsim import L2, Absolute, Unperturbed, csq, run, sq, uniform
from sqsim.algorithms.conjunction_reduction import (
    RelevantSigns,
    best_conjunction,
    parity_by_conjunctions,
)
from sqsim.algorithms.dropped_bits import WithoutSign
from sqsim.algorithms.reconstruction import reconstruct_polynomial, reconstruction_plan
from sqsim.algorithms.scaled_cube import on_the_sphere
from sqsim.errors import BadInput
from sqsim.featured import Featured
from sqsim.inputs import Empirical
from sqsim.multinomial import MonomialFeatures
from sqsim.problems.ball import cube_points
from sqsim.problems.conjunctions import ConjunctionGain, conjunction_neuron, reliable_floor
from sqsim.problems.cube import CubeFunction, CubeProblem
from sqsim.problems.dataset import TableProblem
from sqsim.problems.parity import SparseParity
from sqsim.queries import Characters, Correlation, Opaque, Query, Ridge, Statistic
from sqsim.strategy import CSQ, ask, ask_all

CASES = [(6, 2, "0"), (6, 3, "1/10"), (5, 1, "1/4")]


def signs(dimension: int) -> Any:
    return np.array(list(product((1.0, -1.0), repeat=dimension)))[:, ::-1]


def learns(size: int) -> Any:
    return lambda inner: best_conjunction(inner, size=size)


def low_degree(problem: CubeProblem) -> CSQ[Any]:
    """An improper learner: regression on all parities of at most two signs."""
    sets = [s for k in range(3) for s in combinations(range(problem.dimension), k)]
    found = yield from ask(Correlation(Characters.of(sets), "parities"))

    def value(x: Any) -> Any:
        return sum(
            c * x[:, list(s)].prod(axis=1) for s, c in zip(sets, np.asarray(found), strict=True)
        )

    return value


@pytest.mark.parametrize(("dimension", "sparsity", "noise"), CASES)
@pytest.mark.parametrize("reliable", [False, True])
def test_the_gain_of_the_conjunction_is_exactly_as_stated(
    dimension: int, sparsity: int, noise: str, reliable: bool
) -> None:
    """Enumeration over the cube in fractions, against the closed form."""
    problem = SparseParity(dimension, sparsity, noise=noise)
    floor = reliable_floor(problem) if reliable else Fraction(0)
    stated = ConjunctionGain(problem, floor)
    eta, loss = problem.flip_rate, Fraction(0)
    for x in product((1, -1), repeat=sparsity):
        c, y = int(min(x) == 1), math.prod(x)
        for label, weight in ((y, 1 - eta), (-y, eta)):
            shown = floor + (1 - floor) * Fraction(1 + label, 2)
            loss += weight * abs(c - shown) / 2**sparsity
    assert stated.blind_loss - loss == stated.gain
    assert stated.gain == (stated.correlation / 2 if reliable else stated.correlation)


@pytest.mark.parametrize("policy", POLICIES.values(), ids=POLICIES)
@pytest.mark.parametrize(("dimension", "sparsity", "noise"), CASES)
@pytest.mark.parametrize("reliable", [False, True])
def test_parities_are_found_through_conjunctions(
    dimension: int, sparsity: int, noise: str, reliable: bool, policy: Any
) -> None:
    """At every lawful answer within a quarter of the gain; queries and rounds as stated."""
    problem = SparseParity(dimension, sparsity, noise=noise)
    instance = problem.draw(seed=4)
    floor = reliable_floor(problem) if reliable else Fraction(0)
    gain = float(ConjunctionGain(problem, floor).gain)
    oracle = csq(instance, tolerance=Absolute(0.24 * gain), policy=policy, seed=1)
    found = run(parity_by_conjunctions(problem, learns(sparsity), reliable=reliable), oracle)
    assert found.value is not None
    assert found.value.found == instance.subset
    asked = math.comb(dimension - 1, sparsity)
    assert (found.ledger.queries, found.ledger.rounds) == (dimension * (asked + 1), 2)


def test_any_form_of_hypothesis_serves_and_runs_may_follow_one_another() -> None:
    """The reduction reads E[y h] only; d (r + 1) rounds where runs are not side by side."""
    problem = SparseParity(6, 2, noise="1/10")
    instance = problem.draw(seed=2)
    oracle = csq(instance, tolerance=Absolute(0.01))
    found = run(parity_by_conjunctions(problem, low_degree, parallel=False), oracle)
    assert found.value is not None
    assert found.value.found == instance.subset
    assert found.ledger.rounds == 12


def test_a_wrong_number_of_declared_signs_is_no_find() -> None:
    assert RelevantSigns((0, 1), (0.0, 0.0, 0.1), 1).found == ()
    assert RelevantSigns((0,), (0.0, 0.1, 0.1), 1).found == (0,)


FORMS = {
    "opaque": Opaque(lambda x, *y: x[:, 0] * x[:, 1] + (y[0] ** 2 if y else 1.0)),
    "columns": Opaque(lambda x, *y: x[:, :2] + (y[0][:, None] if y else 0.0), 2),
    "ridge": Ridge(
        lambda s, *y: np.maximum(s, 0.0) + (y[0] if y else 0.0), np.array([0.3, -1.0, 0.5])
    ),
    "vector": Ridge(lambda s, *y: np.maximum(s, 0.0) * (y[0] if y else 1.0), np.ones(3), power=1),
    "characters": Characters.of([(), (0,), (0, 2)]),
    "all characters": Characters(),
    "featured": Featured(MonomialFeatures(3, 2)),
}


@pytest.mark.parametrize("name", FORMS)
@pytest.mark.parametrize("kind", [Correlation, Statistic])
@pytest.mark.parametrize("floor", [0.0, 0.25])
def test_carried_queries_have_the_means_that_the_learner_asked_for(
    name: str, kind: type[Query], floor: float
) -> None:
    """E over the shown signs and labels in {floor, 1}, enumerated."""
    instance = SparseParity(4, 2, noise="1/10").draw(subset=(0, 2))
    query = kind(FORMS[name], name)
    view = WithoutSign(4, 1, floor)

    def strategy() -> Any:
        return (yield from ask_all(query))

    answer = run(view.carry(strategy()), sq(instance, tolerance=Unperturbed())).value
    x = signs(4)
    shown, total = np.delete(x, 1, axis=1), 0.0
    for label in (1.0, -1.0):
        weight = np.where(x[:, 0] * x[:, 2] == label, 0.9, 0.1) / len(x)
        y = np.full(len(x), floor + (1 - floor) * (1 + label) / 2)
        values = _at(FORMS[name], shown, y if kind is Statistic else None)
        values = values * (y if values.ndim == 1 else y[:, None]) if kind is Correlation else values
        total = total + weight @ values
    assert answer is not None
    np.testing.assert_allclose(np.asarray(answer[0]), total, atol=1e-12)


def _at(form: Any, x: Any, y: Any) -> Any:
    """A form at examples, written out again."""
    labels = () if y is None else (y,)
    if isinstance(form, Opaque):
        return form.fn(x, *labels)
    if isinstance(form, Ridge):
        values = form.h(x @ form.frame, *labels)
        return x * values[:, None] if form.power else values
    if isinstance(form, Featured):
        return form.features.matrix(x)
    masks = range(8) if form.masks is None else [int(m[0]) for m in form.masks]
    members = [[i for i in range(3) if m >> i & 1] for m in masks]
    return np.stack([x[:, m].prod(axis=1) for m in members], axis=1)


def test_a_tolerance_that_a_learner_names_is_scaled_to_the_parity() -> None:
    asked, _ = WithoutSign(4, 0, 0.5).asked(
        Correlation(Opaque(lambda x: x[:, 0]), "g", tolerance=L2(0.1))
    )
    assert asked.tolerance == L2(0.4)


@pytest.mark.parametrize("size", [1, 2, 3])
def test_the_best_conjunction_is_found_in_one_round(size: int) -> None:
    target = conjunction_neuron(5, range(size))
    instance = CubeFunction(target(signs(5)))
    result = run(
        best_conjunction(instance.problem, size=size), csq(instance, tolerance=Unperturbed())
    )
    assert result.value is not None
    assert np.array_equal(result.value(signs(5)), target(signs(5)))
    assert (result.ledger.rounds, result.ledger.queries) == (1, math.comb(5, size))


def test_where_no_conjunction_helps_the_answer_is_zero() -> None:
    instance = CubeFunction(np.zeros(16))
    found = run(best_conjunction(instance.problem, size=2), csq(instance, tolerance=Absolute(0.1)))
    assert found.value is not None
    assert found.value.norm == 0.0


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: ConjunctionGain(SparseParity(4, 2, lifted=True)), "on the cube"),
        (lambda: ConjunctionGain(SparseParity(4, 0)), "at least one sign"),
        (lambda: ConjunctionGain(SparseParity(4, 2), Fraction(1)), "floor in"),
        (lambda: next(parity_by_conjunctions(SparseParity(1, 1), learns(1))), "nothing is left"),
        (lambda: next(best_conjunction(CubeProblem(4), size=5)), "size is 5"),
        (lambda: next(best_conjunction(CubeProblem(60), size=6)), "lower the size"),
        (lambda: WithoutSign(4, 0).asked(Statistic(Ridge(power=2))), "asks for a matrix"),
        (
            lambda: WithoutSign(30, 0).asked(Correlation(Opaque(lambda x: x[:, 0]))),
            r"2\^29 points",
        ),
    ],
)
def test_what_makes_no_reduction_is_refused(make: Any, words: str) -> None:
    with pytest.raises(BadInput, match=words):
        make()


@pytest.mark.parametrize("reliable", [False, True])
def test_polynomials_nearest_in_l1_find_a_parity_too(reliable: bool) -> None:
    """Genuine SQ and improper: the class holds the conjunction, so within gain / 2 is enough."""
    problem = SparseParity(5, 2)
    instance = problem.draw(seed=6)
    floor = reliable_floor(problem) if reliable else Fraction(0)
    gain = float(ConjunctionGain(problem, floor).gain)
    # (1 + x_i)(1 + x_j) / 4 with x = 2 z has weight 1/16 + 1/4 + 1/4 + 1/2.
    facts = {"degree": 2, "weight": 17 / 16, "epsilon": gain / 2}
    inner = CubeProblem(4)
    ball = TableProblem(4, Empirical(cube_points(4)))
    plan = reconstruction_plan(ball, **facts)
    z = cube_points(4)
    psi = plan.features.matrix(z)
    conjunction = np.linalg.lstsq(psi, (z[:, :2] > 0).all(axis=1).astype(float), rcond=None)[0]
    assert conjunction @ conjunction <= facts["weight"] + 1e-9

    def learn(shown: CubeProblem) -> Any:
        assert shown == inner
        return on_the_sphere(shown, lambda table: reconstruct_polynomial(table, **facts))

    tolerance = Absolute(min(plan.tolerance, 0.24 * gain))
    strategy = parity_by_conjunctions(problem, learn, reliable=reliable)
    found = run(strategy, sq(instance, tolerance=tolerance, policy=uniform, seed=1))
    assert found.value is not None
    assert found.value.found == instance.subset
    assert found.ledger.rounds == plan.steps + 1
    assert found.ledger.queries == 5 * (plan.queries + 1)
