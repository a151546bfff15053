"""Answers checked against an instance: how far each lies from the mean, proved where it can be.

This file does not know how an answer was chosen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import final

import numpy as np

from sqsim.errors import BadInput, NotCertified
from sqsim.links import Link
from sqsim.lowerbounds.evasion import correlation_bound, seen_square
from sqsim.lowerbounds.precision import Enclosure
from sqsim.lowerbounds.quantities import Estimate
from sqsim.lowrank import Array, dense
from sqsim.oracles.candidates import Visibility, only_link, seen
from sqsim.oracles.consistency import Answered
from sqsim.oracles.protocol import Means
from sqsim.problems.index import IndexInstance
from sqsim.queries import Correlation, Ridge
from sqsim.tolerance import L2

UNKNOWN = float(np.finfo(np.float64).max)
"""The error where nothing is known."""
ROUNDING = 1e-12
"""Of the tolerance: answers on the edge of a window are there but for their last bits."""


@final
@dataclass(frozen=True)
class CheckedAnswer:
    """The largest error over the entries of one answer.

    Attributes
    ----------
    turn, label : of the query; `size` is in scalar queries.
    error : |answer - mean| in units of what the tolerance multiplies: ||phi|| in the L2 convention.
    tolerance : the tau that was granted.
    reason : why the error is an estimate; empty where it is proved.
    """

    turn: int
    label: str
    size: int
    error: Enclosure | Estimate
    tolerance: float
    reason: str = ""

    @property
    def upper(self) -> Fraction:
        """The largest that the error can be."""
        return Fraction(self.error.bounds[1])

    @property
    def slack(self) -> Fraction:
        """What is left of the tolerance, compared exactly."""
        return Fraction(self.tolerance) - self.upper

    @property
    def lawful(self) -> bool:
        """Whether the answer is within the tolerance: exactly, or up to rounding if estimated."""
        allowed = 0.0 if self.error.grade == "certified" else ROUNDING * self.tolerance
        return self.slack >= -Fraction(allowed)

    @property
    def part(self) -> float:
        """The error as a part of the tolerance."""
        upper = self.upper
        if not self.tolerance:
            return float(upper > 0)
        return float(upper / Fraction(self.tolerance))


def largest(answers: Sequence[CheckedAnswer]) -> CheckedAnswer | None:
    """The answer that takes up the largest part of its tolerance."""
    return max(answers, key=lambda one: one.part, default=None)


def check_answers(
    instance: IndexInstance, history: Sequence[Answered], *, means: Means, digits: int
) -> tuple[CheckedAnswer, ...]:
    """Every answer against the instance's own means.

    The answer 0 to y T_p(x) h(W'x) in the L2 convention is checked by what any function of W'x
    and of the entry's coordinates can see of the hidden direction: exact integers, then ball
    arithmetic at this many digits, whatever h is.  The instance's direction is taken at unit
    length exactly, and a residual link without its low degrees exactly.  What cannot be decided so
    is compared with the evaluator's mean, an estimate that relies on the kinks and levels that
    the query declares.
    """
    proved: dict[tuple[bytes, int], tuple[Enclosure | Estimate, str]] = {}
    checked = []
    for one in history:
        error: Enclosure | Estimate | None = None
        form, link, reason = one.query.form, only_link(instance), _obstacle(one, instance)
        if not reason and isinstance(form, Ridge) and link is not None:
            # Rounds that move nothing ask again with the same frame.
            key = (b"" if form.frame is None else form.frame.tobytes(), form.power)
            if key not in proved:
                proved[key] = _bound(link, instance.labels.terms[0].direction, form, digits)
            error, reason = proved[key]
        if error is None or error.bounds[1] > Fraction(one.tolerance.tau):
            error = _estimated(instance, one, means)
            reason = reason or "the proved bound of some mean exceeds the tolerance"
        size, tau = one.query.size(instance.problem.dimension), one.tolerance.tau
        checked.append(CheckedAnswer(one.turn, one.query.label, size, error, tau, reason))
    return tuple(checked)


def _obstacle(one: Answered, instance: IndexInstance) -> str:
    """Why the bound does not speak of this answer; empty where it does."""
    if type(one.tolerance) is not L2:
        return (
            f"the {type(one.tolerance).__name__} convention needs the query's norm or mean, which "
            "is computed, not proved"
        )
    if not isinstance(one.query, Correlation) or not isinstance(one.query.form, Ridge):
        return "the bound is for correlations with functions of a few directions"
    if only_link(instance) is None:
        return "the label is more than one link of one direction"
    return "" if one.is_zero else "an answer is not 0, and means are computed, not proved"


def _bound(
    link: Link, direction: Array, form: Ridge, digits: int
) -> tuple[Enclosure | Estimate, str]:
    """The bound; where it is not proved, in floats and with the reason."""
    try:
        square = seen_square(direction, form.frame, power=form.power)
        return correlation_bound(link, square, digits=digits), ""
    except (NotCertified, BadInput) as error:
        rho = seen(form, direction[:, None])
        value = float(Visibility.of(link)(rho)[0])
        return Estimate(value, 0.0, "bound in 64-bit floats"), str(error)


def _estimated(instance: IndexInstance, one: Answered, means: Means) -> Estimate:
    scale = one.tolerance.scale
    mean = means.means(instance, [one.query], [scale], seed=0, turn=one.turn)[0]
    tau = one.tolerance.tau
    unit = one.tolerance.radius(mean) / tau if tau else np.ones(())
    apart = np.abs(dense(one.answer) - dense(mean.value))
    known = np.broadcast_to(np.asarray(mean.error), apart.shape)
    if not (np.asarray(unit) > 0).all():
        # The evaluator saw nothing of the function where it looked: it is 0, or was missed.
        return Estimate(0.0, UNKNOWN, f"{type(means).__name__}, which found a norm of 0")
    safe = unit
    total = (apart + known) / safe
    at = np.unravel_index(int(np.argmax(total)), total.shape)
    size = np.broadcast_to(safe, apart.shape)[at]
    return Estimate(float(apart[at] / size), float(known[at] / size), type(means).__name__)
