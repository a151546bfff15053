"""Entries on families that are hard by construction; they are in the files named here."""

from __future__ import annotations

from sqsim.verification.duals import DUALS
from sqsim.verification.entry import Entry
from sqsim.verification.hidden_components import HIDDEN_COMPONENTS
from sqsim.verification.orthogonal_families import ORTHOGONAL_FAMILIES

HARD_FAMILIES: tuple[Entry, ...] = (*ORTHOGONAL_FAMILIES, *HIDDEN_COMPONENTS, *DUALS)
