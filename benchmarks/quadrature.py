"""Exact gradient answers: time against the dimension, and against Monte Carlo with numpy.

Run as `python benchmarks/quadrature.py`; set OMP_NUM_THREADS=1 for one core.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median

import numpy as np

from sqsim.oracles.quadrature import Quadrature
from sqsim.problems.corruption import LowDegreeRemoval, at_overlap
from sqsim.problems.index import IndexInstance, ReluRegression
from sqsim.queries import Correlation, Query, Ridge, Statistic
from sqsim.tolerance import Mean, Scale
from sqsim.updates import reweighted

TARGET = 1e-4
"""Relative error of the vector that Monte Carlo is asked for."""

CHUNK, CHUNKS = 20_000, 10


def seconds(action: Callable[[], object], repeats: int = 15) -> float:
    action()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        action()
        times.append(time.perf_counter() - start)
    return median(times)


def instance_at(dimension: int, bias: float, *corruptions: LowDegreeRemoval) -> IndexInstance:
    return ReluRegression(dimension).draw(bias=bias, corruptions=corruptions, seed=1)


def gradient(instance: IndexInstance, bias: float) -> tuple[Query, np.ndarray]:
    w = at_overlap(instance.direction, 0.6, np.random.default_rng(2))
    form = Ridge(lambda s: (s + bias >= 0) * 1.0, w, power=1, kinks=(-bias,))
    return Correlation(form), w


def asked(instance: IndexInstance, query: Query, scale: Scale = Scale.NONE) -> Callable[[], Mean]:
    return lambda: Quadrature().means(instance, [query], [scale])[0]


def by_dimension() -> None:
    print("one gradient answer E[y 1(<w,x> + b >= 0) x], b = -1")
    print(f"{'d':>9} {'answer':>10} {'dot + axpy':>11} {'d-vector work':>14} {'beyond it':>10}")
    for d in (10**2, 10**4, 10**6):
        instance = instance_at(d, -1.0)
        query, w = gradient(instance, -1.0)
        v = instance.direction
        frame = np.array(w)

        def pair(w: np.ndarray = w, v: np.ndarray = v) -> np.ndarray:
            return np.asarray(w + float(w @ v) * v)

        def vectors(w: np.ndarray = frame, v: np.ndarray = v) -> np.ndarray:
            """Orthonormalise two vectors and combine them: what any exact answer does."""
            a = w / np.linalg.norm(w)
            b = v / np.linalg.norm(v)
            b = b - a
            for _ in range(2):
                b = b - (a @ b) * a
            b = b / np.linalg.norm(b)
            return np.stack([a, b], axis=1) @ np.array([0.3, 0.2])

        total, plain, work = seconds(asked(instance, query)), seconds(pair), seconds(vectors)
        beyond = (total - work) * 1e3
        print(
            f"{d:>9} {total * 1e3:>7.2f} ms {plain * 1e3:>8.3f} ms {work * 1e3:>11.3f} ms "
            f"{beyond:>7.2f} ms"
        )


def monte_carlo(instance: IndexInstance, w: np.ndarray, bias: float) -> tuple[float, float, float]:
    """Samples for the target, seconds a sample, and the error that the run itself reached.

    The number of samples follows from the measured variance; the time is measured on CHUNKS
    chunks and extrapolated to it.
    """
    rng, d = np.random.default_rng(0), len(w)
    v, first, second = instance.direction, np.zeros(d), 0.0
    start = time.perf_counter()
    for _ in range(CHUNKS):
        x = rng.standard_normal((CHUNK, d))
        weight = np.maximum(x @ v + bias, 0.0) * (x @ w + bias >= 0)
        first += x.T @ weight
        second += float((weight**2) @ np.einsum("ij,ij->i", x, x))
    spent = time.perf_counter() - start
    n = CHUNK * CHUNKS
    exact = np.asarray(asked(instance, gradient(instance, bias)[0])().value)
    size = float(np.linalg.norm(exact))
    variance = second / n - size**2
    reached = float(np.linalg.norm(first / n - exact)) / size
    return variance / (TARGET * size) ** 2, spent / n, reached


def against_monte_carlo() -> None:
    print(f"\nthe same against numpy Monte Carlo; its time for {TARGET:.0e} relative error is")
    print(f"extrapolated from {CHUNK * CHUNKS} samples and their variance; d = 2 is Monte Carlo")
    print("that has been reduced to the plane of w and v by hand")
    print(
        f"{'d':>5} {'b':>5} {'ours':>9} {'our error':>10} {'samples':>9} {'Monte Carlo':>12} "
        f"{'ratio':>10} {'reached':>9}"
    )
    for d, bias in ((100, -1.0), (100, -3.0), (2, -1.0), (2, -3.0)):
        instance = instance_at(d, bias)
        query, w = gradient(instance, bias)
        ours = seconds(asked(instance, query))
        mean = asked(instance, query)()
        error = float(np.max(mean.error)) / float(np.linalg.norm(np.asarray(mean.value)))
        samples, each, reached = monte_carlo(instance, w, bias)
        print(
            f"{d:>5} {bias:>5} {ours * 1e3:>6.2f} ms {error:>10.0e} {samples:>9.1e} "
            f"{samples * each:>10.0f} s {samples * each / ours:>10.1e} {reached:>9.0e}"
        )
        if samples * each < 1000 * ours:
            raise SystemExit("less than 1000 times faster than Monte Carlo")


def by_query() -> None:
    print("\nby query at d = 1000; milliseconds without a scale, with ||phi||, with ||y g||")
    hard = instance_at(1000, -7.0, LowDegreeRemoval(9))
    plain = instance_at(1000, -1.0)
    field, w = gradient(hard, -7.0)
    update, tau = reweighted(-7.0), 1 / 7
    queries: list[tuple[str, IndexInstance, Query]] = [
        ("gradient, relu", plain, gradient(plain, -1.0)[0]),
        ("gradient, residual", hard, field),
        (
            "reweighted field, residual",
            hard,
            Correlation(Ridge(update.weight, w, power=1, kinks=update.kinks)),
        ),
        (
            "thresholded matrix, no frame",
            hard,
            Statistic(
                Ridge(lambda y: (np.abs(y) >= tau) * 1.0, power=2, levels=(-tau, tau)), "pca"
            ),
        ),
        (
            "two directions, E[1(y>=.5) 1(s>=1) x]",
            plain,
            Statistic(
                Ridge(lambda s, y: (y >= 0.5) * (s >= 1) * 1.0, w, power=1, kinks=(1.0,),
                      levels=(0.5,))
            ),
        ),
        (
            "two directions, E[(y - sigma(s))^2]",
            plain,
            Statistic(Ridge(lambda s, y: (y - np.maximum(s, 0)) ** 2, w, kinks=(0.0,))),
        ),
    ]  # fmt: skip
    for name, instance, query in queries:
        times = [seconds(asked(instance, query, scale), 5) * 1e3 for scale in Scale]
        print(f"{name:>38} " + " ".join(f"{t:>9.2f}" for t in times))


def main() -> None:
    by_dimension()
    against_monte_carlo()
    by_query()


if __name__ == "__main__":
    main()
