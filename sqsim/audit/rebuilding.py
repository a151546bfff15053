"""Strategy and oracle of a transcript, made again from its header.

A header names a function, and an audit calls it: only functions of sqsim, and of modules that the
caller trusts, are called.  This file does not know answers.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import Any

from sqsim.audit.findings import Finding
from sqsim.audit.granting import instance_of, repeatable
from sqsim.errors import BadInput, SqsimError
from sqsim.recipe import Recipe
from sqsim.strategy import Strategy
from sqsim.transcript import Transcript

OURS = "sqsim.studies.rebuilding"
MAKERS = (f"{OURS}:separation_run", f"{OURS}:table_run", f"{OURS}:problem_run")


def rebuilt(transcript: Transcript, trust: Sequence[str]) -> tuple[Strategy[Any, Any], Any]:
    """Strategy and oracle of a transcript that has a recipe.

    Raises
    ------
    BadInput
        Where there is no recipe, its module is not trusted, or it makes something else.
    """
    stored = transcript.header.get("recipe")
    if not stored:
        raise BadInput(
            f"{transcript.path} has no recipe of how it was made, so its questions cannot be asked "
            "again; record it with run(..., log=path, recipe=Recipe('module:function', arguments))"
        )
    recipe = Recipe.of(stored)
    module, name = recipe.maker.split(":")
    if recipe.maker not in MAKERS and module not in trust:
        raise BadInput(
            f"{transcript.path} is made by {recipe.maker}; an audit runs that function, so say "
            f"that you trust it with --trust {module}"
        )
    try:
        maker = getattr(importlib.import_module(module), name)
        made = maker(**recipe.arguments)
    except SqsimError:
        raise
    except Exception as error:  # any function may fail on forged arguments in any way
        words = f"{recipe.maker} cannot make this run again: {error!r:.160}"
        raise BadInput(words) from error
    if not (isinstance(made, tuple) and len(made) == 2 and instance_of(made[1]) is not None):
        raise BadInput(
            f"{recipe.maker} returned {made!r:.80}; wanted (strategy, oracle) with an oracle that "
            "answers about one instance, such as csq(instance, ...) or sq(instance, ...)"
        )
    if not repeatable(made[1]):
        raise BadInput(
            f"{recipe.maker} makes an oracle of secure noise, which nobody can draw again, so its "
            "answers cannot be checked; audit a run with source=Seeded()"
        )
    return made


def compare_header(transcript: Transcript, oracle: Any) -> list[Finding]:
    """Where the header says another oracle than the recipe makes."""
    header = transcript.header
    recorded, made = header.get("oracle"), Transcript.plain_header(oracle.describe())
    found = []
    if header.get("dimension") != oracle.dimension:
        words = f"dimension {header.get('dimension')!r}; the recipe makes {oracle.dimension}"
        found.append(Finding("header", words))
    if not isinstance(recorded, dict):
        return [*found, Finding("header", f"the oracle is {recorded!r:.80}")]
    # A cache changes no answer's law, so it need not be made again.
    cached = {"cached": True} if recorded.get("cached") is True else {}
    for key in sorted({*recorded, *made}):
        mine, its = recorded.get(key), {**made, **cached}.get(key)
        if mine != its:
            words = f"{key} of the oracle is {mine!r}; the recipe makes {its!r}"
            found.append(Finding("header", words))
    return found
