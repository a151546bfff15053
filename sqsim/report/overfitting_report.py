"""The one-file report of adaptive overfitting.  This file does not know how it was measured."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sqsim.report.files import write_atomically
from sqsim.report.html import write_page
from sqsim.report.overfitting import overfitting_figure
from sqsim.report.reading import Results, number, require
from sqsim.report.words import Passage

REUSED, HOLDOUT = "one reused sample", "reusable holdout"


def write_overfitting_report(results: Mapping[str, Any], directory: Path) -> Path:
    """Write report.html, results.json, and the figure as SVG and PNG; the path of the report."""
    require(results, "sqsim.overfitting/1")
    worst = {name: _worst(results, name) for name in (REUSED, HOLDOUT)}
    context = {
        "title": "Adaptive overfitting",
        "lead": _lead(worst),
        "passages": _passages(results),
        "rows": [{"analyst": a, "worst": _rounded(_errors(a))} for a in results["analysts"]],
        "facts": {
            "settings": {
                key.replace("_", " "): value
                for key, value in results.items()
                if isinstance(value, int | float)
            }
        },
    }
    alt = (
        "Error over promised tolerance against the number of features that vote. One reused sample "
        f"ends at up to {number(_rounded(worst[REUSED]))} tolerances, the reusable holdout stays "
        f"below {number(_rounded(worst[HOLDOUT]))}."
    )
    pictures = {"overfitting": (overfitting_figure(results), alt)}
    page = write_page("overfitting.html", results, pictures, context, directory)
    write_atomically(directory / "results.json", json.dumps(results, indent=2).encode())
    return page


def _lead(worst: Mapping[str, float]) -> str:
    reused, kept = worst[REUSED], worst[HOLDOUT]
    broke = "broke its promise" if reused > 1 else "kept its promise"
    held = "kept its own" if kept <= 1 else "broke its own"
    return (
        f"Asked adaptively, one reused sample {broke} by a factor of up to "
        f"{number(_rounded(reused))}; the reusable holdout {held}, at most "
        f"{number(_rounded(kept))} of its tolerance."
    )


def _passages(results: Results) -> list[Passage]:
    first = results["analysts"][0]
    return [
        Passage(
            "What was asked",
            f"Labels are coin flips, so every correlation is 0. Each analyst asks the correlation "
            f"of {number(results['dimension'])} features with the label, gives each feature the "
            "sign of its answer, and asks for the correlation of votes of more and more features.",
        ),
        Passage(
            "Why one sample is not enough",
            "A vote is chosen by the noise of the sample that then judges it. The promise of a "
            "sample that is fixed before the questions ends with the first round; from the second "
            "on the guarantee is void, and the run says so.",
        ),
        Passage(
            "What the holdout costs",
            f"Both have {number(first['examples'])} examples. The holdout's tolerance is proved "
            "for any questions and is much coarser: its error can be larger than that of the "
            f"reused sample and still be as promised. It stops after {number(results['budget'])} "
            "questions on which the training sample is off by too much.",
        ),
    ]


def _worst(results: Results, name: str) -> float:
    return max((_errors(a) for a in results["analysts"] if a["oracle"] == name), default=0.0)


def _errors(analyst: Results) -> float:
    """Largest error in tolerances."""
    answers = (abs(claim["answer"]) / analyst["tolerance"] for claim in analyst["claims"])
    return float(max(answers, default=0.0))


def _rounded(value: float) -> float:
    return float(f"{value:.3g}")
