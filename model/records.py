"""Splitting a text table into records, in any dialect, with the line of each; no record is ever lost.

The rule is that of Python's csv module in strict mode: a quote counts only at the start of a cell, and must be closed
at the end of one. A block of lines that has nothing special is marked as regular: a faster reader may split it.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import chain
from typing import NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from model.dialect import (
    HEAD_BYTES,
    NO_OPTIONS,
    SEPARATOR_LINE,
    Dialect,
    DialectOptions,
    TableError,
    count_columns,
    detect_dialect,
    is_fitting,
    make_reader,
)
from model.lines import LineBlock, LineBlocks, count_lines, find_long_line
from model.messages import quote_value

MAX_CELL = 131_072
"""Characters of a cell, the csv module's limit; a longer one is taken for a quote that is never closed."""


class Record(NamedTuple):
    """One record: the line it begins in, from 1, and its cells, one for each column; `fault`: why it has none."""

    line: int
    cells: list[str]
    fault: str | None = None


class Chunk(Struct, frozen=True):
    """Consecutive whole records: UTF-8 without a byte order mark, beginning in this line of the table.

    `records` is None if the chunk is regular: each line is a record, no line is blank, and every quote begins or ends a
    cell of one line, so that any CSV reader splits it in the same way.
    """

    line: int
    content: bytes
    n_records: int
    records: tuple[Record, ...] | None


class TextTable:
    """A text table that is read once, from blocks of bytes.

    `names`: of the columns, stripped; `header`: the cells of the header, with blank ones after the last column;
    `header_line`: the line that it begins in.
    """

    def __init__(
        self, blocks: Iterable[bytes], *, names: Collection[str] = (), options: DialectOptions = NO_OPTIONS
    ) -> None:
        """Read the header; raises TableError. `names`, `options`: see `detect_dialect`."""
        blocks = iter(blocks)
        head_blocks: list[bytes] = []
        n_bytes = 0
        for block in blocks:
            head_blocks.append(block)
            n_bytes += len(block)
            if n_bytes > HEAD_BYTES:
                break
        head = b"".join(head_blocks)
        dialect = detect_dialect(head[:HEAD_BYTES], is_whole=n_bytes <= HEAD_BYTES, names=names, options=options)
        is_encoding_known = options.encoding or dialect.encoding != "utf-8" or head.startswith(codecs.BOM_UTF8)
        self._dialect = dialect
        # The block that the header is split from is a small one.
        blocks = chain((head[:HEAD_BYTES], head[HEAD_BYTES:]), blocks)
        self._lines = LineBlocks(blocks, dialect.encoding if is_encoding_known else None)
        self._blocks = iter(self._lines)
        self.header_line = 1
        self.header = self._read_header()
        self.names = tuple(name.strip() for name in self.header[: count_columns(self.header)])
        if not self.names:
            raise TableError("the table is empty, expected a header line with the names of the columns")

    @property
    def dialect(self) -> Dialect:
        """Final when all chunks have been read, since the encoding may show late."""
        return replace(self._dialect, encoding=self._lines.encoding or "utf-8")

    def chunks(self) -> Iterator[Chunk]:
        """All records after the header, in order; raises TableError naming the line that can't be read."""
        for block in self._blocks:
            if _is_regular(block.content, self._dialect.separator):
                yield Chunk(block.line, block.content, block.n_lines, None)
            else:
                records = tuple(
                    make_record(cells, line, n_lines, len(self.names), self._dialect.separator)
                    for line, n_lines, cells in _Splitter(block, self._blocks, self._dialect.separator)
                )
                yield Chunk(block.line, b"", len(records), records)

    def records(self) -> Iterator[Record]:
        """The records of all chunks."""
        for chunk in self.chunks():
            yield from split_chunk(chunk, self)

    def _read_header(self) -> list[str]:
        """The first record that isn't blank, or nothing; the rest of its block is put back."""
        separator = self._dialect.separator
        for block in self._blocks:
            if block.line == 1 and (mark := SEPARATOR_LINE.match(block.content[:8].decode("latin-1"))):
                block = LineBlock(2, block.n_lines - 1, block.content[mark.end() :])
            splitter = _Splitter(block, self._blocks, separator)
            for line, n_lines, cells in splitter:
                if not count_columns(cells):
                    continue
                if n_lines > 1:
                    make_record(cells, line, n_lines, count_columns(cells), separator)
                if rest := splitter.rest():
                    self._blocks = chain((LineBlock(line + n_lines, count_lines(rest), rest),), self._blocks)
                self.header_line = line
                return cells
        return []


class _Splitter:
    """Iterates over the records of a block that aren't empty: line, number of lines, cells.

    A record that goes on after the block takes more blocks, all of whose records follow.
    """

    def __init__(self, block: LineBlock, more: Iterator[LineBlock], separator: str) -> None:
        self._first, self._more, self._separator = block, more, separator
        self._text: io.TextIOBase = io.StringIO()
        self._n_lines = 0

    def __iter__(self) -> Iterator[tuple[int, int, list[str]]]:
        reader = make_reader(self._feed(), self._separator)
        start = 0
        while start == 0 or start < self._n_lines:
            line = self._first.line + start
            try:
                cells = next(reader, None)
            except csv.Error as error:
                raise TableError(_describe(error, line, self._separator)) from error
            if cells is None:
                return
            n_lines, start = reader.line_num - start, reader.line_num
            if cells:
                yield line, n_lines, cells

    def rest(self) -> bytes:
        """The lines of the last block that haven't been split."""
        return self._text.read().encode()

    def _feed(self) -> Iterator[str]:
        for block in chain((self._first,), self._more):
            self._text = io.TextIOWrapper(io.BytesIO(block.content), "utf-8", newline="")
            self._n_lines += block.n_lines
            yield from self._text


def split_chunk(chunk: Chunk, table: TextTable) -> Iterator[Record]:
    """The records of a chunk, also of a regular one."""
    if chunk.records is not None:
        yield from chunk.records
        return
    separator = table.dialect.separator
    reader = make_reader(io.StringIO(chunk.content.decode(), newline=""), separator)
    for line, cells in enumerate(reader, chunk.line):
        yield make_record(cells, line, 1, len(table.names), separator)


def make_record(cells: list[str], line: int, n_lines: int, columns: int, separator: str) -> Record:
    """A record with one cell for each column, or with a fault; raises TableError if it may hold other records."""
    if n_lines == 1 and len(cells) == columns:
        return Record(line, cells)
    is_fit = is_fitting(cells, columns)
    if n_lines > 1 and columns > 1:
        advice = "close the quote, or remove the line breaks from the cell"
        if not is_fit:
            raise TableError(
                f"line {line}: a cell in quotes goes on in the next line, and the record has {len(cells)} cells, "
                f"expected {columns}, as the header has; {advice}"
            )
        if inner := _find_swallowed(cells, columns, separator):
            raise TableError(
                f"line {line}: a cell in quotes goes on for {n_lines} lines and holds what looks like another row, "
                f"{quote_value(inner)}; {advice}"
            )
    if not is_fit:
        fault = f"expected {columns} cells, as the header has, got {len(cells)}"
        return Record(line, [separator.join(cells)], fault)
    return Record(line, cells[:columns])


def _is_regular(content: bytes, separator: str) -> bool:
    """See `Chunk`."""
    if b"\r" in content and content.count(b"\r") != content.count(b"\r\n"):
        return False
    # A blank line, or the byte order mark that other readers would take away.
    if re.match(rb"[ \t]*\r?(?:\n|\Z)|\xef\xbb\xbf", content) or re.search(rb"\n(?:[ \t]*\r?\n|[ \t]+\r?\Z)", content):
        return False
    if find_long_line(content, MAX_CELL) is not None:
        return False
    if b'"' not in content:
        return True
    mark = re.escape(separator.encode())
    quoted = rb"(?:\A|(?<=[\n" + mark + rb']))"[^"\n]*+(?:""[^"\n]*+)*+"(?=[\n' + mark + rb"]|\r\n|\Z)"
    return re.fullmatch(rb'(?:[^"]*+' + quoted + rb')*+[^"]*+', content) is not None


def _find_swallowed(cells: Sequence[str], columns: int, separator: str) -> str | None:
    """What looks like another row inside a record of several lines: most likely a quote wasn't closed.

    That is a line that fits the header, or the last line if it fits the header just as the first does.
    """
    lines = [re.split(r"\r\n|\r|\n", cell) for cell in cells]
    broken = [index for index, parts in enumerate(lines) if len(parts) > 1]
    first, last = broken[0], broken[-1]
    first_row = [*cells[:first], *lines[first][0].split(separator)]
    last_row = [*lines[last][-1].split(separator), *cells[last + 1 :]]
    if is_fitting(first_row, columns) and is_fitting(last_row, columns):
        return separator.join(last_row)
    inner = (line for parts in lines for line in parts[1:])
    return next((line for line in inner if is_fitting(line.split(separator), columns)), None)


def _describe(error: csv.Error, line: int, separator: str) -> str:
    text = str(error)
    if text == "unexpected end of data":
        what = "a cell begins with a quote that is never closed"
    elif "field larger" in text:
        what = f"a cell has more than {MAX_CELL:,} characters, most likely a quote that is never closed"
    elif "expected after" in text:
        what = f"a quote ends inside a cell, expected {separator!r} or the end of the line after it"
    else:
        what = text
    return f"line {line}: {what}; correct the line (a quote inside a cell in quotes is written twice)"
