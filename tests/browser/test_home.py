"""GET / as people use it: in Chromium, by keyboard, under a policy that allows nothing inline."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import httpx
import pytest
from playwright.sync_api import Browser, Page, Route, expect

pytestmark = pytest.mark.xdist_group("browser")

POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:"
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
    """A page of the service under the strictest policy; whatever the browser complains of fails the test."""
    context = browser.new_context(base_url=service, locale="en-GB")
    opened = context.new_page()
    complaints: list[str] = []
    opened.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    opened.on("pageerror", lambda error: complaints.append(str(error)))

    def add_policy(route: Route) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, headers=answer.headers | {"content-security-policy": POLICY})

    opened.route(lambda url: url.split("?")[0] == f"{service}/", add_policy)
    yield opened
    context.close()
    assert [] == [text for text in complaints if "status of" not in text]


def fill(page: Page, applicant: dict[str, str]) -> None:
    """Fill the form in."""
    for name, value in applicant.items():
        control = page.locator(f"[id='field-{name}']")
        if control.evaluate("element => element.tagName") == "SELECT":
            control.select_option(value)
        else:
            control.fill(value)


def test_an_applicant_is_scored_as_the_service_answers(page: Page, service: str) -> None:
    """Decision, probability, points, reasons, what would change it."""
    applicant = {name: float(value) if value.isdigit() else value for name, value in APPLICANT.items()}
    body = {"applicants": [applicant], "what_would_change": True}
    answer = httpx.post(f"{service}/score", json=body, trust_env=False).json()["results"][0]

    page.goto("/")
    fill(page, APPLICANT)
    page.get_by_role("button", name="Score").click()

    shown = page.get_by_role("status")
    expect(shown.locator(".verdict strong")).to_have_text(answer["decision"].capitalize())
    expect(shown).to_contain_text(f"{answer['probability']:.1%}, {answer['points']} points")
    expect(shown.locator("ol li")).to_have_count(len(answer["reasons"]))
    for at, reason in enumerate(answer["reasons"]):
        expect(shown.locator("ol li").nth(at)).to_contain_text(f"{reason['text']} ({reason['label']}: ")
    expect(shown).to_contain_text("Amount of the loan: 1,070 currency units instead of 1,300 currency units → Accept")


def test_it_works_by_keyboard_alone(page: Page) -> None:
    """Tab through the fields in their order, type, choose by letter, Enter scores."""
    page.goto("/")
    expect(page.locator("#applicant")).to_be_visible()
    ids: list[str] = page.locator("#fields :is(input, select)").evaluate_all("all => all.map(one => one.id)")
    while page.evaluate("document.activeElement.id") != ids[0]:
        page.keyboard.press("Tab")
    for one in ids:
        assert one == page.evaluate("document.activeElement.id")
        page.keyboard.type(APPLICANT[one.removeprefix("field-")])
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")

    expect(page.get_by_role("status")).to_contain_text("points")


def test_gaps_are_named_beside_their_fields(page: Page) -> None:
    """Before anything is sent; the first of them has the focus, and a screen reader hears why."""
    page.goto("/")

    page.get_by_role("button", name="Score").click()

    expect(page.get_by_role("alert")).to_have_text("Some fields have to be filled in.")
    first = page.get_by_label("Job seniority (years)")
    expect(first).to_be_focused()
    expect(first).to_have_attribute("aria-invalid", "true")
    expect(first).to_have_accessible_description("Usually 0 to 60. Has to be filled in. Has to be filled in.")


def test_what_the_service_refuses_stands_beside_its_field(page: Page) -> None:
    """A number beyond all measure."""
    page.goto("/")
    fill(page, APPLICANT | {"Income": "1e200"})

    page.get_by_role("button", name="Score").click()

    expect(page.locator("[id='field-Income-fault']")).to_contain_text("expected a number within")
    expect(page.get_by_label("Monthly income")).to_be_focused()


def test_gaps_and_values_out_of_bounds_are_warned_of(page: Page) -> None:
    """And scored all the same."""
    page.goto("/")
    fill(page, APPLICANT | {"Income": "", "Expenses": "900"})

    page.get_by_role("button", name="Score").click()

    shown = page.get_by_role("status")
    expect(shown).to_contain_text("Monthly income is not known.")
    expect(shown).to_contain_text("Monthly expenses is 900 currency units, above the documented maximum of 500")


def test_a_key_is_asked_for_and_used(page: Page) -> None:
    """No key, a wrong one, the right one."""

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


def test_a_service_that_went_away_is_told(page: Page) -> None:
    """In words."""
    page.goto("/")
    fill(page, APPLICANT)
    page.route("**/score", lambda route: route.fulfill(status=503, json={"detail": "busy"}))

    page.get_by_role("button", name="Score").click()

    expect(page.get_by_role("alert")).to_have_text("The service can't score this: busy")


def test_french_is_asked_for_by_the_browser_or_by_a_link(page: Page) -> None:
    """Texts, numbers, the language of the document; words of the card where the contract has them."""

    def translate(route: Route) -> None:
        answer = route.fetch()
        words = {"fr": {"Job seniority": "Ancienneté", "years": "ans"}}
        route.fulfill(response=answer, json=answer.json() | {"translations": words})

    page.route("**/model", translate)
    page.goto("/")
    page.get_by_role("link", name="Français").click()

    assert "fr" == page.evaluate("document.documentElement.lang")
    expect(page.get_by_role("link", name="Français")).to_have_attribute("aria-current", "true")
    expect(page.get_by_label("Ancienneté (ans)")).to_be_visible()
    fill(page, APPLICANT)
    page.get_by_role("button", name="Noter").click()
    expect(page.get_by_role("status")).to_contain_text("Refuser")
    expect(page.get_by_role("status")).to_contain_text("\u00a0%,")


@pytest.mark.parametrize(("scheme", "size"), [("light", {"width": 1280, "height": 900}), ("dark", PHONE)])
def test_axe_finds_no_serious_fault_and_nothing_is_wider_than_the_screen(
    browser: Browser, service: str, find_faults: Callable[[Page], list[str]], scheme: str, size: dict[str, int]
) -> None:
    """With an answer and with faults on the page, at desk and phone width, light and dark."""
    page = browser.new_page(viewport=size, color_scheme=scheme)  # type: ignore[arg-type]
    page.goto(service)
    fill(page, APPLICANT)
    page.get_by_role("button", name="Score").click()
    expect(page.get_by_role("status")).to_contain_text("points")
    with_answer = find_faults(page)
    page.locator("[id='field-Amount']").fill("")
    page.get_by_role("button", name="Score").click()
    expect(page.get_by_role("alert")).not_to_be_empty()

    assert [] == with_answer + find_faults(page)
    assert size["width"] >= page.evaluate("document.documentElement.scrollWidth")
    page.close()
