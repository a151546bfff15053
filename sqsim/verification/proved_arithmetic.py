"""Arithmetic on proved intervals, and what runs ended with, for entries made of several numbers.

This file does not know any theorem.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fractions import Fraction
from functools import lru_cache
from itertools import product
from typing import TypeVar

from sqsim.links import Sign, relu
from sqsim.lowerbounds.hermite import hermite_coefficients
from sqsim.lowerbounds.precision import Enclosure, enclose_between
from sqsim.lowerbounds.quantities import Estimate, Rational
from sqsim.result import Result

R = TypeVar("R")

DIGITS = 30


def combined(
    function: Callable[..., Fraction], *numbers: Enclosure | Rational, digits: int = DIGITS
) -> Enclosure:
    """function(*numbers) for a function that is monotone in each of them on their intervals."""
    corners = [function(*ends) for ends in product(*(number.bounds for number in numbers))]
    return enclose_between(min(corners), max(corners), digits)


def hull(numbers: Iterable[Enclosure | Rational], digits: int = DIGITS) -> Enclosure:
    """The interval that holds them all."""
    ends = [number.bounds for number in numbers]
    return enclose_between(min(low for low, _ in ends), max(high for _, high in ends), digits)


def spread(values: Iterable[float], method: str, error: float = 0.0) -> Estimate:
    """The middle of some floats, with an error that reaches all of them and a bit further."""
    found = list(values)
    low, high = min(found), max(found)
    return Estimate((low + high) / 2, (high - low) / 2 + error, method)


def value_of(result: Result[R]) -> R:
    """What a run ended with; none of them is stopped on its way."""
    assert result.value is not None
    return result.value


@lru_cache(maxsize=1)
def pi_of_the_relu() -> Enclosure:
    """1 / (2 E[relu(z)]^2) = pi."""
    mean = hermite_coefficients(relu(0.0), [0], digits=2 * DIGITS)[0]
    return combined(lambda m: 1 / (2 * m * m), mean, digits=2 * DIGITS)


@lru_cache(maxsize=1)
def pi_of_the_sign() -> Enclosure:
    """2 / E[|z|]^2 = pi, from another integral."""
    mean = hermite_coefficients(Sign(), [1], digits=2 * DIGITS)[0]
    return combined(lambda m: 2 / (m * m), mean, digits=2 * DIGITS)
