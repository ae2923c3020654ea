"""The seal of a model file: it proves that no byte changed, and hinders nobody who reads ONNX."""

from __future__ import annotations

import hashlib

import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from serve.contract import ContractError
from serve.model import Matrix, Model, load_model
from serve.seal import SEAL_KEY, check_seal, seal

SEAL_SIZE = len(seal(b""))
REFUSED = "ends without a seal|was changed after its export"


@given(before=st.binary())
def test_whatever_was_sealed_passes(before: bytes) -> None:
    """seal only appends, always as many bytes, and check_seal accepts what it made."""
    sealed = seal(before)

    check_seal(sealed)

    assert (before, SEAL_SIZE) == (sealed[:-SEAL_SIZE], len(sealed) - len(before))


@given(content=st.binary() | st.binary().map(lambda start: start + SEAL_KEY))
def test_bytes_without_a_seal_are_refused(content: bytes) -> None:
    """Nothing but a seal passes for one, not even the name of its entry."""
    with pytest.raises(ContractError, match=REFUSED):
        check_seal(content)


@given(data=st.data())
def test_a_single_flipped_bit_is_refused(data: st.DataObject, content: bytes) -> None:
    """Anywhere in the file, the seal itself included."""
    index = data.draw(st.integers(0, len(content) - 1), "index")
    bit = data.draw(st.integers(0, 7), "bit")
    flipped = bytearray(content)
    flipped[index] ^= 1 << bit

    with pytest.raises(ContractError, match=REFUSED):
        load_model(bytes(flipped))


@given(data=st.data())
def test_a_flipped_bit_of_the_seal_is_refused(data: st.DataObject, content: bytes) -> None:
    """Also a digit of the sha256 in another case, which reads the same."""
    index = data.draw(st.integers(len(content) - SEAL_SIZE, len(content) - 1), "index")
    bit = data.draw(st.integers(0, 7), "bit")
    flipped = bytearray(content)
    flipped[index] ^= 1 << bit

    with pytest.raises(ContractError, match=REFUSED):
        load_model(bytes(flipped))


@given(data=st.data())
def test_a_file_with_a_piece_cut_out_is_refused(data: st.DataObject, content: bytes) -> None:
    """At its end, as an interrupted download leaves it, at its beginning, or in between."""
    start = data.draw(st.integers(0, len(content) - 1), "start")
    stop = data.draw(st.just(len(content)) | st.integers(start + 1, len(content)), "stop")
    cut = content[:start] + content[stop:]

    with pytest.raises(ContractError, match=REFUSED):
        load_model(cut)


def test_a_file_without_its_seal_is_refused(content: bytes) -> None:
    """As an export of an older code left it."""
    unsealed = content[:-SEAL_SIZE]

    with pytest.raises(
        ContractError, match="ends without a seal: it is cut off, or no export of ours; export it again"
    ):
        load_model(unsealed)


def test_the_seal_of_another_file_is_refused(content: bytes) -> None:
    """A seal is good for the bytes before it and no others."""
    swapped = content[:-SEAL_SIZE] + seal(b"another file")[-SEAL_SIZE:]

    with pytest.raises(
        ContractError, match="was changed after its export: its sha256 seal doesn't fit; fetch it again"
    ):
        load_model(swapped)


def test_a_sealed_file_is_a_valid_onnx_file(content: bytes) -> None:
    """Every reader of ONNX finds the seal as the last entry of the metadata."""
    graph = onnx.load_from_string(content)

    onnx.checker.check_model(graph, full_check=True)

    last = graph.metadata_props[-1]
    expected = hashlib.sha256(content[:-SEAL_SIZE]).hexdigest()
    assert (SEAL_KEY.decode(), expected) == (last.key, last.value)


def test_a_second_seal_is_harmless(model: Model, content: bytes, applicants: Matrix) -> None:
    """The outer seal vouches for the inner one too: the same contract and the same answers."""
    twice = load_model(seal(content))

    assert model.contract == twice.contract
    assert model.score(applicants).probability.tobytes() == twice.score(applicants).probability.tobytes()
