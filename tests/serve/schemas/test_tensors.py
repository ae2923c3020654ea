"""Tensors of the Open Inference Protocol: a round trip changes nothing, and invalid tensors are refused."""

from __future__ import annotations

import struct
from contextlib import suppress
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from msgspec import UNSET

from serve.schemas.open_inference import Datatype, InputParameters, Output, TensorInput
from serve.schemas.problems import InvalidApplicants
from serve.schemas.tensors import NUMBERS, read_tensors, write_tensor

NOTHING = memoryview(b"")

shapes = arrays.array_shapes(min_dims=1, max_dims=2, max_side=5)
numbers = st.sampled_from([np.dtype("<f8"), np.dtype("<i8")]).flatmap(lambda kind: arrays.arrays(kind, shapes))
texts = arrays.arrays(np.dtype(object), shapes, elements=st.text(max_size=5))
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4),
    max_leaves=8,
)
inputs = st.builds(
    TensorInput,
    name=st.text(max_size=5),
    shape=st.lists(st.integers(-(2**70), 2**70) | st.integers(0, 4), max_size=3),
    datatype=st.sampled_from(["FP64", "FP32", "INT64", "INT32", "BYTES"]),
    data=st.just(UNSET) | st.lists(anything, max_size=5),
    parameters=st.just(UNSET) | st.builds(InputParameters, binary_data_size=st.integers(-5, 60)),
)


def as_input(output: Output) -> TensorInput:
    """An output as an input."""
    return msgspec.convert(msgspec.to_builtins(output), TensorInput)


def written_texts(values: npt.NDArray[Any]) -> bytes:
    """Texts encoded as tritonclient does."""
    encoded = [text.encode() for text in values.ravel()]
    return b"".join(struct.pack("<I", len(text)) + text for text in encoded)


@given(numbers, st.booleans())
def test_numbers_round_trip(values: npt.NDArray[Any], is_binary: bool) -> None:
    """Exactly in binary; in JSON up to 2^53."""
    if not is_binary:
        values = np.clip(np.nan_to_num(values, posinf=0, neginf=0), -(2**53), 2**53).astype(values.dtype)

    output, raw = write_tensor("x", values, is_binary)
    (found,) = read_tensors([as_input(msgspec.json.decode(msgspec.json.encode(output), type=Output))], memoryview(raw))

    assert found.shape == values.shape
    assert found.tobytes() == values.astype(found.dtype).tobytes()


@given(texts, st.booleans())
def test_texts_round_trip(values: npt.NDArray[Any], is_binary: bool) -> None:
    """In JSON and in binary."""
    raw = written_texts(values) if is_binary else b""
    data = UNSET if is_binary else values.ravel().tolist()
    parameters = InputParameters(len(raw)) if is_binary else UNSET

    (found,) = read_tensors([TensorInput("x", list(values.shape), "BYTES", data, parameters)], memoryview(raw))

    assert found.tolist() == values.tolist()


@pytest.mark.parametrize("datatype", NUMBERS)
def test_numbers_of_every_datatype_are_read(datatype: Datatype) -> None:
    """From little-endian bytes, and from flat or nested JSON, where null is missing."""
    values = np.array([[1, 2], [3, 4]], NUMBERS[datatype])
    raw = values.tobytes()

    (binary,) = read_tensors(
        [TensorInput("x", [2, 2], datatype, parameters=InputParameters(len(raw)))], memoryview(raw)
    )
    (flat,) = read_tensors([TensorInput("x", [2, 2], datatype, [1, 2, 3, None])], NOTHING)
    (nested,) = read_tensors([TensorInput("x", [2, 2], datatype, [[1, 2], [3, None]])], NOTHING)

    assert binary.tolist() == values.tolist()
    assert [1, 2, 3] == flat.ravel().tolist()[:3] == nested.ravel().tolist()[:3]
    assert np.isnan(flat[1, 1])


def test_tensors_take_their_bytes_in_order() -> None:
    """With JSON tensors between them."""
    raw = np.array([1.5, 2.5]).tobytes() + np.array([7], "<i8").tobytes()
    told = [
        TensorInput("a", [2], "FP64", parameters=InputParameters(16)),
        TensorInput("b", [1], "FP64", [3.5]),
        TensorInput("c", [1], "INT64", parameters=InputParameters(8)),
    ]

    found = [tensor.tolist() for tensor in read_tensors(told, memoryview(raw))]

    assert found == [[1.5, 2.5], [3.5], [7]]


@given(st.lists(inputs, max_size=3), st.binary(max_size=80))
def test_any_input_is_read_or_refused_and_nothing_else(some: list[TensorInput], raw: bytes) -> None:
    """Random tensors and bytes give arrays of the stated shapes, or InvalidApplicants."""
    with suppress(InvalidApplicants):
        found = read_tensors(some, memoryview(raw))

        assert [list(values.shape) for values in found] == [one.shape for one in some]


@given(st.binary(max_size=64))
def test_any_bytes_are_texts_or_refused(raw: bytes) -> None:
    """Lengths beyond the end, half a length, invalid UTF-8."""
    with suppress(InvalidApplicants):
        (found,) = read_tensors([TensorInput("x", [1], "BYTES", parameters=InputParameters(len(raw)))], memoryview(raw))

        assert written_texts(found) == raw


def test_the_faults_of_all_tensors_are_named_together() -> None:
    """Each with its pointer."""
    told = [
        TensorInput("a", [2], "FP64", [1.5]),
        TensorInput("b", [1], "FP64", [1.5]),
        TensorInput("c", [1], "INT64", ["x"]),
    ]

    with pytest.raises(InvalidApplicants) as caught:
        read_tensors(told, NOTHING)

    assert [fault.pointer for fault in caught.value.faults] == ["/inputs/0/shape", "/inputs/2/data"]
