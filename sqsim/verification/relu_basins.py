"""How near a local correlational step must start, and where it stops, as b -> -infinity.

Computed here about the updates of Guo and Vijayaraghavan (2024) and of plain projected descent;
OPT = ||s_b||^2 / alpha, c = angle |b|, losses without 1/2.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
from scipy.integrate import quad
from scipy.special import ndtr

from sqsim.lowerbounds.basin_limits import LimitLaw, limit_roots, limit_threshold
from sqsim.lowerbounds.basins import OptimalStep, PlainStep, basin_point
from sqsim.lowerbounds.orthants import closed_correlation
from sqsim.lowerbounds.plackett import orthant
from sqsim.lowerbounds.precision import Enclosure, ball
from sqsim.verification.biased_relu import FAR, energy, neuron, proved, rounds_to, table, tail
from sqsim.verification.conditions import joined
from sqsim.verification.entry import Check, Entry, Finding, close, within

if TYPE_CHECKING:
    from flint import arb

ALPHAS = (10, 30, 100, 1000, 10_000)
C = Fraction(1)


def _both_active(constant: Fraction) -> Finding:
    """P(X, Y > a) / Phi(-a) at angle c / a."""
    found = proved(lambda: orthant(ball(FAR), None, ball(C / FAR)) / tail(FAR))
    return joined(within(constant, found, digits=4), abs(float(found) - 2 * ndtr(-0.5)) < 1e-5)


def _both_smoothed(constant: Fraction) -> Finding:
    """The same at correlation cos(c / a)^2."""
    found = proved(lambda: orthant(ball(FAR), None, (ball(C / FAR).cos() ** 2).acos()) / tail(FAR))
    limit = 2 * ndtr(-1 / math.sqrt(2))
    return joined(within(constant, found, digits=4), abs(float(found) - limit) < 1e-5)


def _progress(law: LimitLaw) -> Callable[[float], float]:
    if law is LimitLaw.PLAIN:
        return lambda c: 2 * (c * float(ndtr(-c / 2))) ** 2
    return lambda c: c * c * float(ndtr(-c / math.sqrt(2)))


def _threshold(law: LimitLaw) -> Check:
    """The proved number, and the reciprocal of the largest progress on a scan."""

    def check(constant: Fraction) -> Finding:
        found = limit_threshold(law)
        scan = max(map(_progress(law), np.linspace(0.5, 6, 20_001).tolist()))
        return joined(within(constant, found, digits=4), abs(1 / scan / float(found) - 1) < 1e-6)

    return check


def _roots(law: LimitLaw, alpha: int) -> tuple[Enclosure, Enclosure]:
    found = limit_roots(law, alpha=alpha)
    assert found is not None
    return found


def _ends(law: LimitLaw, shown: str, *, far: bool) -> Check:
    """A column of the table; progress 1 / alpha at each of its numbers."""

    def check(constant: Fraction) -> Finding:
        row = [_roots(law, alpha)[far] for alpha in ALPHAS]
        meet = (abs(_progress(law)(float(c)) * alpha - 1) < 1e-9
                for c, alpha in zip(row, ALPHAS, strict=True))  # fmt: skip
        return joined(table(constant, row, shown, decisive=2), *meet)

    return check


def _finite(law: LimitLaw) -> Check:
    """At b = -200 the proved ratio is above 1 just inside the smaller root, below 1 beyond it."""
    step = PlainStep() if law is LimitLaw.PLAIN else OptimalStep()

    def check(constant: Fraction) -> Finding:
        low, high = 0.1, 0.2
        for _ in range(40):
            c = (low + high) / 2
            ratio = basin_point(step, bias=-200, alpha=100, angle=Fraction(c) / 200, digits=8)
            low, high = (c, high) if float(ratio.noise_to_signal) > 1 else (low, c)
        limit = float(_roots(law, 100)[0])
        return joined(close(constant, low * 10, error=1e-6), abs(low / limit - 1) < 1e-3)

    return check


def _left(law: LimitLaw, alpha: int) -> float:
    """||s_b(<w, .>) - s_b(<v, .>)||^2 / OPT at the angle where the step stops, in the limit."""
    near = float(_roots(law, alpha)[0])
    return float(2 * alpha * quad(lambda u: u * ndtr(-u / 2), 0, near)[0])


def _stopping_loss(constant: Fraction) -> Finding:
    """The limit integral, and the proved distance of two neurons at b = -1000."""
    angle = Fraction(_roots(LimitLaw.PLAIN, 100)[0].lower) / FAR

    def distance() -> arb:
        both = closed_correlation(neuron(FAR), ball(angle).cos())
        assert both is not None
        return 200 * (energy(FAR) - both) / energy(FAR)

    limit = _left(LimitLaw.PLAIN, 100)
    found = proved(distance)
    return joined(
        within(constant, found, digits=4),
        rounds_to(_left(LimitLaw.OPTIMAL, 100), "1.05"),
        abs(float(found) / limit - 1) < 1e-4,
    )


def _final_loss(constant: Fraction) -> Finding:
    """(1 + sqrt(left))^2 by the triangle inequality, for labels that are worst at the end."""
    worst = [(1 + math.sqrt(_left(LimitLaw.PLAIN, alpha))) ** 2 for alpha in (100, 1000, 10_000)]
    falls = worst[0] > worst[1] > worst[2] > 4
    return joined(close(constant, worst[0], error=1e-6), falls)


RELU_BASINS: tuple[Entry, ...] = (
    Entry(
        "gv.both-active",
        "P(<v, x>, <w, x> > |b|) / Phi(b) tends to 2 Phi(-c / 2) at angle c / |b|: C at c = 1",
        "computed here",
        "a proved orthant probability at b = -1000, and the closed form",
        "0.61708",
        _both_active,
    ),
    Entry(
        "gv.both-active-smoothed",
        "at correlation cos(angle)^2 it tends to 2 Phi(-c / sqrt 2): C at c = 1",
        "computed here",
        "a proved orthant probability at b = -1000, and the closed form",
        "0.4795",
        _both_smoothed,
    ),
    Entry(
        "gv.basin-threshold-optimal",
        "some angle is safe from all noise for the best weight of <w, x> iff alpha >= C",
        "computed here",
        "bisection with proved signs, and a scan",
        "3.017",
        _threshold(LimitLaw.OPTIMAL),
    ),
    Entry(
        "gv.basin-threshold-plain",
        "some angle is safe from all noise for plain projected descent iff alpha >= C",
        "computed here",
        "bisection with proved signs, and a scan",
        "4.327",
        _threshold(LimitLaw.PLAIN),
    ),
    Entry(
        "gv.basin-outer-optimal",
        "best weight: angles up to c / |b| are safe, c = 3.35 4.07 C 5.66 6.47 at alpha = 10 30 "
        "100 1000 1e4",
        "computed here",
        "bisection with proved signs; progress 1 / alpha in floats",
        "4.69",
        _ends(LimitLaw.OPTIMAL, "3.35 4.07 4.69 5.66 6.47", far=True),
    ),
    Entry(
        "gv.basin-outer-plain",
        "plain descent: angles up to c / |b| are safe, c = 2.82 3.60 C 5.26 6.09",
        "computed here",
        "bisection with proved signs; progress 1 / alpha in floats",
        "4.26",
        _ends(LimitLaw.PLAIN, "2.82 3.60 4.26 5.26 6.09", far=True),
    ),
    Entry(
        "gv.basin-inner-optimal",
        "best weight: it stops at angle c / |b|, c = .532 .281 C .0453 .0142",
        "computed here",
        "bisection with proved signs; progress 1 / alpha in floats",
        "0.148",
        _ends(LimitLaw.OPTIMAL, "0.532 0.281 0.148 0.0453 0.0142", far=False),
    ),
    Entry(
        "gv.basin-inner-plain",
        "plain descent: it stops at angle c / |b|, c = .579 .292 C .0455 .0142",
        "computed here",
        "bisection with proved signs; progress 1 / alpha in floats",
        "0.150",
        _ends(LimitLaw.PLAIN, "0.579 0.292 0.150 0.0455 0.0142", far=False),
    ),
    Entry(
        "gv.stopping-angle",
        "the best weight stops at angle C / (sqrt(alpha) |b|) at alpha = 100",
        "computed here",
        "bisection of the proved finite ratio at b = -200, and the limit root",
        "1.477",
        _finite(LimitLaw.OPTIMAL),
    ),
    Entry(
        "gv.stopping-loss",
        "where plain descent stops, ||s_b(<w, .>) - s_b(<v, .>)||^2 = C OPT at alpha = 100 "
        "(1.05 OPT for the best weight)",
        "computed here",
        "a proved distance of neurons at b = -1000, and the limit integral",
        "1.086",
        _stopping_loss,
    ),
    Entry(
        "gv.final-loss",
        "a descent from inside the basin ends with loss at most C OPT at alpha = 100 (4 as "
        "alpha grows)",
        "computed here",
        "the triangle inequality on the limit integral",
        "4.171",
        _final_loss,
    ),
)
