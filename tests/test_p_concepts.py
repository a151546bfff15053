"""P-concepts: exact means three ways, and that labels of -1 and 1 know only correlations."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from sqsim import L2, MonteCarlo, csq, run, sq, toward_zero
from sqsim.algorithms.hidden_families import best_orthogonal_network, energy_subspace
from sqsim.errors import BadInput, QueryRefused
from sqsim.inputs import Gaussian
from sqsim.links import Relu, Scaled, Sign
from sqsim.lowrank import dense
from sqsim.oracles.boolean_quadrature import BooleanQuadrature
from sqsim.oracles.quadrature import Quadrature
from sqsim.problems.index import ReluRegression, SingleIndex
from sqsim.problems.orthogonal_networks import OrthogonalNetworks
from sqsim.problems.p_concepts import PConcept
from sqsim.problems.parity import SparseParity
from sqsim.problems.planes import AlternatingPlane
from sqsim.problems.transfers import Clipped, Logistic, Transfer
from sqsim.queries import Correlation, Opaque, Query, Ridge, Statistic
from sqsim.tolerance import Scale

U = np.array([0.6, 0.0, 0.8, 0.3])
QUERIES: dict[str, Query] = {
    "field": Correlation(Ridge(lambda s: (s > 0.2) * 1.0, U, power=1, kinks=(0.2,))),
    "matrix": Correlation(Ridge(np.tanh, U, power=2)),
    "constant": Correlation(Ridge()),
    "label and input": Statistic(Ridge(lambda s, y: np.cos(s + y), U)),
    "label and inputs": Statistic(
        Ridge(lambda s, y: (1 + y) * np.abs(s), U, power=1, kinks=(0.0,))
    ),
    "label": Statistic(Ridge(lambda y: y + 3.0, power=2)),
}
INSTANCES = {
    "logistic neuron": PConcept(SingleIndex(4, Relu(-0.5))).draw(seed=1),
    "clipped neuron": PConcept(SingleIndex(4, Scaled(Relu(0.3), 1.5)), Clipped()).draw(seed=2),
    "network": PConcept(OrthogonalNetworks(4, 2)).draw(seed=3),
}


@pytest.mark.parametrize("transfer", [Logistic(), Clipped()], ids=lambda t: type(t).__name__)
def test_transfers_are_odd_lipschitz_and_integrate_to_their_primitive(transfer: Transfer) -> None:
    """What the surrogate's convexity, its curvature and the families' orthogonality rest on."""
    t = np.linspace(-6.0, 6.0, 6001)
    values, primitive = transfer(t), transfer.primitive(t)
    assert np.allclose(values, -transfer(-t), atol=1e-15)
    slopes = np.diff(values) / np.diff(t)
    assert slopes.min() >= 0
    assert slopes.max() <= transfer.lipschitz + 1e-9
    assert slopes.max() >= transfer.lipschitz - 1e-5
    middle = (values[1:] + values[:-1]) / 2
    assert np.allclose(np.diff(primitive), middle * np.diff(t), atol=1e-8)
    assert np.isfinite(transfer.primitive(np.array([-1e4, 1e4]))).all()


@pytest.mark.parametrize("name", ["logistic neuron", "clipped neuron"])
def test_quadrature_agrees_with_a_sample(name: str) -> None:
    """Means of every kind and power, and their norms, within the sample's stated error."""
    instance, queries = INSTANCES[name], list(QUERIES.values())
    scales = [Scale.FUNCTION] * len(queries)
    exact = BooleanQuadrature().means(instance, queries, scales)
    drawn = MonteCarlo(60_000).means(instance, queries, scales, seed=1, turn=0)
    for one, two in zip(exact, drawn, strict=True):
        assert (np.abs(dense(one.value) - two.value) <= np.asarray(two.error) + 1e-12).all()
        assert np.max(np.asarray(one.error)) < 1e-9
        assert np.allclose(dense(one.scale), np.asarray(two.scale), rtol=0.1)


def test_a_network_of_two_directions_agrees_with_a_sample() -> None:
    """The label's own plane; a further direction of a query would take seconds."""
    instance, query = INSTANCES["network"], Correlation(Ridge(power=2))
    exact = BooleanQuadrature().means(instance, [query], [Scale.NONE])[0]
    drawn = MonteCarlo(60_000).means(instance, [query], [Scale.NONE], seed=1, turn=0)[0]
    assert (np.abs(dense(exact.value) - drawn.value) <= drawn.error).all()


def test_one_direction_is_the_index_model_of_the_composed_link() -> None:
    """E[y g] for y = sign(t + b) read as psi o f: the conditional mean is all that counts."""
    steep = PConcept(SingleIndex(4, Scaled(Sign(-0.4), 40.0))).draw(seed=5)
    index = SingleIndex(4, Sign(-0.4)).draw(seed=5)
    query = QUERIES["field"]
    one = BooleanQuadrature().means(steep, [query], [Scale.NONE])[0]
    two = Quadrature().means(index, [query], [Scale.NONE])[0]
    assert np.allclose(one.value, two.value, atol=1e-10)


@pytest.mark.parametrize("name", ["label and input", "label and inputs"])
def test_a_statistic_is_a_correlation_and_a_label_free_part(name: str) -> None:
    """phi = (phi(x, 1) + phi(x, -1)) / 2 + y (phi(x, 1) - phi(x, -1)) / 2 (Bshouty, Feldman)."""
    instance, query = INSTANCES["logistic neuron"], QUERIES[name]
    form: Any = query.form

    def half(sign: float) -> Ridge:
        return Ridge(
            lambda s: (form.h(s, np.ones(len(s))) + sign * form.h(s, -np.ones(len(s)))) / 2,
            U,
            power=form.power,
            kinks=form.kinks,
        )

    whole = BooleanQuadrature().means(instance, [query], [Scale.NONE])[0].value
    odd = BooleanQuadrature().means(instance, [Correlation(half(-1.0))], [Scale.NONE])[0].value
    assert np.allclose(whole, Gaussian(4).expectation(half(1.0)) + odd, atol=1e-11)


def test_signs_of_orthogonal_networks_show_their_set_to_correlations_alone() -> None:
    """The energy of labels of -1 and 1 is 1; other sets are as invisible as in the real family."""
    problem = PConcept(OrthogonalNetworks(4, 2))
    instance = problem.draw(subset=(1, 3))
    assert isinstance(problem.scores, OrthogonalNetworks)
    oracle = sq(instance, tolerance=L2(0.05), policy=toward_zero, means=BooleanQuadrature())
    seen: list[Any] = []
    energy = energy_subspace(problem, rank=2)
    run(energy, oracle, callback=lambda exchange, _: seen.extend(exchange.answers))
    assert not np.asarray(dense(seen[0])).any()
    sampled = csq(instance, tolerance=L2(0.1), policy=toward_zero, means=MonteCarlo(40_000))
    assert run(best_orthogonal_network(problem.scores), sampled).value == (1, 3)


def test_signs_of_a_plane_show_no_moment_below_its_order() -> None:
    """psi(f) keeps the turn by pi / k that negates it, so degrees 1 and 2 vanish for order 4."""
    queries = [Correlation(Ridge(power=p)) for p in (1, 2)]
    for order, seen in ((4, False), (2, True)):
        instance = PConcept(AlternatingPlane(4, order)).draw(seed=1)
        field, matrix = BooleanQuadrature().means(instance, queries, [Scale.NONE] * 2)
        assert not np.asarray(dense(field.value)).any()
        assert bool((np.abs(dense(matrix.value)) > 1e-10).any()) is seen


def test_labels_have_the_mean_that_is_stated() -> None:
    """P(y = 1 | x) = (1 + psi(f(x))) / 2, and no other values occur."""
    instance = INSTANCES["clipped neuron"]
    x = np.tile(np.array([[0.4, -0.2, 0.7, 0.1]]), (40_000, 1))
    y = instance.labels.draw(x, np.random.default_rng(0))
    wanted = instance.labels.means(x[:1] @ np.stack(instance.labels.columns, axis=1))[0]
    assert set(np.unique(y)) <= {-1.0, 1.0}
    assert abs(y.mean() - wanted) < 5 / np.sqrt(len(y))


@pytest.mark.parametrize(
    "make",
    [
        lambda: PConcept(SparseParity(5, 2)),
        lambda: PConcept(ReluRegression(3), transfer=np.tanh),  # type: ignore[arg-type]
        lambda: PConcept(SingleIndex(3, Relu())).draw(noise=0.1),
    ],
)
def test_bad_input_is_named(make: Any) -> None:
    """Other inputs, a bare function as transfer, noise outside psi."""
    with pytest.raises(BadInput):
        make()


def test_other_forms_and_instances_are_refused() -> None:
    """The message names the evaluator that would do."""
    opaque = Correlation(Opaque(lambda x: x[:, 0]))
    with pytest.raises(QueryRefused, match="MonteCarlo"):
        BooleanQuadrature().means(INSTANCES["logistic neuron"], [opaque], [Scale.NONE])
    with pytest.raises(QueryRefused, match="Quadrature"):
        BooleanQuadrature().means(ReluRegression(3).draw(), [opaque], [Scale.NONE])
