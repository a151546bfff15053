"""Goel, Karmalkar and Klivans (2019), section 4: what a statistical query tells of a parity."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import combinations, pairwise, product

import numpy as np
from scipy.stats import norm

from sqsim.lowerbounds.family_bounds import sq_parity_bound
from sqsim.lowerbounds.quantities import Estimate, Rational
from sqsim.lowrank import dense
from sqsim.oracles.parity_quadrature import ParityQuadrature, neuron_correlation
from sqsim.problems.parity import SparseParity
from sqsim.queries import Correlation, Ridge
from sqsim.tolerance import Scale
from sqsim.verification.entry import Entry, Finding, close, within
from sqsim.verification.parity_expansions import HERE
from sqsim.verification.proved_arithmetic import combined, hull


def _theorem_4(claimed: Fraction) -> Finding:
    """(q + 1)(1 - 2 eta)^2 / (C(d, k) tau^2), from certificates that were verified."""
    found = []
    for d, k, noise, tau in (
        (30, 6, "1/10", "1/100"),
        (100, 2, "0", "1/7"),
        (60, 10, ".3", "1e-3"),
    ):
        bound = sq_parity_bound(dimension=d, sparsity=k, noise=noise, tolerance=tau)
        scale = (1 - 2 * Fraction(noise)) ** 2 / (math.comb(d, k) * Fraction(tau) ** 2)
        found.append(combined(lambda q, scale=scale: (q + 1) * scale, bound.queries))
    return within(claimed, hull(found), digits=9)


def _eliminated(claimed: Fraction) -> Finding:
    """h = m^(-1/2) sum of m parities has norm 1 and correlation m^(-1/2) with each of them.

    So a query at tolerance tau rules out m = claimed / tau^2 of them at tau = m^(-1/2): squares
    are summed over the cube, exactly.
    """
    sets = list(combinations(range(6), 2))
    signs = np.array(list(product((1, -1), repeat=6)))
    table = np.stack([signs[:, list(s)].prod(axis=1) for s in sets], axis=1)
    ratios = set()
    for m in (1, 4, 9, 15):
        total = table[:, :m].sum(axis=1)
        square = Fraction(int(total @ total), m * len(signs))
        seen = [Fraction(int(c), len(signs)) ** 2 / m for c in total @ table]
        assert square == 1
        ratios.add(sum(c > 0 for c in seen) * min(c for c in seen if c))
        assert sum(seen) <= 1
    finding = within(claimed, Rational(max(ratios)), digits=9)
    return Finding(finding.holds and len(ratios) == 1, finding.computed)


def _boolean(claimed: Fraction) -> Finding:
    """E phi - E_0 phi = E[y (phi(x, 1) - phi(x, -1)) / claimed] for random phi on a small cube."""
    signs = np.array(list(product((1, -1), repeat=4)))
    parity = signs[:, :3].prod(axis=1)
    rng = np.random.default_rng(4)
    ratios = set()
    for _ in range(20):
        high, low = (rng.integers(-9, 10, size=16) for _ in range(2))
        scale = Fraction(4, 5)
        chance = [(1 + scale * int(p)) / 2 for p in parity]
        pairs = list(zip(chance, high.tolist(), low.tolist(), strict=True))
        seen = sum((c * h + (1 - c) * w for c, h, w in pairs), Fraction(0))
        blind = sum(Fraction(h + w, 2) for _, h, w in pairs)
        linear = sum(((2 * c - 1) * (h - w) for c, h, w in pairs), Fraction(0))
        if seen != blind:
            ratios.add(linear / (seen - blind))
    finding = within(claimed, Rational(max(ratios)), digits=9)
    return Finding(finding.holds and len(ratios) == 1, finding.computed)


def _lift(claimed: Fraction) -> Finding:
    """c_2 over the cube {-1, 1}^2, a g_1 + b g_2 with half-normal g_1 on nodes.

    E relu(g_1 - g_2 | g_1 = a) = a (2 Phi(a) - 1) - 2 (phi(0) - phi(a)), the opposite sign less a.
    """
    at, chance = np.polynomial.legendre.leggauss(60)
    a = 5 * (at + 1)
    weight = 5 * chance * 2 * norm.pdf(a)
    apart = a * (2 * norm.cdf(a) - 1) - 2 * (norm.pdf(0) - norm.pdf(a))
    alike = a + math.sqrt(2 / math.pi)
    # The parity is +1 on (1, 1) and (-1, -1), where the neuron is 0.
    value = float(weight @ (alike - apart - (apart - a + math.sqrt(2 / math.pi)))) / 4
    return close(claimed, value / math.sqrt(2), error=1e-9)


def _unknown_set(claimed: Fraction) -> Finding:
    """The slope of log E[relu(<1, x> / sqrt d) chi_S(x)] against log d, |S| = 6, extrapolated.

    The integral behind it, and at d = 100 the integration of any function of one direction.
    """
    sizes = (200, 400, 800, 1600)
    seen = [neuron_correlation(6, size)[0] for size in sizes]
    slopes = [math.log(after / before) / math.log(2) for before, after in pairwise(seen)]
    limit = 2 * slopes[2] - slopes[1]
    along = Ridge(lambda s: np.maximum(s, 0.0), np.full(100, 0.1), kinks=(0.0,))
    instance = SparseParity(100, 6, lifted=True).draw(seed=1)
    asked = ParityQuadrature().means(instance, [Correlation(along)], [Scale.NONE])[0]
    same = math.isclose(float(dense(asked.value)), neuron_correlation(6, 100)[0], rel_tol=1e-6)
    finding = within(claimed, Estimate(limit, 1e-3, "extrapolated slopes"), digits=3)
    return Finding(finding.holds and same, finding.computed)


PARITY_QUERIES: tuple[Entry, ...] = (
    Entry("gkk.corollary-1", "a neuron along all d coordinates sees a parity of 6 signs by "
          "d^(-3): descent that does not know S needs answers so fine", HERE + ", Corollary 1",
          "Dawson integrals up to d = 1600, extrapolated, and quadrature at d = 100", "-3",
          _unknown_set),
    Entry("gkk.definition-3", "the Gaussian lift of the parity of two signs, queried on the cube "
          "with half-normal factors, correlates 0.16524730 with relu", HERE,
          "a sum over the cube with Gauss nodes for the factors", "0.16524730", _lift),
    Entry("gkk.theorem-4", "q + 1 >= 1 C(d, k) tau^2 / (1 - 2 eta)^2", HERE + ", Theorem 4",
          "certificates, verified by the stand-alone checker", "1", _theorem_4),
    Entry("gkk.theorem-4-sharp", "one query of norm 1 rules out up to 1 (1 - 2 eta)^2 / tau^2 "
          "parities", HERE + ", Theorem 4", "a sum of parities over the cube, exactly", "1",
          _eliminated),
    Entry("gkk.theorem-4-boolean", "for labels +-1 every statistical query is correlational: "
          "E phi - E_0 phi = E[y (phi(x, 1) - phi(x, -1)) / 2]", HERE + ", Theorem 4",
          "random functions on the cube, exactly", "2", _boolean),
)  # fmt: skip
