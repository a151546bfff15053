"""Many digits: exact text for proved numbers, and one door to the libraries that compute them.

FLINT keeps its working precision in one global variable, so every use of it goes through
`working_bits`.  This file knows no mathematics beyond rounding.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import (
    MAX_EMAX,
    MIN_EMIN,
    ROUND_CEILING,
    ROUND_FLOOR,
    ROUND_UP,
    Context,
    Decimal,
    InvalidOperation,
)
from fractions import Fraction
from threading import RLock
from typing import Any, final

import mpmath
from flint import arb, ctx, fmpq, fmpz

from sqsim.errors import BadInput, NotCertified

Exact = int | float | str | Fraction | Decimal
"""An exact number: a float is the binary fraction that it holds, text is the decimal it shows."""

BITS_PER_DIGIT = math.log2(10)
LONGEST_TEXT = 4000
MOST_DIGITS = 100_000
LARGEST_EXPONENT = 10**7
_LOCK = RLock()
_ROUGH = Context(prec=18, rounding=ROUND_UP, Emax=MAX_EMAX, Emin=MIN_EMIN)
_WIDE = Context(prec=10**9, Emax=MAX_EMAX, Emin=MIN_EMIN)


@contextmanager
def working_bits(bits: int) -> Iterator[None]:
    """FLINT at this precision, and no other thread in it; the old precision comes back after."""
    with _LOCK:
        before = ctx.prec
        ctx.prec = bits
        try:
            yield
        finally:
            ctx.prec = before


def working_precision() -> int:
    """FLINT's precision in bits; only meaningful inside `working_bits`."""
    return int(ctx.prec)


def bits_for(digits: int) -> int:
    """Bits that hold this many decimal digits."""
    if isinstance(digits, bool) or not isinstance(digits, int) or digits < 1:
        raise BadInput(f"digits is {digits!r}; ask for a whole number of digits, at least 1")
    if digits > MOST_DIGITS:
        raise BadInput(
            f"digits is {digits}: a number of so many takes "
            f"{digits * BITS_PER_DIGIT / 2**33:.2g} GiB, and operations on it accordingly long; "
            f"ask for at most {MOST_DIGITS}"
        )
    return math.ceil(digits * BITS_PER_DIGIT) + 4


def private_mpmath(digits: int) -> Any:
    """An mpmath context of its own, which no other thread or library shares."""
    bits_for(digits)
    context = mpmath.mp.clone()
    context.dps = digits
    return context


def exact_fraction(value: Exact, name: str = "the number") -> Fraction:
    """The rational that a number or its text stands for ("0.1" is 1/10, 0.1 is not)."""
    if isinstance(value, str) and len(value) > LONGEST_TEXT:
        raise BadInput(f"{name} has {len(value)} characters; write at most {LONGEST_TEXT}")
    try:
        if isinstance(value, str) and abs(int(value.lower().partition("e")[2] or 0)) > LONGEST_TEXT:
            raise OverflowError
        return Fraction(value)
    except (ValueError, OverflowError, TypeError, ZeroDivisionError, InvalidOperation):
        raise BadInput(
            f"{name} is {value!r}; give a finite number, or text such as '-3', '0.1' or '1/3'"
        ) from None


def shown(value: Fraction, figures: int = 4) -> str:
    """For messages: a few figures, also of numbers beyond the range of floats."""
    context = Context(prec=figures, Emax=MAX_EMAX, Emin=MIN_EMIN)
    return f"{context.divide(Decimal(value.numerator), Decimal(value.denominator)):.{figures}g}"


def rational(value: Fraction | int) -> fmpq:
    """The same number for FLINT."""
    return fmpq(value.numerator, value.denominator)


def ball(value: Fraction | int) -> arb:
    """The same number as a ball at the working precision."""
    return arb(rational(value))


@final
@dataclass(frozen=True)
class Enclosure:
    """A proved interval: the number lies in [lower, upper].

    Attributes
    ----------
    lower, upper : str
        Exact decimals, as they go into JSON.
    """

    lower: str
    upper: str

    grade = "certified"

    def __post_init__(self) -> None:
        try:
            low, high = Decimal(self.lower), Decimal(self.upper)
            ordered = low.is_finite() and high.is_finite() and low <= high
        except (InvalidOperation, TypeError):
            ordered = False
        if not ordered:
            raise BadInput(
                f"[{self.lower!r:.60}, {self.upper!r:.60}] is no interval; "
                "give two finite decimals as text, the smaller first"
            )

    @property
    def bounds(self) -> tuple[Fraction, Fraction]:
        """Both ends as rationals."""
        low, high = Decimal(self.lower), Decimal(self.upper)
        if max(abs(low.adjusted()), abs(high.adjusted())) > LARGEST_EXPONENT:
            raise BadInput(f"[{low:.3e}, {high:.3e}] has no rational ends that fit into memory")
        return Fraction(low), Fraction(high)

    @property
    def width(self) -> Fraction:
        """upper - lower, exactly."""
        low, high = self.bounds
        return high - low

    @property
    def digits(self) -> float:
        """Significant digits that are proved: the half width is at most 10^-digits of the number.

        0 where the sign is open, infinite where the interval is a point.
        """
        low, high = Decimal(self.lower), Decimal(self.upper)
        if low == high:
            return math.inf
        if low <= 0 <= high:
            return 0.0
        gap = _ROUGH.divide(_ROUGH.subtract(high, low), Decimal(2))
        ratio = _ROUGH.divide(gap, min(high.copy_abs(), low.copy_abs()))
        return max(0.0, float(math.floor(-_ROUGH.log10(ratio) - Decimal("1e-12"))))

    def contains(self, value: Exact) -> bool:
        """Whether this number lies in the interval, decided exactly."""
        low, high = self.bounds
        return low <= exact_fraction(value) <= high

    def ball(self) -> arb:
        """A ball that holds the interval, at the working precision."""
        low, high = self.bounds
        return ball(low).union(ball(high))

    def __float__(self) -> float:
        low, high = self.bounds
        return float((low + high) / 2)


def enclose(number: arb, digits: int) -> Enclosure:
    """A ball as decimals, rounded outwards, with a few digits more than asked."""
    if not number.is_finite():
        raise NotCertified(f"the enclosure {number} is not finite; ask for more digits")
    if number.is_zero():
        return Enclosure("0", "0")
    middle, radius, exponent = number.mid_rad_10exp(digits + 5)
    return Enclosure(_text(middle - radius, exponent), _text(middle + radius, exponent))


def enclose_ends(low: arb, high: arb, digits: int) -> Enclosure:
    """From the lower end of one ball to the upper end of another, each to its own digits.

    One ball around both would lose a lower end that is far smaller than the upper one.
    """
    return Enclosure(enclose(low, digits).lower, enclose(high, digits).upper)


def enclose_between(low: Fraction, high: Fraction, digits: int) -> Enclosure:
    """Two rationals as decimals, rounded outwards, with a few digits more than asked."""
    bits_for(digits)
    down = Context(prec=digits + 5, rounding=ROUND_FLOOR, Emax=MAX_EMAX, Emin=MIN_EMIN)
    up = Context(prec=digits + 5, rounding=ROUND_CEILING, Emax=MAX_EMAX, Emin=MIN_EMIN)
    ends = (
        context.divide(Decimal(end.numerator), Decimal(end.denominator)).normalize(context)
        for context, end in ((down, low), (up, high))
    )
    return Enclosure(*(f"{end}" for end in ends))


def _text(mantissa: fmpz, exponent: fmpz) -> str:
    """mantissa 10^exponent, exactly; `str` of a Python int would stop at 4300 digits."""
    return f"{Decimal(str(mantissa)).scaleb(int(exponent), _WIDE)}" if mantissa else "0"
