"""scorecard.csv: a line for the base, for every bin of every field and for every cell of every pair."""

from __future__ import annotations

import csv
import io

from train.points_table.bins import ContractScorecard, describe_bins

COLUMNS = ("field", "label", "bin", "from", "below", "points", "share", "default_rate", "woe", "iv")

HEADING = f"{','.join(COLUMNS)}\n".encode()
"""The first line, which tells the file from another of its name."""


def render_csv(table: ContractScorecard) -> bytes:
    """The file, UTF-8. `from` and `below` are the ends of a bin of numbers: from ≤ x < below."""
    scorecard = table.scorecard
    described = [describe_bins(*one) for one in zip(scorecard.fields, table.fields, strict=True)]
    out = io.StringIO()
    lines = csv.writer(out, lineterminator="\n")
    lines.writerow(["", "Base", "", "", "", scorecard.base, "", "", "", ""])
    for field, bins, words in zip(table.fields, scorecard.fields, described, strict=True):
        lows, highs = [None, *bins.edges, None], [*bins.edges, None, None]
        if field.kind == "category":
            lows = highs = [None] * len(words)
        for bin, low, high in zip(words, lows, highs, strict=False):
            facts = bin.facts
            names = [_escape_formula(text) for text in (field.name, field.label, bin.words)]
            lines.writerow([*names, low, high, bin.points, facts.share, facts.default_rate, facts.woe, facts.iv])
    for pair, label in zip(scorecard.pairs, table.pair_labels, strict=True):
        first, second = (described[place] for place in pair.fields)
        name = " × ".join(table.fields[place].name for place in pair.fields)
        for row, row_points in zip(first, pair.points, strict=False):
            for column, points in zip(second, row_points, strict=False):
                words_of_cell = f"{row.words} × {column.words}"
                names = [_escape_formula(text) for text in (name, label, words_of_cell)]
                lines.writerow([*names, "", "", points, "", "", "", ""])
    return HEADING + out.getvalue().encode()


def _escape_formula(text: str) -> str:
    """The text, with an apostrophe in front if a spreadsheet would run it as a formula (OWASP, CSV injection)."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text
