"""drift.html: the population drift report of a table against the training rows of a model."""

from __future__ import annotations

from dataclasses import dataclass

from model.contract import Contract
from model.formatting import format_count, format_decimal
from model.stability import MODERATE_SHIFT
from train.report import plots
from train.report.stability import Shift
from train.report.templates import make_environment

MAX_PLOTS = 12
"""Number of fields whose bins are plotted, by stability index."""


@dataclass(frozen=True, slots=True)
class Drift:
    """Shifts of a table: of the predicted probability first, then of each field in the model's order."""

    contract: Contract
    sha256: str
    data: str
    data_sha256: str
    rows: int
    acceptance_rate: float
    shifts: tuple[Shift, ...]

    @property
    def headline(self) -> str:
        """The conclusion, without a final full stop."""
        parts = []
        for verdict in ("significant shift", "moderate shift"):
            labels = [shift.label for shift in self.shifts if shift.verdict == verdict]
            if labels:
                parts.append(f"{verdict.capitalize()}: {', '.join(labels)}")
        if parts:
            return ". ".join(parts)
        noise = self.shifts[0].noise
        if noise <= MODERATE_SHIFT:
            return "No moderate or significant shift beyond sampling noise"
        return (
            f"No shift detected, but {format_count(self.rows)} rows are too few to detect a moderate shift: sampling "
            f"noise alone reaches an index of {format_decimal(noise, 2)}"
        )


def render_drift(drift: Drift) -> bytes:
    """The page as UTF-8; the same bytes for the same drift."""
    ranked = sorted(drift.shifts, key=lambda shift: -shift.psi.value)
    page: str = (
        make_environment()
        .get_template("drift.html")
        .render(
            drift=drift,
            contract=drift.contract,
            overview=plots.plot_shifts(ranked[: plots.MAX_BARS]),
            largest=[(shift, plots.plot_shift(shift)) for shift in ranked[:MAX_PLOTS]],
        )
    )
    return page.encode()
