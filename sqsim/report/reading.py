"""How a results dictionary is read: names, groups, outcomes, numbers as text.

This file does not know whether its words end up in a figure, a page or a terminal.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from enum import Enum
from typing import Any, NamedTuple

from sqsim.errors import BadInput

Results = Mapping[str, Any]

ZERO_SHARE = 0.9
"""From this share of the zero hypothesis's loss on, a run counts as having stayed there."""


class Passage(NamedTuple):
    """A heading and what stands under it."""

    heading: str
    text: str


class Group(Enum):
    """Learners that are drawn and counted together."""

    CSQ = "CSQ, cold start"
    WARM = "CSQ, after an SQ warm start"
    SQ = "SQ"


class Outcome(Enum):
    """How a run ended, in the words of tables."""

    LEARNED = "learned"
    BETWEEN = "in between"
    ZERO = "no better than zero"
    UNFINISHED = "not finished"


def require(results: Results, schema: str) -> None:
    """Refuse a dictionary of another schema."""
    found = results.get("schema")
    if found != schema:
        raise BadInput(f"the results are of schema {found!r}; wanted {schema!r}; check the file")


def name(run: Results) -> str:
    """The learner's name, told apart from its own cold start."""
    return f"{run['algorithm']}{' (warm start)' if run.get('warm_start') else ''}"


def group(run: Results) -> Group:
    if run["access"] == "SQ":
        return Group.SQ
    return Group.WARM if run.get("warm_start") else Group.CSQ


def positive(value: Any) -> bool:
    """Whether it is a number that a log axis can show."""
    return isinstance(value, int | float) and math.isfinite(value) and value > 0


def zero_ratio(results: Results) -> float | None:
    """Loss of the zero hypothesis in units of the upper bound on OPT."""
    instance = results["instance"]
    null, opt = instance["null_loss"], instance["opt_upper_bound"]
    return null / opt if positive(null) and positive(opt) else None


def outcome(run: Results, results: Results) -> Outcome:
    """Success by the loss ratio, failure by the share of the zero hypothesis's loss."""
    ratio, zero = run["loss_ratio"], zero_ratio(results)
    if ratio is None:
        return Outcome.UNFINISHED
    if ratio <= results["success_ratio"]:
        return Outcome.LEARNED
    if zero is not None and ratio >= ZERO_SHARE * zero:
        return Outcome.ZERO
    return Outcome.BETWEEN


def all_queries(run: Results) -> int:
    """Scalar queries of a run with those of the warm start that it stands on."""
    return int(run["queries"]) + int(run.get("warm_start_queries") or 0)


def ordered(results: Results) -> list[Results]:
    """Runs by group, in the order in which they ran."""
    groups = list(Group)
    return sorted(results["runs"], key=lambda run: groups.index(group(run)))


def sweep_policy(results: Results) -> str:
    """The adversary of the sweep of `sqsim run`, which may be another than that of the run."""
    return str(results.get("sweep_policy") or results["oracle"]["policy"])


def number(value: Any) -> str:
    """Four significant digits; "-" where there is no number."""
    if value is None:
        return "-"
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    if isinstance(value, int) or (float(value).is_integer() and abs(value) < 1e7):
        whole = f"{int(value):,}" if abs(value) >= 1e4 else str(int(value))
        return whole.replace("-", "−") if abs(value) < 1e12 else f"{value:.4g}"
    text = f"{value:,.0f}" if 1e4 <= abs(value) < 1e7 else f"{value:.4g}"
    mantissa, mark, exponent = text.partition("e")
    # Only the sign in front becomes a minus: exponents stay fit for copying.
    return mantissa.replace("-", "−") + (f"e{int(exponent)}" if mark else "")


def seconds(value: Any) -> str:
    """Seconds to a hundredth."""
    return "-" if value is None else f"{value:.2f}"


def listed(items: Iterable[str], *, word: str = "and") -> str:
    """a, b and c."""
    parts: Sequence[str] = list(items)
    if len(parts) < 2:
        return "".join(parts)
    return f"{', '.join(parts[:-1])} {word} {parts[-1]}"


def counted(count: int, noun: str) -> str:
    """1 learner, 2 learners."""
    return f"{number(count)} {noun}{'' if count == 1 else 's'}"


def certified(results: Results) -> float | None:
    """Proved number of queries that every correlational learner needs; None where not computed.

    0 says that nothing is proved, infinity that no number of queries suffices.
    """
    found = results.get("certified_csq_queries")
    return None if found is None else float(found["lower"])
