"""Leap, cover and detectable sets: known values, brute force over orders and projections."""

from __future__ import annotations

import random
from collections.abc import Sequence
from fractions import Fraction
from itertools import chain, combinations, permutations, product

import pytest

from sqsim.errors import BadInput
from sqsim.lowerbounds.detectable import (
    FiniteJunta,
    LabelFunctions,
    absolute_loss,
    all_functions,
    cube_junta,
    detectable_sets,
    identity_function,
    loss_functions,
    squared_loss,
)
from sqsim.lowerbounds.leaps import (
    SparseFunction,
    Support,
    cover,
    fourier_monomials,
    hermite_monomials,
    leap,
)

KNOWN: dict[str, tuple[SparseFunction, int, int]] = {
    "staircase": (hermite_monomials({(1,): 1, (1, 1): 1, (1, 1, 1): 1}), 1, 3),
    "x1 + x2 + x2 x3 x4": (fourier_monomials({(1,): 1, (2,): 1, (2, 3, 4): 1}), 2, 3),
    "x1 x2 x3 + x2 x3 x4": (fourier_monomials({(1, 2, 3): 1, (2, 3, 4): 1}), 3, 3),
    "He_5": (hermite_monomials({(5,): "1/7"}), 5, 5),
    "three He_2 and more": (
        hermite_monomials({(2,): 1, (0, 2): 1, (0, 0, 2): 1, (3, 0, 8): 1}), 2, 2,
    ),
    "constant": (hermite_monomials({(): 4}), 0, 0),
    "cancelled": (hermite_monomials({(1, 1): "0.0", (2,): 1}), 2, 2),
}  # fmt: skip


@pytest.mark.parametrize("name", KNOWN)
def test_known_leaps_and_covers(name: str) -> None:
    function, steps, width = KNOWN[name]
    assert leap(function).value == steps
    assert cover(function).value == width


def largest_step(order: Sequence[Support]) -> int:
    seen: set[int] = set()
    worst = 0
    for support in order:
        worst = max(worst, sum(k for i, k in support if i not in seen))
        seen |= {i for i, _ in support}
    return worst


def test_greedy_is_optimal_and_its_order_is_a_witness() -> None:
    """All orders of up to six random monomials, Gaussian and on the cube."""
    rng = random.Random(5)
    for trial in range(120):
        top = 3 if trial % 2 else 1
        terms = {
            tuple(rng.choice([0, 0, *range(top + 1)]) for _ in range(5)): 1
            for _ in range(rng.randrange(1, 7))
        }
        function = hermite_monomials(terms)
        found = leap(function)
        assert sorted(found.order) == sorted(function.supports)
        assert largest_step(found.order) == found.value == max(found.added, default=0)
        assert found.value == min(map(largest_step, permutations(function.supports)), default=0)
        assert found.value <= cover(function).value


def test_the_cover_names_a_smallest_monomial_for_each_coordinate() -> None:
    found = cover(fourier_monomials({(1, 2): 1, (2, 3, 4): 1, (4,): 1}))
    assert found.value == 3
    sizes = {i: len(support) for i, support in found.smallest}
    assert sizes == {1: 2, 2: 2, 3: 3, 4: 1}
    assert all(i in dict(support) for i, support in found.smallest)


def brute(junta: FiniteJunta, rows: Sequence[Sequence[Fraction]]) -> set[tuple[int, ...]]:
    """U is seen iff the part of E[T(y) | z] in U, by inclusion and exclusion of means, is not 0."""
    sizes = [range(len(m)) for m in junta.marginals]
    points = list(product(*sizes))
    count = len(sizes)

    def mean(values: dict[tuple[int, ...], Fraction], kept: Sequence[int], z: Sequence[int]):
        total = Fraction(0)
        for w in points:
            if all(w[i] == z[i] for i in kept):
                weight = Fraction(1)
                for i in range(count):
                    weight *= 1 if i in kept else junta.marginals[i][w[i]]
                total += weight * values[w]
        return total

    seen = set()
    for row in rows:
        values = {
            z: sum((p * t for p, t in zip(law, row, strict=True)), Fraction(0))
            for z, law in zip(points, junta.kernel, strict=True)
        }
        for chosen in chain.from_iterable(combinations(range(count), s + 1) for s in range(count)):
            inner = list(
                chain.from_iterable(combinations(chosen, s) for s in range(len(chosen) + 1))
            )
            for z in points:
                part = sum(
                    (-1) ** (len(chosen) - len(kept)) * mean(values, kept, z) for kept in inner
                )
                if part:
                    seen.add(tuple(i + 1 for i in chosen))
                    break
    return seen


def random_junta(rng: random.Random) -> FiniteJunta:
    sizes = [rng.choice([2, 2, 3]) for _ in range(3)]
    marginals = []
    for size in sizes:
        parts = [rng.randrange(1, 4) for _ in range(size)]
        marginals.append(tuple(Fraction(p, sum(parts)) for p in parts))
    labels = tuple(Fraction(v) for v in (-1, 0, 2))
    kernel = []
    symmetric = rng.random() < 0.5
    for z in product(*map(range, sizes)):
        weight = (
            [1, 1, 1] if symmetric and z[0] else [rng.randrange(3) + (j == 0) for j in range(3)]
        )
        kernel.append(tuple(Fraction(w, sum(weight)) for w in weight))
    return FiniteJunta(tuple(marginals), labels, tuple(kernel))


def test_detectable_sets_are_those_of_the_orthogonal_decomposition() -> None:
    """Independent computation from conditional means, on random finite products."""
    rng = random.Random(3)
    for _ in range(12):
        junta = random_junta(rng)
        for functions in (
            all_functions(junta.labels),
            identity_function(junta.labels),
            LabelFunctions((tuple(Fraction(rng.randrange(-2, 3)) for _ in range(3)),)),
        ):
            assert set(detectable_sets(junta, functions).sets) == brute(junta, functions.rows)


def parity_with_magnitude(z: tuple[int, ...]) -> int:
    """The sign is a parity, the size is 1 or 3."""
    return z[0] * z[1] * z[2] * (2 + z[3])


def test_queries_of_y_squared_see_what_correlations_do_not() -> None:
    """y = x1 x2 x3 (2 + x4): y^2 reveals x4 alone, y only together with the parity."""
    junta = cube_junta(parity_with_magnitude, 4)
    statistical = detectable_sets(junta, all_functions(junta.labels))
    correlational = detectable_sets(junta, identity_function(junta.labels))
    assert statistical.sets == ((4,), (1, 2, 3), (1, 2, 3, 4))
    assert correlational.sets == ((1, 2, 3), (1, 2, 3, 4))
    assert statistical.leap is not None
    assert statistical.cover is not None
    assert correlational.cover is not None
    assert (statistical.leap.value, statistical.cover.value) == (3, 3)
    assert correlational.cover.value == 4


def test_squared_loss_is_correlational_and_absolute_loss_statistical() -> None:
    """The span of y -> l'(u, y) is {1, y} for the squared loss, everything for the absolute."""
    rng = random.Random(8)
    for _ in range(10):
        values = {z: rng.randrange(-1, 3) for z in product((-1, 1), repeat=3)}
        junta = cube_junta(values.__getitem__, 3)
        squared = loss_functions(junta.labels, squared_loss, [0, 1], exhaustive=True)
        absolute = loss_functions(
            junta.labels, absolute_loss, [y + Fraction(s, 2) for y in junta.labels for s in (-1, 1)]
        )
        assert squared.complete
        assert absolute.complete
        csq = detectable_sets(junta, identity_function(junta.labels))
        sq = detectable_sets(junta, all_functions(junta.labels))
        assert detectable_sets(junta, squared) == csq
        assert detectable_sets(junta, absolute) == sq
        assert set(csq.sets) <= set(sq.sets)


def test_a_coordinate_that_correlations_miss_has_no_leap() -> None:
    """y in {-1, 0, 1}: x2 decides whether a fair coin or 0 is shown, E[y | x] does not move."""
    half, one, zero = Fraction(1, 2), Fraction(1), Fraction(0)
    rows = [(half, zero, half) if z[1] > 0 else (zero, one, zero)
            for z in product((-1, 1), repeat=2)]  # fmt: skip
    labels = (Fraction(-1), Fraction(0), Fraction(1))
    junta = FiniteJunta(((half, half),) * 2, labels, tuple(rows))
    seen = detectable_sets(junta, all_functions(labels))
    assert (seen.sets, seen.missed) == (((2,),), ())
    blind = detectable_sets(junta, identity_function(labels))
    assert (blind.sets, blind.missed) == ((), (2,))
    assert blind.leap is None
    assert blind.cover is None
    few = loss_functions(labels, absolute_loss, [5])
    assert not few.complete
    assert not detectable_sets(junta, few).complete


def test_bad_input_is_named() -> None:
    third = Fraction(1, 3)
    for call, said in (
        (lambda: fourier_monomials({(1, 1): 1}), "twice"),
        (lambda: hermite_monomials({(-1,): 1}), "degree"),
        (lambda: fourier_monomials({(-1,): 1}), "coordinate"),
        (lambda: hermite_monomials({(1,): "one"}), "coefficient"),
        (lambda: cube_junta(lambda z: 0, 40), "coordinates"),
        (lambda: FiniteJunta(((third, third),), (third,), ()), "marginal"),
        (lambda: FiniteJunta(((Fraction(1),),), (third, third), ()), "distinct"),
        (lambda: FiniteJunta(((Fraction(1),),), (third,), ((third,),)), "row of the kernel"),
        (lambda: detectable_sets(cube_junta(sum, 2), identity_function([1])), "another set"),
    ):
        with pytest.raises(BadInput, match=said):
            call()


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: leap([(1, 2)]), "is no support; wanted pairs"),
        (lambda: leap([5]), "is no support"),
        (lambda: leap([((1, 2, 3),)]), "is no support"),
        (lambda: cover([((1, 1), (1, 1))]), "is no support"),
        (lambda: leap("ab"), "hermite_monomials"),
        (lambda: leap(3), "hermite_monomials"),
        (lambda: hermite_monomials([(1,)]), "wanted a mapping"),
        (lambda: hermite_monomials({1: 1}), "wanted a mapping"),
        (lambda: fourier_monomials({"ab": 1}), "wanted a mapping"),
    ],
    ids=range(9),
)
def test_what_is_no_support_is_named(make, words) -> None:
    """With an example of one."""
    with pytest.raises(BadInput, match=words):
        make()


def test_the_examples_of_the_documentation() -> None:
    """x_1 + x_1 x_2 x_3: two new coordinates at once, and x_2 stands in a monomial of three."""
    supports = [((1, 1),), ((1, 1), (2, 1), (3, 1))]
    assert (leap(supports).value, cover(supports).value) == (2, 3)
    assert hermite_monomials({(1, 1): 1, (2,): "1/3"}).supports == (((1, 1), (2, 1)), ((1, 2),))
    assert fourier_monomials({(1,): 1, (1, 2): 1}).supports == (((1, 1),), ((1, 1), (2, 1)))
