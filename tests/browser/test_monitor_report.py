"""monitor.html in Chromium: accessible in light and dark, within the screen of a phone, and whole on paper."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect

from model.session import Model
from monitor.pages.report import make_report
from tests.monitor.backtests import make_empty, make_full

DESK, PHONE = ViewportSize(width=1280, height=900), ViewportSize(width=360, height=740)


@pytest.fixture(params=["full", "empty"])
def path(request: pytest.FixtureRequest, model: Model, tmp_path: Path) -> Path:
    """A report with something in every section, and one of a record without outcomes."""
    backtest = make_full() if request.param == "full" else make_empty()
    path = tmp_path / "monitor.html"
    path.write_text(make_report(backtest, model.contract, "sqlite:///decisions.db"), encoding="utf-8")
    return path


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [DESK, PHONE], ids=["desk", "phone"])
def test_the_report_is_accessible(
    browser: Browser,
    path: Path,
    viewport: ViewportSize,
    scheme: Literal["light", "dark"],
    find_violations: Callable[[Page], list[str]],
) -> None:
    """Without a serious violation that axe finds, and without scrolling sideways."""
    context = browser.new_context(viewport=viewport, color_scheme=scheme)
    page = context.new_page()
    page.goto(path.as_uri())

    assert find_violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") == viewport["width"]
    context.close()


def test_folded_numbers_are_on_paper(browser: Browser, model: Model, tmp_path: Path) -> None:
    """Nobody can unfold them there."""
    path = tmp_path / "monitor.html"
    path.write_text(make_report(make_full(), model.contract, "sqlite:///decisions.db"), encoding="utf-8")
    page = browser.new_page()
    page.goto(path.as_uri())
    numbers = page.get_by_role("region", name="AUC by month", exact=True)
    expect(numbers).not_to_be_visible()

    page.emulate_media(media="print")

    expect(numbers).to_be_visible()
    page.close()
