"""The checksum at the end of a model file: the sha256 of all bytes before it.

It proves that no byte of graph or metadata changed since the export. It is one more metadata_props entry
(concatenated protobuf messages are merged), so every ONNX reader still reads the file. It protects against
accidents, not against a forged file.
"""

from __future__ import annotations

import hashlib

from model.contract import EXPORT_AGAIN, ContractError

CHECKSUM_KEY = b"sha256_before"


def append_checksum(content: bytes) -> bytes:
    """A serialized ModelProto, followed by the metadata entry with its sha256."""
    return content + _entry(hashlib.sha256(content).hexdigest())


def check_checksum(content: bytes) -> str:
    """The sha256 of the whole file; raises ContractError if the checksum is absent or wrong."""
    size = len(_entry(hashlib.sha256().hexdigest()))
    view = memoryview(content)
    body, found = view[:-size], content[-size:]
    if CHECKSUM_KEY not in found:
        raise ContractError(
            "the model file ends without its checksum: it is truncated, or was not exported by this project; "
            f"{EXPORT_AGAIN}"
        )
    digest = hashlib.sha256(body)
    if found != _entry(digest.hexdigest()):
        raise ContractError(
            "the model file was changed after its export: its sha256 checksum doesn't fit; "
            f"fetch it again, or {EXPORT_AGAIN}"
        )
    digest.update(found)
    return digest.hexdigest()


def _entry(sha256: str) -> bytes:
    # ModelProto.metadata_props is field 14 (onnx.proto3); key and value of the entry are its fields 1 and 2.
    key, value = CHECKSUM_KEY, sha256.encode()
    entry = b"\x0a" + bytes([len(key)]) + key + b"\x12" + bytes([len(value)]) + value
    return b"\x72" + bytes([len(entry)]) + entry
