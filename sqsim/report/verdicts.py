"""The theorem index as a table on the console and as a page.  This file does not judge."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import final

from rich.console import Console

from sqsim.verification import Entry, Judged


@final
class VerdictTable:
    """Entries as they are judged, one line each, and the sum at the end."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._judged: list[Judged] = []

    def __enter__(self) -> VerdictTable:
        return self

    def __exit__(self, *raised: object) -> None:
        """Nothing is held open."""

    def list(self, entries: Sequence[Entry]) -> None:
        """Names and statements."""
        for entry in entries:
            slow = " (slow)" if entry.slow else ""
            self._console.print(f"[bold]{entry.name}[/bold]{slow}  ", end="")
            self._console.print(entry.statement, markup=False)

    def add(self, judged: Judged) -> Judged:
        """Print one."""
        entry = judged.entry
        mark = "as expected" if judged.as_expected else "UNEXPECTED"
        self._console.print(
            f"{entry.name}: {judged.verdict.value} ({mark}; {judged.seconds:.2f} s)\n"
            f"    {entry.statement}\n    claimed {entry.stated}"
            + ("" if entry.truth is None else f", corrected {entry.truth}")
            + f"; computed {judged.computed}",
            markup=False,
            highlight=False,
        )
        self._judged.append(judged)
        return judged

    def finish(self) -> None:
        """How many of each verdict."""
        counts = Counter(one.verdict.value for one in self._judged)
        words = ", ".join(f"{count} {verdict}" for verdict, count in counts.items())
        unexpected = sum(not one.as_expected for one in self._judged)
        self._console.print(
            f"{len(self._judged)} judged: {words}; "
            + (f"{unexpected} not as expected" if unexpected else "all as the index expects"),
            markup=False,
        )


def theorem_page(judged: Sequence[Judged]) -> str:
    """The index as Markdown, one table a source; no times, so equal results are equal pages."""
    lines = [
        "# The theorem index",
        "",
        "Every stated number and claim of the sources, computed anew. Made by "
        "`sqsim verify --page docs/theorems.md`. A verdict that contradicts a source is computed "
        "here, not confirmed by its authors.",
        "",
    ]
    for family in dict.fromkeys(one.entry.name.split(".")[0] for one in judged):
        lines += [f"## {family}", ""]
        lines += ["| entry | claim | source | how | claimed | computed | verdict |"]
        lines += ["|---|---|---|---|---|---|---|"]
        for one in judged:
            entry = one.entry
            if entry.name.split(".")[0] == family:
                cells = [entry.name, entry.statement, entry.source, entry.method]
                cells += [entry.stated, one.computed, one.verdict.value]
                lines.append("| " + " | ".join(cell.replace("|", r"\|") for cell in cells) + " |")
        lines.append("")
    return "\n".join(lines)
