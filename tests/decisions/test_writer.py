"""Writer: each decision whose writing succeeded is on record exactly once, whenever the connection is lost."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from decisions.record import Record
from decisions.store import InvalidRecords, StoreError, open_store
from decisions.writer import Writer
from tests.decisions.samples import MODEL, assert_whole, make_entries, read_records
from tests.decisions.unreliable import Database

LOSSES = ["before", "after", "late"]


@contextmanager
def writing(folder: Path, *, is_spooling: bool) -> Iterator[tuple[Writer, Database, str]]:
    """A connected writer to a SQLite database."""
    url = f"sqlite:///{folder}/decisions.db"
    database = Database(url)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("decisions.writer.open_store", database.open)
        writer = Writer(url, folder / "spool" if is_spooling else None)
        writer.add_model(MODEL)
        reconnect(writer)
        yield writer, database, url
        writer.close()


def reconnect(writer: Writer) -> None:
    """What the recorder does once a second."""
    with suppress(StoreError):
        if not writer.is_connected:
            writer.connect()
        while not writer.maintain():
            pass


def read_chains(url: str) -> list[list[Record]]:
    """The records of each chain, which must be whole up to the head that is registered."""
    store = open_store(url, create=False)
    chains = [list(records) for _, records in groupby(read_records(store), key=lambda record: record.chain)]
    for records in chains:
        assert assert_whole(records) == store.read_head(records[0].chain)
    store.close()
    return chains


@given(
    st.lists(
        st.one_of(
            st.integers(1, 3).map(lambda rows: ("write", rows)),
            st.sampled_from([("lose", loss) for loss in LOSSES]),
            st.sampled_from([("do", step) for step in ("reconnect", "go down", "come up", "commit late", "restart")]),
        ),
        max_size=25,
    ),
    st.booleans(),
)
@settings(max_examples=60)
def test_what_was_written_is_on_record_exactly_once(steps: list[tuple[str, str | int]], is_spooling: bool) -> None:
    """In order, in whole chains, whatever happens to connections, the database and the process in between."""
    answered: list[str] = []
    posted: list[str] = []
    with TemporaryDirectory() as name, writing(Path(name), is_spooling=is_spooling) as (writer, database, url):
        for kind, what in [*steps, ("do", "come up"), ("do", "reconnect"), ("do", "commit late"), ("do", "reconnect")]:
            if kind == "write":
                entries = make_entries(*range(int(what)))
                posted += [entry.id for entry in entries]
                with suppress(StoreError):
                    writer.write(entries)
                    answered += [entry.id for entry in entries]
            elif kind == "lose":
                database.losses.append(what)  # type: ignore[arg-type]
            elif what == "reconnect":
                reconnect(writer)
            elif what == "commit late":
                database.commit_late()
            elif what == "restart":
                writer.close()
                writer = Writer(url, Path(name) / "spool" if is_spooling else None)
                writer.add_model(MODEL)
                reconnect(writer)
            else:
                database.is_down = what == "go down"
        database.losses.clear()
        reconnect(writer)
        assert writer.spooled == 0
        chains = read_chains(url)
        writer.close()

    recorded = [record.id for records in chains for record in records]
    assert len(recorded) == len(set(recorded))
    assert set(answered) <= set(recorded) <= set(posted)
    for records in chains:
        places = [posted.index(record.id) for record in records]
        assert places == sorted(places)


def test_records_of_a_lost_answer_are_found(tmp_path: Path) -> None:
    """The database had committed them: the next ones follow them."""
    with writing(tmp_path, is_spooling=False) as (writer, database, url):
        database.losses = [None, "after"]
        first, second, third = make_entries("a"), make_entries("b"), make_entries("c")
        writer.write(first)
        with pytest.raises(StoreError, match="the connection was lost"):
            writer.write(second)
        assert not writer.is_connected
        reconnect(writer)
        writer.write(third)

    (records,) = read_chains(url)
    assert [record.id for record in records] == [entry.id for entry in (*first, *second, *third)]


def test_without_a_database_nothing_is_written(tmp_path: Path) -> None:
    """The error is that of the last attempt."""
    with writing(tmp_path, is_spooling=False) as (writer, database, _):
        database.is_down = True
        for _ in range(2):
            with pytest.raises(StoreError, match="the database is down"):
                writer.write(make_entries("a"))
        reconnect(writer)
        assert (writer.is_connected, writer.error) == (False, "the database is down")


def test_a_lost_connection_is_noticed_without_a_request(tmp_path: Path) -> None:
    with writing(tmp_path, is_spooling=False) as (writer, database, _):
        database.is_down = True
        reconnect(writer)
        assert not writer.is_connected


def test_refused_entries_leave_connection_and_chain(tmp_path: Path) -> None:
    """Also where there is a spool: it would never get rid of them."""
    with writing(tmp_path, is_spooling=True) as (writer, _, url):
        first, last = make_entries("a"), make_entries("b")
        writer.write(first)
        with pytest.raises(InvalidRecords):
            writer.write([replace(last[0], id=first[0].id)])
        assert (writer.is_connected, writer.spooled) == (True, 0)
        writer.write(last)

    (records,) = read_chains(url)
    assert [record.id for record in records] == [first[0].id, last[0].id]


def test_a_spool_that_fails_cannot_shift_records(tmp_path: Path) -> None:
    """The database commits late what no spool took: the next ones don't take its place."""
    with writing(tmp_path, is_spooling=True) as (writer, database, url):
        (tmp_path / "spool").write_text("no folder")
        database.losses = ["late"]
        lost, kept = make_entries("a"), make_entries("b")
        with pytest.raises(StoreError, match=r"the spool .* can't be made"):
            writer.write(lost)
        (tmp_path / "spool").unlink()
        writer.write(kept)
        assert writer.spooled == 1
        database.commit_late()
        reconnect(writer)
        assert writer.spooled == 0

    assert {record.id for records in read_chains(url) for record in records} == {lost[0].id, kept[0].id}


def test_a_new_model_is_kept_before_its_first_record(tmp_path: Path) -> None:
    """In the database, or in the spool and then in the database."""
    for is_down in (False, True):
        folder = tmp_path / str(is_down)
        folder.mkdir()
        with writing(folder, is_spooling=True) as (writer, database, url):
            writer.write(make_entries("a"))
            database.is_down = is_down
            writer.add_model(replace(MODEL, sha256="f" * 64))
            writer.write([replace(make_entries("b")[0], model="f" * 64)])
            database.is_down = False
            reconnect(writer)

        store = open_store(url)
        assert {sha256 for (sha256,) in store.query("SELECT sha256 FROM models")} == {MODEL.sha256, "f" * 64}
        assert len(read_records(store)) == 2
        store.close()
