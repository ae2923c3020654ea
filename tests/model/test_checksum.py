"""The checksum of a model file: every changed byte is detected, and the file stays valid ONNX."""

from __future__ import annotations

import hashlib

import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.checksum import CHECKSUM_KEY, append_checksum, check_checksum
from model.contract import ContractError
from model.loading import load_model
from model.session import Matrix, Model

SIZE = len(append_checksum(b""))
REFUSED = "ends without its checksum|was changed after its export"


@given(before=st.binary())
def test_content_with_its_checksum_is_accepted(before: bytes) -> None:
    """append_checksum appends a fixed number of bytes; check_checksum returns the sha256 of the whole file."""
    content = append_checksum(before)

    sha256 = check_checksum(content)

    assert (content[:-SIZE], len(content) - len(before)) == (before, SIZE)
    assert sha256 == hashlib.sha256(content).hexdigest()


@given(content=st.binary() | st.binary().map(lambda start: start + CHECKSUM_KEY))
def test_bytes_without_a_checksum_are_refused(content: bytes) -> None:
    """Random bytes are refused, even if they contain the key of the checksum."""
    with pytest.raises(ContractError, match=REFUSED):
        check_checksum(content)


@given(data=st.data())
def test_a_single_flipped_bit_is_refused(data: st.DataObject, content: bytes) -> None:
    """At any position of the file."""
    index = data.draw(st.integers(0, len(content) - 1), "index")
    bit = data.draw(st.integers(0, 7), "bit")
    flipped = bytearray(content)
    flipped[index] ^= 1 << bit

    with pytest.raises(ContractError, match=REFUSED):
        load_model(bytes(flipped))


@given(data=st.data())
def test_a_flipped_bit_of_the_checksum_is_refused(data: st.DataObject, content: bytes) -> None:
    """This includes a hex digit in upper case, which stands for the same number."""
    index = data.draw(st.integers(len(content) - SIZE, len(content) - 1), "index")
    bit = data.draw(st.integers(0, 7), "bit")
    flipped = bytearray(content)
    flipped[index] ^= 1 << bit

    with pytest.raises(ContractError, match=REFUSED):
        load_model(bytes(flipped))


@given(data=st.data())
def test_a_file_with_missing_bytes_is_refused(data: st.DataObject, content: bytes) -> None:
    """At its end, as after an interrupted download, at its beginning, or in between."""
    start = data.draw(st.integers(0, len(content) - 1), "start")
    stop = data.draw(st.just(len(content)) | st.integers(start + 1, len(content)), "stop")
    cut = content[:start] + content[stop:]

    with pytest.raises(ContractError, match=REFUSED):
        load_model(cut)


def test_a_file_without_its_checksum_is_refused(content: bytes) -> None:
    """As written by versions before the checksum."""
    unchecked = content[:-SIZE]

    with pytest.raises(
        ContractError,
        match="ends without its checksum: it is truncated, or was not exported by this project; export it again",
    ):
        load_model(unchecked)


def test_the_checksum_of_another_file_is_refused(content: bytes) -> None:
    """The checksum must be of the bytes before it."""
    swapped = content[:-SIZE] + append_checksum(b"another file")[-SIZE:]

    with pytest.raises(
        ContractError, match="was changed after its export: its sha256 checksum doesn't fit; fetch it again"
    ):
        load_model(swapped)


def test_a_file_with_its_checksum_is_a_valid_onnx_file(content: bytes) -> None:
    """ONNX readers see the checksum as the last metadata entry."""
    graph = onnx.load_from_string(content)

    onnx.checker.check_model(graph, full_check=True)

    last = graph.metadata_props[-1]
    expected = hashlib.sha256(content[:-SIZE]).hexdigest()
    assert (last.key, last.value) == (CHECKSUM_KEY.decode(), expected)


def test_a_second_checksum_is_accepted(model: Model, content: bytes, applicants: Matrix) -> None:
    """Contract and answers stay the same."""
    twice = load_model(append_checksum(content))

    assert twice.contract == model.contract
    assert twice.score(applicants).probability.tobytes() == model.score(applicants).probability.tobytes()
