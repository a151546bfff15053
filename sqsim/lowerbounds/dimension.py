"""How many functions of a family are nearly uncorrelated, and what their spectrum says.

Each dimension is exact for small families and a proved bracket for large ones.  This file takes
the correlations as they are given; it does not know the family.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import final

from sqsim.errors import BadInput
from sqsim.lowerbounds.cliques import Graph, largest_clique
from sqsim.lowerbounds.eigenvalues import largest_eigenvalue
from sqsim.lowerbounds.matrices import Correlations, Given, correlations_of
from sqsim.lowerbounds.precision import Exact, exact_fraction
from sqsim.lowerbounds.quantities import Rational

SEARCH = 80


@final
@dataclass(frozen=True)
class Dimension:
    """A dimension between two whole numbers, both proved unless the correlations are estimates.

    Attributes
    ----------
    definition : what is counted, with its constants.
    witness : indices of `lower` functions that meet the definition.
    grade : "certified", or "estimate" where the correlations are estimates.
    """

    definition: str
    lower: int
    upper: int
    witness: tuple[int, ...]
    grade: str = "certified"

    @property
    def exact(self) -> bool:
        """Whether the two bounds meet."""
        return self.lower == self.upper


def correlation_dimension(
    correlations: Given, *, gamma: Exact, beta: Exact, search_up_to: int = SEARCH
) -> Dimension:
    """CSD(gamma, beta): the most functions with |E f_i f_j| <= gamma (i != j), E f_i^2 <= beta.

    Correlational statistical dimension (Feldman, Grigorescu, Reyzin, Vempala and Xiao 2017 for
    distributions; Goel, Gollakota, Jin, Karmalkar and Klivans 2020 for functions).

    Parameters
    ----------
    correlations : Correlations, or a Gram matrix such as parity_family(...) or ridge_gram(...).
    search_up_to : the largest family that branch and bound may take, 20 000 nodes at most; beyond
        either, a greedy clique and a greedy colouring leave a bracket, in time O(N^2).
    """
    pair, norm = exact_fraction(gamma, "gamma"), exact_fraction(beta, "beta")
    found = correlations_of(correlations)
    clique, bound = _nearly_orthogonal(found, pair, norm, search_up_to)
    name = f"CSD(gamma={gamma}, beta={beta})"
    return Dimension(name, len(clique), bound, clique, found.grade)


def sq_dimension(correlations: Given, *, power: int = 3, search_up_to: int = SEARCH) -> Dimension:
    """SQ-DIM: the largest d with d functions whose correlations are at most d^-power.

    power = 3 is the definition of Blum, Furst, Jackson, Kearns, Mansour and Rudich (1994);
    power = 1 the later one.  The functions have norm 1 (or values +-1).

    Parameters
    ----------
    correlations : Correlations, or a Gram matrix such as parity_family(...).
    search_up_to : as in `correlation_dimension`; O(log N) such searches.
    """
    if isinstance(power, bool) or not isinstance(power, int) or power < 1:
        raise BadInput(f"power is {power!r}; the definitions have d^-1 and d^-3")
    correlations = correlations_of(correlations)
    _refuse_other_norms(correlations)
    best: tuple[int, ...] = ()
    # The property is inherited by every smaller d: fewer functions, a laxer threshold.
    lower, upper = 1, correlations.size + 1
    impossible = upper
    while upper - lower > 1 or not best:
        d = (lower + upper) // 2
        threshold = Fraction(1, d**power)
        clique, bound = _nearly_orthogonal(correlations, threshold, None, search_up_to)
        if bound < d:
            impossible = d
        if len(clique) >= d:
            lower, best = d, clique[:d]
        else:
            upper = d
    impossible = _first_impossible(correlations, power, lower, impossible, search_up_to)
    name = f"SQ-DIM, correlations <= d^-{power}"
    return Dimension(name, lower, impossible - 1, best, correlations.grade)


def _first_impossible(
    correlations: Correlations, power: int, lower: int, impossible: int, search_up_to: int
) -> int:
    """The least d that bisection proves out of reach."""
    open_end = lower
    while impossible - open_end > 1:
        d = (open_end + impossible) // 2
        threshold = Fraction(1, d**power)
        if _nearly_orthogonal(correlations, threshold, None, search_up_to)[1] < d:
            impossible = d
        else:
            open_end = d
    return impossible


def average_from_pairwise(dimension: int, *, gamma: Exact, slack: Exact, beta: Exact) -> Rational:
    """D gamma' / (beta - gamma), a lower bound of CSDA(gamma + gamma') from CSD(gamma, beta) = D.

    It holds for the subfamily of the D functions that the CSD counts: m of them have the average
    correlation at most gamma + (beta - gamma) / m, which is at most gamma + gamma' once
    m >= (beta - gamma) / gamma'.  The whole family need not obey it (add many copies of one
    function).  Hypotheses: 0 <= gamma < beta, gamma' > 0.

    Parameters
    ----------
    slack : gamma'.
    """
    pair, more, norm = (
        exact_fraction(value, name)
        for value, name in ((gamma, "gamma"), (slack, "the slack"), (beta, "beta"))
    )
    if not 0 <= pair < norm or more <= 0:
        raise BadInput(
            f"gamma {gamma}, slack {slack}, beta {beta}: wanted 0 <= gamma < beta and slack > 0"
        )
    return Rational(dimension * more / (norm - pair))


def spectral_count(correlations: Given, *, tolerance: Exact) -> int:
    """The fewest queries E[f_i h], ||h|| <= 1, with which one of N functions can be told apart.

    The adversary answers 0.  A query rules out f_i only by |E f_i h| > tau, and the sum of
    (E f_i h)^2 is at most lambda, the largest eigenvalue of the correlations; so it rules out at
    most e = ceil(lambda / tau^2) - 1 of them, and q >= (N - 1) / e.  At least theory's
    N tau^2 / lambda - 1, since e < lambda / tau^2.

    Raises
    ------
    BadInput
        Where e = 0: the answer 0 is always lawful, and no number of queries suffices.
    """
    correlations = correlations_of(correlations, proved=True)
    tau = exact_fraction(tolerance, "the tolerance")
    if tau <= 0:
        raise BadInput(f"the tolerance is {tolerance!r}; it must be positive")
    ruled_out = math.ceil(largest_eigenvalue(correlations).bounds[1] / (tau * tau)) - 1
    if ruled_out < 1:
        raise BadInput(
            f"at tolerance {tolerance} no query rules out any function, so that no number of "
            "queries suffices; ask for a finer tolerance"
        )
    return math.ceil(Fraction(correlations.size - 1, ruled_out))


def _nearly_orthogonal(
    correlations: Correlations, pair: Fraction, norm: Fraction | None, search_up_to: int
) -> tuple[tuple[int, ...], int]:
    def graph(margin: Fraction) -> Graph:
        edges = correlations.at_most(pair + margin)
        vertices = True if norm is None else correlations.at_most(norm + margin).diagonal()
        edges = edges.copy()
        edges[range(len(edges)), range(len(edges))] = vertices
        edges &= edges.diagonal()[:, None] & edges.diagonal()
        return edges

    error = correlations.error
    return largest_clique(graph(-error), graph(error), search_up_to=search_up_to)


def _refuse_other_norms(correlations: Correlations) -> None:
    for i, norm in enumerate(map(Fraction, correlations.matrix.diagonal())):
        if abs(norm - 1) > correlations.error:
            raise BadInput(
                f"function {i} has the squared norm {float(norm):.6g}; SQ-DIM is defined for norm "
                "1: divide by the norms (of a ridge_gram, give Correlations(gram.cosines, "
                "gram.radius.value)), or ask for correlation_dimension"
            )
