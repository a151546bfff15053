"""`sqsim neurons`: its results, its picture, its refusals."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from sqsim import BadInput
from sqsim.cli import app
from sqsim.report.figures import svg
from sqsim.report.neurons import neurons_figure
from sqsim.studies.several_neurons import SeveralNeurons, outcome_words, several_neurons

ARGUMENTS = ["--count", "2", "--dimension", "5", "--biases=-1", "--tolerance", "1e-2"]


def test_the_command_writes_what_it_says(tmp_path):
    """Keys of sqsim.neurons/1, a picture with a line for the learner, the stated cost."""
    copy, out = tmp_path / "n.json", tmp_path / "out"
    arguments = ["neurons", *ARGUMENTS, "--algorithms", "tensor-correlational"]
    result = CliRunner().invoke(app, [*arguments, "--out", str(out), "--json", str(copy)])
    assert result.exit_code == 0, result.output
    found = json.loads(copy.read_text())
    assert found["schema"] == "sqsim.neurons/1"
    row = found["runs"][0]
    assert (row["queries"], row["rounds"]) == (row["stated_queries"], row["stated_rounds"])
    assert row["outcome"] == "learned"
    assert len(row["overlaps"]) == 2
    assert sorted(p.name for p in out.iterdir()) == ["neurons.png", "neurons.svg", "results.json"]
    assert "loss_to_zero-tensor-correlational" in (out / "neurons.svg").read_text()


def test_runs_that_were_refused_are_told_and_not_drawn():
    """A row without a loss keeps its message; a picture of nothing is refused."""
    rows = [{"algorithm": "a", "access": "SQ", "tolerance": 0.1, "outcome": "refused"}]
    rows[0]["message"] = "too fine"
    assert "too fine" in outcome_words({"runs": rows})[0]
    with pytest.raises(BadInput, match="no run finished"):
        neurons_figure({"schema": "sqsim.neurons/1", "runs": rows})


def test_decoys_are_in_the_picture_and_in_the_loss():
    """The budget's level is drawn, and loss_to_opt is a number."""
    study = SeveralNeurons(
        count=1,
        dimension=4,
        tolerances=(1e-2,),
        alpha=20.0,
        algorithms=("tensor-correlational",),
    )
    results = several_neurons(study)
    assert results["runs"][0]["loss_to_opt"] < 2
    assert abs(results["opt_upper_bound"] * 20 / results["zero_loss"] - 1) < 0.5
    assert "hidden network" in svg(neurons_figure(results))


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"biases": (1.0, 2.0)}, "2 biases for 3 neurons"),
        ({"policy": "kind"}, "policy is 'kind'"),
        ({"norm": "vstat"}, "joint law"),
        ({"algorithms": ("guess",)}, "algorithm is 'guess'"),
        ({"alpha": 0.0}, "energy / budget"),
        ({"tolerances": ()}, "positive finite"),
    ],
    ids=["biases", "policy", "norm", "algorithm", "alpha", "tolerances"],
)
def test_bad_studies_are_refused_in_words(wrong, words):
    with pytest.raises(BadInput, match=words):
        SeveralNeurons(**wrong)
