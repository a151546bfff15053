"""The command line as a stranger meets it: exit codes, messages, files."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer.main
from typer.testing import CliRunner

from sqsim.cli import app, main

COMMAND = [sys.executable, "-m", "sqsim.cli"]


def sqsim(*arguments: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *map(str, arguments)], cwd=cwd, capture_output=True, text=True, timeout=300
    )


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """One small run whose files several tests read."""
    folder = tmp_path_factory.mktemp("separation")
    done = sqsim("separation", "--dimension", 60, "--out", "out", "--json", "copy.json", cwd=folder)
    assert done.returncode == 0, done.stderr
    return folder, done


def test_separation_writes_everything_it_names(small):
    """A table while it works, and a folder that can be sent to a colleague."""
    folder, done = small
    out = folder / "out"
    for name in ("results.json", "report.html", "separation.svg", "separation.png"):
        assert (out / name).stat().st_size > 1000
    results = json.loads((out / "results.json").read_text())
    assert json.loads((folder / "copy.json").read_text()) == results
    assert results["command"].startswith("sqsim separation --dimension 60")
    for run in results["runs"]:
        assert run["algorithm"] in done.stdout
        assert (out / run["transcript"]).exists()


def test_nothing_is_written_over(small):
    """A second run into the same folder gets a folder of its own."""
    folder, _ = small
    before = (folder / "out" / "results.json").read_bytes()
    again = sqsim("separation", "--dimension", 20, "--out", "out", "--quiet", cwd=folder)
    assert again.returncode == 0
    assert again.stdout == ""
    assert (folder / "out" / "results.json").read_bytes() == before
    assert (folder / "out-2" / "results.json").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["separation", "--tolerance", "0"], "tolerance"),
        (["separation", "--tolerance", "nan"], "tolerance"),
        (["separation", "--norm", "l3"], "l2, absolute, vstat"),
        (["separation", "--policy", "kind"], "toward-zero"),
        (["separation", "--cutoff", "-1"], "cutoff"),
        (["separation", "--seed", "-1"], "seed"),
        (["hermite", "relu", "--degree", "-1"], "degree"),
        (["hermite", "relu", "--degree", "1000000000000"], "GiB"),
        (["hermite", "__import__('os').getcwd()"], "not understood"),
        (["hermite", "relu", "--degrees", "1;2"], "degrees"),
        (["hermite", "sigmoid", "--degree", "5", "--digits", "1000"], "evaluations"),
        (["hermite", "exp(z**2/4)"], "not square integrable"),
        (["correlation", "1/z", "--inner", "0.5"], "pole at z = 0"),
        (["correlation", "relu", "--inner", "0.5", "--digits", "1000000000"], "at most 100000"),
        (["exponents", "log(z)"], "not supported, and not defined for z < 0"),
        (["refute", "gradient-descent", "--candidates", "1000000000"], "GiB"),
        (["refute", "gradient-descent", "--dimension", "1000000000"], "GiB"),
        (["refute", "gradient-descent", "--cutoff", "5000"], "0 to 400"),
        (["refute", "gradient-descent", "--digits", "1000000000"], "1 to 1000"),
        (["refute", "gradient-descent", "--seed", "-1"], "seed is -1"),
        (["refute", "./mine.py:mine"], "write mine:mine"),
        (["refute", ":mine"], "MODULE:FUNCTION"),
        (["refute", "mine:"], "MODULE:FUNCTION"),
        (["run", "missing.csv", "--target", "y"], "missing.csv"),
        (["run", "bad.csv", "--target", "y"], "row"),
        (["run", "good.csv", "--target", "z"], "column"),
        (["run", "good.csv", "--target", "y", "--algorithm", "learn_relu"], "learn-relu"),
        (["run", "good.csv", "--target", "y", "--test-fraction", "1.5"], "fraction"),
        (["run", "good.csv", "--target", "y", "--tolerance", "-1"], "tolerance"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(arguments, words, tmp_path):
    """No traceback, and no empty folder left behind."""
    (tmp_path / "bad.csv").write_text("a,b,y\n1,2,3\n1,nan,4\n2,5,1\n")
    (tmp_path / "good.csv").write_text("a,b,y\n1,2,3\n1,5,4\n2,5,1\n4,4,4\n0,1,0\n")
    done = sqsim(*arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert words in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert sorted(p.name for p in tmp_path.iterdir()) == ["bad.csv", "good.csv"]


@pytest.mark.skipif(os.name == "nt", reason="signals")
def test_ctrl_c_keeps_what_was_computed(tmp_path):
    """Results so far are written and said to be partial; transcripts stay readable."""
    process = subprocess.Popen(
        [*COMMAND, "separation", "--dimension", "1200", "--out", "out"],
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    first = tmp_path / "out" / "transcripts" / "spectral-start.jsonl"
    deadline = time.monotonic() + 60
    while not first.exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 130
    assert "interrupted" in errors
    assert "Traceback" not in errors
    results = json.loads((tmp_path / "out" / "results.json").read_text())
    assert results["interrupted"]
    assert 1 <= len(results["runs"]) < 10


def test_help_is_quick():
    """Nothing heavy is imported to print a help page."""
    code = (
        "import sys; sys.argv = ['sqsim', '--help']\n"
        "from sqsim.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "heavy = {'numpy', 'scipy', 'matplotlib', 'mpmath', 'sympy'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


def test_hermite_keeps_its_contract(tmp_path):
    """Proved numbers are decimal strings, lower and upper."""
    done = sqsim(
        "hermite", "relu", "--bias", "-3", "--degrees", "0,1,2", "--json", "h.json", cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    report = json.loads((tmp_path / "h.json").read_text())
    assert report["schema"] == "sqsim.hermite/1"
    assert [row["degree"] for row in report["coefficients"]] == [0, 1, 2]
    # c_1 = Phi(-3), to 40 digits from a table of the normal distribution's tail.
    row = report["coefficients"][1]
    assert Decimal(row["lower"]) <= Decimal(row["upper"])
    assert row["lower"].startswith("0.001349898031630094526651814767594977")


@pytest.mark.parametrize("sweep", ["--sweep", "--no-sweep"])
def test_run_writes_a_report_with_and_without_the_sweep(tmp_path, sweep):
    """The figure is the sweep's; without it there is a report and no empty picture."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((200, 2))
    rows = np.column_stack([x, np.maximum(x @ [1.0, -2.0] - 0.5, 0)])
    text = "a,b,y\n" + "\n".join(",".join(map(repr, row.tolist())) for row in rows)
    (tmp_path / "t.csv").write_text(text)
    done = sqsim("run", "t.csv", "--target", "y", sweep, "--out", "out", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    written = {p.name for p in (tmp_path / "out").iterdir()}
    assert {"results.json", "report.html", "whitening.npz"} <= written
    assert ("tolerance.svg" in written) == (sweep == "--sweep")
    losses = json.loads((tmp_path / "out" / "results.json").read_text())["loss"]["train"]
    assert losses["learner"] < losses["least_squares"] < losses["zero"]


def commands(command: Any, path: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], Any]]:
    """All commands with the words that call them."""
    inner = getattr(command, "commands", None)
    if inner is None:
        return [(path, command)]
    return [one for name, sub in inner.items() for one in commands(sub, (*path, name))]


COMMANDS = commands(typer.main.get_command(app))


@pytest.mark.parametrize(
    ("path", "command"), COMMANDS, ids=["-".join(path) for path, _ in COMMANDS]
)
def test_help_shows_what_was_written(path, command):
    """No bracket of a formula is taken for markup."""
    wide = {"COLUMNS": "1000", "TERMINAL_WIDTH": "1000"}
    shown = CliRunner().invoke(app, [*path, "--help"], env=wide).stdout
    flat = " ".join(re.sub("[│╭╮╰╯─]", " ", shown).split())
    for text in (command.help, *(getattr(p, "help", None) for p in command.params)):
        assert " ".join((text or "").split()) in flat


def test_a_minus_in_front_of_an_expression_gets_a_hint(monkeypatch, capsys):
    """It is read as a flag; the message says how to write it, and that way works."""
    monkeypatch.setattr(sys, "argv", ["sqsim", "hermite", "-z"])
    with pytest.raises(SystemExit) as left:
        main()
    assert left.value.code == 2
    assert '-- "-z"' in capsys.readouterr().err
    monkeypatch.setattr(sys, "argv", ["sqsim", "hermite", "--degree", "1", "--", "-z"])
    with pytest.raises(SystemExit) as left:
        main()
    assert left.value.code == 0
    assert "-1.000" in capsys.readouterr().out


def test_a_fault_of_sqsim_is_no_rejection(monkeypatch, capsys):
    """Exit code 1 means that a certificate was rejected, and nothing else."""
    import sqsim.lowerbounds.hermite as module

    def broken(*_: object) -> None:
        raise ZeroDivisionError("by accident")

    monkeypatch.setattr(module, "hermite_report", broken)
    monkeypatch.setattr(sys, "argv", ["sqsim", "hermite", "relu"])
    with pytest.raises(SystemExit) as left:
        main()
    assert left.value.code == 3
    assert "fault of sqsim" in capsys.readouterr().err


def test_bounds_beyond_the_range_of_floats_are_printed():
    """Tiny tolerances and eigenvalues, huge counts: nothing underflows to 0 or overflows."""
    tiny = ["csq-relu", "--dimension", "100", "--bias", "-100", "--cutoff", "11"]
    found = CliRunner().invoke(app, ["bound", *tiny, "--tolerance", "1e-1100"])
    assert found.exit_code == 0, found.output
    assert "at least 2.963708127e+22 queries" in found.stdout
    assert "lambda_1         1.687075712e-2223" in found.stdout
    found = CliRunner().invoke(app, ["bound", *tiny, "--tolerance", "1e-2200"])
    assert found.exit_code == 0, found.output
    assert "vacuous" in found.stdout
    many = ["sq-parity", "--dimension", "10000", "--sparsity", "1000", "--noise", "0.1"]
    found = CliRunner().invoke(app, ["bound", *many, "--tolerance", "0.01"])
    assert found.exit_code == 0, found.output
    few = ["sq-parity", "--dimension", "20", "--sparsity", "2", "--noise", "0", "--tolerance"]
    found = CliRunner().invoke(app, ["bound", *few, "0.73"])
    # 190 * 0.73^2 - 1 = 100.25: a whole number of queries is at least 101.
    assert found.stdout.startswith("at least 101 queries")
