"""Local randomisers: what one user sends instead of a number, and how many users an answer needs.

This file does not know users, queries or oracles.  A value in [low, high] is moved to [0, 1], in
whose units half-widths are given.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import final

import numpy as np

from sqsim.errors import BadInput
from sqsim.guarantee import positive_count, positive_number, probability
from sqsim.lowrank import Array
from sqsim.oracles.binomial import bits_needed, enough_bits, least
from sqsim.oracles.inversion import SMALLEST, Noise, failure_of_noisy_bits
from sqsim.oracles.randomness import Randomness
from sqsim.oracles.sample_counts import local_privacy_users
from sqsim.tolerance import Absolute

LARGEST = 700.0
"""Epsilon beyond which e^epsilon is no double."""


def check_epsilon(epsilon: float) -> None:
    """Refuse what no report is made with."""
    positive_number(epsilon, "epsilon")
    if epsilon > LARGEST:
        raise BadInput(
            f"epsilon is {epsilon:g}; e^epsilon is computed for epsilon <= {LARGEST:g}, where a "
            "report hides nothing already: use a smaller epsilon, or fresh_stat(...) for none"
        )


@dataclass(frozen=True)
class LocalRandomiser(ABC):
    """An epsilon-private report of a number in [0, 1]: its mean is the number.

    Attributes
    ----------
    epsilon : float
        The logarithm of the largest ratio of probabilities of a report under two values.
    """

    epsilon: float

    def __post_init__(self) -> None:
        check_epsilon(self.epsilon)

    @abstractmethod
    def reports(self, values: Array, source: Randomness, rng: np.random.Generator) -> Array:
        """What users with these values in [0, 1] send, moved so that its mean is the value."""

    @abstractmethod
    def users_needed(self, half_width: float, failure: float) -> int:
        """Users whose reports average to within half_width with probability >= 1 - failure."""

    @abstractmethod
    def enough(self, users: int, half_width: float, failure: float) -> bool:
        """Whether so many users keep that promise: exact tails do not always fall with them."""

    @abstractmethod
    def chernoff(self, half_width: float, failure: float) -> int:
        """The same from an exponential moment bound alone, which also covers users of a table
        who are drawn without replacement (Hoeffding, 1963, section 6)."""


@final
@dataclass(frozen=True)
class RandomisedResponse(LocalRandomiser):
    """A bit, rounded at random from the value, turned with probability 1 / (1 + e^epsilon).

    Warner (1965); Kasiviswanathan, Lee, Nissim, Raskhodnikova and Smith (2011).
    """

    @property
    def flip(self) -> float:
        """Probability that the bit is turned."""
        return 1 / (1 + math.exp(self.epsilon))

    @property
    def spread(self) -> float:
        """(e^epsilon + 1) / (e^epsilon - 1), which undoes the turning."""
        return 1 / math.tanh(self.epsilon / 2)

    def reports(self, values: Array, source: Randomness, rng: np.random.Generator) -> Array:
        bits = rng.random(values.shape) < values
        sent = source.flip(np.asarray(bits), self.flip, rng)
        return np.asarray((sent - 0.5) * self.spread + 0.5)

    def users_needed(self, half_width: float, failure: float) -> int:
        """From exact binomial tails: the sent bits are independent, of mean in [flip, 1 - flip]."""
        return bits_needed(half_width / self.spread, failure, self.flip, 1 - self.flip)

    def enough(self, users: int, half_width: float, failure: float) -> bool:
        """From the same tails."""
        return enough_bits(users, half_width / self.spread, failure, self.flip, 1 - self.flip)

    def chernoff(self, half_width: float, failure: float) -> int:
        """ceil(spread^2 ln(2 / failure) / (2 half_width^2)), by Hoeffding."""
        counted = local_privacy_users(half_width, self.epsilon, failure=failure, width=1.0)
        return counted.samples


@final
@dataclass(frozen=True)
class LaplaceReport(LocalRandomiser):
    """A bit, rounded at random from the value, plus Laplace noise of scale 1 / epsilon.

    Dwork, McSherry, Nissim and Smith (2006).
    """

    def reports(self, values: Array, source: Randomness, rng: np.random.Generator) -> Array:
        bits = (rng.random(values.shape) < values).astype(np.float64)
        return source.laplace(bits, 1 / self.epsilon, rng)

    def users_needed(self, half_width: float, failure: float) -> int:
        """From the tails of the sum, found by inverting its characteristic function."""
        return _noisy_bits(half_width, failure, self)

    def enough(self, users: int, half_width: float, failure: float) -> bool:
        """From the same tails."""
        return _noisy_bits_enough(users, half_width, failure, self)

    @property
    def noise(self) -> Noise:
        """The law of the noise."""
        epsilon = self.epsilon
        return Noise(lambda t: -np.log1p((t / epsilon) ** 2), 2 / epsilon**2, False)

    def chernoff(self, half_width: float, failure: float) -> int:
        """From E exp(s (report - mean)) <= exp(s^2 / 8) / (1 - s^2 / epsilon^2), s < epsilon.

        Hoeffding's lemma times the Laplace law's own moment.
        """
        return _chernoff(half_width, failure, self.epsilon, _laplace_exponent)


@final
@dataclass(frozen=True)
class DiscreteLaplaceReport(LocalRandomiser):
    """A bit, rounded at random from the value, plus an integer of law prop. to e^(-epsilon |k|)."""

    def reports(self, values: Array, source: Randomness, rng: np.random.Generator) -> Array:
        bits = (rng.random(values.shape) < values).astype(np.int64)
        return source.discrete_laplace(bits, 1 / self.epsilon, rng).astype(np.float64)

    def users_needed(self, half_width: float, failure: float) -> int:
        """From the tails of the sum, found by inverting its characteristic function."""
        return _noisy_bits(half_width, failure, self)

    def enough(self, users: int, half_width: float, failure: float) -> bool:
        """From the same tails."""
        return _noisy_bits_enough(users, half_width, failure, self)

    @property
    def noise(self) -> Noise:
        """The law of the noise."""
        ratio = math.exp(-self.epsilon) / math.expm1(-self.epsilon) ** 2
        return Noise(lambda t: -np.log1p(4 * ratio * np.sin(t / 2) ** 2), 2 * ratio, True)

    def chernoff(self, half_width: float, failure: float) -> int:
        """From Hoeffding's lemma times E e^(s k) = (1 - a)^2 / ((1 - a e^s) (1 - a e^-s)),
        a = e^-epsilon, s < epsilon."""
        return _chernoff(half_width, failure, self.epsilon, _discrete_exponent)


@lru_cache(maxsize=256)
def _noisy_bits(
    half_width: float, failure: float, local: LaplaceReport | DiscreteLaplaceReport
) -> int:
    enough = local.chernoff(half_width, failure)
    if failure < SMALLEST:
        return enough
    noise = local.noise
    return least(enough, failure, lambda n: failure_of_noisy_bits(n, half_width, noise))


def _noisy_bits_enough(
    users: int, half_width: float, failure: float, local: LaplaceReport | DiscreteLaplaceReport
) -> bool:
    if users >= local.chernoff(half_width, failure):
        return True
    return failure_of_noisy_bits(users, half_width, local.noise) <= failure


def _laplace_exponent(s: Array, epsilon: float) -> Array:
    return np.asarray(s**2 / 8 - np.log1p(-((s / epsilon) ** 2)))


def _discrete_exponent(s: Array, epsilon: float) -> Array:
    # (1 - a e^s)(1 - a e^-s) / (1 - a)^2 = 1 - 4 a sinh^2(s / 2) / (1 - a)^2.
    ratio = math.exp(-epsilon) / math.expm1(-epsilon) ** 2
    return np.asarray(s**2 / 8 - np.log1p(-4 * ratio * np.sinh(s / 2) ** 2))


@lru_cache(maxsize=256)
def _chernoff(
    half_width: float, failure: float, epsilon: float, exponent: Callable[[Array, float], Array]
) -> int:
    """Least n with 2 exp(-n (s half_width - exponent(s))) <= failure for the best s."""
    positive_number(half_width, "half_width")
    probability(failure, "failure")
    low, high = 0.0, epsilon * (1 - 1e-9)
    for _ in range(12):
        # Any s proves a count; the grid only has to come near the best.
        s = np.linspace(low, high, 65)[1:]
        gain = s * half_width - exponent(s, epsilon)
        best = int(np.argmax(gain))
        low, high = float(s[max(best - 1, 0)]) if best else low, float(s[min(best + 1, 63)])
    return math.ceil(math.log(2 / failure) / float(gain.max()))


def users_needed(
    *,
    epsilon: float,
    tolerance: Absolute,
    failure: float,
    queries: int = 1,
    clip: float = 1.0,
    randomiser: type[LocalRandomiser] = RandomisedResponse,
    closed_form: bool = False,
) -> int:
    """Users for each scalar, with probability >= 1 - failure over all of `queries` scalars.

    `closed_form` takes the exponential moment bound (Hoeffding for randomised response), which
    also covers the rows of a table; otherwise exact tails where there are any.
    """
    within = (-float(clip), float(clip))
    return users_for(randomiser(epsilon), tolerance, failure / queries, within, closed_form)


def users_for(
    local: LocalRandomiser,
    tolerance: Absolute,
    share: float,
    within: tuple[float, float],
    closed_form: bool,
) -> int:
    """Users for one scalar with a failure probability `share` of its own."""
    half_width = tolerance.tau / (within[1] - within[0])
    count = local.chernoff if closed_form else local.users_needed
    return count(half_width, share)


def check_users(
    users: int,
    local: LocalRandomiser,
    tolerance: Absolute,
    share: float,
    within: tuple[float, float],
    closed_form: bool,
) -> int:
    """A count that was given, if it keeps the promise; exact tails do not always fall with it.

    Raises
    ------
    BadInput
        Where it does not, with a count that does.
    """
    positive_count(users, "users")
    half_width = tolerance.tau / (within[1] - within[0])
    needed = users_for(local, tolerance, share, within, closed_form)
    if users < needed:
        raise BadInput(
            f"users is {users} and the promise needs {needed} for each scalar; use at least "
            f"{needed}, a coarser tolerance, a larger failure or a larger epsilon"
        )
    if users > needed and not closed_form and not local.enough(users, half_width, share):
        raise BadInput(
            f"users is {users}, which by the steps of the exact tails fails more often than "
            f"{share:g} although {needed} does not; use {needed}, or any number from "
            f"{local.chernoff(half_width, share)}"
        )
    return users
