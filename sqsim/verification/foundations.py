"""Entries on the foundations of statistical queries; they are in the files named here."""

from __future__ import annotations

from sqsim.verification.counting_bounds import COUNTING_BOUNDS
from sqsim.verification.decision_dimensions import DECISION_DIMENSIONS
from sqsim.verification.entry import Entry
from sqsim.verification.exponent_claims import EXPONENT_CLAIMS
from sqsim.verification.family_norms import FAMILY_NORMS
from sqsim.verification.known_dimensions import KNOWN_DIMENSIONS
from sqsim.verification.label_information import LABEL_INFORMATION
from sqsim.verification.leap_values import LEAP_VALUES
from sqsim.verification.oracle_claims import ORACLE_CLAIMS
from sqsim.verification.sample_claims import SAMPLE_CLAIMS

FOUNDATIONS: tuple[Entry, ...] = (
    *ORACLE_CLAIMS,
    *SAMPLE_CLAIMS,
    *DECISION_DIMENSIONS,
    *FAMILY_NORMS,
    *COUNTING_BOUNDS,
    *KNOWN_DIMENSIONS,
    *LEAP_VALUES,
    *LABEL_INFORMATION,
    *EXPONENT_CLAIMS,
)
