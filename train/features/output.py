"""What `python -m train features` leaves behind: the table, the list of what was dropped from it, its card."""

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
from train.features.compute import Computed
from train.features.profile import CLOSEST, Duplicate, Profile, find_duplicates, profile
from train.features.stored import Stored
from train.files import write_whole


@dataclass(frozen=True, slots=True)
class Chosen:
    """The columns that are written, in order, each with its profile, and those that aren't."""

    kept: dict[str, Profile]
    dropped: tuple[Duplicate, ...]


def choose_columns(table: Computed, like: Card | None) -> Chosen:
    """Exactly the fields of a card; without one all but the empty and the near-duplicates."""
    profiles = profile(table.stored, list(like.fields if like else table.fields))
    if like is not None:
        return Chosen(profiles, ())
    dropped = find_duplicates(table.stored, profiles)
    names = {duplicate.name for duplicate in dropped}
    return Chosen({name: facts for name, facts in profiles.items() if name not in names}, tuple(dropped))


def write(table: Computed, chosen: Chosen, out: Path, card: Path | None) -> list[str]:
    """Write each file beside its place and rename it there, the card last; returns what to tell the user.

    Without `card` (the fields are those of a card that exists) only the table is written.
    """
    rows = _write_table(table.stored, list(chosen.kept), out)
    lines = [f"Wrote {out}: {rows:,} applications, {len(chosen.kept)} fields"]
    if card is None:
        return lines
    listing = out.with_suffix(".dropped.csv")
    write_whole(listing, _format_dropped(chosen.dropped))
    lines.append(
        f"Wrote {listing}: {len(chosen.dropped)} columns dropped, empty or |r| > {CLOSEST} with one that stays"
    )
    write_whole(card, write_card(make_card(table.fields, chosen.kept, out, card)))
    lines.append(f"Wrote {card}: labels, bounds, reasons; look through it, then: python -m train {card}")
    return lines


def _write_table(stored: Stored, names: list[str], out: Path) -> int:
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
