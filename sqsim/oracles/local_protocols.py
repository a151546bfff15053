"""A protocol under local differential privacy, simulated by statistical queries.

Kasiviswanathan, Lee, Nissim, Raskhodnikova and Smith (2011), section 5, with constants derived
here.  This file does not know oracles: it holds a strategy.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, final

import numpy as np

from sqsim.errors import BadInput
from sqsim.guarantee import positive_count, probability
from sqsim.lowrank import Array
from sqsim.oracles.entries import entries
from sqsim.oracles.randomisers import check_epsilon
from sqsim.queries import Opaque, Query, Statistic
from sqsim.seeds import Role, Seed, rng
from sqsim.strategy import SQ, ask_all
from sqsim.tolerance import Absolute


class Channel(Protocol):
    """What one user sends: an epsilon-private random function of an example."""

    @property
    def epsilon(self) -> float: ...

    def reference(self, rng: np.random.Generator) -> Any:
        """A report of a fixed, made-up example."""
        ...

    def ratio(self, report: Any, x: Array, y: Array) -> Array:
        """P[report | example] / P[report | made-up example], (n,); in [e^-eps, e^eps]."""
        ...


@final
@dataclass(frozen=True, eq=False)
class RespondingChannel:
    """Randomised response about a query phi with values in {0, 1}: reports 0 or 1.

    The made-up example has phi = 0.
    """

    query: Query
    epsilon: float

    def __post_init__(self) -> None:
        check_epsilon(self.epsilon)

    def reference(self, rng: np.random.Generator) -> int:
        return int(rng.random() < 1 / (1 + math.exp(self.epsilon)))

    def ratio(self, report: Any, x: Array, y: Array) -> Array:
        values = entries(self.query, x, y)[:, 0]
        if not ((values == 0) | (values == 1)).all():
            raise BadInput(
                f"query {self.query.label!r} has values other than 0 and 1; randomised response "
                "is about a bit"
            )
        return np.where(values == 1, math.exp(self.epsilon if report else -self.epsilon), 1.0)


@final
@dataclass(frozen=True)
class SimulationCost:
    """What `simulate_local` asks.

    Attributes
    ----------
    queries : float
        Expected number, at most users e^epsilon / (1 - tau).
    tau : float
        Absolute tolerance of each query, whose function has values in [e^-epsilon, e^epsilon].
    """

    queries: float
    tau: float


def local_simulation_cost(*, users: int, epsilon: float, failure: float) -> SimulationCost:
    """The price of simulating `users` reports up to total variation `failure`.

    tau = failure / (users + failure): an accepted report then has a law within
    tau / (1 - tau) = failure / users of the true one.  Divided by the width of its range it is the
    Theta(failure / (e^epsilon users)) of a query in [0, 1].
    """
    positive_count(users, "users")
    check_epsilon(epsilon)
    probability(failure, "failure")
    tau = failure / (users + failure)
    return SimulationCost(users * math.exp(epsilon) / (1 - tau), tau)


def simulate_local(channels: Sequence[Channel], *, failure: float, seed: Seed = 0) -> SQ[list[Any]]:
    """One report of each user of a non-interactive protocol, by rejection.

    For each user draw w from the reference law P0, ask for v = E[P(w | z) / P0(w)] within tau, and
    keep w with probability v / e^epsilon, else draw again.  With exact v the law of w is that of
    the user's report on an example z; within tau, with p(w) = P0(w) v(w), |p' - p| <= tau P0
    before and total variation <= tau / (1 - tau) after normalising.  Over all users it is at most
    `failure` (see `local_simulation_cost`, also for the expected number of queries).

    The users who have no report yet ask together: O(e^epsilon log(users)) rounds in expectation.
    The queries ask for `Absolute(tau)`; any oracle of that kind that is not coarser serves.
    """
    if not channels:
        return []
    users = len(channels)
    tau = local_simulation_cost(users=users, epsilon=1.0, failure=failure).tau
    reports: list[Any] = [None] * users
    left = list(range(users))
    turn = 0
    while left:
        coins = rng(seed, Role.REPORTS, turn)
        drawn = [channels[i].reference(coins) for i in left]
        queries = [
            Statistic(
                Opaque(_Ratio(channels[i], report)),
                f"likelihood of a report of user {i}",
                Absolute(tau),
                range=(math.exp(-channels[i].epsilon), math.exp(channels[i].epsilon)),
            )
            for i, report in zip(left, drawn, strict=True)
        ]
        answers = yield from ask_all(*queries, users=len(left))
        waiting = []
        for i, report, value in zip(left, drawn, answers, strict=True):
            if coins.random() < float(value) * math.exp(-channels[i].epsilon):
                reports[i] = report
            else:
                waiting.append(i)
        left, turn = waiting, turn + 1
    return reports


@final
@dataclass(frozen=True, eq=False)
class _Ratio:
    """The likelihood ratio of one report, as a function of examples."""

    channel: Channel
    report: Any

    def __call__(self, x: Array, y: Array) -> Array:
        return self.channel.ratio(self.report, x, y)
