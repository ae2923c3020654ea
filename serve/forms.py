"""The types of a model's applicants, made from its contract: what a request must look like, for machine and reader.

One description drives three things: msgspec decodes and checks a body against it in one pass, `/openapi.json` shows it,
and serve/applicants.py reads cell by cell, to name every fault, what didn't fit it.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Literal, Union

import msgspec
import numpy as np
from msgspec import UNSET, Meta, Struct, UnsetType, defstruct

from serve.contract import LARGEST, Field
from serve.model import Matrix

NAN = float("nan")

Number = Annotated[float, Meta(ge=-LARGEST, le=LARGEST)]


Whole = Annotated[float, Meta(ge=-LARGEST, le=LARGEST, multiple_of=1)]
"""A whole number that may be written 4.0, as whoever has gaps beside it in a table does."""


class Forms:
    """The typed bodies of a model, and the way of their values into its matrix.

    `named`: an applicant as an object; `vector`: as a list of values; `row`: as a list of the graph's own numbers.
    `score_body`, `predict_body`: the bodies of POST /score and POST /predict. `decode_unbounded` reads the latter
    with numbers of any size: serve/bodies.py compares all those of a large body with the bound at once, and faster.
    """

    def __init__(self, fields: Sequence[Field], most_rows: int) -> None:
        self.fields = tuple(fields)
        self.named = _named(fields)
        self.vector = tuple[tuple(_either(field, [*_words(field)], by_index=True) for field in fields)]  # type: ignore[misc]
        self.row = tuple[tuple(_either(field, [], by_index=True) for field in fields)]  # type: ignore[misc]
        many = Meta(min_length=1, max_length=most_rows)
        applicants = Annotated[list[Union[self.named, self.vector]], many]  # type: ignore[name-defined]  # noqa: UP007
        self.score_body = defstruct(
            "ScoreBody",
            [
                ("applicants", applicants),
                # Four reasons, and no search for changes, unless told otherwise.
                ("reasons", Union[Annotated[float, Meta(ge=0, le=LARGEST, multiple_of=1)], UnsetType], UNSET),  # noqa: UP007
                ("what_would_change", Union[bool, UnsetType], UNSET),  # noqa: UP007
            ],
            forbid_unknown_fields=True,
        )
        self.predict_body = _predict_body(self.row, many)
        unbounded = tuple[tuple(_either(field, [], by_index=True, number=float) for field in fields)]  # type: ignore[misc,valid-type]
        self.decode_score = msgspec.json.Decoder(self.score_body).decode
        self.decode_predict = msgspec.json.Decoder(self.predict_body).decode
        self.decode_unbounded = msgspec.json.Decoder(_predict_body(unbounded, many)).decode
        self._words = [(column, _words(field)) for column, field in enumerate(fields) if field.kind == "category"]
        self._has_id = "id" not in {field.name for field in fields}

    def read(self, applicant: Any) -> Applicant:
        """What the graph takes of a decoded applicant."""
        given: Any = UNSET
        if isinstance(applicant, tuple):
            row, members = list(applicant), 0
        else:
            row = list(msgspec.structs.astuple(applicant))
            members = len(row) - row.count(UNSET)
            if members < len(row):
                row = [None if value is UNSET else value for value in row]
            if self._has_id:
                given = row.pop()
        for column, words in self._words:
            value = row[column]
            # Words, and True and False, have their place in the levels; null stays null, an index is one already.
            if value is not None:
                row[column] = words[value] if value.__class__ in (str, bool) else float(value)
        if given is UNSET:
            given = None
        return Applicant(row, int(given) if given.__class__ is float else given, members)


@dataclass(frozen=True, slots=True)
class Applicant:
    """One value a field, None = missing, the id if one was given, and how many members the object had."""

    row: Sequence[float | None]
    id: str | int | None
    members: int


def to_matrix(rows: Sequence[Sequence[float | None]] | Matrix, width: int) -> Matrix:
    """Rows of equal length, None = missing, as float64, shape (n, width); a matrix is one already."""
    if isinstance(rows, np.ndarray):
        return rows
    # Packed row by row: three times as fast as numpy's own ways from lists, which may hold anything.
    pack = _packer(width)
    try:
        parts = [pack(*row) for row in rows]
    except struct.error:
        # Some value is missing.
        return np.array(rows, dtype=np.float64)
    return np.frombuffer(bytearray().join(parts), np.float64).reshape(-1, width)


@cache
def _packer(width: int) -> Callable[..., bytes]:
    return struct.Struct(f"{width}d").pack


def _named(fields: Sequence[Field]) -> type[Struct]:
    """An object with a member for each field, and an `id` unless a field has that name."""
    members: list[Any] = []
    for column, field in enumerate(fields):
        kind = _either(field, [*_words(field)])
        member = f"field_{column}"
        members.append((member, Union[kind, UnsetType], UNSET) if field.nullable else (member, kind))  # noqa: UP007
    names = {f"field_{column}": field.name for column, field in enumerate(fields)}
    if "id" not in names.values():
        members.append(("id", Union[str, int, Whole, None, UnsetType], UNSET))  # noqa: UP007
    return defstruct("Applicant", members, rename=names, forbid_unknown_fields=True, kw_only=True, gc=False)


def _predict_body(row: Any, many: Meta) -> Any:
    return defstruct("PredictBody", [("data", Annotated[list[row], many])], forbid_unknown_fields=True)


def _either(field: Field, words: Sequence[str | bool], *, by_index: bool = False, number: Any = Number) -> Any:
    """The type of one value: a `number`, or one of the levels; null too where the field may be missing."""
    kinds: list[Any] = [None] if field.nullable else []
    if field.kind == "number":
        kinds.append(number)
    else:
        texts = tuple(word for word in words if isinstance(word, str))
        kinds += [Literal[texts]] if texts else []
        kinds += [bool] if len(texts) < len(words) else []
        # An index may be written 1.0, as whoever takes it from a matrix does.
        kinds += [Annotated[float, Meta(ge=0, le=len(field.levels) - 1, multiple_of=1)]] if by_index else []
    return Union[tuple(kinds)]  # noqa: UP007


def _words(field: Field) -> dict[Any, float]:
    """Each level by its text; a column of booleans has its two words as levels, and takes booleans as well."""
    words: dict[Any, float] = {level: float(index) for index, level in enumerate(field.levels)}
    lower = [level.lower() for level in field.levels]
    if sorted(lower) == ["false", "true"]:
        words |= {True: float(lower.index("true")), False: float(lower.index("false"))}
    return words
