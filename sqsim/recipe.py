"""How a run can be made again: the name of a function and its arguments, as plain data.

This file does not import what a recipe names, nor run anything.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, final

from sqsim.errors import BadInput
from sqsim.journal import encode

_MAKER = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*")


@final
@dataclass(frozen=True)
class Recipe:
    """A function that returns (strategy, oracle), and the keyword arguments to call it with.

    It stands in the header of a transcript, so that an audit can ask the same questions again.  It
    holds what an instance was drawn from, such as a seed, and no secret itself.

    Parameters
    ----------
    maker : str
        "package.module:function".
    arguments : mapping of str
        Strings, numbers, booleans, None, and lists and mappings of these.
    """

    maker: str
    arguments: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))

    def __post_init__(self) -> None:
        if not isinstance(self.maker, str) or not _MAKER.fullmatch(self.maker):
            raise BadInput(
                f"the maker of a recipe is {self.maker!r:.80}; wanted 'package.module:function', "
                "a function that returns (strategy, oracle)"
            )
        if not isinstance(self.arguments, Mapping) or not all(
            isinstance(key, str) and key.isidentifier() for key in self.arguments
        ):
            raise BadInput(
                f"the arguments of a recipe are {self.arguments!r:.80}; wanted a mapping from "
                "names of arguments"
            )
        try:
            plain = json.loads(encode({"arguments": dict(self.arguments)}))["arguments"]
        except TypeError as error:
            raise BadInput(
                f"the arguments of a recipe cannot be written as JSON ({error}); use strings, "
                "numbers, lists and mappings, such as the seed that the secret is drawn from"
            ) from None
        object.__setattr__(self, "arguments", MappingProxyType(plain))

    @classmethod
    def of(cls, stored: Any) -> Recipe:
        """The recipe that `to_dict` wrote."""
        if not isinstance(stored, Mapping) or set(stored) != {"maker", "arguments"}:
            raise BadInput(
                f"the recipe is {stored!r:.80}; wanted a maker and its arguments; the transcript "
                "was changed after it was written"
            )
        return cls(stored["maker"], stored["arguments"])

    def to_dict(self) -> dict[str, Any]:
        """Plain data for a header."""
        return {"maker": self.maker, "arguments": dict(self.arguments)}
