"""The id column: its type in the output, and its values. A text id has no blanks around it; a blank one is missing."""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import types

from score.columns import decode_views, is_text
from score.errors import ScoringError


def choose_id_type(kinds: Mapping[str, pa.DataType]) -> pa.DataType:
    """The type of the ids in the output, from their type by name of the file: text if the files differ.

    Raises ScoringError for ids that are neither texts nor numbers, dates or the like.
    """
    plain = {name: plain_type(kind) for name, kind in kinds.items()}
    for name, kind in plain.items():
        is_scalar = types.is_primitive(kind) or types.is_decimal(kind) or types.is_string(kind)
        if not is_scalar and not (types.is_binary(kind) and len(set(plain.values())) == 1):
            raise ScoringError(f"{name}: the id is of type {kinds[name]}, expected a text or a number")
    return next(iter(plain.values())) if len(set(plain.values())) == 1 else pa.string()


def plain_type(kind: pa.DataType) -> pa.DataType:
    """The type of ids in the output for a column of this type."""
    if types.is_dictionary(kind):
        return plain_type(kind.value_type)
    if is_text(kind) or types.is_null(kind):
        return pa.string()
    return pa.binary() if types.is_large_binary(kind) or types.is_binary_view(kind) else kind


def read_ids(column: pa.Array, kind: pa.DataType) -> pa.Array:
    """The ids in the type of the output; null where missing."""
    column = decode_views(column.dictionary_decode() if types.is_dictionary(column.type) else column)
    if column.type != kind:
        column = pc.cast(column, kind)
    if not types.is_string(kind):
        return column
    column = pc.utf8_trim_whitespace(column)
    return pc.if_else(pc.equal(column, ""), pa.scalar(None, kind), column)
