"""The Parquet files of the output."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from model.session import Model
from score.output import Part
from score.result_columns import result_schema
from score.scorer import Scorer

IDS: list[tuple[pa.DataType, list[Any]]] = [
    (pa.int8(), [-128, 127]),
    (pa.uint16(), [0, 65_535]),
    (pa.int32(), [-(2**31), 2**31 - 1]),
    (pa.uint32(), [0, 2**32 - 1]),
    (pa.int64(), [-(2**63), 2**63 - 1]),
    (pa.uint64(), [2**64 - 1, 0]),
    (pa.string(), ["a", "é"]),
    (pa.float64(), [0.1, 1e300]),
    (pa.date32(), [0, 20_000]),
    (pa.bool_(), [True, False]),
]


@pytest.mark.parametrize(("kind", "values"), IDS, ids=[str(kind) for kind, _ in IDS])
def test_ids_of_every_type_read_back_the_same(
    tmp_path: Path, model: Model, kind: pa.DataType, values: list[Any]
) -> None:
    """Whole numbers are delta-encoded; differences that overflow don't change the values."""
    path, schema = tmp_path / "part.parquet", result_schema(kind, Scorer(model, 0, "id"))
    given = {"id": values, "decision": ["refuse", "refuse"], "points": [-(2**40), 600]}
    columns = [pa.array(given.get(field.name, [None, None]), field.type) for field in schema]

    with Part(path, tmp_path / "rejects.parquet", schema) as part:
        part.write(pa.RecordBatch.from_arrays(columns, schema=schema))

    read = pq.read_table(path)
    assert read.column("id").combine_chunks() == pa.array(values, kind)
    assert read.column("points").to_pylist() == [-(2**40), 600]
    assert read.column("decision").to_pylist() == ["refuse", "refuse"]
