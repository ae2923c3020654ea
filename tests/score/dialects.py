"""Portfolios as people have them, for the tests of both engines: one table in many dialects and formats."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

FIELDS = ["Seniority", "Home", "Time", "Records", "Job", "Expenses", "Income", "Assets", "Debt", "Amount", "Price"]
BASE = [
    "00001,16,rent,48,no,fixed,60,140,0,0,1300,1700",
    "00002,5,owner,36,yes,freelance,45,200,3000,0,1000,1500",
    "00003,2,parents,60,no,partime,35,90,0,0,700,900",
    "00004,5,priv,24,yes,others,90,300,10000,1500,2000,3000",
    "00005,8,other,12,no,fixed,75,150,2500,0,900,1200",
    "00006,16,ignore,60,yes,fixed,40,80,0,0,500,650",
]
"""Applicants of artifacts/model.onnx."""

LINES = [",".join(["id", *FIELDS]), *BASE]


class Written(NamedTuple):
    """How a text table is written."""

    separator: str = ","
    decimal: str = "."
    encoding: str = "utf-8"
    line_end: str = "\n"
    is_quoted: bool = False
    padding: str = ""
    is_trailing: bool = False
    is_compressed: bool = False

    def suffix(self) -> str:
        """The end of the file's name."""
        return (".tsv" if self.separator == "\t" else ".csv") + (".gz" if self.is_compressed else "")

    def write(self, rows: list[list[str]]) -> bytes:
        """The bytes of a table, header first; numbers are written by the caller."""
        lines = [self.separator.join([*map(self._cell, row), *([""] if self.is_trailing else [])]) for row in rows]
        content = "".join(line + self.line_end for line in lines).encode(self.encoding)
        return gzip.compress(content, mtime=0) if self.is_compressed else content

    def _cell(self, text: str) -> str:
        is_special = any(mark in text for mark in (self.separator, '"', "\n"))
        return f'"{text}"' if self.is_quoted or is_special else f"{self.padding}{text}{self.padding}"


def text_of(lines: list[str]) -> bytes:
    """A file of these lines."""
    return "".join(f"{line}\n" for line in lines).encode()


def change(line: int, old: str, new: str) -> list[str]:
    """The lines of the base with one changed."""
    return [text.replace(old, new, 1) if number == line else text for number, text in enumerate(LINES)]


SAME: dict[str, bytes] = {
    "plain.csv": text_of(LINES),
    "base.txt": text_of(LINES),
    "cr.csv": text_of(LINES).replace(b"\n", b"\r"),
    "crlf.csv": text_of(LINES).replace(b"\n", b"\r\n"),
    "mark.csv": b"\xef\xbb\xbf" + text_of(LINES),
    "utf16.csv": text_of(LINES).decode().encode("utf-16"),
    "utf16be.csv": b"\xfe\xff" + text_of(LINES).decode().encode("utf-16-be"),
    "utf16_no_end.csv.gz": gzip.compress(text_of(LINES).decode().encode("utf-16")[:-2], mtime=0),
    "semicolon.csv": text_of(LINES).replace(b",", b";"),
    "tab.tsv": text_of(LINES).replace(b",", b"\t"),
    "pipe.csv": text_of(LINES).replace(b",", b"|"),
    "sep.csv": b"sep=;\n" + text_of(LINES).replace(b",", b";"),
    "compressed.csv.gz": gzip.compress(text_of(LINES)[:50], mtime=0) + gzip.compress(text_of(LINES)[50:], mtime=0),
    "mark.csv.gz": gzip.compress(b"\xef\xbb\xbf" + text_of(LINES), mtime=0),
    "padded_header.csv": text_of(change(0, ",Home,", ", Home ,")),
    "padded_cells.csv": text_of([line.replace(",", " , ") for line in LINES]),
    "trailing.csv": text_of([f"{line},," for line in LINES]),
    "decimal_comma.csv": text_of([line.replace(",", ";").replace(";140;", ";140,0;") for line in LINES]),
    "decimal_comma_quoted.csv": text_of(change(1, ",140,", ',"140,0",')),
    "currency.csv": text_of(change(1, ",1300,", ",$1300,")),
    "note.csv": text_of([f'{line},"a note, ""of"" two\nlines"' for line in LINES]),
    "inner_quote.csv": text_of([f"{LINES[0]},size", *(f'{line},7"' for line in BASE)]),
    "no end & [odd] {name} 50%.csv": text_of(LINES)[:-1],
}
"""Files with the applicants of BASE."""

REFUSED: dict[str, tuple[bytes, str]] = {
    "no_header.csv": (text_of(LINES[1:]), "has no column 'id' and none of the fields of the model credit_data"),
    "open_quote.csv": (
        text_of(change(3, "partime", '"partime')),
        "line 4: a cell begins with a quote that is never closed",
    ),
    "stray_quote.csv": (text_of(change(3, "partime", '"par"time')), "line 4: a quote ends inside a cell"),
    "thousands.csv": (
        text_of(change(1, ",1300,", ',"1,300",')),
        "line 2: Amount: '1,300' is 1300 with a decimal point and 1.3 with a decimal comma; say which: decimal . or ",
    ),
    "empty.csv": (b"", "the table is empty, expected a header line"),
    "cut.csv.gz": (
        gzip.compress(text_of(LINES), mtime=0)[:-12],
        "can't be decompressed: it is cut off, damaged or not gzip",
    ),
    "not_gzip.csv.gz": (text_of(LINES), "can't be decompressed: it is cut off, damaged or not gzip"),
    "x.csv.zst": (b"(\xb5/\xfd", "is compressed (.zst); decompress it, or compress it with gzip instead"),
    "book.csv": (b"PK\x03\x04" + bytes(30), "the file is a zip file or an Excel workbook"),
    "twice.csv": (text_of([f"{line},7" for line in LINES]).replace(b"Price,7", b"Price,Debt"), "has 2 columns 'Debt'"),
    "utf16_odd.csv": (text_of(LINES).decode().encode("utf-16")[:-1], "is not UTF-16-LE"),
    "late.csv": (text_of([*LINES, *BASE * 3_000]) + b"7\x00,", "line 18008 has a zero byte"),
    "x.parquet": (b"PAR1 cut off", "is not a complete Parquet file"),
}
"""Files that are refused with these words, by both engines."""


def draw_base() -> pa.Table:
    """BASE with types."""
    columns = dict(zip(["id", *FIELDS], zip(*(line.split(",") for line in BASE), strict=True), strict=True))
    return pa.table({name: _typed(name, list(column)) for name, column in columns.items()})


def _typed(name: str, column: list[str]) -> pa.Array:
    is_text = name in ("id", "Home", "Records", "Job")
    return pa.array(column) if is_text else pa.array([int(text) for text in column])


def write_parquet(folder: Path) -> dict[str, Path]:
    """Parquet files and folders with the applicants of BASE, by name."""
    table, paths = draw_base(), {}
    changed = {
        "string_view": table.set_column(2, "Home", table.column("Home").cast(pa.string_view())),
        "large_string": table.set_column(2, "Home", table.column("Home").cast(pa.large_string())),
        "dictionary": table.set_column(2, "Home", table.column("Home").dictionary_encode()),
        "text": pa.table({name: table.column(name).cast(pa.string()) for name in table.column_names}),
        "padded": table.rename_columns([f" {name} " for name in table.column_names]),
    }
    for name, other in changed.items():
        paths[name] = folder / f"{name}.parquet"
        pq.write_table(other, paths[name])
    for name in ("Home", "Amount"):
        paths[f"by {name}"] = folder / f"by {name}"
        for row in range(len(table)):
            part = paths[f"by {name}"] / f"{name}={table.column(name)[row].as_py()}"
            part.mkdir(parents=True)
            pq.write_table(table.slice(row, 1).drop([name]), part / "part-0.parquet")
    mixed = paths["mixed"] = folder / "mixed"
    (mixed / "Home=rent").mkdir(parents=True)
    pq.write_table(table.slice(1, 2), mixed / "b.parquet")
    pq.write_table(
        table.slice(3).set_column(6, "Expenses", table.slice(3).column("Expenses").cast("float64")), mixed / "c.pq"
    )
    line = [cell for index, cell in enumerate(BASE[0].split(",")) if index != 2]
    header = ["id", *(name for name in FIELDS if name != "Home")]
    (mixed / "Home=rent" / "a.csv").write_text(f"{';'.join(header)}\n{';'.join(line)}\n")
    return paths
