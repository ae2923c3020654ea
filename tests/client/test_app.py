"""The officer's page as its visitors use it, without a browser, in front of a real service."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from client.language import plain_language
from deploy.dyno import free_port

SECONDS = 60
"""A run takes half a second; a busy machine takes longer."""


@pytest.fixture(scope="session")
def holdout(root: Path) -> pd.DataFrame:
    """The bundled table, as another reader reads it."""
    return pd.read_csv(root / "data" / "credit_data_holdout.csv", keep_default_na=True)


@pytest.fixture
def visit(root: Path, monkeypatch: pytest.MonkeyPatch, service: str) -> Callable[..., AppTest]:
    """Open the page with these parameters in the address, in front of a service."""

    def open_page(url: str = service, **address: str) -> AppTest:
        monkeypatch.chdir(root)
        monkeypatch.setenv("CREDIT_API_URL", url)
        app = AppTest.from_file(root / "client" / "app.py", default_timeout=SECONDS)
        for name, value in address.items():
            app.query_params[name] = value
        return app.run()

    return open_page


@contextmanager
def fake_service(status: int, body: object) -> Iterator[str]:
    """A service that gives every GET one answer."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            content = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def shown(app: AppTest) -> str:
    """All HTML of ours on the page."""
    assert not app.exception, app.exception
    return "\n".join(str(element.proto.body) for element in app.get("html"))


def ask(service: str, row: pd.Series[Any], **changed: object) -> dict[str, Any]:
    """What the service says of a row of the table, asked without the client."""
    contract = httpx.get(f"{service}/model", trust_env=False).json()
    names = [field["name"] for field in contract["fields"]]
    applicant = json.loads(row[names].to_json()) | changed
    body = {"applicants": [applicant]}
    answer: dict[str, Any] = httpx.post(f"{service}/score", json=body, trust_env=False).json()["results"][0]
    return answer


def is_shown(answer: dict[str, Any], html: str) -> bool:
    """Whether decision, probability and points of an answer stand on the page."""
    english = plain_language("en")
    words = (english.say(f"decision.{answer['decision']}"), english.percent(answer["probability"]))
    return all(f"{word}<" in html for word in (*words, f"{english.number(answer['points'])} points"))


def test_the_first_view_shows_the_decision_on_the_first_applicant(
    visit: Callable[..., AppTest], service: str, holdout: pd.DataFrame
) -> None:
    """With its points, reasons, changes and place among the others."""
    html = shown(visit())

    assert is_shown(ask(service, holdout.iloc[0]), html)
    for words in ("How the points come about", "Among the 891 applicants", "2026"):
        assert words in html


def test_every_applicant_of_the_table_can_be_picked(
    visit: Callable[..., AppTest], service: str, holdout: pd.DataFrame
) -> None:
    """By id."""
    app = visit()

    app.selectbox[0].select_index(4).run()

    assert is_shown(ask(service, holdout.iloc[3]), shown(app))


def test_a_changed_field_moves_the_decision_and_can_be_taken_back(
    visit: Callable[..., AppTest], service: str, holdout: pd.DataFrame
) -> None:
    """What it was stays in view."""
    app = visit()
    before = shown(app)
    amount = next(field for field in app.number_input if field.label.startswith("Amount"))

    amount.set_value(300.0).run()

    changed = ask(service, holdout.iloc[0], Amount=300.0)
    assert changed["decision"] != ask(service, holdout.iloc[0])["decision"]
    assert is_shown(changed, shown(app))
    assert "As applied for: " in shown(app)

    next(button for button in app.button if button.label == "As applied for").click().run()

    assert before == shown(app)


def test_a_gap_and_a_value_out_of_bounds_are_warned_of(visit: Callable[..., AppTest], holdout: pd.DataFrame) -> None:
    """And scored all the same."""
    app = visit()
    app.selectbox[0].select_index(int(holdout["Income"].isna().argmax()) + 1).run()

    next(field for field in app.number_input if field.label.startswith("Monthly expenses")).set_value(900.0).run()

    html = shown(app)
    assert "<li>Monthly income is not known.</li>" in html
    assert "Monthly expenses is 900 currency units, above the documented maximum of 500 currency units." in html
    assert "As applied for: " in html


def test_a_new_applicant_is_asked_for_what_is_missing(visit: Callable[..., AppTest]) -> None:
    """Nothing is scored before; nothing fails."""
    app = visit()

    app.selectbox[0].select_index(0).run()

    assert "Fill in what is missing: Job seniority, " in app.info[0].value
    assert "points" not in shown(app)


def test_two_applicants_stand_side_by_side(visit: Callable[..., AppTest], service: str, holdout: pd.DataFrame) -> None:
    """Each with its own answer."""
    app = visit(view="compare")

    app.selectbox[1].select_index(5).run()

    html = shown(app)
    assert is_shown(ask(service, holdout.iloc[0]), html)
    assert is_shown(ask(service, holdout.iloc[5]), html)
    assert f'<th scope="col">{holdout.iloc[5]["rownames"]}</th>' in html


def test_a_whole_table_is_scored(visit: Callable[..., AppTest], service: str, holdout: pd.DataFrame) -> None:
    """The acceptance rate is the one that counting gives."""
    app = visit(view="portfolio")

    assert not app.exception
    metrics = {metric.label: metric.value for metric in app.metric}
    table = app.dataframe[0].value
    accepted = (table["decision"] == "Accept").mean()
    assert {"Applicants": "891", "Not scored": "0"}.items() <= metrics.items()
    assert f"{accepted:.1%}" == metrics["Acceptance rate"]
    assert ask(service, holdout.iloc[17])["points"] == table["points"].iloc[17]


def test_an_uploaded_table_takes_the_place_of_the_bundled_one(
    visit: Callable[..., AppTest], holdout: pd.DataFrame
) -> None:
    """With semicolons and decimal commas; a row that can't be scored says why."""
    mine = holdout.head(3).assign(Home=["rent", "castle", "owner"]).rename(columns={"rownames": "dossier"})
    app = visit(view="portfolio")

    content = mine.to_csv(index=False, sep=";", decimal=",").encode()
    app.file_uploader[0].set_value(("mine.csv", content, "text/csv")).run()

    assert not app.exception
    table = app.dataframe[0].value
    assert ["1", "5", "9"] == table["id"].tolist()
    assert "expected one of" in table["why not scored"].iloc[1]
    assert "2" != {metric.label: metric.value for metric in app.metric}["Not scored"]
    assert "mine.csv, 3 rows" in app.expander[0].label


def test_a_table_that_cannot_be_used_is_explained(visit: Callable[..., AppTest]) -> None:
    """And another one can be loaded."""
    app = visit()

    app.file_uploader[0].set_value(("mine.csv", b"a,b\n1,2\n", "text/csv")).run()

    assert "mine.csv lacks these fields of the model: " in app.warning[0].value
    assert not app.exception


def test_an_applicant_that_the_service_refuses_is_explained(
    visit: Callable[..., AppTest], holdout: pd.DataFrame
) -> None:
    """With the field and what was expected there."""
    mine = holdout.head(1).assign(Home="castle")
    app = visit()

    app.file_uploader[0].set_value(("mine.csv", mine.to_csv(index=False).encode(), "text/csv")).run()
    app.selectbox[0].select_index(1).run()

    assert "This applicant can't be scored" in app.error[0].value
    assert "/applicants/0/Home: expected one of" in app.text[0].value


def test_french_is_french_all_through(visit: Callable[..., AppTest]) -> None:
    """Switch, labels, values, reasons; the view stays when the language changes."""
    app = visit(view="compare")

    app.segmented_control(key="lang").set_value("fr").run()

    assert "compare" == app.segmented_control(key="view").value
    assert "compare" in app.query_params["view"]
    assert "fr" in app.query_params["lang"]
    html = shown(app)
    for words in ("Refuser", "Ancienneté dans l’emploi", "unités monétaires", "D’où viennent les points"):
        assert words in html
    for words in ("Refuse<", "Job seniority", "currency units", "missing"):
        assert words not in html


@pytest.mark.parametrize(
    ("status", "body", "title"),
    [
        (401, {"detail": "this key is not known"}, "The scoring service refuses the key"),
        (200, {"contract_version": 2}, "The scoring service speaks another contract"),
        (200, ["hello"], "The scoring service speaks another contract"),
        (503, {"detail": "busy"}, "The scoring service can't answer now"),
    ],
)
def test_each_way_to_fail_has_its_page(visit: Callable[..., AppTest], status: int, body: object, title: str) -> None:
    """With the address, what was said, and a way to try again."""
    with fake_service(status, body) as url:
        app = visit(url)

    assert title == app.header[0].value
    assert url in app.markdown[0].value
    assert ["Try again"] == [button.label for button in app.button]
    assert not app.exception


def test_a_service_that_is_down_has_its_page_and_coming_back_is_seen(
    visit: Callable[..., AppTest], service: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In both languages."""
    app = visit(f"http://127.0.0.1:{free_port()}", lang="fr")
    assert "Le service de notation ne répond pas" == app.header[0].value

    monkeypatch.setenv("CREDIT_API_URL", service)
    app.button[0].click().run()

    assert "Refuser" in shown(app)


def test_a_setting_that_cannot_be_used_is_named(visit: Callable[..., AppTest]) -> None:
    """With its value."""
    app = visit("localhost:8000")

    assert "CREDIT_API_URL is 'localhost:8000'" in app.text[0].value
