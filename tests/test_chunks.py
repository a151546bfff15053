"""Tables that are read a chunk at a time, against the same rows in memory and exact arithmetic."""

from __future__ import annotations

import json
import tracemalloc
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sqsim import L2, MonteCarlo, RootMeanSquare, Sample, Transcript, exact, run, sq
from sqsim.algorithms import gradient_descent
from sqsim.errors import BadInput, SqsimError
from sqsim.oracles.moments import FAN, Tree
from sqsim.problems.chunked import Chunked
from sqsim.problems.dataset import Dataset
from sqsim.problems.hypothesis import ReluHypothesis
from sqsim.problems.parquet import from_parquet
from sqsim.problems.reading import Defects, Survey
from sqsim.problems.sources import from_arrays, from_chunks, from_dask, from_npy, mapped
from sqsim.queries import Correlation, Opaque, Ridge, Statistic
from sqsim.strategy import ask
from sqsim.tolerance import Scale

D = 3
W = np.array([[1.0, -0.5], [0.25, 2.0], [-1.5, 0.75]])
"""Few bits, as the rows below: W'x is then exact, and so h does not depend on the chunks."""


def dyadic(count: int, dtype=np.float64) -> tuple[np.ndarray, np.ndarray]:
    draw = np.random.default_rng(12)
    x = draw.integers(-300, 300, (count, D)) / 64
    y = draw.integers(-300, 300, count) / 64
    return x.astype(dtype), y.astype(dtype)


def every_query():
    def step(s):
        return (s >= 0.25) * 1.0

    def jump(s, y):
        return np.sin(s[:, 0]) * (y > 0.5) - 0.3 * (s[:, 1] >= 0)

    for power in (0, 1, 2):
        yield Correlation(Ridge(step, W[:, 0], power), f"step {power}")
        yield Correlation(Ridge(power=power), f"label {power}")
        yield Statistic(Ridge(jump, W, power), f"jump {power}")
        yield Statistic(Ridge(lambda y: (np.abs(y) > 1) * 1.0, power=power), f"cut {power}")
    yield Correlation(Opaque(lambda x: np.cos(x[:, 0])), "cosine")
    yield Statistic(Opaque(lambda x, y: np.stack([x[:, 1] * y, y**3], axis=1), 2), "pair")


QUERIES = list(every_query())


def asked(table, queries=QUERIES, scale=Scale.NONE, means=Sample()):  # noqa: B008
    return means.means(table, queries, [scale] * len(queries), seed=0, turn=0)


def same_bits(one, two) -> bool:
    return all(
        np.array_equal(getattr(a, key), getattr(b, key))
        for a, b in zip(one, two, strict=True)
        for key in ("value", "error", "scale")
    )


def agree(one, two) -> None:
    """Within the two confessed errors, which are no larger than rounding."""
    for a, b in zip(one, two, strict=True):
        assert (np.abs(a.value - b.value) <= a.error + b.error).all()
        assert (np.asarray(a.error) <= 1e-10).all()
        np.testing.assert_allclose(a.scale, b.scale, rtol=1e-12)


def cut(x, y, bounds, parts: int) -> Chunked:
    """The rows in chunks that end at `bounds`, dealt to parts in order."""
    edges = [0, *sorted(bounds), len(x)]
    pieces = [(x[a:b], y[a:b]) for a, b in pairwise(edges)]
    size = -(-len(pieces) // parts)
    groups = [pieces[i : i + size] for i in range(0, len(pieces), size)]
    makers = [lambda group=group: iter(group) for group in groups]
    return from_chunks(makers, dimension=x.shape[1], defects=Defects.SKIP)


@settings(max_examples=25)
@given(
    bounds=st.lists(st.integers(0, 2500), max_size=40),
    parts=st.integers(1, 12),
    scale=st.sampled_from(list(Scale)),
    dtype=st.sampled_from([np.float64, np.float32]),
)
def test_chunks_do_not_matter_beyond_the_confessed_error(bounds, parts, scale, dtype) -> None:
    """Every kind, form and norm; chunks of any sizes, empty ones too."""
    x, y = dyadic(2500, dtype)
    agree(asked(cut(x, y, bounds, parts), scale=scale), asked(Dataset(x, y), scale=scale))


@pytest.mark.parametrize("tolerance", [L2(1e-3), RootMeanSquare(1e-3)])
def test_oracles_answer_alike_from_chunks_and_from_memory(tolerance) -> None:
    x, y = dyadic(3000)
    labels = [q for q in QUERIES if isinstance(q, Statistic)]

    def asking():
        return (yield from ask(labels[0]))

    answers = [
        run(asking(), sq(table, tolerance=tolerance, policy=exact)).value
        for table in (Dataset(x, y), from_arrays(x, y, rows=700))
    ]
    np.testing.assert_allclose(*answers, rtol=1e-12)


def test_projections_round_differently_by_no_more_than_their_bound() -> None:
    """For a Lipschitz h, W'x adds at most d u |w|'|x| Lip |y x_j| to the confessed error."""
    draw = np.random.default_rng(1)
    x, y, w = draw.standard_normal((5000, 40)), draw.standard_normal(5000), draw.standard_normal(40)
    query = [Correlation(Ridge(np.abs, w, 1))]
    edges = np.sort(draw.integers(0, 5000, 30))
    (a,), (b,) = asked(Dataset(x, y), query), asked(cut(x, y, edges, 4), query)
    extra = 2 * 42 * 2.0**-53 * (np.abs(x) @ np.abs(w) * np.abs(y)) @ np.abs(x) / len(x)
    assert (np.abs(a.value - b.value) <= a.error + b.error + extra).all()


def test_rounding_over_many_parts_is_within_the_confessed_error() -> None:
    """Against exact rational arithmetic: terms that cancel, and a tree of four levels."""
    draw = np.random.default_rng(4)
    x = draw.standard_normal((2100, 2)) * 10.0 ** draw.integers(-6, 7, (2100, 2))
    y = draw.standard_normal(2100) * 10.0 ** draw.integers(-3, 4, 2100)
    queries = [Correlation(Ridge(power=p)) for p in (0, 1, 2)]
    found = asked(from_arrays(x, y, rows=3), queries)
    fx, fy = [Fraction(v) for v in x[:, 0].tolist()], [Fraction(v) for v in y.tolist()]
    truth = [sum(fy), sum(a * b for a, b in zip(fx, fy, strict=True))]
    truth.append(sum(b * (a * a - 1) for a, b in zip(fx, fy, strict=True)))
    for mean, total in zip(found, truth, strict=True):
        value, error = np.ravel(mean.value)[0], np.ravel(mean.error)[0]
        assert abs(Fraction(float(value)) - total / 2100) <= Fraction(float(error))


def levels(names: list[str]) -> str:
    """What a graph makes of the parts, level by level."""
    while len(names) > 1:
        groups = [names[i : i + FAN] for i in range(0, len(names), FAN)]
        names = [f"({''.join(g)})" if len(g) > 1 else g[0] for g in groups]
    return names[0]


def test_the_streamed_tree_is_the_tree_of_levels() -> None:
    """For every number of parts up to three levels: a cluster adds as one process does."""
    for count in range(1, 600):
        names = [f"{i}," for i in range(count)]
        tree = Tree(lambda parts: f"({''.join(parts)})" if len(parts) > 1 else parts[0])
        for name in names:
            tree.add(name)
        assert tree.total() == levels(names)
    with pytest.raises(BadInput, match="no part"):
        Tree(sum).total()


@pytest.fixture(scope="module")
def media(tmp_path_factory) -> dict[str, Chunked]:
    """The same rows in the same parts, wherever they live."""
    arrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    dask = pytest.importorskip("dask.array")
    folder: Path = tmp_path_factory.mktemp("media")
    x, y = dyadic(9000)
    np.save(folder / "x.npy", x)
    np.save(folder / "y.npy", y)
    columns = {f"x{j}": x[:, j] for j in range(D)} | {"y": y}
    for name, rows in (("a", slice(0, 6000)), ("b", slice(6000, 9000))):
        table = arrow.table({key: column[rows] for key, column in columns.items()})
        parquet.write_table(table, folder / f"{name}.parquet", row_group_size=3000)
    blocks = [(x[a : a + 3000], y[a : a + 3000]) for a in range(0, 9000, 3000)]
    return {
        "memory": from_arrays(x, y, rows=3000),
        "mapped": from_arrays(np.load(folder / "x.npy", mmap_mode="r"), y, rows=3000),
        "npy": from_npy(folder / "x.npy", folder / "y.npy", rows=3000),
        "parquet": from_parquet(folder, target="y"),
        "dask": from_dask(dask.from_array(x, (3000, 2)), dask.from_array(y, 3000)),
        "iterators": from_chunks([lambda b=b: iter([b]) for b in blocks], dimension=D),
    }


@pytest.mark.parametrize("name", ["mapped", "npy", "parquet", "dask", "iterators"])
def test_the_same_parts_give_the_same_bits_wherever_they_live(name: str, media) -> None:
    for scale in Scale:
        expected = asked(media["memory"], scale=scale)
        assert same_bits(asked(media[name], scale=scale), expected)
        assert same_bits(asked(media[name], scale=scale), expected)
    assert media[name].survey == media["memory"].survey
    assert media[name].survey == Survey(9000, largest_target=float(np.abs(dyadic(9000)[1]).max()))


def test_memory_is_that_of_a_chunk() -> None:
    """80 MB pass through, and what is held at once is a few chunks."""

    def make():
        draw = np.random.default_rng(0)
        for _ in range(50):
            x = draw.standard_normal((10_000, 20))
            yield x, x[:, 0]

    table = from_chunks(make, dimension=20)
    queries = [Correlation(Ridge(np.tanh, np.ones(20), p)) for p in (0, 1, 2)]
    tracemalloc.start()
    try:
        asked(table, queries, Scale.PRODUCT)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 12e6


def test_a_learner_may_not_see_targets_but_computes_with_the_inputs() -> None:
    """Label-free expectations over chunks are those over the rows; samples are rows."""
    x, y = dyadic(5000)
    chunked = cut(x, y, [10, 11, 700, 4000], 2).problem.inputs
    whole = Dataset(x, y).problem.inputs
    for power in (0, 1, 2):
        for form in (Ridge(np.tanh, W[:, 0], power), Ridge(power=power)):
            np.testing.assert_allclose(
                chunked.expectation(form), whole.expectation(form), rtol=1e-11, atol=1e-13
            )
    draws = [law.sample(np.random.default_rng(3), 64) for law in (chunked, whole)]
    np.testing.assert_array_equal(*draws)


def test_a_learner_learns_the_same_from_chunks() -> None:
    x, y = dyadic(4000)
    y = np.maximum(x[:, 0] - 0.5, 0.0)
    start = ReluHypothesis(np.array([0.6, 0.1, 0.0]), -0.1)
    found = [
        run(
            gradient_descent(table.problem, start=start, steps=10),
            sq(table, tolerance=L2(1e-6), policy=exact),
        ).value
        for table in (Dataset(x, y), from_arrays(x, y, rows=900))
    ]
    np.testing.assert_allclose(found[0].weights, found[1].weights, rtol=1e-10)


def test_transcripts_name_the_table_and_do_not_resume_on_another(tmp_path: Path) -> None:
    x, y = dyadic(3000)

    def asking():
        return (yield from ask(QUERIES[0]))

    def table(targets):
        return from_arrays(x, targets, rows=1000)

    log = tmp_path / "run.jsonl"
    run(asking(), sq(table(y), tolerance=L2(0.1)), log=log)
    described = json.loads(log.read_text().splitlines()[0])["oracle"]["table"]
    assert described["rows"] == 3000
    assert described["parts"] == 3
    assert described["skipped_rows"] == 0
    with pytest.raises(SqsimError, match="same oracle"):
        run(asking(), sq(table(-y), tolerance=L2(0.1)), log=Transcript.resume(log))


def broken(how: str):
    """Chunks of which one is not as it must be."""
    x, y = dyadic(600)
    chunks = [(x[a : a + 200].copy(), y[a : a + 200].copy()) for a in (0, 200, 400)]
    last_x, last_y = chunks[2]
    if how == "nan":
        last_x[17, 1], last_x[30, 0], last_y[31] = np.nan, np.inf, -np.inf
    elif how == "target":
        last_y[5] = np.nan
    elif how == "empty":
        chunks[2] = (last_x[:0], last_y[:0])
    elif how == "long":
        chunks[2] = (last_x, last_y[:-1])
    elif how == "wide":
        chunks[2] = (np.hstack([last_x, last_x]), last_y)
    elif how == "type":
        chunks[2] = (last_x.astype(np.float32), last_y)
    elif how == "text":
        chunks[2] = (last_x.astype(str), last_y)
    elif how == "alone":
        chunks[2] = last_x
    return from_chunks(lambda: iter(chunks), names=["a", "b", "c"], target_name="price")


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("nan", r"row 417, column 'b' .* is nan and 2 more of the 200 rows"),
        ("target", r"row 405, column 'price' .* is nan; fill in"),
        ("empty", r"chunk 2 of part 0 \(row 400.*no rows.*Defects.SKIP"),
        ("long", r"chunk 2 of part 0 \(row 400.*ragged.*\(200, 3\).*\(199,\)"),
        ("wide", r"ragged.*\(200, 6\).*wanted \(k, 3\)"),
        ("type", r"float32 inputs.*before it float64"),
        ("text", r"inputs of type <U.*real numbers"),
        ("alone", r"is ndarray; wanted a pair"),
    ],
)
def test_bad_chunks_are_named(how: str, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        asked(broken(how), QUERIES[:1])


@pytest.mark.parametrize(("how", "skipped", "empty"), [("nan", 3, 0), ("empty", 0, 1)])
def test_what_is_skipped_is_counted_and_stated(how: str, skipped: int, empty: int) -> None:
    """The mean is that of the other rows, and the transcript's header says how many are missing."""
    source = broken(how)
    table = Chunked(source.parts, source.names, defects=Defects.SKIP)
    x, y = (np.concatenate(arrays) for arrays in zip(*table.parts[0](), strict=True))
    good = np.isfinite(x).all(axis=1) & np.isfinite(y)
    agree(asked(table), asked(Dataset(x[good], y[good])))
    described = sq(table, tolerance=L2(0.1)).describe()["table"]
    assert described["skipped_rows"] == skipped
    assert described["empty_chunks"] == empty
    assert described["defects"] == "skip"
    assert table.survey.rows == good.sum()


def test_large_numbers_are_not_taken_for_infinite_ones() -> None:
    """Their sum overflows; they do not."""
    x, y = dyadic(100)
    x[3] = 1.5e308
    assert from_arrays(x, y).survey.rows == 100


def test_a_source_that_cannot_begin_anew_is_refused() -> None:
    x, y = dyadic(100)
    with pytest.raises(BadInput, match="read once"):
        from_chunks(iter([(x, y)]), dimension=D)
    spent = iter([(x, y)])
    table = from_chunks(lambda: spent, dimension=D)
    asked(table, QUERIES[:1])
    with pytest.raises(BadInput, match="anew whenever it is called"):
        asked(table, QUERIES[:1])


def test_a_source_that_changes_its_length_is_refused() -> None:
    x, y = dyadic(100)
    table = Chunked([lambda: [(x, y)]], ["a", "b", "c"], starts=[0, 99])
    with pytest.raises(BadInput, match="gave 100 rows, and 99 were announced"):
        asked(table, QUERIES[:1])


def test_nothing_is_not_a_table() -> None:
    table = from_chunks(lambda: [], dimension=D, defects=Defects.SKIP)
    with pytest.raises(BadInput, match="no examples"):
        asked(table, QUERIES[:1])


def test_bad_sources(tmp_path: Path) -> None:
    x, y = dyadic(100)
    np.save(tmp_path / "x.npy", x)
    for make, said in [
        (lambda: from_arrays(x, y[:9]), "shape"),
        (lambda: from_arrays(y, y), "wanted arrays"),
        (lambda: from_arrays(x, y, names=["a"]), "1 names for 3 columns"),
        (lambda: from_arrays(x, y, rows=0), "positive number of rows"),
        (lambda: from_npy(tmp_path / "no.npy", tmp_path / "x.npy"), "cannot be mapped"),
        (lambda: from_npy(tmp_path / "x.npy", tmp_path / "x.npy"), r"\(n, d\) and \(n,\)"),
        (lambda: from_parquet(tmp_path, target="y"), "no .parquet file"),
        (lambda: from_parquet(tmp_path / "t.parquet", target="y"), "no such file"),
        (lambda: from_chunks([], dimension=D), "at least one"),
        (lambda: from_chunks([x], dimension=D), "each a function"),
        (lambda: from_chunks(lambda: [(x, y)]), "neither dimension nor names"),
        (lambda: from_dask(x, y), "wanted a dask array"),
        (lambda: Chunked([lambda: []], ["a"], defects="skip"), "Defects.SKIP"),
        (lambda: Chunked([lambda: []], ["a"], starts=[3]), "starts"),
        (lambda: from_chunks(lambda: None, dimension=D).survey, "gave no chunks"),
        (lambda: from_chunks(lambda: [("ab", y)], dimension=D).survey, "real numbers"),
        (lambda: MonteCarlo(100).means(from_arrays(x, y), [], [], seed=0, turn=0), "Dataset"),
    ]:
        with pytest.raises(BadInput, match=said):
            make()


def test_bad_parquet_is_named(tmp_path: Path) -> None:
    arrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    parquet.write_table(
        arrow.table({"a": [1.0, None, 3.0], "b": ["u", "v", "w"], "y": [1, 2, 3]}),
        tmp_path / "t.parquet",
    )
    for columns, said in [(None, "'b' is of type string"), (["c"], "no column 'c'")]:
        with pytest.raises(BadInput, match=said):
            from_parquet(tmp_path, target="y", columns=columns)
    table = from_parquet(tmp_path, target="y", columns=["a"])
    with pytest.raises(BadInput, match="row 1, column 'a'"):
        asked(table, [Correlation(Ridge(power=1))])
    (tmp_path / "u.parquet").write_bytes(b"PAR1")
    with pytest.raises(BadInput, match=r"u.parquet cannot be read"):
        from_parquet(tmp_path, target="y", columns=["a"])


def test_a_change_of_coordinates_is_lazy() -> None:
    x, y = dyadic(3000)
    table = mapped(from_arrays(x, y, rows=700), lambda x, y: (2 * x, y - 1))
    agree(asked(table), asked(Dataset(2 * x, y - 1)))


def test_arrays_that_follow_the_standard_answer_like_numpy() -> None:
    """Chunk by chunk through DLPack, to the last bit."""
    strict = pytest.importorskip("array_api_strict")
    for dtype in (np.float64, np.float32):
        x, y = dyadic(5000, dtype)
        table = from_arrays(strict.asarray(x), strict.asarray(y), rows=3000)
        assert same_bits(asked(table), asked(from_arrays(x, y, rows=3000)))


def test_torch_tensors_answer_like_numpy() -> None:
    torch = pytest.importorskip("torch")
    x, y = dyadic(5000)
    tensor = torch.tensor(x, requires_grad=True)
    table = from_arrays(tensor, torch.tensor(y), rows=3000)
    assert same_bits(asked(table), asked(from_arrays(x, y, rows=3000)))
    whole = Dataset(tensor.detach(), torch.tensor(y))
    assert same_bits(asked(whole), asked(Dataset(x, y)))
    if torch.cuda.is_available():
        there = from_arrays(tensor.detach().cuda(), torch.tensor(y).cuda(), rows=3000)
        assert same_bits(asked(there), asked(from_arrays(x, y, rows=3000)))
