"""`sqsim report`: the store of a study as a page, and its figures as files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sqsim.cli.options import Quiet


def report(
    store: Annotated[Path, typer.Argument(help="sqlite file of a study, also of a running one.")],
    out: Annotated[
        Path | None,
        typer.Option("--out", help="The page; default: beside the store.  Figures: NAME-figures."),
    ] = None,
    figure: Annotated[
        str | None, typer.Option(help="Write only this figure, such as figure-1-success.")
    ] = None,
    quiet: Quiet = False,
) -> None:
    """Write a one-file HTML report on a store, finished or not, and its figures as SVG and PDF."""
    from sqsim.errors import BadInput
    from sqsim.report.study.page import write_study_figure, write_study_report
    from sqsim.studies.store import open_for_reading

    target = out if out is not None else store.with_suffix(".html")
    if target.is_dir() or not target.parent.is_dir():
        raise BadInput(f"cannot write {target}: it must be a file in a folder that exists")
    if target.resolve() == store.resolve():
        raise BadInput(f"{target} is the store itself; give another --out")
    with open_for_reading(store) as opened:
        if figure is not None:
            written = write_study_figure(opened, figure, target)
        else:
            written = [write_study_report(opened, target)]
    if not quiet:
        typer.echo(f"written: {', '.join(map(str, written))}")
