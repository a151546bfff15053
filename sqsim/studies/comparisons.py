"""What was proved beside what was measured, and boundaries with their uncertainty.

A proved number is exact text ("Infinity", or decimals) in a row and stays so; only the gap is a
float.  This file does not know stores, nor what was run.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from sqsim.errors import BadInput
from sqsim.studies.summaries import Record, groups


def gap(measured: float | None, certified: str | None) -> float | None:
    """measured / certified as a float: inf over a bound of 0, 0 under one of Infinity.

    None where either is missing: nothing was measured, or no theorem applies.
    """
    if measured is None or certified is None:
        return None
    if certified == "Infinity":
        return 0.0
    try:
        bound = Fraction(certified)
    except (ValueError, ZeroDivisionError):
        raise BadInput(f"certified is {certified!r}; wanted exact decimals, or Infinity") from None
    if bound < 0:
        raise BadInput(f"certified is {certified}; a lower bound on a cost is not negative")
    if bound == 0 or math.isinf(measured):
        return math.inf
    return float(Fraction(measured) / bound)


def certified_against_measured(
    records: Sequence[Record],
    *,
    certified: str = "certified_queries",
    measured: str = "queries",
    success: str = "success",
    access: str = "CSQ",
) -> list[dict[str, Any]]:
    """The rows of runs that a theorem is about, with its bound, what was measured, and the gap.

    A measured cost is an upper bound only where the run succeeded: elsewhere `measured` and `gap`
    are None.  `broken` says that a run beat the bound; it is never true of a correct one.

    Parameters
    ----------
    access : the theorem's: rows that say they had another access are left out, since a bound on
        correlational queries does not bind them.
    """
    found = []
    for row in records:
        bound = row.get(certified)
        if bound is None or row.get("access", access) != access:
            continue
        cost = row.get(measured) if row.get(success) is True else None
        ratio = gap(cost, str(bound))
        found.append(
            {
                **row,
                "certified": str(bound),
                "measured": cost,
                "gap": ratio,
                "broken": ratio is not None and ratio < 1,
            }
        )
    return found


def boundaries(
    records: Sequence[Record],
    *,
    by: Sequence[str],
    place: str = "critical_bias",
    error: str = "error",
    confidence: float = 0.95,
) -> list[dict[str, Any]]:
    """Where the runs of each group begin to fail, with the uncertainty of seeds and of brackets.

    Each row brackets a boundary of its own, `place` +- `error`.  Returned are the mean over seeds,
    `half_width`: half of Student's interval for it plus the widest bracket, and low and high;
    `spread` (standard deviation over seeds), `runs` and `unlocated` (rows whose scan met no
    boundary, which are left out).  With one seed half_width is the bracket alone.
    """
    from scipy.stats import t

    if not 0 < confidence < 1:
        raise BadInput(f"confidence is {confidence}; wanted a number in (0, 1)")
    found = []
    for key, rows in groups(records, by):
        seen = [row for row in rows if row.get(place) is not None]
        numbers: dict[str, Any] = {"runs": len(rows), "unlocated": len(rows) - len(seen)}
        if not seen:
            names = ("place", "half_width", "low", "high", "spread")
            found.append({**key, **numbers, **dict.fromkeys(names)})
            continue
        places = [float(row[place]) for row in seen]
        mean, n = math.fsum(places) / len(places), len(places)
        squares = math.fsum((one - mean) ** 2 for one in places)
        spread = math.sqrt(squares / (n - 1)) if n > 1 else 0.0
        sure = float(t.ppf((1 + confidence) / 2, n - 1)) * spread / math.sqrt(n) if n > 1 else 0.0
        half = sure + max(float(row[error]) for row in seen)
        numbers |= {"place": mean, "half_width": half, "low": mean - half, "high": mean + half}
        found.append({**key, **numbers, "spread": spread})
    return found
