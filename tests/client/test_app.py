"""The user interface in Streamlit's AppTest (no browser), connected to a real service."""

from __future__ import annotations

import gzip
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

from client.language import read_language
from deploy.dyno import free_port
from tests.client.conftest import html_of
from tests.client.workbooks import write_workbook
from tests.serve.running import NO_CERTIFICATES

POLL_SECONDS = 0.01
"""How soon a fake service notices that it should stop; the default is 0.5."""


@pytest.fixture(scope="session")
def holdout(root: Path) -> pd.DataFrame:
    """The table that the page loads by default, read by pandas."""
    return pd.read_csv(root / "data" / "credit_data_holdout.csv", keep_default_na=True)


@contextmanager
def fake_service(status: int, body: object) -> Iterator[str]:
    """A service with one response to every GET; yields its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            content = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """No log on stderr."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(POLL_SECONDS,), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def score(service: str, row: pd.Series[Any], **changed: object) -> dict[str, Any]:
    """The service's result for a row of the table, without client/."""
    with httpx.Client(base_url=service, trust_env=False, verify=NO_CERTIFICATES) as client:
        contract = client.get("/model").json()
        names = [field["name"] for field in contract["fields"]]
        applicant = json.loads(row[names].to_json()) | changed
        result: dict[str, Any] = client.post("/score", json={"applicants": [applicant]}).json()["results"][0]
    return result


def is_shown(result: dict[str, Any], html: str) -> bool:
    """Whether the page shows the decision, probability and points of a result."""
    english = read_language("en")
    texts = (english.text(f"decision.{result['decision']}"), english.percent(result["probability"]))
    return all(f"{text}<" in html for text in (*texts, f"{english.number(result['points'])} points"))


def test_the_page_opens_with_the_first_applicant(
    open_app: Callable[..., AppTest], service: str, holdout: pd.DataFrame
) -> None:
    """It shows the decision, waterfall, ranks in the table and version of the model."""
    html = html_of(open_app())

    assert is_shown(score(service, holdout.iloc[0]), html)
    for text in ("Points by field", "Compared with the 891 applicants", "2026"):
        assert text in html


def test_an_applicant_can_be_selected(open_app: Callable[..., AppTest], service: str, holdout: pd.DataFrame) -> None:
    """The result of the selected row is shown."""
    app = open_app()

    app.selectbox[0].select_index(4).run()

    assert is_shown(score(service, holdout.iloc[3]), html_of(app))


def test_a_changed_field_changes_the_decision_and_can_be_reset(
    open_app: Callable[..., AppTest], service: str, holdout: pd.DataFrame
) -> None:
    """The result before the change is shown too; Reset restores the first page."""
    app = open_app()
    before = html_of(app)
    amount = next(field for field in app.number_input if field.label.startswith("Amount"))

    amount.set_value(300.0).run()

    changed = score(service, holdout.iloc[0], Amount=300.0)
    assert changed["decision"] != score(service, holdout.iloc[0])["decision"]
    assert is_shown(changed, html_of(app))
    assert "Before the change: " in html_of(app)

    next(button for button in app.button if button.label == "Reset").click().run()

    assert html_of(app) == before


def test_a_missing_value_and_one_out_of_bounds_have_warnings(
    open_app: Callable[..., AppTest], holdout: pd.DataFrame
) -> None:
    """The applicant is scored all the same."""
    app = open_app()
    app.selectbox[0].select_index(int(holdout["Income"].isna().argmax()) + 1).run()

    next(field for field in app.number_input if field.label.startswith("Monthly expenses")).set_value(900.0).run()

    html = html_of(app)
    assert "<li>Monthly income is not known.</li>" in html
    assert "Monthly expenses is 900 currency units, above the documented maximum of 500 currency units." in html
    assert "Before the change: " in html


def test_a_new_applicant_is_not_scored_until_required_fields_are_filled(open_app: Callable[..., AppTest]) -> None:
    """The page lists the missing fields."""
    app = open_app()

    app.selectbox[0].select_index(0).run()

    assert "Missing fields, required for a decision: Job seniority, " in app.info[0].value
    assert "points" not in html_of(app)


def test_two_applicants_are_compared_side_by_side(
    open_app: Callable[..., AppTest], service: str, holdout: pd.DataFrame
) -> None:
    """Both results and both ids are shown."""
    app = open_app(view="compare")

    app.selectbox[1].select_index(5).run()

    html = html_of(app)
    assert is_shown(score(service, holdout.iloc[0]), html)
    assert is_shown(score(service, holdout.iloc[5]), html)
    assert f'<th scope="col">{holdout.iloc[5]["rownames"]}</th>' in html


def test_a_whole_table_is_scored(open_app: Callable[..., AppTest], service: str, holdout: pd.DataFrame) -> None:
    """The acceptance rate is the share of rows whose decision is Accept."""
    app = open_app(view="portfolio")

    assert not app.exception
    metrics = {metric.label: metric.value for metric in app.metric}
    table = app.dataframe[0].value
    accepted = (table["decision"] == "Accept").mean()
    assert {"Applicants": "891", "Not scored": "0"}.items() <= metrics.items()
    assert metrics["Acceptance rate"] == f"{accepted:.1%}"
    assert table["points"].iloc[17] == score(service, holdout.iloc[17])["points"]


def test_an_uploaded_table_replaces_the_default_one(open_app: Callable[..., AppTest], holdout: pd.DataFrame) -> None:
    """Semicolons and decimal commas are read; a row that can't be scored has the reason."""
    mine = holdout.head(3).assign(Home=["rent", "castle", "owner"]).rename(columns={"rownames": "dossier"})
    app = open_app(view="portfolio")

    content = mine.to_csv(index=False, sep=";", decimal=",").encode()
    app.file_uploader[0].set_value(("mine.csv", content, "text/csv")).run()

    assert not app.exception
    table = app.dataframe[0].value
    assert table["id"].tolist() == ["1", "5", "9"]
    assert table["why not scored"].iloc[1].startswith("Line 3: Home: expected one of")
    assert {metric.label: metric.value for metric in app.metric}["Not scored"] == "1"
    assert "mine.csv, 3 rows" in app.expander[0].label


def test_a_table_without_the_fields_of_the_model_has_a_message(open_app: Callable[..., AppTest]) -> None:
    """It names the columns of the table; the page raises nothing."""
    app = open_app()

    app.file_uploader[0].set_value(("mine.csv", b"a,b\n1,2\n", "text/csv")).run()

    assert "the table has none of the fields of the model; its columns are\\: a, b" in app.warning[0].value
    assert not app.exception


def test_an_applicant_that_can_not_be_scored_has_a_message_until_it_is_corrected(
    open_app: Callable[..., AppTest], service: str, holdout: pd.DataFrame
) -> None:
    """It names the line of the file, the fields and what is expected there; a number that can't be read is empty."""
    mine = holdout.head(1).astype({"Amount": str}).assign(Home="castle", Amount="lots")
    app = open_app()

    app.file_uploader[0].set_value(("mine.csv", mine.to_csv(index=False).encode(), "text/csv")).run()
    app.selectbox[0].select_index(1).run()

    assert "This applicant can't be scored" in app.error[0].value
    assert app.text[0].value.startswith("Line 2: Home: expected one of: ignore, other, owner, parents, priv, rent, got")
    assert app.text[0].value.endswith("'castle'; Amount: expected a number in currency units, got 'lots'")

    next(field for field in app.number_input if field.label.startswith("Amount")).set_value(300.0)
    next(field for field in app.selectbox if field.label.startswith("Home")).set_value("rent").run()

    assert not app.error
    assert is_shown(score(service, holdout.iloc[0], Home="rent", Amount=300.0), html_of(app))


def test_two_applicants_with_faults_are_not_compared(open_app: Callable[..., AppTest], holdout: pd.DataFrame) -> None:
    """The faults are shown instead."""
    mine = holdout.head(2).assign(Home="castle")
    app = open_app(view="compare")

    app.file_uploader[0].set_value(("mine.csv", mine.to_csv(index=False).encode(), "text/csv")).run()

    assert [text.value[:9] for text in app.text] == ["1: Line 2", "5: Line 3"]
    assert not app.exception


@pytest.mark.parametrize(
    ("lang", "name", "read_as"),
    [
        ("en", "mine.csv", "Read as\\: semicolon, decimal comma, cp1252"),
        ("fr", "mine.csv", "Lu comme \\: point\\-virgule, virgule décimale, cp1252"),
        ("en", "mine.csv.gz", "Read as\\: tab, decimal point, UTF\\-8"),
        ("en", "mine.xlsx", "Read as\\: Excel, sheet “Loans”, the first of 2; the others are not read"),
    ],
)
def test_a_file_of_each_kind_has_the_same_results(
    open_app: Callable[..., AppTest], service: str, holdout: pd.DataFrame, lang: str, name: str, read_as: str
) -> None:
    """Text in another dialect, compressed text, a workbook; the page says how it was read."""
    mine = holdout.head(3).assign(note="é")
    contents = {
        "mine.csv": mine.to_csv(index=False, sep=";", decimal=",").encode("cp1252"),
        "mine.csv.gz": gzip.compress(mine.to_csv(index=False, sep="\t").encode()),
        "mine.xlsx": write_workbook(
            {"Loans": [list(mine.columns), *mine.astype(object).where(mine.notna(), None).to_numpy().tolist()], "B": []}
        ),
    }
    app = open_app(view="portfolio", lang=lang)

    app.file_uploader[0].set_value((name, contents[name], "application/octet-stream")).run()

    assert not app.exception
    table = app.dataframe[0].value
    assert table.iloc[:, 0].tolist() == ["1", "5", "9"]
    assert table["points"].tolist() == [score(service, holdout.iloc[row])["points"] for row in range(3)]
    assert read_as in [caption.value for caption in app.caption]


def test_how_a_table_is_read_can_be_chosen(open_app: Callable[..., AppTest], holdout: pd.DataFrame) -> None:
    """Where a number can be read two ways the page asks; the choice is for this file alone."""
    mine = holdout.head(2).astype({"Amount": str}).assign(Amount="1,300")
    content = mine.to_csv(index=False).replace(".0", "").encode()
    app = open_app(view="portfolio")

    app.file_uploader[0].set_value(("mine.csv", content, "text/csv")).run()
    asked = app.warning[0].value
    app.radio[1].set_value(".").run()

    assert "is 1300 with a decimal point and 1" in asked.replace("\\", "")
    assert not app.warning
    assert {metric.label: metric.value for metric in app.metric}["Not scored"] == "0"

    app.file_uploader[0].set_value(("other.csv", content, "text/csv")).run()

    assert app.warning


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("big.csv", b"a," * 2_500_000, "python -m score`, or start the service with a larger MAX_BODY_BYTES."),
        ("book.xlsx", b"PK\x03\x04", "can't be read as an Excel workbook: it is damaged or not whole."),
        ("book.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "is a workbook of an old Excel (.xls)."),
    ],
)
def test_a_file_that_can_not_be_read_has_a_sentence_with_the_next_step(
    open_app: Callable[..., AppTest], name: str, content: bytes, message: str
) -> None:
    """Too large, damaged, of an old kind."""
    app = open_app()

    app.file_uploader[0].set_value((name, content, "application/octet-stream")).run()

    assert message in app.warning[0].value
    assert not app.exception


def test_everything_is_translated(open_app: Callable[..., AppTest]) -> None:
    """Labels, units, reasons and headings are French; the view stays the same when the language changes."""
    app = open_app(view="compare")

    app.segmented_control(key="lang").set_value("fr").run()

    assert app.segmented_control(key="view").value == "compare"
    assert "compare" in app.query_params["view"]
    assert "fr" in app.query_params["lang"]
    html = html_of(app)
    for text in ("Refuser", "Ancienneté dans l’emploi", "unités monétaires", "Points par champ"):
        assert text in html
    for text in ("Refuse<", "Job seniority", "currency units", "missing"):
        assert text not in html


@pytest.mark.parametrize(
    ("status", "body", "title"),
    [
        (401, {"detail": "this key is not known"}, "The scoring service rejects the API key"),
        (200, {"contract_version": 2}, "The scoring service is not compatible with this page"),
        (200, ["hello"], "The scoring service is not compatible with this page"),
        (503, {"detail": "busy"}, "The scoring service is unavailable"),
    ],
)
def test_each_failure_of_the_service_has_its_error_page(
    open_app: Callable[..., AppTest], status: int, body: object, title: str
) -> None:
    """It shows the address and a button to try again."""
    with fake_service(status, body) as url:
        app = open_app(url)

    assert app.header[0].value == title
    assert url in app.markdown[0].value
    assert [button.label for button in app.button] == ["Try again"]
    assert not app.exception


def test_the_page_recovers_when_an_unreachable_service_is_back(
    open_app: Callable[..., AppTest], service: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The button of the error page loads the page again."""
    app = open_app(f"http://127.0.0.1:{free_port()}", lang="fr")
    assert app.header[0].value == "Le service de notation ne répond pas"

    monkeypatch.setenv("CREDIT_API_URL", service)
    app.button[0].click().run()

    assert "Refuser" in html_of(app)


def test_an_invalid_setting_has_an_error_page(open_app: Callable[..., AppTest]) -> None:
    """It shows the variable and its value."""
    app = open_app("localhost:8000")

    assert "CREDIT_API_URL is 'localhost:8000'" in app.text[0].value
