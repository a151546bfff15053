"""Theorems by which answers under one tolerance are lawful under another, with their reasons.

Each makes a lawful answer out of one answer or two, whatever the law of the examples is.  This
file does not know oracles or samples.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias, final

import numpy as np

from sqsim.bounded import RootStat, Stat, SupNorm, VStat, WeakVStat
from sqsim.errors import BadInput
from sqsim.lowrank import Array
from sqsim.tolerance import L2, Absolute, RootMeanSquare, Tolerance

Affine: TypeAlias = tuple[float, float]

_SAME: tuple[Affine, ...] = ((1.0, 0.0),)
_CENTRED: tuple[Affine, ...] = ((2.0, -1.0),)
_LIFTED: tuple[Affine, ...] = ((0.5, 0.5),)
_BOTH: tuple[Affine, ...] = ((1.0, 0.0), (-1.0, 1.0))
_UNIT = (0.0, 1.0)
_POSITIVE = (0.0, math.inf)
_ANY = (-math.inf, math.inf)


@final
@dataclass(frozen=True)
class Conversion:
    """How answers under `source` make a lawful answer to a query phi under `target`.

    Attributes
    ----------
    source, target : Tolerance
    theorem : str
        What is claimed and why, with its source.
    asked : tuple of (scale, shift)
        Of the source, scale phi + shift is asked for each of them, in one round.
    clip : (low, high)
        What the answer is clipped to.
    """

    source: Tolerance
    target: Tolerance
    theorem: str
    asked: tuple[Affine, ...] = _SAME
    clip: tuple[float, float] = _ANY

    def answer(self, *answers: float | Array) -> Array:
        """The answer to phi, from the answers to what is asked, entry by entry.

        Of two answers, to phi and to 1 - phi, the smaller one is used: both tolerances are finer
        near 0.
        """
        if len(answers) != len(self.asked):
            raise BadInput(f"{len(answers)} answers given, {len(self.asked)} queries are asked")
        found = [np.asarray(answer, dtype=np.float64) for answer in answers]
        for_phi = [(a - shift) / scale for a, (scale, shift) in zip(found, self.asked, strict=True)]
        value = for_phi[0]
        if len(found) == 2:
            value = np.where(found[0] <= found[1], *for_phi)
        return np.asarray(np.clip(value, *self.clip))


_Rule: TypeAlias = Callable[[Tolerance, float | None], Conversion]


def _stat_from_vstat(source: Tolerance, bound: float | None) -> Conversion:
    n = _count(source)
    why = "2 max(1/n, sqrt(p(1 - p)/n)) <= max(2/n, 1/sqrt n), p = E[(1 + phi)/2]"
    return Conversion(source, Stat(max(2 / n, 1 / math.sqrt(n))), why, _LIFTED)


def _stat_from_weak(source: Tolerance, bound: float | None) -> Conversion:
    n = _count(source)
    why = "2 max(1/n, sqrt(p/n)) <= 2 max(1/n, 1/sqrt n), p = E[(1 + phi)/2]"
    return Conversion(source, Stat(2 * max(1 / n, 1 / math.sqrt(n))), why, _LIFTED)


def _stat_from_root(source: Tolerance, bound: float | None) -> Conversion:
    tau = min(source.tau, 1.0)
    why = (
        "for v clipped to [0, 1] and p = E[(1 + phi)/2], |sqrt v - sqrt p| <= tau gives "
        "|v - p| <= 1 - (1 - tau)^2, and phi is twice as wide as (1 + phi)/2"
    )
    # Clipped to the range of phi, which is where v is in [0, 1].
    return Conversion(source, Stat(2 * tau * (2 - tau)), why, _LIFTED, (-1.0, 1.0))


def _counts_from_stat(target: type[VStat] | type[WeakVStat]) -> _Rule:
    def rule(source: Tolerance, bound: float | None) -> Conversion:
        why = "E[2 phi - 1] within tau is p within tau/2, and VSTAT(n) allows 1/n for every p"
        return Conversion(source, target(2 / source.tau), why, _CENTRED)

    return rule


def _root_from_stat(source: Tolerance, bound: float | None) -> Conversion:
    why = "|sqrt v - sqrt p| <= sqrt|v - p| for v, p >= 0, and E[2 phi - 1] within tau"
    return Conversion(source, RootStat(math.sqrt(source.tau / 2)), why, _CENTRED, _UNIT)


def _root_from_counts(source: Tolerance, bound: float | None) -> Conversion:
    why = (
        "Feldman 2017, Lemma 5.2: |v - p| <= max(1/n, sqrt(p/n)) gives |sqrt v - sqrt p| <= "
        "1/sqrt n for max(v, 0)"
    )
    return Conversion(source, RootStat(source.tau), why, _SAME, _POSITIVE)


def _weak_from_root(source: Tolerance, bound: float | None) -> Conversion:
    why = (
        "Feldman 2017, Lemma 5.2: |sqrt v - sqrt p| <= 1/(3 sqrt n) gives |v - p| <= "
        "2 sqrt(p)/(3 sqrt n) + 1/(9 n) <= max(1/n, sqrt(p/n))"
    )
    return Conversion(source, WeakVStat(1 / (9 * source.tau**2)), why)


def _vstat_from_root(source: Tolerance, bound: float | None) -> Conversion:
    why = (
        "derived here: with tau = 1/(4 sqrt n), the smaller of the answers to phi and 1 - phi "
        "belongs to a probability q <= 1/2, or sqrt q - sqrt(1 - q) <= 2 tau; in both cases "
        "2 tau sqrt q + tau^2 <= max(1/n, sqrt(q(1 - q)/n))"
    )
    return Conversion(source, VStat(1 / (16 * source.tau**2)), why, _BOTH)


def _weak_from_vstat(source: Tolerance, bound: float | None) -> Conversion:
    return Conversion(source, WeakVStat(_count(source)), "p(1 - p) <= p")


def _vstat_from_weak(source: Tolerance, bound: float | None) -> Conversion:
    return Conversion(source, VStat(_count(source) / 4), _PAIR, _BOTH)


_PAIR = (
    "derived here: the smaller of the answers to phi and 1 - phi belongs to a probability q with "
    "1 - q >= 1/4, where sqrt(q/n) <= 2 sqrt(q(1 - q)/n), or n <= 16/q, where sqrt(q/n) <= 4/n"
)


def _weak_from_norm(source: Tolerance, bound: float | None) -> Conversion:
    why = "E[phi^2] <= E[phi] for phi in [0, 1], so tau ||phi|| <= sqrt(p/n) with n = 1/tau^2"
    return Conversion(source, WeakVStat(1 / source.tau**2), why)


def _root_from_norm(source: Tolerance, bound: float | None) -> Conversion:
    why = "tau ||phi|| <= tau sqrt p, and |v - p| = |sqrt v - sqrt p| (sqrt v + sqrt p)"
    return Conversion(source, RootStat(source.tau), why, _SAME, _POSITIVE)


def _vstat_from_norm(source: Tolerance, bound: float | None) -> Conversion:
    why = f"tau ||phi|| <= tau sqrt p is WeakVStat(1/tau^2); {_PAIR}"
    return Conversion(source, VStat(1 / (4 * source.tau**2)), why, _BOTH)


def _unchanged(target: type[Stat] | type[SupNorm], why: str) -> _Rule:
    def rule(source: Tolerance, bound: float | None) -> Conversion:
        return Conversion(source, target(source.tau), why)

    return rule


def _l2_from_product(source: Tolerance, bound: float | None) -> Conversion:
    size = _needed(source, "L2", bound, "a bound on |y| (1 where only Statistics are asked)")
    why = "||y g|| <= bound ||g||; for a Statistic both norms are ||phi||"
    return Conversion(source, L2(source.tau * max(size, 1.0)), why)


def _divided(target: type[SupNorm] | type[Absolute]) -> _Rule:
    """From Stat, by asking phi / bound."""

    def rule(source: Tolerance, bound: float | None) -> Conversion:
        size = _needed(source, target.__name__, bound, "the sup of |phi|")
        tau = source.tau if target is SupNorm else source.tau * size
        why = "phi/bound has values in [-1, 1], and its mean within tau is E phi within tau bound"
        return Conversion(source, target(tau), why, ((1 / size, 0.0),))

    return rule


def _sup_from_absolute(source: Tolerance, bound: float | None) -> Conversion:
    size = _needed(source, "SupNorm", bound, "the sup of |phi|")
    return Conversion(source, SupNorm(source.tau / size), "tau = (tau/bound) bound")


def _absolute_from_sup(source: Tolerance, bound: float | None) -> Conversion:
    size = _needed(source, "Absolute", bound, "the sup of |phi|")
    return Conversion(source, Absolute(source.tau * size), "tau sup|phi| <= tau bound")


def _count(tolerance: Tolerance) -> float:
    assert isinstance(tolerance, VStat | WeakVStat)
    return tolerance.n


def _needed(source: Tolerance, target: str, bound: float | None, what: str) -> float:
    if bound is None:
        raise BadInput(f"from {source!r} to {target} depends on the query: give bound, {what}")
    return float(bound)


_IN_UNIT = "sup|phi| <= 1, and |g| <= 1 for a Correlation: tau sup <= tau"
_BY_SUP = "an L2 norm is at most the sup: tau ||g|| <= tau sup|g|, tau ||phi|| <= tau sup|phi|"
_LABELS = "for Statistics, and for labels in [-1, 1]: tau ||phi|| <= tau sup, ||y g|| <= sup|g|"
RULES: dict[tuple[type[Tolerance], type[Tolerance]], _Rule] = {
    (VStat, Stat): _stat_from_vstat,
    (WeakVStat, Stat): _stat_from_weak,
    (RootStat, Stat): _stat_from_root,
    (Stat, VStat): _counts_from_stat(VStat),
    (Stat, WeakVStat): _counts_from_stat(WeakVStat),
    (Stat, RootStat): _root_from_stat,
    (VStat, RootStat): _root_from_counts,
    (WeakVStat, RootStat): _root_from_counts,
    (RootStat, WeakVStat): _weak_from_root,
    (RootStat, VStat): _vstat_from_root,
    (VStat, WeakVStat): _weak_from_vstat,
    (WeakVStat, VStat): _vstat_from_weak,
    (L2, Stat): _unchanged(Stat, f"{_BY_SUP}; {_IN_UNIT}"),
    (L2, SupNorm): _unchanged(SupNorm, _BY_SUP),
    (L2, WeakVStat): _weak_from_norm,
    (L2, RootStat): _root_from_norm,
    (L2, VStat): _vstat_from_norm,
    (RootMeanSquare, Stat): _unchanged(Stat, "||phi|| <= sup|phi| <= 1"),
    (RootMeanSquare, SupNorm): _unchanged(SupNorm, _LABELS),
    (RootMeanSquare, WeakVStat): _weak_from_norm,
    (RootMeanSquare, RootStat): _root_from_norm,
    (RootMeanSquare, VStat): _vstat_from_norm,
    (RootMeanSquare, L2): _l2_from_product,
    (SupNorm, Stat): _unchanged(Stat, _IN_UNIT),
    (SupNorm, Absolute): _absolute_from_sup,
    (Stat, SupNorm): _divided(SupNorm),
    (Stat, Absolute): _divided(Absolute),
    (Absolute, Stat): _unchanged(Stat, "the same radius"),
    (Absolute, SupNorm): _sup_from_absolute,
}
