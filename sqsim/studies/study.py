"""A grid of runs: problem x algorithm x oracle x tolerance x seed, from a TOML file or from Python.

This file does not know how cells are run or kept.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from math import prod
from pathlib import Path
from typing import Any, final

from sqsim.errors import BadInput
from sqsim.recipe import Recipe
from sqsim.studies.cells import Cell, Measure, canonical, measure_named
from sqsim.studies.repeats import Repeats

DEFAULT_MEASURE = "sqsim.studies.learning_cells:learn"
TABLES = ("problem", "algorithm", "oracle", "tolerance", "parameters")
"""Parts of a setting, in the order in which they vary: the last the fastest."""
SIZES = ("small", "full")


@final
@dataclass(frozen=True)
class Study:
    """What to run, and how often.

    Parameters
    ----------
    name : str
    measure : "package.module:function"
        Called with `problem`, `algorithm`, `oracle`, `tolerance`, `parameters` as far as they are
        given, and `seed`; returns the row.
    problem, algorithm, oracle, parameters : mapping or sequence of mappings, optional
        A list as a value is varied over; several mappings are one after the other.
    tolerance : number or sequence of numbers, optional
    seeds : int or mapping
        How many seeds (0, 1, ... for every setting, so that algorithms meet the same instances),
        or the fields of `Repeats`: go on until the frequency of success is known well enough.
    title, note : str
        For the report.
    figures : sequence of mappings
        What the report draws; see `sqsim.report`.
    """

    name: str
    measure: str = DEFAULT_MEASURE
    problem: Any = None
    algorithm: Any = None
    oracle: Any = None
    tolerance: Any = None
    parameters: Any = None
    seeds: Any = 1
    title: str = ""
    note: str = ""
    figures: Sequence[Mapping[str, Any]] = field(default_factory=tuple)

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name:
            raise BadInput(f"the name of a study is {self.name!r}; wanted a word")
        canonical(self.to_dict())
        for table in TABLES:
            if self._count(table) == 0:
                raise BadInput(f"{table} of study {self.name!r} is empty: there is nothing to run")
        _ = self.repeats

    @classmethod
    def of(cls, spec: Mapping[str, Any], *, size: str = "small") -> Study:
        """The study that a specification describes; `size.full` there replaces what it names."""
        if size not in SIZES:
            raise BadInput(f"size is {size!r}; wanted one of {', '.join(SIZES)}")
        known = tuple(cls.__dataclass_fields__)
        plain = {key: value for key, value in spec.items() if key != "size"}
        sizes = spec.get("size", {})
        _known(sizes, SIZES, "size")
        chosen = {**plain, **sizes.get(size, {})}
        _known(chosen, known, "the study")
        if "name" not in chosen:
            raise BadInput('the study has no name; add: name = "..."')
        return cls(**chosen)

    @classmethod
    def read(cls, path: str | Path, *, size: str = "small") -> Study:
        """The study in a TOML file."""
        try:
            text = Path(path).read_bytes().decode()
            return cls.of(tomllib.loads(text), size=size)
        except OSError as error:
            raise BadInput(f"cannot read the study {path}: {error.strerror}") from None
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise BadInput(f"{path} is not TOML: {error}") from None

    @property
    def repeats(self) -> Repeats:
        """How seeds are repeated."""
        return Repeats.of(self.seeds)

    def settings(self) -> Iterator[dict[str, Any]]:
        """Every combination of arguments, without seeds."""
        chosen = [[(table, one) for one in self._choices(table)] for table in TABLES]
        for combination in product(*chosen):
            yield {table: value for table, value in combination if value is not None}

    def __len__(self) -> int:
        """Number of settings."""
        return prod(self._count(table) for table in TABLES)

    @property
    def most_cells(self) -> int:
        """Cells that the study never goes beyond."""
        return len(self) * self.repeats.most

    def cell(self, setting: int, repeat: int, arguments: Mapping[str, Any]) -> Cell:
        """One repeat of a setting."""
        return Cell(setting, repeat, Recipe(self.measure, {**arguments, "seed": repeat}))

    def check(self) -> None:
        """Raise BadInput if some setting can never run."""
        measure = measure_named(self.measure)
        if isinstance(measure, Measure):
            for arguments in self.settings():
                measure.check(**arguments, seed=0)

    def to_dict(self) -> dict[str, Any]:
        """Plain data, from which `of` makes the same study."""
        every = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return {name: _plain(value) for name, value in every.items() if value not in (None, "", ())}

    def _choices(self, table: str) -> Iterator[Any]:
        given = getattr(self, table)
        if given is None:
            yield None
        elif table == "tolerance":
            yield from _listed(given)
        else:
            yield from _expanded(given)

    def _count(self, table: str) -> int:
        given = getattr(self, table)
        if given is None:
            return 1
        if table == "tolerance":
            return len(given) if isinstance(given, list | tuple) else 1
        tables = given if isinstance(given, list | tuple) else [given]
        for one in tables:
            if not isinstance(one, Mapping):
                raise BadInput(f"{table} holds {one!r:.60}; wanted tables of names and values")
        return sum(prod(len(_listed(value)) for value in one.values()) for one in tables)


def _expanded(given: Any) -> Iterator[dict[str, Any]]:
    """Every combination of the listed values of a mapping, or of each mapping of a sequence."""
    for one in given if isinstance(given, list | tuple) else [given]:
        for values in product(*map(_listed, one.values())):
            yield dict(zip(one, values, strict=True))


def _listed(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list | tuple) else (value,)


def _known(given: Any, names: Sequence[str], where: str) -> None:
    if not isinstance(given, Mapping):
        raise BadInput(f"{where} is {given!r:.60}; wanted a table")
    for key in given:
        if key not in names:
            near = difflib.get_close_matches(str(key), names, n=1, cutoff=0.4)
            hint = f"did you mean {near[0]!r}? " if near else ""
            raise BadInput(f"{key!r} is unknown in {where}; {hint}known: {', '.join(names)}")


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value
