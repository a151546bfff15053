"""Exactly how much the ReLU of the parity reduction gains on a noisy parity.

Conventions as in `parities`.  This file does not know learners or tolerances.
"""

from __future__ import annotations

from fractions import Fraction

from flint import arb

from sqsim.errors import BadInput
from sqsim.lowerbounds.parities import proved_number, relu_parity_correlation
from sqsim.lowerbounds.precision import Enclosure, Exact, ball, exact_fraction


def parity_neuron_gain(k: int, *, noise: Exact = 0, digits: int = 30) -> Enclosure:
    """(1 - 2 noise) c_k / sqrt(2 pi): what the neuron of weights (2 pi k)^(-1/2) 1_S gains.

    With labels y' = (1 + y) / 2 and w of norm s = (2 pi)^(-1/2),

        E[(relu(<w, x>) - y')^2] = s^2 / 2 - s / sqrt(2 pi) - E[y relu(<w, x>)] + 1/2
                                 = 1/2 - 1 / (4 pi) - (1 - 2 noise) c_k / sqrt(2 pi)

    along 1_S, and 1/2 - 1 / (4 pi) for every w of this norm that misses a member of S.  It is also
    E[y relu(<w, x>)] itself, which a tolerance of y hides from this size on.  `relu_parity_gap` is
    the gain of the best norm, larger by a square.

    Raises
    ------
    BadInput
        Unless k = 2, 6, 10, ...: see `check_parity_residue`.
    """
    check_parity_residue(k)
    flips = exact_fraction(noise, "noise")
    if not 0 <= flips < Fraction(1, 2):
        raise BadInput(
            f"noise is {noise!r}; the gain (1 - 2 noise) c_k / sqrt(2 pi) assumes labels flipped "
            "with a probability from 0 to below 1/2, at which nothing is left of them"
        )
    correlation = relu_parity_correlation(k, digits=digits + 3)

    def value() -> arb:
        return ball(1 - 2 * flips) * correlation.ball() / (2 * arb.pi()).sqrt()

    return proved_number(value, digits, 32, "the gain")


def check_parity_residue(k: int) -> None:
    """Refuse numbers of signs for which relu(<1_S, x>) does not agree with their product.

    For odd k >= 3 no unbiased ReLU agrees or disagrees with it at all.  For k = 4, 8, ... the
    correlation along 1_S is c_k < 0; replacing x_i by -x_i turns the parity's sign, so a neuron
    with one weight of the opposite sign agrees by |c_k| (derived here).
    """
    if isinstance(k, bool) or not isinstance(k, int) or k < 1:
        raise BadInput(
            f"sparsity is {k!r}; the reduction assumes a parity of k = 2, 6, 10, ... signs"
        )
    if k == 1:
        raise BadInput(
            "sparsity is 1: the reduction assumes k = 2, 6, 10, ...; one sign is seen by the "
            "linear part of a ReLU, E[relu(<w, x>) sign x_i] = w_i / sqrt(2 pi), and needs no "
            "reduction"
        )
    if k % 2:
        raise BadInput(
            f"sparsity is {k}: the reduction assumes k = 2, 6, 10, ...; for odd k >= 3 the "
            "correlation E[relu(<w, x>) chi_S(x)] vanishes for every w, since relu(t) = "
            "t/2 + |t|/2, |<w, x>| is even and chi_S odd, and <w, x> has no product with k >= 2 "
            "signs"
        )
    if k % 4 == 0:
        raise BadInput(
            f"sparsity is {k}: the reduction assumes k = 2, 6, 10, ...; for k = 4, 8, 12, ... the "
            "correlation c_k = E[relu(<1_S, x> / sqrt k) chi_S(x)] changes sign: it is negative, "
            "its terms have the sign (-1)^(k/2 + 1), and the neuron along 1_S loses instead of "
            "gaining (one with a single opposite weight gains |c_k|: exhaustive_neurons(..., "
            "opposed=True))"
        )
