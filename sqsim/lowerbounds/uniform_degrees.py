"""From which degree on polynomials of a kind are uniformly near a function: numbers, proved."""

from __future__ import annotations

from fractions import Fraction

from flint import arb

from sqsim.errors import BadInput, NotCertified
from sqsim.links import Link
from sqsim.lowerbounds.chebyshev import LARGEST_CLOSED, one_kink, truncation_error
from sqsim.lowerbounds.expansions import Expansion, Piecewise
from sqsim.lowerbounds.minimax import LARGEST_DEGREE, best_approximation, float_error
from sqsim.lowerbounds.precision import Exact, ball, bits_for, exact_fraction, working_bits
from sqsim.lowerbounds.suprema import on_the_interval
from sqsim.lowerbounds.uniform import Chebyshev, Kind, Minimax, RangeSafe, check_range, truncated


def uniform_degree(
    link: Link | Expansion, epsilon: Exact, *, kind: Kind | None = None, digits: int = 12
) -> int:
    """The least degree at which the approximation of this kind has sup error <= epsilon, proved.

    For a ReLU about 1 / (pi epsilon) of Chebyshev, 0.1401 / epsilon of minimax and 0.2802 /
    epsilon of range-safe.

    Raises
    ------
    NotCertified
        If no degree that is tried is enough, or epsilon cannot be told from an error.
    """
    f = on_the_interval(link)
    limit = exact_fraction(epsilon, "epsilon")
    if limit <= 0:
        raise BadInput(f"epsilon is {epsilon!r}; a distance to be reached is positive")
    match kind:
        case Chebyshev():
            return _truncated_degree(f, limit, digits)
        case None | Minimax():
            return _minimax_degree(f, limit, digits)
        case RangeSafe():
            check_range(f)
            if limit >= Fraction(1, 2):
                return 0
            return _minimax_degree(f, limit / (2 - 2 * limit), digits)
    raise BadInput(f"kind is {kind!r}; wanted Chebyshev(), Minimax() or RangeSafe()")


def _truncated_degree(f: Piecewise, limit: Fraction, digits: int) -> int:
    kink = one_kink(f)
    if kink is None:
        for degree in range(LARGEST_DEGREE + 1):
            low, high = truncated(f, degree, digits).sup_error.bounds
            if high <= limit:
                return degree
            if low <= limit:
                raise NotCertified(f"epsilon cannot be told from the error at degree {degree}")
        raise NotCertified(f"degree {LARGEST_DEGREE} is not enough; choose a larger epsilon")
    with working_bits(bits_for(digits) + 128):
        for degree in (0, 1):
            if truncation_error(kink, degree) <= ball(limit):
                return degree
        # 2 |jump| / (pi (2m + 1)) is irrational, so that comparisons end.
        least = (2 * ball(abs(kink.jump)) / (arb.pi() * ball(limit)) - 1) / 2
        whole = least.ceil().unique_fmpz()
    if whole is None:
        raise NotCertified("epsilon cannot be told from an error; ask for more digits")
    half = int(whole)
    if 2 * half > LARGEST_CLOSED:
        raise NotCertified(
            f"degree {2 * half} would be needed, and {LARGEST_CLOSED} is the largest; choose a "
            "larger epsilon"
        )
    return 2 * half


def _minimax_degree(f: Piecewise, limit: Fraction, digits: int) -> int:
    """By bisection in floats, then proved at that degree and the one below."""

    def near(degree: int) -> float:
        return 0.0 if f.top is not None and f.top <= degree else float_error(f, degree)

    target, below, above = float(limit) * (1 + 1e-12), -1, 1
    while near(above) > target:
        if above == LARGEST_DEGREE:
            raise NotCertified(
                f"degree {above} has error {near(above):.4g}, and higher ones are not tried; "
                "choose a larger epsilon, or a Chebyshev truncation"
            )
        below, above = above, min(2 * above, LARGEST_DEGREE)
    while above - below > 1:
        middle = (above + below) // 2
        if near(middle) <= target:
            above = middle
        else:
            below = middle
    if f.top is None or f.top > above:
        _decide(best_approximation(f, above, digits=digits).sup_error.bounds[1] <= limit, above)
    if above:
        _decide(best_approximation(f, below, digits=digits).sup_error.bounds[0] > limit, below)
    return above


def _decide(proved: bool, degree: int) -> None:
    if not proved:
        raise NotCertified(
            f"the best error of degree {degree} cannot be told from epsilon; move epsilon a little"
        )
