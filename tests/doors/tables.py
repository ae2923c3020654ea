"""The same applicants in every kind of table, rows that can't be read, and tables that are refused."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from typing import Any

from tests.doors.doors import compress

HEADER = ["id", "Amount", "Income", "Home, now", "Client", "Rooms", "Debt/Income~12m", "Job"]
ROWS = [
    ["A-1", "1300.5", "2500", "own", "True", "1", "0.75", "clerk"],
    ["é 2", "45.25", "", "rent", "False", "2", "1.25", "nurse"],
    ["007", "12", "1000000", "None", "True", "", "", ""],
    ["ü", "0.5", "1500.5", "", "False", "3", "0", "clerk"],
    ["12e3", "999", "0", "own", "False", "1", "2", "cook"],
]

Change = Callable[[list[str]], list[str]]


def render(
    separator: str = ",", end: str = "\n", encoding: str = "utf-8", *, rows: Sequence[list[str]] = (), **options: Any
) -> bytes:
    """A table as bytes; `rows`: header first, else HEADER and ROWS."""
    out = io.StringIO()
    csv.writer(out, delimiter=separator, lineterminator=end, **options).writerows(rows or [HEADER, *ROWS])
    return out.getvalue().encode(encoding)


def change(**cells: tuple[int, str]) -> list[list[str]]:
    """The table with other cells: name of the column (without what follows a mark) → number of the row, text."""
    rows = [HEADER, *(list(row) for row in ROWS)]
    for name, (number, text) in cells.items():
        rows[number][[one[: len(name)] for one in HEADER].index(name)] = text
    return rows


def each(edit: Change) -> list[list[str]]:
    """The table with all rows edited, header too."""
    return [edit(list(row)) for row in [HEADER, *ROWS]]


def with_numbers(edit: Callable[[str], str]) -> list[list[str]]:
    """The table with the numbers of its three numeric columns written otherwise."""
    return [
        HEADER,
        *([edit(cell) if cell and number in (1, 2, 6) else cell for number, cell in enumerate(row)] for row in ROWS),
    ]


def to_comma(text: str) -> str:
    """A number with a decimal comma."""
    return text.replace(".", ",")


def group(mark: str, point: str = ".") -> Callable[[str], str]:
    """A function that writes marks between thousands, and two decimals."""
    return lambda text: f"{float(text):,.2f}".replace(",", "_").replace(".", point).replace("_", mark)


PLAIN = render()

SAME: dict[str, bytes] = {
    "plain.csv": PLAIN,
    "semicolon.csv": render(";"),
    "tab.tsv": render("\t"),
    "pipe.csv": render("|"),
    "sep.csv": b"sep=;\n" + render(";"),
    "decimal_comma.csv": render(";", rows=with_numbers(to_comma)),
    "decimal_comma_tab.csv": render("\t", rows=with_numbers(to_comma)),
    "decimal_comma_quoted.csv": render(rows=with_numbers(to_comma)),
    "thousands.csv": render(rows=with_numbers(group(","))),
    "thousands_points.csv": render(";", rows=with_numbers(group(".", ","))),
    "thousands_blanks.csv": render(";", rows=with_numbers(group(" ", ","))),
    "thousands_narrow_blanks.csv": render(";", rows=with_numbers(group("\u202f", ","))),
    "thousands_apostrophes.csv": render(rows=with_numbers(group("'"))),
    "underscores.csv": render(rows=change(Income=(3, "1_000_000"))),
    "missing_code.csv": render(rows=change(Income=(2, "365243"))),
    "missing_code_written_otherwise.csv": render(rows=change(Income=(2, "-5e-1"))),
    "exponent.csv": render(rows=change(Income=(3, "1e6"), Amount=(1, "+13005E-1"))),
    "currency.csv": render(rows=with_numbers(lambda text: f"${text}")),
    "currency_behind.csv": render(rows=with_numbers(lambda text: f"{text} €")),
    "percent.csv": render(rows=change(Debt=(2, "1.25 %"))),
    "padded_header.csv": render(rows=[[f" {name} " for name in HEADER], *ROWS]),
    "padded_cells.csv": render(rows=each(lambda row: [f" {cell}\t " for cell in row])),
    "padded_quotes.csv": render(rows=each(lambda row: [f" {cell} " for cell in row]), quoting=csv.QUOTE_ALL),
    "quoted.csv": render(quoting=csv.QUOTE_ALL),
    "trailing.csv": render(rows=each(lambda row: [*row, "", " "])),
    "trailing_rows.csv": render(rows=[HEADER, *([*row, ""] for row in ROWS)]),
    "mark.csv": render(encoding="utf-8-sig"),
    "utf16.csv": render(";", encoding="utf-16"),
    "utf16be.csv": render(encoding="utf-16-be"),
    "cp1252.csv": render(encoding="cp1252"),
    "crlf.csv": render(end="\r\n"),
    "cr.csv": render(end="\r"),
    "no_end.csv": PLAIN[:-1],
    "blank_lines.csv": b"\n" + PLAIN.replace(b"\n", b"\n\n"),
    "compressed.csv.gz": compress(PLAIN),
    "compressed_utf16.csv.gz": compress(render(encoding="utf-16")),
    "missing_words.csv": render(rows=change(Income=(2, "n/a"), Home=(4, "NULL"), Rooms=(3, "None"), Job=(3, "#N/A"))),
    "padded_words.csv": render(rows=change(Income=(2, " NA "), Home=(3, " None "), Rooms=(3, "nan "))),
    "booleans.csv": render(rows=change(Client=(1, "TRUE"), Job=(1, " clerk"))),
    "levels.csv": render(rows=change(Rooms=(1, "1.0"), Client=(2, "false"))),
    "inner_quote.csv": render(rows=[[*HEADER, "size"], *([*row, '7"'] for row in ROWS)]).replace(b'"7"""', b'7"'),
    "doubled_quote.csv": render(rows=[[*HEADER, "note"], *([*row, 'the "best", of\ntwo lines'] for row in ROWS)]),
    "index.csv": render(rows=[["", *HEADER], *([str(number), *row] for number, row in enumerate(ROWS))]),
    "unused.csv": render(rows=[["x", *HEADER, "x", "a b"], *(["1,300", *row, "inf", "\u00a0"] for row in ROWS)]),
    "order.csv": render(rows=each(lambda row: row[::-1])),
    "narrow_blanks.csv": render(rows=each(lambda row: [f"\u00a0{cell}\u2003" for cell in row])),
}
"""Files with the applicants of ROWS."""

NUMBER = "expected a number in EUR, got "
WITHIN = "expected a number within ±1e+100, got "

FAULTY: dict[str, tuple[bytes, dict[int, str]]] = {
    "short.csv": (
        PLAIN.replace(b",True,1,0.75,clerk", b",True"),
        {2: "expected 8 cells, as the header has, got 5"},
    ),
    "long.csv": (
        render(rows=change(Job=(3, "x,y"))).replace(b'"x,y"', b"x,y"),
        {4: "expected 8 cells, as the header has, got 9"},
    ),
    "all_short.csv": (
        render(rows=[[*HEADER, "note"], *ROWS]),
        dict.fromkeys(range(2, 7), "expected 9 cells, as the header has, got 8"),
    ),
    "level.csv": (
        render(rows=change(Home=(2, " tent "))),
        {3: "Home, now: expected one of: own, rent, None, got 'tent'"},
    ),
    "case.csv": (render(rows=change(Home=(2, "RENT"))), {3: "Home, now: expected one of: own, rent, None, got 'RENT'"}),
    "number.csv": (render(rows=change(Amount=(5, "many"))), {6: f"Amount: {NUMBER}'many'"}),
    "limit.csv": (
        render(rows=change(Income=(2, "-1"), Amount=(2, "-1"))),
        {3: "Income: expected a number greater than -1, got '-1'"},
    ),
    "several.csv": (
        render(rows=change(Amount=(5, "1,2,3"), Income=(5, "x"), Client=(5, "yes"))),
        {
            6: f"Amount: {NUMBER}'1,2,3'; Income: expected a number, got 'x'; "
            "Client: expected one of: False, True, got 'yes'"
        },
    ),
    "infinite.csv": (
        render(rows=change(Amount=(1, "inf"), Income=(2, "-Infinity"), Debt=(3, "1e999"))),
        {
            2: f"Amount: {NUMBER}'inf'",
            3: "Income: expected a number, got '-Infinity'",
            4: "Debt/Income~12m: expected a number, got '1e999'",
        },
    ),
    "large.csv": (
        render(rows=change(Amount=(1, "1e200"), Debt=(2, "-1E101"))),
        {2: f"Amount: {WITHIN}'1e200'", 3: f"Debt/Income~12m: {WITHIN}'-1E101'"},
    ),
    "missing.csv": (
        render(rows=change(Amount=(1, " "), Client=(2, "NA"))),
        {2: "Amount: missing; expected a number in EUR", 3: "Client: missing; expected one of: False, True"},
    ),
    "digits.csv": (
        render(rows=change(Amount=(1, "١٢"), Income=(1, "0x10"))),
        {2: f"Amount: {NUMBER}'١٢'; Income: expected a number, got '0x10'"},
    ),
    "no_id.csv": (render(rows=change(id=(3, " "))), {4: "id: missing; expected the id of the row"}),
    "late_lines.csv": (
        render(rows=[[*HEADER, "note"], *([*row, "two\nlines"] for row in change(Rooms=(4, "4"))[1:])]),
        {8: "Rooms: expected one of: 1, 2, 3, got '4'"},
    ),
}
"""Files with rows that can't be read, and their faults by line; all others are as in ROWS."""

OPEN = "a cell begins with a quote that is never closed"
WHOLE = [[cell.partition(".")[0] if number in (1, 2, 6) else cell for number, cell in enumerate(row)] for row in ROWS]

REFUSED: dict[str, tuple[bytes, str]] = {
    "ambiguous.csv": (
        render(rows=[HEADER, *([row[0], "1,300", *row[2:]] for row in WHOLE)]),
        "line 2: Amount: '1,300' is 1300 with a decimal point and 1.3 with a decimal comma; say which: decimal . or "
        "decimal ,",
    ),
    "ambiguous_point.csv": (
        render(";", rows=[HEADER, *([row[0], "1.300", *row[2:]] for row in WHOLE)]),
        "line 2: Amount: '1.300' is 1.3 with a decimal point and 1300 with a decimal comma; say which: decimal . or "
        "decimal ,",
    ),
    "both_marks.csv": (
        render(";", rows=[HEADER, *([row[0], "1,5", "1.5", *row[3:]] for row in ROWS)]),
        "the decimal mark can't be told: '1.5' in column 'Income' has a point, '1,5' in column 'Amount' a comma; say "
        "which: decimal . or decimal ,",
    ),
    "comma_among_points.csv": (
        render(rows=change(Amount=(2, "7,5"))),
        "the decimal mark can't be told: '1300.5' in column 'Amount' has a point, '7,5' in column 'Amount' a comma; "
        "say which: decimal . or decimal ,",
    ),
    "absent.csv": (render(rows=each(lambda row: [*row[:2], *row[3:]])), "has no column 'Income'"),
    "twice.csv": (render(rows=each(lambda row: [*row, row[2]])), "columns 'Income'"),
    "twice_padded.csv": (render(rows=[[*HEADER, " Income "], *([*row, ""] for row in ROWS)]), "columns 'Income'"),
    "no_header.csv": (PLAIN.partition(b"\n")[2], "its columns are: A-1, 1300.5, 2500, own, True, 1, 0.75, clerk"),
    "open_quote.csv": (PLAIN.replace(b",rent", b',"rent'), f"line 3: {OPEN}"),
    "stray_quote.csv": (PLAIN.replace(b",rent", b',"re"nt'), "line 3: a quote ends inside a cell"),
    "swallowed.csv": (
        PLAIN.replace(b",own,True", b',"own,True').replace(b",own,False", b',own",False'),
        "line 2: a cell in quotes goes on",
    ),
    "zero.csv": (PLAIN.replace(b"rent", b"re\0nt"), "line 3 has a zero byte"),
    "empty.csv": (b"", "the table is empty, expected a header line with the names of the columns"),
    "blank.csv": (b" \n\n", "the table is empty, expected a header line with the names of the columns"),
    "utf32.csv": (render(encoding="utf-32"), "the table is in UTF-32; save it in UTF-8"),
}
"""Files that every door refuses, with these words."""
