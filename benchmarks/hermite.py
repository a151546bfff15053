"""Proved Hermite coefficients of relu(b = -3) against mpmath and against Arb, degree by degree.

Run as `python benchmarks/hermite.py`.  Peers are timed at a few degrees; their totals over all
degrees are extrapolated from those (trapezoids between them) and labelled "(x)".
"""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median

import mpmath
import numpy as np
from flint import acb, arb, ctx

from sqsim.links import relu
from sqsim.lowerbounds.hermite import hermite_coefficients

BIAS, TOP, DIGITS = -3, 10_000, 50
BITS = 200


def cpu(action: Callable[[], object], repeats: int = 3) -> float:
    times = []
    for _ in range(repeats):
        start = time.process_time()
        action()
        times.append(time.process_time() - start)
    return median(times)


def by_quadrature(degree: int) -> None:
    """mpmath.quad, split at the kink."""
    with mpmath.workdps(DIGITS + 10):
        norm = mpmath.sqrt(mpmath.factorial(degree)) * mpmath.sqrt(2) ** degree
        mpmath.quad(
            lambda t: (t + BIAS) * mpmath.hermite(degree, t / mpmath.sqrt(2)) * mpmath.npdf(t),
            [-BIAS, -BIAS + 2, -BIAS + 5, -BIAS + 10, -BIAS + 20],
        ) / norm


def by_closed_form(degree: int) -> arb:
    """He_(k - 2)(-b) phi(b) / sqrt(k!) by Arb's Hermite function."""
    root, n = arb(2).sqrt(), degree - 2
    value = (arb(-BIAS) / root).hermite_h(n) / root**n
    density = (-(arb(BIAS) ** 2) / 2).exp() / (2 * arb.pi()).sqrt()
    return value * density / arb(degree).fac().sqrt()


def by_proved_quadrature(degree: int) -> acb:
    """acb.integral of the function against the polynomial's recurrence."""

    def integrand(z: acb, analytic: bool) -> acb:
        before, now = acb(0), acb(1)
        for j in range(degree):
            before, now = now, (z * now - arb(j).sqrt() * before) / arb(j + 1).sqrt()
        return (z + BIAS) * now * (-z * z / 2).exp()

    return acb.integral(integrand, -BIAS, 30, abs_tol=arb(2) ** -BITS)


def total(degrees: tuple[int, ...], times: list[float]) -> float:
    return float(np.trapezoid([times[0], *times, times[-1]], [0, *degrees, TOP]))


def main() -> None:
    link = relu(float(BIAS))
    ours = cpu(lambda: hermite_coefficients(link, TOP, digits=DIGITS))
    found = hermite_coefficients(link, TOP, digits=DIGITS)
    print(f"all degrees 0..{TOP}, b = {BIAS}, {DIGITS} digits: {ours * 1e3:.0f} ms of CPU, worst "
          f"{min(c.digits for c in found):.0f} digits proved")  # fmt: skip
    before, ctx.prec = ctx.prec, BITS
    try:
        peers: list[tuple[str, Callable[[int], object], tuple[int, ...]]] = [
            ("mpmath.quad, split at the kink", by_quadrature, (50, 200)),
            ("Arb's hermite_h", by_closed_form, (50, 300, 1000, 3000, 10_000)),
            ("acb.integral", by_proved_quadrature, (50, 200)),
        ]
        for name, peer, degrees in peers:
            times = [cpu(lambda k=k, peer=peer: peer(k), 1) for k in degrees]
            shown = ", ".join(
                f"{t * 1e3:.3g} ms at {k}" for k, t in zip(degrees, times, strict=True)
            )
            whole = total(degrees, times)
            print(f"{name:>32}: {shown}; all {whole:.3g} s (x), {whole / ours:.3g} times ours (x)")
        lost = by_closed_form(TOP).rel_accuracy_bits() / 3.3219
        print(f"hermite_h at degree {TOP} with {BITS} bits proves {lost:.1f} digits")
    finally:
        ctx.prec = before


if __name__ == "__main__":
    main()
