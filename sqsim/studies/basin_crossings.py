"""The bias at which the worst labels of a budget outweigh the signal of one step, proved.

This file does not know what is run.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Context, Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Any

from sqsim.errors import BadInput
from sqsim.lowerbounds.basins import LocalStep, PlainStep, ReweightedStep, basin_point
from sqsim.lowerbounds.precision import Exact, exact_fraction

STEPS: Mapping[str, LocalStep] = {"plain": PlainStep(), "reweighted": ReweightedStep()}
FINENESS = Fraction(1, 10**4)
"""Width of the certified bracket."""


def certified_crossing(
    step: LocalStep, *, overlap: Exact, alpha: Exact, shallow: Exact, deep: Exact
) -> tuple[Fraction, Fraction] | None:
    """Biases (above, below), 1e-4 apart, between which noise / signal of a step crosses 1: proved.

    At `above` no labels of the budget push the step away from v, at `below` some do.  None where
    the two ends of the range do not prove different signs.
    """
    high, low = exact_fraction(shallow), exact_fraction(deep)
    if _pushed(step, high, overlap, alpha) or not _pushed(step, low, overlap, alpha):
        return None
    while high - low > FINENESS:
        middle = (high + low) / 2
        if _pushed(step, middle, overlap, alpha):
            low = middle
        else:
            high = middle
    return high, low


def _pushed(step: LocalStep, bias: Fraction, overlap: Exact, alpha: Exact) -> bool:
    """Whether noise / signal >= 1; its sign is proved, or bisection ends with an error."""
    found = basin_point(step, bias=bias, alpha=alpha, overlap=overlap, digits=12)
    low, high = found.noise_to_signal.bounds
    if low < 1 <= high:
        found = basin_point(step, bias=bias, alpha=alpha, overlap=overlap, digits=40)
        low, high = found.noise_to_signal.bounds
    if low < 1 <= high:
        raise BadInput(
            f"at bias {float(bias)} the ratio is 1 to 40 digits; move the range a little"
        )
    return low >= 1


@lru_cache(maxsize=64)
def _crossing(
    name: str, overlap: str, alpha: str, shallow: str, deep: str
) -> tuple[Fraction, Fraction] | None:
    return certified_crossing(STEPS[name], overlap=overlap, alpha=alpha, shallow=shallow, deep=deep)


def crossing_row(
    update: str, *, overlap: float, alpha: float, shallow: float, deep: float
) -> dict[str, Any]:
    """certified_above and certified_below (exact decimals), certified_bias (a float between).

    None where the crossing is not in the range.
    """
    found = _crossing(update, *(repr(number) for number in (overlap, alpha, shallow, deep)))
    if found is None:
        return {"certified_above": None, "certified_below": None, "certified_bias": None}
    return {
        "certified_above": _decimal(found[0]),
        "certified_below": _decimal(found[1]),
        "certified_bias": float(sum(found) / 2),
    }


def _decimal(value: Fraction) -> str:
    """Exact decimal text of a fraction whose denominator is a product of twos and fives."""
    context = Context(prec=60)
    found = context.divide(Decimal(value.numerator), Decimal(value.denominator))
    assert Fraction(found) == value
    return str(found)
