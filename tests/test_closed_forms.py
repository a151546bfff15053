"""Displayed formulas against proved coefficients."""

from __future__ import annotations

import subprocess
import sys
from fractions import Fraction

import pytest
import sympy

from sqsim.errors import BadInput
from sqsim.links import (
    HermiteSeries,
    LeakyRelu,
    Link,
    Relu,
    Residual,
    Scaled,
    Sigmoid,
    Sign,
    Step,
)
from sqsim.lowerbounds import Enclosure, hermite_coefficients, named_expansion
from sqsim.lowerbounds.closed_forms import hermite_closed_form

NAMES = ["relu", "leaky-relu", "sign", "step", "abs", "exp", "sin", "cos", "erf"]
LINKS: list[Link] = [
    Relu(-0.5, 2.0),
    LeakyRelu(0.25, 1.0),
    Sign(-0.75),
    Step(0.5),
    HermiteSeries((0.5, 0.0, -0.25)),
    Residual(Relu(-1.0), 2),
    Scaled(Step(1.0), -0.5),
]


def agrees(expression: sympy.Expr, found: Enclosure) -> bool:
    value = sympy.N(
        sympy.simplify(expression) if expression.has(sympy.Piecewise) else expression, 45
    )
    low, high = (sympy.Rational(v.numerator, v.denominator) for v in found.bounds)
    slack = sympy.Rational(1, 10**38)
    return bool(low - slack <= value <= high + slack)


@pytest.mark.parametrize("bias", ["-3/2", "0", "1/3"])
@pytest.mark.parametrize("name", NAMES)
def test_named_formulas_at_thirty_digits(name: str, bias: str) -> None:
    found = hermite_coefficients(named_expansion(name, bias=bias), 7, digits=35)
    b = sympy.Symbol("b", real=True)
    k = sympy.Symbol("k", integer=True, nonnegative=True)
    general = hermite_closed_form(name)
    for degree, value in enumerate(found):
        assert agrees(hermite_closed_form(name, degree, bias=bias), value)
        shift = Fraction(bias)
        at = sympy.Rational(shift.numerator, shift.denominator)
        assert agrees(general.subs(k, degree).subs(b, at).doit(), value)


@pytest.mark.parametrize("link", LINKS, ids=repr)
def test_formulas_of_links(link: Link) -> None:
    found = hermite_coefficients(link, 5, digits=35)
    for degree, value in enumerate(found):
        assert agrees(hermite_closed_form(link, degree), value)


def test_the_neuron_reads_as_in_the_papers() -> None:
    b = sympy.Symbol("b", real=True)
    third = hermite_closed_form("relu", 4)
    density = sympy.exp(-(b**2) / 2) / sympy.sqrt(2 * sympy.pi)
    assert sympy.simplify(third - density * (b**2 - 1) / sympy.sqrt(24)) == 0


def test_bad_names_and_degrees() -> None:
    for link in ("sigmoid", "max(z, 0)", Sigmoid(0.0)):
        with pytest.raises(BadInput, match="closed form"):
            hermite_closed_form(link)
    with pytest.raises(BadInput, match="whole degrees"):
        hermite_closed_form("relu", -1)
    with pytest.raises(BadInput, match="own bias"):
        hermite_closed_form(Relu(-1.0), 1, bias=0)


def test_the_package_does_not_import_sympy() -> None:
    code = "import sys, sqsim, sqsim.lowerbounds.correlation; assert 'sympy' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
