"""`Rows`: what the readers of both engines hand to `score_batches`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from model.vocabulary import Decimal
from score.partitions import Partition


class Malformed(NamedTuple):
    """A line of a text table that has no cells: why, and the line."""

    fault: str
    text: str


@dataclass(frozen=True, slots=True)
class Rows:
    """Consecutive rows of one file, with the columns that a scorer reads.

    `lines`: the line of each row in the file, or its number from 1 in a Parquet file. `decimal`: of numbers in text
    columns. `base_id`: see score/decision_ids.py. `partition`: columns that are the same in all rows. `malformed`: by
    number of the row; its cells are null.
    """

    batch: pa.RecordBatch
    lines: npt.NDArray[np.int64]
    decimal: Decimal
    base_id: str
    partition: Partition = field(default_factory=dict)
    malformed: Mapping[int, Malformed] = field(default_factory=dict)

    def column(self, name: str) -> pa.Array:
        """A column of the batch or of the partition."""
        if name not in self.partition:
            return self.batch.column(name)
        index = pa.repeat(pa.scalar(0, pa.int32()), self.batch.num_rows)
        return pa.DictionaryArray.from_arrays(index, pa.array([self.partition[name]], pa.string()))

    def decimal_of(self, name: str) -> Decimal:
        """The decimal mark of a column; in the name of a folder it is a point."""
        return "." if name in self.partition else self.decimal
