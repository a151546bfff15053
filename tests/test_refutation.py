"""A learner that can be refuted is, with every answer checked; one that cannot is not."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sqsim import Budget, BudgetSpent, Refutation, csq, refute, run, toward_zero
from sqsim.cli.refute import refute as command
from sqsim.errors import BadInput
from sqsim.links import hermite, residual
from sqsim.lowerbounds import Enclosure
from sqsim.lowerbounds.quantities import Estimate
from sqsim.lowrank import dense
from sqsim.oracles.candidates import family_of
from sqsim.oracles.evader import Evader
from sqsim.oracles.quadrature import Quadrature
from sqsim.oracles.scoring import loss
from sqsim.problems import ReluHypothesis, ReluRegression
from sqsim.problems.corruption import LowDegreeRemoval
from sqsim.problems.hypothesis import zero
from sqsim.problems.index import SingleIndex
from sqsim.queries import Batch, Correlation, Ridge
from sqsim.refutation.answers import check_answers
from sqsim.strategy import ask, ask_all
from sqsim.studies.learners import LEARNERS, learner
from sqsim.tolerance import L2, Absolute, Mean

SMALL = ReluRegression(40, norm=1.0, bias=-5.0)
MODEL = SMALL.draw(corruptions=[LowDegreeRemoval(6)])
TOLERANCE = L2(4e-6)
CORRELATIONAL = [one for one in LEARNERS if one.access == "CSQ"]
COMMAND = [sys.executable, "-m", "sqsim.cli", "refute"]


def named(name: str) -> Any:
    return lambda problem: learner(name).strategy(problem, 0)


def one_correlation(problem: Any) -> Any:
    """The shortest learner there is."""
    moment = yield from ask(Correlation(Ridge(power=1), "E[y x]"))
    return ReluHypothesis(2 * moment, 0.0)


@pytest.fixture(scope="module")
def refuted() -> Refutation:
    return refute(one_correlation, MODEL, TOLERANCE)


@pytest.mark.parametrize("one", CORRELATIONAL, ids=lambda one: one.name)
def test_every_correlational_learner_is_refuted(one):
    """The same learner, told all it was told, loses as much on the instance itself."""
    found = refute(named(one.name), MODEL, TOLERANCE)
    assert found.refuted, found.message
    assert found.grade == "certified"
    assert found.loss_ratio > 18
    assert all(answer.lawful and answer.slack > 0 for answer in found.answers)
    # An oracle that knows the instance from the start, answering toward 0, says the same.
    oracle = csq(found.instance, tolerance=TOLERANCE, policy=toward_zero)
    again = run(named(one.name)(found.instance.problem), oracle)
    assert again.ledger.queries == found.queries
    assert loss(found.instance, again.value).number == pytest.approx(found.loss.value, rel=1e-9)


def test_gradient_descent_is_refuted_in_a_thousand_dimensions():
    """The instance of the separation study: 100 200 answers proved at 40 digits."""
    problem = ReluRegression(1000, norm=1.0, bias=-7.0)
    model = problem.draw(corruptions=[LowDegreeRemoval(9)])
    found = refute(named("gradient-descent"), model, L2(5e-11), digits=40)
    assert found.refuted
    assert found.grade == "certified"
    assert found.loss_ratio >= 100
    assert sum(answer.size for answer in found.answers) == found.queries == 100_200
    assert all(answer.upper < Fraction(5e-11) for answer in found.answers)
    assert len(found.largest_answer_error.upper.replace(".", "").split("E")[0]) >= 40


def test_no_mean_is_further_from_its_answer_than_was_proved(refuted):
    """The proved bound holds for the means that quadrature finds, entry by entry."""
    query = Correlation(Ridge(power=1), "E[y x]")
    mean = Quadrature().means(refuted.instance, [query], [TOLERANCE.scale])[0]
    radius = L2(float(refuted.answers[0].upper)).radius(mean) * (1 + 1e-9) + mean.error
    assert (np.abs(dense(mean.value)) <= radius).all()
    assert isinstance(refuted.largest_answer_error, Enclosure)


def test_a_refutation_carries_its_instance(refuted):
    """A unit direction, the loss over OPT there, and what was returned."""
    assert refuted.refuted
    assert np.linalg.norm(refuted.direction) == pytest.approx(1, abs=1e-12)
    measured = loss(refuted.instance, refuted.value).number
    assert refuted.loss.value == measured
    assert refuted.loss_ratio == measured / refuted.instance.opt_upper_bound


def test_the_same_seed_finds_the_same_instance(refuted):
    """And another seed another one."""
    again = refute(one_correlation(SMALL), MODEL, TOLERANCE)
    assert np.array_equal(again.direction, refuted.direction)
    other = refute(one_correlation, MODEL, TOLERANCE, seed=1)
    assert not np.array_equal(other.direction, refuted.direction)


def test_a_learner_that_is_not_correlational_is_not_refuted_so():
    """Thresholded PCA: refused by the CSQ evader, and a winner against the SQ evader."""
    refused = refute(named("thresholded-pca"), MODEL, TOLERANCE)
    assert not refused.refuted
    assert "not a CSQ strategy" in refused.message
    assert refused.loss_ratio is None
    assert refused.largest_answer_error is None
    free = refute(named("thresholded-pca"), MODEL, TOLERANCE, correlational=False, candidates=8)
    assert not free.refuted
    assert f"none was found among {free.candidates} candidates" in free.message
    assert free.candidates >= 16
    assert free.loss_ratio < 1.5
    assert free.grade == "estimate"
    assert all(answer.lawful for answer in free.answers)


def test_a_correlational_learner_is_refuted_by_the_statistical_evader_too():
    """It asks the same questions, so it meets the same answers."""
    found = refute(one_correlation, MODEL, TOLERANCE, correlational=False)
    assert found.refuted
    assert found.grade == "certified"


def test_at_a_fine_tolerance_a_learner_is_not_refuted():
    """With labels that keep their low degrees the regression learns, whatever the evader does."""
    found = refute(
        named("biased-one-shot-regression"),
        ReluRegression(8, norm=1.0, bias=0.0).draw(corruptions=[LowDegreeRemoval(0)]),
        L2(1e-4),
        candidates=4,
    )
    assert not found.refuted
    assert found.loss_ratio < 1.5


def exhaustive(instances: list[Any]) -> Any:
    """Asks for one member after the other, and hands back the one that answers."""

    def strategy(problem: Any) -> Any:
        answers = yield from ask_all(
            *(
                Correlation(Ridge(lambda s: (s**3 - 3 * s) / np.sqrt(6), one.direction))
                for one in instances
            )
        )
        return instances[int(np.argmax([float(answer) for answer in answers]))].direction

    return strategy


def apart(instance: Any, direction: Any) -> Mean:
    """E[(h_3(<v, x>) - h_3(<w, x>))^2] = 2 - 2 <v, w>^3."""
    return Mean(np.asarray(2 - 2 * (instance.direction @ direction) ** 3), 1e-12)


def test_on_a_finite_family_the_learner_can_win():
    """All members but one are eliminated, and the answers point to that one."""
    problem = SingleIndex(7, residual(hermite(3), 0))
    members = [problem.draw(direction=e) for e in np.eye(7)]
    found = refute(exhaustive(members), members, L2(0.3), loss=apart, opt=0.01)
    assert not found.refuted
    assert found.message.startswith("the learner wins: of 7 instances 1 allow every answer")
    assert found.loss_ratio == 0
    assert found.candidates == found.queries == 7


def test_on_a_finite_family_a_member_that_was_not_asked_for_refutes():
    """Two of seven are never asked for: both allow every answer, and one of them is lost."""
    problem = SingleIndex(7, residual(hermite(3), 0))
    members = [problem.draw(direction=e) for e in np.eye(7)]
    found = refute(exhaustive(members[:5]), members, L2(0.3), loss=apart, opt=0.01)
    assert found.refuted
    assert found.direction @ np.eye(7)[5:].sum(axis=0) == 1
    assert found.loss_ratio == pytest.approx(200)


def test_other_conventions_are_estimates():
    """In the absolute convention norms are integrals, so nothing is called proved."""
    found = refute(one_correlation, MODEL, Absolute(1e-6))
    assert found.refuted
    assert found.grade == "estimate"
    assert isinstance(found.largest_answer_error, Estimate)
    assert {one.reason for one in found.answers} == {
        "the Absolute convention needs the query's norm or mean, which is computed, not proved"
    }
    assert found.to_dict()["largest_answer_error"] == found.largest_answer_error.value


def test_a_wrong_answer_is_not_lawful(refuted):
    """The check is on its own: an answer moved out of its window is found out."""
    oracle: Evader[Any] = Evader(family_of(MODEL), tolerance=TOLERANCE)
    query = Correlation(Ridge(lambda s: s, np.eye(40)[0], power=1))
    oracle.answer(Batch((query,)), 0)
    (one,) = oracle.history
    wrong = replace(one, answer=one.answer + 1e-4)
    options: dict[str, Any] = {"means": Quadrature(), "digits": 20}
    assert check_answers(refuted.instance, [one], **options)[0].lawful
    (found,) = check_answers(refuted.instance, [wrong], **options)
    assert not found.lawful
    assert found.slack < 0


def test_a_member_that_sees_too_much_is_not_certified():
    """The zero answer to a query along v itself is wrong, and both checks say so."""
    oracle: Evader[Any] = Evader(family_of(MODEL), tolerance=TOLERANCE)
    link = MODEL.labels.terms[0].link
    query = Correlation(Ridge(lambda s: link(s), MODEL.direction, kinks=link.kinks))
    oracle.answer(Batch((query,)), 0)
    (found,) = check_answers(MODEL, oracle.history, means=Quadrature(), digits=20)
    assert not found.lawful
    assert float(found.error) == pytest.approx(np.sqrt(link.second_moment), rel=1e-6)


def test_a_learner_without_a_result_is_not_refuted():
    """Its budget was spent, and it did not catch that."""
    found = refute(named("gradient-descent"), MODEL, TOLERANCE, budget=Budget(queries=50))
    assert not found.refuted
    assert "ended without a result" in found.message
    # A round is 40 + 1 + 1, and of the second one the first query does not fit.
    assert found.queries == 42
    assert len(found.history) == 3


def test_a_learner_that_catches_a_spent_budget_goes_on():
    """Turns that never reached the evader are no gap."""

    def thrifty(problem: Any) -> Any:
        try:
            yield from ask(Correlation(Ridge(power=1)))
        except BudgetSpent:
            yield from ask(Correlation(Ridge()))
        return zero(problem.dimension)

    found = refute(thrifty, MODEL, TOLERANCE, budget=Budget(queries=30))
    assert found.refuted
    assert found.queries == 1


def returning(value: Any) -> Any:
    def strategy(problem: Any) -> Any:
        yield from ask(Correlation(Ridge()))
        return value

    return strategy


@pytest.mark.parametrize(
    ("strategy", "problem", "options", "message"),
    [
        (3, MODEL, {}, "wanted a function of the problem"),
        (
            lambda problem: 3,
            MODEL,
            {},
            "is not a strategy: called with the problem it returned int",
        ),
        (lambda a, b: 3, MODEL, {}, "cannot be called with the problem alone"),
        (returning("w"), MODEL, {}, "returned str; wanted a ReluHypothesis"),
        (returning(zero(5)), SingleIndex(5, hermite(2)), {}, "pass opt="),
        (returning(zero(40)), SMALL, {}, "pass opt="),
        (one_correlation, MODEL, {"ratio": 0.5}, "multiple >= 1 of OPT"),
        (one_correlation, MODEL, {"digits": 0}, "whole number of digits"),
        (one_correlation, [], {}, "made of a problem"),
    ],
    ids=[
        "number",
        "value",
        "arguments",
        "returned",
        "unfitted",
        "realisable",
        "ratio",
        "digits",
        "family",
    ],
)
def test_bad_input_says_what_to_do(strategy, problem, options, message):
    """Found, wanted, and the way out."""
    with pytest.raises(BadInput, match=message):
        refute(strategy, problem, TOLERANCE, **options)
    with pytest.raises(BadInput, match="wanted for example L2"):
        refute(one_correlation, MODEL, 1e-6)  # type: ignore[arg-type]


def sqsim(*arguments: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *map(str, arguments)], cwd=cwd, capture_output=True, text=True, timeout=300
    )


FLAGS = ("--dimension", 40, "--bias", -5, "--cutoff", 6, "--tolerance", 4e-6, "--json", "out.json")


def test_the_command_writes_what_it_found(tmp_path):
    """Schema sqsim.refute/1, and exit code 0 for a refutation as for a failure to find one."""
    done = sqsim("gradient-descent", *FLAGS, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("refuted: ")
    assert "proved at 40 digits" in done.stdout
    found = json.loads((tmp_path / "out.json").read_text())
    error = found.pop("largest_answer_error")
    assert error["lower"] == "0"
    assert 0 < Fraction(error["upper"]) < Fraction(4e-6)
    assert found.pop("loss_ratio") > 18
    assert found == {
        "schema": "sqsim.refute/1",
        "refuted": True,
        "queries": 4200,
        "tolerance": 4e-6,
        "candidates": 96,
    }


def test_the_command_says_who_is_no_correlational_strategy(tmp_path):
    """An honest answer, so exit code 0."""
    done = sqsim("thresholded-pca", *FLAGS, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "not a CSQ strategy" in done.stdout
    found = json.loads((tmp_path / "out.json").read_text())
    assert (found["refuted"], found["loss_ratio"]) == (False, None)
    done = sqsim("thresholded-pca", *FLAGS, "--access", "sq", "--candidates", 4, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "none was found among 13 candidates" in done.stdout
    found = json.loads((tmp_path / "out.json").read_text())
    assert not found["refuted"]
    assert found["largest_answer_error"] <= 4e-6


def test_the_command_takes_a_strategy_of_the_users_own(tmp_path, monkeypatch):
    """MODULE:FUNCTION, from the working directory."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.py").write_text(
        "from sqsim import Correlation, Ridge, ask\n"
        "from sqsim.problems import ReluHypothesis\n"
        "number = 3\n"
        "def learn(problem):\n"
        "    moment = yield from ask(Correlation(Ridge(power=1)))\n"
        "    return ReluHypothesis(2 * moment, 0.0)\n"
        "def no_generator(problem):\n"
        "    return problem\n"
    )
    (tmp_path / "broken.py").write_text("import nowhere_to_be_found\n")
    done = sqsim("mine:learn", *FLAGS, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("refuted: ")
    for name, message in {
        "mine:absent": "has no 'absent'",
        "mine:number": "is int, not a function",
        "mine:no_generator": "is not a strategy",
        "absent:learn": "no module 'absent'",
        "broken:learn": "cannot be imported: No module named 'nowhere_to_be_found'",
        "gradient-decsent": "did you mean 'gradient-descent'",
    }.items():
        with pytest.raises(BadInput, match=message):
            command(name, dimension=40)
    (tmp_path / "fault.py").write_text(
        "from sqsim import Correlation, Ridge, ask\n"
        "def learn(problem):\n"
        "    moment = yield from ask(Correlation(Ridge(power=1)))\n"
        "    return moment.nothing\n"
    )
    done = sqsim("fault:learn", *FLAGS, cwd=tmp_path)
    assert done.returncode == 2
    assert "failed at line 4 of" in done.stderr
    assert "AttributeError" in done.stderr
    assert "Traceback" not in done.stderr
    failed = sqsim("absent:learn", *FLAGS, cwd=tmp_path)
    assert failed.returncode == 2
    assert failed.stderr.startswith("sqsim: no module 'absent'")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"norm": "l3"}, "norm is 'l3'; wanted one of l2"),
        ({"access": "both"}, "wanted one of csq, sq"),
        ({"bias": 1.0}, "have a negative bias"),
        ({"bias": -60.0}, "64-bit numbers"),
        ({"dimension": 1}, "at least 2"),
        ({"tolerance": 0.0}, "tolerance is 0.0"),
        ({"json_path": Path("/nowhere/out.json")}, "a folder that exists"),
    ],
    ids=["norm", "access", "bias", "tiny", "dimension", "tolerance", "copy"],
)
def test_the_command_checks_its_flags(options, message):
    """Before anything runs."""
    with pytest.raises(BadInput, match=message):
        command("gradient-descent", **options)


def test_a_peak_that_the_evaluator_missed_refutes_nobody() -> None:
    """Where the norm of the query was found to be 0, nothing is known of its mean."""

    def peaked(problem: Any) -> Any:
        first = np.eye(problem.dimension)[0]
        narrow = Ridge(lambda t: np.exp(-(((t - 0.777) / 5e-5) ** 2)), first)
        yield from ask(Correlation(narrow))
        return ReluHypothesis(np.zeros(problem.dimension), 0.0)

    problem = ReluRegression(5, norm=1.0, bias=0.0)
    assert not refute(peaked, problem, L2(2e-4), opt=1e-3).refuted


def test_a_tiny_frame_is_a_direction_like_any_other() -> None:
    """The square of 1e-300 is 0, and 0 spans nothing."""

    def tiny(problem: Any) -> Any:
        yield from ask(Correlation(Ridge(np.tanh, 1e-300 * np.eye(problem.dimension)[0])))
        return ReluHypothesis(np.zeros(problem.dimension), 0.0)

    problem = ReluRegression(5, norm=1.0, bias=-1.0)
    instance = problem.draw(corruptions=[LowDegreeRemoval(1)])
    assert refute(tiny, instance, L2(2e-2)).candidates > 0
