"""Dimensions of families against enumeration, known families and perturbation."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import combinations, product

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from sqsim.errors import BadInput
from sqsim.links import relu
from sqsim.lowerbounds import gram as grams
from sqsim.lowerbounds.averages import (
    average_correlation,
    average_dimension,
    conditional_dimension,
)
from sqsim.lowerbounds.cliques import colours, greedy_clique, largest_clique
from sqsim.lowerbounds.dimension import (
    average_from_pairwise,
    correlation_dimension,
    spectral_count,
    sq_dimension,
)
from sqsim.lowerbounds.eigenvalues import largest_eigenvalue
from sqsim.lowerbounds.families import gaussian_family, parity_family
from sqsim.lowerbounds.matrices import Correlations

Rows = list[list[Fraction]]


def gram(functions: list[list[int]]) -> Rows:
    """Correlations of functions on a finite set under its uniform law, from their values."""
    return [
        [Fraction(sum(a * b for a, b in zip(f, g, strict=True)), len(f)) for g in functions]
        for f in functions
    ]


def parities(bits: int) -> Rows:
    cube = list(product((0, 1), repeat=bits))
    return gram([[(-1) ** sum(map(math.prod, zip(s, x, strict=True))) for x in cube] for s in cube])


def conjunctions(bits: int) -> Rows:
    """+-1-valued, all subsets of variables: far from orthogonal."""
    cube = list(product((0, 1), repeat=bits))
    return gram([[1 if all(map(int.__le__, s, x)) else -1 for x in cube] for s in cube])


def ridge_gram(size: int, dimension: int, degree: int, seed: int) -> np.ndarray:
    vectors = np.random.default_rng(seed).normal(size=(size, dimension))
    vectors /= np.linalg.norm(vectors, axis=1)[:, None]
    powers = (vectors @ vectors.T) ** degree
    powers = (powers + powers.T) / 2
    np.fill_diagonal(powers, 1.0)
    return powers


def nearly_orthogonal(rows: Rows, members: tuple[int, ...], pair: Fraction) -> bool:
    return all(abs(rows[i][j]) <= pair for i, j in combinations(members, 2))


def enumerated_csd(rows: Rows, gamma: Fraction, beta: Fraction) -> int:
    usable = [i for i in range(len(rows)) if rows[i][i] <= beta]
    return max(
        size
        for size in range(len(usable) + 1)
        for members in combinations(usable, size)
        if nearly_orthogonal(rows, members, gamma)
    )


def enumerated_sq_dimension(rows: Rows, power: int) -> int:
    return max(
        d
        for d in range(1, len(rows) + 1)
        for members in combinations(range(len(rows)), d)
        if nearly_orthogonal(rows, members, Fraction(1, d**power))
    )


def enumerated_size(rows: Rows, gamma: Fraction) -> int:
    """m* of the average dimension: one more than the largest harmful subset."""
    for size in range(len(rows), 0, -1):
        for members in combinations(range(len(rows)), size):
            if sum(abs(rows[i][j]) for i in members for j in members) > gamma * size**2:
                return size + 1
    return 1


def enumerated_events(rows: Rows, n: Fraction, most: int) -> int:
    """The largest q <= most, one event after the other."""
    entries = sorted((abs(x) for row in rows for x in row), reverse=True)

    def harmless(q: int) -> bool:
        smallest = math.ceil(Fraction(len(entries), q * q))
        return all(sum(entries[:k]) * n <= k for k in range(max(1, smallest), len(entries) + 1))

    return max((q for q in range(1, most + 1) if harmless(q)), default=0)


half = st.lists(st.lists(st.integers(-2, 2), min_size=4, max_size=4), min_size=1, max_size=6)
positive = st.fractions(min_value=Fraction(1, 12), max_value=2, max_denominator=12)


@pytest.mark.parametrize("bits", [1, 3, 5])
def test_parities(bits: int) -> None:
    """Orthonormal: every dimension is known."""
    rows, count = parities(bits), 2**bits
    family = Correlations.exact(rows)
    for power in (1, 3):
        found = sq_dimension(family, power=power)
        assert (found.lower, found.upper) == (count, count)
    orthogonal = correlation_dimension(family, gamma=0, beta=1)
    assert orthogonal.exact
    assert orthogonal.witness == tuple(range(count))
    assert correlation_dimension(family, gamma=1, beta="0.9").upper == 0
    for gamma in ("1/3", "0.1", "1"):
        found_average = average_dimension(family, gamma=gamma, search_up_to=0)
        size = math.ceil(1 / Fraction(gamma))
        harmless = size if size <= count else count + 1
        assert found_average.smallest == (harmless, harmless)
    assert spectral_count(family, tolerance="0.8") == count - 1
    assert conditional_dimension(family, samples=1).lower is None


def test_many_parities() -> None:
    """1024 functions: the brackets close without search, at the values of an orthonormal family."""
    family = Correlations(np.eye(1024))
    assert (sq_dimension(family).lower, sq_dimension(family).upper) == (1024, 1024)
    assert average_dimension(family, gamma="0.01").smallest == (100, 100)
    assert average_dimension(family, gamma="0.01").bounds == (Fraction(1024, 100),) * 2
    # The n N largest entries are the ones; q^2 (n N - 1) < N^2.
    found = conditional_dimension(family, samples=16)
    assert found.pairs == (16 * 1024,) * 2
    assert found.lower == found.upper == math.isqrt((1024**2 - 1) // (16 * 1024 - 1)) == 8
    assert spectral_count(family, tolerance="0.1") == math.ceil(1023 / 99)


def test_conjunctions_by_enumeration() -> None:
    rows = conjunctions(3)
    family = Correlations.exact(rows)
    for power in (1, 3):
        found = sq_dimension(family, power=power)
        assert found.lower == found.upper == enumerated_sq_dimension(rows, power)
        assert nearly_orthogonal(rows, found.witness, Fraction(1, found.lower**power))


@given(half, positive, positive)
def test_csd_by_enumeration(values: list[list[int]], gamma: Fraction, beta: Fraction) -> None:
    rows = gram(values)
    found = correlation_dimension(Correlations.exact(rows), gamma=gamma, beta=beta)
    assert found.lower == found.upper == enumerated_csd(rows, gamma, beta)
    assert len(found.witness) == found.lower
    assert nearly_orthogonal(rows, found.witness, gamma)
    bracket = correlation_dimension(
        Correlations.exact(rows), gamma=gamma, beta=beta, search_up_to=0
    )
    assert bracket.lower <= found.lower <= bracket.upper


@given(half, positive)
def test_average_dimension_by_enumeration(values: list[list[int]], gamma: Fraction) -> None:
    rows = gram(values)
    found = average_dimension(Correlations.exact(rows), gamma=gamma)
    size = enumerated_size(rows, gamma)
    assert found.smallest == (size, size)
    assert found.exact
    if found.witness:
        average = average_correlation(Correlations.exact(rows), found.witness)
        assert average.bounds[0] > gamma
    bracket = average_dimension(Correlations.exact(rows), gamma=gamma, search_up_to=0)
    assert bracket.smallest[0] <= size <= bracket.smallest[1]
    assert bracket.bounds[0] <= found.bounds[0] <= bracket.bounds[1]


@given(half, positive)
def test_events_of_pairs_by_enumeration(values: list[list[int]], n: Fraction) -> None:
    rows = gram(values)
    found = conditional_dimension(Correlations.exact(rows), samples=n)
    largest = enumerated_events(rows, n, 60)
    if found.lower is None:
        assert largest == 60
    else:
        assert found.lower == found.upper == largest


def test_events_of_ridge_pairs_against_the_law_of_their_angle() -> None:
    """Worst event for <u, v>^2: large cosines; their square is Beta(1/2, (d - 1)/2) distributed."""
    size, d, q = 1500, 12, 5
    family = Correlations(ridge_gram(size, d, 2, seed=8))
    law = stats.beta(0.5, (d - 1) / 2)
    # 1 in q^2 pairs, of which N are the diagonal's ones.
    share = 1 / q**2 - 1 / size
    mean = law.expect(lambda x: x, lb=law.isf(share)) + 1 / size
    n = 1 / (mean * q**2)
    assert conditional_dimension(family, samples=0.97 * n).lower == q
    assert conditional_dimension(family, samples=1.03 * n).upper == q - 1


@given(half, positive, st.randoms(use_true_random=False))
def test_order_does_not_matter(values: list[list[int]], gamma: Fraction, luck: object) -> None:
    mixed = list(values)
    luck.shuffle(mixed)  # type: ignore[attr-defined]
    one, other = (Correlations.exact(gram(rows)) for rows in (values, mixed))
    assert (
        average_dimension(one, gamma=gamma).smallest
        == average_dimension(other, gamma=gamma).smallest
    )
    assert (
        correlation_dimension(one, gamma=gamma, beta=1).lower
        == correlation_dimension(other, gamma=gamma, beta=1).lower
    )
    assert conditional_dimension(one, samples=gamma) == conditional_dimension(other, samples=gamma)


@given(half, positive, positive)
def test_a_laxer_threshold_never_lowers_a_dimension(
    values: list[list[int]], gamma: Fraction, more: Fraction
) -> None:
    family = Correlations.exact(gram(values))
    tight, lax = (average_dimension(family, gamma=g) for g in (gamma, gamma + more))
    assert lax.smallest[0] <= tight.smallest[0]
    tight_pairs, lax_pairs = (
        correlation_dimension(family, gamma=g, beta=3).lower for g in (gamma, gamma + more)
    )
    assert tight_pairs <= lax_pairs


@given(half, positive, positive, st.integers(0, 2**20))
def test_a_radius_covers_every_matrix_within_it(
    values: list[list[int]], gamma: Fraction, n: Fraction, seed: int
) -> None:
    """The brackets from perturbed floats hold the dimensions of the true matrix."""
    rows = gram(values)
    noise = np.random.default_rng(seed).uniform(-0.04, 0.04, (len(rows),) * 2)
    seen = Correlations(np.array(rows, float) + (noise + noise.T), 0.081)
    exact = Correlations.exact(rows)
    average, true = (average_dimension(family, gamma=gamma) for family in (seen, exact))
    assert average.smallest[0] <= true.smallest[0] <= average.smallest[1]
    pairs, true_pairs = (
        correlation_dimension(family, gamma=gamma, beta=1) for family in (seen, exact)
    )
    assert pairs.lower <= true_pairs.lower <= pairs.upper
    events, true_events = (conditional_dimension(family, samples=n) for family in (seen, exact))
    assert (events.lower or 0) <= (true_events.lower or math.inf)
    assert (events.upper or math.inf) >= (true_events.upper or 0)
    assert events.pairs[0] <= true_events.pairs[0] <= events.pairs[1]
    low, high = average_correlation(seen, range(len(rows))).bounds
    assert low <= average_correlation(exact, range(len(rows))).bounds[0] <= high


def test_branch_and_bound_closes_the_bracket_of_thirty() -> None:
    """Where 2^30 subsets are out of reach; at 14 functions enumeration agrees."""
    family = Correlations(ridge_gram(14, 4, 3, seed=3))
    rows = [[Fraction(x) for x in row] for row in family.matrix]
    for gamma in ("0.2", "0.35", "0.5"):
        found = average_dimension(family, gamma=gamma)
        assert found.exact
        assert found.smallest[0] == enumerated_size(rows, Fraction(gamma))
    thirty = Correlations(ridge_gram(30, 6, 3, seed=1))
    for gamma in ("0.15", "0.2", "0.3"):
        found = average_dimension(thirty, gamma=gamma)
        wide = average_dimension(thirty, gamma=gamma, search_up_to=0)
        assert found.exact
        assert wide.smallest[0] <= found.smallest[0] <= wide.smallest[1]


def test_brackets_of_a_thousand_functions() -> None:
    family = Correlations(ridge_gram(1000, 64, 3, seed=2), Fraction(1, 10**13))
    found = average_dimension(family, gamma="0.1")
    low, high = found.smallest
    assert 1 < low <= high <= 20
    assert average_correlation(family, found.witness).bounds[0] > Fraction(1, 10)
    # No subset that chance finds contradicts the bracket.
    rng = np.random.default_rng(4)
    for _ in range(50):
        members = rng.choice(1000, size=high, replace=False)
        assert abs(family.matrix[np.ix_(members, members)]).mean() <= 0.1
    pairs = correlation_dimension(family, gamma="0.01", beta="1.01")
    inside = family.matrix[np.ix_(pairs.witness, pairs.witness)]
    assert abs(inside - np.eye(pairs.lower)).max() <= 0.01
    assert 30 < pairs.lower <= pairs.upper < 1000
    later = sq_dimension(family, power=1)
    inside = family.matrix[np.ix_(later.witness, later.witness)]
    assert abs(inside - np.eye(later.lower)).max() <= 1 / later.lower


@pytest.mark.parametrize("density", [0.2, 0.5, 0.9])
def test_cliques_against_networkx(density: float) -> None:
    rng = np.random.default_rng(int(10 * density))
    for size in (1, 6, 12, 25):
        graph = np.triu(rng.random((size, size)) < density, 1)
        graph = graph | graph.T | np.diag(rng.random(size) < 0.9)
        graph &= graph.diagonal()[:, None] & graph.diagonal()
        whole = nx.from_numpy_array(graph & ~np.eye(size, dtype=bool))
        best = max(
            (len([v for v in clique if graph[v, v]]) for clique in nx.find_cliques(whole)),
            default=0,
        )
        clique, bound = largest_clique(graph, graph, search_up_to=30)
        assert len(clique) == bound == best
        assert graph[np.ix_(clique, clique)].all()
        assert len(greedy_clique(graph, enough=size)) <= best <= colours(graph)


def test_a_search_that_gives_up_leaves_a_bracket() -> None:
    """Sixteen pentagons, all joined: 32 at most, where colouring says 48."""
    pentagon = np.roll(np.eye(5, dtype=bool), 1, axis=1)
    pentagon |= pentagon.T
    graph = np.ones((80, 80), bool)
    for k in range(0, 80, 5):
        graph[k : k + 5, k : k + 5] = pentagon | np.eye(5, dtype=bool)
    clique, bound = largest_clique(graph, graph, search_up_to=80)
    assert graph[np.ix_(clique, clique)].all()
    assert len(clique) == 32 <= bound <= 48


def test_from_pairs_to_averages() -> None:
    """The lemma holds for the subfamily it counts, and fails for the family around it."""
    rows = parities(3)
    assert average_from_pairwise(8, gamma=0, slack="1/4", beta=1).value == 2
    assert average_dimension(Correlations.exact(rows), gamma="1/4").bounds[0] >= 2
    copies = [0] * 24 + list(range(1, 8))
    crowded = Correlations.exact([[rows[i][j] for j in copies] for i in copies])
    assert correlation_dimension(crowded, gamma=0, beta=1).lower == 8
    assert average_dimension(crowded, gamma="1/4").bounds[1] < 2


@given(half, positive)
def test_the_lemma_on_the_clique(values: list[list[int]], slack: Fraction) -> None:
    rows = gram(values)
    family = Correlations.exact(rows)
    gamma, beta = Fraction(1, 4), Fraction(4)
    witness = correlation_dimension(family, gamma=gamma, beta=beta).witness
    if witness:
        inside = Correlations.exact([[rows[i][j] for j in witness] for i in witness])
        promised = average_from_pairwise(len(witness), gamma=gamma, slack=slack, beta=beta).value
        found = average_dimension(inside, gamma=gamma + slack)
        # Every D up to N / m* has the property, and none from N / (m* - 1) on.
        above = Fraction(len(witness), found.smallest[0] - 1) if found.smallest[0] > 1 else math.inf
        assert promised < above or promised < 1


def test_spectral_count_against_the_adversary() -> None:
    """No unit query rules out more functions than the count allows."""
    family = ridge_gram(60, 5, 1, seed=6)
    tolerance = 0.6
    vectors = np.linalg.cholesky(family + 1e-12 * np.eye(60))
    count = spectral_count(Correlations(family), tolerance=tolerance)
    rng = np.random.default_rng(7)
    queries = rng.normal(size=(2000, 60))
    queries /= np.linalg.norm(queries, axis=1)[:, None]
    eigen = np.linalg.eigh(vectors.T @ vectors)[1][:, -1:].T
    for query in (*queries, *eigen):
        ruled_out = int((abs(vectors @ query) > tolerance).sum())
        assert ruled_out * count <= 59 + ruled_out
    assert count >= 60 * tolerance**2 / np.linalg.eigvalsh(family)[-1] - 1


def test_bad_input() -> None:
    family = Correlations.exact(parities(2))
    with pytest.raises(BadInput, match="no number of queries"):
        spectral_count(family, tolerance=1)
    with pytest.raises(BadInput, match="norm"):
        sq_dimension(Correlations.exact([[2]]))
    with pytest.raises(BadInput, match="power"):
        sq_dimension(family, power=0)
    with pytest.raises(BadInput, match="gamma < beta"):
        average_from_pairwise(4, gamma=1, slack=1, beta=1)
    with pytest.raises(BadInput, match="positive"):
        conditional_dimension(family, samples=0)
    with pytest.raises(BadInput, match="at least 0"):
        average_dimension(family, gamma=-1)
    with pytest.raises(BadInput, match="each function once"):
        average_correlation(family, [1, 1])
    with pytest.raises(BadInput, match="indices"):
        average_correlation(family, [4])
    with pytest.raises(BadInput, match="tolerance"):
        spectral_count(family, tolerance=0)


def test_gram_matrices_are_taken_as_they_come() -> None:
    """Exact ones give proofs, quadrature gives estimates, and cosines are scaled back."""
    family = parity_family([(0,), (1,), (0, 1)])
    assert sq_dimension(family).lower == sq_dimension(family).upper == 3
    assert sq_dimension(family).grade == "certified"
    assert largest_eigenvalue(family).bounds == (1, 1)
    rough = gaussian_family([lambda x: x[:, 0], lambda x: (x[:, 0] ** 2 - 1) / math.sqrt(2)])
    found = correlation_dimension(rough, gamma="0.1", beta="1.1")
    assert (found.lower, found.upper, found.grade) == (2, 2, "estimate")
    assert average_dimension(rough, gamma="0.9").grade == "estimate"
    assert conditional_dimension(rough, samples=1).grade == "estimate"
    assert average_correlation(rough, [0, 1]).grade == "estimate"
    with pytest.raises(BadInput, match="estimates"):
        largest_eigenvalue(rough)
    with pytest.raises(BadInput, match="holds no correlations"):
        sq_dimension([[1]])  # type: ignore[arg-type]


def test_a_ridge_gram_has_the_correlations_of_its_functions() -> None:
    """E[relu(<u, x>) relu(<v, x>)] is 1/2 at u = v and 1/(2 pi) at right angles."""
    gram = grams.ridge_gram(relu(0.0), np.eye(3))
    found = gram.correlations
    for i in range(3):
        for j in range(3):
            true = 0.5 if i == j else 1 / (2 * math.pi)
            assert abs(found.matrix[i, j] - true) <= float(found.error) + 1e-16
    assert found.error < Fraction(1, 10**12)
    assert correlation_dimension(gram, gamma="0.16", beta="0.51").lower == 3
    with pytest.raises(BadInput, match=r"gram\.cosines"):
        sq_dimension(gram)
    normed = Correlations(gram.cosines, gram.radius.value)
    assert sq_dimension(normed, power=1).lower == 3
