"""drift.html: new applicants beside those a model learnt from, in the style of the report."""

from __future__ import annotations

from dataclasses import dataclass

from model.contract import Contract
from train.report import pictures
from train.report.page import environment
from train.report.stability import WATCH, Shift

DRAWN = 12
"""Fields whose bins are drawn: those that moved most."""


@dataclass(frozen=True, slots=True)
class Drift:
    """A table beside a model; shifts: of the probability first, then of the fields in their order."""

    contract: Contract
    sha256: str
    data: str
    data_sha256: str
    rows: int
    acceptance_rate: float
    shifts: tuple[Shift, ...]

    @property
    def headline(self) -> str:
        """The verdict in one sentence."""
        moved, watch = (
            [shift.label for shift in self.shifts if shift.verdict == verdict] for verdict in ("moved", "watch")
        )
        told = [f"Moved: {', '.join(moved)}"] * bool(moved) + [f"To watch: {', '.join(watch)}"] * bool(watch)
        noise = self.shifts[0].noise
        if told:
            return ". ".join(told)
        few = f", but {self.rows:,} rows are too few to tell: noise alone reaches {noise:.2f}"
        return "Nothing moved beyond noise" + (few if noise > WATCH else "")


def render_drift(drift: Drift) -> bytes:
    """The page, UTF-8; the same bytes for the same drift."""
    ranked = sorted(drift.shifts, key=lambda shift: -shift.psi.value)
    page: str = (
        environment()
        .get_template("drift.html")
        .render(
            drift=drift,
            contract=drift.contract,
            overview=pictures.draw_shifts(ranked[: pictures.MOST_BARS]),
            drawn=[(shift, pictures.draw_shift(shift)) for shift in ranked[:DRAWN]],
        )
    )
    return page.encode()
