"""Plain sentences computed from results.  Nothing here is known before the runs are.

A run shows what a learner did here, never what all learners can do: the sentences keep to that.
"""

from __future__ import annotations

from collections.abc import Iterable

from sqsim.report.oracle_prose import oracle_passages
from sqsim.report.proof_prose import proved_words
from sqsim.report.reading import (
    ZERO_SHARE,
    Group,
    Outcome,
    Passage,
    Results,
    counted,
    group,
    listed,
    name,
    number,
    ordered,
    outcome,
    require,
    zero_ratio,
)
from sqsim.report.table_prose import table_words

__all__ = ["Passage", "bracket_words", "headline", "separation_words", "table_words"]

_TALLY = {
    Group.CSQ: "{} with correlational queries (CSQ) from a cold start",
    Group.WARM: "{} with correlational queries after an SQ warm start",
    Group.SQ: "{} with general queries (SQ)",
}


def headline(results: Results) -> str:
    """One sentence: how many of each group learned."""
    tally = []
    for kind in Group:
        runs = [run for run in results["runs"] if group(run) is kind]
        if runs:
            good = sum(outcome(run, results) is Outcome.LEARNED for run in runs)
            tally.append(f"{good} of {_TALLY[kind].format(counted(len(runs), 'learner'))}")
    if not tally:
        return "No learner was run."
    return f"Learned at this tolerance, against this adversary: {listed(tally)}."


def separation_words(results: Results) -> list[Passage]:
    """The report of `sqsim separation`, passage by passage."""
    require(results, "sqsim.separation/1")
    oracle = results["oracle"]
    size = results["instance"]["null_loss"]
    passages = [
        Passage("The task", _task(results["instance"])),
        *oracle_passages(oracle, size),
        Passage("Who learned and who did not", _outcomes(results)),
        Passage("What is proved", proved_words(results)),
        Passage("What the warm start shows", _warm(results)),
        Passage("What the learners were told", _told(results)),
        Passage("Tolerance at which each learner first learned", _brackets(results)),
        Passage("Runs that did not finish", _unfinished(results)),
        Passage("What this does not show", _limits(results)),
    ]
    return [passage for passage in passages if passage.text]


def _task(instance: Results) -> str:
    text = (
        f"Inputs are standard Gaussian in {number(instance['dimension'])} dimensions. A label is "
        "max(0, ⟨v,\u00a0x⟩ + b) with a hidden unit vector v and b = "
        f"{number(instance['bias'])}, less the part of that function of Hermite "
        f"degree at most {number(instance['cutoff'])}. The "
        f"hidden neuron has loss {number(instance['opt_upper_bound'])}, an upper bound on OPT; "
        f"predicting zero has loss {number(instance['null_loss'])}"
    )
    zero = zero_ratio({"instance": instance})
    text += "." if zero is None else f", {number(zero)} times as much."
    return text + " Losses are E[(y − ŷ)²] under the true law, computed and not sampled."


def _outcomes(results: Results) -> str:
    found: dict[Outcome, list[Results]] = {kind: [] for kind in Outcome}
    for run in ordered(results):
        found[outcome(run, results)].append(run)
    bar = f"loss at most {number(results['success_ratio'])} times the bound on OPT"
    parts = [_verdict(results)]
    if found[Outcome.LEARNED]:
        parts.append(f"Learned ({bar}): {_with_ratios(found[Outcome.LEARNED])}.")
    else:
        parts.append(f"No learner reached a {bar}.")
    if found[Outcome.ZERO]:
        parts.append(
            f"Did not learn here, and ended with at least {ZERO_SHARE} times the loss of the zero "
            f"hypothesis: {_named(found[Outcome.ZERO])}."
        )
    if found[Outcome.BETWEEN]:
        parts.append(
            "Did better than the zero hypothesis but did not reach that bar: "
            f"{_with_ratios(found[Outcome.BETWEEN])}."
        )
    if found[Outcome.UNFINISHED]:
        parts.append(f"Not finished, so not judged: {_named(found[Outcome.UNFINISHED])}.")
    return " ".join(parts)


def _named(runs: Iterable[Results]) -> str:
    return listed(name(run) for run in runs)


def _with_ratios(runs: Iterable[Results]) -> str:
    return listed(f"{name(run)} at {number(run['loss_ratio'])}" for run in runs)


def _verdict(results: Results) -> str:
    """What the cold starts say, from the outcomes alone."""
    kinds = {kind: [run for run in results["runs"] if group(run) is kind] for kind in Group}
    good = {
        kind: sum(outcome(run, results) is Outcome.LEARNED for run in runs)
        for kind, runs in kinds.items()
    }
    judged = [run for run in results["runs"] if run["loss_ratio"] is not None]
    sq, csq = good[Group.SQ], good[Group.CSQ]
    if not judged:
        return "No run finished, so nothing is shown."
    if sum(good.values()) == len(results["runs"]):
        text = "Every learner learned: no difference between CSQ and SQ shows at this tolerance."
    elif not any(good.values()):
        text = "No learner learned, SQ or CSQ: no difference shows at this tolerance."
    elif sq and not csq and kinds[Group.CSQ]:
        did = "every SQ learner did" if sq == len(kinds[Group.SQ]) else "some SQ learners did"
        text = f"From a cold start no correlational learner learned, and {did}."
    elif sq and csq:
        text = (
            f"{counted(csq, 'correlational learner')} of {len(kinds[Group.CSQ])} learned from a "
            f"cold start, and {counted(sq, 'SQ learner')} of {len(kinds[Group.SQ])}: this run "
            "does not set the two kinds of query apart."
        )
    elif csq:
        text = "Some correlational learners learned from a cold start, and no SQ learner did."
    else:
        text = "From a cold start no learner learned."
    if results["oracle"]["policy"] == "exact":
        text += " Answers were exact, so the outcome says nothing about the tolerance."
    return text


def _warm(results: Results) -> str:
    warm = [run for run in results["runs"] if group(run) is Group.WARM]
    if not warm:
        return "No run started from a direction that an SQ learner had found."
    cold = {
        run["algorithm"]: outcome(run, results)
        for run in results["runs"]
        if group(run) is Group.CSQ
    }
    good = [run for run in warm if outcome(run, results) is Outcome.LEARNED]
    needed = [run for run in good if cold.get(run["algorithm"]) is not Outcome.LEARNED]
    parts = []
    if needed:
        parts.append(
            f"Started at the direction found by a genuine SQ (thresholded PCA), "
            f"{listed(run['algorithm'] for run in needed)} learned with correlational queries "
            "alone, which did not happen from a cold start: here correlational queries sufficed "
            "once an SQ had found the direction."
        )
    if other := [run["algorithm"] for run in good if run not in needed]:
        parts.append(f"No warm start was needed for {listed(other)}: the cold start learned too.")
    if bad := [run["algorithm"] for run in warm if run not in good]:
        parts.append(f"The warm start did not make {listed(bad)} learn here.")
    still = [
        run["algorithm"]
        for run in good
        if run.get("start_loss_ratio") is not None
        and abs(run["start_loss_ratio"] - run["loss_ratio"]) <= 1e-6 * run["loss_ratio"]
    ]
    if still:
        parts.append(
            f"{listed(still)} did not improve on the start: what is left to learn there is smaller "
            "than the tolerance."
        )
    if costs := {int(run["warm_start_queries"]) for run in warm if run.get("warm_start_queries")}:
        parts.append(
            f"The warm start cost {listed(number(cost) for cost in sorted(costs))} scalar queries; "
            "the figure counts them in."
        )
    return " ".join(parts)


def _told(results: Results) -> str:
    told: dict[str, list[str]] = {}
    for run in ordered(results):
        if run.get("told"):
            told.setdefault(run["told"], []).append(name(run))
    return " ".join(f"Told {what}: {listed(names)}." for what, names in told.items())


def _brackets(results: Results) -> str:
    rows = results.get("smallest_tolerance") or []
    if not rows:
        return ""
    intro = (
        "The search bisects the exponent and takes success to be monotone in the tolerance; "
        "larger means that less exact answers were enough."
    )
    found: dict[str, list[str]] = {}
    for row in rows:
        found.setdefault(bracket_words(row), []).append(name(row))
    return " ".join([intro, *(f"{listed(who)}: {what}." for what, who in found.items())])


def bracket_words(row: Results) -> str:
    """What a search for the tolerance found."""
    succeeds, fails = row["succeeds"], row["fails"]
    if succeeds is not None and fails is not None:
        return f"learned at {number(succeeds)}, not at {number(fails)}"
    if succeeds is not None:
        return f"learned at {number(succeeds)}, the coarsest tried"
    if fails is None:
        return "no run finished: the computed means are not exact enough for this radius"
    if row.get("floor"):
        return (
            f"did not learn down to {number(fails)}; below it the error of the computed means "
            "exceeds the radius"
        )
    return f"did not learn down to {number(fails)}, the finest tried"


def _unfinished(results: Results) -> str:
    parts = []
    for run in ordered(results):
        if run["loss_ratio"] is None:
            why = f" ({run['message']})" if run.get("message") else ""
            parts.append(f"{name(run)}: {run['status']}{why}.")
    return " ".join(parts)


def _limits(results: Results) -> str:
    return (
        "Each learner ran once, on one instance "
        f"(seed {results['instance']['seed']}), with its default settings. “Did not learn here” "
        "is not “cannot learn”: another learner, or other settings, might do better, and no "
        "lower bound is proved by these runs. A success, on the other hand, is what it looks "
        "like: the loss of the hypothesis was computed"
        + ("." if "words" in results["oracle"] else ", and every answer lay within the tolerance.")
    )
