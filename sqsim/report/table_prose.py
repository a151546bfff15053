"""Plain sentences on a run of `sqsim run`, computed from its results."""

from __future__ import annotations

from typing import Any

from sqsim.report.oracle_prose import policy_words, tolerance_words
from sqsim.report.reading import (
    ZERO_SHARE,
    Passage,
    Results,
    counted,
    number,
    require,
    sweep_policy,
)


def table_words(results: Results) -> list[Passage]:
    """The report of `sqsim run`, passage by passage."""
    require(results, "sqsim.run/1")
    oracle = results["oracle"]
    adversary = policy_words(oracle["policy"]) if oracle["tolerance"] is not None else ""
    size: Any = results.get("sample_size") or {}
    passages = [
        Passage("The data", _data(results)),
        Passage("The oracle", tolerance_words(oracle["tolerance"], oracle["norm"])),
        Passage("The adversary", adversary),
        Passage("What was learned", _losses(results)),
        Passage("What the tolerance does", _sweep(results)),
        Passage("The sample that such answers need", _sentence(str(size.get("words") or ""))),
    ]
    return [passage for passage in passages if passage.text]


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + ("" if not text or text.endswith(".") else ".")


def _data(results: Results) -> str:
    table = results["table"]
    text = (
        f"{table['path']}, target {table['target']}: {counted(table['features'], 'feature')}, "
        f"{counted(table['rows'], 'row')}"
    )
    held = table.get("test_rows") or 0
    text += f", {number(held)} of them held out for the test." if held else "."
    text += (
        " Features were centred and whitened first; the means behind the answers are averages "
        "over the rows that were not held out."
    )
    unit = (results.get("whitening") or {}).get("target_unit")
    if unit is not None:
        text += f" Tolerances count the target in units of its root mean square, {number(unit)}."
    return text


def _losses(results: Results) -> str:
    learner = f"{results['algorithm']} ({results['access']})"
    parts = []
    for part, words in (("train", "the rows it queried"), ("test", "the rows held out")):
        losses = results["loss"].get(part)
        if not losses or losses["learner"] is None:
            continue
        mine, zero, line = losses["learner"], losses["zero"], losses["least_squares"]
        text = f"On {words}, {learner} has mean squared error {number(mine)}"
        if _usable(zero):
            text += f", {number(mine / zero)} of what predicting zero has ({number(zero)})"
        if line is not None:
            side = "no more than" if mine <= line * (1 + 1e-9) else "more than"
            text += f", and {side} least squares ({number(line)})"
        parts.append(text + ".")
    if parts:
        return " ".join(parts)
    why = f" ({results['message']})" if results.get("message") else ""
    return f"{learner} did not finish: {results['status']}{why}."


def _usable(zero: float | None) -> bool:
    """Whether losses can be given as shares of this one."""
    return zero is not None and zero > 0


def _sweep(results: Results) -> str:
    points: list[Any] = list(results.get("sweep") or [])
    points = [point for point in points if point["tolerance"] is not None]
    if not points:
        return ""
    zero = results["loss"]["train"]["zero"]
    done = sorted((p["tolerance"], p["loss"]) for p in points if p["loss"] is not None)
    adversary = sweep_policy(results)
    parts = [
        f"The same learner ran at {counted(len(points), 'tolerance')}, convention "
        f"{results['oracle']['norm']}, adversary {adversary}."
    ]
    if done and _usable(zero):
        (fine, low), (coarse, high) = done[0], done[-1]
        parts.append(
            f"Its loss on the rows it queried is {number(low / zero)} of that of predicting zero "
            f"at tolerance {number(fine)}"
            + (f" and {number(high / zero)} at {number(coarse)}." if len(done) > 1 else ".")
        )
        useful = [tau for tau, value in done if value < ZERO_SHARE * zero]
        useless = [tau for tau, _ in done if not useful or tau > useful[-1]]
        if useless:
            parts.append(
                f"From tolerance {number(useless[0])} on it was at least {ZERO_SHARE} of that of "
                "predicting zero."
            )
    if missing := len(points) - len(done):
        parts.append(f"{counted(missing, 'run')} did not finish.")
    return " ".join(parts)
