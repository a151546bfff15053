"""What is stated of an algorithm: its access, its cost as formulas, its source and its guarantee.

This file does not know which algorithms there are, nor where they come from.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, final

from sqsim.errors import BadInput
from sqsim.problems.index import ReluRegression
from sqsim.queries import Batch
from sqsim.seeds import Seed
from sqsim.strategy import Answers

if TYPE_CHECKING:
    import sympy

Start: TypeAlias = Callable[[Any, Seed], Generator[Batch[Any], Answers, Any]]
"""A function (problem, seed) -> strategy."""

_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")

NEURON = "neuron"
"""The kind of result that a separation and a run on a table can score."""


@final
@dataclass(frozen=True)
class Learner:
    """A strategy that ends with a neuron.

    Attributes
    ----------
    name : str
    access : "CSQ" or "SQ"
        The weakest oracle that answers it.
    strategy : function (problem, seed) -> generator
    told : bool
        Whether it is made for problems that tell norm and bias.  Where they do not, it finds both
        on the loss, except for those in `needs`.
    warm_start : bool
        Whether it begins at a direction that was found before.
    needs : tuple of "norm" and "bias"
        What a problem has to tell it.
    """

    name: str
    access: Literal["CSQ", "SQ"]
    strategy: Start
    told: bool
    warm_start: bool = False
    needs: tuple[str, ...] = ()

    def check_told(self, problem: Any) -> None:
        """Refuse a problem that does not tell what this learner assumes to be known."""
        _check_told(self.name, self.needs, problem)


@final
@dataclass(frozen=True)
class Symbol:
    """A letter in the formulas of a cost.

    Attributes
    ----------
    meaning : a few words.
    value : its value in the strategy as it is registered, or a function of the problem.
    """

    meaning: str
    value: int | Callable[[Any], int]

    def at(self, problem: Any) -> int:
        """Its value on this problem."""
        return self.value(problem) if callable(self.value) else self.value


DIMENSION = Symbol("dimension of the inputs", lambda problem: int(problem.dimension))
"""What `d` is in every formula."""


@final
@dataclass(frozen=True)
class Cost:
    """Rounds and scalar queries, as formulas that sympy reads: d and the symbols of an entry."""

    rounds: str
    queries: str


def relu_example(*, told: bool) -> Any:
    """A corruption-free neuron in dimension 6, its norm 1 and bias -1/2 told or not."""
    problem = ReluRegression(6, norm=1.0, bias=-0.5) if told else ReluRegression(6)
    return problem.draw(norm=1.0, bias=-0.5, seed=1)


@final
@dataclass(frozen=True, kw_only=True)
class Algorithm:
    """A strategy with what is stated of it.

    Attributes
    ----------
    name : str
        Words joined by "-".
    access : "CSQ" or "SQ"
        The weakest oracle that answers it.
    rounds, queries : str
        Formulas that sympy reads, in d and in `symbols`; of the strategy as registered, on a
        problem that tells norm and bias if `told`.
    source : str
        Authors and year.
    guarantee : str
        One line, with its hypotheses; or what is known in its place.
    strategy : function (problem, seed) -> generator
    symbols : mapping from names to Symbol
        The letters other than d.
    untold : Cost, optional
        Where norm and bias are not told, if that changes the cost.
    at_most : bool
        The formulas are upper bounds that the example attains: what is asked depends on the
        answers or the inputs.  Otherwise a run costs exactly this, unless what it has found so far
        is the zero hypothesis, from which nothing can be descended.
    result : str
        What it ends with; "neuron" (a ReluHypothesis) can be run by `sqsim separation` and
        `sqsim run`.
    told : bool
        As in Learner.
    needs : tuple of str
        As in Learner.
    wants : str
        The problem that it is made for, in words.
    example : function () -> instance, optional
        A small instance it is made for; None: `relu_example`.
    """

    name: str
    access: Literal["CSQ", "SQ"]
    rounds: str
    queries: str
    source: str
    guarantee: str
    strategy: Start
    symbols: Mapping[str, Symbol] = field(default_factory=lambda: MappingProxyType({}))
    untold: Cost | None = None
    at_most: bool = False
    result: str = NEURON
    told: bool = True
    needs: tuple[str, ...] = ()
    wants: str = "ReLU regression"
    example: Callable[[], Any] | None = None

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise BadInput(
                f"an algorithm is named {self.name!r}; wanted small letters and digits, in words "
                "joined by '-': files and folders are named after it"
            )
        if self.access not in ("CSQ", "SQ"):
            raise BadInput(f"access of {self.name} is {self.access!r}; wanted 'CSQ' or 'SQ'")
        if not callable(self.strategy):
            raise BadInput(f"strategy of {self.name} is no function (problem, seed) -> generator")
        if strange := set(self.needs) - {"norm", "bias"}:
            raise BadInput(f"{self.name} needs {sorted(strange)}; a problem tells norm and bias")
        if self.needs and not self.told:
            raise BadInput(f"{self.name} needs {', '.join(self.needs)}, so told must be True")

    @property
    def cost(self) -> Cost:
        """On the problem it is made for."""
        return Cost(self.rounds, self.queries)

    def instance(self) -> Any:
        """Its example."""
        return relu_example(told=self.told) if self.example is None else self.example()

    def learner(self) -> Learner:
        """As what a separation and a run on a table run; for those that end with a neuron."""
        if self.result != NEURON:
            raise BadInput(
                f"{self.name} ends with a {self.result} and is made for {self.wants}; what is run "
                "here ends with a ReLU neuron: `sqsim algorithms` says which do"
            )
        return Learner(self.name, self.access, self.strategy, self.told, needs=self.needs)

    def check_told(self, problem: Any) -> None:
        """Refuse a problem that does not tell what this algorithm assumes to be known."""
        _check_told(self.name, self.needs, problem)

    def costs_on(self, problem: Any) -> tuple[int, int]:
        """(rounds, queries) of a run on this problem, or their upper bounds if `at_most`."""
        known = problem.norm is not None and problem.bias is not None
        cost = self.untold if self.untold is not None and not known else self.cost
        values = {name: symbol.at(problem) for name, symbol in self._letters.items()}
        found = [self._read(text).subs(values) for text in (cost.rounds, cost.queries)]
        if not all(number.is_Integer for number in found):
            raise BadInput(f"cost of {self.name} is {found} at {values}; wanted whole numbers")
        return int(found[0]), int(found[1])

    def check_formulas(self) -> None:
        """Refuse formulas that sympy does not read, or in letters without a meaning."""
        for cost in (self.cost, self.untold):
            for text in () if cost is None else (cost.rounds, cost.queries):
                self._read(text)

    @property
    def _letters(self) -> Mapping[str, Symbol]:
        return {"d": DIMENSION, **self.symbols}

    def _read(self, text: str) -> sympy.Expr:
        """The formula; letters are those of this entry before they are anything of sympy's."""
        import sympy
        from sympy.parsing.sympy_parser import parse_expr

        letters = {name: sympy.Symbol(name) for name in self._letters}
        try:
            found: sympy.Expr = parse_expr(text, local_dict=dict(letters))
            unknown = found.free_symbols - set(letters.values())
        except Exception as error:  # the parser raises what Python's compiler raises, and more
            raise BadInput(f"cost {text!r} of {self.name} is not understood: {error}") from error
        if unknown:
            raise BadInput(
                f"cost {text!r} of {self.name} has the letters {sorted(map(str, unknown))} "
                "without a meaning; give each a Symbol in `symbols`"
            )
        return found

    def to_dict(self) -> dict[str, Any]:
        """Plain data; a symbol's value is null where it is the problem's."""
        untold = self.untold
        return {
            "name": self.name,
            "access": self.access,
            "rounds": self.rounds,
            "queries": self.queries,
            "at_most": self.at_most,
            "untold": untold and {"rounds": untold.rounds, "queries": untold.queries},
            "symbols": {
                name: {
                    "meaning": symbol.meaning,
                    "value": None if callable(symbol.value) else symbol.value,
                }
                for name, symbol in self._letters.items()
            },
            "source": self.source,
            "guarantee": self.guarantee,
            "result": self.result,
            "problem": self.wants,
            "told": self.told,
            "needs": list(self.needs),
        }


def _check_told(name: str, needs: tuple[str, ...], problem: Any) -> None:
    for what in needs:
        if getattr(problem, what) is None:
            raise BadInput(
                f"{name} assumes that the {what} of the neuron is known, and this problem does not "
                "tell it; take a learner that finds it, such as learn-relu"
            )
