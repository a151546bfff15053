"""Goel, Kanade, Klivans and Thaler (2017): reliable learning of ReLUs by polynomials."""

from __future__ import annotations

from sqsim.verification.entry import Entry
from sqsim.verification.reliable_approximation import RELIABLE_APPROXIMATION
from sqsim.verification.reliable_gadgets import RELIABLE_GADGETS
from sqsim.verification.reliable_norms import RELIABLE_NORMS
from sqsim.verification.reliable_risks import RELIABLE_RISKS
from sqsim.verification.reliable_runs import RELIABLE_RUNS

RELIABLE_LEARNING: tuple[Entry, ...] = (
    *RELIABLE_APPROXIMATION,
    *RELIABLE_NORMS,
    *RELIABLE_RISKS,
    *RELIABLE_RUNS,
    *RELIABLE_GADGETS,
)
