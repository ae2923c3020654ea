"""What the service must reach: each bar a figure of the results and a bound, all from one interleaved run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from benchmarks.serve.models import ASKED
from benchmarks.serve.results import Results

FLAT = 2.0
"""Megabytes of growth that still count as none: what an allocator keeps for later."""


@dataclass(frozen=True, slots=True)
class Bar:
    """A figure and its bound; `figure` is None where the run did not measure it."""

    title: str
    sense: Literal["≥", "≤"]
    bound: float
    figure: Callable[[Results], float | None]
    form: str = "{:.2f} ×"

    def is_met(self, results: Results) -> bool | None:
        """Whether the figure is on the right side; None if it was not measured."""
        figure = self.figure(results)
        if figure is None:
            return None
        return figure >= self.bound if self.sense == "≥" else figure <= self.bound


def _divide(one: float | None, other: float | None) -> float | None:
    return None if one is None or other is None else one / other


def _rows_per_second(results: Results) -> float | None:
    bodies = results.per_second("ours", "json")
    return None if bodies is None else bodies * ASKED


BARS = (
    Bar("logistic, 16 connections / bare uvicorn", "≥", 0.42, lambda r: r.ratio("ours", "logistic", "limit")),
    Bar("logistic / the Flask design", "≥", 22, lambda r: r.ratio("ours", "logistic", "flask")),
    Bar("logistic / FastAPI + onnxruntime", "≥", 2.4, lambda r: r.ratio("ours", "logistic", "fastapi_onnxruntime")),
    Bar("one connection, p50 / bare uvicorn's", "≤", 1.6, lambda r: r.p50_ratio("ours", "alone", "limit")),
    Bar("/score, four reasons, boosting / bare uvicorn", "≥", 0.25, lambda r: r.ratio("ours", "score", "limit")),
    Bar("1,000 rows × 23 as JSON", "≥", 500_000, _rows_per_second, "{:,.0f} rows/s"),
    Bar(
        "exec → first right answer / bare uvicorn",
        "≤",
        2,
        lambda r: _divide(r.first_answer("ours"), r.first_answer("limit")),
    ),
    Bar("memory after 10,000 requests", "≤", 90, lambda r: r.megabytes("ours"), "{:.1f} MB"),
    Bar("memory, growth over 1,000,000 requests", "≤", FLAT, lambda r: r.growth("ours"), "{:.1f} MB"),
    Bar("p99 of one row beside bodies of 10,000", "≤", 20, lambda r: r.p99_ms("ours", "crowd"), "{:.1f} ms"),
)

VERDICTS = {True: "reached", False: "missed", None: "not measured"}


def list_bars(results: Results) -> list[tuple[str, str, str, str]]:
    """Title, bound, figure and verdict of every bar."""
    rows = []
    for bar in BARS:
        figure = bar.figure(results)
        shown = "–" if figure is None else bar.form.format(figure)
        rows.append((bar.title, f"{bar.sense} {bar.form.format(bar.bound)}", shown, VERDICTS[bar.is_met(results)]))
    return rows
