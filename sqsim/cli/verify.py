"""`sqsim verify`: the theorem index, computed anew."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sqsim.cli.options import Json, Quiet, check_copy, console


def verify(
    names: Annotated[
        list[str] | None, typer.Argument(help="Entries, or beginnings of their names: gv, gv.lemma")
    ] = None,
    fast: Annotated[bool, typer.Option("--fast", help="Leave out the slow entries.")] = False,
    list_only: Annotated[
        bool, typer.Option("--list", help="Name the entries and compute nothing.")
    ] = False,
    page: Annotated[
        Path | None, typer.Option(help="Also write the page of the documentation here.")
    ] = None,
    json_path: Json = None,
    quiet: Quiet = False,
) -> None:
    """Compute every stated number and claim of the sources and judge it.

    The exit code is 0 only if every entry came out as the index expects, and 1 otherwise.
    """
    from sqsim.report.files import write_json
    from sqsim.report.verdicts import VerdictTable, theorem_page
    from sqsim.verification import entries_named, judge

    check_copy(json_path)
    check_copy(page)
    chosen = entries_named(names or (), fast=fast)
    with VerdictTable(console(quiet)) as table:
        if list_only:
            table.list(chosen)
            return
        judged = [table.add(judge(entry)) for entry in chosen]
        table.finish()
    if json_path is not None:
        entries = [
            {
                "id": one.entry.name,
                "statement": one.entry.statement,
                "claimed": one.entry.stated,
                "computed": one.computed,
                "verdict": one.verdict.value,
                "expected": one.entry.expected.value,
                "correction": one.entry.truth,
                "source": one.entry.source,
                "method": one.entry.method,
                "seconds": one.seconds,
            }
            for one in judged
        ]
        write_json(json_path, {"schema": "sqsim.verify/1", "entries": entries})
    if page is not None:
        page.write_text(theorem_page(judged), encoding="utf-8")
    if not all(one.as_expected for one in judged):
        raise typer.Exit(1)
