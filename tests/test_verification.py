"""The theorem index: every entry comes out as it says, and each can fail."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from typer.testing import CliRunner

from sqsim.cli import app
from sqsim.errors import BadInput
from sqsim.lowerbounds import Enclosure, Estimate, Rational
from sqsim.report.verdicts import theorem_page
from sqsim.verification import INDEX, Entry, Finding, Verdict, entries_named, judge, within

PAGE = Path(__file__).parent.parent / "docs" / "theorems.md"


def named(entry: Entry) -> str:
    return entry.name


@pytest.mark.parametrize(
    "entry",
    [pytest.param(e, marks=pytest.mark.slow if e.slow else ()) for e in INDEX],
    ids=[entry.name for entry in INDEX],
)
def test_every_entry_comes_out_as_the_index_expects_and_fails_when_its_constant_is_moved(
    entry: Entry,
) -> None:
    """A check that passes with a constant one percent off checks nothing."""
    judged = judge(entry)
    assert judged.as_expected, f"{judged.verdict.value}: computed {judged.computed}"
    moved = entry.decisive * Fraction(101, 100) if entry.decisive else Fraction(1, 100)
    assert not entry.check(moved).holds


def test_the_index_has_sixty_entries_with_names_of_their_own() -> None:
    assert len(INDEX) >= 60
    assert len({entry.name for entry in INDEX}) == len(INDEX)
    for entry in INDEX:
        family, _, item = entry.name.partition(".")
        assert family.islower()
        assert item
        assert entry.statement
        assert entry.method
        assert entry.source
        assert "\n" not in entry.statement


def test_what_contradicts_a_source_says_that_it_was_computed_here() -> None:
    """Errata are ours, not confirmed by authors."""
    for entry in INDEX:
        if entry.truth is not None:
            words = f"{entry.statement} {entry.method} {entry.source}"
            assert "here" in words, entry.name


def right(constant: Fraction) -> Finding:
    return within(constant, Rational(Fraction(1, 3)), digits=4)


ENTRY = Entry("test.third", "the third of one is 1/3", "nobody", "exactly", "0.3333", right)


def test_verdicts_follow_from_the_checks() -> None:
    """Holds; holds with correction; fails as stated; and what the index did not expect."""
    assert judge(ENTRY).verdict is Verdict.HOLDS
    corrected = replace(ENTRY, stated="0.25", truth="0.3333")
    assert judge(corrected).verdict is Verdict.CORRECTED
    assert judge(replace(corrected, repaired=False)).verdict is Verdict.FAILS
    assert judge(replace(ENTRY, stated="0.25")).verdict is Verdict.UNEXPECTED
    assert judge(replace(ENTRY, truth="0.3334")).verdict is Verdict.UNEXPECTED


@pytest.mark.parametrize(
    ("number", "holds"),
    [
        (Rational(Fraction(1, 7)), True),
        (Enclosure("0.142857", "0.142858"), True),
        (Enclosure("0.14", "0.15"), False),
        (Estimate(0.14286, 1e-6, "a sum"), True),
        (Estimate(0.14286, 1e-2, "a sum"), False),
    ],
    ids=["exact", "narrow", "wide", "fine", "coarse"],
)
def test_a_claim_is_checked_against_all_that_a_number_may_be(number: object, holds: bool) -> None:
    """A wide interval confirms nothing."""
    assert within(Fraction("0.142857"), number, digits=5).holds is holds  # type: ignore[arg-type]


def test_a_check_too_coarse_to_see_one_percent_is_refused() -> None:
    with pytest.raises(BadInput, match="3 digits"):
        within(Fraction(1), Rational(Fraction(1)), digits=2)


def test_entries_are_chosen_by_the_beginnings_of_their_names() -> None:
    some = INDEX[0].name
    assert next(entry.name for entry in entries_named([some])) == some
    assert all(not entry.slow for entry in entries_named(fast=True))
    with pytest.raises(BadInput, match="no entry begins"):
        entries_named(["nothing.such"])


def test_the_command_writes_the_contract_and_the_page(tmp_path: Path) -> None:
    """One cheap entry; exit code 0."""
    cheap = next(entry.name for entry in INDEX if entry.name.startswith("gkk."))
    out, page = tmp_path / "v.json", tmp_path / "page.md"
    done = CliRunner().invoke(app, ["verify", cheap, "--json", str(out), "--page", str(page)])
    assert done.exit_code == 0, done.output
    found = json.loads(out.read_text())
    assert found["schema"] == "sqsim.verify/1"
    keys = {"id", "statement", "claimed", "computed", "verdict", "seconds"}
    assert keys <= set(found["entries"][0])
    assert cheap in page.read_text()


def test_the_command_leaves_with_1_when_an_entry_is_not_as_expected(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """For scripts around it."""
    wrong = replace(ENTRY, stated="0.25")
    monkeypatch.setattr("sqsim.verification.entries_named", lambda names, fast: [wrong])
    done = CliRunner().invoke(app, ["verify"])
    assert done.exit_code == 1
    assert "not as the index expects" in done.output


def test_the_page_of_the_documentation_has_every_entry() -> None:
    """It is made by the command, and is made again when the index changes."""
    text = PAGE.read_text(encoding="utf-8")
    for entry in INDEX:
        assert f"| {entry.name} | " in text, "run: sqsim verify --page docs/theorems.md"
        assert entry.expected.value in text


def test_a_page_tells_no_times() -> None:
    """Equal results are equal pages."""
    judged = judge(ENTRY)
    assert theorem_page([judged]) == theorem_page([replace(judged, seconds=9.0)])
