"""The Spark engine has the same output as the local one; a single test, so that Spark starts only once."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import csv as arrow_csv
from pyspark.sql import SparkSession

from model.dialect import NO_OPTIONS, DialectOptions
from model.loading import load_model
from score.__main__ import main
from score.errors import ScoringError
from score.manifest import Counts
from score.result_columns import scored_columns
from score.scorer import Scorer
from score.spark import score_with
from score.spark_session import start_spark
from tests.decisions.test_importing import draw as draw_for
from tests.score.dialects import REFUSED, SAME, draw_base, text_of, write_parquet

Draw = Callable[..., pa.Table]


def score(
    session: SparkSession, source: Path, out: Path, scorer: Scorer, content: bytes, options: DialectOptions = NO_OPTIONS
) -> Counts:
    """Score with Spark, telling nobody how files are read."""
    return score_with(session, str(source), str(out), scorer, content, options, lambda *_: None)


def rows(folder: Path) -> list[dict[str, object]]:
    """The rows of a folder of Parquet files sorted by id; Spark keeps no order."""
    found: list[dict[str, object]] = pq.read_table(folder).to_pylist()
    return sorted(found, key=lambda row: str(row["id"]))


def answers(folder: Path) -> list[dict[str, object]]:
    """The rows of a folder of scores without the decision ids, which depend on the file."""
    return [{name: value for name, value in row.items() if name != "decision_id"} for row in rows(folder)]


def compare_engines(
    kind: str, session: SparkSession, scorer: Scorer, content: bytes, table: pa.Table, folder: Path
) -> None:
    """Assert that scores and rejects of both engines are equal, over several files and tasks."""
    is_csv = kind == "csv"
    table = table.set_column(1, "Amount", pa.array([1e200, *table.column("Amount").to_pylist()[1:]]))
    home = table.schema.names[3]
    table = table.set_column(3, home, pa.array(["own", "tent", *table.column(home).to_pylist()[2:]]))
    source, model = folder / "in", folder / "model.onnx"
    source.mkdir(parents=True)
    model.write_bytes(content)
    for number, (start, size) in enumerate([(0, 1000), (1000, 17), (1017, 1984)]):
        part = table.slice(start, size)
        if is_csv:
            arrow_csv.write_csv(part, source / f"{number}.csv")
        else:
            pq.write_table(part, source / f"{number}.parquet")
    if is_csv:
        with (source / "0.csv").open("a") as file:
            file.write("too,few\n")
    one, other = folder / "local", folder / "spark"

    assert main([str(source), str(one), "--model", str(model), "--reasons", "3", "--inputs"]) == 0
    counts = score(session, source, other, replace(scorer, is_with_inputs=True), content)

    assert counts == Counts(3001 + is_csv, 2999, 2 + is_csv)
    assert rows(other / "scores") == rows(one / "scores")
    assert len({row["decision_id"] for row in rows(one / "scores")}) == 2999
    assert rows(other / "rejects") == rows(one / "rejects")
    manifests = [json.loads((out / "manifest.json").read_text()) for out in (one, other)]
    for manifest in manifests:
        del manifest["finished_at"]
        for file in manifest["job"]["files"]:
            file["modified_ns"] //= 1_000_000
    assert manifests[0] == manifests[1]
    assert (other / "_SUCCESS").exists()
    assert not (folder / "spark.unfinished").exists()


def refuse(session: SparkSession, scorer: Scorer, content: bytes, table: pa.Table, folder: Path) -> None:
    """Assert that an existing output, a missing column and an absent path are refused, and nothing is written."""
    source, partial, absent, out = (folder / name for name in ("x.parquet", "y.parquet", "no.parquet", "out"))
    pq.write_table(table, source)
    pq.write_table(table.drop(["Income"]), partial)
    before = {path.name for path in folder.iterdir()}

    for path, target, message in (
        (source, source, "IN and OUT are both .*x.parquet; choose another OUT"),
        (source, folder / "parquet", "parquet exists; choose another OUT"),
        (folder / "parquet" / "in", folder / "parquet" / "in" / "out", "is inside IN, "),
        (partial, out, "has no column 'Income', which the model test needs"),
        (absent, out, "doesn't exist; check the path"),
    ):
        with pytest.raises(ScoringError, match=message):
            score(session, path, target, scorer, content)
    assert {path.name for path in folder.iterdir()} == before


def compare_dialects(session: SparkSession, content: bytes, folder: Path) -> None:
    """Assert that files in every dialect and format have the same scores, and are refused in the same words."""
    scorer = Scorer(load_model(content), 2, "id")
    (folder / "in").mkdir(parents=True)
    pq.write_table(draw_base(), folder / "base.parquet")
    score(session, folder / "base.parquet", folder / "base", scorer, content)
    expected = answers(folder / "base" / "scores")
    for name, table in SAME.items():
        (folder / ("in" if name != "base.txt" else "") / name).write_bytes(table)
    score(session, folder / "in", folder / "out of all", scorer, content)
    assert answers(folder / "out of all" / "scores") == [row for row in expected for _ in range(len(SAME) - 1)]
    of_odd_name = next(name for name in SAME if "[" in name)
    singles = {"base.txt": folder / "base.txt", of_odd_name: folder / "in" / of_odd_name}
    for name, path in (singles | write_parquet(folder)).items():
        assert score(session, path, folder / f"out {name}", scorer, content) == Counts(6, 6, 0), name
        assert answers(folder / f"out {name}" / "scores") == expected, name
    for name, (table, message) in REFUSED.items():
        (folder / name).write_bytes(table)
        with pytest.raises(ScoringError, match=re.escape(message)) as caught:
            score(session, folder / name, folder / "out", scorer, content)
        assert str(caught.value).startswith(str(folder / name))
        assert "\n" not in str(caught.value)
        assert not list(folder.glob("out.*"))
    options = DialectOptions(decimal=".")
    score(session, folder / "thousands.csv", folder / "thousands", scorer, content, options)
    assert answers(folder / "thousands" / "scores") == expected


def score_a_folder(session: SparkSession, content: bytes, folder: Path) -> None:
    """Assert that a file of several blocks and others of a folder are read whole; that nothing gives empty scores."""
    scorer = Scorer(load_model(content), 0, "id")
    (folder / "in").mkdir(parents=True)
    lines = SAME["plain.csv"].decode().splitlines()
    content_of_many = text_of([lines[0], *(f"{number}{lines[1]}" for number in range(200_000)), "short"])
    (folder / "in" / "many.csv").write_bytes(content_of_many)
    (folder / "in" / "one.csv").write_bytes(SAME["utf16.csv"])
    (folder / "in" / "none.csv").write_text(lines[0])
    (folder / "none").mkdir()
    pq.write_table(draw_base().slice(0, 0), folder / "none" / "x.parquet")

    assert score(session, folder / "in", folder / "out", scorer, content) == Counts(200_007, 200_006, 1)
    assert [(row["line"], row["row"]) for row in rows(folder / "out" / "rejects")] == [(200_002, "short")]
    assert score(session, folder / "none", folder / "empty", scorer, content) == Counts(0, 0, 0)
    assert pq.read_table(folder / "empty" / "scores").schema.names == scored_columns(scorer)


def test_the_spark_engine_has_the_output_of_the_local_engine(
    root: Path, scorer: Scorer, content: bytes, money_content: bytes, draw: Draw, tmp_path: Path
) -> None:
    """For Parquet and text tables in any dialect; amounts and rules of a policy; also its refusals."""
    artifact = (root / "artifacts" / "model.onnx").read_bytes()
    with start_spark("local[2]") as session:
        compare_engines("parquet", session, scorer, content, draw(3001), tmp_path / "parquet")
        of_money = Scorer(load_model(money_content), 3, "id")
        compare_engines("csv", session, of_money, money_content, draw_for(money_content, 3001), tmp_path / "csv")
        refuse(session, scorer, content, draw(5), tmp_path)
        compare_dialects(session, artifact, tmp_path / "dialects")
        score_a_folder(session, artifact, tmp_path / "folder")
