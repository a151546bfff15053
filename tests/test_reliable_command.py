"""`sqsim reliable`: its results, its scaling, what it refuses before work begins."""

from __future__ import annotations

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from sqsim import BadInput
from sqsim.cli import app
from sqsim.errors import SqsimError
from sqsim.studies.reliable import ReliableRun, named_table, reliable_run, table_in_ball


def invoke(*arguments):
    return CliRunner().invoke(app, ["reliable", *arguments])


def csv(path, x, y):
    rows = np.column_stack([x, y])
    lines = ["a,b,label", *(",".join(f"{v:.17g}" for v in row) for row in rows)]
    path.write_text("\n".join(lines) + "\n")
    return str(path)


@pytest.mark.parametrize("problem", ["sphere", "straddling"])
def test_the_command_writes_what_it_says(tmp_path, problem):
    """Keys of sqsim.reliable/1; the promise against the brute-force optimum."""
    copy = tmp_path / "r.json"
    found = invoke(problem, "--epsilon", "0.3", "--points", "40", "--json", str(copy))
    assert found.exit_code == 0, found.output
    results = json.loads(copy.read_text())
    assert results["schema"] == "sqsim.reliable/1"
    assert results["false_positive_rate"] <= 0.3
    assert results["positive_loss"] <= results["best_positive_loss"] + 0.3
    assert results["certified"]
    assert results["degree"] == 4
    assert results["features"] == 15
    coordinates = results["promised"]["coordinates"]
    assert results["queries"] == results["rounds"] * (coordinates + 3)
    assert "false-positive rate" in found.output
    quiet = invoke(problem, "--epsilon", "0.3", "--points", "40", "--quiet")
    assert (quiet.exit_code, quiet.output) == (0, "")


def test_beyond_three_dimensions_there_is_no_brute_force():
    """best_positive_loss is null there."""
    data = named_table("cube", dimension=4, count=16, seed=0)
    results = reliable_run(data, ReliableRun(epsilon=0.3, loss="absolute", tolerance=1e-6))
    assert results["best_positive_loss"] is None
    assert results["false_positive_rate"] <= 0.3


def test_a_table_outside_the_ball_is_refused_with_the_scaling_and_then_scaled(tmp_path):
    """Labels beyond [0, 1], rows of norm > 1: what was found, and the flag that mends it."""
    stream = np.random.default_rng(0)
    x = stream.standard_normal((40, 2))
    y = np.maximum(x[:, 0], 0.0)
    path = csv(tmp_path / "t.csv", x, y)
    with pytest.raises(BadInput, match=r"labels lie in \[0, .*rescale them.*--scale does this"):
        table_in_ball(path, target="label", scale=False)
    inside = csv(tmp_path / "u.csv", x, y / y.max())
    with pytest.raises(BadInput, match=r"a row has norm .*divide all rows by .*--scale"):
        table_in_ball(inside, target="label", scale=False)
    copy = tmp_path / "r.json"
    arguments = ["--target", "label", "--epsilon", "0.3", "--scale", "--json", str(copy)]
    found = invoke(path, *arguments)
    assert found.exit_code == 0, found.output
    results = json.loads(copy.read_text())
    assert "columns divided by" in results["scaling"]
    assert results["positive_loss"] <= results["best_positive_loss"] + 0.3


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nowhere", "--epsilon", "0.3"], "no problem 'nowhere'"),
        (["sphere", "--epsilon", "0.7"], "in (0, 1/2)"),
        (["sphere", "--epsilon", "0.001"], "ask for epsilon >= "),
        (["sphere", "--epsilon", "0.3", "--loss", "hinges"], "loss is 'hinges'"),
        (["sphere", "--epsilon", "0.3", "--dimension", "1"], "wanted at least 2 and 4"),
        (["sphere", "--epsilon", "0.06", "--dimension", "60"], "GiB are allowed"),
        (["t.csv", "--epsilon", "0.3"], "no such file"),
    ],
)
def test_bad_input_is_said_before_work_begins(arguments, words):
    """What was found and what to do, as an error that becomes exit code 2."""
    found = invoke(*arguments)
    assert isinstance(found.exception, SqsimError)
    assert words in str(found.exception)


def test_labels_are_the_last_column_unless_another_is_named(tmp_path):
    """The file of `sqsim reliable TABLE --epsilon E` says it by its order."""
    angles = np.linspace(0.0, 6.0, 40)
    x = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    path, copy = csv(tmp_path / "t.csv", x, np.maximum(x[:, 0], 0.0)), tmp_path / "r.json"
    assert invoke(path, "--epsilon", "0.3", "--json", str(copy)).exit_code == 0
    assert json.loads(copy.read_text())["target"] == "label"
