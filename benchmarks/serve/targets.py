"""The performance targets of the service: figures of one benchmark run and their bounds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from benchmarks.serve.results import Results

MAX_GROWTH_MB = 2.0
"""Megabytes of growth that are not a leak: memory that the allocator keeps for reuse."""


@dataclass(frozen=True, slots=True)
class Target:
    """A figure and its bound; `figure` returns None if the run did not measure it."""

    title: str
    relation: Literal["≥", "≤"]
    bound: float
    figure: Callable[[Results], float | None]
    format: str = "{:.2f} ×"

    def is_met(self, results: Results) -> bool | None:
        """Whether the figure is within the bound; None if it was not measured."""
        figure = self.figure(results)
        if figure is None:
            return None
        return figure >= self.bound if self.relation == "≥" else figure <= self.bound


def _divide(numerator: float | None, denominator: float | None) -> float | None:
    return None if numerator is None or denominator is None else numerator / denominator


TARGETS = (
    Target("logistic, 16 connections / bare uvicorn", "≥", 0.42, lambda r: r.ratio("ours", "logistic", "bare_uvicorn")),
    Target("logistic / Flask", "≥", 22, lambda r: r.ratio("ours", "logistic", "flask")),
    Target("logistic / FastAPI + onnxruntime", "≥", 2.4, lambda r: r.ratio("ours", "logistic", "fastapi_onnxruntime")),
    Target(
        "one connection, p50 / bare uvicorn's",
        "≤",
        1.6,
        lambda r: r.p50_ratio("ours", "one_connection", "bare_uvicorn"),
    ),
    Target(
        "/score, four reasons, boosting / bare uvicorn", "≥", 0.25, lambda r: r.ratio("ours", "score", "bare_uvicorn")
    ),
    Target("1,000 rows × 23 as JSON", "≥", 500_000, lambda r: r.rows_per_second("ours", "json"), "{:,.0f} rows/s"),
    Target(
        "time to first answer / bare uvicorn's",
        "≤",
        2,
        lambda r: _divide(r.first_answer("ours"), r.first_answer("bare_uvicorn")),
    ),
    Target("memory after 10,000 requests", "≤", 90, lambda r: r.megabytes("ours"), "{:.1f} MB"),
    Target("memory, growth over 1,000,000 requests", "≤", MAX_GROWTH_MB, lambda r: r.growth("ours"), "{:.1f} MB"),
    Target(
        "p99 of one row, bodies of 10,000 in the background",
        "≤",
        20,
        lambda r: r.p99_ms("ours", "background"),
        "{:.1f} ms",
    ),
)

VERDICTS = {True: "met", False: "missed", None: "not measured"}


def list_targets(results: Results) -> list[tuple[str, str, str, str]]:
    """Title, bound, figure and verdict of every target."""
    rows = []
    for target in TARGETS:
        figure = target.figure(results)
        shown = "–" if figure is None else target.format.format(figure)
        rows.append(
            (
                target.title,
                f"{target.relation} {target.format.format(target.bound)}",
                shown,
                VERDICTS[target.is_met(results)],
            )
        )
    return rows
