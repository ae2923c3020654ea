"""GET /docs in Chromium, with and without API keys, with the Content-Security-Policy that the service sends."""

from __future__ import annotations

import json
import shlex
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Locator, Page, Route, expect

from tests.soak.service import running_service
from tests.tools import require

KEY = "a-key-of-the-browser-tests"
DESKTOP, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}


@pytest.fixture
def page(browser: Browser, service: str) -> Iterator[Page]:
    """The loaded page; an error in the browser's console or a request to another host fails the test."""
    context = browser.new_context(base_url=service)
    opened = context.new_page()
    errors: list[str] = []
    urls: list[str] = []
    opened.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    opened.on("pageerror", lambda error: errors.append(str(error)))
    opened.on("request", lambda request: urls.append(request.url))
    opened.goto("/docs")
    expect(opened.locator("#errors")).to_be_attached()
    yield opened
    context.close()
    # Chromium logs each response with a status of 400 and above as an error.
    assert [text for text in errors if "status of" not in text] == []
    assert [url for url in urls if not url.startswith((f"{service}/", "data:"))] == []


@pytest.fixture(scope="module")
def document(service: str) -> dict[str, Any]:
    """The OpenAPI document."""
    found: dict[str, Any] = httpx.get(f"{service}/openapi.json", trust_env=False).json()
    return found


def section(page: Page, name: str) -> Locator:
    """The section of one operation."""
    return page.locator("section").filter(has=page.get_by_role("heading", name=name, exact=True))


def response_of(page: Page, name: str) -> Any:
    """The response that the section of one operation shows, decoded from JSON."""
    return json.loads(page.get_by_role("region", name=f"Response of {name}").inner_text())


def test_every_operation_has_a_link_to_its_section(page: Page, document: dict[str, Any]) -> None:
    """Links have the method and path, in the order of the OpenAPI document."""
    names = [f"{method.upper()} {path}" for path, methods in document["paths"].items() for method in methods]
    links = page.get_by_role("navigation", name="Operations").get_by_role("link")

    expect(links).to_have_text(names)
    for link, name in zip(links.all(), names, strict=True):
        link.click()
        expect(section(page, name)).to_be_in_viewport()


def test_every_operation_sends_its_example(page: Page, document: dict[str, Any]) -> None:
    """Its button gets a 200."""
    for path, methods in document["paths"].items():
        for method in methods:
            part = section(page, f"{method.upper()} {path}")
            part.get_by_role("button", name="Send").click()
            expect(part.get_by_role("status")).to_contain_text("200 OK in ")


def test_the_response_to_an_edited_body_is_shown(page: Page, service: str) -> None:
    """It is the response that the service gives to the same body."""
    body = json.loads(page.get_by_label("Body of POST /score", exact=True).input_value())
    body["applicants"][0]["Amount"] = 1300
    page.get_by_label("Body of POST /score", exact=True).fill(json.dumps(body))
    page.get_by_role("button", name="Send POST /score").click()
    expect(section(page, "POST /score").get_by_role("status")).to_contain_text("200 OK")

    assert response_of(page, "POST /score") == httpx.post(f"{service}/score", json=body, trust_env=False).json()


def test_a_csv_body_can_be_sent(page: Page) -> None:
    """Its response is CSV."""
    page.get_by_label("Type of the body of POST /score").select_option("text/csv")
    page.get_by_role("button", name="Send POST /score").click()

    expect(page.get_by_role("region", name="Response of POST /score")).to_contain_text("id,probability,decision,points")


def test_an_error_response_is_shown(page: Page) -> None:
    """The page shows its status as an error, its request id, and every error in the body."""
    part = section(page, "POST /predict")
    part.get_by_role("textbox").fill('{"data": [[1], null, 3]}')
    part.get_by_role("button", name="Send").click()

    shown = part.get_by_role("status")
    expect(shown).to_contain_text("400 Bad Request in ")
    expect(shown).to_have_class("answered fault")
    problem = response_of(page, "POST /predict")
    expect(shown).to_contain_text(f"request {problem['request_id']}")
    assert [error["pointer"] for error in problem["errors"]] == ["/data/0", "/data/1", "/data/2"]
    part.get_by_role("textbox").fill("[")
    part.get_by_role("button", name="Send").click()
    expect(part.get_by_role("region")).to_contain_text("invalid-applicants")


def test_an_unreadable_response_replaces_the_previous_one(page: Page) -> None:
    """A 503 and invalid JSON are reported in the status; the previous response is hidden."""
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

    expect(part.get_by_role("status")).to_contain_text("No response: ")
    expect(part.get_by_role("region")).to_be_hidden()


def test_the_curl_command_gets_the_same_response(page: Page) -> None:
    """Quotes and special characters of the shell in the body are escaped."""
    curl = require("curl")
    part = section(page, "POST /score")
    body = json.loads(part.get_by_role("textbox").input_value())
    body["applicants"][0]["id"] = "it's $HOME `x`"
    part.get_by_role("textbox").fill(json.dumps(body))
    part.get_by_text("As a command").click()
    part.get_by_role("button", name="Send").click()
    expect(part.get_by_role("status")).to_contain_text("200 OK")

    command = shlex.split(part.locator(".curl").inner_text().replace("\\\n", ""))

    assert command[0] == "curl"
    done = subprocess.run([curl, "--silent", "--noproxy", "*", *command[1:]], capture_output=True, check=True)
    assert json.loads(done.stdout) == response_of(page, "POST /score")


def test_the_fields_of_a_body_are_documented(page: Page, document: dict[str, Any]) -> None:
    """Each has its type, label, bounds and whether it is optional; every schema has a table."""
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
    """Tab and Enter follow the link of an operation, edit its body, send it and unfold its statuses."""

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


def test_a_link_to_an_operation_opens_at_its_section(page: Page) -> None:
    """The fragment of the URL is the operation id."""
    page.goto("about:blank")
    page.goto("/docs#getMetrics")

    expect(section(page, "GET /metrics")).to_be_in_viewport()


def test_a_missing_openapi_document_is_an_alert(page: Page) -> None:
    """It has the status of the response."""
    page.route("**/openapi.json", lambda route: route.fulfill(status=404, json={}))
    page.goto("/docs")

    expect(page.get_by_role("alert")).to_have_text("The description of the API can't be loaded: status 404")


def test_the_page_asks_for_an_api_key_and_sends_it(browser: Browser) -> None:
    """Without a key, with a wrong one and with the right one; the curl commands and openapi.json name none."""
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

    assert set(description["components"]["securitySchemes"]) == {"bearer", "header"}
    assert KEY not in json.dumps(description)


def test_decisions_are_asked_for_with_their_parameters_and_a_key(browser: Browser, tmp_path: Path) -> None:
    """Only what is filled in is sent; a path needs its id; the form for the key stays, since all else needs none."""
    with running_service(DECISIONS_URL=f"sqlite:///{tmp_path}/decisions.db", DECISIONS_KEYS=KEY) as running:
        page = browser.new_page(base_url=running.base)
        page.goto("/docs")
        page.get_by_role("button", name="Send POST /score").click()
        expect(section(page, "POST /score").get_by_role("status")).to_contain_text("200 OK")
        (scored,) = response_of(page, "POST /score")["results"]
        listed, case, review, outcomes = (
            section(page, name)
            for name in (
                "GET /v1/decisions",
                "GET /v1/decisions/{id}",
                "POST /v1/decisions/{id}/review",
                "POST /v1/outcomes",
            )
        )
        listed.get_by_role("button", name="Send").click()
        expect(listed.get_by_role("status")).to_contain_text("401 Unauthorized")
        page.get_by_label("API key", exact=True).fill(KEY)
        page.get_by_role("button", name="Use this key").click()
        expect(page.get_by_role("alert")).to_have_text("The next requests have this key.")

        listed.get_by_label("applicant").fill("A&17?")
        listed.get_by_label("open").select_option("true")
        expect(listed.locator(".curl")).to_contain_text("/v1/decisions?applicant=A%2617%3F&open=true'")
        listed.get_by_role("button", name="Send").click()
        expect(listed.get_by_role("status")).to_contain_text("200 OK")
        assert response_of(page, "GET /v1/decisions") == {"decisions": [], "next": None}

        case.get_by_role("button", name="Send").click()
        expect(case.get_by_role("textbox", name="id string")).to_be_focused()
        expect(case.locator(".answered")).to_be_hidden()
        for part, status in ((case, "200 OK"), (review, "201 Created")):
            part.get_by_role("textbox", name="id string").fill(scored["decision_id"])
            part.get_by_role("button", name="Send").click()
            expect(part.get_by_role("status")).to_contain_text(status)
        outcomes.get_by_role("button", name="Send").click()
        expect(outcomes.get_by_role("status")).to_contain_text("200 OK")
        found = response_of(page, "GET /v1/decisions/{id}")
        page.close()

    assert (found["decision"]["id"], found["is_identical"]) == (scored["decision_id"], True)


def test_the_content_security_policy_is_enforced(browser: Browser, service: str) -> None:
    """Neither an inline script nor one of another host runs."""
    page = browser.new_page()
    messages: list[str] = []
    page.on("console", lambda message: messages.append(message.text))

    def add_scripts(route: Route) -> None:
        scripts = '<script>document.title = "inline"</script><script src="http://127.0.0.1:9/a.js"></script>'
        received = route.fetch()
        route.fulfill(response=received, body=received.text().replace("</main>", f"{scripts}</main>"))

    page.route("**/docs", add_scripts)
    page.goto(f"{service}/docs")
    expect(page.locator("#errors")).to_be_attached()

    assert sum("Content Security Policy" in text for text in messages) == 2
    assert page.title().startswith("API: ")
    page.close()


@pytest.mark.parametrize(("scheme", "size"), [("light", DESKTOP), ("dark", PHONE)], ids=["desktop-light", "phone-dark"])
def test_the_page_is_accessible_and_fits_the_width(
    browser: Browser, service: str, find_violations: Callable[[Page], list[str]], scheme: str, size: dict[str, int]
) -> None:
    """With a response, an error and everything unfolded, it has no serious axe-core violation and nothing cut off."""
    page = browser.new_page(viewport=size, color_scheme=scheme)  # type: ignore[arg-type]
    page.goto(f"{service}/docs")
    page.get_by_role("button", name="Send POST /score").click()
    expect(section(page, "POST /score").get_by_role("status")).to_contain_text("200 OK")
    section(page, "POST /predict").get_by_role("textbox").fill("{}")
    page.get_by_role("button", name="Send POST /predict").click()
    expect(section(page, "POST /predict").get_by_role("status")).to_contain_text("400")
    page.locator("details").evaluate_all("all => all.forEach((one) => { one.open = true; })")

    assert find_violations(page) == []
    cut_off = page.locator("caption, td, th, code, p, button, select, textarea").evaluate_all(
        "all => all.filter((one) => one.getBoundingClientRect().right > innerWidth).map((one) => one.outerHTML)"
    )
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    assert cut_off == []
    page.close()
