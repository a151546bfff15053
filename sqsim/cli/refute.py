"""`sqsim refute`: the instance on which a learner fails, if there is one to be found."""

from __future__ import annotations

import importlib
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sqsim.cli.options import Json, Norm, Quiet, check_copy, check_seed
from sqsim.errors import BadInput, SqsimError

if TYPE_CHECKING:
    from sqsim.problems.index import IndexInstance
    from sqsim.refutation.result import Refutation

ACCESS = ("csq", "sq")
MOST_DEGREES = 400


def refute(
    strategy: Annotated[
        str,
        typer.Argument(
            metavar="STRATEGY",
            help="A learner by name, such as gradient-descent, or MODULE:FUNCTION of your own: a "
            "function of the problem that yields queries.",
        ),
    ],
    dimension: Annotated[int, typer.Option(help="Dimension of the inputs.")] = 1000,
    bias: Annotated[float, typer.Option(help="Bias of the hidden neuron.")] = -7.0,
    cutoff: Annotated[
        int, typer.Option(help="Hermite degrees up to this one are removed from the labels.")
    ] = 9,
    tolerance: Annotated[float, typer.Option(help="Tolerance of every query.")] = 5e-11,
    norm: Norm = "l2",
    access: Annotated[
        str, typer.Option(help="csq answers correlations only; sq answers every statistic.")
    ] = "csq",
    ratio: Annotated[float, typer.Option(help="A loss above this many times OPT refutes.")] = 1.5,
    candidates: Annotated[int, typer.Option(help="Hidden directions drawn at a time.")] = 32,
    digits: Annotated[int, typer.Option(help="Digits of the proved bounds: 1 to 1000.")] = 40,
    seed: Annotated[int, typer.Option(help="Seed of the learner and of the directions.")] = 0,
    json_path: Json = None,
    quiet: Quiet = False,
) -> None:
    """Answer a learner without choosing a secret, then look for one on which it fails."""
    from sqsim.oracles.candidates import refuse_beyond_memory
    from sqsim.refutation.search import refute as search
    from sqsim.report.files import write_json
    from sqsim.studies.learners import CONVENTIONS

    check_copy(json_path)
    check_seed(seed)
    if candidates < 1:
        raise BadInput(f"candidates is {candidates}; draw at least one direction at a time")
    if not 0 <= cutoff <= MOST_DEGREES:
        raise BadInput(
            f"cutoff is {cutoff}; each value of a label sums so many terms, and 0 to "
            f"{MOST_DEGREES} are allowed"
        )
    for name, value, known in (("norm", norm, tuple(CONVENTIONS)), ("access", access, ACCESS)):
        if value not in known:
            raise BadInput(f"{name} is {value!r}; wanted one of {', '.join(known)}")
    granted = CONVENTIONS[norm](tolerance)
    made, told = _strategy(strategy, seed)
    refuse_beyond_memory(dimension, candidates)
    model = _model(dimension, bias, cutoff, told=told)
    with _blamed(strategy):
        found = search(
            made,
            model,
            granted,
            correlational=access == "csq",
            ratio=ratio,
            candidates=candidates,
            digits=digits,
            seed=seed,
        )
    if json_path is not None:
        write_json(json_path, found.to_dict())
    if not quiet:
        _show(found, digits)


@contextmanager
def _blamed(strategy: str) -> Iterator[None]:
    """An exception that passed through the user's own file is told with its last line there."""
    try:
        yield
    except Exception as error:
        module = sys.modules.get(strategy.partition(":")[0]) if ":" in strategy else None
        file = getattr(module, "__file__", None)
        lines = [one for one in traceback.extract_tb(error.__traceback__) if one.filename == file]
        if not lines:
            raise
        last = lines[-1]
        what = f"{error}" if isinstance(error, SqsimError) else f"{type(error).__name__}: {error}"
        raise BadInput(
            f"{strategy} failed at line {last.lineno} of {last.filename}: {last.line}\n  {what}"
        ) from error


def _show(found: Refutation, digits: int) -> None:
    typer.echo(found.message)
    typer.echo(f"queries     {found.queries}")
    typer.echo(f"candidates  {found.candidates}")
    error = found.largest_answer_error
    if error is not None:
        reasons = dict.fromkeys(one.reason for one in found.answers if one.reason)
        how = "; ".join([f"proved at {digits} digits"] if not reasons else
                        [f"not proved: {reason}" for reason in reasons])  # fmt: skip
        upper = float(error.bounds[1])
        typer.echo(
            f"answers     {len(found.answers)}, the worst within {upper:.3g} of the instance's "
            f"mean, tolerance {found.tolerance.tau:g} ({how})"
        )
    if found.loss_ratio is not None:
        typer.echo(f"loss        {found.loss_ratio:.4g} times OPT")


def _model(dimension: int, bias: float, cutoff: int, *, told: bool) -> IndexInstance:
    """One member: the neuron whose low degrees are taken from the labels."""
    from sqsim.problems.corruption import LowDegreeRemoval
    from sqsim.problems.index import ReluRegression

    if dimension < 2:
        raise BadInput(f"dimension is {dimension}; a hidden direction needs at least 2")
    if not bias < 0:
        raise BadInput(f"bias is {bias}; the hard instances have a negative bias")
    problem = ReluRegression(dimension, norm=1.0 if told else None, bias=bias if told else None)
    instance = problem.draw(norm=1.0, bias=bias, corruptions=[LowDegreeRemoval(cutoff)])
    if instance.opt_upper_bound < 1e-280:
        raise BadInput(
            f"bias is {bias} and cutoff {cutoff}: what is removed from the labels has no energy "
            "that 64-bit numbers hold; use a bias nearer to 0 or a larger cutoff"
        )
    return instance


def _strategy(text: str, seed: int) -> tuple[Callable[[Any], Any], bool]:
    """The function of the problem, and whether the problem tells norm and bias."""
    if ":" not in text:
        from sqsim.studies.learners import learner

        try:
            known = learner(text)
        except BadInput as error:
            raise BadInput(f"{error}; or MODULE:FUNCTION for a strategy of your own") from None
        return lambda problem: known.strategy(problem, seed), known.told
    module, _, name = text.partition(":")
    if not (module and name):
        raise BadInput(f"{text!r} lacks a module or a function; wanted MODULE:FUNCTION")
    if module.endswith(".py") or not all(part.isidentifier() for part in module.split(".")):
        stem = Path(module).stem
        raise BadInput(
            f"{module!r} is no module name; write {stem}:{name}, without path and .py, and run "
            "from the folder of the file"
        )
    found = _imported(module)
    for part in name.split("."):
        if not hasattr(found, part):
            raise BadInput(f"module {module!r} has no {name!r}; check the part after the colon")
        found = getattr(found, part)
    if not callable(found):
        raise BadInput(
            f"{text} is {type(found).__name__}, not a function; wanted a function of the problem "
            "that contains `yield from ask(query)`"
        )
    function: Callable[[Any], Any] = found
    return function, True


def _imported(module: str) -> Any:
    """The module, looked for in the working directory too."""
    sys.path.insert(0, str(Path.cwd()))
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name is not None and (module == error.name or module.startswith(error.name + ".")):
            raise BadInput(
                f"no module {module!r} here or among the installed ones; name it as in an import, "
                "without .py, and run from its folder"
            ) from None
        raise BadInput(f"module {module!r} cannot be imported: {error}") from error
    except (Exception, SystemExit) as error:
        raise BadInput(
            f"module {module!r} cannot be imported: {type(error).__name__}: {error}"
        ) from error
    finally:
        sys.path.pop(0)
