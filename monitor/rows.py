"""Rows of `records` as they are read: one that was forged is left out, and doesn't keep the others from being read.

SQLite takes a value of any type in any column, so that a row can hold what no record has.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Annotated, Any, TypeVar

import msgspec
import numpy as np
import numpy.typing as npt
from msgspec import Meta

from decisions.record import DecisionPayload

Row = TypeVar("Row")

Time = Annotated[int, Meta(ge=-62_135_596_800_000_000, lt=253_402_300_800_000_000)]
"""Microseconds since 1970, of the years 1 to 9999."""

Hash = Annotated[str, Meta(max_length=64)]
"""SHA-256 of a model file; a longer text doesn't fit the key of a tally."""


_decode = msgspec.json.Decoder(list[DecisionPayload]).decode


def convert_rows(rows: Sequence[Iterable[Any]], row_type: type[Row]) -> list[Row]:
    """Rows as values of a type, without those that don't have it."""
    try:
        return msgspec.convert(rows, list[row_type])  # type: ignore[valid-type]
    except msgspec.ValidationError:
        return [converted for row in rows for converted in _convert(row, row_type)]


def _convert(row: Iterable[Any], row_type: type[Row]) -> Iterable[Row]:
    try:
        yield msgspec.convert(row, row_type)
    except msgspec.ValidationError:
        return


def read_inputs(payloads: Sequence[str], width: int) -> tuple[list[int], npt.NDArray[np.float64]]:
    """Which of the payloads of decisions have as many inputs as the model has fields, and these, shape (m, width)."""
    places = list(range(len(payloads)))
    rows = _decode_all(payloads, width)
    if rows is None:
        places = [place for place in places if _decode_all([payloads[place]], width) is not None]
        rows = _decode_all([payloads[place] for place in places], width) or []
    return places, np.array(rows, np.float64).reshape(-1, width)


def _decode_all(payloads: Sequence[str], width: int) -> list[Sequence[float | None]] | None:
    """The inputs of decisions; None if any can't be read."""
    try:
        rows = [payload.inputs for payload in _decode(f"[{','.join(payloads)}]")]
    except msgspec.MsgspecError:
        return None
    return rows if len(rows) == len(payloads) and all(len(row) == width for row in rows) else None
