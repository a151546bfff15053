"""Colours, marks, labels and axes of the figures of a study.  This file knows no runs.

Colours are near Okabe and Ito's, darkened to stand out from white at 3 : 1; line and mark say the
same.  A page replaces them by variables of its style (`themed`), so that they fit a dark page too.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from sqsim.report.style import FAINT, INK, RULE, SMALL, blank, place

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH, LEFT, BOTTOM, GAP = 9.4, 0.78, 0.5, 0.3
ACROSS = 3
"""Panels side by side at most."""
LETTER, SLANT = 0.063, 35.0
"""Inches that a letter of a label takes, and the degrees by which long words are turned."""
KEY_STEP = 0.21
"""Inches between the rows of a legend."""


class Look(NamedTuple):
    """How a series is drawn."""

    color: str
    line: Any
    mark: str


COLORS = ("#0072B2", "#D55E00", "#00875F", "#A6417E", "#8A6D00", "#4B5A9E", "#7A4B3A")
DARK = ("#5AB4EA", "#FF9A4D", "#4CCB9F", "#E995C7", "#DFC04A", "#A7B2F5", "#D9A48F")
LINES: tuple[Any, ...] = ("-", (0, (5, 2)), (0, (7, 2, 1.5, 2)), (0, (1.5, 1.5)))
MARKS = ("o", "^", "s", "D", "v", "P", "X", "<", ">")
PAPER = "#ffffff"
PROVED = "#9A3412"
THEME = {
    INK: "--ink",
    FAINT: "--soft",
    RULE: "--rule",
    PAPER: "--page",
    PROVED: "--bad",
    **{color.lower(): f"--series-{place}" for place, color in enumerate(COLORS, 1)},
}


def look(place: int) -> Look:
    """The look of the series of this place; the first seven differ in everything."""
    turn = place // len(COLORS)
    return Look(
        COLORS[place % len(COLORS)],
        LINES[(place + turn) % len(LINES)],
        MARKS[place % len(MARKS)],
    )


def themed(svg: str) -> str:
    """An SVG whose colours are variables of the page it stands in."""
    for color, variable in THEME.items():
        svg = svg.replace(color.lower(), f"var({variable})")
    return svg


def tex(text: str) -> dict[str, Any]:
    """Keyword arguments for a text that may hold LaTeX between dollar signs.

    What is no formula that matplotlib reads is shown as it was written.
    """
    if text.count("$") < 2 or text.count("$") % 2:
        return {"parse_math": False}
    from matplotlib.mathtext import MathTextParser

    try:
        MathTextParser("path").parse(text)
    except ValueError:
        return {"parse_math": False}
    return {"parse_math": True}


def panels(
    count: int, *, keys: int, height: float, titled: bool, named: Sequence[str] = ()
) -> tuple[Figure, list[Axes]]:
    """A figure of `count` axes, at most three side by side.

    There is room for `keys` rows of a legend above, and for the words `named` on the axis of x.
    """
    across = min(count, ACROSS)
    down = math.ceil(count / across)
    titles = 0.3 if titled else 0.08
    head = 0.1 + KEY_STEP * keys
    each = (WIDTH - LEFT - 0.25 - GAP * (across - 1)) / across
    longest = max(map(len, named), default=0)
    slanted = LETTER * 1.15 * longest * len(named) > each
    below = BOTTOM + LETTER * longest * math.sin(math.radians(SLANT)) * slanted
    step = height + titles + below
    figure = blank(WIDTH, head + step * down)
    axes = []
    for index in range(count):
        row, column = divmod(index, across)
        axes.append(
            place(
                figure,
                left=LEFT + column * (each + GAP),
                bottom=below + (down - 1 - row) * step,
                width=each,
                height=height,
            )
        )
    return figure, axes


def key_rows(names: Sequence[str], *, handle: float = 0.62) -> list[list[int]]:
    """Places of the keys of a legend, in rows that fit the width."""
    rows: list[list[int]] = []
    used = WIDTH
    for index, name in enumerate(names):
        wide = handle + 0.068 * len(name) + 0.25
        if used + wide > WIDTH - 0.2:
            rows.append([])
            used = 0.0
        rows[-1].append(index)
        used += wide
    return rows


def legend(figure: Figure, handles: Sequence[Any]) -> None:
    """The keys at the top left, row by row."""
    across, up = figure.get_size_inches()
    rows = key_rows([str(handle.get_label()) for handle in handles])
    for place_, row in enumerate(rows):
        made = figure.legend(
            handles=[handles[index] for index in row],
            ncols=len(row),
            loc="upper left",
            frameon=False,
            fontsize=SMALL,
            bbox_to_anchor=(0.14 / across, 1 - (0.06 + KEY_STEP * place_) / up),
            borderpad=0,
            borderaxespad=0,
            handlelength=3.4,
            columnspacing=1.8,
            labelcolor=INK,
        )
        for text in made.get_texts():
            text.set(**tex(text.get_text()))
