"""The figure of `sqsim run`: loss against tolerance on the user's own table."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqsim.report.reading import Group, Results, number, positive, require, sweep_policy
from sqsim.report.style import (
    FAINT,
    INK,
    STYLES,
    TEXT,
    blank,
    heading,
    leaders,
    legend,
    log_axis,
    place,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH, LEFT, LABELS, BODY = 9.4, 0.72, 2.5, 3.3


def table_figure(table_results: Results) -> Figure:
    """Loss, as a share of that of predicting zero, against tolerance.

    The loss is that on the rows queried.  Without a sweep the run itself is the only point.
    """
    require(table_results, "sqsim.run/1")
    losses = table_results["loss"]["train"]
    zero = losses["zero"]
    unit = zero if positive(zero) else 1.0
    points = _points(table_results)
    figure = blank(WIDTH, BODY + 1.6)
    axes = place(figure, left=LEFT, bottom=0.55, width=WIDTH - LEFT - LABELS, height=BODY)
    taus = [tau for tau, _ in points] or [1.0]
    log_axis(axes, "x", min(taus) / 3, max(taus) * 3)
    shares = [loss / unit for _, loss in points if loss is not None]
    levels = _levels(table_results, unit)
    highest = max([1.0, *shares, *(share for share, _, _ in levels)])
    # A divergence must not flatten everything else.
    top = min(highest, 2.0) * 1.12
    axes.set_ylim(0.0, top)
    axes.set_xlabel("tolerance (larger is less exact)", fontsize=TEXT, color=INK)
    axes.set_ylabel("loss / loss of predicting zero", fontsize=TEXT, color=INK)
    ends = []
    for share, label, line in levels:
        axes.axhline(share, color=FAINT, lw=1.1, ls=line, zorder=1)
        ends.append((1.0, min(share / top, 1.0), f"{label}  {number(share)}", FAINT))
    group = Group.SQ if table_results["access"] == "SQ" else Group.CSQ
    _draw(axes, points, unit, top, group)
    leaders(axes, ends)
    table = table_results["table"]
    heading(
        figure,
        f"{table_results['algorithm']} on {Path(table['path']).name}",
        f"target {table['target']}, {number(table['rows'])} rows, {number(table['features'])} "
        f"features, convention {table_results['oracle']['norm']}, adversary "
        f"{sweep_policy(table_results)}",
    )
    crossed = any(loss is None or loss / unit > top for _, loss in points)
    legend(figure, [group], crossed="not finished, or off the scale" if crossed else None)
    return figure


def _points(results: Results) -> list[tuple[float, float | None]]:
    points = [(p["tolerance"], p["loss"]) for p in results.get("sweep") or ()]
    if results["oracle"]["policy"] == sweep_policy(results):
        points.append((results["oracle"]["tolerance"], results["loss"]["train"]["learner"]))
    found = {tau: loss for tau, loss in points if positive(tau)}
    return sorted(found.items())


def _levels(results: Results, unit: float) -> list[tuple[float, str, Any]]:
    losses = results["loss"]["train"]
    levels: list[tuple[float, str, Any]] = [
        (losses["zero"] / unit, "predicting zero", (0, (1, 1.5))),
    ]
    if losses["least_squares"] is not None:
        levels.append((losses["least_squares"] / unit, "least squares", "-"))
    oracle, learner = results["oracle"], losses["learner"]
    if learner is not None and (oracle["tolerance"] is None or oracle["policy"] == "exact"):
        levels.append((learner / unit, "this learner, exact answers", (0, (5, 2))))
    return levels


def _draw(
    axes: Axes,
    points: list[tuple[float, float | None]],
    unit: float,
    top: float,
    group: Group,
) -> None:
    style = STYLES[group]
    seen = [(tau, loss / unit) for tau, loss in points if loss is not None]
    axes.plot(
        [tau for tau, _ in seen],
        [share for _, share in seen],
        color=style.color,
        ls=style.line,
        marker=style.mark,
        ms=6,
        mfc="white",
        mew=1.6,
        lw=1.8,
        zorder=4,
    )
    lost = [tau for tau, loss in points if loss is None or loss / unit > top]
    axes.plot(
        lost,
        [top] * len(lost),
        ls="none",
        marker="x",
        ms=7,
        mew=1.8,
        color=INK,
        zorder=5,
        clip_on=False,
    )
