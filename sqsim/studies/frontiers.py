"""Where the certificate on correlational queries passes what a learner asked.

This file does not know learners, grids or stores.
"""

from __future__ import annotations

import math
from fractions import Fraction
from functools import lru_cache
from typing import Any

import numpy as np

from sqsim.links import Relu
from sqsim.studies.certified import certified_csq_queries
from sqsim.studies.crossing import locate
from sqsim.studies.learning_cells import Access, CorruptedNeuron

FINEST = 1e-30
RESOLUTION = 0.02
"""Of the certified tolerance, in decades."""


def csq_frontier(
    *, dimension: int, bias: float, cutoff: int, queries: int, ratio: float
) -> Fraction | None:
    """A tolerance from which on the certificate proves more than so many queries, as a float is.

    Within 0.02 decades of the least.  The bound grows with the tolerance up to where an output of
    this ratio no longer gains tolerance^2 over the zero hypothesis; None where it stays below.
    `queries` 0: where the certificate begins to say anything.
    """
    energy = Relu(bias).second_moment
    removed = float(np.sum(np.square(Relu(bias).coefficients(cutoff))))
    room = energy - removed - ratio * removed
    if room <= 0:
        return None

    def proves(exponent: float) -> bool:
        found = certified_csq_queries(
            dimension=dimension,
            bias=bias,
            cutoff=cutoff,
            tolerance=10.0**exponent,
            norm="l2",
            ratio=ratio,
        )["lower"]
        return found == "Infinity" or Fraction(found) > queries

    ends = [math.log10(room) / 2 - 1e-6, math.log10(FINEST)]
    found = locate(proves, ends, width=RESOLUTION)
    return None if found.succeeds is None else Fraction(10.0**found.succeeds)


@lru_cache(maxsize=256)
def _frontier_at(
    dimension: int, bias: float, cutoff: int, queries: int, ratio: float
) -> str | None:
    found = csq_frontier(
        dimension=dimension, bias=bias, cutoff=cutoff, queries=queries, ratio=ratio
    )
    return None if found is None else repr(float(found))


def is_covered(neuron: CorruptedNeuron, access: Access) -> bool:
    """Whether the lower bound is about this instance and this convention of tolerance."""
    member = neuron.corruption == "low-degree" and neuron.bias < 0 and neuron.norm == 1.0
    return member and access.model == "l2"


def certified_queries(
    neuron: CorruptedNeuron, access: Access, tolerance: float | None, ratio: float
) -> str | None:
    """The proved number of correlational queries to this ratio of OPT; None where none is."""
    if tolerance is None or not is_covered(neuron, access):
        return None
    return certified_csq_queries(
        dimension=neuron.dimension,
        bias=neuron.bias,
        cutoff=neuron.cutoff,
        tolerance=tolerance,
        norm="l2",
        ratio=ratio,
    )["lower"]


def frontier_row(
    neuron: CorruptedNeuron, access: Access, *, ratio: float, asked: int, needed: float | None
) -> dict[str, Any]:
    """The entries of a row about the frontier: empty where the theorem is about other instances.

    `asked` queries of a run that succeeded at the tolerance `needed`; 0 and None if none did.
    """
    if not is_covered(neuron, access):
        return {}
    cell = (neuron.dimension, neuron.bias, neuron.cutoff)
    begins = _frontier_at(*cell, 0, ratio)
    proved = _frontier_at(*cell, asked, ratio) if asked else None
    return {
        "certificate_begins": begins,
        "csq_frontier": proved,
        "certified_frontier": None if proved is None else float(proved),
        "gap": float(proved) / needed if proved is not None and needed is not None else None,
    }
