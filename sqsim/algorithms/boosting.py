"""Functional gradient boosting: from agnostic learning to learning p-concepts.

Knows the transfer function and the agnostic learner; does not know the family of concepts, nor how
the learner works.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar, final

import numpy as np

from sqsim.algorithms.combinations import Atom, Combination
from sqsim.algorithms.label_free import LabelFree
from sqsim.algorithms.relabelling import residual_labels
from sqsim.errors import BadInput
from sqsim.lowrank import Array
from sqsim.problems.problem import Problem
from sqsim.problems.transfers import Transfer
from sqsim.queries import Query
from sqsim.strategy import Strategy

Q = TypeVar("Q", bound=Query)


@final
@dataclass(frozen=True, eq=False)
class BoostedConcept:
    """x -> psi(f_T(x)), an estimate of E[y | x].

    Attributes
    ----------
    iterates : tuple of Combination
        f_0 = 0, f_1, ..., f_T.
    """

    transfer: Transfer
    iterates: tuple[Combination, ...]

    @property
    def score(self) -> Combination:
        """f_T."""
        return self.iterates[-1]

    def __call__(self, inputs: Array) -> Array:
        """Means of the labels at these inputs, (n, d) -> (n,)."""
        return np.asarray(self.transfer(self.score(inputs)))


def boosted_p_concept(
    problem: Problem,
    learner: Callable[[Problem], Strategy[Q, Atom]],
    *,
    transfer: Transfer,
    radius: float,
    steps: int,
    known: LabelFree | None = None,
) -> Strategy[Q, BoostedConcept]:
    """Frank-Wolfe on Ls(f) = E[Psi(f(x)) - y f(x)] over radius conv(+-C), by a learner of C.

    Step t = 0, 1, ...: the learner is run on the labels r = y - psi(f_t(x)) and finds an atom s_t
    with E[r s_t] >= max over +-C of E[r c] - slack; f_(t+1) = (1 - g) f_t + g radius s_t with
    g = 2 / (t + 2).  Goel, Gollakota and Klivans (2020); the schedule and constants are derived
    here.

    Parameters
    ----------
    learner : function (problem) -> strategy
        Agnostic, in the sense of correlation: `agnostic_choice`, `agnostic_parity`,
        `agnostic_neuron(...)`.  Correlational in, correlational out; statistical in, statistical
        out, unless it is wrapped by `with_random_signs`.
    transfer : Transfer
        psi, with E[y | x] = psi(f*(x)).
    radius : float
        f* is a combination of concepts whose weights have sizes that add up to at most this.
    steps : int
    known : LabelFree, optional
        How the learner finds expectations without labels; needed where the problem's inputs are
        many directions and the default sample is too small.

    Notes
    -----
    Guarantee: Ls(f_T) - Ls(f*) <= `frank_wolfe_excess`, which is 8 L radius^2 max ||c||^2 / (T + 2)
    + radius slack for a psi of Lipschitz constant L, and ||psi(f) - psi(f*)||^2 <= 2 L (Ls(f) -
    Ls(f*)) where E[y | x] = psi(f*(x)), since Ls(f) - Ls(f*) is then the mean of a Bregman
    divergence.

    Cost: `steps` times the rounds and queries of the learner; label-free parts are free.
    """
    if not 0 < radius < np.inf:
        raise BadInput(f"radius is {radius}; wanted a finite bound > 0 of the weights of f*")
    if isinstance(steps, bool) or not isinstance(steps, int) or steps < 1:
        raise BadInput(f"steps is {steps!r}; at least one step wanted")
    if not isinstance(transfer, Transfer):
        raise BadInput(f"transfer is {transfer!r}; wanted for example Logistic()")
    means = LabelFree(problem.inputs) if known is None else known
    iterates = [Combination()]
    for step in range(steps):
        current = iterates[-1]
        atom = yield from residual_labels(learner(problem), current, transfer, means)
        if not isinstance(atom, Atom):
            raise BadInput(f"the learner returned {type(atom).__name__}; wanted an Atom")
        iterates.append(current.moved(2 / (step + 2), atom, radius))
    return BoostedConcept(transfer, tuple(iterates))


def frank_wolfe_excess(
    *, steps: int, radius: float, norm: float, slack: float, lipschitz: float
) -> float:
    """8 L radius^2 norm^2 / (steps + 2) + radius slack, the most that Ls(f_T) - Ls(f*) can be.

    Derived here: Ls has curvature at most L, and radius s_t and f_t differ by at most 2 radius norm
    in L2, so that the excess h satisfies h_(t+1) <= (1 - g) h_t + g radius slack + 2 g^2 L radius^2
    norm^2; by induction with g = 2 / (t + 2).

    Parameters
    ----------
    norm : at least ||c|| for every concept and every atom.
    slack : at least max E[r c] - E[r s_t] in every step.
    """
    return 8 * lipschitz * radius**2 * norm**2 / (steps + 2) + radius * slack
