"""Learners on real tables, through queries only."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sqsim.errors import BadInput, QueryRefused
from sqsim.loop import run
from sqsim.oracles.simulated import csq, sq
from sqsim.problems.index import ReluRegression
from sqsim.problems.tables import read_table
from sqsim.studies import trials
from sqsim.studies.learners import (
    CONVENTIONS,
    LEARNERS,
    POLICIES,
    Learner,
    learner,
    warm,
    warm_direction,
)
from sqsim.studies.table import run_table
from sqsim.tolerance import L2
from sqsim.transcript import Transcript

datasets = pytest.importorskip("sklearn.datasets")

SCHEMA = {
    "schema", "table", "whitening", "oracle", "algorithm", "access", "status", "message",
    "hypothesis", "loss", "queries", "rounds", "finest_tolerance", "seconds", "sample_size",
    "sweep", "command", "versions",
}  # fmt: skip


@pytest.fixture(scope="session", params=["diabetes", "breast_cancer"])
def path(request, tmp_path_factory) -> Path:
    bunch = getattr(datasets, f"load_{request.param}")()
    file = tmp_path_factory.mktemp("tables") / f"{request.param}.csv"
    with file.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow([*bunch.feature_names, "target"])
        for row, label in zip(bunch.data.tolist(), bunch.target.tolist(), strict=True):
            writer.writerow([*row, label])
    return file


@pytest.fixture(scope="session")
def results(path: Path) -> dict[str, Any]:
    return run_table(path, target="target")


def small(tmp_path: Path, n: int = 60) -> Path:
    rng = np.random.default_rng(0)
    x = rng.standard_normal((n, 3)) * [1.0, 10.0, 0.1] + [5.0, 0.0, 1.0]
    y = np.maximum(x @ [0.5, 0.1, 1.0] - 3.0, 0.0)
    file = tmp_path / "small.npz"
    np.savez(file, X=x, y=y)
    return file


def test_learn_relu_is_at_least_as_good_as_least_squares(results: dict[str, Any]) -> None:
    train = results["loss"]["train"]
    # Where least squares predicts no negative value, the two are the same function.
    assert train["learner"] <= train["least_squares"] * (1 + 1e-9)
    assert train["least_squares"] < 0.2 * train["zero"]
    assert results["seconds"] < 5


def test_the_sweep_degrades_gracefully(results: dict[str, Any]) -> None:
    sweep, train = results["sweep"], results["loss"]["train"]
    assert results["sweep_policy"] == "toward-zero"
    assert [point["tolerance"] for point in sweep] == list(trials.SWEEP)
    assert {point["status"] for point in sweep} == {"finished"}
    losses = [point["loss"] for point in sweep]
    assert all(math.isfinite(loss) for loss in losses)
    assert losses[0] <= 1.01 * train["learner"]
    assert losses[-1] <= 1.5 * train["zero"]
    for finer, coarser in pairwise(losses):
        assert coarser >= 0.95 * finer


@pytest.mark.parametrize("policy", ["toward-zero", "uniform", "worst-direction"])
def test_a_tolerance_of_one_hundredth_is_no_great_harm(path: Path, policy: str) -> None:
    found = run_table(path, target="target", tolerance=0.01, policy=policy, sweep=False)
    train = found["loss"]["train"]
    assert train["learner"] <= 1.1 * train["least_squares"]


@pytest.mark.parametrize("one", LEARNERS, ids=lambda one: one.name)
def test_every_learner_runs_on_a_table(path: Path, one: Learner) -> None:
    found = run_table(path, target="target", algorithm=one.name, sweep=False)
    train = found["loss"]["train"]
    assert found["status"] == "finished"
    assert (found["algorithm"], found["access"]) == (one.name, one.access)
    assert train["learner"] < train["zero"]


def test_the_results_are_strict_json(results: dict[str, Any]) -> None:
    assert set(results) >= SCHEMA
    assert json.loads(json.dumps(results, allow_nan=False)) == results
    assert results["schema"] == "sqsim.run/1"
    assert results["loss"]["test"] is None
    assert results["oracle"] == {"tolerance": None, "norm": "l2", "policy": "exact"}
    assert results["finest_tolerance"] == 0.0
    assert results["sample_size"]["hoeffding"] is results["sample_size"]["bernstein"] is None
    assert "--target target" in results["command"]


def test_the_weights_are_for_the_table_as_it_is(path: Path, results: dict[str, Any]) -> None:
    table = read_table(path, target="target")
    weights = np.array([results["hypothesis"]["weights"][name] for name in table.names])
    predicted = np.maximum(table.inputs @ weights + results["hypothesis"]["intercept"], 0.0)
    loss = np.mean((predicted - table.targets) ** 2)
    assert loss == pytest.approx(results["loss"]["train"]["learner"], rel=1e-9)


def test_a_test_part_is_held_out(path: Path) -> None:
    found = run_table(path, target="target", test_fraction=0.25, seed=3, sweep=False)
    rows = found["table"]["rows"]
    assert found["table"]["test_rows"] == round(0.25 * rows)
    assert found["sweep"] is None
    test = found["loss"]["test"]
    assert test["learner"] < 0.3 * test["zero"]
    again = run_table(path, target="target", test_fraction=0.25, seed=3, sweep=False)
    assert again["loss"] == found["loss"]


def test_units_of_the_table_change_nothing(tmp_path: Path) -> None:
    file = small(tmp_path)
    archive = np.load(file)
    other = tmp_path / "other.npz"
    np.savez(other, X=archive["X"] * [2.0, 0.5, 8.0] + 4.0, y=1024 * archive["y"])
    one, two = (
        run_table(f, target="y", tolerance=0.03, policy="toward-zero", sweep=False)
        for f in (file, other)
    )
    ratio = one["loss"]["train"]["learner"] / one["loss"]["train"]["zero"]
    assert two["loss"]["train"]["learner"] / two["loss"]["train"]["zero"] == pytest.approx(ratio)
    assert two["queries"] == one["queries"]


def test_the_folder_holds_transcript_and_whitening(tmp_path: Path) -> None:
    file, folder = small(tmp_path), tmp_path / "out"
    found = run_table(file, target="y", tolerance=0.01, directory=folder, sweep=False)
    transcript = Transcript.read(folder / found["transcript"])
    assert sum(record.ledger.queries for record in transcript) == found["queries"]
    held = np.load(folder / "whitening.npz")
    table = read_table(file, target="y")
    z = (table.inputs - held["mean"]) @ held["matrix"]
    np.testing.assert_allclose(z.T @ z / len(z), np.eye(3), atol=1e-9)
    np.testing.assert_allclose(held["matrix"] @ held["inverse"], np.eye(3), atol=1e-9)
    assert list(held["names"]) == list(table.names)
    with pytest.raises(BadInput, match="not written over"):
        run_table(file, target="y", directory=folder)


def test_nothing_is_written_without_a_folder(tmp_path: Path, monkeypatch) -> None:
    file = small(tmp_path)
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    run_table(file, target="y", sweep=False)
    assert not list((tmp_path / "empty").iterdir())


def test_the_observer_sees_the_run(tmp_path: Path) -> None:
    events: list[tuple[str, Mapping[str, Any]]] = []
    found = run_table(
        small(tmp_path), target="y", observer=lambda event, details: events.append((event, details))
    )
    names = [event for event, _ in events]
    assert names[:2] == ["table", "learner"]
    assert names.count("round") == found["rounds"]
    assert names[-len(trials.SWEEP) - 1 :] == ["run"] + ["sweep"] * len(trials.SWEEP)


@pytest.mark.parametrize("norm", CONVENTIONS)
def test_every_convention_says_how_many_examples(tmp_path: Path, norm: str) -> None:
    found = run_table(
        small(tmp_path), target="y", tolerance=0.01, norm=norm, policy="toward-zero", sweep=False
    )
    size = found["sample_size"]
    needed = size["hoeffding" if norm == "absolute" else "bernstein"]
    assert needed >= 2 * math.log(2 * found["queries"] / 0.05) / 1e-4
    assert found["finest_tolerance"] == 0.01


def test_a_tolerance_below_rounding_is_unreachable_and_said_so(tmp_path: Path) -> None:
    found = run_table(small(tmp_path), target="y", tolerance=1e-18, sweep=False)
    assert found["status"] == "tolerance unreachable"
    assert "exceeds radius" in found["message"]
    assert found["hypothesis"] is None
    assert found["loss"]["train"]["learner"] is None
    assert found["loss"]["train"]["zero"] > 0
    json.dumps(found, allow_nan=False)


def interrupting(after: int) -> Any:
    def observer(event: str, details: Mapping[str, Any]) -> None:
        if event == "round" and details["rounds"] == after:
            raise KeyboardInterrupt

    return observer


def test_an_interrupt_keeps_the_transcript(tmp_path: Path) -> None:
    found = run_table(
        small(tmp_path), target="y", directory=tmp_path / "out", observer=interrupting(3)
    )
    assert found["status"] == "interrupted"
    assert found["sweep"] is None
    assert found["rounds"] == len(Transcript.read(tmp_path / "out" / found["transcript"])) == 3


def test_an_interrupt_of_the_sweep_keeps_its_points(tmp_path: Path, monkeypatch) -> None:
    real, calls = trials.run, iter(range(100))

    def stopping(*args: Any, **options: Any) -> Any:
        if next(calls) == 3:
            raise KeyboardInterrupt
        return real(*args, **options)

    monkeypatch.setattr(trials, "run", stopping)
    found = run_table(small(tmp_path), target="y")
    assert found["status"] == "finished"
    assert len(found["sweep"]) == 2


def bad_arguments() -> Iterator[tuple[dict[str, Any], str]]:
    yield {"target": "z"}, "no column 'z'"
    yield {"algorithm": "lern-relu"}, "did you mean 'learn-relu'"
    yield {"norm": "l3"}, "norm is 'l3'; wanted one of l2, absolute, vstat"
    yield {"policy": "nasty"}, "policy is 'nasty'; wanted one of exact, toward-zero"
    yield {"tolerance": 0.0}, "tolerance is 0.0"
    yield {"tolerance": math.nan}, "tolerance is nan"
    yield {"test_fraction": -0.5}, "test_fraction -0.5"
    yield {"test_fraction": math.nan}, "test_fraction nan"


@pytest.mark.parametrize(("changes", "message"), list(bad_arguments()))
def test_bad_arguments_are_refused_before_anything_is_written(
    tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    arguments: dict[str, Any] = {"target": "y", "directory": tmp_path / "out", **changes}
    with pytest.raises(BadInput, match=message):
        run_table(small(tmp_path), **arguments)
    assert not (tmp_path / "out").exists()


def test_an_all_zero_target_is_the_zero_hypothesis(tmp_path: Path) -> None:
    file = tmp_path / "zeros.npz"
    np.savez(file, X=np.random.default_rng(0).standard_normal((30, 2)), y=np.zeros(30))
    found = run_table(file, target="y", sweep=False)
    assert found["loss"]["train"]["learner"] == 0.0


def test_names_are_unique_and_say_their_access() -> None:
    assert len({one.name for one in LEARNERS}) == len(LEARNERS) == 8
    assert {one.name for one in LEARNERS if one.access == "SQ"} == {"thresholded-pca", "learn-relu"}
    assert set(POLICIES) == {"exact", "toward-zero", "uniform", "grid", "worst-direction"}
    assert learner("spectral-start").name == "spectral-start"


@pytest.mark.parametrize("one", LEARNERS, ids=lambda one: one.name)
def test_a_correlational_oracle_answers_the_correlational_learners_only(one: Learner) -> None:
    problem = ReluRegression(4, norm=1.0, bias=-1.0)
    oracle: Any = csq(problem.draw(seed=0), tolerance=L2(1e-4))
    if one.access == "CSQ":
        assert run(one.strategy(problem, 0), oracle).value is not None
    else:
        with pytest.raises(QueryRefused):
            run(one.strategy(ReluRegression(4), 0), oracle)


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_warm_start_has_the_right_sign(sign: float) -> None:
    problem = ReluRegression(8, norm=1.0, bias=-2.0)
    instance = problem.draw(seed=0, direction=sign * np.arange(1.0, 9.0))
    start = run(warm_direction(problem, 0.5), sq(instance, tolerance=L2(1e-6))).value
    assert start is not None
    assert start @ instance.direction > 0.999
    for one in warm(start):
        assert (one.access, one.warm_start, one.told) == ("CSQ", True, True)
        found = run(one.strategy(problem, 0), csq(instance, tolerance=L2(1e-6))).value
        assert found is not None
        assert found.overlap(instance.direction) > 0.999
