"""Goel, Kanade, Klivans and Thaler (2017): small networks that are exact, and hardness on cubes."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from fractions import Fraction
from itertools import combinations, pairwise, product

import numpy as np

from sqsim.algorithms.compositions import maximum_composition
from sqsim.algorithms.conjunction_reduction import best_conjunction, parity_by_conjunctions
from sqsim.loop import run
from sqsim.lowerbounds.conjunctions import agnostic_conjunction_bound
from sqsim.lowerbounds.quantities import Estimate, Rational
from sqsim.oracles.policies import toward
from sqsim.oracles.simulated import csq
from sqsim.problems.conjunctions import ConjunctionGain
from sqsim.problems.gadgets import (
    MaxAffine,
    conjunction,
    maximum_of_two,
    parametric_relu,
    ramp,
)
from sqsim.problems.layers import LayeredRelu
from sqsim.problems.parity import SparseParity
from sqsim.tolerance import Absolute
from sqsim.verification.entry import Entry, Finding, within
from sqsim.verification.proved_arithmetic import value_of
from sqsim.verification.reliable_approximation import HERE, PAPER

QUARTERS = [Fraction(n, 4) for n in range(-9, 10)]


def relu(t: Fraction) -> Fraction:
    return max(t, Fraction(0))


def _agrees(
    network: LayeredRelu,
    function: Callable[..., Fraction],
    points: Iterable[tuple[Fraction | int, ...]],
) -> bool:
    """Whether a network is this function at exact points, exactly."""
    table = list(points)
    values = network(np.array(table, dtype=object))
    return all(v == function(*point) for v, point in zip(values, table, strict=True))


def _exactly(claimed: Fraction, found: Fraction | int, also: bool) -> Finding:
    finding = within(claimed, Rational(Fraction(found)), digits=6)
    return Finding(finding.holds and also, finding.computed)


def _maximum(claimed: Fraction) -> Finding:
    network = maximum_of_two()
    same = _agrees(network, max, product(QUARTERS, repeat=2))
    return _exactly(claimed, network.units, same)


def _parametric(claimed: Fraction) -> Finding:
    """relu(t) + claimed alpha relu(-t) at exact points, and the library's network."""
    same, signs = True, set()
    for slope in (Fraction(1, 10), Fraction(-1), Fraction(5, 3)):
        points = [(t,) for t in QUARTERS]
        same &= _agrees(parametric_relu(slope), lambda t, a=slope: t if t >= 0 else a * t, points)
        signs |= {(slope * t - relu(t)) / (slope * relu(-t)) for t in QUARTERS if t < 0}
    return _exactly(claimed, max(signs), same and len(signs) == 1)


def _ramp(claimed: Fraction) -> Finding:
    """relu(claimed + C t) - relu(-claimed + C t) = clip(1/2 + C t, 0, 1) at exact points."""
    holds = True
    for slope in (Fraction(1, 3), Fraction(2), Fraction(7)):
        for t in QUARTERS:
            clipped = min(max(Fraction(1, 2) + slope * t, Fraction(0)), Fraction(1))
            found = relu(claimed + slope * t) - relu(slope * t - claimed)
            holds &= found == clipped == ramp(slope)(np.array([[t]], dtype=object))[0]
    return Finding(bool(holds), f"{len(QUARTERS)} points and 3 slopes, exactly")


def _conjunction(claimed: Fraction) -> Finding:
    """relu(sum x_i - (k - claimed)) on all of {0, 1}^k, k <= 7, and the library's network."""
    holds = True
    for k in range(1, 8):
        points = list(product((0, 1), repeat=k))
        holds &= all(relu(sum(x) - (k - claimed)) == all(x) for x in points)
        holds &= _agrees(conjunction(k), lambda *x: Fraction(all(x)), points)
    return Finding(bool(holds), "all points of {0, 1}^k, k <= 7, exactly")


def _conjunction_norm(claimed: Fraction) -> Finding:
    """(l1 norm + 1) / k, with the bias as a weight of a constant coordinate."""
    ratios = set()
    for k in range(1, 8):
        network = conjunction(k)
        norm = int(np.abs(network.weights[0]).sum() + np.abs(network.bias).sum())
        ratios.add(Fraction(norm + 1, k))
    return _exactly(claimed, max(ratios), len(ratios) == 1)


def _pieces(k: int) -> MaxAffine:
    """Pairs of opposite unit vectors with rational coordinates."""
    units = [(3, 4), (4, -3), (5, 0), (0, 5), (-3, 4), (4, 3), (-5, 0), (0, -5)]
    ordered = [units[i // 2] if i % 2 == 0 else tuple(-c for c in units[i // 2]) for i in range(k)]
    rows = [[Fraction(c, 5) for c in row] for row in ordered]
    return MaxAffine(np.array(rows, dtype=object), np.array([Fraction(0)] * k, dtype=object))


def _network(k: int) -> tuple[LayeredRelu, bool]:
    """The tree of maxima, and whether it is the maximum at exact points."""
    function = _pieces(k)
    network = function.network()
    rows = function.weights.tolist()
    same = _agrees(
        network, lambda a, b: max(u * a + v * b for u, v in rows), product(QUARTERS[::3], repeat=2)
    )
    return network, same


def _depth(claimed: Fraction) -> Finding:
    network, same = _network(3)
    right = all(_network(k)[0].hidden == math.ceil(math.log2(k)) for k in range(2, 9))
    return _exactly(claimed, network.hidden, same and right)


def _tree_units(claimed: Fraction) -> Finding:
    network, same = _network(8)
    return _exactly(claimed, Fraction(network.units, 7), same)


def _tree_weight(claimed: Fraction) -> Finding:
    """The largest l1 norm into a unit beyond the first layer, for 3 to 8 pieces."""
    networks = [_network(k) for k in range(3, 9)]
    sizes = [Fraction(network.weight) for network, _ in networks]
    return _exactly(claimed, max(sizes), all(same for _, same in networks))


def _tree_norm(claimed: Fraction) -> Finding:
    """The largest l2 norm in the first layer, with opposite unit vectors side by side."""
    network, same = _network(8)
    return _exactly(claimed, Fraction(network.input_norm), same)


def _degree_power(claimed: Fraction) -> Finding:
    """The power of 1/eps in the degree for four pieces: two levels of degree n each, d = n^2."""
    errors = [maximum_composition(pieces=(4,), degree=n * n).error for n in (4, 8, 16, 32)]
    powers = [math.log(4) / math.log(a / b) for a, b in pairwise(errors)]
    # Corrections fall like 1/n and 1/n^2.
    once = [2 * b - a for a, b in pairwise(powers)]
    limit = Estimate((4 * once[1] - once[0]) / 3, 5e-3, "extrapolated from degrees 16 to 1024")
    return within(claimed, limit, digits=3)


def _parity_in_conjunction(claimed: Fraction) -> Finding:
    """E[c_S chi_S] over the cube, exactly; 0 for other sets of the size."""
    signs = np.array(list(product((1, -1), repeat=6)))
    subset = (0, 2, 3, 5)
    holds = (signs[:, subset] == 1).all(axis=1)
    found = {
        other: Fraction(int(signs[holds][:, other].prod(axis=1).sum()), len(signs))
        for other in combinations(range(6), 4)
    }
    others = all(value == 0 for other, value in found.items() if other != subset)
    library = ConjunctionGain(SparseParity(6, 4)).correlation
    return _exactly(claimed, found[subset], others and library == found[subset])


def _dimension(claimed: Fraction) -> Finding:
    """C(8, 3), as the bound has it, and as the rank of orthogonal parities over the cube."""
    bound = agnostic_conjunction_bound(
        dimension=8, sparsity=3, noise="0.1", excess="0.05", tolerance="0.05"
    )
    signs = np.array(list(product((1, -1), repeat=8)))
    table = np.stack([signs[:, s].prod(axis=1) for s in combinations(range(8), 3)], axis=1)
    orthogonal = bool(np.array_equal(table.T @ table, 256 * np.eye(table.shape[1])))
    return _exactly(claimed, bound.dimension, orthogonal and table.shape[1] == bound.dimension)


def _reduction(claimed: Fraction) -> Finding:
    """gain / claimed is the largest error at which answers pushed up leave the parity found."""
    problem = SparseParity(6, 2, noise="0.1")
    gain, ends = float(ConjunctionGain(problem).gain), []
    for share in (1 - 1e-3, 1 + 1e-3):
        radius = share * gain / float(claimed)
        instance = problem.draw(seed=2)
        oracle = csq(instance, tolerance=Absolute(radius), policy=toward(1.0))
        result = run(
            parity_by_conjunctions(problem, lambda inner: best_conjunction(inner, size=2)), oracle
        )
        ends.append((value_of(result).found == instance.subset) == (share < 1))
    return Finding(all(ends), f"found just below gain / {float(claimed):.4g} and lost just above: "
                   f"{sum(ends)} of 2")  # fmt: skip


RELIABLE_GADGETS: tuple[Entry, ...] = (
    Entry("gkkt.maximum", "max(a, b) = relu(a - b) + relu(b) - relu(-b): 3 ReLUs", PAPER,
          "exact arithmetic on a grid", "3", _maximum),
    Entry("gkkt.parametric-relu", "PReLU(t) = relu(t) - 1 alpha relu(-t)", PAPER,
          "exact arithmetic on a grid, alpha = 1/10, -1 and 5/3", "-1", _parametric),
    Entry("gkkt.ramp", "clip(1/2 + C t, 0, 1) = relu(1/2 + C t) - relu(-1/2 + C t)", PAPER,
          "exact arithmetic on a grid, C = 1/3, 2 and 7", "1/2", _ramp),
    Entry("gkkt.conjunction", "x_1 and ... and x_k = relu(sum x_i - (k - 1)) on {0, 1}^k", PAPER,
          "all points for k <= 7, exactly", "1", _conjunction),
    Entry("gkkt.theorem-10-norm", "the conjunction's weights have l1 norm 2 k - 1 <= 2 k: the "
          "constant 2", PAPER + ", Theorem 10 [2.7]", "the network's weights, k <= 7", "2",
          _conjunction_norm),
    Entry("gkkt.theorem-9-depth", "three affine pieces take log2(3) = 1.585 hidden layers: the "
          "exponent log k in the running time (ceil log k in the long version)",
          PAPER + ", Theorem 9 [2.6]", "the network, exact on a grid; computed here", "1.585",
          _depth, truth="2"),
    Entry("gkkt.theorem-9-units", "a maximum of k pieces takes 3 (k - 1) ReLUs for k a power of "
          "two: 3 for each maximum", PAPER + ", Theorem 9 [2.6]", "the network of 8 pieces, exact "
          "on a grid", "3", _tree_units),
    Entry("gkkt.theorem-9-weight", "weights into later units have l1 norm 6 at most", PAPER
          + ", Theorem 9 [2.6]", "networks of 3 to 8 pieces, exact on a grid", "6", _tree_weight),
    Entry("gkkt.theorem-9-norm", "weights of the first layer have norm 2 at most", PAPER
          + ", Theorem 9 [2.6]", "the network of opposite unit vectors, exact on a grid", "2",
          _tree_norm),
    Entry("gkkt.theorem-9-power", "four pieces take a degree proportional to (1/eps)^2, 2 = log2 "
          "4", HERE + ", Theorem 9 [2.6]", "proved errors of compositions at degrees 16 to 1024, "
          "extrapolated", "2", _degree_power),
    Entry("gkkt.theorem-10-correlation", "a conjunction of 4 signs correlates 2^-4 = 0.0625 with "
          "their parity and with no other of its size", HERE + ", Theorem 10 [2.7]",
          "all points of the cube, exactly", "0.0625", _parity_in_conjunction),
    Entry("gkkt.theorem-10-dimension", "the family has correlational dimension C(n, k): 56 for "
          "n = 8, k = 3", HERE + ", Theorem 10 [2.7]", "the certificate of the bound, and parities "
          "orthogonal over the cube", "56", _dimension),
    Entry("gkkt.theorem-10", "an agnostic learner of conjunctions finds a parity within gain / 4 "
          "of tolerance", HERE + ", Theorem 10 [2.7]",
          "runs just below and above against answers that are too large", "4", _reduction),
)  # fmt: skip
