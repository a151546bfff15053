"""All lawful answers to one query, and what is known of who asks it.

This file does not know how means are found, nor where in the window an answer falls.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import Any, final

import numpy as np

from sqsim.lowrank import Array, dense
from sqsim.queries import Query
from sqsim.tolerance import Mean, Tolerance


@final
@dataclass(frozen=True, eq=False)
class Question:
    """What an adversary knows beside the mean: who asks what, and when.

    Attributes
    ----------
    query : Query or None
        What was asked; None where a window was made by hand.
    note : mapping
        What the strategy says about its batch.
    turn, seed, dimension : int
        Of the run, of the oracle, of the inputs.
    """

    query: Query | None = None
    note: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    turn: int = 0
    seed: int = 0
    dimension: int = 1


@final
@dataclass(frozen=True, eq=False)
class Window:
    """All lawful answers to one query: value +/- (radius - error), entry by entry.

    Where a tolerance allows more on one side than on the other, `low` and `high` do too, and
    `radius` and `slack` are of the narrower side.  Every property is found when first asked for,
    so that an answer that stays at the mean never makes a structured value dense.  The arrays are
    read-only.
    """

    mean: Mean
    tolerance: Tolerance
    question: Question = field(default_factory=Question)

    @cached_property
    def center(self) -> Array:
        """The computed mean, dense."""
        return _frozen(dense(self.mean.value))

    @cached_property
    def radius(self) -> Array:
        """Half-width that the tolerance allows around the true mean."""
        return _frozen(np.broadcast_to(self.tolerance.radius(self.mean), self.center.shape))

    @cached_property
    def slack(self) -> Array:
        """Half-width left around the computed mean: max(radius - error, 0)."""
        return _frozen(np.minimum(*self._sides))

    @cached_property
    def low(self) -> Array:
        """Smallest floating-point numbers not below the lawful answers."""
        low = -_sum_down(-self.center, self._sides[0])
        return _frozen(np.maximum(low, low.T) if low.ndim == 2 else low)

    @cached_property
    def high(self) -> Array:
        """Largest floating-point numbers not above the lawful answers."""
        high = _sum_down(self.center, self._sides[1])
        return _frozen(np.minimum(high, high.T) if high.ndim == 2 else high)

    @cached_property
    def _sides(self) -> tuple[Array, Array]:
        """What is left below and above the computed mean."""
        # Spread only then: one radius and one error for all entries is one difference.
        error = np.asarray(self.mean.error, dtype=np.float64)
        below, above = (
            np.broadcast_to(np.maximum(_sum_down(reach, -error), 0.0), self.center.shape)
            for reach in self.tolerance.reach(self.mean)
        )
        if below.ndim == 2:
            below, above = np.minimum(below, below.T), np.minimum(above, above.T)
        return below, above


def _sum_down(a: Array, b: Array) -> Array:
    """Largest floating-point numbers not above the true sums a + b."""
    total = a + b
    part = total - a
    with np.errstate(invalid="ignore"):
        missing = (a - (total - part)) + (b - part)
    return np.where(missing < 0, np.nextafter(total, -np.inf), total)


def _frozen(array: Array) -> Array:
    view = np.asarray(array, dtype=np.float64).view()
    view.flags.writeable = False
    return view
