"""What a study wants drawn: the keys of each table under `figures` of a specification.

A column is a name in `exporting.records`: an argument such as "problem.dimension" or "tolerance",
or an entry of the row such as "ratio".  Runs in which the column x is None are left out, so that
one study can hold several sweeps.  A number of unlimited size may be a text ("Infinity", or exact
decimals): it is read as a float to be drawn, an infinite one at the edge of the figure.  This file
does not know how figures are drawn.

    [[figures]]
    kind = "curve"              # one line for each series, over seeds: median, quartiles shaded
    x = "tolerance"
    y = "ratio"
    series = ["algorithm.name"]
    log = ["x", "y"]
    reference = ["certified_tolerance"]   # proved numbers, drawn dashed and named as proved
    title = "..."
    caption = "..."

kind "curve"      y against x, one line for each series; over seeds the `statistic` and its spread.
                  With `low` and `high`, these columns are the ends of each point's error bar.
kind "frequency"  share of runs whose y is true against x, with Clopper-Pearson intervals; failed
                  runs count as not true.
kind "heat"       colour of `value` over cells (x, y); one panel for each series.
kind "bars"       one bar of height y for each x (a word), side by side by series.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, final

from sqsim.errors import BadInput
from sqsim.studies.named_values import read_table

if TYPE_CHECKING:
    from sqsim.studies.study import Study

KINDS = ("curve", "frequency", "heat", "bars")
STATISTICS = ("median", "mean", "min", "max")
AXES = ("x", "y", "value")


@final
@dataclass(frozen=True)
class Figure:
    """One figure of a study.

    Attributes
    ----------
    kind : "curve", "frequency", "heat" or "bars"
    x, y : columns; in a heat map both are axes, in a frequency y is true or false.
    value : the coloured column of a heat map.
    series : columns whose values together name a line, a group of bars or a panel of a heat map.
    panel : a column; one panel of the figure for each of its values.
    where : column -> value or list of values; other runs are left out of this figure.
    statistic : what is drawn of the runs of one point: "median" (with quartiles), "mean" (with its
        95 % interval), "min" or "max".
    low, high : columns of the ends of an error bar, in place of the spread over seeds.
    log : axes that are logarithmic, of "x", "y" and "value".
    reference : columns of proved numbers, drawn beside y for every x (and series, if they differ).
    level : a horizontal line, such as the ratio that counts as success.
    level_label : its name.
    marks : tables {x = number or word, label = text}: vertical lines, such as a paper's choice.
    x_label, y_label, value_label : in place of the columns' names; LaTeX between dollar signs.
    title, caption : the caption says what is seen, in a sentence or two; it is also the alt text.
    """

    kind: str
    x: str
    y: str
    value: str = ""
    series: tuple[str, ...] = ()
    panel: str = ""
    where: Mapping[str, Any] = field(default_factory=dict)
    statistic: str = "median"
    low: str = ""
    high: str = ""
    log: tuple[str, ...] = ()
    reference: tuple[str, ...] = ()
    level: float | None = None
    level_label: str = ""
    marks: tuple[Mapping[str, Any], ...] = ()
    x_label: str = ""
    y_label: str = ""
    value_label: str = ""
    title: str = ""
    caption: str = ""

    def __post_init__(self) -> None:
        for name in ("series", "log", "reference", "marks"):
            object.__setattr__(self, name, _several(getattr(self, name)))
        if self.kind not in KINDS:
            raise BadInput(f"kind of a figure is {self.kind!r}; wanted one of {', '.join(KINDS)}")
        if self.statistic not in STATISTICS:
            raise BadInput(
                f"statistic of a figure is {self.statistic!r}; wanted one of "
                f"{', '.join(STATISTICS)}"
            )
        if strange := set(self.log) - set(AXES):
            raise BadInput(f"log of a figure holds {sorted(strange)}; axes are {', '.join(AXES)}")
        if (self.kind == "heat") != bool(self.value):
            raise BadInput(
                f"a figure of kind {self.kind!r} has value {self.value!r}; a heat map, and nothing "
                "else, has a coloured column"
            )
        if bool(self.low) != bool(self.high):
            raise BadInput("a figure has only one of low and high; an error bar has two ends")

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column that the figure reads."""
        named = (self.x, self.y, self.value, self.panel, self.low, self.high)
        return tuple(name for name in (*named, *self.series, *self.reference) if name)


def figures_of(study: Study) -> tuple[Figure, ...]:
    """The figures of a study, checked."""
    return tuple(read_table(Figure, one, "a figure") for one in study.figures)


def _several(given: Any) -> tuple[Any, ...]:
    return tuple(given) if isinstance(given, list | tuple) else (given,)
