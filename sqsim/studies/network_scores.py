"""How well a network was learned: directions matched one to one, losses in closed form.

This file does not know strategies, nor oracles that answer.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from sqsim.algorithms.network_learners import LearnedNetwork
from sqsim.algorithms.network_means import distance_between
from sqsim.errors import BadInput
from sqsim.links import Link, Relu, Scaled
from sqsim.lowrank import Array
from sqsim.problems.index import IndexInstance
from sqsim.problems.network import ReluNetwork, no_neurons

LEARNED = 0.05
"""Of the zero hypothesis's loss, beyond the budget of the corruption: below, a run has learned."""

RECOVERED = 0.95
"""Overlap from which a hidden direction counts as found."""

STAYED = 0.9
"""From this share of the zero hypothesis's loss on, a run has learned nothing."""


def matched_overlaps(found: ReluNetwork, hidden: ReluNetwork) -> tuple[Array, Array]:
    """|<v_j, w_m(j)>| for the matching m of greatest total, and m(j), -1 and 0 where unmatched."""
    from scipy.optimize import linear_sum_assignment

    table = np.abs(found.directions @ hidden.directions.T)
    rows, columns = linear_sum_assignment(-table)
    overlaps, partners = np.zeros(hidden.count), np.full(hidden.count, -1)
    overlaps[columns], partners[columns] = table[rows, columns], rows
    return np.minimum(overlaps, 1.0), partners


def label_network(instance: IndexInstance) -> ReluNetwork:
    """E[y | x] as a network, where all terms of the label are ReLU neurons."""
    parts = []
    for term in instance.labels.terms:
        link: Link = term.link
        factor = 1.0
        if isinstance(link, Scaled):
            factor, link = link.factor, link.link
        if not isinstance(link, Relu) or term.gate is not None:
            raise BadInput("the label has a term that is not a ReLU neuron; its loss is not one")
        parts.append((factor * link.norm, term.direction, link.bias / link.norm))
    outer, rows, biases = zip(*parts, strict=True)
    return ReluNetwork(np.array(outer), np.array(rows), np.array(biases))


def network_scores(
    learned: LearnedNetwork, instance: IndexInstance, network: ReluNetwork
) -> dict[str, Any]:
    """Recovery, losses and outcome, as plain data."""
    label = label_network(instance)
    noise = instance.labels.noise**2
    zero_loss = distance_between(label, no_neurons(network.dimension)) + noise
    loss = distance_between(label, learned.network) + noise
    overlaps, partners = matched_overlaps(learned.network, network)
    opt = instance.opt_upper_bound
    share = (loss - opt) / zero_loss
    outcome = (
        "learned"
        if share <= LEARNED
        else "no better than zero"
        if (loss >= STAYED * zero_loss)
        else "in between"
    )
    errors = [
        abs(float(learned.network.biases[p] - b)) if p >= 0 else None
        for p, b in zip(partners, network.biases, strict=True)
    ]
    return {
        "outcome": outcome,
        "overlaps": overlaps.tolist(),
        "recovered": int(np.count_nonzero(overlaps >= RECOVERED)),
        "worst_angle": math.acos(float(overlaps.min())),
        "bias_errors": errors,
        "pursued_overlaps": matched_overlaps(learned.pursued, network)[0].tolist(),
        "pursued_loss_to_zero": (distance_between(label, learned.pursued) + noise) / zero_loss,
        "found": learned.network.count,
        "loss": loss,
        "loss_to_zero": loss / zero_loss,
        "loss_to_opt": loss / opt if opt > 0 else None,
    }
