"""The specification of a study as text, and the commands that make it again."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping
from typing import Any

from sqsim.studies.cells import canonical
from sqsim.studies.shipping import shipped_studies
from sqsim.studies.study import SIZES, Study

BARE = re.compile(r"[A-Za-z0-9_-]+")


def specification(study: Study) -> str | None:
    """The study as TOML; None where it holds what TOML cannot say (a None inside a table)."""
    plain = study.to_dict()
    if _has_none(plain):
        return None
    tables = {key: value for key, value in plain.items() if isinstance(value, Mapping)}
    arrays = {key: value for key, value in plain.items() if _of_tables(value)}
    lines = [
        f"{key} = {_toml(value)}"
        for key, value in plain.items()
        if key not in tables and key not in arrays
    ]
    for key, table in tables.items():
        lines += ["", f"[{key}]", *_pairs(table)]
    for key, items in arrays.items():
        for table in items:
            lines += ["", f"[[{key}]]", *_pairs(table)]
    return "\n".join(lines) + "\n"


def specification_json(study: Study) -> str:
    """The study as JSON, which holds every study; `Study.of` reads it."""
    return json.dumps(json.loads(canonical(study.to_dict())), indent=1)


def shipped_as(study: Study) -> tuple[str, str] | None:
    """Name and size under which sqsim ships this study; None for one of the user's own."""
    own = canonical(study.to_dict())
    for size in SIZES:
        for one in shipped_studies(size=size):
            if one.name == study.name and canonical(one.to_dict()) == own:
                return one.name, size
    return None


def specification_file(study: Study) -> tuple[str, str]:
    """A name for the file of the specification, and its text: TOML, or JSON where it must be."""
    plain = re.sub(r"[^A-Za-z0-9_-]+", "-", study.name).strip("-") or "study"
    text = specification(study)
    if text is None:
        return f"{plain}.json", specification_json(study)
    return f"{plain}.toml", text


def run_command(study: Study, store: str) -> str:
    """The command that fills a store like this one."""
    found = shipped_as(study)
    if found is None:
        return shlex.join(["sqsim", "study", "run", specification_file(study)[0], "--store", store])
    name, size = found
    return shlex.join(["sqsim", "study", "run", name, "--size", size, "--store", store])


def figure_command(stem: str, store: str, out: str) -> str:
    """The command that draws one figure again."""
    return shlex.join(["sqsim", "report", store, "--figure", stem, "--out", out])


def report_command(store: str, out: str) -> str:
    """The command that writes the page again."""
    return shlex.join(["sqsim", "report", store, "--out", out])


def export_command(store: str) -> str:
    """The command that writes all rows for other programs."""
    return shlex.join(["sqsim", "study", "export", store, "--out", "runs.parquet"])


def _pairs(table: Mapping[str, Any]) -> list[str]:
    return [f"{_key(key)} = {_toml(value)}" for key, value in table.items()]


def _toml(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(_pairs(value)) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    if isinstance(value, str):
        # JSON leaves DEL as it is, which TOML forbids.
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, bool):
        return "true" if value else "false"
    return repr(value)


def _key(key: str) -> str:
    return key if BARE.fullmatch(key) else json.dumps(key, ensure_ascii=False)


def _of_tables(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(v, Mapping) for v in value)


def _has_none(value: Any) -> bool:
    if isinstance(value, Mapping):
        return any(map(_has_none, value.values()))
    return any(map(_has_none, value)) if isinstance(value, list) else value is None
