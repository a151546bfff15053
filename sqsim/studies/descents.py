"""A descent that is tried at one bias after the other, and whether it succeeded.

This file does not know where it fails.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from sqsim.algorithms.descent import projected_gradient_descent, reweighted_pgd
from sqsim.algorithms.fields import weight_norm, weighted_field
from sqsim.errors import BadInput, BudgetSpent, QueryRefused, ToleranceUnreachable
from sqsim.loop import run
from sqsim.lowrank import Array
from sqsim.oracles.scoring import loss, null_loss
from sqsim.problems.corruption import at_overlap
from sqsim.problems.hypothesis import ReluHypothesis
from sqsim.problems.index import IndexInstance
from sqsim.problems.problem import Problem
from sqsim.seeds import Role, Seed, rng
from sqsim.strategy import CSQ, ask
from sqsim.studies.learners import learner
from sqsim.studies.learning_cells import UPDATES, Access, CorruptedNeuron

LOCAL_STEP, WARM_DESCENT = "local-step", "warm-descent"
DESCENTS: Mapping[str, Callable[..., CSQ[ReluHypothesis]]] = {
    "plain": projected_gradient_descent,
    "reweighted": reweighted_pgd,
}


@final
@dataclass(frozen=True)
class Descent:
    """What is run at each bias, and what counts as its success.

    Attributes
    ----------
    name : "local-step" (succeeds if the answered step points toward v), "warm-descent" (from a
        start at `overlap`), or a registered learner of a neuron (from its own start).
    update, overlap : of the first two; at a worst-case corruption they start where it is worst.
    steps : of a warm descent.
    success, exactness : of the loss of the last two, as in `learning_cells.Named`.
    """

    name: str
    update: str = "plain"
    overlap: float = 0.9
    steps: int = 60
    success: float = 1.5
    exactness: float = 1e-2

    def __post_init__(self) -> None:
        if self.update not in UPDATES:
            raise BadInput(f"update is {self.update!r}; wanted one of {', '.join(UPDATES)}")
        if not 0 < self.overlap < 1:
            raise BadInput(f"overlap is {self.overlap}; a warm start lies strictly between 0 and 1")
        if self.name not in (LOCAL_STEP, WARM_DESCENT):
            learner(self.name)

    @property
    def access(self) -> str:
        """The weakest oracle that answers it."""
        return "CSQ" if self.name in (LOCAL_STEP, WARM_DESCENT) else learner(self.name).access

    @property
    def told(self) -> bool:
        """Whether it is made for problems that tell norm and bias."""
        return True if self.name in (LOCAL_STEP, WARM_DESCENT) else learner(self.name).told


def reaches(
    neuron: CorruptedNeuron,
    descent: Descent,
    access: Access,
    tolerance: float | None,
    seed: Seed,
) -> bool:
    """Whether this descent succeeds on this neuron; a refusal is a failure."""
    instance = neuron.instance(told=descent.told, seed=seed)
    oracle = access.oracle(instance, descent.access, tolerance, seed)
    try:
        if descent.name == LOCAL_STEP:
            return _steps_toward(neuron, descent, instance, oracle, seed)
        result = run(_strategy(descent, instance, seed), oracle)
    except (ToleranceUnreachable, QueryRefused, BudgetSpent):
        return False
    if result.value is None:
        return False
    bound = instance.opt_upper_bound
    limit = descent.success * bound
    if bound == 0:
        limit = descent.exactness * float(np.asarray(null_loss(instance).value))
    return float(np.asarray(loss(instance, result.value).value)) <= limit


def _strategy(descent: Descent, instance: IndexInstance, seed: Seed) -> Any:
    if descent.name != WARM_DESCENT:
        return learner(descent.name).strategy(instance.problem, seed)
    start = _start(descent, instance, seed)
    return DESCENTS[descent.update](
        instance.problem, start=start, steps=descent.steps, normalised=True, seed=seed
    )


def _steps_toward(
    neuron: CorruptedNeuron, descent: Descent, instance: IndexInstance, oracle: Any, seed: Seed
) -> bool:
    """Whether the answered step has a positive component toward v, orthogonally to w."""
    w = _start(descent, instance, seed)
    update = UPDATES[descent.update](neuron.bias / neuron.norm)

    def strategy(problem: Problem) -> CSQ[Array]:
        unit = max(weight_norm(problem, w, update), 1.0)
        return np.asarray((yield from ask(weighted_field(w, update, unit=unit))))

    field = run(strategy(instance.problem), oracle).value
    assert field is not None
    toward = instance.direction - (instance.direction @ w) * w
    return float(field @ toward) > 0


def _start(descent: Descent, instance: IndexInstance, seed: Seed) -> Array:
    """A unit vector at the overlap: where a worst-case corruption of that overlap is aimed at."""
    gate = instance.labels.terms[-1].gate
    if gate is not None and abs(gate.direction @ instance.direction - descent.overlap) < 1e-9:
        return gate.direction
    return at_overlap(instance.direction, descent.overlap, rng(seed, Role.LEARNER))
