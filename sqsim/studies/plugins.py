"""Algorithms and problems that other installed packages register by entry points.

This file does not know sqsim's own; what one package gets wrong leaves the others as they are.
"""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import Any, final

from sqsim.errors import BadInput
from sqsim.studies.registry import Algorithm

ALGORITHMS = "sqsim.algorithms"
"""Group of entry points: an Algorithm, or a function without arguments that returns one."""

PROBLEMS = "sqsim.problems"
"""Group of entry points: a Problem, or a function of keyword options that returns one."""


@final
@dataclass(frozen=True)
class Broken:
    """An entry point that is not used, and why."""

    name: str
    package: str
    reason: str

    def __str__(self) -> str:
        return f"{self.name} of {self.package} is left out: {self.reason}"


@final
@dataclass(frozen=True)
class Plugin:
    """What a package registers under a name; nothing of it is imported yet."""

    name: str
    package: str
    point: EntryPoint

    def load(self) -> Any:
        """The object it names.

        Raises
        ------
        BadInput
            Where its import fails, in whatever way.
        """
        try:
            return self.point.load()
        except (Exception, SystemExit) as error:
            raise BadInput(
                f"{self.point.value} of the plug-in {self.package} cannot be imported: "
                f"{type(error).__name__}: {error}"
            ) from error

    def algorithm(self) -> Algorithm:
        """The algorithm it registers, its formulas read once."""
        found = self.load()
        if not isinstance(found, Algorithm) and callable(found):
            try:
                found = found()
            except Exception as error:  # another's function may fail in any way
                raise BadInput(
                    f"{self.point.value} of the plug-in {self.package} failed: "
                    f"{type(error).__name__}: {error}"
                ) from error
        if not isinstance(found, Algorithm):
            raise BadInput(
                f"{self.point.value} of the plug-in {self.package} is {type(found).__name__}; "
                "wanted a sqsim.studies.registry.Algorithm, or a function that returns one"
            )
        if found.name != self.name:
            raise BadInput(
                f"the plug-in {self.package} registers {self.name!r}, and the algorithm is named "
                f"{found.name!r}; give the entry point the algorithm's name"
            )
        found.check_formulas()
        return found


def registered(group: str, taken: Container[str]) -> tuple[list[Plugin], list[Broken]]:
    """The plug-ins of a group, in the order of their names, and those whose name is taken.

    Of two packages with one name, the first in the order of packages keeps it.
    """
    plugins: dict[str, Plugin] = {}
    broken = []
    for point in sorted(entry_points(group=group), key=lambda one: (one.name, _package(one))):
        package = _package(point)
        if point.name in taken:
            broken.append(Broken(point.name, package, "sqsim has something of this name"))
        elif point.name not in plugins:
            plugins[point.name] = Plugin(point.name, package, point)
        elif plugins[point.name].package != package or plugins[point.name].point != point:
            owner = plugins[point.name].package
            broken.append(Broken(point.name, package, f"{owner} registers the same name"))
    return list(plugins.values()), broken


def _package(point: EntryPoint) -> str:
    return "a package without metadata" if point.dist is None else str(point.dist.name)
