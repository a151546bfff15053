"""Where in its window an answer falls.  This file does not know how means are found.

A policy is a plain function (window, rng) -> answer.  `apply` calls it and checks what it says,
so a user's own policy is as lawful as ours.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias, final

import numpy as np

from sqsim.errors import BadInput
from sqsim.lowrank import Array, LowRank
from sqsim.oracles.windows import Question, Window
from sqsim.seeds import Role
from sqsim.seeds import rng as seeded

__all__ = [
    "Policy",
    "Question",
    "Window",
    "apply",
    "exact",
    "grid",
    "policy_name",
    "toward",
    "toward_zero",
    "uniform",
    "worst_direction",
]

ULPS = 4
"""How far, in units in the last place, a policy's own rounding may leave the window."""
DENSE_EIGEN = 200
"""Up to this dimension the full eigendecomposition costs less than an iterative one."""


Policy: TypeAlias = Callable[[Window, np.random.Generator], "Array | LowRank"]


def exact(window: Window, rng: np.random.Generator) -> Array | LowRank:
    """The computed mean itself; a structured value stays structured."""
    return window.mean.value


def uniform(window: Window, rng: np.random.Generator) -> Array:
    """Independent uniform error in every entry; symmetric for matrices."""
    unit = rng.uniform(-1.0, 1.0, size=window.center.shape)
    return np.asarray(window.center + window.slack * (_mirrored(unit) if unit.ndim == 2 else unit))


def grid(window: Window, rng: np.random.Generator) -> Array:
    """The nearest multiple of 2 slack: a number written with few digits."""
    step = 2 * window.slack
    with np.errstate(all="ignore"):
        rounded = step * np.rint(window.center / step)
    # No step, or one so small that the quotient overflows: the grid is finer than floats are.
    return np.where(np.isfinite(rounded), rounded, window.center)


def toward_zero(window: Window, rng: np.random.Generator) -> Array:
    """Every entry moved toward 0 by its slack, not past 0."""
    return np.asarray(np.clip(0.0, window.low, window.high))


@final
@dataclass(frozen=True, eq=False)
class _Toward:
    reference: Any

    @property
    def name(self) -> str:
        if callable(self.reference):
            return f"toward({getattr(self.reference, '__name__', type(self.reference).__name__)})"
        shape = np.shape(self.reference)
        return f"toward(array of shape {shape})" if shape else f"toward({float(self.reference):g})"

    def __call__(self, window: Window, rng: np.random.Generator) -> Array:
        shape = window.center.shape
        target = self.reference(shape) if callable(self.reference) else self.reference
        target = np.asarray(target, dtype=np.float64)
        if target.shape not in ((), shape) or not np.isfinite(target).all():
            raise BadInput(
                f"the reference of {self.name} has shape {target.shape}; wanted a finite number "
                f"or finite numbers of shape {shape}"
            )
        return np.asarray(np.clip(target, window.low, window.high))


def toward(reference: float | Array | Callable[[tuple[int, ...]], Any]) -> Policy:
    """Every entry moved toward a reference as far as allowed, not past it.

    Parameters
    ----------
    reference : number, array of the answer's shape, or function of that shape
        For example what a null model would answer.
    """
    if callable(reference):
        return _Toward(reference)
    try:
        fixed = np.array(reference, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise BadInput(f"reference {reference!r} is not a number or an array of them") from error
    return _Toward(fixed)


def worst_direction(window: Window, rng: np.random.Generator) -> Array:
    """The whole slack along one direction, the same in every round.

    A scalar gets +slack and a vector slack_j s_j, with signs s that depend only on its length:
    errors of successive rounds add up instead of averaging out.  A matrix gets +/- slack_ij s_i
    s_j, s = sign(v + u), with v the leading eigenvector of the mean, u a fixed random direction
    and the sign that of v's eigenvalue: a rank-one change turns v most at about 45 degrees.  Where
    the slack outweighs the mean, s = sign(u) alone, which buries v and says nothing about it.
    """
    center, slack = window.center, window.slack
    if center.ndim == 0:
        return np.asarray(center + slack)
    # Vectors and matrices have signs of their own: a learner that starts along the error of one
    # would otherwise project out the error of the other.
    stream = seeded(center.ndim, Role.POLICY, len(center))
    signs = np.where(stream.random(len(center)) < 0.5, -1.0, 1.0)
    if center.ndim == 1:
        return np.asarray(center + slack * signs)
    start = signs / np.sqrt(len(signs))
    value = window.mean.value
    eigenvalue, vector = _leading(value if isinstance(value, LowRank) else center, start)
    if abs(eigenvalue) <= slack.sum() / len(slack):
        # The fixed direction alone outweighs the mean; aiming at it would tell where it points.
        return np.asarray(center + slack * np.outer(signs, signs))
    side = 1.0 if eigenvalue >= 0 else -1.0
    overlap = 1.0 if vector @ start >= 0 else -1.0
    spread = np.where(overlap * vector + start >= 0, 1.0, -1.0)
    return np.asarray(center + side * slack * np.outer(spread, spread))


def policy_name(policy: Policy) -> str:
    """What reports and messages call this policy."""
    for attribute in ("name", "__name__"):
        if isinstance(name := getattr(policy, attribute, None), str):
            return name
    inner = getattr(policy, "func", None)
    return type(policy).__name__ if inner is None else policy_name(inner)


def apply(policy: Policy, window: Window, rng: np.random.Generator) -> Array | LowRank:
    """The policy's answer, checked: shape, finite, symmetric for matrices, inside the window.

    An answer that its own rounding left outside is put on the edge, so that |answer - value| <=
    slack holds without exception; one that is further out raises BadInput.
    """
    value, name = window.mean.value, policy_name(policy)
    fixed = isinstance(value, np.ndarray) and not value.flags.writeable
    if not isinstance(value, LowRank) and not fixed:
        # Before the policy runs: it might change the mean in place.
        _ = window.low, window.high
    answer = policy(window, rng)
    if fixed and answer is value and np.isfinite(value).all():
        # A million parities: finding their windows would cost many times what the means did.
        return value
    if not isinstance(answer, LowRank):
        return _checked(answer, window, name)
    if answer is value:
        if not (np.isfinite(answer.core).all() and np.isfinite(answer.basis).all()):
            raise BadInput(f"policy {name}: the answer has entries that are not finite numbers")
        return answer
    full = answer.dense()
    inside = _checked(full, window, name)
    return answer if np.array_equal(inside, full) else inside


def _checked(answer: Any, window: Window, name: str) -> Array:
    low, high = window.low, window.high
    try:
        found = np.asarray(answer, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise BadInput(f"policy {name} answered {type(answer).__name__}: {error}") from error
    if found.shape != low.shape:
        raise BadInput(f"policy {name} answered shape {found.shape}; wanted {low.shape}")
    if not np.isfinite(found).all():
        where = _worst(np.where(np.isfinite(found), 0.0, 1.0))
        raise BadInput(f"policy {name}: entry {where} of the answer is not a finite number")
    leeway = ULPS * np.spacing(np.maximum(np.abs(low), np.abs(high)))
    outside = np.maximum(low - found, found - high) - leeway
    if (outside > 0).any():
        where = _worst(outside)
        raise BadInput(
            f"policy {name}: entry {where} of the answer is {found[where]:.17g}, outside its "
            f"window [{low[where]:.17g}, {high[where]:.17g}]; keep |answer - center| <= slack"
        )
    if found.ndim == 2 and not np.array_equal(found, found.T):
        apart = np.abs(found - found.T) - leeway
        if (apart > 0).any():
            raise BadInput(
                f"policy {name}: the answer is not symmetric at entry {_worst(apart)}; average it "
                "with its transpose"
            )
        found = _mirrored(found)
    return window.tolerance.settle(window.mean, np.asarray(np.clip(found, low, high)))


def _leading(value: Array | LowRank, start: Array) -> tuple[float, Array]:
    """Eigenvalue of largest size, and its unit eigenvector; zeros for the zero matrix."""
    if isinstance(value, LowRank):
        eigenvalue, inner = _leading(value.core, np.ones(len(value.core)))
        return eigenvalue, np.asarray(value.basis @ inner)
    if not np.any(value):
        return 0.0, np.zeros(len(value))
    if len(value) > DENSE_EIGEN:
        from scipy.sparse.linalg import ArpackError, eigsh

        try:
            values, vectors = eigsh(value, k=1, which="LM", v0=start)
            return float(values[0]), np.asarray(vectors[:, 0])
        except ArpackError:
            # Tied eigenvalues can keep the iteration from settling; the full one always ends.
            pass
    values, vectors = np.linalg.eigh(value)
    leading = int(np.argmax(np.abs(values)))
    return float(values[leading]), np.asarray(vectors[:, leading])


def _mirrored(matrix: Array) -> Array:
    """The upper triangle and its mirror image."""
    return np.asarray(np.triu(matrix) + np.triu(matrix, 1).T)


def _worst(badness: Array) -> tuple[int, ...]:
    """Index of the largest entry."""
    return tuple(int(i) for i in np.unravel_index(int(np.argmax(badness)), badness.shape))
