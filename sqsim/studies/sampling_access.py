"""Every oracle by one name, those that answer from examples among them.

This file does not know learners.  An oracle that promises its answers with a probability is asked
to keep all answers of a run with probability 0.95.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, final

from sqsim.errors import BadInput
from sqsim.oracles.central import central_private
from sqsim.oracles.holdout import reusable_holdout
from sqsim.oracles.private import local_private
from sqsim.oracles.sampling_oracles import fresh_stat, honest, reused_stat, unbiased
from sqsim.problems.index import IndexInstance
from sqsim.seeds import Seed
from sqsim.studies.access import NORMS
from sqsim.studies.learning_cells import Access
from sqsim.tolerance import Absolute

FAILURE = 0.05


@final
@dataclass(frozen=True)
class AnyAccess:
    """An oracle by name.

    Attributes
    ----------
    model : "l2", "absolute", "vstat", "unperturbed" (a window); "honest", "unbiased" (averages of
        tolerance^-2 examples); "fresh-stat", "reused-stat", "holdout", "bits" (STAT to the absolute
        tolerance from examples, kept with probability 0.95); "ldp", "central" (private).
    policy : the adversary of a window.
    clip : where values of queries are cut off.
    epsilon, delta : of "ldp" (epsilon alone) and "central".
    """

    model: str
    policy: str = "exact"
    clip: float = 4.0
    epsilon: float = 1.0
    delta: float = 1e-6

    def __post_init__(self) -> None:
        known = (*NORMS, "unperturbed", *SAMPLED, "bits")
        if self.model not in known:
            raise BadInput(f"model is {self.model!r}; wanted one of {', '.join(known)}")
        if not self.clip > 0:
            raise BadInput(f"clip is {self.clip}; values are cut off at +-clip, above 0")
        if self.is_window:
            Access(self.model, self.policy)

    @property
    def is_window(self) -> bool:
        """Whether an adversary answers within a window about computed means."""
        return self.model in (*NORMS, "unperturbed")


@final
@dataclass(frozen=True)
class Request:
    """What a sampling oracle is made for: tolerance, scalars that will be asked, and a seed."""

    tolerance: float
    queries: int
    rounds: int
    seed: Seed

    @property
    def examples(self) -> int:
        """tolerance^-2."""
        return math.ceil(self.tolerance**-2)


def _honest(instance: IndexInstance, access: AnyAccess, asked: Request) -> Any:
    return honest(instance, samples=asked.examples, failure=FAILURE, seed=asked.seed)


def _unbiased(instance: IndexInstance, access: AnyAccess, asked: Request) -> Any:
    return unbiased(instance, samples=asked.examples, failure=FAILURE, seed=asked.seed)


def _fresh(instance: IndexInstance, access: AnyAccess, asked: Request) -> Any:
    return fresh_stat(
        instance,
        tolerance=Absolute(asked.tolerance),
        failure=FAILURE,
        queries=asked.queries,
        clip=access.clip,
        seed=asked.seed,
    )


def _reused(instance: IndexInstance, access: AnyAccess, asked: Request) -> Any:
    return reused_stat(
        instance,
        tolerance=Absolute(asked.tolerance),
        failure=FAILURE,
        queries=asked.queries,
        clip=access.clip,
        seed=asked.seed,
    )


def _holdout(instance: IndexInstance, access: AnyAccess, asked: Request) -> Any:
    return reusable_holdout(
        instance,
        tolerance=Absolute(asked.tolerance),
        failure=FAILURE,
        queries=asked.queries,
        budget=asked.rounds,
        training=100 * asked.examples,
        clip=access.clip,
        seed=asked.seed,
    )


def _ldp(instance: IndexInstance, access: AnyAccess, asked: Request) -> Any:
    return local_private(
        instance,
        epsilon=access.epsilon,
        tolerance=Absolute(asked.tolerance),
        failure=FAILURE,
        queries=asked.queries,
        clip=access.clip,
        seed=asked.seed,
    )


def _central(instance: IndexInstance, access: AnyAccess, asked: Request) -> Any:
    return central_private(
        instance,
        epsilon=access.epsilon,
        delta=access.delta,
        failure=FAILURE,
        queries=asked.queries,
        clip=access.clip,
        records=100 * asked.examples,
        seed=asked.seed,
    )


SAMPLED: Mapping[str, Callable[[IndexInstance, AnyAccess, Request], Any]] = {
    "honest": _honest,
    "unbiased": _unbiased,
    "fresh-stat": _fresh,
    "reused-stat": _reused,
    "holdout": _holdout,
    "ldp": _ldp,
    "central": _central,
}
"""Oracles whose answers come from examples, by name; "bits" wraps the learner instead."""
