"""One gradient round over all monomials: CPU time against dgemm of as many flops, and peak memory.

Run as `python benchmarks/features.py [n d rows]` with OMP_NUM_THREADS=1; 20 6 100000 unless given.
The floor is 4 N operations an example (the score and its gradient) at the rate of a square dgemm,
measured in the same run before and after.  The peer builds the features of a few examples and
multiplies by the vector twice, on 1000 rows.
"""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable

import numpy as np

from sqsim.featured import Featured
from sqsim.multinomial import MonomialFeatures
from sqsim.multinomial_pieces import tails
from sqsim.oracles.sampling import Sample
from sqsim.problems.dataset import Dataset
from sqsim.queries import Statistic
from sqsim.tolerance import Scale


def cpu(action: Callable[[], object]) -> float:
    start = time.process_time()
    action()
    return time.process_time() - start


def flop_rate() -> float:
    """Flops a CPU second of a square dgemm, the best of five."""
    a = np.random.default_rng(0).standard_normal((1500, 1500))
    out = np.empty_like(a)
    return 2 * 1500.0**3 / min(cpu(lambda: np.matmul(a, a[::-1], out=out)) for _ in range(5))


def peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def main(n: int, d: int, rows: int) -> None:
    features = MonomialFeatures(n, d)
    features.check_memory()
    stream = np.random.default_rng(1)
    x = stream.standard_normal((rows, n))
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    table = Dataset(x, np.clip(x[:, 0], 0.0, 1.0))
    c = stream.standard_normal(features.size) / np.sqrt(features.size)
    query = Statistic(Featured(features, lambda s, y: s - y, c), "gradient")

    def ours() -> object:
        return Sample().means(table, [query], [Scale.NONE], seed=0, turn=0)

    few = x[: min(rows, 1000)]

    def peer() -> object:
        total = np.zeros(features.size)
        for start in range(0, len(few), 8):
            part = few[start : start + 8]
            # All monomials, as products of those of lower degree, examples in columns.
            psi = tails(np.ascontiguousarray(part.T), d)
            total += psi @ (c @ psi - part[:, 0])
        return total

    print(f"n = {n}, d = {d}: {features.size} features, {rows} rows; "
          f"estimated memory {features.memory / 2**30:.2f} GiB")  # fmt: skip
    _ = features.weights
    rate = flop_rate()
    spent = cpu(ours)
    held = peak()
    rate = max(rate, flop_rate())
    floor = 4.0 * features.size * rows / rate
    theirs = cpu(peer) * rows / len(few)
    print(f"dgemm {rate / 1e9:.1f} GFLOP/s, so the floor is {floor:.2f} s")
    print(f"one round {spent:.2f} s, {spent / floor:.2f} x the floor; peak {held:.2f} GiB")
    print(f"feature chunks and two products with a vector: {theirs:.1f} s (from {len(few)} rows)")


if __name__ == "__main__":
    given = [int(word) for word in sys.argv[1:]]
    main(*(given or [20, 6, 100_000]))
