"""Learners by name, as the commands run them, and the names of conventions and adversaries.

This file does not know oracles' secrets: a learner is given a problem and a seed.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal, TypeAlias, final

import numpy as np

from sqsim.algorithms.descent import (
    gradient_descent,
    projected_gradient_descent,
    random_direction,
    reweighted_pgd,
)
from sqsim.algorithms.generalised_linear import glmtron, surrogate_descent
from sqsim.algorithms.guo_vijayaraghavan import learn_relu
from sqsim.algorithms.profile import fit_norm_and_bias
from sqsim.algorithms.regression import biased_one_shot_regression, one_shot_regression
from sqsim.algorithms.spectral import spectral_start, thresholded_pca
from sqsim.errors import BadInput
from sqsim.lowrank import Array
from sqsim.oracles.policies import Policy, exact, grid, toward_zero, uniform, worst_direction
from sqsim.problems.hypothesis import ReluHypothesis, zero
from sqsim.problems.problem import Problem
from sqsim.queries import Batch, Query, Ridge, Statistic
from sqsim.seeds import Seed
from sqsim.strategy import CSQ, SQ, Answers, ask
from sqsim.studies.single_neurons import isotonic_direction, matched, planted, scaled
from sqsim.tolerance import L2, Absolute, RootMeanSquare, Tolerance

CONVENTIONS: Mapping[str, Callable[[float], Tolerance]] = {
    "l2": L2,
    "absolute": Absolute,
    "vstat": RootMeanSquare,
}
"""What one unit of tolerance means, by the name on the command line."""

POLICIES: Mapping[str, Policy] = {
    "exact": exact,
    "toward-zero": toward_zero,
    "uniform": uniform,
    "grid": grid,
    "worst-direction": worst_direction,
}
"""Adversaries, by the name on the command line."""

BIASES: tuple[float, ...] = (
    *(-6.0, -4.0),
    *np.linspace(-3.0, 3.0, 25).tolist(),
    *(4.0, 6.0, 9.0, 14.0, 20.0, 30.0),
)
"""Normalised biases tried where none is told, for inputs of variance 1 in every direction.

Below, hardly an example is active; above, the neuron is a line with a large intercept.
"""

Descent: TypeAlias = Callable[..., CSQ[ReluHypothesis]]


@final
@dataclass(frozen=True)
class Learner:
    """A strategy that ends with a neuron.

    Attributes
    ----------
    name : str
    access : "CSQ" or "SQ"
        The weakest oracle that answers it.
    strategy : function (problem, seed) -> generator
    told : bool
        Whether it is made for problems that tell norm and bias.  Where they do not, it finds both
        on the loss.
    warm_start : bool
        Whether it begins at a direction that was found before.
    """

    name: str
    access: Literal["CSQ", "SQ"]
    strategy: Callable[[Problem, Seed], Generator[Batch[Query], Answers, ReluHypothesis]]
    told: bool
    warm_start: bool = False


def learner(name: str) -> Learner:
    """The cold-start learner of this name."""
    known = {one.name: one for one in (*LEARNERS, *SINGLE_NEURONS)}
    if name in known:
        return known[name]
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.4)
    hint = f"did you mean {near[0]!r}? " if near else ""
    raise BadInput(f"no algorithm {name!r}; {hint}there are {', '.join(known)}")


def warm(start: Array) -> tuple[Learner, ...]:
    """The projected descents, begun at a direction such as that of `warm_direction`."""
    return tuple(
        Learner(name, "CSQ", partial(_from, start, descent), told=True, warm_start=True)
        for name, descent in DESCENTS.items()
    )


def warm_direction(problem: Problem, cut: float, *, seed: Seed = 0) -> SQ[Array]:
    """Direction of thresholded PCA, its sign by the agreement E[y sigma]."""
    v = yield from thresholded_pca(problem, cut=cut, seed=seed)
    return (yield from _signed(problem, v))


def _gradient_descent(problem: Problem, seed: Seed) -> CSQ[ReluHypothesis]:
    return gradient_descent(problem, seed=seed)


def _one_shot(problem: Problem, seed: Seed) -> CSQ[ReluHypothesis]:
    return one_shot_regression(problem)


def _biased_one_shot(problem: Problem, seed: Seed) -> CSQ[ReluHypothesis]:
    return biased_one_shot_regression(problem)


def _spectral(problem: Problem, seed: Seed) -> CSQ[ReluHypothesis]:
    v = yield from spectral_start(problem, seed=seed)
    v = yield from _signed(problem, v)
    descent = partial(projected_gradient_descent, normalised=True)
    return (yield from _from(v, descent, problem, seed))


def _cold(descent: Descent, problem: Problem, seed: Seed) -> CSQ[ReluHypothesis]:
    """From a random direction where norm and bias are told, else from a regression.

    Norm and bias fitted along a random direction would be those of a constant.
    """
    start = random_direction(problem, seed=seed)
    if not _is_told(problem):
        guess = yield from biased_one_shot_regression(problem)
        start = guess.weights if guess.norm > 0 else start
    return (yield from _from(start, partial(descent, normalised=True), problem, seed))


def _from(start: Array, descent: Descent, problem: Problem, seed: Seed) -> CSQ[ReluHypothesis]:
    """Descent from a direction; where they are not told, norm and bias before and after it."""
    if _is_told(problem):
        return (yield from descent(problem, start=start, seed=seed))
    before = yield from fit_norm_and_bias(problem, [start / np.linalg.norm(start)], BIASES)
    if before.hypothesis.norm == 0.0:
        return before.hypothesis
    norm, bias = before.hypothesis.norm, before.hypothesis.bias
    found = yield from descent(problem, start=start, norm=norm, bias=bias, seed=seed)
    if found.norm == 0.0:
        return before.hypothesis
    nearby = (found.bias / found.norm + np.linspace(-0.5, 0.5, 9)).tolist()
    after = yield from fit_norm_and_bias(problem, [found.weights / found.norm], nearby)
    return min(before, after, key=lambda scored: scored.excess).hypothesis


def _thresholded_pca(problem: Problem, seed: Seed) -> SQ[ReluHypothesis]:
    """Cut at norm / |normalised bias| where a negative bias is told, else at the label's size."""
    if problem.norm is not None and problem.bias is not None and problem.bias < 0:
        cut = problem.norm**2 / -problem.bias
    else:
        energy = yield from ask(Statistic(Ridge(np.square), "label energy"))
        cut = float(np.sqrt(max(energy, 0.0)))
        if cut == 0.0:
            return zero(problem.dimension)
    v = yield from thresholded_pca(problem, cut=cut, seed=seed)
    placed = yield from fit_norm_and_bias(problem, [v, -v], BIASES)
    return placed.hypothesis


def _learn_relu(problem: Problem, seed: Seed) -> SQ[ReluHypothesis]:
    return learn_relu(problem, seed=seed)


def _signed(problem: Problem, direction: Array) -> CSQ[Array]:
    """The direction or its opposite, whichever neuron loses less."""
    placed = yield from fit_norm_and_bias(problem, [direction, -direction], BIASES)
    neuron = placed.hypothesis
    # No agreement with either sign: the loss cannot choose.
    return direction if neuron.norm == 0.0 else neuron.weights / neuron.norm


def _is_told(problem: Problem) -> bool:
    return problem.norm is not None and problem.bias is not None


DESCENTS: Mapping[str, Descent] = {
    "projected-gradient-descent": projected_gradient_descent,
    "reweighted-pgd": reweighted_pgd,
}

LEARNERS: Sequence[Learner] = (
    Learner("gradient-descent", "CSQ", _gradient_descent, told=True),
    Learner("one-shot-regression", "CSQ", _one_shot, told=True),
    Learner("biased-one-shot-regression", "CSQ", _biased_one_shot, told=True),
    Learner("spectral-start", "CSQ", _spectral, told=True),
    *(
        Learner(name, "CSQ", partial(_cold, descent), told=True)
        for name, descent in DESCENTS.items()
    ),
    Learner("thresholded-pca", "SQ", _thresholded_pca, told=True),
    Learner("learn-relu", "SQ", _learn_relu, told=False),
)
"""Every cold-start learner of a separation, the correlational ones first."""

SINGLE_NEURONS: Sequence[Learner] = (
    Learner("glmtron", "CSQ", partial(matched, glmtron), told=True),
    Learner("surrogate-descent", "CSQ", partial(matched, surrogate_descent), told=True),
    Learner("isotron", "CSQ", partial(isotonic_direction, BIASES), told=True),
    Learner("planted-descent", "CSQ", planted, told=True),
    Learner("scaled-gradient-descent", "CSQ", scaled, told=True),
)
"""Further learners that are asked for by name: a separation does not run them."""
