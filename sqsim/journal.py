"""JSON lines in a file that only grows, each checksummed over the one before; raw arrays beside.

This file does not know what the lines say.
"""

from __future__ import annotations

import json
import math
import os
from array import array as numbers
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, final

import numpy as np
import xxhash

from sqsim.errors import BadInput
from sqsim.lowrank import Array

try:
    import fcntl
except ImportError:
    fcntl = None  # type: ignore[assignment]

_SEAL = b',"checksum":"'
_SEALED = len(_SEAL) + 16 + len(b'"}')
_encode = json.JSONEncoder(separators=(",", ":"), allow_nan=False, check_circular=False).encode


def finite(value: Any) -> Any:
    """The same JSON value with nan and inf as the strings that float() reads."""
    if isinstance(value, float):
        return value if math.isfinite(value) else str(float(value))
    if isinstance(value, dict):
        return {key: finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [finite(item) for item in value]
    return value


def encode(fields: dict[str, Any]) -> str:
    """One line of strict JSON."""
    try:
        return _encode(fields)
    except ValueError:
        return _encode(finite(fields))


@final
class Journal:
    """Lines and arrays of one file pair, `path` and `path`.bin.

    Every line holds the size of the array file at that point as `arrays`.  A crash of the process
    loses at most the line being written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.sidecar = path.with_name(path.name + ".bin")
        self.torn: str | None = None
        self._starts = numbers("q")
        self._end = 0
        self._arrays = 0
        self._last = 0
        self._file: IO[bytes] | None = None
        self._raw: IO[bytes] | None = None

    @classmethod
    def create(cls, path: Path) -> Journal:
        """A new pair of files; existing ones are refused."""
        journal = cls(path)
        if journal.sidecar.exists() and not path.exists():
            raise BadInput(f"{journal.sidecar} exists; delete it or choose another name")
        try:
            journal._file = open(path, "xb")  # noqa: SIM115
        except FileExistsError:
            raise BadInput(
                f"{path} exists; use Transcript.resume to go on with it, or choose another name"
            ) from None
        except FileNotFoundError:
            raise BadInput(f"the folder {path.parent} does not exist; create it first") from None
        journal._lock()
        return journal

    @classmethod
    def open(cls, path: Path, *, writable: bool) -> Journal:
        """An existing pair of files, verified; a torn last line is left out, or cut off."""
        journal = cls(path)
        try:
            # Locked before it is verified, so that no other writer moves the end in between.
            if writable:
                journal._file = open(path, "r+b")  # noqa: SIM115
                journal._lock()
            journal._verify()
        except FileNotFoundError:
            raise BadInput(f"there is no transcript {path}; start one with log={path}") from None
        except BadInput:
            journal.close()
            raise
        if writable:
            journal._cut()
        return journal

    def __len__(self) -> int:
        return len(self._starts)

    @property
    def writable(self) -> bool:
        return self._file is not None

    @property
    def exact(self) -> bool:
        """Whether the array file ends where its lines say."""
        held = self.sidecar.stat().st_size if self.sidecar.exists() else 0
        return held == self._arrays

    def close(self) -> None:
        """Stop writing; reading goes on working."""
        files, self._file, self._raw = (self._raw, self._file), None, None
        for file in files:
            if file is not None:
                self._unlock(file)
                file.close()

    def append(self, fields: dict[str, Any]) -> None:
        """Write one line, on its way to the disk before this returns."""
        if self._file is None:
            raise BadInput(f"{self.path} is closed; use Transcript.resume to go on with it")
        fields["arrays"] = self._arrays
        body = encode(fields)[:-1].encode()
        checksum = xxhash.xxh3_64_hexdigest(body, seed=self._last)
        self._file.write(b"".join((body, _SEAL, checksum.encode(), b'"}\n')))
        self._file.flush()
        self._starts.append(self._end)
        self._end += len(body) + _SEALED + 1
        self._last = int(checksum, 16)

    def put(self, values: Array) -> dict[str, Any]:
        """Write an array raw; the place to store in the line that owns it."""
        if self._raw is None:
            self._raw = open(self.sidecar, "ab")  # noqa: SIM115
        data = np.ascontiguousarray(values, dtype="<f8").reshape(-1).view(np.uint8).data
        self._raw.write(data)
        self._raw.flush()
        place = {
            "at": self._arrays,
            "shape": list(values.shape),
            "checksum": xxhash.xxh3_64_hexdigest(data),
        }
        self._arrays += data.nbytes
        return place

    def get(self, place: dict[str, Any], line: int) -> Array:
        """The array at this place, verified."""
        shape, count = tuple(place["shape"]), math.prod(place["shape"])
        values = np.fromfile(self.sidecar, dtype="<f8", count=count, offset=place["at"])
        if xxhash.xxh3_64_hexdigest(values.data) != place["checksum"]:
            raise BadInput(
                f"{self.sidecar}: the array of line {line} of {self.path.name} is corrupted; "
                "restore both files from a copy"
            )
        values = values.astype(np.float64, copy=False).reshape(shape)
        values.flags.writeable = False
        return values

    def __getitem__(self, index: int) -> dict[str, Any]:
        with open(self.path, "rb") as file:
            file.seek(self._starts[index])
            fields: dict[str, Any] = json.loads(file.readline())
        return fields

    def __iter__(self) -> Iterator[dict[str, Any]]:
        with open(self.path, "rb") as file:
            for _ in range(len(self)):
                yield json.loads(file.readline())

    def keep(self, count: int) -> None:
        """Cut the files back to their first `count` >= 1 lines."""
        if count == len(self):
            return
        self._end = self._starts[count]
        del self._starts[count:]
        last = self[count - 1]
        self._last, self._arrays = int(last["checksum"], 16), last["arrays"]
        self._cut()

    def _cut(self) -> None:
        assert self._file is not None
        if self._raw is not None:
            self._raw.close()
            self._raw = None
        self._file.truncate(self._end)
        self._file.seek(self._end)
        if self.sidecar.exists():
            os.truncate(self.sidecar, self._arrays)

    def _unlock(self, file: Any) -> None:
        # Closing is not enough while a process that was forked meanwhile has the file too.
        if fcntl is not None and not file.closed:
            fcntl.flock(file, fcntl.LOCK_UN)

    def _lock(self) -> None:
        if fcntl is None or self._file is None:
            return
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise BadInput(
                f"{self.path} is being written by another run; wait for it or choose another name"
            ) from None

    def _verify(self) -> None:
        with open(self.path, "rb") as file:
            for number, line in enumerate(file, start=1):
                if not line.endswith(b"\n"):
                    self.torn = f"line {number}, torn off after {len(line)} bytes, is left out"
                    break
                self._verify_line(number, line)
        held = self.sidecar.stat().st_size if self.sidecar.exists() else 0
        if held < self._arrays:
            raise BadInput(
                f"{self.sidecar} has {held} bytes; line {len(self)} of {self.path.name} needs "
                f"{self._arrays}; restore both files from a copy"
            )

    def _verify_line(self, number: int, line: bytes) -> None:
        body, seal = line[: -_SEALED - 1], line[-_SEALED - 1 :]
        checksum = xxhash.xxh3_64_hexdigest(body, seed=self._last)
        if seal != _SEAL + checksum.encode() + b'"}\n':
            raise BadInput(
                f"{self.path}: line {number} does not match its checksum; it, or the line before, "
                "was changed after it was written; restore the file from a copy"
            )
        self._last = int(checksum, 16)
        self._arrays = json.loads(line)["arrays"]
        self._starts.append(self._end)
        self._end += len(line)
