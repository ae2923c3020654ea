"""Splitting text tables into records: the same at any cut of the bytes, and no record lost."""

from __future__ import annotations

import csv
import io
import re
import time
from collections.abc import Iterable, Sequence
from typing import Any, Literal, NamedTuple

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pyarrow import csv as arrow_csv

import model.lines
import model.records
from model.dialect import NO_OPTIONS, SEPARATORS, Dialect, DialectOptions, TableError
from model.records import Chunk, Record, TextTable, split_chunk

LINE_BREAKS = r"\r\n|\r|\n"

CHARACTERS = st.one_of(
    st.sampled_from("ab01\",;|\t  \n\r.'=_\u00a0éß€\u2028\x85\x0b\x1c\ufeffЖ漢😀"),
    st.characters(codec="utf-8", exclude_characters="\0"),
)
CELLS = st.text(CHARACTERS, max_size=6) | st.sampled_from(["", "NA", "null", "1,5", "1.300", "\r\n", '"', '""', " x "])
NAMES = st.text(CHARACTERS, min_size=1, max_size=4).filter(lambda name: name.strip() and name[0] not in "\ufeffs")


class Written(NamedTuple):
    """A table as Python's csv module writes it."""

    separator: str
    content: bytes
    header: list[str]
    records: list[Record]


@st.composite
def written_tables(draw: st.DrawFn, cells: st.SearchStrategy[str] = CELLS) -> Written:
    """Any separator, quoting, line end and Unicode encoding; blank lines between records."""
    separator = draw(st.sampled_from([*SEPARATORS]))
    end = draw(st.sampled_from(["\n", "\r\n", "\r"]))
    width = draw(st.integers(1, 4))
    header = draw(st.lists(NAMES, min_size=width, max_size=width, unique_by=str.strip))
    rows = draw(st.lists(st.lists(cells, min_size=width, max_size=width), max_size=6))
    quoting: Literal[0, 1] = draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]))
    if quoting == csv.QUOTE_MINIMAL and re.search("[\r\n]", "".join(map("".join, [header, *rows]))):
        # It leaves line breaks other than its own without quotes.
        quoting = csv.QUOTE_ALL
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=separator, lineterminator=end, quoting=quoting)
    records = []
    for number, row in enumerate([header, *rows]):
        text.write(end * draw(st.sampled_from([0, 0, 0, 1, 2])))
        if number:
            records.append(Record(1 + len(re.findall(LINE_BREAKS, text.getvalue())), row))
        writer.writerow(row)
    written = text.getvalue()
    if draw(st.booleans()):
        written = written.removesuffix(end)
    encoding = draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16-le", "utf-16-be"]))
    mark = "\ufeff" if encoding.startswith("utf-16") else ""
    return Written(separator, (mark + written).encode(encoding), header, records)


def cut(content: bytes, size: int) -> list[bytes]:
    """Blocks of so many bytes."""
    return [content[start : start + size] for start in range(0, len(content), size)]


def read(
    blocks: Iterable[bytes], names: Sequence[str] = (), options: DialectOptions = NO_OPTIONS
) -> tuple[list[str], list[Record], Dialect] | str:
    """Header, records and dialect of a table, or the error."""
    try:
        table = TextTable(blocks, names=names, options=options)
        records = list(table.records())
    except TableError as error:
        return str(error)
    return table.header, records, table.dialect


def strip(records: Sequence[Record]) -> list[Record]:
    """The records with stripped cells."""
    return [record._replace(cells=[cell.strip() for cell in record.cells]) for record in records]


@given(written_tables(), st.booleans())
def test_a_table_is_read_as_it_was_written(table: Written, by_names: bool) -> None:
    """Found by its names or with the separator given; only a cell with line breaks that holds a row is refused."""
    names = [name.strip() for name in table.header]
    is_found = by_names and len(names) > 1
    options = DialectOptions(None if is_found else table.separator, ".")

    result = read([table.content], names, options)

    if isinstance(result, str):
        assert "what looks like another row" in result
        assert any(
            re.search(LINE_BREAKS, cell) for row in [table.header, *(r.cells for r in table.records)] for cell in row
        )
    else:
        header, records, dialect = result
        assert [name.strip() for name in header] == names
        assert strip(records) == strip(table.records)
        assert dialect.separator == table.separator


@st.composite
def damaged_tables(draw: st.DrawFn) -> bytes:
    """Written tables with a few bytes removed, added or changed; or any bytes."""
    content = bytearray(draw(written_tables()).content)
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(content)))
        content[at : at + draw(st.integers(0, 3))] = draw(
            st.sampled_from([b"", b'"', b",", b"\n", b"\r", b"\xe9", b"\0"])
        )
    return bytes(content)


TINY_HEAD, TINY_CELL, TINY_LINE = 24, 40, 64


@given(
    damaged_tables() | st.binary(max_size=200),
    st.sampled_from(
        [NO_OPTIONS, DialectOptions(",", "."), DialectOptions(";", ",", "cp1252"), DialectOptions(",", ".", "utf-16")]
    ),
    st.booleans(),
)
@example(b"a,b\r\n1,2\r\n\r\n3", NO_OPTIONS, False)
@example(b'a,b\n1,"2\n' + b"\xe9\n", NO_OPTIONS, False)
@example(b'a,b\n1,"x"y\n' + b"\0\n", NO_OPTIONS, False)
@example("a,b\n\ud800".encode("utf-16-le", "surrogatepass"), DialectOptions(encoding="utf-16-le"), False)
def test_the_outcome_does_not_depend_on_how_the_bytes_are_cut(
    content: bytes, options: DialectOptions, is_tiny: bool
) -> None:
    """Records, lines, dialect or error; also where the head, a cell or a line is longer than allowed."""
    with pytest.MonkeyPatch.context() as patch:
        if is_tiny:
            patch.setattr(model.records, "HEAD_BYTES", TINY_HEAD)
            patch.setattr(model.records, "MAX_CELL", TINY_CELL)
            patch.setattr(model.lines, "MAX_LINE", TINY_LINE)
        outcomes = [read(cut(content, size), options=options) for size in (len(content) or 1, 1, 2, 7, 64)]

    assert outcomes == outcomes[:1] * len(outcomes)


@given(damaged_tables(), st.integers(1, 64))
def test_chunks_have_all_records_and_other_readers_split_the_regular_ones_alike(content: bytes, size: int) -> None:
    """pandas and pyarrow, with their defaults."""
    try:
        table = TextTable(cut(content, size), options=DialectOptions(decimal="."))
        chunks = list(table.chunks())
    except TableError:
        return
    for chunk in chunks:
        records = list(split_chunk(chunk, table))
        assert len(records) == chunk.n_records
        if chunk.records is None:
            expected = list(
                csv.reader(io.StringIO(chunk.content.decode(), newline=""), delimiter=table.dialect.separator)
            )
            width = max(map(len, expected))
            padded = [row + [""] * (width - len(row)) for row in expected]
            assert read_with_pandas(chunk, table.dialect.separator, width) == padded
            if padded == expected:
                assert read_with_arrow(chunk, table.dialect.separator, width) == expected


def read_with_pandas(chunk: Chunk, separator: str, width: int) -> list[list[str]]:
    """The cells; blank ones where a line has too few."""
    frame: Any = pd.read_csv(
        io.BytesIO(chunk.content),
        sep=separator,
        header=None,
        names=range(width),
        index_col=False,
        dtype=object,
        keep_default_na=False,
    )
    return [list(row) for row in frame.fillna("").itertuples(index=False, name=None)]


def read_with_arrow(chunk: Chunk, separator: str, width: int) -> list[list[str]]:
    """The cells."""
    names = [str(number) for number in range(width)]
    columns = arrow_csv.read_csv(
        pa.BufferReader(chunk.content),
        arrow_csv.ReadOptions(column_names=names),
        arrow_csv.ParseOptions(delimiter=separator),
        arrow_csv.ConvertOptions(column_types=dict.fromkeys(names, pa.string())),
    )
    return [list(row.values()) for row in columns.to_pylist()]


PLAIN_CELLS = ["1", "2.5", "own", "", '""', '"q"', '"say ""x"""']
"""As they are written in a file; an inch sign or cells that need their quotes come in addition, not both."""


@st.composite
def tables_with_open_quotes(draw: st.DrawFn) -> tuple[str, int]:
    """A table with a quote added anywhere, or with two added before cells without quotes; its number of rows."""
    cell = st.sampled_from([*PLAIN_CELLS, *draw(st.sampled_from([['5"'], ['"a,b"', '"c,"']]))])
    width = draw(st.integers(2, 5))
    rows = draw(st.lists(st.lists(cell, min_size=width, max_size=width), min_size=1, max_size=6))
    surplus = draw(st.sampled_from(["", ","]))
    header, *body = [",".join(row) + surplus + "\n" for row in ["abcde"[:width], *rows]]
    text = header + "".join(body)
    starts = [found.end() for found in re.finditer('[,\n](?=[^"])', text) if found.end() >= len(header)]
    places = draw(
        st.lists(st.integers(len(header), len(text) - 1), min_size=1, max_size=1)
        | st.lists(st.sampled_from(starts or [len(header)]), max_size=2, unique=True)
    )
    for place in sorted(places, reverse=True):
        text = f'{text[:place]}"{text[place:]}'
    return text, len(rows)


@given(tables_with_open_quotes())
def test_an_open_quote_never_loses_a_record(table: tuple[str, int]) -> None:
    """As many as there are rows, or an error that names the line."""
    text, n_rows = table

    result = read([text.encode()], options=DialectOptions(",", "."))

    n_read = None if isinstance(result, str) else len(result[1])
    assert n_read == n_rows or re.match(r"line [2-7]: ", str(result))


@pytest.mark.parametrize(
    ("text", "records"),
    [
        ("a,b\n1,2", [(2, ["1", "2"])]),
        ("\n \r\n,,\na,b\n\n1,2\n\n\n3,4\n,\n", [(6, ["1", "2"]), (9, ["3", "4"]), (10, ["", ""])]),
        ('a,"b\r\nc"\r\n\r\n1,"x\r\n\r\ny"\r\n3,4\r\n', [(4, ["1", "x\r\n\r\ny"]), (7, ["3", "4"])]),
        ('a,b\r1,"x\ry"\r\r3,4', [(2, ["1", "x\ry"]), (5, ["3", "4"])]),
        ('a,b\n0"1,5"\n 2 , "x"\n', [(2, ['0"1', '5"']), (3, ["2 ", "x"])]),
        ("sep=,\r\na,b\r\n1,2\r\n", [(3, ["1", "2"])]),
        ("\ufeffa,b,,\n1,2,,\n3,4\n5,6, \n", [(2, ["1", "2"]), (3, ["3", "4"]), (4, ["5", "6"])]),
        ("a,b\n", []),
    ],
)
def test_records_have_the_line_that_they_begin_in(text: str, records: list[tuple[int, list[str]]]) -> None:
    """Blank lines and lines of cells in quotes count; blank cells after the last column don't."""
    result = read([text.encode()], options=DialectOptions(",", "."))

    assert not isinstance(result, str)
    assert result[1] == [Record(*record) for record in records]


def test_a_record_with_too_few_or_too_many_cells_has_a_fault() -> None:
    """It is one record all the same."""
    result = read([b"a,b\n1\n1,2,3\n"])

    assert not isinstance(result, str)
    assert result[1] == [
        Record(2, ["1"], "expected 2 cells, as the header has, got 1"),
        Record(3, ["1,2,3"], "expected 2 cells, as the header has, got 3"),
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the table is empty"),
        (b"\xef\xbb\xbf", "the table is empty"),
        (b"\r\n\n\r", "the table is empty"),
        (b" \n,,\n", "the table is empty"),
        (b"sep=,\n", "the table is empty"),
        (b'\n\n"a,b\n1,2\n', "line 3: a cell begins with a quote that is never closed"),
        (b'a,b\r\r1,2\r3,"4\r5,6\r', "line 4: a cell begins with a quote that is never closed"),
        (b'a,b\n1,"x"y\n', "line 2: a quote ends inside a cell, expected ',' or the end"),
        (b'a,b,c\n1,"2,3\n4,5,6\n7,",9\n', "line 2: a cell in quotes goes on for 3 lines .* another row, '7,,9'"),
        (b'a,b,c\n1,"2,3\n4,5,"\n', "line 2: a cell in quotes goes on in the next line, and the record has 2 cells"),
        (b'a,"b\n1,",\n2,3\n', "line 1: a cell in quotes goes on for 2 lines"),
        (b"\xef\xbb\xbfa,b\n\xe9,2\n", r"line 2 is not UTF-8"),
        ("\ufeffa,b\r1,2\r".encode("utf-16-le") + b"\0\xd8,\0" * 2, "line 3 is not UTF-16-LE, or has a zero byte"),
        (b"a,b\n" + b"1,2\n" * 20_000 + b'3,"', "line 20002: a cell begins with a quote that is never closed"),
        (b"a,b\n1,2\n" + b"1" * 140_000, "line 3: a cell has more than 131,072 characters"),
    ],
)
def test_a_table_that_cannot_be_read_is_refused_with_the_line(content: bytes, message: str) -> None:
    """However it is cut."""
    results = [read(cut(content, size), options=DialectOptions(",", ".")) for size in (len(content) or 1, 5)]

    assert re.match(message, str(results[0]))
    assert results == results[:1] * 2


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'a,b\n1,"' + b"x,1\n" * (4 << 20), "line 2: a cell has more than 131,072 characters"),
        (b'a,b\n1,"' + b"\n" * (1 << 20), "line 2: a cell has more than 131,072 characters"),
    ],
)
@pytest.mark.parametrize("size", [1 << 30, 65_536, 100])
def test_a_file_that_never_ends_its_line_or_quote_is_refused_at_once(content: bytes, message: str, size: int) -> None:
    """Before all of it is read, in time that grows with its size only."""
    blocks = iter(cut(content, size))
    start = time.perf_counter()

    result = read(blocks, options=DialectOptions(",", "."))

    assert re.match(message, str(result))
    assert time.perf_counter() - start < 5
    assert size == 1 << 30 or len(list(blocks)) > 0


def test_the_encoding_may_show_late() -> None:
    """The dialect is final after the last chunk."""
    table = TextTable([b"a,b\n" + b"1,2\n" * 20_000, b"caf\xe9,2\n"])
    before = table.dialect.encoding

    last = list(table.records())[-1]

    assert (before, table.dialect.encoding, last) == ("utf-8", "cp1252", Record(20_002, ["café", "2"]))
