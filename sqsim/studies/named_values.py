"""Tables of a specification, read into dataclasses.  This file does not know what they mean."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import Any, TypeVar

from sqsim.errors import BadInput

T = TypeVar("T")


def read_table(kind: type[T], table: Mapping[str, Any] | None, name: str) -> T:
    """The dataclass with the values of a table.

    Raises BadInput for a name that it does not have, with the nearest, and for one that it lacks.
    """
    given = dict(table or {})
    known = [one.name for one in fields(kind)]  # type: ignore[arg-type]
    for key in given:
        if key not in known:
            near = difflib.get_close_matches(str(key), known, n=1, cutoff=0.4)
            hint = f"did you mean {near[0]!r}? " if near else ""
            raise BadInput(f"{key!r} is unknown in {name}; {hint}known: {', '.join(known)}")
    for one in fields(kind):  # type: ignore[arg-type]
        if one.default is MISSING and one.default_factory is MISSING and one.name not in given:
            raise BadInput(f"{name} lacks {one.name!r}; known: {', '.join(known)}")
    return kind(**given)
