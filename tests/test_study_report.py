"""The report on a store says what its rows say, for any store, and a browser shows it."""

from __future__ import annotations

import csv
import hashlib
import html
import json
import re
import shutil
import statistics
import subprocess
from collections import Counter
from collections.abc import Callable, Iterable
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import beta
from typer.testing import CliRunner

from sqsim.cli import app
from sqsim.errors import BadInput
from sqsim.report.figures import svg
from sqsim.report.study.defaults import default_figures
from sqsim.report.study.heat import gather_grids
from sqsim.report.study.looks import COLORS, DARK, look, tex, themed
from sqsim.report.study.page import write_study_figure, write_study_report
from sqsim.report.study.pictures import Picture, draw, pdf
from sqsim.report.study.points import gather
from sqsim.report.study.source import run_command, specification
from sqsim.studies import Study, open_for_reading, records
from sqsim.studies.cells import Cell, canonical
from sqsim.studies.figures import Figure
from sqsim.studies.store import Outcome, create, resume

VOID = {"meta", "br", "hr", "link", "img", "input"}
ALGORITHMS = ("descent", "spectral")
TOLERANCES = (1e-6, 1e-5, 1e-4, 1e-3)
CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))),
    None,
)

FIGURES: tuple[dict[str, Any], ...] = (
    {
        "kind": "frequency",
        "x": "tolerance",
        "y": "success",
        "series": ["algorithm.name"],
        "panel": "problem.dimension",
        "log": ["x"],
        "caption": "Spectral learners succeed.",
    },
    {
        "kind": "curve",
        "x": "tolerance",
        "y": "queries",
        "series": ["algorithm.name"],
        "where": {"problem.dimension": 50},
        "reference": ["certified_queries"],
        "log": ["x", "y"],
        "x_label": r"tolerance $\tau$",
        "marks": [{"x": 1e-5, "label": "paper's $\\tau$"}],
        "level": 300,
        "level_label": "budget",
    },
    {
        "kind": "heat",
        "x": "tolerance",
        "y": "problem.dimension",
        "value": "ratio",
        "series": ["algorithm.name"],
        "log": ["value"],
    },
    {"kind": "bars", "x": "algorithm.name", "y": "queries", "series": ["problem.dimension"]},
)


def study(**other: Any) -> Study:
    given: dict[str, Any] = {
        "name": "separation",
        "title": "Who learns",
        "problem": {"dimension": [20, 50], "bias": -5.0},
        "algorithm": {"name": list(ALGORITHMS)},
        "tolerance": list(TOLERANCES),
        "seeds": 4,
        "figures": FIGURES,
    }
    return Study(**(given | other))


def row(arguments: dict[str, Any]) -> dict[str, Any]:
    """Descent succeeds at fine tolerances alone, with two seeds of four."""
    dimension, tolerance = arguments["problem"]["dimension"], arguments["tolerance"]
    spectral = arguments["algorithm"]["name"] == "spectral"
    success = spectral or (tolerance < 5e-5 and arguments["seed"] % 2 == 0)
    return {
        "status": "finished",
        "success": success,
        "ratio": (1.0 if success else 60.0) + 0.01 * arguments["seed"],
        "queries": dimension * dimension if spectral else dimension + arguments["seed"],
        "certified_queries": str(1e5 * tolerance) if tolerance < 1e-3 else "Infinity",
    }


def outcomes(of: Study, make: Callable[[dict[str, Any]], Any] = row) -> list[tuple[Cell, Outcome]]:
    """Every cell of a study; where `make` returns a text, the cell failed for that reason."""
    found = []
    for setting, arguments in enumerate(of.settings()):
        for repeat in range(of.repeats.at_least):
            cell = of.cell(setting, repeat, arguments)
            made = make({**arguments, "seed": repeat})
            if isinstance(made, str):
                trace = f"Traceback (most recent call last):\n{made}"
                found.append((cell, Outcome("failed", None, made, trace, 0.5)))
            else:
                status = str(made.get("status", "finished"))
                found.append((cell, Outcome("done", canonical(made), status, None, 0.25)))
    return found


def stored(path: Path, of: Study, cells: Iterable[tuple[Cell, Outcome]] | None = None) -> Path:
    with create(path, of) as store:
        store.add(list(outcomes(of) if cells is None else cells))
    return path


def reported(path: Path) -> Page:
    with open_for_reading(path) as store:
        return Page(write_study_report(store, path.with_suffix(".html")))


def rows_of(path: Path) -> list[dict[str, Any]]:
    with open_for_reading(path) as store:
        return records(store)


def drawn(figure: dict[str, Any], rows: list[dict[str, Any]]) -> Picture:
    found = draw(Figure(**figure), rows, place=1)
    assert found is not None
    return found


class Page(HTMLParser):
    """What a reader's tools find in a page."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: Counter[str] = Counter()
        self.attributes: list[tuple[str, dict[str, str | None]]] = []
        self.source = path.read_text(encoding="utf-8")
        self.words = ""
        self.feed(self.source)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.attributes.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open[-1:] != ["script"] and self.open[-1:] != ["style"]:
            self.words += data

    def values(self, key: str) -> list[str]:
        return [
            value or "" for _, attrs in self.attributes if key in attrs for value in [attrs[key]]
        ]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A complete store with a figure of every kind, and its report beside it."""
    path = stored(tmp_path_factory.mktemp("whole") / "s.db", study())
    reported(path)
    return path


@pytest.fixture
def page(whole: Path) -> Page:
    return Page(whole.with_suffix(".html"))


# ---- the page


def test_the_page_is_well_formed_and_fetches_nothing(page: Page) -> None:
    """One file, offline: every link goes into the page or to a neighbour."""
    assert page.open == []
    ids = page.values("id")
    assert len(ids) == len(set(ids))
    assert not re.search(r"https?:|@import|url\((?!#)|src=", page.source)
    links = [*page.values("href"), *page.values("xlink:href")]
    assert all(link.startswith(("#", "./", "data:image/png;base64,")) for link in links)
    inside = {link[1:] for link in links if link.startswith("#")}
    assert inside | set(re.findall(r"url\(#([^)]+)\)", page.source)) <= set(ids)


def test_the_page_can_be_read_without_eyes(page: Page) -> None:
    """Language, headings without a gap, captions, scopes, names of figures and regions."""
    tags = [tag for tag, _ in page.attributes]
    assert dict(page.attributes)["html"]["lang"] == "en"
    levels = [int(tag[1]) for tag in tags if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert page.tags["table"] == page.tags["caption"] == 7
    assert {attrs.get("scope") for tag, attrs in page.attributes if tag == "th"} == {"col"}
    pictures = [attrs for tag, attrs in page.attributes if tag == "svg"]
    assert len(pictures) == len(FIGURES)
    assert all(one["role"] == "img" and one["aria-label"] for one in pictures)
    scrolled = [attrs for _, attrs in page.attributes if "tabindex" in attrs and "role" in attrs]
    assert all(one["aria-label"] for one in scrolled)
    assert page.tags["img"] == 0


def test_alternative_texts_hold_the_numbers(page: Page) -> None:
    """Who cannot see a figure is told what it shows."""
    frequency, curve, heat, bars = (
        attrs["aria-label"] or "" for tag, attrs in page.attributes if tag == "svg"
    )
    assert frequency.startswith("Spectral learners succeed.")
    assert "spectral: 4 of 4 at 1e-6, 4 of 4 at 0.001" in frequency
    assert "descent: 2 of 4 at 1e-6, 0 of 4 at 0.001" in frequency
    assert "tolerance tau" in curve
    assert "2500 at" in curve
    assert "below which is shaded as proved impossible" in curve
    assert "spectral: from 1.02 at (1e-6, 20)" in heat
    assert "descent 21.5" in bars


def test_every_figure_has_files_and_the_command_that_draws_it(whole: Path, page: Page) -> None:
    """The command draws the very bytes that the report wrote."""
    folder = whole.with_name("s-figures")
    stems = [p.stem for p in sorted(folder.glob("*.svg"))]
    assert len(stems) == len(FIGURES)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    for stem in stems:
        assert f"sqsim report s.db --figure {stem} --out s.html" in page.words
        assert before[f"{stem}.pdf"].startswith(b"%PDF")
        assert b"/Subtype /Type3" not in before[f"{stem}.pdf"], "outlines in place of text"
        assert b"<text" in before[f"{stem}.svg"]
    call = ["report", str(whole), "--figure", stems[1], "--out", str(whole.with_suffix(".html"))]
    assert CliRunner().invoke(app, call).exit_code == 0
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_rows_and_specification_lie_beside_the_page(whole: Path, page: Page) -> None:
    """What the page names is there, and makes the same study."""
    folder = whole.with_name("s-figures")
    with (folder / "runs.csv").open() as file:
        assert len(list(csv.DictReader(file))) == 64
    assert Study.read(folder / "separation.toml").to_dict() == study().to_dict()
    for link in page.values("href"):
        if link.startswith("./"):
            assert (whole.parent / link).is_file() or (whole.parent / link).is_dir()


def test_the_fingerprint_is_that_of_the_rows(whole: Path, page: Page) -> None:
    """Two reports can be compared by one line."""
    with open_for_reading(whole) as store:
        assert hashlib.sha256(store.fingerprint().encode()).hexdigest() in page.words


def test_equal_stores_give_equal_bytes(whole: Path, tmp_path: Path) -> None:
    """Whatever the order in which cells ended."""
    path = stored(tmp_path / "s.db", study(), reversed(outcomes(study())))
    reported(path)
    for one in [whole.with_suffix(".html"), *whole.with_name("s-figures").iterdir()]:
        other = tmp_path / one.relative_to(whole.parent)
        assert other.read_bytes() == one.read_bytes(), one.name


# ---- stores that are not complete


def test_a_running_store_is_reported_and_called_partial(tmp_path: Path) -> None:
    """While the writer holds it; the second report sees what came in between."""
    of = study(figures=FIGURES[3:])
    path, cells = tmp_path / "s.db", outcomes(of)
    with create(path, of) as writer:
        writer.add(cells[:16])
        first = reported(path)
        writer.add(cells[16:])
        second = reported(path)
    assert "Partial: 16 of 64 cells (25 %) when this page was written" in first.words
    assert "about 12 s of work left" in first.words
    assert "Complete: 64 cells, none of them failed." in second.words


def test_whatever_is_read_while_frozen_is_of_one_moment(tmp_path: Path) -> None:
    """Else the counts of a page would not fit its rows."""
    path, cells = tmp_path / "s.db", outcomes(study())
    with create(path, study()) as writer, open_for_reading(path) as reader:
        writer.add(cells[:5])
        with reader.frozen():
            before = reader.fingerprint()
            writer.add(cells[5:])
            assert reader.fingerprint() == before
            assert len(list(reader.runs())) == 5
        assert len(list(reader.runs())) == 64


def test_settings_of_several_tables_keep_their_own_columns(tmp_path: Path) -> None:
    """An argument that only later settings have is no result, and no two settings are one."""
    of = study(
        problem={"dimension": 20},
        algorithm=[{"name": "descent", "rho": [0.1, 0.2]}, {"name": "spectral", "cut": [1, 2, 3]}],
        tolerance=1e-5,
        figures=({"kind": "curve", "x": "algorithm.cut", "y": "queries"},),
    )
    page = reported(stored(tmp_path / "s.db", of))
    table = page.source.partition('id="settings"')[2].partition("</table>")[0]
    heads = [head.strip() for head in re.findall(r"<th[^>]*>([^<]*)</th>", table)]
    assert heads[:3] == ["algorithm", "rho", "cut"]
    assert table.count("<tr>") == 1 + 5
    page = reported(stored(tmp_path / "t.db", of, outcomes(of)[:4]))
    assert "Figure 1 is not drawn yet: no run has the column 'algorithm.cut'" in page.words


def test_an_empty_store_has_a_page(tmp_path: Path) -> None:
    """Nothing to draw is said, not drawn."""
    page = reported(stored(tmp_path / "s.db", study(), []))
    assert page.open == []
    assert page.tags["svg"] == 0
    assert "Nothing has been run yet: 0 of 64 cells" in page.words
    assert "No run has ended yet" in page.words
    assert "Figure 1 has nothing to draw yet" in page.words


def test_a_store_of_failures_has_a_page(tmp_path: Path) -> None:
    """Reasons counted, a traceback of each, and frequencies that count them as no success."""

    def broken(arguments: dict[str, Any]) -> Any:
        return "division by <zero>" if arguments["tolerance"] < 1e-4 else "no memory"

    page = reported(stored(tmp_path / "s.db", study(), outcomes(study(), broken)))
    assert "Complete: 64 cells, 64 of them failed." in page.words
    assert "32 × division by <zero>" in page.words
    assert "Traceback (most recent call last):\ndivision by <zero>" in page.words
    (alt,) = (attrs["aria-label"] or "" for tag, attrs in page.attributes if tag == "svg")
    assert "descent: 0 of 4 at 1e-6, 0 of 4 at 0.001" in alt


def test_ten_thousand_runs_make_a_page_of_reasonable_size(tmp_path: Path) -> None:
    """The first rows in the page, all in the file beside it, and both are said."""
    of = study(tolerance=[1e-6 * k for k in range(1, 51)], seeds=50, figures=FIGURES[:1])
    page = reported(stored(tmp_path / "s.db", of))
    assert len(page.source) < 1_500_000
    assert "The first 500 of 10,000 rows; every run is in" in page.words
    with (tmp_path / "s-figures" / "runs.csv").open() as file:
        assert sum(1 for _ in file) == 10_001


def test_a_wrong_figure_costs_no_report(tmp_path: Path) -> None:
    """What is wrong is said, the others are drawn."""
    wrong = (*FIGURES[3:], {"kind": "curve", "x": "tolerance", "y": "los"})
    page = reported(stored(tmp_path / "s.db", study(figures=wrong)))
    assert page.tags["svg"] == 1
    assert "Figure 2 is not drawn: no run has the column 'los'" in page.words
    page = reported(stored(tmp_path / "t.db", study(figures=({"kind": "pie"},))))
    assert "The figures of the specification are not drawn" in page.words
    assert page.tags["svg"] == 3, "the default ones"


def test_hostile_strings_stay_strings(tmp_path: Path) -> None:
    """Names, labels, reasons and tracebacks are text, also where they look like formulas."""
    bad = "</script><script>alert('$x_{')</script>\"&"

    def broken(arguments: dict[str, Any]) -> Any:
        return bad if arguments["seed"] == 0 else row(arguments)

    figure = FIGURES[1] | {"title": bad, "caption": bad, "x_label": bad, "level_label": "$\\frac$"}
    of = study(name=bad, title=bad, note=bad, algorithm={"name": [bad, "$"]}, figures=(figure,))
    page = reported(stored(tmp_path / "s.db", of, outcomes(of, broken)))
    assert page.tags["script"] == 1
    assert page.open == []
    assert page.words.count(bad) >= 5
    assert {p.parent for p in (tmp_path / "s-figures").rglob("*")} == {tmp_path / "s-figures"}


# ---- what figures draw


def test_points_are_medians_with_quartiles(whole: Path) -> None:
    """Against the definition."""
    rows = rows_of(whole)
    figure: dict[str, Any] = {
        "kind": "curve",
        "x": "tolerance",
        "y": "ratio",
        "series": "algorithm.name",
    }
    for line in gather(Figure(**figure), rows).lines:
        for point in line.points:
            values = [
                r["ratio"]
                for r in rows
                if r["algorithm.name"] == line.name and r["tolerance"] == point.x
            ]
            low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
            assert point.centre == pytest.approx(middle)
            assert (point.low, point.high) == pytest.approx((low, high))
            assert point.runs == len(values) == 8


def test_means_come_with_students_interval(whole: Path) -> None:
    """Against scipy's interval."""
    from scipy import stats

    rows = [r for r in rows_of(whole) if r["tolerance"] == 1e-6]
    figure: dict[str, Any] = {"kind": "curve", "x": "tolerance", "y": "ratio", "statistic": "mean"}
    (point,) = gather(Figure(**figure), rows).lines[0].points
    values = [r["ratio"] for r in rows]
    error = statistics.stdev(values) / len(values) ** 0.5
    wanted = stats.t.interval(0.95, len(values) - 1, statistics.fmean(values), error)
    assert (point.low, point.high) == pytest.approx(wanted)


def test_failed_runs_belong_to_the_series_of_their_like(whole: Path) -> None:
    """A name may hold a result, such as the access of a learner, which a failed run lacks."""
    rows = rows_of(whole)
    for one in rows:
        one["access"] = "SQ" if one["algorithm.name"] == "spectral" else "CSQ"
    rows[0].update(state="failed", success=None, access=None)
    figure = Figure(**{**FIGURES[0], "series": ["algorithm.name", "access"]})
    found = gather(figure, rows)
    assert found.names == ["descent, CSQ", "spectral, SQ"]
    assert found.runs == 64


def test_frequencies_have_clopper_and_pearsons_interval(whole: Path) -> None:
    """Against quantiles of the beta law; a failed run counts."""
    rows = rows_of(whole)
    for one in rows[:2]:
        one.update(state="failed", success=None)
    found = gather(Figure(**FIGURES[0]), rows)
    point = found.panels[0].lines[0].points[0]
    assert (point.successes, point.runs) == (1, 4)
    assert point.low == pytest.approx(beta.ppf(0.025, 1, 4))
    assert point.high == pytest.approx(beta.ppf(0.975, 2, 3))


def test_what_a_bound_rules_out_is_shaded(whole: Path) -> None:
    """Below the proved line up to it; at the edge where no number of queries suffices."""
    axes = drawn(FIGURES[1], rows_of(whole)).drawing.axes[0]
    proved = next(line for line in axes.lines if line.get_gid() == "proved-certified_queries")
    top = axes.get_ylim()[1]
    inside = [1e5 * t for t in TOLERANCES[:-1] if 1e5 * t > axes.get_ylim()[0]]
    assert np.asarray(proved.get_ydata()) == pytest.approx([*inside, top])
    shade = np.asarray(axes.collections[-1].get_paths()[0].vertices)
    assert shade[:, 1].max() == pytest.approx(top)
    assert shade[:, 1].min() == pytest.approx(axes.get_ylim()[0])


def test_bounds_that_differ_between_learners_shade_nothing(whole: Path) -> None:
    """A region is impossible for the learner of its bound alone; lines take its colour."""
    rows = rows_of(whole)
    for one in rows:
        one["certified_queries"] = "7" if one["algorithm.name"] == "spectral" else "9"
    picture = drawn({k: v for k, v in FIGURES[1].items() if k != "log"}, rows)
    proved = [line for line in picture.drawing.axes[0].lines if line.get_gid()]
    colors = {line.get_color() for line in proved if str(line.get_gid()).startswith("proved")}
    assert colors == set(COLORS[:2])
    assert "shaded" not in picture.alt + picture.note
    assert "proved impossible" not in picture.vector


def test_bounds_of_other_settings_never_hide_the_weaker(whole: Path) -> None:
    """Where runs of one point have several lower bounds, the least holds for all."""
    rows = rows_of(whole)
    for one in rows:
        one["certified_queries"] = "7" if one["problem.dimension"] == 20 else "9"
    figure = {**FIGURES[1], "where": {}}
    for line in gather(Figure(**figure), rows).lines:
        assert {bound for _, bound in line.proved["certified_queries"]} == {7.0}


def test_cells_of_a_heat_map_are_its_runs(whole: Path) -> None:
    """A cell without a number is empty, not zero."""
    rows = [r for r in rows_of(whole) if (r["tolerance"], r["problem.dimension"]) != (1e-6, 50)]
    found = gather_grids(Figure(**FIGURES[2]), rows)
    assert found.xs == TOLERANCES
    assert found.ys == (20, 50)
    descent = np.array(found.grids[0].cells)
    assert np.isnan(descent[1, 0])
    assert np.isnan(descent).sum() == 1
    assert descent[0, 3] == pytest.approx(60.015)
    drawn(FIGURES[2], rows)


def test_words_on_an_axis_are_named(whole: Path) -> None:
    """Also for curves: a number and a word may stand on one axis."""
    rows = rows_of(whole)
    for one in rows[::3]:
        one["tolerance"] = "exact"
    picture = drawn({"kind": "curve", "x": "tolerance", "y": "queries"}, rows)
    labels = [text.get_text() for text in picture.drawing.axes[0].get_xticklabels()]
    assert "exact" in labels
    assert "0.001" in labels


def test_long_words_stay_inside_the_figure(whole: Path) -> None:
    """Slanted where they would run into each other, with room below for them and the axis."""
    rows = rows_of(whole)
    for place, one in enumerate(rows):
        one["oracle"] = f"an oracle of a long name {place % 20}"
    drawing = drawn({"kind": "bars", "x": "oracle", "y": "queries"}, rows).drawing
    (axes,) = drawing.axes
    assert len(axes.get_xticklabels()) == 20
    for text in [*axes.get_xticklabels(), axes.xaxis.label]:
        box = text.get_window_extent()
        assert box.ymin >= 0
        assert box.xmin >= 0


def test_infinite_and_negative_values_leave_a_figure_whole(whole: Path) -> None:
    """Infinity at the edge, what a log axis cannot show left out."""
    rows = rows_of(whole)
    for one, value in zip(rows, ["inf", "nan", -1.0, 0.0, None, "1e400"] * 11, strict=False):
        one["queries"] = value
    for kind in ("curve", "bars"):
        figure = {**FIGURES[1], "kind": kind}
        assert "Infinity" not in svg(drawn(figure, rows).drawing)


@pytest.mark.parametrize("count", [1, 2, 3, 5, 40])
def test_any_number_of_series_is_drawn(whole: Path, count: int) -> None:
    """Each named in the legend; the first seven unlike each other in colour, line or mark."""
    rows = rows_of(whole)
    for place, one in enumerate(rows):
        one["algorithm.name"] = f"learner-{place % count}"
    figure: dict[str, Any] = {
        "kind": "curve",
        "x": "tolerance",
        "y": "ratio",
        "series": "algorithm.name",
    }
    text = svg(drawn(figure, rows).drawing)
    assert all(f"learner-{place}<" in text for place in range(count)) == (count > 1)
    assert len({look(place) for place in range(40)}) == 40


def test_a_study_without_figures_gets_sensible_ones(whole: Path) -> None:
    """Success against the first number that varies, the loss against tolerance, the certified."""
    success, measured, certified = default_figures(rows_of(whole))
    assert (success.kind, success.x, success.y) == ("frequency", "problem.dimension", "success")
    assert (measured.x, measured.y) == ("tolerance", "ratio")
    assert measured.series == success.series == ("algorithm.name",)
    assert measured.panel == "problem.dimension"
    assert set(measured.log) == {"x", "y"}
    assert certified.reference == ("certified_queries",)
    assert certified.where == {"success": True}
    assert default_figures([]) == ()


# ---- labels, colours, text


def test_labels_are_formulas_where_they_can_be() -> None:
    """A broken formula is shown as it was written."""
    assert tex(r"tolerance $\tau$") == {"parse_math": True}
    for plain in ("tolerance", "5 $", "$\\frac$", "$x_{$", "$a$ $"):
        assert tex(plain) == {"parse_math": False}


def luminance(color: str) -> float:
    parts = [int(color[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_colours_stand_out_in_both_schemes(page: Page) -> None:
    """WCAG AA: text at 4.5 to 1, lines and marks at 3 to 1."""
    found = re.findall(r"--page: (#\w{6}).*?--link: #\w{6};", page.source, re.DOTALL)
    assert found[0] != found[1], "a light and a dark scheme"
    blocks = re.findall(r"(--page: .*?--link: #\w{6};)", page.source, re.DOTALL)
    for block in blocks:
        colors = dict(re.findall(r"--(\w+): (#\w{6})", block))
        for name in ("ink", "soft", "good", "bad", "mid", "link"):
            for ground in ("page", "panel"):
                assert contrast(colors[name], colors[ground]) >= 4.5, (name, ground)
    for light, dark in zip(COLORS, DARK, strict=True):
        assert contrast(light, found[0]) >= 3
        assert contrast(dark, found[1]) >= 3


def test_lines_take_their_colours_from_the_page(whole: Path) -> None:
    """So that a dark page has a dark figure."""
    text = themed(svg(drawn(FIGURES[1], rows_of(whole)).drawing))
    assert not re.search(r"#[0-9a-f]{6}\b", text)
    assert "var(--series-1)" in text


def test_figures_leave_no_setting_changed(whole: Path) -> None:
    """A report inside a notebook must not restyle the notebook."""
    import matplotlib

    before = matplotlib.rcParams.copy()
    pdf(drawn(FIGURES[3], rows_of(whole)).drawing)
    assert matplotlib.rcParams == before


# ---- the specification as text


@pytest.mark.parametrize(
    "of",
    [
        study(),
        study(seeds={"at_least": 4, "at_most": 16}, tolerance=0.1),
        study(note='a "quoted"\nline \\ and ünïcode', algorithm=[{"name": "a"}, {"b": [1, 2.5]}]),
        study(problem={"told": True, "a.b": {"c": [1e-300, 1e22]}, "list": [[1, 2]]}, seeds=2),
    ],
    ids=["tables", "rule", "texts", "nested"],
)
def test_a_specification_is_read_back_as_the_same_study(of: Study, tmp_path: Path) -> None:
    """The TOML in a report is the study."""
    text = specification(of)
    assert text is not None
    (tmp_path / "s.toml").write_text(text, encoding="utf-8")
    assert Study.read(tmp_path / "s.toml").to_dict() == of.to_dict()


def test_what_toml_cannot_say_is_given_as_json(tmp_path: Path) -> None:
    """None inside a table."""
    of = study(problem={"dimension": [20, 50], "told": None}, figures=FIGURES[3:])
    assert specification(of) is None
    reported(stored(tmp_path / "s.db", of))
    text = (tmp_path / "s-figures" / "separation.json").read_text()
    assert Study.of(json.loads(text)).to_dict() == of.to_dict()


def test_commands_are_safe_to_paste() -> None:
    """A name or a store with spaces or worse is quoted."""
    words = run_command(study(name="a; rm -rf /"), "my store.db")
    assert words == "sqsim study run a-rm--rf.toml --store 'my store.db'"


# ---- the command


def test_the_command_writes_beside_the_store(tmp_path: Path) -> None:
    """And says where."""
    stored(tmp_path / "my.db", study(figures=FIGURES[3:]))
    found = CliRunner().invoke(app, ["report", str(tmp_path / "my.db")])
    assert found.exit_code == 0
    assert str(tmp_path / "my.html") in found.output
    assert (tmp_path / "my-figures" / "runs.csv").is_file()


def test_what_cannot_be_reported_or_written_is_bad_input(whole: Path, tmp_path: Path) -> None:
    """Before anything is drawn, and without harm to the store."""
    (tmp_path / "text.db").write_text("no store")
    calls = [
        (["report", str(tmp_path / "none.db")], "no store"),
        (["report", str(tmp_path / "text.db")], "not a store"),
        (["report", str(whole), "--out", str(tmp_path)], "must be a file"),
        (["report", str(whole), "--out", str(tmp_path / "none" / "r.html")], "must be a file"),
        (["report", str(whole), "--out", str(whole)], "the store itself"),
        (["report", str(whole), "--figure", "figure-9"], "there are figure-1-success"),
    ]
    before = whole.read_bytes()
    for call, message in calls:
        error = CliRunner().invoke(app, call).exception
        assert isinstance(error, BadInput), call
        assert message in str(error)
    (tmp_path / "r-figures").write_text("taken")
    with open_for_reading(whole) as store, pytest.raises(BadInput, match="another --out"):
        write_study_report(store, tmp_path / "r.html")
    with open_for_reading(whole) as store, pytest.raises(BadInput, match="another --out"):
        write_study_figure(store, "figure-1-success", tmp_path / "r.html")
    assert whole.read_bytes() == before


def test_reporting_does_not_stop_a_resume(tmp_path: Path) -> None:
    """A reader holds no lock when it is done, and none that a writer needs while it reads."""
    cells = outcomes(study())
    path = stored(tmp_path / "s.db", study(), cells[:10])
    with open_for_reading(path) as reader, reader.frozen():
        list(reader.runs())
        with resume(path) as writer:
            writer.add(cells[10:])
    assert len(rows_of(path)) == 64


# ---- in a browser

PROBE = """
<script>
const table = document.querySelectorAll("section[aria-labelledby=settings] table")[0];
const heads = Array.from(table.tHead.rows[0].cells);
const place = heads.findIndex((head) => head.textContent === "ratio (median)");
const button = heads[place].querySelector("button");
const column = () => Array.from(table.tBodies[0].rows, (row) => row.cells[place].dataset.v);
const before = column();
button.focus();
button.click();
const up = column();
const sorted = heads[place].getAttribute("aria-sort");
button.click();
document.body.dataset.probe = JSON.stringify({
  before, up, down: column(), sorted,
  again: heads[place].getAttribute("aria-sort"),
  focus: document.activeElement === button,
  pictures: Array.from(document.querySelectorAll("svg[role=img]"), (one) => {
    const box = one.getBoundingClientRect();
    return [box.width, box.height];
  }),
  wide: document.documentElement.scrollWidth,
});
</script>
"""


def browse(page: Path, profile: Path, *flags: str) -> tuple[str, list[str]]:
    """Standard output of headless Chromium, and what the page said to its console."""
    assert CHROMIUM is not None
    call = [
        CHROMIUM,
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        f"--user-data-dir={profile}",
        "--window-size=1200,1600",
        "--enable-logging=stderr",
        "--virtual-time-budget=2000",
        *flags,
        page.as_uri(),
    ]
    found = subprocess.run(call, capture_output=True, text=True, timeout=120, check=True)
    return found.stdout, [line for line in found.stderr.splitlines() if "CONSOLE" in line]


@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here")
def test_a_browser_shows_the_figures_and_sorts_the_tables(whole: Path, tmp_path: Path) -> None:
    """No word on the console, figures with a size and colour, tables sorted both ways."""
    probed = tmp_path / "probed.html"
    text = whole.with_suffix(".html").read_text(encoding="utf-8")
    probed.write_text(text.replace("</body>", PROBE + "</body>"), encoding="utf-8")
    shot = tmp_path / "shot.png"
    shown, said = browse(probed, tmp_path / "profile", "--dump-dom", f"--screenshot={shot}")
    assert said == []
    match = re.search(r'data-probe="([^"]*)"', shown)
    assert match is not None, "the script of the page or of the probe did not run"
    found = json.loads(html.unescape(match[1]))
    numbers = [float(value) for value in found["before"]]
    assert [float(value) for value in found["up"]] == sorted(numbers)
    assert [float(value) for value in found["down"]] == sorted(numbers, reverse=True)
    assert sorted(numbers) not in (numbers, numbers[::-1]), "the table was sorted before"
    assert (found["sorted"], found["again"]) == ("ascending", "descending")
    assert found["focus"], "a heading's button takes the keyboard"
    assert len(found["pictures"]) == len(FIGURES)
    assert all(width > 600 and height > 150 for width, height in found["pictures"])
    assert found["wide"] <= 1200, "the page itself scrolls sideways"


@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here")
def test_a_browser_paints_the_lines(whole: Path, tmp_path: Path) -> None:
    """Pixels of the first two series in a screenshot; and a broken page is heard of."""
    from matplotlib.image import imread

    shot = tmp_path / "shot.png"
    broken = tmp_path / "broken.html"
    broken.write_text("<script>undefined.nothing</script>", encoding="utf-8")
    profile = tmp_path / "profile"
    _, said = browse(whole.with_suffix(".html"), profile, f"--screenshot={shot}")
    assert said == []
    pixels = np.rint(imread(shot)[:, :, :3] * 255).astype(int)
    for color in COLORS[:2]:
        wanted = [int(color[place : place + 2], 16) for place in (1, 3, 5)]
        assert (abs(pixels - wanted).max(axis=2) <= 2).sum() > 200, color
    assert browse(broken, profile, "--dump-dom")[1] != []
