"""What one neuron agrees with and loses on an instance, in or off the plane of its label.

This file does not know where neurons come from.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from sqsim.links import HermiteSeries, Relu
from sqsim.lowerbounds.quantities import Estimate
from sqsim.lowrank import Array
from sqsim.oracles.quadrature import Quadrature
from sqsim.problems.hypothesis import ReluHypothesis
from sqsim.problems.index import IndexInstance
from sqsim.problems.labels import LabelLaw, Term
from sqsim.queries import Correlation, Ridge, Statistic
from sqsim.special import normal_tail
from sqsim.studies.planar import Planar
from sqsim.tolerance import Mean, Scale


def population_loss(instance: IndexInstance, neuron: ReluHypothesis) -> Estimate:
    """E[(y - yhat)^2] as E[y^2] - 2 E[y yhat] + E[yhat^2], its error relative to E[y^2].

    Parameters
    ----------
    neuron : any, in or out of the label's plane; not a constant.
    """
    energy = one_mean(Planar(), instance, Statistic(Ridge(np.square), "label energy"))
    error = float(np.max(energy.error))
    if neuron.norm == 0.0:
        return Estimate(energy.number, error, "planar rule")
    c, b = neuron.norm, neuron.bias / neuron.norm
    form = Ridge(lambda s: np.maximum(s + b, 0.0), neuron.weights / c, kinks=(-b,))
    agreed = one_mean(Planar(), instance, Correlation(form, "agreement"))
    value = energy.number - 2 * c * agreed.number + c * c * neuron_energy(b)
    return Estimate(value, error + 2 * c * float(np.max(agreed.error)), "planar rule")


def neuron_energy(b: float) -> float:
    """E[max(z + b, 0)^2] = Phi(b) + b E[max(z + b, 0)]; some b^2 units of rounding are lost."""
    _, cdf, part = normal_tail(np.array([b]))
    return float(cdf[0] + b * part[0])


def agreement_off_the_plane(instance: IndexInstance, u: Array, b: float) -> Mean:
    """E[y max(<u, x> + b, 0)] with the neuron as the label and the label's terms as queries.

    The neuron off the span is then smoothed in closed form, and the integral is over the span.
    """
    neuron = replace(instance, labels=LabelLaw((Term(u, Relu(b)),)))
    value, error = 0.0, 0.0
    for term in instance.labels.terms:
        found = one_mean(Quadrature(), neuron, Correlation(_as_query(term)))
        # A linear link leaves E[x gate neuron], of which one component is wanted.
        part = found.value @ term.direction if np.ndim(found.value) else found.number
        factor = float(term.link(np.ones(1))[0]) if np.ndim(found.value) else 1.0
        value += factor * float(np.asarray(part))
        error += abs(factor) * float(np.max(found.error))
    return Mean(np.asarray(value), error)


def _as_query(term: Term) -> Ridge:
    gate, link = term.gate, term.link
    if gate is None:
        return Ridge(link, term.direction, kinks=link.kinks)
    if isinstance(link, HermiteSeries) and link.weights[0] == 0 and len(link.weights) == 2:
        return Ridge(gate.function, gate.direction, power=1, kinks=gate.kinks)
    frame = np.stack([gate.direction, term.direction], axis=1)
    return Ridge(
        lambda s: gate.function(s[:, 0]) * link(s[:, 1]), frame, kinks=(gate.kinks, link.kinks)
    )


def one_mean(
    means: Planar | Quadrature, instance: IndexInstance, query: Correlation | Statistic
) -> Mean:
    return means.means(instance, [query], [Scale.NONE])[0]
