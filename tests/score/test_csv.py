"""CSV files of any size are cut between rows, whatever the cells hold; nothing is lost."""

from __future__ import annotations

import csv
import gzip
import io
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import score.csv
from score.batches import MALFORMED
from score.csv import open_csv
from score.errors import ScoringError

cell = st.text(st.sampled_from('ab",\n\r é'), max_size=5)


def read(path: Path, columns: list[str], batch_rows: int = 3) -> pa.Table:
    """All pieces of a file, one after the other."""
    pieces = list(open_csv(path).pieces(columns, batch_rows))
    read = [list(piece.batches()) for piece in pieces]
    assert [piece.size for piece in pieces] == [sum(units for _, units in batches) for batches in read]
    return pa.concat_tables(
        [pa.Table.from_batches([batch]) for batches in read for batch, _ in batches], promote_options="default"
    )


@given(rows=st.lists(st.tuples(cell, cell, cell), min_size=1, max_size=12), piece=st.integers(1, 40))
def test_cells_are_what_was_written_wherever_the_file_is_cut(rows: list[tuple[str, ...]], piece: int) -> None:
    """Quotes, commas and line breaks inside cells; pieces down to a single byte."""
    text = io.StringIO()
    csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows([("x", "y,\nz", "v"), *rows])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(score.csv, "PIECE_BYTES", piece)
        patch.setattr(pa, "input_stream", lambda path: pa.BufferReader(text.getvalue().encode()))
        patch.setattr(Path, "stat", lambda path: io_size(text))

        table = read(Path("any.csv"), ["y,\nz", "x"])

    assert [row[1] for row in rows] == table.column("y,\nz").to_pylist()
    assert [row[0] for row in rows] == table.column("x").to_pylist()


def io_size(text: io.StringIO) -> object:
    """What Path.stat tells of a file."""
    return type("Status", (), {"st_size": len(text.getvalue())})


def test_a_line_with_too_few_or_too_many_cells_is_handed_on(tmp_path: Path) -> None:
    """After the rows around it."""
    path = tmp_path / "x.csv"
    path.write_text("id,a\n1,2\n3\n4,5,6\n7,8\n")

    table = read(path, ["id", "a"])

    assert ["1", "7", None, None] == table.column("id").to_pylist()
    assert [None, None, "3", "4,5,6"] == table.column(MALFORMED).to_pylist()


@pytest.mark.parametrize("content", [b"\xef\xbb\xbfid,a\r\n1,2\r\n", b"id, a\n1,2", b"id,a\n\n1,2\n\n"])
def test_what_other_programs_write_is_read(tmp_path: Path, content: bytes) -> None:
    """A byte order mark, Windows' line ends, blanks in the header, no last line end, empty lines."""
    path = tmp_path / "x.csv"
    path.write_bytes(content)

    assert [{"id": "1", "a": "2"}] == read(path, ["id", "a"]).to_pylist()


def test_a_compressed_file_is_read(tmp_path: Path) -> None:
    """As training reads it."""
    path = tmp_path / "x.csv.gz"
    path.write_bytes(gzip.compress(b"id,a\n1,2\n"))

    assert [{"id": "1", "a": "2"}] == read(path, ["id", "a"]).to_pylist()


def test_a_header_alone_has_no_pieces(tmp_path: Path) -> None:
    """It is an empty portfolio."""
    path = tmp_path / "x.csv"
    path.write_text("id,a\n")

    assert [] == list(open_csv(path).pieces(["id"], 3))


def test_an_empty_file_has_no_header(tmp_path: Path) -> None:
    """Not even names."""
    path = tmp_path / "x.csv"
    path.touch()

    with pytest.raises(ScoringError, match=r"x\.csv is empty, expected a header line"):
        open_csv(path)


def test_a_quote_that_is_never_closed_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rather than a row as large as the file."""
    monkeypatch.setattr(score.csv, "PIECE_BYTES", 10)
    monkeypatch.setattr(score.csv, "LONGEST_ROW", 100)
    path = tmp_path / "x.csv"
    path.write_text('id,a\n1,"2\n' + "3,4\n" * 100)
    source = open_csv(path)

    with pytest.raises(ScoringError, match="a quote is never closed"):
        read(source.path, ["id"])


def test_a_file_in_another_encoding_is_an_error(tmp_path: Path) -> None:
    """It names the file and what was expected."""
    path = tmp_path / "x.csv"
    path.write_bytes("id,a\n1,é\n".encode("latin-1"))

    with pytest.raises(ScoringError, match=r"x\.csv can't be read as CSV in UTF-8"):
        read(path, ["id", "a"])
