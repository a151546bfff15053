"""What an entry of the theorem index is, and how it is judged.

This file does not know any theorem.  A check is a function of the constant that it checks, so that
an entry can be seen to fail: with a constant that is one percent off, it must.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from fractions import Fraction
from typing import TypeAlias, final

from sqsim.errors import BadInput
from sqsim.lowerbounds.precision import Enclosure
from sqsim.lowerbounds.quantities import Quantity, Rational


class Verdict(Enum):
    """What was found of a claim."""

    HOLDS = "holds"
    CORRECTED = "holds with correction"
    FAILS = "fails as stated"
    UNEXPECTED = "not as the index expects"


@final
@dataclass(frozen=True)
class Finding:
    """Whether a claim holds with the constant it was checked for, and what was computed.

    Attributes
    ----------
    computed : text with its certificate or interval: "[0.16524730, 0.16524731]", "0.0413 +- 2e-4".
    """

    holds: bool
    computed: str


Check: TypeAlias = Callable[[Fraction], Finding]


@final
@dataclass(frozen=True)
class Entry:
    """One claim.

    Attributes
    ----------
    name : "source.item", such as "gv.lemma-10"; what `sqsim verify` takes.
    statement : the claim in one line, with the place where the constant stands.
    source : authors, year, number of the item.
    method : how it is checked, in one line; two ways where there are two.
    stated : the constant of the source, exactly: "0.1652473031", "17/3".
    check : function of a constant -> Finding; compares to well under one percent.
    truth : the constant that was computed here, where the stated one does not hold.
    repaired : whether the claim holds with `truth` in place of the constant.  If not, `truth` is
        the number that refutes it.
    slow : left out by --fast.
    """

    name: str
    statement: str
    source: str
    method: str
    stated: str
    check: Check
    truth: str | None = None
    repaired: bool = True
    slow: bool = False

    @property
    def expected(self) -> Verdict:
        """The verdict of the index."""
        if self.truth is None:
            return Verdict.HOLDS
        return Verdict.CORRECTED if self.repaired else Verdict.FAILS

    @property
    def decisive(self) -> Fraction:
        """The constant whose change must change the verdict."""
        return Fraction(self.stated if self.truth is None else self.truth)


@final
@dataclass(frozen=True)
class Judged:
    """An entry with what came of it."""

    entry: Entry
    verdict: Verdict
    computed: str
    seconds: float

    @property
    def as_expected(self) -> bool:
        return self.verdict is self.entry.expected


def judge(entry: Entry) -> Judged:
    """Check an entry: with the stated constant, and with the true one where there is another."""
    started = time.perf_counter()
    finding = entry.check(Fraction(entry.stated))
    verdict = Verdict.HOLDS if finding.holds else Verdict.UNEXPECTED
    if entry.truth is not None:
        true = entry.check(Fraction(entry.truth))
        refuted = not finding.holds and true.holds
        verdict = entry.expected if refuted else Verdict.UNEXPECTED
        finding = true
    return Judged(entry, verdict, finding.computed, time.perf_counter() - started)


def within(claimed: Fraction, number: Quantity, *, digits: int) -> Finding:
    """Whether a proved or estimated number rounds to the claimed constant of so many digits.

    The distance allowed is one unit of the last significant digit of the claim, which must be
    finer than one percent: hence three digits or more.
    """
    if digits < 3:
        raise BadInput(f"digits is {digits}; a check to fewer than 3 digits does not see 1 percent")
    low, high = (Fraction(end) for end in number.bounds)
    unit = _unit(abs(claimed) or abs(low + high) / 2, digits)
    holds = claimed - unit <= low and high <= claimed + unit
    return Finding(holds, text_of(number))


def close(claimed: Fraction, value: float, *, error: float, relative: float = 4e-3) -> Finding:
    """Whether a float with a stated error lies this close to the claimed constant."""
    slack = Fraction(relative) * abs(claimed)
    holds = abs(Fraction(value) - claimed) + Fraction(error) <= slack
    return Finding(holds, f"{value:.8g} +- {error:.2g}")


def text_of(number: Quantity) -> str:
    """The number with what it is worth."""
    if isinstance(number, Rational):
        return f"{number.value} (exact)"
    if isinstance(number, Enclosure):
        return f"[{number.lower}, {number.upper}]"
    return f"{number.value} +- {number.error}"


def _unit(size: Fraction, digits: int) -> Fraction:
    exponent = 0
    while size >= 10:
        size, exponent = size / 10, exponent + 1
    while 0 < size < 1:
        size, exponent = size * 10, exponent - 1
    return Fraction(10) ** (exponent - digits + 1)
