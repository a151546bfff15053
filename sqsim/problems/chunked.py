"""A table that is read a chunk at a time, as a problem.

This file does not know files, engines or oracles.  The rows are the whole population, as in a
Dataset, but no more of them than a chunk is held.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from typing import final

import numpy as np

from sqsim.errors import BadInput
from sqsim.lowrank import Array
from sqsim.problems.arrays import on_host
from sqsim.problems.dataset import BLOCK, Dataset
from sqsim.problems.reading import LOOK, Defects, Part, Survey, chunks, surveyed
from sqsim.problems.streamed import ChunkedProblem, Streamed


@final
@dataclass(frozen=True, eq=False)
class Chunked:
    """Inputs and targets that are read a chunk at a time; made by the functions of `sources`.

    Parameters
    ----------
    parts : sequence of functions
        Each gives the chunks (x, y) of one part, (k, d) and (k,) for any k, and gives them again
        when called again.  A part is what one worker does at a time.  They are pickled when
        workers are other processes.
    names : sequence of str
        Of the d columns.
    target_name : str
    starts : sequence of int, optional
        The first row of each part and, at the end, the number of rows, where they are known: rows
        are then named by their number in the whole table, and a part that changes its length
        between passes is refused.
    defects : Defects
        Whether rows that are not finite and chunks without rows are refused or skipped.
    counted : Survey, optional
        What a pass over all parts found, where one was made already.
    """

    parts: Sequence[Part]
    names: Sequence[str]
    target_name: str = ""
    starts: Sequence[int] | None = None
    defects: Defects = Defects.REFUSE
    counted: Survey | None = None

    def __post_init__(self) -> None:
        parts, names = tuple(self.parts), tuple(str(name) for name in self.names)
        if not parts or not all(callable(part) for part in parts):
            raise BadInput(
                f"{len(parts)} parts; wanted at least one, each a function that gives its chunks "
                "(x, y) anew whenever it is called"
            )
        if not names:
            raise BadInput("no columns; wanted a name for each column of the inputs")
        if not isinstance(self.defects, Defects):
            raise BadInput(f"defects is {self.defects!r}; wanted Defects.REFUSE or Defects.SKIP")
        object.__setattr__(self, "parts", parts)
        object.__setattr__(self, "names", names)
        if self.starts is not None:
            starts = tuple(map(int, self.starts))
            if len(starts) != len(parts) + 1 or any(np.diff(starts) < 0):
                raise BadInput(
                    f"{len(starts)} starts for {len(parts)} parts; wanted the first row of each "
                    "part and then the number of rows, never falling"
                )
            object.__setattr__(self, "starts", starts)

    @property
    def dimension(self) -> int:
        """Number of columns."""
        return len(self.names)

    @cached_property
    def problem(self) -> ChunkedProblem:
        """The part that a learner may see."""
        return ChunkedProblem(self.dimension, Streamed(self.dimension, self._inputs))

    @cached_property
    def survey(self) -> Survey:
        """Counts over all parts, in one pass on this machine unless they are known."""
        if self.counted is not None:
            return self.counted
        return sum((surveyed(self, i) for i in range(len(self.parts))), Survey())

    @property
    def label_bound(self) -> float:
        """Largest |y|, for tolerances that ask for a bound on it; costs a survey."""
        return self.survey.largest_target

    def piece(self, part: int) -> Chunked:
        """One part as a table of its own: what a worker is sent."""
        starts = None if self.starts is None else self.starts[part : part + 2]
        return Chunked((self.parts[part],), self.names, self.target_name, starts, self.defects)

    @cached_property
    def fingerprint(self) -> str:
        """A digest of the first chunk of the first and of the last part."""
        digest = blake2b(repr((self.names, self.starts, len(self.parts))).encode(), digest_size=8)
        for part in (self.parts[0], self.parts[-1]):
            for x, y in part():
                digest.update(np.ascontiguousarray(on_host(x)[:LOOK]).data)
                digest.update(np.ascontiguousarray(on_host(y)[:LOOK]).data)
                break
        return digest.hexdigest()

    def describe(self) -> dict[str, object]:
        """JSON-able facts for the header of transcripts.

        Where defects are refused no row is skipped.  Where they are skipped, they are counted,
        which costs one pass over the table.
        """
        found = self.survey if self.defects is Defects.SKIP else None
        return {
            "parts": len(self.parts),
            "columns": self.dimension,
            "rows": None if self.starts is None else self.starts[-1],
            "defects": self.defects.value,
            "skipped_rows": 0 if found is None else found.skipped_rows,
            "empty_chunks": 0 if found is None else found.empty_chunks,
        }

    def _inputs(self) -> Iterator[Array]:
        for i in range(len(self.parts)):
            for x, _ in chunks(self, i):
                yield x


def examples(table: Dataset | Chunked) -> Iterator[tuple[Array, Array]]:
    """The rows of any table as 64-bit numbers, some at a time."""
    if isinstance(table, Chunked):
        for part in range(len(table.parts)):
            yield from chunks(table, part)
        return
    for start in range(0, len(table.targets), BLOCK):
        rows = slice(start, start + BLOCK)
        x, y = table.inputs[rows], table.targets[rows]
        yield np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)


def row_count(table: Dataset | Chunked) -> int:
    """Rows that a mean is taken over."""
    return table.survey.rows if isinstance(table, Chunked) else len(table.targets)
