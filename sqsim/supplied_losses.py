"""A loss of the user's own: held on a grid to convexity, monotonicity and its two constants.

This file does not know examples, nor who learns.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from sqsim.errors import BadInput
from sqsim.losses import Loss
from sqsim.lowrank import Array

GRID = 65
LEEWAY = 1e-9


@final
@dataclass(frozen=True)
class SuppliedLoss(Loss):
    """A loss of one's own; `supplied_loss` makes one and checks it."""

    function: Callable[[Array, Array], Array]
    derivative: Callable[[Array, Array], Array]
    steepest: float
    largest: float
    falls_toward_label: bool

    @property
    def lipschitz(self) -> float:
        return self.steepest

    @property
    def bound(self) -> float:
        return self.largest

    @property
    def monotone(self) -> bool:
        return self.falls_toward_label

    def value(self, guess: Array, label: Array) -> Array:
        return np.asarray(self.function(guess, label), float)

    def slope(self, guess: Array, label: Array) -> Array:
        return np.asarray(self.derivative(guess, label), float)


def supplied_loss(
    function: Callable[[Array, Array], Array],
    derivative: Callable[[Array, Array], Array],
    *,
    lipschitz: float,
    bound: float,
    monotone: bool = True,
) -> SuppliedLoss:
    """A loss of one's own, checked on a grid of 65 x 65 guesses and labels.

    Parameters
    ----------
    function, derivative : (guesses, labels) -> array
        Vectorised; the derivative (any subgradient) is in the guess.
    lipschitz, bound : float
        L and b.
    monotone : bool
        False where y need not minimise l(., y); then nothing may be clipped.

    Raises
    ------
    BadInput
        Where a value is not finite, the loss is not convex or the derivative is not its own, it
        is not monotone although that is claimed, or a constant is too small: with the place.
    """
    loss = SuppliedLoss(function, derivative, lipschitz, bound, monotone)
    _check(loss)
    return loss


def _check(loss: SuppliedLoss) -> None:
    """Neighbours a < b on the grid: slope(a) (b - a) <= l(b) - l(a) <= slope(b) (b - a)."""
    for name in ("lipschitz", "bound"):
        number = getattr(loss, name)
        if isinstance(number, bool) or not 0 < number < math.inf:
            raise BadInput(f"{name} is {number!r}; wanted a finite number > 0")
    points = np.linspace(0.0, 1.0, GRID)
    guess, label = np.meshgrid(points, points, indexing="ij")
    value, slope = loss.value(guess, label), loss.slope(guess, label)
    for what, array in (("value", value), ("derivative", slope)):
        if array.shape != guess.shape:
            raise BadInput(
                f"the loss's {what} has shape {array.shape} on guesses and labels of shape "
                f"{guess.shape}; write it for whole arrays"
            )
        _refuse(~np.isfinite(array), f"has a {what} that is not finite", "define it on all of")
    room = LEEWAY * max(1.0, loss.bound, loss.lipschitz)
    rise = np.diff(value, axis=0)
    step = np.diff(points)[:, None]
    broken = (rise < step * slope[:-1] - room) | (rise > step * slope[1:] + room)
    _refuse(
        broken,
        "is not convex in the guess, or its derivative is not its own,",
        "convexity is assumed by every guarantee here; supply a convex loss on",
    )
    _refuse(np.abs(value) > loss.bound + room, f"exceeds its bound {loss.bound:g}", "bound it on")
    _refuse(
        np.abs(slope) > loss.lipschitz + room,
        f"is steeper than its Lipschitz constant {loss.lipschitz:g}",
        "give one for all of",
    )
    if loss.monotone:
        toward = np.where(guess[:-1] < label[:-1], rise, -rise)
        _refuse(
            toward > room,
            "is not monotone: it grows on the way to the label",
            "clipping assumes a monotone loss; say monotone=False, or let y minimise l(., y) on",
        )


def _refuse(broken: NDArray[np.bool_], what: str, wanted: str) -> None:
    if broken.any():
        i, j = (int(k) for k in np.argwhere(broken)[0])
        size = GRID - 1
        raise BadInput(
            f"the loss {what} at guess {i / size:.3g} and label {j / size:.3g}; {wanted} [0, 1]"
        )
