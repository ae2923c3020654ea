"""Text tables of a portfolio: the rows of every piece are the records of model/records.py, in their order."""

from __future__ import annotations

import gzip
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import csv as arrow_csv

import score.csv
from model.dialect import NO_OPTIONS, DialectOptions, TableError
from model.records import TextTable
from model.vocabulary import parse_number
from score.csv import TextSource, read_chunk
from score.errors import ScoringError
from score.rows import Rows
from score.scorer import Scorer

BASE_ID = "01234567-89ab-8cde-8f01-234000000000"

HEADER = 'id,Amount,Income,"Home, now",Client,Rooms'

cell = st.text(st.sampled_from('ab", \n\r é\ufeff'), max_size=5)


def open_text(path: Path, scorer: Scorer, options: DialectOptions = NO_OPTIONS) -> TextSource:
    """The file as a part of a portfolio."""
    source = TextSource(path, {}, scorer, options, BASE_ID)
    source.check(scorer)
    return source


def read(source: TextSource, columns: list[str], batch_rows: int = 3) -> list[Rows]:
    """The rows of all pieces of a file."""
    found: list[Rows] = []
    for piece in source.pieces(columns, batch_rows):
        batches = list(piece.batches())
        assert sum(rows.batch.num_rows for rows, _ in batches) == piece.rows
        assert sum(units for _, units in batches) == piece.size
        found += [rows for rows, _ in batches]
    return found


def cells(rows: list[Rows], name: str) -> list[str | None]:
    """The cells of a column without blanks around them."""
    texts = [text for some in rows for text in some.batch.column(name).to_pylist()]
    return [text if text is None else text.strip() for text in texts]


def lines(rows: list[Rows]) -> list[int]:
    """The line of each row."""
    return [line for some in rows for line in some.lines.tolist()]


@given(
    rows=st.lists(st.lists(cell, min_size=1, max_size=4), max_size=12),
    is_quoted=st.booleans(),
    line_end=st.sampled_from(["\n", "\r\n", "\r"]),
    size=st.integers(1, 40),
)
def test_rows_are_the_records_of_the_table(rows: list[list[str]], is_quoted: bool, line_end: str, size: int) -> None:
    """Cells, lines and faults, for every size of the blocks, whether Arrow or Python has split them.

    No two rows have the same line.
    """

    def write(text: str) -> str:
        return '"' + text.replace('"', '""') + '"' if is_quoted else text

    content = "".join(",".join(map(write, row)) + line_end for row in [["x", "y", "z", ""], *rows]).encode()
    blocks = [content[start : start + size] for start in range(0, len(content), size)]
    options = DialectOptions(",", ".", "utf-8")
    try:
        records = list(TextTable(blocks, options=options).records())
    except TableError:
        return
    table = TextTable(blocks, options=options)

    found = [some for chunk in table.chunks() for some in read_chunk(chunk, table, {}, BASE_ID, ["z", "x"], 3)]

    assert lines(found) == [record.line for record in records]
    assert lines(found) == sorted(set(lines(found)))
    for name, index in (("x", 0), ("z", 2)):
        assert cells(found, name) == [None if record.fault else record.cells[index].strip() for record in records]
    malformed = [some.malformed[row] for some in found for row in sorted(some.malformed)]
    assert malformed == [(record.fault, record.cells[0]) for record in records if record.fault]


@pytest.mark.parametrize(
    "content",
    [
        b"id,a\n1,2\n3\n4,5,6\n7,8\n",
        b'id,a\n1,2\n3\n4,5,6\n7,"8"\n',
        b"id,a,\n1,2\n3\n4,5,6\n7,8,\n",
    ],
)
def test_a_line_with_too_few_or_too_many_cells_is_malformed(content: bytes) -> None:
    """It keeps its place; a blank cell after the last column doesn't count."""
    table = TextTable([content])

    (rows,) = [some for chunk in table.chunks() for some in read_chunk(chunk, table, {}, BASE_ID, ["id", "a"], 10)]

    assert rows.batch.column("id").to_pylist() == ["1", None, None, "7"]
    assert rows.lines.tolist() == [2, 3, 4, 5]
    assert {row: line.text for row, line in rows.malformed.items()} == {1: "3", 2: "4,5,6"}
    assert rows.malformed[1].fault == "expected 2 cells, as the header has, got 1"


def test_a_wrong_number_of_rows_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the fast reader does, no row is lost in silence."""
    table = TextTable([b"id,a\n1,2\n3,4\n"])
    (chunk,) = table.chunks()
    short = pa.table({"0": ["1"], "1": ["2"]})
    monkeypatch.setattr(arrow_csv, "read_csv", lambda *_: short)

    with pytest.raises(ScoringError, match="line 2: 2 records were counted from here, and 1 read"):
        list(read_chunk(chunk, table, {}, BASE_ID, ["id", "a"], 10))


@pytest.mark.parametrize("is_compressed", [False, True])
def test_a_file_is_read_in_pieces(
    tmp_path: Path, scorer: Scorer, is_compressed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also a compressed one of several members; the size of the pieces is that of the file."""
    text = f"{HEADER}\n" + "".join(f"{row},1,2,own,true,1\n" for row in range(9_000))
    halves = text[:200].encode(), text[200:].encode()
    path = tmp_path / ("x.csv.gz" if is_compressed else "x.csv")
    path.write_bytes(b"".join(map(gzip.compress, halves)) if is_compressed else b"".join(halves))
    monkeypatch.setattr(score.csv, "BLOCK_BYTES", 100_000)
    source = open_text(path, scorer)

    rows = read(source, ["id"], 70)

    assert cells(rows, "id") == [str(row) for row in range(9_000)]
    assert lines(rows) == list(range(2, 9_002))
    assert sum(piece.size for piece in source.pieces(["id"], 7)) == path.stat().st_size
    assert is_compressed or len(list(source.pieces(["id"], 7))) > 1


def test_a_late_encoding_is_the_dialect_in_the_end(tmp_path: Path, scorer: Scorer) -> None:
    """The head of the file is ASCII."""
    path = tmp_path / "x.csv"
    path.write_bytes(
        f"{HEADER}\n".encode()
        + b"".join(b"%d,1.5,2,own,true,1\n" % row for row in range(20_000))
        + "é,1.5,2,own,true,1\n".encode("cp1252")
    )
    source = open_text(path, scorer)
    before = str(source.dialect)

    ids = cells(read(source, ["id"], 50_000), "id")

    assert before == "',', decimal point, UTF-8"
    assert str(source.dialect) == "',', decimal point, cp1252"
    assert ids[-1] == "é"


@pytest.mark.parametrize(
    ("name", "written", "message"),
    [
        ("x.csv", b"", r"x\.csv: the table is empty, expected a header line"),
        ("x.csv", b"id,a\n", r"x\.csv has no column 'Amount'"),
        ("x.csv", b"PK\x03\x04rest", r"x\.csv: the file is a zip file or an Excel workbook; expected a text table"),
        (
            "x.csv",
            gzip.compress(b"id", mtime=0),
            r"x\.csv: the file is compressed with gzip, but its name doesn't end in \.gz",
        ),
        ("x.csv", b"(\xb5/\xfdrest", r"x\.csv: the file is compressed with zstd"),
        ("x.csv", b"PAR1rest", r"x\.csv: the file is a Parquet file, whose name should end in \.parquet"),
        ("x.csv.gz", b"id,a\n1,2\n", r"x\.csv\.gz can't be decompressed: it is cut off, damaged or not gzip"),
        ("x.csv.gz", gzip.compress(f"{HEADER}\n1,2".encode(), mtime=0)[:-9], r"x\.csv\.gz can't be decompressed"),
        (
            "x.csv",
            f'{HEADER}\n1,2,3,own,true,"1\n'.encode(),
            r"x\.csv: line 2: a cell begins with a quote that is never",
        ),
        (
            "x.csv",
            f'{HEADER},n\n1,"1,300",3,own,true,1,\n'.encode(),
            r"line 2: Amount: '1,300' is 1300 with .* decimal ,$",
        ),
    ],
)
def test_a_file_that_can_not_be_read_is_an_error(
    tmp_path: Path, scorer: Scorer, name: str, written: bytes, message: str
) -> None:
    """Before anything is scored; the message has the file, and the line where there is one."""
    (tmp_path / name).write_bytes(written)

    with pytest.raises(ScoringError, match=message):
        open_text(tmp_path / name, scorer)


def test_a_number_with_two_readings_refuses_the_file_only_in_the_head(tmp_path: Path, scorer: Scorer) -> None:
    """A later one is left to its row; with the mark given nothing is in doubt."""
    path = tmp_path / "x.csv"
    row = "{0},1,2,own,true,1\n"
    path.write_text(f"{HEADER}\n" + "".join(row.format(n) for n in range(2_000)) + '"1,300","1,300",2,own,true,1\n')

    found = read(open_text(path, scorer), ["Amount"])

    assert cells(found, "Amount")[-1] == "1,300"
    assert parse_number("1,300", found[-1].decimal) is None
    path.write_text(f'{HEADER}\n1,"1,300",2,own,true,1\n')
    assert read(open_text(path, scorer, DialectOptions(decimal=",")), ["id"])[0].decimal == ","


def test_the_needed_columns_decide_between_separators(tmp_path: Path, scorer: Scorer) -> None:
    """Names may have other separators in them."""
    path = tmp_path / "x.csv"
    path.write_text("id;Amount;Income;Home, now;Client;Rooms\n1;2,5;3;own;true;1\n")

    source = open_text(path, scorer)

    assert str(source.dialect) == "';', decimal comma, UTF-8"
