"""A plain sentence on what is proved of an instance, beside what its runs measured."""

from __future__ import annotations

import math

from sqsim.report.reading import (
    Group,
    Outcome,
    Results,
    all_queries,
    certified,
    group,
    number,
    outcome,
)


def proved_words(results: Results) -> str:
    """The certified bound beside what the learners of the other kind spent."""
    bound = certified(results)
    if bound is None:
        return ""
    oracle, instance = results["oracle"], results["instance"]
    goal = f"{number(results['success_ratio'])} times the bound on OPT"
    if oracle["norm"] != "l2":
        return (
            "The lower bound on correlational queries is a theorem about convention l2. In "
            f"convention {oracle['norm']} it says nothing here: no number of queries is ruled out."
        )
    if math.isinf(bound):
        return (
            f"At this tolerance zero is a lawful answer to every correlational query, so no "
            f"correlational learner reaches {goal}, whatever the number of its queries."
        )
    if bound <= 1:
        return (
            "The lower bound on correlational queries is vacuous here: at this dimension, cutoff "
            "and tolerance it does not rule out a single query."
        )
    spent = [
        all_queries(run)
        for run in results["runs"]
        if group(run) is Group.SQ and outcome(run, results) is Outcome.LEARNED
    ]
    beside = f" A learner with general queries spent {number(max(spent))} here." if spent else ""
    lucky = any(
        group(run) is Group.CSQ
        and outcome(run, results) is Outcome.LEARNED
        and all_queries(run) < bound
        for run in results["runs"]
    )
    beside += " A correlational run that learned with fewer met milder answers." if lucky else ""
    command = (
        f"sqsim bound csq-relu --dimension {instance['dimension']} --bias {instance['bias']:g} "
        f"--cutoff {instance['cutoff']} --tolerance {oracle['tolerance']:g}"
    )
    return (
        f"No correlational learner with fewer than {number(float(f'{bound:.3e}'))} queries reaches "
        f"{goal} for every hidden direction, whatever it asks: against some lawful answers of "
        f"this tolerance it fails (convention l2).{beside} The certificate: {command} --out FILE."
    )
