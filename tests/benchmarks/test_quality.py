"""The table of `make bench-quality`: a row for every model, and dashes for what wasn't tuned."""

from __future__ import annotations

from benchmarks.quality import HEADINGS, OURS, PEERS_COMPARED, TITLES, Result, format_rows


def test_every_model_has_a_row() -> None:
    """Ours are told apart; a peer has no figures of tuning."""
    results = [
        Result((0.8, 0.4), 1.25) if name in PEERS_COMPARED else Result((0.8, 0.4), 1.25, (0.81, 0.39), 7)
        for name in TITLES
    ]

    rows = dict(zip(TITLES, format_rows(results)[2:], strict=True))

    assert {name for name, row in rows.items() if "(ours)" in row[0]} == set(OURS)
    assert rows["scorecard-pairs"] == (
        "**Scorecard, 10 pairs** (ours)",
        *("0.8000", "0.4000", "1.25", "0.8100", "0.3900", "7"),
    )
    assert rows["optbinning"][1:] == ("0.8000", "0.4000", "1.25", "–", "–", "1")
    assert {len(row) for row in rows.values()} == {len(HEADINGS)}
