"""Learners by name, as the commands run them; with the names of conventions and adversaries.

This file does not know oracles' secrets: a learner is given a problem and a seed.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from sqsim.lowrank import Array
from sqsim.studies.catalogue.separation import ALGORITHMS as OF_A_SEPARATION
from sqsim.studies.catalogue.single import ALGORITHMS as OF_SINGLE_NEURONS
from sqsim.studies.cold_starts import DESCENTS, descended_from, warm_direction
from sqsim.studies.conventions import CONVENTIONS, POLICIES
from sqsim.studies.named import algorithm, algorithms
from sqsim.studies.registry import NEURON, Learner

__all__ = [
    "CONVENTIONS",
    "LEARNERS",
    "Learner",
    "POLICIES",
    "SINGLE_NEURONS",
    "learner",
    "learners",
    "warm",
    "warm_direction",
]

LEARNERS: Sequence[Learner] = tuple(entry.learner() for entry in OF_A_SEPARATION)
"""Every cold-start learner of a separation, the correlational ones first."""

SINGLE_NEURONS: Sequence[Learner] = tuple(entry.learner() for entry in OF_SINGLE_NEURONS)
"""Further learners that are asked for by name: a separation does not run them."""


def learner(name: str) -> Learner:
    """The cold-start learner of this name, sqsim's own or a plug-in's; it ends with a neuron."""
    return algorithm(name).learner()


def learners(text: str) -> tuple[Learner, ...]:
    """Those named, with commas between them, each once; "all": every one that ends with a neuron.

    Of "all" a learner that needs to be told norm or bias is left out, and so is what does not load.
    """
    names = [word.strip() for word in text.split(",")]
    if names == ["all"]:
        return tuple(
            entry.learner()
            for entry in algorithms().entries
            if entry.result == NEURON and not entry.needs
        )
    return tuple(learner(name) for name in dict.fromkeys(names))


def warm(start: Array) -> tuple[Learner, ...]:
    """The projected descents, begun at a direction such as that of `warm_direction`."""
    return tuple(
        Learner(name, "CSQ", partial(descended_from, start, descent), told=True, warm_start=True)
        for name, descent in DESCENTS.items()
    )
