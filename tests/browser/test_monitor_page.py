"""GET /monitor in Chromium, with a real service that records its decisions and the policy that it sends."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, ViewportSize, expect

from benchmarks.decisions_store import fill
from decisions.chain import now
from decisions.store import open_store
from deploy.local import run_local_service
from monitor.pages.page import render_page
from tests.monitor.monitors import make_monitor
from tests.monitor.pages.test_page import HOSTILE, with_names

OFFICER, PORTAL = "key-of-an-officer-for-tests", "key-of-a-portal-for-tests"

TIMEOUT_MS = 40_000

DAY = timedelta(days=1) // timedelta(microseconds=1)

DESKTOP, PHONE = ViewportSize(width=1280, height=900), ViewportSize(width=360, height=740)


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory, root: Path) -> Iterator[str]:
    """A service with 400 decisions on record, of yesterday and of three weeks ago."""
    url = f"sqlite:///{tmp_path_factory.mktemp('record') / 'decisions.db'}"
    with closing(open_store(url)) as store:
        for age in (1, 21):
            fill(store, (root / "artifacts" / "model.onnx").read_bytes(), 200, start=now() - age * DAY, seed=age)
    keys = {"API_KEYS": f"portal={PORTAL}", "DECISIONS_KEYS": f"officer={OFFICER}"}
    with run_local_service(DECISIONS_URL=url, **keys) as base:
        yield base


@pytest.fixture
def context(browser: Browser, address: str) -> Iterator[BrowserContext]:
    """A browser; an error in its console or a request to another host fails the test."""
    expect.set_options(timeout=TIMEOUT_MS)
    opened = browser.new_context(base_url=address)
    opened.set_default_timeout(TIMEOUT_MS)
    errors: list[str] = []
    urls: list[str] = []
    opened.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    opened.on("weberror", lambda error: errors.append(str(error.error)))
    opened.on("request", lambda request: urls.append(request.url))
    yield opened
    opened.close()
    # Chromium logs each response with a status of 400 and above as an error, and each connection that fails.
    assert [text for text in errors if "Failed to load" not in text] == []
    assert [url for url in urls if not url.startswith((f"{address}/", "data:"))] == []


@pytest.fixture
def page(context: BrowserContext) -> Page:
    """A tab whose key has been given."""
    # An empty page has no storage.
    script = f"location.protocol === 'http:' && sessionStorage.setItem('monitor-key', {json.dumps(OFFICER)})"
    context.add_init_script(script)
    return context.new_page()


def answer(html: str) -> Callable[[Route], None]:
    """Answers with this content."""
    return lambda route: route.fulfill(body=html, content_type="text/html; charset=utf-8")


def use_key(page: Page, key: str) -> None:
    """Type a key and press Enter."""
    page.get_by_label("API key").fill(key)
    page.get_by_label("API key").press("Enter")


def test_a_key_is_asked_for_and_kept_until_it_is_forgotten(context: BrowserContext) -> None:
    """One that is unknown, and one without the right, are told apart."""
    page = context.new_page()
    page.goto("/monitor")
    expect(page.get_by_label("API key")).to_be_focused()
    expect(page.get_by_role("alert")).to_have_text("")
    for key in ("not-a-key-that-is-known", "clé"):
        use_key(page, key)
        expect(page.get_by_role("alert")).to_have_text("The service doesn't know this key.")
    use_key(page, PORTAL)
    expect(page.get_by_role("alert")).to_contain_text("This key may not read decisions")

    use_key(page, OFFICER)
    expect(page.locator(".headline")).to_be_visible()
    expect(page.get_by_label("API key")).to_be_hidden()
    expect(page.get_by_role("alert")).to_have_text("")
    page.reload()
    expect(page.locator(".headline")).to_be_visible()

    page.get_by_role("button", name="Forget the key").click()
    expect(page.locator(".headline")).to_have_count(0)
    expect(page.get_by_label("API key")).to_be_focused()
    page.reload()
    expect(page.get_by_label("API key")).to_be_visible()
    assert page.evaluate("sessionStorage.length") == 0


def test_the_home_page_leads_to_what_is_on_record(page: Page) -> None:
    """Figures, charts and their numbers."""
    page.goto("/?lang=en")
    page.get_by_role("link", name="Monitor").click()

    expect(page.locator(".tiles div").first).to_contain_text(re.compile(r"Decisions in 7 days20\d"))
    expect(page.get_by_role("img", name="Decisions by day")).to_be_visible()
    expect(page.get_by_role("heading", name="Drift")).to_be_visible()
    first = page.locator("figure").first
    first.get_by_text("Numbers").click()
    expect(first.get_by_role("table")).to_contain_text("acceptedto reviewrefused")


def test_days_and_weeks_are_switched_by_keyboard(page: Page) -> None:
    """The choice holds when the content is refreshed."""
    page.goto("/monitor")
    days, weeks = (page.get_by_role("img", name=f"Decisions by {width}") for width in ("day", "week"))
    expect(days).to_be_visible()
    expect(weeks).to_be_hidden()

    page.get_by_role("radio", name="by day").focus()
    page.keyboard.press("ArrowRight")

    expect(page.get_by_role("radio", name="by week")).to_be_checked()
    expect(weeks).to_be_visible()
    expect(days).to_be_hidden()


def test_it_is_refreshed_once_a_minute(page: Page, address: str) -> None:
    """What was decided meanwhile is counted; an open table stays open, and keeps the focus."""
    page.clock.install()
    page.goto("/monitor")
    tile = page.locator(".tiles dd").first
    before = int(tile.inner_text().replace(",", ""))
    first = page.locator("figure").first
    first.get_by_text("Numbers").click()
    body = httpx.get(f"{address}/openapi.json", headers={"X-API-Key": OFFICER}, trust_env=False).json()
    content = body["paths"]["/score"]["post"]["requestBody"]["content"]["application/json"]["example"]
    httpx.post(f"{address}/score", json=content, headers={"X-API-Key": PORTAL}, trust_env=False).raise_for_status()

    page.clock.run_for(61_000)

    expect(tile).to_have_text(f"{before + 1:,}")
    expect(first.get_by_role("table")).to_be_visible()
    expect(first.locator("summary")).to_be_focused()


def test_a_database_that_is_away_is_said_and_asked_again(page: Page) -> None:
    """At first, and later beside what was shown before."""
    page.clock.install()
    problem: dict[str, Any] = {"detail": "decisions can't be recorded or read now"}
    page.route("**/v1/monitor", lambda route: route.fulfill(status=503, json=problem))
    page.goto("/monitor")
    expect(page.get_by_role("alert")).to_contain_text("The decisions on record can't be read now")

    page.unroute("**/v1/monitor")
    page.clock.run_for(11_000)
    expect(page.locator(".headline")).to_be_visible()
    expect(page.get_by_role("alert")).to_have_text("")

    page.route("**/v1/monitor", lambda route: route.abort())
    page.clock.run_for(61_000)
    expect(page.get_by_role("alert")).to_have_text("Not refreshed. The service doesn't answer.")
    expect(page.locator(".headline")).to_be_visible()


def test_a_service_without_a_record_says_so(browser: Browser, service: str) -> None:
    """It has no setting DECISIONS_URL."""
    page = browser.new_page(base_url=service)
    page.goto("/monitor")

    expect(page.get_by_role("alert")).to_contain_text("DECISIONS_URL")
    expect(page.get_by_label("API key")).to_be_hidden()
    page.close()


@pytest.mark.parametrize(("scheme", "size"), [("light", DESKTOP), ("dark", PHONE)], ids=["desktop-light", "phone-dark"])
def test_it_is_accessible_and_fits_the_width(
    page: Page,
    find_violations: Callable[[Page], list[str]],
    scheme: Literal["light", "dark"],
    size: ViewportSize,
) -> None:
    """By day and by week, with a challenger and an open table."""
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size(size)
    page.route("**/v1/monitor", answer(render_page(make_monitor())))
    page.goto("/monitor")
    expect(page.get_by_role("heading", name="Swap set")).to_be_visible()
    page.locator("summary").first.click()
    violations = find_violations(page)
    page.get_by_role("radio", name="by week").check()

    assert violations + find_violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]


def test_names_are_harmless(page: Page) -> None:
    """Those of model, versions, fields and levels; a long one doesn't widen the page on a phone."""
    name = " ".join(HOSTILE)
    page.set_viewport_size(PHONE)
    dialogs: list[str] = []
    page.on("dialog", lambda dialog: dialogs.append(dialog.message))
    page.route("**/v1/monitor", answer(render_page(with_names(name))))
    page.goto("/monitor")

    expect(page.locator(".headline")).to_have_text(name)
    expect(page.get_by_role("heading", name="Swap set")).to_be_visible()
    assert (dialogs, page.locator("main :is(script, img:not([role]))").count()) == ([], 0)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_in_print_there_are_no_controls(page: Page) -> None:
    """And light colours, whatever the screen has."""
    page.emulate_media(media="print", color_scheme="dark")
    page.goto("/monitor")

    expect(page.locator(".headline")).to_be_visible()
    expect(page.get_by_role("button", name="Forget the key")).to_be_hidden()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
