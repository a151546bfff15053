"""Proper learners of a ReLU whose weights are equal on a set of known size and 0 elsewhere."""

from __future__ import annotations

import numpy as np

from sqsim.errors import BadInput
from sqsim.problems.hypothesis import ReluHypothesis, zero
from sqsim.problems.problem import Problem
from sqsim.queries import Correlation, Opaque
from sqsim.set_neurons import SetNeurons, sets_of_size
from sqsim.strategy import CSQ, ask


def exhaustive_neurons(
    problem: Problem, *, sparsity: int, opposed: bool = False
) -> CSQ[ReluHypothesis]:
    """The neuron norm sigma(<1_T, x> / sqrt k) of least loss over all sets T of size k.

    One round of binomial(d, k) correlational queries, asked as one: E[y sigma] for every T.
    Agnostic and proper within this class on standard Gaussian inputs, where all its neurons have
    the same energy: with answers within Absolute(t) the loss is at most 4 t above the least where
    the norm is told.  Where it is not, neurons of norm 1 are asked, the best answer gives the norm,
    and the loss is at most 4 sqrt(2) t ||y|| + 2 t^2 above the least over all norms.  Derived here.

    The neurons of Goel, Karmalkar and Klivans (2019), Lemma 1, by brute force.

    Parameters
    ----------
    sparsity : k, at least 1.  Where k > d there is no set, and a neuron of one coordinate (0 where
        the norm is not told) is returned unasked.
    opposed : bool
        The weight of each set's first member is negative: the neuron that agrees with a parity of
        k = 4, 8, 12, ... signs.
    """
    if isinstance(sparsity, bool) or not isinstance(sparsity, int) or sparsity < 1:
        raise BadInput(f"sparsity is {sparsity!r}; a set has a size of at least 1")
    d = problem.dimension
    if sparsity > d:
        alone = np.zeros(d)
        alone[0] = 0.0 if problem.norm is None else problem.norm
        return ReluHypothesis(alone, 0.0)
    norm = 1.0 if problem.norm is None else problem.norm
    neurons = SetNeurons(sets_of_size(d, sparsity), norm, opposed)
    answers = yield from ask(
        Correlation(Opaque(neurons, len(neurons.sets)), "agreement of every set")
    )
    best = int(np.argmax(answers))
    weights = neurons.weights(best, d)
    if problem.norm is None:
        # ||sigma||^2 = 1/2, so the loss is E[y^2] - 2 c E[y sigma] + c^2 / 2.
        length = 2 * float(answers[best])
        return ReluHypothesis(length * weights, 0.0) if length > 0 else zero(d)
    return ReluHypothesis(weights, 0.0)
