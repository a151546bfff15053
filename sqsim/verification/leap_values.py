"""Entries on leaps, covers and what the gradient of a loss can detect."""

from __future__ import annotations

import random
from collections.abc import Sequence
from fractions import Fraction
from functools import partial
from itertools import permutations, product

from sqsim.lowerbounds.detectable import (
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
from sqsim.lowerbounds.precision import Exact
from sqsim.verification.conditions import exactly, joined
from sqsim.verification.entry import Entry, Finding

LEAP = "Abbe, Boix-Adsera and Misiakiewicz (2023), Definition 1"
DETECTABLE = "Joshi, Misiakiewicz and Srebro (2024)"
KNOWN: tuple[tuple[str, str, SparseFunction, int], ...] = (
    ("staircase", "z1 + z1 z2 + z1 z2 z3",
     fourier_monomials({(1,): 1, (1, 2): 1, (1, 2, 3): 1}), 1),
    ("two-new", "z1 + z2 + z2 z3 z4", fourier_monomials({(1,): 1, (2,): 1, (2, 3, 4): 1}), 2),
    ("two-triples", "z1 z2 z3 + z2 z3 z4", fourier_monomials({(1, 2, 3): 1, (2, 3, 4): 1}), 3),
    ("hermite-5", "He_5(z1)", hermite_monomials({(5,): 1}), 5),
    ("hermite-sum", "He_2(z1) + He_2(z2) + He_2(z3) + He_3(z1) He_8(z3)",
     hermite_monomials({(2,): 1, (0, 2): 1, (0, 0, 2): 1, (3, 0, 8): 1}), 2),
)  # fmt: skip
TRIALS = 100


def _leap(function: SparseFunction, constant: Fraction) -> Finding:
    return joined(exactly(constant, leap(function).value), _by_orders(function) == constant)


def _by_orders(function: SparseFunction) -> int:
    """The definition: the least largest step over all orders."""
    return min(map(_largest_step, permutations(function.supports)))


def _largest_step(order: Sequence[Support]) -> int:
    seen: set[int] = set()
    worst = 0
    for support in order:
        worst = max(worst, sum(k for i, k in support if i not in seen))
        seen |= {i for i, _ in support}
    return worst


def _greedy(constant: Fraction) -> Finding:
    """How often the greedy order is optimal, over random functions of up to six monomials."""
    stream, agreed, left = random.Random(11), 0, TRIALS
    while left:
        terms: dict[Sequence[int], Exact] = {
            tuple(stream.choice([0, 0, 1, 2, 3]) for _ in range(5)): 1
            for _ in range(stream.randrange(2, 6))
        }
        function = hermite_monomials(terms)
        if not function.supports:
            continue
        left -= 1
        agreed += leap(function).value == _by_orders(function)
    return exactly(constant, agreed)


def _cover(constant: Fraction) -> Finding:
    """z1 + z1 z2 z3: adaptive queries need two coordinates at once, others three."""
    function = fourier_monomials({(1,): 1, (1, 2, 3): 1})
    return joined(exactly(constant, cover(function).value), leap(function).value == 2)


def _losses(name: str, constant: Fraction) -> Finding:
    """Random functions on three signs for which a loss detects what it should."""
    stream, agreed = random.Random(8), 0
    for _ in range(12):
        values = {z: stream.randrange(-1, 3) for z in product((-1, 1), repeat=3)}
        junta = cube_junta(values.__getitem__, 3)
        if name == "squared":
            seen = loss_functions(junta.labels, squared_loss, [0, 1], exhaustive=True)
            wanted = identity_function(junta.labels)
        else:
            levels = [y + Fraction(s, 2) for y in junta.labels for s in (-1, 1)]
            seen = loss_functions(junta.labels, absolute_loss, levels)
            wanted = all_functions(junta.labels)
        agreed += detectable_sets(junta, seen) == detectable_sets(junta, wanted)
    return exactly(constant, agreed)


def _gap(constant: Fraction) -> Finding:
    """y = x1 x2 x3 (2 + x4): the cover of correlational queries, where statistical ones have 3."""

    def target(z: tuple[int, ...]) -> int:
        return z[0] * z[1] * z[2] * (2 + z[3])

    junta = cube_junta(target, 4)
    linear = detectable_sets(junta, identity_function(junta.labels)).cover
    whole = detectable_sets(junta, all_functions(junta.labels)).cover
    assert linear is not None
    assert whole is not None
    return joined(exactly(constant, linear.value), whole.value == 3)


LEAP_VALUES: tuple[Entry, ...] = (
    *(
        Entry(
            f"abm.leap-{name}",
            f"leap({text}) = {value}",
            LEAP,
            "greedy order; all orders",
            str(value),
            partial(_leap, function),
        )
        for name, text, function, value in KNOWN
    ),
    Entry(
        "abm.greedy",
        f"the greedy order attains the leap of {TRIALS} of {TRIALS} random functions",
        f"{LEAP}; exchange argument derived for this index",
        "against all orders, exactly",
        str(TRIALS),
        _greedy,
    ),
    Entry(
        "dlq.cover",
        "z1 + z1 z2 z3 has leap 2 and cover 3: exponents of adaptive and non-adaptive queries",
        DETECTABLE,
        "both definitions, exactly",
        "3",
        _cover,
    ),
    Entry(
        "dlq.squared-loss",
        "gradients of the squared loss detect what correlations do: 12 of 12 random targets",
        DETECTABLE,
        "all sets of three coordinates, in rationals",
        "12",
        partial(_losses, "squared"),
    ),
    Entry(
        "dlq.absolute-loss",
        "gradients of the absolute loss detect what statistics do: 12 of 12 random targets",
        DETECTABLE,
        "all sets of three coordinates, in rationals",
        "12",
        partial(_losses, "absolute"),
    ),
    Entry(
        "dlq.gap",
        "y = x1 x2 x3 (2 + x4) has cover 4 for correlations and 3 for statistics",
        f"{DETECTABLE}; example computed here",
        "all sets of four coordinates, in rationals",
        "4",
        _gap,
    ),
)
