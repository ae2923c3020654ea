"""The bytes of text tables as whole lines in UTF-8, however they are cut."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.dialect import TableError
from model.lines import MAX_LINE, LineBlock, LineBlocks, count_lines

ENCODINGS = ["utf-8", "utf-8-sig", "utf-16-le", "utf-16-be", "utf-7", "cp1252", "windows-1252", "shift_jis", "cp037"]


def cut(content: bytes, size: int) -> Iterator[bytes]:
    """Blocks of so many bytes; the first has at least a byte order mark."""
    first = max(size, 3)
    yield content[:first]
    yield from (content[start : start + size] for start in range(first, len(content), size))


def read(blocks: Iterable[bytes], encoding: str | None = None) -> tuple[bytes, str]:
    """The lines, and the error or nothing; each block begins in its line and ends at the end of one."""
    content = b""
    try:
        for block in LineBlocks(blocks, encoding):
            assert (block.line, block.n_lines) == (1 + count_lines(content), count_lines(block.content))
            assert content == b"" or re.search(rb"\n\Z|\r\Z(?!\n)", content)
            content += block.content
    except TableError as error:
        return content, str(error)
    return content, ""


@given(
    st.lists(st.text("ab,é€漢😀\u2028\x85"), max_size=5),
    st.sampled_from(["\n", "\r\n", "\r", "\r\r\n"]),
    st.sampled_from(ENCODINGS),
    st.integers(1, 9),
)
def test_the_lines_are_those_of_the_text(lines: list[str], end: str, encoding: str, size: int) -> None:
    """In UTF-8, and not one line end changed."""
    text = end.join(lines).encode(encoding, "ignore").decode(encoding)

    assert read(cut(text.encode(encoding), size), encoding) == (text.encode(), "")


@pytest.mark.parametrize("size", [1, 2, 5, 1_000])
@pytest.mark.parametrize(
    ("content", "encoding", "lines", "message"),
    [
        (b"a\rb\r\rc\0\rd", None, b"a\rb\r\r", "line 4 has a zero byte, which no text has; save the table as CSV"),
        (b"\xc3\xa9\r\n\r\ncaf\xe9\r\n\0", None, b"\xc3\xa9\r\n\r\n", r"line 3 is not UTF-8: b'\\xe9'; save the table"),
        (
            b"a\n\xc3\n",
            "utf-8",
            b"a\n",
            r"line 2 is not UTF-8: b'\\xc3'; save the table in UTF-8, or name its encoding",
        ),
        (b"\xe9\n\x81\n", None, b"\xc3\xa9\n", r"line 2 is not CP1252: b'\\x81'"),
        (b"a\0\r\0\0\xd8b\0\n\0", "utf-16-le", b"a\r", "line 2 is not UTF-16-LE, or has a zero byte"),
        (b"a\0\r\0b", "utf-16-le", b"a\r", "line 2 is not UTF-16-LE, or has a zero byte"),
    ],
)
def test_the_lines_before_a_bad_one_come_first(
    content: bytes, encoding: str | None, lines: bytes, message: str, size: int
) -> None:
    """The error names the bad one."""
    read_lines, error = read(cut(content, size), encoding)

    assert read_lines == lines
    assert re.match(message, error)


def test_a_decoder_that_cannot_go_on_is_an_error() -> None:
    """Some decoders of Python keep no count of their lines."""
    assert re.match("line 1 is not ISO2022_JP", read([b"a\n\x1b$\r\n1.300\xff"], "iso2022_jp")[1])


def test_the_first_line_that_is_not_ascii_shows_the_encoding() -> None:
    """It may come late."""
    blocks = LineBlocks([b"a\n", b"caf\xe9\n", b"b\n"], None)

    seen = [(blocks.encoding, block.content) for block in blocks]

    assert seen == [(None, b"a\n"), ("cp1252", b"caf\xc3\xa9\n"), ("cp1252", b"b\n")]


@pytest.mark.parametrize("size", [100, 65_536, MAX_LINE, 4 * MAX_LINE])
def test_a_line_without_end_is_refused_in_time(size: int) -> None:
    """Before more of the file is read."""
    content = b"a\n" + bytes(b"1" * (3 << 20)) * 6
    start = time.perf_counter()
    blocks = cut(content, size)

    lines, error = read(blocks)

    assert (lines, error) == (
        b"a\n",
        "line 2 has more than 16,777,216 bytes; expected a table, with a line for each row",
    )
    assert time.perf_counter() - start < 5
    assert (next(blocks, b"") == b"") == (size >= MAX_LINE)


def test_the_blocks_are_not_copied_without_need() -> None:
    """Whole lines in ASCII are the bytes that were read."""
    content = b"1,2\n" * 1_000

    (block,) = LineBlocks([content], None)

    assert block == LineBlock(1, 1_000, content)
    assert block.content is content
