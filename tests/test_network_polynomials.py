"""Learners of networks by polynomials: what they promise, and what they refuse."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from zoo import POLICIES

from sqsim import Absolute, Unperturbed, csq, run, sq
from sqsim.algorithms.compositions import (
    maximum_composition,
    network_composition,
    parametric_composition,
)
from sqsim.algorithms.network_polynomials import (
    agnostic_network,
    agnostic_parametric_relu,
    max_affine,
    reliable_parametric_relu,
)
from sqsim.algorithms.reliable import reliable_relu
from sqsim.errors import BadInput
from sqsim.losses import AbsoluteLoss, LinearLoss
from sqsim.problems.ball import clustered_points, cube_points, sphere_points
from sqsim.problems.dataset import Dataset
from sqsim.problems.gadgets import MaxAffine, SumOfMaxAffine
from sqsim.problems.layers import LayeredRelu


def random_maximum(pieces: int, reach: float, *, seed: int = 0) -> MaxAffine:
    """In three variables, every piece of size `reach`."""
    planes = np.random.default_rng(seed).standard_normal((pieces, 4))
    size = np.linalg.norm(planes[:, :3], axis=1) + np.abs(planes[:, 3])
    planes *= (reach / size)[:, None]
    return MaxAffine(planes[:, :3], planes[:, 3])


INPUTS = {
    "sphere": lambda: sphere_points(3, 200, seed=1),
    "clusters": lambda: clustered_points(3, 200, seed=1),
    "cube": lambda: cube_points(5),
}


def root(values: Any, labels: Any) -> float:
    return float(np.sqrt(np.mean((values - labels) ** 2)))


@pytest.mark.parametrize("inputs", INPUTS)
@pytest.mark.parametrize("noise", [0.0, 0.3])
@pytest.mark.parametrize("learner", ["network", "deep network", "maximum", "sum", "leaky"])
def test_learners_are_within_epsilon_of_their_class(
    inputs: str, noise: float, learner: str
) -> None:
    """Root loss at most that of a planted member plus epsilon: the constant is 1."""
    x = INPUTS[inputs]()
    n, stream = x.shape[1], np.random.default_rng(3)
    make, member, epsilon = _case(learner, n)
    labels = np.asarray(member(x), float) + noise * stream.choice([-1.0, 1.0], len(x))
    table = Dataset(x, labels)
    result = run(make(table.problem), csq(table, tolerance=Unperturbed()))
    assert result.value is not None
    assert root(result.value(x), labels) <= root(member(x), labels) + epsilon
    degree = result.value.features.degree
    assert (result.ledger.rounds, result.ledger.queries) == (1, math.comb(n + degree, n))


def _case(learner: str, n: int) -> tuple[Any, Any, float]:
    stream = np.random.default_rng(8)
    if learner in ("network", "deep network"):
        hidden, epsilon = (1, 0.1) if learner == "network" else (2, 0.25)
        first = stream.standard_normal((3, n))
        first /= np.linalg.norm(first, axis=1)[:, None]
        shapes = [(3, 3)] * (hidden - 1) + [(1, 3)]
        later = [a / np.abs(a).sum(axis=1)[:, None] for a in map(stream.standard_normal, shapes)]
        network = LayeredRelu((first, *later))

        def make(problem: Any) -> Any:
            return agnostic_network(problem, hidden=hidden, weight=1.0, reach=1.0, epsilon=epsilon)

        return make, network, epsilon
    if learner == "leaky":
        w = stream.standard_normal(n)
        w /= np.linalg.norm(w)
        return (
            lambda problem: agnostic_parametric_relu(problem, slope=0.1, epsilon=0.05),
            lambda x: np.where(x @ w >= 0, x @ w, 0.1 * (x @ w)),
            0.05,
        )
    sizes = (3,) if learner == "maximum" else (2, 2)
    parts = []
    for k in sizes:
        planes = stream.standard_normal((k, n))
        parts.append(MaxAffine(planes / np.linalg.norm(planes, axis=1)[:, None]))
    return (
        lambda problem: max_affine(problem, pieces=sizes, epsilon=0.3),
        SumOfMaxAffine(tuple(parts)),
        0.3,
    )


@pytest.mark.parametrize("policy", POLICIES.values(), ids=POLICIES)
def test_answers_within_t_cost_what_the_theorem_says(policy: Any) -> None:
    """4 sqrt(B N) t in the square loss, at t = epsilon^2 / (4 sqrt(B N))."""
    x, epsilon = sphere_points(3, 200, seed=2), 0.2
    function = random_maximum(2, 1.0, seed=1)
    table = Dataset(x, np.asarray(function(x), float))
    near = maximum_composition(pieces=(2,), epsilon=epsilon)
    size = math.comb(3 + near.degree, near.degree)
    t = epsilon**2 / (4 * math.sqrt(near.weight * size))
    oracle = csq(table, tolerance=Absolute(t), policy=policy, seed=3)
    found = run(max_affine(table.problem, pieces=2, epsilon=epsilon), oracle).value
    assert found is not None
    assert found.norm_squared <= near.weight * (1 + 1e-9)
    assert root(found(x), table.targets) ** 2 <= near.error**2 + epsilon**2


@pytest.mark.parametrize("slope", [0.0, 0.1, 1.0])
def test_reliable_learning_of_leaky_relus_is_that_of_relus(slope: float) -> None:
    """Within epsilon of every leaky neuron that is not positive where y = 0, by brute force."""
    x = sphere_points(2, 120, seed=3)
    truth = np.array([math.cos(0.4), math.sin(0.4)])
    y = np.where(x @ truth > 0, np.clip(x @ truth, 0.0, 1.0), 0.0)
    y[::7] = np.where(y[::7] > 0, 1.0, 0.0)
    table, epsilon, loss = Dataset(x, y), 0.3, AbsoluteLoss()
    strategy = reliable_parametric_relu(table.problem, slope=slope, epsilon=epsilon, loss=loss)
    found = run(strategy, sq(table, tolerance=Unperturbed()))
    assert found.value is not None
    h = found.value.hypothesis(x)
    assert np.mean((h != 0) & (y == 0)) <= epsilon
    angles = np.linspace(0, 2 * np.pi, 721)
    directions = np.concatenate([s * np.stack([np.cos(angles), np.sin(angles)], 1)
                                 for s in (0.0, 0.25, 0.5, 0.75, 1.0)])  # fmt: skip
    t = x @ directions.T
    guesses = np.clip(np.where(t >= 0, t, slope * t), 0.0, 1.0)
    reliable = ~((guesses > 0) & (y == 0)[:, None]).any(axis=0)
    losses = (np.abs(guesses - y[:, None]) * (y > 0)[:, None]).mean(axis=0)
    assert np.mean(np.abs(h - y) * (y > 0)) <= losses[reliable].min() + epsilon
    same = run(
        reliable_relu(table.problem, epsilon=epsilon, loss=loss),
        sq(table, tolerance=Unperturbed()),
    )
    assert (found.ledger.rounds, found.ledger.queries) == (
        same.ledger.rounds,
        same.ledger.queries,
    )


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda p: maximum_composition(pieces=(), epsilon=0.1), "pieces"),
        (lambda p: maximum_composition(pieces=(2,)), "epsilon or degree"),
        (lambda p: maximum_composition(pieces=(2,), degree=0), "at least 1"),
        (lambda p: maximum_composition(pieces=(2,), epsilon=1e-3), "larger epsilon"),
        (lambda p: network_composition(hidden=0, weight=1, reach=1, epsilon=0.1), "one layer"),
        (lambda p: network_composition(hidden=1, weight=-1, reach=1, epsilon=0.1), "weight"),
        (lambda p: parametric_composition(slope=math.inf, epsilon=0.1), "slope"),
        (lambda p: next(reliable_parametric_relu(p, slope=-1.0, epsilon=0.3)), "slope >= 0"),
        (
            lambda p: next(reliable_parametric_relu(p, slope=0.1, epsilon=0.3, loss=LinearLoss())),
            "not monotone",
        ),
    ],
)
def test_what_cannot_be_learned_is_refused_before_anything_is_asked(make: Any, words: str) -> None:
    problem = Dataset(sphere_points(3, 10), np.linspace(0, 1, 10)).problem
    with pytest.raises(BadInput, match=words):
        make(problem)


def test_rows_outside_the_ball_are_refused_by_every_learner() -> None:
    problem = Dataset(2 * sphere_points(3, 10), np.linspace(0, 1, 10)).problem
    for strategy in (
        max_affine(problem, pieces=2, epsilon=0.3),
        agnostic_network(problem, hidden=1, weight=1.0, reach=1.0, epsilon=0.3),
        agnostic_parametric_relu(problem, slope=0.1, epsilon=0.3),
    ):
        with pytest.raises(BadInput, match="divide all rows"):
            next(strategy)
