"""The index: all entries, by source.  This file does not know how they are checked."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from sqsim.errors import BadInput
from sqsim.verification.entry import Entry
from sqsim.verification.foundations import FOUNDATIONS
from sqsim.verification.hard_families import HARD_FAMILIES
from sqsim.verification.parity_reduction import PARITY_REDUCTION
from sqsim.verification.related_algorithms import RELATED_ALGORITHMS
from sqsim.verification.reliable_learning import RELIABLE_LEARNING
from sqsim.verification.relu_lower_bound import RELU_LOWER_BOUND
from sqsim.verification.relu_upper_bound import RELU_UPPER_BOUND

INDEX: tuple[Entry, ...] = (
    *RELU_UPPER_BOUND,
    *RELU_LOWER_BOUND,
    *PARITY_REDUCTION,
    *RELIABLE_LEARNING,
    *RELATED_ALGORITHMS,
    *HARD_FAMILIES,
    *FOUNDATIONS,
)


def entries_named(names: Sequence[str] = (), *, fast: bool = False) -> list[Entry]:
    """The entries of these families ("gv") or name beginnings ("gv.lemma"), all if none is given.

    Raises BadInput for a name that begins none, with the nearest.
    """
    chosen = [entry for entry in INDEX if not (fast and entry.slow)]
    if not names:
        return chosen
    for name in names:
        if not any(_chosen(entry, name) for entry in INDEX):
            near = difflib.get_close_matches(name, [entry.name for entry in INDEX], n=3, cutoff=0.3)
            hint = f"did you mean {' or '.join(near)}? " if near else ""
            raise BadInput(f"no entry begins with {name!r}; {hint}sqsim verify --list names all")
    return [entry for entry in chosen if any(_chosen(entry, name) for name in names)]


def _chosen(entry: Entry, name: str) -> bool:
    """A family by its whole name, an entry by the beginning of its own."""
    return entry.name.startswith(name if "." in name else f"{name}.")
