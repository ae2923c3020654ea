"""GET / in Chromium, with a Content-Security-Policy that forbids inline scripts and styles."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import httpx
import pytest
from playwright.sync_api import Browser, Page, Route, expect

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:"
)
APPLICANT = {"Seniority": "5", "Home": "rent", "Time": "48", "Records": "no", "Job": "fixed", "Expenses": "60"} | {
    "Income": "140",
    "Assets": "0",
    "Debt": "0",
    "Amount": "1300",
    "Price": "1700",
}
PHONE = {"width": 360, "height": 740}


@pytest.fixture
def page(browser: Browser, service: str) -> Iterator[Page]:
    """A tab whose pages have the strictest policy; an error in the browser's console fails the test."""
    context = browser.new_context(base_url=service, locale="en-GB")
    opened = context.new_page()
    errors: list[str] = []
    opened.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    opened.on("pageerror", lambda error: errors.append(str(error)))

    def add_policy(route: Route) -> None:
        response = route.fetch()
        route.fulfill(
            response=response, headers=response.headers | {"content-security-policy": CONTENT_SECURITY_POLICY}
        )

    opened.route(lambda url: url.split("?")[0] == f"{service}/", add_policy)
    yield opened
    context.close()
    # Chromium logs each response with a status of 400 and above as an error.
    assert [text for text in errors if "status of" not in text] == []


def fill(page: Page, applicant: dict[str, str]) -> None:
    """Fill in the form."""
    for name, value in applicant.items():
        control = page.locator(f"[id='field-{name}']")
        if control.evaluate("element => element.tagName") == "SELECT":
            control.select_option(value)
        else:
            control.fill(value)


def test_the_result_is_the_one_of_the_service(page: Page, service: str) -> None:
    """Decision, probability, points, reasons and changes are those of POST /score."""
    applicant = {name: float(value) if value.isdigit() else value for name, value in APPLICANT.items()}
    body = {"applicants": [applicant], "what_would_change": True}
    result = httpx.post(f"{service}/score", json=body, trust_env=False).json()["results"][0]

    page.goto("/")
    fill(page, APPLICANT)
    page.get_by_role("button", name="Score").click()

    shown = page.get_by_role("status")
    expect(shown.locator(".verdict strong")).to_have_text(result["decision"].capitalize())
    expect(shown).to_contain_text(f"{result['probability']:.1%}, {result['points']} points")
    expect(shown.locator("ol li")).to_have_count(len(result["reasons"]))
    for at, reason in enumerate(result["reasons"]):
        expect(shown.locator("ol li").nth(at)).to_contain_text(f"{reason['text']} ({reason['label']}: ")
    expect(shown).to_contain_text("Amount of the loan: 1,070 currency units instead of 1,300 currency units → Accept")


def test_it_works_by_keyboard_alone(page: Page) -> None:
    """Tab moves through the fields in order, typing fills and selects, Enter scores."""
    page.goto("/")
    expect(page.locator("#applicant")).to_be_visible()
    ids: list[str] = page.locator("#fields :is(input, select)").evaluate_all("all => all.map(one => one.id)")
    while page.evaluate("document.activeElement.id") != ids[0]:
        page.keyboard.press("Tab")
    for one in ids:
        assert page.evaluate("document.activeElement.id") == one
        page.keyboard.type(APPLICANT[one.removeprefix("field-")])
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")

    expect(page.get_by_role("status")).to_contain_text("points")


def test_missing_fields_are_reported_before_a_request(page: Page) -> None:
    """The first has the focus and an accessible description of what is missing."""
    page.goto("/")

    page.get_by_role("button", name="Score").click()

    expect(page.get_by_role("alert")).to_have_text("Some required fields are empty.")
    first = page.get_by_label("Job seniority (years)")
    expect(first).to_be_focused()
    expect(first).to_have_attribute("aria-invalid", "true")
    expect(first).to_have_accessible_description("Usually 0 to 60. Required. Required.")


def test_an_error_of_the_service_is_shown_beside_its_field(page: Page) -> None:
    """The field has the focus."""
    page.goto("/")
    fill(page, APPLICANT | {"Income": "1e200"})

    page.get_by_role("button", name="Score").click()

    expect(page.locator("[id='field-Income-fault']")).to_contain_text("expected a number within")
    expect(page.get_by_label("Monthly income")).to_be_focused()


def test_missing_values_and_values_out_of_bounds_have_warnings(page: Page) -> None:
    """The applicant is scored all the same."""
    page.goto("/")
    fill(page, APPLICANT | {"Income": "", "Expenses": "900"})

    page.get_by_role("button", name="Score").click()

    shown = page.get_by_role("status")
    expect(shown).to_contain_text("Monthly income is not known.")
    expect(shown).to_contain_text("Monthly expenses is 900 currency units, above the documented maximum of 500")


def test_the_page_asks_for_an_api_key_and_sends_it(page: Page) -> None:
    """Without a key, with a wrong one and with the right one."""

    def guard(route: Route) -> None:
        if route.request.headers.get("authorization") == "Bearer right":
            route.continue_()
        else:
            route.fulfill(status=401, json={"detail": "a key is needed"})

    page.route("**/model", guard)
    page.route("**/score", guard)
    page.goto("/")
    key = page.get_by_label("API key")
    expect(key).to_be_focused()
    expect(page.get_by_role("alert")).to_have_text("This service asks for a key.")
    key.fill("wrong")
    key.press("Enter")
    expect(page.get_by_role("alert")).to_have_text("The service doesn't know this key.")
    key.fill("right")
    key.press("Enter")
    expect(key).to_be_hidden()
    fill(page, APPLICANT)
    page.get_by_role("button", name="Score").click()

    expect(page.get_by_role("status")).to_contain_text("points")


def test_an_error_of_the_service_is_an_alert(page: Page) -> None:
    """It has the detail of the response."""
    page.goto("/")
    fill(page, APPLICANT)
    page.route("**/score", lambda route: route.fulfill(status=503, json={"detail": "busy"}))

    page.get_by_role("button", name="Score").click()

    expect(page.get_by_role("alert")).to_have_text("The service can't score this: busy")


def test_the_link_changes_the_language(page: Page) -> None:
    """Texts, numbers, the lang attribute, and the texts of the card that the contract translates are French."""

    def translate(route: Route) -> None:
        response = route.fetch()
        translations = {"fr": {"Job seniority": "Ancienneté", "years": "ans"}}
        route.fulfill(response=response, json=response.json() | {"translations": translations})

    page.route("**/model", translate)
    page.goto("/")
    page.get_by_role("link", name="Français").click()

    assert page.evaluate("document.documentElement.lang") == "fr"
    expect(page.get_by_role("link", name="Français")).to_have_attribute("aria-current", "true")
    expect(page.get_by_label("Ancienneté (ans)")).to_be_visible()
    fill(page, APPLICANT)
    page.get_by_role("button", name="Noter").click()
    expect(page.get_by_role("status")).to_contain_text("Refuser")
    expect(page.get_by_role("status")).to_contain_text("\u00a0%,")


@pytest.mark.parametrize(("scheme", "size"), [("light", {"width": 1280, "height": 900}), ("dark", PHONE)])
def test_the_page_is_accessible_and_fits_the_width(
    browser: Browser, service: str, find_violations: Callable[[Page], list[str]], scheme: str, size: dict[str, int]
) -> None:
    """With a result and with an error, it has no serious axe-core violation and no horizontal scroll bar."""
    page = browser.new_page(viewport=size, color_scheme=scheme)  # type: ignore[arg-type]
    page.goto(service)
    fill(page, APPLICANT)
    page.get_by_role("button", name="Score").click()
    expect(page.get_by_role("status")).to_contain_text("points")
    violations_of_result = find_violations(page)
    page.locator("[id='field-Amount']").fill("")
    page.get_by_role("button", name="Score").click()
    expect(page.get_by_role("alert")).not_to_be_empty()

    assert violations_of_result + find_violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    page.close()


def test_a_rule_and_money_are_shown(browser: Browser, money_service: str) -> None:
    """The rule first, expected profit and loss, and the limits of this applicant; or that none are known."""
    page = browser.new_page(base_url=money_service, locale="en-GB")
    page.goto("/")
    fill(page, {"Amount": "20", "Income": "800", "Home": "own", "Client": "True", "Debt/Income~12m": "1.9"})
    page.get_by_role("button", name="Score").click()

    shown = page.get_by_role("status")
    expect(shown).to_contain_text("The debt is above 1.8 incomes (Debt to income: 1.9)")
    expect(shown.locator("h3").first).to_have_text("Rules that decided")
    expect(shown).to_contain_text(re.compile(r"If accepted: expected profit [−\d.,]+, expected loss [\d.,]+\."))
    expect(shown).to_contain_text("For this applicant: Reviewed from ")

    fill(page, {"Income": ""})
    page.get_by_role("button", name="Score").click()
    expect(shown).to_contain_text("The limits follow from the exposure, which is not known.")
    expect(shown).to_contain_text("Expected profit and loss are not known.")
    page.close()
