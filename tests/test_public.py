"""The public names: all there, loaded only when used, hidden by no submodule."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

import sqsim
import sqsim.algorithms
import sqsim.lowerbounds
import sqsim.oracles
import sqsim.problems
import sqsim.studies

PACKAGES = [
    sqsim,
    sqsim.problems,
    sqsim.algorithms,
    sqsim.lowerbounds,
    sqsim.oracles,
    sqsim.studies,
]
NAMES = [(package, name) for package in PACKAGES for name in getattr(package, "__all__", ())]
HEAVY = [
    "flint",
    "jinja2",
    "matplotlib",
    "mpmath",
    "networkx",
    "numpy",
    "rich",
    "scipy",
    "sympy",
    "typer",
]


def named(value: object) -> str:
    return value.__name__ if isinstance(value, ModuleType) else str(value)


@pytest.mark.parametrize(("package", "name"), NAMES, ids=named)
def test_every_public_name_is_there(package: ModuleType, name: str) -> None:
    assert getattr(package, name) is not None
    assert name in dir(package) or name.startswith("__")


@pytest.mark.parametrize(
    "package",
    [
        sqsim,
        sqsim.problems,
        sqsim.algorithms,
        sqsim.oracles,
        sqsim.lowerbounds,
        sqsim.studies,
    ],
    ids=named,
)
def test_the_three_lists_of_names_agree(package: ModuleType) -> None:
    """`__all__`, the lazy table and the imports that type checkers read."""
    lazy = {(home, name) for home, names in package._NAMES.items() for name in names}
    tree = ast.parse(Path(str(package.__file__)).read_text())
    typed = {
        (node.module, alias.name)
        for block in tree.body
        if isinstance(block, ast.If) and ast.unparse(block.test) == "TYPE_CHECKING"
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert lazy == typed
    assert sorted(set(package.__all__)) == package.__all__
    assert set(package.__all__) - {"__version__"} == {name for _, name in lazy}


@pytest.mark.parametrize("package", PACKAGES, ids=named)
def test_no_submodule_hides_a_public_name(package: ModuleType) -> None:
    """Importing `sqsim.run` the file would overwrite `sqsim.run` the function."""
    submodules = {module.name for module in pkgutil.iter_modules(package.__path__)}
    assert not submodules & set(getattr(package, "__all__", ()))


def test_import_loads_nothing_heavy() -> None:
    code = f"import sys, sqsim; print(*sorted(set({HEAVY!r}) & set(sys.modules)))"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.split() == []


def test_submodules_load_as_attributes() -> None:
    code = "import sqsim; assert sqsim.problems.ReluHypothesis.__name__ == 'ReluHypothesis'"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_misspelt_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'Corelation'"):
        sqsim.Corelation  # noqa: B018
    with pytest.raises(ImportError):
        importlib.import_module("sqsim.nothing")


def test_the_package_says_that_it_is_typed() -> None:
    assert Path(str(sqsim.__file__)).with_name("py.typed").is_file()
