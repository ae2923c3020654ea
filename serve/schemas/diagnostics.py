"""Reads a request body value by value, to report every fault; msgspec, which decodes bodies first, reports only one.

Used for bodies that msgspec rejects, and for all bodies of POST /score if msgspec doesn't allow the name of a field.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from itertools import islice
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta, Struct

from model.contract import Field
from model.messages import truncate
from serve.schemas.applicants import Applicants, read_applicants
from serve.schemas.json_body import Body, decode_body, parse_error
from serve.schemas.limits import DEFAULT_REASONS, MAX_EVENT_LOOP_CELLS, Offload, check_rows
from serve.schemas.problems import MAX_FAULTS, InvalidApplicants
from serve.schemas.responses import Fault


class RawPredictBody(Struct, frozen=True, forbid_unknown_fields=True):
    """POST /predict before its values are checked."""

    data: list[Any]


class RawScoreBody(Struct, frozen=True, forbid_unknown_fields=True):
    """POST /score before its applicants are checked.

    `reasons`: the maximum number of reasons. `what_would_change`: whether to look for changes that would turn a
    refusal.
    """

    applicants: list[Any]
    reasons: Annotated[float, Meta(ge=0, le=1e100, multiple_of=1)] = DEFAULT_REASONS
    what_would_change: bool = False


Raw = TypeVar("Raw", bound=RawPredictBody | RawScoreBody)


def read_value_by_value(
    body: Body, kind: type[Raw], fields: Sequence[Field], max_rows: int, on_event_loop: bool
) -> tuple[Applicants, Raw]:
    """The applicants of a body, which are its first member, and the body itself.

    Raises InvalidApplicants with all faults, HTTPProblem for too many rows, and, if `on_event_loop`, Offload for more
    than MAX_EVENT_LOOP_CELLS values.
    """
    key = kind.__struct_fields__[0]
    members, faults = _read_members(body, kind)
    if key not in members:
        raise InvalidApplicants(faults)
    rows = members[key]
    check_rows(len(rows), max_rows, what_would_change=members.get("what_would_change") is True)
    if on_event_loop and len(rows) * len(fields) > MAX_EVENT_LOOP_CELLS:
        raise Offload
    try:
        applicants = read_applicants(rows, fields, f"/{key}", only_numbers=kind is RawPredictBody)
    except InvalidApplicants as error:
        if not faults:
            raise
        raise InvalidApplicants([*faults, *error.faults]) from error
    if faults:
        raise InvalidApplicants(faults)
    return applicants, kind(**members)


def _read_members(body: Body, kind: type[Raw]) -> tuple[dict[str, Any], list[Fault]]:
    """The valid members of a body, and the faults of the others.

    Raises InvalidApplicants for a body that is no JSON object.
    """
    whole: Any = kind
    try:
        return msgspec.structs.asdict(decode_body(_decoder(whole), body)), []
    except InvalidApplicants as error:
        members: dict[str, Any] = {}
        faults: list[Fault] = []
        known = {field.name: field for field in msgspec.structs.fields(kind)}
        try:
            given = _decoder(dict[str, msgspec.Raw])(body)
            for name in given.keys() & known.keys():
                try:
                    members[name] = _decoder(known[name].type)(given[name])
                except msgspec.ValidationError as wrong:
                    fault = parse_error(str(wrong))
                    faults.append(Fault(f"/{name}{fault.pointer}", fault.detail))
        except (msgspec.MsgspecError, RecursionError, ValueError):
            raise error from None
        # Even a small body can have thousands of unknown members.
        unknown = islice((name for name in given if name not in known), MAX_FAULTS + 1)
        faults += [Fault("", truncate(f"Object contains unknown field `{name}`")) for name in unknown]
        missing = [name for name, field in known.items() if field.required and name not in given]
        faults += [Fault("", f"Object missing required field `{name}`") for name in missing]
        return members, sorted(faults, key=lambda fault: fault.pointer)


@cache
def _decoder(kind: Any) -> Callable[[Any], Any]:
    return msgspec.json.Decoder(kind).decode
