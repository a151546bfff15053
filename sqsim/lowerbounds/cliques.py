"""Cliques of a graph that is known up to a few undecided edges.  This file knows no functions."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from sqsim.lowerbounds.bitsets import bitsets, largest_clique_within

Graph = npt.NDArray[np.bool_]
"""Symmetric adjacency; the diagonal says which vertices take part."""

STARTS = 64
NODES = 20_000


def largest_clique(
    sure: Graph, possible: Graph, *, search_up_to: int
) -> tuple[tuple[int, ...], int]:
    """A clique of the sure graph, and a bound that no clique of the possible one exceeds.

    Greedy clique and greedy colouring; where they differ and at most `search_up_to` vertices
    take part, branch and bound decides, or gives up after NODES nodes.
    """
    bound = colours(possible)
    clique = greedy_clique(sure, enough=bound)
    if bound > len(clique) and len(_vertices(possible)) <= search_up_to:
        found, finished = _searched(sure, enough=bound)
        clique = max(clique, found, key=len)
        if not np.array_equal(sure, possible):
            found, finished = _searched(possible, enough=bound)
        bound = len(found) if finished else bound
    return tuple(sorted(clique)), bound


def greedy_clique(graph: Graph, *, enough: int) -> list[int]:
    """The largest of a few cliques that grow by the vertex with most neighbours."""
    order = _by_degree(graph)
    ordered = graph[np.ix_(order, order)]
    best: list[int] = []
    for start in range(min(STARTS, len(order))):
        if len(best) >= enough:
            break
        clique, rest = [start], ordered[start].copy()
        rest[start] = False
        while rest.any():
            place = int(rest.argmax())
            clique.append(place)
            rest &= ordered[place]
            rest[place] = False
        best = max(best, clique, key=len)
    return [int(order[place]) for place in best]


def colours(graph: Graph) -> int:
    """Colours of a greedy proper colouring: a clique has at most one vertex of each."""
    order = _by_degree(graph)
    ordered = graph[np.ix_(order, order)]
    waiting, count = np.ones(len(order), bool), 0
    while waiting.any():
        free = waiting.copy()
        while free.any():
            place = int(free.argmax())
            waiting[place] = free[place] = False
            free &= ~ordered[place]
        count += 1
    return count


def _vertices(graph: Graph) -> npt.NDArray[np.int64]:
    return np.flatnonzero(graph.diagonal())


def _by_degree(graph: Graph) -> npt.NDArray[np.int64]:
    vertices = _vertices(graph)
    degrees = graph[np.ix_(vertices, vertices)].sum(axis=1)
    return vertices[np.argsort(-degrees, kind="stable")]


def _searched(graph: Graph, *, enough: int) -> tuple[list[int], bool]:
    vertices = _vertices(graph)
    edges = graph[np.ix_(vertices, vertices)]
    np.fill_diagonal(edges, False)
    clique, finished = largest_clique_within(bitsets(edges), nodes=NODES, enough=enough)
    return [int(vertices[place]) for place in clique], finished
