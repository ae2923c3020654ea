"""The law of scaling: straight lines through measured costs, and what they say of deployments nobody has measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.serve.page import show, write_table

BUSY = 0.7
"""Share of a core that may be in use: beyond it, waiting grows faster than throughput."""

DEPLOYMENTS = (("one Basic dyno", 1), ("ten dynos of its size", 10), ("a cluster of 100 cores", 100))


@dataclass(frozen=True, slots=True)
class Law:
    """Processor time of the service in µs: a request of one row takes base + fields · field + trees · tree.

    `row`, `binary_row`: what one more row of 23 fields takes in a large body; `second_worker`: how many times as much
    a request takes with two workers as with one.
    """

    base: float
    field: float
    tree: float
    row: float
    binary_row: float
    second_worker: float

    def request(self, fields: int = 23, trees: int = 0) -> float:
        """Processor time of one request of one row, µs."""
        return self.base + fields * self.field + trees * self.tree


def find_law(cost: dict[str, list[tuple[int, float]]]) -> Law:
    """The straight lines through the measured costs: µs a request by value, for each series."""
    base, field = fit_line(cost["fields"])
    (_, alone), (_, beside) = cost["workers"]
    return Law(
        base,
        field,
        tree=fit_line(cost["trees"])[1],
        row=fit_line(cost["rows, JSON"])[1],
        binary_row=fit_line(cost["rows, V2 binary"])[1],
        second_worker=beside / alone,
    )


def write_law(law: Law) -> str:
    """The law in words, and what it says of deployments nobody has measured."""
    costs = (law.request(), law.row, law.binary_row)
    head = ["on paper, cores as fast as this one, 70 % busy", "workers", "requests/s", "rows/s, JSON", "rows/s, binary"]
    rows = [
        [title, str(cores), *[show(BUSY * cores * 1e6 / cost, "{:,.0f}") for cost in costs]]
        for title, cores in DEPLOYMENTS
    ]
    return (
        f"The law: a request of one row takes {law.base:.0f} µs + {law.field:.2f} µs a field + {law.tree:.3f} µs a "
        f"tree of processor time; one more row of 23 fields in a large body takes {law.row:.2f} µs as JSON, "
        f"{law.binary_row:.2f} µs as V2 binary. With two workers a request takes {law.second_worker:.2f} times the "
        "processor time that it takes with one. The model costs as much as HTTP, checks, metrics and log together at "
        f"{law.base / law.field:,.0f} fields, or at {law.request() / law.tree:,.0f} trees.\n\n"
        f"{write_table(head, rows)}"
    )


def fit_line(points: Sequence[tuple[int, float]]) -> tuple[float, float]:
    """Start and slope of the straight line through the points, each weighing by its relative distance."""
    x, y = np.array(points, dtype=np.float64).T
    slope, start_at = np.polyfit(x, y, 1, w=1 / y)
    return float(start_at), float(slope)
