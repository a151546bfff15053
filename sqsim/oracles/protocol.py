"""What an oracle is, and what it may ask to compute means.

This file does not know any oracle, nor who calls one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, TypeVar

from sqsim.queries import Batch, Query
from sqsim.strategy import Answers
from sqsim.tolerance import Mean, Scale, Tolerance

Q_contra = TypeVar("Q_contra", bound=Query, contravariant=True)


class Oracle(Protocol[Q_contra]):
    """Answers batches of queries within a tolerance."""

    @property
    def dimension(self) -> int:
        """Dimension of the inputs."""
        ...

    @property
    def tolerance(self) -> Tolerance:
        """What a query that names no tolerance is answered within."""
        ...

    def answer(self, batch: Batch[Q_contra], turn: int) -> Answers:
        """One answer for each query, in order.

        Pure: the same batch at the same turn has the same answers, since randomness is derived
        from (seed, role, turn).
        """
        ...

    def describe(self) -> dict[str, object]:
        """JSON-able header of transcripts: access, tolerance, policy, means, seed."""
        ...


class Means(Protocol):
    """Computes means, a whole batch at a time, so that one pass over data serves a round."""

    def means(
        self,
        instance: Any,
        queries: Sequence[Query],
        scales: Sequence[Scale],
        *,
        seed: int,
        turn: int,
    ) -> list[Mean]:
        """One mean for each query, with its confessed error and the L2 norm asked for."""
        ...
