"""Passes over a table that is read a chunk at a time, a part after the other.

This file does not know how examples are read, nor engines that read parts at the same time: they
call `part_totals` for each part and add in the order of the parts, and find the same numbers.
"""

from __future__ import annotations

from sqsim.oracles.moments import Request, Totals, Tree, added, gather
from sqsim.problems.chunked import Chunked
from sqsim.problems.reading import chunks


def part_totals(request: Request, source: Chunked, part: int) -> Totals:
    """Sums over one part of the source; memory of one chunk and the answers."""
    return gather(request, chunks(source, part, rows=request.chunk))


def one_pass(request: Request, source: Chunked) -> Totals:
    """Sums over all parts, one after the other."""
    tree = Tree(added)
    for part in range(len(source.parts)):
        tree.add(part_totals(request, source, part))
    return tree.total()
