"""An audit accepts what is lawful and rejects what was changed."""

from __future__ import annotations

import json
import random
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xxhash
from typer.testing import CliRunner

from sqsim.audit.auditing import audit_transcript
from sqsim.bounded import Stat
from sqsim.cli import app
from sqsim.errors import BadInput, BudgetSpent, QueryRefused
from sqsim.journal import encode
from sqsim.loop import Budget, run
from sqsim.oracles.central import central_private
from sqsim.oracles.holdout import reusable_holdout
from sqsim.oracles.limits import limited
from sqsim.oracles.policies import exact, uniform, worst_direction
from sqsim.oracles.private import local_private
from sqsim.oracles.sampling import MonteCarlo
from sqsim.oracles.sampling_oracles import honest
from sqsim.oracles.scoring import null_loss
from sqsim.oracles.simulated import csq, sq
from sqsim.partitions import MVStat, partition
from sqsim.problems.corruption import Decoy, LabelNoise, LowDegreeRemoval
from sqsim.problems.dataset import Dataset
from sqsim.problems.index import ReluRegression
from sqsim.queries import Batch, Characters, Correlation, Opaque, Query, Ridge, Statistic
from sqsim.recipe import Recipe
from sqsim.report.files import write_json
from sqsim.strategy import ask, ask_all
from sqsim.studies.learners import learner
from sqsim.studies.observers import silent
from sqsim.studies.separation import Separation, run_learner, warm_start
from sqsim.studies.table import run_table
from sqsim.tolerance import L2, Absolute, RootMeanSquare
from sqsim.transcript import Transcript

DIGITS = 20
NAMES = ("one-shot-regression", "spectral-start", "thresholded-pca")


def separated(folder: Path, **change: Any) -> dict[str, Path]:
    """Transcripts of a few learners of one small study, and its results."""
    study = Separation(**{"dimension": 20, **change})
    energy = null_loss(study.instance(told=True))
    runs = [
        run_learner(study, learner(name), None, energy, folder, silent, False) for name in NAMES
    ]
    warm_start(study, folder)
    write_json(folder / "results.json", {"schema": "sqsim.separation/1", "runs": runs})
    return {p.stem: p for p in (folder / "transcripts").glob("*.jsonl")}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return separated(tmp_path_factory.mktemp("study"))


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The transcript of a run on a table of its own."""
    folder = tmp_path_factory.mktemp("table")
    rng = np.random.default_rng(0)
    x = rng.standard_normal((80, 3))
    y = np.maximum(x @ [1.0, 0.5, -1.0] - 0.3, 0) + 0.1 * rng.standard_normal(80)
    rows = [",".join(map(repr, map(float, (*r, t)))) for r, t in zip(x, y, strict=True)]
    (folder / "t.csv").write_text("\n".join(["a,b,c,y", *rows]) + "\n")
    results = run_table(
        folder / "t.csv",
        target="y",
        algorithm="spectral-start",
        tolerance=0.01,
        policy="toward-zero",
        test_fraction=0.2,
        directory=folder,
        sweep=False,
        seed=3,
    )
    write_json(folder / "results.json", results)
    return folder / "transcripts" / "spectral-start.jsonl"


def copied(path: Path, folder: Path) -> Path:
    """The folder of a study without the study."""
    target = folder / "transcripts" / path.name
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(path, target)
    if (sidecar := path.with_name(path.name + ".bin")).exists():
        shutil.copy(sidecar, target.with_name(sidecar.name))
    if (results := path.parent.parent / "results.json").exists():
        shutil.copy(results, folder)
    return target


def forged(path: Path, change: Callable[[list[dict[str, Any]]], None]) -> None:
    """Change records and make all checksums again, as a careful forger would."""
    lines = [json.loads(line) for line in path.read_bytes().splitlines()]
    for line in lines:
        del line["checksum"]
    change(lines)
    last, written = 0, b""
    for line in lines:
        body = encode(line)[:-1].encode()
        checksum = xxhash.xxh3_64_hexdigest(body, seed=last)
        last = int(checksum, 16)
        written += body + b',"checksum":"' + checksum.encode() + b'"}\n'
    path.write_bytes(written)


def rejected(path: Path) -> bool:
    try:
        return not audit_transcript(path, digits=DIGITS).lawful
    except BadInput:
        return True


# Recipes of the tests' own, found by the name of this module.


def two_rounds(problem: Any) -> Any:
    w = np.ones(problem.dimension) / np.sqrt(problem.dimension)
    first = yield from ask_all(
        Correlation(Ridge(lambda s: np.maximum(s + 0.5, 0.0), w, kinks=(-0.5,)), "neuron"),
        Correlation(Ridge(np.tanh, w, power=1), "tanh"),
        Correlation(Ridge(power=2), "matrix"),
        Statistic(Ridge(np.square), "energy"),
    )
    frame = np.stack([w + float(first[0]), 2 * w], axis=1)
    second = yield from ask(
        Correlation(Ridge(lambda s: np.tanh(s[:, 0] + s[:, 1]), frame), "two columns")
    )
    return float(first[0]) + float(second)


POLICIES = {"uniform": uniform, "worst": worst_direction}
TOLERANCES = {"l2": L2, "absolute": Absolute, "vstat": RootMeanSquare}
CORRUPTIONS = {
    "clean": (),
    "removed": (LowDegreeRemoval(3),),
    "noise": (LabelNoise(0.3),),
    "decoy": (Decoy(0.5, -0.3, 0.2),),
}


def experiment(corruption: str, norm: str, policy: str, seed: int) -> tuple[Any, Any]:
    instance = ReluRegression(6).draw(bias=-0.4, corruptions=CORRUPTIONS[corruption], seed=seed)
    oracle = sq(instance, tolerance=TOLERANCES[norm](1e-3), policy=POLICIES[policy], seed=seed)
    return two_rounds(instance.problem), oracle


def stubborn(tolerance: float) -> tuple[Any, Any]:
    """Asks at a tolerance that nothing reaches."""
    instance = ReluRegression(5).draw(seed=1)
    oracle = csq(instance, tolerance=L2(tolerance), policy=uniform)

    def strategy() -> Any:
        return (yield from ask(Correlation(Ridge(power=1), "mean")))

    return strategy(), oracle


def opaque(seed: int) -> tuple[Any, Any]:
    """Functions that only sampling takes."""
    instance = ReluRegression(5).draw(seed=seed)
    means = MonteCarlo(2000)
    oracle = sq(instance, tolerance=Absolute(0.5), policy=uniform, means=means, seed=seed)

    def strategy() -> Any:
        return (yield from ask(Statistic(Opaque(lambda x, y: y * np.tanh(x[:, 0])), "opaque")))

    return strategy(), oracle


def recorded(path: Path, maker: str, *, budget: Budget | None = None, **arguments: Any) -> None:
    recipe = Recipe(f"{__name__}:{maker}", arguments)
    strategy, oracle = getattr(sys.modules[__name__], maker)(**arguments)
    run(strategy, oracle, log=path, recipe=recipe, budget=budget)


@pytest.mark.parametrize("name", [*NAMES, "warm-start"])
def test_honest_transcripts_are_lawful(runs: dict[str, Path], name: str) -> None:
    """Every answer is decided, none is left at the edge of its window."""
    found = audit_transcript(runs[name], digits=DIGITS)
    assert found.lawful, found.findings
    assert found.edges == 0
    assert found.largest <= 1
    assert found.ledger == Transcript.read(runs[name]).ledger
    assert found.entries == found.ledger.queries == sum(found.grades.values())


@pytest.mark.parametrize("policy", ["uniform", "exact"])
def test_answers_of_every_policy_are_checked_in_many_digits(tmp_path: Path, policy: str) -> None:
    """Nothing but the quadrature of the audit speaks for an answer that is not 0."""
    paths = separated(tmp_path, policy=policy, bias=-5.0, cutoff=5, tolerance=5e-8)
    found = audit_transcript(paths["thresholded-pca"], digits=DIGITS)
    assert found.lawful, found.findings
    assert dict(found.grades) == {f"quadrature in {DIGITS} digits": found.entries}
    assert found.edges == 0


def test_a_table_is_checked_by_exact_sums(table: Path) -> None:
    """The toward-zero adversary sits on the edge of windows, and sums of the rows decide."""
    found = audit_transcript(table)
    assert found.lawful, found.findings
    assert set(found.grades) == {"exact sums"}
    assert 0.999 < found.largest <= 1
    assert found.edges == 0


@pytest.mark.parametrize(
    ("corruption", "norm"),
    [
        ("clean", "l2"),
        ("clean", "vstat"),
        ("removed", "absolute"),
        ("noise", "l2"),
        ("decoy", "l2"),
    ],
)
def test_runs_of_your_own_are_audited(tmp_path: Path, corruption: str, norm: str) -> None:
    """A recipe is all that it takes; every convention and corruption is checked in some way."""
    path = tmp_path / "run.jsonl"
    policy = "worst" if corruption == "decoy" else "uniform"
    recorded(path, "experiment", corruption=corruption, norm=norm, policy=policy, seed=2)
    found = audit_transcript(path, digits=DIGITS, trust=[__name__])
    assert found.lawful, found.findings
    methods = {how.replace(str(DIGITS), "many") for how in found.grades}
    assert "quadrature in many digits" in methods
    assert "the oracle's evaluator again" in methods


def test_an_answer_just_outside_is_found(runs: dict[str, Path], tmp_path: Path) -> None:
    """One part in 10^6 beyond the radius, with checksums made again."""
    path = copied(runs["warm-start"], tmp_path)

    def change(lines: list[dict[str, Any]]) -> None:
        # Moved toward zero by its slack already: a little more and it is outside.
        value = lines[2]["answers"][0]
        lines[2]["answers"][0] = value - 1e-5 * value

    last = Transcript.read(path)[1].answers
    assert last[0] != 0
    forged(path, change)
    found = audit_transcript(path, digits=DIGITS)
    wrong = [one for one in found.findings if one.about == "answer"]
    assert wrong
    assert wrong[0].turn == 1
    assert wrong[0].radius is not None
    assert wrong[0].mean is not None
    assert "outside" in wrong[0].message


def test_one_entry_of_a_matrix_is_found(table: Path, tmp_path: Path) -> None:
    """Every entry is compared, not a sample of them."""
    path = copied(table, tmp_path)

    def change(lines: list[dict[str, Any]]) -> None:
        lines[1]["answers"][0][0][1] += 0.5
        lines[1]["answers"][0][1][0] += 0.5

    forged(path, change)
    found = audit_transcript(path)
    entries = {one.entry for one in found.findings if one.about == "answer"}
    assert entries & {(0, 1), (1, 0)}


def bit_flip(path: Path, luck: random.Random) -> None:
    files = [path, path.with_name(path.name + ".bin")]
    file = luck.choice([f for f in files if f.exists() and f.stat().st_size])
    content = bytearray(file.read_bytes())
    content[luck.randrange(len(content))] ^= 1 << luck.randrange(8)
    file.write_bytes(bytes(content))


def lines_moved(path: Path, luck: random.Random) -> None:
    """A record dropped, said twice or in another place; checksums as they were, or made again."""
    how = luck.choice(["drop", "double", "swap"])
    again = luck.random() < 0.5

    def change(lines: list[Any]) -> None:
        at = luck.randrange(1, len(lines))
        if how == "drop":
            del lines[at]
        elif how == "double":
            lines.insert(at, lines[at])
        else:
            other = luck.choice([i for i in range(len(lines)) if i != at])
            lines[at], lines[other] = lines[other], lines[at]

    if again:
        forged(path, change)
    else:
        lines = path.read_bytes().splitlines(keepends=True)
        change(lines)
        path.write_bytes(b"".join(lines))


def answer_moved(path: Path, luck: random.Random) -> None:
    """By a few radii: the size of the answer where there is one, else that of a label."""

    def moved(value: Any) -> Any:
        if isinstance(value, list):
            at = luck.randrange(len(value))
            return [moved(v) if i == at else v for i, v in enumerate(value)]
        return value + luck.choice([-1, 1]) * luck.uniform(0.1, 10)

    def change(lines: list[dict[str, Any]]) -> None:
        places = [
            (line, i)
            for line in lines[1:]
            for i, answer in enumerate(line["answers"])
            if not isinstance(answer, dict)
        ]
        line, i = luck.choice(places)
        line["answers"][i] = moved(line["answers"][i])

    forged(path, change)


def question_changed(path: Path, luck: random.Random) -> None:
    def change(lines: list[dict[str, Any]]) -> None:
        asked = luck.choice(luck.choice(lines[1:])["queries"])
        name = luck.choice(["kind", "form", "label", "size", "tau", "mark", "shape"])
        if name == "mark":
            at = luck.randrange(len(asked["mark"]))
            old = float(asked["mark"][at])
            asked["mark"][at] = old * (1 + luck.uniform(1e-6, 1)) + 1e-6
        elif name == "shape":
            asked["shape"] = [*asked["shape"], 2]
        else:
            old = asked[name]
            asked[name] = old + "x" if isinstance(old, str) else old * 2

    forged(path, change)


def header_changed(path: Path, luck: random.Random) -> None:
    def change(lines: list[dict[str, Any]]) -> None:
        header = lines[0]
        name = luck.choice(["dimension", "oracle", "recipe", "arguments", "schema"])
        if name == "arguments":
            arguments = header["recipe"]["arguments"]
            key = luck.choice([k for k in arguments if k not in ("warm_start",)])
            old = arguments[key]
            arguments[key] = old + "x" if isinstance(old, str) else old + 1
        elif name == "oracle":
            key = luck.choice(list(header["oracle"]))
            header["oracle"][key] = f"{header['oracle'][key]}x"
        else:
            header[name] = None

    forged(path, change)


TAMPERINGS = (bit_flip, lines_moved, answer_moved, question_changed, header_changed)


@pytest.mark.parametrize("tamper", TAMPERINGS, ids=lambda one: one.__name__)
def test_tampered_transcripts_are_rejected(
    runs: dict[str, Path], table: Path, tmp_path: Path, tamper: Any
) -> None:
    """A hundred in all, most with every checksum made again."""
    luck = random.Random(tamper.__name__)
    for count in range(20):
        source = runs["spectral-start"] if count % 4 == 3 else table
        source = runs["thresholded-pca"] if count % 4 == 1 else source
        path = copied(source, tmp_path / str(count))
        before = path.read_bytes()
        tamper(path, luck)
        changed = path.read_bytes() != before or tamper is bit_flip
        assert changed
        assert rejected(path), f"{tamper.__name__} {count} of {source.name}"


def test_results_that_say_something_else_are_found(runs: dict[str, Path], tmp_path: Path) -> None:
    """A transcript is compared with what is published beside it."""
    path = copied(runs["thresholded-pca"], tmp_path)
    assert audit_transcript(path, digits=DIGITS).lawful
    results = json.loads((tmp_path / "results.json").read_text())
    entry = next(r for r in results["runs"] if r["algorithm"] == "thresholded-pca")
    entry["queries"] -= 1
    entry["hypothesis"]["bias"] += 0.1
    (tmp_path / "results.json").write_text(json.dumps(results))
    found = audit_transcript(path, digits=DIGITS)
    assert {one.about for one in found.findings} == {"results"}
    assert len(found.findings) == 2


def test_a_run_cut_by_its_budget_is_lawful(tmp_path: Path) -> None:
    """The queries that still fitted were answered; the strategy met the rest as an error."""
    path = tmp_path / "run.jsonl"
    arguments = {"corruption": "clean", "norm": "l2", "policy": "uniform", "seed": 1}
    with pytest.raises(Exception, match="budget"):
        recorded(path, "experiment", budget=Budget(queries=10), **arguments)
    found = audit_transcript(path, digits=DIGITS, trust=[__name__])
    assert found.lawful, found.findings
    assert found.ledger.queries == 7


def test_a_stopped_run_is_a_lawful_prefix(tmp_path: Path) -> None:
    """It is no whole run, and nobody is told that it is."""
    path = tmp_path / "run.jsonl"
    arguments = {"corruption": "clean", "norm": "l2", "policy": "uniform", "seed": 1}
    strategy, oracle = experiment(**arguments)
    recipe = Recipe(f"{__name__}:experiment", arguments)
    run(strategy, oracle, log=path, recipe=recipe, callback=lambda *_: True)
    found = audit_transcript(path, digits=DIGITS, trust=[__name__])
    assert [one.about for one in found.findings] == ["end"]
    assert audit_transcript(path, digits=DIGITS, trust=[__name__], prefix=True).lawful


def test_refusals_are_asked_for_again(tmp_path: Path) -> None:
    """An oracle that refuses what it could answer is found."""
    path = tmp_path / "run.jsonl"
    with pytest.raises(Exception, match="exceeds radius"):
        recorded(path, "stubborn", tolerance=1e-40)
    assert audit_transcript(path, trust=[__name__]).lawful

    def change(lines: list[dict[str, Any]]) -> None:
        lines[0]["recipe"]["arguments"]["tolerance"] = 1e-3
        lines[0]["oracle"]["tolerance"] = "L2(tau=0.001)"
        lines[1]["queries"][0]["tau"] = 1e-3

    forged(path, change)
    found = audit_transcript(path, trust=[__name__])
    assert [one.about for one in found.findings] == ["refusal"]


def test_opaque_queries_are_asked_of_the_same_evaluator(tmp_path: Path) -> None:
    """Nothing else can find their means, and the audit says so."""
    path = tmp_path / "run.jsonl"
    recorded(path, "opaque", seed=4)
    found = audit_transcript(path, trust=[__name__])
    assert found.lawful, found.findings
    assert dict(found.grades) == {"the oracle's evaluator again": 1}


def test_a_module_that_is_not_trusted_is_not_run(tmp_path: Path) -> None:
    """A transcript is data; it may not choose what is executed."""
    path = tmp_path / "run.jsonl"
    recorded(path, "opaque", seed=4)
    with pytest.raises(BadInput, match="--trust"):
        audit_transcript(path)

    def change(lines: list[dict[str, Any]]) -> None:
        lines[0]["recipe"] = {"maker": "os:getcwd", "arguments": {}}

    forged(path, change)
    with pytest.raises(BadInput, match="--trust os"):
        audit_transcript(path, trust=[__name__])


def test_a_run_without_a_recipe_says_what_to_do(tmp_path: Path) -> None:
    strategy, oracle = opaque(1)
    run(strategy, oracle, log=tmp_path / "run.jsonl")
    with pytest.raises(BadInput, match="recipe=Recipe"):
        audit_transcript(tmp_path / "run.jsonl")


def test_another_table_is_refused(table: Path, tmp_path: Path) -> None:
    """The digest of the file is part of the recipe."""
    path = copied(table, tmp_path)
    other = tmp_path / "t.csv"
    header = json.loads(path.read_bytes().splitlines()[0])
    content = Path(header["recipe"]["arguments"]["path"]).read_text()
    other.write_text(content.replace("\n", "\n0.1,0.2,0.3,0.4\n", 1))

    def change(lines: list[dict[str, Any]]) -> None:
        lines[0]["recipe"]["arguments"]["path"] = str(other)

    forged(path, change)
    with pytest.raises(BadInput, match=r"t\.csv"):
        audit_transcript(path)


def small_table(*, signs: bool = False) -> Dataset:
    draw = np.random.default_rng(7)
    x = draw.standard_normal((3000, 3))
    return Dataset(np.sign(x) if signs else x, np.tanh(x[:, 0]))


def asked(query: Query) -> Any:
    return (yield from ask(query))


def cells(policy: str) -> tuple[Any, Any]:
    """A partition of which only two sums are held to the tolerance."""
    query = partition(lambda x, y: np.digitize(y, [-0.6, -0.2, 0.2, 0.6]), 5, sets=SETS)
    oracle = sq(small_table(), tolerance=MVStat(1000), policy=ADVERSE[policy], seed=5)
    return asked(query), oracle


SETS = [(0, 1), (2, 3, 4)]
ADVERSE = {"exact": exact, "uniform": uniform, "worst": worst_direction}


def tables_of_signs(seed: int) -> tuple[Any, Any]:
    """Characters, which exact sums do not take."""
    query = Correlation(Characters(np.array([1, 3, 6])), "characters")
    table = small_table(signs=True)
    return asked(query), csq(table, tolerance=Absolute(0.01), policy=uniform, seed=seed)


def a_matrix(policy: str) -> tuple[Any, Any]:
    """Structured answers."""
    instance = ReluRegression(40).draw(seed=1)
    return asked(Correlation(Ridge(power=2), "matrix")), csq(instance, tolerance=L2(1e-3))


GRANTED = {
    "a Statistic": Statistic(Ridge(np.square), "energy"),
    "another kind": Correlation(Ridge(np.tanh, np.eye(3)[0]), "tanh", L2(0.2)),
    "finer": Correlation(Ridge(np.tanh, np.eye(3)[0]), "tanh", Absolute(0.001)),
    "no range": Correlation(Ridge(np.tanh, np.eye(3)[0]), "tanh"),
}


def demanding(which: str, correlational: bool, ranged: bool) -> tuple[Any, Any]:
    """A question that some oracles must refuse."""
    make: Any = csq if correlational else sq
    oracle = make(small_table(), tolerance=Stat(0.01) if ranged else Absolute(0.01))
    return asked(GRANTED[which]), oracle


def sampled(kind: str, queries: int = 3) -> tuple[Any, Any]:
    """Oracles that are no functions of a mean, asked what nothing but sampling takes."""
    instance = ReluRegression(3).draw(seed=2)
    common: dict[str, Any] = {"failure": 0.1, "queries": 2, "clip": 1.0, "seed": 3}
    absolute = {"tolerance": Absolute(0.3)}
    means = MonteCarlo(500)
    makers: dict[str, Callable[[], Any]] = {
        "limited": lambda: limited(sq(instance, tolerance=Absolute(0.5), means=means), queries=2),
        "honest": lambda: honest(instance, samples=500, seed=3),
        "local": lambda: local_private(small_table(), epsilon=4.0, **absolute, **common),
        "central": lambda: central_private(
            instance, epsilon=1.0, delta=1e-6, records=4000, **common
        ),
        "holdout": lambda: reusable_holdout(instance, **absolute, **common, budget=1, training=200),
    }

    def strategy() -> Any:
        found = 0.0
        for index in range(queries):
            form = Opaque(_Waved(index))
            found += float((yield from ask(Statistic(form, "opaque"))))
        return found

    return strategy(), makers[kind]()


class _Waved:
    def __init__(self, index: int) -> None:
        self._index = index

    def __call__(self, x: Any, y: Any) -> Any:
        return np.tanh(y * x[:, 0] + self._index)


def audited(path: Path, prefix: bool = False) -> Any:
    return audit_transcript(path, digits=DIGITS, trust=[__name__], prefix=prefix)


@pytest.mark.parametrize("policy", ADVERSE)
def test_sums_over_sets_of_cells_are_judged(tmp_path: Path, policy: str) -> None:
    """No cell alone is a set of the family, so only sums tell a forged answer."""
    path = tmp_path / "run.jsonl"
    recorded(path, "cells", policy=policy)
    found = audited(path)
    assert found.lawful, found.findings
    truth = np.histogram(small_table().targets, [-2, -0.6, -0.2, 0.2, 0.6, 2])[0] / 3000
    p = truth[:2].sum()
    radius = max(1 / 1000, np.sqrt(p * (1 - p) / 1000))
    for part, lawful in ((0.99, True), (1.01, False)):

        def change(lines: list[dict[str, Any]], part: float = part) -> None:
            lines[1]["answers"][0] = (truth + np.eye(5)[1] * part * radius).tolist()

        forged(path, change)
        found = audited(path)
        assert found.lawful is lawful
        assert found.largest == pytest.approx(part)
    assert found.findings[0].entry == (0, 1)
    assert "sum over cells" in found.findings[0].message


@pytest.mark.parametrize(
    ("which", "correlational", "ranged"),
    [
        ("a Statistic", True, False),
        ("another kind", False, False),
        ("finer", False, False),
        ("no range", True, True),
    ],
)
def test_answers_that_the_oracle_must_refuse_are_found(
    tmp_path: Path, which: str, correlational: bool, ranged: bool
) -> None:
    """Also where they are right: an answer to such a question is a power the oracle has not."""
    path = tmp_path / "run.jsonl"
    with pytest.raises(QueryRefused):
        recorded(path, "demanding", which=which, correlational=correlational, ranged=ranged)
    assert audited(path).lawful
    query, table = GRANTED[which], small_table()
    right = sq(table, tolerance=query.tolerance or Absolute(0.01)).answer(Batch((query,)), 0)[0]

    def change(lines: list[dict[str, Any]]) -> None:
        lines[1]["refusal"] = None
        lines[1]["answers"] = [float(right)]

    forged(path, change)
    found = audited(path)
    assert [one.about for one in found.findings] == ["answer"]
    assert "refuses" in found.findings[0].message


@pytest.mark.parametrize("number", [float("nan"), float("inf")], ids=str)
@pytest.mark.parametrize("part", ["basis", "core"])
def test_answers_that_are_no_numbers_are_found(tmp_path: Path, part: str, number: float) -> None:
    """A structured zero is zero only if its basis is one of numbers."""
    path = tmp_path / "run.jsonl"
    recorded(path, "a_matrix", policy="exact")
    assert audited(path).lawful

    def change(lines: list[dict[str, Any]]) -> None:
        basis = np.eye(40)[:, :1].tolist()
        answer: dict[str, Any] = {"basis": basis, "core": [[0.0]]}
        answer[part][0][0] = number
        lines[1]["answers"][0] = answer

        for line in lines:
            line["arrays"] = 0

    path.with_name(path.name + ".bin").unlink(missing_ok=True)
    forged(path, change)
    found = audited(path)
    assert any("not a finite number" in one.message for one in found.findings)


@pytest.mark.parametrize("kind", ["honest", "local", "central", "holdout"])
def test_answers_from_samples_are_drawn_again(tmp_path: Path, kind: str) -> None:
    """Where nobody else finds the mean, the draw speaks for them; a changed one is found."""
    path = tmp_path / "run.jsonl"
    recorded(path, "sampled", kind=kind, queries=2)
    found = audited(path)
    assert found.lawful, found.findings
    assert dict(found.grades) == {"drawn again": 2}
    assert found.unjudged == 2

    def change(lines: list[dict[str, Any]]) -> None:
        lines[-1]["answers"][0] += 1e-6

    forged(path, change)
    found = audited(path)
    assert [one.about for one in found.findings] == ["answer"]


@pytest.mark.parametrize("kind", ["central", "holdout", "limited"])
def test_a_budget_of_the_oracle_is_spent_again(tmp_path: Path, kind: str) -> None:
    """Private oracles end runs themselves; who says so too early is found."""
    path = tmp_path / "run.jsonl"
    with pytest.raises(BudgetSpent):
        recorded(path, "sampled", kind=kind, queries=3)
    found = audited(path)
    assert found.lawful, found.findings
    assert found.turns == 3

    def change(lines: list[dict[str, Any]]) -> None:
        lines[2].update(answers=[], refusal=lines[3]["refusal"])
        del lines[3]

    forged(path, change)
    assert [one.about for one in audited(path).findings] == ["refusal"]


def averages(seed: int) -> tuple[Any, Any]:
    instance = ReluRegression(3).draw(seed=2)
    query = Correlation(Ridge(np.tanh, np.eye(3)[0]), "tanh")
    return asked(query), honest(instance, samples=400, failure=0.9999, seed=seed)


def test_averages_are_compared_with_a_mean_where_one_is_found(tmp_path: Path) -> None:
    """A promise of probability 1/10000 is missed, which is counted and no fault."""
    misses = 0
    for seed in range(4):
        path = tmp_path / f"{seed}.jsonl"
        recorded(path, "averages", seed=seed)
        found = audited(path)
        assert found.lawful, found.findings
        assert found.unjudged == 0
        assert found.largest > 0
        misses += found.misses
    assert 0 < misses <= 4


def test_characters_of_a_table_are_asked_of_its_evaluator(tmp_path: Path) -> None:
    """What exact sums do not take is no fault."""
    path = tmp_path / "run.jsonl"
    recorded(path, "tables_of_signs", seed=1)
    found = audited(path)
    assert found.lawful, found.findings
    assert dict(found.grades) == {"the oracle's evaluator again": 3}


@pytest.mark.parametrize("command", ["audit", "costs"])
def test_what_is_no_transcript_is_named(tmp_path: Path, command: str) -> None:
    """A folder, no file, and a file of something else, without the reader's internals."""
    (tmp_path / "other.jsonl").write_text('{"a": 1}\n')
    (tmp_path / "empty.jsonl").write_text("")
    (tmp_path / "t.csv").write_text("a,b\n1,2\n")
    cases = {
        "": "is a folder",
        "none.jsonl": "there is no file",
        "other.jsonl": "other.jsonl",
        "empty.jsonl": "empty",
        "t.csv": "is no transcript",
    }
    for name, words in cases.items():
        error = CliRunner().invoke(app, [command, str(tmp_path / name)]).exception
        assert isinstance(error, BadInput), name
        assert words in str(error)
        assert "KeyError" not in str(error)


@pytest.mark.parametrize(
    ("maker", "arguments"),
    [
        ("os", {}),
        ("a b:c", {}),
        ("a:b", {"x": object()}),
        ("a:b", {"x y": 1}),
        ("a:b", [1]),
        (3, {}),
    ],
    ids=range(6),
)
def test_recipes_are_names_and_plain_data(maker: Any, arguments: Any) -> None:
    with pytest.raises(BadInput, match="recipe"):
        Recipe(maker, arguments)


def test_a_recipe_survives_its_header() -> None:
    recipe = Recipe("a.b:c", {"x": [1, 2.5, None], "y": {"z": "w"}})
    assert Recipe.of(json.loads(json.dumps(recipe.to_dict()))) == recipe


def test_the_command_tells_lawful_from_unlawful_from_unreadable(
    table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit codes 0, 1 and an error that becomes 2; the same in JSON."""
    runner = CliRunner()
    copy = tmp_path / "audit.json"
    done = runner.invoke(app, ["audit", str(table), "--json", str(copy), "--digits", "20"])
    assert done.exit_code == 0, done.output
    assert "lawful" in done.output
    report = json.loads(copy.read_text())
    assert report["schema"] == "sqsim.audit/1"
    assert report["lawful"] is True
    assert report["findings"] == []
    path = copied(table, tmp_path)
    forged(path, lambda lines: lines[-1]["answers"].__setitem__(0, 17.0))
    done = runner.invoke(app, ["audit", str(path), "--json", str(copy)])
    assert done.exit_code == 1
    assert "NOT lawful" in done.output
    assert json.loads(copy.read_text())["findings"]
    path.write_bytes(path.read_bytes()[:-20])
    done = runner.invoke(app, ["audit", str(path)])
    assert isinstance(done.exception, BadInput)
    assert isinstance(runner.invoke(app, ["audit", str(tmp_path)]).exception, BadInput)
