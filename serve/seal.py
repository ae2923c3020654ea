"""The seal at the end of a model file: the sha256 of all before it.

Golden rows prove answers; the seal proves that no byte of graph or metadata changed since the export.
It is one more metadata_props entry (protobuf messages may be concatenated), so every ONNX reader still
reads the file. It guards against accidents, not against somebody who makes a file on purpose.
"""

from __future__ import annotations

import hashlib

from serve.contract import ContractError

SEAL_KEY = b"sha256_before"


def seal(content: bytes) -> bytes:
    """The file with its seal: serialized ModelProto followed by the entry that holds its sha256."""
    return content + _entry(content)


def check_seal(content: bytes) -> None:
    """Raise ContractError if the file has no seal, or anything before it has changed."""
    size = len(_entry(b""))
    body, found = content[:-size], content[-size:]
    if SEAL_KEY not in found:
        raise ContractError(
            "the model file ends without a seal: it is cut off, or no export of ours; export it again: python -m train"
        )
    if found != _entry(body):
        raise ContractError(
            "the model file was changed after its export: its sha256 seal doesn't fit; "
            "fetch it again, or export it again: python -m train"
        )


def _entry(content: bytes) -> bytes:
    # ModelProto.metadata_props is field 14 (onnx.proto3); key and value of the entry are its fields 1 and 2.
    key, value = SEAL_KEY, hashlib.sha256(content).hexdigest().encode()
    entry = b"\x0a" + bytes([len(key)]) + key + b"\x12" + bytes([len(value)]) + value
    return b"\x72" + bytes([len(entry)]) + entry
