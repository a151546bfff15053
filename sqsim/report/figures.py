"""The figure of `sqsim separation`, and any figure as SVG and PNG.

Nothing here touches pyplot or leaves a setting changed.
"""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqsim.report.curves import Track, stuck, tracks
from sqsim.report.files import write_atomically
from sqsim.report.reading import (
    ZERO_SHARE,
    Group,
    Outcome,
    Results,
    certified,
    number,
    require,
    zero_ratio,
)
from sqsim.report.style import (
    FAINT,
    INK,
    LABEL_STEP,
    RULE,
    STYLES,
    TEXT,
    blank,
    heading,
    leaders,
    legend,
    log_axis,
    place,
    write,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH, LEFT, LABELS = 9.4, 0.72, 3.15
PLOT = WIDTH - LEFT - LABELS
PNG_DPI = 160


def separation_figure(results: Results) -> Figure:
    """Loss ratio against scalar queries, both on log axes.

    Runs that ended at the level of the zero hypothesis lie on one line; a strip above shows them
    one by one.  The axis runs on to the right of the last run by a decade or more.
    """
    require(results, "sqsim.separation/1")
    runs = tracks(results)
    lanes = [track for track in runs if stuck(track)]
    others = [track for track in runs if not stuck(track)]
    strip = LABEL_STEP / 72 * len(lanes) + 0.1 if lanes else 0.0
    gap = 0.42 if lanes else 0.0
    body = max(2.9, LABEL_STEP / 72 * (len(others) + 1))
    figure = blank(WIDTH, 0.55 + body + gap + strip + (0.2 if lanes else 0.0) + 0.85)
    low, high = _query_range(runs, certified(results))
    axes = place(figure, left=LEFT, bottom=0.55, width=PLOT, height=body)
    log_axis(axes, "x", low, high)
    bottom, top = _ratio_range(runs, results)
    log_axis(axes, "y", bottom, top)
    axes.set_xlabel("scalar queries", fontsize=TEXT, color=INK)
    axes.set_ylabel("loss / upper bound on OPT", fontsize=TEXT, color=INK)
    _levels(axes, results)
    _proved(axes, certified(results), high)
    for track in runs:
        _curve(axes, track, low)
    worst = max((ratio for track in runs for _, ratio in track.points), default=0.0)
    if worst > top:
        note = f"off the scale: iterates up to {number(float(f'{worst:.1e}'))}"
        at: dict[str, Any] = {"transform": axes.transAxes, "ha": "right", "va": "bottom"}
        write(axes, 1.0, 1.005, note, color=FAINT, **at)
    if lanes:
        above = place(figure, left=LEFT, bottom=0.55 + body + gap, width=PLOT, height=strip)
        _strip(above, lanes, low, high)
    _name_ends(axes, others)
    instance, oracle = results["instance"], results["oracle"]
    heading(
        figure,
        "Who learns: loss against queries",
        f"dimension {number(instance['dimension'])}, bias {number(instance['bias'])}, tolerance "
        f"{number(oracle['tolerance'])} ({oracle['norm']}), adversary {oracle['policy']}",
    )
    groups = [kind for kind in Group if any(track.group is kind for track in runs)]
    crossed = any(track.outcome is Outcome.UNFINISHED for track in runs)
    legend(figure, groups, crossed="not finished" if crossed else None)
    return figure


def _query_range(runs: Sequence[Track], bound: float | None) -> tuple[float, float]:
    """From well before the first mark, room for the names of levels, to a decade after the last.

    What is proved is a mark too, where it is a number.
    """
    marks = [max(1.0, float(track.queries)) for track in runs] or [1.0]
    ends = [*marks, bound] if bound and math.isfinite(bound) else marks
    first, high = min(marks), max(ends) * 12
    return max(0.5, first * (first / high) ** 0.36), high


def _ratio_range(runs: Sequence[Track], results: Results) -> tuple[float, float]:
    """From below OPT to a little above the zero hypothesis: iterates may be worse without limit."""
    seen = [ratio for track in runs for _, ratio in track.points] + [1.0]
    zero = zero_ratio(results)
    return min(seen) / 3, 2.2 * max(seen) if zero is None else 4 * max(1.0, zero)


def _levels(axes: Axes, results: Results) -> None:
    """The zero hypothesis, OPT, and the bar for success, each named where it is."""
    success = results["success_ratio"]
    low = axes.get_ylim()[0]
    axes.axhspan(low, success, color="#009E73", alpha=0.10, lw=0, zorder=0)
    axes.axhline(1.0, color=INK, lw=1.0, zorder=1, gid="level-opt")
    at: dict[str, Any] = {"transform": axes.get_yaxis_transform(), "color": FAINT}
    write(axes, 0.012, 0.93, "OPT (upper bound): 1", va="top", **at)
    write(axes, 0.012, success * 1.07, f"learned: at most {number(success)}", va="bottom", **at)
    zero = zero_ratio(results)
    if zero is not None:
        axes.axhline(zero, color=INK, lw=1.0, ls=(0, (1, 1.5)), zorder=1, gid="level-zero")
        text = f"zero hypothesis: {number(zero)}"
        write(axes, 0.012, zero * 0.86, text, va="top", **at)


def _proved(axes: Axes, bound: float | None, high: float) -> None:
    """The line that no correlational learner crosses to the left."""
    if bound is None or not 1 < bound < high:
        return
    color = STYLES[Group.CSQ].color
    axes.axvline(bound, color=color, lw=1.2, ls=(0, (4, 1.5, 1, 1.5)), zorder=2, gid="proved")
    text = f"proved: CSQ needs \n{number(float(f'{bound:.2e}'))} queries "
    at: dict[str, Any] = {"transform": axes.get_xaxis_transform(), "ha": "right", "va": "center"}
    write(axes, bound, 0.5, text, color=color, **at)


def _curve(axes: Axes, track: Track, start: float) -> None:
    style = STYLES[track.group]
    xs = [max(x, start) for x, _ in track.points]
    ys = [y for _, y in track.points]
    if not xs:
        return
    axes.plot(xs, ys, drawstyle="steps-post", color=style.color, ls=style.line, lw=1.7, zorder=3)
    if ys[-1] <= axes.get_ylim()[1]:
        _mark(axes, xs[-1], ys[-1], track)


def _mark(axes: Axes, x: float, y: float, track: Track) -> None:
    style = STYLES[track.group]
    mark = "x" if track.outcome is Outcome.UNFINISHED else style.mark
    axes.plot(
        [x],
        [y],
        ls="none",
        marker=mark,
        ms=6.5,
        mew=1.6,
        color=style.color,
        mfc="white",
        zorder=5,
        clip_on=False,
    )


def _strip(axes: Axes, lanes: Sequence[Track], low: float, high: float) -> None:
    """One lane for each run that shares its line with others, or never got a loss."""
    log_axis(axes, "x", low, high)
    axes.tick_params(which="both", bottom=False, labelbottom=False, left=False, labelleft=False)
    for side in ("left", "bottom"):
        axes.spines[side].set_visible(False)
    axes.set_ylim(len(lanes) - 0.35, -0.65)
    axes.set_facecolor("#f5f5f5")
    finished = any(track.outcome is not Outcome.UNFINISHED for track in lanes)
    crossed = any(track.outcome is Outcome.UNFINISHED for track in lanes)
    words = [f"no better than {ZERO_SHARE} × the zero hypothesis"] * finished
    words += ["not finished"] * crossed
    title = f"Ended {' or '.join(words)}; one line each"
    write(axes, 0.0, 1.0, title, transform=axes.transAxes, va="bottom", color=FAINT)
    for row, track in enumerate(lanes):
        style = STYLES[track.group]
        end = max(float(track.queries), low)
        axes.plot([low, end], [row, row], color=style.color, ls=style.line, lw=1.7, zorder=3)
        _mark(axes, end, row, track)
        last = number(track.ratio) if track.ratio is not None else track.status
        axes.plot([end, high], [row, row], color=RULE, lw=0.8, zorder=1)
        label = f"{track.name}  {last}"
        write(axes, 1.03, row, label, va="center", transform=axes.get_yaxis_transform())


def _name_ends(axes: Axes, runs: Sequence[Track]) -> None:
    to_axes = axes.transScale + axes.transLimits
    ends = []
    for track in runs:
        if track.points:
            x, y = to_axes.transform(track.points[-1])
            label = f"{track.name}  {number(track.ratio)}"
            ends.append((float(x), float(y), label, STYLES[track.group].color))
    leaders(axes, ends)


def svg(figure: Figure) -> str:
    """The figure as SVG with real text, the same bytes for the same figure."""
    import matplotlib

    target = io.StringIO()
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "sqsim"}):
        figure.savefig(
            target, format="svg", metadata=dict.fromkeys(("Creator", "Date", "Format", "Type"))
        )
    return target.getvalue()


def save(figure: Figure, path_stem: Path) -> tuple[Path, Path]:
    """Write stem.svg and stem.png, each in one step; the two paths."""
    picture = io.BytesIO()
    figure.savefig(picture, format="png", dpi=PNG_DPI)
    paths = (path_stem.with_name(path_stem.name + end) for end in (".svg", ".png"))
    vector, raster = paths
    write_atomically(vector, svg(figure).encode())
    write_atomically(raster, picture.getvalue())
    return vector, raster
