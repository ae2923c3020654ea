"""scorecard.html: the points table as a page."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from tests.train.points_table.scorecards import POLICIES, REQUIRED, SCORECARD, make_table
from train.points_table.page import render_page


class Texts(HTMLParser):
    """Collects the texts of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_data(self, data: str) -> None:
        self.found.append(data)


def read_texts(page: str) -> str:
    """The text of a page, with single spaces."""
    texts = Texts()
    texts.feed(page)
    return " ".join(" ".join(texts.found).split())


def test_the_page_has_every_bin_and_an_example_that_adds_up() -> None:
    """Names are texts, whatever they hold."""
    page = render_page(make_table()).decode()
    text = read_texts(page)
    example = make_table().example

    assert "Points = 420 + the points of one bin of every field + the points of every pair" in text
    assert "500 to under 1,200.5 20 25.0% 10.0% −0.50" in text
    assert "missing or −9 or 99,999,999 7 – – –" in text
    assert "<b> | It" not in page
    assert example.total == SCORECARD.base + sum(example.points)
    assert f"Points {example.total} Probability of default {100 * example.probability:.2f}%" in text


def test_a_field_that_is_never_missing_has_no_row_of_missing_values() -> None:
    """Nor have the pairs; the page says what weight of evidence counts where nobody defaulted."""
    page = render_page(make_table(fields=REQUIRED)).decode()
    text = read_texts(page)

    assert "missing" not in text
    assert [row.count("<td class") for row in page[page.index("Points of pairs") :].split("<tr>")[2:6]] == [3] * 4
    assert "a bin without defaults, or without good applicants, counts as having half a one" in text


def test_the_page_needs_nothing_else() -> None:
    """No address is loaded."""
    assert re.findall(r"(?:src|href)=|@import|url\(", render_page(make_table()).decode()) == []


@pytest.mark.parametrize(
    ("policy", "sentence"),
    [
        ("threshold", "Refuse up to 511 points, accept above."),
        ("costs with review", "Refuse up to 475 points, review up to 557, accept above."),
        ("money", "Amounts of money or rules of the policy decide besides the points."),
    ],
)
def test_the_page_says_what_decides(policy: str, sentence: str) -> None:
    """Points, or more than they."""
    assert policy in POLICIES
    assert sentence in read_texts(render_page(make_table(policy)).decode())
