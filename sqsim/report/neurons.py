"""The figure of `sqsim neurons`: loss and worst angle of every learner against the tolerance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from sqsim.errors import BadInput
from sqsim.report.reading import Results, number, require
from sqsim.report.style import (
    FAINT,
    INK,
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

WIDTH, BODY, LEFT, GAP, LABELS = 9.4, 3.4, 0.72, 0.85, 1.6
FLOOR = 1e-8
"""Losses and angles below are drawn here: tolerances do not reach them."""


class _Look(NamedTuple):
    color: str
    line: Any
    mark: str


LOOKS = {
    "deflate-thresholded": _Look("#009E73", "-", "s"),
    "deflate-correlational": _Look("#0072B2", "-", "o"),
    "tensor-thresholded": _Look("#D55E00", (0, (5, 2)), "^"),
    "tensor-correlational": _Look("#CC79A7", (0, (1.5, 1.5)), "D"),
}


def neurons_figure(results: Results) -> Figure:
    """Left: loss over the zero hypothesis's; right: the largest angle to a hidden neuron.

    Small filled marks are losses before the joint rounds.
    """
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

    require(results, "sqsim.neurons/1")
    finished = [row for row in results["runs"] if "loss" in row]
    if not finished:
        raise BadInput("no run finished, so there is nothing to draw; see the runs' messages")
    figure = blank(WIDTH, BODY + 1.35)
    width = (WIDTH - LEFT - GAP - LABELS) / 2
    tolerances = [row["tolerance"] for row in finished]
    low, high = min(tolerances) / 1.6, max(tolerances) * 1.6
    left = place(figure, left=LEFT, bottom=0.55, width=width, height=BODY)
    right = place(figure, left=LEFT + width + GAP, bottom=0.55, width=width, height=BODY)
    for axes, key, label, most in (
        (left, "loss_to_zero", "loss / loss of the zero hypothesis", 2.0),
        (right, "worst_angle", "largest angle to a hidden neuron (radians)", 2.0),
    ):
        values = [max(row[key], FLOOR) for row in finished]
        log_axis(axes, "x", low, high)
        axes.xaxis.set_major_locator(FixedLocator(sorted(set(tolerances))))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: number(value)))
        log_axis(axes, "y", min(min(values) / 2, 0.5), max(most, max(values)))
        axes.set_xlabel("tolerance of every query", fontsize=TEXT, color=INK)
        axes.set_ylabel(label, fontsize=TEXT, color=INK)
        ends = _lines(axes, finished, key)
        if axes is right:
            leaders(axes, ends)
    _before(left, finished)
    _levels(left, results)
    heading(figure, _title(results), _subtitle(results))
    return figure


def _lines(axes: Axes, finished: list[Results], key: str) -> list[tuple[float, float, str, str]]:
    ends = []
    for name, look in LOOKS.items():
        rows = sorted(
            (row["tolerance"], max(row[key], FLOOR)) for row in finished if row["algorithm"] == name
        )
        if not rows:
            continue
        axes.plot(
            [x for x, _ in rows],
            [y for _, y in rows],
            color=look.color,
            ls=look.line,
            lw=1.6,
            marker=look.mark,
            ms=5,
            mfc="white",
            mew=1.4,
            gid=f"{key}-{name}",
        )
        x, y = (axes.transScale + axes.transLimits).transform(rows[-1])
        ends.append((float(x), float(y), name, look.color))
    return ends


def _before(axes: Axes, finished: list[Results]) -> None:
    """Losses of the neurons as they were found one by one, before the joint rounds."""
    low, high = axes.get_ylim()
    for row in finished:
        y = row["pursued_loss_to_zero"]
        look = LOOKS[row["algorithm"]]
        if low < y < high:
            axes.plot(
                [row["tolerance"]],
                [y],
                ls="none",
                marker=look.mark,
                ms=3,
                color=look.color,
                alpha=0.45,
                mew=0,
                gid=f"before-{row['algorithm']}",
            )


def _levels(axes: Axes, results: Results) -> None:
    """The zero hypothesis, and the budget of the corruption."""
    axes.axhline(1.0, color=FAINT, lw=0.8, zorder=1)
    levels = [(1.0, "zero hypothesis")]
    share = results["opt_upper_bound"] / results["zero_loss"]
    if share > 0:
        axes.axhline(share, color=FAINT, lw=0.8, ls=(0, (1, 1)), zorder=1)
        levels.append((share, "hidden network"))
    for level, words in levels:
        _, y = (axes.transScale + axes.transLimits).transform((axes.get_xlim()[0], level))
        write(axes, 0.01, float(y) + 0.012, words, transform=axes.transAxes, color=FAINT)


def _title(results: Results) -> str:
    return f"Learning {results['count']} ReLU neurons at once in dimension {results['dimension']}"


def _subtitle(results: Results) -> str:
    biases = list(dict.fromkeys(round(b, 6) for b in results["biases"]))
    table = results["overlaps"]
    pairs = [abs(table[i][j]) for i in range(len(table)) for j in range(i)]
    inner = max(pairs, default=0.0)
    spread = "orthogonal directions" if inner < 1e-9 else f"overlaps up to {number(inner)}"
    which = "equal biases" if len(biases) == 1 else "biases"
    budget = "" if results["alpha"] is None else f"; decoy of energy / {number(results['alpha'])}"
    return (
        f"{which} {', '.join(number(b) for b in biases)}; {spread}; {results['norm']} tolerance, "
        f"answers {results['policy']}{budget}; small marks: before the joint rounds; "
        "computed here"
    )
