"""What one unit of tolerance means: the radius of the window around a mean.

This file does not know how means are found or how answers are chosen inside the window.
"""

from __future__ import annotations

import math
from abc import ABC
from dataclasses import dataclass
from enum import Enum
from typing import final

import numpy as np

from sqsim.errors import BadInput
from sqsim.lowrank import Array, EntryNorms, LowRank, dense


class Scale(Enum):
    """Which L2 norm an evaluator must return beside the mean."""

    NONE = "none"
    FUNCTION = "||g|| for a Correlation y g(x), ||phi|| for a Statistic"
    PRODUCT = "||phi|| under the law of (x, y), for both kinds"


@final
@dataclass(frozen=True, eq=False)
class Mean:
    """A mean with its confessed error.

    Attributes
    ----------
    value : scalar, (d,), (size,) or symmetric (d, d) array, or LowRank.
    error : float or array
        Bound on |value - E[phi]|, entry by entry.
    scale : float, array or EntryNorms
        The L2 norms that the tolerance asked for, entry by entry; 1 for Scale.NONE.
    """

    value: Array | LowRank
    error: float | Array
    scale: float | Array | EntryNorms = 1.0

    @property
    def number(self) -> float:
        """The value of a scalar mean."""
        return float(dense(self.value))


class Tolerance(ABC):
    """How far an answer may lie from the mean."""

    scale: Scale
    tau: float
    """The number written in theorems; what the ledger sums as 1/tau^2."""

    def radius(self, mean: Mean) -> Array:
        """Half-width of the window, entry by entry, as a plain array."""
        return np.asarray(self.tau * dense(mean.scale))

    def smallest_radius(self, mean: Mean) -> float:
        """Least half-width over the entries, without making a structured answer dense."""
        scale = mean.scale
        if isinstance(scale, EntryNorms):
            return self.tau * scale.smallest()
        return self.tau * float(np.min(scale))

    def admits(self, other: Tolerance) -> bool:
        """Whether an oracle of this tolerance may grant `other`: same meaning, not finer."""
        return type(other) is type(self) and other.tau >= self.tau


def _checked(tau: float) -> None:
    if not (isinstance(tau, int | float) and math.isfinite(tau) and tau > 0):
        raise BadInput(f"tolerance is {tau!r}; it must be a finite number > 0")


@final
@dataclass(frozen=True)
class Absolute(Tolerance):
    """STAT(tau): radius = tau, whatever the query."""

    tau: float
    scale = Scale.NONE

    def __post_init__(self) -> None:
        _checked(self.tau)


@final
@dataclass(frozen=True)
class L2(Tolerance):
    """Radius = tau ||g|| for y g(x), tau ||phi|| for a Statistic: as CSQ theorems have it."""

    tau: float
    scale = Scale.FUNCTION

    def __post_init__(self) -> None:
        _checked(self.tau)


@final
@dataclass(frozen=True)
class RootMeanSquare(Tolerance):
    """Radius = tau ||phi||_L2(D) for both kinds: what 1/tau^2 examples buy.

    The variance-sensitive reading (VSTAT), and the strictest one for a separation of SQ from CSQ.
    """

    tau: float
    scale = Scale.PRODUCT

    def __post_init__(self) -> None:
        _checked(self.tau)


@final
@dataclass(frozen=True)
class Unperturbed(Tolerance):
    """The evaluator's own error and nothing more: no query is charged a tolerance."""

    tau: float = 0.0
    scale = Scale.NONE

    def radius(self, mean: Mean) -> Array:
        return np.broadcast_to(np.asarray(mean.error, dtype=np.float64), mean.value.shape).copy()

    def smallest_radius(self, mean: Mean) -> float:
        return float(np.max(mean.error))

    def admits(self, other: Tolerance) -> bool:
        return True
