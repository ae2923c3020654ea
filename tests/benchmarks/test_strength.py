"""`make bench-strength`: a row of its table."""

from __future__ import annotations

from benchmarks.strength import HEADINGS, Result, Score, summarize


def test_a_row_has_means_over_the_seeds_in_which_lightgbm_was_tuned() -> None:
    """The difference has its standard error; CPU time and rejected models are of all seeds."""
    results = [
        Result(1_200, 10.0, 0, "boosting", {}, Score(0.20, 0.90), Score(0.22, 0.91), Score(0.19, 0.92), 7),
        Result(1_200, 20.0, 2, "boosting", {}, Score(0.22, 0.94), Score(0.24, 0.93), Score(0.19, 0.96), 9),
        Result(1_200, 30.0, 0, "logistic", {}, Score(0.90, 0.50)),
    ]

    row = dict(zip(HEADINGS, summarize("loans", results), strict=True))

    assert row == {
        "table": "loans",
        "hold-out": "1,200",
        "ours, log loss": "0.2100",
        "LightGBM, tuned": "0.1900",
        "LightGBM, default": "0.2300",
        "ours − tuned": "+0.0200 ± 0.0100",
        "ours, AUC": "0.9200",
        "LightGBM, tuned, AUC": "0.9400",
        "CPU seconds": "20",
        "rejected": "1 of 3",
    }
