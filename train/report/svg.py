"""Pictures as inline SVG whose colours follow the page, light, dark or printed.

Matplotlib draws with stand-in colours that become CSS variables; ids and dates, which would differ between two
runs, are left out.
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

Draw = Callable[[Figure], None]


def render(size: tuple[float, float], draw: Draw) -> str:
    """Draw on a figure of this size in inches; the SVG, to stand in a page that defines the colours."""
    with matplotlib.rc_context(STYLE), warnings.catch_warnings():
        # Letters that matplotlib can't measure; the browser that writes them can.
        warnings.filterwarnings("ignore", "Glyph .* missing from font")
        figure = Figure(figsize=size, layout="constrained")
        draw(figure)
        # Laid out once, here: savefig would do it, and draw, twice.
        layout = figure.get_layout_engine()
        if layout is not None:
            layout.execute(figure)
        figure.set_layout_engine("none")
        written = StringIO()
        figure.savefig(written, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    svg = written.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'<g id="[a-z]\w*">', "<g>", svg)
    svg = re.sub(r'(<svg[^>]*?) width="[^"]*"', r"\1", svg)
    svg = re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", svg)
    svg = svg.replace("'DejaVu Sans'", "system-ui, sans-serif")
    for color, name in VARIABLES.items():
        svg = svg.replace(color, f"var(--{name})")
    return svg.strip()
