"""Who is told what happens during an experiment.  This file does not know what is told."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

Observer: TypeAlias = Callable[[str, Mapping[str, Any]], None]
"""Called with the name of an event and its details."""


def silent(event: str, details: Mapping[str, Any]) -> None:
    """An observer that does nothing."""
