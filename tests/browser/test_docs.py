"""GET /docs as developers use it: in Chromium, with a key and without, under the policy that the service sends."""

from __future__ import annotations

import json
import shlex
import subprocess
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Locator, Page, Route, expect

from tests.soak.service import running_service

pytestmark = pytest.mark.xdist_group("browser")

KEY = "a-key-of-the-browser-tests"
DESK, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}


@pytest.fixture
def page(browser: Browser, service: str) -> Iterator[Page]:
    """The page, read; a complaint of the browser or a request to another host fails the test."""
    context = browser.new_context(base_url=service)
    opened = context.new_page()
    complaints: list[str] = []
    asked: list[str] = []
    opened.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.on("request", lambda request: asked.append(request.url))
    opened.goto("/docs")
    expect(opened.locator("#errors")).to_be_attached()
    yield opened
    context.close()
    # Chromium calls any answer of 400 and above an error of the console.
    assert [] == [text for text in complaints if "status of" not in text]
    assert [] == [url for url in asked if not url.startswith((f"{service}/", "data:"))]


@pytest.fixture(scope="module")
def document(service: str) -> dict[str, Any]:
    """What the page shows."""
    found: dict[str, Any] = httpx.get(f"{service}/openapi.json", trust_env=False).json()
    return found


def section(page: Page, name: str) -> Locator:
    """The part of the page about one operation."""
    return page.locator("section").filter(has=page.get_by_role("heading", name=name, exact=True))


def answer(page: Page, name: str) -> Any:
    """What is shown as the answer of one operation, as JSON."""
    return json.loads(page.get_by_role("region", name=f"Answer of {name}").inner_text())


def test_every_operation_is_listed_and_leads_to_its_part(page: Page, document: dict[str, Any]) -> None:
    """By method and path, in the order of the document."""
    names = [f"{method.upper()} {path}" for path, methods in document["paths"].items() for method in methods]
    links = page.get_by_role("navigation", name="Operations").get_by_role("link")

    expect(links).to_have_text(names)
    for link, name in zip(links.all(), names, strict=True):
        link.click()
        expect(section(page, name)).to_be_in_viewport()


def test_every_operation_answers_its_example(page: Page, document: dict[str, Any]) -> None:
    """One press each gives 200."""
    for path, methods in document["paths"].items():
        for method in methods:
            part = section(page, f"{method.upper()} {path}")
            part.get_by_role("button", name="Send").click()
            expect(part.get_by_role("status")).to_contain_text("200 OK in ")


def test_an_applicant_sent_from_the_page_is_answered_as_the_service_answers(page: Page, service: str) -> None:
    """The body is the example, which can be edited."""
    body = json.loads(page.get_by_label("Body of POST /score", exact=True).input_value())
    body["applicants"][0]["Amount"] = 1300
    page.get_by_label("Body of POST /score", exact=True).fill(json.dumps(body))
    page.get_by_role("button", name="Send POST /score").click()
    expect(section(page, "POST /score").get_by_role("status")).to_contain_text("200 OK")

    assert httpx.post(f"{service}/score", json=body, trust_env=False).json() == answer(page, "POST /score")


def test_a_table_can_be_sent_as_well(page: Page) -> None:
    """Its answer is a table."""
    page.get_by_label("Type of the body of POST /score").select_option("text/csv")
    page.get_by_role("button", name="Send POST /score").click()

    expect(page.get_by_role("region", name="Answer of POST /score")).to_contain_text("id,probability,decision,points")


def test_an_error_is_shown_as_one(page: Page) -> None:
    """Its status in words and in another colour, the request it belongs to, and every fault."""
    part = section(page, "POST /predict")
    part.get_by_role("textbox").fill('{"data": [[1], null, {}]}')
    part.get_by_role("button", name="Send").click()

    shown = part.get_by_role("status")
    expect(shown).to_contain_text("400 Bad Request in ")
    expect(shown).to_have_class("answered fault")
    problem = answer(page, "POST /predict")
    expect(shown).to_contain_text(f"request {problem['request_id']}")
    assert ["/data/0", "/data/1", "/data/2"] == [fault["pointer"] for fault in problem["errors"]]
    part.get_by_role("textbox").fill("[")
    part.get_by_role("button", name="Send").click()
    expect(part.get_by_role("region")).to_contain_text("invalid-applicants")


def test_a_service_that_went_away_is_told(page: Page) -> None:
    """In words, where the answer would stand, and not beside the answer of before."""
    part = section(page, "GET /model")
    part.get_by_role("button", name="Send").click()
    expect(part.get_by_role("region")).to_be_visible()
    page.route("**/model", lambda route: route.fulfill(status=503, json={"detail": "busy"}))
    part.get_by_role("button", name="Send").click()
    expect(part.get_by_role("status")).to_contain_text("503")
    expect(part.get_by_role("status")).to_have_class("answered fault")
    page.unroute("**/model")
    page.route("**/model", lambda route: route.fulfill(status=200, content_type="application/json", body="{"))
    part.get_by_role("button", name="Send").click()

    expect(part.get_by_role("status")).to_contain_text("No answer: ")
    expect(part.get_by_role("region")).to_be_hidden()


def test_the_command_does_what_the_button_does(page: Page) -> None:
    """Copied into a shell it gets the same answer, whatever quotes are in the body."""
    part = section(page, "POST /score")
    body = json.loads(part.get_by_role("textbox").input_value())
    body["applicants"][0]["id"] = "it's $HOME `x`"
    part.get_by_role("textbox").fill(json.dumps(body))
    part.get_by_text("As a command").click()
    part.get_by_role("button", name="Send").click()
    expect(part.get_by_role("status")).to_contain_text("200 OK")

    command = shlex.split(part.locator(".curl").inner_text().replace("\\\n", ""))

    assert "curl" == command[0]
    done = subprocess.run(["curl", "--silent", "--noproxy", "*", *command[1:]], capture_output=True, check=True)
    assert json.loads(done.stdout) == answer(page, "POST /score")


def test_fields_are_explained_where_they_are_sent(page: Page, document: dict[str, Any]) -> None:
    """Each with what it takes, its label and its bounds; what may be left out says so; no type is a riddle."""
    section(page, "POST /score").get_by_text("Body: ScoreBody").click()
    table = page.get_by_role("table", name="Applicant")

    assert list(document["components"]["schemas"]["Applicant"]["properties"]) == (
        table.get_by_role("rowheader").all_inner_texts()
    )
    expect(table.get_by_role("row").filter(has_text="Income")).to_contain_text("number or null, may be left out")
    expect(table.get_by_role("row").filter(has_text="Income")).to_contain_text("documented from 0 to 5000")
    expect(table.get_by_role("row").filter(has_text="Records")).to_contain_text('"no", "yes"')
    names = set(page.locator("caption b").all_text_contents())
    for schema in document["components"]["schemas"]:
        assert schema in names


def test_it_works_by_keyboard_alone(page: Page) -> None:
    """Tab to the link of an operation, Enter, Tab to its body, type, Tab to its button, Enter."""

    def tab_to(control: Locator) -> None:
        for _ in range(60):
            page.keyboard.press("Tab")
            if control.evaluate("element => element === document.activeElement"):
                return
        pytest.fail(f"no Tab leads to {control}")

    part = section(page, "POST /predict")
    tab_to(page.get_by_role("link", name="POST /predict"))
    page.keyboard.press("Enter")
    tab_to(part.get_by_role("textbox"))
    page.keyboard.press("Control+A")
    page.keyboard.type('{"data": []}')
    tab_to(part.get_by_role("button", name="Send"))
    page.keyboard.press("Enter")
    expect(part.get_by_role("status")).to_contain_text("400 Bad Request")
    tab_to(part.get_by_role("region"))
    tab_to(part.get_by_text("Statuses"))
    page.keyboard.press("Space")

    expect(part.get_by_text("too many bytes or rows")).to_be_visible()


def test_an_address_with_an_operation_opens_there(page: Page) -> None:
    """A link that one developer sends to another."""
    page.goto("about:blank")
    page.goto("/docs#getMetrics")

    expect(section(page, "GET /metrics")).to_be_in_viewport()


def test_a_description_that_cant_be_read_is_told(page: Page) -> None:
    """In words."""
    page.route("**/openapi.json", lambda route: route.fulfill(status=404, json={}))
    page.goto("/docs")

    expect(page.get_by_role("alert")).to_have_text("The description of the API can't be loaded: status 404")


def test_a_service_with_keys_asks_for_one_and_the_page_uses_it(browser: Browser) -> None:
    """No key, a wrong one, the right one; then the commands and the file of the description are right too."""
    with running_service(API_KEYS=KEY) as running:
        page = browser.new_page(base_url=running.base)
        page.goto("/docs")
        secret = page.get_by_label("API key")
        expect(secret).to_be_focused()
        expect(page.get_by_role("alert")).to_have_text("This service asks for a key.")
        secret.fill("wrong")
        secret.press("Enter")
        expect(page.get_by_role("alert")).to_have_text("The service doesn't know this key.")
        secret.fill(KEY)
        secret.press("Enter")
        expect(secret).to_be_hidden()
        expect(page.get_by_role("alert")).to_be_empty()
        part = section(page, "POST /score")
        part.get_by_role("button", name="Send").click()
        expect(part.get_by_role("status")).to_contain_text("200 OK")
        expect(part.locator(".curl")).to_contain_text("Authorization: Bearer KEY")
        expect(section(page, "GET /livez").locator(".curl")).not_to_contain_text("Authorization")
        with page.expect_download() as download:
            page.get_by_role("link", name="openapi.json", exact=True).click()
        description = json.loads(download.value.path().read_text())
        page.close()

    assert {"bearer", "header"} == set(description["components"]["securitySchemes"])
    assert KEY not in json.dumps(description)


def test_the_policy_of_the_service_reaches_the_browser(browser: Browser, service: str) -> None:
    """Neither a script in the page nor one of another host would run: the tests above can fail."""
    page = browser.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))

    def add_scripts(route: Route) -> None:
        scripts = '<script>document.title = "inline"</script><script src="http://127.0.0.1:9/a.js"></script>'
        received = route.fetch()
        route.fulfill(response=received, body=received.text().replace("</main>", f"{scripts}</main>"))

    page.route("**/docs", add_scripts)
    page.goto(f"{service}/docs")
    expect(page.locator("#errors")).to_be_attached()

    assert 2 == sum("Content Security Policy" in text for text in complaints)
    assert page.title().startswith("API: ")
    page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_axe_finds_no_serious_fault_and_nothing_is_wider_than_the_screen(
    browser: Browser, service: str, find_faults: Callable[[Page], list[str]], scheme: str, size: dict[str, int]
) -> None:
    """With an answer, an error and everything unfolded on the page."""
    page = browser.new_page(viewport=size, color_scheme=scheme)  # type: ignore[arg-type]
    page.goto(f"{service}/docs")
    page.get_by_role("button", name="Send POST /score").click()
    expect(section(page, "POST /score").get_by_role("status")).to_contain_text("200 OK")
    section(page, "POST /predict").get_by_role("textbox").fill("{}")
    page.get_by_role("button", name="Send POST /predict").click()
    expect(section(page, "POST /predict").get_by_role("status")).to_contain_text("400")
    page.locator("details").evaluate_all("all => all.forEach((one) => { one.open = true; })")

    assert [] == find_faults(page)
    assert size["width"] >= page.evaluate("document.documentElement.scrollWidth")
    assert [] == page.locator("caption, td, th, code, p, button, select, textarea").evaluate_all(
        "all => all.filter((one) => one.getBoundingClientRect().right > innerWidth).map((one) => one.outerHTML)"
    )
    page.close()
