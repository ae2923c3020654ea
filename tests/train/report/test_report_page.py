"""report.html: self-contained, accessible, complete, and the same bytes for the same findings."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest

from train.report.findings import Findings
from train.report.report_page import render_report

VOID = {"meta", "br", "hr", "img", "path", "use", "rect", "link", "input"}


class Reader(HTMLParser):
    """Collects the addresses that a browser would fetch, the texts and ids, and the tags still open."""

    def __init__(self) -> None:
        super().__init__()
        self.fetched: list[str] = []
        self.open: list[str] = []
        self.texts: list[str] = []
        self.ids: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Collect addresses and ids, and open the tag."""
        self.fetched += [value or "" for name, value in attrs if name in ("src", "href", "xlink:href")]
        self.ids += [value or "" for name, value in attrs if name == "id"]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Collect the addresses of a self-closing tag."""
        self.fetched += [value or "" for name, value in attrs if name in ("src", "href", "xlink:href")]

    def handle_endtag(self, tag: str) -> None:
        """Close the tag, which must be the innermost open one."""
        if tag not in VOID:
            assert tag == self.open.pop()

    def handle_data(self, data: str) -> None:
        """Collect a text."""
        self.texts.append(data)


@pytest.fixture(scope="module")
def page(findings: Findings) -> str:
    """The page as text."""
    return render_report(findings).decode()


@pytest.fixture(scope="module")
def read(page: str) -> Reader:
    """The parsed page; fails on tags that don't match."""
    reader = Reader()
    reader.feed(page)
    return reader


def test_the_page_is_well_formed_and_fetches_nothing(page: str, read: Reader) -> None:
    """All tags are closed, all links are internal; there are no scripts, fonts or addresses in the style sheet."""
    assert read.open == []
    assert {address for address in read.fetched if not address.startswith("#")} == set()
    assert {address[1:] for address in read.fetched if address[1:].isalpha()} <= set(read.ids)
    assert "<script" not in page
    assert "@import" not in page
    assert "url(http" not in page


def test_the_page_states_the_provenance_of_the_model(read: Reader, findings: Findings) -> None:
    """sha256 of file, data and card; commit, versions, time of training, source and licence."""
    text = " ".join(read.texts)
    training = findings.contract.training
    facts = [findings.sha256, training.data_sha256, training.card_sha256, training.commit, findings.contract.version]

    assert [fact for fact in [*facts, "2026-01-02T03:04:05Z", "python 3", "MIT", "Made here"] if fact not in text] == []


def test_the_sections_follow_the_verdict(page: str) -> None:
    """Headline first, then one section for each topic."""
    order = [
        "headline",
        "discrimination",
        "calibration",
        "policy",
        "fields",
        "fairness",
        "stability",
        "data",
        "provenance",
    ]
    places = [page.index(f'class="{word}"' if word == "headline" else f'id="{word}"') for word in order]

    assert sorted(places) == places


def test_labels_are_escaped(page: str, read: Reader) -> None:
    """Markup in a label of the card is shown as text."""
    assert "<of>" not in page
    assert any("Amount <of> it" in text for text in read.texts)
    assert any("$housing$ 住" in text for text in read.texts)


def test_intervals_do_not_wrap(page: str, findings: Findings) -> None:
    """On a narrow screen the line may break before an interval, not within it."""
    low, high = findings.auc.low, findings.auc.high

    assert f"{findings.auc.value:.3f} <span class='nowrap'>({low:.3f}–{high:.3f})</span>" in page


def test_every_plot_has_an_accessible_name(page: str) -> None:
    """Each SVG is in a figure with role and label."""
    assert page.count("<svg") == page.count('<figure role="img" aria-label="')


def test_the_same_findings_give_the_same_bytes(page: str, findings: Findings) -> None:
    """No time stamp or random id."""
    assert page.encode() == render_report(findings)
