"""Reports say what the results say, in one file that fetches nothing and trusts no string."""

from __future__ import annotations

import copy
import re
from collections import Counter
from collections.abc import Callable
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sqsim.errors import BadInput
from sqsim.report import (
    headline,
    save,
    separation_figure,
    separation_words,
    svg,
    table_figure,
    table_words,
    tolerance_figure,
    write_separation_report,
    write_table_report,
)
from sqsim.report.reading import number
from sqsim.report.style import spread

OPT, ZERO = 7.699336342e-17, 617.031653994
VOID = {"meta", "br", "hr", "link", "img", "input"}
VERSIONS = {"sqsim": "0.1.0", "numpy": "2.0", "scipy": "1.12", "python": "3.11"}


def one(algorithm: str, access: str, ratio: float | None, **other: Any) -> dict[str, Any]:
    """A run, finished if it has a ratio."""
    warm = other.get("warm_start", False)
    return {
        "algorithm": algorithm,
        "access": access,
        "warm_start": warm,
        "status": "tolerance unreachable" if ratio is None else "finished",
        "overlap": None if ratio is None else 0.5,
        "hypothesis": None if ratio is None else {"norm": 1.0, "bias": -7.0},
        "loss": None if ratio is None else ratio * OPT,
        "loss_ratio": ratio,
        "queries": 60060,
        "rounds": 60,
        "finest_tolerance": 5e-11,
        "seconds": 1.5,
        "told": "norm and bias",
        "message": "error 2 exceeds radius 1" if ratio is None else "the strategy returned",
        "warm_start_queries": 500500 if warm else None,
        "transcript": f"transcripts/{algorithm}{'-warm' if warm else ''}.jsonl",
        "curve": [[1001, ZERO]] + ([[60060, ratio]] if ratio is not None else []),
    } | other


def bracket(algorithm: str, access: str, succeeds: float | None, fails: float | None) -> Any:
    return {
        "algorithm": algorithm,
        "access": access,
        "warm_start": False,
        "succeeds": succeeds,
        "fails": fails,
        "floor": succeeds is None,
    }


@pytest.fixture
def results() -> dict[str, Any]:
    """A separation: no CSQ learner from a cold start, every other one."""
    return {
        "schema": "sqsim.separation/1",
        "instance": {
            "dimension": 1000,
            "bias": -7.0,
            "cutoff": 9,
            "null_loss": ZERO * OPT,
            "opt_upper_bound": OPT,
            "seed": 0,
        },
        "oracle": {"tolerance": 5e-11, "norm": "l2", "policy": "toward-zero"},
        "runs": [
            one("gradient-descent", "CSQ", ZERO),
            one("reweighted-pgd", "CSQ", ZERO),
            one("learn-relu", "SQ", 0.998, told="neither norm nor bias"),
            one("reweighted-pgd", "CSQ", 1.003, warm_start=True),
        ],
        "smallest_tolerance": [
            bracket("gradient-descent", "CSQ", None, 4.1e-22),
            bracket("learn-relu", "SQ", 3.2e-9, 4e-9),
        ],
        "success_ratio": 1.5,
        "command": "sqsim separation",
        "versions": VERSIONS,
        "seconds": 31.2,
    }


@pytest.fixture
def table() -> dict[str, Any]:
    return {
        "schema": "sqsim.run/1",
        "table": {
            "path": "some/diabetes.csv",
            "target": "y",
            "rows": 442,
            "features": 10,
            "test_rows": 100,
        },
        "whitening": {"condition_number": 21.7, "largest_shift": 0.01},
        "oracle": {"tolerance": None, "norm": "l2", "policy": "exact"},
        "algorithm": "learn-relu",
        "access": "SQ",
        "status": "finished",
        "message": "the strategy returned",
        "hypothesis": {"norm": 47.2, "bias": 152.1, "weights": {"age": -0.5}, "intercept": 3.0},
        "loss": {
            "train": {"learner": 2850.2, "zero": 29000.0, "least_squares": 2859.7},
            "test": {"learner": 3010.2, "zero": 28900.0, "least_squares": 3000.7},
        },
        "queries": 43026,
        "rounds": 77,
        "finest_tolerance": None,
        "seconds": 2.1,
        "sample_size": {
            "hoeffding": None,
            "bernstein": None,
            "confidence": 0.95,
            "words": "no tolerance was set",
        },
        "sweep": [
            {"tolerance": 1e-4, "status": "finished", "loss": 2860.0},
            {"tolerance": 1e-2, "status": "finished", "loss": 28000.0},
            {"tolerance": 1.0, "status": "tolerance unreachable", "loss": None},
        ],
        "sweep_policy": "toward-zero",
        "command": "sqsim run diabetes.csv --target y",
        "versions": VERSIONS,
    }


class Page(HTMLParser):
    """Tags that match, ids, links and the text."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.tags: Counter[str] = Counter()
        self.scopes: list[str | None] = []
        self.source = path.read_text(encoding="utf-8")
        self.words = ""
        self.feed(self.source)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        if tag not in VOID:
            self.open.append(tag)
        for key, value in attrs:
            if key == "id":
                self.ids.append(value or "")
            if key in ("href", "src", "xlink:href"):
                self.links.append(value or "")
        if tag == "th":
            self.scopes.append(dict(attrs).get("scope"))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words += data


def said(passages: Any) -> str:
    return " ".join(passage.text for passage in passages)


@pytest.mark.parametrize("kind", ["separation", "table"])
def test_page_is_well_formed_and_fetches_nothing(
    results: dict[str, Any], table: dict[str, Any], kind: str, tmp_path: Path
) -> None:
    if kind == "separation":
        page = Page(write_separation_report(results, tmp_path))
    else:
        page = Page(write_table_report(table, tmp_path))
    assert page.open == []
    assert len(page.ids) == len(set(page.ids))
    assert not re.search(r"https?:|@import|url\((?!#)", page.source)
    assert all(link.startswith(("#", "./")) for link in page.links)
    inside = {link[1:] for link in page.links if link.startswith("#")}
    inside |= set(re.findall(r"url\(#([^)]+)\)", page.source))
    assert inside <= set(page.ids)
    assert page.tags["script"] == page.tags["img"] == page.tags["link"] == 0
    assert set(page.scopes) <= {"row", "col"}
    assert page.source.count('role="img" aria-label="') == page.tags["svg"]
    assert not list(tmp_path.glob("*.partial"))


def test_separation_report_shows_every_run(results: dict[str, Any], tmp_path: Path) -> None:
    page = Page(write_separation_report(results, tmp_path))
    for run in results["runs"]:
        assert run["algorithm"] in page.words
        assert run["transcript"] in page.words
    assert "reweighted-pgd (warm start)" in page.words
    assert "560,560" in page.words, "the warm start's queries are not counted in"
    assert results["command"] in page.words
    assert {p.name for p in tmp_path.iterdir()} == {
        "report.html", "separation.svg", "separation.png", "tolerance.svg", "tolerance.png"
    }  # fmt: skip


def test_table_report_shows_losses_and_weights(table: dict[str, Any], tmp_path: Path) -> None:
    page = Page(write_table_report(table, tmp_path))
    for words in ("2850", "3010", "29,000", "least squares", "age", "toward-zero"):
        assert words in page.words
    assert "no more than least squares" in page.words
    assert "1 run did not finish" in page.words
    assert "From tolerance 0.01 on it was at least 0.9" in page.words


def test_hostile_strings_stay_strings(results: dict[str, Any], tmp_path: Path) -> None:
    bad = "<script>alert('$x_{')</script>\"&"
    for run in results["runs"]:
        run["algorithm"] = bad
        run["transcript"] = "javascript:alert(1)"
    results["runs"][0] |= {"loss_ratio": None, "message": bad, "status": bad}
    results["oracle"]["policy"] = results["oracle"]["norm"] = results["command"] = bad
    results["smallest_tolerance"][0]["algorithm"] = bad
    page = Page(write_separation_report(results, tmp_path))
    assert page.tags["script"] == 0
    assert page.open == []
    assert bad in page.words
    assert not any(link.startswith("javascript") for link in page.links)


def test_two_levels_are_drawn_where_they_belong(results: dict[str, Any]) -> None:
    axes = separation_figure(results).axes[0]
    heights = {line.get_gid(): np.asarray(line.get_ydata())[0] for line in axes.lines}
    assert heights["level-opt"] == 1.0
    assert heights["level-zero"] == pytest.approx(ZERO)


@pytest.mark.parametrize("lower", ["401955095.6", "0", "Infinity", None], ids=str)
def test_what_is_proved_is_drawn_and_said(results: dict[str, Any], lower: str | None) -> None:
    """A line where there is a number, a sentence wherever it was looked for."""
    if lower is not None:
        results["certified_csq_queries"] = {"lower": lower, "norm": "l2"}
    axes = separation_figure(results).axes[0]
    drawn = [line for line in axes.lines if line.get_gid() == "proved"]
    text = said(separation_words(results))
    if lower == "401955095.6":
        assert np.asarray(drawn[0].get_xdata())[0] == 401955095.6
        assert axes.get_xlim()[1] > 401955095.6
        assert "No correlational learner with fewer than 4.02e8" in text
        return
    assert drawn == []
    wanted = {"0": "vacuous", "Infinity": "whatever the number", None: ""}
    assert wanted[lower] in text
    headings = {passage.heading for passage in separation_words(results)}
    assert ("What is proved" in headings) == (lower is not None)


def test_figure_names_every_learner_and_failure(results: dict[str, Any]) -> None:
    results["runs"].append(one("spectral-start", "CSQ", None, curve=[]))
    text = svg(separation_figure(results))
    for run in results["runs"]:
        assert run["algorithm"] in text
    assert "tolerance unreachable" in text
    assert "not finished" in text


def test_both_axes_are_logarithmic_with_room_to_the_right(results: dict[str, Any]) -> None:
    axes = separation_figure(results).axes[0]
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")
    assert axes.get_xlim()[1] >= 10 * 560560


def test_iterates_off_the_scale_flatten_nothing_and_are_mentioned(results: dict[str, Any]) -> None:
    results["runs"][0]["curve"].insert(0, [10, 7e15])
    figure = separation_figure(results)
    assert figure.axes[0].get_ylim()[1] < 10 * ZERO
    assert "off the scale" in svg(figure)


@pytest.mark.parametrize("draw", [separation_figure, tolerance_figure])
def test_same_results_same_svg(results: dict[str, Any], draw: Any) -> None:
    assert svg(draw(results)) == svg(draw(copy.deepcopy(results)))


def test_figures_leave_no_setting_changed(table: dict[str, Any]) -> None:
    import matplotlib

    before = matplotlib.rcParams.copy()
    svg(table_figure(table))
    assert matplotlib.rcParams == before


@pytest.mark.parametrize("runs", [[], [one("gradient-descent", "CSQ", None, curve=[], queries=0)]])
def test_nothing_to_show_is_shown(results: dict[str, Any], runs: Any, tmp_path: Path) -> None:
    results |= {"runs": runs, "smallest_tolerance": None}
    page = Page(write_separation_report(results, tmp_path))
    assert "nothing is shown" in page.words


def test_save_replaces_in_one_step(
    results: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = tmp_path / "figure.svg"
    old.write_text("old")

    def full(self: Path, data: bytes) -> int:
        raise OSError("disk full")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", full)
        with pytest.raises(OSError, match="disk full"):
            save(separation_figure(results), tmp_path / "figure")
    assert old.read_text() == "old"
    vector, raster = save(separation_figure(results), tmp_path / "figure")
    assert vector.read_text().startswith("<?xml")
    assert raster.read_bytes().startswith(b"\x89PNG")
    assert {p.name for p in tmp_path.iterdir()} == {"figure.svg", "figure.png"}


def test_a_report_that_cannot_be_written_is_bad_input(
    results: dict[str, Any], tmp_path: Path
) -> None:
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(BadInput, match="choose another folder"):
        write_separation_report(results, tmp_path / "taken")


def test_other_schemas_are_refused(results: dict[str, Any], table: dict[str, Any]) -> None:
    of_separations: list[Callable[..., Any]]
    of_separations = [separation_figure, tolerance_figure, separation_words]
    of_tables: list[Callable[..., Any]] = [table_figure, table_words]
    for read in of_separations:
        with pytest.raises(BadInput, match=r"sqsim\.run/1"):
            read(table)
    for read in of_tables:
        with pytest.raises(BadInput, match=r"sqsim\.separation/1"):
            read(results)


def test_sentences_follow_the_ratios(results: dict[str, Any]) -> None:
    text = said(separation_words(results))
    assert "From a cold start no correlational learner learned, and every SQ learner did" in text
    assert "0.9 times the loss of the zero hypothesis: gradient-descent and reweighted-pgd" in text
    assert "sufficed once an SQ had found the direction" in text
    assert "0 of 2 learners with correlational queries (CSQ)" in headline(results)

    for run in results["runs"]:
        run["loss_ratio"] = 1.2
    text = said(separation_words(results))
    assert "Every learner learned: no difference" in text
    assert "No warm start was needed for reweighted-pgd" in text

    for run in results["runs"]:
        run["loss_ratio"] = ZERO
    text = said(separation_words(results))
    assert "No learner learned, SQ or CSQ" in text
    assert "did not make reweighted-pgd learn here" in text

    results["runs"][0]["loss_ratio"] = 40.0
    text = said(separation_words(results))
    assert "did not reach that bar: gradient-descent at 40" in text


def test_one_correlational_success_is_not_called_a_separation(results: dict[str, Any]) -> None:
    results["runs"][0]["loss_ratio"] = 1.4
    assert "does not set the two kinds of query apart" in said(separation_words(results))
    results["runs"][2]["loss_ratio"] = 600.0
    assert "and no SQ learner did" in said(separation_words(results))


def test_sentences_never_claim_a_bound(results: dict[str, Any]) -> None:
    text = said(separation_words(results))
    assert "no lower bound is proved" in text
    assert "is not “cannot learn”" in text


def test_unfinished_runs_say_why(results: dict[str, Any]) -> None:
    results["runs"][2] |= {"loss_ratio": None, "status": "refused", "message": "too fine"}
    text = said(separation_words(results))
    assert "learn-relu: refused (too fine)" in text
    assert "Not finished, so not judged: learn-relu" in text


@pytest.mark.parametrize(
    ("norm", "words"),
    [
        ("l2", "5e-11 × ‖g‖"),
        ("absolute", "whatever the size of the query"),
        ("vstat", "1/tolerance² = 4e20 examples"),
    ],
)
def test_the_convention_in_force_is_explained(
    results: dict[str, Any], norm: str, words: str
) -> None:
    results["oracle"]["norm"] = norm
    text = said(separation_words(results))
    assert words in text
    assert ("generous to SQ" in text) is (norm == "l2")


def test_a_tolerance_that_permits_zero_says_so(results: dict[str, Any]) -> None:
    results["oracle"]["tolerance"] = 1e-2
    assert "zero is a permitted answer to every" in said(separation_words(results))


def test_exact_answers_say_nothing_about_tolerance(results: dict[str, Any]) -> None:
    results["oracle"]["policy"] = "exact"
    assert "says nothing about the tolerance" in said(separation_words(results))


def test_words_on_a_table_follow_its_losses(table: dict[str, Any]) -> None:
    assert "0.09828 of what predicting zero has" in said(table_words(table))
    table["loss"]["train"]["learner"] = 5800.0
    text = said(table_words(table))
    assert "0.2 of what predicting zero has (29,000), and more than least squares" in text
    table["loss"] = {part: dict(table["loss"]["train"], learner=None) for part in ("train", "test")}
    table |= {"status": "refused", "message": "no", "hypothesis": None, "sweep": None}
    assert "learn-relu (SQ) did not finish: refused (no)" in said(table_words(table))
    table_figure(table)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "-"),
        (7.699336342e-17, "7.699e-17"),
        (ZERO, "617"),
        (1.00347, "1.003"),
        (-7.0, "−7"),
        (1653059, "1,653,059"),
        (1000, "1000"),
        (0.0, "0"),
        (float("inf"), "inf"),
        (True, "True"),
    ],
)
def test_numbers_have_four_digits(value: Any, text: str) -> None:
    assert number(value) == text


def test_labels_are_kept_apart_and_inside() -> None:
    places = spread([5.0, 5.0, 6.0, 80.0], 14.0, 4.0, 96.0)
    ranked = sorted(places)
    assert all(b - a >= 14 - 1e-9 for a, b in pairwise(ranked))
    assert ranked[0] >= 4
    assert ranked[-1] <= 96
