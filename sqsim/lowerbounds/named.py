"""From a link, a name or an expression in z to the expansion that knows its exact coefficients.

No text is ever evaluated: an expression is parsed, and only the nodes listed here are understood.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from fractions import Fraction

from flint import acb

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
from sqsim.lowerbounds.damped import DampedSquare
from sqsim.lowerbounds.expansions import Expansion, Piecewise
from sqsim.lowerbounds.integrals import Integrated
from sqsim.lowerbounds.pieces import affine_max, combine, constant, jump, multiply, variable
from sqsim.lowerbounds.precision import Exact, ball, exact_fraction
from sqsim.lowerbounds.refusals import (
    UNDERSTOOD,
    refuse_exponential,
    refuse_function,
    refuse_quotient,
)
from sqsim.lowerbounds.smooth import (
    ErrorFunction,
    Exponential,
    Multiple,
    Series,
    Wave,
    Without,
)

LONGEST_EXPRESSION = 400
LARGEST_POWER = 40
ONE, ZERO = Fraction(1), Fraction(0)
CALLS = ("max", "min", "relu", "abs", "sign", "step")
ALONE = ("exp", "sin", "cos", "erf", "sigmoid")
"""Functions that are read as the whole expression only, of z plus a number."""

DAMPED_SQUARES = tuple(
    ast.dump(ast.parse(text, mode="eval"))
    for text in ("z**2*exp(-z**2)", "exp(-z**2)*z**2", "z*z*exp(-z*z)", "z**2*exp(-(z**2))")
)


def expansion_of(link: Link) -> Expansion:
    """The exact form of a link: its float parameters are taken as the binary fractions they are."""
    match link:
        case Relu(bias, norm):
            line = (exact_fraction(bias), exact_fraction(norm))
            return Piecewise((-line[0] / line[1],), ((), line))
        case LeakyRelu(slope, bias):
            return _leaky(exact_fraction(slope), exact_fraction(bias))
        case Sign(bias):
            return jump(-exact_fraction(bias), -ONE, ONE)
        case Step(bias):
            return jump(-exact_fraction(bias), ZERO, ONE)
        case Sigmoid(bias):
            return _sigmoid(exact_fraction(bias))
        case HermiteSeries(weights):
            return Series(tuple(map(exact_fraction, weights)))
        case Residual(inner, degree):
            return Without(expansion_of(inner), degree)
        case Scaled(inner, factor):
            return Multiple(expansion_of(inner), exact_fraction(factor))
    if isinstance(link, str):
        raise BadInput(
            f"{link!r:.80} is text, not a link; give a link, as in `from sqsim.links import relu` "
            f"and relu(bias=-1), or named_expansion({link!r:.80}) from sqsim.lowerbounds"
        )
    raise BadInput(
        f"{link!r:.80} has no exact form here; give one of the links of sqsim.links, such as "
        "relu(bias=-1), or named_expansion(text) from sqsim.lowerbounds"
    )


def named_expansion(text: str, *, bias: Exact = 0, slope: Exact = "0.01") -> Expansion:
    """A function of z + bias by its name, or an expression in z such as "max(z-2,0)*z".

    Parameters
    ----------
    text : relu, leaky-relu, sign, step, abs, exp, sin, cos, erf, sigmoid, or an expression of
        numbers, z, + - * / and whole powers, max(a, b), min(a, b) of straight pieces, abs(a),
        relu(a), sign(z - a), step(z - a).  Also exp, sin, cos, erf or sigmoid of z plus a number,
        standing alone, and "z**2*exp(-z**2)".
    bias : exact; "0.1" is one tenth, 0.1 the float.
    slope : of the negative part of leaky-relu.
    """
    b = exact_fraction(bias, "bias")
    makers: dict[str, Callable[[], Expansion]] = {
        "relu": lambda: Piecewise((-b,), ((), (b, ONE))),
        "leaky-relu": lambda: _leaky(exact_fraction(slope, "slope"), b),
        "sign": lambda: jump(-b, -ONE, ONE),
        "step": lambda: jump(-b, ZERO, ONE),
        "abs": lambda: Piecewise((-b,), ((-b, -ONE), (b, ONE))),
        "exp": lambda: Exponential(b),
        "sin": lambda: Wave(b, 0),
        "cos": lambda: Wave(b, 1),
        "erf": lambda: ErrorFunction(b),
        "sigmoid": lambda: _sigmoid(b),
    }
    if text in makers:
        return makers[text]()
    text = text.strip()
    if b:
        raise BadInput(f"a bias goes with a named link, not with {text!r:.80}; write it into z")
    tree = _parsed(text, sorted(makers))
    if ast.dump(tree) in DAMPED_SQUARES:
        return DampedSquare()
    try:
        match tree.body:
            case ast.Call(func=ast.Name(id=name), args=[inner], keywords=[]) if name in ALONE:
                line = _node(inner, text)
                if not line.breaks and line.pieces[0][1:] == (ONE,):
                    return named_expansion(name, bias=line.pieces[0][0])
        return _node(tree.body, text)
    except RecursionError:
        raise BadInput(f"{text!r:.80} is nested too deeply; {UNDERSTOOD}") from None


def _leaky(slope: Fraction, b: Fraction) -> Piecewise:
    return Piecewise((-b,), ((slope * b, slope), (b, ONE)))


def _sigmoid(b: Fraction) -> Integrated:
    def value(z: acb, analytic: bool) -> acb:
        return 1 / (1 + (-(z + ball(b))).exp())

    return Integrated(value, odd=b == 0)


def _parsed(text: str, names: list[str]) -> ast.Expression:
    if len(text) > LONGEST_EXPRESSION:
        raise BadInput(f"the expression has {len(text)} characters, {LONGEST_EXPRESSION} at most")
    try:
        return ast.parse(text, mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise BadInput(
            f"{text!r:.80} is not an expression; name one of {', '.join(names)}, or write a "
            "piecewise polynomial in z"
        ) from None


def _node(node: ast.expr, text: str) -> Piecewise:
    """The piecewise polynomial of one node; numbers are read from the text, exactly."""
    source = ast.get_source_segment(text, node) or ""
    match node:
        case ast.Name(id="z"):
            return variable()
        case ast.Constant(value=int() | float()) if not isinstance(node.value, bool):
            return constant(exact_fraction(source, "a number in the expression"))
        case ast.UnaryOp(op=ast.USub(), operand=inner):
            return multiply(constant(-ONE), _node(inner, text))
        case ast.UnaryOp(op=ast.UAdd(), operand=inner):
            return _node(inner, text)
        case ast.BinOp(left=left, op=ast.Pow(), right=ast.Constant(value=int(power))):
            if not 0 <= power <= LARGEST_POWER:
                raise BadInput(f"power {power}: whole powers from 0 to {LARGEST_POWER} are read")
            base, result = _node(left, text), constant(ONE)
            for _ in range(power):
                result = multiply(result, base)
            return result
        case ast.BinOp(left=left, op=ast.Pow(), right=ast.UnaryOp(op=ast.USub())):
            raise refuse_quotient(constant(ONE), _node(left, text), source)
        case ast.BinOp(left=left, op=operator, right=right):
            return _binary(operator, _node(left, text), _node(right, text), source)
        case ast.Call(func=ast.Name(id="exp"), args=[inner], keywords=[]):
            raise refuse_exponential(_node(inner, text), source)
        case ast.Call(func=ast.Name(id=name), keywords=[]) if name not in CALLS:
            raise refuse_function(source)
        case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]):
            return _call(name, [_node(a, text) for a in arguments], source)
    raise BadInput(f"{source!r:.80} is not understood; {UNDERSTOOD}")


def _binary(operator: ast.operator, left: Piecewise, right: Piecewise, source: str) -> Piecewise:
    match operator:
        case ast.Add():
            return combine(left, right, ONE)
        case ast.Sub():
            return combine(left, right, -ONE)
        case ast.Mult():
            return multiply(left, right)
        case ast.Div():
            number = right.pieces[0][0] if right.top == 0 and right.pieces[0] else ZERO
            if number:
                return multiply(left, constant(1 / number))
            raise refuse_quotient(left, right, source)
    raise BadInput(f"{source!r:.80}: only + - * / and whole powers are read")


def _call(name: str, values: list[Piecewise], source: str) -> Piecewise:
    zero = constant(ZERO)
    match name, values:
        case "max", [a, b]:
            return affine_max(a, b)
        case "min", [a, b]:
            return combine(combine(a, b, ONE), affine_max(a, b), -ONE)
        case "relu", [a]:
            return affine_max(a, zero)
        case "abs", [a]:
            return affine_max(a, multiply(constant(-ONE), a))
        case "sign" | "step", [a]:
            line = a.pieces[0] if a.top == 1 else ()
            if len(line) == 2 and line[1] > 0:
                return jump(-line[0] / line[1], -ONE if name == "sign" else ZERO, ONE)
    raise BadInput(
        f"{source!r:.80} is not understood; max and min take two, abs and relu one function "
        "with straight pieces, sign and step one increasing line"
    )
