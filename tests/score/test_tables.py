"""Portfolios as people have them: the same applicants in every dialect and format, or one sentence."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from score.__main__ import main
from tests.score.dialects import REFUSED, SAME, Written, draw_base, write_parquet

ARTIFACT = Path("artifacts/model.onnx")


@pytest.fixture(scope="module")
def expected(root: Path, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, object]]:
    """The scores of the base."""
    folder = tmp_path_factory.mktemp("base")
    pq.write_table(draw_base(), folder / "x.parquet")
    return run(folder / "x.parquet", folder / "out", root / ARTIFACT)


def run(source: Path, out: Path, model: Path, *options: str) -> list[dict[str, object]]:
    """The scores of a portfolio, by id, without those of a single file: its decision ids."""
    assert main([str(source), str(out), "--model", str(model), "--reasons", "2", *options]) == 0
    rows: list[dict[str, object]] = pq.read_table(out / "scores").drop(["decision_id"]).to_pylist()
    return sorted(rows, key=lambda row: str(row["id"]))


@pytest.mark.parametrize("name", SAME)
def test_a_text_table_has_the_scores_of_the_base(
    root: Path, tmp_path: Path, name: str, expected: list[dict[str, object]], capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever its dialect, which is printed."""
    path = tmp_path / name
    path.write_bytes(SAME[name])

    assert run(path, tmp_path / "out", root / ARTIFACT) == expected
    assert capsys.readouterr().err.startswith("read as: ")


def test_a_parquet_file_or_folder_has_the_scores_of_the_base(
    root: Path, tmp_path: Path, expected: list[dict[str, object]]
) -> None:
    """Every layout of text, columns in the names of folders, CSV and Parquet together."""
    for name, path in write_parquet(tmp_path).items():
        assert run(path, tmp_path / f"out {name}", root / ARTIFACT) == expected, name


@pytest.mark.parametrize("name", REFUSED)
def test_a_file_that_can_not_be_read_is_refused_in_one_sentence(
    root: Path, tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 2, no output."""
    content, message = REFUSED[name]
    path = tmp_path / name
    path.write_bytes(content)

    assert main([str(path), str(tmp_path / "out"), "--model", str(root / ARTIFACT)]) == 2

    (line,) = [line for line in capsys.readouterr().err.splitlines() if not line.startswith("read as")]
    assert line.startswith(f"can't score: {path}")
    assert message in line
    assert not (tmp_path / "out").exists()


def test_what_is_in_doubt_is_said_with_an_option(
    root: Path, tmp_path: Path, expected: list[dict[str, object]], capsys: pytest.CaptureFixture[str]
) -> None:
    """An unfinished run with other options is not resumed; the manifest has the dialect."""
    path = tmp_path / "thousands.csv"
    path.write_bytes(REFUSED["thousands.csv"][0])

    rows = run(path, tmp_path / "point", root / ARTIFACT, "--decimal", ".")
    other = run(path, tmp_path / "comma", root / ARTIFACT, "--decimal", ",", "--separator", ",", "--encoding", "cp1252")

    assert rows == expected
    assert [row["id"] for row, one in zip(other, expected, strict=True) if row != one] == ["00001"]
    assert '"thousands.csv": {' in (tmp_path / "comma" / "manifest.json").read_text()
    assert "read as: ',', decimal comma, cp1252 (thousands.csv)" in capsys.readouterr().err
    assert main([str(path), str(tmp_path / "point"), "--model", str(root / ARTIFACT), "--reasons", "2"]) == 2


NUMBERS = st.integers(0, 9_999_999)
WRITTEN = st.builds(
    Written,
    separator=st.sampled_from([",", ";", "\t", "|"]),
    decimal=st.sampled_from([".", ","]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252"]),
    line_end=st.sampled_from(["\n", "\r\n", "\r"]),
    is_quoted=st.booleans(),
    padding=st.sampled_from(["", " "]),
    is_trailing=st.booleans(),
    is_compressed=st.booleans(),
)
LEVELS: dict[str, dict[str | None, list[str]]] = {
    "Home, now": {"own": ["own", "own "], "rent": ["rent"], None: ["", "NA"]},
    "Client": {"True": ["True", "true", "TRUE"], "False": ["False", " false"]},
    "Rooms": {"1": ["1", "1.0"], "3": ["3"], None: ["", "null"]},
}
"""Field → level → how it may be written."""


def write_number(cents: int, written: Written, draw: Callable[..., str]) -> str:
    """A number with two decimals, perhaps with a mark for thousands or a currency sign."""
    group = draw(st.sampled_from(["", "'", " ", "." if written.decimal == "," else ","]))
    text = f"{cents // 100:,}".replace(",", group) + f"{written.decimal}{cents % 100:02}"
    return draw(st.sampled_from(["", "$", "+"])) + text


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), written=WRITTEN)
def test_a_table_in_any_dialect_has_the_scores_of_the_clean_table(
    model_path: Path, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject, written: Written
) -> None:
    """To the bit, for random applicants, marks, words and encodings; a bad level is rejected in both."""
    folder = tmp_path_factory.mktemp("dialect")
    names = ["id", "", "Amount", "Income", "Home, now", "Client", "Rooms"]
    clean: dict[str, list[object]] = {name: [] for name in names if name}
    rows = [[f" {name} " for name in names]]
    for number in range(data.draw(st.integers(1, 8))):
        cells = [data.draw(st.sampled_from(["é-", "ü ", "A"])) + str(number)]
        clean["id"].append(cells[0])
        cells.append(data.draw(st.sampled_from(["", "x", "1"])))
        for name in ("Amount", "Income"):
            cents = data.draw(NUMBERS)
            clean[name].append(cents / 100)
            cells.append(write_number(cents, written, data.draw))
        for name, levels in LEVELS.items():
            level = data.draw(st.sampled_from([*levels, *(["tent"] if name == "Home, now" else [])]))
            clean[name].append(level)
            words = [word for word in levels.get(level, ["tent "]) if "." not in word or written.decimal == "."]
            cells.append(data.draw(st.sampled_from(words)))
        rows.append(cells)
    (folder / f"x{written.suffix()}").write_bytes(written.write(rows))
    pq.write_table(pa.table({name: pa.array(column) for name, column in clean.items()}), folder / "x.parquet")

    found = run(folder / f"x{written.suffix()}", folder / "one", model_path)

    assert found == run(folder / "x.parquet", folder / "other", model_path)
    assert rejects(folder / "one") == rejects(folder / "other")
    assert len(found) + len(rejects(folder / "one")) == len(rows) - 1
    assert all(math.isfinite(np.float64(str(row["probability"]))) for row in found)


def rejects(out: Path) -> list[tuple[object, object, object]]:
    """Id, fault and content of the rejected rows."""
    if not list((out / "rejects").iterdir()):
        return []
    rows = pq.read_table(out / "rejects").to_pylist()
    return [(row["id"], row["fault"], row["row"]) for row in rows]
