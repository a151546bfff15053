"""What reliable learning to epsilon needs: degree, penalty, rounds and tolerance.

This file does not ask anything.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import final

import numpy as np

from sqsim.algorithms.accelerated import accelerated_rounds
from sqsim.algorithms.ball_inputs import check_inputs
from sqsim.algorithms.polynomial_balls import (
    PolynomialBall,
    kernel_ball,
    orthonormal_ball,
    orthonormal_fits,
)
from sqsim.errors import BadInput
from sqsim.losses import AbsoluteLoss, Continued, Hinge, Insensitive, Loss, Square
from sqsim.lowrank import Array
from sqsim.multinomial import MEMORY, MonomialFeatures
from sqsim.polynomials import LARGEST_DEGREE, NeuronPolynomial, nearest_relu
from sqsim.problems.problem import Problem

SHARE = 0.8
"""Part of epsilon that approximation and threshold may use where the degree is free."""

NEVER_NEGATIVE = (Square, AbsoluteLoss, Hinge, Insensitive)
SCALARS = 3


@final
@dataclass(frozen=True, eq=False)
class ReliablePlan:
    """Constants of reliable learning; each is derived here, after theory of GKKT (2017).

    F(f) = E[l(f, y) 1{y > 0}] + mu E[phi(f) 1{y = 0}] over the ball, l continued beyond [0, 1] and
    phi the Huber hinge: 0 up to a, (f - a)^2 / (2 a) up to 2 a, then of slope 1.  The polynomial p
    is off by a on [-1, 1], so p(<w, x>) of a reliable neuron pays no phi and at most L a more
    loss.  With F(f) <= min F + spare, mu = 2 G / (epsilon a) and G the largest possible
    F - E[l 1{y > 0}], the guess that is 0 where f <= 2 a has

        P[h != 0, y = 0] <= E[phi(f) 1{y = 0}] / phi(2 a) <= epsilon,
        E[l(h, y) 1{y > 0}] <= best + 3 L a + spare = best + epsilon.

    The spare is split: 1/4 for averaging l over a window of half-width sigma, 1/2 for the rounds,
    1/8 for the answers and 1/8 for what floats leave out of the ball.

    Attributes
    ----------
    epsilon, loss : as asked.
    polynomial : p, with a its proved error.
    ball : PolynomialBall.
    spare, penalty, window : spare, mu, sigma.
    """

    epsilon: float
    loss: Loss
    polynomial: NeuronPolynomial
    ball: PolynomialBall
    spare: float
    penalty: float
    window: float

    @property
    def margin(self) -> float:
        """a: how far the polynomial is off."""
        return self.polynomial.error

    @property
    def threshold(self) -> float:
        """2 a: guesses up to it are 0."""
        return 2 * self.margin

    @property
    def never_negative(self) -> bool:
        """Whether l >= 0 is known."""
        return isinstance(self.loss, NEVER_NEGATIVE)

    @property
    def scale(self) -> float:
        """S: the gradient is asked divided by it, so that psi h has values in [-1, 1]."""
        return max(self.loss.lipschitz, self.penalty)

    @property
    def curvature(self) -> float:
        """Of F with averaged loss: steepness (L / sigma + mu / a)."""
        return self.ball.steepness * (
            self.loss.lipschitz / self.window + self.penalty / self.margin
        )

    @property
    def steps(self) -> int:
        """T: gradient steps that suffice whatever the labels are."""
        return accelerated_rounds(
            curvature=self.curvature, radius=self.ball.radius, gap=self.spare / 2
        )

    @property
    def rounds(self) -> int:
        """T + 1: the last round measures what was learned."""
        return self.steps + 1

    @property
    def queries(self) -> int:
        """(r + 3) for each round, r coordinates of the ball."""
        return self.rounds * (self.ball.size + SCALARS)

    @property
    def tolerance(self) -> float:
        """spare / (16 R sqrt(r) S): answers that accurate keep the promise."""
        return self.spare / (16 * self.ball.radius * math.sqrt(self.ball.size) * self.scale)

    @property
    def slack(self) -> float:
        """F of the ball's nearest to a comparator, above the comparator's: L sqrt(e) + mu e / 2a.

        The phi of a sum is at most (its overshoot)^2 / (2 a).
        """
        lost = self.ball.lost
        return self.loss.lipschitz * math.sqrt(lost) + self.penalty * lost / (2 * self.margin)

    def slopes(self, scores: Array, labels: Array) -> Array:
        """The derivative of F's integrand in the score, averaged over the window, over S."""
        loss, sigma = Continued(self.loss), self.window
        rise = loss.value(scores + sigma, labels) - loss.value(scores - sigma, labels)
        push = self.penalty * np.clip((scores - self.margin) / self.margin, 0.0, 1.0)
        return np.asarray(np.where(labels > 0, rise / (2 * sigma), push) / self.scale)

    def objective(self, scores: Array, labels: Array) -> Array:
        """F's integrand over S."""
        a = self.margin
        over = np.maximum(scores - a, 0.0)
        pay = np.where(over <= a, over**2 / (2 * a), over - a / 2)
        value = Continued(self.loss).value(scores, labels)
        return np.asarray(np.where(labels > 0, value, self.penalty * pay) / self.scale)


def reliable_plan(
    problem: Problem,
    *,
    epsilon: float,
    loss: Loss | None = None,
    degree: int | None = None,
    accuracy: float | None = None,
    in_kernel_space: bool = False,
    limit: int = MEMORY,
) -> ReliablePlan:
    """The constants, checked before anything is asked.

    Parameters
    ----------
    epsilon : in (0, 1/2)
    loss : Loss, the square loss unless given
    degree : int, optional
        Unless given the least for which 3 L a <= 0.8 epsilon: about 0.53 L / epsilon.
    accuracy : float, optional
        The spare: how near to min F the last guess is; epsilon - 3 L a, the most there is, unless
        a smaller one is given.
    in_kernel_space : bool
        The ball ||v||^2 <= B of the source, even where an orthonormal basis is at hand.
    limit : bytes

    Raises
    ------
    BadInput
        Where epsilon cannot be reached, the features do not fit into memory, or inputs have norms
        above 1.
    """
    loss = Square() if loss is None else loss
    if isinstance(epsilon, bool) or not 0 < epsilon < 0.5:
        raise BadInput(f"epsilon is {epsilon!r}; wanted one in (0, 1/2)")
    check_inputs(problem)
    steep = loss.lipschitz
    polynomial = _polynomial(epsilon, steep, degree)
    features = MonomialFeatures(problem.dimension, polynomial.degree)
    features.check_memory(limit)
    spare = epsilon - 3 * steep * polynomial.error
    if spare <= 0:
        raise BadInput(
            f"epsilon is {epsilon:g}, and degree {polynomial.degree} is off by "
            f"{polynomial.error:.4g}, of which three times L = {steep:g} is "
            f"{epsilon - spare:.4g}; ask for a larger epsilon or a higher degree"
        )
    if accuracy is not None:
        if not 0 < accuracy <= spare:
            raise BadInput(f"accuracy is {accuracy!r}; wanted one in (0, {spare:.4g}]")
        spare = accuracy
    b = polynomial.norm_squared
    if in_kernel_space or not orthonormal_fits(features, problem.inputs):
        ball = kernel_ball(features, norm_squared=b)
    else:
        largest = 1.0 + polynomial.error
        ball = orthonormal_ball(features, problem.inputs, norm_squared=b, largest=largest)
    gap = loss.bound + epsilon - _least(loss, ball)
    penalty = 2 * gap / (epsilon * polynomial.error)
    plan = ReliablePlan(epsilon, loss, polynomial, ball, spare, penalty, spare / (2 * steep))
    if plan.slack > spare / 8:
        raise BadInput(
            f"degree {polynomial.degree} under these inputs is beyond the resolution of floats "
            f"(at most {plan.slack:.2g} of {spare / 8:.2g} may be lost); ask for a larger epsilon, "
            "or for the ball of the kernel"
        )
    return plan


def subgradient_rounds(plan: ReliablePlan) -> float:
    """Rounds of plain projected subgradients on the same F and ball: (2 R G / spare)^2.

    G = sqrt(steepness) S bounds the gradients; in the kernel's ball this is the O(B (d + 1) L^2 /
    epsilon^2) of the source with mu in place of L.
    """
    reach = 2 * plan.ball.radius * math.sqrt(plan.ball.steepness) * plan.scale
    return (reach / plan.spare) ** 2


def _polynomial(epsilon: float, steep: float, degree: int | None) -> NeuronPolynomial:
    if degree is not None:
        return nearest_relu(degree=degree)
    wanted = SHARE * epsilon / (3 * steep)
    # The least error that floats hold is known only by trying, which the common case need not.
    if wanted < 0.2 / LARGEST_DEGREE and wanted < (
        reached := nearest_relu(degree=LARGEST_DEGREE).error
    ):
        raise BadInput(
            f"epsilon is {epsilon:g}: a loss of Lipschitz constant {steep:g} then needs a "
            f"polynomial off by {wanted:.4g}, and degree {LARGEST_DEGREE}, the last that floats "
            f"hold, reaches {reached:.4g}; ask for epsilon >= {3 * steep * reached / SHARE:.3g}"
        )
    return nearest_relu(epsilon=wanted)


def _least(loss: Loss, ball: PolynomialBall) -> float:
    """A lower bound of E[l(f, y) 1{y > 0}] over the ball."""
    if isinstance(loss, NEVER_NEGATIVE):
        return 0.0
    if loss.monotone:
        return -loss.bound
    return -loss.bound - loss.lipschitz * ball.radius * math.sqrt(ball.steepness)
