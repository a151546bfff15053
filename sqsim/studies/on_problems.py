"""Any registered algorithm on an instance of any registered problem, both by name.

This file does not know which algorithms and problems there are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, final

from sqsim.errors import BadInput, SqsimError
from sqsim.loop import run
from sqsim.oracles.simulated import SimulatedOracle, csq, sq
from sqsim.recipe import Recipe
from sqsim.result import Result
from sqsim.seeds import Seed
from sqsim.strategy import Strategy
from sqsim.studies.conventions import CONVENTIONS, POLICIES
from sqsim.studies.named import algorithm, problem
from sqsim.tolerance import Unperturbed


@final
@dataclass(frozen=True, kw_only=True)
class OnProblem:
    """One run, as plain data.

    Attributes
    ----------
    problem : str
        Name of a problem.
    algorithm : str
        Name of an algorithm.
    options : mapping
        Keyword options of the problem, such as {"dimension": 20}.
    draw : mapping
        Keyword options of its `draw`, such as {"bias": -1.0}; the seed is added.
    tolerance : float, optional
        None: the means themselves.
    norm, policy : names of a convention and of an adversary.
    seed : of instance, algorithm and oracle, in separate roles.
    """

    problem: str
    algorithm: str
    options: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    draw: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    tolerance: float | None = None
    norm: str = "l2"
    policy: str = "exact"
    seed: Seed = 0

    def made(self) -> tuple[Strategy[Any, Any], SimulatedOracle[Any]]:
        """The algorithm, about to ask its first question, and the oracle that will answer.

        Raises
        ------
        BadInput
            Where a name is not known, options do not fit, or the problem does not tell the
            algorithm what it assumes to be known.
        """
        for what, value, known in (
            ("norm", self.norm, CONVENTIONS),
            ("policy", self.policy, POLICIES),
        ):
            if value not in known:
                raise BadInput(f"{what} is {value!r}; wanted one of {', '.join(known)}")
        chosen, asked = algorithm(self.algorithm), problem(self.problem, **self.options)
        chosen.check_told(asked)
        instance = self._drawn(asked)
        make: Callable[..., SimulatedOracle[Any]] = csq if chosen.access == "CSQ" else sq
        tau = self.tolerance
        oracle = make(
            instance,
            tolerance=Unperturbed() if tau is None else CONVENTIONS[self.norm](tau),
            policy=POLICIES[self.policy],
            seed=self.seed,
        )
        return chosen.strategy(instance.problem, self.seed), oracle

    def _drawn(self, asked: Any) -> Any:
        if not callable(getattr(asked, "draw", None)):
            raise BadInput(
                f"problem {self.problem!r} has no draw(seed=...), so it has no instances"
            )
        try:
            return asked.draw(**self.draw, seed=self.seed)
        except SqsimError:
            raise
        except Exception as error:  # a plug-in's draw may fail in any way
            raise BadInput(f"draw of {self.problem!r} with {dict(self.draw)}: {error}") from error

    def recipe(self) -> Recipe:
        """How an audit makes it again."""
        held = {**vars(self), "options": dict(self.options), "draw": dict(self.draw)}
        return Recipe("sqsim.studies.rebuilding:problem_run", held)


def run_on_problem(setting: OnProblem, *, log: str | Path | None = None) -> Result[Any]:
    """Run it; the transcript, if one is written, can be audited.

    Parameters
    ----------
    log : path, optional
        Where the transcript goes.
    """
    strategy, oracle = setting.made()
    return run(strategy, oracle, log=log, recipe=setting.recipe())
