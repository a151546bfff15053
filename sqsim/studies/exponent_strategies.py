"""Strategies and links of the exponent study, each with the rate that theory gives it.

This file does not know oracles: a strategy is given a problem, a start and a seed.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, final

import numpy as np

from sqsim.algorithms.index_descent import alternating_sgd, batch_reuse_sgd, correlation_sgd
from sqsim.algorithms.label_transforms import (
    conditional_mean,
    transformed_spectral_start,
    transformed_start,
)
from sqsim.algorithms.partial_trace import (
    partial_trace_start,
    tensor_power_steps,
    transformed_partial_trace_start,
)
from sqsim.errors import BadInput
from sqsim.links import LeakyRelu, Link, Scaled, hermite, relu, sign
from sqsim.lowrank import Array
from sqsim.problems.index import SingleIndex
from sqsim.queries import Batch
from sqsim.seeds import Seed
from sqsim.strategy import CSQ, SQ, Answers
from sqsim.studies.label_coefficients import grows, leans, least_degree, toward

STEPS, REFINEMENTS = 30, 10
MATRICES, VECTORS = 256, 100_000
RATES = (0.3, 0.1, 0.03, 0.01, -0.3, -0.1, -0.03, -0.01)
Direction = Generator[Batch[Any], Answers, Array]


@final
@dataclass(frozen=True)
class DampedSquare(Link):
    """t^2 exp(-t^2): information and generative exponent 4."""

    def __call__(self, t: Array) -> Array:
        squares = np.square(np.asarray(t, dtype=np.float64))
        return np.asarray(squares * np.exp(-squares))


@final
@dataclass(frozen=True)
class NamedLink:
    """A link of unit second moment and the expression whose exponents are proved."""

    title: str
    link: Link
    expression: str
    bias: str = "0"


def _unit(link: Link) -> Link:
    return Scaled(link, 1 / float(np.sqrt(link.second_moment)))


LINKS: Mapping[str, NamedLink] = {
    "he2": NamedLink("He₂", hermite(2), "z**2-1"),
    "he3": NamedLink("He₃", hermite(3), "z**3-3*z"),
    "he4": NamedLink("He₄", hermite(4), "z**4-6*z**2+3"),
    "damped-square": NamedLink("z² exp(-z²)", _unit(DampedSquare()), "z**2*exp(-z**2)"),
    "relu": NamedLink("ReLU", _unit(relu()), "relu"),
    "shifted-relu": NamedLink("ReLU(z - 2)", _unit(relu(-2.0)), "relu", "-2"),
    "sign": NamedLink("sign", sign(), "sign"),
    "abs": NamedLink("|z|", LeakyRelu(-1.0), "abs"),
}
"""Links by the name on the command line."""


def named_link(name: str) -> NamedLink:
    """The link of this name."""
    if name not in LINKS:
        raise BadInput(f"no link {name!r}; there are {', '.join(LINKS)}")
    return LINKS[name]


Family = Literal["gradient", "moment"]
Strategy = Callable[[SingleIndex, Array, Seed], Direction]


@final
@dataclass(frozen=True)
class Demonstration:
    """A strategy that ends with a direction, made for one link.

    Attributes
    ----------
    access : "CSQ" or "SQ".
    family : "gradient" descends from a start, "moment" reads a direction off a moment.
    degree : the Hermite degree of y, or of what it makes of y, that its first answer sees.
    leaning : whether a gradient has, beside its part toward v, one along w of constant size.
    strategy : function (problem, start, seed) -> generator.
    """

    name: str
    access: Literal["CSQ", "SQ"]
    family: Family
    degree: int
    leaning: bool
    strategy: Strategy

    @property
    def largest(self) -> int:
        """The largest dimension that it is run in: matrices, and radial weights, cost d^2."""
        return MATRICES if self.family == "moment" and self.degree > 1 else VECTORS

    def rate(self, errors: str) -> float:
        """e of 1 / tau^2 ~ d^e, up to logarithms, for these answer errors; derived here.

        The first answer is d^(-(k - 1)/2) v for a gradient at overlap m = d^(-1/2), about
        d^(-(k - 1)/4) v or d^(-(k - 2)/4) v v' for a moment, and the largest entries of v are
        about d^(-1/2).  Answers moved to zero entry by entry hide it unless its entries exceed
        tau, or a part along w keeps all entries off zero.  Errors of a matrix along a fixed
        direction have norm tau d: more than a moment unless its entries exceed tau too; independent
        ones have norm tau sqrt(d).  Errors of a vector have length tau sqrt(d) either way, and it
        need only be seen with the overlap d^(-1/4) from which power steps go on.  Steps of constant
        length eta lose eta^2 m / 2 of their overlap and gain eta m^(k - 1) / (tau sqrt(d)), whether
        errors are independent or, having carried w to their own direction, throw it to and fro
        around it: enough for tau below d^(-(k - 1)/2).
        """
        k = self.degree
        if self.family == "gradient":
            hidden = errors == "toward-zero" and not self.leaning
            return float(k) if hidden else max(k - 1.0, 1.0)
        if errors == "uniform" or (errors == "worst-direction" and k % 2):
            return max(k / 2, 1.0)
        return (k + 1) / 2 if k % 2 else k / 2 + 1


def demonstrations(link: Link, *, information: int, generative: int) -> list[Demonstration]:
    """Online SGD and a partial trace, both correlational; then three kinds of statistical queries.

    Parameters
    ----------
    information, generative : the link's exponents.
    """
    weights = conditional_mean(link, generative).signs

    def online(problem: SingleIndex, start: Array, seed: Seed) -> CSQ[Array]:
        return correlation_sgd(problem, start=start, steps=STEPS, seed=seed)

    def trace(problem: SingleIndex, start: Array, seed: Seed) -> CSQ[Array]:
        w = yield from partial_trace_start(problem, degree=information, seed=seed)
        if information % 2 == 0 or information == 1:
            return w
        return (
            yield from tensor_power_steps(problem, degree=information, start=w, steps=REFINEMENTS)
        )

    def transformed(problem: SingleIndex, start: Array, seed: Seed) -> SQ[Array]:
        if generative == 1:
            return transformed_start(problem, transformation=weights, seed=seed)
        if generative == 2:
            return transformed_spectral_start(problem, transformation=weights, seed=seed)
        return transformed_partial_trace_start(
            problem, degree=generative, transformation=weights, seed=seed
        )

    return [
        _descent("online SGD", "CSQ", link, online),
        Demonstration("partial trace", "CSQ", "moment", information, False, trace),
        _rated("alternating SGD", link, alternating_sgd),
        _rated("batch reuse", link, batch_reuse_sgd),
        Demonstration("label transform", "SQ", "moment", generative, False, transformed),
    ]


def _rated(name: str, link: Link, make: Callable[..., SQ[Array]]) -> Demonstration:
    """The descent at the rate that a learner who knows the link would choose.

    Of the rates at which it sees the least degree those at which the overlap goes on growing, of
    these the one whose first coefficient is largest.
    """

    def at(rate: float) -> Demonstration:
        def strategy(problem: SingleIndex, start: Array, seed: Seed) -> SQ[Array]:
            return make(problem, start=start, rate=rate, steps=STEPS, seed=seed)

        return _descent(name, "SQ", link, strategy)

    made = [at(rate) for rate in RATES]
    fields = [_field(one.strategy, link) for one in made]
    least = min(one.degree for one in made)
    worth = [
        (one.degree == least, grows(link, field), abs(toward(link, field)[one.degree - 1]))
        for one, field in zip(made, fields, strict=True)
    ]
    return made[max(range(len(made)), key=worth.__getitem__)]


def _field(strategy: Strategy, link: Link) -> Any:
    batch = next(strategy(SingleIndex(2, link), np.array([1.0, 0.0]), 0))
    return batch.queries[0].form.h


def _descent(
    name: str, access: Literal["CSQ", "SQ"], link: Link, strategy: Strategy
) -> Demonstration:
    """A descent with the degree that its first query sees, clipping and activation included."""
    field = _field(strategy, link)
    degree = least_degree(link, field)
    return Demonstration(name, access, "gradient", degree, leans(link, field), strategy)
