"""What is found from the head of a text table, and what is refused because it can be read two ways."""

from __future__ import annotations

import csv
import encodings.aliases
import io
import re
import time
from collections.abc import Sequence
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.dialect import NO_OPTIONS, Dialect, DialectOptions, TableError, check_options, detect_dialect
from model.vocabulary import Decimal, parse_number


def detect(content: bytes, names: Sequence[str] = (), options: DialectOptions = NO_OPTIONS) -> Dialect:
    """The dialect of a whole table."""
    return detect_dialect(content, is_whole=True, names=names, options=options)


@pytest.mark.parametrize(
    ("content", "dialect"),
    [
        (b"a,b\n1,2.5\n", Dialect(",", ".", "utf-8")),
        (b"a;b\n1;2,5\n", Dialect(";", ",", "utf-8")),
        (b"a\tb\n1\t2\n", Dialect("\t", "?", "utf-8")),
        (b"a|b\n1|1.234.567\n", Dialect("|", ",", "utf-8")),
        (b"a,b\n1,2\n", Dialect(",", ".?", "utf-8")),
        (b'a,b\n1,"2,5"\n', Dialect(",", ",", "utf-8")),
        (b"sep=:\r\na:b\r\n1:2.5\r\n", Dialect(":", ".", "utf-8")),
        (b"sep=;", Dialect(";", "?", "utf-8")),
        (b"a,sep=;\n1,2\n", Dialect(",", ".?", "utf-8")),
        (b"a\n2,5\n", Dialect(";", ",", "utf-8")),
        (b"a\n1.300\n", Dialect(",", "?", "utf-8")),
        (b"\xef\xbb\xbfa;b\n1;2\n", Dialect(";", "?", "utf-8")),
        (b"a;b\ncaf\xe9;2\n", Dialect(";", "?", "cp1252")),
        ("a;b\ncafé;2\n".encode(), Dialect(";", "?", "utf-8")),
        ("\ufeffa;b\n1;2\n".encode("utf-16-le"), Dialect(";", "?", "utf-16-le")),
        ("a;b\n1;2\n".encode("utf-16-be"), Dialect(";", "?", "utf-16-be")),
        (b"", Dialect(",", "?", "utf-8")),
    ],
)
def test_the_dialect_is_found(content: bytes, dialect: Dialect) -> None:
    """Separator, decimal mark and encoding."""
    assert detect(content) == dialect


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a,x;b\n1,5;2\n", r"comma \(2 columns\) or semicolon \(2 columns\); say which: separator ',' or ';'"),
        (b"a;b\n1.5;2,5\n", "'1.5' in column 'a' has a point, '2,5' in column 'b' a comma; say which: decimal"),
        (b"a;b\n1.5;x\n2,5;x\n", "the decimal mark can't be told"),
        ("a,b".encode("utf-32"), "UTF-32; save it in UTF-8"),
    ],
)
def test_what_can_be_read_two_ways_is_refused(content: bytes, message: str) -> None:
    """With both options."""
    with pytest.raises(TableError, match=message):
        detect(content)


def test_needed_names_decide_on_the_separator() -> None:
    """Also where the whole header fits another one better."""
    content = b"a,x;b\n1,5;2\n"

    assert [detect(content, names).separator for names in (["b"], ["a"], ["a,x", "b"], ["x;b"])] == [";", ",", ";", ","]


@pytest.mark.parametrize(
    "options",
    [
        *(
            DialectOptions(separator=separator)
            for separator in ("", ",,", '"', "\n", "\r", "\0", " ", ".", "a", "1", "é", "_")
        ),
        DialectOptions(decimal="?"),
        *(DialectOptions(encoding=name) for name in ("", "x", "rot13", "hex", "idna", "punycode", "undefined", "a\0")),
    ],
)
def test_an_option_that_cannot_be_used_is_refused(options: DialectOptions) -> None:
    """Before anything is read."""
    with pytest.raises(TableError, match="expected"):
        detect(b"a,b\n", options=options)


@pytest.mark.parametrize("encoding", sorted({*encodings.aliases.aliases.values()}))
def test_every_codec_of_python_decodes_or_is_refused(encoding: str) -> None:
    """Not all of them are character sets."""
    options = DialectOptions(encoding=encoding)
    try:
        check_options(options)
    except TableError:
        return
    assert detect("a,b\n1,2\n".encode(encoding), options=options).separator in {",", ";"}


NUMBERS = st.one_of(
    st.integers(-10_000_000, 10_000_000),
    st.integers(-10_000_000, 10_000_000).map(lambda number: number / 1000),
    st.floats(-1e6, 1e6).map(lambda number: round(number, 2)),
)


class NumberTable(NamedTuple):
    """A table of numbers, as text and as its cells."""

    separator: str
    decimal: Decimal
    is_grouped: bool
    text: str
    cells: list[str]


@st.composite
def number_tables(draw: st.DrawFn) -> NumberTable:
    """Any separator, decimal mark and number of digits, with or without thousands marks."""
    separator = draw(st.sampled_from(",;\t|"))
    decimal: Decimal = draw(st.sampled_from((".", ",")))
    is_grouped = draw(st.booleans())
    formats = draw(st.lists(st.sampled_from([",", ",.0f", ",.1f", ",.2f", ",.3f"]), min_size=2, max_size=4))
    marks = {",": (".," if decimal == "," else ",.")[0] if is_grouped else None, ".": decimal}
    numbers = st.tuples(*(NUMBERS.map(f"{{:{one}}}".format) for one in formats))
    rows = [
        [cell.translate(str.maketrans(marks)) for cell in row]
        for row in draw(st.lists(numbers, min_size=1, max_size=6))
    ]
    text = io.StringIO()
    csv.writer(text, delimiter=separator).writerows(["abcd"[: len(formats)], *rows])
    return NumberTable(separator, decimal, is_grouped, text.getvalue(), [cell for row in rows for cell in row])


def assert_asks(error: TableError) -> None:
    """The message has both options."""
    assert re.search("say which: (separator|decimal) . or ", str(error).replace("'", ""))


@given(number_tables())
def test_numbers_are_never_read_wrong(table: NumberTable) -> None:
    """Right, or refused with both options, or a cell that can be read two ways."""
    try:
        found = detect(table.text.encode())
    except TableError as error:
        assert_asks(error)
        return
    assert found.separator == table.separator
    if table.separator == "," and table.decimal == "," and table.is_grouped and found.decimal != ",":
        # Where commas separate, 1.300 has a decimal point, unless most cells prove otherwise.
        return
    readings = [{parse_number(cell, table.decimal), parse_number(cell, found.decimal)} - {None} for cell in table.cells]
    assert max(map(len, readings)) == 1


def test_a_head_of_64_kib_is_fast() -> None:
    """Text that looks like numbers is no way to keep the service busy."""
    head = b"a,b\n" + b",".join([b"1" * 30_000 + b"x", b"1.234." * 5_000 + b"x"]) + b"\n"
    start = time.perf_counter()

    detect(head)

    assert time.perf_counter() - start < 1
