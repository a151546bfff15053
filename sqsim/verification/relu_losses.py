"""Lemmas 5 and 8 of Guo and Vijayaraghavan (2024): losses of zero and of near neurons."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING

from scipy.integrate import quad
from scipy.optimize import brentq
from scipy.special import ndtr

from sqsim.lowerbounds.orthants import closed_correlation
from sqsim.lowerbounds.precision import Enclosure, ball
from sqsim.verification.biased_relu import FAR, energy, neuron, norm_ratio, proved, tail
from sqsim.verification.conditions import joined
from sqsim.verification.entry import Entry, Finding, close, within

if TYPE_CHECKING:
    from flint import arb

SOURCE = "Guo and Vijayaraghavan (2024)"


def _zero_loss(constant: Fraction) -> Finding:
    """Labels (1 + c) s_b: zero loses (1 + c)^2 E / 2, the neuron c^2 E / 2, E = ||s_b||^2."""
    ratio = float(norm_ratio(FAR))

    def excess(alpha: float) -> float:
        # The most the neuron may lose: (1 + c)^2 = alpha c^2, in units of Phi(b) / b^2.
        c = 1 / (math.sqrt(alpha) - 1)
        return ratio * c * c - 3 / alpha

    found = brentq(excess, 2, 20)
    return joined(
        close(constant, found, error=1e-4),
        excess(3.0) > 0,
        abs(found / (3 + 1.5 * math.sqrt(3)) - 1) < 1e-4,
    )


def _zero_loss_proof(constant: Fraction) -> Finding:
    """2 / (alpha - 2) <= 3 / alpha: both sides cross once."""
    holds = Fraction(2) / (constant - 2) == Fraction(3) / constant
    below = Fraction(2) / (Fraction(599, 100) - 2) > Fraction(300, 599)
    return Finding(holds and below, "6 (exact)")


def _epsilon(constant: Fraction) -> Finding:
    """max over OPT of the loss of zero less 3 OPT, in units of Phi(b) / b^2."""
    ratio = float(norm_ratio(FAR))
    best = max(ratio * ((1 + c / 1000) ** 2 - 3 * (c / 1000) ** 2) for c in range(3000))
    return joined(close(constant, best, error=1e-5), best < 3)


def _distance(a: int, angle: Fraction) -> Enclosure:
    """||s_b(<w, .>) - s_b(<v, .>)||^2 / (||w - v||^2 Phi(b))."""

    def ratio() -> arb:
        cosine = ball(angle).cos()
        both = closed_correlation(neuron(a), cosine)
        assert both is not None
        return (energy(a) - both) / ((1 - cosine) * tail(a))

    return proved(ratio)


def _lemma_8(constant: Fraction) -> Finding:
    near = _distance(3, Fraction(1, 10**6))
    grid = [_distance(a, Fraction(k, 10)) for a in (0, 1, 3, 8) for k in (1, 4, 10)]
    below = (value.bounds[1] < 1 for value in grid)
    return joined(within(constant, near, digits=4), *below)


def _lemma_8_scaled(constant: Fraction) -> Finding:
    c = Fraction(1475, 10_000)
    angle = c / FAR

    def scaled() -> arb:
        cosine = ball(angle).cos()
        both = closed_correlation(neuron(FAR), cosine)
        assert both is not None
        return 2 * (energy(FAR) - both) * FAR**2 / tail(FAR)

    limit = 4 * quad(lambda u: u * ndtr(-u / 2), 0, float(c))[0]
    found = proved(scaled)
    return joined(within(constant, found, digits=3), abs(float(found) / limit - 1) < 1e-4)


RELU_LOSSES: tuple[Entry, ...] = (
    Entry(
        "gv.lemma-5",
        "if zero loses alpha OPT + eps or more, OPT < 3 Phi(b) / (alpha b^2) for alpha > C "
        "(OPT: loss of the neuron of bias b, with the factor 1/2; b -> -infinity)",
        f"{SOURCE}, Lemma 5; the constant computed here",
        "the worst labels (1 + c) s_b, of which the threshold is solved, and 3 + 3 sqrt(3) / 2",
        "3",
        _zero_loss,
        truth="5.5980762",
    ),
    Entry(
        "gv.lemma-5-proof",
        "the step OPT <= 2 Phi(b) / ((alpha - 2) b^2) gives the lemma from alpha = C on",
        f"{SOURCE}, Lemma 5; computed here",
        "2 / (alpha - 2) = 3 / alpha in rationals",
        "3",
        _zero_loss_proof,
        truth="6",
    ),
    Entry(
        "gv.lemma-5-accuracy",
        "if zero loses 3 OPT + eps or more, eps <= C Phi(b) / b^2 (Lemma 5 states 3; sharp: C)",
        f"{SOURCE}, Lemma 5; the sharp constant computed here",
        "a scan of the worst labels (1 + c) s_b at b = -1000",
        "3/2",
        _epsilon,
    ),
    Entry(
        "gv.lemma-8",
        "||s_b(<w, .>) - s_b(<v, .>)||^2 <= C ||w - v||^2 Phi(b) for unit v, w",
        f"{SOURCE}, Lemma 8; the sharp constant computed here",
        "proved correlations of neurons at 12 places, and at an angle of 1e-6",
        "1",
        _lemma_8,
    ),
    Entry(
        "gv.lemma-8-scaled",
        "at angle .1475 / |b|, ||s_b(<w, .>) - s_b(<v, .>)||^2 b^2 / Phi(b) tends to C",
        "computed here",
        "proved correlations at b = -1000, and the limit integral of 4 u Phi(-u / 2)",
        "0.0209",
        _lemma_8_scaled,
    ),
)
