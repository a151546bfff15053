"""Learners against corruptions designed against them: loss over the true OPT, by bias and budget.

Everything is a population mean.  This file does not draw or print.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from itertools import product
from multiprocessing import get_context
from typing import Any, final

import numpy as np
from threadpoolctl import threadpool_limits

from sqsim.errors import BadInput
from sqsim.links import Relu
from sqsim.loop import run
from sqsim.lowrank import Array
from sqsim.oracles.policies import exact
from sqsim.oracles.simulated import sq
from sqsim.problems.caps import CapAttack, SplitAttack
from sqsim.problems.corruption import Corruption
from sqsim.problems.designers import PushBack
from sqsim.problems.hypothesis import ReluHypothesis
from sqsim.problems.index import IndexInstance, ReluRegression
from sqsim.problems.labels import LabelLaw
from sqsim.queries import Correlation, Ridge
from sqsim.seeds import Seed
from sqsim.studies.contenders import CONTENDERS, OVERLAP, Contender
from sqsim.studies.fooling import fooled_bias
from sqsim.studies.neuron_means import one_mean, population_loss
from sqsim.studies.optimum import Optimum, best_neuron
from sqsim.studies.planar import Planar
from sqsim.studies.working import begin_worker
from sqsim.tolerance import Absolute
from sqsim.updates import Update, plain, reweighted, smoothed

PLANE, SPACE = 2, 3
"""Dimensions: learners never leave the plane of a design, and the best neuron may."""
BOUND = 1.0
"""Largest bounded noise, in units of the PCA's cut 1 / |b|."""
DOUBTED, PATIENCE = 4.0, 2
"""Ratio above which a learner whose first step is true is run again, with more steps."""


def designs(bias: float, budget: float) -> Mapping[str, Corruption]:
    """Every design of this budget against a neuron of norm 1 and negative bias, by name."""
    if not -np.inf < bias < 0:
        raise BadInput(f"bias is {bias}; the designs are made against negative biases")
    cut, step = -1 / bias, reweighted(bias)
    return {
        "push against plain": PushBack(plain(bias), budget, OVERLAP),
        "push against reweighted": PushBack(step, budget, OVERLAP),
        "push against smoothed": PushBack(smoothed(bias, rho=OVERLAP), budget, OVERLAP),
        "bounded push against plain": PushBack(plain(bias), budget, OVERLAP, BOUND * cut),
        "cap against PCA": CapAttack(budget, cut),
        "cap and push": SplitAttack(step, budget, cut),
    }


def designers_study(
    *,
    alphas: Sequence[float] = (5.0, 100.0, 1000.0),
    biases: Sequence[float] = (-2.0, -3.56, -6.32, -11.2, -20.0),
    contenders: Sequence[Contender] = CONTENDERS,
    chosen: Sequence[str] | None = None,
    seed: Seed = 0,
    workers: int = 1,
) -> dict[str, Any]:
    """The `sqsim.designers/1` object: every contender against every design.

    A row is one contender on one instance of budget E[noise^2] = ||sigma_b||^2 / alpha: `ratio` is
    its loss over `opt`, the least loss of any neuron found (norm and bias free), which a design
    leaves at or below its budget.  `first_step` is the corrupted step over the clean one, toward
    v, at the start of overlap 0.9: not above 0 where the labels deceive it.  A ratio above 4
    after a true first step, or after a start of the learner's own, may be that of a slow learner:
    `hurried` is then the ratio before it was given more and shorter steps, else None.  `skipped`
    are designs that cannot spend a budget, with the reason.  `fooled` is proved: at each alpha
    the bias from which the reweighted step at overlap 0.9 can be pushed away from v.

    Parameters
    ----------
    alphas : each above 1: a budget of the neuron's energy erases it.
    chosen : names of designs; all of `designs` if None.
    workers : processes; the numbers do not depend on it.
    """
    names = _checked(alphas, biases, chosen, workers)
    tasks = [
        _Task(alpha, bias, name, tuple(contenders), seed)
        for alpha, bias, name in product(alphas, biases, names)
    ]
    found = _computed(tasks, workers)
    return {
        "schema": "sqsim.designers/1",
        "alphas": list(alphas),
        "biases": list(biases),
        "overlap": OVERLAP,
        "designs": names,
        "learners": [contender.name for contender in contenders],
        "rows": [row for outcome in found if not isinstance(outcome, str) for row in outcome],
        "skipped": [
            {"alpha": task.alpha, "bias": task.bias, "design": task.design, "reason": outcome}
            for task, outcome in zip(tasks, found, strict=True)
            if isinstance(outcome, str)
        ],
        "fooled": [{"alpha": alpha, "bias": fooled_bias(alpha)} for alpha in alphas],
    }


def attacked_start(instance: IndexInstance, overlap: float = OVERLAP) -> Array:
    """The direction of this overlap with v in the plane of the design, on the side it attacks."""
    v, last = instance.direction, instance.labels.terms[-1]
    aimed = last.direction if last.gate is None else last.gate.direction
    n = aimed - (aimed @ v) * v
    n = n - (n @ v) * v
    return np.asarray(overlap * v + np.sqrt(1 - overlap**2) * n / np.linalg.norm(n))


def first_step(instance: IndexInstance, w: Array, update: Update) -> float:
    """P_w E[y x weight(<w, x>)] along v over the same on clean labels: 1 - noise / signal."""
    v = instance.direction
    toward = v - (v @ w) * w
    query = Correlation(Ridge(update.weight, w, power=1, kinks=update.kinks))
    clean = replace(instance, labels=LabelLaw(instance.labels.terms[:1]))
    corrupted, true = (
        float(np.asarray(one_mean(Planar(), one, query).value) @ toward)
        for one in (instance, clean)
    )
    return corrupted / true


def _checked(
    alphas: Sequence[float], biases: Sequence[float], chosen: Sequence[str] | None, workers: int
) -> list[str]:
    """Names of the designs, or BadInput."""
    for alpha in alphas:
        if not 1 < alpha < np.inf:
            raise BadInput(
                f"alpha is {alpha}; guarantees assume OPT = ||sigma_b||^2 / alpha below the "
                "neuron's energy: alpha > 1"
            )
    for bias in biases:
        if not -25 <= bias < 0:
            raise BadInput(f"bias is {bias}; population means are computed for -25 <= bias < 0")
    if workers < 1:
        raise BadInput(f"workers is {workers}; at least one process computes")
    known = list(designs(-3.0, 1e-6))
    names = known if chosen is None else list(chosen)
    if not names or not set(names) <= set(known):
        raise BadInput(f"designs are {names}; wanted some of {', '.join(known)}")
    return names


@final
@dataclass(frozen=True)
class _Task:
    alpha: float
    bias: float
    design: str
    contenders: tuple[Contender, ...]
    seed: Seed


def _computed(tasks: Sequence[_Task], workers: int) -> list[list[dict[str, Any]] | str]:
    if workers == 1:
        return [_rows(task) for task in tasks]
    context = get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context, initializer=begin_worker) as pool:
        return list(pool.map(_rows, tasks))


def _rows(task: _Task) -> list[dict[str, Any]] | str:
    """All contenders on one instance; why not, where the design cannot spend this budget."""
    budget = Relu(task.bias).second_moment / task.alpha
    corruption = designs(task.bias, budget)[task.design]
    try:
        flat, deep = (
            ReluRegression(dimension, norm=1.0, bias=task.bias).draw(
                corruptions=[corruption], seed=task.seed
            )
            for dimension in (PLANE, SPACE)
        )
    except BadInput as refused:
        return str(refused)
    with threadpool_limits(1):
        opt = best_neuron(deep)
        return [
            {
                "alpha": task.alpha,
                "bias": task.bias,
                "design": task.design,
                "learner": contender.name,
                "budget": budget,
                "opt": opt.loss.value,
                "opt_error": opt.loss.error,
                **_judged(flat, opt, contender, task.seed),
            }
            for contender in task.contenders
        ]


def _judged(
    instance: IndexInstance, opt: Optimum, contender: Contender, seed: Seed
) -> dict[str, float | None]:
    """What one contender loses; twice where a learner that is not deceived at once does badly."""
    start = attacked_start(instance)
    step = first_step(instance, start, contender.update(instance.target.bias))
    neuron, lost = _learnt(instance, contender, start, 1, seed)
    hurried = None
    own = contender.initialisation is not None
    if lost > DOUBTED * opt.loss.value and (own or step > 0):
        hurried = lost / opt.loss.value
        again, less = _learnt(instance, contender, start, PATIENCE, seed)
        if less < lost:
            neuron, lost = again, less
    return {
        "loss": lost,
        "ratio": lost / opt.loss.value,
        "hurried": hurried,
        "first_step": None if own else step,
        "overlap": neuron.overlap(instance.direction),
    }


def _learnt(
    instance: IndexInstance, contender: Contender, start: Array, patience: int, seed: Seed
) -> tuple[ReluHypothesis, float]:
    # Exact answers at any scale: the radius of 1 is never used.
    oracle = sq(instance, tolerance=Absolute(1.0), policy=exact, means=Planar())
    strategy = contender.strategy(instance.problem, start, patience=patience, seed=seed)
    neuron = run(strategy, oracle).value
    assert isinstance(neuron, ReluHypothesis)
    return neuron, population_loss(instance, neuron).value
