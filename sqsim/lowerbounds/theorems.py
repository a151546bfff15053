"""Counting theorems: from correlations to a number of queries, one function for each.

Setting of all: a family of functions f_1, ..., f_N (or densities D_v / D_0 - 1), an oracle that
answers E[f_i h] within tau ||h||, and an adversary that gives every query the same answer
whichever i is hidden.  A query rules out the i whose mean is further than tau ||h|| from it; the
learner's output is good for few i as well, since E[f_i h] >= margin ||h|| > 0 is needed.  Between
these two counts stands the number of queries.  Nothing here knows where correlations come from.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias, final

from flint import arb

from sqsim.errors import BadInput
from sqsim.lowerbounds.precision import (
    Enclosure,
    Exact,
    ball,
    bits_for,
    enclose,
    enclose_between,
    exact_fraction,
    shown,
    working_bits,
)
from sqsim.lowerbounds.quantities import Estimate, Quantity, Rational

Input: TypeAlias = Exact | Quantity
"""A number as a theorem takes it: exact, proved, or an estimate (and then the bound is one)."""


@final
@dataclass(frozen=True)
class VstatBound:
    """At least `queries` queries to VSTAT(`samples`)."""

    queries: Quantity
    samples: Quantity


def pairwise_bound(
    *,
    count: Input,
    norm: Input,
    correlation: Input,
    tolerance: Exact,
    margin: Input | None = None,
    digits: int = 30,
) -> Quantity:
    """C1: ||f_i||^2 <= norm and |E f_i f_j| <= correlation < tolerance^2 for i != j.

    The f_i that a unit query h correlates with by more than tau > 0 are fewer than
    (beta - gamma) / (tau^2 - gamma), by the Cauchy-Schwarz inequality for h and their sum; the
    same holds below -tau.  An output h with E[f_i h] >= s ||h||, s = margin, serves at most
    (beta - gamma) / (s^2 - gamma) of them.  Hence
    q >= (N - (beta - gamma) / (s^2 - gamma)) (tau^2 - gamma) / (2 (beta - gamma)).

    Szorenyi (2009); Damian, Lee and Soltanolkotabi (2022), Lemma 5.

    Parameters
    ----------
    margin : s; the tolerance unless given.
    """
    tau = _tolerance(tolerance)

    def value(n: Fraction, beta: Fraction, gamma: Fraction, s: Fraction) -> Fraction:
        if not 0 <= gamma < tau * tau < beta or not gamma < s * s <= beta or s <= 0:
            raise BadInput(
                f"correlation {shown(gamma)}, tolerance^2 {shown(tau * tau)}, margin^2 "
                f"{shown(s * s)}, norm {shown(beta)}: the theorem needs correlation < "
                "tolerance^2 < norm and correlation < margin^2 <= norm, none of them negative"
            )
        return (n - (beta - gamma) / (s * s - gamma)) * (tau * tau - gamma) / (2 * (beta - gamma))

    # Falls in beta and gamma, grows in N and s.
    return _monotone(
        value, (count, norm, correlation, tau if margin is None else margin), "+--+", digits
    )


def spectral_bound(
    *,
    count: Input,
    eigenvalue: Input,
    tolerance: Exact,
    margin: Input | None = None,
    digits: int = 30,
) -> Quantity:
    """C2: the Gram matrix E[f_i f_j] has no eigenvalue above `eigenvalue`.

    sum_i E[f_i h]^2 <= lambda ||h||^2, so a query rules out fewer than lambda / tau^2 and an
    output serves at most lambda / s^2: q >= N tau^2 / lambda - tau^2 / s^2.  Bessel's inequality
    where the family is orthogonal.

    Parameters
    ----------
    margin : s; the tolerance unless given, and then q >= N tau^2 / lambda - 1.
    """
    tau = _tolerance(tolerance)

    def value(n: Fraction, eigen: Fraction, s: Fraction) -> Fraction:
        _positive(eigen, "the eigenvalue")
        _positive(s, "the margin")
        return tau * tau * (n / eigen - 1 / (s * s))

    return _monotone(value, (count, eigenvalue, tau if margin is None else margin), "+-+", digits)


def statistical_bound(*, count: Input, eigenvalue: Input, tolerance: Exact) -> Quantity:
    """C3: any statistical queries, ||phi||_{D_0} <= 1, to tell D_0 from D_1, ..., D_N.

    C2 for f_i = D_i / D_0 - 1, whose Gram matrix holds the chi-square correlations: with every
    query answered by D_0[phi], all N must be ruled out, so q >= N tau^2 / lambda.
    """
    tau = _tolerance(tolerance)

    def value(n: Fraction, eigen: Fraction) -> Fraction:
        _positive(eigen, "the eigenvalue")
        return tau * tau * n / eigen

    return _monotone(value, (count, eigenvalue), "+-", 30)


def average_bound(*, dimension: Input, correlation: Input, tolerance: Exact) -> Quantity:
    """C4 for STAT: the statistical dimension SDA(correlation) is `dimension`.

    Every subfamily of at least N / d members has an average |correlation| <= gamma <= tau^2.  If
    h rules out a set A, the signed sum over A gives |A|^2 tau^2 < sum_A |E f_i f_j|, so that
    |A| < N / d: telling D_0 from the family takes q >= d.

    Feldman, Grigorescu, Reyzin, Vempala and Xiao (2017), in the form for unit-norm queries.
    """
    tau = _tolerance(tolerance)

    def value(d: Fraction, gamma: Fraction) -> Fraction:
        if not 0 <= gamma <= tau * tau:
            raise BadInput(
                f"average correlation {shown(gamma)} exceeds tolerance^2 "
                f"{shown(tau * tau)}; take the dimension at a correlation of at most that"
            )
        return d

    return _monotone(value, (dimension, correlation), "+-", 30)


def average_to_vstat(
    *, dimension: Input, correlation: Input, success: Exact = 1, digits: int = 30
) -> VstatBound:
    """C4 for VSTAT: deciding with probability nu > 1/2 takes (2 nu - 1) SDA(gamma) queries.

    To VSTAT(1 / (3 gamma)).  Feldman et al. (2017), Theorem 2.7, quoted, not derived here.
    """
    nu = _probability(success)
    if 2 * nu <= 1:
        raise BadInput(f"success is {success!r}; deciding better than a coin needs more than 1/2")
    queries = _monotone(lambda d: (2 * nu - 1) * d, (dimension,), "+", digits)

    def samples(gamma: Fraction) -> Fraction:
        _positive(gamma, "the correlation")
        return 1 / (3 * gamma)

    return VstatBound(queries, _monotone(samples, (correlation,), "-", digits))


def conditional_average_to_vstat(*, samples: Exact, dimension: Input) -> VstatBound:
    """C5: with SDA(n) = max{q : E[|chi| | E] <= 1/n for all events E of pairs, P(E) >= 1/q^2}.

    Deciding takes SDA(n) queries to VSTAT(n / 3), also where chi-square norms are infinite.
    Brennan, Bresler, Hopkins, Li and Schramm (2021), quoted, not derived here.
    """
    n = exact_fraction(samples, "samples")
    _positive(n, "samples")
    return VstatBound(_monotone(lambda d: d, (dimension,), "+", 30), Rational(n / 3))


def sq_dimension_bound(*, dimension: int, digits: int = 30) -> Enclosure:
    """C6: d functions with pairwise |correlation| <= 1/d^3 and norm 1, tolerance d^(-1/3).

    C1 with these numbers: weak learning takes about d^(1/3) / 2 queries of that tolerance.
    Blum, Furst, Jackson, Kearns, Mansour and Rudich (1994) state d^(1/3) / 2.
    """
    if dimension < 2:
        raise BadInput(f"dimension is {dimension}; the theorem speaks of two functions or more")
    with working_bits(bits_for(digits) + 32):
        tau_squared = 1 / (arb(dimension) ** 2).root(3)
        gamma = ball(Fraction(1, dimension**3))
        inside = dimension * (tau_squared - gamma) / (1 - gamma) - 1
        return enclose(inside / 2, digits)


def sphere_bound(
    *,
    fluctuation: Input,
    mean: Input,
    tolerance: Exact,
    margin: Input | None = None,
    success: Exact = 1,
    digits: int = 30,
) -> Quantity:
    """The spectral bound for a whole sphere of directions, with the family mean as answer.

    For v uniform and unit h, E[f_v h] has mean at most sqrt(lambda_0) in size and variance at
    most lambda = max_{l>=1} lambda_l.  Answering the mean, Chebyshev's inequality lets a query
    rule out at most lambda / tau^2 of the sphere, and an output serves at most
    delta = lambda / (s - sqrt(lambda_0))^2 of it.  A learner that succeeds with probability nu
    for every v has q >= (nu - delta) tau^2 / lambda.

    Parameters
    ----------
    fluctuation : lambda = max_{l>=1} lambda_l (Funk-Hecke eigenvalues of the family).
    mean : lambda_0.
    margin : s; the tolerance unless given.
    success : nu, 1 for a learner that never fails.
    """
    tau, nu = _tolerance(tolerance), _probability(success)
    s_low, s_high = _ends(tau if margin is None else margin)
    variance, zero = _ends(fluctuation), _ends(mean)
    if variance[0] <= 0 < variance[1]:
        raise BadInput(
            f"the eigenvalue is only known to lie in [{shown(variance[0])}, {shown(variance[1])}]; "
            "a lower end above 0 is wanted: sum more degrees, or ask for more digits"
        )
    _positive(variance[0], "the eigenvalue")

    def value(lam: Fraction, lambda_0: Fraction, s: Fraction) -> arb:
        gap = ball(s) - ball(lambda_0).sqrt()
        share = ball(lam) / gap**2 if gap > 0 else arb(1)
        return (ball(nu) - share) * ball(tau * tau) / ball(lam)

    with working_bits(bits_for(digits) + 64):
        low = enclose(value(variance[1], zero[1], s_low), digits).bounds[0]
        high = enclose(value(variance[0], zero[0], s_high), digits).bounds[1]
    proved = enclose_between(max(low, Fraction(0)), max(high, Fraction(0)), digits)
    if any(isinstance(number, Estimate) for number in (fluctuation, mean, margin)):
        return _estimated(proved)
    return proved


def _monotone(
    value: Callable[..., Fraction], inputs: tuple[Input, ...], signs: str, digits: int
) -> Quantity:
    """A bound at both ends of its inputs; "+" grows with the input, "-" falls.  Never below 0."""
    ends = [_ends(number) for number in inputs]
    low = value(*(e[0] if sign == "+" else e[1] for e, sign in zip(ends, signs, strict=True)))
    high = value(*(e[1] if sign == "+" else e[0] for e, sign in zip(ends, signs, strict=True)))
    low, high = max(low, Fraction(0)), max(high, Fraction(0))
    if any(isinstance(number, Estimate) for number in inputs):
        return _estimated(enclose_between(low, high, digits))
    return Rational(low) if low == high else enclose_between(low, high, digits)


def _estimated(found: Enclosure) -> Estimate:
    low, high = (float(end) for end in found.bounds)
    return Estimate((low + high) / 2, (high - low) / 2, "a theorem applied to estimates")


def _ends(number: Input) -> tuple[Fraction, Fraction]:
    if isinstance(number, Rational | Enclosure):
        return number.bounds
    if isinstance(number, Estimate):
        low, high = number.bounds
        return Fraction(low), Fraction(high)
    value = exact_fraction(number)
    return value, value


def _tolerance(tolerance: Exact) -> Fraction:
    tau = exact_fraction(tolerance, "tolerance")
    _positive(tau, "tolerance")
    return tau


def _probability(success: Exact) -> Fraction:
    nu = exact_fraction(success, "success")
    if not 0 < nu <= 1:
        raise BadInput(f"success is {success!r}; a probability above 0 and at most 1 is wanted")
    return nu


def _positive(value: Fraction, name: str) -> None:
    if value <= 0:
        raise BadInput(f"{name} is {shown(value)}; a positive number is wanted")
