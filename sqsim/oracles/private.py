"""Local differential privacy: every user answers one question about themselves, with noise.

This file does not know learners, nor how noise is drawn.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, final

import numpy as np

from sqsim.errors import BadInput
from sqsim.guarantee import Guarantee, positive_count, probability
from sqsim.lowrank import Array
from sqsim.oracles.entries import Range, answer_of, check_clip, draws, entries
from sqsim.oracles.instances import fingerprint
from sqsim.oracles.randomisers import (
    LocalRandomiser,
    RandomisedResponse,
    check_users,
    users_for,
)
from sqsim.oracles.randomness import Randomness, Seeded
from sqsim.oracles.sampled import check_granted
from sqsim.oracles.spending import PrivacyLedger, Spending
from sqsim.problems.dataset import Dataset
from sqsim.queries import Batch, Query
from sqsim.seeds import Role, Seed, rng
from sqsim.strategy import Answers
from sqsim.tolerance import Absolute, Tolerance


@final
@dataclass(frozen=True, eq=False)
class LocalPrivate:
    """Answers from reports of users, each asked for one scalar; made by `local_private`.

    Attributes
    ----------
    instance : an instance, whose users are fresh draws, or a Dataset, whose users are its rows.
    randomiser : LocalRandomiser
        What a user sends.
    users : int
        Users asked for each scalar.
    within : (float, float)
        The range that values are clipped to.
    guarantee : Guarantee
    source : Randomness
    seed : int
    spending : Spending
        Answers that were given; users that were asked.
    """

    instance: Any
    randomiser: LocalRandomiser
    users: int
    within: Range
    guarantee: Guarantee
    source: Randomness
    seed: Seed
    spending: Spending = field(repr=False)

    @property
    def dimension(self) -> int:
        return int(self.instance.problem.dimension)

    @property
    def tolerance(self) -> Tolerance:
        """That of the guarantee: an answer misses it with the stated probability."""
        return self.guarantee.tolerance

    @property
    def ledger(self) -> PrivacyLedger:
        """What was spent so far: epsilon by every user who was asked, since each is asked once."""
        users = self.spending.spent
        epsilon = self.randomiser.epsilon if users else 0.0
        return PrivacyLedger(epsilon, 0.0, users, self.spending.rounds)

    def answer(self, batch: Batch[Query], turn: int) -> Answers:
        """One answer for each query, for ever: what was answered at a turn is remembered.

        Raises
        ------
        BudgetSpent
            Where there are not enough users left who have not been asked yet.
        """
        for query in batch.queries:
            check_granted(query, self.tolerance, self.instance)
        return self.spending.answered(
            batch.queries,
            turn,
            dimension=self.dimension,
            costs=self._costs(batch),
            fresh=lambda place, query, spent: self._ask(query, turn, place, spent),
        )

    def epsilon_cost(self, batch: Batch[Query], turn: int) -> float:
        """Epsilon for the first batch and nothing for later ones, whose users are others."""
        return self.randomiser.epsilon if batch.queries and not self.spending.spent else 0.0

    def recall(self, batch: Batch[Query], turn: int, answers: Answers) -> None:
        """Book what a transcript says was answered before this process began."""
        self.spending.recall(
            batch.queries, turn, answers, dimension=self.dimension, costs=self._costs(batch)
        )

    def describe(self) -> dict[str, object]:
        """Header of transcripts: what was simulated, without the secret."""
        return {
            "access": "local privacy",
            "dimension": self.dimension,
            "tolerance": repr(self.tolerance),
            "norm": self.tolerance.scale.value,
            "randomiser": repr(self.randomiser),
            "epsilon": self.randomiser.epsilon,
            "users": self.users,
            "interaction": "every user is asked once; none if the strategy has one round",
            "noise": repr(self.source),
            "guarantee": self.guarantee.to_dict(),
            "seed": self.seed,
            "instance": fingerprint(self.instance),
        }

    def _costs(self, batch: Batch[Query]) -> list[int]:
        return [self.users * query.size(self.dimension) for query in batch.queries]

    def _ask(self, query: Query, turn: int, place: int, spent: int) -> Array:
        """Asks the next users, `users` of them for each scalar, and averages their reports."""
        low, high = self.within
        size = query.size(self.dimension)
        totals, seen = np.zeros(size), 0
        noise = self._streams(turn)[1].spawn(place + 1)[place]
        for x, y in self._people(self.users * size, turn, place, spent):
            # User number i is asked for scalar i // users, and reports nothing else.
            scalar = (seen + np.arange(len(x))) // self.users
            values = np.concatenate(
                [
                    part[np.arange(len(part)), scalar[start : start + len(part)]]
                    for start, part in _parts(query, x, y)
                ]
            )
            inside = (np.clip(values, low, high) - low) / (high - low)
            sent = self.randomiser.reports(inside, self.source, noise)
            totals += np.bincount(scalar, sent, size)
            seen += len(x)
        return answer_of(query, low + (high - low) * totals / self.users, self.dimension)

    def _streams(self, turn: int) -> list[np.random.Generator]:
        """Of the users, and of the noise that they add."""
        return rng(self.seed, Role.LOCAL, turn).spawn(2)

    def _people(
        self, count: int, turn: int, place: int, spent: int
    ) -> Iterator[tuple[Array, Array]]:
        if not isinstance(self.instance, Dataset):
            stream = self._streams(turn)[0].spawn(place + 1)[place]
            yield from draws(self.instance, count, stream, turn)
            return
        order = self._streams(0)[0].permutation(len(self.instance.targets))
        rows = order[spent : spent + count]
        for start in range(0, count, 4096):
            block = rows[start : start + 4096]
            yield self.instance.inputs[block], self.instance.targets[block]


def local_private(
    instance: Any,
    *,
    epsilon: float,
    tolerance: Absolute,
    failure: float,
    queries: int,
    clip: float | None = None,
    users: int | None = None,
    randomiser: type[LocalRandomiser] = RandomisedResponse,
    population: int | None = None,
    source: Randomness | None = None,
    seed: Seed = 0,
) -> LocalPrivate:
    """STAT under epsilon-local differential privacy, simulated user by user.

    Every user is asked for one scalar of one query, clipped to [-clip, clip], and sends a noisy
    report of it; epsilon is all that a user ever spends.  Non-interactive if the strategy has one
    round.  Kasiviswanathan, Lee, Nissim, Raskhodnikova and Smith (2011).

    Parameters
    ----------
    instance : Instance or Dataset
        Users are fresh draws of an instance, or the rows of a table, each asked once.  A table is
        the population that answers are about, and the promise is then about one round.
    epsilon : float
    tolerance : Absolute
    failure : float
        Probability that any of the answers misses.
    queries : int
        Scalar answers in the run; asking more voids the promise.
    clip : float
        Values of phi (for a Correlation, of y g) are clipped to [-clip, clip] before noise hides
        them, and answers are about the clipped phi; users grow with clip^2.  It is asked for even
        where queries declare ranges, since users are counted before any query is seen.
    users : int, optional
        Users for each scalar.  The fewest that the promise needs unless given; for randomised
        response never more than ((e^eps + 1)/(e^eps - 1))^2 2 clip^2 ln(2 queries / failure)/tau^2.
    randomiser : RandomisedResponse, LaplaceReport or DiscreteLaplaceReport
    population : int, optional
        Users there are; the number of rows for a table, no limit otherwise.
    source : Randomness
        Seeded() unless given, which simulates and protects no one; Secure() draws with OpenDP.
    seed : int
        Two of these oracles ask independent users only with different seeds.

    Raises
    ------
    BadInput
        Where parameters are out of range or `users` are too few, and it says how many.
    """
    if not hasattr(instance, "problem"):
        raise BadInput(
            f"an oracle is made of an instance or a Dataset, not {type(instance).__name__}"
        )
    local = randomiser(epsilon)
    probability(failure, "failure")
    positive_count(queries, "queries")
    if not isinstance(tolerance, Absolute):
        raise BadInput(f"tolerance is {tolerance!r}; local privacy answers within Absolute(tau)")
    within = check_clip(clip, "a user's report hides a value of bounded range only")
    table = isinstance(instance, Dataset)
    share = failure / queries
    if users is None:
        count = users_for(local, tolerance, share, within, table)
    else:
        count = check_users(users, local, tolerance, share, within, table)
    there = len(instance.targets) if table else population
    if there is not None and there < count:
        raise BadInput(
            f"there are {there} users and one scalar needs {count}; find more users, or ask for a "
            "coarser tolerance"
        )
    guarantee = Guarantee(
        tolerance,
        failure,
        f"{'Hoeffding' if table else 'tails of'} {type(local).__name__}, {count} users a scalar",
        queries,
        # The users left over are no uniform sample once answers of the others are known.
        1 if table else None,
        f"E[phi], phi clipped to [{within[0]:g}, {within[1]:g}]",
    )
    chosen = Seeded() if source is None else source
    spending = Spending("users", there)
    return LocalPrivate(instance, local, count, within, guarantee, chosen, seed, spending)


def _parts(query: Query, x: Array, y: Array) -> Iterator[tuple[int, Array]]:
    """phi of the examples, a part at a time, with the place of its first row."""
    size = max(64, 2**21 // max(1, query.size(x.shape[1])))
    for start in range(0, len(x), size):
        yield start, entries(query, x[start : start + size], y[start : start + size])
