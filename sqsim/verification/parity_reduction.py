"""Goel, Karmalkar and Klivans (2019): sparse parities through learners of ReLUs, and Theorem 5."""

from __future__ import annotations

from sqsim.verification.entry import Entry
from sqsim.verification.label_thresholds import LABEL_THRESHOLDS
from sqsim.verification.parity_correlations import PARITY_CORRELATIONS
from sqsim.verification.parity_expansions import PARITY_EXPANSIONS
from sqsim.verification.parity_learners import PARITY_LEARNERS
from sqsim.verification.parity_queries import PARITY_QUERIES
from sqsim.verification.parity_series import PARITY_SERIES
from sqsim.verification.threshold_runs import THRESHOLD_RUNS

PARITY_REDUCTION: tuple[Entry, ...] = (
    *PARITY_EXPANSIONS,
    *PARITY_CORRELATIONS,
    *PARITY_SERIES,
    *PARITY_LEARNERS,
    *PARITY_QUERIES,
    *LABEL_THRESHOLDS,
    *THRESHOLD_RUNS,
)
