"""The study of thresholds against dimension: its search, its rates, its command and its figure."""

from __future__ import annotations

import json
import math

import pytest
from typer.testing import CliRunner

from sqsim import BadInput
from sqsim.cli import app
from sqsim.cli.demonstrate import demonstrate
from sqsim.problems.index import SingleIndex
from sqsim.report.demonstrations import demonstration_figure
from sqsim.report.figures import svg
from sqsim.studies.exponent_demonstrations import exponent_demonstrations, slope, summary
from sqsim.studies.exponent_strategies import LINKS, demonstrations
from sqsim.studies.exponent_thresholds import FOUND, Trials, bisected, threshold, typical_start


@pytest.fixture(scope="module")
def results():
    return exponent_demonstrations(links=["he3"], dimensions=[16, 64], trials=1)


@pytest.mark.parametrize("edge", [-0.3, -2.345, -7.7])
@pytest.mark.parametrize("guess", [None, -0.5, -3.0, -10.5])
def test_the_search_ends_below_the_edge_and_near_it(edge, guess):
    """Wherever it begins."""
    power = bisected(lambda p: p <= edge, guess)
    assert power is not None
    assert edge - 0.1 <= power <= edge


def test_the_search_says_where_nothing_succeeds():
    assert bisected(lambda p: False, None) is None
    assert bisected(lambda p: False, -3.0) is None


def test_slopes_are_those_of_power_laws():
    sizes = [10, 100, 1000]
    assert slope(sizes, [3 * d**-0.75 for d in sizes]) == pytest.approx(1.5)
    assert slope(sizes, [0.1, None, 0.01]) is None


def test_rates_of_theory():
    """d^max(k - 1, 1) and d^k for descents; d^(k/2), d^(k/2 + 1) and d^((k + 1)/2) for moments."""
    rows = {one.name: one for one in demonstrations(LINKS["he4"].link, information=4, generative=2)}
    assert rows["online SGD"].rate("uniform") == 3
    assert rows["online SGD"].rate("toward-zero") == 4
    assert rows["partial trace"].rate("uniform") == 2
    assert rows["partial trace"].rate("toward-zero") == 3
    assert rows["label transform"].rate("uniform") == 1
    assert rows["label transform"].rate("worst-direction") == 2
    odd = {one.name: one for one in demonstrations(LINKS["he3"].link, information=3, generative=1)}
    assert odd["partial trace"].rate("uniform") == 1.5
    assert odd["partial trace"].rate("worst-direction") == 1.5
    assert odd["partial trace"].rate("toward-zero") == 2
    assert odd["label transform"].rate("uniform") == 1


def test_a_start_has_the_typical_overlap_exactly():
    direction = SingleIndex(50, LINKS["he2"].link).draw(seed=2).direction
    start = typical_start(direction, 7)
    assert start @ direction == pytest.approx(1 / math.sqrt(50), rel=1e-12)
    assert start @ start == pytest.approx(1.0, rel=1e-12)


def test_he3_thresholds_grow_faster_for_correlations_than_for_transformed_labels(results):
    rows = {(row["strategy"], row["errors"]): row for row in results["strategies"]}
    steep = rows["online SGD", "toward-zero"]["measured"]
    assert steep > rows["label transform", "toward-zero"]["measured"] + 1
    last = {name: row["thresholds"][-1]["tolerance"] for name, row in rows.items()}
    for errors in ("toward-zero", "worst-direction", "uniform"):
        assert last["label transform", errors] > last["partial trace", errors]
    assert (results["links"][0]["information"], results["links"][0]["generative"]) == (3, 1)


def test_no_moment_beats_its_lower_bound_from_the_first_dimension_on(results):
    """1 / tau^2 grows at least like d^(k/2), up to the search's width."""
    for row in results["strategies"]:
        if row["errors"] == "toward-zero":
            assert row["measured"] >= row["lower_bound"] - 0.2


def test_a_threshold_is_where_success_ends():
    """A little coarser the same trial fails."""
    named = LINKS["relu"]
    one = demonstrations(named.link, information=1, generative=1)[-1]
    problem, trials = SingleIndex(32, named.link), Trials(1, 0)
    tau = threshold(one, problem, "toward-zero", trials)
    assert tau is not None
    assert threshold(one, problem, "toward-zero", trials, guess=tau) == pytest.approx(tau, rel=0.3)
    assert 0.05 < tau < 1
    assert FOUND == 0.5


def test_the_command_writes_what_the_study_finds(tmp_path, results):
    target = tmp_path / "d.json"
    words = ["demonstrate", "--link", "relu", "--dimension", "16,32", "--errors", "toward-zero"]
    words += ["--trials", "1", "--out", str(tmp_path / "out"), "--json", str(target)]
    said = CliRunner().invoke(app, words)
    assert said.exit_code == 0, said.output
    written = json.loads(target.read_text())
    assert written["schema"] == results["schema"] == "sqsim.demonstrate/1"
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "results.json", "demonstration.svg", "demonstration.png",
    }  # fmt: skip
    assert "ReLU: information exponent 1, generative exponent 1" in said.output
    assert demonstrate.__doc__


def test_the_figure_has_a_panel_a_link_and_a_slope_a_line(results):
    text = svg(demonstration_figure(results))
    assert "He₃: exponents 3, 1" in text
    for row in results["strategies"]:
        if row["errors"] == "uniform":
            assert f">{row['measured']:.1f}<" in text
    assert len(summary(results)) == 3 + 5


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"links": ["cubic"]}, "no link"),
        ({"dimensions": [64]}, "two or more"),
        ({"dimensions": [64, 512]}, "two or more"),
        ({"dimensions": [2, 64]}, "numbers from"),
        ({"errors": ["kind"]}, "answer errors"),
        ({"trials": 0}, "trials"),
    ],
)
def test_bad_input_is_named(options, words):
    with pytest.raises(BadInput, match=words):
        exponent_demonstrations(**options)


def test_dimensions_that_are_no_numbers_are_named():
    with pytest.raises(BadInput, match="integers"):
        demonstrate(dimension="64,many")
