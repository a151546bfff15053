"""The exchanges of a run, in memory or in an append-only file.

This file does not know who asks or who answers.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, final

import numpy as np

from sqsim import __version__
from sqsim.errors import BadInput
from sqsim.journal import Journal, encode
from sqsim.lowrank import LowRank
from sqsim.recipe import Recipe
from sqsim.record import SMALL, Asked, Exchange, Ledger, Record, Refusal, facts, plain
from sqsim.tolerance import Absolute, Tolerance

SCHEMA = "sqsim.transcript/1"

_HEADING = ("schema", "sqsim", "dimension", "oracle", "recipe")


@final
class Transcript:
    """Records of a run, by turn.

    `Transcript()` keeps exchanges in memory.  `Transcript(path)` writes a new file of JSON lines,
    and arrays of more than 64 numbers to `path`.bin; a killed process loses at most the record
    being written.  A transcript that already holds records, when given to `run` as its log, is
    replayed first.

    Parameters
    ----------
    path : path, optional
    recipe : Recipe, optional
        How strategy and oracle can be made again, for the header: what makes a run auditable.

    Attributes
    ----------
    path : Path or None
    header : dict
        Schema, sqsim version, dimension, description of the oracle and recipe; empty before the
        run.
    repaired : str or None
        What was left out because the last record was torn off.
    """

    def __init__(self, path: str | Path | None = None, *, recipe: Recipe | None = None) -> None:
        if not isinstance(recipe, Recipe | None):
            raise BadInput(
                f"recipe is {recipe!r:.80}; wanted Recipe('package.module:function', arguments)"
            )
        self._recipe = recipe
        self._open(None if path is None else Journal.create(Path(path)))

    @classmethod
    def read(cls, path: str | Path) -> Transcript:
        """An existing file, its checksums verified; those of large arrays when they are loaded."""
        return cls._existing(Path(path), writable=False)

    @classmethod
    def resume(cls, path: str | Path) -> Transcript:
        """An existing file, verified, its torn end cut off, ready for more."""
        return cls._existing(Path(path), writable=True)

    @classmethod
    def _existing(cls, path: Path, *, writable: bool) -> Transcript:
        transcript = cls.__new__(cls)
        transcript._recipe = None
        transcript._open(Journal.open(path, writable=writable))
        return transcript

    def _open(self, journal: Journal | None) -> None:
        self._journal = journal
        self._exchanges: list[Exchange] = []
        self._dimension = 1
        self._tolerance: Tolerance = Absolute(1.0)
        self.path = None if journal is None else journal.path
        self.repaired = None if journal is None else journal.torn
        self.header: dict[str, Any] = {}
        if journal is None or not len(journal):
            return
        first = journal[0]
        self.header = {name: first.get(name) for name in _HEADING}
        if self.header.get("schema") != SCHEMA:
            journal.close()
            raise BadInput(
                f"{self.path} has schema {self.header.get('schema')!r}; this sqsim reads {SCHEMA!r}"
            )

    def begin(self, description: dict[str, object], dimension: int, tolerance: Tolerance) -> None:
        """Write the header, or check that the run that goes on has the same oracle.

        Records from the first one that a budget cut are dropped: the run asks that batch again,
        whole if its budget now allows it, and the pure oracle gives the same answers.
        """
        if self._journal is not None and not self._journal.writable:
            raise BadInput(f"{self.path} is open for reading only; use Transcript.resume")
        self._dimension, self._tolerance = dimension, tolerance
        header = self._heading(description, dimension)
        if not self.header:
            if self._journal is not None:
                self._journal.append(dict(header))
            self.header = header
            return
        for name in ("dimension", "oracle"):
            if header[name] != self.header[name]:
                raise BadInput(
                    f"the transcript was recorded with {name} {self.header[name]!r}, "
                    f"this run has {header[name]!r}; resume with the same oracle"
                )
        first_cut = next((record.turn for record in self if record.cut), len(self))
        if self._journal is None:
            del self._exchanges[first_cut:]
        else:
            self._journal.keep(1 + first_cut)

    @property
    def sealed(self) -> bool:
        """Whether nothing stands behind the last record: no torn line and no stray numbers."""
        return self._journal is None or (self.repaired is None and self._journal.exact)

    def _heading(self, description: dict[str, object], dimension: int) -> dict[str, Any]:
        recipe = self._recipe and self._recipe.to_dict()
        values = (SCHEMA, __version__, dimension, description, recipe)
        return self.plain_header(dict(zip(_HEADING, values, strict=True)))

    @staticmethod
    def plain_header(header: dict[str, Any]) -> dict[str, Any]:
        """A description as it comes back from a file."""
        try:
            return dict(json.loads(encode(header)))
        except TypeError as error:
            raise BadInput(
                f"describe() of the oracle cannot be written as JSON ({error}); "
                "return strings, numbers, lists and dicts"
            ) from None

    def append(self, exchange: Exchange) -> None:
        """Add one exchange; in a file, flushed before this returns."""
        if self._journal is None:
            self._exchanges.append(exchange)
            return
        refusal = exchange.refusal
        queries = exchange.batch.queries
        self._journal.append(
            {
                "turn": exchange.turn,
                "queries": [facts(query, self._dimension, self._tolerance) for query in queries],
                "answers": [self._store(answer) for answer in exchange.answers],
                "note": plain(exchange.batch.note),
                "refusal": refusal and [refusal.error, refusal.message],
            }
        )

    def close(self) -> None:
        """Stop writing; reading goes on working."""
        if self._journal is not None:
            self._journal.close()

    def __len__(self) -> int:
        if self._journal is None:
            return len(self._exchanges)
        return max(0, len(self._journal) - 1)

    def __getitem__(self, turn: int) -> Record:
        turn = turn + len(self) if turn < 0 else turn
        if not 0 <= turn < len(self):
            raise IndexError(f"turn {turn} of a transcript of {len(self)}")
        if self._journal is None:
            return self._kept(self._exchanges[turn])
        return self._written(self._journal[1 + turn], turn)

    def __iter__(self) -> Iterator[Record]:
        if self._journal is None:
            yield from (self._kept(exchange) for exchange in self._exchanges)
            return
        for line, fields in enumerate(self._journal):
            if line:
                yield self._written(fields, line - 1)

    def __repr__(self) -> str:
        where = "in memory" if self.path is None else str(self.path)
        return f"Transcript({len(self)} turns, {where})"

    @property
    def ledger(self) -> Ledger:
        """What the recorded turns cost together."""
        return sum((record.ledger for record in self), Ledger())

    def _kept(self, exchange: Exchange) -> Record:
        queries = exchange.batch.queries
        asked = tuple(Asked(**facts(q, self._dimension, self._tolerance)) for q in queries)
        note = plain(exchange.batch.note)
        return Record(exchange.turn, asked, note, exchange.refusal, exchange.answers, _same)

    def _written(self, fields: dict[str, Any], turn: int) -> Record:
        asked = []
        for entry in fields["queries"]:
            entry["shape"] = tuple(entry["shape"])
            entry["tau"] = float(entry["tau"])
            entry["mark"] = tuple(map(float, entry["mark"]))
            asked.append(Asked(**entry))
        refusal = fields["refusal"] and Refusal(*fields["refusal"])
        stored = tuple(fields["answers"])
        # Lines are counted from 1 and the header is the first.
        load = partial(self._load, line=turn + 2)
        return Record(fields["turn"], tuple(asked), fields["note"], refusal, stored, load)

    def _store(self, answer: Any) -> Any:
        if isinstance(answer, float):
            return answer
        if isinstance(answer, LowRank):
            return {"basis": self._store(answer.basis), "core": self._store(answer.core)}
        assert self._journal is not None
        # A list of lists would lose the shape of an empty array.
        return answer.tolist() if 0 < answer.size <= SMALL else self._journal.put(answer)

    def _load(self, stored: Any, line: int) -> Any:
        if isinstance(stored, dict) and "basis" in stored:
            basis, core = (self._load(stored[part], line) for part in ("basis", "core"))
            return LowRank(basis, core)
        if isinstance(stored, dict):
            assert self._journal is not None
            return self._journal.get(stored, line)
        if not isinstance(stored, list):
            return np.float64(stored)
        values = np.array(stored, dtype=np.float64)
        values.flags.writeable = False
        return values


def _same(answer: Any) -> Any:
    return answer
