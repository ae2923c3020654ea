"""A request body that doesn't fit its type, read again cell by cell to name everything that is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cache
from itertools import islice
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta, Struct

from model.contract import Field
from serve.schemas.applicants import Applicants, cut, read_applicants
from serve.schemas.problems import MOST_FAULTS, InvalidApplicants, Offload, too_large
from serve.schemas.responses import Fault

Body = bytes | bytearray

ROWS_OF_CHANGES = 100
"""Looking for what would change one refusal counts as so many rows."""

CELLS_ON_LOOP = 2_000
"""Reading cell by cell takes some microseconds each: more are read in a thread."""


class RawPredictBody(Struct, frozen=True, forbid_unknown_fields=True):
    """POST /predict before its cells are checked."""

    data: list[Any]


class RawScoreBody(Struct, frozen=True, forbid_unknown_fields=True):
    """POST /score before its applicants are checked.

    `reasons`: how many at most; `what_would_change`: whether to look for changes that turn a refusal.
    """

    applicants: list[Any]
    reasons: Annotated[float, Meta(ge=0, le=1e100, multiple_of=1)] = 4
    what_would_change: bool = False


Decoded = TypeVar("Decoded")
Raw = TypeVar("Raw", bound=RawPredictBody | RawScoreBody)


def check_rows(rows: int, most: int, *, what_would_change: bool = False) -> None:
    """Raise HTTPProblem for more rows than one request may hold."""
    rows *= ROWS_OF_CHANGES if what_would_change else 1
    if rows > most:
        note = f"{most:,} rows, where looking for changes counts as {ROWS_OF_CHANGES}"
        raise too_large("too many applicants", f"{rows:,} rows", note)


def read_by_cells(
    body: Body, kind: type[Raw], fields: Sequence[Field], most_rows: int, on_loop: bool
) -> tuple[Applicants, Raw]:
    """The applicants of a body, under its first member, and the body as a whole.

    Raises InvalidApplicants with all that is wrong with both, HTTPProblem for too many rows, and Offload on the event
    loop for more cells than it has time for.
    """
    key = kind.__struct_fields__[0]
    members, faults = _read_members(body, kind)
    if key not in members:
        raise InvalidApplicants(faults)
    rows = members[key]
    check_rows(len(rows), most_rows, what_would_change=members.get("what_would_change") is True)
    if on_loop and len(rows) * len(fields) > CELLS_ON_LOOP:
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
    """The members of a body that can be read, and the faults of the others, each looked at by itself.

    Raises InvalidApplicants for a body that is no JSON object.
    """
    whole: Any = kind
    try:
        return msgspec.structs.asdict(_decode(_decoder(whole), body)), []
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
                    fault = fault_of(str(wrong))
                    faults.append(Fault(f"/{name}{fault.pointer}", fault.detail))
        except (msgspec.MsgspecError, RecursionError, ValueError):
            raise error from None
        # A small body may have thousands.
        unknown = islice((name for name in given if name not in known), MOST_FAULTS + 1)
        faults += [Fault("", cut(f"Object contains unknown field `{name}`")) for name in unknown]
        missing = [name for name, field in known.items() if field.required and name not in given]
        faults += [Fault("", f"Object missing required field `{name}`") for name in missing]
        return members, sorted(faults, key=lambda fault: fault.pointer)


@cache
def _decoder(kind: Any) -> Callable[[Any], Any]:
    return msgspec.json.Decoder(kind).decode


def _decode(decode: Callable[[Body], Decoded], body: Body) -> Decoded:
    try:
        return decode(body)
    except RecursionError as error:
        raise InvalidApplicants([Fault("", "the body is nested too deeply")]) from error
    except UnicodeDecodeError as error:
        raise InvalidApplicants([Fault("", "the body is not UTF-8")]) from error
    except msgspec.MsgspecError as error:
        raise InvalidApplicants([fault_of(str(error))]) from error


def fault_of(message: str) -> Fault:
    """msgspec's "what - at `$.data[0]`" as a fault with a JSON pointer."""
    if message.startswith("Object contains unknown field"):
        # What follows is the client's own text; these objects stand at the root of the body.
        return Fault("", cut(message))
    detail, _, path = message.rpartition(" - at `$")
    detail = cut(detail or path, 200)
    path = path if " - at `$" in message else ""
    return Fault("".join(f"/{part}" for part in re.findall(r"[^.\[\]`]+", path)), detail)
