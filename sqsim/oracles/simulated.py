"""Oracles that compute the mean and answer somewhere in its window.

This file does not know who asks, and keeps no state: what an answer is depends on the batch, the
seed and the turn.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, is_dataclass
from functools import partial
from typing import Any, Generic, Protocol, final, runtime_checkable

import numpy as np

from sqsim.errors import BadInput, QueryRefused, ToleranceUnreachable
from sqsim.lowrank import Array, LowRank
from sqsim.oracles.instances import default_means, fingerprint
from sqsim.oracles.policies import Policy, Question, Window, apply, exact, policy_name
from sqsim.oracles.protocol import Means, Q_contra
from sqsim.oracles.ranges import check_entries, label_bound
from sqsim.problems.chunked import Chunked
from sqsim.queries import Batch, Correlation, Query
from sqsim.seeds import Role, Seed, rng
from sqsim.strategy import Answers
from sqsim.tolerance import Mean, Tolerance
from sqsim.truncation import guarded, inside


@runtime_checkable
class Advises(Protocol):
    """Means that can say what would bring an error below a radius."""

    def advice(self, error: float, radius: float) -> str:
        """What to do, as the end of a sentence."""
        ...


@final
@dataclass(frozen=True, eq=False)
class SimulatedOracle(Generic[Q_contra]):
    """Answers from an instance; made by `csq` and `sq`.

    Attributes
    ----------
    instance : the problem with its secret.
    tolerance : what a query that names no tolerance is answered within.
    policy : where in the window an answer falls.
    means : how means are computed.
    seed : of the policy and of the evaluator's samples, which have separate roles.
    correlational : whether only Correlations are answered.
    """

    instance: Any
    tolerance: Tolerance
    policy: Policy
    means: Means
    seed: Seed
    correlational: bool

    @property
    def dimension(self) -> int:
        """Dimension of the inputs."""
        return int(self.instance.problem.dimension)

    def answer(self, batch: Batch[Q_contra], turn: int) -> Answers:
        """One answer for each query; the same query object twice in a batch is answered once."""
        first: dict[int, int] = {}
        places = [first.setdefault(id(q), i) for i, q in enumerate(batch.queries)]
        asked = {i: batch.queries[i] for i in first.values()}
        tolerances = {i: self._granted(query) for i, query in asked.items()}
        means = self._means(list(asked.values()), list(tolerances.values()), turn)
        streams = rng(self.seed, Role.ORACLE, turn).spawn(len(places))
        answers: dict[int, Array | LowRank] = {}
        for (i, query), mean in zip(asked.items(), means, strict=True):
            self._check(query, mean, tolerances[i])
            mean = inside(mean, query)
            question = Question(query, batch.note, turn, self.seed, self.dimension)
            answers[i] = apply(self.policy, Window(mean, tolerances[i], question), streams[i])
        return tuple(answers[i] for i in places)

    def describe(self) -> dict[str, object]:
        """Header of transcripts: what was simulated, without the secret."""
        means = repr(self.means) if is_dataclass(self.means) else type(self.means).__name__
        return {
            "access": "CSQ" if self.correlational else "SQ",
            "dimension": self.dimension,
            "tolerance": repr(self.tolerance),
            "norm": self.tolerance.scale.value,
            "policy": policy_name(self.policy),
            "means": means,
            "seed": self.seed,
            "instance": fingerprint(self.instance),
            **({"table": self.instance.describe()} if isinstance(self.instance, Chunked) else {}),
        }

    def _granted(self, query: Query) -> Tolerance:
        """The tolerance this query is answered within, or a refusal."""
        if self.correlational and not isinstance(query, Correlation):
            raise QueryRefused(
                f"{type(query).__name__} {query.label!r} asked of a correlational oracle, which "
                "answers only Correlation(y g(x)); an oracle made by sq(...) would answer it"
            )
        tolerance = self.tolerance if query.tolerance is None else query.tolerance
        _check_tolerance(tolerance)
        if not self.tolerance.admits(tolerance):
            raise QueryRefused(
                f"query {query.label!r} asks for {tolerance!r} and the oracle grants "
                f"{self.tolerance!r}; ask for the same kind of tolerance, not finer"
            )
        check_entries(query, tolerance, self.instance)
        tolerance.check(query, partial(label_bound, self.instance))
        return tolerance.of(query)

    def _means(
        self, queries: Sequence[Query], tolerances: Sequence[Tolerance], turn: int
    ) -> list[Mean]:
        scales = [tolerance.scale for tolerance in tolerances]
        asked = [guarded(query) for query in queries]
        means = self.means.means(self.instance, asked, scales, seed=self.seed, turn=turn)
        if len(means) != len(queries):
            raise BadInput(
                f"{type(self.means).__name__} gave {len(means)} means for {len(queries)} queries"
            )
        return means

    def _check(self, query: Query, mean: Mean, tolerance: Tolerance) -> None:
        """Whether the evaluator did its work: shape, finite, and error within the radius."""
        who = f"{type(self.means).__name__} on query {query.label!r}"
        if not isinstance(mean, Mean):
            raise BadInput(f"{who}: answered {type(mean).__name__}; wanted Mean(value, error)")
        shape, value = query.shape(self.dimension), mean.value
        if np.shape(value) != shape:
            raise BadInput(f"{who}: a mean of shape {np.shape(value)}; wanted {shape}")
        parts = (value.basis, value.core) if isinstance(value, LowRank) else (value,)
        if not all(np.isfinite(part).all() for part in parts):
            raise BadInput(
                f"{who}: the mean is not a finite number; check the query's function and that "
                "its mean exists"
            )
        if np.any(np.asarray(mean.error) < 0):
            raise BadInput(f"{who}: an error of {np.min(mean.error):.3g}; errors are >= 0")
        if (
            len(shape) == 2
            and not isinstance(value, LowRank)
            and not np.array_equal(value, value.T)
        ):
            raise BadInput(f"{who}: a matrix mean that is not symmetric")
        if float(np.max(mean.error)) <= tolerance.smallest_radius(mean):
            return
        radius = np.broadcast_to(tolerance.radius(mean), shape)
        error = np.broadcast_to(np.asarray(mean.error, dtype=np.float64), shape)
        # Written so that a NaN is out of reach too.
        missed = ~(error <= radius)
        if missed.any():
            with np.errstate(divide="ignore", invalid="ignore"):
                ratio = np.where(missed, np.nan_to_num(error / radius, nan=np.inf), 0.0)
            worst = np.unravel_index(int(np.argmax(ratio)), shape)
            e, r = float(error[worst]), float(radius[worst])
            raise ToleranceUnreachable(
                f"{who}: error {e:.2g} exceeds radius {r:.2g} of {tolerance!r}; "
                f"{self._advice(e, r, tolerance)}"
            )

    def _advice(self, error: float, radius: float, tolerance: Tolerance) -> str:
        if not radius > 0 and np.isfinite(error):
            return "no tolerance reaches it, since the norm of the query vanishes or is unknown"
        if isinstance(self.means, Advises):
            return self.means.advice(error, radius)
        coarser = tolerance.tau * error / radius
        return f"use a tolerance of at least {coarser:.2g} or a more exact way to compute means"


def csq(
    instance: Any,
    *,
    tolerance: Tolerance,
    policy: Policy = exact,
    means: Means | None = None,
    seed: Seed = 0,
) -> SimulatedOracle[Correlation]:
    """Correlational oracle: answers E[y g(x)] within the tolerance, refuses all else.

    Parameters
    ----------
    instance : Instance or Dataset
        A problem together with its secret, or a table.
    tolerance : Tolerance
        Such as L2(0.01) or Absolute(0.01).
    policy : Policy
        Where in the window an answer falls.
    means : Means, optional
        How means are computed: Quadrature() for Gaussian inputs, Enumerate() for functions on the
        cube and Sample() for a Dataset unless given.
    seed : int
        Of the policy and of samples.
    """
    return SimulatedOracle(*_parts(instance, tolerance, policy, means, seed), correlational=True)


def sq(
    instance: Any,
    *,
    tolerance: Tolerance,
    policy: Policy = exact,
    means: Means | None = None,
    seed: Seed = 0,
) -> SimulatedOracle[Query]:
    """Statistical-query oracle: answers E[phi(x, y)] within the tolerance.

    The parameters are those of `csq`.
    """
    return SimulatedOracle(*_parts(instance, tolerance, policy, means, seed), correlational=False)


def _parts(
    instance: Any, tolerance: Tolerance, policy: Policy, means: Means | None, seed: Seed
) -> tuple[Any, Tolerance, Policy, Means, Seed]:
    if not hasattr(instance, "problem"):
        raise BadInput(
            f"an oracle is made of an instance or a Dataset, not {type(instance).__name__}"
        )
    _check_tolerance(tolerance)
    if not callable(policy):
        raise BadInput(f"policy is {policy!r}; wanted a function such as exact or toward_zero")
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
        raise BadInput(f"seed is {seed!r}; wanted a non-negative integer")
    if isinstance(means, type):
        raise BadInput(
            f"means is the class {means.__name__}; make one, as in {means.__name__}(...)"
        )
    chosen = default_means(instance) if means is None else means
    return instance, tolerance, policy, chosen, int(seed)


def _check_tolerance(tolerance: Any) -> None:
    if not isinstance(tolerance, Tolerance):
        number = tolerance if isinstance(tolerance, int | float) else 0.01
        raise BadInput(
            f"tolerance is {tolerance!r}, which does not say in which norm; wanted for example "
            f"L2({number}) or Absolute({number})"
        )
