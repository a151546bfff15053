"""The typing law: a CSQ strategy runs against an SQ oracle; the reverse does not type-check.

At run time the reverse is `QueryRefused`, which the tests of the oracles assert.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
CASES = sorted((ROOT / "tests" / "typing").glob("*.py"))
# One worker, so that the two runs share mypy's cache.
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("mypy")]


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("mypy")


def mypy(cache: Path, *arguments: str | Path) -> str:
    """What mypy prints, from the repository root so that it reads these sources."""
    command = [sys.executable, "-m", "mypy", "--strict", "--no-pretty", "--no-error-summary"]
    done = subprocess.run(
        [*command, "--cache-dir", str(cache), *map(str, arguments)],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode in (0, 1), done.stdout + done.stderr
    return done.stdout


def test_the_package_is_strictly_typed(cache: Path) -> None:
    assert mypy(cache, "sqsim") == ""


def test_the_typing_law_holds_in_both_directions(cache: Path) -> None:
    """Exactly the marked lines are rejected."""
    wanted = {
        (case.name, number)
        for case in CASES
        for number, line in enumerate(case.read_text().splitlines(), 1)
        if line.endswith("# rejected")
    }
    shown = mypy(cache, "--follow-imports=silent", *CASES)
    found = {
        (Path(name).name, int(number))
        for name, number in re.findall(r"^(.+?):(\d+): error: ", shown, re.MULTILINE)
    }
    assert {name for name, _ in wanted} == {case.name for case in CASES}
    assert found == wanted, shown
