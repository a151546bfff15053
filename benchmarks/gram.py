"""Gram matrices of ridge families: CPU time against the flop floor of dgemm, and against numpy.

Run as `python benchmarks/gram.py [large D]` with OMP_NUM_THREADS=1; `large D` sums up 100 000
directions in dimension D instead and prints the peak memory.
"""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable
from fractions import Fraction
from statistics import median

import numpy as np

from sqsim.links import Link, relu, residual
from sqsim.lowerbounds.correlation import pairwise_correlation
from sqsim.lowerbounds.gram import gram_summary, ridge_gram

BIAS, DEGREE = -1.5, 50


def cpu(action: Callable[[], object], repeats: int = 3) -> float:
    times = []
    for _ in range(repeats):
        start = time.process_time()
        action()
        times.append(time.process_time() - start)
    return median(times)


def directions(count: int, dimension: int) -> np.ndarray:
    rng = np.random.default_rng(1)
    rows = np.empty((count, dimension))
    for start in range(0, count, 5000):
        part = rng.standard_normal((min(5000, count - start), dimension))
        rows[start : start + len(part)] = part / np.linalg.norm(part, axis=1, keepdims=True)
    return rows


def flop_rate() -> float:
    """Flops a CPU second of a square dgemm."""
    a = np.random.default_rng(0).standard_normal((2000, 2000))
    out = np.empty_like(a)
    return 2 * 2000.0**3 / cpu(lambda: np.matmul(a, a[::-1], out=out), 5)


def peers(rows: np.ndarray, link: Link) -> dict[str, Callable[[], object]]:
    """What one would write in numpy, to the summaries max and row sums."""
    squares = link.coefficients(DEGREE) ** 2

    def power_sum() -> float:
        overlaps = rows @ rows.T
        total, power = np.zeros_like(overlaps), np.ones_like(overlaps)
        for square in squares:
            total += square * power
            power *= overlaps
        return float(np.abs(total).sum(axis=1).max())

    def polyval() -> float:
        values = np.polyval(squares[::-1], rows @ rows.T)
        return float(np.abs(values).sum(axis=1).max())

    def product() -> float:
        return float((rows @ rows.T).max())

    return {"power sum, 51 terms": power_sum, "np.polyval": polyval, "U @ U.T alone": product}


def check(rows: np.ndarray, link: Link, pairs: int = 20) -> float:
    """Sampled pairs against proved correlations at the exact overlap; the largest difference."""
    part = rows[:400]
    gram, rng, worst = ridge_gram(link, part), np.random.default_rng(5), Fraction(0)
    second = pairwise_correlation(link, 1, digits=40).bounds[0]
    for _ in range(pairs):
        i, j = rng.choice(len(part), 2, replace=False).tolist()
        u, v = ([Fraction(x) for x in part[k].tolist()] for k in (i, j))
        inner = sum(a * b for a, b in zip(u, v, strict=True))
        norm = sum(a * a for a in u) * sum(b * b for b in v)
        root = Fraction(np.sqrt(float(norm)))
        root = (root + norm / root) / 2  # Newton: the norm is 1 to 1e-15, the root then to 1e-30
        exact = pairwise_correlation(link, inner / root, digits=40).bounds[0] / second
        worst = max(worst, abs(exact - Fraction(float(gram.cosines[i, j]))))
    if worst > gram.radius.value:
        raise SystemExit(f"a pair is off by {float(worst):.2g}, beyond {float(gram.radius):.2g}")
    return float(worst)


def race(count: int, dimension: int, link: Link, name: str, *, slow: bool) -> None:
    rows = directions(count, dimension)
    gram_summary(link, rows[:600])
    floor = count**2 * dimension / flop_rate()
    summary = gram_summary(link, rows)
    spent = cpu(lambda: gram_summary(link, rows))
    floor = min(floor, count**2 * dimension / flop_rate())
    print(
        f"{name:>18} N={count} d={dimension}: {spent:.2f} s, floor {floor:.2f} s, ratio "
        f"{spent / floor:.2f}; radius / diagonal {float(summary.radius):.1e}; sampled pairs off by "
        f"at most {check(rows, link):.1e}"
    )
    for peer, action in peers(rows, link).items() if slow else ():
        taken = cpu(action, 1)
        print(f"{peer:>40}: {taken:.2f} s, {taken / spent:.1f} times ours")


def large(dimension: int) -> None:
    rows, link = directions(100_000, dimension), relu(BIAS)
    start, wall = time.process_time(), time.perf_counter()
    summary = gram_summary(link, rows)
    spent, wall = time.process_time() - start, time.perf_counter() - wall
    floor = 1e10 * dimension / flop_rate()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(
        f"N=100000 d={dimension}: {spent:.0f} s of CPU, {wall:.0f} s of wall, ratio to the floor "
        f"{spent / floor:.2f}, peak memory {peak:.2f} GiB (directions {rows.nbytes / 2**30:.2f})"
    )
    print(summary)


def main() -> None:
    if sys.argv[1:2] == ["large"]:
        large(int(sys.argv[2]))
        return
    race(5000, 64, relu(BIAS), "relu", slow=True)
    race(5000, 256, relu(BIAS), "relu", slow=True)
    race(10_000, 256, relu(BIAS), "relu", slow=False)
    race(10_000, 1000, relu(BIAS), "relu", slow=False)
    race(10_000, 1000, residual(relu(-7.0), 9), "residual b=-7 K=9", slow=False)
    race(10_000, 1000, relu(-3.0), "relu b=-3", slow=False)


if __name__ == "__main__":
    main()
