"""Learners of hard families and the boosting of p-concepts.

This file does not know what is done with them.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from sqsim.algorithms.boosting import BoostedConcept, boosted_p_concept
from sqsim.algorithms.combinations import Atom
from sqsim.algorithms.correlating import agnostic_neuron, agnostic_parity
from sqsim.algorithms.hidden_families import (
    best_component,
    best_orthogonal_network,
    best_plane,
    energy_subspace,
)
from sqsim.links import relu
from sqsim.lowrank import Array
from sqsim.problems.components import NonGaussianComponent
from sqsim.problems.index import SingleIndex
from sqsim.problems.orthogonal_networks import OrthogonalNetworks
from sqsim.problems.p_concepts import PConcept
from sqsim.problems.parity import SparseParity
from sqsim.problems.planes import AlternatingPlane
from sqsim.problems.problem import Problem
from sqsim.seeds import Role, Seed, rng
from sqsim.strategy import CSQ, SQ
from sqsim.studies.registry import Algorithm, Symbol

LISTED = Symbol("members of the family that are listed", 8)
STEPS = Symbol("steps of Frank and Wolfe", 5)


def concept() -> Any:
    """y = +-1 with mean tanh(relu(<v, x>) / 2)."""
    return PConcept(SingleIndex(5, relu(0.0))).draw(seed=1)


def boosted(problem: PConcept, seed: Seed) -> CSQ[BoostedConcept]:
    """`boosted_p_concept` over neurons of norm 1 found by one-shot regression."""
    return boosted_p_concept(
        problem, agnostic_neuron(), transfer=problem.transfer, radius=2.0, steps=STEPS.at(problem)
    )


def neuron(problem: Problem, seed: Seed) -> CSQ[Atom]:
    """`agnostic_neuron` around one-shot regression."""
    return agnostic_neuron()(problem)


def parity(problem: SparseParity, seed: Seed) -> CSQ[Atom]:
    """`agnostic_parity` of the problem's sparsity."""
    return agnostic_parity(problem, sparsity=problem.sparsity)


def network(problem: OrthogonalNetworks, seed: Seed) -> CSQ[tuple[int, ...] | None]:
    """`best_orthogonal_network`."""
    return best_orthogonal_network(problem)


def plane(problem: AlternatingPlane, seed: Seed) -> CSQ[int | None]:
    """`best_plane` among random planes."""
    stream = rng(seed, Role.LEARNER)
    shape = (problem.dimension, 2)
    drawn = (stream.standard_normal(shape) for _ in range(LISTED.at(problem)))
    return best_plane(problem, [np.linalg.qr(one)[0] for one in drawn])


def component(problem: NonGaussianComponent, seed: Seed) -> CSQ[int | None]:
    """`best_component` among random directions."""
    drawn = rng(seed, Role.LEARNER).standard_normal((LISTED.at(problem), problem.dimension))
    return best_component(problem, list(drawn / np.linalg.norm(drawn, axis=1, keepdims=True)))


def energy(problem: Problem, seed: Seed) -> SQ[Array]:
    """`energy_subspace` of rank 2."""
    return energy_subspace(problem, rank=2)


SETS = Symbol("size of the secret set", lambda problem: int(problem.size))
SPARSITY = Symbol("size of the secret set", lambda problem: int(problem.sparsity))
_entry = partial(Algorithm, rounds="1")

ALGORITHMS: Sequence[Algorithm] = (
    Algorithm(
        name="boosted-p-concept",
        access="CSQ",
        rounds="2*steps",
        queries="steps*(d + 2)",
        symbols={"steps": STEPS},
        source="Goel, Gollakota and Klivans (2020)",
        guarantee="excess at most 8 L Lambda^2 M^2 / (T + 2) + Lambda slack; access of the inner "
        "learner, here one-shot regression",
        strategy=boosted,
        result="boosted p-concept",
        wants="p-concepts",
        example=concept,
    ),
    Algorithm(
        name="agnostic-neuron",
        access="CSQ",
        rounds="2",
        queries="d + 2",
        source="one-shot regression and its mirror image",
        guarantee="slack epsilon / 2 against neurons, not their negatives, where the regression is "
        "within epsilon of the best of norm 1",
        strategy=neuron,
        result="signed concept",
    ),
    _entry(
        name="agnostic-parity",
        access="CSQ",
        queries="binomial(d, k)",
        symbols={"k": SPARSITY},
        source="folklore",
        guarantee="correlation within 2 tau of the best signed parity",
        strategy=parity,
        result="signed concept",
        wants="sparse parity",
        example=lambda: SparseParity(6, 2).draw(seed=1),
    ),
    _entry(
        name="best-orthogonal-network",
        access="CSQ",
        queries="binomial(d, k)",
        symbols={"k": SETS},
        source="exhaustive, on the family of Goel, Gollakota, Jin, Karmalkar and Klivans (2020)",
        guarantee="the set, for tau below ||f_S|| / 2",
        strategy=network,
        result="set of coordinates",
        wants="orthogonal networks",
        example=lambda: OrthogonalNetworks(5, 2).draw(seed=1),
    ),
    _entry(
        name="best-plane",
        access="CSQ",
        queries="listed",
        symbols={"listed": LISTED},
        source="exhaustive, on the family of Diakonikolas, Kane, Kontonis and Zarifis (2020)",
        guarantee="other planes answer at most ||P'Q||^k ||f||",
        strategy=plane,
        result="member of a list",
        wants="alternating planes",
        example=lambda: AlternatingPlane(5, 2).draw(seed=1),
    ),
    _entry(
        name="best-component",
        access="CSQ",
        queries="listed",
        symbols={"listed": LISTED},
        source="exhaustive, on the family of Diakonikolas, Kane and Stewart (2017)",
        guarantee="within 2 tau of the largest |c_2m| <u, v>^2m of the list (half of it where "
        "labelled), for an absolute tau; statistical in x",
        strategy=component,
        result="member of a list",
        wants="non-Gaussian components",
        example=lambda: NonGaussianComponent(5, 2).draw(seed=1),
    ),
    _entry(
        name="energy-subspace",
        access="SQ",
        queries="d*(d + 1)/2",
        source="E[y^2 (x x' - I)], computed here",
        guarantee="spans the secret set of an orthogonal network, or an alternating plane of order "
        "above 1",
        strategy=energy,
        result="subspace",
        wants="orthogonal networks or alternating planes",
        example=lambda: OrthogonalNetworks(5, 2).draw(seed=1),
    ),
)
