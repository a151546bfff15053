"""Oracles of a separation by the name on the command line: windows, honest samples, private users.

This file does not know which learners are run.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, final

from sqsim.errors import BadInput
from sqsim.oracles.private import local_private
from sqsim.oracles.sampling_oracles import honest
from sqsim.seeds import Seed
from sqsim.tolerance import Absolute

NORMS: Mapping[str, str] = {
    "l2": "l2",
    "stat": "absolute",
    "absolute": "absolute",
    "vstat": "vstat",
}
"""Oracles that answer inside a window, and their convention of tolerance."""

MOST_NUMBERS = 2e10
"""Random numbers for one gradient: a few minutes."""
FAILURE = 0.05
QUERIES = 1_000_000
"""Scalar answers that the promise of a private oracle is made for."""


@final
@dataclass(frozen=True)
class Sampled:
    """An oracle whose answers come from examples, and so hold with a probability.

    Attributes
    ----------
    name : of the access model.
    make : function (instance, tolerance, seed) -> oracle.
    draws : function (tolerance, dimension) -> random numbers for one gradient, estimated.
    words : what it is, for the report.
    """

    name: str
    make: Callable[[Any, float, Seed], Any]
    draws: Callable[[float, int], float]
    words: str


def _honest(instance: Any, tolerance: float, seed: Seed) -> Any:
    return honest(instance, samples=math.ceil(tolerance**-2), failure=FAILURE, seed=seed)


def _private(epsilon: float, clip: float) -> Callable[[Any, float, Seed], Any]:
    def make(instance: Any, tolerance: float, seed: Seed) -> Any:
        return local_private(
            instance,
            epsilon=epsilon,
            tolerance=Absolute(tolerance),
            failure=FAILURE,
            queries=QUERIES,
            clip=clip,
            seed=seed,
        )

    return make


def sampled(name: str, *, epsilon: float = 1.0, clip: float = 5.0) -> Sampled:
    """The access model of this name: "honest" or "ldp".

    Parameters
    ----------
    epsilon, clip : of "ldp": the privacy of each user, and where values of queries are cut off.
    """
    if name == "honest":
        return Sampled(
            name,
            _honest,
            lambda tau, d: tau**-2 * (d + 1),
            "Every query was answered by the average over ceil(1/tolerance²) fresh examples, "
            "with no adversary: each answer is within 4.5 tolerances of its mean, in units of "
            "‖φ‖, with probability 0.95 by Chebyshev.",
        )
    if name == "ldp":
        if not (epsilon > 0 and clip > 0):
            raise BadInput(f"epsilon {epsilon} and clip {clip}: positive numbers are wanted")
        ratio = (math.exp(epsilon) + 1) / (math.exp(epsilon) - 1)
        users = ratio**2 * 2 * clip**2 * math.log(2 * QUERIES / FAILURE)
        return Sampled(
            name,
            _private(epsilon, clip),
            lambda tau, d: users * tau**-2 * d * (d + 1),
            f"Every scalar was answered by users of its own, who send one randomised bit each "
            f"(ε = {epsilon:g}; values cut off at ±{clip:g}): all of the first "
            f"{QUERIES:,} scalar answers are within the tolerance of the clipped means with "
            f"probability {1 - FAILURE:g}.",
        )
    known = ", ".join([*NORMS, "honest", "ldp"])
    raise BadInput(f"oracle is {name!r}; wanted one of {known}")


def check_feasible(model: Sampled, tolerance: float, dimension: int) -> None:
    """Refuse what no machine can draw, with the estimate and what it can."""
    needed = model.draws(tolerance, dimension)
    if needed > MOST_NUMBERS:
        coarsest = tolerance * math.sqrt(needed / MOST_NUMBERS)
        raise BadInput(
            f"one gradient under the oracle {model.name!r} at tolerance {tolerance:g} takes about "
            f"{needed:.2g} random numbers, and {MOST_NUMBERS:.0e} are allowed; use a tolerance of "
            f"at least {coarsest:.2g}, a smaller dimension, or an oracle that computes means"
        )
