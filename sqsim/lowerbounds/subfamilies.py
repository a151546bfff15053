"""The largest nearly orthogonal subfamily of given vectors: a clique search with a certificate.

Vectors are joined where |<u, v>| <= tau |u| |v|; the graph is decided exactly.  This file does not
know how the vectors came about, nor which dimension the answer bounds.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations
from typing import final

import numpy as np
from flint import fmpz_mat
from numpy.typing import ArrayLike, NDArray

from sqsim.errors import BadInput
from sqsim.lowerbounds.bitsets import bitsets, colour_classes, largest_clique_within
from sqsim.lowerbounds.precision import Exact, exact_fraction

MEMORY = 2**31
UNIT = 2.0**-53


@final
@dataclass(frozen=True)
class Subfamily:
    """A subfamily of coherence <= `coherence`, and why none is much larger.

    Attributes
    ----------
    members : indices of vectors that are pairwise nearly orthogonal; their number is the lower end.
    upper : no such subfamily has more.
    classes : all indices, in groups of which no two are nearly orthogonal: a subfamily takes at
        most one of each, so their number is an upper bound that anyone can check.
    exhausted : the search visited everything, so that `upper` is len(members); where that is below
        the number of classes it rests on the search alone.
    """

    coherence: Fraction
    members: tuple[int, ...]
    upper: int
    classes: tuple[tuple[int, ...], ...]
    exhausted: bool


def nearly_orthogonal_subfamily(
    vectors: ArrayLike, coherence: Exact, *, nodes: int = 200_000
) -> Subfamily:
    """The most rows with |<u, v>| <= coherence |u| |v| for all pairs, or a bracket.

    Branch and bound over bit sets with greedy colouring bounds (Tomita and Seki 2003; San Segundo,
    Rodriguez-Losada and Jimenez 2011).

    Parameters
    ----------
    vectors : (N, d) integers or floats, floats taken as the binary fractions they are.
    nodes : of the search tree; where they run out the result is a bracket, not an error.
    """
    if isinstance(nodes, bool) or not isinstance(nodes, int) or nodes < 0:
        raise BadInput(f"nodes is {nodes!r}; give a whole number from 0 on")
    tau = _threshold(coherence)
    graph = nearly_orthogonal_graph(vectors, tau)
    neighbours = bitsets(graph)
    classes = colour_classes(neighbours)
    members, finished = largest_clique_within(neighbours, nodes=nodes, enough=len(classes))
    upper = len(members) if finished else len(classes)
    return Subfamily(tau, tuple(sorted(members)), upper, classes, finished)


def check_subfamily(subfamily: Subfamily, vectors: ArrayLike) -> bool:
    """Whether members and classes are what they say, in whole numbers from the vectors alone.

    Shows len(members) <= largest <= len(classes); that `upper` may be smaller is the search's word.
    """
    rows = _rows(vectors)
    seen = sorted(i for group in subfamily.classes for i in group)
    if seen != list(range(len(rows))) or len(set(subfamily.members)) != len(subfamily.members):
        return False
    if not set(subfamily.members) <= set(seen):
        return False
    if not len(subfamily.members) <= subfamily.upper <= len(subfamily.classes):
        return False
    apart = all(
        not near
        for group in subfamily.classes
        for near in _decided(rows, group, subfamily.coherence)
    )
    return apart and all(_decided(rows, subfamily.members, subfamily.coherence))


def nearly_orthogonal_graph(vectors: ArrayLike, coherence: Exact) -> NDArray[np.bool_]:
    """Which pairs have |<u, v>| <= coherence |u| |v|, decided exactly; the diagonal is False.

    A float64 product decides all pairs but those within its rounding bound of the threshold;
    these are decided in whole numbers.
    """
    tau, rows = _threshold(coherence), _rows(vectors)
    need = 10 * len(rows) ** 2
    if need > MEMORY:
        raise BadInput(
            f"{len(rows)} vectors need a graph of about {need / 2**30:.3g} GiB, and "
            f"{MEMORY / 2**30:.3g} are allowed; take a subset"
        )
    floats = rows.astype(np.float64)
    unit = floats / np.sqrt(np.einsum("ij,ij->i", floats, floats))[:, None]
    products = np.abs(unit @ unit.T)
    # The bound of `measured_packing`, the rounding of whole numbers above 2^53, and of tau.
    margin = 4 * (rows.shape[1] + 8) * UNIT
    graph: NDArray[np.bool_] = products <= float(tau)
    open_pairs = np.argwhere(np.triu(np.abs(products - float(tau)) <= margin, 1))
    for i, j in open_pairs.tolist():
        graph[i, j] = graph[j, i] = _decided(rows, (i, j), tau)[0]
    np.fill_diagonal(graph, False)
    return graph


def _decided(rows: NDArray[np.generic], chosen: tuple[int, ...], tau: Fraction) -> list[bool]:
    """For all pairs in order: <u, v>^2 <= tau^2 |u|^2 |v|^2, in whole numbers."""
    if len(chosen) < 2:
        return []
    table = _whole(rows[list(chosen)])
    gram = fmpz_mat(table) * fmpz_mat(table).transpose()
    top, bottom = tau.numerator**2, tau.denominator**2
    return [
        bool(gram[i, j] ** 2 * bottom <= top * gram[i, i] * gram[j, j])
        for i, j in combinations(range(len(chosen)), 2)
    ]


def _whole(rows: NDArray[np.generic]) -> list[list[int]]:
    """The rows, each times a positive number that makes it whole."""
    if rows.dtype.kind == "i":
        return [[int(x) for x in row] for row in rows.tolist()]
    table = []
    for row in rows.tolist():
        ratios = [float(x).as_integer_ratio() for x in row]
        common = max(bottom for _, bottom in ratios)
        table.append([top * (common // bottom) for top, bottom in ratios])
    return table


def _rows(vectors: ArrayLike) -> NDArray[np.generic]:
    rows = np.asarray(vectors)
    if rows.ndim != 2 or min(rows.shape) < 1 or rows.dtype.kind not in "iuf":
        raise BadInput(
            f"vectors have shape {rows.shape} and type {rows.dtype}; give rows of numbers"
        )
    rows = rows.astype(np.int64 if rows.dtype.kind in "iu" else np.float64)
    sizes = np.abs(rows.astype(np.float64)).max(axis=1)
    if not (np.all(sizes > 1e-100) and np.all(sizes < 1e100)):
        raise BadInput("a row is zero, not finite or of extreme size; scale the rows to norm 1")
    return rows


def _threshold(coherence: Exact) -> Fraction:
    tau = exact_fraction(coherence, "coherence")
    if not 0 <= tau < 1:
        raise BadInput(f"coherence is {coherence!r}; give a number in [0, 1)")
    return tau
