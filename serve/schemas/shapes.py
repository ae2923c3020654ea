"""The other bodies of POST /predict: lists of records or rows, one flat object, columns, and pandas' split orient.

    [{field: value}, [value, …], …]    {field: value}    {field: [value, …]}    {field: {row: value}}
    {"columns": [field, …], "data": [[value, …], …]}

Each may be the whole body, or stand in one of the members MEMBERS of an object, as services of Flask, FastAPI, MLflow
and TensorFlow take it. What an object means is decided by the names of the model's fields first: a member with the
name of a field holds values of that field, unless it holds rows, which no field has.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from typing import Any

import msgspec
from msgspec import Struct

from model.messages import quote_value, truncate
from model.session import Matrix
from serve.schemas.applicants import ApplicantRules, escape_pointer, find_wrong_names, read_applicants
from serve.schemas.json_body import Body, decode_body, parse_error
from serve.schemas.limits import MAX_EVENT_LOOP_CELLS, MAX_EVENT_LOOP_JSON_BYTES, Offload, check_rows
from serve.schemas.problems import InvalidApplicants
from serve.schemas.responses import Fault

MEMBERS = ("data", "instances", "inputs", "dataframe_records", "dataframe_split")

SPLIT = {"columns", "data"}
SPLIT_OPTIONS = {"index"}

EXPECTED = "expected a list of applicants, or an object of fields with their values"
EXPECTED_MEMBERS = f", alone or in one of the members {', '.join(MEMBERS)}"


class Rows(Struct, frozen=True):
    """Applicants as `read_applicants` takes them; `point`: JSON pointer of a place in `rows` → pointer in the body."""

    rows: Sequence[Any]
    point: Callable[[str], str]


def read_shapes(body: Body, rules: ApplicantRules, max_rows: int, *, on_event_loop: bool) -> Matrix:
    """The applicants of a body in any of these shapes, float64, shape (n, n_fields).

    Raises InvalidApplicants with every fault, HTTPProblem for too many rows, and, if `on_event_loop`, Offload for a
    body that takes too long there.
    """
    if on_event_loop and len(body) > MAX_EVENT_LOOP_JSON_BYTES:
        raise Offload
    found = _find_rows(_decode(body), rules, max_rows)
    check_rows(len(found.rows), max_rows)
    if on_event_loop and len(found.rows) * len(rules.fields) > MAX_EVENT_LOOP_CELLS:
        raise Offload
    try:
        return read_applicants(found.rows, rules, "").matrix
    except InvalidApplicants as error:
        faults = [Fault(found.point(fault.pointer), fault.detail) for fault in error.faults]
        raise InvalidApplicants(faults) from error


def _decode(body: Body) -> Any:
    try:
        return decode_body(msgspec.json.decode, body)
    except InvalidApplicants as error:
        # msgspec tells the place of a number beyond float64, but not the names of the objects that it is in.
        try:
            members = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
        except (msgspec.MsgspecError, RecursionError, ValueError):
            raise error from None
        for name, value in members.items():
            try:
                msgspec.json.decode(value)
            except msgspec.ValidationError as wrong:
                fault = parse_error(str(wrong))
                place = f"/{escape_pointer(name)}{fault.pointer}"
                raise InvalidApplicants([Fault(place, fault.detail)]) from None
            except (msgspec.MsgspecError, RecursionError, ValueError):
                raise error from None
        raise


def _find_rows(value: Any, rules: ApplicantRules, max_rows: int) -> Rows:
    names = rules.by_name.keys()
    pointer = ""
    if isinstance(value, dict) and not _is_split(value, names):
        member = next((name for name in MEMBERS if name in value and _holds_rows(name, value, names)), None)
        if member is not None:
            _refuse_other_members(value, {member}, "")
            value, pointer = value[member], f"/{member}"
    if isinstance(value, list):
        return Rows(value, lambda place: pointer + place)
    expected = EXPECTED if pointer else EXPECTED + EXPECTED_MEMBERS
    if not isinstance(value, dict):
        raise InvalidApplicants([Fault(pointer, f"{expected}; got {'null' if value is None else quote_value(value)}")])
    if _is_split(value, names):
        return _read_split(value, rules, max_rows, pointer)
    given = [name for name in value if name in names]
    if not given:
        known_names = truncate(", ".join(names), 1000)
        detail = f"{expected}; got an object with none of the model's fields ({known_names})"
        raise InvalidApplicants([Fault(pointer, detail)])
    known = [name for name in value if name in names or name in rules.id_names]
    if any(isinstance(value[name], list | dict) for name in known):
        return _read_columns(value, known, rules, max_rows, pointer)
    return Rows([value], lambda place: pointer + place.removeprefix("/0"))


def _is_split(value: Mapping[str, Any], names: Set[str]) -> bool:
    """Whether an object is rows under the names of their columns, rather than values of fields with these names."""
    if not value.keys() >= SPLIT or (value.keys() - SPLIT - SPLIT_OPTIONS) & names:
        return False
    return not value.keys() & names or _are_rows(value["data"], names)


def _holds_rows(name: str, value: Mapping[str, Any], names: Set[str]) -> bool:
    """Whether a member of an object holds all applicants, rather than values of a field with its name."""
    return not (value.keys() - {name}) & names and (name not in names or _are_rows(value[name], names))


def _are_rows(value: Any, names: Set[str]) -> bool:
    if isinstance(value, list):
        return bool(value) and isinstance(value[0], list | dict)
    return isinstance(value, dict) and (bool(value.keys() & names) or value.keys() >= SPLIT)


def _refuse_other_members(value: Mapping[str, Any], known: set[str], pointer: str) -> None:
    if unknown := [name for name in value if name not in known]:
        beside = f"unknown member; expected none beside {', '.join(sorted(known))}"
        raise InvalidApplicants([Fault(f"{pointer}/{escape_pointer(name[:100])}", beside) for name in unknown])


def _read_split(value: dict[str, Any], rules: ApplicantRules, max_rows: int, pointer: str) -> Rows:
    _refuse_other_members(value, SPLIT | SPLIT_OPTIONS, pointer)
    columns, rows = value["columns"], value["data"]
    faults = [
        Fault(f"{pointer}/{name}", f"expected a list, got {quote_value(member)}")
        for name, member in value.items()
        if not isinstance(member, list)
    ]
    if faults:
        raise InvalidApplicants(faults)
    check_rows(len(rows), max_rows)
    places: dict[str, int] = {}
    for place, name in enumerate(columns):
        if not isinstance(name, str) or name in places:
            expected = "expected the name of a field, each once"
            raise InvalidApplicants([Fault(f"{pointer}/columns/{place}", f"{expected}; got {quote_value(name)}")])
        places[name] = place
    if wrong := [*find_wrong_names(places, rules)]:
        raise InvalidApplicants([Fault(f"{pointer}/columns", f"{name}: {detail}") for name, detail in wrong])
    faults = [
        Fault(f"{pointer}/data/{number}", f"expected a list of {len(columns)} values, as columns has")
        for number, row in enumerate(rows)
        if not isinstance(row, list) or len(row) != len(columns)
    ]
    if faults:
        raise InvalidApplicants(faults)
    by_pointer = {escape_pointer(name): place for name, place in places.items()}

    def point(place: str) -> str:
        if not place:
            return f"{pointer}/data"
        _, row, name = place.split("/", 2)
        return f"{pointer}/data/{row}/{by_pointer[name]}"

    return Rows([dict(zip(columns, row, strict=True)) for row in rows], point)


def _read_columns(
    value: dict[str, Any], known: Sequence[str], rules: ApplicantRules, max_rows: int, pointer: str
) -> Rows:
    faults = [Fault(f"{pointer}/{name}", detail) for name, detail in find_wrong_names(value, rules)]
    first = next(name for name in known if isinstance(value[name], list | dict))
    keys = _by_row(value[first]).keys()
    columns: dict[str, dict[Any, Any]] = {}
    for name in known:
        column = columns[name] = _by_row(value[name])
        check_rows(len(column), max_rows)
        if column.keys() != keys:
            expected = f"expected {len(keys)} values, of the same rows as {quote_value(first)}"
            got = f"{len(column)} of other rows" if len(column) == len(keys) else f"{len(column)}"
            got = got if isinstance(value[name], list | dict) else quote_value(value[name])
            faults.append(Fault(f"{pointer}/{escape_pointer(name)}", f"{expected}; got {got}"))
    if faults:
        raise InvalidApplicants(faults)
    rows = [*keys]

    def point(place: str) -> str:
        if not place:
            return f"{pointer}/{escape_pointer(first)}"
        _, row, name = place.split("/", 2)
        return f"{pointer}/{name}/{escape_pointer(str(rows[int(row)]))}"

    return Rows([{name: column[row] for name, column in columns.items()} for row in rows], point)


def _by_row(column: Any) -> dict[Any, Any]:
    """Row → value, of a list or of an object as pandas.DataFrame.to_json writes it; empty for anything else."""
    if isinstance(column, list):
        return dict(enumerate(column))
    return column if isinstance(column, dict) else {}
