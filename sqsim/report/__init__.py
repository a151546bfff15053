"""Tables, figures and the one-file report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqsim.lazy import attach

if TYPE_CHECKING:
    from sqsim.report.brackets import tolerance_figure
    from sqsim.report.figures import save, separation_figure, svg
    from sqsim.report.html import write_separation_report, write_table_report
    from sqsim.report.study.page import write_study_figure, write_study_report
    from sqsim.report.sweeps import table_figure
    from sqsim.report.words import headline, separation_words, table_words

__all__ = [
    "headline",
    "save",
    "separation_figure",
    "separation_words",
    "svg",
    "table_figure",
    "table_words",
    "tolerance_figure",
    "write_separation_report",
    "write_study_figure",
    "write_study_report",
    "write_table_report",
]

_NAMES = {
    "sqsim.report.brackets": ("tolerance_figure",),
    "sqsim.report.figures": ("save", "separation_figure", "svg"),
    "sqsim.report.html": ("write_separation_report", "write_table_report"),
    "sqsim.report.study.page": ("write_study_figure", "write_study_report"),
    "sqsim.report.sweeps": ("table_figure",),
    "sqsim.report.words": ("headline", "separation_words", "table_words"),
}

# Hidden from type checkers: they would take any misspelt name for a lazy one.
if not TYPE_CHECKING:
    __getattr__, __dir__ = attach(__name__, _NAMES, ())
