"""Gradient descent with bias that cannot die: it starts below the loss of the zero hypothesis."""

from __future__ import annotations

import numpy as np

from sqsim.algorithms.descent import random_neuron
from sqsim.algorithms.fields import activation, agreement, energy, neuron
from sqsim.errors import BadInput
from sqsim.problems.hypothesis import ReluHypothesis, zero
from sqsim.problems.problem import Problem
from sqsim.queries import Correlation, Ridge
from sqsim.seeds import Seed
from sqsim.strategy import CSQ, ask, ask_all


def scaled_gradient_descent(
    problem: Problem,
    *,
    start: ReluHypothesis | None = None,
    steps: int = 200,
    step_size: float = 0.5,
    seed: Seed = 0,
) -> CSQ[ReluHypothesis]:
    """Gradient descent on (w, b) from the multiple of a start that loses least; the last iterate.

    One scalar E[y sigma] scales the start, then `steps` rounds of d + 1 correlational queries:
    E[y 1(.) x] and E[y 1(.)].  Zero is returned where that scalar is not positive, since no
    multiple of the start beats it.  The start is random if None, with bias 0 where none is told.

    Vardi, Yehudai and Shamir (2021) prove convergence on clean labels from starts of less loss
    than the zero hypothesis, F(w_0) < F(0), under assumptions on x not restated here; scaling
    makes every start with E[y sigma] > 0 one.  Proved here, by convexity of the two parts: where
    E[y | x] >= 0, E[x] = 0 and E[x x'] = I, F obeys F(z + h) <= F(z) + <grad F, h> + ||h||^2 (the
    part -2 E[y sigma] is concave), so with exact answers and step_size < 1 every step lowers it by
    step_size (1 - step_size) ||grad F||^2: the neuron never dies, and the least gradient of T
    steps is at most sqrt(F(w_0) / (step_size (1 - step_size) T)).
    """
    if steps < 1 or not 0 < step_size < 1:
        raise BadInput(f"steps {steps} and step_size {step_size}; wanted >= 1, and in (0, 1)")
    if start is None:
        drawn = random_neuron(problem, seed=seed)
        start = ReluHypothesis(drawn.weights / drawn.norm, drawn.bias / drawn.norm)
    own = energy(problem, start)
    if start.norm == 0.0 or own <= 0.0:
        raise BadInput(f"start {start} is never active on these inputs; wanted one that is")
    agreed = yield from ask(agreement(start), step="scale")
    multiple = float(agreed) / own
    if multiple <= 0.0:
        return zero(problem.dimension)
    current = ReluHypothesis(multiple * start.weights, multiple * start.bias)
    for step in range(steps):
        field, share = yield from ask_all(
            Correlation(activation(current, power=1), "gradient in w"),
            Correlation(activation(current, power=0), "gradient in b"),
            step=step,
            w=current.weights,
            b=current.bias,
        )
        predicted = neuron(current)
        pull = problem.inputs.expectation(
            Ridge(predicted.h, predicted.frame, power=1, kinks=predicted.kinks)
        )
        level = float(problem.inputs.expectation(predicted))
        current = ReluHypothesis(
            current.weights - 2 * step_size * (pull - np.asarray(field)),
            current.bias - 2 * step_size * (level - float(share)),
        )
        if current.norm == 0.0:
            break
    return current
