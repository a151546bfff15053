"""Writing results so that nothing is lost and nothing is written over."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqsim.errors import BadInput


@contextmanager
def fresh_directory(path: Path) -> Iterator[Path]:
    """The folder, made if need be; a numbered neighbour where it already holds something.

    A command that fails before it has written anything leaves no folder behind; what was written
    before a crash or Ctrl-C stays.
    """
    candidate = _fresh(path)
    try:
        yield candidate
    except BaseException:
        if not any(entry.is_file() for entry in candidate.rglob("*")):
            shutil.rmtree(candidate, ignore_errors=True)
        raise


def _fresh(path: Path) -> Path:
    candidate, number = path, 1
    try:
        while candidate.exists() and (not candidate.is_dir() or any(candidate.iterdir())):
            number += 1
            candidate = path.with_name(f"{path.name}-{number}")
        candidate.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadInput(f"cannot write to {candidate}: {error}; choose another folder") from error
    return candidate


def write_json(path: Path, results: Mapping[str, Any]) -> None:
    """Write by way of a neighbouring file, so that a crash leaves the old content."""
    text = json.dumps(results, indent=1, allow_nan=False)
    try:
        write_atomically(path, text.encode())
    except OSError as error:
        raise BadInput(f"cannot write {path}: {error.strerror or error}") from error


def write_atomically(path: Path, content: bytes) -> None:
    """Replace the file in one step."""
    partial = path.with_name(path.name + ".partial")
    partial.write_bytes(content)
    os.replace(partial, path)
