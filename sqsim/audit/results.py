"""What results.json beside a transcript says of its run, against what the audit found.

This file does not know how the audit found it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from sqsim.audit.findings import Finding
from sqsim.problems.hypothesis import ReluHypothesis
from sqsim.record import Ledger

RTOL = 1e-9


def compare_results(path: Path, ledger: Ledger, value: Any) -> list[Finding]:
    """Differences from the run of this transcript; none where no results stand beside it.

    Parameters
    ----------
    path : of the transcript, in the folder `transcripts` of a study.
    value : what the strategy returned, None where it did not.
    """
    file = path.parent.parent / "results.json"
    if path.parent.name != "transcripts" or not file.is_file():
        return []
    try:
        results = json.loads(file.read_text())
        runs = results.get("runs", [results])
        name = f"transcripts/{path.name}"
        found = next((one for one in runs if one.get("transcript") == name), None)
    except (ValueError, TypeError, AttributeError) as error:
        return [Finding("results", f"{file} cannot be read: {error!r:.80}")]
    if found is None:
        return []
    unit = results.get("whitening", {}).get("target_unit", 1.0)
    return [
        Finding("results", f"{file} says {key} {said!r}; the audit finds {own!r}")
        for key, said, own in _pairs(found, ledger, value, unit)
        if not _equal(said, own)
    ]


def _pairs(
    found: Mapping[str, Any], ledger: Ledger, value: Any, unit: float
) -> Iterator[tuple[str, Any, Any]]:
    yield "queries", found.get("queries"), ledger.queries
    yield "rounds", found.get("rounds"), ledger.rounds
    yield "finest_tolerance", found.get("finest_tolerance"), ledger.finest
    said = found.get("hypothesis")
    if isinstance(value, ReluHypothesis):
        own = {"norm": unit * value.norm, "bias": unit * value.bias}
        for key, number in own.items():
            yield f"{key} of the hypothesis", (said or {}).get(key), number
    elif value is None and said is not None:
        yield "hypothesis", said, None


def _equal(said: Any, own: Any) -> bool:
    if isinstance(said, int | float) and isinstance(own, int | float):
        return math.isclose(said, own, rel_tol=RTOL, abs_tol=1e-300)
    return bool(said == own)
