"""The Open Inference Protocol, version 2, for model platforms: metadata, health, and POST /v2/models/{name}/infer.

Applicants come as one matrix named `applicants`, as the graph takes it, or as one tensor a field under the field's
name, where a category is the text of its level (BYTES) or its index. What comes back are the graph's own outputs.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import UNSET, UnsetType
from starlette.requests import Request
from starlette.responses import Response

from model.session import Matrix, Scores
from serve.api.body import Body
from serve.api.scoring import REASONS_COST, ScoringJob, score_body
from serve.runtime import Runtime
from serve.schemas.faults import fault_of
from serve.schemas.inference import (
    InferAnswer,
    InferBody,
    ModelMetadata,
    ModelReady,
    ServerHealth,
    ServerMetadata,
    TensorMetadata,
)
from serve.schemas.problems import InvalidApplicants, Offload, no_model
from serve.schemas.requests import BOM, refuse_duplicates
from serve.schemas.responses import Fault
from serve.schemas.tensors import read_matrix, write_tensor

JSON = "application/json"

HEADER_LENGTH = "inference-header-content-length"
"""The header of a body that holds raw tensors after so many bytes of JSON."""

BYTES_ON_LOOP, RAW_ON_LOOP, HEAD_OF_RAW = 32_768, 262_144, 4_096
"""Bytes of a body of JSON, of one of raw numbers and of the JSON before them that are read on the event loop."""

OUTPUTS = (TensorMetadata("probability", "FP64", [-1]), TensorMetadata("decision", "INT64", [-1]))
"""What is answered unless the request names its outputs."""

_decode = msgspec.json.Decoder(InferBody).decode
_encode = msgspec.json.Encoder().encode


async def show_server(request: Request) -> Response:
    """GET /v2: which server this is."""
    return _reply(ServerMetadata("credit", "2", ["binary_tensor_data"]))


async def show_health(request: Request) -> Response:
    """GET /v2/health/live and /v2/health/ready: a service that answers has a proven model."""
    return _reply(ServerHealth(True, True))


async def show_model(request: Request) -> Response:
    """GET /v2/models/{name}: its inputs and outputs."""
    runtime: Runtime = request.app.state.service.runtime
    _check_name(request, runtime)
    name, width = runtime.name, len(runtime.fields)
    outputs = [*OUTPUTS, TensorMetadata("contributions", "FP64", [-1, width])]
    inputs = [TensorMetadata("applicants", "FP64", [-1, width])]
    return _reply(ModelMetadata(name.name, [name.version], "onnx_onnxruntime", inputs, outputs))


async def show_model_ready(request: Request) -> Response:
    """GET /v2/models/{name}/ready."""
    runtime: Runtime = request.app.state.service.runtime
    _check_name(request, runtime)
    return _reply(ModelReady(runtime.name.name, True))


async def infer(request: Request) -> Response:
    """POST /v2/models/{name}/infer, in JSON or with binary tensors."""
    return await score_body(request, read_infer)


def read_infer(runtime: Runtime, request: Request, body: Body, on_loop: bool) -> ScoringJob:
    """The applicants of an inference; raises HTTPProblem, or Offload."""
    _check_name(request, runtime)
    length = request.headers.get(HEADER_LENGTH, "")
    if on_loop and len(body) > BYTES_ON_LOOP and not _is_raw(body, length):
        raise Offload
    asked, raw = _split(body, length)
    rows = read_matrix(asked, raw, runtime.schemas)
    wanted: list[tuple[str, bool | UnsetType]] = [(output.name, UNSET) for output in OUTPUTS]
    if asked.outputs is not UNSET and asked.outputs:
        if len({output.name for output in asked.outputs}) < len(asked.outputs):
            raise InvalidApplicants([Fault("/outputs", "an output is named twice, expected once")])
        wanted = [(o.name, UNSET if o.parameters is UNSET else o.parameters.binary_data) for o in asked.outputs]
    explain = any(name == "contributions" for name, _ in wanted)
    is_binary = asked.parameters is not UNSET and asked.parameters.binary_data_output is True

    def respond(applicants: Matrix, scores: Scores) -> Response:
        written = [
            write_tensor(name, getattr(scores, name), is_binary if own is UNSET else bool(own)) for name, own in wanted
        ]
        outputs, name = [output for output, _ in written], runtime.name
        answer = _encode(InferAnswer(name.name, name.version, outputs, asked.id))
        tail = b"".join(content for _, content in written)
        if not tail:
            return Response(answer, media_type=JSON)
        return Response(answer + tail, headers={HEADER_LENGTH: str(len(answer))}, media_type="application/octet-stream")

    return ScoringJob(rows, explain, len(rows) * (1 + REASONS_COST * explain), respond)


def _reply(answer: Any) -> Response:
    return Response(_encode(answer), media_type=JSON)


def _is_raw(body: Body, length: str) -> bool:
    """Whether all of a body but a short head of JSON is raw numbers; texts, even named by escapes, are to be read."""
    if len(body) > RAW_ON_LOOP or not _is_number(length) or int(length) > HEAD_OF_RAW:
        return False
    head = body[: int(length)]
    return b"BYTES" not in head and b"\\" not in head


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 11


def _split(body: Body, length: str) -> tuple[InferBody, memoryview]:
    """The JSON of the body, decoded, and the raw bytes after it."""
    view = memoryview(body)
    if not length:
        head, raw = view, view[:0]
    elif _is_number(length) and int(length) <= len(view):
        head, raw = view[: int(length)], view[int(length) :]
    else:
        detail = f"Inference-Header-Content-Length is {length[:40]!r}, expected at most {len(view)}"
        raise InvalidApplicants([Fault("", detail)])
    content = bytes(head).removeprefix(BOM)
    try:
        asked = _decode(content)
    except RecursionError as error:
        raise InvalidApplicants([Fault("", "the body is nested too deeply")]) from error
    except (UnicodeDecodeError, msgspec.MsgspecError) as error:
        raise InvalidApplicants([fault_of(str(error))]) from error
    refuse_duplicates(content, _members(asked))
    return asked, raw


def _members(body: InferBody) -> int:
    """How many members the JSON of a request had, if it had none that we don't know."""
    count = 0
    for struct in (body, *body.inputs, *(() if body.outputs is UNSET else body.outputs)):
        values = [getattr(struct, name) for name in struct.__struct_fields__]
        count += len(values) - values.count(UNSET)
        parameters = getattr(struct, "parameters", UNSET)
        count += 1 if parameters is not UNSET and UNSET not in msgspec.structs.astuple(parameters) else 0
    return count


def _check_name(request: Request, runtime: Runtime) -> None:
    """Raise HTTPProblem for the name or version of another model than the one in service."""
    known, asked = runtime.name, request.path_params
    name, version = asked.get("name", known.name), asked.get("version", known.version)
    if (name, version) != (known.name, known.version):
        raise no_model(f"{name[:100]!r} in version {version[:100]!r}", f"{known.name!r} {known.version!r}")
