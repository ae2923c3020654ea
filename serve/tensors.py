"""Tensors of the Open Inference Protocol, version 2: from JSON or raw bytes to arrays, and back.

https://github.com/kserve/open-inference-protocol: REST, tensor data; binary data as in Triton's extension: the JSON
comes first, `Inference-Header-Content-Length` bytes of it, the tensors follow in order, little-endian, row by row.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from itertools import islice
from typing import Annotated, Any, Literal

import numpy as np
import numpy.typing as npt
from msgspec import UNSET, Meta, Struct, UnsetType

from serve.applicants import cut, show
from serve.messages import Fault
from serve.problems import MOST_FAULTS, InvalidApplicants

NUMBERS: dict[str, np.dtype[Any]] = {
    "FP64": np.dtype("<f8"),
    "FP32": np.dtype("<f4"),
    "INT64": np.dtype("<i8"),
    "INT32": np.dtype("<i4"),
}

Datatype = Literal["FP64", "FP32", "INT64", "INT32", "BYTES"]

JSON_VALUES: dict[Datatype, tuple[str, tuple[type, ...]]] = {
    "FP64": ("a number", (int, float)),
    "FP32": ("a number", (int, float)),
    "INT64": ("a whole number", (int,)),
    "INT32": ("a whole number", (int,)),
    "BYTES": ("a text", (str,)),
}
"""What the data of each datatype is in JSON, in words and as types of Python."""


class InputParameters(Struct, frozen=True):
    """`binary_data_size`: how many of the bytes after the JSON are this tensor's."""

    binary_data_size: Annotated[int, Meta(ge=0)] | UnsetType = UNSET


class Input(Struct, frozen=True):
    """One tensor of a request; `data` nested or flat, row by row, unless it is binary."""

    name: str
    shape: Annotated[list[Annotated[int, Meta(ge=1)]], Meta(min_length=1, max_length=2)]
    datatype: Datatype
    data: list[Any] | UnsetType = UNSET
    parameters: InputParameters | UnsetType = UNSET


class OutputParameters(Struct, frozen=True):
    """`binary_data`: whether the tensor is wanted as raw bytes."""

    binary_data: bool | UnsetType = UNSET


class Wanted(Struct, frozen=True):
    """One output that is asked for."""

    name: Literal["probability", "decision", "contributions"]
    parameters: OutputParameters | UnsetType = UNSET


class RequestParameters(Struct, frozen=True):
    """`binary_data_output`: whether all outputs are wanted as raw bytes, unless one says otherwise."""

    binary_data_output: bool | UnsetType = UNSET


class InferBody(Struct, frozen=True):
    """POST /v2/models/{name}/infer: one matrix `applicants`, or a tensor a field under its name."""

    inputs: Annotated[list[Input], Meta(min_length=1)]
    outputs: list[Wanted] | UnsetType = UNSET
    id: str | UnsetType = UNSET
    parameters: RequestParameters | UnsetType = UNSET


class Output(Struct, frozen=True, omit_defaults=True):
    """One tensor of an answer; without `data` where it follows as raw bytes."""

    name: str
    shape: list[int]
    datatype: Datatype
    data: list[Any] | UnsetType = UNSET
    parameters: dict[str, int] | UnsetType = UNSET


class InferAnswer(Struct, frozen=True, omit_defaults=True):
    """The answer of an inference."""

    model_name: str
    model_version: str
    outputs: list[Output]
    id: str | UnsetType = UNSET


class ServerMetadata(Struct, frozen=True):
    """The answer of GET /v2."""

    name: str
    version: str
    extensions: list[str]


class ServerHealth(Struct, frozen=True):
    """The answer of GET /v2/health/live and /v2/health/ready."""

    live: bool
    ready: bool


class TensorMetadata(Struct, frozen=True):
    """What an input or output looks like; −1 is any length."""

    name: str
    datatype: Datatype
    shape: list[int]


class ModelMetadata(Struct, frozen=True):
    """The answer of GET /v2/models/{name}."""

    name: str
    versions: list[str]
    platform: str
    inputs: list[TensorMetadata]
    outputs: list[TensorMetadata]


class ModelReady(Struct, frozen=True):
    """The answer of GET /v2/models/{name}/ready."""

    name: str
    ready: bool


def read_tensors(inputs: Sequence[Input], raw: memoryview) -> list[npt.NDArray[Any]]:
    """Each input in its shape: float64, int64 (or smaller), or texts as objects; null is NaN, or None for a text.

    Raises InvalidApplicants with every input whose data, shape, datatype and size don't agree.
    """
    tensors: list[npt.NDArray[Any]] = []
    faults: list[Fault] = []
    start = 0
    for number, tensor in enumerate(inputs):
        here = f"/inputs/{number}"
        size = UNSET if tensor.parameters is UNSET else tensor.parameters.binary_data_size
        if size is not UNSET and (tensor.data is not UNSET or not 0 <= size <= len(raw) - start):
            detail = f"expected at most the {len(raw) - start} bytes that are left, and no data beside them, got {size}"
            # Where the next one begins can't be known.
            raise InvalidApplicants([*faults, Fault(f"{here}/parameters/binary_data_size", detail)])
        try:
            if size is UNSET:
                tensors.append(_from_json(tensor, here))
            else:
                start += size
                tensors.append(_from_bytes(tensor, raw[start - size : start], here))
        except InvalidApplicants as error:
            faults += error.faults
    if start != len(raw):
        faults.append(Fault("", f"{len(raw) - start} bytes after the last binary tensor; expected none"))
    if faults:
        raise InvalidApplicants(faults)
    return tensors


def write_tensor(name: str, values: npt.NDArray[Any], is_binary: bool) -> tuple[Output, bytes]:
    """An output and its raw bytes, which are empty where the data is in the JSON."""
    datatype: Datatype = "INT64" if values.dtype.kind == "i" else "FP64"
    shape = list(values.shape)
    if not is_binary:
        return Output(name, shape, datatype, data=values.ravel().tolist()), b""
    raw = np.ascontiguousarray(values, NUMBERS[datatype]).tobytes()
    return Output(name, shape, datatype, parameters={"binary_data_size": len(raw)}), raw


def _from_json(tensor: Input, here: str) -> npt.NDArray[Any]:
    if tensor.data is UNSET:
        raise InvalidApplicants([Fault(here, "expected data, or parameters.binary_data_size and its bytes")])
    flat = _flatten(tensor.data, tensor.shape, here)
    expected, kinds = JSON_VALUES[tensor.datatype]
    wrong = ((place, value) for place, value in enumerate(flat) if not _is_one_of(value, kinds))
    faults = [
        Fault(f"{here}/data", f"value {place}: expected {expected} or null, got {show(value)}")
        for place, value in islice(wrong, MOST_FAULTS + 1)
    ]
    if faults:
        raise InvalidApplicants(faults)
    try:
        values = np.array(flat, dtype=object if tensor.datatype == "BYTES" else np.float64)
    except OverflowError as error:
        raise InvalidApplicants([Fault(f"{here}/data", "a number is too large")]) from error
    if tensor.datatype == "FP32":
        with np.errstate(over="ignore"):
            values = values.astype(np.float32)
    return _in_shape(values, tensor, here)


def _is_one_of(value: Any, kinds: tuple[type, ...]) -> bool:
    return value is None or (isinstance(value, kinds) and not isinstance(value, bool))


def _from_bytes(tensor: Input, raw: memoryview, here: str) -> npt.NDArray[Any]:
    if tensor.datatype == "BYTES":
        return _in_shape(np.array(_texts(raw, here), dtype=object), tensor, here)
    kind = NUMBERS[tensor.datatype]
    if len(raw) % kind.itemsize:
        detail = f"expected a multiple of {kind.itemsize} bytes for {tensor.datatype}, got {len(raw)}"
        raise InvalidApplicants([Fault(f"{here}/parameters/binary_data_size", detail)])
    return _in_shape(np.frombuffer(raw, kind), tensor, here)


def _in_shape(values: npt.NDArray[Any], tensor: Input, here: str) -> npt.NDArray[Any]:
    if not 1 <= len(tensor.shape) <= 2 or min(tensor.shape) < 1:
        detail = f"expected one or two lengths of at least 1, got {cut(str(tensor.shape))}"
        raise InvalidApplicants([Fault(f"{here}/shape", detail)])
    # Python's own integers: a product of huge lengths must not wrap round to the right one.
    if math.prod(tensor.shape) != values.size:
        detail = f"{values.size} values don't fill the shape {cut(str(tensor.shape))}"
        raise InvalidApplicants([Fault(f"{here}/shape", detail)])
    return values.reshape(tensor.shape)


def _flatten(data: list[Any], shape: list[int], here: str) -> list[Any]:
    """The values row by row; rows may be lists of their own, each as long as the shape says."""
    if not any(isinstance(row, list) for row in data):
        return data
    if len(shape) != 2 or not all(isinstance(row, list) and len(row) == shape[1] for row in data):
        raise InvalidApplicants([Fault(f"{here}/data", "expected one flat list, or rows as long as the shape says")])
    return [value for row in data for value in row]


def _texts(raw: memoryview, here: str) -> list[str]:
    """Texts with their length before each, four bytes, little-endian."""
    texts, start = [], 0
    try:
        while start < len(raw):
            (length,) = struct.unpack_from("<I", raw, start)
            text = bytes(raw[start + 4 : start + 4 + length])
            if len(text) < length:
                raise InvalidApplicants([Fault(here, "a text is longer than the bytes that are left")])
            texts.append(text.decode())
            start += 4 + length
    except (struct.error, UnicodeDecodeError) as error:
        raise InvalidApplicants([Fault(here, f"not a tensor of UTF-8 texts: {error}")]) from error
    return texts
