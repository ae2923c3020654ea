"""The content of the page GET /monitor."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.pages.page import render_page
from monitor.shifts import FieldShift
from monitor.summary import Monitor, RuleCount
from tests.monitor.html import Reader, read_html
from tests.monitor.monitors import MODEL, make_monitor, make_shift

HOSTILE = [
    "<script>alert(1)</script>",
    "A & B",
    "say \"x\" onload='y'",
    "</svg><img src=x onerror=alert(1)>",
    "W" * 200,
]

texts = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=40) | st.sampled_from(HOSTILE)


def with_names(name: str) -> Monitor:
    """A monitor in which every name that a model file brings is this one."""
    monitor = make_monitor()

    def rename(shift: FieldShift | None) -> FieldShift | None:
        if shift is None:
            return None
        bins = [msgspec.structs.replace(one, name=name) for one in shift.bins]
        return msgspec.structs.replace(shift, field=shift.field and name, label=name, bins=bins)

    windows = [
        msgspec.structs.replace(
            one,
            probability=rename(one.probability),
            fields=list(map(rename, one.fields)),
            rules=[RuleCount(name, "refuse", 3)],
        )
        for one in monitor.windows
    ]
    weeks = [
        msgspec.structs.replace(one, versions={name: 5}, field_psi=dict.fromkeys([name], 0.2)) for one in monitor.weeks
    ]
    assert monitor.challenger is not None
    challenger = msgspec.structs.replace(monitor.challenger, name=name, version=name)
    model = msgspec.structs.replace(MODEL, name=name, version=name)
    changes = {"windows": windows, "weeks": weeks, "challenger": challenger, "model": model, "headline": name}
    return msgspec.structs.replace(monitor, **changes)


def test_it_shows_the_figures_of_the_last_week() -> None:
    """Headline, number of records, and what the tiles say."""
    text = read_html(render_page(make_monitor())).text

    for words in (
        "Monthly income has shifted significantly in the last 7 days",
        "1,000,000 records, 12 more are being counted",
        "14,0002,000 in 24 hours, 80 in 60 to 70 minutes",
        "50.0%30.0% to review, 20.0% refused",
        "31.0%28.0% expected, of 7,000 decisions by 2026.09.01-0123abcd",
        "7,000 applicants of 2026.09.01-0123abcd alone",
        "178 of 721 reviews in 7 days",
        "0.310 / 0.020",
        "0.310, significant shift",
        "3,900",
        "all4,0502,1507006,900",
        "92.8%",
    ):
        assert words in text


def test_every_chart_has_its_numbers_and_a_name_of_its_own() -> None:
    """For those who don't see it; the page's script knows an open table by its name."""
    html = render_page(make_monitor())
    tables = re.findall(r'role="region"[^>]* aria-label="([^"]*)"', html)

    # The indices by field stand beside their chart, those of the weeks have none.
    assert html.count("<svg") == html.count("<details>") + 1 > 20
    assert len(set(tables)) == len(tables) > 20


def test_nothing_recorded_yet_is_said() -> None:
    """Instead of charts without content."""
    html = render_page(make_monitor(weeks=[], headline="No decisions in the last 7 days.", counted=0, waiting=0))

    assert "No decision is counted yet." in html
    assert "<svg" not in html


def test_a_model_without_bins_shows_no_drift() -> None:
    """All else is shown."""
    windows = [
        msgspec.structs.replace(one, probability=None, fields=[], expected_probability=None)
        for one in make_monitor().windows
    ]

    text = read_html(render_page(make_monitor(windows=windows, fields=0, challenger=None))).text

    assert "There are no bins in the model file" in text
    assert "Swap set" not in text
    assert "Decisions by week" in text


def test_many_fields_are_shown_in_part() -> None:
    """Those that shifted first, then by their index."""
    fields = [make_shift(f"f{index}", f"Field {index}", index / 1000) for index in range(200)]
    windows = [msgspec.structs.replace(one, fields=fields) for one in make_monitor().windows]

    html = render_page(make_monitor(windows=windows, fields=200))

    assert "The 20 largest of 200 fields are shown." in html
    assert ("Field 199" in html, "Field 100" in html) == (True, False)
    assert len(html) < 250_000


@cache
def read_harmless(name: str) -> Reader:
    """The page with a name of the same length, which nobody has to escape."""
    return read_html(render_page(with_names(re.sub("[^ ]", "x", name))))


@settings(max_examples=15)
@given(texts)
def test_names_are_text_whatever_they_hold(name: str) -> None:
    """They add neither a tag nor an attribute."""
    harmless, hostile = read_harmless(name), read_html(render_page(with_names(name)))

    assert hostile.tags == harmless.tags
    assert len(hostile.attributes) == len(harmless.attributes)


@pytest.mark.parametrize("find", [lambda one: one.headline, lambda one: one.model.version])
def test_names_are_shown_as_they_are(find: Callable[[Monitor], str]) -> None:
    """Escaped once."""
    monitor = with_names("<b>A & B</b>")

    assert find(monitor) in read_html(render_page(monitor)).text
