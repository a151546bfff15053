"""Algorithms and problems by name: sqsim's own and those of plug-ins.

This file does not know what is done with them.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

from sqsim.errors import BadInput, SqsimError
from sqsim.problems.binarised import BinarisedRegression
from sqsim.problems.components import NonGaussianComponent
from sqsim.problems.index import ReluRegression
from sqsim.problems.network import NetworkRegression
from sqsim.problems.orthogonal_networks import OrthogonalNetworks
from sqsim.problems.parity import SparseParity
from sqsim.problems.planes import AlternatingPlane
from sqsim.problems.problem import Problem
from sqsim.studies.catalogue import (
    ball_networks,
    exponents,
    hard_families,
    parities,
    reliable,
    robust,
    separation,
    several,
    single,
    wider,
)
from sqsim.studies.plugins import ALGORITHMS, PROBLEMS, Broken, Plugin, registered
from sqsim.studies.registry import Algorithm

FAMILIES = (
    separation,
    single,
    robust,
    wider,
    parities,
    exponents,
    hard_families,
    several,
    ball_networks,
    reliable,
)
"""Modules whose ALGORITHMS are sqsim's own."""

OWN: Mapping[str, Algorithm] = {one.name: one for family in FAMILIES for one in family.ALGORITHMS}
"""sqsim's own algorithms by name."""

MOST_LISTED = 20
"""Names that fit into a message."""

TAKEN = frozenset((*OWN, "all", "warm-start"))
"""Names that no plug-in's algorithm can have: the last two mean something else where names go."""

OWN_PROBLEMS: Mapping[str, Callable[..., Problem]] = {
    "relu-regression": ReluRegression,
    "binarised-regression": BinarisedRegression,
    "sparse-parity": SparseParity,
    "network-regression": NetworkRegression,
    "orthogonal-networks": OrthogonalNetworks,
    "alternating-plane": AlternatingPlane,
    "non-gaussian-component": NonGaussianComponent,
}
"""Functions of keyword options, by the name that a recipe may use."""


@final
@dataclass(frozen=True)
class Found:
    """What is registered.

    Attributes
    ----------
    entries : sqsim's own algorithms, then those of plug-ins.
    packages : the package of each plug-in's algorithm, by the algorithm's name.
    broken : plug-ins that are not used, and why.
    """

    entries: tuple[Algorithm, ...]
    packages: Mapping[str, str]
    broken: tuple[Broken, ...]


def algorithms() -> Found:
    """Every registered algorithm; every plug-in is imported."""
    plugins, broken = registered(ALGORITHMS, TAKEN)
    entries, packages = list(OWN.values()), {}
    for plugin in plugins:
        try:
            entries.append(plugin.algorithm())
        except SqsimError as error:
            broken.append(Broken(plugin.name, plugin.package, str(error)))
        else:
            packages[plugin.name] = plugin.package
    return Found(tuple(entries), packages, tuple(broken))


def algorithm(name: str) -> Algorithm:
    """The algorithm of this name; a plug-in is imported only if it has that name.

    Raises
    ------
    BadInput
        Where there is none, with the nearest name, or its plug-in cannot be used.
    """
    if name in OWN:
        return OWN[name]
    plugins, _ = registered(ALGORITHMS, TAKEN)
    return _chosen(name, plugins, OWN, "algorithm").algorithm()


def problem(name: str, **options: Any) -> Problem:
    """The problem of this name with these options.

    Raises
    ------
    BadInput
        Where there is none, it takes other options, or its plug-in cannot be used.
    """
    make: Any = OWN_PROBLEMS.get(name)
    if make is None:
        plugins, _ = registered(PROBLEMS, OWN_PROBLEMS)
        make = _chosen(name, plugins, OWN_PROBLEMS, "problem").load()
    if isinstance(make, Problem) and not options:
        return make
    try:
        made = make(**options)
    except SqsimError:
        raise
    except Exception as error:  # another's function may fail in any way
        raise BadInput(f"problem {name!r} with options {options}: {error}") from error
    if not isinstance(made, Problem):
        raise BadInput(f"problem {name!r} is made as {type(made).__name__}; wanted a Problem")
    return made


def problem_names() -> tuple[tuple[str, ...], tuple[Broken, ...]]:
    """The names that `problem` knows, and the plug-ins whose name is taken; none is imported."""
    plugins, broken = registered(PROBLEMS, OWN_PROBLEMS)
    return (*OWN_PROBLEMS, *(one.name for one in plugins)), tuple(broken)


def _chosen(name: str, plugins: Sequence[Plugin], own: Collection[str], kind: str) -> Plugin:
    """The plug-in of this name."""
    for plugin in plugins:
        if plugin.name == name:
            return plugin
    known = [*own, *(one.name for one in plugins)]
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.4)
    hint = f"did you mean {near[0]!r}? " if near else ""
    listed = ", ".join(known) if len(known) <= MOST_LISTED else f"{len(known)}: sqsim algorithms"
    raise BadInput(f"no {kind} {name!r}; {hint}there are {listed}")
