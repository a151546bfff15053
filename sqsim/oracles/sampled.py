"""An oracle that answers with averages over examples that it draws, and may miss.

This file does not know what number of examples makes a promise true.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from functools import partial
from typing import Any, final

import numpy as np

from sqsim.errors import QueryRefused
from sqsim.guarantee import Guarantee
from sqsim.oracles.averages import Average, Running
from sqsim.oracles.entries import answer_of, draws, entries_in_parts
from sqsim.oracles.instances import fingerprint
from sqsim.oracles.ranges import check_entries, label_bound
from sqsim.queries import Batch, Query
from sqsim.seeds import Role, Seed, rng
from sqsim.strategy import Answers
from sqsim.tolerance import Tolerance


class Sharing(Enum):
    """Which queries are answered from the same examples."""

    QUERY = "every query has examples of its own"
    ROUND = "the queries of a round share their examples"
    RUN = "one sample serves every query of the run"


@final
@dataclass(frozen=True, eq=False)
class SampledOracle:
    """Answers with averages over examples; made in `honest`

    Attributes
    ----------
    instance : an instance or a Dataset, whose rows are drawn with replacement.
    access : str
        Name of the oracle.
    average : Average
        How examples become an answer.
    sharing : Sharing
    guarantee : Guarantee
        What is promised, and with what probability.
    seed : int
    role : Role
        Of this kind of oracle: oracles of different kinds share no example at one seed.  Two of
        one kind are independent only with different seeds.
    """

    instance: Any
    access: str
    average: Average
    sharing: Sharing
    guarantee: Guarantee
    seed: Seed
    role: Role

    @property
    def dimension(self) -> int:
        return int(self.instance.problem.dimension)

    @property
    def tolerance(self) -> Tolerance:
        """That of the guarantee: an answer misses it with the stated probability."""
        return self.guarantee.tolerance

    @property
    def samples(self) -> int:
        """Examples that an answer is made of."""
        return self.average.count

    def answer(self, batch: Batch[Query], turn: int) -> Answers:
        """One answer for each query; the same query object twice in a batch is answered once."""
        places: dict[int, int] = {}
        order = [places.setdefault(id(query), i) for i, query in enumerate(batch.queries)]
        asked = {i: batch.queries[i] for i in places.values()}
        for query in asked.values():
            check_granted(query, self.tolerance, self.instance)
        rounding = self._streams(turn)[1].spawn(len(order))
        running = {
            i: self.average.start(query.size(self.dimension), rounding[i])
            for i, query in asked.items()
        }
        if self.sharing is Sharing.QUERY:
            streams = self._streams(turn)[0].spawn(len(order))
            for i, query in asked.items():
                self._fill({i: query}, running, streams[i], turn)
        elif asked:
            when = turn if self.sharing is Sharing.ROUND else 0
            self._fill(asked, running, self._streams(when)[0], when)
        found = {
            i: answer_of(query, running[i].answer(), self.dimension) for i, query in asked.items()
        }
        return tuple(found[i] for i in order)

    def describe(self) -> dict[str, object]:
        """Header of transcripts: what was simulated, without the secret."""
        return {
            "access": self.access,
            "dimension": self.dimension,
            "tolerance": repr(self.tolerance),
            "norm": self.tolerance.scale.value,
            "average": repr(self.average),
            "samples": self.samples,
            "sharing": self.sharing.value,
            "guarantee": self.guarantee.to_dict(),
            "seed": self.seed,
            "instance": fingerprint(self.instance),
        }

    def _streams(self, turn: int) -> list[np.random.Generator]:
        """Of the examples, and of the rounding to bits."""
        return rng(self.seed, self.role, turn).spawn(2)

    def _fill(
        self,
        queries: dict[int, Query],
        running: dict[int, Running],
        stream: np.random.Generator,
        turn: int,
    ) -> None:
        for x, y in draws(self.instance, self.samples, stream, turn):
            for i, query in queries.items():
                for values in entries_in_parts(query, x, y):
                    running[i].add(values)


def check_granted(query: Query, tolerance: Tolerance, instance: Any) -> None:
    """Refuse a query that asks for another or finer tolerance than is promised."""
    if query.tolerance is not None and not tolerance.admits(query.tolerance):
        raise QueryRefused(
            f"query {query.label!r} asks for {query.tolerance!r} and the oracle grants "
            f"{tolerance!r}; ask for the same kind of tolerance, not finer"
        )
    check_entries(query, tolerance, instance)
    tolerance.check(query, partial(label_bound, instance))
