"""What an instance says about the range of a query: how large labels and entries can be.

This file does not know how means are found.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from sqsim.errors import QueryRefused
from sqsim.inputs import Gaussian
from sqsim.links import Sigmoid, Sign, Step
from sqsim.partitions import MVStat, Partition
from sqsim.problems.dataset import Dataset
from sqsim.problems.labels import LabelLaw
from sqsim.queries import Query, Ridge
from sqsim.tolerance import Tolerance


def label_bound(instance: Any) -> float | None:
    """A bound on |y|, or None where none is known.

    A table's is its largest target; a label law without noise whose links have values in [-1, 1]
    and no gates has one for each link.  Any other instance may name one as `label_bound`.
    """
    told = getattr(instance, "label_bound", None)
    if told is not None:
        return float(told)
    if isinstance(instance, Dataset):
        return float(np.max(np.abs(instance.targets)))
    labels = getattr(instance, "labels", None)
    if not isinstance(labels, LabelLaw) or labels.noise:
        return None
    if all(isinstance(t.link, Sign | Step | Sigmoid) and t.gate is None for t in labels.terms):
        return float(len(labels.terms))
    return None


def check_entries(query: Query, tolerance: Tolerance, instance: Any) -> None:
    """Refuse a declared range of entries x_j h or (x_i x_j - delta_ij) h over Gaussian inputs.

    And a Partition, which costs what its sets cost, under a tolerance for single entries.
    """
    form = query.form
    if isinstance(query, Partition) and not isinstance(tolerance, MVStat):
        raise QueryRefused(
            f"query {query.label!r} is a Partition, and {tolerance!r} is not for sets of cells; "
            "ask an oracle with tolerance=MVStat(t), or each probability as a Statistic"
        )
    if query.range is None or not isinstance(form, Ridge) or not form.power:
        return
    if isinstance(instance.problem.inputs, Gaussian):
        raise QueryRefused(
            f"query {query.label!r} declares a range, and over Gaussian inputs the entries of "
            f"T_{form.power}(x) h have none; clip them with truncated(query, at=...), or use "
            "L2(tau) and declare no range"
        )
