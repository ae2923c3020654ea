"""Random text tables in random dialects, with odd cells and damaged ones too."""

from __future__ import annotations

from random import Random

from tests.doors.doors import compress
from tests.doors.tables import HEADER

ENCODINGS = ["utf-8", "utf-8", "utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"]
SEPARATORS = [",", ",", ";", "\t", "|"]
LEVELS = {
    "Home, now": ["own", "rent", "None", " own ", "NULL", ""],
    "Client": ["True", "False", "TRUE", " false"],
    "Rooms": ["1", "2", "3", "1.0", "3.0", "None", ""],
    "Job": ["clerk", "nurse", "(other)", "1", "n/a", ""],
}
ODD = [
    *(
        "",
        " ",
        "NA",
        "inf",
        "-inf",
        "1e200",
        "many",
        "1,300",
        "1.300",
        "1 300",
        "1_300",
        "1'300",
        "1,2,3",
        "12,5",
        "12.5",
    ),
    *("12%", "$5", "5 €", "-", "--5", "+5", "-5", ".5", "5.", ",5", "0x10", "١٢", "1e5", "1E-3", "1e", "007", "-0"),
    *("\u00a05", "5\u2003", "=1+1", "'5", '5"', 'a "b" c', '"', "a\nb", "a\rb", "é", "true", "nan", "None", "#", "1;2"),
    *(
        "1|2",
        "a\tb",
        "\ufeff5",
        "\x1c5",
        "\x85",
        "1" * 400,
        "9007199254740993",
        "1.0000000000000001",
        "4",
        "\\N",
        "\x00",
    ),
    *("5e-324", "1e100", "1.00e+100", "1e101", "$-5", "-$5", "5$%", "1,000,000", "1.000.000", "1.000,5", "1,000.5"),
]
"""Cells that one of the doors may read otherwise."""


def draw_table(random: Random) -> tuple[str, bytes]:
    """The name and the bytes of a table."""
    separator, decimal = random.choice(SEPARATORS), random.choice("..,")
    group = random.choice(["", "", "", "'", " ", "_", "," if decimal == "." else "."])
    is_padded, is_quoted, oddness = random.random() < 0.2, random.random() < 0.2, random.choice([0, 0, 0.02, 0.2])
    columns = [*HEADER, *random.sample(["", "x", "note", " "], random.randrange(3))]
    if random.random() < 0.3:
        random.shuffle(columns)
    n_rows = random.choice([0, 1, 2, 5, 10, 40])
    cells = [
        [_draw_cell(random, name, number, decimal, group, oddness) for name in columns] for number in range(n_rows)
    ]
    rows = [columns, *cells]
    if random.random() < 0.05:
        random.choice(rows).append(random.choice(["", " ", "x"]))
    if random.random() < 0.05:
        random.choice(rows).pop(random.randrange(len(columns)))
    end = random.choice(["\n", "\n", "\r\n", "\r"])
    lines = [separator.join(_quote(random, cell, separator, is_padded, is_quoted) for cell in row) for row in rows]
    if random.random() < 0.1:
        lines.insert(random.randrange(len(lines) + 1), random.choice(["", " ", separator, separator * 9, "\t"]))
    text = end.join(lines) + random.choice([end, ""])
    content = text.encode(random.choice(ENCODINGS), "replace")
    if random.random() < 0.1:
        content = _damage(random, content)
    is_compressed = random.random() < 0.1
    return ("table.csv.gz", compress(content)) if is_compressed else ("table.csv", content)


def _draw_cell(random: Random, name: str, number: int, decimal: str, group: str, oddness: float) -> str:
    if name == "id":
        return (
            random.choice(["", " "]) if random.random() < oddness / 9 else random.choice(["A", "é-", "0"]) + str(number)
        )
    if random.random() < oddness or name not in HEADER:
        return random.choice(ODD)
    if name in LEVELS:
        return random.choice(LEVELS[name])
    if name != "Amount" and random.random() < 0.1:
        return random.choice(["", "NA", " n/a "])
    text = f"{random.choice([0, 0.5, 7.25, 1300, 1234567.5, random.uniform(0, 2000)]):,.{random.choice([0, 2, 9])}f}"
    return text.replace(",", "\0").replace(".", decimal).replace("\0", group)


def _quote(random: Random, cell: str, separator: str, is_padded: bool, is_quoted: bool) -> str:
    is_special = any(mark in cell for mark in (separator, '"', "\n", "\r"))
    if is_quoted or (is_special and random.random() < 0.97):
        return '"' + cell.replace('"', '""') + '"'
    return f" {cell} " if is_padded else cell


def _damage(random: Random, content: bytes) -> bytes:
    """Some bytes taken out, put in or cut off."""
    at = random.randrange(len(content) + 1)
    new = random.choice([b'"', b"\0", b"\xff", b"\n", b"\r", b",", b";", b"\xc3", b"", content[at : at + 50]])
    return random.choice([content[:at], content[:at] + new + content[at:], content[:at] + new + content[at + 1 :]])
