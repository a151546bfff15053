"""One cell of a study: a function's name and its arguments, known by what they say.

This file does not know grids, stores or executors.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from typing import Any, final

from sqsim import __version__
from sqsim.errors import BadInput
from sqsim.journal import finite
from sqsim.recipe import Recipe

Row = Mapping[str, Any]


@final
@dataclass(frozen=True)
class Measure:
    """What a study computes in each cell.

    Attributes
    ----------
    run : function of a cell's arguments -> row
        The row maps names to numbers, texts, booleans, None or lists of these.  It must follow from
        the arguments alone: a store is the same whoever computed it.
    check : function of the same arguments
        Raises BadInput for arguments that can never run; called once a setting, before any run.
    """

    run: Callable[..., Row]
    check: Callable[..., None]

    def __call__(self, **arguments: Any) -> Row:
        return self.run(**arguments)


def canonical(value: Any) -> str:
    """The one JSON text of a value: sorted names, no spaces, nan and inf as texts."""
    return json.dumps(finite(value), sort_keys=True, separators=(",", ":"), allow_nan=False)


@final
@dataclass(frozen=True)
class Cell:
    """One run of a study.

    Attributes
    ----------
    setting, repeat : int
        Place in the study: which combination of arguments, and which of its seeds.
    recipe : Recipe
        "package.module:measure" and its arguments, the seed among them.
    """

    setting: int
    repeat: int
    recipe: Recipe

    @cached_property
    def arguments(self) -> str:
        """Canonical JSON of the arguments."""
        return canonical(dict(self.recipe.arguments))

    @cached_property
    def content_id(self) -> str:
        """sha256 of what is computed and by which version of sqsim."""
        what = canonical({**self.recipe.to_dict(), "sqsim": __version__})
        return hashlib.sha256(what.encode()).hexdigest()


def measure_named(maker: str) -> Callable[..., Row]:
    """The function that a recipe names; BadInput if it is not there."""
    module, _, name = maker.partition(":")
    try:
        found = getattr(import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise BadInput(
            f"the measure {maker!r} cannot be imported ({error}); wanted 'package.module:function' "
            "that is installed here and on the workers"
        ) from None
    if not callable(found):
        raise BadInput(f"the measure {maker!r} is a {type(found).__name__}; wanted a function")
    return found  # type: ignore[no-any-return]
