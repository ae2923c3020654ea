"""The Spark engine has the same output as the local one; a single test, so that Spark starts only once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import csv as arrow_csv
from pyspark.sql import SparkSession

from score import spark as engine
from score.__main__ import main
from score.batches import Scorer
from score.errors import ScoringError
from score.output import Counts

Draw = Callable[..., pa.Table]


def rows(folder: Path) -> list[dict[str, object]]:
    """The rows of a folder of Parquet files sorted by id; Spark keeps no order."""
    found: list[dict[str, object]] = pq.read_table(folder).to_pylist()
    return sorted(found, key=lambda row: str(row["id"]))


def compare_engines(
    kind: str, session: SparkSession, scorer: Scorer, content: bytes, table: pa.Table, folder: Path
) -> None:
    """Assert that scores and rejects of both engines are equal, over several files and tasks."""
    is_csv = kind == "csv"
    table = table.set_column(1, "Amount", pa.array([1e200, *table.column("Amount").to_pylist()[1:]]))
    table = table.set_column(3, "Home, now", pa.array(["own", "tent", *table.column("Home, now").to_pylist()[2:]]))
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

    assert main([str(source), str(one), "--model", str(model), "--reasons", "3"]) == 0
    counts = engine._score(session, str(source), str(other), scorer, content)

    assert counts == Counts(3001 + is_csv, 2999, 2 + is_csv)
    assert rows(other / "scores") == rows(one / "scores")
    assert [row["fault"] for row in rows(other / "rejects")] == [row["fault"] for row in rows(one / "rejects")]
    assert (other / "_SUCCESS").exists()
    assert not (folder / "spark.unfinished").exists()


def refuse(session: SparkSession, scorer: Scorer, content: bytes, table: pa.Table, folder: Path) -> None:
    """Assert that an existing output, a missing column and an absent path are refused, and nothing is written."""
    source, partial, absent, out = (folder / name for name in ("x.parquet", "y.parquet", "no.parquet", "out"))
    pq.write_table(table, source)
    pq.write_table(table.drop(["Income"]), partial)
    before = {path.name for path in folder.iterdir()}

    for path, target, message in (
        (source, source, "x.parquet exists; remove it, or choose another OUT"),
        (partial, out, "has no column 'Income', which the model test needs"),
        (absent, out, "doesn't exist; check the path"),
    ):
        with pytest.raises(ScoringError, match=message):
            engine._score(session, str(path), str(target), scorer, content)
    assert {path.name for path in folder.iterdir()} == before


def test_the_spark_engine_has_the_output_of_the_local_engine(
    scorer: Scorer, content: bytes, draw: Draw, tmp_path: Path
) -> None:
    """For Parquet and CSV."""
    with engine.start_spark("local[2]") as session:
        compare_engines("parquet", session, scorer, content, draw(3001), tmp_path / "parquet")
        compare_engines("csv", session, scorer, content, draw(3001), tmp_path / "csv")
        refuse(session, scorer, content, draw(5), tmp_path)
