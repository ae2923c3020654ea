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
from serve.applicants import cut, fits
from serve.bodies import check_rows, fault_of
from serve.contract import Field
from serve.duplicates import refuse_duplicates
from serve.exchange import Ask, Reply, Work
from serve.forms import NAN
from serve.messages import Fault
from serve.model import Matrix, Scores
from serve.problems import InvalidApplicants, Refusal
from serve.served import Served
from serve.tensors import (
    InferAnswer,
    InferBody,
    ModelMetadata,
    ModelReady,
    ServerMetadata,
    TensorMetadata,
    read_tensors,
    write_tensor,
)

HEADER_LENGTH = b"inference-header-content-length"

OUTPUTS = (TensorMetadata("probability", "FP64", [-1]), TensorMetadata("decision", "INT64", [-1]))
"""What is answered unless the request names its outputs."""

_decode = msgspec.json.Decoder(InferBody).decode
_encode = msgspec.json.Encoder().encode


def show_server(ask: Ask) -> Reply:
    """GET /v2: which server this is."""
    return Reply(_encode(ServerMetadata("credit", "2", ["binary_tensor_data"])))


def show_health(ask: Ask) -> Reply:
    """GET /v2/health/live and /v2/health/ready: a service that answers has a proven model."""
    return Reply(b"{}")


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
    check_rows(len(matrix), served.most_rows)
    wanted: list[tuple[str, bool | UnsetType]] = [(output.name, UNSET) for output in OUTPUTS]
    if body.outputs is not UNSET and body.outputs:
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
    """The applicants of a request: float64, shape (n, n_fields); raises InvalidApplicants with what is wrong."""
    tensors = list(read_tensors(body.inputs, raw))
    fields = served.fields
    if [tensor.name for tensor in body.inputs] == ["applicants"] and tensors[0].dtype.kind != "O":
        matrix = np.ascontiguousarray(tensors[0], np.float64)
        if matrix.ndim != 2 or matrix.shape[1] != len(fields) or not len(matrix):
            detail = f"expected [n, {len(fields)}], n at least 1, got {body.inputs[0].shape}"
            raise InvalidApplicants([Fault("/inputs/0/shape", detail)])
    else:
        matrix = _from_fields(body, tensors, fields)
    faults = fits(matrix, fields)
    if faults:
        raise InvalidApplicants(faults)
    return matrix


def _from_fields(body: InferBody, tensors: list[npt.NDArray[Any]], fields: tuple[Field, ...]) -> Matrix:
    given = {tensor.name: values.ravel() for tensor, values in zip(body.inputs, tensors, strict=True)}
    known = {field.name for field in fields}
    faults = [
        Fault(f"/inputs/{number}/name", f"unknown field {cut(tensor.name)!r}; expected applicants, or one of: ")
        for number, tensor in enumerate(body.inputs)
        if tensor.name not in known
    ]
    faults = [Fault(fault.pointer, fault.detail + ", ".join(sorted(known))) for fault in faults]
    lengths = {len(values) for values in given.values()}
    if len(given) < len(body.inputs):
        faults.append(Fault("/inputs", "a tensor is given twice, expected once"))
    if len(lengths) != 1 or lengths == {0}:
        faults.append(Fault("/inputs", f"expected tensors of one length, at least 1, got {sorted(lengths)[:10]}"))
    for field in fields:
        if field.name not in given and not field.nullable:
            faults.append(Fault("/inputs", f"the field {field.name!r} is missing"))
    if faults:
        raise InvalidApplicants(faults)
    matrix = np.full((lengths.pop(), len(fields)), NAN)
    for column, field in enumerate(fields):
        if field.name in given:
            matrix[:, column] = _column(given[field.name], field)
    return matrix


def _column(values: npt.NDArray[Any], field: Field) -> Matrix:
    if values.dtype.kind != "O":
        return values.astype(np.float64)
    if field.kind == "number":
        raise InvalidApplicants([Fault("/inputs", f"{field.name}: expected numbers, got texts")])
    index: dict[Any, float] = {level: float(place) for place, level in enumerate(field.levels)}
    unknown = sorted({cut(value) for value in values if value is not None and value not in index})
    if unknown:
        detail = f"{field.name}: unknown levels {unknown[:5]}, expected: {', '.join(field.levels)}"
        raise InvalidApplicants([Fault("/inputs", detail)])
    index[None] = NAN
    return np.array([index[value] for value in values])


def _split(ask: Ask) -> tuple[InferBody, memoryview]:
    """The JSON of the body, decoded, and the raw bytes after it."""
    length = ask.header(HEADER_LENGTH)
    view = memoryview(ask.body)
    if not length:
        head, raw = view, view[:0]
    elif length.isdigit() and int(length[:20]) <= len(view):
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
