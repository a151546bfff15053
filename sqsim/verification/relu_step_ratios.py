"""The reweighted step at finite biases: its cut, its worst-case noise, the corner of Lemma 22.

Guo and Vijayaraghavan (2024), section 3.1; losses without 1/2, OPT = ||s_b||^2 / alpha.
"""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
from scipy.optimize import brentq
from scipy.special import ndtr

from sqsim.lowerbounds.basins import (
    STEPS,
    LocalStep,
    OptimalStep,
    PlainStep,
    ReweightedStep,
    basin_point,
)
from sqsim.lowerbounds.precision import Enclosure
from sqsim.lowerbounds.quantities import Rational
from sqsim.updates import reweighted
from sqsim.verification.biased_relu import table
from sqsim.verification.conditions import joined
from sqsim.verification.entry import Check, Entry, Finding, close, within

SOURCE = "Guo and Vijayaraghavan (2024)"
RHO, LAMBDA = Fraction(1, 2), Fraction(9, 10)
SIZES = (3, 5, 8, 12, 20, 30)


def _ratio(step: LocalStep, a: int | Fraction, overlap: str) -> Enclosure:
    return basin_point(step, bias=-a, alpha=100, overlap=overlap, digits=12).noise_to_signal


def _nearest_cut(constant: Fraction) -> Finding:
    """The point of {<v, x> >= a} nearest to rho a w, seen along w; and where the weight begins."""
    v, w = np.array([1.0, 0.0]), np.array([0.9, math.sqrt(0.19)])
    centre = 0.5 * w
    nearest = centre + (1 - centre @ v) * v
    exact = Rational(RHO + LAMBDA * (1 - RHO * LAMBDA))
    (kink,) = reweighted(-1.0).kinks
    return joined(
        within(constant, exact, digits=4),
        abs(nearest @ w - float(exact)) < 1e-12,
        abs(kink - float(exact)) < 1e-12,
    )


def _row(step: LocalStep, overlap: str, biases: tuple[int, ...], shown: str, at: int) -> Check:
    def check(constant: Fraction) -> Finding:
        return table(constant, [_ratio(step, a, overlap) for a in biases], shown, decisive=at)

    return check


def _fooled_from(constant: Fraction) -> Finding:
    """Where the ratio passes 1, between two proved places."""
    found = brentq(lambda a: float(_ratio(ReweightedStep(), Fraction(a), "0.9")) - 1, 8, 11)
    above = all(_ratio(ReweightedStep(), a, "0.9").bounds[0] > 1 for a in range(10, 40))
    return joined(close(constant, found, error=1e-6), above)


def _cauchy_schwarz(constant: Fraction) -> Finding:
    """alpha (noise / signal)^2 of all steps on a grid, and of the best at b = 0, overlap 0."""

    def square(step: LocalStep, a: int, overlap: str) -> float:
        return 100 * float(_ratio(step, a, overlap)) ** 2

    overlaps = ("0", "0.3", "0.6", "0.9", "0.99")
    grid = [square(s, a, overlap) for s in STEPS for a in (0, 1, 3, 8) for overlap in overlaps]
    found = square(OptimalStep(), 0, "0")
    return joined(close(constant, found, error=1e-9), min(grid) >= found - 1e-9, found >= 1)


def _best_weight(constant: Fraction) -> Finding:
    """Proved ratio of T_L s_b', and the largest agreement / norm over weights on a fine grid."""
    found = _ratio(OptimalStep(), 5, "0.9")
    z = np.linspace(-9, 16, 100_001)
    mass = np.exp(-z * z / 2) / math.sqrt(2 * math.pi) * (z[1] - z[0])
    slope = ndtr((0.9 * z - 5) / math.sqrt(0.19))
    neuron = float(np.sum(mass * np.maximum(z - 5, 0) ** 2))
    # Any weight h has agreement / norm at most the norm of the slope; these come near it.
    rivals = [np.asarray(ndtr((0.9 * z - 5) / q)) for q in (0.2, 0.35, 0.436, 0.5, 0.7)]
    best = max(float(np.sum(mass * h * slope) / math.sqrt(np.sum(mass * h * h))) for h in rivals)
    ratio = math.sqrt(neuron / 100) / (math.sqrt(0.19) * best)
    return joined(within(constant, found, digits=4), 0 <= ratio / float(found) - 1 < 1e-5)


def _largest_gap(rho: float) -> float:
    """max over L in [lambda, 1] of 1 - L rho - (1 - lambda rho) cos(theta - theta_0)."""
    first = math.acos(0.9)
    angles = np.linspace(0, first, 2001)
    gaps = 1 - rho * np.cos(angles) - (1 - 0.9 * rho) * np.cos(first - angles)
    return float(gaps.max())


def _corner_gap(constant: Fraction) -> Finding:
    at_one = 1 - RHO - LAMBDA * (1 - LAMBDA * RHO)
    same = abs(_largest_gap(0.5) - float(at_one)) < 1e-9
    return joined(within(constant, Rational(at_one), digits=4), same)


def _corner_shift(constant: Fraction) -> Finding:
    found = brentq(lambda rho: _largest_gap(rho) - 1e-13, 0.4, 0.55)
    return joined(close(constant, found, error=1e-6), _largest_gap(0.53) < 1e-12)


RELU_STEP_RATIOS: tuple[Entry, ...] = (
    Entry(
        "gv.cut",
        "the weight is cut at C |b|: the point of {<v, x> >= |b|} nearest to rho |b| w, rho = .5, "
        "<w, v> = lambda = .9",
        f"{SOURCE}, section 3.1",
        "a projection in the plane, the rational rho + lambda - lambda^2 rho, the learner's cut",
        "0.995",
        _nearest_cut,
    ),
    Entry(
        "gv.noise-to-signal-90",
        "reweighted step, alpha = 100, overlap .90: worst noise / signal .193 .249 C 4.24 2.95e3 "
        "1.28e9 at |b| = 3 5 8 12 20 30",
        "computed here",
        "proved signal and norm",
        "0.593",
        _row(ReweightedStep(), "0.9", SIZES, "0.193 0.249 0.593 4.24 2.95e3 1.28e9", 2),
    ),
    Entry(
        "gv.noise-to-signal-95",
        "the same at overlap .95: .213 .215 .297 C 15.1 7.4e3",
        "computed here",
        "proved signal and norm",
        "0.707",
        _row(ReweightedStep(), "0.95", SIZES, "0.213 0.215 0.297 0.707 15.1 7.4e3", 3),
    ),
    Entry(
        "gv.noise-to-signal-99",
        "the same at overlap .99: .373 .310 .276 .279 C 1.14",
        "computed here",
        "proved signal and norm",
        "0.409",
        _row(ReweightedStep(), "0.99", SIZES, "0.373 0.310 0.276 0.279 0.409 1.14", 4),
    ),
    Entry(
        "gv.fooled-from",
        "reweighted step, alpha = 100, overlap .9: noise can stop it from |b| = C on",
        "computed here",
        "bisection between proved ratios; every |b| from 10 to 39 is proved to be beyond",
        "9.2596",
        _fooled_from,
    ),
    Entry(
        "gv.cauchy-schwarz",
        "alpha (noise / signal)^2 >= C for every step and every b <= 0 (Cauchy-Schwarz alone: 1), "
        "with equality at b = 0 and w orthogonal to v",
        "computed here",
        "proved ratios of four steps at 20 places",
        "2",
        _cauchy_schwarz,
    ),
    Entry(
        "gv.plain-90",
        "plain projected descent, alpha = 100, overlap .90: .197 .254 C 4.76 at |b| = 3 5 8 12",
        "computed here",
        "proved signal and norm",
        "0.625",
        _row(PlainStep(), "0.9", SIZES[:4], "0.197 0.254 0.625 4.76", 2),
    ),
    Entry(
        "gv.plain-95",
        "plain projected descent, alpha = 100, overlap .95: .207 .205 .282 C at |b| = 3 5 8 12",
        "computed here",
        "proved signal and norm",
        "0.700",
        _row(PlainStep(), "0.95", SIZES[:4], "0.207 0.205 0.282 0.700", 3),
    ),
    Entry(
        "gv.best-weight",
        "the best weight of <w, x> is T_L s_b': noise / signal sqrt(OPT) / (S sqrt P2(|b|; L^2)), "
        "C at b = -5, L = .9, alpha = 100",
        "Zarifis et al. (2025) for the weight; the ratio computed here",
        "a proved orthant probability, and weights on a grid, none of which is better",
        "0.19498",
        _best_weight,
    ),
    Entry(
        "gv.lemma-22",
        "at rho = .5, lambda = .9 inequality (7), which needs rho lambda > 1/2, fails by up to "
        "C |b|, at overlap 1",
        f"{SOURCE}, Lemma 22; computed here",
        "a rational at overlap 1, and a scan of the overlaps from lambda to 1",
        "0.005",
        _corner_gap,
    ),
    Entry(
        "gv.lemma-22-shift",
        "inequality (7) holds for all overlaps from lambda = .9 on iff rho >= C = 1 / (1 + lambda)",
        f"{SOURCE}, Lemma 22; computed here",
        "bisection of the largest violation over the overlaps",
        "10/19",
        _corner_shift,
    ),
)
