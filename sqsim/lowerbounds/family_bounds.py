"""Orthogonal families, hidden components and finite families: how many queries they take.

Every certificate is confirmed by the stand-alone verifier before it is returned.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

from flint import arb

from sqsim.errors import BadInput
from sqsim.lowerbounds.certificate import (
    Certificate,
    as_enclosure,
    certified,
    check_digits,
    refuse_blind,
)
from sqsim.lowerbounds.networks import orthogonal_network_norm
from sqsim.lowerbounds.parities import relu_parity_correlation, relu_parity_gap
from sqsim.lowerbounds.precision import (
    Enclosure,
    Exact,
    ball,
    bits_for,
    enclose,
    exact_fraction,
    working_bits,
)
from sqsim.lowerbounds.quantities import Estimate, Quantity, Rational
from sqsim.lowerbounds.spectrum import check_dimension, sphere_moment
from sqsim.lowerbounds.theorems import spectral_bound

LONGEST_COUNT = 5000
"""Digits of the number of functions."""


def sq_parity_bound(
    *, dimension: int, sparsity: int, noise: Exact, tolerance: Exact, digits: int = 30
) -> Certificate:
    """Sparse parity with noise, any statistical queries |phi| <= 1: C(d, k) tau^2 / (1-2 eta)^2.

    Labels y = +-1 with E[y|x] = (1 - 2 eta) prod_{i in S} sign(x_i), |S| = k; since y is Boolean,
    E[phi(x, y)] is E[y h(x)] with |h| <= 1 up to a constant, and the C(d, k) targets are
    orthogonal with norm (1 - 2 eta)^2.  An output H with E[y H] >= tau ||H|| takes
    q >= C(d, k) tau^2 / (1 - 2 eta)^2 - 1.

    Goel, Karmalkar and Klivans (2019), Theorem 4, with its constant.  Its proper ReLU learners
    are covered where the correlation of their output exceeds tau: `relu_parity_margin`.
    """
    eta, tau = exact_fraction(noise, "noise"), exact_fraction(tolerance, "tolerance")
    check_digits(digits)
    if not 1 <= sparsity <= dimension <= 10**6:
        raise BadInput(
            f"sparsity {sparsity} in dimension {dimension}: 1 <= k <= d <= 10^6 is wanted"
        )
    if not 0 <= eta < Fraction(1, 2):
        raise BadInput(f"noise is {noise!r}; labels are flipped with a rate in [0, 1/2)")
    norm = Rational((1 - 2 * eta) ** 2)
    refuse_blind(tau, norm, "the labels")
    _refuse_long_count(dimension, sparsity)
    count = math.comb(dimension, sparsity)
    queries = spectral_bound(count=count, eigenvalue=norm, tolerance=tau)
    parameters = {
        "dimension": str(dimension),
        "sparsity": str(sparsity),
        "noise": str(eta),
        "tolerance": str(tau),
    }
    return certified(
        _orthogonal("sq-parity", parameters, count, norm, queries, digits, ("tolerance^2 <= norm",))
    )


def relu_parity_margin(
    sparsity: int, *, noise: Exact, excess: Exact, digits: int = 30
) -> Enclosure:
    """How much a good proper ReLU must correlate with a noisy parity, per unit of its norm.

    Labels y' = (1 + y) / 2, y as in `sq_parity_bound`, k = 2, 6, 10, ...; H = max(<w, x>, 0) with
    E[(H - y')^2] <= OPT + eps, where OPT <= 1/2 - q^2 / 2, q = A + (1 - 2 eta) c_k and
    A = (2 pi)^(-1/2) (`relu_parity_gap`).  Since E[H] = A ||w|| and ||H||^2 = ||w||^2 / 2,
    E[y H] / ||H|| >= min_r sqrt(2) ((q^2 / 2 - eps) / r - A + r / 2)
    = sqrt(2) (sqrt(q^2 - 2 eps) - A).  Where this exceeds the tolerance, `sq_parity_bound` covers
    the learner: Goel, Karmalkar and Klivans (2019), Theorem 4, asks for eps below the gap.

    Parameters
    ----------
    noise : eta.
    excess : eps, in units of the loss on y'.
    """
    eta, eps = exact_fraction(noise, "noise"), exact_fraction(excess, "excess")
    if eps < 0 or eps >= relu_parity_gap(sparsity, noise=eta, digits=digits).bounds[0]:
        raise BadInput(
            f"excess is {excess!r}; it must be at least 0 and below the gap "
            f"{float(relu_parity_gap(sparsity, noise=eta, digits=5)):.4g}, or a ReLU that is "
            "blind to the parity may be good enough"
        )
    correlation = relu_parity_correlation(sparsity, digits=digits + 5)
    with working_bits(2 * bits_for(digits) + 64):
        half = 1 / (2 * arb.pi()).sqrt()
        q = half + ball(1 - 2 * eta) * correlation.ball()
        return enclose(arb(2).sqrt() * ((q * q - 2 * ball(eps)).sqrt() - half), digits)


def csq_orthogonal_networks_bound(
    *, dimension: int, sparsity: int, tolerance: Exact, digits: int = 30
) -> Certificate:
    """The exactly orthogonal networks with 2^k ReLUs on k of d coordinates: C(d, k) tau^2 / norm.

    f_S(x) = sum_{w in {-1, 1}^k} prod(w) max(<w, x_S> / sqrt(k), 0); flipping a coordinate of S
    that is not in T negates f_S and keeps f_T.  A learner with E[(H - f_S)^2] <= ||f_S||^2 -
    tau^2 asks q >= C(d, k) tau^2 / ||f_S||^2 - 1.

    Goel, Gollakota, Jin, Karmalkar and Klivans (2020); the norm is
    2^k sum_j (-1)^j C(k, j) K(1 - 2 j / k), K(r) = (sqrt(1 - r^2) + r (pi - arccos r)) / (2 pi).
    """
    tau = exact_fraction(tolerance, "tolerance")
    check_digits(digits)
    if not (2 <= sparsity <= min(dimension, 200) and dimension <= 10**6 and sparsity % 2 == 0):
        raise BadInput(
            f"sparsity {sparsity} in dimension {dimension}: an even k from 2 to min(d, 200) is "
            "wanted, d <= 10^6 (for odd k the network of ReLUs is zero)"
        )
    _refuse_long_count(dimension, sparsity)
    norm = orthogonal_network_norm(sparsity, digits=digits)
    refuse_blind(tau, norm, "the labels")
    count = math.comb(dimension, sparsity)
    queries = spectral_bound(count=count, eigenvalue=norm, tolerance=tau, digits=digits)
    parameters = {
        "dimension": str(dimension),
        "sparsity": str(sparsity),
        "tolerance": str(tau),
    }
    holds = ("sparsity is even", "tolerance^2 <= norm")
    return certified(
        _orthogonal("csq-orthogonal-networks", parameters, count, norm, queries, digits, holds)
    )


def ngca_bound(
    *,
    dimension: int,
    matched: int,
    chi_squared: Exact,
    tolerance: Exact,
    success: Exact = 1,
    digits: int = 30,
) -> Certificate:
    """Non-Gaussian components: telling N(0, I_d) from A along a hidden direction.

    A has `matched` moments of N(0, 1) and chi^2(A, N(0, 1)) <= chi_squared, so that
    chi(P_u, P_v) = sum_{j > m} c_j^2 <u, v>^j with sum c_j^2 <= chi_squared.  Over the sphere no
    eigenvalue exceeds lambda = chi_squared max(E t^(i+1), E t^j), i odd and j even the first
    degrees above m.  Answering E_{N(0, I)}[phi], a query of norm 1 rules out at most
    lambda / tau^2 of the sphere: deciding with probability nu > 1/2 takes
    q >= (2 nu - 1) tau^2 / lambda.

    Diakonikolas, Kane and Stewart (2017) for the construction; the count is spectral.
    """
    tau, chi = exact_fraction(tolerance, "tolerance"), exact_fraction(chi_squared, "chi_squared")
    nu = exact_fraction(success, "success")
    check_dimension(dimension)
    check_digits(digits)
    if isinstance(matched, bool) or not isinstance(matched, int) or not 0 <= matched <= 4000:
        raise BadInput(f"matched is {matched!r}; a number of moments from 0 to 4000 is wanted")
    for name, value, given in (("chi_squared", chi, chi_squared), ("tolerance", tau, tolerance)):
        if value <= 0:
            raise BadInput(f"{name} is {given!r}; a positive number is wanted")
    if not Fraction(1, 2) <= nu <= 1:
        raise BadInput(f"success is {success!r}; a probability from 1/2 to 1 is wanted")
    first = matched + 1
    odd = sphere_moment(first + (first + 1) % 2, 1, dimension)
    even = sphere_moment(first + first % 2, 0, dimension)
    eigenvalue = chi * max(odd, even)
    bound = (2 * nu - 1) * tau * tau / eigenvalue
    return certified(
        Certificate(
            theorem="sq-ngca",
            parameters={
                "dimension": str(dimension),
                "matched": str(matched),
                "chi_squared": str(chi),
                "tolerance": str(tau),
                "success": str(nu),
            },
            witness={},
            hypotheses=(),
            quantities={"eigenvalue": as_enclosure(eigenvalue, digits)},
            queries=as_enclosure(bound, digits),
            t_eps=None,
            grade="exact",
            digits=digits,
        )
    )


def csq_finite_family_bound(
    gram: Sequence[Sequence[Exact]], *, tolerance: Exact, eigenvalue: Exact, digits: int = 30
) -> Certificate:
    """Any finite family of functions, given by its exact Gram matrix of at most 200 rows.

    q >= N tau^2 / lambda - 1 for outputs H with E[f_i H] >= tau ||H||, where lambda I - Gram is
    positive semidefinite: theorem C2 (`spectral_bound`).

    Parameters
    ----------
    eigenvalue : lambda, a rational at least the largest eigenvalue; the verifier proves it by
        exact elimination.
    """
    rows = [[str(exact_fraction(x, "a correlation")) for x in row] for row in gram]
    tau, lam = exact_fraction(tolerance, "tolerance"), exact_fraction(eigenvalue, "eigenvalue")
    check_digits(digits)
    if not 0 < len(rows) <= 200 or any(len(row) != len(rows) for row in rows):
        raise BadInput(f"a Gram matrix of {len(rows)} rows; a square one of 1 to 200 is wanted")
    queries = spectral_bound(count=len(rows), eigenvalue=lam, tolerance=tau)
    return certified(
        Certificate(
            theorem="csq-finite-family",
            parameters={"tolerance": str(tau)},
            witness={"gram": rows, "eigenvalue": str(lam)},
            hypotheses=("eigenvalue I - gram >= 0",),
            quantities={"count": as_enclosure(len(rows), digits)},
            queries=_proved(queries, digits),
            t_eps=None,
            grade="exact",
            digits=digits,
        )
    )


def _orthogonal(
    theorem: str,
    parameters: dict[str, str],
    count: int,
    norm: Rational | Enclosure,
    queries: Quantity,
    digits: int,
    hypotheses: tuple[str, ...],
) -> Certificate:
    return Certificate(
        theorem=theorem,
        parameters=parameters,
        witness={},
        hypotheses=hypotheses,
        quantities={"count": as_enclosure(count, digits), "norm": as_enclosure(norm, digits)},
        queries=_proved(queries, digits),
        t_eps=None,
        grade="exact" if isinstance(norm, Rational) else "certified",
        digits=digits,
    )


def _refuse_long_count(dimension: int, sparsity: int) -> None:
    """Before a binomial coefficient is computed that no certificate holds."""
    rest = dimension - sparsity
    logs = math.lgamma(dimension + 1) - math.lgamma(sparsity + 1) - math.lgamma(rest + 1)
    if logs / math.log(10) > LONGEST_COUNT:
        raise BadInput(
            f"sparsity {sparsity} in dimension {dimension} makes about 10^{logs / math.log(10):.0f}"
            f" functions, and certificates hold numbers up to 10^{LONGEST_COUNT}; take fewer"
        )


def _proved(queries: Quantity, digits: int) -> Enclosure:
    assert not isinstance(queries, Estimate)
    return as_enclosure(queries, digits)
