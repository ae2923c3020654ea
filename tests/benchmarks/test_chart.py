"""The chart shows every peer and figure, and is the same file for the same figures."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree as ET

from benchmarks.serve.chart import DARK, draw
from benchmarks.serve.results import Results
from tests.benchmarks.conftest import Rates


def test_the_chart_names_peers_and_figures(make_results: Callable[[Rates], Results], tmp_path: Path) -> None:
    """As text, which screen readers can read, and with colours for dark mode."""
    results = make_results({("ours", "logistic"): [12_345.0], ("bare_uvicorn", "logistic"): [20_000.0]})
    path, again = tmp_path / "chart.svg", tmp_path / "again.svg"

    draw(results, path)
    draw(results, again)

    svg = path.read_text()
    texts = {element.text for element in ET.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")}  # noqa: S314
    assert {"this service", "12,345", "20,000", "logistic, 23 fields"} <= texts
    assert all(f'[style*="fill: {light}"]' in svg for light in DARK)
    assert "prefers-color-scheme: dark" in svg
    assert path.read_bytes() == again.read_bytes()
