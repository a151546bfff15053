"""Algorithms by name: what is stated of each holds, and other packages can add their own."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from sqsim.audit.auditing import audit_transcript
from sqsim.cli import app
from sqsim.errors import BadInput, QueryRefused
from sqsim.loop import run
from sqsim.oracles.simulated import csq, sq
from sqsim.problems.binarised import BinarisedRegression
from sqsim.problems.hypothesis import ReluHypothesis
from sqsim.report.learners import learner_rows, write_learners_report
from sqsim.studies.bisection import find_tolerances
from sqsim.studies.learners import LEARNERS, SINGLE_NEURONS, Learner, learner, learners
from sqsim.studies.named import OWN, algorithm, algorithms, problem
from sqsim.studies.on_problems import OnProblem, run_on_problem
from sqsim.studies.rebuilding import separation_run
from sqsim.studies.registry import Algorithm, Symbol, relu_example
from sqsim.studies.separation import Separation, separate
from sqsim.studies.table import run_table
from sqsim.studies.tables import run_learners
from sqsim.tolerance import Unperturbed

every = pytest.mark.parametrize("entry", OWN.values(), ids=lambda entry: entry.name)
STATISTICAL = [entry for entry in OWN.values() if entry.access == "SQ"]
SEARCHING = [entry for entry in OWN.values() if entry.untold is not None or entry.needs]


def spent(entry: Algorithm, instance: Any) -> tuple[int, int]:
    """(rounds, queries) of a run against exact answers."""
    make: Any = csq if entry.access == "CSQ" else sq
    strategy = entry.strategy(instance.problem, 0)
    ledger = run(strategy, make(instance, tolerance=Unperturbed())).ledger
    return ledger.rounds, ledger.queries


@every
def test_a_run_on_the_example_costs_what_the_formulas_say(entry: Algorithm) -> None:
    """The ledger counts, sympy evaluates; an upper bound is attained on the example."""
    instance = entry.instance()
    assert spent(entry, instance) == entry.costs_on(instance.problem)


@pytest.mark.parametrize("entry", SEARCHING, ids=lambda entry: entry.name)
def test_the_formulas_hold_where_norm_and_bias_are_not_told(entry: Algorithm) -> None:
    """What is not told is searched, and the search costs."""
    if entry.needs:
        with pytest.raises(BadInput, match=f"assumes that the {entry.needs[0]}"):
            entry.check_told(relu_example(told=False).problem)
        return
    instance = relu_example(told=False)
    assert spent(entry, instance) == entry.costs_on(instance.problem)


@pytest.mark.parametrize("name", [one.name for one in OWN.values() if one.at_most and not one.told])
def test_an_upper_bound_holds_on_a_problem_that_tells_more(name: str) -> None:
    instance = relu_example(told=True)
    most = OWN[name].costs_on(instance.problem)
    assert all(np.array(spent(OWN[name], instance)) <= most)


@pytest.mark.parametrize(
    "entry", [e for e in OWN.values() if e.access == "SQ"], ids=lambda e: e.name
)
def test_sq_is_only_said_of_what_a_correlational_oracle_refuses(entry: Algorithm) -> None:
    """CSQ is checked where the costs are: those runs had a correlational oracle."""
    instance = entry.instance()
    with pytest.raises(QueryRefused):
        run(entry.strategy(instance.problem, 0), csq(instance, tolerance=Unperturbed()))


@every
def test_every_entry_says_all_that_is_asked_of_it(entry: Algorithm) -> None:
    found = entry.to_dict()
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    for key in ("name", "access", "rounds", "queries", "source", "guarantee"):
        assert found[key]
        assert "\n" not in found[key]


def test_names_are_unique() -> None:
    named = [entry.name for entry in algorithms().entries]
    assert len(named) == len(set(named))
    assert {one.name for one in (*LEARNERS, *SINGLE_NEURONS)} <= set(named)


def test_values_that_are_the_problems_come_from_the_problem() -> None:
    rounds, queries = OWN["coarse-gradient-descent-relu"].costs_on(BinarisedRegression(4, 5))
    assert (rounds, queries) == (200, 200 * 4 * 21)


def entry_of(**change: Any) -> Algorithm:
    """A small entry of one's own."""
    facts: dict[str, Any] = {
        "name": "mine", "access": "CSQ", "rounds": "1", "queries": "d", "source": "nobody",
        "guarantee": "none", "strategy": OWN["one-shot-regression"].strategy,
    }  # fmt: skip
    return Algorithm(**{**facts, **change})


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"access": "csq"}, "'CSQ' or 'SQ'"),
        ({"name": "../mine"}, "joined by '-'"),
        ({"strategy": None}, "function"),
        ({"needs": ("link",)}, "norm and bias"),
        ({"needs": ("bias",), "told": False}, "told must be True"),
    ],
)
def test_entries_that_say_nonsense_are_refused(change: dict[str, Any], words: str) -> None:
    with pytest.raises(BadInput, match=words):
        entry_of(**change)


@pytest.mark.parametrize(
    ("formula", "words"),
    [("steps*(d", "not understood"), ("steps*d", "without a meaning"), ("d**", "not understood")],
)
def test_formulas_that_cannot_be_evaluated_are_refused(formula: str, words: str) -> None:
    with pytest.raises(BadInput, match=words):
        entry_of(queries=formula).check_formulas()


def test_a_cost_is_a_whole_number() -> None:
    with pytest.raises(BadInput, match="whole"):
        entry_of(queries="d/4").costs_on(relu_example(told=True).problem)


def test_a_letter_may_have_a_name_that_sympy_uses() -> None:
    entry = entry_of(queries="N*d + S", symbols={"N": Symbol("n", 2), "S": Symbol("s", 3)})
    assert entry.costs_on(relu_example(told=True).problem) == (1, 15)


# By name.


def test_several_learners_are_named_with_commas() -> None:
    assert [one.name for one in learners("isotron, glmtron,isotron")] == ["isotron", "glmtron"]
    assert learners("isotron")[0] == learner("isotron")
    every_name = {one.name for one in learners("all")}
    assert every_name >= {one.name for one in (*LEARNERS, *SINGLE_NEURONS)}
    assert "piecewise-regression" not in every_name


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("isotrn", "did you mean 'isotron'"),
        ("learn_relu", "did you mean 'learn-relu'"),
        ("isotron,,glmtron", "no algorithm ''"),
        ("coarse-gradient-descent-relu", "made for binarised regression"),
        ("piecewise-regression", "ends with a piecewise polynomial"),
    ],
)
def test_names_that_cannot_be_run_are_refused_in_words(text: str, words: str) -> None:
    with pytest.raises(BadInput, match=words):
        learners(text)


def test_a_learner_that_assumes_a_known_bias_is_refused_where_none_is_told() -> None:
    """The assumption is named, and what to take in its place."""
    one = entry_of(needs=("bias",)).learner()
    one.check_told(relu_example(told=True).problem)
    with pytest.raises(BadInput, match=r"bias of the neuron is known.*learn-relu"):
        one.check_told(relu_example(told=False).problem)


def test_a_separation_runs_the_named_learners_and_no_others(tmp_path: Path) -> None:
    """In the order of their names on the command line; the audit makes them again."""
    names = ["fit-norm-and-bias", "thresholded-pca"]
    study = Separation(dimension=20)
    chosen = tuple(map(learner, names))
    found = separate(study, learners=chosen, directory=tmp_path, curves=False)
    assert [one["algorithm"] for one in found["runs"]] == names
    assert {one["status"] for one in found["runs"]} == {"finished"}
    assert audit_transcript(tmp_path / found["runs"][0]["transcript"]).lawful


def test_the_default_separation_is_as_it_was() -> None:
    """The names of a separation without --algorithms are a contract."""
    assert [one.name for one in LEARNERS] == [
        "gradient-descent", "one-shot-regression", "biased-one-shot-regression", "spectral-start",
        "projected-gradient-descent", "reweighted-pgd", "thresholded-pca", "learn-relu",
    ]  # fmt: skip


def test_a_search_for_the_tolerance_tries_the_named_learners_only() -> None:
    study = Separation(dimension=20, bias=-2.0, cutoff=0, tolerance=1e-3)
    rows = find_tolerances(study, learners=learners("biased-one-shot-regression"), finest=1e-6)
    assert [row["algorithm"] for row in rows] == ["biased-one-shot-regression"]


def test_a_recipe_with_an_unknown_learner_is_refused() -> None:
    with pytest.raises(BadInput, match="did you mean 'isotron'"):
        separation_run(learner="isotrn", dimension=20)
    with pytest.raises(BadInput, match="begins there"):
        separation_run(learner="isotron", warm_start=True, dimension=20)


# Several learners on one table.


@pytest.fixture
def table(tmp_path: Path) -> Path:
    stream = np.random.default_rng(0)
    x = stream.standard_normal((90, 3)) * [1.0, 10.0, 0.1]
    file = tmp_path / "table.npz"
    np.savez(file, X=x, y=np.maximum(x @ [1.0, 0.1, 2.0] - 0.3, 0.0))
    return file


def test_several_learners_on_a_table_are_the_runs_of_each(table: Path, tmp_path: Path) -> None:
    found = run_learners(
        table,
        target="y",
        learners=learners("learn-relu,glmtron"),
        test_fraction=0.2,
        directory=tmp_path / "out",
    )
    json.dumps(found, allow_nan=False)
    assert found["schema"] == "sqsim.runs/1"
    assert [one["schema"] for one in found["runs"]] == ["sqsim.run/1"] * 2
    assert "--algorithm learn-relu,glmtron" in found["command"]
    for one in found["runs"]:
        assert (tmp_path / "out" / one["algorithm"] / one["transcript"]).exists()
    losses = [row["loss"] for row in learner_rows(found)]
    assert losses == sorted(losses)
    page = write_learners_report(found, tmp_path / "out").read_text()
    for words in ("learn-relu", "glmtron", "held-out rows", "predicting zero", "least squares"):
        assert words.lower() in page.lower()


def test_the_command_compares_several_learners_and_keeps_the_files_of_each(
    table: Path, tmp_path: Path
) -> None:
    """Each folder is what a run of one learner leaves, so that an audit finds it all."""
    out, copy = tmp_path / "out", tmp_path / "copy.json"
    named = "one-shot-regression, biased-one-shot-regression"
    words = ["run", table, "--target", "y", "--algorithm", named, "--out", out, "--json", copy]
    done = CliRunner().invoke(app, list(map(str, words)))
    assert done.exit_code == 0, done.output
    results = json.loads((out / "results.json").read_text())
    assert json.loads(copy.read_text()) == results
    for one in results["runs"]:
        folder = out / one["algorithm"]
        assert json.loads((folder / "results.json").read_text()) == one
        assert (folder / "report.html").exists()
        assert audit_transcript(folder / one["transcript"]).lawful
        assert one["algorithm"] in done.output
        assert one["sweep"] is None


# Runs on a problem by name.


def test_any_algorithm_runs_on_any_problem_by_name(tmp_path: Path) -> None:
    setting = OnProblem(
        problem="relu-regression",
        options={"dimension": 5, "norm": 1.0, "bias": -0.5},
        algorithm="planted-descent",
        tolerance=1e-3,
        policy="toward-zero",
        seed=3,
    )
    found = run_on_problem(setting, log=tmp_path / "run.jsonl")
    assert isinstance(found.value, ReluHypothesis)
    assert audit_transcript(tmp_path / "run.jsonl").lawful


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"problem": "relu-regresion"}, "did you mean 'relu-regression'"),
        ({"options": {"dimensions": 5}}, "dimensions"),
        ({"draw": {"colour": 1}}, "colour"),
        ({"algorithm": "isotrn"}, "did you mean 'isotron'"),
        ({"policy": "kind"}, "toward-zero"),
        ({"tolerance": -1.0}, "tolerance"),
        ({"problem": "binarised-regression"}, "binarised-regression"),
    ],
    ids=str,
)
def test_bad_names_and_options_are_refused_in_words(change: dict[str, Any], words: str) -> None:
    given = {"problem": "relu-regression", "algorithm": "isotron", "options": {"dimension": 5}}
    with pytest.raises(BadInput, match=words):
        OnProblem(**{**given, **change}).made()


def test_a_problem_by_name_is_the_problem() -> None:
    made = problem("binarised-regression", rows=2, columns=3)
    assert made == BinarisedRegression(2, 3)
    assert algorithm("coarse-gradient-descent-relu").costs_on(made) == (200, 2800)


# Plug-ins.

PLUGIN = """
from sqsim.algorithms import one_shot_regression
from sqsim.problems import ReluRegression
from sqsim.studies.registry import Algorithm

def entry(name="half-shot", **change):
    facts = dict(
        name=name, access="CSQ", rounds="1", queries="d", source="a paper with a plug-in",
        guarantee="none", strategy=lambda problem, seed: one_shot_regression(problem),
    )
    return Algorithm(**{**facts, **change})

half_shot = entry()
told_only = entry("told-only", needs=("bias",))
liar = entry("another-name")
one_shot = entry("one-shot-regression")
unread = entry("unread", queries="steps*d")
number = 7

def unbiased(dimension):
    return ReluRegression(dimension, norm=1.0, bias=0.0)

fixed = unbiased(4)

def failing():
    raise RuntimeError("no such luck")
"""

POINTS = """[sqsim.algorithms]
half-shot = tiny_plugin:half_shot
made-shot = tiny_plugin:made
told-only = tiny_plugin:told_only
liar = tiny_plugin:liar
warm-start = tiny_plugin:half_shot
one-shot-regression = tiny_plugin:one_shot
unread = tiny_plugin:unread
number = tiny_plugin:number
failing = tiny_plugin:failing
missing = tiny_plugin.missing:entry

[sqsim.problems]
unbiased = tiny_plugin:unbiased
fixed = tiny_plugin:fixed
relu-regression = tiny_plugin:unbiased
"""


def wheel(folder: Path, name: str, source: str, points: str) -> Path:
    """A wheel of one module, written by hand: a build needs tools that may not be there."""
    info = f"{name}-1.0.dist-info"
    files = {
        f"{name}.py": source,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": points,
    }
    files[f"{info}/RECORD"] = "".join(f"{path},,\n" for path in [*files, f"{info}/RECORD"])
    target = folder / f"{name}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(target, "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)
    return target


def install(file: Path, site: Path) -> None:
    """By pip where there is one; a pure wheel is otherwise unpacked, which is all pip does."""
    if importlib.util.find_spec("pip") is None:
        zipfile.ZipFile(file).extractall(site)
        return
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps"]
    pip += ["--disable-pip-version-check", "--target", str(site), str(file)]
    subprocess.run(pip, check=True, capture_output=True, timeout=120)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two plug-ins installed."""
    folder = tmp_path_factory.mktemp("plugins")
    made = PLUGIN + "\ndef made():\n    return entry('made-shot')\n"
    rival = "[sqsim.algorithms]\nhalf-shot = tiny_rival:half_shot\n"
    install(wheel(folder, "tiny_plugin", made, POINTS), folder / "site")
    install(wheel(folder, "tiny_rival", PLUGIN, rival), folder / "rival")
    return folder


def sqsim(*arguments: object, site: Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(site / "site"), str(site / "rival")])
    return subprocess.run(
        [sys.executable, "-m", "sqsim.cli", *map(str, arguments)],
        cwd=cwd, capture_output=True, text=True, timeout=120,
        env={**os.environ, "PYTHONPATH": path},
    )  # fmt: skip


@pytest.fixture(scope="module")
def listing(site: Path) -> tuple[dict[str, Any], subprocess.CompletedProcess[str]]:
    """What `sqsim algorithms` says with the plug-ins."""
    done = sqsim("algorithms", "--json", "found.json", site=site, cwd=site)
    assert done.returncode == 0, done.stderr
    return json.loads((site / "found.json").read_text()), done


def test_algorithms_are_listed_with_those_of_plugins(listing: Any) -> None:
    """The contract of the command, sqsim's own first."""
    found, done = listing
    assert found["schema"] == "sqsim.algorithms/1"
    named = {one["name"]: one for one in found["algorithms"]}
    assert set(OWN) < set(named)
    for one in named.values():
        assert {"name", "access", "rounds", "queries", "source", "guarantee"} <= set(one)
    assert set(named) - set(OWN) == {"half-shot", "made-shot", "told-only"}
    assert named["half-shot"]["package"] == "tiny_plugin"
    assert named["isotron"]["package"] == "sqsim"
    assert all(name in done.stdout for name in named)
    assert {"relu-regression", "unbiased", "fixed"} <= set(found["problems"])


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("liar", "named 'another-name'"),
        ("one-shot-regression", "sqsim has something of this name"),
        ("warm-start", "sqsim has something of this name"),
        ("half-shot", "tiny_plugin registers the same name"),
        ("unread", "without a meaning"),
        ("number", "is int; wanted"),
        ("failing", "no such luck"),
        ("missing", "cannot be imported"),
        ("relu-regression", "sqsim has something of this name"),
    ],
)
def test_what_a_plugin_gets_wrong_is_said_and_spoils_nothing(
    listing: Any, name: str, words: str
) -> None:
    found, done = listing
    (broken,) = [one for one in found["left_out"] if one["name"] == name]
    assert words in broken["reason"]
    assert f"{name} of {broken['package']} is left out" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_separation_runs_a_plugins_learner_and_an_audit_makes_it_again(
    site: Path, tmp_path: Path
) -> None:
    done = sqsim(
        "separation", "--dimension", 20, "--algorithms", "half-shot,one-shot-regression",
        "--out", "out", site=site, cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    results = json.loads((tmp_path / "out" / "results.json").read_text())
    mine, ours = results["runs"]
    assert (mine["algorithm"], mine["queries"], mine["loss"]) == ("half-shot", 20, ours["loss"])
    again = sqsim("audit", "out/transcripts/half-shot.jsonl", site=site, cwd=tmp_path)
    assert again.returncode == 0, again.stderr + again.stdout


@pytest.fixture
def installed(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The plug-ins in this process."""
    for name in ("rival", "site"):
        monkeypatch.syspath_prepend(str(site / name))


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize(
    ("name", "words"),
    [("half-sho", "did you mean 'half-shot'"), ("failing", "no such luck"), ("liar", "named")],
)
def test_a_plugin_that_cannot_be_run_is_refused_in_words(name: str, words: str) -> None:
    with pytest.raises(BadInput, match=words):
        learner(name)


@pytest.mark.usefixtures("installed")
def test_a_plugin_that_assumes_a_bias_does_not_run_on_a_table(table: Path) -> None:
    """By name it is refused; of all it is left out."""
    with pytest.raises(BadInput, match="told-only assumes that the bias of the neuron is known"):
        run_table(table, target="y", algorithm="told-only")
    named = {one.name for one in learners("all")}
    assert "half-shot" in named
    assert "told-only" not in named


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize(("name", "options"), [("unbiased", {"dimension": 4}), ("fixed", {})])
def test_a_plugins_problem_is_found_by_name(
    name: str, options: dict[str, Any], tmp_path: Path
) -> None:
    """As a function of options, and as one problem that takes none; an audit makes it again."""
    setting = OnProblem(problem=name, options=options, algorithm="told-only", seed=1)
    assert run_on_problem(setting, log=tmp_path / "run.jsonl").ledger.queries == 4
    assert audit_transcript(tmp_path / "run.jsonl").lawful


def test_learners_compare_by_what_they_are() -> None:
    assert isinstance(learner("isotron"), Learner)
    assert learner("isotron").told
    assert not learner("learn-relu").told
