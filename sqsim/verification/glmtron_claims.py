"""Entries on GLMtron and Isotron: progress, rate and cost."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction
from functools import cache
from typing import Any

import numpy as np

from sqsim.algorithms.generalised_linear import glmtron
from sqsim.algorithms.isotonic import isotron
from sqsim.gaussian import ridge_expectation
from sqsim.links import HermiteSeries, LeakyRelu, Link, Relu, Sigmoid
from sqsim.loop import run
from sqsim.lowrank import Array
from sqsim.oracles.simulated import csq
from sqsim.problems.index import SingleIndex
from sqsim.queries import Ridge
from sqsim.tolerance import Unperturbed
from sqsim.verification.conditions import exactly, joined, rounded
from sqsim.verification.entry import Entry, Finding

GLMTRON = "Kakade, Kalai, Kanade and Shamir (2011)"
D = 4
LINKS: tuple[Link, ...] = (
    HermiteSeries((0.0, 1.0)), Relu(), Relu(-0.5), LeakyRelu(0.2), Sigmoid(0.5),
)  # fmt: skip
"""Nondecreasing and 1-Lipschitz; the first is the line."""


@cache
def _paths() -> tuple[tuple[float, float, float, int], ...]:
    """Of GLMtron on every link: (||w - v||^2, that after the step, excess loss, step)."""
    found = []
    for link in LINKS:
        instance = SingleIndex(D, link).draw(noise=0.5, seed=1)
        v = instance.direction
        frames: list[Array] = [np.zeros(D)]

        def watch(exchange: Any, ledger: Any, frames: list[Array] = frames) -> None:
            if exchange.batch.note.get("step") == "selection":
                frames.extend(np.asarray(query.form.frame) for query in exchange.batch.queries)

        strategy = glmtron(instance.problem, link=link, steps=12)
        run(strategy, csq(instance, tolerance=Unperturbed()), callback=watch)
        for step, (w, after) in enumerate(itertools.pairwise(frames), start=1):
            before, now = (float((u - v) @ (u - v)) for u in (w, after))
            found.append((before, now, _distance(link, w, v), step))
    return tuple(found)


def _distance(link: Link, w: Array, v: Array) -> float:
    """E(u(<w, x>) - u(<v, x>))^2."""
    if not np.any(w):
        at_zero = float(link(np.zeros(1))[0])
        form = Ridge(lambda s: (at_zero - link(s)) ** 2, v, kinks=link.kinks)
        return float(ridge_expectation(form, D).value)  # type: ignore[arg-type]
    kinks = (link.kinks, link.kinks) if link.kinks else ()
    plane = Ridge(
        lambda s: (link(s[:, 0]) - link(s[:, 1])) ** 2, np.column_stack([w, v]), kinks=kinks
    )
    return float(ridge_expectation(plane, D).value)  # type: ignore[arg-type]


def _progress(constant: Fraction) -> Finding:
    """The least fall of ||w - w*||^2 over the excess loss, over links and steps."""
    shares = [(before - now) / excess for before, now, excess, _ in _paths() if before > 1e-12]
    return rounded(constant, min(shares), digits=5, error=1e-7)


def _rate(constant: Fraction) -> Finding:
    """The largest T times the least excess of w_0, ..., w_(T-1): at most ||w*||^2 = 1."""
    worst = 0.0
    for _, group in itertools.groupby(_with_link(), key=lambda row: row[0]):
        best = math.inf
        for _, excess, step in group:
            best = min(best, excess)
            worst = max(worst, step * best)
    return joined(rounded(constant, worst, digits=6, error=1e-8), worst <= 1 + 1e-9)


def _with_link() -> list[tuple[int, float, int]]:
    return [(i // 12, excess, step) for i, (_, _, excess, step) in enumerate(_paths())]


def _glmtron_cost(constant: Fraction) -> Finding:
    """d + T = 4 + 12 correlations in two rounds: the label part is asked once."""
    instance = SingleIndex(D, Relu()).draw(seed=1)
    strategy = glmtron(instance.problem, steps=12)
    ledger = run(strategy, csq(instance, tolerance=Unperturbed())).ledger
    return joined(exactly(constant, ledger.queries), ledger.rounds == 2)


def _isotron(constant: Fraction) -> Finding:
    """d + 1 + T (bins + 1) = 4 + 1 + 4 (12 + 1); ||w - w*|| falls in every round."""
    instance = SingleIndex(D, Sigmoid()).draw(seed=1)
    path: list[Array] = []

    def watch(exchange: Any, ledger: Any) -> None:
        if "w" in exchange.batch.note:
            path.append(np.asarray(exchange.batch.note["w"]))

    strategy = isotron(instance.problem, bins=12, steps=4)
    ledger = run(strategy, csq(instance, tolerance=Unperturbed()), callback=watch).ledger
    lengths = [float(np.linalg.norm(w - instance.direction)) for w in path]
    falling = all(after < before for before, after in itertools.pairwise(lengths))
    return joined(exactly(constant, ledger.queries), ledger.rounds == 6, falling, len(path) == 4)


GLMTRON_CLAIMS: tuple[Entry, ...] = (
    Entry(
        "glmtron.progress",
        "every step brings ||w - w*||^2 down by 1 times the excess loss at least, the line by 1",
        f"{GLMTRON}, with means for averages",
        "least ratio over five links, noise and twelve steps, exact answers",
        "1",
        _progress,
    ),
    Entry(
        "glmtron.rate",
        "the best of T iterates loses at most 1 ||w*||^2 / T beyond the noise; the line does",
        f"{GLMTRON}, with means for averages; constant derived for this index",
        "largest share over five links and T = 1, ..., 12, exact answers",
        "1",
        _rate,
    ),
    Entry(
        "glmtron.cost",
        "12 steps in dimension 4 ask 16 correlations in 2 rounds: E[y x] never changes",
        GLMTRON,
        "ledger of a run",
        "16",
        _glmtron_cost,
    ),
    Entry(
        "glmtron.isotron",
        "4 rounds with 12 bins in dimension 4 ask 57 correlations, and ||w - w*|| falls in each",
        f"{GLMTRON}, L-Isotron",
        "ledger and path of a run; d + 1 + T (bins + 1)",
        "57",
        _isotron,
    ),
)
