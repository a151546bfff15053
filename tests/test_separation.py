"""The main job: who learns under one tolerance, against one adversary."""

from __future__ import annotations

import json

import numpy as np
import pytest

from sqsim.errors import BadInput
from sqsim.report.words import separation_words
from sqsim.studies.bisection import find_tolerances
from sqsim.studies.certified import certified_csq_queries
from sqsim.studies.separation import SUCCESS, Separation, separate
from sqsim.transcript import Transcript

# (bias, cutoff, tolerance, null_loss / opt_upper_bound): theory and issue, computed independently.
SETTINGS = [
    (-7.0, 9, 5e-11, 617.031653994),
    (-6.0, 7, 5e-9, 153.876338),
    (-8.0, 11, 5e-13, 4409.13613),
    (-5.0, 5, 5e-8, 66.5575076),
]


def cold_csq(results):
    return [r for r in results["runs"] if r["access"] == "CSQ" and not r["warm_start"]]


def check_separates(results):
    null = results["instance"]["null_loss"]
    cold = cold_csq(results)
    assert len(cold) == 6
    for run in cold:
        assert run["status"] == "finished", run["message"]
        assert run["loss"] >= 0.9 * null, run["algorithm"]
    by_name = {(r["algorithm"], r["warm_start"]): r for r in results["runs"]}
    full = by_name["learn-relu", False]
    assert full["told"] == "neither norm nor bias"
    assert full["loss_ratio"] <= SUCCESS
    assert by_name["projected-gradient-descent", True]["loss_ratio"] <= SUCCESS
    assert by_name["reweighted-pgd", True]["loss_ratio"] <= SUCCESS


@pytest.mark.slow
@pytest.mark.parametrize("policy", ["toward-zero", "worst-direction"])
@pytest.mark.parametrize("dimension", [100, 1000])
@pytest.mark.parametrize(("bias", "cutoff", "tolerance", "ratio"), SETTINGS)
def test_sq_learns_and_cold_csq_does_not(bias, cutoff, tolerance, ratio, dimension, policy):
    """The separation, under both adversaries, at every instance that the project names."""
    study = Separation(
        dimension=dimension, bias=bias, cutoff=cutoff, tolerance=tolerance, policy=policy
    )
    results = separate(study, curves=False)
    instance = results["instance"]
    assert instance["null_loss"] / instance["opt_upper_bound"] == pytest.approx(ratio, rel=2e-9)
    check_separates(results)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_separation_does_not_hang_on_one_seed(seed):
    """Directions, starts and signs differ; the outcome must not."""
    for policy in ("toward-zero", "worst-direction"):
        check_separates(separate(Separation(dimension=200, policy=policy, seed=seed), curves=False))


def test_results_keep_the_contract(tmp_path):
    """Others read these keys."""
    results = separate(Separation(dimension=50), directory=tmp_path)
    json.dumps(results, allow_nan=False)
    assert results["schema"] == "sqsim.separation/1"
    assert set(results["instance"]) == {
        "dimension", "bias", "cutoff", "null_loss", "opt_upper_bound", "seed",
    }  # fmt: skip
    assert results["instance"]["opt_upper_bound"] == pytest.approx(7.699336342e-17, rel=1e-9)
    assert set(results["certified_csq_queries"]) == {"lower", "norm"}
    assert set(results["oracle"]) == {"tolerance", "norm", "policy"}
    wanted = {
        "algorithm", "access", "warm_start", "status", "overlap", "hypothesis", "loss",
        "loss_ratio", "queries", "rounds", "finest_tolerance", "seconds",
    }  # fmt: skip
    for run in results["runs"]:
        assert wanted <= set(run)
        assert set(run["hypothesis"]) == {"norm", "bias"}
        assert run["finest_tolerance"] == 5e-11
        assert run["loss_ratio"] == run["loss"] / results["instance"]["opt_upper_bound"]
        record = Transcript.read(tmp_path / run["transcript"])
        assert record.ledger.queries == run["queries"]
        assert record.ledger.rounds == run["rounds"]
        queries, ratios = zip(*run["curve"], strict=True)
        assert list(queries) == sorted(queries)
        assert list(ratios) == sorted(ratios, reverse=True)


def test_transcripts_do_not_hold_the_secret(tmp_path):
    """A transcript is what passed between learner and oracle, and no more."""
    study = Separation(dimension=20)
    separate(study, directory=tmp_path)
    v = study.instance(told=True).direction
    for path in (tmp_path / "transcripts").glob("*"):
        content = path.read_bytes()
        assert v.tobytes() not in content
        assert str(v[0]).encode() not in content


@pytest.mark.parametrize("norm", ["vstat", "absolute"])
def test_other_conventions_run_to_the_end(norm):
    """Nobody has to take the convention on trust, so every one must run."""
    results = separate(Separation(dimension=20, norm=norm), curves=False)
    assert all(run["status"] == "finished" for run in results["runs"])
    # The theorem is about l2: elsewhere nothing is claimed.
    assert results["certified_csq_queries"] == {"lower": "0", "norm": norm}


@pytest.mark.parametrize(
    ("change", "queries"),
    [
        ({}, 4.02e8),
        ({"bias": -8.0, "cutoff": 11, "tolerance": 5e-13}, 4.5e10),
        ({"bias": -5.0, "cutoff": 5, "tolerance": 5e-8}, 1.42e4),
        ({"dimension": 20}, 0.0),
        ({"tolerance": 1e-2}, float("inf")),
        ({"bias": -1.0, "cutoff": 0, "tolerance": 1e-3}, 0.0),
    ],
    ids=str,
)
def test_what_is_proved_of_an_instance(change, queries):
    """The centred spectral bound, to three digits; vacuous, or no number, where it must be."""
    s = Separation(**change)
    found = certified_csq_queries(
        dimension=s.dimension,
        bias=s.bias,
        cutoff=s.cutoff,
        tolerance=s.tolerance,
        norm=s.norm,
        ratio=1.5,
    )
    assert float(found["lower"]) == pytest.approx(queries, rel=0.01)


def test_exact_answers_do_not_hand_out_rounding_noise():
    """The low-degree parts were removed: what the answers hold of them is 0, not 1e-30."""
    results = separate(Separation(dimension=30, bias=-5, cutoff=5, policy="exact"), curves=False)
    by_name = {r["algorithm"]: r for r in cold_csq(results)}
    assert by_name["one-shot-regression"]["overlap"] == 0.0
    assert by_name["one-shot-regression"]["hypothesis"]["norm"] == 0.0


def test_unreachable_tolerances_are_said_not_faked():
    """Below the evaluator's own error there is no lawful answer, and no made-up loss."""
    results = separate(Separation(dimension=10, tolerance=1e-40), curves=False)
    statuses = {r["status"] for r in results["runs"]}
    assert "tolerance unreachable" in statuses
    for run in results["runs"]:
        if run["status"] == "tolerance unreachable":
            assert run["loss"] is None
            assert "exceeds radius" in run["message"]


@pytest.mark.slow
def test_find_tolerance_brackets_the_first_success():
    """A learner succeeds at `succeeds` and fails at `fails`, a tenth of a decade apart."""
    study = Separation(dimension=30, bias=-5.0, cutoff=5, tolerance=5e-8)
    rows = {(r["algorithm"], r["warm_start"]): r for r in find_tolerances(study)}
    assert set(rows) == {(r["algorithm"], r["warm_start"]) for r in separate(study)["runs"]}
    full = rows["learn-relu", False]
    assert full["succeeds"] > 5e-8
    assert 1 < full["fails"] / full["succeeds"] < 10**0.11
    for row in rows.values():
        assert row["succeeds"] is not None or row["fails"] is not None


@pytest.mark.parametrize(
    "change",
    [
        {"dimension": 1},
        {"bias": 1.0},
        {"cutoff": -1},
        {"tolerance": 0.0},
        {"tolerance": np.nan},
        {"norm": "l3"},
        {"policy": "kind"},
    ],
)
def test_bad_settings_are_refused(change):
    """Before anything is computed."""
    with pytest.raises(BadInput):
        Separation(**change)


@pytest.mark.parametrize(
    ("model", "tolerance"), [("honest", 0.05), ("ldp", 0.5)], ids=["honest", "ldp"]
)
def test_learners_run_unchanged_on_examples_and_on_private_users(model, tolerance):
    """The same strategies, answered with a probability instead of a certainty."""
    study = Separation(
        dimension=3, bias=-0.5, cutoff=0, tolerance=tolerance, model=model, epsilon=2.0, clip=3.0
    )
    results = separate(study, curves=False)
    assert {run["status"] for run in results["runs"]} <= {"finished", "converged"}
    assert results["oracle"]["model"] == model
    assert results["certified_csq_queries"] == {"lower": "0", "norm": model}
    assert any(run["loss_ratio"] < 4 for run in results["runs"])
    text = " ".join(passage.text for passage in separation_words(results))
    assert "every answer lay within the tolerance" not in text


@pytest.mark.parametrize("model", ["honest", "ldp"])
def test_what_no_machine_can_draw_is_refused_with_the_estimate(model):
    """A tolerance of 5e-11 takes 4e20 examples a query."""
    with pytest.raises(BadInput, match="random numbers"):
        Separation(model=model)


def test_unknown_access_models_are_refused():
    """With the list of those there are."""
    with pytest.raises(BadInput, match="honest, ldp"):
        Separation(model="oracle of Delphi")


def test_small_dimensions_survive_the_worst_direction():
    """A matrix with one eigenvalue and zeros: asked for one of many, LAPACK may return none."""
    study = Separation(dimension=30, policy="worst-direction")
    check_separates(separate(study, curves=False))
