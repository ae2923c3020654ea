"""The bytes of a text table as blocks of whole lines in UTF-8, whatever its encoding and however the bytes are cut.

model/records.py splits the blocks into records. No line is split, changed or left out without an error.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from model.dialect import TableError, resolve_encoding
from model.messages import quote_value

MAX_LINE = 16 << 20
"""Bytes of a line. A file with a longer one is no table, and reading on could fill the memory."""


class LineBlock(NamedTuple):
    """Consecutive whole lines, the first of this number."""

    line: int
    n_lines: int
    content: bytes


class LineBlocks:
    """Iterates over the blocks of a text table, without a byte order mark; raises TableError naming the line.

    The lines before a bad one come first, so that the outcome doesn't depend on how the bytes are cut into blocks.
    `encoding`: None until a line shows it, as long as all are ASCII.
    """

    def __init__(self, blocks: Iterable[bytes], encoding: str | None) -> None:
        """`encoding`: None if it is to be found."""
        self.encoding = encoding
        self._blocks = blocks
        self._is_decoded = encoding is not None and encoding != "cp1252" and codecs.lookup(encoding).name != "utf-8"

    def __iter__(self) -> Iterator[LineBlock]:
        """Raises TableError after the lines before the bad one."""
        line = 1
        for block in _cut_at_line_ends(self._decode() if self._is_decoded else _remove_mark(self._blocks)):
            content, problem = self._validate(block)
            n_lines = count_lines(content)
            if content:
                yield LineBlock(line, n_lines, content)
            line += n_lines
            if problem:
                raise TableError(f"line {line} {problem}")

    def _decode(self) -> Iterator[bytes]:
        """The blocks in UTF-8, with a zero byte in place of what can't be decoded."""
        decoder = codecs.getincrementaldecoder(str(self.encoding))("zero")
        is_first = True
        try:
            for block in self._blocks:
                text = decoder.decode(block)
                if is_first and text:
                    text, is_first = text.removeprefix("\ufeff"), False
                yield text.encode("utf-8", "zero")
            yield decoder.decode(b"", True).encode("utf-8", "zero")
        except UnicodeError:
            # A codec with states that has lost its way (iso2022_jp).
            yield b"\0"

    def _validate(self, block: bytes) -> tuple[bytes, str]:
        """The lines of a block before the first bad one, in UTF-8; what is wrong with that one, or nothing."""
        problem = ""
        if (start := find_long_line(block, MAX_LINE)) is not None:
            problem = f"has more than {MAX_LINE:,} bytes; expected a table, with a line for each row"
            block = block[:start]
        if (zero := block.find(0)) >= 0:
            what = f"is not {str(self.encoding).upper()}, or has a zero byte" if self._is_decoded else "has a zero byte"
            problem = f"{what}, which no text has; save the table as CSV in UTF-8, or name its encoding"
            block = _lines_before(block, zero)
        if block.isascii() or self._is_decoded:
            return block, problem
        if self.encoding is None:
            self.encoding = resolve_encoding(block) or "utf-8"
        try:
            text = block.decode(self.encoding)
        except UnicodeDecodeError as error:
            bad = quote_value(block[error.start : error.end])
            problem = f"is not {self.encoding.upper()}: {bad}; save the table in UTF-8, or name its encoding"
            block = _lines_before(block, error.start)
            text = block.decode(self.encoding)
        return text.encode() if self.encoding == "cp1252" else block, problem


def count_lines(content: bytes) -> int:
    """The lines of a text, whether they end in LF, CRLF or CR, also the last if it has no end."""
    if not content:
        return 0
    ends = content.count(b"\n") + (content.count(b"\r") - content.count(b"\r\n") if b"\r" in content else 0)
    return ends + (not content.endswith((b"\n", b"\r")))


def find_long_line(content: bytes, limit: int) -> int | None:
    """Where the first line with more than so many bytes begins."""
    start = 0
    while len(content) - start > limit:
        stop = start + limit + 1
        end = max(content.rfind(b"\n", start, stop), content.rfind(b"\r", start, stop))
        if end < 0:
            return start
        start = end + 1
    return None


def _cut_at_line_ends(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Blocks of whole lines; the last may have no end, as a line that is too long."""
    parts: list[bytes] = []
    length = 0
    held = b""
    for piece in pieces:
        piece = held + piece
        # A CR at the very end may be half of a CRLF.
        held = b"\r" if piece.endswith(b"\r") else b""
        piece = piece[: len(piece) - len(held)]
        end = max(piece.rfind(b"\n"), piece.rfind(b"\r")) + 1
        if end:
            yield b"".join((*parts, piece[:end]))
            parts, length = [], 0
        if rest := piece[end:]:
            parts.append(rest)
            length += len(rest)
        if length > MAX_LINE:
            break
    if last := b"".join((*parts, held)):
        yield last


def _remove_mark(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """The blocks without the byte order mark of UTF-8; the first block has all of it."""
    is_first = True
    for block in blocks:
        yield block.removeprefix(codecs.BOM_UTF8) if is_first else block
        is_first = False


def _lines_before(content: bytes, position: int) -> bytes:
    return content[: max(content.rfind(b"\n", 0, position), content.rfind(b"\r", 0, position)) + 1]


def _mark_bad(error: UnicodeError) -> tuple[str, int]:
    """An error handler for codecs: a zero byte, which is found afterwards, in place of what can't be decoded."""
    if isinstance(error, UnicodeDecodeError | UnicodeEncodeError):
        return "\0", error.end
    raise error


codecs.register_error("zero", _mark_bad)
