"""What a run hands back.  This file does not know the loop that fills it in."""

from __future__ import annotations

import html
from dataclasses import dataclass
from enum import Enum
from typing import Any, Generic, TypeVar, final

from sqsim.guarantee import Guarantee
from sqsim.record import Ledger, plain
from sqsim.transcript import Transcript

R = TypeVar("R")


class Status(Enum):
    """Why a run ended."""

    FINISHED = "the strategy returned"
    BUDGET_SPENT = "the strategy returned after its budget ran out"
    STOPPED = "the callback stopped the run"


@final
@dataclass(frozen=True, eq=False, repr=False)
class Result(Generic[R]):
    """What a run learned and what it cost.

    Attributes
    ----------
    value : what the strategy returned; None when a callback stopped it.
    status : Status
    message : why the run ended, in words.
    ledger : Ledger
    transcript : Transcript
    guarantee : Guarantee or None
        What an oracle that may miss promised about this run, and whether the run outran it; None
        where every answer was certain to lie in its window.
    """

    value: R | None
    status: Status
    message: str
    ledger: Ledger
    transcript: Transcript
    guarantee: Guarantee | None = None

    def __repr__(self) -> str:
        cost = f"{self.ledger.queries} queries, {self.ledger.rounds} rounds"
        value = repr(self.value)
        value = value if len(value) <= 200 else value[:200] + "..."
        finest = f"finest {self.ledger.finest}"
        if self.guarantee is not None:
            finest += f", {self.guarantee.standing}"
        return f"Result({self.status.name}: {cost}, {finest}; value={value})"

    def _repr_html_(self) -> str:
        rows = {"status": f"{self.status.name}: {self.message}", **self.ledger.to_dict()}
        if self.guarantee is not None:
            rows["guarantee"] = str(self.guarantee)
        rows["value"] = repr(self.value)[:1000]
        cells = "".join(
            f"<tr><th>{name}</th><td>{html.escape(str(cell))}</td></tr>"
            for name, cell in rows.items()
        )
        return f"<table>{cells}</table>"

    def to_dict(self) -> dict[str, Any]:
        """Plain data; a value that is not JSON becomes a few words."""
        path = self.transcript.path
        return {
            "status": self.status.name,
            "message": self.message,
            "value": plain(self.value),
            "ledger": self.ledger.to_dict(),
            "transcript": None if path is None else str(path),
            "guarantee": None if self.guarantee is None else self.guarantee.to_dict(),
        }
