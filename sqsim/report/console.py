"""What the command line prints while it works.  Nothing is computed here."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self, final

from rich.console import Console
from rich.status import Status
from rich.table import Table
from rich.text import Text

from sqsim.report.learners import held_out, learner_rows, learners_headline, plain_losses
from sqsim.report.reading import name, number
from sqsim.report.words import Passage, bracket_words, separation_words, table_words


class _Progress:
    """A status line that follows the observer's events, and rows printed as they come."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._status: Status | None = None

    def __enter__(self) -> Self:
        if self.console.is_terminal and not self.console.quiet:
            self._status = self.console.status("starting")
            self._status.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._status is not None:
            self._status.stop()

    def say(self, text: str) -> None:
        """Show what is being done: on the status line, or as a line where there is none."""
        if self._status is not None:
            self._status.update(Text(text))

    def row(self, cells: list[str], widths: list[int]) -> None:
        """One line of a table whose rows arrive one by one."""
        pairs = zip(cells, widths, strict=True)
        text = "  ".join(c.rjust(w) if w > 0 else c.ljust(-w) for c, w in pairs)
        self.console.print(Text(text.rstrip()), soft_wrap=True)

    def passages(self, passages: list[Passage]) -> None:
        """Headed paragraphs."""
        for heading, text in passages:
            self.console.print(Text(f"\n{heading}. ", style="bold") + Text(text))

    def written(self, report: Path) -> None:
        """Where the files are."""
        self.console.print(Text(f"\nwritten to {report.parent}: {_names(report.parent)}"))


def _names(directory: Path) -> str:
    names = sorted(p.name + ("/" if p.is_dir() else "") for p in directory.iterdir())
    return ", ".join(names)


@final
class SeparationProgress(_Progress):
    """The table of `sqsim separation`, row by row."""

    WIDTHS = (-32, -6, -20, 11, 8, 12, 7, 8)

    def __init__(self, console: Console, study: Any) -> None:
        super().__init__(console)
        self.study = study
        self.started = False

    def observe(self, event: str, details: Mapping[str, Any]) -> None:
        """Observer of `separate` and `find_tolerances`."""
        if not self.started:
            self._head()
        if event == "learner":
            doing = "looking for the tolerance of" if details.get("search") else "running"
            self.say(f"{doing} {details['algorithm']} ({details['access']})")
        elif event == "run":
            cells = [
                name(details),
                details["access"],
                details["status"],
                number(details["loss_ratio"]),
                number(details["overlap"]),
                f"{details['queries']:,}",
                str(details["rounds"]),
                f"{details['seconds']:.1f}",
            ]
            self.row(cells, list(self.WIDTHS))
        elif event == "tolerance":
            self._tolerance(details)

    def _head(self) -> None:
        self.started = True
        s = self.study
        answers = f"({s.norm}), answers {s.policy}"
        if s.sampled is not None:
            answers = f"from samples ({s.model}), no adversary"
        if s.model == "ldp":
            answers += f", epsilon {s.epsilon:g}, clipped at {s.clip:g}"
        self.console.print(
            Text(
                f"hidden neuron of bias {s.bias:g} in dimension {s.dimension}, Hermite degrees up "
                f"to {s.cutoff} removed;\ntolerance {s.tolerance:g} {answers}, seed {s.seed}\n"
            ),
            soft_wrap=True,
        )
        heads = ["learner", "access", "status", "loss/bound", "overlap", "queries", "rounds", "sec"]
        self.row(heads, list(self.WIDTHS))

    def _tolerance(self, row: Mapping[str, Any]) -> None:
        found = bracket_words(row)
        self.console.print(Text(f"{name(row):42}{row['access']:5}{found}"), soft_wrap=True)

    def finish(self, results: Mapping[str, Any], report: Path) -> None:
        """What was shown, in words, and where the files are."""
        self.passages(separation_words(results))
        self.written(report)


@final
class TableProgress(_Progress):
    """What `sqsim run` prints."""

    def observe(self, event: str, details: Mapping[str, Any]) -> None:
        """Observer of `run_table`."""
        what = details.get("algorithm", "the learner")
        at = details.get("tolerance")
        self.say(f"{event}: {what}" + ("" if at is None else f" at tolerance {at:.2g}"))

    def finish(self, results: Mapping[str, Any], report: Path) -> None:
        """Losses beside those of the plain predictors, costs, and where the files are."""
        table = Table(box=None, pad_edge=False)
        for head in ("rows", "learner", "zero predictor", "least squares"):
            table.add_column(head, justify="left" if head == "rows" else "right")
        for part in ("train", "test"):
            loss = results["loss"][part]
            if loss is not None:
                cells = [number(loss[key]) for key in ("learner", "zero", "least_squares")]
                table.add_row(part, *cells)
        self.console.print(table)
        self.console.print(Text(f"{results['queries']:,} queries in {results['rounds']} rounds"))
        self.passages(table_words(results))
        self.written(report)


@final
class LearnersProgress(_Progress):
    """What `sqsim run` prints where several learners are run."""

    WIDTHS = (-28, -6, 9, 9, 14, 9, 6, -20)

    def observe(self, event: str, details: Mapping[str, Any]) -> None:
        """Observer of `run_learners`."""
        if event == "learner":
            self.say(f"running {details['algorithm']} ({details['access']})")

    def finish(self, results: Mapping[str, Any], report: Path) -> None:
        """A row for each learner, that of least loss first, and where the files are."""
        self.console.print(Text(f"mean squared error on the {held_out(results)}\n"))
        heads = ["learner", "access", "loss", "of zero's", "of l. squares'", "queries", "rounds"]
        self.row([*heads, ""], list(self.WIDTHS))
        for row in learner_rows(results):
            run = row["run"]
            shares = [number(row[key]) for key in ("loss", "of_zero", "of_least_squares")]
            costs = [f"{run['queries']:,}", str(run["rounds"])]
            status = "" if run["status"] == "finished" else run["status"]
            cells = [run["algorithm"], run["access"], *shares, *costs, status]
            self.row(cells, list(self.WIDTHS))
        plain = plain_losses(results)
        for label, key in (("predicting zero", "zero"), ("least squares", "least_squares")):
            self.row([label, "", number(plain[key]), *[""] * 5], list(self.WIDTHS))
        self.console.print(Text("\n" + learners_headline(results)))
        self.written(report)
