"""What is written reads back: whatever type an id has, to its last bit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from score.answers import answer_schema
from score.output import Part

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
def test_an_id_keeps_its_type_and_its_value(tmp_path: Path, kind: pa.DataType, values: list[Any]) -> None:
    """Whole numbers are packed by their differences, which may overflow; nobody who reads them sees that."""
    ids, path = pa.array(values, kind), tmp_path / "part.parquet"
    words = [pa.DictionaryArray.from_arrays(pa.array([0, 0], pa.int16()), pa.array([word])) for word in ("refuse", "1")]
    gaps = [pa.nulls(2, pa.string())] * 2
    columns = [ids, pa.array([0.9, 0.5]), words[0], pa.array([-(2**40), 600]), words[1], *gaps]

    with Part(path, tmp_path / "rejects.parquet", kind, 0) as part:
        part.write(pa.RecordBatch.from_arrays(columns, schema=answer_schema(kind, 0)))

    read = pq.read_table(path)
    assert ids == read.column("id").combine_chunks()
    assert [-(2**40), 600] == read.column("points").to_pylist()
    assert ["refuse", "refuse"] == read.column("decision").to_pylist()
