"""The profit curve of report.html."""

from __future__ import annotations

from matplotlib.figure import Figure

from train.report.plots import HALF_WIDTH, set_percent
from train.report.profit import Profit
from train.report.svg import AMBER, BLUE, FAINT, INK, render


def plot_profit(profit: Profit) -> str:
    """Profit per applicant by acceptance rate, expected and realized, and the policies as points."""

    def plot(figure: Figure) -> None:
        axes = figure.subplots()
        axes.axhline(0, color=FAINT, linewidth=1)
        axes.plot(profit.shares, profit.expected, color=FAINT, linestyle="--", label="expected")
        axes.plot(profit.shares, profit.realized, color=BLUE, label="realized")
        axes.plot(profit.shares, profit.by_probability, color=AMBER, label="realized, in order of probability")
        policies = {one.title: one for one in profit.policies}
        for title, color, marker in (("this policy", INK, "D"), ("one threshold for all", AMBER, "s")):
            one = policies[title]
            axes.plot(one.acceptance, one.realized.value, color=color, marker=marker, linestyle="none", label=title)
        top = max(profit.expected.max(), profit.realized.max())
        bottom = min(profit.realized[-1], profit.expected[-1], 0.0)
        axes.set(xlim=(0, 1.02), xlabel="acceptance rate (%)", ylabel="profit per applicant")
        axes.set_ylim(max(bottom, -2 * top) if top > 0 else bottom, None)
        set_percent(axes.xaxis)
        axes.legend(loc="best")

    return render(HALF_WIDTH, plot)
