"""Hermite coefficients as formulas to read: sympy expressions, for display and not for proofs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sympy
from sympy.functions.special.polynomials import hermite_prob

from sqsim.errors import BadInput
from sqsim.links import (
    HermiteSeries,
    LeakyRelu,
    Link,
    Relu,
    Residual,
    Scaled,
    Sign,
    Step,
)
from sqsim.lowerbounds.precision import Exact, exact_fraction

Expression = Any
"""A sympy expression; sympy has no types of its own."""


def hermite_closed_form(
    link: str | Link,
    degree: int | Expression | None = None,
    *,
    bias: Exact | Expression | None = None,
    slope: Exact | Expression = "0.01",
) -> Expression:
    """E[f(t) h_k(t)] as a sympy expression, h_k = He_k / sqrt(k!), t ~ N(0, 1).

    He_n is sympy's `hermite_prob`.

    Parameters
    ----------
    link : str or Link
        relu, leaky-relu, sign, step, abs, exp, sin, cos or erf of t + bias, or one of sqsim's links
        (whose parameters then stand in the expression, as the binary fractions that they are).
    degree : int, symbol or None
        None stands for the symbol k; low degrees that differ are told apart by a `Piecewise`.
    bias : exact number, symbol or None
        Of a name; None stands for the symbol b.
    slope : exact number or symbol
        Of leaky-relu.
    """
    k = sympy.Symbol("k", integer=True, nonnegative=True) if degree is None else degree
    if isinstance(k, bool) or (isinstance(k, int) and k < 0):
        raise BadInput(f"degree is {k!r}; Hermite coefficients have whole degrees from 0 on")
    k = sympy.sympify(k)
    if isinstance(link, Link):
        if bias is not None:
            raise BadInput("a link has its own bias; give the bias with a name only")
        return _of_link(link, k)
    b = sympy.Symbol("b", real=True) if bias is None else _exact(bias)
    makers: dict[str, Callable[[], Expression]] = {
        "relu": lambda: _neuron(k, b),
        "leaky-relu": lambda: _leaky(k, b, _exact(slope)),
        "sign": lambda: 2 * _step(k, b) - _line(k, sympy.Integer(1), 0),
        "step": lambda: _step(k, b),
        "abs": lambda: 2 * _neuron(k, b) - _line(k, b, 1),
        "exp": lambda: sympy.exp(b + sympy.Rational(1, 2)) / _root(k),
        "sin": lambda: _wave(sympy.sin, k, b),
        "cos": lambda: _wave(sympy.cos, k, b),
        "erf": lambda: _error_function(k, b),
    }
    if link not in makers:
        raise BadInput(f"{link!r:.80} has no closed form here; name one of {', '.join(makers)}")
    return makers[link]()


def _of_link(link: Link, k: Expression) -> Expression:
    match link:
        case Relu(bias, norm):
            return _exact(norm) * _neuron(k, _exact(bias) / _exact(norm))
        case LeakyRelu(slope, bias):
            return _leaky(k, _exact(bias), _exact(slope))
        case Sign(bias):
            return 2 * _step(k, _exact(bias)) - _line(k, sympy.Integer(1), 0)
        case Step(bias):
            return _step(k, _exact(bias))
        case HermiteSeries(weights):
            cases = [(_exact(w), sympy.Eq(k, j)) for j, w in enumerate(weights)]
            return sympy.Piecewise(*cases, (0, True))
        case Scaled(inner, factor):
            return _exact(factor) * _of_link(inner, k)
        case Residual(inner, cutoff):
            return sympy.Piecewise((0, k <= cutoff), (_of_link(inner, k), True))
    raise BadInput(f"{link!r} has no closed form here; give a link other than a sigmoid")


def _exact(value: Exact | Expression) -> Expression:
    if isinstance(value, sympy.Basic):
        return value
    number = exact_fraction(value)
    return sympy.Rational(number.numerator, number.denominator)


def _root(k: Expression) -> Expression:
    return sympy.sqrt(sympy.factorial(k))


def _density(b: Expression) -> Expression:
    return sympy.exp(-(b**2) / 2) / sympy.sqrt(2 * sympy.pi)


def _normal(b: Expression) -> Expression:
    """Phi(b)."""
    return sympy.erfc(-b / sympy.sqrt(2)) / 2


def _line(k: Expression, constant: Expression, slope: int) -> Expression:
    """Of constant + slope t."""
    return sympy.Piecewise((constant, sympy.Eq(k, 0)), (slope, sympy.Eq(k, 1)), (0, True))


def _neuron(k: Expression, b: Expression) -> Expression:
    """Of max(t + b, 0)."""
    if k.is_Integer:
        return [_density(b) + b * _normal(b), _normal(b)][k] if k < 2 else _bent(k, b)
    return sympy.Piecewise(
        (_density(b) + b * _normal(b), sympy.Eq(k, 0)),
        (_normal(b), sympy.Eq(k, 1)),
        (_bent(k, b), True),
    )


def _bent(k: Expression, b: Expression) -> Expression:
    return _density(b) * hermite_prob(k - 2, -b) / _root(k)


def _step(k: Expression, b: Expression) -> Expression:
    """Of 1(t + b >= 0)."""
    later = _density(b) * hermite_prob(k - 1, -b) / _root(k)
    if k.is_Integer:
        return later if k > 0 else _normal(b)
    return sympy.Piecewise((_normal(b), sympy.Eq(k, 0)), (later, True))


def _leaky(k: Expression, b: Expression, slope: Expression) -> Expression:
    return (1 - slope) * _neuron(k, b) + slope * _line(k, b, 1)


def _wave(function: Expression, k: Expression, b: Expression) -> Expression:
    return sympy.exp(-sympy.Rational(1, 2)) * function(b + k * sympy.pi / 2) / _root(k)


def _error_function(k: Expression, b: Expression) -> Expression:
    """Of erf(t + b), which is the mean of sign(sqrt(2) (t + b) + Z) over Z ~ N(0, 1)."""
    r = sympy.sqrt(sympy.Rational(2, 3))
    first = sympy.erf(b / sympy.sqrt(3))
    later = 2 * r**k * _density(r * b) * hermite_prob(k - 1, -r * b) / _root(k)
    if k.is_Integer:
        return later if k > 0 else first
    return sympy.Piecewise((first, sympy.Eq(k, 0)), (later, True))
