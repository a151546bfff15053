"""Adaptive Gauss-Kronrod integration of many one-dimensional integrals at once.

Each row is one integral with its own knots; all panels of all rows are evaluated in one call of
the integrand, and only panels that have not converged are halved.  This file does not know
Gaussians, queries or labels.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias, final

import numpy as np

from sqsim.lowrank import Array

# QUADPACK's 10-point Gauss and 21-point Kronrod rule on [-1, 1]; tests/test_panels.py checks it.
_NODES = np.array(
    [
        0.995657163025808080735527280689003,
        0.973906528517171720077964012084452,
        0.930157491355708226001207180059508,
        0.865063366688984510732096688423493,
        0.780817726586416897063717578345042,
        0.679409568299024406234327365114874,
        0.562757134668604683339000099272694,
        0.433395394129247190799265943165784,
        0.294392862701460198131126603103866,
        0.148874338981631210884826001129720,
    ]
)
_KRONROD = np.array(
    [
        0.011694638867371874278064396062192,
        0.032558162307964727478818972459390,
        0.054755896574351996031381300244580,
        0.075039674810919952767043140916190,
        0.093125454583697605535065465083366,
        0.109387158802297641899210590325805,
        0.123491976262065851077958109585166,
        0.134709217311473325928054001771707,
        0.142775938577060080797094273138717,
        0.147739104901338491374841515972068,
        0.149445554002916905664936468389821,
    ]
)
_GAUSS = np.array(
    [
        0.066671344308688137593568809893332,
        0.149451349150580593145863396957698,
        0.219086362515982043995534934228163,
        0.269266719309996355091226921569469,
        0.295524224714752870173815619188769,
    ]
)
NODES = np.concatenate([-_NODES, [0.0], _NODES[::-1]])
KRONROD = np.concatenate([_KRONROD, _KRONROD[-2::-1]])
GAUSS = np.zeros(21)
GAUSS[1:10:2] = _GAUSS
GAUSS[11:20:2] = _GAUSS[::-1]


def _extrapolation() -> Array:
    """(21, 2) weights that carry values at the nodes to -1 and 1: barycentric Lagrange."""
    gaps = NODES[:, None] - NODES
    np.fill_diagonal(gaps, 1.0)
    weights = 1 / gaps.prod(axis=1)
    parts = weights[:, None] / (np.array([-1.0, 1.0]) - NODES[:, None])
    return np.asarray(parts / parts.sum(axis=0))


_TO_ENDS = _extrapolation()
_END_GAP = 1.0 - float(_NODES[0])

ROUNDING = 2e-15
"""Relative rounding error charged to every sum of magnitudes: a few units in the last place."""

CONVERGED = 1e-14
"""Truncation error of a panel, relative to its row, that means are computed to."""

SURPRISING = 100
"""Times `converged`: the same for the ends of a panel, which no node sees."""

MOST_HALVINGS = 40

PANELS_A_ROW, PANELS_A_CALL = 128, 4096
"""Panels after which a call stops halving and confesses: a noisy integrand never converges."""


@final
@dataclass(frozen=True, eq=False)
class Samples:
    """Values of an integrand of C components at n points.

    Attributes
    ----------
    values : (C, n).
    magnitudes : (C, n)
        Size of the largest intermediate number behind each value, for the rounding error;
        |values| where nothing cancelled.
    errors : (C, n)
        Truncation error that the values already carry, for instance from an inner integral.
    """

    values: Array
    magnitudes: Array
    errors: Array | None = None


Integrand: TypeAlias = Callable[[np.ndarray, Array], Samples]


@final
@dataclass(frozen=True, eq=False)
class Integrals:
    """Results, each of shape (C, rows): values, bounds on their error, integrals of magnitudes."""

    values: Array
    errors: Array
    magnitudes: Array


def integrate(integrand: Integrand, knots: Array, *, converged: float = CONVERGED) -> Integrals:
    """Integrate every row between its first and last knot.

    Parameters
    ----------
    integrand : function
        Called with row numbers (n,) and points (n,); returns Samples.
    knots : (rows, K) array, ascending along each row
        Panel ends; equal neighbours make an empty panel.
    converged : float
        A panel is halved while its truncation error exceeds this part of its row's magnitude.

    Returns
    -------
    Integrals
        The error is QUADPACK's estimate for each panel, plus the rounding of the sums.
    """
    count = len(knots)
    low, high = knots[:, :-1].ravel(), knots[:, 1:].ravel()
    row = np.repeat(np.arange(count), knots.shape[1] - 1)
    # Half of a subnormal width is 0.
    wide = high - low > 4 * np.finfo(np.float64).tiny
    low, high, row = low[wide], high[wide], row[wide]
    values: Array | None = None
    left = PANELS_A_CALL + PANELS_A_ROW * count
    for halving in range(MOST_HALVINGS + 1):
        panel = _panels(integrand, row, low, high)
        left -= len(row)
        if values is None:
            values, errors, magnitudes = (np.zeros((len(panel[0]), count)) for _ in range(3))
            sizes = magnitudes
        # Halving may find what no node of the first panels saw.
        sizes = np.maximum(sizes, magnitudes + _by_row(panel[2], row, count))
        narrow = (high - low) <= 1e-13 * np.maximum(np.abs(low), np.abs(high))
        # Truncation below the noise that the panel's values carry cannot be improved by halving.
        bound = np.maximum(converged * sizes[:, row], 10 * ROUNDING * panel[2])
        done = (panel[1] <= np.maximum(bound, panel[3])).all(axis=0)
        surprised = panel[4] > np.maximum(SURPRISING * converged * sizes[:, row], panel[3])
        done &= ~surprised.any(axis=0)
        done |= narrow
        done |= halving == MOST_HALVINGS or left < 2 * np.count_nonzero(~done)
        for total, part in zip((values, errors, magnitudes), panel[:3], strict=True):
            total += _by_row(part[:, done], row[done], count)
        inherited = panel[3] + np.where(surprised, panel[4], 0.0)
        errors += _by_row(inherited[:, done], row[done], count)
        if done.all():
            break
        middle = (low + high)[~done] / 2
        low, high = np.append(low[~done], middle), np.append(middle, high[~done])
        row = np.tile(row[~done], 2)
    assert values is not None
    return Integrals(values, errors + ROUNDING * magnitudes, magnitudes)


def _panels(integrand: Integrand, row: np.ndarray, low: Array, high: Array) -> tuple[Array, ...]:
    """Value, truncation error, magnitude, inherited error, error at the ends, all (C, panels)."""
    half, middle = (high - low) / 2, (high + low) / 2
    points = np.empty((len(row), 23))
    points[:, 1:-1] = middle[:, None] + half[:, None] * NODES
    # Just inside: a kink at the very end belongs to the neighbour.
    inset = np.minimum(1e-9 * half + 4e-15 * np.abs(middle), half)
    points[:, 0], points[:, -1] = low + inset, high - inset
    samples = integrand(np.repeat(row, 23), points.ravel())
    every = samples.values.reshape(-1, len(row), 23)
    values = every[:, :, 1:-1]
    kronrod = values @ KRONROD * half
    difference = np.abs(values @ (KRONROD - GAUSS)) * half
    spread = np.abs(values - (kronrod / (2 * half))[:, :, None]) @ KRONROD * half
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(spread > 0, 200 * difference / spread, 0.0)
    truncation = np.where(spread > 0, spread * np.minimum(1.0, ratio**1.5), difference)
    # No node lies in the last 0.2% of a panel: an undeclared kink there shows only at the end.
    surprise = np.abs(values @ _TO_ENDS - every[:, :, ::22]).sum(axis=2) * (_END_GAP * half)
    magnitudes = samples.magnitudes.reshape(every.shape)[:, :, 1:-1] @ KRONROD * half
    if samples.errors is None:
        return kronrod, truncation, magnitudes, np.zeros_like(kronrod), surprise
    inherited = samples.errors.reshape(every.shape)[:, :, 1:-1] @ KRONROD * half
    return kronrod, truncation, magnitudes, inherited, surprise


def _by_row(parts: Array, row: np.ndarray, count: int) -> Array:
    """Sum panels into their rows, (C, panels) -> (C, rows)."""
    if count == 1:
        return np.asarray(parts.sum(axis=1, keepdims=True))
    return np.stack([np.bincount(row, weights=part, minlength=count) for part in parts])
