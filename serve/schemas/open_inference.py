"""Types of the requests and responses of the Open Inference Protocol, version 2.

https://github.com/kserve/open-inference-protocol (REST), with Triton's binary tensor data extension.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

Datatype = Literal["FP64", "FP32", "INT64", "INT32", "BYTES"]


class InputParameters(Struct, frozen=True):
    """`binary_data_size`: bytes of this tensor, after the JSON."""

    binary_data_size: Annotated[int, Meta(ge=0)] | UnsetType = UNSET


class TensorInput(Struct, frozen=True):
    """One tensor of a request; `data` nested or flat, row by row, unless it is binary."""

    name: str
    shape: Annotated[list[Annotated[int, Meta(ge=1)]], Meta(min_length=1, max_length=2)]
    datatype: Datatype
    data: list[Any] | UnsetType = UNSET
    parameters: InputParameters | UnsetType = UNSET


class OutputParameters(Struct, frozen=True):
    """`binary_data`: whether this output is requested as raw bytes."""

    binary_data: bool | UnsetType = UNSET


class RequestedOutput(Struct, frozen=True):
    """One output of the request; without any, probability and decision are returned."""

    name: Literal["probability", "decision", "contributions"]
    parameters: OutputParameters | UnsetType = UNSET


class RequestParameters(Struct, frozen=True):
    """`binary_data_output`: default of `binary_data` for all outputs."""

    binary_data_output: bool | UnsetType = UNSET


class InferBody(Struct, frozen=True):
    """POST /v2/models/{name}/infer: one matrix `applicants`, or a tensor a field under its name."""

    inputs: Annotated[list[TensorInput], Meta(min_length=1)]
    outputs: list[RequestedOutput] | UnsetType = UNSET
    id: str | UnsetType = UNSET
    parameters: RequestParameters | UnsetType = UNSET


class Output(Struct, frozen=True, omit_defaults=True):
    """One tensor of a response; without `data` if it follows as raw bytes."""

    name: str
    shape: list[int]
    datatype: Datatype
    data: list[Any] | UnsetType = UNSET
    parameters: dict[str, int] | UnsetType = UNSET


class ResponseParameters(Struct, frozen=True):
    """`decision_id`: under which the decision of the first row is on record; that of row k, from 0, is this plus k."""

    decision_id: str


class InferResponse(Struct, frozen=True, omit_defaults=True):
    """The response of an inference; `parameters` where decisions are recorded."""

    model_name: str
    model_version: str
    outputs: list[Output]
    id: str | UnsetType = UNSET
    parameters: ResponseParameters | UnsetType = UNSET


class ServerMetadata(Struct, frozen=True):
    """The response of GET /v2."""

    name: str
    version: str
    extensions: list[str]


class ServerHealth(Struct, frozen=True):
    """The response of GET /v2/health/live and /v2/health/ready."""

    live: bool
    ready: bool


class TensorMetadata(Struct, frozen=True):
    """Name, type and shape of an input or output; −1 is any length."""

    name: str
    datatype: Datatype
    shape: list[int]


class ModelMetadata(Struct, frozen=True):
    """The response of GET /v2/models/{name}."""

    name: str
    versions: list[str]
    platform: str
    inputs: list[TensorMetadata]
    outputs: list[TensorMetadata]


class ModelReady(Struct, frozen=True):
    """The response of GET /v2/models/{name}/ready."""

    name: str
    ready: bool
