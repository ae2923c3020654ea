"""The user interface for loan officers in Chromium, connected to a real service."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, ViewportSize, expect

from deploy.local import run_local_page
from tests.browser.conftest import Proxy
from tests.client.workbooks import Cell, write_workbook

MAX_FIRST_VIEW_MS, MAX_UPDATE_MS = 2_000, 300
BUSY = 10
"""The limits hold on a quiet machine; beside other tests on two cores they are multiplied by this factor."""

TIMEOUT_MS = 40_000
MAX_DOWNLOADS, RETRY_MS = 40, 250

MEASURE_UPDATE = """(button) => new Promise((done, fail) => {
    const read = () => [...document.querySelectorAll(".verdict, .figure")].map((one) => one.textContent).join();
    const before = read(), started = performance.now();
    const observer = new MutationObserver(() => {
        if (read() !== before) { observer.disconnect(); done(performance.now() - started); }
    });
    observer.observe(document.body, { subtree: true, childList: true, characterData: true });
    setTimeout(() => fail("no update of the page"), 40000);
    document.querySelector(button).click();
})"""
"""JavaScript: milliseconds from a click on a button until the page shows another result."""

IS_SCHEME = """(scheme) => {
    const color = getComputedStyle(document.querySelector(".stApp")).backgroundColor;
    return (color === "rgb(255, 255, 255)") === (scheme === "light");
}"""
"""JavaScript: whether the page has the colours of a scheme."""

INCREASE = "[data-testid=stNumberInputStepUp]"

VIEWS = {"One applicant": INCREASE, "Compare two": ".verdict >> nth=1", "Score a file": "canvas, .stVegaLiteChart svg"}
"""Option of the switch → a selector of the element that its view loads last."""


@pytest.fixture(scope="module")
def address(proxy: Proxy) -> Iterator[str]:
    """The address of the user interface, which calls the service through a proxy."""
    with run_local_page(proxy.address) as base:
        yield base


@pytest.fixture(scope="module")
def context(browser: Browser, address: str) -> Iterator[BrowserContext]:
    """One browser context for all tests, so that Streamlit's scripts are loaded and cached once."""
    opened = browser.new_context(base_url=address, locale="en-GB")
    opened.set_default_timeout(TIMEOUT_MS)
    yield opened
    opened.close()


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """A new tab of desktop size; each load of the page is a new session of Streamlit."""
    expect.set_options(timeout=TIMEOUT_MS)
    opened = context.new_page()
    opened.set_viewport_size({"width": 1280, "height": 900})
    yield opened
    opened.close()


def test_the_first_view_and_an_update_are_fast(page: Page, record_property: Callable[[str, object], None]) -> None:
    """From the load of the page to the decision, and from a click to the next decision (median of three)."""
    page.goto("/")
    page.locator(".verdict").wait_for()
    first_view = page.evaluate("performance.now() - performance.getEntriesByType('navigation')[0].loadEventEnd")
    page.wait_for_load_state("networkidle")
    page.locator(INCREASE).first.wait_for()
    update = sorted(page.evaluate(MEASURE_UPDATE, INCREASE) for _ in range(3))[1]

    record_property("first_view_ms", first_view)
    record_property("update_ms", update)
    assert first_view <= MAX_FIRST_VIEW_MS * BUSY
    assert update <= MAX_UPDATE_MS * BUSY


def test_an_applicant_is_selected_and_fields_are_changed_and_emptied(page: Page) -> None:
    """The decision stays visible and is a live region; an emptied field is scored as missing, with a warning."""
    page.goto("/")
    applicant = page.get_by_role("combobox", name="Applicant")
    applicant.fill("28")
    applicant.press("Enter")
    verdict = page.locator(".verdict")
    expect(verdict).to_contain_text("Accept")

    income = page.get_by_label(re.compile("^Monthly income"))
    expect(income).to_have_count(1)  # the form of the previous applicant is removed with a delay
    income.fill("50")
    income.press("Enter")

    expect(verdict).to_contain_text("Refuse")
    expect(verdict).to_contain_text("Before the change: Accept, 6.2%, 565 points")
    expect(verdict).to_have_attribute("role", "status")
    page.locator(".stExpander").last.scroll_into_view_if_needed()
    expect(verdict).to_be_in_viewport()

    income.fill("")
    income.press("Enter")

    expect(page.locator(".warnings")).to_contain_text("Monthly income is not known.")


def test_a_file_is_scored_and_the_results_downloaded(page: Page, tmp_path: Path) -> None:
    """Semicolons, decimal commas and faults; the results have every row, and the page says how it was read."""
    page.goto("/?view=portfolio")
    download_button = page.get_by_role("button", name="Download the results")
    expect(download_button).to_be_visible()
    own = tmp_path / "dossiers.csv"
    own.write_text(
        "dossier;Seniority;Home;Time;Records;Job;Expenses;Income;Assets;Debt;Amount;Price\n"
        "A-1;5;rent;48;no;fixed;60;140,5;0;0;1300;1700\n"
        "A-2;5;castle;48;no;fixed;60;140;0;0;1300;1700\n"
        "A-3;5;rent\n"
    )
    page.get_by_text("Table of applicants: ").click()
    page.locator("input[type=file]").set_input_files(own)
    expect(page.get_by_text("Table of applicants: dossiers.csv, 3 rows")).to_be_visible()
    expect(page.get_by_text("Read as: semicolon, decimal comma, UTF-8")).to_be_visible()

    text = download_with(page, download_button, "A-1")

    rows = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline="")))
    assert [row["id"] for row in rows] == ["A-1", "A-2", "#3"]
    assert [row["decision"] for row in rows] == ["refuse", "", ""]
    assert rows[1]["fault"].startswith("Line 3: Home: expected one of")
    assert rows[2]["fault"] == "Line 4: expected 12 cells, as the header has, got 3"


def test_a_workbook_is_scored_and_a_doubtful_number_is_asked(
    page: Page, find_violations: Callable[[Page], list[str]]
) -> None:
    """The page with the question, and the one with the answer, are accessible and fit the width of a phone."""
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto("/?view=portfolio")
    page.get_by_text("Table of applicants: ").click()
    header = "id,Seniority,Home,Time,Records,Job,Expenses,Income,Assets,Debt,Amount,Price"
    doubtful = f'{header}\nA-1,5,rent,48,no,fixed,60,140,0,0,"1,300",1700\n'.encode()
    page.locator("input[type=file]").set_input_files({"name": "a.csv", "mimeType": "text/csv", "buffer": doubtful})
    expect(page.get_by_text("'1,300' is 1300 with a decimal point and 1.3 with a decimal comma")).to_be_visible()
    violations = find_violations(page)

    page.get_by_text("decimal point", exact=True).click()
    expect(page.get_by_text("Table of applicants: a.csv, 1 rows")).to_be_visible()
    expect(page.get_by_text("Read as: comma, decimal point, UTF-8")).to_be_visible()

    cells: list[Cell] = ["A-1", 5, "rent", 48, "no", "fixed", 60, "lots", 0, 0, 1300.5, 1700]
    workbook = write_workbook({"Loans": [header.split(","), cells], "Notes": []})
    page.locator("input[type=file]").set_input_files({"name": "b.xlsx", "mimeType": "", "buffer": workbook})
    expect(page.get_by_text("Read as: Excel, sheet “Loans”, the first of 2; the others are not read")).to_be_visible()
    expect(page.get_by_text("Table of applicants: b.xlsx, 1 rows")).to_be_visible()

    assert violations + find_violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def download_with(page: Page, button: Locator, expected: str) -> str:
    """Download until the file contains a text: right after an input, a button may still have the previous file."""
    for _ in range(MAX_DOWNLOADS):
        with page.expect_download() as download:
            # While the page is updated, the previous button may still be above the new one.
            button.last.click()
        text = download.value.path().read_text(encoding="utf-8")
        if expected in text:
            return text
        page.wait_for_timeout(RETRY_MS)
    raise AssertionError(f"{expected!r} is in none of {MAX_DOWNLOADS} downloads; the last: {text[:500]}")


def test_the_letter_prints_on_one_page_in_the_language_of_the_reader(page: Page) -> None:
    """It has four reasons and the name that was typed."""
    page.goto("/?lang=fr")
    page.get_by_text("Lettre au demandeur").click()
    name = page.get_by_label("Nom du demandeur")
    name.fill("Zoë <b>Müller</b>")
    name.press("Enter")
    expect(page.locator(".verdict")).to_be_visible()
    page.wait_for_load_state("networkidle")

    letter = download_with(page, page.get_by_role("button", name="Enregistrer la lettre"), "Zoë")

    page.goto("about:blank")
    page.set_content(letter)
    assert page.evaluate("document.documentElement.lang") == "fr"
    expect(page.get_by_text("Zoë <b>Müller</b>,")).to_be_visible()
    expect(page.locator("ol li")).to_have_count(4)
    assert len(re.findall(rb"/Type\s*/Page\b", page.pdf(prefer_css_page_size=True))) == 1


def switch_to(page: Page, option: str) -> None:
    """Click an option of a switch."""
    page.get_by_role("radio", name=option).or_(page.get_by_role("button", name=option)).click()


def test_the_switch_changes_the_language_of_the_document(page: Page) -> None:
    """The lang attribute is set for screen readers, and the language is in the query string."""
    page.goto("/")
    switch_to(page, "FR")

    expect(page.get_by_role("heading", name="Décisions de crédit")).to_be_visible()
    page.wait_for_function("document.documentElement.lang === 'fr'")
    assert "lang=fr" in page.url


def test_every_view_is_accessible_and_fits_the_width(page: Page, find_violations: Callable[[Page], list[str]]) -> None:
    """No view has a serious axe-core violation or a horizontal scroll bar, on a desktop and, dark, on a phone."""
    screens: dict[Literal["light", "dark"], ViewportSize] = {
        "light": {"width": 1280, "height": 900},
        "dark": {"width": 390, "height": 844},
    }
    page.goto("/")
    for view, last_element in VIEWS.items():
        switch_to(page, view)
        for scheme, size in screens.items():
            page.emulate_media(color_scheme=scheme)
            page.set_viewport_size(size)
            page.wait_for_function(IS_SCHEME, arg=scheme)
            page.locator(last_element).first.wait_for()
            page.locator("dl.facts").wait_for()
            page.wait_for_load_state("networkidle")

            assert find_violations(page) == [], (view, scheme)
            assert page.evaluate("document.documentElement.scrollWidth") <= size["width"], (view, scheme)


@pytest.mark.parametrize(
    ("state", "title", "help_text"),
    [
        ("cut", "Le service de notation ne répond pas", "Démarrez-le avec make serve"),
        ("locked", "Le service de notation refuse la clé", "Donnez dans CREDIT_API_KEY une clé"),
    ],
)
def test_an_unavailable_service_has_an_error_page_until_it_recovers(
    page: Page,
    proxy: Proxy,
    find_violations: Callable[[Page], list[str]],
    state: Literal["cut", "locked"],
    title: str,
    help_text: str,
) -> None:
    """The page says what to do and is accessible; its button loads the decision once the service is back."""
    proxy.state = state
    page.goto("/?lang=fr")
    expect(page.get_by_role("heading", name=title)).to_be_visible()
    expect(page.get_by_text(help_text)).to_be_visible()
    violations = find_violations(page)
    proxy.state = "open"

    page.get_by_role("button", name="Réessayer").click()

    expect(page.locator(".verdict")).to_be_visible()
    assert violations == []
