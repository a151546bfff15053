"""Learners against designed corruptions: who is deceived, who is slow, and how both are shown."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from sqsim.algorithms.descent import projected_gradient_descent
from sqsim.cli import app
from sqsim.errors import BadInput
from sqsim.lowerbounds.basins import ReweightedStep, basin_point
from sqsim.lowrank import Array
from sqsim.problems.hypothesis import ReluHypothesis
from sqsim.problems.problem import Problem
from sqsim.report.designers import designers_figure, worst
from sqsim.strategy import CSQ
from sqsim.studies.contenders import CONTENDERS, STEPS, Contender
from sqsim.studies.designers import designers_study, designs
from sqsim.studies.fooling import fooled_bias
from sqsim.updates import plain

BY_NAME = {contender.name: contender for contender in CONTENDERS}
PUSH = "push against reweighted"


@pytest.mark.parametrize(("alpha", "about"), [(5.0, 4.40), (100.0, 9.26), (1000.0, 11.50)])
def test_where_the_reweighted_step_can_be_fooled(alpha: float, about: float) -> None:
    """Below and above are proved on either side of 1, a ten-thousandth apart."""
    found = fooled_bias(alpha)
    assert found is not None
    assert found["below"] < found["above"] < found["below"] + 1e-4
    assert found["above"] == pytest.approx(about, abs=0.005)
    for end, fooled in (("below", False), ("above", True)):
        ratio = basin_point(
            ReweightedStep(), bias=-found[end], alpha=alpha, overlap="0.9", digits=10
        )
        assert (float(ratio.noise_to_signal.lower) >= 1) is fooled


def test_a_smaller_budget_fools_only_farther_biases() -> None:
    """The exponent of the worst case is positive at 0.9: there is always such a bias, if far."""
    near, far = fooled_bias(1e4), fooled_bias(1e6)
    assert near is not None
    assert far is not None
    assert near["above"] < far["above"]


@pytest.fixture(scope="module")
def results() -> dict[str, Any]:
    return designers_study(
        alphas=(100.0,),
        biases=(-3.0, -12.0),
        contenders=(BY_NAME["reweighted from 0.9"], BY_NAME["PCA, then reweighted"]),
        chosen=(PUSH,),
    )


def test_the_study_tells_the_two_sides_apart(results: dict[str, Any]) -> None:
    """Before the point every start learns; beyond it the push stops the start it was aimed at."""
    rows = {(row["bias"], row["learner"]): row for row in results["rows"]}
    before, beyond = (rows[bias, "reweighted from 0.9"] for bias in (-3.0, -12.0))
    assert before["ratio"] < 4.2
    assert before["first_step"] > 0
    assert beyond["ratio"] > 50
    assert beyond["first_step"] < 0
    assert rows[-12.0, "PCA, then reweighted"]["ratio"] < 4.2
    for row in results["rows"]:
        assert 0 < row["opt"] <= row["budget"] * (1 + 1e-6)
        assert row["loss"] >= row["opt"] - 2 * row["opt_error"]
        proved = basin_point(
            ReweightedStep(), bias=row["bias"], alpha=100, overlap="0.9", digits=10
        )
        if row["first_step"] is not None:
            harm = float(proved.noise_to_signal.lower)
            assert 1 - row["first_step"] == pytest.approx(harm, rel=1e-6)


def test_a_label_threshold_outlasts_the_cap_that_defeats_pca() -> None:
    """At |b| = 20 the tilt, which does not shrink with b, is far outside of the basin 1 / |b|."""
    chosen = [BY_NAME[name] for name in ("PCA, then reweighted", "label threshold, then smoothed")]
    found = designers_study(
        alphas=(5.0,), biases=(-20.0,), contenders=chosen, chosen=("cap against PCA",)
    )
    tilted, robust = found["rows"]
    assert tilted["ratio"] > 5
    assert tilted["hurried"] is not None
    assert robust["ratio"] < 1.01


def test_a_slow_learner_is_not_called_deceived() -> None:
    """One that takes its steps only when asked for patience: both ratios are told."""

    def reluctant(problem: Problem, *, start: Array, patience: int) -> CSQ[ReluHypothesis]:
        steps = 1 if patience == 1 else STEPS
        return projected_gradient_descent(
            problem, start=start, steps=steps, step_size=0.2, normalised=True
        )

    found = designers_study(
        alphas=(100.0,),
        biases=(-4.0,),
        contenders=(Contender("reluctant", reluctant, plain),),
        chosen=(PUSH,),
    )
    (row,) = found["rows"]
    assert row["first_step"] > 0
    assert row["ratio"] < 4.2 < 10 < row["hurried"]


def test_a_design_that_cannot_spend_its_budget_is_named() -> None:
    """Noise within the cut carries less than ||sigma_b||^2 / 1.2; the table says so."""
    found = designers_study(
        alphas=(1.2,), biases=(-4.0,), contenders=(), chosen=("bounded push against plain",)
    )
    (skipped,) = found["skipped"]
    assert not found["rows"]
    assert skipped["design"] == "bounded push against plain"
    assert "raise the bound" in skipped["reason"]
    with pytest.raises(BadInput, match="nothing to draw"):
        designers_figure(found)


def test_the_figure_shows_every_design_and_learner(results: dict[str, Any]) -> None:
    figure = designers_figure(results)
    lines = {line.get_gid() for axes in figure.axes for line in axes.lines}
    for name in results["learners"]:
        assert {f"{PUSH}-100-{name}", f"fooled-100-{name}"} <= lines
    row = worst(results, 100.0, "reweighted from 0.9")[1]
    assert row["ratio"] == max(row["ratio"] for row in results["rows"])


def test_bad_studies_name_the_assumption() -> None:
    with pytest.raises(BadInput, match="alpha > 1"):
        designers_study(alphas=(1.0,))
    with pytest.raises(BadInput, match="-25 <= bias"):
        designers_study(biases=(-40.0,))
    with pytest.raises(BadInput, match="some of"):
        designers_study(chosen=("nothing",))
    with pytest.raises(BadInput, match="at least one process"):
        designers_study(workers=0)
    with pytest.raises(BadInput, match="negative biases"):
        designs(1.0, 1.0)


def test_the_command_writes_what_it_says(tmp_path: Path) -> None:
    """Keys of sqsim.designers/1, a picture of each line, what was not made, what was fooled."""
    copy, out = tmp_path / "d.json", tmp_path / "out"
    arguments = ["--alpha", "1.2,100", "--bias-range", "4:9", "--points", "2", "--workers", "1"]
    arguments += ["--design", "bounded push against plain", "--learner", "plain from 0.9"]
    found = CliRunner().invoke(
        app, ["designers", *arguments, "--out", str(out), "--json", str(copy)]
    )
    assert found.exit_code == 0, found.output
    results = json.loads(copy.read_text())
    assert results["schema"] == "sqsim.designers/1"
    assert {row["alpha"] for row in results["rows"]} == {100.0}
    assert np.isfinite([row["ratio"] for row in results["rows"]]).all()
    assert "not made: bounded push against plain at alpha 1.2" in found.output
    assert "alpha 100: the reweighted step at overlap 0.9 is foolable from |b| = 9.26" in (
        found.output
    )
    names = sorted(path.name for path in out.iterdir())
    assert names == ["designers.png", "designers.svg", "results.json"]
    assert "bounded push against plain-100-plain from 0.9" in (out / "designers.svg").read_text()


def test_the_command_refuses_what_it_cannot_compute() -> None:
    """Bad lists, ranges and names stop before anything is computed."""
    runner = CliRunner()
    for arguments in (
        ["--alpha", "0.5"],
        ["--bias-range", "5:2"],
        ["--points", "1"],
        ["--learner", "nobody"],
        ["--design", "nothing"],
    ):
        found = runner.invoke(app, ["designers", *arguments])
        assert isinstance(found.exception, BadInput)
