"""A bound is never a bare float: it is exact, certified, or an estimate with its error.

The third kind, the proved interval, is `Enclosure` of `precision`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias, final

from sqsim.errors import BadInput
from sqsim.lowerbounds.precision import Enclosure


@final
@dataclass(frozen=True)
class Rational:
    """An exact number."""

    value: Fraction

    grade = "exact"

    @property
    def bounds(self) -> tuple[Fraction, Fraction]:
        """The number, twice."""
        return self.value, self.value

    def __float__(self) -> float:
        return float(self.value)


@final
@dataclass(frozen=True)
class Estimate:
    """A float with the error that it confesses; not proved.

    Attributes
    ----------
    error : half width, in the sense that `method` says.
    method : a few words: "quadrature", "Monte Carlo, 99.9 % interval", ...
    """

    value: float
    error: float
    method: str

    grade = "estimate"

    def __post_init__(self) -> None:
        if not (math.isfinite(self.value) and self.error >= 0 and self.method):
            raise BadInput(f"{self!r}: wanted a finite value, an error >= 0 and the method's name")

    @property
    def bounds(self) -> tuple[float, float]:
        """value -+ error."""
        return self.value - self.error, self.value + self.error

    def __float__(self) -> float:
        return self.value


Quantity: TypeAlias = Rational | Enclosure | Estimate
