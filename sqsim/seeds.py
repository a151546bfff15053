"""Where randomness comes from: one generator for each (seed, role, turn), derived, never carried.

This file does not know who draws.  The role is part of the seed because, with one integer for
both, a learner would start at the secret that the instance drew.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np

from sqsim.errors import BadInput

Seed = int


class Role(IntEnum):
    """Who draws.  The numbers are part of every recorded run: append, never renumber.

    SAMPLE is Monte Carlo's.  Every kind of sampling or private oracle has a role of its own, so
    that two of different kinds share no example and no noise at one seed; two of one kind are
    independent only with different seeds.
    """

    INSTANCE = 1
    LEARNER = 2
    ORACLE = 3
    SAMPLE = 4
    POLICY = 5
    SPLIT = 6
    THRESHOLDS = 7
    REPORTS = 8
    HONEST = 9
    UNBIASED = 10
    FRESH = 11
    REUSED = 12
    ONE_BIT = 13
    LOCAL = 14
    CENTRAL = 15
    HOLDOUT = 16


def rng(seed: Seed, role: Role, turn: int = 0) -> np.random.Generator:
    """Generator for this seed, role and turn; the same three always give the same stream."""
    if seed < 0 or turn < 0:
        raise BadInput(f"seed {seed} and turn {turn} must be non-negative integers")
    return np.random.default_rng(np.random.SeedSequence([int(seed), int(role), int(turn)]))
