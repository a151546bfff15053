"""Coarse gradient descent of a binarised network: correlational, and the gradient of no loss."""

from __future__ import annotations

import math

import numpy as np

from sqsim.algorithms.coarse_landscape import Estimator, check_estimator
from sqsim.errors import BadInput
from sqsim.lowrank import Array
from sqsim.problems.binarised import BinarisedNetwork, BinarisedRegression
from sqsim.queries import Correlation, Opaque, Ridge
from sqsim.seeds import Role, Seed, rng
from sqsim.strategy import CSQ, ask_all


def coarse_gradient_descent(
    problem: BinarisedRegression,
    *,
    start: BinarisedNetwork | None = None,
    estimator: Estimator = "relu",
    steps: int = 200,
    step_size: float = 0.5,
    by_rows: bool = True,
    seed: Seed = 0,
) -> CSQ[BinarisedNetwork]:
    """v <- v - eta grad_v f, w <- w - eta g with g a straight-through estimate; the last iterate.

    The step 1(s > 0) has derivative 0, and backwards it is taken for mu'(s): 1(s > 0) for
    `estimator` "relu", 1 for "identity".  Yin, Lyu, Zhang, Osher, Qi and Xin (2019), f with their
    factor 1/2.  Correlational: E[y 1(<z_i, w> > 0)] and E[y mu'(<z_i, w>) z_i] for each row; the
    network's own part is label-free and in closed form.  `steps` rounds of m + m (m n) queries for
    "relu", since a vector query T_1(x) spans all rows, and of m + m n for "identity"; of m + n
    where not `by_rows`, with one Opaque vector sum_i v_i mu'(<z_i, w>) z_i that only sampling
    oracles answer.

    On clean labels the inner product of g with grad_w f is
    sin(theta) <v, v*>^2 / (2 (2 pi)^(3/2) ||w||) for "relu" and twice that for "identity", so
    either descends f to first order.  At the spurious critical points, theta = pi and
    (I + J) v = (J - I) v* with J the matrix of ones, g is 0 for "relu"; for "identity" its length
    is 2 (1'v*)^2 (m - 1) / ((m + 1)^2 sqrt(2 pi)).

    Parameters
    ----------
    start : BinarisedNetwork, optional
        Standard normal outer weights and a uniform filter if None.
    """
    check_estimator(estimator)
    if not isinstance(problem, BinarisedRegression):
        raise BadInput(f"problem is {type(problem).__name__}; wanted a BinarisedRegression")
    if steps < 1 or not 0 < step_size < np.inf:
        raise BadInput(f"steps {steps} and step_size {step_size}; wanted >= 1, and finite and > 0")
    network = _random(problem, seed) if start is None else start
    if network.outer.shape != (problem.rows,) or network.filter.shape != (problem.columns,):
        raise BadInput(
            f"start has outer {network.outer.shape} and filter {network.filter.shape}; wanted "
            f"({problem.rows},) and ({problem.columns},)"
        )
    for step in range(steps):
        length = float(np.linalg.norm(network.filter))
        if not length > 0:
            raise BadInput("the filter is 0, where no coarse gradient is defined; start elsewhere")
        v, m = network.outer, problem.rows
        fields = _fields(problem, network, estimator, by_rows)
        answers = yield from ask_all(*_shares(problem, network), *fields, step=step)
        shares = np.array(answers[:m], dtype=np.float64)
        in_outer = (v + v.sum()) / 4 - shares
        in_filter = _own(network, estimator) - _joined(answers[m:], v, problem, by_rows)
        network = BinarisedNetwork(v - step_size * in_outer, network.filter - step_size * in_filter)
    return network


def _shares(problem: BinarisedRegression, network: BinarisedNetwork) -> list[Correlation]:
    """y 1(<z_i, w> > 0) for each row."""
    return [
        Correlation(Ridge(_active, problem.in_row(network.filter, i), kinks=(0.0,)), "active share")
        for i in range(problem.rows)
    ]


def _fields(
    problem: BinarisedRegression, network: BinarisedNetwork, estimator: Estimator, by_rows: bool
) -> list[Correlation]:
    """y mu'(<z_i, w>) z_i, row by row or summed with the outer weights."""
    name, w, v = f"coarse field, {estimator}", network.filter, network.outer
    if not by_rows:

        def summed(inputs: Array) -> Array:
            rows = inputs.reshape(len(inputs), problem.rows, problem.columns)
            slopes = _active(rows @ w) if estimator == "relu" else np.ones(rows.shape[:2])
            return np.asarray(np.einsum("ki,i,kij->kj", slopes, v, rows))

        return [Correlation(Opaque(summed, problem.columns), name)]
    if estimator == "identity":
        # mu' = 1: one vector holds E[y z_i] for every row.
        return [Correlation(Ridge(power=1), name)]
    return [
        Correlation(Ridge(_active, problem.in_row(w, i), power=1, kinks=(0.0,)), name)
        for i in range(problem.rows)
    ]


def _joined(
    answers: tuple[Array, ...], v: Array, problem: BinarisedRegression, by_rows: bool
) -> Array:
    """sum_i v_i E[y mu'(<z_i, w>) z_i]."""
    if not by_rows:
        return np.asarray(answers[0])
    blocks = [np.asarray(answer).reshape(problem.rows, problem.columns) for answer in answers]
    if len(blocks) == 1:
        return np.asarray(v @ blocks[0])
    return np.asarray(sum(v[i] * block[i] for i, block in enumerate(blocks)))


def _own(network: BinarisedNetwork, estimator: Estimator) -> Array:
    """E[Z'(mu'(Zw) v) yhat]: rows are independent and E[1(<z, w> > 0) z] = w / (||w|| sqrt 2 pi).

    A pair of different rows has E[mu' z] / 2, which is 0 for the identity.
    """
    v = network.outer
    size = float(v @ v)
    scale = size if estimator == "identity" else (size + float(v.sum()) ** 2) / 2
    length = float(np.linalg.norm(network.filter))
    return np.asarray(scale * network.filter / (length * math.sqrt(2 * math.pi)))


def _active(s: Array) -> Array:
    return (s > 0).astype(np.float64)


def _random(problem: BinarisedRegression, seed: Seed) -> BinarisedNetwork:
    generator = rng(seed, Role.LEARNER)
    w = generator.standard_normal(problem.columns)
    outer = generator.standard_normal(problem.rows)
    return BinarisedNetwork(outer, w / np.linalg.norm(w))
