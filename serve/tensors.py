"""Tensors of the Open Inference Protocol, version 2: from JSON or raw bytes to arrays, and back.

https://github.com/kserve/open-inference-protocol: REST, tensor data; binary data as in Triton's extension: the JSON
comes first, `Inference-Header-Content-Length` bytes of it, the tensors follow in order, little-endian, row by row.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from msgspec import UNSET, Struct, UnsetType

from serve.messages import Fault
from serve.problems import InvalidApplicants

NUMBERS: dict[str, np.dtype[Any]] = {
    "FP64": np.dtype("<f8"),
    "FP32": np.dtype("<f4"),
    "INT64": np.dtype("<i8"),
    "INT32": np.dtype("<i4"),
}

Datatype = Literal["FP64", "FP32", "INT64", "INT32", "BYTES"]


class InputParameters(Struct, frozen=True):
    """`binary_data_size`: how many of the bytes after the JSON are this tensor's."""

    binary_data_size: int | UnsetType = UNSET


class Input(Struct, frozen=True):
    """One tensor of a request; `data` nested or flat, row by row, unless it is binary."""

    name: str
    shape: list[int]
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

    inputs: list[Input]
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


def read_tensors(inputs: Sequence[Input], raw: memoryview) -> Iterator[npt.NDArray[Any]]:
    """Each input in its shape: float64, int64 (or smaller), or texts as objects; null is NaN, or None for a text.

    Raises InvalidApplicants if data, shape, datatype and size don't agree.
    """
    start = 0
    for number, tensor in enumerate(inputs):
        here = f"/inputs/{number}"
        size = UNSET if tensor.parameters is UNSET else tensor.parameters.binary_data_size
        if any(length < 0 for length in tensor.shape):
            raise InvalidApplicants([Fault(f"{here}/shape", "expected no negative length")])
        if size is UNSET:
            yield _from_json(tensor, here)
            continue
        if tensor.data is not UNSET or not 0 <= size <= len(raw) - start:
            detail = f"expected at most the {len(raw) - start} bytes that are left, and no data beside them, got {size}"
            raise InvalidApplicants([Fault(f"{here}/parameters/binary_data_size", detail)])
        yield _from_bytes(tensor, raw[start : start + size], here)
        start += size
    if start != len(raw):
        raise InvalidApplicants([Fault("", f"{len(raw) - start} bytes after the last binary tensor; expected none")])


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
    flat = _flatten(tensor.data, here)
    is_text = tensor.datatype == "BYTES"
    expected = "a text" if is_text else "a whole number" if tensor.datatype.startswith("INT") else "a number"
    kinds = (str,) if is_text else (int,) if tensor.datatype.startswith("INT") else (int, float)
    faults = [
        Fault(f"{here}/data", f"value {place}: expected {expected} or null, got {str(value)[:50]!r}")
        for place, value in enumerate(flat)
        if value is not None and (not isinstance(value, kinds) or isinstance(value, bool))
    ]
    if faults:
        raise InvalidApplicants(faults)
    try:
        values = np.array(flat, dtype=object if is_text else np.float64)
        if tensor.datatype == "FP32":
            with np.errstate(over="ignore"):
                values = values.astype(np.float32)
    except OverflowError as error:
        raise InvalidApplicants([Fault(f"{here}/data", "a number is too large")]) from error
    return _in_shape(values, tensor, here)


def _from_bytes(tensor: Input, raw: memoryview, here: str) -> npt.NDArray[Any]:
    if tensor.datatype == "BYTES":
        return _in_shape(np.array(_texts(raw, here), dtype=object), tensor, here)
    kind = NUMBERS[tensor.datatype]
    if len(raw) % kind.itemsize:
        detail = f"expected a multiple of {kind.itemsize} bytes for {tensor.datatype}, got {len(raw)}"
        raise InvalidApplicants([Fault(f"{here}/parameters/binary_data_size", detail)])
    return _in_shape(np.frombuffer(raw, kind), tensor, here)


def _in_shape(values: npt.NDArray[Any], tensor: Input, here: str) -> npt.NDArray[Any]:
    # Python's own integers: a product of huge lengths must not wrap round to the right one.
    expected = 1
    for length in tensor.shape:
        expected *= length
    if expected != values.size or len(tensor.shape) > 2:
        detail = f"{values.size} values don't fill the shape {str(tensor.shape)[:100]} of one or two dimensions"
        raise InvalidApplicants([Fault(f"{here}/shape", detail)])
    return values.reshape(tensor.shape)


def _flatten(data: list[Any], here: str) -> list[Any]:
    if data and isinstance(data[0], list):
        if not all(isinstance(row, list) for row in data):
            raise InvalidApplicants([Fault(f"{here}/data", "expected all rows as lists, or one flat list")])
        return [value for row in data for value in row]
    return data


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
