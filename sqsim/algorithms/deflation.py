"""Learning a sum of neurons one at a time: each on the label minus what is known already.

The prediction of known neurons is subtracted from answers, not from labels: for a correlational
query E[(y - f(x)) g(x)] = E[y g(x)] - E[f(x) g(x)], and the second mean is label-free.  So any
correlational strategy for one neuron runs unchanged, and at the same cost.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar, final

import numpy as np

from sqsim.algorithms.iterates import best_iterate
from sqsim.algorithms.network_means import network_mean
from sqsim.algorithms.profile import Scored, fit_norm_and_bias
from sqsim.algorithms.transport import Reader, transported
from sqsim.errors import BadInput
from sqsim.lowrank import Array, dense
from sqsim.problems.network import ReluNetwork, neuron_network, no_neurons
from sqsim.problems.problem import Problem
from sqsim.queries import Correlation, Ridge
from sqsim.strategy import CSQ
from sqsim.updates import Update, reweighted

R = TypeVar("R")

BIASES = (-4.0, -3.0, -2.0, -1.0, 0.0, 1.0)
"""Normalised biases at which candidate directions are first compared."""


@final
@dataclass(frozen=True)
class Pursuit:
    """How each neuron is found on its residual label.

    Attributes
    ----------
    biases : where candidates are compared before the bias is searched.
    steps : rounds of reweighted descent; 0 keeps the candidate's direction.
    signed : whether outer weights may be negative, which doubles the queries.
    step_size, rho, overlap : of the descent.
    """

    biases: tuple[float, ...] = BIASES
    steps: int = 30
    signed: bool = False
    step_size: float = 0.5
    rho: float = 0.5
    overlap: float = 0.9

    def __post_init__(self) -> None:
        if not self.biases or self.steps < 0 or not self.step_size > 0:
            raise BadInput(
                f"{len(self.biases)} biases, {self.steps} steps of size {self.step_size}; wanted "
                "at least one bias, steps >= 0 and a positive size"
            )

    def queries(self, candidates: int, dimension: int) -> int:
        """Scalar queries of one neuron, where the descent does not end early."""
        fits = candidates * len(self.biases) + 34
        descent = self.steps * (dimension + 1) + (9 + 34 if self.steps else 0)
        return (2 if self.signed else 1) * (fits + descent)

    @property
    def rounds(self) -> int:
        """Rounds of one neuron."""
        return 5 + (self.steps + 5 if self.steps else 0)


def deflated(
    problem: Problem, known: ReluNetwork, strategy: CSQ[R], *, sign: float = 1.0
) -> CSQ[R]:
    """The strategy, run on the label sign (y - known(x)).

    Its queries go out as they are, and E[known(x) g(x)] is taken off each answer: no query and no
    round more than the strategy's own.  Access: CSQ.  Frames of at most one column.
    """

    def exchange(query: Correlation) -> tuple[Correlation, Reader]:
        form = query.form
        if not isinstance(form, Ridge):
            raise BadInput(
                f"query {query.label!r} is not a Ridge: the learner cannot compute what "
                "the known neurons add to its answer"
            )

        def told(answer: Any) -> Array:
            return sign * (dense(answer) - network_mean(problem, known, form))

        return query, told

    return transported(strategy, exchange)


def pursue(
    problem: Problem,
    candidates: Array,
    *,
    count: int,
    known: ReluNetwork | None = None,
    pursuit: Pursuit | None = None,
) -> CSQ[ReluNetwork]:
    """`count` neurons, one after the other, each on the label minus those before it.

    A neuron begins at the candidate, norm and bias of least loss on its residual label and is
    turned by reweighted projected descent, of which f - E[f] is the weight: centred, so that the
    linear parts of neurons orthogonal to it pull it nowhere.  Then norm and bias are fitted again.
    Stops early where no candidate lowers the loss.

    Cost: at most count pursuit.queries(candidates, d) queries in count pursuit.rounds rounds;
    with c candidates, B biases and T steps (c B + 34 + T (d + 1) + 43) for each neuron.
    Access: CSQ.  The descent is that of Guo and Vijayaraghavan (2024), section 3.1; its use on
    residuals is derived here and carries no guarantee for correlated neurons.

    Parameters
    ----------
    candidates : (c, d) unit rows.
    known : neurons that are subtracted from the beginning.
    """
    pursuit = Pursuit() if pursuit is None else pursuit
    found = no_neurons(problem.dimension) if known is None else known
    for _ in range(count):
        added = no_neurons(problem.dimension)
        least = 0.0
        for sign in (1.0, -1.0) if pursuit.signed else (1.0,):
            lane = _one_neuron(problem, list(candidates), pursuit)
            scored = yield from deflated(problem, found, lane, sign=sign)
            if scored.excess < least:
                least, added = scored.excess, neuron_network(scored.hypothesis, sign=sign)
        if not added.count:
            break
        found = found.joined(added)
    return found


def _one_neuron(problem: Problem, candidates: Sequence[Array], pursuit: Pursuit) -> CSQ[Scored]:
    before = yield from fit_norm_and_bias(problem, candidates, pursuit.biases)
    neuron = before.hypothesis
    if neuron.norm == 0.0 or not pursuit.steps:
        return before
    bias = neuron.bias / neuron.norm
    weight = centred(problem, reweighted(min(bias, 0.0), rho=pursuit.rho, overlap=pursuit.overlap))
    turned = yield from best_iterate(
        problem,
        neuron.weights / neuron.norm,
        norm=neuron.norm,
        bias=bias,
        update=lambda _: weight,
        stride=lambda step, share: pursuit.step_size * max(share, 0.85**step),
        steps=pursuit.steps,
    )
    if turned.norm == 0.0:
        return before
    nearby = (turned.bias / turned.norm + np.linspace(-0.5, 0.5, 9)).tolist()
    after = yield from fit_norm_and_bias(problem, [turned.weights / turned.norm], nearby)
    return min(before, after, key=lambda scored: scored.excess)


def centred(problem: Problem, update: Update) -> Update:
    """weight - E[weight]: blind to the linear part of the label."""
    form = Ridge(update.weight, np.eye(problem.dimension)[0], kinks=update.kinks)
    mean = float(problem.inputs.expectation(form))
    return Update(f"centred {update.name}", lambda s: update.weight(s) - mean, update.kinks)
