"""Reads a body of POST /score value by value, to report every fault; msgspec, which decodes it first, reports only one.

Used for bodies that msgspec rejects, and for all bodies if msgspec doesn't allow the name of a field.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from itertools import islice
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from model.messages import truncate
from serve.schemas.applicants import ApplicantRules, Applicants, read_applicants
from serve.schemas.json_body import Body, decode_body, parse_error
from serve.schemas.limits import DEFAULT_REASONS, MAX_EVENT_LOOP_CELLS, Offload, check_rows
from serve.schemas.problems import MAX_FAULTS, InvalidApplicants
from serve.schemas.responses import Fault


class RawScoreBody(Struct, frozen=True, forbid_unknown_fields=True):
    """POST /score before its applicants are checked.

    `reasons`: the maximum number of reasons. `what_would_change`: whether to look for changes that would turn a
    refusal.
    """

    applicants: list[Any]
    reasons: Annotated[float, Meta(ge=0, le=1e100, multiple_of=1)] = DEFAULT_REASONS
    what_would_change: bool = False


def read_score_value_by_value(
    body: Body, rules: ApplicantRules, max_rows: int, on_event_loop: bool
) -> tuple[Applicants, RawScoreBody]:
    """The applicants of a body, and the body itself.

    Raises InvalidApplicants with all faults, HTTPProblem for too many rows, and, if `on_event_loop`, Offload for more
    than MAX_EVENT_LOOP_CELLS values.
    """
    members, faults = _read_members(body)
    if "applicants" not in members:
        raise InvalidApplicants(faults)
    rows = members["applicants"]
    check_rows(len(rows), max_rows, what_would_change=members.get("what_would_change") is True)
    if on_event_loop and len(rows) * len(rules.fields) > MAX_EVENT_LOOP_CELLS:
        raise Offload
    try:
        applicants = read_applicants(rows, rules, "/applicants")
    except InvalidApplicants as error:
        if not faults:
            raise
        raise InvalidApplicants([*faults, *error.faults]) from error
    if faults:
        raise InvalidApplicants(faults)
    return applicants, RawScoreBody(**members)


def _read_members(body: Body) -> tuple[dict[str, Any], list[Fault]]:
    """The valid members of a body, and the faults of the others.

    Raises InvalidApplicants for a body that is no JSON object.
    """
    try:
        return msgspec.structs.asdict(decode_body(_decoder(RawScoreBody), body)), []
    except InvalidApplicants as error:
        members: dict[str, Any] = {}
        faults: list[Fault] = []
        known = {field.name: field for field in msgspec.structs.fields(RawScoreBody)}
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
