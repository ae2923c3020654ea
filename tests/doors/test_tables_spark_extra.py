"""The Spark engine makes the same of text tables as the local one; one test, so that Spark starts only once."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pyarrow.parquet as pq
from pyspark.sql import SparkSession

from model.dialect import NO_OPTIONS
from score.errors import ScoringError
from score.scorer import Scorer
from score.spark import score_with
from score.spark_session import start_spark
from tests.doors.doors import Reading, read_output, read_portfolio, run_main, without_name
from tests.doors.random_tables import draw_table
from tests.doors.small_model import model, model_content
from tests.doors.tables import FAULTY, REFUSED, SAME

N_RANDOM = 40
"""Random tables; each that can be read goes into one folder with all others."""


def score(session: SparkSession, source: Path, out: Path) -> Reading:
    """What Spark makes of a file or a folder."""
    scorer = Scorer(model(), 0, "id")
    try:
        score_with(session, str(source), str(out), scorer, model_content(), NO_OPTIONS, lambda *_: None)
    except ScoringError as error:
        return Reading({}, {}, without_name(str(error), source))
    return read_output(out)


def all_rows(out: Path) -> list[tuple[object, ...]]:
    """Scores and rejects of a folder of tables, in an order that doesn't depend on the engine."""
    scored = pq.read_table(out / "scores", columns=["id", "probability"]).to_pylist()
    rejects = pq.read_table(out / "rejects").to_pylist() if list((out / "rejects").glob("*.parquet")) else []
    return sorted(tuple(map(str, row.values())) for row in [*scored, *rejects])


def write_folder(folder: Path) -> Path:
    """All tables that can be read, with faulty rows too, in every dialect, in one folder."""
    source = folder / "in"
    source.mkdir()
    tables = SAME | {name: content for name, (content, _) in FAULTY.items()}
    for number in range(N_RANDOM):
        name, content = draw_table(Random(number))  # noqa: S311
        path = folder / f"{number} {name}"
        path.write_bytes(content)
        if read_portfolio(path).refusal is None:
            tables[path.name] = content
    for name, content in tables.items():
        (source / name).write_bytes(content)
    return source


def test_spark_makes_the_same_of_every_table(tmp_path: Path) -> None:
    """Scores to the bit and faults of a folder of tables in every dialect; refusals in the same words."""
    source = write_folder(tmp_path)
    assert read_portfolio_folder(source, tmp_path) is None

    with start_spark("local[2]") as session:
        assert score(session, source, tmp_path / "spark").refusal is None
        refusals = {name: refuse(session, tmp_path, name) for name in REFUSED}

    assert all_rows(tmp_path / "spark") == all_rows(tmp_path / "out")
    assert {name: given for name, (given, local) in refusals.items() if given != local} == {}


def refuse(session: SparkSession, folder: Path, name: str) -> tuple[str | None, str | None]:
    """Why Spark and the local engine refuse a table."""
    path = folder / name
    path.write_bytes(REFUSED[name][0])
    return score(session, path, folder / "refused").refusal, read_portfolio(path).refusal


def read_portfolio_folder(source: Path, folder: Path) -> str | None:
    """Score a folder with the local engine into `out`; why it is refused."""
    (folder / "model.onnx").write_bytes(model_content())
    return run_main(source, folder).refusal
