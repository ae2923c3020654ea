"""Verify: whether every record is as it was written, none is missing, and every model file is the one it is named for.

A chain proves that nothing inside it was changed. That a whole chain, or its end, was rebuilt or removed shows only
against a seal: the heads of all chains at an earlier time, kept where those who can write to the database can't.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from decisions.chain import now
from decisions.misfits import explain_misfits
from decisions.model_files import describe_file
from decisions.reading import write_time
from decisions.record import COLUMNS, Head
from decisions.record_check import RecordCheck
from decisions.replay import ReplayError, decompress_model
from decisions.store import Store
from model.contract import ContractError
from model.loading import load_model

PROGRESS_ROWS = 1_000


class SealedHead(Struct, frozen=True, forbid_unknown_fields=True):
    """The end of a chain; `hash` in hexadecimal."""

    chain: int
    sequence: Annotated[int, Meta(ge=0)]
    hash: Annotated[str, Meta(pattern="^([0-9a-f]{16}|[0-9a-f]{64})$")]


class Seal(Struct, frozen=True, forbid_unknown_fields=True):
    """The heads of all chains at a time, RFC 3339. A chain that contains its head has the same records up to there."""

    time: str
    chains: list[SealedHead]


class VerifyReport(Struct):
    """Counts of what was read, and a sentence for each fault. `deletions`: by age, one for each chain."""

    records: int
    chains: int
    models: int
    erased: int
    deletions: int
    faults: list[str]


class _HeadRow(Head, frozen=True, array_like=True):
    """A head that is checked for the types of its columns."""


def make_seal(store: Store) -> Seal:
    """The heads of all chains as they are now; raises StoreError."""
    heads = _read_heads(store)
    return Seal(write_time(now()), [SealedHead(head.chain, head.sequence, head.hash.hex()) for head in heads])


def verify(store: Store, seal: Seal | None, progress: Callable[[int], object]) -> VerifyReport:
    """Check all records and model files, and that the chains contain the heads of a seal; raises StoreError.

    `progress` is called with the number of records in each portion. Other processes may go on recording meanwhile.
    """
    damage = [f"database: changed: {what}" for what in store.find_damage()]
    sealed = [] if seal is None else [Head(it.chain, it.sequence, bytes.fromhex(it.hash)) for it in seal.chains]
    records = RecordCheck({"the table chains": _read_heads(store), "the seal": sealed})
    n_records = 0
    # One SELECT, so that all records are of one moment.
    sql = f"SELECT {', '.join(COLUMNS)} FROM records ORDER BY chain, sequence"  # noqa: S608
    for n_records, row in enumerate(store.query(sql), 1):
        records.read(row)
        if n_records % PROGRESS_ROWS == 0:
            progress(PROGRESS_ROWS)
    progress(n_records % PROGRESS_ROWS)
    records.finish(_read_heads(store))
    misfits = [line for some in records.misfits.values() for line in explain_misfits(some, store)]
    names = [name for (name,) in list(store.query("SELECT sha256 FROM models ORDER BY first_used"))]
    return VerifyReport(
        records=n_records,
        chains=len(records.ends),
        models=len(names),
        erased=len(records.erased),
        deletions=len(records.deletions),
        faults=[
            *damage,
            *records.faults,
            *misfits,
            *_check_applicants(store),
            *_check_models(store, names, records.models),
        ],
    )


def _read_heads(store: Store) -> list[Head]:
    heads: list[Head] = []
    for row in store.query("SELECT chain, sequence, hash FROM chains ORDER BY opened, chain"):
        try:
            heads.append(msgspec.convert(row, _HeadRow))
        except msgspec.ValidationError:
            # Which is no head of any chain.
            heads.append(_HeadRow(row[0], 0, b""))
    return heads


def _check_applicants(store: Store) -> Iterator[str]:
    """Records whose applicant isn't that of the decision that they are about: the one column that no hash covers."""
    sql = """
        SELECT records.chain, records.sequence, records.id
        FROM records JOIN records AS decision ON decision.id = records.subject
        WHERE records.subject IS NOT NULL AND coalesce(records.applicant, '') <> coalesce(decision.applicant, '')
    """
    for chain, sequence, id in store.query(sql):
        yield f"chain {chain}, record {sequence}, {id}: changed: its applicant isn't the one of its decision"


def _check_models(store: Store, names: list[str], used: Counter[str | None]) -> Iterator[str]:
    for name in names:
        sql = "SELECT content, name, version, fields FROM models WHERE sha256 = :name"
        ((stored, *described),) = list(store.query(sql, {"name": name}))
        try:
            content = decompress_model(stored, name)
            file = describe_file(load_model(content), content)
        except ReplayError as error:
            yield f"model {name}: {error}"
            continue
        except ContractError:
            # It is the file that decided; whether this version of the code can load it is for `replay` to tell.
            continue
        if described != [file.name, file.version, file.fields]:
            yield f"model {name}: changed: its name, version or fields aren't those of its file"
    for used_name in used.keys() - names:
        yield f"model {used_name}: missing: {used[used_name]:,} records were made by it, and it isn't kept"
