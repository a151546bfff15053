"""A file imports only from floors below its own, and nothing goes round in a circle."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import sqsim

ROOT = Path(sqsim.__file__).parent
FLOORS = (
    "lazy errors seeds lowrank tolerance bounded queries truncation partitions forms "
    "characters subsets set_neurons walsh journal "
    "losses supplied_losses risks remez polynomials "
    "multinomial multinomial_pieces featured sphere monomial_moments "
    "geometry panels tensors gaussian special smoothing links updates inputs",
    "strategy recipe record transcript result guarantee problems",
    "oracles algorithms lowerbounds",
    "loop testing refutation",
    "studies report audit verification",
    "cli",
)
FLOOR = {part: level for level, parts in enumerate(FLOORS) for part in parts.split()}
SIBLINGS = FLOORS[2].split()
FILES = {
    ".".join(path.relative_to(ROOT.parent).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted(ROOT.rglob("*.py"))
}
ORDINARY = [name for name in FILES if name != "sqsim"]


def part(module: str) -> str:
    return module.split(".")[1]


def nodes(tree: ast.AST) -> Iterator[ast.AST]:
    """Every node that runs: a type alone is not a dependency."""
    for child in ast.iter_child_nodes(tree):
        if isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING":
            continue
        yield child
        yield from nodes(child)


def imported(module: str) -> set[str]:
    """The modules that this one imports when it runs, anywhere in the file."""
    found = set()
    for node in nodes(ast.parse(FILES[module].read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} has a relative import"
            source = node.module or ""
            for name in (alias.name for alias in node.names if alias.name != "__version__"):
                found.add(f"{source}.{name}" if f"{source}.{name}" in FILES else source)
    return found


def internal(module: str) -> set[str]:
    return {name for name in imported(module) if name.split(".")[0] == "sqsim"}


@pytest.mark.parametrize("module", ORDINARY)
def test_imports_come_from_floors_below(module: str) -> None:
    assert part(module) in FLOOR, f"give {part(module)} a floor in this file"
    for other in internal(module):
        assert other != "sqsim", f"{module} imports from the top package; name the file"
        assert FLOOR[part(other)] <= FLOOR[part(module)], f"{module} imports {other} from above"
        if part(module) in SIBLINGS and part(other) in SIBLINGS:
            assert part(other) == part(module), f"{module} imports its sibling {other}"


def test_no_import_goes_round_in_a_circle() -> None:
    TopologicalSorter({module: internal(module) for module in ORDINARY}).prepare()


@pytest.mark.parametrize("module", [name for name in ORDINARY if part(name) == "algorithms"])
def test_no_learner_names_an_instance(module: str) -> None:
    for node in ast.walk(ast.parse(FILES[module].read_text())):
        named = {getattr(node, key, None) for key in ("id", "attr", "name")}
        assert "Instance" not in named, f"{module}:{node.lineno} names Instance"


@pytest.mark.parametrize("module", ORDINARY)
def test_only_lower_bounds_and_links_use_many_digits(module: str) -> None:
    if part(module) not in ("lowerbounds", "links"):
        assert not {"mpmath", "flint"} & {name.split(".")[0] for name in imported(module)}
