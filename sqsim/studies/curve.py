"""How good a run's iterates are, scored where the secret is.  The run itself does not see it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, final

import numpy as np

from sqsim.oracles.scoring import expanded_loss
from sqsim.problems.hypothesis import ReluHypothesis
from sqsim.problems.index import IndexInstance
from sqsim.record import Exchange, Ledger
from sqsim.tolerance import Mean


@final
@dataclass(eq=False)
class Curve:
    """Best loss ratio seen so far against queries spent, scored where the secret is."""

    instance: IndexInstance
    energy: Mean
    points: list[list[float]] = field(default_factory=list)
    seconds: float = 0.0

    def watch(self, exchange: Exchange, ledger: Ledger) -> None:
        """Score every iterate that the batch's note shows."""
        started = time.perf_counter()
        for w, b in _iterates(exchange.batch.note):
            mean = expanded_loss(self.instance, ReluHypothesis(w, b), self.energy)
            self.add(ledger.queries, mean.number / self.instance.opt_upper_bound)
        self.seconds += time.perf_counter() - started

    def add(self, queries: int, ratio: float) -> None:
        best = min(ratio, self.points[-1][1]) if self.points else ratio
        self.points.append([queries, best])


def _iterates(note: Mapping[str, Any]) -> Iterator[tuple[np.ndarray, float]]:
    if "w" in note and "b" in note:
        yield note["w"], float(note["b"])
    for part in note.get("together", ()):
        yield from _iterates(part)
