"""Goel, Kanade, Klivans and Thaler (2017): features, the dual losses and the rule for guesses."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import combinations_with_replacement, product

import numpy as np

from sqsim.algorithms.polynomial_regression import on_ball
from sqsim.lowerbounds.quantities import Estimate, Rational
from sqsim.lowrank import Array
from sqsim.multinomial import MonomialFeatures, multinomial_kernel
from sqsim.polynomials import range_safe_relu
from sqsim.risks import excess, reliable_output
from sqsim.verification.entry import Entry, Finding, close, within
from sqsim.verification.proved_arithmetic import spread
from sqsim.verification.reliable_approximation import HERE, PAPER

N, D = 4, 6
FEATURES = MonomialFeatures(N, D)


def _on_sphere(count: int) -> Array:
    x = np.random.default_rng(9).standard_normal((count, N))
    return np.asarray(x / np.linalg.norm(x, axis=1, keepdims=True))


def _feature_norm(claimed: Fraction) -> Finding:
    """||psi_6(x)||^2 from the features and from the kernel, at points of the sphere."""
    x = _on_sphere(20)
    features, kernel = (FEATURES.matrix(x) ** 2).sum(axis=1), np.diag(multinomial_kernel(x, x, D))
    found = [float(square) for square in np.append(features, kernel)]
    return within(claimed, spread(found, "floats", 1e-12), digits=6)


def _from_one(claimed: Fraction) -> Finding:
    """The norm of the features on the sphere, without and with the constant feature."""
    squares = FEATURES.matrix(_on_sphere(20)) ** 2
    constant = FEATURES.degrees == 0
    without = squares[:, ~constant].sum(axis=1)
    right = np.allclose(without, D, rtol=1e-12)
    finding = within(claimed, spread(squares.sum(axis=1), "floats", 1e-12), digits=6)
    return Finding(finding.holds and bool(right), finding.computed)


def _kernel(claimed: Fraction) -> Finding:
    """<psi(x), psi(x')> over sum of <x, x'>^j, j from 0 to 6."""
    x, z = _on_sphere(12)[:6], 0.7 * _on_sphere(12)[6:]
    powers = sum((x @ z.T) ** j for j in range(D + 1))
    ratios = (FEATURES.matrix(x) @ FEATURES.matrix(z).T) / powers
    return within(claimed, spread(ratios.ravel(), "floats", 1e-12), digits=6)


def _embedding(claimed: Fraction) -> Finding:
    """||p_w||^2 over sum of beta_i^2 ||w||^(2i), and that p_w is p(<w, x>)."""
    p, x, ratios, same = range_safe_relu(degree=D), _on_sphere(30), [], True
    for length in (1.0, 0.6, 0.2):
        w = length * x[0]
        v = FEATURES.embedding(p.coefficients, w)
        wanted = sum(c * c * length ** (2 * i) for i, c in enumerate(p.coefficients))
        ratios.append(float(v @ v) / wanted)
        same &= np.allclose(FEATURES.values(v, x), p(x @ w), atol=1e-10)
    finding = within(claimed, spread(ratios, "floats", 1e-11), digits=6)
    return Finding(finding.holds and bool(same), finding.computed)


def _count(claimed: Fraction) -> Finding:
    """C(n + d, d), and the multisets of at most d coordinates, one by one."""
    listed = sum(1 for j in range(D + 1) for _ in combinations_with_replacement(range(N), j))
    finding = within(claimed, Rational(Fraction(FEATURES.size)), digits=6)
    return Finding(finding.holds and listed == math.comb(N + D, D) == claimed, finding.computed)


def _ordered(claimed: Fraction) -> Finding:
    """All ordered monomials of degree at most d: each of the distinct ones |I|!/prod I_k! times."""
    multiplicity = round(float((FEATURES.weights**2).sum()))
    listed = sum(1 for j in range(D + 1) for _ in product(range(N), repeat=j))
    finding = within(claimed, Rational(Fraction(multiplicity)), digits=6)
    return Finding(finding.holds and listed == multiplicity, finding.computed)


def _rademacher(claimed: Fraction) -> Finding:
    """E||sum sigma_i psi(x_i)||^2 / (m (d + 1)) over all 2^m signs."""
    psi = FEATURES.matrix(_on_sphere(7))
    signs = np.array(list(product((1.0, -1.0), repeat=len(psi))))
    mean = float(((signs @ psi) ** 2).sum(axis=1).mean())
    return close(claimed, mean / (len(psi) * (D + 1)), error=1e-9)


EPSILONS = (0.3, 0.1, 0.02)
GRID = 20_001


def _dual_loss(claimed: Fraction) -> Finding:
    """The largest 1{h != 0} / (max(f - eps, 0) / eps) over scores f."""
    found = []
    for epsilon in EPSILONS:
        scores = np.concatenate([np.linspace(-1, 2, GRID), 2 * epsilon * (1 + np.logspace(-9, 0))])
        wrong = reliable_output(scores, epsilon=epsilon) != 0
        paid = excess(scores, epsilon=epsilon) / epsilon
        assert (paid[wrong] > 0).all()
        found.append(float((1 / paid[wrong]).max()))
    return within(claimed, spread(found, "supremum over a grid", 1e-7), digits=5)


def _dual_slope(claimed: Fraction) -> Finding:
    """eps times the largest slope of clip((f - eps) / eps, 0, 1)."""
    found = []
    for epsilon in EPSILONS:
        scores = np.linspace(-1, 2, GRID)
        paid = np.minimum(excess(scores, epsilon=epsilon) / epsilon, 1.0)
        found.append(epsilon * float((np.diff(paid) / np.diff(scores)).max()))
    return within(claimed, spread(found, "slopes on a grid", 1e-9), digits=5)


def _cut(claimed: Fraction) -> Finding:
    """The largest |h - clip(f)| / eps: guesses up to 2 eps become 0."""
    found = []
    for epsilon in EPSILONS:
        scores = np.append(np.linspace(-1, 2, GRID), 2 * epsilon)
        moved = np.abs(reliable_output(scores, epsilon=epsilon) - np.clip(scores, 0, 1))
        found.append(float(moved.max()) / epsilon)
    return within(claimed, spread(found, "supremum over a grid", 1e-9), digits=5)


def _whole(claimed: Fraction) -> Finding:
    """The largest |h - r| / eps for a ReLU's value r and a score within eps of it."""
    found = []
    for epsilon in EPSILONS:
        values = np.linspace(0, 1, 2001)[:, None]
        scores = values + epsilon * np.linspace(-1, 1, 201)
        edge = np.array([[3 * epsilon]])
        moved = [
            np.abs(reliable_output(f.ravel(), epsilon=epsilon).reshape(f.shape) - r).max()
            # At the edge itself a rounding decides.
            for r, f in ((values, scores), (edge, edge - epsilon * (1 + 1e-12)))
        ]
        found.append(float(max(moved)) / epsilon)
    return within(claimed, spread(found, "supremum over a grid", 1e-9), digits=5)


def _tolerance(claimed: Fraction) -> Finding:
    """The excess of the square loss over sqrt(B N) tau, as E[psi psi'] falls to 0.

    Correlations of nearly tau are answered by nearly 0 of the other sign: the ball's edge turns.
    """
    size, norm, tau, found = 9, 2.5, 1e-3, []
    for nearly in (1e-3, 1e-4):
        true = (1 - nearly) * tau * np.ones(size)
        second = 1e-3 * nearly * tau * np.eye(size)
        best, seen = (on_ball(second, c, norm) for c in (true, true - tau))
        loss = [float(v @ second @ v - 2 * true @ v) for v in (best, seen)]
        found.append((loss[1] - loss[0]) / (math.sqrt(norm * size) * tau))
    # The excess is linear in what is left of the tolerance.
    limit = found[1] + (found[1] - found[0]) / 9
    finding = within(claimed, Estimate(limit, 1e-4, "the regression, extrapolated"), digits=4)
    return Finding(finding.holds and max(found) <= 4 + 1e-9, finding.computed)


RELIABLE_RISKS: tuple[Entry, ...] = (
    Entry("gkkt.features", "||psi_d(x)||^2 = d + 1 on the sphere: 7 for d = 6", PAPER,
          "features and kernel at points of the sphere", "7", _feature_norm),
    Entry("gkkt.features-from-one", "the sum over degrees starts at i = 1, so that ||psi_6||^2 = 6 "
          "on the sphere (Lemma 17, Definition 31; i = 0 is meant)", PAPER + ", long version",
          "features with and without the constant; computed here", "6", _from_one, truth="7"),
    Entry("gkkt.kernel", "<psi(x), psi(x')> = 1 sum of <x, x'>^j over j <= d", PAPER,
          "features against powers of inner products in the ball", "1", _kernel),
    Entry("gkkt.embedding", "||p_w||^2 = 1 sum of beta_i^2 ||w||^(2i)", PAPER,
          "the embedded range-safe polynomial of degree 6, whose values are p(<w, x>)", "1",
          _embedding),
    Entry("gkkt.features-count", "C(n + d, d) distinct monomials: 210 for n = 4, d = 6", HERE,
          "the formula, and one by one", "210", _count),
    Entry("gkkt.features-ordered", "psi_d lists (n^(d+1) - 1)/(n - 1) ordered monomials: 5461 for "
          "n = 4, d = 6", HERE, "sum of the squared weights, and one by one", "5461", _ordered),
    Entry("gkkt.rademacher", "E||sum sigma_i psi(x_i)||^2 = 1 m (d + 1), hence the term "
          "sqrt((d + 1) B) of the sample size", PAPER, "all signs of 7 examples", "1",
          _rademacher),
    Entry("gkkt.dual-loss", "P[h != 0, y = 0] <= 1 E[max(f - eps, 0) 1{y = 0}] / eps", PAPER,
          "the supremum over scores, approached at f = 2 eps", "1", _dual_loss),
    Entry("gkkt.dual-loss-slope", "the dual loss clip((f - eps)/eps, 0, 1) is 1/eps-Lipschitz",
          PAPER, "slopes on a grid", "1", _dual_slope),
    Entry("gkkt.cut", "setting guesses to 0 moves them by at most 2 eps", PAPER,
          "the supremum over scores", "2", _cut),
    Entry("gkkt.approximation-loss", "with a score within eps of the ReLU the guess is within "
          "3 eps of it: the term 3 eps L of the positive loss", PAPER,
          "the supremum over values and scores", "3", _whole),
    Entry("gkkt.theorem-7-tolerance", "answers within tau cost agnostic polynomial regression "
          "4 sqrt(B N) tau, and no less in the limit of small inputs", HERE + ", Theorem 7 [2.4]",
          "the regression itself on answers of the other sign", "4", _tolerance),
)  # fmt: skip
