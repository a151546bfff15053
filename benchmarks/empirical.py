"""Empirical gradients: one at a time and fifty in lock-step, against numpy and the machine.

Run as `OMP_NUM_THREADS=1 python benchmarks/empirical.py [rows]`.  Candidates take turns, so that
other work on the machine slows all of them alike, and processor time is what is compared: the best
of the turns, and the median over turns of the ratio to ours.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from statistics import median
from time import process_time

import numpy as np

from sqsim.oracles.sampling import Sample
from sqsim.problems.dataset import Dataset
from sqsim.problems.sources import from_arrays
from sqsim.queries import Correlation, Query, Ridge
from sqsim.tolerance import Scale

D, BATCH, TURNS, CHUNK = 100, 50, 5, 2048


def gradient(w: np.ndarray) -> Query:
    """E[y 1(<w, x> >= 0) x]."""
    return Correlation(Ridge(lambda s: (s >= 0) * 1.0, w, power=1, kinks=(0.0,)), "gradient")


def by_hand(x: np.ndarray, y: np.ndarray, directions: np.ndarray) -> np.ndarray:
    """The best that plain numpy does: chunks that stay in the cache between the two products."""
    total = np.zeros(directions.T.shape)
    for start in range(0, len(x), CHUNK):
        rows, labels = x[start : start + CHUNK], y[start : start + CHUNK]
        weights = (directions.T @ rows.T >= 0) * labels
        total += weights @ rows
    return total / len(x)


def whole(x: np.ndarray, y: np.ndarray, w: np.ndarray) -> np.ndarray:
    """As one writes it: two products with the whole table."""
    return ((x @ w >= 0) * y) @ x / len(x)


def timed(candidates: dict[str, Callable[[], object]]) -> dict[str, list[float]]:
    times: dict[str, list[float]] = {name: [] for name in candidates}
    for turn in range(TURNS + 1):
        for name, action in candidates.items():
            start = process_time()
            action()
            if turn:
                times[name].append(process_time() - start)
    return times


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10**6
    draw = np.random.default_rng(0)
    x, y = draw.standard_normal((count, D)), draw.standard_normal(count)
    frames = draw.standard_normal((D, BATCH))
    data, chunked = Dataset(x, y), from_arrays(x, y)
    queries = [gradient(frames[:, j]) for j in range(BATCH)]

    def asked(table: object, asked: list[Query], scale: Scale) -> list[np.ndarray]:
        means = Sample().means(table, asked, [scale] * len(asked), seed=0, turn=0)
        return [np.asarray(mean.value) for mean in means]

    np.testing.assert_allclose(
        asked(data, queries, Scale.NONE), by_hand(x, y, frames), rtol=1e-9, atol=1e-12
    )
    w, one = frames[:, 0].copy(), queries[:1]
    print(f"n = {count}, d = {D}; {TURNS} turns in which every candidate runs once")
    times = timed(
        {
            "memory: sum of all entries": lambda: x.sum(),
            "two dgemv over the table": lambda: y @ x + x[: len(w)] @ (x @ w)[: len(w)],
            "numpy, two products": lambda: whole(x, y, w),
            "numpy, chunked": lambda: by_hand(x, y, w[:, None]),
            "sqsim": lambda: asked(data, one, Scale.NONE),
            "sqsim with the norm ||g||": lambda: asked(data, one, Scale.FUNCTION),
            "sqsim, Chunked": lambda: asked(chunked, one, Scale.NONE),
        }
    )
    report("one gradient", times, "sqsim")
    times = timed(
        {
            "dgemm, both products of the table": lambda: products(x, y, frames),
            "numpy, chunked": lambda: by_hand(x, y, frames),
            f"sqsim, {BATCH} passes": lambda: [asked(data, [q], Scale.NONE) for q in queries],
            "sqsim": lambda: asked(data, queries, Scale.NONE),
            "sqsim, Chunked": lambda: asked(chunked, queries, Scale.NONE),
        }
    )
    report(f"{BATCH} gradients", times, "sqsim")


def products(x: np.ndarray, y: np.ndarray, frames: np.ndarray) -> np.ndarray:
    """The matrix products alone, in the chunks that are quickest: no values, no labels."""
    total = np.zeros(frames.T.shape)
    for start in range(0, len(x), CHUNK):
        rows = x[start : start + CHUNK]
        total += (frames.T @ rows.T) @ rows
    return total


def report(title: str, times: dict[str, list[float]], ours: str) -> None:
    print(f"\n{title:<36} {'seconds':>9} {'best / ours':>12} {'median ratio':>13}")
    for name, found in times.items():
        ratio = median(a / b for a, b in zip(found, times[ours], strict=True))
        best = min(found)
        print(f"  {name:<34} {best:>9.3f} {best / min(times[ours]):>12.2f} {ratio:>13.2f}")


if __name__ == "__main__":
    main()
