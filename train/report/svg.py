"""Matplotlib figures as inline SVG that takes its colours from the page's style sheet, for light, dark and print.

Figures are drawn in placeholder colours, which are then replaced by CSS variables. Ids and dates are removed, so that
two runs give the same bytes.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from io import StringIO
from typing import Any

import matplotlib
from matplotlib.figure import Figure

INK, FAINT, GRID, BLUE, RED, AMBER = "#101010", "#707070", "#d0d0d0", "#2060c0", "#c03020", "#b07010"
VARIABLES = {INK: "ink", FAINT: "faint", GRID: "grid", BLUE: "blue", RED: "red", AMBER: "amber"}
STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "report",
    "font.family": ["DejaVu Sans"],
    "font.size": 9.5,
    "text.parse_math": False,
    "text.color": INK,
    "axes.edgecolor": FAINT,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": GRID,
    "grid.linewidth": 0.6,
    "xtick.color": INK,
    "ytick.color": INK,
    "legend.frameon": False,
    "legend.fontsize": 8.8,
    "lines.linewidth": 1.6,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "savefig.facecolor": "none",
}

Plot = Callable[[Figure], None]


def render(size: tuple[float, float], plot: Plot) -> str:
    """Draw on a figure of this size in inches; returns SVG for a page that defines the colours of style.css."""
    with matplotlib.rc_context(STYLE), warnings.catch_warnings():
        # A glyph that is missing from DejaVu Sans is drawn by the browser in another font.
        warnings.filterwarnings("ignore", "Glyph .* missing from font")
        figure = Figure(figsize=size, layout="constrained")
        plot(figure)
        # Computed once here; savefig would compute the layout twice.
        layout = figure.get_layout_engine()
        if layout is not None:
            layout.execute(figure)
        figure.set_layout_engine("none")
        output = StringIO()
        figure.savefig(output, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    svg = output.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'<g id="[a-z]\w*">', "<g>", svg)
    svg = re.sub(r'(<svg[^>]*?) width="[^"]*"', r"\1", svg)
    svg = re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", svg)
    svg = svg.replace("'DejaVu Sans'", "system-ui, sans-serif")
    for color, name in VARIABLES.items():
        svg = svg.replace(color, f"var(--{name})")
    return svg.strip()
