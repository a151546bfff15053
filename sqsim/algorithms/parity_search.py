"""Correlational learners of a sparse parity: brute force in one round or in stages, and greed.

They know the parity's dimension, sparsity and noise rate; none of them uses a ReLU but the last.
"""

from __future__ import annotations

import math

import numpy as np

from sqsim.algorithms.parity_reduction import ODD_ASSUMPTION
from sqsim.characters import Characters
from sqsim.errors import BadInput
from sqsim.problems.parity import SparseParity
from sqsim.queries import Correlation, Opaque
from sqsim.set_neurons import SetNeurons, Sets, masks_of_rows, sets_of_size
from sqsim.strategy import CSQ, ask

Members = tuple[int, ...]


def exhaustive_parity(problem: SparseParity) -> CSQ[Members]:
    """The set of size k whose parity the label agrees with most; empty where it agrees with none.

    One round of binomial(d, k) correlational queries E[y chi_T], asked as one.  Of norm 1, with
    mean q = 1 - 2 noise for the secret set and 0 for all others: it is found by every answer
    within t < q / 2, and for t >= q answers of 0 to everything are lawful.  The baseline of all
    lower bounds for parities (Blum et al., 1994).
    """
    sets = sets_of_size(problem.dimension, problem.sparsity) if problem.sparsity else None
    if sets is None:
        return ()
    answers = yield from ask(_parities(sets, problem.dimension))
    best = int(np.argmax(answers))
    return _members(sets, best) if answers[best] > 0 else ()


def staged_parity(
    problem: SparseParity, *, stage: int = 1024, cut: float | None = None
) -> CSQ[Members]:
    """The same, `stage` sets a round in lexicographic order, until an answer exceeds `cut`.

    At most binomial(d, k) queries in ceil(binomial(d, k) / stage) rounds, and `stage` ceil(r /
    stage) of them, or all, where the secret is the r-th set.  Adaptive only in that it stops: found
    by every answer within t < q / 2, q = 1 - 2 noise, with the default cut q / 2.
    """
    if isinstance(stage, bool) or not isinstance(stage, int) or stage < 1:
        raise BadInput(f"stage is {stage!r}; a round asks at least 1 query")
    cut = (1 - 2 * float(problem.flip_rate)) / 2 if cut is None else cut
    if not 0 <= cut < math.inf:
        raise BadInput(f"cut is {cut!r}; wanted a finite number >= 0")
    if not problem.sparsity:
        return ()
    sets = sets_of_size(problem.dimension, problem.sparsity)
    for start in range(0, len(sets), stage):
        part = sets[start : start + stage]
        answers = yield from ask(_parities(part, problem.dimension), stage=start // stage)
        best = int(np.argmax(answers))
        if answers[best] > cut:
            return _members(part, best)
    return ()


def greedy_parity(problem: SparseParity) -> CSQ[Members]:
    """Coordinate by coordinate: the one whose product with those chosen the label agrees with most.

    k rounds, of d, d - 1, ..., d - k + 1 queries: k d - k (k - 1) / 2 in all.  Found for k = 1 as
    by `exhaustive_parity`.  For k >= 2 every answer but those of the last round is 0 + noise: a
    parity has no correlation with its parts, so the greedy path has no first step (its leap is k)
    and the secret is found only by luck.  Empty where the last answer is not positive.
    """
    chosen: list[int] = []
    agreed = 0.0
    for size in range(problem.sparsity):
        others = np.setdiff1d(np.arange(problem.dimension), chosen)
        rows = np.array([[*chosen, i] for i in others.tolist()], dtype=np.int16)
        answers = np.asarray((yield from ask(_parities(rows, problem.dimension), size=size + 1)))
        best = int(np.argmax(np.abs(answers)))
        agreed = float(answers[best])
        chosen.append(int(others[best]))
    return tuple(sorted(chosen)) if agreed > 0 else ()


def eliminating_parity(problem: SparseParity) -> CSQ[Members]:
    """The k coordinates without which a neuron along all the others agrees with the label least.

    One round of d correlational queries y sigma(<w, x>), w along the indicator of all coordinates
    but j, of norm 1.  With q = 1 - 2 noise the mean is sqrt(2) q c_(k, d-1) where j is irrelevant,
    c_(k, t) = E[sigma((z_1 + ... + z_t) / sqrt t) prod_(i <= k) sign z_i], and 0 where it is
    relevant.  So d queries are enough for every answer within t < q |c_(k, d-1)| / sqrt 2, which
    is of order d^(-k/2): few queries are bought by a fine tolerance, and no correlational bound is
    broken.  Derived here, for a lifted parity and even k >= 2.  Empty where the answers do not
    single out k coordinates.
    """
    d, k = problem.dimension, problem.sparsity
    if not problem.lifted:
        raise BadInput(
            "the parity is on the cube; elimination assumes Gaussian inputs: use "
            "SparseParity(..., lifted=True)"
        )
    if k == 0 or k % 2:
        raise BadInput(f"sparsity is {k}: elimination assumes an even k >= 2.  {ODD_ASSUMPTION}")
    if k == d:
        return tuple(range(d))
    others = np.array([[i for i in range(d) if i != j] for j in range(d)], dtype=np.int16)
    neurons = SetNeurons(others, math.sqrt(2))
    answers = yield from ask(Correlation(Opaque(neurons, d), "neurons along all but one"))
    sizes = np.abs(np.asarray(answers))
    order = np.argsort(sizes, kind="stable")
    if not sizes[order[k - 1]] < sizes[order[k]]:
        return ()
    return tuple(sorted(int(j) for j in order[:k]))


def _parities(sets: Sets, dimension: int) -> Correlation:
    return Correlation(Characters(masks_of_rows(sets, dimension)), "parities of a size")


def _members(sets: Sets, row: int) -> Members:
    return tuple(int(i) for i in sets[row])
