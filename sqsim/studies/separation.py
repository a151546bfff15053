"""Correlational and statistical-query learners on one instance, under one tolerance.

This file does not know how results are drawn or printed: it returns them, and tells an observer
what is happening.
"""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, final

import numpy as np
import scipy

from sqsim import __version__
from sqsim.errors import BadInput, BudgetSpent, QueryRefused, ToleranceUnreachable
from sqsim.loop import run
from sqsim.oracles.scoring import loss, null_loss
from sqsim.oracles.simulated import SimulatedOracle, csq, sq
from sqsim.problems.corruption import LowDegreeRemoval
from sqsim.problems.hypothesis import ReluHypothesis
from sqsim.problems.index import IndexInstance, ReluRegression
from sqsim.recipe import Recipe
from sqsim.record import Exchange, Ledger
from sqsim.seeds import Seed
from sqsim.strategy import Strategy
from sqsim.studies.access import Sampled, check_feasible, sampled
from sqsim.studies.certified import certified_csq_queries
from sqsim.studies.curve import Curve
from sqsim.studies.learners import CONVENTIONS, LEARNERS, POLICIES, Learner, warm, warm_direction
from sqsim.studies.observers import Observer, silent
from sqsim.tolerance import Mean

WARM_START = "warm-start"
"""The run that finds a direction for others to begin at."""

SUCCESS = 1.5
"""A learner succeeds if its loss is at most this many times the upper bound on OPT."""


@final
@dataclass(frozen=True)
class Separation:
    """One instance, one tolerance, one adversary.

    Attributes
    ----------
    bias : of the hidden neuron sigma(<v, x> + bias), ||v|| = 1.
    cutoff : Hermite degree up to which its correlations are removed from the labels.
    norm : "l2", "absolute" or "vstat": what one unit of tolerance means.
    policy : name of the adversary.
    model : "window", or an access model that samples: "honest" or "ldp"; then there is no
        adversary, and `norm` and `policy` are not used.
    epsilon, clip : of "ldp".
    """

    dimension: int = 1000
    bias: float = -7.0
    cutoff: int = 9
    tolerance: float = 5e-11
    norm: str = "l2"
    policy: str = "toward-zero"
    seed: Seed = 0
    model: str = "window"
    epsilon: float = 1.0
    clip: float = 5.0

    def __post_init__(self) -> None:
        if self.dimension < 2:
            raise BadInput(f"dimension is {self.dimension}; a hidden direction needs at least 2")
        if not self.bias < 0:
            raise BadInput(f"bias is {self.bias}; the hard instances have a negative bias")
        if self.cutoff < 0:
            raise BadInput(f"cutoff is {self.cutoff}; Hermite degrees start at 0")
        for name, value, known in (
            ("norm", self.norm, CONVENTIONS),
            ("policy", self.policy, POLICIES),
        ):
            if value not in known:
                raise BadInput(f"{name} is {value!r}; wanted one of {', '.join(known)}")
        CONVENTIONS[self.norm](self.tolerance)
        if self.sampled is not None:
            check_feasible(self.sampled, self.tolerance, self.dimension)
        if self.instance(told=True).opt_upper_bound < 1e-280:
            raise BadInput(
                f"bias is {self.bias} and cutoff {self.cutoff}: what is removed from the labels "
                "has no energy that 64-bit numbers hold; use a bias nearer to 0 or a larger cutoff"
            )

    def instance(self, *, told: bool) -> IndexInstance:
        """The same secret, with norm and bias told to the learner or not."""
        problem = ReluRegression(
            self.dimension,
            norm=1.0 if told else None,
            bias=self.bias if told else None,
        )
        return problem.draw(
            norm=1.0, bias=self.bias, corruptions=[LowDegreeRemoval(self.cutoff)], seed=self.seed
        )

    @property
    def sampled(self) -> Sampled | None:
        """The access model, where answers come from examples."""
        if self.model == "window":
            return None
        return sampled(self.model, epsilon=self.epsilon, clip=self.clip)

    def oracle(self, access: str, *, told: bool) -> Any:
        """The oracle that a learner of this access is run against."""
        if self.sampled is not None:
            return self.sampled.make(self.instance(told=told), self.tolerance, self.seed)
        make: Callable[..., SimulatedOracle[Any]] = csq if access == "CSQ" else sq
        return make(
            self.instance(told=told),
            tolerance=CONVENTIONS[self.norm](self.tolerance),
            policy=POLICIES[self.policy],
            seed=self.seed,
        )


def separate(
    study: Separation,
    *,
    learners: Sequence[Learner] | None = None,
    directory: Path | None = None,
    observer: Observer = silent,
    curves: bool = True,
) -> dict[str, Any]:
    """Run every learner and return the results of schema sqsim.separation/1.

    Parameters
    ----------
    learners : sequence of Learner, optional
        Those that are run, and no others; None: LEARNERS, and from a warm start the projected
        descents.
    directory : path, optional
        Where transcripts go, one file for each run; none are written otherwise.
    observer : function
        Called with "learner" before and "run" after each run.
    """
    started = time.perf_counter()
    instance = study.instance(told=True)
    energy = null_loss(instance)
    runs: list[dict[str, Any]] = []
    interrupted = False
    try:
        for learner in LEARNERS if learners is None else learners:
            runs.append(run_learner(study, learner, None, energy, directory, observer, curves))
        if learners is None:
            observer("learner", {"algorithm": "warm start", "access": "SQ"})
            start, spent = warm_start(study, directory)
            for learner in () if start is None else warm(start):
                runs.append(run_learner(study, learner, spent, energy, directory, observer, curves))
    except KeyboardInterrupt:
        interrupted = True
    return {
        "schema": "sqsim.separation/1",
        "instance": {
            "dimension": study.dimension,
            "bias": study.bias,
            "cutoff": study.cutoff,
            "null_loss": energy.number,
            "opt_upper_bound": instance.opt_upper_bound,
            "seed": study.seed,
        },
        "oracle": _oracle(study),
        "runs": runs,
        "certified_csq_queries": certified_csq_queries(
            dimension=study.dimension,
            bias=study.bias,
            cutoff=study.cutoff,
            tolerance=study.tolerance,
            norm=study.norm if study.sampled is None else study.model,
            ratio=SUCCESS,
        ),
        "smallest_tolerance": None,
        "success_ratio": SUCCESS,
        "interrupted": interrupted,
        "versions": versions(),
        "seconds": time.perf_counter() - started,
    }


def _oracle(study: Separation) -> dict[str, Any]:
    """What answered: a tolerance with its convention and adversary, or a sampling model."""
    if study.sampled is None:
        return {"tolerance": study.tolerance, "norm": study.norm, "policy": study.policy}
    words = {"model": study.model, "words": study.sampled.words}
    return {"tolerance": study.tolerance, "norm": study.model, "policy": "none", **words}


def versions() -> dict[str, str]:
    """What computed these numbers."""
    return {
        "sqsim": __version__,
        "numpy": np.__version__,
        "scipy": scipy.__version__,
        "python": platform.python_version(),
    }


def warm_start(study: Separation, directory: Path | None) -> tuple[np.ndarray | None, int | None]:
    """A signed direction from thresholded PCA, and what it cost; None where it was refused."""
    strategy, oracle = warm_start_run(study)
    recipe = _recipe(study, WARM_START)
    try:
        result = run(strategy, oracle, log=_log(directory, WARM_START), recipe=recipe)
    except ToleranceUnreachable:
        return None, None
    return result.value, result.ledger.queries


def warm_start_run(study: Separation) -> tuple[Strategy[Any, Any], Any]:
    """Strategy and oracle of the run that finds a direction."""
    oracle = study.oracle("SQ", told=True)
    return warm_direction(oracle.instance.problem, 1 / abs(study.bias)), oracle


def _recipe(study: Separation, learner: str, *, warm_start: bool = False) -> Recipe:
    settings = asdict(study)
    # What has no part in a run stays out of its recipe: an audit could not tell it was changed.
    unused = {"window": "model epsilon clip", "honest": "norm policy epsilon clip"}
    for name in unused.get(study.model, "norm policy").split():
        del settings[name]
    arguments = {"learner": learner, "warm_start": warm_start, **settings}
    return Recipe("sqsim.studies.rebuilding:separation_run", arguments)


def _log(directory: Path | None, name: str) -> Path | None:
    if directory is None:
        return None
    (directory / "transcripts").mkdir(parents=True, exist_ok=True)
    return directory / "transcripts" / f"{name}.jsonl"


def run_learner(
    study: Separation,
    learner: Learner,
    warm_queries: int | None,
    energy: Mean,
    directory: Path | None,
    observer: Observer,
    curves: bool,
) -> dict[str, Any]:
    """One learner against its oracle, scored."""
    oracle = study.oracle(learner.access, told=learner.told)
    instance: IndexInstance = oracle.instance
    record: dict[str, Any] = {
        "algorithm": learner.name,
        "access": learner.access,
        "warm_start": learner.warm_start,
        "told": "norm and bias" if learner.told else "neither norm nor bias",
    }
    observer("learner", record)
    name = learner.name + ("-warm" if learner.warm_start else "")
    log = _log(directory, name)
    curve = Curve(instance, energy)
    seen = Ledger()

    def watch(exchange: Exchange, ledger: Ledger) -> None:
        nonlocal seen
        seen = ledger
        if curves:
            curve.watch(exchange, ledger)

    strategy = learner.strategy(instance.problem, study.seed)
    recipe = _recipe(study, learner.name, warm_start=learner.warm_start)
    started = time.perf_counter()
    hypothesis: ReluHypothesis | None = None
    try:
        result = run(strategy, oracle, log=log, callback=watch, recipe=recipe)
        hypothesis, message = result.value, result.message
        status = result.status.name.lower().replace("_", " ")
        seen = result.ledger
    except ToleranceUnreachable as error:
        status, message = "tolerance unreachable", str(error)
    except (QueryRefused, BadInput) as error:
        # BadInput is the learner's: what it assumes of a problem, this one does not keep.
        status, message = "refused", str(error)
    except BudgetSpent as error:
        status, message = "budget spent", str(error)
    seconds = time.perf_counter() - started - curve.seconds
    record |= {
        "status": status,
        "message": message,
        **_scores(instance, hypothesis),
        "queries": seen.queries,
        "rounds": seen.rounds,
        "finest_tolerance": seen.finest,
        "seconds": seconds,
        "warm_start_queries": warm_queries,
        "transcript": None if log is None else f"transcripts/{name}.jsonl",
    }
    if hypothesis is not None:
        curve.add(seen.queries, record["loss_ratio"])
    record["curve"] = curve.points
    record["start_loss_ratio"] = curve.points[0][1] if curve.points else None
    observer("run", record)
    return record


def _scores(instance: IndexInstance, hypothesis: ReluHypothesis | None) -> dict[str, Any]:
    if hypothesis is None:
        return dict.fromkeys(("overlap", "hypothesis", "loss", "loss_ratio"))
    value = loss(instance, hypothesis).number
    return {
        "overlap": hypothesis.overlap(instance.direction),
        "hypothesis": {"norm": hypothesis.norm, "bias": hypothesis.bias},
        "loss": value,
        "loss_ratio": value / instance.opt_upper_bound,
    }
