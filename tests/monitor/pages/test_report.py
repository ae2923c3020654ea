"""monitor.html: what each section says, with everything, with nothing, and with labels that try to be markup."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, get_args

import pytest
from msgspec import Struct, structs

from model.session import Model
from monitor.backtest import Backtest
from monitor.pages.report import COLORS, make_report
from monitor.verdict import Action, Verdict
from tests.monitor.backtests import make_empty, make_full
from tests.monitor.html import read_html

DATABASE = "postgresql://db.example/credit"

HOSTILE = "</style><script>alert(1)</script>\"'&amp;<b>"

SECTIONS = ["What was compared", "Default rate", "Calibration", "Discrimination", "Vintages", "Costs"]
SECTIONS += ["Profit", "Rules"]
SECTIONS += ["Reviews and overrides", "Rejected applicants", "Challenger", "Applicants", "Expected performance"]


@pytest.fixture
def html(model: Model) -> str:
    """The page with something in every section."""
    return make_report(make_full(), model.contract, DATABASE)


def list_headings(html: str) -> list[str]:
    """The titles of the sections."""
    return re.findall("<h2[^>]*>(.*?)</h2>", html)


def list_incomplete(whole: Struct) -> Iterator[Any]:
    """A value without one of its parts: each list empty, each part that may be None so."""
    for field in structs.fields(whole):
        part = getattr(whole, field.name)
        if type(None) in get_args(field.type):
            yield structs.replace(whole, **{field.name: None})
        if isinstance(part, Struct):
            yield from (structs.replace(whole, **{field.name: less}) for less in list_incomplete(part))
        if isinstance(part, list):
            yield structs.replace(whole, **{field.name: []})
            if part and isinstance(part[0], Struct):
                yield from (
                    structs.replace(whole, **{field.name: [less, *part[1:]]}) for less in list_incomplete(part[0])
                )


def test_the_verdict_stands_on_top(html: str) -> None:
    """With its reasons, what else was looked at, and the command to run next."""
    text = read_html(html[: html.index("<nav")]).text

    assert "Recalibrate: defaults are 1.5 times as frequent as predicted." in text
    assert "Of the latest 500 outcomes 18.0% (14.9–21.6) defaulted" in text
    assert "The order of the probabilities is right" in text
    assert (
        "python -m train recalibrate --model FILE --decisions DECISIONS_URL --from 2025-09-03 --to 2025-12-20." in text
    )


def test_every_section_is_there(html: str) -> None:
    """And can be reached from the top."""
    assert list_headings(html) == SECTIONS
    assert re.findall('<a href="#([^"]*)"', html) == re.findall('<h2 id="([^"]*)"', html)


def test_the_page_says_what_was_compared(html: str) -> None:
    """Database, period, models with their hashes, and which outcomes count."""
    text = read_html(html).text

    for told in (DATABASE, "2025-01-01 00:00 UTC", "60,000", "a" * 64, "b" * 64, "from an age of 90 days"):
        assert told in text
    assert "1,200 outcomes left out" in text
    assert not re.search(r"\d\.\d{6}Z", text)


def test_figures_have_their_intervals(html: str) -> None:
    """In the tables of months, windows and policies."""
    text = read_html(html).text

    for told in ("16.0% (8.5–19.0)", "0.50 (0.40–0.60)", "12,345–31,345", "−0.020 (−0.030 to −0.010)", "< 0.1%"):
        assert told in text


def test_the_page_needs_nothing_else(html: str) -> None:
    """No script, no inline style, nothing to load."""
    tags = set(read_html(html).tags)

    assert not {"script", "link", "img", "iframe"} & tags
    assert not re.search(r"""\sstyle=|\son\w+=|url\(|@import|https?://""", html)


def test_the_same_backtest_gives_the_same_bytes(html: str, model: Model) -> None:
    """Two runs can be compared."""
    assert make_report(make_full(), model.contract, DATABASE) == html


def test_names_are_text(model: Model) -> None:
    """Of models, fields and databases, whatever they hold."""
    found = read_html(make_report(make_full(HOSTILE), model.contract, HOSTILE))

    assert found.tags.count("script") == 0
    assert found.tags.count("style") == 1
    assert HOSTILE in found.text


def test_a_record_without_outcomes_says_so(model: Model) -> None:
    """And what to do; only what needs no outcomes is shown."""
    html = make_report(make_empty(), model.contract, DATABASE)

    assert list_headings(html) == [title for title in SECTIONS if title in ("What was compared", "Default rate")] + [
        "Reviews and overrides",
        "Rejected applicants",
        "Applicants",
        "Expected performance",
    ]
    assert "No outcome is known yet: record outcomes with python -m decisions outcomes FILE." in read_html(html).text
    assert "An expectation, not a measurement" in read_html(html).text
    assert "Drift isn't measured" in read_html(html).text


def test_any_part_may_be_missing(model: Model) -> None:
    """Each list may be empty, and each figure unknown."""
    incomplete: list[Backtest] = list(list_incomplete(make_full()))

    assert len(incomplete) > 40
    for backtest in incomplete:
        assert make_report(backtest, model.contract, DATABASE).endswith("</html>\n")


@pytest.mark.parametrize("action", COLORS)
def test_each_verdict_has_its_next_step(action: Action, model: Model) -> None:
    """A command of this project, after the verdict's colour."""
    backtest = structs.replace(make_full(), verdict=Verdict(action, "So it is", ["Because."], []))
    html = make_report(backtest, model.contract, DATABASE)

    assert f'<p class="headline {COLORS[action]}">So it is.</p>' in html
    assert re.search("<b>Next: </b>.*<code>python -m (monitor backtest|train)", html)


def test_assumptions_stand_beside_the_figures(html: str) -> None:
    """Reviewers who are always right, probabilities alone, and the last word on a case."""
    text = read_html(html).text

    assert "what it leaves to review costs the review alone, as if people were always right" in text
    assert "as by a reviewer who is always right" in text
    assert "counts once, by the last word" in text
    assert text.count("the probabilities alone promise") == 2
    assert "Not repeated, as it decides like a row above: present thresholds; model alone, same applicants." in text


def test_the_swap_set_has_its_totals(html: str) -> None:
    """Of both models."""
    swaps = html[html.index(">Swap set</h3>") :]
    cells = re.findall("<t[hd][^>]*>([^<]*)</t[hd]>", swaps[: swaps.index("</table>")])

    assert cells[5:10] == ["accept", "12,000", "900", "100", "13,000"]
    assert cells[-5:] == ["total", "12,800", "4,100", "3,100", "20,000"]


def test_a_challenger_that_may_have_seen_the_outcomes_is_marked(model: Model) -> None:
    """Beside its figures."""
    full = make_full()
    assert full.challenger is not None
    seen = structs.replace(full, challenger=structs.replace(full.challenger, trained="2026-01-02", seen=8_000))
    told = "8,000 of these outcomes were known before it was trained (2026-01-02)"

    assert told in read_html(make_report(seen, model.contract, DATABASE)).text
    assert "before it was trained" not in read_html(make_report(full, model.contract, DATABASE)).text


def test_a_verdict_without_outcomes_is_not_green(model: Model) -> None:
    """Nobody knows yet whether the model is right."""
    backtest = structs.replace(make_full(), verdict=Verdict("keep", "For now", [], [], None, is_judged=False))

    assert '<p class="headline">For now.</p>' in make_report(backtest, model.contract, DATABASE)


@pytest.mark.parametrize(("count", "text"), [(1, "The latest month with"), (2, "The latest 2 months with")])
def test_vintages_are_counted(count: int, text: str, model: Model) -> None:
    """One month is a month."""
    backtest = structs.replace(make_full(), vintages=make_full().vintages[:count])

    assert text in read_html(make_report(backtest, model.contract, DATABASE)).text


def test_a_realized_profit_below_chance_is_marked(html: str) -> None:
    """Beside its range; rules show what they decided, and figures say how many decisions they leave out."""
    text = read_html(html).text

    assert '<span class="flag">30,000</span>' in html
    assert "35,000 to 47,000" in text
    assert "1,234.5" in text
    assert "17 decisions are in none of these figures" in text
