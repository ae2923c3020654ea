"""The written page: parts between markers change, nothing else does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec import structs

from benchmarks.serve.errors import BenchError
from benchmarks.serve.page import note_disturbance, replace_between, write_comparison, write_page, write_table
from benchmarks.serve.results import Results
from tests.benchmarks.conftest import Rates

PAGE = "# Title\n\n<!-- one -->\nold\n<!-- /one -->\nby hand\n<!-- two -->\n<!-- /two -->\n"


def test_only_the_named_part_is_replaced() -> None:
    """What people wrote stays, and so does the other part."""
    replaced = replace_between(PAGE, "one", "\nnew\nlines\n\n")

    assert PAGE.replace("old", "new\nlines") == replaced


def test_replacing_twice_changes_nothing() -> None:
    """The markers stay where they were."""
    once = replace_between(PAGE, "two", "table")

    assert once == replace_between(once, "two", "table")


@pytest.mark.parametrize("text", ["", "<!-- one -->\n", "<!-- /one -->\n<!-- one -->\n"])
def test_a_page_without_markers_is_left_alone(text: str, tmp_path: Path) -> None:
    """Nothing is written at a guess."""
    page = tmp_path / "page.md"
    page.write_text(text)

    with pytest.raises(BenchError, match=r"no lines <!-- one --> and <!-- /one -->"):
        write_page(page, "one", "new")

    assert text == page.read_text()
    assert [page] == list(tmp_path.iterdir())


def test_a_table_has_a_line_a_row() -> None:
    """Names to the left, figures to the right."""
    table = write_table(["", "req/s"], [["ours", "1,000"], ["limit", "2,000"]])

    assert "|  | req/s |\n| --- | ---: |\n| ours | 1,000 |\n| limit | 2,000 |\n" == table


def test_the_comparison_names_what_took_part(make_results: Callable[[Rates], Results]) -> None:
    """A line a peer with its share of the limit, dashes for what it was not asked, its versions."""
    rates: Rates = {("ours", "logistic"): [700.0, 710.0, 690.0], ("limit", "logistic"): [1000.0] * 3}

    written = write_comparison(make_results(rates))

    assert "at commit abc1234, 3 rounds, medians; a machine." in written
    assert "| **this service** | 700 | 70% | 1.43 | – | – | – | – | 0.20 | 70 |" in written
    assert "- this service: python 3.11" in written
    assert "Flask + pandas" not in written


def test_the_committed_page_has_every_part(root: Path) -> None:
    """`make bench` finds its places."""
    text = (root / "docs" / "performance.md").read_text()

    for name in ("comparison", "micro", "scaling"):
        assert "\nfigures\n" in replace_between(text, name, "figures")


def test_a_disturbed_run_says_so(make_results: Callable[[Rates], Results]) -> None:
    """A service that is asked all the time and has half of its core is no measure of it."""
    results = make_results({("ours", "logistic"): [700.0, 710.0], ("ours", "alone"): [100.0]})
    first, *rest = results.samples
    disturbed = structs.replace(results, samples=[structs.replace(first, cpu_us=first.cpu_us / 2), *rest])

    assert "" == note_disturbance(results)
    assert "In 1 of 2 loads the service had less than 85% of its core" in note_disturbance(disturbed)
