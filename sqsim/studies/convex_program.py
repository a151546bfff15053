"""The convex program of reliable learning, solved from a whole table: what strategies are held to.

This file does not know strategies or oracles.  By the representer theorem the program only needs
the multinomial kernel of the rows, which is why it is a program and not a statistical query.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from typing import Any, final

import numpy as np

from sqsim.errors import BadInput
from sqsim.losses import (
    AbsoluteLoss,
    Continued,
    Hinge,
    Insensitive,
    LinearLoss,
    Loss,
    Square,
)
from sqsim.lowrank import Array
from sqsim.multinomial import multinomial_kernel
from sqsim.problems.dataset import Dataset
from sqsim.risks import check_labels

LARGEST_TABLE = 3000

GAP = 1e-7
"""Tolerances of the solver, above its own: losses with flat parts end short of 1e-8."""


@final
@dataclass(frozen=True, eq=False)
class ProgramSolution:
    """The optimum: least value, and the scores of the rows.

    Attributes
    ----------
    value : E[l(f, y) 1{y > 0}], with the penalty where one was asked for.
    scores : (n,) f of each row.
    accurate : whether the solver met its own tolerances.
    """

    value: float
    accurate: bool
    scores: Array = field(repr=False)


def convex_program(
    dataset: Dataset,
    *,
    degree: int,
    norm_squared: float,
    margin: float,
    loss: Loss,
    penalty: float | None = None,
    on_table: bool = False,
) -> ProgramSolution:
    """min E[l(f, y) 1{y > 0}] over ||f||^2 <= B with f <= margin wherever y = 0.

    Goel, Kanade, Klivans and Thaler (2017), the program of theorem 1, l continued beyond [0, 1].
    Solved by Clarabel through cvxpy.

    Parameters
    ----------
    degree, norm_squared : of the multinomial kernel's space; B.
    margin : the right-hand side of the constraint.
    penalty : float, optional
        mu: mu E[phi(f) 1{y = 0}] instead of the constraint, phi the Huber hinge of `ReliablePlan`.
    on_table : bool
        E[f^2] <= B over the rows instead of the norm in the kernel's space.

    Raises
    ------
    BadInput
        Where cvxpy is missing, the table is large, or the loss cannot be written for cvxpy.
    """
    cvxpy = _cvxpy()
    x, y = np.asarray(dataset.inputs, float), check_labels(dataset.targets)
    if len(x) > LARGEST_TABLE:
        raise BadInput(
            f"{len(x)} rows; the kernel's matrix is made for at most {LARGEST_TABLE}: use "
            "reliable_relu, which asks for means"
        )
    values, vectors = np.linalg.eigh(multinomial_kernel(x, x, degree))
    keep = values > 1e-13 * values[-1]
    root = vectors[:, keep] * (np.sqrt(len(x)) if on_table else np.sqrt(values[keep]))
    u = cvxpy.Variable(root.shape[1])
    scores = root @ u
    positive, negative = np.flatnonzero(y > 0), np.flatnonzero(y == 0)
    constraints = [cvxpy.norm(u, 2) <= float(np.sqrt(norm_squared))]
    terms, total = _losses(cvxpy, loss, scores[positive], y[positive]), 0.0
    constraints += terms[1]
    total = total + terms[0]
    if len(negative) and penalty is None:
        constraints.append(scores[negative] <= margin)
    elif len(negative):
        over = cvxpy.pos(scores[negative] - margin)
        total = total + penalty * cvxpy.sum(cvxpy.huber(over, margin)) / (2 * margin)
    problem = cvxpy.Problem(cvxpy.Minimize(total / len(y)), constraints)
    with warnings.catch_warnings():
        # That a solution may be inaccurate is said in what is returned.
        warnings.simplefilter("ignore", UserWarning)
        problem.solve(solver=cvxpy.CLARABEL, tol_gap_abs=GAP, tol_gap_rel=GAP, tol_feas=GAP)
    if u.value is None:
        raise BadInput(f"the solver ended with {problem.status!r}; is the margin positive?")
    return ProgramSolution(
        float(problem.value), problem.status == "optimal", np.asarray(root @ u.value)
    )


def _losses(cvxpy: Any, loss: Loss, scores: Any, labels: Array) -> tuple[Any, list[Any]]:
    """The sum of the continued losses: inside [0, 1] itself, beyond it along the end slopes."""
    count = len(labels)
    if not count:
        return 0.0, []
    if isinstance(loss, LinearLoss):
        return -labels @ scores, []
    if isinstance(loss, Hinge | AbsoluteLoss):
        # Continued they are themselves, but flat above 1 where the label is 1.
        total = cvxpy.sum(cvxpy.pos(labels - scores))
        if isinstance(loss, AbsoluteLoss):
            total = total + (labels < 1).astype(float) @ cvxpy.pos(scores - labels)
        return total, []
    inside, beyond, below = (cvxpy.Variable(count) for _ in range(3))
    ends = Continued(loss)
    steepness = ends.slope(np.ones(count), labels), -ends.slope(np.zeros(count), labels)
    total = _written(cvxpy, loss, inside, labels)
    total = total + steepness[0] @ beyond + steepness[1] @ below
    return total, [
        scores == inside + beyond - below,
        inside >= 0,
        inside <= 1,
        beyond >= 0,
        below >= 0,
    ]


def _written(cvxpy: Any, loss: Loss, guess: Any, labels: Array) -> Any:
    if isinstance(loss, Square):
        return cvxpy.sum_squares(guess - labels)
    if isinstance(loss, Insensitive):
        return cvxpy.sum(cvxpy.pos(cvxpy.abs(guess - labels) - loss.width))
    raise BadInput(
        f"{loss!r} is not written for cvxpy; wanted Square, AbsoluteLoss, Hinge, Insensitive or "
        "LinearLoss"
    )


def _cvxpy() -> Any:
    try:
        import cvxpy
    except ModuleNotFoundError as error:
        raise BadInput("the convex program needs cvxpy and Clarabel; install sqsim[opt]") from error
    return cvxpy
