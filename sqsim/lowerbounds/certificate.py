"""Certificates: a bound with everything that a sceptic needs to compute it again.

The reader of a certificate trusts `verify` alone, which computes every number from the parameters
and the witness by its own code.  This file does not know any theorem.
"""

from __future__ import annotations

import inspect
import json
import reprlib
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, final

from sqsim.errors import BadInput, NotCertified
from sqsim.lowerbounds import verify
from sqsim.lowerbounds.precision import (
    Enclosure,
    bits_for,
    enclose_between,
    shown,
    working_bits,
)
from sqsim.lowerbounds.quantities import Rational

MOST_DIGITS = 1000
"""The verifier computes with a few times as many."""


ENTRIES: dict[str, tuple[type | tuple[type, ...], str]] = {
    "schema": (str, "a text"),
    "theorem": (str, "a text"),
    "statement": (str, "a text"),
    "parameters": (Mapping, "an object"),
    "hypotheses": (list, "a list"),
    "witness": (Mapping, "an object"),
    "quantities": (Mapping, "an object"),
    "queries": (Mapping, "an object"),
    "t_eps": ((int, type(None)), "a whole number or null"),
    "grade": (str, "a text"),
    "digits": (int, "a whole number"),
    "sha256": (str, "a text"),
}
"""What the verifier reads, so that it can be said in words what is wrong with another file."""


@final
@dataclass(frozen=True)
class Certificate:
    """A proved lower bound on a number of queries.

    Attributes
    ----------
    theorem : name of the theorem, a key of `verify.STATEMENTS`.
    parameters, witness : exact numbers as text: what the theorem is applied to.
    hypotheses : what the theorem needs of them, each proved by the verifier.
    quantities : the numbers that the proof goes through.
    queries : no learner with fewer queries succeeds, in the sense of the statement.
    t_eps : degree up to which the family has no Hermite part, where that is meant.
    grade : "exact" or "certified".
    digits : to which the intervals are tight.
    """

    theorem: str
    parameters: Mapping[str, str | None]
    witness: Mapping[str, Any]
    hypotheses: tuple[str, ...]
    quantities: Mapping[str, Enclosure]
    queries: Enclosure
    t_eps: int | None
    grade: str
    digits: int

    @property
    def statement(self) -> str:
        """What is proved, in words."""
        return verify.STATEMENTS[self.theorem]

    @property
    def vacuous(self) -> bool:
        """Whether the bound says no more than that one query is needed."""
        return self.queries.bounds[0] <= 1

    def permits(self, queries: int) -> bool:
        """Whether a learner that succeeds may have asked this many queries."""
        return Fraction(queries) >= self.queries.bounds[0]

    def check(self) -> Verdict:
        """Compute everything again, from the parameters and the witness alone."""
        return check(self)

    def to_json(self) -> dict[str, Any]:
        """The object of schema sqsim.bound/1 that files hold."""
        data: dict[str, Any] = {
            "schema": verify.SCHEMA,
            "theorem": self.theorem,
            "statement": self.statement,
            "parameters": dict(self.parameters),
            "hypotheses": list(self.hypotheses),
            "witness": dict(self.witness),
            "quantities": {name: _interval(value) for name, value in self.quantities.items()},
            "queries": _interval(self.queries),
            "t_eps": self.t_eps,
            "grade": self.grade,
            "digits": self.digits,
        }
        return data | {"sha256": verify.digest(data)}

    def save(self, path: str | Path) -> None:
        """Write the JSON file."""
        Path(path).write_text(json.dumps(self.to_json(), indent=1) + "\n")


@final
@dataclass(frozen=True)
class Verdict:
    """What the verifier found.  It is true where the certificate holds.

    Attributes
    ----------
    failure : None, or the entry that does not follow and why.
    """

    failure: str | None

    def __bool__(self) -> bool:
        return self.failure is None


def check(certificate: Certificate | Mapping[str, Any] | str | Path) -> Verdict:
    """Verify a certificate, its JSON object or its file, at more digits than it was made with.

    Raises
    ------
    BadInput
        Where the file holds no certificate at all.
    """
    if isinstance(certificate, Certificate):
        data = certificate.to_json()
    elif isinstance(certificate, Mapping):
        data = dict(certificate)
    else:
        data = _read(certificate)
    missing = _malformed(data)
    if missing is not None:
        return Verdict(missing)
    # The verifier sets FLINT's precision itself; the lock keeps other threads out of it.
    with working_bits(64):
        return Verdict(verify.failure(data))


def _read(path: str | Path) -> dict[str, Any]:
    try:
        return verify.read(str(path))
    except OSError as error:
        why = error.strerror or str(error)
    except RecursionError:
        why = "it is nested too deeply"
    except UnicodeDecodeError:
        why = "it is not text"
    except json.JSONDecodeError as error:
        why = f"it is not JSON: {error}"
    except ValueError as error:
        why = str(error)
    raise BadInput(f"cannot read a certificate from {path}: {why}")


def _malformed(data: Mapping[str, Any]) -> str | None:
    """The first entry that is missing, or of a kind that no certificate has there."""
    for name, (kind, word) in ENTRIES.items():
        if name not in data:
            return f"{name}: missing"
        if not isinstance(data[name], kind):
            # However deep or long it is.
            return f"{name}: {ascii(reprlib.repr(data[name]))[1:-1]:.60} is not {word}"
    theorem = verify.THEOREMS.get(data["theorem"])
    if theorem is None:
        known = ", ".join(verify.THEOREMS)
        return f"theorem: {data['theorem']!a:.60} is unknown; known are {known}"
    named = {*data["parameters"], *data["witness"]}
    wanted = list(inspect.signature(theorem).parameters)
    for name in wanted:
        if name not in named:
            return f"parameters or witness: {name} is missing"
    for place in ("parameters", "witness"):
        for name in data[place]:
            if name not in wanted:
                return f"{place}: {name!a:.60} means nothing in {data['theorem']}"
    for name in sorted(set(data) - set(ENTRIES), key=str):
        return f"{name!a:.60}: no certificate has this entry"
    return None


def check_digits(digits: int) -> None:
    """Whether a certificate may ask for so many."""
    if not isinstance(digits, int) or digits <= MOST_DIGITS:
        bits_for(digits)
    else:
        raise BadInput(f"digits is {digits}; certificates are tight to 1 to {MOST_DIGITS} digits")


def certified(certificate: Certificate) -> Certificate:
    """The certificate, once the verifier agrees with it."""
    verdict = check(certificate)
    if verdict:
        return certificate
    raise NotCertified(
        f"the verifier does not confirm the bound ({verdict.failure}); ask for more digits or "
        "move the parameters away from the edge of what the theorem allows"
    )


def as_enclosure(number: Enclosure | Rational | Fraction | int, digits: int) -> Enclosure:
    """A proved number as decimals."""
    bits_for(digits)
    if isinstance(number, Enclosure):
        return number
    value = number.value if isinstance(number, Rational) else Fraction(number)
    return enclose_between(value, value, digits)


def refuse_blind(tau: Fraction, norm: Rational | Enclosure, what: str) -> None:
    """At a tolerance above the norm every query may be answered 0."""
    if tau <= 0:
        raise BadInput(f"tolerance is {shown(tau)}; a positive number is wanted")
    if tau * tau >= norm.bounds[0]:
        raise BadInput(
            f"tolerance^2 {shown(tau * tau)} is at least the squared norm {shown(norm.bounds[0])} "
            f"of {what}: every query may be answered 0 and no number of queries suffices; use a "
            "finer tolerance"
        )


def _interval(value: Enclosure) -> dict[str, str]:
    return {"lower": value.lower, "upper": value.upper}
