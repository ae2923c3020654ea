"""The Spark engine gives what the local one gives; Spark is started once for all of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
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

pytestmark = pytest.mark.xdist_group("spark")

Draw = Callable[..., pa.Table]


@pytest.fixture(scope="module")
def session() -> Iterator[SparkSession]:
    """Spark on two threads of this machine."""
    with engine.start_spark("local[2]") as session:
        yield session


def rows(folder: Path) -> list[dict[str, object]]:
    """The rows of a folder of Parquet files, by id; Spark keeps no order."""
    found: list[dict[str, object]] = pq.read_table(folder).to_pylist()
    return sorted(found, key=lambda row: str(row["id"]))


@pytest.mark.parametrize("kind", ["parquet", "csv"])
def test_both_engines_give_the_same(
    session: SparkSession, scorer: Scorer, content: bytes, model_path: Path, draw: Draw, tmp_path: Path, kind: str
) -> None:
    """Probabilities to the last bit, reasons, rejects and their faults, over several files and tasks."""
    table = draw(3001)
    table = table.set_column(1, "Amount", pa.array([1e200, *table.column("Amount").to_pylist()[1:]]))
    table = table.set_column(3, "Home, now", pa.array(["own", "tent", *table.column("Home, now").to_pylist()[2:]]))
    source = tmp_path / "in"
    source.mkdir()
    for number, start in enumerate((0, 1000, 1017)):
        part = table.slice(start, (1000, 17, 1984)[number])
        if kind == "csv":
            arrow_csv.write_csv(part, source / f"{number}.csv")
        else:
            pq.write_table(part, source / f"{number}.parquet")
    if kind == "csv":
        with (source / "0.csv").open("a") as file:
            file.write("too,few\n")
    one, other = tmp_path / "local", tmp_path / "spark"

    assert 0 == main([str(source), str(one), "--model", str(model_path), "--reasons", "3"])
    counts = engine._score(session, str(source), str(other), scorer, content)

    assert Counts(3001 + (kind == "csv"), 2999, 2 + (kind == "csv")) == counts
    assert rows(one / "scores") == rows(other / "scores")
    assert [row["fault"] for row in rows(one / "rejects")] == [row["fault"] for row in rows(other / "rejects")]
    assert (other / "_SUCCESS").exists()
    assert not (tmp_path / "spark.unfinished").exists()


def test_other_scores_are_never_overwritten(
    session: SparkSession, scorer: Scorer, content: bytes, draw: Draw, tmp_path: Path
) -> None:
    """Whatever stands where OUT should be."""
    pq.write_table(draw(5), tmp_path / "x.parquet")
    (tmp_path / "out").mkdir()

    with pytest.raises(ScoringError, match="out exists; remove it, or choose another OUT"):
        engine._score(session, str(tmp_path / "x.parquet"), str(tmp_path / "out"), scorer, content)


def test_a_missing_column_is_named_before_anything_runs(
    session: SparkSession, scorer: Scorer, content: bytes, draw: Draw, tmp_path: Path
) -> None:
    """As by the local engine."""
    pq.write_table(draw(5).drop(["Income"]), tmp_path / "x.parquet")

    with pytest.raises(ScoringError, match="has no column 'Income', which the model test needs"):
        engine._score(session, str(tmp_path / "x.parquet"), str(tmp_path / "out"), scorer, content)
    assert ["x.parquet"] == [path.name for path in tmp_path.iterdir()]


def test_an_absent_path_is_named(session: SparkSession, scorer: Scorer, content: bytes, tmp_path: Path) -> None:
    """In one sentence."""
    with pytest.raises(ScoringError, match="doesn't exist; check the path"):
        engine._score(session, str(tmp_path / "no.parquet"), str(tmp_path / "out"), scorer, content)
