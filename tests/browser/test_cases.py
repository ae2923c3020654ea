"""Cases on the loan officer's page in Chromium, connected to a real service that records its decisions."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Literal

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, expect

from deploy.local import run_local_page, run_local_service

KEY = "key-of-an-officer-for-tests"
TIMEOUT_MS = 40_000

EVIL = "Anna <b>Berg</b> *x*"


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the page; the service records into a database of its own."""
    path = tmp_path_factory.mktemp("record") / "decisions.db"
    settings = {"DECISIONS_URL": f"sqlite:///{path}", "DECISIONS_KEYS": f"officer={KEY}"}
    with run_local_service(**settings) as service, run_local_page(service, KEY) as base:
        yield base


@pytest.fixture
def context(browser: Browser, address: str) -> Iterator[BrowserContext]:
    """A browser in Paris."""
    expect.set_options(timeout=TIMEOUT_MS)
    opened = browser.new_context(base_url=address, locale="en-GB", timezone_id="Europe/Paris")
    opened.set_default_timeout(TIMEOUT_MS)
    yield opened
    opened.close()


def open_scored_case(page: Page, change: str = "") -> str:
    """Score the first applicant and open the case; returns its address for a colleague."""
    page.goto("/")
    if change:
        page.get_by_label(re.compile("^Amount of the loan")).fill(change)
    page.get_by_role("button", name="Score", exact=True).click()
    page.get_by_role("button", name="Open the case").click()
    expect(page.get_by_role("heading", name="History")).to_be_visible()
    expect(page.locator("dl.facts").last).to_be_visible()
    return page.locator("[data-testid=stCode]").inner_text().replace("\n", "").strip()


def decide(page: Page, decision: str, reason: str, who: str = "") -> None:
    """Take a decision with the keyboard alone, but for the choice."""
    page.locator("label", has_text=re.compile(f"^{decision}$")).click()
    box = page.get_by_role("textbox", name="Reason")
    box.fill(reason)
    box.press("Tab")
    if who:
        page.get_by_role("textbox", name="Your name").fill(who)
        page.keyboard.press("Tab")
    page.get_by_role("button", name="Record this decision").press("Enter")
    expect(page.locator("ol.history")).to_contain_text(reason)
    expect(box).to_have_count(1)  # the form before is removed with a delay
    expect(box).to_have_value("")


def test_a_case_is_decided_and_a_colleague_sees_it_at_its_address(context: BrowserContext) -> None:
    """From the score to the decision, the list and the letter; the name is kept for the next decision."""
    page = context.new_page()
    address = open_scored_case(page)
    decide(page, "Review by a person", "Payslips asked for", EVIL)
    decide(page, "Refuse", "No proof of <i>income</i>")

    colleague = context.new_page()
    colleague.goto(address)

    history = colleague.locator("ol.history li")
    expect(history).to_have_count(3)
    expect(history.last).to_contain_text(f"{EVIL}: Refuse. No proof of <i>income</i>")
    expect(colleague.locator(".verdict .decision")).to_have_text("Refuse")
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/\?case=[0-9a-f-]{36}", address)

    colleague.get_by_text("Letter to the applicant").click()
    # A click on a button that is about to be replaced is lost.
    expect(colleague.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning")
    with colleague.expect_download() as download:
        colleague.get_by_role("button", name="Save the letter").click()
    letter = download.value.path().read_text(encoding="utf-8")

    assert "<li>No proof of &lt;i&gt;income&lt;/i&gt;</li>" in letter
    assert f"Decision {address[-36:]} of" in letter


def test_an_edit_is_kept_while_the_case_is_open(context: BrowserContext) -> None:
    """The application is as it was left, with its result, and nothing is asked for again."""
    page = context.new_page()
    open_scored_case(page, "912")

    page.get_by_role("radio", name="One applicant").or_(page.get_by_role("button", name="One applicant")).click()

    expect(page.get_by_label(re.compile("^Amount of the loan"))).to_have_value("912")
    expect(page.locator(".verdict")).to_have_count(1)  # that of the case is removed with a delay


@pytest.mark.parametrize(
    ("scheme", "size"),
    [("light", ViewportSize(width=1280, height=900)), ("dark", ViewportSize(width=390, height=844))],
    ids=["desktop-light", "phone-dark"],
)
def test_the_list_and_a_case_are_accessible_and_fit_the_width(
    context: BrowserContext,
    find_violations: Callable[[Page], list[str]],
    scheme: Literal["light", "dark"],
    size: ViewportSize,
) -> None:
    """Also with a decision that lacks something."""
    page = context.new_page()
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size(size)
    open_scored_case(page)
    page.get_by_role("button", name="Record this decision").click()
    expect(page.get_by_text("Missing: Decision, Reason, Your name.")).to_be_visible()
    page.wait_for_load_state("networkidle")
    violations = find_violations(page)
    widths = [page.evaluate("document.documentElement.scrollWidth")]
    decide(page, "Review by a person", "Payslips asked for", "Anna")

    page.get_by_role("button", name="All cases").click()
    expect(page.locator(".st-key-cases button").first).to_contain_text("Review by a person")
    page.get_by_text("Search").click()
    page.get_by_role("textbox", name="Applicant").fill("1")
    page.keyboard.press("Enter")
    page.wait_for_load_state("networkidle")

    assert violations + find_violations(page) == []
    assert max(*widths, page.evaluate("document.documentElement.scrollWidth")) <= size["width"]
