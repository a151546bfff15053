"""Findings that need more than one comparison.  This file does not know any entry."""

from __future__ import annotations

from fractions import Fraction

from sqsim.lowerbounds.quantities import Estimate
from sqsim.verification.entry import Finding, within


def joined(finding: Finding, *others: bool) -> Finding:
    """A finding that needs these as well."""
    return Finding(finding.holds and all(others), finding.computed)


def exactly(claimed: Fraction, value: Fraction | int) -> Finding:
    """Whether a number is the claimed one, with nothing left over."""
    return Finding(claimed == value, f"{value} (exact)")


def rounded(
    claimed: Fraction, value: float, *, digits: int, error: float = 1e-12, how: str = "quadrature"
) -> Finding:
    """Whether a float of this relative error rounds to the claim of so many digits."""
    return within(claimed, Estimate(value, error * abs(value), how), digits=digits)


def near(one: float, other: float, relative: float = 1e-9) -> bool:
    """Whether two ways to a number agree."""
    return abs(one - other) <= relative * max(abs(one), abs(other))
