"""Reading and writing tensors of the Open Inference Protocol, version 2, in JSON and in binary.

https://github.com/kserve/open-inference-protocol (REST, tensor data) and Triton's binary tensor data extension: the
body starts with `Inference-Header-Content-Length` bytes of JSON; the tensors follow in order, little-endian, row-major.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from itertools import islice
from typing import Any

import numpy as np
import numpy.typing as npt
from msgspec import UNSET

from model.contract import Field
from model.messages import quote_value, truncate
from model.session import NAN, Matrix
from serve.schemas.applicants import find_faults
from serve.schemas.limits import check_rows
from serve.schemas.open_inference import Datatype, InferBody, Output, TensorInput
from serve.schemas.problems import MAX_FAULTS, InvalidApplicants
from serve.schemas.requests import RequestSchemas
from serve.schemas.responses import Fault

NUMBERS: dict[str, np.dtype[Any]] = {
    "FP64": np.dtype("<f8"),
    "FP32": np.dtype("<f4"),
    "INT64": np.dtype("<i8"),
    "INT32": np.dtype("<i4"),
}

JSON_VALUES: dict[Datatype, tuple[str, tuple[type, ...]]] = {
    "FP64": ("a number", (int, float)),
    "FP32": ("a number", (int, float)),
    "INT64": ("a whole number", (int,)),
    "INT32": ("a whole number", (int,)),
    "BYTES": ("a text", (str,)),
}
"""JSON values of each datatype: the words for error messages, and the types that msgspec decodes them to."""


def read_tensors(inputs: Sequence[TensorInput], raw: memoryview) -> list[npt.NDArray[Any]]:
    """The inputs as arrays in their shape: numbers, or texts with dtype object; null is NaN, or None for a text.

    Raises InvalidApplicants with every input whose data, shape, datatype and size don't agree.
    """
    tensors: list[npt.NDArray[Any]] = []
    faults: list[Fault] = []
    start = 0
    for number, tensor in enumerate(inputs):
        here = f"/inputs/{number}"
        size = UNSET if tensor.parameters is UNSET else tensor.parameters.binary_data_size
        if size is not UNSET and (tensor.data is not UNSET or not 0 <= size <= len(raw) - start):
            detail = f"expected at most the {len(raw) - start} bytes that are left, and no data beside them"
            detail += f", got {truncate(str(size))}"
            # Without the size, the start of the next tensor is unknown.
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


def _from_json(tensor: TensorInput, here: str) -> npt.NDArray[Any]:
    if tensor.data is UNSET:
        raise InvalidApplicants([Fault(here, "expected data, or parameters.binary_data_size and its bytes")])
    flat = _flatten(tensor.data, tensor.shape, here)
    expected, kinds = JSON_VALUES[tensor.datatype]
    wrong = ((place, value) for place, value in enumerate(flat) if value is not None and type(value) not in kinds)
    faults = [
        Fault(f"{here}/data", f"value {place}: expected {expected} or null, got {quote_value(value)}")
        for place, value in islice(wrong, MAX_FAULTS + 1)
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


def _from_bytes(tensor: TensorInput, raw: memoryview, here: str) -> npt.NDArray[Any]:
    if tensor.datatype == "BYTES":
        return _in_shape(np.array(_texts(raw, here), dtype=object), tensor, here)
    kind = NUMBERS[tensor.datatype]
    if len(raw) % kind.itemsize:
        detail = f"expected a multiple of {kind.itemsize} bytes for {tensor.datatype}, got {len(raw)}"
        raise InvalidApplicants([Fault(f"{here}/parameters/binary_data_size", detail)])
    return _in_shape(np.frombuffer(raw, kind), tensor, here)


def _in_shape(values: npt.NDArray[Any], tensor: TensorInput, here: str) -> npt.NDArray[Any]:
    if not 1 <= len(tensor.shape) <= 2 or min(tensor.shape) < 1:
        detail = f"expected one or two lengths of at least 1, got {truncate(str(tensor.shape))}"
        raise InvalidApplicants([Fault(f"{here}/shape", detail)])
    # Python's integers, since a product of numpy integers may overflow to the expected size.
    if math.prod(tensor.shape) != values.size:
        detail = f"{values.size} values don't fill the shape {truncate(str(tensor.shape))}"
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
    """BYTES elements: each has a length of four bytes, little-endian, before its text."""
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


def read_matrix(body: InferBody, raw: memoryview, schemas: RequestSchemas) -> Matrix:
    """The applicants of a request: float64, shape (n, n_fields); raises HTTPProblem with all faults."""
    tensors = read_tensors(body.inputs, raw)
    if [tensor.name for tensor in body.inputs] == ["applicants"]:
        return _from_matrix(tensors[0], schemas)
    return _from_fields(body.inputs, tensors, schemas)


def _from_matrix(tensor: npt.NDArray[Any], schemas: RequestSchemas) -> Matrix:
    fields = schemas.fields
    if tensor.dtype.kind == "O":
        detail = "expected numbers, a category as the index of its level; texts go into a tensor of their own field"
        raise InvalidApplicants([Fault("/inputs/0/datatype", detail)])
    if tensor.ndim != 2 or tensor.shape[1] != len(fields):
        raise InvalidApplicants([Fault("/inputs/0/shape", f"expected [n, {len(fields)}], got {list(tensor.shape)}")])
    check_rows(len(tensor), schemas.max_rows)
    matrix: Matrix = np.ascontiguousarray(tensor, np.float64)
    faults = [Fault("/inputs/0/data", fault.detail) for fault in find_faults(matrix, fields)]
    if faults:
        raise InvalidApplicants(faults)
    return matrix


def _from_fields(inputs: list[TensorInput], tensors: list[npt.NDArray[Any]], schemas: RequestSchemas) -> Matrix:
    place = {field.name: column for column, field in enumerate(schemas.fields)}
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
        faults.append(Fault("/inputs", f"expected tensors of one length, got lengths {truncate(str(lengths))}"))
    faults += [
        Fault("/inputs", f"the field {field.name!r} is missing")
        for field in schemas.fields
        if field.name not in number and not field.nullable
    ]
    if len(lengths) == 1:
        # Before the matrix is allocated, which is larger than the tensors if fields are left out.
        check_rows(lengths[0], schemas.max_rows)
        matrix = np.full((lengths[0], len(place)), NAN)
    for name in [name for name in place if name in number and len(lengths) == 1]:
        field, here = schemas.fields[place[name]], f"/inputs/{number[name]}"
        try:
            column = _column(tensors[number[name]].ravel(), field, here)
        except InvalidApplicants as error:
            faults += error.faults
            continue
        faults += [Fault(f"{here}/data", fault.detail) for fault in find_faults(column[:, None], [field])]
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
            [
                Fault(f"{here}/data", f"unknown level {quote_value(value)}, expected one of: {known}")
                for value in unknown
            ]
        )
    return np.array([index[value] for value in values])
