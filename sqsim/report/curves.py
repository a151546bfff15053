"""What the figure of a separation draws for one run, read from the results."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from sqsim.report.reading import (
    Group,
    Outcome,
    Results,
    all_queries,
    group,
    name,
    ordered,
    outcome,
    positive,
)


@final
@dataclass(frozen=True)
class Track:
    """One run as a line.

    Attributes
    ----------
    points : (scalar queries, loss ratio) of the steps, the run's own end last.
    queries : what it cost in all, the warm start included.
    ratio : loss ratio at the end; None where the run did not finish.
    """

    name: str
    group: Group
    outcome: Outcome
    points: tuple[tuple[float, float], ...]
    queries: int
    ratio: float | None
    status: str


def stuck(track: Track) -> bool:
    """Whether it ended on a line that it shares with others, or nowhere."""
    return track.outcome in (Outcome.ZERO, Outcome.UNFINISHED)


def tracks(results: Results) -> list[Track]:
    """Every run, group by group.

    The curve holds the best loss so far; the last point is the hypothesis that was returned.
    """
    found = []
    for run in ordered(results):
        # A learner that starts from an SQ direction has paid for it before its first query.
        paid = all_queries(run) - int(run["queries"])
        points = [(x + paid, y) for x, y in run.get("curve") or () if positive(y)]
        end = all_queries(run)
        if points and points[-1][0] < end:
            points.append((end, points[-1][1]))
        if positive(run["loss_ratio"]) and points[-1:] != [(end, run["loss_ratio"])]:
            points.append((end, run["loss_ratio"]))
        found.append(
            Track(
                name=name(run),
                group=group(run),
                outcome=outcome(run, results),
                points=tuple(points),
                queries=end,
                ratio=run["loss_ratio"],
                status=run["status"],
            )
        )
    return found
