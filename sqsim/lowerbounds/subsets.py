"""Heaviest subsets of a given size: sums of whole-number weights over S x S.

All arithmetic is exact in int64 (the sum of all weights must fit).  This file knows no functions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import final

import numpy as np
import numpy.typing as npt

from sqsim.errors import NotCertified

Weights = npt.NDArray[np.int64]
"""Symmetric, none negative."""

NODES = 20_000


@final
@dataclass(frozen=True, eq=False)
class _Node:
    """Subsets of `size` that hold the chosen and `need` more of the candidates."""

    chosen: tuple[int, ...]
    inside: int
    candidates: Weights
    links: Weights
    need: int


def row_bounds(weights: Weights) -> list[int]:
    """For m = 1, ..., N, a number that no subset of size m weighs more than.

    A row gives a subset of size m its diagonal and at most its m - 1 heaviest other entries; the
    m heaviest rows are added up.  O(N^2 log N).
    """
    own = weights.diagonal()
    rows = weights.copy()
    np.fill_diagonal(rows, -1)
    rows = -np.sort(-rows, axis=1)
    rows[:, -1] = own
    heaviest = np.cumsum(np.roll(rows, 1, axis=1), axis=1)
    heaviest.sort(axis=0)
    return [int(heaviest[-m:, m - 1].sum()) for m in range(1, len(weights) + 1)]


def peeled(weights: Weights) -> Iterator[tuple[list[int], int]]:
    """Subsets of sizes N, N - 1, ..., 1 and their weights: the lightest member goes each time."""
    members = np.arange(len(weights))
    degrees, own = weights.sum(axis=1), weights.diagonal()
    total = int(weights.sum())
    while len(members):
        yield members.tolist(), total
        losses = 2 * degrees[members] - own[members]
        lightest = members[int(losses.argmin())]
        total -= int(losses.min())
        degrees = degrees - weights[lightest]
        members = members[members != lightest]


def leading(weights: Weights, order: Weights) -> Iterator[tuple[list[int], int]]:
    """The first N, N - 1, ..., 1 of an order, and their weights."""
    ordered = weights[np.ix_(order, order)]
    totals = ordered.cumsum(axis=0).cumsum(axis=1).diagonal()
    for size in range(len(order), 0, -1):
        yield order[:size].tolist(), int(totals[size - 1])


def heavy_subset(
    weights: Weights, size: int, limit: int, accept: Callable[[tuple[int, ...]], bool]
) -> tuple[int, ...] | None:
    """A subset of this size that weighs more than the limit and is accepted; None if there is none.

    Branch and bound with the bound of `row_bounds`, at most NODES nodes.

    Raises
    ------
    NotCertified
        Where the nodes run out.
    """
    everyone = np.arange(len(weights))
    stack = [_Node((), 0, everyone, weights.diagonal().copy(), size)]
    for _ in range(NODES):
        if not stack:
            return None
        node = stack.pop()
        if node.need == 0:
            if node.inside > limit and accept(node.chosen):
                return node.chosen
            continue
        stack += _branches(weights, node, limit)
    raise NotCertified(
        f"{NODES} nodes did not decide whether {size} of {len(weights)} functions are too "
        "correlated; take the bracket, or a smaller family"
    )


def _branches(weights: Weights, node: _Node, limit: int) -> list[_Node]:
    """Without and with the most promising candidate; none where the bound is within the limit."""
    candidates, links, need = node.candidates, node.links, node.need
    if len(candidates) < need:
        return []
    inner = weights[np.ix_(candidates, candidates)]
    np.fill_diagonal(inner, 0)
    cut = len(candidates) - (need - 1)
    promise = links + np.partition(inner, cut - 1, axis=1)[:, cut:].sum(axis=1)
    order = np.argsort(-promise, kind="stable")
    bound = node.inside + int(promise[order[:need]].sum())
    if bound <= limit:
        return []
    # A candidate whose best company stays within the limit is in no heavy subset.
    hopeful = bound - promise[order[need - 1]] + promise > limit
    hopeful[order[:need]] = True
    first = int(order[0])
    member = int(candidates[first])
    hopeful[first] = False
    rest, kept = candidates[hopeful], links[hopeful]
    without = _Node(node.chosen, node.inside, rest, kept, need)
    with_member = _Node(
        (*node.chosen, member),
        node.inside + int(links[first]),
        rest,
        kept + 2 * weights[member][rest],
        need - 1,
    )
    return [without, with_member]
