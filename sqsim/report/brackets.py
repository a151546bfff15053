"""The figure of a search for the tolerance at which each learner first learned."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqsim.report.reading import Group, Results, group, name, number, positive, require
from sqsim.report.style import (
    FAINT,
    INK,
    RULE,
    STYLES,
    TEXT,
    blank,
    heading,
    legend,
    log_axis,
    place,
    write,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH, LEFT, VALUES = 9.4, 2.75, 1.95


def tolerance_figure(results: Results) -> Figure:
    """For each learner the tolerances at which it learned and did not, from the search."""
    require(results, "sqsim.separation/1")
    rows = sorted(
        results.get("smallest_tolerance") or [], key=lambda row: -(row["succeeds"] or 0.0)
    )
    oracle = results["oracle"]
    seen = [row[key] for row in rows for key in ("succeeds", "fails") if positive(row[key])]
    seen += [oracle["tolerance"]] if positive(oracle["tolerance"]) else []
    low, high = min(seen, default=0.1) / 8, max(seen, default=1.0) * 8
    height = max(0.6, 0.27 * len(rows))
    figure = blank(WIDTH, height + 1.65)
    axes = place(figure, left=LEFT, bottom=0.55, width=WIDTH - LEFT - VALUES, height=height)
    log_axis(axes, "x", low, high)
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.set_xlabel("tolerance (larger is less exact)", fontsize=TEXT, color=INK)
    for place_, row in enumerate(rows):
        _bracket(axes, place_, row)
    if positive(oracle["tolerance"]):
        axes.axvline(oracle["tolerance"], color=FAINT, lw=1.0, ls=(0, (1, 1.5)), zorder=1)
        text = f"this run: {number(oracle['tolerance'])}"
        write(axes, oracle["tolerance"], -0.62, text, ha="center", va="bottom", color=FAINT)
    subtitle = f"convention {oracle['norm']}, adversary {oracle['policy']}; bars: finer ones"
    if any(row.get("floor") for row in rows):
        subtitle += "; * below it the error of the computed means exceeds the radius"
    heading(figure, "The tolerance at which each learner first learned", subtitle)
    groups = [kind for kind in Group if any(group(row) is kind for row in rows)]
    legend(figure, groups, crossed="did not learn", lines=False)
    return figure


def _bracket(axes: Axes, y: int, row: Results) -> None:
    style = STYLES[group(row)]
    succeeds, fails = row["succeeds"], row["fails"]
    low, high = axes.get_xlim()
    axes.axhline(y, color=RULE, lw=0.6, zorder=0)
    common: dict[str, Any] = {"color": style.color, "zorder": 4, "clip_on": False}
    if positive(succeeds):
        axes.plot([low, succeeds], [y, y], lw=3, solid_capstyle="butt", **common)
        axes.plot([succeeds], [y], ls="none", marker=style.mark, ms=7, **common)
    # Brackets are a tenth of a decade wide: a cross on the mark would hide both.
    if positive(fails) and not (positive(succeeds) and fails < succeeds * (high / low) ** 0.05):
        axes.plot([fails], [y], ls="none", marker="x", ms=7, mew=1.8, **common)
    if positive(succeeds):
        words = number(succeeds) + (f", not {number(fails)}" if positive(fails) else "")
    elif fails is None:
        words = "no run finished"
    else:
        words = f"none down to {number(fails)}" + (" *" if row.get("floor") else "")
    side: dict[str, Any] = {"transform": axes.get_yaxis_transform(), "va": "center"}
    write(axes, -0.02, y, name(row), ha="right", **side)
    write(axes, 1.02, y, words, **side)
