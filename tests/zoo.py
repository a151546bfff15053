"""Every instance, strategy and oracle that the laws run over, small enough to be quick."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

import numpy as np

from sqsim import (
    L2,
    Absolute,
    MonteCarlo,
    Quadrature,
    Query,
    RootMeanSquare,
    Sample,
    Unperturbed,
    exact,
    grid,
    run,
    sq,
    toward,
    toward_zero,
    uniform,
    worst_direction,
)
from sqsim.algorithms import (
    GeometricMesh,
    biased_one_shot_regression,
    fit_norm_and_bias,
    gradient_descent,
    learn_relu,
    one_shot_regression,
    projected_gradient_descent,
    reweighted_pgd,
    spectral_start,
    thresholded_pca,
)
from sqsim.links import LeakyRelu, Sigmoid, Sign, Step, hermite, relu, residual
from sqsim.lowrank import dense
from sqsim.problems import Dataset, ReluHypothesis, ReluRegression
from sqsim.problems.corruption import Decoy, LabelNoise, LowDegreeRemoval, WorstCase
from sqsim.problems.cube import CubeFunction
from sqsim.problems.index import IndexInstance, SingleIndex
from sqsim.problems.labels import Gate, Term
from sqsim.problems.problem import Problem
from sqsim.updates import plain, reweighted

DIMENSION = 5

_UNTOLD = ReluRegression(DIMENSION)
_TOLD = ReluRegression(DIMENSION, norm=1.0, bias=-1.0)


def _single(link: Any, noise: float = 0.0) -> IndexInstance:
    return SingleIndex(DIMENSION, link).draw(noise=noise, seed=7)


CORRUPTED: dict[str, IndexInstance] = {
    "clean": _TOLD.draw(seed=1),
    "low-degree removal": _UNTOLD.draw(bias=-2.0, corruptions=[LowDegreeRemoval(2)], seed=2),
    "label noise": _TOLD.draw(corruptions=[LabelNoise(0.1)], seed=3),
    "decoy": _UNTOLD.draw(norm=2.0, bias=-1.0, corruptions=[Decoy(0.3, -1.0)], seed=4),
    "negative decoy": _TOLD.draw(corruptions=[Decoy(-0.3, 0.0, 0.5)], seed=5),
    "worst case": _TOLD.draw(corruptions=[WorstCase(reweighted(-1.0), 0.001)], seed=6),
    "worst case, plain": _UNTOLD.draw(
        bias=-1.5, corruptions=[WorstCase(plain(-1.5), 0.001, 0.8)], seed=8
    ),
}
INDEX: dict[str, IndexInstance] = {
    **CORRUPTED,
    "positive bias": _UNTOLD.draw(norm=0.5, bias=0.7, seed=9),
    "leaky relu": _single(LeakyRelu(0.2, -0.5)),
    "sign": _single(Sign(-0.5)),
    "step": _single(Step(-1.0), noise=0.2),
    "sigmoid": _single(Sigmoid(-1.0)),
    "hermite": _single(hermite(3)),
    "residual": _single(residual(relu(-1.0), 1)),
}
"""Gaussian index models: exact means by quadrature."""


def drawn(instance: IndexInstance, count: int, *, seed: int = 0) -> Dataset:
    """A table of examples of this instance."""
    stream = np.random.default_rng(seed)
    x = stream.standard_normal((count, instance.problem.dimension))
    return Dataset(x, instance.labels.draw(x, stream))


SEVERAL_DIRECTIONS = ("decoy", "negative decoy", "worst case", "worst case, plain")
"""Instances whose norms under the law of (x, y) take seconds a query."""

TABLE = drawn(CORRUPTED["label noise"], 400)
_MAJORITY = np.sign(2.5 - np.bitwise_count(np.arange(2**DIMENSION)))
CUBE = CubeFunction(0.8 * _MAJORITY, conditional=True)
"""Majority with flipped labels: all points are summed over."""
INSTANCES: dict[str, Any] = {**INDEX, "table": TABLE, "cube": CUBE}


@dataclass(frozen=True)
class Learner:
    """A strategy as a function of a problem and a unit vector to start from."""

    make: Callable[[Problem, Any], Generator[Any, Any, Any]]
    correlational: bool = True
    moving: bool = False
    """Whether it draws its own directions, so that it does not turn with the instance."""


def _guesses(problem: Problem) -> dict[str, float]:
    return {} if problem.norm is not None else {"norm": 1.0, "bias": -1.2}


def _warm(problem: Problem, start: Any) -> Generator[Any, Any, Any]:
    """Reweighted descent after thresholded PCA."""
    first = yield from thresholded_pca(problem, cut=0.5)
    first = first if first @ start >= 0 else -first
    return (yield from reweighted_pgd(problem, start=first, steps=4, **_guesses(problem)))


def _fit(problem: Problem, start: Any) -> Generator[Any, Any, Any]:
    return (yield from fit_norm_and_bias(problem, [start, -start], [-2.0, -1.0, 0.0]))


LEARNERS: dict[str, Learner] = {
    "gradient descent": Learner(
        lambda p, w: gradient_descent(p, start=ReluHypothesis(0.8 * w, -0.5), steps=5)
    ),
    "gradient descent, random start": Learner(
        lambda p, w: gradient_descent(p, steps=3, seed=11), moving=True
    ),
    "one-shot regression": Learner(lambda p, w: one_shot_regression(p)),
    "biased one-shot regression": Learner(lambda p, w: biased_one_shot_regression(p)),
    "spectral start": Learner(lambda p, w: spectral_start(p)),
    "projected gradient descent": Learner(
        lambda p, w: projected_gradient_descent(p, start=w, steps=5, **_guesses(p))
    ),
    "normalised descent": Learner(
        lambda p, w: projected_gradient_descent(
            p, start=w, steps=5, normalised=True, **_guesses(p)
        )
    ),
    "reweighted descent": Learner(
        lambda p, w: reweighted_pgd(p, start=w, steps=5, **_guesses(p))
    ),
    "norm and bias": Learner(_fit),
    "thresholded PCA": Learner(lambda p, w: thresholded_pca(p, cut=0.5), correlational=False),
    "warm-started descent": Learner(_warm, correlational=False),
    "learn_relu": Learner(
        lambda p, w: learn_relu(
            p, mesh=GeometricMesh(1.0, 3.0, 1.5), thresholds=2, steps=3, descent_steps=3
        ),
        correlational=False,
        moving=True,
    ),
}

POLICIES = {
    "exact": exact,
    "uniform": uniform,
    "grid": grid,
    "toward zero": toward_zero,
    "toward 0.01": toward(0.01),
    "worst direction": worst_direction,
}
TOLERANCES = {
    "absolute": Absolute(0.02),
    "l2": L2(0.02),
    "root mean square": RootMeanSquare(0.02),
}


@dataclass(frozen=True)
class Remembered:
    """Quadrature that finds each mean once, so that every policy may be tried on it."""

    found: dict[Any, Any] = field(default_factory=dict)

    def means(
        self, instance: Any, queries: Any, scales: Any, *, seed: int = 0, turn: int = 0
    ) -> list[Any]:
        asked = list(zip(queries, scales, strict=True))
        keys = [(id(instance), id(query), scale) for query, scale in asked]
        for key, (query, scale) in zip(keys, asked, strict=True):
            if key not in self.found:
                # The query is kept, so that its id is not given away.
                self.found[key] = (query, *Quadrature().means(instance, [query], [scale]))
        return [self.found[key][1] for key in keys]


MEANS = {"quadrature": Remembered(), "Monte Carlo": MonteCarlo(100_000), "sample": Sample()}


def start_of(problem: Problem, *, seed: int = 5) -> Any:
    """A unit vector of the learner's."""
    w = np.random.default_rng(seed).standard_normal(problem.dimension)
    return w / np.linalg.norm(w)


def made(learner: str, instance: Any) -> Generator[Any, Any, Any]:
    """The learner of this name, on the problem of the instance."""
    return LEARNERS[learner].make(instance.problem, start_of(instance.problem))


def exact_oracle(instance: Any) -> Any:
    """Answers with nothing added to the evaluator's own error."""
    return sq(instance, tolerance=Unperturbed())


@cache
def questions(learner: str, name: str) -> list[Query]:
    """What the learner asks of exact answers on this instance."""
    instance = INSTANCES[name]
    asked: list[Query] = []
    run(
        made(learner, instance),
        exact_oracle(instance),
        callback=lambda exchange, ledger: asked.extend(exchange.batch.queries),
    )
    return asked


@cache
def one_of_each(name: str, *learners: str) -> list[Query]:
    """The last query of each kind, label and power that the learners ask on this instance."""
    asked = [query for learner in learners for query in questions(learner, name)]
    seen = {(type(q), q.label, getattr(q.form, "power", None)): q for q in asked}
    return list(seen.values())


def same(one: Any, two: Any) -> bool:
    """Whether two values that learners returned are equal to the last bit."""
    return bool(np.array_equal(numbers(one), numbers(two)))


def numbers(value: Any) -> Any:
    """What a learner returned, as one vector."""
    hypothesis = getattr(value, "hypothesis", value)
    if isinstance(hypothesis, ReluHypothesis):
        return np.append(hypothesis.weights, hypothesis.bias)
    return dense(hypothesis)


def rotation(dimension: int, *, seed: int = 0) -> Any:
    """A random orthogonal matrix."""
    gaussian = np.random.default_rng(seed).standard_normal((dimension, dimension))
    return np.linalg.qr(gaussian)[0]


def rotated(instance: IndexInstance, turn: Any) -> IndexInstance:
    """The same instance with all its hidden directions turned."""

    def one(term: Term) -> Term:
        gate = term.gate
        if gate is not None:
            gate = Gate(turn @ gate.direction, gate.function, gate.kinks)
        return Term(turn @ term.direction, term.link, gate)

    labels = replace(instance.labels, terms=tuple(map(one, instance.labels.terms)))
    target = ReluHypothesis(turn @ instance.target.weights, instance.target.bias)
    return replace(instance, labels=labels, target=target)
