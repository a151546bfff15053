"""Exact means over lifted parities: Gaussian inputs, labels that are parities of their signs.

No sum over 2^d points: what a query sees of a parity is an integral over one direction.  This file
does not know tolerances other than the norms they ask for.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, final

import numpy as np
from scipy.special import dawsn

from sqsim.errors import QueryRefused
from sqsim.gaussian import all_kinks, ridge_expectation, ridge_norms
from sqsim.lowrank import Array, EntryNorms, dense
from sqsim.oracles.enumeration import Enumerate
from sqsim.oracles.signed_densities import parity_moment
from sqsim.problems.parity import ParityInstance
from sqsim.queries import Characters, Correlation, Opaque, Query, Ridge
from sqsim.seeds import Seed
from sqsim.set_neurons import SetNeurons
from sqsim.tolerance import Mean, Scale

UNIT = 2.0**-53
NODES, FEWER = 120, 60


@final
@dataclass(frozen=True)
class ParityQuadrature:
    """Evaluator for lifted parities, whatever the dimension.

    Answers Characters; Ridge queries of power 0 or 1 that look at no more than one direction, in
    milliseconds (up to a second where that direction reads few coordinates outside the parity);
    and Correlations with `SetNeurons`, a Dawson integral for all sets together.  A Ridge function
    that bends where no kink says so costs accuracy, which the error confesses.
    """

    def means(
        self,
        instance: Any,
        queries: Sequence[Query],
        scales: Sequence[Scale],
        *,
        seed: Seed = 0,
        turn: int = 0,
    ) -> list[Mean]:
        """One mean for each query; `seed` and `turn` are not used.

        Raises
        ------
        QueryRefused
            For other instances, other Opaque functions, two directions or more, and T_2.
        """
        if not isinstance(instance, ParityInstance) or not instance.problem.lifted:
            raise QueryRefused(
                f"ParityQuadrature integrates parities lifted to Gaussian inputs, not "
                f"{type(instance).__name__}; use SparseParity(..., lifted=True), or "
                "means=Enumerate() on the cube"
            )
        return [_mean(instance, query, scale) for query, scale in zip(queries, scales, strict=True)]

    def advice(self, error: float, radius: float) -> str:
        """How an error is brought below the radius."""
        return (
            "declare where the query's function bends (kinks), or use a coarser tolerance: 64-bit "
            "integrals resolve about 1e-13"
        )


def _mean(instance: ParityInstance, query: Query, scale: Scale) -> Mean:
    form = query.form
    if isinstance(form, Characters):
        return Enumerate().means(instance, [query], [scale])[0]
    if isinstance(form, Ridge) and form.columns <= 1 and form.power < 2:
        form.shape(instance.problem.dimension)
        ask = _of_correlation if isinstance(query, Correlation) else _of_statistic
        return ask(instance, form, scale, query.label)
    neurons = form.fn if isinstance(form, Opaque) and isinstance(query, Correlation) else None
    if isinstance(neurons, SetNeurons):
        return _of_neurons(instance, neurons)
    raise QueryRefused(
        f"{query.label or 'query'}: ParityQuadrature answers Characters, Ridge functions of one "
        "direction and power 0 or 1, and correlations with SetNeurons; for others use "
        "means=MonteCarlo(samples=1_000_000)"
    )


def _of_neurons(instance: ParityInstance, neurons: SetNeurons) -> Mean:
    """E[y sigma] for each set: not 0 only for those that hold all of the parity's."""
    subset, dimension = instance.subset, instance.problem.dimension
    if int(neurons.sets.max()) >= dimension:
        raise QueryRefused(
            f"a set names coordinate {int(neurons.sets.max())}; the inputs have {dimension}"
        )
    relevant = np.zeros(dimension, dtype=bool)
    relevant[list(subset)] = True
    holds = relevant[neurons.sets].sum(axis=1) == len(subset)
    constant, error = neuron_correlation(len(subset), neurons.sets.shape[1])
    signal = float(instance.labels.scale) * neurons.norm
    value = np.zeros(len(holds))
    value[holds] = signal * constant
    if neurons.opposed:
        value[holds & relevant[neurons.sets[:, 0]]] *= -1
    bound = np.zeros(len(holds))
    bound[holds] = signal * error + 4 * UNIT * abs(signal * constant)
    return Mean(value, bound, neurons.size * (1 - 4 * UNIT))


def neuron_correlation(sparsity: int, size: int) -> tuple[float, float]:
    """E[sigma((z_1 + ... + z_t) / sqrt t) prod_(i <= k) sign z_i], t >= k, with its error.

    For even k >= 2, by |s| = (2 / pi) int (1 - cos u s) / u^2 du and E[e^(iuz) sign z] = i g(u),

        (-1)^(k/2 + 1) / (pi sqrt t)  times the integral of g(u)^k e^(-u^2 (t - k) / 2) / u^2,

    u > 0, g(u) = (2 / sqrt pi) D(u / sqrt 2); at t = k it is c_k.  For odd k >= 3 it is exactly 0:
    sigma(s) = s / 2 + |s| / 2, and neither part has a product with such a parity.
    """
    if size < sparsity:
        return 0.0, 0.0
    if sparsity % 2:
        first = 1 / math.sqrt(2 * math.pi * size) if sparsity == 1 else 0.0
        return first, 4 * UNIT * first
    if sparsity == 0:
        return 1 / math.sqrt(2 * math.pi), 2 * UNIT
    found = [_integral(sparsity, size, nodes) for nodes in (NODES, FEWER)]
    front = (-1) ** (sparsity // 2 + 1) / (math.pi * math.sqrt(size))
    value = front * found[0]
    rounding = (sparsity + 64) * 8 * UNIT * abs(value)
    return value, abs(front * (found[0] - found[1])) + rounding


def _integral(sparsity: int, size: int, nodes: int) -> float:
    """Gauss-Legendre in v = u / (u + s), in which both ends are smooth, s of the integrand's width.

    A width of 1 would lose the integrand of a set much larger than the parity between the nodes.
    """
    at, spread = np.polynomial.legendre.leggauss(nodes)
    v, width = (1 + at) / 2, math.sqrt(sparsity / size)
    u = width * v / (1 - v)
    ratio = 2 / math.sqrt(math.pi) * dawsn(u / math.sqrt(2))
    values = ratio**sparsity / v**2 * np.exp(-u * u * (size - sparsity) / 2)
    return float(spread @ values) / (2 * width)


def _of_correlation(instance: ParityInstance, form: Ridge, scale: Scale, label: str) -> Mean:
    """E[y T_p h] = (1 - 2 noise) E[chi_S T_p h]."""
    value, error = _against(instance, form, lambda s: form.values(s[:, None], None, len(s)))
    # |y| = 1, so that ||y g|| is ||g||.
    size: float | Array | EntryNorms = 1.0
    if scale is not Scale.NONE:
        size = ridge_norms(form, instance.problem.dimension)
    return Mean(value, error, size)


def _of_statistic(instance: ParityInstance, form: Ridge, scale: Scale, label: str) -> Mean:
    """phi(x, y) = (phi(x, 1) + phi(x, -1)) / 2 + y (phi(x, 1) - phi(x, -1)) / 2."""
    dimension = instance.problem.dimension

    def part(sign: float, square: bool) -> Callable[[Array], Array]:
        def values(s: Array) -> Array:
            ends = [form.values(s[:, None], np.full(len(s), y), len(s)) for y in (1.0, -1.0)]
            high, low = (end**2 if square else end for end in ends)
            return np.asarray((high + sign * low) / 2)

        return values

    def mean(square: bool) -> tuple[Array, Array]:
        even = _free(form, part(1.0, square), dimension)
        odd, error = _against(instance, form, part(-1.0, square))
        return dense(even.value) + odd, np.asarray(even.error) + error

    value, error = mean(square=False)
    size = 1.0
    if scale is not Scale.NONE:
        if form.power:
            raise QueryRefused(
                f"{label or 'query'}: the norms of x_j h(<w, x>, y) are not integrated here; ask "
                "with an Absolute tolerance, or use means=MonteCarlo(samples=1_000_000)"
            )
        square, missed = mean(square=True)
        size = math.sqrt(max(float(square - missed), 0.0)) * (1 - 4 * UNIT)
    return Mean(value, error + 4 * UNIT * np.abs(value), size)


def _against(
    instance: ParityInstance, form: Ridge, h: Callable[[Array], Array]
) -> tuple[Array, Array]:
    """(1 - 2 noise) E[chi_S T_p h], shaped as the answer, and a bound of its error."""
    dimension = instance.problem.dimension
    frame = np.zeros(dimension) if form.frame is None else form.frame.reshape(-1)
    kinks = all_kinks(_one_column(form, h, dimension))[0]
    found = parity_moment(h, frame, instance.subset, power=form.power, kinks=kinks)
    signal = float(instance.labels.scale)
    value = signal * found.value
    error = signal * found.error + 4 * UNIT * np.abs(value)
    if form.power:
        return value, error
    return np.asarray(value[0]), np.asarray(error[0])


def _free(form: Ridge, h: Callable[[Array], Array], dimension: int) -> Mean:
    """E[T_p h], in which no label enters."""
    return ridge_expectation(_one_column(form, h, dimension), dimension)


def _one_column(form: Ridge, h: Callable[[Array], Array], dimension: int) -> Ridge:
    """The same directions with a function of them alone."""
    if form.frame is None:
        return Ridge(h, np.zeros(dimension), form.power)
    return replace(form, h=lambda s: h(np.reshape(s, -1)), levels=())
