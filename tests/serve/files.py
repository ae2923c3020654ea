"""Invalid model files: a valid one with a changed contract and a matching checksum."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import onnx
from msgspec import structs
from onnx import helper

from model.checksum import append_checksum
from model.contract import Contract, read_contract, write_contract
from model.policy import Points


def with_contract(content: bytes, **changes: Any) -> bytes:
    """The same graph with some attributes of its contract changed."""
    graph = onnx.load_from_string(content)
    contract = read_contract({entry.key: entry.value for entry in graph.metadata_props})
    helper.set_model_props(graph, write_contract(structs.replace(contract, **changes)))
    return append_checksum(graph.SerializeToString(deterministic=True))


def contract_of(content: bytes) -> Contract:
    """The contract in a file."""
    return read_contract({entry.key: entry.value for entry in onnx.load_from_string(content).metadata_props})


def with_infinite_points(content: bytes) -> bytes:
    """A scale whose points overflow."""
    policy = contract_of(content).policy
    return with_contract(content, policy=structs.replace(policy, points=Points(double=1e308)))


def with_a_level_less(content: bytes) -> bytes:
    """A contract with fewer levels than the golden rows use."""
    fields = contract_of(content).fields
    fewer = [structs.replace(field, levels=field.levels[:-1]) if len(field.levels) > 2 else field for field in fields]
    return with_contract(content, fields=tuple(fewer))


UNSERVABLE: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "points": (with_infinite_points, "the model file can't be served: answering its golden rows ends in "),
    "levels": (with_a_level_less, "the model file can't be served: answering its golden rows ends in "),
}
"""Files with a valid checksum and graph that fail the self-test of the service: how each is made, and how the message
about it begins."""
