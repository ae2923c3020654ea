"""report.html: one self-contained file that tells where the model comes from, the same bytes every time."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest

from train.report.findings import Findings
from train.report.page import render_report

VOID = {"meta", "br", "hr", "img", "path", "use", "rect", "link", "input"}


class Reader(HTMLParser):
    """What a browser would fetch, the texts it would show, and tags left open."""

    def __init__(self) -> None:
        super().__init__()
        self.fetched: list[str] = []
        self.open: list[str] = []
        self.texts: list[str] = []
        self.ids: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note addresses and ids; the tag is open from here."""
        self.fetched += [value or "" for name, value in attrs if name in ("src", "href", "xlink:href")]
        self.ids += [value or "" for name, value in attrs if name == "id"]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """A tag that closes itself."""
        self.fetched += [value or "" for name, value in attrs if name in ("src", "href", "xlink:href")]

    def handle_endtag(self, tag: str) -> None:
        """The innermost open tag must be this one."""
        if tag not in VOID:
            assert tag == self.open.pop()

    def handle_data(self, data: str) -> None:
        """Note a text."""
        self.texts.append(data)


@pytest.fixture(scope="module")
def page(findings: Findings) -> str:
    """The page."""
    return render_report(findings).decode()


@pytest.fixture(scope="module")
def read(page: str) -> Reader:
    """The page as a browser reads it; fails on tags that don't close."""
    reader = Reader()
    reader.feed(page)
    return reader


def test_the_page_is_well_formed_and_fetches_nothing(page: str, read: Reader) -> None:
    """Every tag closes; links lead into the page itself; no script, no font, no address in the style."""
    assert [] == read.open
    assert {address for address in read.fetched if not address.startswith("#")} == set()
    assert {address[1:] for address in read.fetched if address[1:].isalpha()} <= set(read.ids)
    assert "<script" not in page
    assert "@import" not in page
    assert "url(http" not in page


def test_a_reader_finds_where_the_model_comes_from(read: Reader, findings: Findings) -> None:
    """Hash of the file, of data and card, commit, versions, moment."""
    text = " ".join(read.texts)
    training = findings.contract.training
    told = [findings.sha256, training.data_sha256, training.card_sha256, training.commit, findings.contract.version]

    assert [] == [fact for fact in [*told, "2026-01-02T03:04:05Z", "python 3", "MIT", "Made here"] if fact not in text]


def test_the_sections_follow_the_verdict(page: str) -> None:
    """Verdict on top, then what it rests on."""
    order = ["headline", "quality", "calibration", "policy", "fields", "fairness", "stability", "data", "made"]
    places = [page.index(f'class="{word}"' if word == "headline" else f'id="{word}"') for word in order]

    assert sorted(places) == places


def test_labels_are_shown_as_they_are_and_never_as_markup(page: str, read: Reader) -> None:
    """A card is written by people: no label becomes a tag."""
    assert "<of>" not in page
    assert any("Amount <of> it" in text for text in read.texts)
    assert any("$housing$ 住" in text for text in read.texts)


def test_an_interval_is_never_broken_over_two_lines(page: str, findings: Findings) -> None:
    """On a phone the figure may stand above its interval."""
    low, high = findings.auc.low, findings.auc.high

    assert f"{findings.auc.value:.3f} <span class='whole'>({low:.3f}–{high:.3f})</span>" in page


def test_every_picture_has_a_text_for_those_who_cant_see_it(page: str) -> None:
    """An accessible name each."""
    assert page.count("<svg") == page.count('<figure role="img" aria-label="')


def test_the_same_findings_give_the_same_bytes(page: str, findings: Findings) -> None:
    """Nothing of the moment or of chance is in the page."""
    assert page.encode() == render_report(findings)
