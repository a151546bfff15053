"""Names that load when they are first used.  This file knows no other file.

`import sqsim` must stay cheap, and scipy, matplotlib and sympy take seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from typing import Any


def attach(
    package: str, names: Mapping[str, Iterable[str]], submodules: Iterable[str] = ()
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """The `__getattr__` and `__dir__` of a package whose names load on first use.

    Parameters
    ----------
    package : str
        The package's own `__name__`.
    names : mapping
        Module -> the public names it defines.
    submodules : iterable of str
        Submodules that are reachable as attributes without an import of their own.
    """
    home = {name: module for module, held in names.items() for name in held}
    modules = frozenset(submodules)

    def __getattr__(name: str) -> Any:  # noqa: N807
        if name in home:
            return getattr(import_module(home[name]), name)
        if name in modules:
            return import_module(f"{package}.{name}")
        raise AttributeError(f"module {package!r} has no attribute {name!r}")

    def __dir__() -> list[str]:  # noqa: N807
        return sorted({*home, *modules})

    return __getattr__, __dir__
