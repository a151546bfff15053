"""Entries on strategies beyond correlations for single-index models."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
from numpy.polynomial.hermite_e import hermegauss, hermeval

from sqsim.algorithms.hermite_series import HermiteSum
from sqsim.algorithms.index_descent import alternating_sgd, batch_reuse_sgd, correlation_sgd
from sqsim.links import Relu, hermite
from sqsim.loop import run
from sqsim.lowrank import dense
from sqsim.oracles.quadrature import Quadrature
from sqsim.oracles.simulated import sq
from sqsim.problems.index import IndexInstance, SingleIndex
from sqsim.queries import Correlation, Query, Ridge, Statistic
from sqsim.record import Exchange, Ledger
from sqsim.special import normal_density
from sqsim.studies.hermite_means import HermiteMeans
from sqsim.studies.p_concepts import kinds_asked
from sqsim.tolerance import Scale, Unperturbed
from sqsim.verification.conditions import exactly, joined, near, rounded
from sqsim.verification.entry import Entry, Finding, close

UNIFIED = "unified update for single-index models (2025), quoted from a secondary source"
GENERATIVE = "Damian, Pillaud-Vivien, Lee and Bruna (2024)"


def _at_overlap(instance: IndexInstance, m: float) -> np.ndarray:
    """A unit vector with this overlap with the secret."""
    v = instance.direction
    side = -v[0] * v
    side[0] += 1
    return np.asarray(m * v + math.sqrt(1 - m * m) * side / np.linalg.norm(side))


def _signal(i: int, m: float) -> float:
    """<theta*, E[psi P x]> / (mu_i m^(i-1) (1 - m^2)) for y = h_i and psi = y h_(i-1)(<w, x>).

    mu_i = E[psi(s(a), b) He_i(a) He_(i-1)(b)], a and b independent, by a Gauss-Hermite rule.
    """
    instance = SingleIndex(5, hermite(i)).draw(seed=3)
    w, v = _at_overlap(instance, m), instance.direction
    model = HermiteSum((0.0,) * (i - 1) + (1.0,))
    query = Correlation(Ridge(model, w, power=1))
    mean = np.asarray(Quadrature().means(instance, [query], [Scale.NONE])[0].value)
    # P_w takes the part along w away.
    found = float(v @ mean - m * (w @ mean))
    nodes, weights = hermegauss(20)
    weights = weights / weights.sum()
    one, two = np.eye(i + 1)[i], np.eye(i + 1)[i - 1]
    first = float(weights @ (hermeval(nodes, one) ** 2)) / math.sqrt(math.factorial(i))
    second = float(weights @ (hermeval(nodes, two) ** 2)) / math.sqrt(math.factorial(i - 1))
    return found / (first * second * m ** (i - 1) * (1 - m * m))


def _unified(constant: Fraction) -> Finding:
    """The factor of mu_3 m^2 (1 - m^2), and 1 / (i - 1)! for i = 1, 2, 4 as well."""
    others = all(near(_signal(i, 0.3), 1 / math.factorial(i - 1), 1e-8) for i in (1, 2, 4))
    return joined(rounded(constant, _signal(3, 0.3), digits=6, error=1e-9), others)


def _gradient_exponent(constant: Fraction) -> Finding:
    """The slope in d of the first gradient toward v from an overlap of d^(-1/2), y = h_3."""
    model, means = HermiteSum((0.0, 0.0, 0.0, 1.0)).slope, HermiteMeans()

    def toward(dimension: int) -> float:
        instance = SingleIndex(dimension, hermite(3)).draw(seed=3)
        m = dimension**-0.5
        w = _at_overlap(instance, m)
        query = Correlation(Ridge(model.scaled(1 / model.field_norm(w)), w, power=1))
        mean = np.asarray(means.means(instance, [query], [Scale.NONE])[0].value)
        return float(np.linalg.norm(mean - (mean @ w) * w))

    at = (1000, 8000)
    slope = math.log(toward(at[1]) / toward(at[0])) / math.log(at[1] / at[0])
    return close(constant, slope, error=1e-3)


def _kinds(constant: Fraction) -> Finding:
    """Statistics that alternating and reused-batch steps ask in two rounds each, d = 4.

    The correlational step asks none.
    """
    problem = SingleIndex(4, hermite(3))
    instance = problem.draw(seed=3)
    oracle = sq(instance, tolerance=Unperturbed(), means=HermiteMeans())
    counts = []
    for strategy in (
        correlation_sgd(problem, steps=2, seed=1),
        alternating_sgd(problem, steps=2, seed=1),
        batch_reuse_sgd(problem, steps=2, seed=1),
    ):
        exchanges: list[Exchange] = []

        def watch(exchange: Exchange, _: Ledger, seen: list[Exchange] = exchanges) -> None:
            seen.append(exchange)

        run(strategy, oracle, callback=watch)
        counts.append(kinds_asked(exchanges, 4))
    return joined(
        exactly(constant, counts[1].statistics + counts[2].statistics),
        counts[0].statistics == 0 and counts[0].correlations == 8,
        counts[1].correlations == counts[2].correlations == 0,
    )


def _second_moment(constant: Fraction) -> Finding:
    """v' E[1(y >= 1/3) (x x' - I)] v for y = max(<v, x> - 3, 0): A phi(A), A = 3 + 1/3."""
    instance = SingleIndex(4, Relu(-3.0)).draw(seed=3)
    level = 1 / 3
    query: Query = Statistic(Ridge(lambda y: (y >= level) * 1.0, power=2, levels=(level,)))
    mean = dense(Quadrature().means(instance, [query], [Scale.NONE])[0].value)
    v = instance.direction
    at = 3 + level
    closed = at * float(normal_density(np.array([at]))[0])
    rest = mean - closed * np.outer(v, v)
    return joined(
        rounded(constant, float(v @ mean @ v), digits=5, error=1e-8),
        near(float(v @ mean @ v), closed, 1e-8),
        float(np.abs(rest).max()) <= 1e-10,
    )


INDEX_DESCENT_CLAIMS: tuple[Entry, ...] = (
    Entry(
        "unified.signal",
        "<theta*, g> = sum_i c_i mu_i m^(i-1) (1 - m^2) with c_3 = 3! = 6",
        f"{UNIFIED}; computed here: c_i = 1 / (i - 1)! with He_i as written, so c_3 = 1/2",
        "exact answers at overlap 0.3 over a Gauss-Hermite mu_i, for i = 1, 2, 3, 4",
        "6",
        _unified,
        truth="1/2",
    ),
    Entry(
        "unified.gradient-exponent",
        "y = He_3: the first gradient toward v falls like d^-1, exponent -(k - 1)/2",
        "Ben Arous, Gheissari and Jagannath (2021)",
        "slope between d = 1000 and 8000 from overlap d^(-1/2), exact answers",
        "-1",
        _gradient_exponent,
    ),
    Entry(
        "unified.access",
        "alternating and reused-batch steps are statistics: 16 scalars in two steps each, d = 4",
        UNIFIED,
        "what the runs ask, by kind; the correlational step asks no statistic",
        "16",
        _kinds,
    ),
    Entry(
        "dplb.thresholded-pca",
        "b = -3, T = 1(y >= 1/3): E[T(y) (x x' - I)] = 0.0051409 v v'",
        f"{GENERATIVE}; the start of Guo and Vijayaraghavan (2024); value of the specification",
        "exact answer to the matrix query; A phi(A) at A = 3 + 1/3",
        "0.0051409",
        _second_moment,
    ),
)
