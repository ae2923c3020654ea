"""The msgspec types of the request bodies of a model, made from its fields: for decoding, and for GET /openapi.json."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Any, Literal, Union

from msgspec import UNSET, Meta, Struct, UnsetType, defstruct

from model.contract import MAX_MAGNITUDE, Field
from model.vocabulary import OTHER_LEVEL, index_levels
from serve.schemas.applicants import ApplicantRules

WholeNumber = Annotated[float, Meta(ge=-MAX_MAGNITUDE, le=MAX_MAGNITUDE, multiple_of=1)]
"""A whole number that may be written 4.0, as pandas does in a column with missing values."""

Id = Union[str, int, WholeNumber, None]  # noqa: UP007


def applicant_type(rules: ApplicantRules, rename: dict[str, str] | None = None) -> type[Struct]:
    """The type of an object with a member for each field, `field_0` and so on, and for each id, `id_0` and so on.

    `rename`: these names → others. Raises ValueError for a name that msgspec doesn't allow.
    """
    kinds = [value_type(field, [*index_levels(field.levels)]) for field in rules.fields]
    return _object_type("Applicant", rules, kinds, Id, rename)


def predict_shapes(rules: ApplicantRules, row_count: Meta) -> tuple[Any, ...]:
    """The types that POST /predict takes beside rows of numbers: a list, an object, columns, pandas' split orient."""
    kinds = [predict_value_type(field) for field in rules.fields]
    record: Any = _object_type("PredictRecord", rules, kinds, Id)
    vector: Any = tuple[tuple(predict_value_type(field, by_index=True) for field in rules.fields)]  # type: ignore[misc]
    column_kinds = [_column_type(kind, row_count) for kind in kinds]
    columns = _object_type("PredictColumns", rules, column_kinds, _column_type(Id, row_count))
    cell = Union[float, str, bool, None]  # noqa: UP007
    members: list[Any] = [
        ("columns", list[str]),
        ("data", Annotated[list[list[cell]], row_count]),
        ("index", Union[list[Any], UnsetType], UNSET),  # noqa: UP007
    ]
    split = defstruct("PredictSplit", members, forbid_unknown_fields=True)
    return Annotated[list[Union[record, vector]], row_count], record, columns, split  # noqa: UP007


def _column_type(kind: Any, row_count: Meta) -> Any:
    """The values of all applicants: a list, or by row, as pandas.DataFrame.to_json writes them."""
    return Union[Annotated[list[kind], row_count], Annotated[dict[str, kind], row_count]]  # noqa: UP007


def _object_type(
    name: str, rules: ApplicantRules, kinds: Sequence[Any], id_kind: Any, rename: dict[str, str] | None = None
) -> type[Struct]:
    members: list[Any] = []
    for column, (field, kind) in enumerate(zip(rules.fields, kinds, strict=True)):
        member = f"field_{column}"
        members.append((member, Union[kind, UnsetType], UNSET) if field.nullable else (member, kind))  # noqa: UP007
    members += [(f"id_{number}", Union[id_kind, UnsetType], UNSET) for number in range(len(rules.id_names))]  # noqa: UP007
    return defstruct(
        name, members, rename=rename, forbid_unknown_fields=not rules.ignores_unknown, kw_only=True, gc=False
    )


def score_body_type(named: Any, vector: Any, row_count: Meta) -> Any:
    """The body of POST /score."""
    applicants = Annotated[list[Union[named, vector]], row_count]  # noqa: UP007
    members: list[Any] = [
        ("applicants", applicants),
        ("reasons", Union[Annotated[float, Meta(ge=0, le=MAX_MAGNITUDE, multiple_of=1)], UnsetType], UNSET),  # noqa: UP007
        ("what_would_change", Union[bool, UnsetType], UNSET),  # noqa: UP007
    ]
    return defstruct("ScoreBody", members, forbid_unknown_fields=True)


def predict_body_type(row: Any, row_count: Meta) -> Any:
    """The body of POST /predict with numbers alone."""
    return defstruct("PredictBody", [("data", Annotated[list[row], row_count])], forbid_unknown_fields=True)


def value_type(field: Field, levels: Sequence[str | bool], *, by_index: bool = False, number: Any = None) -> Any:
    """The type of a value: a number within the field's limits, or a level as text, boolean or index; null if the field
    is nullable.

    `number`: a type to be taken for numbers instead.
    """
    kinds: list[Any] = [None] if field.nullable else []
    if field.kind == "number":
        kinds.append(number or _number_type(field))
    else:
        texts = tuple(level for level in levels if isinstance(level, str))
        if OTHER_LEVEL in texts:
            kinds.append(Annotated[str, Meta(pattern=r"\S")])
        elif texts:
            kinds.append(Literal[texts])
        kinds += [bool] if len(texts) < len(levels) else []
        # An index may be written 1.0, as in a JSON list made from a float matrix.
        kinds += [Annotated[float, Meta(ge=0, le=len(field.levels) - 1, multiple_of=1)]] if by_index else []
    return Union[tuple(kinds)]  # noqa: UP007


def _number_type(field: Field) -> Any:
    lowest, highest = field.limits
    return Annotated[float, Meta(ge=lowest, le=highest)]


def predict_value_type(field: Field, *, by_index: bool = False) -> Any:
    """The type of a value of POST /predict, which takes true and false for numbers too; by name, a level that is a
    whole number may be sent as a number.
    """
    number: Any = Union[bool, _number_type(field)]  # noqa: UP007
    kind = value_type(field, [*index_levels(field.levels)], by_index=by_index, number=number)
    whole = tuple(int(level) for level in field.levels if re.fullmatch(r"0|-?[1-9][0-9]{0,14}", level))
    return kind if by_index or not whole else Union[kind, Literal[whole]]  # noqa: UP007
