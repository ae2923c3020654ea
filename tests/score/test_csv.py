"""CSV files are split between rows, whatever the cells contain."""

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
from score.csv import open_csv
from score.errors import ScoringError
from score.rejects import MALFORMED

cell = st.text(st.sampled_from('ab",\n\r é'), max_size=5)


def read(path: Path, columns: list[str], batch_rows: int = 3) -> pa.Table:
    """The rows of all pieces of a file."""
    pieces = list(open_csv(path).pieces(columns, batch_rows))
    read = [list(piece.batches()) for piece in pieces]
    assert [piece.size for piece in pieces] == [sum(units for _, units in batches) for batches in read]
    return pa.concat_tables(
        [pa.Table.from_batches([batch]) for batches in read for batch, _ in batches], promote_options="default"
    )


@given(rows=st.lists(st.tuples(cell, cell, cell), min_size=1, max_size=12), piece=st.integers(1, 40))
def test_cells_are_read_as_written_for_every_piece_size(rows: list[tuple[str, ...]], piece: int) -> None:
    """Cells contain quotes, commas and line breaks; a piece may be as small as one byte."""
    text = io.StringIO()
    csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows([("x", "y,\nz", "v"), *rows])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(score.csv, "PIECE_BYTES", piece)
        patch.setattr(pa, "input_stream", lambda path: pa.BufferReader(text.getvalue().encode()))
        patch.setattr(Path, "stat", lambda path: stat_of(text))

        table = read(Path("any.csv"), ["y,\nz", "x"])

    assert table.column("y,\nz").to_pylist() == [row[1] for row in rows]
    assert table.column("x").to_pylist() == [row[0] for row in rows]


def stat_of(text: io.StringIO) -> object:
    """A result of Path.stat."""
    return type("Status", (), {"st_size": len(text.getvalue())})


def test_a_line_with_too_few_or_too_many_cells_is_malformed(tmp_path: Path) -> None:
    """Malformed lines come after the rows of their piece, in a column of their own."""
    path = tmp_path / "x.csv"
    path.write_text("id,a\n1,2\n3\n4,5,6\n7,8\n")

    table = read(path, ["id", "a"])

    assert table.column("id").to_pylist() == ["1", "7", None, None]
    assert table.column(MALFORMED).to_pylist() == [None, None, "3", "4,5,6"]


@pytest.mark.parametrize("content", [b"\xef\xbb\xbfid,a\r\n1,2\r\n", b"id, a\n1,2", b"id,a\n\n1,2\n\n"])
def test_common_variants_of_csv_are_read(tmp_path: Path, content: bytes) -> None:
    """Byte-order mark, CRLF, blanks in the header, no final line break, blank lines."""
    path = tmp_path / "x.csv"
    path.write_bytes(content)

    assert read(path, ["id", "a"]).to_pylist() == [{"id": "1", "a": "2"}]


def test_a_gzip_file_is_read(tmp_path: Path) -> None:
    """Training reads it as well."""
    path = tmp_path / "x.csv.gz"
    path.write_bytes(gzip.compress(b"id,a\n1,2\n"))

    assert read(path, ["id", "a"]).to_pylist() == [{"id": "1", "a": "2"}]


def test_a_file_with_only_a_header_has_no_pieces(tmp_path: Path) -> None:
    """It is an empty portfolio."""
    path = tmp_path / "x.csv"
    path.write_text("id,a\n")

    assert list(open_csv(path).pieces(["id"], 3)) == []


def test_an_empty_file_is_an_error(tmp_path: Path) -> None:
    """The message says that a header was expected."""
    path = tmp_path / "x.csv"
    path.touch()

    with pytest.raises(ScoringError, match=r"x\.csv is empty, expected a header line"):
        open_csv(path)


def test_an_unclosed_quote_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would make a row as large as the file."""
    monkeypatch.setattr(score.csv, "PIECE_BYTES", 10)
    monkeypatch.setattr(score.csv, "MAX_ROW_BYTES", 100)
    path = tmp_path / "x.csv"
    path.write_text('id,a\n1,"2\n' + "3,4\n" * 100)
    source = open_csv(path)

    with pytest.raises(ScoringError, match="a quote is never closed"):
        read(source.path, ["id"])


def test_a_file_in_another_encoding_is_an_error(tmp_path: Path) -> None:
    """The message has the file and the expected encoding."""
    path = tmp_path / "x.csv"
    path.write_bytes("id,a\n1,é\n".encode("latin-1"))

    with pytest.raises(ScoringError, match=r"x\.csv can't be read as CSV in UTF-8"):
        read(path, ["id", "a"])
