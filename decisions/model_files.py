"""Model files as they are kept in the table `models`, each with its name, version and fields."""

from __future__ import annotations

import zlib
from typing import Literal

import msgspec
from msgspec import Struct

from decisions.store import ModelFile, Store
from model.session import Model


class KeptField(Struct, frozen=True):
    """What of a field is needed to name inputs."""

    name: str
    kind: Literal["number", "category"]
    levels: tuple[str, ...] = ()


class KeptModel(Struct, frozen=True):
    """A model that made decisions."""

    name: str
    version: str
    fields: tuple[KeptField, ...]


def describe_file(model: Model, content: bytes) -> ModelFile:
    """A model file, these bytes, as it is kept with the decisions that it makes."""
    contract = model.contract
    fields = [KeptField(field.name, field.kind, field.levels) for field in contract.fields]
    return ModelFile(
        model.sha256, contract.name, contract.version, msgspec.json.encode(fields).decode(), zlib.compress(content)
    )


def read_models(store: Store) -> dict[str, KeptModel]:
    """SHA-256 → model, the first used one first; raises StoreError."""
    rows = store.query("SELECT sha256, name, version, fields FROM models ORDER BY first_used, sha256")
    return {
        sha256: KeptModel(name, version, msgspec.json.decode(fields, type=tuple[KeptField, ...]))
        for sha256, name, version, fields in rows
    }
