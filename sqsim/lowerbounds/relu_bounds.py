"""The biased ReLU without its low Hermite degrees: how many correlational queries it takes.

Every certificate is confirmed by the stand-alone verifier before it is returned.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import final

from sqsim.errors import BadInput, NotCertified
from sqsim.lowerbounds.certificate import Certificate, certified, check_digits, refuse_blind
from sqsim.lowerbounds.expansions import Piecewise
from sqsim.lowerbounds.hermite import t_eps
from sqsim.lowerbounds.precision import (
    Enclosure,
    Exact,
    ball,
    bits_for,
    enclose,
    exact_fraction,
    working_bits,
)
from sqsim.lowerbounds.quantities import Quantity
from sqsim.lowerbounds.spectrum import check_dimension, ridge_spectrum
from sqsim.lowerbounds.theorems import pairwise_bound, sphere_bound

ONE = Fraction(1)


def csq_relu_bound(
    *,
    dimension: int,
    bias: Exact,
    tolerance: Exact,
    cutoff: int | None = None,
    alpha: Exact | None = None,
    success: Exact = 1,
    digits: int = 30,
) -> Certificate:
    """No CSQ learner of the biased ReLU with fewer queries, over all directions at once.

    Labels y = f(<v, x>), f = max(z + b, 0) less its Hermite part of degree <= K, v any unit
    vector of R^d; queries ||h||_2 <= 1 answered within tau.  A learner whose output H has
    E[(H - y)^2] <= E[y^2] - tau^2 with probability nu for every v asks at least
    (nu - delta) tau^2 / lambda queries, lambda = max(lambda_1, lambda_2) of the Funk-Hecke
    eigenvalues of the family and delta = lambda / (tau - sqrt(lambda_0))^2: see `sphere_bound`.
    The neuron max(<v, x> + b, 0) itself loses sum_{k<=K} c_k^2 on these labels.

    Parameters
    ----------
    cutoff : K.
    alpha : instead of a cutoff: K = t_eps(alpha), and then the bound covers every learner that
        reaches alpha OPT + eps, where 3 eps = E[max(z + b, 0)^2].
    success : nu.

    Notes
    -----
    The construction is that of Guo and Vijayaraghavan (2024), section 4; the spectral count over
    the sphere with the family mean as answer replaces their packing and holds at every finite d.
    The bound is 0 where the family mean alone is seen at this tolerance.
    """
    b, tau = exact_fraction(bias, "bias"), exact_fraction(tolerance, "tolerance")
    check_dimension(dimension)
    check_digits(digits)
    if abs(b) > 1000:
        raise BadInput(f"bias is {bias!r}; biases from -1000 to 1000 are proved here")
    link = Piecewise((-b,), ((), (b, ONE)))
    if (cutoff is None) == (alpha is None):
        raise BadInput("give either a cutoff or alpha: one says which degrees are removed")
    ratio = None if alpha is None else exact_fraction(alpha, "alpha")
    degree = cutoff if alpha is None else t_eps(link, alpha=alpha)
    if isinstance(degree, bool) or not isinstance(degree, int) or not 0 <= degree <= 4000:
        raise BadInput(
            f"the cutoff is {degree!r}; whole degrees from 0 to 4000 can be removed"
            + ("" if ratio is None else f" (t_eps at alpha = {alpha})")
        )
    found = ridge_spectrum(link, dimension=dimension, cutoff=degree, digits=digits)
    refuse_blind(tau, found.second_moment, "the labels")
    fluctuation = max(found.eigenvalues[1:], key=lambda value: value.bounds[1])
    queries = sphere_bound(
        fluctuation=fluctuation,
        mean=found.eigenvalues[0],
        tolerance=tau,
        success=success,
        digits=digits,
    )
    assert isinstance(queries, Enclosure)
    hypotheses: tuple[str, ...] = ("tolerance^2 < null_loss",)
    if ratio is not None:
        hypotheses += (
            "removed_mass <= eps / alpha",
            "with one degree more it is above",
            "tolerance^2 <= null_loss - 2 eps",
        )
    return certified(
        Certificate(
            theorem="csq-relu-sphere",
            parameters={
                "dimension": str(dimension),
                "bias": str(b),
                "cutoff": str(degree),
                "tolerance": str(tau),
                "success": str(exact_fraction(success)),
                "alpha": None if ratio is None else str(ratio),
            },
            witness={"terms": str(found.terms)},
            hypotheses=hypotheses,
            quantities={
                "second_moment": found.whole,
                "removed_mass": found.removed,
                "null_loss": found.second_moment,
                **{f"lambda_{i}": value for i, value in enumerate(found.eigenvalues)},
            },
            queries=queries,
            t_eps=degree,
            grade="certified",
            digits=digits,
        )
    )


@final
@dataclass(frozen=True)
class PackingBound:
    """The explicit bound over a packing: its count, its correlation and the number of queries."""

    count: int
    coherence: Fraction
    correlation: Enclosure
    queries: Quantity


def csq_relu_packing_bound(
    *,
    dimension: int,
    bias: Exact,
    cutoff: int,
    tolerance: Exact,
    coherence: Exact,
    digits: int = 30,
) -> PackingBound:
    """The bound of `csq_relu_bound` by pairwise correlations instead of a spectrum.

    floor(exp(d eta^2 / 4)) unit vectors with |<u, v>| <= eta exist, the family on them has
    correlations at most gamma = eta^(K+1) beta where beta = E[f^2], and theorem C1 gives
    q >= (N (tau^2 - gamma) / (beta - gamma) - 1) / 2 if gamma < tau^2 < beta.

    Parameters
    ----------
    coherence : eta in (0, 1).
    """
    eta, tau = exact_fraction(coherence, "coherence"), exact_fraction(tolerance, "tolerance")
    b = exact_fraction(bias, "bias")
    check_dimension(dimension)
    if not 0 < eta < 1 or dimension * eta * eta > 10**5:
        raise BadInput(f"coherence is {coherence!r}; 0 < eta < 1 and d eta^2 <= 10^5 are wanted")
    link = Piecewise((-b,), ((), (b, ONE)))
    norm = ridge_spectrum(link, dimension=2, cutoff=cutoff, digits=digits, terms=0).second_moment
    exponent = dimension * eta * eta / 4
    with working_bits(bits_for(digits) + math.ceil(1.45 * float(exponent)) + 64):
        count = ball(exponent).exp().floor().unique_fmpz()
        if count is None:
            raise NotCertified("the size of the packing is not decided; change the coherence")
        gamma = enclose(ball(eta) ** (cutoff + 1) * norm.ball(), digits)
    queries = pairwise_bound(
        count=int(count), norm=norm, correlation=gamma, tolerance=tau, digits=digits
    )
    return PackingBound(int(count), eta, gamma, queries)
