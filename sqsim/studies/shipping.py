"""The studies that come with sqsim, each a TOML file in the folder `specifications`.

This file does not run them.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterator, Mapping
from importlib.resources import files
from typing import Any

from sqsim.errors import BadInput
from sqsim.studies.study import Study


def shipped(name: str, *, size: str = "small") -> Study:
    """The shipped study of this name."""
    known = dict(_specifications())
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1, cutoff=0.4)
        hint = f"did you mean {near[0]!r}? " if near else ""
        raise BadInput(
            f"no study {name!r}; {hint}there are {', '.join(sorted(known))}, or give a .toml file"
        )
    return Study.of(known[name], size=size)


def shipped_studies(*, size: str = "small") -> list[Study]:
    """All of them, by name."""
    return [Study.of(spec, size=size) for _, spec in sorted(_specifications())]


def _specifications() -> Iterator[tuple[str, Mapping[str, Any]]]:
    folder = files("sqsim.studies").joinpath("specifications")
    for file in folder.iterdir():
        if file.name.endswith(".toml"):
            yield file.name.removesuffix(".toml"), tomllib.loads(file.read_text("utf-8"))
