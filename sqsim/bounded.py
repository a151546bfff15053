"""Tolerances that are defined for queries of a bounded range: STAT, VSTAT, vSTAT, sup-normalised.

The query declares its range.  This file does not know how means are found, nor which tolerance
answers which.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import ClassVar, final

import numpy as np

from sqsim.characters import Characters
from sqsim.errors import BadInput, QueryRefused
from sqsim.lowrank import Array, dense
from sqsim.tolerance import Absolute, Declared, Mean, Scale, Tolerance, positive

# What the few roundings of a radius could have added is taken off it.
DOWN = 1 - 2.0**-50


class Bounded(Tolerance):
    """Defined for functions phi with values in `domain` only."""

    domain: ClassVar[tuple[float, float]]
    scale = Scale.NONE

    def check(self, query: Declared, labels: Callable[[], float | None]) -> None:
        """Refuse a query whose phi is not known to stay in the domain.

        Raises
        ------
        QueryRefused
            Where no range is declared, where phi = y g(x) and no bound on |y| is known, and where
            the range leaves the domain.  h(y) chi_S(x) has the sign of either: its range is that
            of h and of -h together.
        """
        low, high = self.domain
        name = f"query {query.label!r}"
        wanted = f"{self!r} is for functions with values in [{low:g}, {high:g}]"
        if query.range is None:
            raise QueryRefused(
                f"{name} declares no range, and {wanted}; declare range=(low, high), clip it with "
                "truncated(query, at=...), or use L2(tau), which needs no range"
            )
        a, b = query.range
        if not query.labelled:
            bound = labels()
            if bound is None:
                raise QueryRefused(
                    f"{name} is y g(x) with no known bound on the label, and {wanted}; ask a "
                    "Statistic that clips the label, or use SupNorm(tau) or L2(tau)"
                )
            b = bound * max(-a, b)
            a = -b
        elif _signed(query):
            a, b = -max(-a, b), max(-a, b)
        if not (low <= a and b <= high):
            raise QueryRefused(
                f"{name} has values in [{a:g}, {b:g}], and {wanted}; shift and divide the "
                "function, or use SupNorm(tau) or L2(tau)"
            )


@final
@dataclass(frozen=True)
class Stat(Bounded):
    """STAT(tau): |v - E phi| <= tau for phi with values in [-1, 1].

    Kearns (1998) has phi in {0, 1}, later papers [-1, 1]; both are inside the domain, and the
    radius is tau for both.  `Absolute` is the same radius without the check.
    """

    tau: float
    domain = (-1.0, 1.0)

    def __post_init__(self) -> None:
        positive(self.tau, "tolerance")

    def radius(self, mean: Mean) -> Array:
        return np.asarray(self.tau)

    def smallest_radius(self, mean: Mean) -> float:
        return self.tau


class _Bernoulli(Bounded):
    """|v - p| <= max(1/n, spread(p)/sqrt n) for phi with values in [0, 1]."""

    n: float
    domain = (0.0, 1.0)

    @property
    def tau(self) -> float:  # type: ignore[override]
        """1/sqrt n, so that a query costs 1/tau^2 = n in the ledger."""
        return 1 / math.sqrt(self.n)

    @staticmethod
    @abstractmethod
    def spread(p: Array) -> Array:
        """sqrt(n) times the radius where 1/n does not decide; concave in p."""

    def radius(self, mean: Mean) -> Array:
        # The spread is concave in p, so over the means within the error it is least at an end.
        spread = np.minimum(*(self.spread(p) for p in _ends(mean)))
        return np.asarray(DOWN * np.maximum(1 / self.n, spread / math.sqrt(self.n)))

    def smallest_radius(self, mean: Mean) -> float:
        return float(np.min(self.radius(mean)))

    def finer(self) -> Tolerance:
        return replace(self, n=4 * self.n)  # type: ignore[type-var]


@final
@dataclass(frozen=True)
class VStat(_Bernoulli):
    """VSTAT(n): |v - p| <= max(1/n, sqrt(p (1 - p)/n)), p = E phi, for phi in [0, 1].

    Feldman, Grigorescu, Reyzin, Vempala and Xiao (2017): the accuracy of n examples.
    """

    n: float

    def __post_init__(self) -> None:
        positive(self.n, "n")

    @staticmethod
    def spread(p: Array) -> Array:
        return np.asarray(np.sqrt(p * (1 - p)))


@final
@dataclass(frozen=True)
class WeakVStat(_Bernoulli):
    """The wider published form of VSTAT(n): |v - p| <= max(1/n, sqrt(p/n)), for phi in [0, 1]."""

    n: float

    def __post_init__(self) -> None:
        positive(self.n, "n")

    @staticmethod
    def spread(p: Array) -> Array:
        return np.asarray(np.sqrt(p))


@final
@dataclass(frozen=True)
class RootStat(Bounded):
    """vSTAT(tau): |sqrt v - sqrt p| <= tau, p = E phi, for phi with values in [0, 1].

    Feldman (2017).  Lawful answers are (max(sqrt p - tau, 0))^2 to (sqrt p + tau)^2, further above
    p than below.
    """

    tau: float
    domain = (0.0, 1.0)

    def __post_init__(self) -> None:
        positive(self.tau, "tolerance")

    def reach(self, mean: Mean) -> tuple[Array, Array]:
        least, most = _ends(mean)
        root = np.sqrt(most)
        # Where 0 is lawful the reach is p itself, without a rounding.
        below = np.where(root > self.tau, DOWN * self.tau * (2 * root - self.tau), most)
        above = DOWN * self.tau * (2 * np.sqrt(least) + self.tau)
        # Nor does an answer go below 0, as that of a mean with an error otherwise could.
        below = np.minimum(below, np.clip(dense(mean.value), 0.0, most))
        return np.asarray(below), np.asarray(above)

    def radius(self, mean: Mean) -> Array:
        """Half-width of the narrower side."""
        return np.asarray(np.minimum(*self.reach(mean)))

    def smallest_radius(self, mean: Mean) -> float:
        return float(np.min(self.radius(mean)))


@final
@dataclass(frozen=True)
class SupNorm(Tolerance):
    """Sup-normalised: radius tau sup|g| for y g(x), tau sup|phi| for a Statistic.

    The sup is that of the declared range.  With |g| <= 1 this is the usual correlational oracle,
    whatever the size of the labels.
    """

    tau: float
    scale = Scale.NONE

    def __post_init__(self) -> None:
        positive(self.tau, "tolerance")

    def radius(self, mean: Mean) -> Array:
        raise BadInput(
            f"{self!r} is measured by the range of a query; take the radius of {self!r}.of(query)"
        )

    def smallest_radius(self, mean: Mean) -> float:
        return float(self.radius(mean))

    def check(self, query: Declared, labels: Callable[[], float | None]) -> None:
        if query.range is None:
            raise QueryRefused(
                f"query {query.label!r} declares no range, and {self!r} is in units of its largest "
                "value; declare range=(low, high), clip it with truncated(query, at=...), or use "
                "L2(tau)"
            )

    def of(self, query: Declared) -> Tolerance:
        self.check(query, lambda: None)
        assert query.range is not None
        return Absolute(self.tau * max(-query.range[0], query.range[1]))


def _signed(query: Declared) -> bool:
    """Whether a parity of some coordinates multiplies the function whose range is declared."""
    form = getattr(query, "form", None)
    return isinstance(form, Characters) and (form.masks is None or bool(np.any(form.masks)))


def _ends(mean: Mean) -> tuple[Array, Array]:
    """The least and the largest probability within the error of a mean."""
    value, error = dense(mean.value), np.asarray(mean.error, dtype=np.float64)
    return np.clip(value - error, 0.0, 1.0), np.clip(value + error, 0.0, 1.0)
