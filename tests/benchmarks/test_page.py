"""docs/performance.md is written between its markers only."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec import structs

from benchmarks.serve.errors import BenchError
from benchmarks.serve.page import describe_interference, replace_between, write_comparison, write_page, write_table
from benchmarks.serve.results import Results
from tests.benchmarks.conftest import Rates

PAGE = "# Title\n\n<!-- one -->\nold\n<!-- /one -->\nby hand\n<!-- two -->\n<!-- /two -->\n"


def test_only_the_named_part_is_replaced() -> None:
    """The rest of the page is unchanged."""
    replaced = replace_between(PAGE, "one", "\nnew\nlines\n\n")

    assert replaced == PAGE.replace("old", "new\nlines")


def test_replacing_twice_changes_nothing() -> None:
    """The markers are kept."""
    once = replace_between(PAGE, "two", "table")

    assert replace_between(once, "two", "table") == once


@pytest.mark.parametrize("text", ["", "<!-- one -->\n", "<!-- /one -->\n<!-- one -->\n"])
def test_a_page_without_markers_is_an_error(text: str, tmp_path: Path) -> None:
    """It is not changed."""
    page = tmp_path / "page.md"
    page.write_text(text)

    with pytest.raises(BenchError, match=r"no lines <!-- one --> and <!-- /one -->"):
        write_page(page, "one", "new")

    assert page.read_text() == text
    assert list(tmp_path.iterdir()) == [page]


def test_a_table_has_a_line_for_each_row() -> None:
    """Figures are aligned to the right."""
    table = write_table(["", "req/s"], [["ours", "1,000"], ["bare_uvicorn", "2,000"]])

    assert table == "|  | req/s |\n| --- | ---: |\n| ours | 1,000 |\n| bare_uvicorn | 2,000 |\n"


def test_the_comparison_has_a_row_for_each_measured_peer(make_results: Callable[[Rates], Results]) -> None:
    """With its share of bare uvicorn, dashes for missing figures, and its versions."""
    rates: Rates = {("ours", "logistic"): [700.0, 710.0, 690.0], ("bare_uvicorn", "logistic"): [1000.0] * 3}

    written = write_comparison(make_results(rates))

    assert "at commit abc1234, 3 rounds, medians; a machine." in written
    assert "| **this service** | 700 | 70% | 1.43 | – | – | – | – | 0.20 | 70 |" in written
    assert "- this service: python 3.11" in written
    assert "Flask + pandas" not in written


def test_the_committed_page_has_every_part(root: Path) -> None:
    """`make bench` needs the markers."""
    text = (root / "docs" / "performance.md").read_text()

    for name in ("comparison", "micro", "scaling"):
        assert "\nfigures\n" in replace_between(text, name, "figures")


def test_a_run_on_a_busy_machine_is_marked(make_results: Callable[[Rates], Results]) -> None:
    """Here a service got half of its core although it always had requests to answer."""
    results = make_results({("ours", "logistic"): [700.0, 710.0], ("ours", "one_connection"): [100.0]})
    first, *rest = results.samples
    slowed = structs.replace(results, samples=[structs.replace(first, cpu_us=first.cpu_us / 2), *rest])

    assert describe_interference(results) == ""
    assert "In 1 of 2 loads the service had less than 85% of its core" in describe_interference(slowed)
