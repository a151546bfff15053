"""Agnostic learners in the sense of correlation: find c with E[y c] near max over +-C of E[y c].

For concepts of one norm this is agnostic learning in square loss, since E[(y - c)^2] = E[y^2] -
2 E[y c] + ||c||^2.  This file does not know what their answers are added up to.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import combinations
from typing import Any, overload

import numpy as np

from sqsim.algorithms.combinations import Atom
from sqsim.algorithms.fields import energy, neuron
from sqsim.algorithms.regression import one_shot_regression
from sqsim.characters import Characters
from sqsim.errors import BadInput
from sqsim.problems.hypothesis import ReluHypothesis
from sqsim.problems.problem import Problem
from sqsim.queries import Correlation, Ridge
from sqsim.strategy import CSQ, SQ, ask, ask_all

MOST_PARITIES = 5_000_000


def agnostic_choice(problem: Problem, concepts: Sequence[Ridge]) -> CSQ[Atom]:
    """The concept of a finite list, or its negative, of largest correlation.

    One round of one query for each concept.  Correlational.  Slack at most twice the error of an
    answer: 2 tau max ||c|| at tolerance L2(tau).
    """
    if not len(concepts):
        raise BadInput("there is nothing to choose from; pass at least one concept")
    answers = yield from ask_all(*(Correlation(c, "correlation") for c in concepts))
    best = int(np.argmax(np.abs(np.array(answers, dtype=np.float64))))
    return _signed(concepts[best], float(answers[best]))


def agnostic_parity(problem: Problem, *, sparsity: int) -> CSQ[Atom]:
    """The parity of `sparsity` coordinates, or its negative, of largest correlation.

    Exhaustive: one round of C(d, sparsity) queries of norm 1.  Correlational.  Slack at most
    2 tau.
    """
    d = problem.dimension
    if isinstance(sparsity, bool) or not isinstance(sparsity, int) or not 0 <= sparsity <= d:
        raise BadInput(f"sparsity is {sparsity!r}; wanted a size of subsets of {d} coordinates")
    count = math.comb(d, sparsity)
    if count > MOST_PARITIES:
        raise BadInput(
            f"there are {count} parities of {sparsity} among {d} coordinates; at most "
            f"{MOST_PARITIES} are asked, in one vector"
        )
    sets = list(combinations(range(d), sparsity))
    answer = yield from ask(Correlation(Characters.of(sets), "parities"))
    values = np.asarray(answer)
    best = int(np.argmax(np.abs(values)))
    return _signed(Characters.of([sets[best]]), float(values[best]))


@overload
def agnostic_neuron(
    learn: Callable[[Problem], CSQ[ReluHypothesis]] = ...,
) -> Callable[[Problem], CSQ[Atom]]: ...


@overload
def agnostic_neuron(
    learn: Callable[[Problem], SQ[ReluHypothesis]],
) -> Callable[[Problem], SQ[Atom]]: ...


def agnostic_neuron(learn: Callable[[Problem], Any] = one_shot_regression) -> Any:
    """A learner of ReLU neurons, any that ends with one, as a learner of neurons of norm 1.

    Asks two scalars more, in one round more: the correlations of the neuron max(<w, x> + b, 0)
    / ||.|| that was found and of its mirror image max(-<w, x> + b, 0) / ||.||, and keeps the
    larger, with its sign.  Correlational if `learn` is.  The slack is what `learn` leaves: a neuron
    whose square loss is within epsilon of the best of norm 1 has a slack of epsilon / 2 against all
    neurons.  Against their negatives it has none in general (for labels -|<v, x>| the best neuron
    is orthogonal to v, and -max(<v, x>, 0) agrees more: derived here); one that promises a multiple
    of the best loss, as one-shot regression does, is measured, not bounded.

    Parameters
    ----------
    learn : function (problem) -> strategy
        `one_shot_regression` (d queries, one round: w = 2 E[y x]) unless given.
    """

    def correlating(problem: Problem) -> Any:
        found = yield from learn(problem)
        if found.norm == 0.0:
            nothing = ReluHypothesis(np.eye(1, problem.dimension)[0], 0.0)
            return Atom(neuron(nothing), 0.0)
        pair = [ReluHypothesis(side * found.weights, found.bias) for side in (1.0, -1.0)]
        forms = [unit_neuron(problem, one) for one in pair]
        answers = yield from ask_all(*(Correlation(form, "agreement") for form in forms))
        best = int(np.argmax(np.abs(np.array(answers, dtype=np.float64))))
        return _signed(forms[best], float(answers[best]))

    return correlating


def unit_neuron(problem: Problem, hypothesis: ReluHypothesis) -> Ridge:
    """max(<w, x> + b, 0) over its norm under the law of the inputs."""
    size = math.sqrt(energy(problem, hypothesis))
    if not size > 0:
        raise BadInput(f"a neuron of bias {hypothesis.bias} is never active on these inputs")
    whole = neuron(hypothesis)
    inner = whole.h
    assert inner is not None
    return Ridge(lambda s: inner(s) / size, hypothesis.weights, kinks=whole.kinks)


def _signed(form: Any, answer: float) -> Atom:
    return Atom(form, 1.0 if answer > 0 else -1.0 if answer < 0 else 0.0)
