"""Leap and cover of sparse functions, exactly: how many new coordinates must be found at once.

This file does not know queries; it counts coordinates of monomials.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, final

from sqsim.errors import BadInput
from sqsim.lowerbounds.precision import Exact, exact_fraction

Support = tuple[tuple[int, int], ...]
"""Pairs (coordinate, degree), coordinates increasing, degrees 1 on the cube.

((1, 1), (3, 2)) is z_1 He_2(z_3), and () the constant.
"""

MOST_TERMS = 20_000


@final
@dataclass(frozen=True)
class SparseFunction:
    """A finite sum of monomials: products of He_k(z_i), or of signs x_i.

    Attributes
    ----------
    terms : pairs (support, coefficient), such as ((((1, 1), (3, 2)), Fraction(1, 2)),) for
        z_1 He_2(z_3) / 2.  Coefficients are not zero, supports are distinct.
        `hermite_monomials` and `fourier_monomials` make them.
    """

    terms: tuple[tuple[Support, Fraction], ...]

    @property
    def supports(self) -> tuple[Support, ...]:
        """The monomials that are there, without the constant."""
        return tuple(support for support, _ in self.terms if support)


def hermite_monomials(terms: Mapping[Sequence[int], Exact]) -> SparseFunction:
    """sum of c prod_i He_(k_i)(z_i) on Gaussian inputs.

    Parameters
    ----------
    terms : mapping from (k_1, k_2, ...) to c
        Degrees by coordinate; missing ones at the end are 0.  {(1, 1): 1, (2,): "1/3"} is
        z_1 z_2 + He_2(z_1) / 3, whose supports are ((1, 1), (2, 1)) and ((1, 2),).
    """
    example = "{(1, 0, 2): 1}, which is z_1 He_2(z_3)"
    return _collected(
        (tuple((i, k) for i, k in enumerate(degrees, start=1) if _degree(k)), c)
        for degrees, c in _items(terms, example)
    )


def fourier_monomials(terms: Mapping[Iterable[int], Exact]) -> SparseFunction:
    """sum of c prod_(i in S) x_i on the cube {-1, 1}^d.

    Parameters
    ----------
    terms : mapping from S to c
        Coordinates by number, each at most once (x_i^2 = 1): {(1,): 1, (1, 2): 1} is
        x_1 + x_1 x_2, whose supports are ((1, 1),) and ((1, 1), (2, 1)).
    """
    gathered = []
    for coordinates, c in _items(terms, "{(1, 3): 1}, which is x_1 x_3"):
        chosen = sorted(_coordinate(i) for i in coordinates)
        if len(set(chosen)) < len(chosen):
            raise BadInput(f"{chosen} names a coordinate twice; on the cube x_i^2 is 1")
        gathered.append((tuple((i, 1) for i in chosen), c))
    return _collected(gathered)


@final
@dataclass(frozen=True)
class LeapResult:
    """The leap with the order that attains it.

    Attributes
    ----------
    value : max of `added` (0 for a constant function).
    order : every support once, in an order that minimises the largest step.
    added : for each, the degrees of the coordinates that are new, summed.
    """

    value: int
    order: tuple[Support, ...]
    added: tuple[int, ...]


@final
@dataclass(frozen=True)
class CoverResult:
    """The cover with a smallest monomial for each coordinate.

    Attributes
    ----------
    value : the largest size of a `smallest` monomial (0 for a constant function).
    smallest : pairs (coordinate, a support of least size that contains it).
    """

    value: int
    smallest: tuple[tuple[int, Support], ...]


def leap(function: SparseFunction | Sequence[Support]) -> LeapResult:
    """min over orders of the supports of max_j |S_j minus the coordinates of S_1, ..., S_j-1|.

    New coordinates count with their degree, which on the cube is 1 (Abbe, Boix-Adsera and
    Misiakiewicz, COLT 2023, Definition 1).  On the cube, n correlational queries of tolerance tau
    miss the target with probability at least 1 - C n d^(-leap) / tau^2; online gradient descent
    takes about d^max(leap - 1, 1) steps.  On Gaussian inputs the lower bound speaks of the largest
    leap over all rotations, of which this is a lower bound in the given coordinates.

    The order is greedy: always a support with the fewest new coordinates.  It is optimal: let L
    be the least possible maximum; the first support of an optimal order that is not yet taken has
    all its predecessors taken, so that it adds at most L, and the greedy choice adds no more.

    Parameters
    ----------
    function : SparseFunction, or a sequence of supports
        A support is the tuple of the pairs (coordinate, degree) of a monomial: leap([((1, 1),),
        ((1, 1), (2, 1), (3, 1))]) is that of x_1 + x_1 x_2 x_3, with value 2.

    Notes
    -----
    Costs (number of monomials)^2 times their size.
    """
    left = _supports(function)
    seen: set[int] = set()
    order, added = [], []
    while left:
        steps = [sum(k for i, k in support if i not in seen) for support in left]
        best = min(range(len(left)), key=steps.__getitem__)
        order.append(left.pop(best))
        added.append(steps[best])
        seen |= {i for i, _ in order[-1]}
    return LeapResult(max(added, default=0), tuple(order), tuple(added))


def cover(function: SparseFunction | Sequence[Support]) -> CoverResult:
    """max over coordinates i of the least |S| over supports S that contain i.

    What the leap is for adaptive queries, the cover is for non-adaptive ones (Joshi, Misiakiewicz
    and Srebro, 2024).  |S| counts degrees, as in `leap`.

    Parameters
    ----------
    function : SparseFunction, or a sequence of supports
        As for `leap`: cover([((1, 1),), ((1, 1), (2, 1), (3, 1))]) has the value 3.
    """
    smallest: dict[int, Support] = {}
    for support in sorted(_supports(function), key=_size):
        for i, _ in support:
            smallest.setdefault(i, support)
    value = max(map(_size, smallest.values()), default=0)
    return CoverResult(value, tuple(sorted(smallest.items())))


def _supports(function: SparseFunction | Sequence[Support]) -> list[Support]:
    if isinstance(function, SparseFunction):
        given: list[Support] = list(function.supports)
    elif isinstance(function, Sequence) and not isinstance(function, str):
        given = [_support(support) for support in function]
    else:
        raise BadInput(
            f"{function!r:.80} is no sparse function; give hermite_monomials(...), "
            "fourier_monomials(...) or a list of supports"
        )
    found = sorted({support for support in given if support}, key=lambda s: (_size(s), s))
    if len(found) > MOST_TERMS:
        raise BadInput(f"{len(found)} monomials; the greedy order is for at most {MOST_TERMS}")
    return found


def _support(support: Any) -> Support:
    try:
        pairs = [(_coordinate(i), _degree(k)) for i, k in support]
    except (TypeError, ValueError):
        pairs = [(0, 0)]
    if len(dict(pairs)) < len(pairs) or not all(k for _, k in pairs):
        raise BadInput(
            f"{support!r:.80} is no support; wanted pairs (coordinate, degree), each coordinate "
            "once and degrees from 1 on, such as ((1, 1), (3, 2)) for z_1 He_2(z_3)"
        )
    return tuple(sorted(pairs))


def _items(terms: Any, example: str) -> list[tuple[Any, Any]]:
    """Keys and coefficients, the keys being sequences of whole numbers."""
    keys = list(terms) if isinstance(terms, Mapping) else None
    if keys is None or any(isinstance(k, str) or not isinstance(k, Iterable) for k in keys):
        raise BadInput(
            f"the monomials are {terms!r:.80}; wanted a mapping of tuples to coefficients, such as "
            + example
        )
    return list(terms.items())


def _size(support: Support) -> int:
    return sum(k for _, k in support)


def _collected(terms: Iterable[tuple[Support, Exact]]) -> SparseFunction:
    """Equal monomials added up, those that cancel dropped."""
    sums: dict[Support, Fraction] = {}
    for support, coefficient in terms:
        value = exact_fraction(coefficient, "a coefficient")
        sums[support] = sums.get(support, Fraction(0)) + value
    return SparseFunction(tuple((s, c) for s, c in sorted(sums.items()) if c))


def _degree(k: int) -> int:
    if isinstance(k, bool) or not isinstance(k, int) or k < 0:
        raise BadInput(f"a degree is {k!r}; wanted whole numbers from 0 on")
    return k


def _coordinate(i: int) -> int:
    if isinstance(i, bool) or not isinstance(i, int) or i < 0:
        raise BadInput(f"a coordinate is {i!r}; wanted whole numbers from 0 on")
    return i
