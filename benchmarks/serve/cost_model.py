"""A linear model of the CPU time of a request, and the throughput that it predicts for larger deployments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.serve.page import format_figure, write_table

MAX_UTILIZATION = 0.7
"""Utilization of a core up to which queueing stays short."""

DEPLOYMENTS = (("one Basic dyno", 1), ("ten dynos of its size", 10), ("a cluster of 100 cores", 100))


@dataclass(frozen=True, slots=True)
class CostModel:
    """CPU time of the service in µs: a request of one row takes base + fields · field + trees · tree.

    `row`, `binary_row`: the time of one more row of 23 fields in a large body. `second_worker`: ratio of the CPU time
    of a request with two workers to that with one.
    """

    base: float
    field: float
    tree: float
    row: float
    binary_row: float
    second_worker: float

    def request(self, fields: int = 23, trees: int = 0) -> float:
        """CPU time of a request of one row, in µs."""
        return self.base + fields * self.field + trees * self.tree


def fit_cost_model(cost: dict[str, list[tuple[int, float]]]) -> CostModel:
    """Fit lines to the measured CPU times: series → pairs of value and µs a request."""
    base, field = fit_line(cost["fields"])
    (_, one_worker), (_, two_workers) = cost["workers"]
    return CostModel(
        base,
        field,
        tree=fit_line(cost["trees"])[1],
        row=fit_line(cost["rows, JSON"])[1],
        binary_row=fit_line(cost["rows, V2 binary"])[1],
        second_worker=two_workers / one_worker,
    )


def write_cost_model(model: CostModel) -> str:
    """The cost model in words, and a table of the predicted throughput."""
    costs = (model.request(), model.row, model.binary_row)
    head = ["predicted for such cores at 70 % utilization", "workers", "requests/s", "rows/s, JSON", "rows/s, binary"]
    rows = [
        [title, str(cores), *[format_figure(MAX_UTILIZATION * cores * 1e6 / cost, "{:,.0f}") for cost in costs]]
        for title, cores in DEPLOYMENTS
    ]
    return (
        f"Cost model: a request of one row takes {model.base:.0f} µs + {model.field:.2f} µs a field + "
        f"{model.tree:.3f} µs a tree of CPU time; one more row of 23 fields in a large body takes "
        f"{model.row:.2f} µs as JSON, {model.binary_row:.2f} µs as V2 binary. With two workers a request takes "
        f"{model.second_worker:.2f} times the CPU time that it takes with one. "
        f"The graph takes as long as HTTP, validation, metrics and log together at "
        f"{model.base / model.field:,.0f} fields, or at {model.request() / model.tree:,.0f} trees.\n\n"
        f"{write_table(head, rows)}"
    )


def fit_line(points: Sequence[tuple[int, float]]) -> tuple[float, float]:
    """Intercept and slope of the line that minimizes the relative errors (weights 1/y)."""
    x, y = np.array(points, dtype=np.float64).T
    slope, intercept = np.polyfit(x, y, 1, w=1 / y)
    return float(intercept), float(slope)
