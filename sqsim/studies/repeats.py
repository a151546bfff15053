"""How many seeds a setting gets: a number, or until the frequency of success is known.

This file does not know what is repeated.  A rule looks at whole blocks of repeats in the order of
their seeds, so that it decides the same whoever computed them, and in whatever order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

from sqsim.errors import BadInput


@final
@dataclass(frozen=True)
class Repeats:
    """Repeat until the interval of success is narrow.

    Parameters
    ----------
    at_least : int
        Seeds of the first block; every further block doubles their number.
    at_most : int, optional
        Default: `at_least`, one block.
    half_width : float
        Stop once the Clopper-Pearson interval of the frequency is at most twice this wide.
    confidence : float
    success : str
        The entry of the row, true or false, that is counted.  A failed run is no success.
    """

    at_least: int = 1
    at_most: int | None = None
    half_width: float = 0.1
    confidence: float = 0.95
    success: str = "success"

    def __post_init__(self) -> None:
        for name in ("at_least", "at_most"):
            value = getattr(self, name)
            whole = isinstance(value, int) and not isinstance(value, bool)
            if value is not None and not (whole and value >= 1):
                raise BadInput(f"{name} of seeds is {value!r}; wanted a whole number from 1 on")
        if self.at_most is not None and self.at_most < self.at_least:
            raise BadInput(f"seeds: at_most {self.at_most} is below at_least {self.at_least}")
        if not 0 < self.half_width < 0.5 or not 0 < self.confidence < 1:
            raise BadInput(
                f"seeds: half_width {self.half_width}, confidence {self.confidence}; wanted a "
                "half-width in (0, 1/2) and a confidence in (0, 1)"
            )

    @classmethod
    def of(cls, seeds: Any) -> Repeats:
        """From a number of seeds, or from a mapping of the parameters."""
        if isinstance(seeds, Mapping):
            unknown = set(seeds) - set(cls.__dataclass_fields__)
            if unknown:
                known = ", ".join(cls.__dataclass_fields__)
                raise BadInput(f"seeds hold {sorted(unknown)}; known: {known}")
            return cls(**seeds)
        return cls(seeds)

    @property
    def most(self) -> int:
        """Repeats that no setting goes beyond."""
        return self.at_least if self.at_most is None else self.at_most

    def wanted(self, successes: Sequence[bool]) -> int:
        """Repeats wanted of a setting whose first repeats came out so, in the order of seeds."""
        block = self.at_least
        while block < self.most and len(successes) >= block:
            low, high = frequency_interval(
                sum(successes[:block]), block, confidence=self.confidence
            )
            if high - low <= 2 * self.half_width:
                return block
            block = min(2 * block, self.most)
        return block


def frequency_interval(
    successes: int, trials: int, *, confidence: float = 0.95
) -> tuple[float, float]:
    """Clopper and Pearson's interval of a probability: it holds with at least this confidence."""
    from scipy.special import betaincinv

    if not 0 <= successes <= trials or not 0 < confidence < 1:
        raise BadInput(f"{successes} successes of {trials} at confidence {confidence}")
    half = (1 - confidence) / 2
    low = betaincinv(successes, trials - successes + 1, half) if successes else 0.0
    high = betaincinv(successes + 1, trials - successes, 1 - half) if successes < trials else 1.0
    return float(low), float(high)
