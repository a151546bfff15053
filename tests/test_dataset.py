"""Tables of the user's own, from memory and from files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sqsim.errors import BadInput
from sqsim.problems.dataset import Dataset, least_squares_loss, split, whitened
from sqsim.problems.hypothesis import ReluHypothesis
from sqsim.problems.tables import read_table
from sqsim.seeds import Role, rng

datasets = pytest.importorskip("sklearn.datasets")


def real(name: str) -> Dataset:
    bunch = getattr(datasets, f"load_{name}")()
    return Dataset(bunch.data, bunch.target, list(bunch.feature_names), "target")


@pytest.fixture(params=["diabetes", "breast_cancer"])
def data(request) -> Dataset:
    return real(request.param)


def small(**changes) -> Dataset:
    draw = np.random.default_rng(0)
    parts = {"inputs": draw.standard_normal((20, 3)), "targets": draw.standard_normal(20)}
    return Dataset(**{**parts, **changes})


def test_whitened_tables_have_identity_covariance(data: Dataset) -> None:
    white, whitening = whitened(data)
    n, d = data.inputs.shape
    np.testing.assert_allclose(white.inputs.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(white.inputs.T @ white.inputs / n, np.eye(d), atol=1e-9)
    np.testing.assert_allclose(whitening.apply(data.inputs), white.inputs)
    deviation = data.inputs.std(axis=0)
    back = whitening.invert(white.inputs)
    np.testing.assert_allclose(back / deviation, data.inputs / deviation, atol=1e-10)
    assert white.names == data.names
    # Column j still stands for column j.
    together = (data.inputs / deviation * white.inputs).mean(axis=0)
    assert (together > 0).all()


def test_a_hypothesis_pulled_back_is_the_same_function(data: Dataset) -> None:
    white, whitening = whitened(data)
    hypothesis = ReluHypothesis(
        np.random.default_rng(1).standard_normal(white.inputs.shape[1]), 0.4
    )
    back = whitening.pull_back(hypothesis)
    np.testing.assert_allclose(back(data.inputs), hypothesis(white.inputs), atol=1e-9)


def test_losses_against_scikit_learn(data: Dataset) -> None:
    from sklearn.linear_model import LinearRegression

    fitted = LinearRegression().fit(data.inputs, data.targets)
    loss = float(np.mean((data.targets - fitted.predict(data.inputs)) ** 2))
    assert least_squares_loss(data) == pytest.approx(loss, rel=1e-8)
    assert least_squares_loss(whitened(data)[0]) == pytest.approx(loss, rel=1e-8)
    r2 = 1 - least_squares_loss(data) / float(np.var(data.targets))
    assert r2 == pytest.approx(fitted.score(data.inputs, data.targets), rel=1e-8)


def test_losses_on_a_test_part(data: Dataset) -> None:
    from sklearn.linear_model import LinearRegression

    train, test = split(data, test_fraction=0.25, seed=1)
    fitted = LinearRegression().fit(train.inputs, train.targets)
    loss = float(np.mean((test.targets - fitted.predict(test.inputs)) ** 2))
    assert least_squares_loss(train, test=test) == pytest.approx(loss, rel=1e-6)


def test_split_parts_the_rows(data: Dataset) -> None:
    train, test = split(data, test_fraction=0.3, seed=4)
    again = split(data, test_fraction=0.3, seed=4)
    assert len(test.targets) == round(0.3 * len(data.targets))
    rows = np.concatenate([train.inputs, test.inputs])
    np.testing.assert_array_equal(np.sort(rows, axis=0), np.sort(data.inputs, axis=0))
    np.testing.assert_array_equal(again[1].inputs, test.inputs)
    assert not np.array_equal(split(data, test_fraction=0.3, seed=5)[1].inputs, test.inputs)
    assert (test.names, test.target_name) == (data.names, "target")
    assert test.problem.dimension == data.problem.dimension


def order_of(seed: int, count: int) -> np.ndarray:
    return rng(seed, Role.SPLIT).permutation(count)


def test_a_rare_column_may_be_constant_in_the_test_part_only() -> None:
    x = np.random.default_rng(0).standard_normal((40, 2))
    x[:, 1] = 0
    x[0, 1] = 1
    data = Dataset(x, x[:, 0])
    held = [0 in order_of(seed, 40)[:12] for seed in range(20)]
    assert any(held)
    assert not all(held)
    for seed, rare_is_held in enumerate(held):
        if rare_is_held:
            with pytest.raises(BadInput, match=r"in the training part: constant .* 'x1'"):
                split(data, test_fraction=0.3, seed=seed)
        else:
            train, test = split(data, test_fraction=0.3, seed=seed)
            assert np.ptp(train.inputs[:, 1]) == 1
            assert np.ptp(test.inputs[:, 1]) == 0
    with pytest.raises(BadInput, match="at least 2 in each"):
        split(data, test_fraction=0.01, seed=0)


def test_problem_shows_the_inputs_and_not_the_targets() -> None:
    data = small()
    problem = data.problem
    assert problem is data.problem
    assert (problem.dimension, problem.norm, problem.bias) == (3, None, None)
    assert problem.inputs.table is data.inputs_table
    assert not any("target" in name for name in dir(problem))


def test_tables_are_used_in_place_and_read_only() -> None:
    x = np.random.default_rng(0).standard_normal((20, 3)).astype(np.float32)
    data = small(inputs=x)
    assert data.inputs.dtype == np.float32
    assert np.shares_memory(data.inputs, x)
    assert not data.inputs.flags.writeable
    assert x.flags.writeable
    assert small(inputs=(x > 0).astype(int)).inputs.dtype == np.float64
    assert small().names == ("x0", "x1", "x2")


def with_entry(value: float) -> np.ndarray:
    x = np.random.default_rng(0).standard_normal((20, 3))
    x[4, 1] = value
    return x


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"inputs": with_entry(np.nan)}, r"row 4, column 'x1' .* is nan; fill in"),
        ({"inputs": with_entry(np.inf), "names": "abc"}, r"row 4, column 'b' .* is inf"),
        ({"targets": np.full(20, np.nan), "target_name": "age"}, "column 'age'"),
        ({"targets": np.zeros(19)}, r"\(20, 3\) and targets \(19,\)"),
        ({"targets": np.zeros((20, 1))}, r"targets \(20, 1\)"),
        ({"inputs": np.zeros(20)}, r"inputs have shape \(20,\)"),
        ({"inputs": np.ones((1, 3)), "targets": np.ones(1)}, "n >= 2"),
        ({"names": ("a",)}, "1 names for 3 columns"),
        ({"inputs": [["a", "b", "c"]] * 20}, "inputs are not real numbers"),
        ({"targets": np.ones(20) * 1j}, "targets are not real numbers"),
        ({"inputs": np.ones((20, 3)), "names": "abc"}, r"constant column\(s\) 'a', 'b', 'c'"),
    ],
)
def test_bad_tables_say_what_is_wrong(changes, words: str) -> None:
    with pytest.raises(BadInput, match=words):
        small(**changes)


def test_dependent_columns_are_named() -> None:
    x = np.random.default_rng(0).standard_normal((50, 4))
    x[:, 3] = 5 * x[:, 0] - x[:, 1] + 3
    with pytest.raises(BadInput, match=r"column.*linear combinations"):
        whitened(Dataset(x, x[:, 0], tuple("abcd")))
    with pytest.raises(BadInput, match="linear combinations"):
        whitened(Dataset(x[:3], x[:3, 0]))
    with pytest.raises(BadInput, match="linear combinations"):
        whitened(Dataset(x.astype(np.float32), x[:, 0]))


def columns(data: Dataset) -> dict[str, np.ndarray]:
    return {**dict(zip(data.names, data.inputs.T, strict=True)), "target": data.targets}


def write_csv(file: Path, table: dict[str, np.ndarray]) -> None:
    rows = [",".join(f'"{name}"' for name in table)]
    cells = zip(*(values.tolist() for values in table.values()), strict=True)
    rows += [",".join(map(repr, row)) for row in cells]
    file.write_text("\n".join(rows) + "\n", encoding="utf-8-sig")


def write_parquet(file: Path, table: dict[str, np.ndarray]) -> None:
    arrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    parquet.write_table(arrow.table(table), file)


def write_npz(file: Path, table: dict[str, np.ndarray]) -> None:
    np.savez(file, **table)


WRITERS = {".csv": write_csv, ".parquet": write_parquet, ".npz": write_npz}


@pytest.mark.parametrize("suffix", list(WRITERS))
def test_files_hold_what_was_written(tmp_path: Path, suffix: str, data: Dataset) -> None:
    file = tmp_path / f"table{suffix}"
    WRITERS[suffix](file, columns(data))
    read = read_table(file, target="target")
    np.testing.assert_array_equal(read.inputs, data.inputs)
    np.testing.assert_array_equal(read.targets, data.targets)
    assert read.names == data.names
    assert read.target_name == "target"
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize("suffix", list(WRITERS))
def test_missing_targets_are_helped_with(tmp_path: Path, suffix: str) -> None:
    file = tmp_path / f"table{suffix}"
    WRITERS[suffix](file, columns(small()))
    with pytest.raises(BadInput, match=r"no column 'targets' among 'x0'.*did you mean 'target'"):
        read_table(file, target="targets")


@pytest.mark.parametrize("suffix", [".parquet", ".npz"])
def test_cells_that_are_not_finite_are_named(tmp_path: Path, suffix: str) -> None:
    file, table = tmp_path / f"table{suffix}", columns(small())
    WRITERS[suffix](file, {**table, "x1": with_entry(np.nan)[:, 1]})
    with pytest.raises(BadInput, match="row 5, column 'x1' is nan"):
        read_table(file, target="target")
    WRITERS[suffix](file, {**table, "x1": np.array(["m", "f"] * 10)})
    with pytest.raises(BadInput, match=r"row 1, column 'x1' is .*not a number"):
        read_table(file, target="target")


def test_npz_may_hold_one_matrix(tmp_path: Path) -> None:
    data, file = small(), tmp_path / "table.npz"
    np.savez(file, X=data.inputs.astype(np.float32), y=data.targets, names=np.array(list("abc")))
    read = read_table(file, target="y")
    assert read.names == ("a", "b", "c")
    assert read.inputs.dtype == np.float32
    with pytest.raises(BadInput, match="no column 'z' among 'y'"):
        read_table(file, target="z")
    np.savez(file, inputs=with_entry(np.inf), y=data.targets)
    with pytest.raises(BadInput, match=r"row 5, column 'inputs\[1\]' is inf"):
        read_table(file, target="y")
    np.savez(file, inputs=data.inputs, y=data.targets[1:])
    with pytest.raises(BadInput, match=r"shape \(19,\); wanted one number"):
        read_table(file, target="y")
    np.savez(file, a=data.inputs, y=data.targets)
    with pytest.raises(BadInput, match="wanted 1-D columns"):
        read_table(file, target="y")
    np.savez(file, a=np.array([{}], dtype=object), y=data.targets)
    with pytest.raises(BadInput, match="cannot be read"):
        read_table(file, target="y")


def test_parquet_of_other_number_types(tmp_path: Path) -> None:
    arrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    file = tmp_path / "table.parquet"
    table = {
        "flag": arrow.array([True, False, True]),
        "big": arrow.array([2**60, 1, 2], arrow.int64()),
        "small": arrow.array([1, 2, 3], arrow.uint8()),
        "y": arrow.array([0.5, 1.5, -1.0], arrow.float32()),
    }
    parquet.write_table(arrow.table(table), file)
    read = read_table(file, target="y")
    np.testing.assert_array_equal(read.inputs, [[1, 2.0**60, 1], [0, 1, 2], [1, 2, 3]])
    table["small"] = arrow.array([1, None, 3], arrow.uint8())
    parquet.write_table(arrow.table(table), file)
    with pytest.raises(BadInput, match="row 2, column 'small' is empty"):
        read_table(file, target="y")


def test_parquet_without_pyarrow_says_what_to_install(tmp_path: Path, monkeypatch) -> None:
    import sys

    file = tmp_path / "table.parquet"
    file.write_bytes(b"")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(BadInput, match=r"sqsim\[data\]"):
        read_table(file, target="y")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a,y\n1,2\n,3\n", r"row 2 \(line 3\), column 'a' is empty; fill in"),
        ("a,y\n1,2\n\nx,3\n", r"row 2 \(line 4\), column 'a' is 'x', not a number"),
        ("a,y\n1,nan\n2,3\n", r"row 1 \(line 2\), column 'y' is 'nan'"),
        ("a,y\n1,1e999\n2,3\n", r"row 1 \(line 2\), column 'y' is '1e999'"),
        ("a,y\n1_000,2\n", "'1_000', not a number"),
        ("a,y\n1,2,3\n", r"row 1 \(line 2\) has 3 cells; the header has 2"),
        ("1,2\n3,4\n", "must name the columns"),
        ("", "must name the columns"),
        ("a,a,y\n1,2,3\n", "columns named twice: a"),
        ("a,,y\n1,2,3\n", "columns without a name"),
        ("y\n1\n2\n", "the only column is 'y'"),
        ("a;y\n1;2\n", "separated by something else"),
        ("a,y\n1,2\n", "n >= 2"),
        ("a,y\n1,2\n1,3\n", r"constant column\(s\) 'a'"),
        ('a,y\n"1,2\n', "cannot be read"),
    ],
)
def test_bad_csv_names_the_place(tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "table.csv"
    file.write_text(text)
    with pytest.raises(BadInput, match=words):
        read_table(file, target="y")


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no such file"):
        read_table(tmp_path / "none.csv", target="y")
    with pytest.raises(BadInput, match=r"ends in \.csv, \.parquet, \.npz"):
        read_table(tmp_path / "table.xlsx", target="y")
    for suffix in WRITERS:
        file = tmp_path / f"garbage{suffix}"
        file.write_bytes(b"\xff\xfe\x00garbage\x81" * 9)
        with pytest.raises(BadInput, match=r"cannot be read|must name|no column"):
            read_table(file, target="y")
