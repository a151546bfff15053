"""What one unit of tolerance means: the radius of the window around a mean.

This file does not know how means are found or how answers are chosen inside the window.  Those
that need the declared range of a query (Stat, VStat, ...) are in `bounded`.
"""

from __future__ import annotations

import math
from abc import ABC
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum
from typing import Protocol, final

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


class Declared(Protocol):
    """What a tolerance may read of a query."""

    @property
    def label(self) -> str: ...

    @property
    def labelled(self) -> bool:
        """Whether the function sees the label: a Statistic, not a Correlation."""
        ...

    @property
    def range(self) -> tuple[float, float] | None:
        """Declared range of phi in a Statistic and of g in a Correlation y g(x)."""
        ...


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

    def reach(self, mean: Mean) -> tuple[Array, Array]:
        """How far lawful answers go below and above the mean, whichever mean within its error.

        With p the mean, e its error, and [low(p), high(p)] the lawful answers: p + e - low(p + e)
        and high(p - e) - (p - e), where low and high grow with p.
        """
        radius = self.radius(mean)
        return radius, radius

    def check(self, query: Declared, labels: Callable[[], float | None]) -> None:
        """Refuse a query that this tolerance is not defined for.

        Parameters
        ----------
        labels : function of no arguments
            A bound on |y|, or None where none is known; called if the answer depends on it.
        """
        return None

    def of(self, query: Declared) -> Tolerance:
        """The tolerance of this query's answer: itself unless measured by the declared range."""
        return self

    def settle(self, mean: Mean, answer: Array) -> Array:
        """The answer itself, unless entries that are lawful alone are not together."""
        return answer

    def finer(self) -> Tolerance:
        """The same kind at half the tau."""
        # Tolerances of sqsim are frozen dataclasses; the base class does not say so.
        return replace(self, tau=self.tau / 2)  # type: ignore[type-var]

    def admits(self, other: Tolerance) -> bool:
        """Whether an oracle of this tolerance may grant `other`: same meaning, not finer."""
        return type(other) is type(self) and other.tau >= self.tau


def positive(number: float, name: str) -> None:
    """Refuse what is not a finite number > 0."""
    if not (isinstance(number, int | float) and math.isfinite(number) and number > 0):
        raise BadInput(f"{name} is {number!r}; it must be a finite number > 0")


@final
@dataclass(frozen=True)
class Absolute(Tolerance):
    """STAT(tau): radius = tau, whatever the query."""

    tau: float
    scale = Scale.NONE

    def __post_init__(self) -> None:
        positive(self.tau, "tolerance")


@final
@dataclass(frozen=True)
class L2(Tolerance):
    """Radius = tau ||g|| for y g(x), tau ||phi|| for a Statistic: as CSQ theorems have it."""

    tau: float
    scale = Scale.FUNCTION

    def __post_init__(self) -> None:
        positive(self.tau, "tolerance")


@final
@dataclass(frozen=True)
class RootMeanSquare(Tolerance):
    """Radius = tau ||phi||_L2(D) for both kinds: what 1/tau^2 examples buy.

    The variance-sensitive reading (VSTAT), and the strictest one for a separation of SQ from CSQ.
    """

    tau: float
    scale = Scale.PRODUCT

    def __post_init__(self) -> None:
        positive(self.tau, "tolerance")


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
