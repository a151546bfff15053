"""The tolerance at which each strategy finds a hidden direction, against the dimension.

Measured on exact means, with answers moved inside their windows; set beside the certified
exponents of the link and the rates that they give.  This file does not draw or print.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import product
from math import log
from multiprocessing import get_context
from typing import Any, final

import numpy as np

from sqsim.errors import BadInput
from sqsim.lowerbounds.exponents import exponents_of
from sqsim.problems.index import SingleIndex
from sqsim.seeds import Seed
from sqsim.studies.exponent_strategies import (
    LINKS,
    MATRICES,
    VECTORS,
    demonstrations,
    named_link,
)
from sqsim.studies.exponent_thresholds import ERRORS, FOUND, Trials, threshold

DIMENSIONS = (64, 128, 256, 1024)
SMALLEST = 8
HIGHEST = 6
"""Exponents are proved among these degrees."""


def exponent_demonstrations(
    *,
    links: Sequence[str] = tuple(LINKS),
    dimensions: Sequence[int] = DIMENSIONS,
    errors: Sequence[str] = ("uniform", "toward-zero", "worst-direction"),
    trials: int = 2,
    seed: Seed = 0,
    workers: int = 1,
) -> dict[str, Any]:
    """The `sqsim.demonstrate/1` object: thresholds, their slopes in d and the rates of theory.

    Parameters
    ----------
    links : names in LINKS.
    dimensions : slopes are fitted over them; moments of degree 2 and more only up to MATRICES.
    errors : names in ERRORS.
    trials : hidden directions for each threshold, whose median is kept.
    workers : processes; the numbers do not depend on it.
    """
    sizes = sorted(set(dimensions))
    fitting = [d for d in sizes if SMALLEST <= d <= MATRICES]
    if len(fitting) < 2 or sizes[0] < SMALLEST or sizes[-1] > VECTORS:
        raise BadInput(
            f"dimensions are {list(dimensions)}; wanted numbers from {SMALLEST} to {VECTORS}, two "
            f"or more of them up to {MATRICES}, where matrices are asked for: a slope is fitted"
        )
    if trials < 1 or workers < 1:
        raise BadInput(f"trials is {trials} and workers is {workers}; both are at least 1")
    for name in errors:
        if name not in ERRORS:
            raise BadInput(f"no answer errors {name!r}; there are {', '.join(ERRORS)}")
    names = list(dict.fromkeys(links))
    titles = {name: named_link(name).title for name in names}
    tasks = [_Task(name, tuple(errors), tuple(sizes), trials, seed) for name in names]
    if workers == 1 or len(tasks) == 1:
        found = [_link_rows(task) for task in tasks]
    else:
        with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
            found = list(pool.map(_link_rows, tasks))
    return {
        "schema": "sqsim.demonstrate/1",
        "origin": "computed here",
        "dimensions": sizes,
        "trials": trials,
        "found_at_overlap": FOUND,
        "start": "overlap 1/sqrt(d), the typical size at random, for descents",
        "tolerance": "Absolute; queries of L2 norm at most 1 in every entry; E[y^2] = 1",
        "links": [
            {"name": name, "title": titles[name], **head}
            for name, (head, _) in zip(names, found, strict=True)
        ],
        "strategies": [row for _, rows in found for row in rows],
    }


@final
@dataclass(frozen=True)
class _Task:
    link: str
    errors: tuple[str, ...]
    dimensions: tuple[int, ...]
    trials: int
    seed: Seed


def _link_rows(task: _Task) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Proved exponents of one link and the rows of its strategies."""
    named = named_link(task.link)
    pair = exponents_of(named.expression, named.bias, HIGHEST)
    information, generative = (result.value for result in pair)
    assert information is not None
    assert generative is not None
    bound = {"CSQ": information / 2, "SQ": generative / 2}
    head = {"information": information, "generative": generative, "lower_bound": bound}
    made = demonstrations(named.link, information=information, generative=generative)
    trials = Trials(task.trials, task.seed)
    rows = []
    for one, errors in product(made, task.errors):
        sizes = [d for d in task.dimensions if d <= one.largest]
        measured: list[float | None] = []
        for d in sizes:
            guess = measured[-1] if measured else None
            problem = SingleIndex(d, named.link)
            measured.append(threshold(one, problem, errors, trials, guess=guess))
        rows.append(
            {
                "link": task.link,
                "strategy": one.name,
                "access": one.access,
                "family": one.family,
                "degree": one.degree,
                "errors": errors,
                "thresholds": [
                    {"dimension": d, "tolerance": tau}
                    for d, tau in zip(sizes, measured, strict=True)
                ],
                "measured": slope(sizes, measured),
                "predicted": one.rate(errors),
                "lower_bound": bound[one.access],
            }
        )
    return head, rows


def slope(dimensions: Sequence[int], tolerances: Sequence[float | None]) -> float | None:
    """Least-squares slope of log(1 / tau^2) in log d; None if a threshold was not found."""
    known = [tau for tau in tolerances if tau is not None]
    if len(known) < len(tolerances):
        return None
    fitted = np.polyfit(np.log(dimensions), [-2 * log(tau) for tau in known], 1)
    return float(fitted[0])


def summary(results: dict[str, Any]) -> list[str]:
    """Lines for people: measured slopes beside the rates of theory."""
    names = list(dict.fromkeys(row["errors"] for row in results["strategies"]))
    lines = [
        "exponent e of 1 / tau^2 ~ d^e: measured (rate derived here); bound: d^(k/2) is needed,",
        f"d = {', '.join(map(str, results['dimensions']))}; found: overlap >= {FOUND}",
    ]
    for link in results["links"]:
        lines.append(
            f"{link['title']}: information exponent {link['information']}, generative exponent "
            f"{link['generative']} (both proved)"
        )
        rows = [row for row in results["strategies"] if row["link"] == link["name"]]
        for strategy in dict.fromkeys(row["strategy"] for row in rows):
            mine = {row["errors"]: row for row in rows if row["strategy"] == strategy}
            first = next(iter(mine.values()))
            cells = ", ".join(
                f"{name} {_number(mine[name]['measured'])} ({mine[name]['predicted']:g})"
                for name in names
            )
            where = f"{first['access']:3s} {strategy:16s} degree {first['degree']}"
            lines.append(f"  {where}  {cells}; bound {first['lower_bound']:g}")
    return lines


def _number(value: float | None) -> str:
    return "not found" if value is None else f"{value:.2f}"
