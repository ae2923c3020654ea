"""The Open Inference Protocol, version 2, for model platforms: metadata, health, and POST /v2/models/{name}/infer.

Applicants come as one matrix named `applicants`, as the graph takes it, or as one tensor a field under the field's
name, where a category is the text of its level (BYTES) or its index. What comes back are the graph's own outputs.
"""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
from msgspec import UNSET, UnsetType

from serve import answers
from serve.applicants import cut, fits, show
from serve.bodies import check_rows, fault_of
from serve.contract import Field
from serve.duplicates import refuse_duplicates
from serve.exchange import HEADER_LENGTH, Ask, Reply, Work
from serve.forms import NAN
from serve.messages import Fault
from serve.model import Matrix, Scores
from serve.problems import InvalidApplicants, Refusal
from serve.served import Served
from serve.tensors import (
    InferAnswer,
    InferBody,
    Input,
    ModelMetadata,
    ModelReady,
    ServerHealth,
    ServerMetadata,
    TensorMetadata,
    read_tensors,
    write_tensor,
)

OUTPUTS = (TensorMetadata("probability", "FP64", [-1]), TensorMetadata("decision", "INT64", [-1]))
"""What is answered unless the request names its outputs."""

_decode = msgspec.json.Decoder(InferBody).decode
_encode = msgspec.json.Encoder().encode


def show_server(ask: Ask) -> Reply:
    """GET /v2: which server this is."""
    return Reply(_encode(ServerMetadata("credit", "2", ["binary_tensor_data"])))


def show_health(ask: Ask) -> Reply:
    """GET /v2/health/live and /v2/health/ready: a service that answers has a proven model."""
    return Reply(_encode(ServerHealth(True, True)))


def show_model(ask: Ask) -> Reply:
    """GET /v2/models/{name}: its inputs and outputs."""
    _check_name(ask)
    name, width = ask.served.name, len(ask.served.fields)
    outputs = [*OUTPUTS, TensorMetadata("contributions", "FP64", [-1, width])]
    inputs = [TensorMetadata("applicants", "FP64", [-1, width])]
    return Reply(_encode(ModelMetadata(name.name, [name.version], "onnx_onnxruntime", inputs, outputs)))


def show_model_ready(ask: Ask) -> Reply:
    """GET /v2/models/{name}/ready."""
    _check_name(ask)
    return Reply(_encode(ModelReady(ask.served.name.name, True)))


def infer(ask: Ask) -> Work:
    """POST /v2/models/{name}/infer, in JSON or with binary tensors."""
    _check_name(ask)
    served = ask.served
    body, raw = _split(ask)
    matrix = read_matrix(body, raw, served)
    wanted: list[tuple[str, bool | UnsetType]] = [(output.name, UNSET) for output in OUTPUTS]
    if body.outputs is not UNSET and body.outputs:
        if len({output.name for output in body.outputs}) < len(body.outputs):
            raise InvalidApplicants([Fault("/outputs", "an output is named twice, expected once")])
        wanted = [(o.name, UNSET if o.parameters is UNSET else o.parameters.binary_data) for o in body.outputs]
    explain = any(name == "contributions" for name, _ in wanted)
    is_binary = body.parameters is not UNSET and body.parameters.binary_data_output is True

    def finish(matrix: Matrix, scores: Scores) -> Reply:
        written = [
            write_tensor(name, getattr(scores, name), is_binary if own is UNSET else bool(own)) for name, own in wanted
        ]
        answer = _encode(InferAnswer(served.name.name, served.name.version, [output for output, _ in written], body.id))
        tail = b"".join(content for _, content in written)
        if not tail:
            return Reply(answer, applicants=len(matrix))
        head = [(HEADER_LENGTH, str(len(answer)).encode())]
        return Reply(answer + tail, b"application/octet-stream", headers=head, applicants=len(matrix))

    return Work(matrix, explain, len(matrix) * (1 + answers.EXPLAINING * explain), finish)


def read_matrix(body: InferBody, raw: memoryview, served: Served) -> Matrix:
    """The applicants of a request: float64, shape (n, n_fields).

    Raises InvalidApplicants with what is wrong, or Refusal for too many.
    """
    tensors = read_tensors(body.inputs, raw)
    if [tensor.name for tensor in body.inputs] == ["applicants"]:
        return _from_matrix(tensors[0], served)
    return _from_fields(body.inputs, tensors, served)


def _from_matrix(tensor: npt.NDArray[Any], served: Served) -> Matrix:
    fields = served.fields
    if tensor.dtype.kind == "O":
        detail = "expected numbers, a category as the index of its level; texts go into a tensor of their own field"
        raise InvalidApplicants([Fault("/inputs/0/datatype", detail)])
    if tensor.ndim != 2 or tensor.shape[1] != len(fields):
        raise InvalidApplicants([Fault("/inputs/0/shape", f"expected [n, {len(fields)}], got {list(tensor.shape)}")])
    check_rows(len(tensor), served.most_rows)
    matrix: Matrix = np.ascontiguousarray(tensor, np.float64)
    faults = [Fault("/inputs/0/data", fault.detail) for fault in fits(matrix, fields)]
    if faults:
        raise InvalidApplicants(faults)
    return matrix


def _from_fields(inputs: list[Input], tensors: list[npt.NDArray[Any]], served: Served) -> Matrix:
    place = {field.name: column for column, field in enumerate(served.fields)}
    number = {tensor.name: number for number, tensor in enumerate(inputs)}
    unknown = f"unknown field; expected applicants, or one of: {', '.join(place)}"
    faults = [Fault(f"/inputs/{n}/name", unknown) for n, tensor in enumerate(inputs) if tensor.name not in place]
    if len(number) < len(inputs):
        faults.append(Fault("/inputs", "a name is given twice, expected once"))
    faults += [
        Fault(f"/inputs/{n}/shape", f"expected [n] or [n, 1], got {list(values.shape)}")
        for n, values in enumerate(tensors)
        if values.size != len(values)
    ]
    lengths = sorted({values.size for values in tensors})
    if len(lengths) != 1:
        faults.append(Fault("/inputs", f"expected tensors of one length, got lengths {cut(str(lengths))}"))
    faults += [
        Fault("/inputs", f"the field {field.name!r} is missing")
        for field in served.fields
        if field.name not in number and not field.nullable
    ]
    if len(lengths) == 1:
        # Before a matrix is made: its other fields may be many.
        check_rows(lengths[0], served.most_rows)
        matrix = np.full((lengths[0], len(place)), NAN)
    for name in [name for name in place if name in number and len(lengths) == 1]:
        field, here = served.fields[place[name]], f"/inputs/{number[name]}"
        try:
            column = _column(tensors[number[name]].ravel(), field, here)
        except InvalidApplicants as error:
            faults += error.faults
            continue
        faults += [Fault(f"{here}/data", fault.detail) for fault in fits(column[:, None], [field])]
        matrix[:, place[name]] = column
    if faults:
        raise InvalidApplicants(faults)
    return matrix


def _column(values: npt.NDArray[Any], field: Field, here: str) -> Matrix:
    """One field of all applicants: float64, shape (n,)."""
    if values.dtype.kind != "O":
        return values.astype(np.float64)
    if field.kind == "number":
        raise InvalidApplicants([Fault(f"{here}/datatype", f"{field.name}: expected numbers, got texts")])
    index: dict[Any, float] = {level: float(place) for place, level in enumerate(field.levels)} | {None: NAN}
    unknown = dict.fromkeys(value for value in values.tolist() if value not in index)
    if unknown:
        known = ", ".join(field.levels)
        raise InvalidApplicants(
            [Fault(f"{here}/data", f"unknown level {show(value)}, expected one of: {known}") for value in unknown]
        )
    return np.array([index[value] for value in values])


def _split(ask: Ask) -> tuple[InferBody, memoryview]:
    """The JSON of the body, decoded, and the raw bytes after it."""
    length = ask.header(HEADER_LENGTH)
    view = memoryview(ask.body)
    if not length:
        head, raw = view, view[:0]
    elif length.isdigit() and len(length) < 11 and int(length) <= len(view):
        head, raw = view[: int(length)], view[int(length) :]
    else:
        detail = f"Inference-Header-Content-Length is {length[:40].decode('latin-1')!r}, expected at most {len(view)}"
        raise InvalidApplicants([Fault("", detail)])
    content = bytes(head)
    try:
        body = _decode(content)
    except RecursionError as error:
        raise InvalidApplicants([Fault("", "the body is nested too deeply")]) from error
    except (UnicodeDecodeError, msgspec.MsgspecError) as error:
        raise InvalidApplicants([fault_of(str(error))]) from error
    refuse_duplicates(content, _members(body))
    return body, raw


def _members(body: InferBody) -> int:
    """How many members the JSON of a request had, if it had none that we don't know."""
    count = 0
    for struct in (body, *body.inputs, *(() if body.outputs is UNSET else body.outputs)):
        values = [getattr(struct, name) for name in struct.__struct_fields__]
        count += len(values) - values.count(UNSET)
        parameters = getattr(struct, "parameters", UNSET)
        count += 1 if parameters is not UNSET and UNSET not in msgspec.structs.astuple(parameters) else 0
    return count


def _check_name(ask: Ask) -> None:
    """Raise Refusal for the name or version of another model than the one in service."""
    served = ask.served
    name, version = ask.parameters.get("name", served.name.name), ask.parameters.get("version", served.name.version)
    if (name, version) != (served.name.name, served.name.version):
        raise Refusal(
            404,
            "not-found",
            "Not found",
            f"no model {str(name)[:100]!r} in version {str(version)[:100]!r}; the one in service is "
            f"{served.name.name!r} {served.name.version!r}",
        )
