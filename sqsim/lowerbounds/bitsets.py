"""Maximum cliques with Python's integers as sets of vertices.  This file knows only graphs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def bitsets(graph: NDArray[np.bool_]) -> list[int]:
    """Neighbours of each vertex, one bit each."""
    packed = np.packbits(graph, axis=1, bitorder="little")
    return [int.from_bytes(row.tobytes(), "little") for row in packed]


def colour_classes(neighbours: Sequence[int]) -> tuple[tuple[int, ...], ...]:
    """A greedy partition into independent sets, vertices of most neighbours first."""
    order = sorted(range(len(neighbours)), key=lambda v: -neighbours[v].bit_count())
    classes: list[list[int]] = []
    masks: list[int] = []
    for v in order:
        for place, mask in enumerate(masks):
            if not mask & neighbours[v]:
                masks[place] |= 1 << v
                classes[place].append(v)
                break
        else:
            masks.append(1 << v)
            classes.append([v])
    return tuple(tuple(sorted(group)) for group in classes)


def largest_clique_within(
    neighbours: Sequence[int], *, nodes: int, enough: int
) -> tuple[list[int], bool]:
    """The largest clique found, and whether it is proved largest.

    Stops at a clique of size `enough`, which must be an upper bound, or after so many nodes.
    """
    order = _degeneracy_order(neighbours)
    near = _reordered(neighbours, order)
    everyone = (1 << len(order)) - 1
    far = [everyone & ~row & ~(1 << v) for v, row in enumerate(near)]
    best = _grown(near)
    chosen: list[int] = []
    stack = [(everyone, *_coloured(everyone, far, len(best)))]
    visited = 0
    while stack and len(best) < enough:
        candidates, vertices, colours = stack[-1]
        if not vertices or len(chosen) + colours[-1] <= len(best):
            stack.pop()
            if chosen:
                chosen.pop()
            continue
        visited += 1
        if visited > nodes:
            return [order[v] for v in best], False
        v = vertices.pop()
        colours.pop()
        stack[-1] = (candidates & ~(1 << v), vertices, colours)
        inside = candidates & near[v]
        if inside:
            chosen.append(v)
            stack.append((inside, *_coloured(inside, far, len(best) - len(chosen))))
        elif len(chosen) + 1 > len(best):
            best = [*chosen, v]
    return [order[v] for v in best], True


def _coloured(candidates: int, far: Sequence[int], skip: int) -> tuple[list[int], list[int]]:
    """Candidates of colour > skip and their colours, rising; the others cannot improve."""
    vertices: list[int] = []
    colours: list[int] = []
    colour = 0
    while candidates:
        colour += 1
        free = candidates
        while free:
            bit = free & -free
            v = bit.bit_length() - 1
            candidates ^= bit
            free &= far[v]
            if colour > skip:
                vertices.append(v)
                colours.append(colour)
    return vertices, colours


def _degeneracy_order(neighbours: Sequence[int]) -> list[int]:
    """Vertices of fewest neighbours among the remaining ones last."""
    degrees = [row.bit_count() for row in neighbours]
    left = set(range(len(neighbours)))
    removed = []
    while left:
        v = min(left, key=lambda u: (degrees[u], u))
        left.remove(v)
        removed.append(v)
        row = neighbours[v]
        for u in left:
            degrees[u] -= row >> u & 1
    return removed[::-1]


def _reordered(neighbours: Sequence[int], order: Sequence[int]) -> list[int]:
    size = len(order)
    table = np.zeros((size, size), dtype=bool)
    for place, v in enumerate(order):
        raw = np.frombuffer(neighbours[v].to_bytes((size + 7) // 8, "little"), dtype=np.uint8)
        table[place] = np.unpackbits(raw, bitorder="little")[:size][list(order)]
    return bitsets(table)


def _grown(near: Sequence[int]) -> list[int]:
    """A clique that grows by the candidate with most neighbours among the candidates."""
    inside, clique = (1 << len(near)) - 1, []
    while inside:
        options, rest = [], inside
        while rest:
            bit = rest & -rest
            options.append(bit.bit_length() - 1)
            rest ^= bit
        v = max(options, key=lambda u: (near[u] & inside).bit_count())
        clique.append(v)
        inside &= near[v]
    return clique
