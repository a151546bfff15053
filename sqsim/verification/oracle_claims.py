"""Entries on oracles: which answers serve which."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np

from sqsim.bounded import RootStat, Stat, VStat, WeakVStat
from sqsim.characters import Characters
from sqsim.oracles.simulated import csq
from sqsim.oracles.tolerance_conversions import convert
from sqsim.problems.parity import SparseParity
from sqsim.queries import Batch, Correlation
from sqsim.tolerance import Mean, Unperturbed
from sqsim.verification.conditions import exactly, joined, near, rounded
from sqsim.verification.entry import Entry, Finding

FELDMAN = "Feldman (2017)"
N = 100
GRID = np.linspace(0.0, 1.0, 20_001)


def _root_error(constant: Fraction) -> Finding:
    """The largest sqrt(n) |sqrt v - sqrt p| over lawful v of VSTAT(n)."""
    radius = VStat(N).radius(Mean(GRID, 0.0))
    ends = (np.sqrt(np.maximum(GRID + sign * radius, 0.0)) for sign in (-1, 1))
    worst = math.sqrt(N) * max(float(np.abs(end - np.sqrt(GRID)).max()) for end in ends)
    promised = convert(VStat(N), to=RootStat).target
    return joined(rounded(constant, worst, digits=6), near(promised.tau * math.sqrt(N), worst))


def _share_of_window(tolerance: VStat | WeakVStat, tau: float) -> float:
    """The largest |v - p| over lawful v of vSTAT(tau), in units of this tolerance's window."""
    mean = Mean(GRID, 0.0)
    below, above = RootStat(tau).reach(mean)
    # An answer above 1 would be clipped.
    reach = np.maximum(below, np.minimum(above, 1 - GRID))
    return float((reach / tolerance.radius(mean)).max())


def _counts_from_root(constant: Fraction) -> Finding:
    """At p = 1: (2 tau - tau^2) n with tau = 1 / (3 sqrt n), n = 100."""
    tau = Fraction(1, 30)
    exact = (2 * tau - tau * tau) * N
    return joined(exactly(constant, exact), near(_share_of_window(VStat(N), 1 / 30), float(exact)))


def _weak_counts_from_root(constant: Fraction) -> Finding:
    """At p = 1/n: 2 tau / sqrt n + tau^2 = 7 / (9 n)."""
    exact = Fraction(2, 3) + Fraction(1, 9)
    found = _share_of_window(WeakVStat(N), 1 / 30)
    served = convert(RootStat(1 / 30), to=WeakVStat).target
    return joined(
        exactly(constant, exact),
        near(found, float(exact)),
        isinstance(served, WeakVStat) and near(served.n, N),
    )


def _stat_from_counts(constant: Fraction) -> Finding:
    """sqrt n times the largest window of E phi, phi in [-1, 1], which is asked as (1 + phi) / 2."""
    widest = 2 * float(VStat(N).radius(Mean(GRID, 0.0)).max())
    promised = convert(VStat(N), to=Stat).target.tau
    return joined(rounded(constant, math.sqrt(N) * widest, digits=6), near(promised, widest))


def _finest_window(constant: Fraction) -> Finding:
    finest = float(VStat(N).radius(Mean(GRID, 0.0)).min())
    return rounded(constant, N * finest, digits=6)


def _flipped(constant: Fraction) -> Finding:
    """E[y chi_S] of a parity whose labels are flipped with probability 1/10."""
    instance = SparseParity(6, 3, noise="0.1").draw(seed=1)
    clean = SparseParity(6, 3).draw(seed=1)
    query = Correlation(Characters.of([instance.subset]))
    found = [
        float(csq(one, tolerance=Unperturbed()).answer(Batch((query,)), 0)[0][0])
        for one in (instance, clean)
    ]
    return rounded(constant, found[0] / found[1], digits=6)


ORACLE_CLAIMS: tuple[Entry, ...] = (
    Entry(
        "feldman.lemma-5.2-roots",
        "VSTAT(1 / tau^2) answers vSTAT(1 tau), and no smaller multiple",
        f"{FELDMAN}, Lemma 5.2",
        "largest difference of roots over a grid of p; the library's conversion",
        "1",
        _root_error,
    ),
    Entry(
        "feldman.lemma-5.2-counts",
        "vSTAT(1 / (3 sqrt n)) answers VSTAT(n): no answer beyond 1 window of sqrt(p(1 - p)/n)",
        f"{FELDMAN}, Lemma 5.2, as quoted; computed here: at p = 1 and n = 100, 59/9 windows",
        "exact error at p = 1; the library's two windows over a grid of p",
        "1",
        _counts_from_root,
        truth="59/9",
        repaired=False,
    ),
    Entry(
        "feldman.lemma-5.2-weak-counts",
        "vSTAT(1 / (3 sqrt n)) answers the form with sqrt(p/n): 7/9 of its window at most",
        f"{FELDMAN}, Lemma 5.2; the share is computed here",
        "exact error at p = 1/n; the library's two windows over a grid of p",
        "7/9",
        _weak_counts_from_root,
    ),
    Entry(
        "feldman.vstat-to-stat",
        "VSTAT(n) answers STAT(1 / sqrt n)",
        FELDMAN,
        "widest window over a grid of p at n = 100; the library's conversion",
        "1",
        _stat_from_counts,
    ),
    Entry(
        "feldman.vstat-finest",
        "no window of VSTAT(n) is finer than 1 / n",
        FELDMAN,
        "narrowest window over a grid of p at n = 100",
        "1",
        _finest_window,
    ),
    Entry(
        "kearns.noise",
        "labels flipped with probability 1/10 have E[y h] scaled by 0.8",
        "Kearns (1998), random classification noise",
        "exact parity coefficient with noise over that without",
        "0.8",
        _flipped,
    ),
)
