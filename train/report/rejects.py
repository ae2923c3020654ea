"""The rejected applicants in the report: the check of the verdict, and the plot of the overlap."""

from __future__ import annotations

from collections.abc import Iterator

from matplotlib.figure import Figure

from model.formatting import format_count, format_decimal, format_estimate, format_percent
from train.rejects.measure import Rejects
from train.report.check import Check
from train.report.findings import Findings
from train.report.plots import HALF_WIDTH, PERCENT, put_legend_above
from train.report.svg import AMBER, BLUE, INK, render

MAX_FEW = 0.1
"""Share of the rejected where few were accepted that is to be reviewed."""

MAX_CHANGE = 0.1
"""Share of the rejected with another decision by augmentation that is to be reviewed.

Parcelling isn't judged: what it changes is what it assumes.
"""

MAX_FIELDS = 12
"""Number of fields in the table of values that few accepted applicants have."""


def check_rejects(findings: Findings) -> Iterator[Check]:
    """Whether the model reaches as far as the applicants whom it decides on."""
    rejects = findings.trained.rejects if findings.trained else None
    if rejects is None:
        return
    overlap, bounds = rejects.overlap, rejects.bounds
    _, augmented, *parcelled = rejects.variants
    yield Check(
        "Rejected applicants",
        "review" if overlap.few > MAX_FEW or augmented.changed > MAX_CHANGE else "pass",
        f"Fitted on the accepted alone, {format_percent(rejects.share)} of {count_applicants(rejects)}. Few were "
        f"accepted among applicants like {format_percent(overlap.few)} of the rejected: there the model extrapolates. "
        f"Default rate of the rejected: predicted {format_percent(bounds.predicted.of_rejected)}, known only to be "
        f"0–100%; of all applicants {format_percent(bounds.best.of_door)}–{format_percent(bounds.worst.of_door)}. "
        f"Of the decisions on the rejected, augmentation changes {format_percent(augmented.changed)}, parcelling up to "
        f"{format_percent(max(one.changed for one in parcelled))}. If applicants were rejected for reasons that no "
        "field has, only the bounds hold.",
    )


def count_applicants(rejects: Rejects) -> str:
    """How many applicants the table has."""
    return f"{format_count(rejects.accepted + rejects.rejected)} applicants"


def plot_chances(rejects: Rejects) -> str:
    """The chance of acceptance of the accepted and of the rejected."""

    def plot(figure: Figure) -> None:
        axes = figure.subplots()
        edges = [place / 25 for place in range(26)]
        for chances, name, color in (
            (rejects.chances.accepted, "accepted", BLUE),
            (rejects.chances.rejected, "rejected", AMBER),
        ):
            shares = [1 / len(chances)] * len(chances)
            axes.hist(chances, edges, weights=shares, color=color, alpha=0.45, label=name, linewidth=0)
        axes.axvline(rejects.chances.limit, color=INK, linewidth=1, linestyle="--", label="few accepted below")
        axes.set(xlim=(0, 1), xlabel="chance of acceptance (%)", ylabel="share of each group (%)")
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_formatter(PERCENT)
        put_legend_above(axes)

    return render(HALF_WIDTH, plot)


def describe_extent(rejects: Rejects) -> str:
    """How well the fields tell who was accepted, as a sentence."""
    auc = format_estimate(rejects.overlap.auc)
    return f"The fields tell the accepted from the rejected with AUC {auc} (0.5 = no better than chance)."


def name_factor(factor: float) -> str:
    """What a factor of the odds assumes of the rejected."""
    if factor == 0:
        return "none (best case)"
    if factor == float("inf"):
        return "all (worst case)"
    return "as the model predicts" if factor == 1 else f"odds × {format_decimal(factor, 1)}"
