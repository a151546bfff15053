"""Information and generative exponents: the first degree that a query can see, proved or left open.

A degree is "zero" or "nonzero" only by proof: an exact zero of a closed form or of a symmetry, or
an enclosure that excludes 0.  Conventions: Y = g(Z), Z ~ N(0, 1), h_k = He_k / sqrt(k!).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, final

from sqsim.errors import BadInput
from sqsim.links import Link
from sqsim.lowerbounds.conditional import check_max_degree, increasing_core, lambda_squared
from sqsim.lowerbounds.damped import DampedSquare
from sqsim.lowerbounds.expansions import Expansion
from sqsim.lowerbounds.named import expansion_of, named_expansion
from sqsim.lowerbounds.pieces import variable
from sqsim.lowerbounds.precision import (
    Enclosure,
    Exact,
    bits_for,
    enclose,
    working_bits,
)

Status = Literal["zero", "nonzero", "open"]
ATTEMPTS = 4
LARGEST_DIGITS = 2000


@final
@dataclass(frozen=True)
class Verdict:
    """What is proved about one degree.

    Attributes
    ----------
    number : the coefficient E[g h_k], or lambda_k^2.
    status : "zero" or "nonzero" are proved; "open" is not decided.
    reason : why, in a few words.
    """

    degree: int
    number: Enclosure
    status: Status
    reason: str


@final
@dataclass(frozen=True)
class ExponentResult:
    """The least degree >= 1 whose number is not zero.

    Attributes
    ----------
    value : that degree; None where it is not decided, or where all degrees are zero.
    decided : all degrees below `value` are proved zero and that one nonzero; or, with no value,
        the link is constant and every degree is zero.
    verdicts : degrees 1, 2, ..., max_degree.
    """

    value: int | None
    decided: bool
    verdicts: tuple[Verdict, ...]

    @property
    def statement(self) -> str:
        """One line for people."""
        if self.value is not None:
            return f"{self.value} (proved)"
        if self.decided:
            return "infinite (the link is constant)"
        known = next((v.degree for v in self.verdicts if v.status == "open"), None)
        if known is None:
            return f"more than {len(self.verdicts)} (all degrees up to it are proved zero)"
        return f"undecided from degree {known} on (at least {known})"


def information_exponent(
    link: Link | Expansion, *, max_degree: int = 8, digits: int = 30
) -> ExponentResult:
    """min{k >= 1 : E[g(Z) h_k(Z)] != 0}, with a proof for every degree.

    It governs correlational queries: with hidden direction uniform on the sphere of R^d, q
    queries need tau^2 <= C log^(k/2)(q d) d^(-k/2) (Damian, Lee and Soltanolkotabi, COLT 2022).

    Parameters
    ----------
    link : Link or Expansion
        Square integrable.
    digits : int
        To begin with; raised a few times where a coefficient's sign stays open.
    """
    check_max_degree(max_degree)
    f = link if isinstance(link, Expansion) else expansion_of(link)
    if not 1 <= bits_for(digits) <= bits_for(LARGEST_DIGITS):
        raise BadInput(f"digits is {digits}; signs are decided at up to {LARGEST_DIGITS} digits")
    verdicts = [_coefficient(f, k, digits) for k in range(1, max_degree + 1)]
    return _result(f, verdicts)


def generative_exponent(
    link: Link | Expansion, *, max_degree: int = 8, cells: int = 1000
) -> ExponentResult:
    """min{k >= 1 : zeta_k = E[h_k(Z) | Y] != 0} for Y = g(Z), from brackets of lambda_k^2.

    At most the information exponent: the least one of all T(Y).  It governs statistical queries
    and low-degree tests: about d^(k/2) samples are needed and, up to logarithms, enough
    (Damian, Pillaud-Vivien, Lee and Bruna, COLT 2024; hypothesis: no label noise, E[Y^2] finite).

    Parameters
    ----------
    cells : int
        Of `lambda_squared`, whose enclosures are the verdicts' numbers.
    """
    found = lambda_squared(link, max_degree=max_degree, cells=cells)
    f = increasing_core(link)
    verdicts = [_conditional(f, k, number) for k, number in enumerate(found, start=1)]
    return _result(f, verdicts)


def _result(f: Expansion, verdicts: Sequence[Verdict]) -> ExponentResult:
    shown = tuple(verdicts)
    for verdict in shown:
        if verdict.status == "nonzero":
            return ExponentResult(verdict.degree, True, shown)
        if verdict.status == "open":
            return ExponentResult(None, False, shown)
    return ExponentResult(None, f.top == 0, shown)


def _coefficient(f: Expansion, k: int, digits: int) -> Verdict:
    """The coefficient of degree k at the first precision that decides its sign."""
    if f.top is not None and k > f.top:
        return Verdict(k, Enclosure("0", "0"), "zero", f"a polynomial of degree {f.top}")
    number = Enclosure("0", "0")
    for attempt in range(ATTEMPTS):
        bits = bits_for(digits) * 2**attempt + f.guard_bits(k)
        with working_bits(bits):
            value = f.coefficients(k)[k]
            if value.is_zero():
                return Verdict(k, number, "zero", "its closed form is exactly 0")
            number = enclose(value, digits)
            if not value.contains(0):
                return Verdict(k, number, "nonzero", "the enclosure excludes 0")
    return Verdict(k, number, "open", f"0 is not excluded at {bits} bits, nor proved")


def _conditional(f: Expansion, k: int, number: Enclosure) -> Verdict:
    low, high = number.bounds
    if high == 0:
        return Verdict(k, number, "zero", _why_zero(f, k))
    if low > 0:
        return Verdict(k, number, "nonzero", "a partition of the labels sees it (data processing)")
    coefficient = _coefficient(f, k, 30)
    if coefficient.status != "nonzero":
        reason = "the bracket reaches 0; ask for more cells"
        return Verdict(k, number, "open", reason if high < 1 else "no bracket for this link")
    with working_bits(200):
        # Cauchy-Schwarz: E[g h_k]^2 = E[g zeta_k]^2 <= E[g^2] lambda_k^2.
        least = coefficient.number.ball() ** 2 / f.second_moment()
        better = Enclosure(enclose(least, 30).lower, number.upper)
    if better.bounds[0] > 0:
        return Verdict(k, better, "nonzero", "at least E[g h_k]^2 / E[g^2] (Cauchy-Schwarz)")
    return Verdict(k, number, "open", "the bracket reaches 0")


def _why_zero(f: Expansion, k: int) -> str:
    if isinstance(f, DampedSquare) and k == 2:
        return "with u = z^2, the two preimages of u exp(-u) weigh u - 1 by -1 and +1"
    if f.top == 0:
        return "the link is constant"
    return "every flat piece sees exactly 0" if k % 2 == 0 else "the link is even or flat"


def exponents_of(
    link_name: str, bias: Exact, max_degree: int
) -> tuple[ExponentResult, ExponentResult]:
    """Information and generative exponent of a named link or an expression in z."""
    f = named_expansion(link_name, bias=bias)
    # The sigmoid is increasing: as an event generator it is z itself.
    core = variable() if link_name.strip().startswith("sigmoid") else f
    information = information_exponent(f, max_degree=max_degree)
    return information, generative_exponent(core, max_degree=max_degree)


def exponents_report(information: ExponentResult, generative: ExponentResult) -> dict[str, Any]:
    """The `sqsim.exponents/1` object."""
    rows = [
        {"degree": v.degree, "lower": v.number.lower, "upper": v.number.upper}
        for v in generative.verdicts
    ]
    return {
        "schema": "sqsim.exponents/1",
        "information": information.value,
        "generative": generative.value,
        "lambda_squared": rows,
    }
