"""Law 9: no run that beats the Evader uses fewer queries than the certificate allows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from zoo import LEARNERS

from sqsim import L2, Correlation, Quadrature, Ridge, ask, ask_all, refute
from sqsim.links import hermite
from sqsim.lowerbounds.family_bounds import csq_finite_family_bound
from sqsim.lowerbounds.relu_bounds import csq_relu_bound
from sqsim.lowerbounds.spectrum import ridge_spectrum
from sqsim.lowerbounds.theorems import sphere_bound
from sqsim.oracles import scoring
from sqsim.problems import ReluHypothesis, ReluRegression
from sqsim.problems.corruption import LowDegreeRemoval
from sqsim.problems.index import IndexInstance, SingleIndex
from sqsim.strategy import CSQ
from sqsim.tolerance import Mean

COUNT = 12


def cubic(t: np.ndarray) -> np.ndarray:
    """h_3."""
    return np.asarray((t**3 - 3 * t) / np.sqrt(6))


def members(count: int) -> list[IndexInstance]:
    """y = h_3(x_i), i = 1, ..., count: orthonormal."""
    problem = SingleIndex(count, hermite(3))
    return [problem.draw(direction=row) for row in np.eye(count)]


def along(u: np.ndarray) -> Correlation:
    return Correlation(Ridge(cubic, u), "E[y h_3]")


def of_group(group: Sequence[int], count: int) -> Correlation:
    """E[y g] with g = sum_{i in group} h_3(x_i) / sqrt(k), of norm 1; the label names the group."""
    frame = np.eye(count)[:, list(group)]

    def mixed(s: np.ndarray) -> np.ndarray:
        return np.asarray(cubic(s).sum(axis=1) / np.sqrt(len(group)))

    return Correlation(Ridge(mixed, frame), ",".join(map(str, group)))


@dataclass(frozen=True)
class Orthonormal:
    """E[y g] for `of_group`, by orthonormality instead of an integral over the group."""

    def means(self, instance: Any, queries: Any, scales: Any, **_: Any) -> list[Mean]:
        hidden = int(np.argmax(instance.direction))
        groups = [[int(i) for i in query.label.split(",")] for query in queries]
        return [
            Mean(np.asarray((hidden in group) / np.sqrt(len(group))), 0.0, np.asarray(1.0))
            for group in groups
        ]


def test_orthonormality_is_what_quadrature_finds() -> None:
    """The shortcut above, on one group of one and its neighbours."""
    queries, scales = [of_group([i], COUNT) for i in range(3)], [L2(0.1).scale] * 3
    for instance in members(COUNT)[:2]:
        slow = Quadrature().means(instance, queries, scales, seed=0, turn=0)
        fast = Orthonormal().means(instance, queries, scales)
        for a, b in zip(slow, fast, strict=True):
            assert a.number == pytest.approx(b.number, abs=1e-12)
            assert float(np.asarray(a.scale)) == pytest.approx(1.0, abs=1e-9)


def missed(instance: IndexInstance, found: int) -> Mean:
    """1 where the learner named another member than the hidden one."""
    return Mean(np.asarray(float(int(np.argmax(instance.direction)) != found)), 0.0)


def in_groups(order: Sequence[int], size: int) -> Callable[[Any], CSQ[int]]:
    """Asks for groups of members in turn, then for each of a group whose answer is not small."""

    def learner(problem: Any) -> CSQ[int]:
        count = problem.dimension
        groups = [order[start : start + size] for start in range(0, count, size)]
        for number, group in enumerate(groups):
            last = number == len(groups) - 1
            if not last:
                answer = yield from ask(of_group(group, count))
            if last or answer > 0.5 / np.sqrt(len(group)):
                for i in group[:-1]:
                    if (yield from ask(of_group([i], count))) > 0.5:
                        return i
                return group[-1]
        raise AssertionError

    return learner


def permitted(count: int, tolerance: Fraction, queries: int) -> bool:
    identity = [[int(i == j) for j in range(count)] for i in range(count)]
    return csq_finite_family_bound(identity, tolerance=tolerance, eigenvalue=1).permits(queries)


@settings(max_examples=30)
@given(st.permutations(range(COUNT)), st.integers(1, 5), st.sampled_from(["1/10", "1/4", "2/5"]))
def test_searching_an_orthonormal_family(order: Sequence[int], size: int, tolerance: str) -> None:
    """One by one or in groups, in any order: a learner that is not refuted has paid for it.

    Groups bring the cost down to N tau^2, as the certificate has it, and not below.
    """
    tau = Fraction(tolerance)
    found = refute(
        in_groups(order, size),
        members(COUNT),
        L2(float(tau)),
        loss=missed,
        opt=1e-9,
        ratio=2.0,
        means=Orthonormal(),
    )
    assert found.refuted or permitted(COUNT, tau, found.queries)
    if size * float(tau) ** 2 < 0.2:
        # The signal of a group is above the tolerance: the learner is right whatever is hidden.
        assert not found.refuted


def net(count: int) -> Callable[[Any], CSQ[np.ndarray]]:
    """Asks along equally spaced directions of the plane at once, and takes the largest answer."""

    def learner(problem: Any) -> CSQ[np.ndarray]:
        angles = np.pi * np.arange(count) / count
        directions = np.stack([np.cos(angles), np.sin(angles)], axis=1)
        answers = yield from ask_all(*map(along, directions))
        best = int(np.argmax(np.abs(answers)))
        return np.asarray(np.sign(answers[best]) * directions[best])

    return learner


def far(instance: IndexInstance, found: np.ndarray) -> Mean:
    """E[(h_3(<w, x>) - y)^2] = 2 - 2 <w, v>^3."""
    return Mean(np.asarray(2 - 2 * float(found @ instance.direction) ** 3), 0.0)


@pytest.mark.parametrize("count", [1, 2, 3, 4, 6, 8])
@pytest.mark.parametrize("tau", ["0.2", "0.4", "0.6"])
def test_a_net_of_the_plane(count: int, tau: str) -> None:
    """A whole sphere of directions; what counts as learned gains tau^2 over zero's loss 1."""
    spectrum = ridge_spectrum(hermite(3), dimension=2)
    bound = sphere_bound(
        fluctuation=max(spectrum.eigenvalues[1:], key=float),
        mean=spectrum.eigenvalues[0],
        tolerance=tau,
    )
    problem, goal = SingleIndex(2, hermite(3)), 1 - float(tau) ** 2
    found = refute(
        net(count), problem, L2(float(tau)), loss=far, opt=goal, ratio=1.0, candidates=64
    )
    assert found.refuted or found.queries >= bound.bounds[0]


def of_whatever(instance: IndexInstance, found: Any) -> Mean:
    """The loss of a neuron, of a neuron with its score, or of one along a direction."""
    if isinstance(found, np.ndarray):
        found = ReluHypothesis(found, instance.target.bias)
    return scoring.loss(instance, getattr(found, "hypothesis", found))


BIASED: dict[str, tuple[int, float, int, str]] = {
    "five dimensions": (5, -1.0, 1, "0.125"),
    "eight dimensions": (8, -1.0, 2, "0.0472"),
    "forty dimensions": (40, -2.0, 3, "0.003"),
}
"""Dimension, bias, cutoff, tolerance: proved are 2.5, 4.4 and 46 queries."""


@pytest.mark.parametrize("family", BIASED)
@pytest.mark.parametrize(
    "name", [name for name, learner in LEARNERS.items() if learner.correlational]
)
def test_no_learner_of_the_zoo_beats_the_certificate(name: str, family: str) -> None:
    """Biased neurons without their low degrees: refuted, or as expensive as is proved."""
    dimension, bias, cutoff, tau = BIASED[family]
    certificate = csq_relu_bound(
        dimension=dimension, bias=bias, cutoff=cutoff, tolerance=tau, digits=10
    )
    null = float(certificate.quantities["null_loss"])
    told = ReluRegression(dimension, norm=1.0, bias=bias)
    instance = told.draw(corruptions=[LowDegreeRemoval(cutoff)], seed=3)
    start = np.random.default_rng(5).standard_normal(dimension)
    start /= np.linalg.norm(start)
    goal = null - float(tau) ** 2
    found = refute(
        lambda problem: LEARNERS[name].make(problem, start),
        instance,
        L2(float(tau)),
        opt=goal,
        ratio=1.0,
        loss=of_whatever,
    )
    won = not found.refuted and found.value is not None
    assert not won or certificate.permits(found.queries)
