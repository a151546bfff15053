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
from sqsim.studies.learners import LEARNERS, Learner, learner, warm
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
    known = _warm(study) if warm_start else tuple(LEARNERS)
    chosen = next((one for one in known if one.name == learner), None)
    if chosen is None:
        raise BadInput(f"no learner {learner!r}; there are {', '.join(one.name for one in known)}")
    oracle = study.oracle(chosen.access, told=chosen.told)
    return chosen.strategy(oracle.instance.problem, study.seed), oracle


def _warm(study: Separation) -> tuple[Learner, ...]:
    start, _ = warm_start(study, None)
    if start is None:
        raise BadInput("the warm start is refused at this tolerance; no run begins there")
    return warm(start)


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
    prepared = make(path, target, test_fraction, learner(algorithm), norm, policy, seed)
    if digest(path) != content:
        raise BadInput(f"{path} is not the table of this run; restore it from a copy")
    means = Distributed(Inline()) if engine == "dask" else None
    setting = replace(prepared.setting, means=means)
    return setting.strategy(), setting.oracle(tolerance)
