"""What an audit says: each thing that is wrong, and what was checked how.

This file does not know how anything is checked.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from types import MappingProxyType
from typing import Any, final

from sqsim.journal import finite
from sqsim.record import Ledger


@final
@dataclass(frozen=True)
class Finding:
    """One thing that is wrong.

    Attributes
    ----------
    about : "header", "question", "answer", "refusal", "end", "ledger" or "results".
    message : what was found and what was wanted.
    turn, query, label, entry : where, as far as it has a place; `entry` is the worst one.
    answer, radius : of that entry.
    mean : ends of the interval that holds the mean of that entry.
    """

    about: str
    message: str
    turn: int | None = None
    query: int | None = None
    label: str | None = None
    entry: tuple[int, ...] | None = None
    answer: float | None = None
    mean: tuple[float, float] | None = None
    radius: float | None = None

    def __str__(self) -> str:
        place = "" if self.turn is None else f"turn {self.turn}: "
        return f"{self.about}: {place}{self.message}"


@final
@dataclass(frozen=True)
class Audit:
    """The outcome of an audit.

    Attributes
    ----------
    transcript : path.
    findings : everything that is wrong.
    turns : that were replayed.
    queries, entries : whose answers were checked; a vector is one query of many entries.
    grades : number of entries for each way in which they were checked.
    edges : entries so near the end of their window that the check cannot tell the sides apart.
    misses : entries outside the window of an oracle that only promises it with a probability; they
        are no finding where drawing again gives the same answers.
    largest : the largest part of its radius that an answer is off by.
    ledger : re-derived from the questions.
    digits : asked for.
    unjudged : entries that were drawn again, and whose mean nobody else can find.
    """

    transcript: str
    findings: tuple[Finding, ...]
    turns: int
    queries: int
    entries: int
    edges: int
    misses: int
    largest: float
    ledger: Ledger
    digits: int
    grades: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    unjudged: int = 0

    @property
    def lawful(self) -> bool:
        """Whether nothing is wrong."""
        return not self.findings

    def to_dict(self) -> dict[str, Any]:
        """Strict JSON of schema sqsim.audit/1."""
        found: dict[str, Any] = {"schema": "sqsim.audit/1", "lawful": self.lawful}
        for name in (
            "transcript",
            "turns",
            "queries",
            "entries",
            "edges",
            "misses",
            "unjudged",
            "largest",
            "digits",
        ):
            found[name] = getattr(self, name)
        found["grades"] = dict(self.grades)
        found["ledger"] = self.ledger.to_dict()
        found["findings"] = [asdict(finding) for finding in self.findings]
        return dict(finite(found))
