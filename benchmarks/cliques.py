"""Largest nearly orthogonal subfamily: time against networkx on the same graphs.

Run as `python benchmarks/cliques.py`; set OMP_NUM_THREADS=1 for one core.
"""

from __future__ import annotations

import time

import networkx as nx
import numpy as np

from sqsim.lowerbounds.subfamilies import nearly_orthogonal_graph, nearly_orthogonal_subfamily

CASES = ((100, 20, "0.25"), (150, 20, "0.22"), (200, 20, "0.15"), (200, 20, "0.20"),
         (200, 20, "0.25"), (2000, 200, "0.25"))  # fmt: skip
PEER_UP_TO = 200


def compare(count: int, dimension: int, coherence: str) -> None:
    rows = np.random.default_rng(1).normal(size=(count, dimension))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    start = time.process_time()
    found = nearly_orthogonal_subfamily(rows, coherence, nodes=2_000_000)
    here = time.process_time() - start
    graph = nearly_orthogonal_graph(rows, coherence)
    bracket = f"[{len(found.members)}, {found.upper}], {len(found.classes)} classes"
    line = f"{count:5d} {dimension:4d} {coherence:>5}  density {graph.mean():.3f}  "
    line += f"{bracket:24}  {here:8.3f} s"
    if count <= PEER_UP_TO:
        start = time.process_time()
        peer = nx.max_weight_clique(nx.from_numpy_array(graph), weight=None)[1]
        peer_time = time.process_time() - start
        line += f"   networkx {peer}: {peer_time:8.3f} s, {peer_time / here:6.1f} times"
    print(line, flush=True)


if __name__ == "__main__":
    for case in CASES:
        compare(*case)
