"""Quadrature against 40-digit references: accuracy, and a confessed error that is honest."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import references as ref
from flint import acb, arb
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import ndtr

from sqsim.errors import BadInput, QueryRefused
from sqsim.gaussian import ridge_expectation, ridge_norms
from sqsim.links import hermite
from sqsim.lowrank import LowRank, dense
from sqsim.oracles.quadrature import Quadrature
from sqsim.problems.corruption import Decoy, LabelNoise, LowDegreeRemoval, WorstCase
from sqsim.problems.index import IndexInstance, ReluRegression, SingleIndex
from sqsim.queries import Correlation, Opaque, Query, Ridge, Statistic
from sqsim.tolerance import Mean, Scale
from sqsim.updates import plain, reweighted

ACCURACY = 1e-12
"""Relative to the norm of the answer; where terms cancel, to the size that the docstring names."""

ANGLES = [0.0, 1e-8, 1e-4, 0.3, 1.3, np.pi / 2, 2.5, np.pi - 1e-4, np.pi - 1e-8, np.pi]
BIASES = [-8.0, -3.3, 0.0, 2.0]
TINY = 1e-290


def mean(instance: IndexInstance, query: Query, scale: Scale = Scale.NONE) -> Mean:
    return Quadrature().means(instance, [query], [scale])[0]


def pair(angle: float, d: int = 4, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """An unnormalised w, and a unit v at this angle to it."""
    q = np.linalg.qr(np.random.default_rng(seed).standard_normal((d, 2)))[0]
    w = (0.4 + seed % 5) * q[:, 0]
    if angle in (0.0, np.pi):
        return w, np.cos(angle) * q[:, 0]
    return w, np.cos(angle) * q[:, 0] + np.sin(angle) * q[:, 1]


def half_space(w: np.ndarray, bias: float, power: int) -> Ridge:
    b = bias * float(np.linalg.norm(w))
    return Ridge(lambda s: (s + b >= 0) * 1.0, w, power=power, kinks=(-b,))


def neuron(v: np.ndarray, bias: float, norm: float = 1.0, **kwargs: Any) -> IndexInstance:
    return ReluRegression(len(v)).draw(bias=bias, norm=norm, direction=v, **kwargs)


def answers(at: ref.Plane, power: int, **kwargs: Any) -> Any:
    """E[T_power(x) weight f] in 40 digits."""
    if power == 0:
        return [ref.moment(at, 0, 0, **kwargs)]
    if power == 1:
        return ref.vector(at, ref.moment(at, 1, 0, **kwargs), ref.moment(at, 0, 1, **kwargs))
    entries = tuple(ref.moment(at, 2 - j, j, **kwargs) for j in range(3))
    return ref.matrix(at, entries)  # type: ignore[arg-type]


def check(found: Mean, reference: Any, size: float | None = None) -> None:
    gap, norm = ref.distance(dense(found.value), reference)
    assert gap <= float(np.max(found.error)) + TINY, "the confessed error is not honest"
    assert gap <= ACCURACY * (norm if size is None else size) + TINY
    # A bound that promises nothing would be honest too.
    assert float(np.max(found.error)) <= 4e-12 * (norm if size is None else size) + TINY


@pytest.mark.parametrize("power", [0, 1, 2])
@pytest.mark.parametrize("angle", ANGLES)
def test_correlations_of_a_neuron(angle: float, power: int) -> None:
    """Relative to the norm of the answer plus 1e-4 of the sine of the angle."""
    for i, bias in enumerate(BIASES):
        b_query = BIASES[(i + power + ANGLES.index(angle)) % 4]
        w, v = pair(angle, seed=i)
        instance = neuron(v, bias)
        at = ref.plane(w, instance.labels.terms[0].direction)
        b = arb(b_query * float(np.linalg.norm(w)))
        reference = answers(at, power, bias=arb(bias), low=-b / at.length)
        # Floats hold an angle to 1e-16 only: an answer of the size of sine^2 needs some slack.
        norm = ref.distance(np.zeros(4**power), reference)[1] + 1e-4 * float(at.across.abs_upper())
        check(mean(instance, Correlation(half_space(w, b_query, power))), reference, norm)


@pytest.mark.parametrize("sine", [1e-8, 1e-4, 0.1, 0.9])
@pytest.mark.parametrize("bias", [-8.0, -1.0, 2.0])
def test_the_part_of_a_gradient_orthogonal_to_w_is_relatively_exact(
    sine: float, bias: float
) -> None:
    """Its own norm is the scale: what a projected step is made of, however small the angle."""
    w = np.array([1.0, 0.0, 0.0])
    v = np.array([np.sqrt((1 - sine) * (1 + sine)), sine, 0.0])
    instance = neuron(v, bias)
    found = np.asarray(mean(instance, Correlation(half_space(w, -0.5, 1))).value)
    at = ref.plane(w, instance.labels.terms[0].direction)
    exact = ref.moment(at, 0, 1, bias=arb(bias), low=arb("0.5")) * at.second[1]
    assert abs(float((arb(float(found[1])) - exact) / exact)) < ACCURACY
    assert found[2] == 0.0


@pytest.mark.parametrize("angle", [1e-4, 0.6, 1.5])
@pytest.mark.parametrize("norm", [0.3, 4.0])
def test_closed_form_gradient_by_steins_lemma(angle: float, norm: float) -> None:
    """E[sigma(<v, x> + b) 1(<w, x> + b' >= 0) x] = v P(..) + w/|w| phi(t) E[sigma | edge]."""
    w, u = pair(angle, seed=3)
    instance = neuron(u, -1.7, norm)
    at = ref.plane(w, instance.labels.terms[0].direction)
    length, bias = arb(norm), arb(-1.7)
    t = arb(0.8 * float(np.linalg.norm(w))) / at.length
    unit = (at.along**2 + at.across**2).sqrt()
    both = ref.bivariate(bias / (length * unit), -t, at.along / unit)
    edge = length * at.along * t + bias
    spread = length * at.across
    along = ref.density(t) * ref.relu_moments(edge, spread)[0]
    reference = ref.vector(at, length * at.along * both + along, length * at.across * both)
    check(mean(instance, Correlation(half_space(w, -0.8, 1))), reference)


@pytest.mark.parametrize("bias", [-8.0, -5.0, -2.0])
@pytest.mark.parametrize("angle", [1e-6, 0.45, 1.4, 2.2])
def test_reweighted_updates(bias: float, angle: float) -> None:
    _, v = pair(angle, seed=2)
    w, _ = pair(angle, seed=2)
    w = w / np.linalg.norm(w)
    update = reweighted(bias)
    instance = neuron(v, bias)
    at = ref.plane(w, instance.labels.terms[0].direction)
    shift = arb(-0.5 * bias) / at.length * at.length

    def weight(s: acb) -> acb:
        return (shift * s * at.length - shift * shift / 2).exp()

    reference = answers(
        at, 1, bias=arb(bias), low=arb(update.kinks[0]) / at.length, weight=weight, centre=shift
    )
    form = Ridge(update.weight, w, power=1, kinks=update.kinks)
    check(mean(instance, Correlation(form)), reference)


@pytest.mark.parametrize("angle", [0.0, 1e-4, 0.5, np.pi / 2, 2.6])
@pytest.mark.parametrize(("bias", "degree"), [(-7.0, 9), (-5.0, 5), (-1.0, 3), (1.0, 1)])
def test_residual_links(angle: float, bias: float, degree: int) -> None:
    """Relative to the neuron's own answer plus that of the part removed: they may cancel."""
    w, v = pair(angle, seed=1)
    instance = neuron(v, bias, corruptions=[LowDegreeRemoval(degree)])
    term = instance.labels.terms[0]
    at = ref.plane(w, term.direction)
    b = arb(-0.9 * float(np.linalg.norm(w)))
    low = -b / at.length
    whole = [ref.moment(at, 1 - j, j, bias=arb(bias), low=low) for j in (0, 1)]
    ratio = at.along / (at.along**2 + at.across**2).sqrt()
    removed, sizes = [ref.ZERO, ref.ZERO], float(sum(abs(x) for x in whole))
    for k, weight in enumerate(np.asarray(term.link.removed.weights)):  # type: ignore[attr-defined]
        # h_k(r s + q Z) has mean r^k h_k(s); against Z it is sqrt(k) q r^(k-1) h_(k-1)(s).
        def line(s: acb, k: int = k) -> acb:
            return s * ref.orthonormal(k, s) * ref.density(s)

        def cross(s: acb, k: int = k) -> acb:
            return ref.orthonormal(k - 1, s) * ref.density(s)

        c = arb(float(weight))
        first = c * ratio**k * ref.integral(line, low, low + 20)
        removed[0] += first
        second = ref.ZERO
        if k:
            second = c * arb(k).sqrt() * at.across * ratio ** (k - 1)
            second *= ref.integral(cross, low, low + 20)
        removed[1] += second
        sizes += float(abs(first)) + float(abs(second))
    reference = ref.vector(at, whole[0] - removed[0], whole[1] - removed[1])
    check(mean(instance, Correlation(half_space(w, -0.9, 1))), reference, sizes)


@pytest.mark.parametrize("bias", BIASES)
@pytest.mark.parametrize("level", [0.0, 0.25, 3.0, 40.0])
def test_thresholded_moments_without_a_frame(bias: float, level: float) -> None:
    """E[1(y >= tau)(xx' - I)] = t phi(t) vv' at the crossing t; 0 where none is reached."""
    _, v = pair(0.7, seed=4)
    instance = neuron(v, bias)
    form = Ridge(lambda y: (y >= level) * 1.0, power=2, levels=(level,))
    found = mean(instance, Statistic(form))
    at = ref.plane(v, instance.labels.terms[0].direction)
    exact = ref.ZERO
    if level > 0.0:
        cut = (arb(level) - arb(bias)) / at.along
        exact = cut * ref.density(cut)
    unit = [[exact * p * q for p in at.first] for q in at.first]
    if level == 0.0:
        # relu is flat at this level: the indicator is 1 everywhere.
        assert float(np.abs(dense(found.value)).max()) <= float(np.max(found.error))
    else:
        check(found, unit)


@pytest.mark.parametrize("angle", ANGLES)
def test_thresholded_moments_with_a_frame(angle: float) -> None:
    """E[1(y >= tau) 1(s >= c) T_p(x)], the label's level a line in the plane."""
    for i, (bias, cut) in enumerate([(-8.0, -2.0), (-3.0, 0.5), (1.0, 3.0)]):
        w, v = pair(angle, seed=i)
        instance = neuron(v, bias)
        level, power = 0.25, i % 3
        at = ref.plane(w, instance.labels.terms[0].direction)
        c = cut * float(np.linalg.norm(w))

        def h(s: np.ndarray, y: np.ndarray, c: float = c, level: float = level) -> np.ndarray:
            return np.asarray((y >= level) * (s >= c) * 1.0)

        form = Ridge(h, w, power=power, kinks=(c,), levels=(level,))
        kwargs = {"bias": arb(bias) - arb(level), "low": arb(c) / at.length}
        reference = answers(at, power, kind=ref.step_moments, **kwargs)
        norm = ref.distance(np.zeros(4**power), reference)[1]
        mass = float(ref.moment(at, 0, 0, kind=ref.step_moments, **kwargs).abs_upper())
        # Nearly antiparallel the two half-spaces hardly meet: moments cancel to below their mass.
        check(mean(instance, Statistic(form)), reference, max(norm, mass))


def test_levels_of_a_residual_link_with_far_crossings() -> None:
    """The removed polynomial crosses the level on both far sides; roots found here by Arb."""
    _, v = pair(0.7, seed=4)
    instance = neuron(v, -7.0, corruptions=[LowDegreeRemoval(9)])
    tau, link = 1 / 7, instance.labels.terms[0].link
    weights = [arb(float(c)) for c in link.removed.weights]  # type: ignore[attr-defined]

    def excess(t: arb, sign: int) -> arb:
        y = (t - 7 if t > 7 else arb(0)) - sum(
            (c * ref.orthonormal(k, t) for k, c in enumerate(weights)), ref.ZERO
        )
        return sign * y - arb(tau)

    total = ref.ZERO
    for sign in (1, -1):
        marks = [arb(x) / 8 for x in range(-8 * 30, 8 * 30 + 1)]
        signs = [float(excess(m, sign)) >= 0 for m in marks]
        for a, b, before, after in zip(marks, marks[1:], signs, signs[1:], strict=False):
            if before == after:
                continue
            for _ in range(150):
                middle = (a + b) / 2
                middle = middle.mid()
                if (float(excess(middle, sign)) >= 0) == before:
                    a = middle
                else:
                    b = middle
            edge = a * ref.density(a)
            total += edge if after else -edge
    form = Ridge(lambda y: (np.abs(y) >= tau) * 1.0, power=2, levels=(-tau, tau))
    at = ref.plane(v, instance.labels.terms[0].direction)
    check(
        mean(instance, Statistic(form)), [[total * p * q for p in at.first] for q in at.first]
    )


@pytest.mark.parametrize("level", [3.0, 1e-300, 0.5])
def test_levels_on_the_search_grid_and_at_kinks(level: float) -> None:
    instance = neuron(np.array([1.0, 0.0]), 0.0)
    form = Ridge(lambda y: (y >= level) * 1.0, levels=(level,))
    check(mean(instance, Statistic(form)), [ref.cdf(-arb(level))])


@pytest.mark.parametrize("weight", [0.7, -0.7])
@pytest.mark.parametrize("overlap", [-0.4, 0.0, 0.9999])
def test_decoys_add_their_own_gradient(weight: float, overlap: float) -> None:
    """Relative to the sum of both neurons' answers."""
    w, v = pair(0.8, seed=1)
    instance = neuron(v, -2.0, corruptions=[Decoy(weight, -1.0, overlap)])
    target, decoy = instance.labels.terms
    low = -arb(-1.5 * float(np.linalg.norm(w)))
    total, size = [ref.ZERO] * 4, 0.0
    for direction, bias, factor in ((target.direction, -2, 1.0), (decoy.direction, -1, weight)):
        at = ref.plane(w, direction)
        part = answers(at, 1, bias=arb(bias), low=low / at.length)
        total = [a + arb(factor) * b for a, b in zip(total, part, strict=True)]
        size += ref.distance(np.zeros(4), part)[1]
    check(mean(instance, Correlation(half_space(w, -1.5, 1))), total, size)


def test_worst_case_corruption_against_its_own_update() -> None:
    """E[weight^2 <x, e> x] = ||weight||^2 e when asked at the direction it was aimed at."""
    _, v = pair(0.8, seed=1)
    update, budget = plain(-3.0), 1e-4
    instance = neuron(v, -3.0, corruptions=[WorstCase(update, budget, 0.9)])
    gated = instance.labels.terms[1]
    assert gated.gate is not None
    w = gated.gate.direction
    form = Ridge(update.weight, w, power=1, kinks=update.kinks)
    at = ref.plane(w, instance.labels.terms[0].direction)
    clean = answers(at, 1, bias=arb(-3), low=arb(3) / at.length)
    size = float(np.sqrt(budget)) / update.norm
    share = arb(size) * ref.cdf(-arb(3) / at.length)
    e = [arb(float(x)) for x in gated.direction]
    reference = [a - share * b for a, b in zip(clean, e, strict=True)]
    norm = ref.distance(np.zeros(4), clean)[1] + float(share)
    check(mean(instance, Correlation(form)), reference, norm)


@pytest.mark.parametrize("noise", [1e-3, 0.3, 5.0])
def test_label_noise(noise: float) -> None:
    """Correlations do not see it; a level turns into a normal cdf of the clean label."""
    _, v = pair(0.8, seed=1)
    w, _ = pair(0.8, seed=1)
    clean, noisy = neuron(v, -1.0), neuron(v, -1.0, corruptions=[LabelNoise(noise)])
    query = Correlation(half_space(w, 0.3, 1))
    assert np.array_equal(mean(clean, query).value, mean(noisy, query).value)
    level = 0.8
    found = mean(noisy, Statistic(Ridge(lambda y: (y >= level) * 1.0, levels=(level,))))
    t0, sigma = arb(1), arb(noise)

    def above(t: acb) -> acb:
        return ref.density(t) * ref.cdf((t - t0 - arb(level)) / sigma)

    cuts = [arb(1.8) + sigma * k for k in (-20, -8, -3, -1, 0, 1, 3, 8)]
    exact = ref.cdf(t0) * ref.cdf(-arb(level) / sigma) + ref.integral(above, t0, arb(19), cuts)
    check(found, [exact])


def test_two_frame_columns_and_linearly_dependent_ones() -> None:
    """A third column that is a sum of the others changes nothing but its name."""
    q = np.linalg.qr(np.random.default_rng(5).standard_normal((5, 3)))[0]
    v = (q[:, 0] + 2 * q[:, 1] + 0.5 * q[:, 2]) / np.sqrt(5.25)
    instance = neuron(v, -2.0)
    v = instance.labels.terms[0].direction

    def both(s: np.ndarray) -> np.ndarray:
        return np.asarray((s[:, 0] >= 1.0) * (s[:, 1] >= -0.5) * 1.0)

    two = Ridge(both, q[:, :2], power=1, kinks=((1.0,), (-0.5,)))
    found = mean(instance, Correlation(two))
    a, b, c = (arb(float(x)) for x in q.T @ v)

    # E over the outer coordinate by Arb, the inner one by Arb again at 20 digits, would be slow:
    # Gauss-Legendre with 80 nodes a panel is exact to 1e-15 for this entire integrand.
    nodes, weights = np.polynomial.legendre.leggauss(40)
    edges_1, edges_2 = np.arange(1.0, 12.0), np.arange(-0.5, 12.0)

    def line(edges: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        half, mid = np.diff(edges) / 2, (edges[1:] + edges[:-1]) / 2
        x = (mid[:, None] + half[:, None] * nodes).ravel()
        return x, (half[:, None] * weights).ravel() * np.exp(-x * x / 2) / np.sqrt(2 * np.pi)

    (x, wx), (y, wy) = line(edges_1), line(edges_2)
    from scipy.special import ndtr

    z = (float(a) * x[:, None] + float(b) * y - 2.0) / float(c)
    density = np.exp(-z * z / 2) / np.sqrt(2 * np.pi)
    m0, m1 = float(c) * (z * ndtr(z) + density), float(c) * ndtr(z)
    grid = wx[:, None] * wy
    parts = [(grid * m0 * x[:, None]).sum(), (grid * m0 * y).sum(), (grid * m1).sum()]
    expected = q @ np.array(parts)
    assert np.linalg.norm(found.value - expected) < 2e-13 * np.linalg.norm(expected)

    third = np.column_stack([q[:, :2], 2 * q[:, 0] - 3 * q[:, 1]])
    kinks = ((1.0,), (-0.5,), ())
    three = mean(instance, Correlation(Ridge(both, third, power=1, kinks=kinks)))
    assert np.linalg.norm(three.value - found.value) <= three.error + found.error
    assert three.error < 1e-12 * np.linalg.norm(expected)

    # The same set as a half-space along dependent columns of other lengths.
    def one(s: np.ndarray) -> np.ndarray:
        return np.asarray((s[:, 0] >= 1.0) * (s[:, 1] >= 2.0) * 1.0)

    twice = Ridge(one, np.column_stack([q[:, 0], 2 * q[:, 0]]), power=1, kinks=((1.0,), (2.0,)))
    simple = Ridge(lambda s: (s >= 1.0) * 1.0, q[:, 0], power=1, kinks=(1.0,))
    pairwise = [mean(instance, Correlation(form)) for form in (twice, simple)]
    gap = np.linalg.norm(pairwise[0].value - pairwise[1].value)
    assert gap <= pairwise[0].error + pairwise[1].error


@given(
    angle=st.floats(0, np.pi),
    bias=st.floats(-8, 2),
    b_query=st.floats(-8, 2),
    power=st.integers(0, 2),
    seed=st.integers(0, 50),
)
@settings(max_examples=30)
def test_the_confessed_error_is_honest(
    angle: float, bias: float, b_query: float, power: int, seed: int
) -> None:
    w, v = pair(angle, seed=seed)
    instance = neuron(v, bias)
    at = ref.plane(w, instance.labels.terms[0].direction)
    b = arb(b_query * float(np.linalg.norm(w)))
    reference = answers(at, power, bias=arb(bias), low=-b / at.length)
    check(mean(instance, Correlation(half_space(w, b_query, power))), reference)


@given(cut=st.floats(-3, 5), b_query=st.floats(-3, 2), power=st.integers(0, 1))
@settings(max_examples=25)
def test_undeclared_kinks_are_reached_or_confessed(
    cut: float, b_query: float, power: int
) -> None:
    w, v = pair(0.9, seed=2)
    instance = neuron(v, -1.0)
    b = b_query * float(np.linalg.norm(w))
    declared = mean(instance, Correlation(half_space(w, b_query, power)))
    silent = Ridge(lambda s: (s + b >= 0) * 1.0, w, power=power)
    found = mean(instance, Correlation(silent))
    size = float(np.linalg.norm(np.atleast_1d(declared.value)))
    gap = float(np.linalg.norm(np.atleast_1d(found.value - declared.value)))
    assert gap <= float(found.error + declared.error) + 1e-12 * size
    c = cut * float(np.linalg.norm(w))
    forms = [
        Ridge(lambda s, y: (y >= 0.4) * np.maximum(s - c, 0), w, kinks=k, levels=levels)
        for k, levels in (((c,), (0.4,)), ((), ()))
    ]
    first, second = (mean(instance, Statistic(form)) for form in forms)
    gap = abs(float(first.value) - float(second.value))
    assert gap <= float(first.error + second.error) + 2e-12 * abs(float(first.value))


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("kind", [Correlation, Statistic])
def test_functions_that_are_not_finite(bad: float, kind: type[Query]) -> None:
    instance = neuron(np.array([0.6, 0.8]), 0.0)

    def h(s: np.ndarray, *label: np.ndarray) -> np.ndarray:
        return np.where(s > 2.0, bad, s)

    with pytest.raises(BadInput, match="finite"):
        mean(instance, kind(Ridge(h, np.array([1.0, 0.0]), power=1)))
    with pytest.raises(BadInput, match="finite"):
        ridge_expectation(Ridge(h, np.array([1.0, 0.0])), 2)


def test_what_cannot_be_integrated_is_refused() -> None:
    instance = neuron(np.eye(6)[0], 0.0)
    with pytest.raises(QueryRefused, match="Opaque"):
        mean(instance, Correlation(Opaque(lambda x: x[:, 0])))
    wide = Ridge(lambda s: s.sum(axis=1), np.eye(6)[:, 1:6])
    for action in (
        lambda: mean(instance, Correlation(wide)),
        lambda: mean(instance, Statistic(Ridge(lambda s, y: y, np.eye(6)[:, 1:6]))),
        lambda: ridge_expectation(wide, 6),
        lambda: ridge_norms(wide, 6),
    ):
        with pytest.raises(QueryRefused, match="directions"):
            action()
    with pytest.raises(QueryRefused, match="Gaussian index models"):
        Quadrature().means(object(), [Correlation(wide)], [Scale.NONE])


@pytest.mark.parametrize("power", [0, 1, 2])
@pytest.mark.parametrize("name", ["||g||", "||y g||", "||phi||"])
def test_scales_against_monte_carlo(name: str, power: int) -> None:
    """Squared norms within five standard errors of 400 000 samples, entry by entry."""
    d = 3
    rng = np.random.default_rng(7)
    w, v = rng.standard_normal(d), rng.standard_normal(d)
    noise = [] if name == "||phi||" else [LabelNoise(0.5)]
    instance = neuron(v, 0.4, corruptions=noise)

    def h(s: np.ndarray) -> np.ndarray:
        return np.maximum(s - 0.2, 0)

    if name == "||phi||":
        form = Ridge(lambda s, y: h(s) * y, w, power=power, kinks=(0.2,))
        found = mean(instance, Statistic(form), Scale.FUNCTION)
    else:
        scale = Scale.FUNCTION if name == "||g||" else Scale.PRODUCT
        found = mean(instance, Correlation(Ridge(h, w, power=power, kinks=(0.2,))), scale)
    x = rng.standard_normal((400_000, d))
    y = np.ones(len(x)) if name == "||g||" else instance.labels.draw(x, rng)
    base = h(x @ w) * y
    if power == 0:
        samples = base**2
    elif power == 1:
        samples = (base[:, None] * x) ** 2
    else:
        outer = x[:, :, None] * x[:, None, :] - np.eye(d)
        samples = (base[:, None, None] * outer) ** 2
    exact = dense(found.scale) ** 2
    error = samples.std(axis=0) / np.sqrt(len(x))
    assert (np.abs(samples.mean(axis=0) - exact) <= 5 * error).all()


@pytest.mark.parametrize("bias", [-8.0, -1.0, 1.5])
def test_entry_norms_of_a_half_space(bias: float) -> None:
    """E[T_ij^2 1(s >= t)] in closed form: fourth moments of a truncated normal."""
    w = np.array([1.0, 0.0, 0.0])
    form = Ridge(lambda s: (s + bias >= 0) * 1.0, w, power=2, kinks=(-bias,))
    table = dense(ridge_norms(form, 3)) ** 2
    t = arb(-bias)
    mass, edge = ref.cdf(-t), ref.density(t)
    second = mass + t * edge
    fourth = 3 * second + t**3 * edge
    exact = [
        [fourth - 2 * second + mass, second, second],
        [second, 2 * mass, mass],
        [second, mass, 2 * mass],
    ]
    wanted = np.array([[float(x) for x in row] for row in exact])
    assert table == pytest.approx(wanted, rel=1e-12)


def test_moments_of_high_dimension_stay_structured() -> None:
    v = np.zeros(2000)
    v[3] = 1.0
    instance = neuron(v, -1.0)
    form = Ridge(lambda y: (y >= 0.5) * 1.0, power=2, levels=(0.5,))
    found = mean(instance, Statistic(form), Scale.FUNCTION)
    assert isinstance(found.value, LowRank)
    assert found.value.basis.shape == (2000, 1)
    t = 1.5
    edge = t * np.exp(-t * t / 2) / np.sqrt(2 * np.pi)
    assert found.value.core[0, 0] == pytest.approx(edge, rel=1e-13)


# ---- levels that a label crosses twice within a step of the search


@pytest.mark.parametrize("side", ["minimum", "maximum"])
@pytest.mark.parametrize("gap", [1e-6, 1e-4, 1e-2])
def test_a_level_just_beyond_a_turning_point_of_the_label_is_crossed_twice(
    gap: float, side: str
) -> None:
    """He_4 / sqrt 24 has minima -6 / sqrt 24 at +-sqrt 3 and a maximum 3 / sqrt 24 at 0."""
    instance = SingleIndex(3, hermite(4)).draw(seed=1)
    root = np.sqrt(24.0)
    level = -6 / root + gap if side == "minimum" else 3 / root - gap
    form = Ridge(lambda y: np.where(y <= level, 1.0, 0.0), levels=(level,))
    found = mean(instance, Statistic(form, "below"))
    split = np.sqrt(6 + root * level)
    outer, inner = np.sqrt(3 + split), np.sqrt(max(3 - split, 0.0))
    exact = 2 * (ndtr(outer) - ndtr(inner))
    assert abs(float(found.value) - exact) <= 1e-9 * exact + found.error


def test_turning_points_are_found_in_every_row_of_a_plane() -> None:
    """Two directions: the inner coordinate's turning points move with the outer one."""
    v = np.array([1.0, 0.0, 0.0])
    instance = SingleIndex(3, hermite(4)).draw(direction=v)
    level = -6 / np.sqrt(24.0) + 1e-3
    form = Ridge(
        lambda s, y: np.where((s > 0) & (y <= level), 1.0, 0.0),
        np.array([0.6, 0.8, 0.0]),
        kinks=(0.0,),
        levels=(level,),
    )
    found = mean(instance, Statistic(form, "half of below"))
    split = np.sqrt(6 + np.sqrt(24.0) * level)
    exact = ndtr(np.sqrt(3 + split)) - ndtr(np.sqrt(3 - split))
    assert abs(float(found.value) - exact) <= 1e-8 + found.error
