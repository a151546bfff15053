"""What a run would cost, from its transcript alone."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from typer.testing import CliRunner

from sqsim.audit.costs import MODELS, run_costs
from sqsim.cli import app
from sqsim.errors import BadInput
from sqsim.loop import run
from sqsim.oracles.sample_counts import local_privacy_users, stat_samples
from sqsim.oracles.simulated import csq
from sqsim.problems.index import ReluRegression
from sqsim.queries import Correlation, Ridge
from sqsim.strategy import ask, ask_all
from sqsim.tolerance import Absolute, Unperturbed


def two_rounds():
    """Four scalar queries, then one that asks for less."""
    yield from ask_all(Correlation(Ridge(), "mean"), Correlation(Ridge(power=1), "vector"))
    coarse = Correlation(Ridge(np.tanh, np.eye(3)[0]), "coarse", Absolute(0.2))
    return (yield from ask(coarse))


@pytest.fixture
def path(tmp_path):
    instance = ReluRegression(3).draw(seed=1)
    oracle = csq(instance, tolerance=Absolute(0.01))
    run(two_rounds(), oracle, log=tmp_path / "run.jsonl")
    return tmp_path / "run.jsonl"


def test_every_round_is_priced_at_its_tolerance(path):
    """delta is shared by all queries of the run; a sample serves a round, a bit one query."""
    found = run_costs(path, failure=0.1, epsilon=2.0)
    first, second = found.rounds
    assert (found.queries, first.queries, second.queries) == (5, 4, 1)
    assert (first.finest, second.finest) == (0.01, 0.2)
    assert first.counts["stat"] == math.ceil(2 * math.log(2 * 5 / 0.1) / 0.01**2)
    assert second.counts["stat"] == stat_samples(0.2, queries=5, failure=0.1).samples
    users = local_privacy_users(0.01, 2.0, queries=5, failure=0.1).samples
    assert first.counts["ldp"] == 4 * users
    assert first.counts["honest"] == 4 * first.counts["stat"]
    assert found.vstat == pytest.approx(1e4)
    for name in MODELS:
        assert found.totals[name] == first.counts[name] + second.counts[name]


def test_the_command_shows_all_models_and_delta(path, tmp_path):
    copy = tmp_path / "costs.json"
    done = CliRunner().invoke(
        app, ["costs", str(path), "--delta", "0.1", "--epsilon", "2", "--json", str(copy)]
    )
    assert done.exit_code == 0, done.output
    for word in ("STAT", "VSTAT", "honest", "1-STAT", "LDP", "delta = 0.1", "total"):
        assert word in done.output
    report = json.loads(copy.read_text())
    assert report["schema"] == "sqsim.costs/1"
    assert report["totals"] == dict(run_costs(path, failure=0.1, epsilon=2.0).totals)


def test_exact_answers_have_no_price(tmp_path):
    oracle = csq(ReluRegression(3).draw(seed=1), tolerance=Unperturbed())
    run(ask(Correlation(Ridge(), "mean")), oracle, log=tmp_path / "run.jsonl")
    with pytest.raises(BadInput, match="without a tolerance"):
        run_costs(tmp_path / "run.jsonl")


@pytest.mark.parametrize("change", [{"failure": 0.0}, {"failure": 2.0}, {"epsilon": -1.0}], ids=str)
def test_bad_numbers_are_refused(path, change):
    with pytest.raises(BadInput):
        run_costs(path, **change)
