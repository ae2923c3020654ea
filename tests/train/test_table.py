"""Reading of tables: Parquet gives the same as CSV."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import re
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from model.dialect import DialectOptions
from train.card_inference import Choices, infer_card
from train.dataset import encode_table
from train.errors import TrainingError
from train.table import read_table


def as_parquet(path: Path) -> Path:
    """The same table as Parquet, with the types that pandas infers."""
    target = path.with_suffix(".parquet")
    pd.read_csv(path).to_parquet(target)
    return target


def test_parquet_gives_the_same_card_and_the_same_matrix(write_table: Callable[..., Path]) -> None:
    """Floats with missing values, whole numbers, texts, booleans, a target and an id."""
    path = write_table(whole=np.arange(300) % 7)
    card = infer_card(read_table(path), Choices("outcome", "number"))

    table = read_table(as_parquet(path))

    again = infer_card(table, Choices("outcome", "number"))
    assert again.fields == card.fields
    expected, actual = encode_table(read_table(path), card), encode_table(table, again)
    np.testing.assert_array_equal(actual.X, expected.X)
    np.testing.assert_array_equal(actual.y, expected.y)


def test_a_target_with_missing_values_keeps_whole_numbers(write_table: Callable[..., Path]) -> None:
    """pandas reads it as float64; its text is 1, not 1.0."""
    table = read_table(as_parquet(write_table(outcome=[None, *([0, 1] * 149), 0])))

    assert set(table.texts("outcome", "the target")) == {"", "0", "1"}


def test_a_file_that_isnt_parquet_is_refused(tmp_path: Path) -> None:
    """The message gives its path."""
    path = tmp_path / "loans.parquet"
    path.write_text("a,b\n1,2\n")

    with pytest.raises(TrainingError, match=r"loans\.parquet is not a complete Parquet file"):
        read_table(path)


def test_lines_count_the_header_of_csv_but_rows_of_parquet(write_table: Callable[..., Path]) -> None:
    """The first row is in line 2 of a CSV file, and is row 1 of a Parquet file."""
    path = write_table()

    assert read_table(path).line(0) == "line 2"
    assert read_table(as_parquet(path)).line(0) == "row 1"


ROWS = "".join(f"{row},{1000.5 + row},{'own' if row % 3 else 'rent'},{row % 2}\n" for row in range(60))
BASE = f"id,income,home,bad\n{ROWS}"
SEMICOLONS = BASE.replace(",", ";").replace(".", ",")
TSV = BASE.replace(",", "\t")


@pytest.mark.parametrize(
    ("name", "content", "dialect"),
    [
        ("plain.csv", BASE.encode(), "',', decimal point, UTF-8"),
        ("excel.csv", SEMICOLONS.encode("utf-8-sig"), "';', decimal comma, UTF-8"),
        ("tab.tsv", TSV.replace("\n", "\r\n").encode(), "tab, decimal point, UTF-8"),
        ("mac.csv", BASE.replace("\n", "\r").encode(), "',', decimal point, UTF-8"),
        ("unicode.txt", BASE.encode("utf-16"), "',', decimal point, UTF-16-LE"),
        ("padded.csv", BASE.replace(",", " , ").encode(), "',', decimal point, UTF-8"),
        ("trailing.csv", BASE.replace("\n", ",\n").encode(), "',', decimal point, UTF-8"),
        ("money.csv", BASE.replace(",10", ",$ 1_0").encode(), "',', decimal point, UTF-8"),
        ("zipped.csv.gz", gzip.compress(BASE.encode(), mtime=0), "',', decimal point, UTF-8"),
        ("packed.csv.bz2", bz2.compress(BASE.encode()), "',', decimal point, UTF-8"),
        ("packed.csv.xz", lzma.compress(BASE.encode()), "',', decimal point, UTF-8"),
    ],
)
def test_a_table_is_the_same_in_every_dialect(tmp_path: Path, name: str, content: bytes, dialect: str) -> None:
    """Separator, decimal mark, encoding, line ends, blanks, signs and compression change nothing but what is told."""
    (tmp_path / "base.csv").write_text(BASE)
    (tmp_path / name).write_bytes(content)
    card = infer_card(read_table(tmp_path / "base.csv"), Choices("bad", "id"))

    table = read_table(tmp_path / name)

    assert str(table.dialect) == dialect
    np.testing.assert_array_equal(encode_table(table, card).X, encode_table(read_table(tmp_path / "base.csv"), card).X)


def test_a_cp1252_file_is_read(tmp_path: Path) -> None:
    """As spreadsheets of western Europe save it."""
    path = tmp_path / "latin.csv"
    path.write_bytes("id,job\n1,gérant\n".encode("cp1252"))

    table = read_table(path)

    assert table.cells["job"].tolist() == ["gérant"]
    assert str(table.dialect).endswith("cp1252")


def test_an_excel_file_is_the_same_as_csv(tmp_path: Path) -> None:
    """The first sheet; whole numbers without '.0', dates as ISO 8601."""
    (tmp_path / "base.xlsx").write_bytes(workbook([line.split(",") for line in BASE.splitlines()]))
    (tmp_path / "base.csv").write_text(BASE)

    table = read_table(tmp_path / "base.xlsx")

    assert table.cells.equals(read_table(tmp_path / "base.csv").cells)
    assert table.line(0) == "row 2"


def workbook(rows: list[list[str]]) -> bytes:
    """An Excel file with one sheet of numbers and inline strings."""
    cells = ""
    for row in rows:
        number, text = "<c><v>{}</v></c>", '<c t="inlineStr"><is><t>{}</t></is></c>'
        cells += "<row>" + "".join((number if re.match("[0-9]", one) else text).format(one) for one in row) + "</row>"
    office = "http://schemas.openxmlformats.org"
    main, relation = f"{office}/spreadsheetml/2006/main", f"{office}/officeDocument/2006/relationships"
    link = f'<Relationships xmlns="{office}/package/2006/relationships"><Relationship Id="r" Type="{relation}/'
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{office}/package/2006/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{kind}.sheet.main+xml"/>'
        f'<Override PartName="/xl/worksheets/s.xml" ContentType="{kind}.worksheet+xml"/></Types>',
        "_rels/.rels": f'{link}officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{relation}"><sheets>'
        '<sheet name="a" sheetId="1" r:id="r"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'{link}worksheet" Target="worksheets/s.xml"/></Relationships>',
        "xl/worksheets/s.xml": f'<worksheet xmlns="{main}"><sheetData>{cells}</sheetData></worksheet>',
    }
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as file:
        for name, text in parts.items():
            file.writestr(name, text)
    return content.getvalue()


def archive(*names: str) -> bytes:
    """A ZIP archive of small tables."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as file:
        for name in names:
            file.writestr(name, BASE)
    return content.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("two.zip", archive("a.csv", "b.csv"), r"holds 2 files \(a\.csv, b\.csv\), expected one table"),
        ("none.zip", archive(), "holds 0 files"),
        ("broken.zip", b"PK\x03\x04", "can't be unpacked"),
        ("cut.csv.gz", gzip.compress(BASE.encode(), mtime=0)[:-20], "can't be decompressed"),
        ("not.csv.gz", b"id,bad\n1,0\n", "can't be decompressed"),
        ("new.csv.zst", b"\x28\xb5\x2f\xfd", "compressed in a format that can't be read"),
        ("broken.xlsx", b"no book", "can't be read as an Excel file"),
        ("open.csv", b'id,bad\n1,"0\n2,1\n', r"line 2: a cell begins with a quote that is never closed"),
        ("short.csv", b"id,x,bad\n1,2,0\n2,1\n", "line 3: expected 3 cells, as the header has, got 2"),
        ("both.csv", b"a;b,c\n1;2,3\n", "the separator can be"),
        ("mixed.csv", b"a;b\n1,5;2.5\n", "the decimal mark can't be told"),
        ("empty.csv", b"", "is empty"),
    ],
)
def test_a_file_that_cant_be_read_whole_is_refused(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    """Never fewer rows, never a guess: one sentence."""
    path = tmp_path / name
    path.write_bytes(content)

    with pytest.raises(TrainingError, match=message):
        read_table(path)


def test_the_options_decide_what_can_be_read_two_ways(tmp_path: Path) -> None:
    """Separator and decimal mark."""
    path = tmp_path / "both.csv"
    path.write_text("a;b,c\n1;2,3\n")

    assert read_table(path, DialectOptions(separator=";")).names == ["a", "b,c"]
    assert read_table(path, DialectOptions(separator=",")).names == ["a;b", "c"]
