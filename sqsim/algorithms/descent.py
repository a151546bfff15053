"""Iterative correlational learners: gradient descent, and projected descent on the sphere."""

from __future__ import annotations

import numpy as np

from sqsim.algorithms.fields import (
    activation,
    agreement,
    energy,
    neuron,
)
from sqsim.algorithms.iterates import best_iterate, scale_of, unit_start
from sqsim.errors import BadInput
from sqsim.lowrank import Array
from sqsim.problems.hypothesis import ReluHypothesis, zero
from sqsim.problems.problem import Problem
from sqsim.queries import Correlation, Ridge
from sqsim.seeds import Role, Seed, rng
from sqsim.strategy import CSQ, ask_all
from sqsim.updates import Update, plain, reweighted


def gradient_descent(
    problem: Problem,
    *,
    start: ReluHypothesis | None = None,
    steps: int = 100,
    step_size: float = 0.5,
    seed: Seed = 0,
) -> CSQ[ReluHypothesis]:
    """Gradient descent on (w, b) for E[(sigma(<w, x> + b) - y)^2]; the iterate of least loss.

    `steps` rounds of d + 2 correlational queries: E[y 1(.) x], E[y 1(.)] and the agreement
    E[y sigma(.)] that ranks the iterates; the other half of the gradient is label-free.  From a
    random start this is the algorithm of Awasthi, Tang and Vijayaraghavan (2022).
    """
    _check_step(step_size)
    current = random_neuron(problem, seed=seed) if start is None else start
    best, least = zero(problem.dimension), 0.0
    for step in range(steps):
        if current.norm == 0.0:
            break
        field, share, agreed = yield from ask_all(
            Correlation(activation(current, power=1), "gradient in w"),
            Correlation(activation(current, power=0), "gradient in b"),
            agreement(current),
            step=step,
            w=current.weights,
            b=current.bias,
        )
        excess = energy(problem, current) - 2 * float(agreed)
        if excess < least:
            best, least = current, excess
        predicted = neuron(current)
        own = problem.inputs.expectation(
            Ridge(predicted.h, predicted.frame, power=1, kinks=predicted.kinks)
        )
        mean = float(problem.inputs.expectation(predicted))
        current = ReluHypothesis(
            current.weights - 2 * step_size * (own - field),
            current.bias - 2 * step_size * (mean - float(share)),
        )
    return best


def projected_gradient_descent(
    problem: Problem,
    *,
    start: Array | None = None,
    norm: float | None = None,
    bias: float | None = None,
    steps: int = 60,
    step_size: float = 0.3,
    normalised: bool = False,
    seed: Seed = 0,
) -> CSQ[ReluHypothesis]:
    """Gradient descent on the sphere for a neuron of given norm and bias; the best iterate.

    w <- normalise(w + eta P_w E[y x 1(<w, x> + b >= 0)]); the neuron's own part of the gradient is
    a multiple of w and is projected away.  `steps` rounds of d + 1 correlational queries.

    Parameters
    ----------
    start : (d,) array, optional
        A random direction if None.
    norm, bias : float, optional
        Of the neuron sigma(norm <v, x> + bias); needed where the problem does not tell them.
    normalised : bool
        Take steps of length step_size 0.9^t at least, however small the field is: the rule most
        favourable to a learner that starts where the field is tiny but true.
    """
    scale, offset = scale_of(problem, norm, bias)
    return (
        yield from _projected(
            problem, start, scale, offset, plain(offset), steps, step_size, normalised, seed
        )
    )


def reweighted_pgd(
    problem: Problem,
    *,
    start: Array | None = None,
    norm: float | None = None,
    bias: float | None = None,
    rho: float = 0.5,
    overlap: float = 0.9,
    steps: int = 60,
    step_size: float = 0.3,
    normalised: bool = False,
    seed: Seed = 0,
) -> CSQ[ReluHypothesis]:
    """Projected gradient descent under the Gaussian shifted by rho |b| along w; the best iterate.

    Correlational once it has its warm start: each of `steps` rounds asks E[y x f(<w, x>)], with f
    the shifted and cut density ratio, and one agreement: d + 1 queries.  Guo and Vijayaraghavan
    (2024), section 3.1, with rho = 0.5 and lambda = `overlap` = 0.9; steps are normalised by
    ||f||_2 ||c sigma_b||_2, the largest value that the field can take on clean labels.

    Parameters
    ----------
    start : (d,) array, optional
        The warm start, for instance from `thresholded_pca`; a random direction if None.
    norm, bias : float, optional
        Of the neuron sigma(norm <v, x> + bias); needed where the problem does not tell them.
    normalised : bool
        As in `projected_gradient_descent`.
    """
    scale, offset = scale_of(problem, norm, bias)
    update = reweighted(min(offset, 0.0), rho=rho, overlap=overlap)
    return (
        yield from _projected(
            problem, start, scale, offset, update, steps, step_size, normalised, seed
        )
    )


def random_direction(problem: Problem, *, seed: Seed) -> Array:
    """A unit vector, uniform on the sphere, from the learner's own randomness."""
    w = rng(seed, Role.LEARNER).standard_normal(problem.dimension)
    return np.asarray(w / np.linalg.norm(w))


def random_neuron(problem: Problem, *, seed: Seed) -> ReluHypothesis:
    """A neuron of random direction, of the told norm and bias where they are told."""
    norm = 1.0 if problem.norm is None else problem.norm
    bias = 0.0 if problem.bias is None else problem.bias
    return ReluHypothesis(norm * random_direction(problem, seed=seed), bias)


def _check_step(step_size: float) -> None:
    if not 0 < step_size < np.inf:
        raise BadInput(f"step_size is {step_size}; it must be positive and finite")


def _projected(
    problem: Problem,
    start: Array | None,
    norm: float,
    bias: float,
    update: Update,
    steps: int,
    step_size: float,
    normalised: bool,
    seed: Seed,
) -> CSQ[ReluHypothesis]:
    _check_step(step_size)
    w = random_direction(problem, seed=seed) if start is None else unit_start(problem, start)

    def stride(step: int, share: float) -> float:
        return step_size * max(share, 0.9**step if normalised else 0.0)

    return (
        yield from best_iterate(
            problem, w, norm=norm, bias=bias, update=lambda _: update, stride=stride, steps=steps
        )
    )
