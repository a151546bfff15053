"""Plain sentences on what an answer may be: the convention of tolerance and the adversary."""

from __future__ import annotations

import math

from sqsim.report.reading import Passage, Results, number

_POLICIES = {
    "exact": "It answered with the mean itself, so the tolerance shaped no answer in this run.",
    "uniform": "It moved every answer by a random amount, uniform within the radius: noise, "
    "with no intent behind it.",
    "grid": "It rounded every answer to the nearest multiple of twice the radius, as if numbers "
    "were written with few digits.",
    "toward-zero": "It moved every number of every answer toward zero as far as the tolerance "
    "allows: whatever is smaller than its radius vanishes.",
    "worst-direction": "It spent the whole tolerance along one direction of each vector or "
    "matrix, the same in every round, so that errors add up.",
}


def policy_words(policy: str) -> str:
    """What the adversary did inside the tolerance."""
    return f"The adversary followed the policy {policy}. " + _POLICIES.get(
        policy, "Every answer lay within the tolerance; this report has no description of it."
    )


def tolerance_words(tolerance: float | None, norm: str, null_loss: float | None = None) -> str:
    """Which convention is in force, and what one unit of tolerance means."""
    if tolerance is None:
        return "No tolerance was set: answers carry only the error of their own computation."
    tau = number(tolerance)
    size = None if null_loss is None else math.sqrt(null_loss)
    if norm == "l2":
        text = (
            f"Tolerance {tau}, convention l2: an answer to a correlational query y g(x) may be "
            f"off by {tau} × ‖g‖, one to a general query φ(x, y) by {tau} × ‖φ‖. This is the "
            "convention of the theorems on correlational queries."
        )
        if size is not None and size < 0.1:
            text += (
                f" It is generous to SQ here: labels are small (root mean square {number(size)}), "
                "which shrinks the mean of y g(x) but not its radius."
            )
    elif norm == "absolute":
        text = (
            f"Tolerance {tau}, convention absolute (the oracle STAT): every answer may be off by "
            f"{tau}, whatever the size of the query."
        )
    elif norm == "vstat":
        text = (
            f"Tolerance {tau}, convention vstat: every answer may be off by {tau} × ‖φ‖, the root "
            "mean square of the query on examples, for both kinds of query. That is what about "
            f"1/tolerance² = {number(tolerance**-2)} examples buy, and the strictest of the three "
            "readings for a separation of SQ from CSQ."
        )
    else:
        text = f"Tolerance {tau}, convention {norm}."
    return text + _too_coarse(tolerance, norm, size)


def _too_coarse(tolerance: float, norm: str, size: float | None) -> str:
    if norm == "vstat" and tolerance >= 1:
        return " At a tolerance of 1 or more, zero is a permitted answer to every query."
    if size is None or norm not in ("l2", "absolute") or tolerance < size:
        return ""
    which = "with ‖g‖ at most 1" if norm == "absolute" else "there is"
    return (
        f" The tolerance is no smaller than the labels' root mean square ({number(size)}), so "
        f"zero is a permitted answer to every correlational query {which}."
    )


def oracle_passages(oracle: Results, size: float) -> list[Passage]:
    """What an answer may be: a window with its adversary, or what samples promise."""
    if "words" in oracle:
        tau = number(oracle["tolerance"])
        return [
            Passage("The oracle", f"Tolerance {tau}, oracle {oracle['model']}. {oracle['words']}")
        ]
    return [
        Passage("The oracle", tolerance_words(oracle["tolerance"], oracle["norm"], size)),
        Passage("The adversary", policy_words(oracle["policy"])),
    ]
