"""All neurons of a network at once: outer weights by least squares, and Gauss-Newton rounds.

Everything but the correlations with the label is label-free and computed, not asked.
"""

from __future__ import annotations

import numpy as np

from sqsim.algorithms.fields import activation, agreement
from sqsim.algorithms.network_means import link_mean, network_energy, network_mean, neuron_gram
from sqsim.errors import BadInput
from sqsim.links import Step
from sqsim.lowrank import Array
from sqsim.problems.hypothesis import ReluHypothesis
from sqsim.problems.network import ReluNetwork, no_neurons
from sqsim.problems.problem import Problem
from sqsim.queries import Correlation
from sqsim.strategy import CSQ, ask_all

SINGULAR = 1e-10
"""Relative eigenvalue of a Gram matrix below which two neurons count as one."""

LONGEST = 0.5
"""Most that one round may turn a direction or shift a bias."""


def fit_outer(problem: Problem, network: ReluNetwork) -> CSQ[tuple[ReluNetwork, float]]:
    """The outer weights of least loss for these directions and biases, and that loss - E[y^2].

    One round of k correlational queries E[y sigma_j]; the Gram matrix is in closed form, and its
    directions of relative eigenvalue below 1e-10 are left out.
    """
    if not network.count:
        return network, 0.0
    answers = yield from ask_all(
        *(agreement(neuron) for neuron in _neurons(network)), step="outer weights"
    )
    agreed = np.array([float(answer) for answer in answers])
    gram = neuron_gram(network)
    outer = _solve(gram, agreed)
    fitted = ReluNetwork(outer, network.directions, network.biases)
    return fitted, float(outer @ gram @ outer - 2 * outer @ agreed)


def refine_jointly(problem: Problem, network: ReluNetwork, *, rounds: int = 10) -> CSQ[ReluNetwork]:
    """Gauss-Newton on all directions, biases and outer weights; the network of least loss met.

    Each of `rounds` rounds asks, for each of k neurons, E[y 1(active) x], E[y 1(active)] and
    E[y sigma]: k(d + 2) correlational queries; E[1(active) 1(active') (x, 1)(x, 1)'] and all that
    the network itself predicts are label-free.  Quadratically convergent near a network of loss 0;
    a step that would turn a direction or shift a bias by more than 1/2 is shortened.  Access: CSQ.
    """
    if rounds < 0:
        raise BadInput(f"rounds is {rounds}; wanted at least 0")
    best, least = no_neurons(problem.dimension), 0.0
    current = network
    for step in range(rounds):
        if not current.count:
            break
        asked = []
        for neuron in _neurons(current):
            asked += [
                Correlation(activation(neuron, power=1), "gradient in w"),
                Correlation(activation(neuron, power=0), "gradient in b"),
                agreement(neuron),
            ]
        answers = yield from ask_all(*asked, step=step)
        agreed = np.array([float(answer) for answer in answers[2::3]])
        excess = network_energy(current) - 2 * float(current.outer @ agreed)
        if excess < least:
            best, least = current, excess
        fields = np.array([np.asarray(answer) for answer in answers[0::3]])
        shares = np.array([float(answer) for answer in answers[1::3]])
        current = _stepped(problem, current, fields, shares)
    return best


def _neurons(network: ReluNetwork) -> list[ReluHypothesis]:
    """The neurons with their outer weights left out."""
    pairs = zip(network.directions, network.biases.tolist(), strict=True)
    return [ReluHypothesis(row, bias) for row, bias in pairs]


def _stepped(problem: Problem, network: ReluNetwork, fields: Array, shares: Array) -> ReluNetwork:
    """One Gauss-Newton step in (a_j v_j, a_j b_j), for which the network is piecewise linear."""
    neurons = _neurons(network)
    count = network.count
    for j, neuron in enumerate(neurons):
        fields[j] -= network_mean(problem, network, activation(neuron, power=1))
        shares[j] -= float(network_mean(problem, network, activation(neuron, power=0)))
    basis = np.linalg.svd(network.directions, full_matrices=False)[2]
    rank = len(basis)
    both, inside = _curvature(problem, network, neurons, basis)
    right = np.concatenate([fields @ basis.T, shares[:, None]], axis=1).ravel()
    found = _solve(inside, right).reshape(count, rank + 1)
    outside = fields - fields @ basis.T @ basis
    shift = found[:, :rank] @ basis + _solve(both, outside)
    weights = network.outer[:, None] * network.directions
    # (a v, a b) moves linearly; the largest turn or shift of any neuron is bounded.
    offsets = network.outer * network.biases
    size = np.maximum(np.abs(network.outer), 1e-12)
    reach = np.hypot(np.linalg.norm(shift, axis=1), found[:, rank]) / size
    scale = min(1.0, LONGEST / max(float(reach.max()), 1e-300))
    weights = weights + scale * shift
    offsets = offsets + scale * found[:, rank]
    length = np.linalg.norm(weights, axis=1)
    kept = length > 0
    sign = np.where(network.outer < 0, -1.0, 1.0)
    outer = (sign * length)[kept]
    return ReluNetwork(outer, weights[kept] / outer[:, None], offsets[kept] / outer)


def _curvature(
    problem: Problem, network: ReluNetwork, neurons: list[ReluHypothesis], basis: Array
) -> tuple[Array, Array]:
    """P(both active), and E[1_i 1_j (u, 1)(u, 1)'] in the basis as one k(r + 1) square matrix."""
    count, rank = network.count, len(basis)
    both = np.zeros((count, count))
    blocks = np.zeros((count, rank + 1, count, rank + 1))
    for i, neuron in enumerate(neurons):
        for j in range(i, count):
            # `Step` of the other neuron against this one's activation.
            row, link = network.directions[j], Step(float(network.biases[j]))
            share = float(link_mean(problem, row, link, activation(neuron, power=0)))
            first = basis @ link_mean(problem, row, link, activation(neuron, power=1))
            second = link_mean(problem, row, link, activation(neuron, power=2))
            block = np.zeros((rank + 1, rank + 1))
            block[:rank, :rank] = basis @ second @ basis.T + share * np.eye(rank)
            block[:rank, rank] = block[rank, :rank] = first
            block[rank, rank] = share
            both[i, j] = both[j, i] = share
            blocks[i, :, j, :] = blocks[j, :, i, :] = block
    return both, blocks.reshape(count * (rank + 1), count * (rank + 1))


def _solve(matrix: Array, right: Array) -> Array:
    """Least squares with the matrix's diagonal scaled to 1 and its null directions left out."""
    scale = np.sqrt(np.maximum(np.diag(matrix), 1e-300))
    scaled = matrix / np.outer(scale, scale)
    values, vectors = np.linalg.eigh((scaled + scaled.T) / 2)
    kept = values > SINGULAR * max(float(values[-1]), 1e-300)
    inverse = np.where(kept, 1 / np.where(kept, values, 1.0), 0.0)
    column = right if right.ndim == 2 else right[:, None]
    solved = (vectors * inverse) @ (vectors.T @ (column / scale[:, None])) / scale[:, None]
    return np.asarray(solved if right.ndim == 2 else solved[:, 0])
