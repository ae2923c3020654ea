"""The dialect of a text table, found from its first bytes: encoding, separator, decimal mark.

Every door that reads CSV finds it with this function, so that a file means the same everywhere. What can be read two
ways is refused with both options, never guessed.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from typing import Any

from msgspec import Struct

from model.messages import quote_value
from model.vocabulary import MISSING_WORDS, NUMBER_PATTERNS, Decimal

HEAD_BYTES = 65_536
"""How much of a file its dialect is found from."""

SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "pipe"}

SEPARATOR_LINE = re.compile(r"sep=([!#-&(-\-/:-@[-^`{-~\t])(?:\r\n|\r|\n|\Z)")
"""The first line in which Excel is told the separator: any ASCII mark but a quote, a point or an underscore."""

MIN_SHARE = 0.9
"""At least this share of the cells agree on what a column is; a separator must fit the records clearly better."""


class TableError(Exception):
    """A text table can't be read; the message names the line, what was found, what was expected and what to do."""


class Dialect(Struct, frozen=True):
    """How a text table is written. `encoding` is a codec's name; utf-8 where all bytes so far are ASCII."""

    separator: str = ","
    decimal: Decimal = "."
    encoding: str = "utf-8"

    def __str__(self) -> str:
        """As it is printed: "';', decimal comma, cp1252"."""
        separator = repr(self.separator) if self.separator.isprintable() else SEPARATORS.get(self.separator, "?")
        decimal = {".": "decimal point", ",": "decimal comma"}.get(self.decimal, "numbers without a decimal mark")
        return f"{separator}, {decimal}, {self.encoding.upper() if self.encoding.startswith('utf') else self.encoding}"


class DialectOptions(Struct, frozen=True):
    """What the user says about the dialect; None is found from the file."""

    separator: str | None = None
    decimal: Decimal | None = None
    encoding: str | None = None


NO_OPTIONS = DialectOptions()


def check_options(options: DialectOptions) -> None:
    """Raise TableError for an option that can't be used."""
    separator = options.separator
    if separator is not None and not SEPARATOR_LINE.fullmatch(f"sep={separator}"):
        raise TableError(f"the separator is {separator!r}, expected one character such as , ; | or a tab")
    if options.decimal not in (None, ".", ","):
        raise TableError(f"the decimal mark is {options.decimal!r}, expected . or ,")
    if options.encoding is not None:
        try:
            # Some codecs of Python are no character sets, and some can't go on after an error.
            probe = "a".encode(options.encoding) + b"\xff"
            codecs.getincrementaldecoder(options.encoding)("replace").decode(probe, True)
        except (LookupError, UnicodeError, ValueError) as error:
            raise TableError(
                f"the encoding {quote_value(options.encoding)} is unknown; expected one such as utf-8, utf-16 or cp1252"
            ) from error


def detect_dialect(
    head: bytes, *, is_whole: bool, names: Collection[str] = (), options: DialectOptions = NO_OPTIONS
) -> Dialect:
    """The dialect of a table that begins with these bytes; `is_whole`: they are the whole table.

    `names`: columns that the header must have; they decide where the separator can't be told otherwise. Raises
    TableError.
    """
    check_options(options)
    encoding = _find_byte_order(options.encoding, head) if options.encoding else detect_encoding(head)
    text = decode_head(head, encoding, is_whole=is_whole)
    if marked := SEPARATOR_LINE.match(text):
        text = text[marked.end() :]
    separator = options.separator or (marked[1] if marked else None)
    used = [one for one in SEPARATORS if one in text]
    absent = [one for one in SEPARATORS if one not in text]
    tables = {one: split_head(text, one) for one in ([separator] if separator else [*used, *absent[:1]])}
    separator = separator or _detect_separator(tables, names)
    return Dialect(separator, options.decimal or _detect_decimal(tables[separator], separator), encoding)


def detect_encoding(head: bytes) -> str:
    """The codec of a text: by its byte order mark or its zero bytes, else by its first line that is not ASCII."""
    if head.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        raise TableError("the table is in UTF-32; save it in UTF-8")
    if head.startswith(codecs.BOM_UTF8):
        return "utf-8"
    if head.startswith(codecs.BOM_UTF16_LE):
        return "utf-16-le"
    if head.startswith(codecs.BOM_UTF16_BE):
        return "utf-16-be"
    pairs = head[: len(head) // 2 * 2]
    if pairs and b"\0" in pairs:
        low, high = pairs[1::2].count(0), pairs[::2].count(0)
        if max(low, high) > 0.4 * len(pairs) / 2 and min(low, high) == 0:
            return "utf-16-le" if low else "utf-16-be"
    return resolve_encoding(head) or "utf-8"


def _find_byte_order(encoding: str, head: bytes) -> str:
    """The codec of a text in this encoding; UTF-16 and UTF-32 without a byte order mark are little-endian."""
    name = codecs.lookup(encoding).name
    marks = {"utf-16": codecs.BOM_UTF16_BE, "utf-32": codecs.BOM_UTF32_BE}
    return f"{name}-{'be' if head.startswith(marks[name]) else 'le'}" if name in marks else encoding


def resolve_encoding(block: bytes) -> str | None:
    """utf-8 or cp1252, by the first line that is not ASCII; None if all are. The block ends at the end of a line.

    cp1252 is what spreadsheets of western Europe and America save; Latin-1 is the same for every letter.
    """
    found = re.search(rb"[\x80-\xff]", block)
    if found is None:
        return None
    start = max(block.rfind(b"\n", 0, found.start()), block.rfind(b"\r", 0, found.start())) + 1
    end = re.compile(rb"[\r\n]").search(block, found.start())
    line = block[start : end.start() if end else len(block)]
    try:
        line.decode("utf-8")
    except UnicodeDecodeError as error:
        is_cut_off = end is None and error.reason == "unexpected end of data"
        return "utf-8" if is_cut_off else "cp1252"
    return "utf-8"


def decode_head(head: bytes, encoding: str, *, is_whole: bool) -> str:
    """The first bytes as text without a byte order mark; if they aren't the whole table, up to their last line end."""
    text = codecs.getincrementaldecoder(encoding)(errors="replace").decode(head, is_whole).removeprefix("\ufeff")
    if is_whole:
        return text
    return text[: max(text.rfind("\n"), text.rfind("\r")) + 1] or text


def split_head(text: str, separator: str) -> list[list[str]]:
    """The records of the head that aren't blank, cells stripped; none from the first on that can't be parsed."""
    records: list[list[str]] = []
    # An error is reported with its line when the table is read.
    with suppress(csv.Error):
        reader = make_reader(io.StringIO(text, newline=""), separator)
        records.extend(stripped for cells in reader if any(stripped := [cell.strip() for cell in cells]))
    return records


def make_reader(lines: Any, separator: str) -> Any:
    """The csv.reader that defines how a record is split: quotes only at the start of a cell, doubled inside it."""
    return csv.reader(lines, delimiter=separator, strict=True, skipinitialspace=True)


def count_columns(header: Sequence[str]) -> int:
    """The number of columns: cells of the header up to the last that isn't blank."""
    return max((number for number, name in enumerate(header, 1) if name.strip()), default=0)


def is_fitting(cells: Sequence[str], n_columns: int) -> bool:
    """Whether a record has a cell for each column; blank cells after the last column don't count."""
    return len(cells) >= n_columns and not any(cell.strip() for cell in cells[n_columns:])


def _detect_separator(tables: Mapping[str, list[list[str]]], names: Collection[str]) -> str:
    """The separator of a table; `tables`: its records with each separator in it, and last with one that isn't."""
    if names and (matching := [one for one, records in tables.items() if records and set(names) <= set(records[0])]):
        tables = {one: tables[one] for one in matching}
    shares = {
        one: _share_fitting(records) for one, records in tables.items() if records and count_columns(records[0]) > 1
    }
    if not shares:
        return [*tables][-1]
    best = max(shares, key=lambda one: shares[one])
    rivals = [one for one, share in shares.items() if share >= max(0.5, MIN_SHARE * shares[best])]
    if len(rivals) > 1:
        options = " or ".join(f"{SEPARATORS[one]} ({count_columns(tables[one][0])} columns)" for one in rivals)
        raise TableError(f"the separator can be {options}; say which: separator " + " or ".join(map(repr, rivals)))
    return best


def _share_fitting(records: Sequence[Sequence[str]]) -> float:
    header, *rows = records
    n_columns = count_columns(header)
    return sum(is_fitting(cells, n_columns) for cells in rows) / len(rows) if rows else 1.0


def _detect_decimal(records: Sequence[Sequence[str]], separator: str) -> Decimal:
    """The decimal mark that the numeric columns agree on; raises TableError if they don't."""
    examples: dict[str, tuple[str, str]] = {}
    header = records[0] if records else []
    has_commas = separator == "," and len(header) > 1
    columns: list[list[str]] = [[] for _ in range(max(map(len, records), default=0))]
    for cells in records[1:]:
        for column, cell in zip(columns, cells, strict=False):
            column.append(cell)
    for number, column in enumerate(columns):
        name = header[number] if number < len(header) else ""
        for mark, cell in _find_marks(column, has_commas=has_commas).items():
            examples.setdefault(mark, (cell, name))
    if len(examples) > 1:
        point, comma = (
            f"{quote_value(cell)} in column {quote_value(name)}" for cell, name in (examples["."], examples[","])
        )
        raise TableError(
            f"the decimal mark can't be told: {point} has a point, {comma} a comma; say which: decimal . or decimal ,"
        )
    if examples:
        return "." if "." in examples else ","
    return ".?" if has_commas else "?"


def _find_marks(column: Sequence[str], *, has_commas: bool) -> dict[str, str]:
    """Decimal mark → a cell that proves it, for a column of numbers; both if the column has both, or neither.

    Where commas separate cells, a point is never a thousands mark, unless the number has a decimal comma.
    """
    if not any("." in cell or "," in cell for cell in column):
        return {}
    cells = [cell for cell in column if cell not in MISSING_WORDS]
    proofs: dict[str, list[str]] = {".": [], ",": []}
    is_point, is_comma = NUMBER_PATTERNS["."].fullmatch, NUMBER_PATTERNS[","].fullmatch
    n_numbers = 0
    for cell in cells:
        point, comma = is_point(cell) is not None, is_comma(cell) is not None
        n_numbers += point or comma
        if point and (not comma or (has_commas and "." in cell)):
            proofs["."].append(cell)
        elif comma and not point:
            proofs[","].append(cell)
    if n_numbers < MIN_SHARE * len(cells):
        return {}
    total = sum(map(len, proofs.values()))
    # A few cells with the other mark are faults of these cells, which are reported where they are read.
    return {mark: found[0] for mark, found in proofs.items() if len(found) > (1 - MIN_SHARE) * total}
