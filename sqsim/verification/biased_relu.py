"""The biased ReLU s_b(z) = max(z - a, 0), a = -b, as the checks of its theorems need it.

Balls of many digits, least squares of growth rates, and the comparison of whole tables.  This file
does not know any entry of the index.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from sqsim.lowerbounds.expansions import Piecewise, density, upper_tail
from sqsim.lowerbounds.precision import Enclosure, Exact, ball, enclose, working_bits
from sqsim.lowerbounds.quantities import Quantity
from sqsim.verification.conditions import joined
from sqsim.verification.entry import Finding, within

if TYPE_CHECKING:
    from flint import arb

BITS = 600
FAR = 1000
"""A bias at which corrections of relative size 1 / b^2 are below a millionth."""


def proved(value: Callable[[], arb], digits: int = 12) -> Enclosure:
    """The interval of a number that is written with balls."""
    with working_bits(BITS):
        return enclose(value(), digits)


def tail(a: Fraction | int) -> arb:
    """Phi(-a)."""
    return upper_tail(ball(a))


def phi(a: Fraction | int) -> arb:
    """The density at a."""
    return density(ball(a))


def energy(a: Fraction | int) -> arb:
    """||s_b||^2 = (a^2 + 1) Phi(-a) - a phi(a)."""
    return ball(a * a + 1) * tail(a) - ball(a) * phi(a)


def norm_ratio(a: int) -> Enclosure:
    """||s_b||^2 over 2 Phi(b) / b^2, which tends to 1."""
    return proved(lambda: energy(a) * a * a / (2 * tail(a)))


def neuron(a: Exact) -> Piecewise:
    """max(z - a, 0) with its exact Hermite expansion."""
    kink = Fraction(a)
    return Piecewise((kink,), ((), (-kink, Fraction(1))))


def rounds_to(value: Quantity | float, shown: str) -> bool:
    """Whether a number lies within one unit of the last digit that is shown."""
    exponent = Decimal(shown).as_tuple().exponent
    assert isinstance(exponent, int)
    centre, unit = Fraction(shown), Fraction(10) ** exponent
    low, high = (value, value) if isinstance(value, float) else value.bounds
    return centre - unit <= low and high <= centre + unit


def table(
    constant: Fraction, row: Sequence[Quantity], shown: str, *, decisive: int, digits: int = 3
) -> Finding:
    """A row of a table: the claimed constant against one number, the others as they are shown."""
    texts = shown.split()
    assert len(texts) == len(row)
    others = (rounds_to(v, t) for i, (v, t) in enumerate(zip(row, texts, strict=True))
              if i != decisive)  # fmt: skip
    return joined(within(constant, row[decisive], digits=digits), *others)


def logarithm(value: Enclosure) -> float:
    """Of a positive number beyond the range of floats; its last float digit is not proved."""
    return float(Decimal(value.lower).ln())


def growth(logarithms: Callable[[int], float], at: Sequence[int]) -> tuple[float, float]:
    """e and p of a logarithm e a^2 + p log(a) + c, from three places."""
    rows = np.array([[a * a, np.log(a), 1.0] for a in at])
    found = np.linalg.solve(rows, np.array([logarithms(a) for a in at]))
    return float(found[0]), float(found[1])
