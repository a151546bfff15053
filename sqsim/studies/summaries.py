"""What the runs of one group say together: how often, at what cost, down to which tolerance.

Rows come as flat mappings, as `exporting.records` gives them; a group is all rows that agree in
the columns `by`.  This file does not know stores, nor what was run.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from sqsim.errors import BadInput
from sqsim.studies.cells import canonical
from sqsim.studies.repeats import frequency_interval

Record = Mapping[str, Any]


def groups(
    records: Sequence[Record], by: Sequence[str]
) -> Iterator[tuple[dict[str, Any], list[Record]]]:
    """The columns `by` and the rows that share them, in order of appearance.

    Raises BadInput for a column that no row has.
    """
    known = dict.fromkeys(name for one in records for name in one)
    for name in by:
        if records and name not in known:
            raise BadInput(f"no column {name!r}; there are {', '.join(known)}")
    found: dict[str, tuple[dict[str, Any], list[Record]]] = {}
    for one in records:
        key = {name: one.get(name) for name in by}
        found.setdefault(canonical(key), (key, []))[1].append(one)
    yield from found.values()


def success_rates(
    records: Sequence[Record],
    *,
    by: Sequence[str],
    success: str = "success",
    confidence: float = 0.95,
) -> list[dict[str, Any]]:
    """How often each group succeeds: trials, successes, frequency, low, high.

    Clopper and Pearson's interval of the probability; a run that failed is no success.
    """
    found = []
    for key, rows in groups(records, by):
        count = sum(row.get(success) is True for row in rows)
        low, high = frequency_interval(count, len(rows), confidence=confidence)
        numbers = {"trials": len(rows), "successes": count, "frequency": count / len(rows)}
        found.append({**key, **numbers, "low": low, "high": high})
    return found


def expected_running_times(
    records: Sequence[Record],
    *,
    by: Sequence[str],
    evaluations: str = "queries",
    success: str = "success",
    confidence: float = 0.95,
) -> list[dict[str, Any]]:
    """ERT of each group: what all runs cost, those without success counted, over the successes.

    The mean cost of independent restarts until one succeeds (Hansen, Auger, Finck and Ros 2009):
    mean cost of a success plus (1 - p) / p times that of a failure.  `low` and `high` put the ends
    of Clopper and Pearson's interval in place of p; inf where nothing succeeded.  `uncounted` runs
    failed before their cost was known; where there are any, ert is a lower bound.
    """
    found = []
    for key, rows in groups(records, by):
        counted = [row for row in rows if row.get(evaluations) is not None]
        good = [float(row[evaluations]) for row in counted if row.get(success) is True]
        bad = [float(row[evaluations]) for row in counted if row.get(success) is not True]
        low, high = frequency_interval(len(good), len(rows), confidence=confidence)
        restart = _restarts(good, bad)
        found.append(
            {
                **key,
                "trials": len(rows),
                "successes": len(good),
                "uncounted": len(rows) - len(counted),
                "ert": (sum(good) + sum(bad)) / len(good) if good else math.inf,
                "low": restart(high),
                "high": restart(low),
            }
        )
    return found


def smallest_budgets(
    records: Sequence[Record],
    *,
    by: Sequence[str],
    evaluations: str = "queries",
    success: str = "success",
    share: float = 0.5,
) -> list[dict[str, Any]]:
    """The least budget within which at least `share` of a group's runs succeed; inf if none.

    With `evaluations` = "rounds", the least number of rounds.
    """
    _check_share(share)
    found = []
    for key, rows in groups(records, by):
        costs = sorted(
            float(row[evaluations])
            if row.get(success) is True and row.get(evaluations) is not None
            else math.inf
            for row in rows
        )
        place = math.ceil(share * len(costs) - 1e-9) - 1
        found.append({**key, "trials": len(rows), "budget": costs[max(place, 0)]})
    return found


def needed_tolerances(
    records: Sequence[Record],
    *,
    by: Sequence[str],
    tolerance: str = "tolerance",
    success: str = "success",
    share: float = 0.5,
) -> list[dict[str, Any]]:
    """The coarsest tolerance of a grid at which, and below which, a group still succeeds.

    A tolerance counts if at least `share` of its runs succeeded.  `needed` is None where the
    finest failed already; `fails` is the next tolerance above, None where the grid ends.
    """
    _check_share(share)
    found = []
    for key, rows in groups(records, by):
        rates = success_rates(
            [row for row in rows if row.get(tolerance) is not None], by=[tolerance], success=success
        )
        needed = fails = None
        for one in sorted(rates, key=lambda rate: float(rate[tolerance])):
            if one["frequency"] < share:
                fails = one[tolerance]
                break
            needed = one[tolerance]
        found.append({**key, "needed": needed, "fails": fails})
    return found


def _restarts(good: Sequence[float], bad: Sequence[float]) -> Callable[[float], float]:
    mean = sum(good) / len(good) if good else math.inf
    lost = sum(bad) / len(bad) if bad else mean

    def time(probability: float) -> float:
        if probability == 0.0 or not good:
            return math.inf
        return mean + (1 - probability) / probability * lost

    return time


def _check_share(share: float) -> None:
    if not 0 < share <= 1:
        raise BadInput(f"share is {share}; wanted a part of the runs, in (0, 1]")
