"""Where along one axis runs begin to fail.  This file does not know what is run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import final

from sqsim.errors import BadInput


@final
@dataclass(frozen=True)
class Crossing:
    """The first failure after a success, as far as it was narrowed.

    Attributes
    ----------
    succeeds : the last place before the failure that was seen to succeed; None if the first failed.
    fails : the nearest place after it that was seen to fail; None if all succeeded.
    regular : whether every place scanned after the first failure failed too, so that it is one
        boundary and not the edge of an island.
    runs : how many were made.
    """

    succeeds: float | None
    fails: float | None
    regular: bool
    runs: int

    @property
    def middle(self) -> float | None:
        """Half way between, None where only one side was seen."""
        if self.succeeds is None or self.fails is None:
            return None
        return (self.succeeds + self.fails) / 2

    @property
    def error(self) -> float | None:
        """The boundary is within this of the middle, for runs that cross once."""
        if self.succeeds is None or self.fails is None:
            return None
        return abs(self.succeeds - self.fails) / 2


def locate(succeeds: Callable[[float], bool], places: Sequence[float], *, width: float) -> Crossing:
    """Scan places in order, then bisect between the last success and the first failure.

    Parameters
    ----------
    succeeds : function of a place
    places : from where success is expected on, in either direction of the axis.
    width : stop once success and failure are so near.
    """
    if len(places) < 2 or not width > 0:
        raise BadInput(f"{len(places)} places and width {width}; wanted two or more, and > 0")
    scanned = [succeeds(place) for place in places]
    first = scanned.index(False) if False in scanned else len(places)
    regular = not any(scanned[first:])
    if first == 0:
        return Crossing(None, places[0], regular, len(places))
    if first == len(places):
        return Crossing(places[-1], None, True, len(places))
    good, bad, runs = places[first - 1], places[first], len(places)
    while abs(good - bad) > width:
        middle = (good + bad) / 2
        runs += 1
        if succeeds(middle):
            good = middle
        else:
            bad = middle
    return Crossing(good, bad, regular, runs)
