"""Every example runs, and says what it promises."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))


def shown(example: Path) -> str:
    paths = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    done = subprocess.run(
        [sys.executable, "-W", "error", str(example)],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": paths},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_the_example_runs(example: Path) -> None:
    if "sklearn" in example.read_text():
        pytest.importorskip("sklearn")
    assert shown(example).strip()


def test_one_strategy_learns_alike_from_every_oracle() -> None:
    rows = shown(ROOT / "examples" / "your_own_strategy.py").splitlines()
    overlaps = [float(row.split("overlap")[1].split()[0]) for row in rows]
    assert len(overlaps) == 4
    assert min(overlaps) > 0.95


def test_the_readme_runs(tmp_path: Path) -> None:
    """Its Python is what newcomers paste first; its first commands are the whole set-up."""
    text = (ROOT / "README.md").read_text()
    assert 'pip install . && sqsim separation\n    pip install ".[test]" && pytest' in text
    blocks = re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)
    assert blocks
    for number, block in enumerate(blocks):
        script = tmp_path / f"block{number}.py"
        script.write_text(block)
        assert shown(script).strip()
