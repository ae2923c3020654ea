"""docs/performance.svg: requests a second of every peer on a logarithmic scale, for light and dark pages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

from benchmarks.serve.peers import PEERS
from benchmarks.serve.results import Results

SERIES = (("logistic", "logistic, 23 fields"), ("boosting", "400 trees, 23 fields"), ("wide", "logistic, 768 fields"))
COLOURS = ("#1f6feb", "#d4730c", "#8250df")
TEXT, BACKGROUND, GRID = "#1f2328", "#fefefe", "#d1d9e0"
DARK = {TEXT: "#e6edf3", BACKGROUND: "#0d1117", GRID: "#3d444d"}
"""The colours of text, background and grid in dark mode."""

# Text is not converted to paths, and the same figures give the same file. Any: the type would list every key.
SETTINGS: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "performance",
    "font.family": "sans-serif",
    "font.size": 10,
    "text.color": TEXT,
    "axes.edgecolor": GRID,
    "xtick.color": TEXT,
    "ytick.color": TEXT,
    "figure.facecolor": BACKGROUND,
    "axes.facecolor": BACKGROUND,
}


def draw(results: Results, path: Path) -> None:
    """Write the chart as SVG."""
    peers = [name for name in reversed(PEERS) if name in results.versions]
    with mpl.rc_context(SETTINGS):
        figure = Figure(figsize=(8.2, 0.75 + 0.72 * len(peers)), layout="constrained")
        axes = figure.subplots()
        for number, ((workload, title), colour) in enumerate(zip(SERIES, COLOURS, strict=True)):
            figures = [results.per_second(peer, workload) or 0 for peer in peers]
            positions = [position + 0.27 * (1 - number) for position in range(len(peers))]
            bars = axes.barh(positions, figures, 0.25, color=colour, label=title)
            axes.bar_label(bars, [f"{figure:,.0f}" if figure else "" for figure in figures], padding=3, fontsize=8)
        axes.set_xscale("log")
        axes.set_xlim(left=50)
        axes.margins(x=0.12)
        axes.set_yticks(range(len(peers)), [PEERS[name].title.replace(" (", "\n(") for name in peers])
        axes.xaxis.set_major_formatter("{x:,.0f}")
        axes.grid(axis="x", color=GRID, linewidth=0.6)
        axes.set_axisbelow(True)
        axes.tick_params(length=0)
        axes.spines[["top", "right", "left"]].set_visible(False)
        axes.set_title("Requests per second, one applicant each, one core, 16 connections (logarithmic)", fontsize=10)
        figure.legend(loc="outside lower center", ncols=3, frameon=False)
        figure.savefig(path, metadata={"Date": None})
    path.write_text(add_dark_mode(path.read_text()))


def add_dark_mode(svg: str) -> str:
    """Add a style sheet that replaces the colours in dark mode."""
    rules = "".join(
        f'[style*="fill: {light}"]{{fill:{dark}!important}}[style*="stroke: {light}"]{{stroke:{dark}!important}}'
        for light, dark in DARK.items()
    )
    head, mark, rest = svg.partition("<defs>")
    return f"{head}<style>@media (prefers-color-scheme: dark){{{rules}}}</style>\n {mark}{rest}"
