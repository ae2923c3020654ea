"""The files of `python -m train features`: the table, the list of dropped columns, the card."""

from __future__ import annotations

import csv
import io
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet

from train.card import Card
from train.errors import TrainingError
from train.features import application
from train.features.card import make_card, write_card
from train.features.compute import ComputedFeatures
from train.features.profile import MAX_CORRELATION, Duplicate, Profile, find_duplicates, profile
from train.features.stored import StoredFeatures
from train.files import write_whole


@dataclass(frozen=True, slots=True)
class SelectedColumns:
    """The columns to write, in order, with their profiles, and the columns to drop."""

    kept: dict[str, Profile]
    dropped: tuple[Duplicate, ...]


def select_columns(table: ComputedFeatures, like: Card | None) -> SelectedColumns:
    """The fields of the card `like`; without one all columns but empty ones and near-duplicates."""
    profiles = profile(table.stored, list(like.fields if like else table.fields))
    if like is not None:
        return SelectedColumns(profiles, ())
    dropped = find_duplicates(table.stored, profiles)
    names = {duplicate.name for duplicate in dropped}
    return SelectedColumns({name: facts for name, facts in profiles.items() if name not in names}, tuple(dropped))


def write(table: ComputedFeatures, columns: SelectedColumns, out: Path, card: Path | None) -> list[str]:
    """Replace each file atomically, the card last; returns lines for the terminal.

    With `card` None only the table is written.
    """
    rows = _write_table(table.stored, list(columns.kept), out)
    lines = [f"Wrote {out}: {rows:,} applications, {len(columns.kept)} fields"]
    if card is None:
        return lines
    listing = out.with_suffix(".dropped.csv")
    write_whole(listing, _format_dropped(columns.dropped))
    lines.append(
        f"Wrote {listing}: {len(columns.dropped)} columns dropped, empty or |r| > {MAX_CORRELATION} with a kept one"
    )
    write_whole(card, write_card(make_card(table.fields, columns.kept, out, card)))
    lines.append(f"Wrote {card}: labels, bounds, reasons; review it, then: python -m train {card}")
    return lines


def _write_table(stored: StoredFeatures, names: list[str], out: Path) -> int:
    """Copy some columns, batch by batch; returns the number of rows."""
    types = stored.read_types()
    columns = [*(name for name in (application.ID, application.TARGET) if name in types), *names]
    schema = pa.schema([pa.field(name, types[name]) for name in columns])
    rows = 0
    try:
        with tempfile.NamedTemporaryFile(dir=out.parent, prefix=f".{out.name}.", delete=False) as draft:
            try:
                with pyarrow.parquet.ParquetWriter(draft, schema, compression="zstd") as writer:
                    for table in stored.batches(columns):
                        writer.write_table(table.cast(schema))
                        rows += len(table)
                draft.flush()
                os.fsync(draft.fileno())
                os.chmod(draft.name, 0o644)
                os.replace(draft.name, out)
            except BaseException:
                os.unlink(draft.name)
                raise
    except OSError as error:
        raise TrainingError(f"can't write {out}: {error.strerror or error}; choose another place with --out") from error
    return rows


def _format_dropped(dropped: tuple[Duplicate, ...]) -> bytes:
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(["dropped", "kept", "correlation"])
    for column in dropped:
        rows.writerow([column.name, column.kept, f"{column.correlation:.6f}" if column.kept else "empty"])
    return text.getvalue().encode()
