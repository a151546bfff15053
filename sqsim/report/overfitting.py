"""The figure of adaptive overfitting: what an analyst is told against how often they asked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sqsim.report.reading import Group, Results, number, require
from sqsim.report.style import (
    FAINT,
    INK,
    STYLES,
    TEXT,
    blank,
    heading,
    leaders,
    log_axis,
    place,
    write,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH, LEFT, LABELS, BODY = 9.4, 0.72, 2.7, 3.4
LOOK = {"one reused sample": STYLES[Group.WARM], "reusable holdout": STYLES[Group.CSQ]}


def overfitting_figure(results: Results) -> Figure:
    """Error over promised tolerance, against the number of features that vote.

    One line for each analyst; the line at 1 is the promise.
    """
    require(results, "sqsim.overfitting/1")
    analysts = results["analysts"]
    points = [point for analyst in analysts for point in _points(analyst)]
    figure = blank(WIDTH, BODY + 1.2)
    axes = place(figure, left=LEFT, bottom=0.55, width=WIDTH - LEFT - LABELS, height=BODY)
    features = [x for x, _ in points] or [1.0]
    log_axis(axes, "x", min(features) / 1.3, max(features) * 1.3)
    top = 1.12 * max([1.3, *(y for _, y in points)])
    low = -0.03 * top
    axes.set_ylim(low, top)
    axes.set_xlabel("features that vote, signs as answered before", fontsize=TEXT, color=INK)
    axes.set_ylabel("error / promised tolerance", fontsize=TEXT, color=INK)
    _promise(axes)
    ends = []
    for name, look in LOOK.items():
        mine = [analyst for analyst in analysts if analyst["oracle"] == name]
        for analyst in mine:
            _draw(axes, _points(analyst), look.color, look.line, look.mark)
        last = [_points(analyst)[-1][1] for analyst in mine if analyst["claims"]]
        if last:
            middle = sorted(last)[len(last) // 2]
            tau = number(float(f"{mine[0]['tolerance']:.2g}"))
            label = f"{name}, promised {tau}"
            ends.append((0.975, (middle - low) / (top - low), label, look.color))
    leaders(axes, ends)
    heading(
        figure,
        "A pattern in coin flips: what an adaptive analyst is told",
        f"{number(results['dimension'])} features and labels that are coins, so the truth is 0; "
        f"{number(analysts[0]['examples'])} examples for either; failure probability "
        f"{number(results['failure'])}; one line for each of {_trials(analysts)} analysts",
    )
    return figure


def _points(analyst: Results) -> list[tuple[float, float]]:
    return [
        (float(claim["features"]), abs(claim["answer"]) / analyst["tolerance"])
        for claim in analyst["claims"]
    ]


def _trials(analysts: Sequence[Results]) -> int:
    return len({analyst["seed"] for analyst in analysts})


def _promise(axes: Axes) -> None:
    axes.axhspan(axes.get_ylim()[0], 1.0, color="#009E73", alpha=0.10, lw=0, zorder=0)
    axes.axhline(1.0, color=INK, lw=1.0, zorder=1, gid="level-promise")
    at: dict[str, Any] = {"transform": axes.get_yaxis_transform(), "color": FAINT}
    write(axes, 0.012, 1.03, "promised: errors up to 1", va="bottom", **at)


def _draw(
    axes: Axes, points: Sequence[tuple[float, float]], color: str, line: Any, mark: str
) -> None:
    xs, ys = [x for x, _ in points], [y for _, y in points]
    axes.plot(
        xs, ys, color=color, ls=line, lw=1.4, marker=mark, ms=5, mew=1.3, mfc="white", zorder=4
    )
