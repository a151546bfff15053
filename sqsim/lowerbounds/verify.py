"""Stand-alone verifier of sqsim certificates: run `python verify.py CERTIFICATE`.

Imports the standard library and python-flint only; trusts the parameters and the witness alone.
Exit code 0: verified; 1: rejected, naming the entry that failed; 2: not a certificate.
"""
# mypy: disallow-untyped-defs=False, disallow-incomplete-defs=False, disallow-untyped-calls=False

from __future__ import annotations

import hashlib
import json
import math
import re
import sys
from typing import Any

from flint import arb, ctx, fmpq

Part = dict[str, Any]
SCHEMA, TINY, HUGE = "sqsim.bound/1", fmpq(1, 10**3000), fmpq(10**3000)
NUMBER = re.compile(r"-?[0-9]{1,3000}(\.[0-9]{1,3000})?([eE][+-]?[0-9]{1,6})?(/[0-9]{1,3000})?")
LOSES = "A learner with fewer queries fails against some lawful answers. "
CSQ = LOSES + "Queries: ||h||_2 <= 1, answered within tolerance of E[y h(x)], x ~ N(0, I_d). "
STATEMENTS = {
    "csq-relu-sphere": CSQ + "Labels: y = f(<v, x>), v a unit vector, f(z) = max(z + bias, 0) "
    "less its Hermite part of degree <= cutoff. Success, with probability success for every v: an "
    "output H with E[(H - y)^2] <= E[y^2] - tolerance^2. Where alpha is given this covers every "
    "loss <= alpha OPT + eps, 3 eps = E[max(z + bias, 0)^2].",
    "sq-parity": LOSES + "Queries: |phi(x, y)| <= 1, answered within tolerance. Labels: y = +-1, "
    "E[y|x] = (1 - 2 noise) prod_{i in S} sign(x_i), |S| = sparsity, signs fair and independent. "
    "Success: an output H with E[y H] >= tolerance ||H||_2 > 0.",
    "csq-orthogonal-networks": CSQ + "Labels: y = sum_w prod(w) relu(<w, x_S> / sqrt(k)) over w "
    "in {-1, 1}^k, |S| = k = sparsity. Success: H with E[(H - y)^2] <= E[y^2] - tolerance^2.",
    "sq-ngca": LOSES + "Queries: E[phi^2] <= 1 under N(0, I_d), answered within tolerance. "
    "Success, with probability success: telling N(0, I_d) from every law that is A along a hidden "
    "direction and normal across it; A has matched moments of N(0, 1), chi^2(A, N) <= chi_squared.",
    "csq-finite-family": LOSES + "Queries: ||h||_2 <= 1, answered within tolerance of E[f_i h]. "
    "The Gram matrix E[f_i f_j] is gram. Success: H with E[f_i H] >= tolerance ||H||_2 > 0.",
}


class Rejected(Exception):
    """A claim that does not hold, named by its place in the file."""


def number(text: Any, place: str) -> fmpq:
    """The exact rational that a text stands for."""
    if not isinstance(text, str) or not NUMBER.fullmatch(text):
        raise Rejected(f"{place}: {text!r:.60} is not an exact number written as text")
    front, _, below = text.partition("/")
    mantissa, _, power = front.lower().partition("e")
    whole, _, places = mantissa.partition(".")
    shift = int(power or 0) - len(places)
    if abs(shift) > 10_000 or int(below or 1) == 0:
        raise Rejected(f"{place}: {text!r:.60} is out of range")
    return fmpq(int(whole + places)) * fmpq(10) ** shift / int(below or 1)


def exact(text: Any, place: str, low: Any = TINY, high: Any = HUGE) -> fmpq:
    value = number(text, place)
    if not low <= value <= high:
        raise Rejected(f"{place}: {text:.60} is outside what the theorem allows")
    return value


def whole(text: Any, place: str, low: int, high: int) -> int:
    value = exact(text, place, low, high)
    if value.q != 1:
        raise Rejected(f"{place}: {text:.60} is not a whole number")
    return int(value.p)


def sphere_moment(m: int, order: int, d: int) -> fmpq:
    """E[t^m P_l(t)], l = order, t a coordinate of a uniform unit vector, m - l >= 0 and even."""
    half, rising = (m - order) // 2, math.prod(range(d, d + m + order, 2))
    return fmpq(math.factorial(m), 2**half * math.factorial(half) * rising)


def csq_relu_sphere(dimension, bias, cutoff, tolerance, success, alpha, terms):
    """Chebyshev's inequality for E[f_v h] over the sphere."""
    d, k = whole(dimension, "dimension", 2, 10**15), whole(cutoff, "cutoff", 0, 4000)
    top, b = whole(terms, "terms", k + 1, 4100), exact(bias, "bias", -1000, 1000)
    ctx.prec += 64 + 3 * (abs(int(b.p)) // int(b.q) + 1) * math.isqrt(top + 1)
    nu, tau, x = exact(success, "success", TINY, 1), arb(exact(tolerance, "tolerance")), arb(b)
    phi, cdf = (-x * x / 2).exp() / (2 * arb.pi()).sqrt(), (-x / arb(2).sqrt()).erfc() / 2
    squares, before, now, factorial = [(phi + x * cdf) ** 2, cdf**2], arb(0), arb(1), arb(2)
    for m in range(2, top + 1):
        squares.append((phi * now) ** 2 / factorial)
        before, now, factorial = now, -x * now - (m - 2) * before, factorial * (m + 1)
    second, removed = (x * x + 1) * cdf + x * phi, sum(squares[: k + 1], arb(0))
    null, eigen, bounds = second - removed, [], []
    rest = null - sum(squares[k + 1 : top + 1], arb(0))
    for order in (0, 1, 2):
        m = max(k + 1 + (k + 1 - order) % 2, order)
        low, weight = arb(0), arb(sphere_moment(m, order, d))
        while m <= top:
            low += squares[m] * weight
            weight *= arb((m + 2) * (m + 1)) / ((m - order + 2) * (d + m + order))
            m += 2
        eigen.append((low, low + weight * rest))
    for end in (1, 0):
        variance, gap = eigen[1][end].max(eigen[2][end]), tau - eigen[0][end].sqrt()
        bounds.append((arb(nu) - variance / gap**2) * tau**2 / variance if gap > 0 else fmpq(0))
    holds = [("tolerance^2 < null_loss", tau**2 < null)]
    if alpha is not None:
        ratio, eps = exact(alpha, "alpha", 1), second / 3
        holds += [("removed_mass <= eps / alpha", removed <= eps / ratio)]
        holds += [("with one degree more it is above", removed + squares[k + 1] > eps / ratio)]
        holds += [("tolerance^2 <= null_loss - 2 eps", tau**2 <= null - 2 * eps)]
    facts: Part = {"second_moment": second, "removed_mass": removed, "null_loss": null}
    facts |= {f"lambda_{order}": ends for order, ends in enumerate(eigen)}
    return facts, holds, bounds, k, "certified"


def sq_parity(dimension, sparsity, noise, tolerance):
    """Bessel's inequality: the parities are orthonormal, and E phi is E[y h] up to a constant."""
    d, tau = whole(dimension, "dimension", 1, 10**6), exact(tolerance, "tolerance")
    count = fmpq(math.comb(d, whole(sparsity, "sparsity", 1, d)))
    norm = (1 - 2 * exact(noise, "noise", 0, fmpq(1, 2) - TINY)) ** 2
    holds, bound = [("tolerance^2 <= norm", tau * tau <= norm)], count * tau * tau / norm - 1
    return {"count": count, "norm": norm}, holds, [bound, bound], None, "exact"


def csq_orthogonal_networks(dimension, sparsity, tolerance):
    """Bessel's inequality: flipping x_i, i in S but not in T, negates f_S and keeps f_T."""
    d, tau = whole(dimension, "dimension", 2, 10**6), arb(exact(tolerance, "tolerance"))
    k, norm = whole(sparsity, "sparsity", 2, min(d, 200)), arb(0)
    for j in range(k + 1):
        r = 1 - fmpq(2 * j, k)
        kernel = (arb(1 - r * r).sqrt() + arb(r) * (arb.pi() - arb(r).acos())) / (2 * arb.pi())
        norm += (-1) ** j * 2**k * math.comb(k, j) * kernel
    holds = [("sparsity is even", k % 2 == 0), ("tolerance^2 <= norm", tau**2 <= norm)]
    bound = math.comb(d, k) * tau**2 / norm - 1
    return {"count": fmpq(math.comb(d, k)), "norm": norm}, holds, [bound, bound], None, "certified"


def sq_ngca(dimension, matched, chi_squared, tolerance, success):
    """chi(P_u, P_v) = sum_j c_j^2 <u, v>^j over j > matched; E[t^m P_l] falls with m and l."""
    d, m = whole(dimension, "dimension", 2, 10**15), whole(matched, "matched", 0, 4000) + 1
    nu, tau = exact(success, "success", fmpq(1, 2), 1), exact(tolerance, "tolerance")
    odd, even = sphere_moment(m + (m + 1) % 2, 1, d), sphere_moment(m + m % 2, 0, d)
    eigenvalue = exact(chi_squared, "chi_squared") * max(odd, even)
    bound = (2 * nu - 1) * tau * tau / eigenvalue
    return {"eigenvalue": eigenvalue}, [], [bound, bound], None, "exact"


def csq_finite_family(tolerance, gram, eigenvalue):
    """sum_i E[f_i h]^2 <= lambda_max(Gram), by whole-number elimination of lambda I - Gram."""
    tau, top, n = exact(tolerance, "tolerance"), exact(eigenvalue, "eigenvalue"), len(gram)
    if not 0 < n <= 200 or any(len(row) != n or max(map(len, row)) > 300 for row in gram):
        raise Rejected("gram: not a square matrix of at most 200 rows of short texts")
    rows = [[number(x, f"gram[{i}]") for x in row] for i, row in enumerate(gram)]
    scale, last = int(top.q), 1
    for q in {int(x.q) for row in rows for x in row}:
        scale = math.lcm(scale, q)
        if n * scale.bit_length() > 12_000:
            raise Rejected("gram: denominators too long to eliminate; round the correlations")
    a = [[int(scale * x) for x in row] for row in rows]
    proved = all(a[i][j] == a[j][i] for i in range(n) for j in range(i))
    a = [[int(scale * top) * (i == j) - x for j, x in enumerate(row)] for i, row in enumerate(a)]
    for i, row in enumerate(a):
        proved = proved and (row[i] > 0 or not any(row[i:]))
        for j in range(i + 1, n) if proved and row[i] else ():
            a[j] = [(y * row[i] - a[j][i] * x) // last for x, y in zip(row, a[j], strict=True)]
        last = row[i] or last
    holds, bound = [("eigenvalue I - gram >= 0", proved)], n * tau * tau / top - 1
    return {"count": fmpq(n)}, holds, [bound, bound], None, "exact"


PROOFS = (csq_relu_sphere, sq_parity, csq_orthogonal_networks, sq_ngca, csq_finite_family)
THEOREMS = {function.__name__.replace("_", "-"): function for function in PROOFS}


def same(claim: Any, found: Any, digits: int, place: str) -> None:
    """The claimed interval holds the one found here, and is no wider than its digits allow."""
    low, high = found if isinstance(found, tuple) else (found, found)
    lower, upper = (number(claim[end], f"{place}.{end}") for end in ("lower", "upper"))
    slack = arb(10) ** -digits * abs(arb(high)) + arb("1e-6") * (arb(high) - arb(low))
    below = lower <= low if isinstance(low, fmpq) else arb(lower) <= low
    above = upper >= high if isinstance(high, fmpq) else arb(upper) >= high
    if not below or not above or len(claim) != 2:
        raise Rejected(f"{place}.{'upper' if below else 'lower'}: not what the proof gives")
    if arb(low) - lower > slack or arb(upper) - arb(high) > slack:
        raise Rejected(f"{place}: wider than {digits} digits")


def digest(data: Part) -> str:
    """sha256 of everything but itself, as JSON with sorted keys."""
    rest = {key: value for key, value in data.items() if key != "sha256"}
    return hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()


def prove(data: Part) -> str | None:
    """Raises Rejected at the first entry that does not follow from parameters and witness."""
    name, digits = data["theorem"], whole(str(data["digits"]), "digits", 1, 1000)
    if name not in list(THEOREMS):
        raise Rejected(f"theorem: {name!a:.60} is none of {', '.join(THEOREMS)}")
    ctx.prec = 2048 + 8 * digits
    facts, holds, bounds, t_eps, grade = THEOREMS[name](**data["parameters"], **data["witness"])
    for claim, true in holds:
        if not true or claim not in data["hypotheses"]:
            raise Rejected(f"hypotheses: {claim} " + ("is missing" if true else "does not hold"))
    for key, found in facts.items():
        same(data["quantities"][key], found, digits, f"quantities.{key}")
    same(data["queries"], tuple(b if b > 0 else fmpq(0) for b in bounds), digits, "queries")
    wanted = {"schema": SCHEMA, "statement": STATEMENTS[name], "t_eps": t_eps, "grade": grade}
    wanted |= {"hypotheses": [h[0] for h in holds], "digits": digits, "sha256": digest(data)}
    for key, value in wanted.items():
        if data[key] != value or type(data[key]) is not type(value):
            raise Rejected(f"{key}: not what the theorem and the other entries give")
    if set(data["quantities"]) != set(facts) or len(data) != 12:
        raise Rejected("quantities or keys: some mean nothing here")
    return None


def failure(data: Part) -> str | None:
    """None if the certificate is verified, else which entry failed and why."""
    try:
        return prove(data)
    except Rejected as reason:
        return str(reason)
    except Exception as error:  # Whatever breaks a proof, it is not a proof.
        return f"an entry is missing or malformed: {(error.args or '?')[-1]!a:.200}"


def unique(pairs: list[tuple[str, Any]]) -> Part:
    """A JSON object, which must not say two things under one name."""
    if len(data := dict(pairs)) < len(pairs):
        raise ValueError("it names an entry of an object twice")
    return data


def read(path: str) -> Part:
    """The object in the file; ValueError or RecursionError where there is none."""
    with open(path, "rb") as file:
        text = file.read(20_000_001)
    if len(text) > 20_000_000:
        raise ValueError("it is larger than 20 million bytes")
    data = json.loads(text, object_pairs_hook=unique)
    if isinstance(data, dict) and "theorem" in data:
        return data
    raise ValueError("it is no JSON object that names a theorem")


if __name__ == "__main__":
    try:
        why = failure(read(" ".join(sys.argv[1:])))
        sys.exit(print(f"rejected: {why}" if why else "verified") or int(why is not None))
    except (OSError, ValueError, RecursionError) as error:
        sys.exit(print(f"unreadable: {error}\nusage: python verify.py FILE", file=sys.stderr) or 2)
