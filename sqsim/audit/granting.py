"""What an oracle is asked about besides answers: its instance, and whether it may answer at all.

This file does not know answers or means.
"""

from __future__ import annotations

from typing import Any

from sqsim.errors import BadInput, QueryRefused
from sqsim.oracles.sampled import check_granted
from sqsim.oracles.wrappers import Wrapper
from sqsim.queries import Query


def instance_of(oracle: Any) -> Any:
    """The instance or table that answers are about; None where the oracle has none.

    Oracles that keep a fixed sample have it in their `records` or `holdout`.
    """
    for keeper in (oracle, getattr(oracle, "records", None), getattr(oracle, "holdout", None)):
        found = getattr(keeper, "instance", None)
        if found is not None:
            return found
    return None


def repeatable(oracle: Any) -> bool:
    """Whether the oracle made again gives the same answers: not so with secure noise."""
    return bool(getattr(getattr(oracle, "source", None), "repeatable", True))


def refusal_of(oracle: Any, query: Query) -> str | None:
    """Why the oracle must refuse the query, or None: its own check, made before it answers."""
    while isinstance(oracle, Wrapper):
        oracle = oracle._inner
    granted = getattr(oracle, "_granted", None)
    try:
        if granted is not None:
            granted(query)
        elif hasattr(oracle, "guarantee"):
            check_granted(query, oracle.tolerance, instance_of(oracle))
    except (QueryRefused, BadInput) as error:
        return str(error)
    return None
