"""Strategy and oracle of a recorded run, made again from the recipe in its transcript.

This file does not know transcripts, nor what is done with the two.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, TypeAlias

from sqsim.errors import BadInput
from sqsim.oracles.distributed import Distributed
from sqsim.oracles.engines import Inline
from sqsim.seeds import Seed
from sqsim.strategy import Strategy
from sqsim.studies.learners import Learner, warm
from sqsim.studies.learners import learner as named
from sqsim.studies.on_problems import OnProblem
from sqsim.studies.preparation import digest, in_chunks, in_memory
from sqsim.studies.separation import WARM_START, Separation, warm_start, warm_start_run

Rebuilt: TypeAlias = tuple[Strategy[Any, Any], Any]


def separation_run(*, learner: str, warm_start: bool = False, **parameters: Any) -> Rebuilt:
    """One run of `sqsim separation`.

    Parameters
    ----------
    learner : name of a learner, or "warm-start" for the run that finds a direction.
    warm_start : whether it begins at that direction, which is then found again first.
    parameters : of the Separation.
    """
    try:
        study = Separation(**parameters)
    except TypeError as error:
        raise BadInput(f"parameters of a separation: {error}") from None
    if learner == WARM_START:
        return warm_start_run(study)
    chosen = _warmed(study, learner) if warm_start else named(learner)
    oracle = study.oracle(chosen.access, told=chosen.told)
    return chosen.strategy(oracle.instance.problem, study.seed), oracle


def _warmed(study: Separation, name: str) -> Learner:
    start, _ = warm_start(study, None)
    if start is None:
        raise BadInput("the warm start is refused at this tolerance; no run begins there")
    known = {one.name: one for one in warm(start)}
    if name not in known:
        raise BadInput(f"no learner {name!r} begins there; {', '.join(known)} do")
    return known[name]


def table_run(
    *,
    path: str,
    content: str,
    target: str,
    algorithm: str,
    tolerance: float | None,
    norm: str,
    policy: str,
    test_fraction: float,
    seed: Seed,
    engine: str = "memory",
) -> Rebuilt:
    """One run of `sqsim run`.

    Parameters
    ----------
    content : digest of the file when it was read; another file is refused.
    engine : where the table lived; what workers found is repeated in this process.
    """
    make = in_memory if engine == "memory" else in_chunks
    prepared = make(path, target, test_fraction, named(algorithm), norm, policy, seed)
    if digest(path) != content:
        raise BadInput(f"{path} is not the table of this run; restore it from a copy")
    means = Distributed(Inline()) if engine == "dask" else None
    setting = replace(prepared.setting, means=means)
    return setting.strategy(), setting.oracle(tolerance)


def problem_run(**parameters: Any) -> Rebuilt:
    """One run of `run_on_problem`.

    Parameters
    ----------
    parameters : of the OnProblem.
    """
    try:
        setting = OnProblem(**parameters)
    except TypeError as error:
        raise BadInput(f"parameters of a run on a problem: {error}") from None
    return setting.made()
