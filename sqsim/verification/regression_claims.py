"""Entries on one-shot regression, the matching surrogate loss and the approximation scheme."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction

import numpy as np

from sqsim.algorithms.chow import piecewise_regression
from sqsim.algorithms.generalised_linear import surrogate_descent
from sqsim.algorithms.regression import one_shot_regression
from sqsim.algorithms.two_neurons import population_loss
from sqsim.links import HermiteSeries
from sqsim.loop import run
from sqsim.oracles.policies import toward_zero
from sqsim.oracles.scoring import loss, null_loss
from sqsim.oracles.simulated import csq
from sqsim.problems.corruption import Corruption, Decoy, LabelNoise, LowDegreeRemoval, WorstCase
from sqsim.problems.hypothesis import ReluHypothesis
from sqsim.problems.index import IndexInstance, ReluRegression
from sqsim.problems.labels import Gate, LabelLaw, Term
from sqsim.tolerance import Absolute, Unperturbed
from sqsim.updates import plain, reweighted
from sqsim.verification.conditions import exactly, joined, near, rounded
from sqsim.verification.entry import Entry, Finding, close

SOURCE = "Diakonikolas, Goel, Karmalkar, Klivans and Soltanolkotabi (2020)"
D = 5
CORRUPTIONS: tuple[Corruption, ...] = (
    LabelNoise(0.5),
    Decoy(0.5, 0.0),
    Decoy(0.5, -1.0, -0.9),
    Decoy(-0.8, 0.3, 0.4),
    WorstCase(plain(0.0), 0.05, 0.5),
    WorstCase(reweighted(0.0), 0.3, 0.9),
    LowDegreeRemoval(1),
)


def _share_of_opt(corruption: Corruption) -> float:
    instance = ReluRegression(D).draw(corruptions=[corruption], seed=3)
    found = run(one_shot_regression(instance.problem), csq(instance, tolerance=Unperturbed())).value
    assert found is not None
    return loss(instance, found).number / instance.opt_upper_bound


def _guarantee(constant: Fraction) -> Finding:
    """The constant at mu = 1/2, and losses on a grid of corruptions below it."""
    mu = 0.5
    number = (1 + 1 / math.sqrt(mu)) ** 2
    worst = max(_share_of_opt(corruption) for corruption in CORRUPTIONS)
    return joined(rounded(constant, number, digits=3), worst <= number)


def _sharp(constant: Fraction) -> Finding:
    """y = s(<v, x>) - 2 t s(-<v, x>): loss over the budget, which no neuron near beats.

    The grid of corruptions stays below.
    """
    t = 0.005
    decoy = _share_of_opt(Decoy(-2 * t, 0.0, -1.0))
    others = [_share_of_opt(corruption) for corruption in CORRUPTIONS]
    base = ReluRegression(3).draw(direction=np.eye(3)[0], corruptions=[Decoy(-2 * t, 0.0, -1.0)])
    budget = base.opt_upper_bound
    tried = [
        loss(base, ReluHypothesis(r * np.array([math.cos(a), math.sin(a), 0.0]), 0.0)).number
        for r in (0.95, 0.99, 0.998, 1.0, 1.002, 1.01, 1.05)
        for a in (0.0, 0.003, 0.01, 0.05)
    ]  # fmt: skip
    return joined(
        close(constant, decoy, error=1e-6),
        max(others) <= 2 + 1e-9,
        min(tried) >= budget * (1 - 1e-3),
    )


def _silent(constant: Fraction) -> Finding:
    """y = s(<v, x>) + 2 t <e, x> 1(<v, x> < 0): a second way to twice OPT, for t -> 0."""
    t = 1e-3
    v, e, _ = np.eye(3)
    base = ReluRegression(3).draw(direction=v)
    gate = Gate(v, lambda s: np.asarray((s < 0) * 1.0), (0.0,))
    extra = Term(e, HermiteSeries((0.0, 2 * t)), gate)
    instance: IndexInstance = replace(base, labels=LabelLaw((*base.labels.terms, extra)))
    found = run(one_shot_regression(base.problem), csq(instance, tolerance=Unperturbed())).value
    assert found is not None
    return close(constant, loss(instance, found).number / (2 * t * t), error=1e-3)


def _tolerance(constant: Fraction) -> Finding:
    """sqrt(loss) / tau on clean labels at d = 8, every answer moved toward 0 by tau."""
    d, tau = 8, 1e-3
    instance = ReluRegression(d).draw(direction=np.ones(d))
    oracle = csq(instance, tolerance=Absolute(tau), policy=toward_zero)
    found = run(one_shot_regression(instance.problem), oracle).value
    assert found is not None
    slope = math.sqrt(population_loss(instance.target, found)) / tau
    return joined(close(constant, slope, error=1e-4), near(slope, math.sqrt(2 * d), 1e-6))


def _surrogate(constant: Fraction) -> Finding:
    """Queries of the surrogate's minimiser, which is 2 E[y x]."""
    instance = ReluRegression(D).draw(corruptions=[Decoy(0.5, -1.0, -0.9)], seed=3)
    oracle = csq(instance, tolerance=Unperturbed())
    surrogate = run(surrogate_descent(instance.problem), oracle)
    direct = run(one_shot_regression(instance.problem), oracle)
    assert surrogate.value is not None
    assert direct.value is not None
    gap = np.asarray(surrogate.value.weights) - np.asarray(direct.value.weights)
    ledger = surrogate.ledger
    return joined(
        exactly(constant, ledger.queries),
        ledger.rounds == 1,
        bool(np.abs(gap).max() <= 1e-10),
    )


def _scheme(corruption: Corruption, degree: int) -> tuple[float, int]:
    """Loss over OPT and queries of the approximation scheme."""
    instance = ReluRegression(D).draw(corruptions=[corruption], seed=1)
    opt = instance.opt_upper_bound
    strategy = piecewise_regression(instance.problem, width=2 * math.sqrt(opt), degree=degree)
    result = run(strategy, csq(instance, tolerance=Unperturbed()))
    assert result.value is not None
    left = null_loss(instance).number - result.value.explained
    return left / opt, result.ledger.queries


def _scheme_loss(constant: Fraction) -> Finding:
    one, two = (_scheme(Decoy(0.3, 0.0), degree)[0] for degree in (1, 2))
    noisy = _scheme(LabelNoise(0.3), 2)[0]
    return joined(rounded(constant, two, digits=6, error=1e-7), two <= one, noisy <= 1.01)


def _scheme_queries(constant: Fraction) -> Finding:
    """d + (3 + 2 d + d (d + 1) / 2) + (d + 2) at degree 2, d = 5."""
    found = _scheme(Decoy(0.3, 0.0), 2)[1]
    return joined(exactly(constant, found), found == D + 3 + 2 * D + D * (D + 1) // 2 + D + 2)


REGRESSION_CLAIMS: tuple[Entry, ...] = (
    Entry(
        "dgkks.one-shot",
        "w = 2 E[y x] loses at most (1 + 1/sqrt mu)^2 OPT = 5.83 OPT",
        f"{SOURCE}; constant derived for this index",
        "the formula at mu = 1/2; seven corruptions with exact answers stay below",
        "5.83",
        _guarantee,
    ),
    Entry(
        "dgkks.one-shot-sharp",
        "w = 2 E[y x] loses at most c OPT with c = 5.83",
        f"{SOURCE}; c = 2 is enough, by Parseval's identity, and least: computed here",
        "a corruption by the mirrored neuron attains it; seven others stay below",
        "5.83",
        _sharp,
        truth="2",
    ),
    Entry(
        "dgkks.one-shot-silent",
        "a line where the neuron is silent costs 2 OPT in the limit of small corruptions",
        f"{SOURCE}; computed here",
        "exact answers and the exact loss at size 0.001",
        "2",
        _silent,
    ),
    Entry(
        "dgkks.tolerance",
        "answers within tau add sqrt(2 d) tau to sqrt(loss): 4 tau at d = 8, attained",
        f"{SOURCE}; constant derived for this index",
        "answers all moved toward 0 on clean labels; closed form of the loss",
        "4",
        _tolerance,
    ),
    Entry(
        "dgkks.surrogate-cost",
        "minimising the surrogate for the ReLU takes 5 correlations (d = 5) in one round",
        SOURCE,
        "ledger of a run; its weights are those of 2 E[y x]",
        "5",
        _surrogate,
    ),
    Entry(
        "dgkks.scheme-loss",
        "the scheme of degree 2 on a slab of 2 sqrt(OPT) loses 0.268506 of what a decoy added",
        f"{SOURCE}: (1 + eta) OPT + eps; measured here",
        "energy less what projections explain, exact answers; degree 1 loses more",
        "0.268506",
        _scheme_loss,
    ),
    Entry(
        "dgkks.scheme-queries",
        "the scheme of degree 2 asks 40 correlations in dimension 5",
        SOURCE,
        "ledger of a run; d + (3 + 2 d + d (d + 1) / 2) + (d + 2)",
        "40",
        _scheme_queries,
    ),
)
