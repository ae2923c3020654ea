"""The Open Inference Protocol, version 2, for model platforms: metadata, health, and POST /v2/models/{name}/infer.

Inputs: one matrix named `applicants`, as the model takes it, or one tensor per field under the field's name, where a
category is the text of its level (BYTES) or its index. Outputs: those of the ONNX graph.
"""

from __future__ import annotations

from codecs import BOM_UTF8
from collections.abc import Sequence

import msgspec
from msgspec import UNSET
from starlette.requests import Request
from starlette.responses import Response

from model.session import Matrix, Scores
from serve.api.endpoint import JSON_TYPE, encode_json, json_response
from serve.api.score import ScoringJob, handle_scoring
from serve.runtime import Runtime
from serve.schemas.json_body import Body, decode_body
from serve.schemas.limits import (
    MAX_EVENT_LOOP_JSON_BYTES,
    MAX_EVENT_LOOP_TENSOR_BYTES,
    MAX_EVENT_LOOP_TENSOR_HEADER_BYTES,
    REASONS_COST,
    Offload,
)
from serve.schemas.open_inference import (
    InferBody,
    InferResponse,
    ModelMetadata,
    ModelReady,
    OutputParameters,
    ResponseParameters,
    ServerHealth,
    ServerMetadata,
    TensorMetadata,
)
from serve.schemas.problems import InvalidApplicants, no_model
from serve.schemas.requests import reject_duplicate_members
from serve.schemas.responses import Fault
from serve.schemas.tensors import read_matrix, write_tensor

BINARY_TYPE = "application/octet-stream"

HEADER_LENGTH = "inference-header-content-length"
"""Header of a body with binary tensors: how many bytes of JSON precede them."""

OUTPUTS = (TensorMetadata("probability", "FP64", [-1]), TensorMetadata("decision", "INT64", [-1]))
"""Outputs of a request that names none."""

_decode = msgspec.json.Decoder(InferBody).decode


async def show_server(request: Request) -> Response:
    """GET /v2: which server this is."""
    return json_response(ServerMetadata("credit", "2", ["binary_tensor_data"]))


async def show_health(request: Request) -> Response:
    """GET /v2/health/live and /v2/health/ready: not ready while a decision can't be recorded."""
    return json_response(ServerHealth(True, request.app.state.service.is_ready))


async def show_model(request: Request) -> Response:
    """GET /v2/models/{name}: its inputs and outputs."""
    runtime: Runtime = request.app.state.service.runtime
    _check_name(request, runtime)
    identity, width = runtime.identity, len(runtime.fields)
    outputs = [*OUTPUTS, TensorMetadata("contributions", "FP64", [-1, width])]
    inputs = [TensorMetadata("applicants", "FP64", [-1, width])]
    return json_response(ModelMetadata(identity.name, [identity.version], "onnx_onnxruntime", inputs, outputs))


async def show_model_ready(request: Request) -> Response:
    """GET /v2/models/{name}/ready."""
    runtime: Runtime = request.app.state.service.runtime
    _check_name(request, runtime)
    return json_response(ModelReady(runtime.identity.name, True))


async def infer(request: Request) -> Response:
    """POST /v2/models/{name}/infer, in JSON or with binary tensors."""
    return await handle_scoring(request, read_infer)


def read_infer(runtime: Runtime, request: Request, body: Body, on_event_loop: bool) -> ScoringJob:
    """The applicants of an inference; raises HTTPProblem, or Offload."""
    _check_name(request, runtime)
    length = request.headers.get(HEADER_LENGTH, "")
    if on_event_loop and len(body) > MAX_EVENT_LOOP_JSON_BYTES and not _is_binary_numbers(body, length):
        raise Offload
    request_body, raw = _split(body, length)
    rows = read_matrix(request_body, raw, runtime.schemas)
    outputs = _requested_outputs(request_body)
    explain = "contributions" in outputs

    def respond(applicants: Matrix, scores: Scores, decision_ids: Sequence[str] | None) -> Response:
        tensors = [write_tensor(name, getattr(scores, name), is_binary) for name, is_binary in outputs.items()]
        name, version = runtime.identity.name, runtime.identity.version
        parameters = ResponseParameters(decision_ids[0]) if decision_ids else UNSET
        head = encode_json(InferResponse(name, version, [output for output, _ in tensors], request_body.id, parameters))
        tail = b"".join(content for _, content in tensors)
        if not tail:
            return Response(head, media_type=JSON_TYPE)
        return Response(head + tail, headers={HEADER_LENGTH: str(len(head))}, media_type=BINARY_TYPE)

    reasons = len(runtime.fields) * explain
    return ScoringJob(rows, reasons, len(rows) * (1 + REASONS_COST * explain), respond)


def _requested_outputs(body: InferBody) -> dict[str, bool]:
    """Name → whether it is sent as raw bytes, in the order of the request; raises InvalidApplicants for a duplicate."""
    default = body.parameters is not UNSET and body.parameters.binary_data_output is True
    if body.outputs is UNSET or not body.outputs:
        return {output.name: default for output in OUTPUTS}
    if len({output.name for output in body.outputs}) < len(body.outputs):
        raise InvalidApplicants([Fault("/outputs", "an output is named twice, expected once")])
    parameters = {output.name: output.parameters or OutputParameters() for output in body.outputs}
    return {name: default if own.binary_data is UNSET else own.binary_data for name, own in parameters.items()}


def _is_binary_numbers(body: Body, length: str) -> bool:
    """Whether a body is a short JSON header and then raw numbers; texts would have to be decoded one by one."""
    if (
        len(body) > MAX_EVENT_LOOP_TENSOR_BYTES
        or not _is_number(length)
        or int(length) > MAX_EVENT_LOOP_TENSOR_HEADER_BYTES
    ):
        return False
    head = body[: int(length)]
    # A backslash might escape the letters of BYTES.
    return b"BYTES" not in head and b"\\" not in head


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 11


def _split(body: Body, length: str) -> tuple[InferBody, memoryview]:
    """The decoded JSON of the body, and the raw bytes after it."""
    view = memoryview(body)
    if not length:
        head, raw = view, view[:0]
    elif _is_number(length) and int(length) <= len(view):
        head, raw = view[: int(length)], view[int(length) :]
    else:
        detail = f"Inference-Header-Content-Length is {length[:40]!r}, expected at most {len(view)}"
        raise InvalidApplicants([Fault("", detail)])
    content = bytes(head).removeprefix(BOM_UTF8)
    decoded = decode_body(_decode, content)
    reject_duplicate_members(content, _count_members(decoded))
    return decoded, raw


def _count_members(body: InferBody) -> int:
    """The number of members of a request's JSON objects, unknown ones not counted."""
    count = 0
    for struct in (body, *body.inputs, *(() if body.outputs is UNSET else body.outputs)):
        values = [getattr(struct, name) for name in struct.__struct_fields__]
        count += len(values) - values.count(UNSET)
        parameters = getattr(struct, "parameters", UNSET)
        count += 1 if parameters is not UNSET and UNSET not in msgspec.structs.astuple(parameters) else 0
    return count


def _check_name(request: Request, runtime: Runtime) -> None:
    """Raise HTTPProblem (404) unless the path names the model in service and its version."""
    known, given = runtime.identity, request.path_params
    name, version = given.get("name", known.name), given.get("version", known.version)
    if (name, version) != (known.name, known.version):
        raise no_model(f"{name[:100]!r} in version {version[:100]!r}", f"{known.name!r} {known.version!r}")
