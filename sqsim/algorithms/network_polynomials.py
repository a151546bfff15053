"""Networks of ReLUs learned by polynomials: degree and norm of a composition, then one regression.

This file does not know how the polynomial is fitted, nor what the labels are.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sqsim.algorithms.ball_inputs import check_inputs
from sqsim.algorithms.compositions import (
    maximum_composition,
    network_composition,
    parametric_composition,
)
from sqsim.algorithms.polynomial_regression import agnostic_polynomial
from sqsim.algorithms.reliable import ReliableOutcome, reliable_relu
from sqsim.errors import BadInput
from sqsim.featured import Featured
from sqsim.losses import Loss
from sqsim.monomial_moments import moment_matrix
from sqsim.multinomial import MonomialFeatures
from sqsim.problems.polynomial_hypothesis import PolynomialHypothesis
from sqsim.problems.problem import Problem
from sqsim.queries import Correlation
from sqsim.strategy import CSQ, SQ, ask


def agnostic_network(
    problem: Problem, *, hidden: int, weight: float, reach: float, epsilon: float
) -> CSQ[PolynomialHypothesis]:
    """A polynomial that does as well as every ReLU network with D hidden layers.

    The class: l1 norms at most `weight` into every unit beyond the first layer and into the linear
    output, |<a, x> + b| <= `reach` in the first layer on the unit ball.  One hidden layer of k
    unit vectors with outer weights of l2 norm 1 has weight sqrt(k) and reach 1.

    One round of C(n + d, d) correlational queries, d the degree of `network_composition`:
    about 0.14 reach sqrt(k) / epsilon for one layer of k units.

    Guarantee, x in the unit ball, any labels, exact answers:
    sqrt(E[(f - y)^2]) <= sqrt(E[(g - y)^2]) + epsilon for every network g of the class; answers
    within t add 4 sqrt(B N) t to E[(f - y)^2].  Goel, Kanade, Klivans and Thaler (2017),
    Theorem 5 [35] for two layers and Theorem 34 for more, with constants derived here.

    Parameters
    ----------
    hidden, weight, reach : D, W, M, as of `LayeredRelu`.
    epsilon : float
    """
    check_inputs(problem)
    near = network_composition(hidden=hidden, weight=weight, reach=reach, epsilon=epsilon)
    return (yield from agnostic_polynomial(problem, degree=near.degree, norm_squared=near.weight))


def max_affine(
    problem: Problem,
    *,
    pieces: int | Sequence[int],
    epsilon: float | None = None,
    degree: int | None = None,
    reach: float | None = 1.0,
) -> CSQ[PolynomialHypothesis]:
    """A polynomial that does as well as every maximum of k affine functions, or sum of maxima.

    The class: max_j <w_j, x> + b_j with ||w_j|| + |b_j| <= reach; for several numbers of pieces,
    the sums of such maxima.  One round of C(n + d, d) correlational queries, d the degree of
    `maximum_composition`, about (0.28 reach log2(k) / epsilon)^ceil(log2 k).  With reach None
    another round of n + 1 queries comes first, the plane of least squares: the pieces are then
    taken to be at most twice as large as that.

    Guarantee, x in the unit ball, any labels, exact answers:
    sqrt(E[(f - y)^2]) <= sqrt(E[(g - y)^2]) + epsilon for every g of the class; answers within t
    add 4 sqrt(B N) t to E[(f - y)^2].  Where the degree is given, epsilon is the error of
    `maximum_composition` at this degree.  Goel, Kanade, Klivans and Thaler (2017), Theorem 9 [45]
    and Corollary 43, with a composition derived here.

    Parameters
    ----------
    pieces : k, or one k for each maximum in a sum.
    epsilon, or degree : one of them.
    reach : float or None
    """
    check_inputs(problem)
    sizes = (pieces,) if isinstance(pieces, int) else tuple(pieces)
    if reach is None:
        # Refused before anything is asked.
        maximum_composition(pieces=sizes, epsilon=epsilon, degree=degree)
        reach = yield from _twice_the_plane(problem)
    near = maximum_composition(pieces=sizes, reach=reach, epsilon=epsilon, degree=degree)
    wanted = near.degree if degree is None else degree
    return (yield from agnostic_polynomial(problem, degree=wanted, norm_squared=near.weight))


def agnostic_parametric_relu(
    problem: Problem, *, slope: float, epsilon: float
) -> CSQ[PolynomialHypothesis]:
    """A polynomial that does as well as every x -> t if t >= 0, slope t if t < 0, t = <w, x>.

    ||w|| <= 1; a small slope > 0 is the leaky ReLU, -1 the absolute value.  One round of
    C(n + d, d) correlational queries, d of `parametric_composition`: about
    0.14 |1 - slope| / epsilon.  Guarantee as of `agnostic_network`.  Goel, Kanade, Klivans and
    Thaler (2017), by two ReLUs; one polynomial is enough.
    """
    check_inputs(problem)
    near = parametric_composition(slope=slope, epsilon=epsilon)
    return (yield from agnostic_polynomial(problem, degree=near.degree, norm_squared=near.weight))


def reliable_parametric_relu(
    problem: Problem,
    *,
    slope: float,
    epsilon: float,
    loss: Loss | None = None,
    tolerance: float = 0.0,
) -> SQ[ReliableOutcome]:
    """Reliable learning of leaky and parametric ReLUs of slope >= 0: that of the ReLU.

    Guesses and labels lie in [0, 1].  Clipped to it, t or slope t is max(t, 0), and for a monotone
    loss clipping never costs.  So the clipped neurons that are 0 wherever y = 0 are the reliable
    ReLUs, and `reliable_relu` is within epsilon of all of them (derived here).  Costs and errors
    as there.

    Raises
    ------
    BadInput
        For slopes < 0, whose neurons are positive on both sides, and losses that are not monotone.
    """
    if not 0 <= slope < np.inf:
        raise BadInput(
            f"slope is {slope!r}: reliable learning of parametric ReLUs assumes a slope >= 0, "
            "where clipped guesses are those of a ReLU; agnostic_parametric_relu takes any slope"
        )
    if loss is not None and not loss.monotone:
        raise BadInput(
            "the loss is not monotone, so that clipping a leaky ReLU to [0, 1] may cost; wanted a "
            "loss that the label minimises, or slope 0 with reliable_relu"
        )
    return (yield from reliable_relu(problem, epsilon=epsilon, loss=loss, tolerance=tolerance))


def _twice_the_plane(problem: Problem) -> CSQ[float]:
    """2 (||w|| + |b|) of the plane of least squares; 1 where that is 0."""
    linear = MonomialFeatures(problem.dimension, 1)
    asked = Correlation(Featured(linear), "correlations of degree 1")
    correlations = np.asarray((yield from ask(asked)))
    plane = np.linalg.lstsq(moment_matrix(linear, problem.inputs), correlations, rcond=1e-10)[0]
    constant = linear.degrees == 0
    size = float(np.linalg.norm(plane[~constant]) + np.abs(plane[constant]).sum())
    return 2 * size if size > 0 else 1.0
