"""Which tolerance answers which: the table of theorems, looked up.

This file does not know oracles or samples.
"""

from __future__ import annotations

from sqsim.errors import BadInput
from sqsim.oracles.tolerance_theorems import RULES, Conversion
from sqsim.tolerance import Tolerance, positive

__all__ = ["Conversion", "convert"]


def convert(tolerance: Tolerance, *, to: type[Tolerance], bound: float | None = None) -> Conversion:
    """The finest tolerance of another kind that a theorem promises from this one.

    With p = E phi, and phi in [-1, 1] for Stat, in [0, 1] for VStat(n), WeakVStat(n) and
    RootStat(tau):

    - VStat(n) answers Stat(max(2/n, 1/sqrt n)), WeakVStat(n) Stat(2 max(1/n, 1/sqrt n)).
    - Stat(tau) answers VStat(2/tau) and WeakVStat(2/tau), and RootStat(sqrt(tau/2)).
    - VStat(n) and WeakVStat(n) answer RootStat(1/sqrt n) [Feldman 2017, Lemma 5.2].
    - RootStat(tau) answers WeakVStat(1/(9 tau^2)) [Feldman 2017, Lemma 5.2], and from two queries,
      phi and 1 - phi, VStat(1/(16 tau^2)).  From one query no multiple of 1/tau^2 holds: near
      p = 1 the window of VStat(n) has half-width 1/n and that of RootStat(tau) 2 tau.
    - RootStat(tau) answers Stat(4 tau - 2 tau^2), tau <= 1.
    - WeakVStat(n) answers from phi and 1 - phi VStat(n/4); VStat(n) answers WeakVStat(n).
    - L2(tau) and RootMeanSquare(tau) answer Stat(tau), SupNorm(tau), WeakVStat(1/tau^2),
      RootStat(tau) and, from two queries, VStat(1/(4 tau^2)).  No way leads back: their radius
      goes to 0 with the norm of the query.
    - SupNorm, Stat and Absolute answer each other, for queries whose sup is `bound`.

    Numbers are rounded to nearest.

    Parameters
    ----------
    tolerance : Tolerance
    to : class
        Kind of tolerance that is wanted.
    bound : float, optional
        The sup of |phi| for the conversions between Stat, SupNorm and Absolute; a bound on |y|,
        for Correlations, from RootMeanSquare to L2.

    Raises
    ------
    BadInput
        Where no theorem leads from one kind to the other, and where it needs `bound`.
    """
    if not isinstance(tolerance, Tolerance) or not isinstance(to, type):
        raise BadInput(
            f"convert({tolerance!r}, to={to!r}): wanted a tolerance and a kind, such as "
            "convert(VStat(100), to=Stat)"
        )
    if bound is not None:
        positive(bound, "bound")
    if type(tolerance) is to:
        return Conversion(tolerance, tolerance, "the same tolerance")
    rule = RULES.get((type(tolerance), to))
    if rule is None:
        kinds = sorted(target.__name__ for source, target in RULES if source is type(tolerance))
        known = ", ".join(kinds) if kinds else "nothing"
        raise BadInput(
            f"no theorem makes answers under {to.__name__} from {tolerance!r} for every query; "
            f"known from {type(tolerance).__name__}: {known}"
        )
    return rule(tolerance, bound)
