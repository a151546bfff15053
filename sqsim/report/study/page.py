"""The one-file report on a store, while it is being written or after.

This file does not know how figures are drawn.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, final

from sqsim import __version__
from sqsim.errors import BadInput
from sqsim.report.files import write_atomically
from sqsim.report.html import filled, inline
from sqsim.report.study.columns import Row, arranged
from sqsim.report.study.defaults import default_figures
from sqsim.report.study.looks import COLORS, DARK, themed
from sqsim.report.study.pictures import Picture, draw, save_picture, stem_of
from sqsim.report.study.source import (
    export_command,
    figure_command,
    report_command,
    run_command,
    shipped_as,
    specification_file,
)
from sqsim.report.study.tables import (
    MOST_REASONS,
    endings_table,
    failures,
    fixed,
    runs_table,
    settings_table,
)
from sqsim.report.study.words import lead
from sqsim.studies.driving import Progress, progress_of
from sqsim.studies.exporting import export, records
from sqsim.studies.figures import Figure, figures_of
from sqsim.studies.store import Run, Store
from sqsim.studies.study import Study


@final
@dataclass(frozen=True)
class Snapshot:
    """A store as it was at one moment.

    Attributes
    ----------
    rows : one flat mapping a run, as in `exporting.records`, arguments first; runs : the same.
    fingerprint : sha256 of every run, times aside.
    """

    study: Study
    meta: dict[str, str]
    reached: Progress
    rows: Sequence[Row]
    runs: Sequence[Run]
    fingerprint: str


def snapshot(store: Store) -> Snapshot:
    """Read a store that another process may be writing."""
    runs = list(store.runs())
    return Snapshot(
        study=store.study,
        meta=store.meta,
        reached=progress_of(store),
        rows=arranged(records(store), (run.arguments for run in runs)),
        runs=runs,
        fingerprint=hashlib.sha256(store.fingerprint().encode()).hexdigest(),
    )


def write_study_report(store: Store, target: Path) -> Path:
    """Write the page to `target`; figures, rows and specification into the folder beside it.

    The same rows give the same page, times aside, whoever computed them.

    Raises BadInput where they cannot be written.
    """
    folder = _folder(target)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with store.frozen():
            seen = snapshot(store)
            export(store, folder / "runs.csv")
        name, text = specification_file(seen.study)
        write_atomically(folder / name, text.encode())
    except OSError as error:
        raise BadInput(f"cannot write to {folder}: {error}; choose another --out") from error
    pictures, troubles = _pictures(seen)
    for picture in pictures:
        save_picture(picture, folder)
    page = filled("study.html", _context(seen, pictures, troubles, store.path.name, target))
    try:
        write_atomically(target, page.encode())
    except OSError as error:
        raise BadInput(f"cannot write {target}: {error}; choose another --out") from error
    return target


def write_study_figure(store: Store, stem: str, target: Path) -> list[Path]:
    """Write one figure as the page of `target` has it: its SVG and its PDF.

    Raises BadInput for a name that no figure has, and while it has nothing to draw.
    """
    with store.frozen():
        seen = snapshot(store)
    figures, _ = _figures(seen)
    places = {stem_of(figure, place): place for place, figure in enumerate(figures, 1)}
    if stem not in places:
        raise BadInput(f"no figure {stem!r}; there are {', '.join(places) or 'none so far'}")
    picture = draw(figures[places[stem] - 1], seen.rows, place=places[stem])
    if picture is None:
        raise BadInput(f"{stem} has nothing to draw yet; wait for runs, or resume the study")
    return save_picture(picture, _folder(target))


def _folder(target: Path) -> Path:
    return target.with_name(f"{target.stem}-figures")


def _figures(seen: Snapshot) -> tuple[Sequence[Figure], list[str]]:
    """The figures of the study, those of any study where it names none, and what is wrong."""
    default = partial(default_figures, seen.rows, success=seen.study.repeats.success)
    try:
        return figures_of(seen.study) or default(), []
    except BadInput as error:
        return default(), [f"The figures of the specification are not drawn: {error}"]


def _pictures(seen: Snapshot) -> tuple[list[Picture], list[str]]:
    """What can be drawn, and why the rest cannot: a wrong figure costs no finished study."""
    figures, troubles = _figures(seen)
    pictures = []
    for place, figure in enumerate(figures, 1):
        try:
            picture = draw(figure, seen.rows, place=place)
        except BadInput as error:
            yet = " yet" if seen.reached.left else ""
            troubles.append(f"Figure {place} is not drawn{yet}: {error}")
            continue
        if picture is None:
            troubles.append(f"Figure {place} has nothing to draw yet: no run has its numbers.")
        else:
            pictures.append(picture)
    return pictures, troubles


def _context(
    seen: Snapshot, pictures: Sequence[Picture], troubles: Sequence[str], store: str, target: Path
) -> dict[str, Any]:
    study, folder = seen.study, _folder(target).name
    specified, text = specification_file(study)
    return {
        "title": study.title or study.name,
        "lead": lead(seen.reached),
        "partial": seen.reached.left > 0,
        "passages": [],
        "note": study.note,
        "pictures": [_shown(one, place, store, target) for place, one in enumerate(pictures, 1)],
        "troubles": troubles,
        "colors": list(zip(COLORS, DARK, strict=True)),
        "folder": folder,
        "settings": settings_table(seen.rows, study.repeats),
        "runs": runs_table(seen.rows, seen.runs),
        "endings": endings_table(seen.rows),
        "failures": failures(seen.runs),
        "most_reasons": MOST_REASONS,
        "failed": seen.reached.failed,
        "fixed": fixed(seen.rows),
        "provenance": {
            "study": study.name,
            "measure": study.measure,
            "cells": f"{seen.reached.done} of {seen.reached.wanted}",
            "fingerprint (sha256)": seen.fingerprint,
            **{f"{k} (runs)": v for k, v in seen.meta.items() if k not in ("schema", "study")},
            "sqsim (this page)": __version__,
            "store": seen.meta["schema"],
        },
        "shipped": shipped_as(study) is not None,
        "specification": text,
        "specification_file": specified,
        "commands": [run_command(study, store), report_command(store, target.name)],
        "export": export_command(store),
    }


def _shown(picture: Picture, place: int, store: str, target: Path) -> dict[str, Any]:
    return {
        "picture": picture,
        "place": place,
        "svg": inline(themed(picture.vector), picture.alt, picture.stem),
        "command": figure_command(picture.stem, store, target.name),
    }
