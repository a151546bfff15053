"""A figure of a study as SVG for a page, and as SVG and PDF files for a paper."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

from sqsim.errors import BadInput
from sqsim.report.figures import svg
from sqsim.report.files import write_atomically
from sqsim.report.study.columns import Row, label, short, spoken
from sqsim.report.study.heat import gather_grids, heat_figure
from sqsim.report.study.lines import lines_figure
from sqsim.report.study.numbers import grid_numbers, line_numbers
from sqsim.report.study.points import gather
from sqsim.report.study.tables import Table
from sqsim.report.study.words import heat_alt, line_notes, lines_alt, notes
from sqsim.studies.figures import Figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Drawing


@final
@dataclass(frozen=True)
class Picture:
    """A drawn figure.

    Attributes
    ----------
    stem : its name in files and commands.
    vector : the SVG of the drawing.
    alt : what it shows, in words and numbers; caption, note, numbers : below it.
    """

    stem: str
    title: str
    alt: str
    caption: str
    note: str
    numbers: Table
    drawing: Drawing
    vector: str


def draw(figure: Figure, rows: Sequence[Row], *, place: int) -> Picture | None:
    """The figure of this place, from 1 on; None while no run has anything to draw.

    Raises BadInput for a column that no run has.
    """
    if figure.kind == "heat":
        grids = gather_grids(figure, rows)
        if not grids.runs:
            return None
        drawing, alt = heat_figure(figure, grids), heat_alt(figure, grids)
        note, numbers = notes(figure, grids.runs, grids.without_value), grid_numbers(figure, grids)
    else:
        found = gather(figure, rows)
        if not found.runs:
            return None
        drawing, alt = lines_figure(figure, found), lines_alt(figure, found)
        note, numbers = line_notes(figure, found), line_numbers(figure, found)
    said = f"{figure.caption} {alt}" if figure.caption else alt
    return Picture(
        stem=stem_of(figure, place),
        title=title(figure),
        alt=said,
        caption=figure.caption,
        note=note,
        numbers=numbers,
        drawing=drawing,
        vector=svg(drawing),
    )


def title(figure: Figure) -> str:
    """Its own title, or what is drawn against what."""
    if figure.title:
        return figure.title
    y = figure.value if figure.kind == "heat" else figure.y
    x = f"{short(figure.x)} and {short(figure.y)}" if figure.kind == "heat" else short(figure.x)
    return f"{spoken(label(y))} against {x}".capitalize()


def stem_of(figure: Figure, place: int) -> str:
    """A name for files: its number, and what it draws."""
    words = short(figure.value or figure.y).split()
    kept = ["".join(c for c in one if c.isascii() and c.isalnum()) for one in words]
    return "-".join([f"figure-{place}", *filter(None, kept)])


def save_picture(picture: Picture, folder: Path) -> list[Path]:
    """Write the SVG and the PDF, text as text in both; their paths.

    Raises BadInput where they cannot be written.
    """
    paths = [folder / f"{picture.stem}{end}" for end in (".svg", ".pdf")]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_atomically(paths[0], picture.vector.encode())
        write_atomically(paths[1], pdf(picture.drawing))
    except OSError as error:
        raise BadInput(f"cannot write to {folder}: {error}; choose another --out") from error
    return paths


def pdf(drawing: Drawing) -> bytes:
    """The figure as PDF with TrueType text, the same bytes for the same figure."""
    import matplotlib

    target = io.BytesIO()
    nothing: dict[str, Any] = dict.fromkeys(("Creator", "Producer", "CreationDate"))
    with matplotlib.rc_context({"pdf.fonttype": 42}):
        drawing.savefig(target, format="pdf", metadata=nothing)
    return target.getvalue()
