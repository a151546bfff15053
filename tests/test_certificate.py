"""Certificates: every theorem's is verified, and what was tampered with is not."""

from __future__ import annotations

import ast
import json
import random
import re
import subprocess
import sys
from collections.abc import Callable
from copy import deepcopy
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import mpmath
import numpy as np
import pytest

from sqsim.errors import BadInput, NotCertified
from sqsim.lowerbounds import verify
from sqsim.lowerbounds.certificate import Certificate, certified, check
from sqsim.lowerbounds.family_bounds import (
    csq_finite_family_bound,
    csq_orthogonal_networks_bound,
    ngca_bound,
    relu_parity_margin,
    sq_parity_bound,
)
from sqsim.lowerbounds.precision import Enclosure
from sqsim.lowerbounds.relu_bounds import csq_relu_bound, csq_relu_packing_bound

GRAM = [["1", "1/3", "-0.25"], ["1/3", "1", "0"], ["-0.25", "0", "1"]]
MAKERS: dict[str, Callable[[], Certificate]] = {
    "relu at a cutoff": lambda: csq_relu_bound(
        dimension=1000, bias=-8, cutoff=11, tolerance="5e-13"
    ),
    "relu at alpha": lambda: csq_relu_bound(
        dimension=400, bias="-5", alpha=10, tolerance="1e-7", success="2/3"
    ),
    "relu in few dimensions": lambda: csq_relu_bound(
        dimension=30, bias="-0.5", cutoff=3, tolerance="0.02", digits=10
    ),
    "parity": lambda: sq_parity_bound(dimension=60, sparsity=7, noise="1/7", tolerance="1e-3"),
    "networks": lambda: csq_orthogonal_networks_bound(dimension=100, sparsity=6, tolerance="0.01"),
    "components": lambda: ngca_bound(
        dimension=100, matched=5, chi_squared="0.549", tolerance="0.001", success="0.9"
    ),
    "finite": lambda: csq_finite_family_bound(GRAM, tolerance="0.9", eigenvalue="1.42"),
}


@cache
def certificate(name: str) -> Certificate:
    return MAKERS[name]()


def data(name: str) -> dict[str, Any]:
    return deepcopy(certificate(name).to_json())


def sealed(changed: dict[str, Any]) -> dict[str, Any]:
    """As a forger would: the checksum fits again."""
    return changed | {"sha256": verify.digest(changed)}


@pytest.mark.parametrize("name", MAKERS)
def test_every_theorem_is_verified(name: str) -> None:
    """By the package and from the file."""
    assert certificate(name).check()
    assert check(json.loads(json.dumps(data(name))))


def test_the_bounds_of_the_separation() -> None:
    """Four instances in dimension 1000, centred count to three digits, and the plain one."""
    for bias, cutoff, tolerance, queries, mean in (
        (-5, 5, "5e-8", 1.42e4, 2.3e2),
        (-6, 7, "5e-9", 1.33e7, 3.0e5),
        (-7, 9, "5e-11", 4.02e8, 1.2e7),
        (-8, 11, "5e-13", 4.5e10, 1.9e9),
    ):
        found = csq_relu_bound(dimension=1000, bias=bias, cutoff=cutoff, tolerance=tolerance)
        assert float(found.queries) == pytest.approx(queries, rel=0.01)
        plain = float(tolerance) ** 2 / float(found.quantities["lambda_0"])
        assert plain == pytest.approx(mean, rel=0.05)
        assert (found.t_eps, found.grade) == (cutoff, "certified")


def test_the_eigenvalues_of_a_certificate_by_quadrature() -> None:
    """lambda_1 and lambda_2 from the kernel itself, integrated by mpmath over the sphere."""
    found = certificate("relu at a cutoff")
    context = mpmath.mp.clone()
    context.dps = 60  # its quadrature stops at an absolute error
    d, b, cutoff = 1000, -8, 11
    phi2 = context.exp(-(b**2)) / (2 * context.pi)
    he = [context.mpf(1), context.mpf(-b)]
    for k in range(1, 90):
        he.append(-b * he[k] - k * he[k - 1])
    squares = {m: phi2 * he[m - 2] ** 2 / context.factorial(m) for m in range(cutoff + 1, 80)}
    norm = (
        context.gamma(context.mpf(d) / 2)
        / context.gamma(context.mpf(d - 1) / 2)
        / context.sqrt(context.pi)
    )
    for order, harmonic in ((1, lambda t: t), (2, lambda t: (d * t * t - 1) / (d - 1))):
        odd = order % 2

        def integrand(t: Any, harmonic: Any = harmonic, odd: int = odd) -> Any:
            kernel = sum(c * t**m for m, c in squares.items() if m % 2 == odd)
            return kernel * harmonic(t) * (1 - t * t) ** ((d - 3) / context.mpf(2))

        value = 2 * norm * context.quad(integrand, [0, 0.1, 0.2, 0.4, 0.7, 1])
        low, high = found.quantities[f"lambda_{order}"].bounds
        assert abs(value - context.mpf(low.numerator) / low.denominator) < 1e-25 * value
        assert low <= high


def test_parities_by_hand() -> None:
    """C(d, k) tau^2 / (1 - 2 eta)^2 - 1, exactly."""
    found = sq_parity_bound(dimension=10, sparsity=2, noise="1/4", tolerance="1/3")
    assert found.queries.contains(45 * Fraction(1, 9) * 4 - 1)
    assert found.grade == "exact"


def test_the_margin_of_a_good_relu_on_a_parity() -> None:
    """sqrt(2) (1 - 2 eta) c_k without excess, and the minimum over norms with one."""
    clean = float(relu_parity_margin(6, noise="0.1", excess=0))
    assert clean == pytest.approx(2**0.5 * 0.8 * 0.004756930013, rel=1e-8)
    found = float(relu_parity_margin(2, noise="0.1", excess="0.01"))
    a = (2 * np.pi) ** -0.5
    q, r = a + 0.8 * 0.1652473031, np.linspace(0.05, 3, 200_001)
    least = np.min(2**0.5 * ((q**2 / 2 - 0.01) / r - a + r / 2))
    assert found == pytest.approx(least, rel=1e-8)
    with pytest.raises(BadInput, match="gap"):
        relu_parity_margin(6, noise="0.1", excess="0.01")


def test_the_network_norm_of_the_literature() -> None:
    """||f_S||^2 = .726760, .303017, .429233 at k = 2, 4, 6."""
    for k, value in ((2, 0.726760), (4, 0.303017), (6, 0.429233)):
        found = csq_orthogonal_networks_bound(dimension=50, sparsity=k, tolerance="0.1")
        assert float(found.quantities["norm"]) == pytest.approx(value, abs=5e-7)


def test_alpha_takes_the_degree_t_eps() -> None:
    """The table of degrees: 5 at b = -5, alpha = 10."""
    assert certificate("relu at alpha").t_eps == 5


def test_coarser_tolerance_and_more_dimensions_only_raise_the_bound() -> None:
    """The count grows with tau and d."""
    bounds = [
        csq_relu_bound(dimension=d, bias=-5, cutoff=5, tolerance=tau).queries.bounds[0]
        for d, tau in ((500, "5e-8"), (1000, "5e-8"), (1000, "1e-7"))
    ]
    assert bounds == sorted(bounds)


def test_the_packing_bound_by_hand() -> None:
    """(N (tau^2 - gamma) / (beta - gamma) - 1) / 2 with N = floor(exp(d eta^2 / 4))."""
    found = csq_relu_packing_bound(
        dimension=1000, bias=-8, cutoff=11, tolerance="5e-10", coherence="0.2"
    )
    assert found.count == 22026
    beta = float(certificate("relu at a cutoff").quantities["null_loss"])
    gamma = 0.2**12 * beta
    assert float(found.correlation) == pytest.approx(gamma, rel=1e-12)
    wanted = (22026 * (25e-20 - gamma) / (beta - gamma) - 1) / 2
    assert float(found.queries) == pytest.approx(wanted, rel=1e-9)


def _digit(text: str, stream: random.Random, leading: int) -> str:
    """One of the leading significant digits becomes another one."""
    mantissa = re.split("[eE]", text)[0]
    first = next((i for i, c in enumerate(mantissa) if c in "123456789"), None)
    places = [i for i, c in enumerate(mantissa) if c.isdigit() and (first is None or i >= first)]
    i = stream.choice(places[:leading])
    other = stream.choice([c for c in "123456789" if c != text[i]])
    return text[:i] + other + text[i + 1 :]


def _corrupted(stream: random.Random) -> tuple[str, dict[str, Any]]:
    """A certificate with one thing changed; a smaller alpha is left out, it would still hold."""
    name = stream.choice(list(MAKERS))
    changed = data(name)
    kind = stream.choice(["digit", "parameter", "hypothesis", "theorem", "witness", "key", "grade"])
    match kind:
        case "digit":
            places = [*changed["quantities"].values(), changed["queries"]]
            place, end = stream.choice(places), stream.choice(["lower", "upper"])
            place[end] = _digit(place[end], stream, changed["digits"])
        case "parameter":
            key = stream.choice([k for k, v in changed["parameters"].items() if v and k != "alpha"])
            changed["parameters"][key] = _digit(changed["parameters"][key], stream, 9)
        case "hypothesis" if changed["hypotheses"]:
            changed["hypotheses"].pop(stream.randrange(len(changed["hypotheses"])))
        case "theorem":
            other = [t for t in verify.STATEMENTS if t != changed["theorem"]]
            changed["theorem"] = stream.choice(other)
            if stream.random() < 0.5:
                changed["statement"] = verify.STATEMENTS[changed["theorem"]]
        case "witness" if "gram" in changed["witness"]:
            i, j = stream.randrange(3), stream.randrange(3)
            changed["witness"]["gram"][i][j] = "17"
        case "witness" if changed["witness"]:
            changed["witness"]["terms"] = str(int(changed["witness"]["terms"]) // 3)
        case "key" if stream.random() < 0.3 and changed["parameters"].get("alpha"):
            changed["t_eps"] -= 1
            changed["parameters"]["cutoff"] = str(changed["t_eps"])
        case "key":
            changed.pop(stream.choice([key for key in changed if key not in ("theorem", "sha256")]))
        case _:
            changed["grade"] = "exact" if changed["grade"] != "exact" else "certified"
    return f"{kind} of {name}", changed


def test_two_hundred_corruptions_are_rejected() -> None:
    """With the checksum that the forger computed anew, and with the old one."""
    stream = random.Random(1)
    for _ in range(200):
        what, changed = _corrupted(stream)
        assert not check(sealed(changed)), what
        assert not check(changed), what


def test_any_changed_character_breaks_the_checksum() -> None:
    """Also beyond the digits that count, and in the statement."""
    text = json.dumps(data("parity"))
    stream = random.Random(2)
    for _ in range(100):
        i = stream.randrange(len(text))
        changed = text[:i] + stream.choice("0123456789abc") + text[i + 1 :]
        if changed == text:
            continue
        try:
            found = json.loads(changed)
        except ValueError:
            continue
        assert not check(found), changed[max(0, i - 20) : i + 20]


def test_a_rejection_names_the_entry() -> None:
    """The first thing that does not follow."""
    changed = data("networks")
    changed["quantities"]["norm"]["lower"] = "0.4"
    assert "quantities.norm" in str(check(sealed(changed)).failure)
    changed = data("relu at alpha")
    changed["parameters"]["tolerance"] = "1"
    assert "tolerance^2 < null_loss" in str(check(sealed(changed)).failure)
    changed = data("finite")
    changed["witness"]["eigenvalue"] = "1.4"
    assert "eigenvalue I - gram" in str(check(sealed(changed)).failure)


def test_a_claim_that_does_not_follow_is_not_returned() -> None:
    """The verifier has the last word before a certificate leaves the package."""
    with pytest.raises(NotCertified, match="eigenvalue"):
        csq_finite_family_bound(GRAM, tolerance="0.9", eigenvalue="1.3")
    good = certificate("networks")
    better = Certificate(**{**good.__dict__, "queries": Enclosure("1e9", "1e9")})
    with pytest.raises(NotCertified, match="queries"):
        certified(better)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{",
        b"[1, 2]",
        b'"sqsim"',
        b"{}",
        b'{"schema": "sqsim.bound/1"}',
        b"\xff\xfe\x00",
        b"[" * 100_000,
        b'{"theorem": ' * 50_000,
        b"NaN",
        b'{"theorem": "sq-parity", "theorem": "sq-ngca"}',
        b" " * 20_000_001,
    ],
    ids=range(12),
)
def test_what_is_no_certificate_is_unreadable(tmp_path: Path, text: bytes) -> None:
    """Truncated, nested, empty or other files: exit code 2, from both programs."""
    path = tmp_path / "c.json"
    path.write_bytes(text)
    with pytest.raises(BadInput, match="cannot read a certificate"):
        check(path)
    assert _verify(path).returncode == 2


@pytest.mark.parametrize(
    "value",
    [None, 1, [], {}, "x", "1e999999999", "9" * 4000, {"lower": 1, "upper": 2}, True],
    ids=range(9),
)
@pytest.mark.parametrize("key", ["parameters", "witness", "quantities", "queries", "digits"])
def test_wrong_types_are_rejected_not_crashed_on(key: str, value: Any) -> None:
    """Whatever stands in an entry, the verifier says no."""
    if (key, value) == ("digits", 1) and value is not True:
        # True, but no longer the certificate that was written: the checksum says so.
        assert not check(data("relu at a cutoff") | {key: value})
        return
    assert not check(sealed(data("relu at a cutoff") | {key: value}))
    changed = data("relu at a cutoff")
    if isinstance(changed[key], dict):
        changed[key][next(iter(changed[key]))] = value
        assert not check(sealed(changed))


def _verify(path: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(verify.__file__), str(path)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_stand_alone_file(tmp_path: Path) -> None:
    """At most 250 lines, imports flint and the standard library, and runs by itself."""
    source = Path(str(verify.__file__)).read_text()
    assert len(source.splitlines()) <= 250
    names = {
        (node.module if isinstance(node, ast.ImportFrom) else node.names[0].name) or ""
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Import | ast.ImportFrom)
    }
    assert {name.split(".")[0] for name in names} <= {"flint", *sys.stdlib_module_names}
    path = tmp_path / "c.json"
    certificate("relu at a cutoff").save(path)
    ran = _verify(path)
    assert (ran.returncode, ran.stdout) == (0, "verified\n")
    path.write_text(path.read_text().replace("45043620194", "45043620195"))
    ran = _verify(path)
    assert ran.returncode == 1
    assert "queries" in ran.stdout


def test_small_files_cannot_hold_the_verifier_for_long() -> None:
    """What a forger may write: long biases, wild denominators, huge exponents, deep nests."""
    stream = random.Random(3)
    long = "-" + "".join(stream.choices("123456789", k=2700)) + "e-2699"
    attacks: list[dict[str, Any]] = []
    for name, part, key, value in (
        ("relu at a cutoff", "parameters", "bias", long),
        ("relu at a cutoff", "witness", "terms", "4100"),
        ("finite", "witness", "gram", [["1e199999"] * 40_000]),
        (
            "finite",
            "witness",
            "gram",
            [[f"1/{stream.getrandbits(130) + 1}" for _ in range(60)] for _ in range(60)],
        ),
    ):
        attacks.append(data(name))
        attacks[-1][part][key] = value
    nested: Any = []
    for _ in range(5000):
        nested = [nested]
    attacks.append(data("finite") | {"statement": nested})
    for attack in attacks:
        assert not check(attack)


def test_zero_satisfies_no_certificate() -> None:
    """An output of norm 0 correlates with nothing: the statements ask for more."""
    for name in ("sq-parity", "csq-finite-family"):
        assert "||H||_2 > 0" in verify.STATEMENTS[name]


def test_t_eps_is_the_last_degree_that_alpha_allows() -> None:
    """A smaller cutoff is a valid family, but not t_eps."""
    lower = csq_relu_bound(dimension=400, bias="-5", cutoff=3, tolerance="1e-7").to_json()
    lower["parameters"]["alpha"] = "10"
    lower["hypotheses"] = list(certificate("relu at alpha").hypotheses)
    assert "one degree more" in str(check(sealed(lower)).failure)


def test_what_a_certificate_permits() -> None:
    """A successful learner may ask as many queries as the bound or more."""
    found = certificate("parity")
    assert not found.permits(int(found.queries.bounds[0]))
    assert found.permits(int(found.queries.bounds[0]) + 1)
    assert csq_relu_bound(dimension=2, bias="-0.5", cutoff=0, tolerance="0.01", digits=5).vacuous


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"cutoff": 9, "alpha": 10},
        {"cutoff": -1},
        {"cutoff": 9, "tolerance": "1"},
        {"cutoff": 9, "tolerance": "-1"},
        {"cutoff": 9, "success": "0"},
        {"cutoff": 9, "dimension": 1},
        {"cutoff": 9, "bias": "2000"},
        {"cutoff": 9, "digits": 0},
        {"alpha": "0.5"},
    ],
    ids=str,
)
def test_what_the_relu_theorem_needs(wrong: dict[str, Any]) -> None:
    """Said before anything is computed."""
    with pytest.raises(BadInput):
        csq_relu_bound(**({"dimension": 100, "bias": -7, "tolerance": "5e-11"} | wrong))


def test_bad_families() -> None:
    """Each with what was wanted."""
    with pytest.raises(BadInput, match="noise"):
        sq_parity_bound(dimension=10, sparsity=2, noise="0.5", tolerance="0.1")
    with pytest.raises(BadInput, match="sparsity"):
        sq_parity_bound(dimension=10, sparsity=11, noise="0", tolerance="0.1")
    with pytest.raises(BadInput, match="even"):
        csq_orthogonal_networks_bound(dimension=10, sparsity=3, tolerance="0.1")
    with pytest.raises(BadInput, match="positive"):
        ngca_bound(dimension=10, matched=3, chi_squared="-1", tolerance="0.1")
    with pytest.raises(BadInput, match="square"):
        csq_finite_family_bound([["1", "0"]], tolerance="0.1", eigenvalue="1")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda c: c.pop("queries"), "queries: missing"),
        (lambda c: c["parameters"].pop("noise"), "noise is missing"),
        (lambda c: c["parameters"].update(bias="1"), "'bias' means nothing in sq-parity"),
        (lambda c: c["witness"].update(terms="1"), "'terms' means nothing in sq-parity"),
        (lambda c: c.update(parameters=5), "parameters: 5 is not an object"),
        (lambda c: c.update(theorem="sq"), "theorem: 'sq' is unknown"),
        (lambda c: c.update(more=1), "'more': no certificate"),
        (lambda c: c.update(digits=1001), "digits"),
    ],
    ids=["entry", "parameter", "stranger", "witness", "type", "theorem", "more", "digits"],
)
def test_what_is_malformed_is_named(change: Callable[[dict[str, Any]], Any], words: str) -> None:
    """In words, without names of Python's exceptions."""
    changed = data("parity")
    change(changed)
    found = check(sealed(changed))
    assert not found
    assert words in str(found.failure)
    assert "Error" not in str(verify.failure(sealed(changed)))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b" " * 20_000_001, "larger than 20 million bytes"),
        (b"[" * 100_000, "nested too deeply"),
        (b"[1]", "no JSON object"),
        (b'{"a": 1, "a": 2}', "twice"),
        (b"\xff\xfe\x00", "JSON|text"),
        (b"{", "not JSON"),
    ],
    ids=["large", "deep", "list", "twice", "bytes", "cut"],
)
def test_what_is_unreadable_is_told_apart(tmp_path: Path, text: bytes, words: str) -> None:
    """A file too large, too deep, of another kind or with an entry twice."""
    path = tmp_path / "c.json"
    path.write_bytes(text)
    with pytest.raises(BadInput, match=words):
        check(path)


def test_the_stand_alone_file_says_how_it_is_used() -> None:
    """Without an argument, and when asked for help: exit code 2."""
    for arguments in ([], ["--help"]):
        command = [sys.executable, str(verify.__file__), *arguments]
        ran = subprocess.run(command, capture_output=True, text=True, check=False)
        assert ran.returncode == 2
        assert "usage: python verify.py FILE" in ran.stderr


def test_a_certificate_has_at_most_a_thousand_digits() -> None:
    """Refused before anything is computed, by every theorem; and so are counts beyond any file."""
    for make in (
        lambda: csq_relu_bound(dimension=9, bias=-1, cutoff=1, tolerance="0.1", digits=1500),
        lambda: sq_parity_bound(dimension=9, sparsity=2, noise=0, tolerance="0.1", digits=1500),
        lambda: csq_orthogonal_networks_bound(
            dimension=9, sparsity=2, tolerance="0.1", digits=1500
        ),
        lambda: ngca_bound(dimension=9, matched=3, chi_squared=1, tolerance="0.1", digits=1500),
        lambda: csq_finite_family_bound(GRAM, tolerance="0.9", eigenvalue="1.42", digits=1500),
    ):
        with pytest.raises(BadInput, match="1 to 1000 digits"):
            make()
    with pytest.raises(BadInput, match="10\\^5000"):
        sq_parity_bound(dimension=10**6, sparsity=10**5, noise=0, tolerance="0.1")


def test_parameters_are_named_as_they_were_typed() -> None:
    """Which one is wrong, and what was given."""
    with pytest.raises(BadInput, match="alpha is '1/2'"):
        csq_relu_bound(dimension=9, bias=-1, alpha="1/2", tolerance="0.1")
    good: dict[str, Any] = {"dimension": 9, "matched": 3, "chi_squared": 1, "tolerance": "0.1"}
    for name, value in (("matched", -1), ("chi_squared", "-2"), ("tolerance", 0), ("success", 2)):
        with pytest.raises(BadInput, match=f"{name} is {value!r}"):
            ngca_bound(**good | {name: value})
