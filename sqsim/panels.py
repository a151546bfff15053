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

ROUNDING = 2e-15
"""Relative rounding error charged to every sum of magnitudes: a few units in the last place."""

CONVERGED = 1e-14
"""A panel is halved while its truncation error exceeds this part of its row's magnitude."""

MOST_HALVINGS = 40


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


def integrate(integrand: Integrand, knots: Array) -> Integrals:
    """Integrate every row between its first and last knot.

    Parameters
    ----------
    integrand : function
        Called with row numbers (n,) and points (n,); returns Samples.
    knots : (rows, K) array, ascending along each row
        Panel ends; equal neighbours make an empty panel.

    Returns
    -------
    Integrals
        The error is QUADPACK's estimate for each panel, plus the rounding of the sums.
    """
    count = len(knots)
    low, high = knots[:, :-1].ravel(), knots[:, 1:].ravel()
    row = np.repeat(np.arange(count), knots.shape[1] - 1)
    wide = high > low
    low, high, row = low[wide], high[wide], row[wide]
    values: Array | None = None
    for halving in range(MOST_HALVINGS + 1):
        panel = _panels(integrand, row, low, high)
        if values is None:
            values, errors, magnitudes = (np.zeros((len(panel[0]), count)) for _ in range(3))
            sizes = _by_row(panel[2], row, count)
        narrow = (high - low) <= 1e-13 * np.maximum(np.abs(low), np.abs(high))
        # Truncation below the rounding noise of its own panel cannot be improved by halving.
        bound = np.maximum(CONVERGED * sizes[:, row], 10 * ROUNDING * panel[2])
        done = (panel[1] <= bound).all(axis=0) | narrow | (halving == MOST_HALVINGS)
        for total, part in zip((values, errors, magnitudes), panel[:3], strict=True):
            total += _by_row(part[:, done], row[done], count)
        errors += _by_row(panel[3][:, done], row[done], count)
        if done.all():
            break
        middle = (low + high)[~done] / 2
        low, high = np.append(low[~done], middle), np.append(middle, high[~done])
        row = np.tile(row[~done], 2)
    assert values is not None
    return Integrals(values, errors + ROUNDING * magnitudes, magnitudes)


def _panels(
    integrand: Integrand, row: np.ndarray, low: Array, high: Array
) -> tuple[Array, Array, Array, Array]:
    """Kronrod value, truncation error, magnitude and inherited error of each panel, (C, panels)."""
    half, middle = (high - low) / 2, (high + low) / 2
    points = middle[:, None] + half[:, None] * NODES
    samples = integrand(np.repeat(row, 21), points.ravel())
    values = samples.values.reshape(-1, len(row), 21)
    kronrod = values @ KRONROD * half
    difference = np.abs(values @ (KRONROD - GAUSS)) * half
    spread = np.abs(values - (kronrod / (2 * half))[:, :, None]) @ KRONROD * half
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(spread > 0, 200 * difference / spread, 0.0)
    truncation = np.where(spread > 0, spread * np.minimum(1.0, ratio**1.5), difference)
    magnitudes = samples.magnitudes.reshape(values.shape) @ KRONROD * half
    if samples.errors is None:
        return kronrod, truncation, magnitudes, np.zeros_like(kronrod)
    return kronrod, truncation, magnitudes, samples.errors.reshape(values.shape) @ KRONROD * half


def _by_row(parts: Array, row: np.ndarray, count: int) -> Array:
    """Sum panels into their rows, (C, panels) -> (C, rows)."""
    if count == 1:
        return np.asarray(parts.sum(axis=1, keepdims=True))
    return np.stack([np.bincount(row, weights=part, minlength=count) for part in parts])
