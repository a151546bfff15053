"""The theorem index: every stated number and claim of the sources, computed anew and judged."""

from __future__ import annotations

from sqsim.verification.entry import Check, Entry, Finding, Judged, Verdict, close, judge, within
from sqsim.verification.index import INDEX, entries_named

__all__ = [
    "Check",
    "Entry",
    "Finding",
    "INDEX",
    "Judged",
    "Verdict",
    "close",
    "entries_named",
    "judge",
    "within",
]
