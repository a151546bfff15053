"""Ledgers add up, and a transcript on disk is the one in memory."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sqsim.errors import BadInput, QueryRefused
from sqsim.journal import Journal
from sqsim.loop import run
from sqsim.lowrank import LowRank
from sqsim.queries import Batch, Correlation, Opaque, Query, Ridge, Statistic
from sqsim.record import Exchange, Ledger, bill, plain, settle
from sqsim.strategy import SQ, ask, ask_all
from sqsim.testing import Scripted
from sqsim.tolerance import Absolute, Unperturbed
from sqsim.transcript import Transcript

D = 12
RNG = np.random.default_rng(5)
LONG = RNG.standard_normal(100)
TABLE = np.asfortranarray(RNG.standard_normal((D, D)) + np.eye(D))
LOW = LowRank(np.linalg.qr(RNG.standard_normal((D, 2)))[0], np.diag([2.0, -1.0]))
RANK_0 = LowRank(np.zeros((D, 0)), np.zeros((0, 0)))
SCRIPT: list[Any] = [
    [0.1 + 0.2],
    [np.arange(3.0), -0.0],
    [TABLE],
    [LOW, RANK_0],
    QueryRefused("not this one"),
    [LONG],
    [math.inf, [math.nan, 1.0, -math.inf]],
]


def learner() -> SQ[int]:
    number = Statistic(Ridge(lambda s, y: s / (s - s[0]), np.ones(D), kinks=[0.5]), "number")
    three = Correlation(Opaque(lambda x: x[:, :3], 3), "three")
    matrix = Statistic(Ridge(lambda y: y, power=2), "matrix", Absolute(0.5))
    hundred = Statistic(Opaque(lambda x, y: np.outer(y, np.ones(100)), 100), "hundred")
    yield from ask(number, w=np.arange(3), big=LONG, rule=len, step=np.float32(0.5), bad=math.nan)
    yield from ask_all(three, number)
    yield from ask(matrix)
    yield from ask_all(matrix, matrix)
    with pytest.raises(QueryRefused):
        yield from ask(number)
    yield from ask(hundred)
    yield from ask_all(number, three)
    return 7


def oracle(seed: int = 0) -> Scripted:
    return Scripted(SCRIPT, D, Absolute(0.1 + seed))


@pytest.fixture
def written(tmp_path: Path) -> Path:
    path = tmp_path / "run.jsonl"
    run(learner(), oracle(), log=path)
    return path


def flat(answer: Any) -> list[np.ndarray]:
    return [answer.basis, answer.core] if isinstance(answer, LowRank) else [np.asarray(answer)]


def test_the_file_holds_what_memory_holds_bit_for_bit(written: Path) -> None:
    memory = run(learner(), oracle()).transcript
    read = Transcript.read(written)
    assert len(read) == len(memory) == len(SCRIPT)
    assert read.header == memory.header
    assert read.ledger == memory.ledger
    for one, two in zip(memory, read, strict=True):
        assert (one.turn, one.refusal) == (two.turn, two.refusal)
        assert repr(one.queries) == repr(two.queries)
        assert repr(plain(one.note)) == repr(one.note)
        for a, b in zip(one.answers, two.answers, strict=True):
            assert type(a) is type(b)
            for x, y in zip(flat(a), flat(b), strict=True):
                assert x.shape == y.shape
                assert x.tobytes() == y.tobytes()
                assert x.flags.c_contiguous == y.flags.c_contiguous
    assert read[-1].turn == len(SCRIPT) - 1
    with pytest.raises(IndexError):
        read[len(SCRIPT)]


def test_lines_are_strict_json_and_large_arrays_lie_beside(written: Path) -> None:
    def refuse(name: str) -> None:
        raise AssertionError(name)

    lines = [json.loads(line, parse_constant=refuse) for line in written.read_text().splitlines()]
    assert lines[0]["schema"] == "sqsim.transcript/1"
    assert lines[0]["dimension"] == D
    assert lines[1]["note"] == {
        "w": [0, 1, 2],
        "big": "array of shape (100,)",
        "rule": repr(len),
        "step": 0.5,
        "bad": "nan",
    }
    assert lines[3]["answers"][0]["shape"] == [D, D]
    sidecar = written.with_name("run.jsonl.bin").read_bytes()
    assert sidecar == TABLE.tobytes("C") + LONG.tobytes()


def test_the_ledger_counts_scalars_and_leaves_refusals_out(written: Path) -> None:
    ledger = Transcript.read(written).ledger
    moment = D * (D + 1) // 2
    assert ledger.queries == 1 + 4 + 3 * moment + 100 + 4
    assert ledger.rounds == 6
    assert ledger.finest == 0.1
    assert ledger.cost == pytest.approx(109 / 0.01 + 3 * moment / 0.25)


ledgers = st.builds(
    Ledger,
    st.integers(0, 99),
    st.integers(0, 99),
    st.none() | st.sampled_from([0.5, 0.25]),
    st.integers(0, 99).map(float),
)


@given(ledgers, ledgers, ledgers)
def test_ledgers_form_two_monoids(a: Ledger, b: Ledger, c: Ledger) -> None:
    assert (a + b) + c == a + (b + c)
    assert (a | b) | c == a | (b | c)
    assert a + Ledger() == a == a | Ledger()
    assert a | b == b | a


def test_a_tolerance_of_zero_costs_without_end() -> None:
    ledger = bill([(3, 0.0)], rounds=1)
    assert ledger == Ledger(3, 1, 0.0, math.inf)
    assert json.loads(json.dumps(ledger.to_dict(), allow_nan=False))["cost"] == "inf"
    assert bill([(1, 1e-200)], rounds=1).cost == math.inf


def test_answers_cannot_be_changed_afterwards() -> None:
    source = np.zeros((2, 3), order="F")
    answer = settle(source)
    with pytest.raises(ValueError, match="read-only"):
        answer[0, 0] = 1
    source[0, 0] = 1
    assert answer[0, 0] == 0 or answer.base is source
    with pytest.raises(ValueError, match="read-only"):
        settle(LOW).core[0, 0] = 1
    assert type(settle(np.array(3))) is type(settle(3)) is np.float64


def test_notes_become_plain() -> None:
    note = plain({"together": [{"w": np.eye(2)}, {"flag": np.True_}], 3: "x" * 999, "z": 1j})
    assert note["together"] == [{"w": [[1.0, 0.0], [0.0, 1.0]]}, {"flag": True}]
    assert len(note["3"]) == 200
    assert note["z"] == "1j"


def both(path: Path) -> tuple[bytes, bytes]:
    return path.read_bytes(), path.with_name(path.name + ".bin").read_bytes()


def put(path: Path, lines: bytes, arrays: bytes) -> None:
    path.write_bytes(lines)
    path.with_name(path.name + ".bin").write_bytes(arrays)


def test_a_tail_torn_at_any_byte_is_left_out_and_written_again(written: Path) -> None:
    lines, arrays = both(written)
    last = lines.rstrip(b"\n").rfind(b"\n") + 1
    for end in range(last, len(lines)):
        # The array of a record reaches the disk before its line does.
        put(written, lines[:end], arrays + b"part of an array")
        read = Transcript.read(written)
        assert len(read) == len(SCRIPT) - 1
        assert (read.repaired is None) == (end == last)
        if end % 40 and end != len(lines) - 1:
            continue
        resumed = Transcript.resume(written)
        assert resumed.repaired == read.repaired
        assert run(learner(), oracle(), log=resumed).value == 7
        assert both(written) == (lines, arrays)


def test_a_file_torn_inside_its_header_starts_again(written: Path) -> None:
    lines, arrays = both(written)
    for end in (0, 1, lines.index(b"\n")):
        put(written, lines[:end], b"")
        assert len(Transcript.read(written)) == 0
        run(learner(), oracle(), log=Transcript.resume(written))
        assert both(written) == (lines, arrays)


def test_a_changed_byte_is_found(written: Path) -> None:
    """Except for the last line end, whose loss is a torn record."""
    lines = written.read_bytes()
    for at in range(len(lines) - 1):
        damaged = bytearray(lines)
        damaged[at] ^= 1 << (at % 8)
        written.write_bytes(damaged)
        with pytest.raises(BadInput, match=f"line {1 + lines[:at].count(10)} does not match"):
            Transcript.read(written)


def test_a_line_taken_out_or_swapped_is_found(written: Path) -> None:
    lines = written.read_bytes().splitlines(keepends=True)
    for order in ([0, 2, 3], [0, 2, 1], [0, 1, 1], [1, 2]):
        written.write_bytes(b"".join(lines[i] for i in order))
        with pytest.raises(BadInput, match="does not match its checksum"):
            Transcript.read(written)


def test_a_changed_byte_in_an_array_is_found_when_it_is_loaded(written: Path) -> None:
    lines, arrays = both(written)
    put(written, lines, bytes([arrays[0] ^ 1]) + arrays[1:])
    read = Transcript.read(written)
    assert read[5].answers[0][0] == LONG[0]
    with pytest.raises(BadInput, match="array of line 4"):
        _ = read[2].answers
    put(written, lines, arrays[:-1])
    with pytest.raises(BadInput, match="restore both files"):
        Transcript.read(written)


def test_files_are_never_overwritten(written: Path, tmp_path: Path) -> None:
    before = both(written)
    with pytest.raises(BadInput, match=r"use Transcript\.resume"):
        Transcript(written)
    with pytest.raises(BadInput, match="open for reading only"):
        run(learner(), oracle(), log=Transcript.read(written))
    with pytest.raises(BadInput, match="resume with the same oracle"):
        run(learner(), oracle(seed=1), log=Transcript.resume(written))
    assert both(written) == before
    with pytest.raises(BadInput, match="no transcript"):
        Transcript.read(tmp_path / "other")
    with pytest.raises(BadInput, match="does not exist"):
        Transcript(tmp_path / "nowhere" / "run.jsonl")
    (tmp_path / "fresh.jsonl.bin").touch()
    with pytest.raises(BadInput, match=r"fresh\.jsonl\.bin exists"):
        Transcript(tmp_path / "fresh.jsonl")


def test_two_writers_do_not_share_a_file(written: Path) -> None:
    first = Transcript.resume(written)
    with pytest.raises(BadInput, match="being written by another run"):
        Transcript.resume(written)
    first.close()
    Transcript.resume(written).close()


def test_another_schema_is_refused(tmp_path: Path) -> None:
    journal = Journal.create(tmp_path / "old")
    journal.append({"schema": "sqsim.transcript/0"})
    journal.close()
    with pytest.raises(BadInput, match=r"this sqsim reads 'sqsim\.transcript/1'"):
        Transcript.resume(tmp_path / "old")


def test_a_description_must_be_json() -> None:
    with pytest.raises(BadInput, match="cannot be written as JSON"):
        Transcript().begin({"policy": object()}, 1, Unperturbed())


def test_appending_to_a_closed_file_says_how_to_go_on(written: Path) -> None:
    transcript = Transcript.resume(written)
    transcript.close()
    batch: Batch[Query] = Batch(())
    with pytest.raises(BadInput, match=r"is closed; use Transcript\.resume"):
        transcript.append(Exchange(7, batch, ()))
    assert repr(transcript) == f"Transcript(7 turns, {written})"
