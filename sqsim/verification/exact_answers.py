"""Biased neurons as instances, and what a strategy ends with where an oracle answers exactly.

This file does not know entries.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import TypeVar

import numpy as np

from sqsim.algorithms.fields import weighted_field
from sqsim.loop import run
from sqsim.lowrank import Array
from sqsim.oracles.scoring import loss
from sqsim.oracles.simulated import sq
from sqsim.problems.corruption import Corruption
from sqsim.problems.hypothesis import ReluHypothesis
from sqsim.problems.index import IndexInstance, ReluRegression
from sqsim.queries import Batch, Query
from sqsim.record import Ledger
from sqsim.strategy import Answers, ask
from sqsim.tolerance import Unperturbed
from sqsim.updates import Update

R = TypeVar("R")


def corrupted(bias: float, *corruptions: Corruption, dimension: int = 4) -> IndexInstance:
    """A neuron of norm 1 with these corruptions, its norm and bias told."""
    problem = ReluRegression(dimension, norm=1.0, bias=bias)
    return problem.draw(corruptions=corruptions, seed=1)


def ended(
    strategy: Generator[Batch[Query], Answers, R], instance: IndexInstance
) -> tuple[R, Ledger]:
    """The value and the ledger of a run with no tolerance but the evaluator's own error."""
    result = run(strategy, sq(instance, tolerance=Unperturbed()))
    assert result.value is not None
    return result.value, result.ledger


def lost(instance: IndexInstance, neuron: ReluHypothesis) -> float:
    """E[(y - yhat)^2]."""
    return float(np.asarray(loss(instance, neuron).value))


def tangent_field(instance: IndexInstance, w: Array, update: Update) -> Array:
    """P_w E[y x f(<w, x>)]."""
    field = np.asarray(ended(ask(weighted_field(w, update)), instance)[0])
    return np.asarray(field - (field @ w) * w)
