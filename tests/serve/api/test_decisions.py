"""Recorded decisions over HTTP: lists, cases, reviews and outcomes, in both databases; rights; hostile requests."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import msgspec
import pytest

from decisions.reading import find_case
from decisions.retention import erase
from decisions.store import open_store
from model.session import Model
from serve.app import create_app_for_model
from serve.keys import NamedKey
from serve.schemas.decisions import EXAMPLE_ID, MAX_OUTCOMES, CaseResponse, DecisionsResponse
from serve.settings import Settings
from tests.serve.conversation import Conversation
from tests.serve.running import SERVE, Service, running

PORTAL, OFFICER = "a-key-of-the-portal", "a-key-of-an-officer"
SETTINGS = {"API_KEYS": f"portal={PORTAL}", "DECISIONS_KEYS": f"officer={OFFICER}"}

REVIEW = {"decision": "accept", "reason": "Second income", "who": "J. Officer"}

TODAY = datetime.now(UTC).date().isoformat()

HOSTILE_IDS = [
    "a%00b",
    "%00",
    "x" * 10_000,
    "%F0%9F%92%A9",
    "%ff%fe",
    "٣" * 32,
    "..",
    "%2e%2e%2fmodel",
    "' OR 1=1 --",
    "%25s",
    EXAMPLE_ID.upper(),
    EXAMPLE_ID.replace("-", ""),
    f"%7B{EXAMPLE_ID}%7D",
    f"{EXAMPLE_ID}%0a",
]

needs_a_right = pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/decisions"),
        ("GET", f"/v1/decisions/{EXAMPLE_ID}"),
        ("HEAD", "/v1/decisions"),
        ("GET", "/v1/monitor"),
        ("POST", f"/v1/decisions/{EXAMPLE_ID}/review"),
        ("POST", "/v1/outcomes"),
    ],
)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The DECISIONS_URL of an empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path_factory.mktemp('decisions')}/decisions.db"
    found: str = request.getfixturevalue("postgres_server").create_database()
    return found


@pytest.fixture(scope="module")
def service(url: str, content: bytes, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The service around the model, which records its decisions."""
    folder = tmp_path_factory.mktemp("service")
    with running(folder, content, SERVE, LOG_LEVEL="warning", DECISIONS_URL=url, **SETTINGS) as started:
        yield started


@pytest.fixture(scope="module")
def officer(service: Service) -> Iterator[httpx.Client]:
    """A client with a key that may read decisions."""
    with httpx.Client(base_url=service.base, headers={"X-API-Key": OFFICER}, trust_env=False, timeout=30) as client:
        yield client


@pytest.fixture
def applicant() -> str:
    """The id of a new applicant."""
    return f"A-{uuid4()}"


@pytest.fixture
def score(service: Service, named: dict[str, Any]) -> Callable[..., dict[str, Any]]:
    """A function that scores an applicant with the key of the portal and returns the result."""

    def ask(applicant: str | int, **values: Any) -> dict[str, Any]:
        body = {"applicants": [{"id": applicant} | named | values], "reasons": 2, "what_would_change": True}
        result: dict[str, Any] = service.ask("POST", "/score", body, X_API_Key=PORTAL).json()["results"][0]
        return result

    return ask


Score = Callable[..., dict[str, Any]]


def ids_of(client: httpx.Client, **query: str | int) -> list[str]:
    """The ids of a page."""
    page = client.get("/v1/decisions", params=query).raise_for_status().json()
    return [decision["id"] for decision in page["decisions"]]


def faults_of(response: httpx.Response) -> list[str]:
    """The pointers of a problem, which must be a 400."""
    assert (response.status_code, response.json()["type"]) == (400, "urn:problem:invalid-request"), response.text
    return [fault["pointer"] for fault in response.json()["errors"]]


def test_a_decision_is_listed_as_it_was_answered(officer: httpx.Client, score: Score, applicant: str) -> None:
    """With the model that decided, and no final decision yet; nobody may cache the answer."""
    result = score(applicant)

    response = officer.get("/v1/decisions", params={"applicant": applicant})

    model = officer.get("/model").json()
    (decision,) = response.json()["decisions"]
    assert decision | {"time": ""} == {
        "id": result["decision_id"],
        "time": "",
        "applicant": applicant,
        "model_name": model["name"],
        "model_version": model["version"],
        "model_sha256": model["sha256"],
        "probability": result["probability"],
        "decision": result["decision"],
        "points": result["points"],
        "final_decision": None,
        "is_erased": False,
    }
    assert abs(datetime.now(UTC) - datetime.fromisoformat(decision["time"])) < timedelta(minutes=1)
    assert (response.json()["next"], response.headers["cache-control"]) == (None, "no-store")


def test_pages_follow_each_other_without_a_gap(officer: httpx.Client, score: Score, applicant: str) -> None:
    """The newest first; `next` is the cursor of the next page and null on the last."""
    expected = [score(applicant, Amount=amount)["decision_id"] for amount in range(5)][::-1]

    found: list[str] = []
    cursor: dict[str, str] = {}
    sizes = []
    while True:
        page = officer.get("/v1/decisions", params={"applicant": applicant, "limit": 2, **cursor}).json()
        found += [decision["id"] for decision in page["decisions"]]
        sizes.append(len(page["decisions"]))
        if page["next"] is None:
            break
        cursor = {"cursor": page["next"]}

    assert (found, sizes) == (expected, [2, 2, 1])


def test_a_list_is_chosen_by_every_parameter(officer: httpx.Client, score: Score, applicant: str) -> None:
    """Alone and together; none of them matches another decision."""
    result = score(applicant)
    sha256 = officer.get("/model").json()["sha256"]
    others = {"accept", "review", "refuse"} - {result["decision"]}
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).date().isoformat()
    fitting = {"from": TODAY[:7], "to": tomorrow, "decision": result["decision"], "model": sha256, "open": "false"}
    wrong = [{"from": tomorrow}, {"to": "2020-01-31"}, {"model": "0" * 64}, *({"decision": other} for other in others)]

    assert ids_of(officer, applicant=applicant, **fitting) == [result["decision_id"]]
    for name, value in fitting.items():
        assert ids_of(officer, applicant=applicant, **{name: value}) == [result["decision_id"]]
    assert [ids_of(officer, applicant=applicant, **(fitting | query)) for query in wrong] == [[]] * len(wrong)


def test_a_case_is_what_was_answered_replayed(
    officer: httpx.Client, service: Service, score: Score, named: dict[str, Any], applicant: str
) -> None:
    """To the bit: inputs, result with every reason, and the model that decided; by whom and for which request."""
    result = score(applicant, Amount=99.9, Income=None)
    everything = {"applicants": [{"id": applicant} | named | {"Amount": 99.9, "Income": None}], "reasons": 5}
    expected = service.ask("POST", "/score", everything | {"what_would_change": True}, X_API_Key=PORTAL).json()

    response = officer.get(f"/v1/decisions/{result['decision_id']}")

    case = response.json()
    assert case["result"] == expected["results"][0] | {"decision_id": result["decision_id"]}
    assert case["inputs"] == named | {"Amount": 99.9, "Income": None, "Client": "True"}
    assert case["model"] == officer.get("/model").json()
    assert (case["key"], case["reasons"], case["is_identical"], case["history"]) == ("portal", 2, True, [])
    assert (len(case["request_id"]) > 0, int(case["chain"]) > 0, len(case["hash"])) == (True, True, 64)
    assert response.headers["cache-control"] == "no-store"


def test_the_types_of_the_documentation_fit_the_answers(officer: httpx.Client, score: Score, applicant: str) -> None:
    """Nothing is in an answer that its type doesn't have, or the other way round."""
    result = score(applicant)
    officer.post(f"/v1/decisions/{result['decision_id']}/review", json=REVIEW).raise_for_status()
    officer.post("/v1/outcomes", json={"applicant": applicant, "date": TODAY, "defaulted": False}).raise_for_status()

    for path, kind in (("/v1/decisions", DecisionsResponse), (f"/v1/decisions/{result['decision_id']}", CaseResponse)):
        content = officer.get(path).content
        assert json.loads(msgspec.json.encode(msgspec.json.decode(content, type=kind))) == json.loads(content)


def test_the_latest_review_is_the_final_word(officer: httpx.Client, score: Score, applicant: str) -> None:
    """Each is a record of its own, with the name of its key; one that says review opens the case again."""
    decision_id = score(applicant)["decision_id"]
    path = f"/v1/decisions/{decision_id}"

    first = officer.post(f"{path}/review", json=REVIEW | {"note": "Zeile 1\nLigne 2 🏦"})
    final = officer.get(path).json()["decision"]["final_decision"]
    is_open = ids_of(officer, applicant=applicant, open="true")
    second = officer.post(f"{path}/review", json=REVIEW | {"decision": "review"})

    case = officer.get(path).json()
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json() | {"id": "", "time": ""} == {
        "kind": "review",
        "id": "",
        "time": "",
        "key": "officer",
        **REVIEW,
        "note": "Zeile 1\nLigne 2 🏦",
    }
    assert (final, is_open) == ("accept", [])
    assert case["history"] == [first.json(), second.json()]
    assert case["decision"]["final_decision"] == "review"
    assert ids_of(officer, applicant=applicant, open="true") == [decision_id]


def test_reviews_at_the_same_time_are_all_kept(officer: httpx.Client, score: Score, applicant: str) -> None:
    """In an order that every reader sees alike."""
    path = f"/v1/decisions/{score(applicant)['decision_id']}"
    with ThreadPoolExecutor(8) as pool:
        given = [
            answer.json()["who"]
            for answer in pool.map(
                lambda who: officer.post(f"{path}/review", json=REVIEW | {"who": who}).raise_for_status(),
                [f"officer {number}" for number in range(8)],
            )
        ]

    history = officer.get(path).json()["history"]

    assert sorted(review["who"] for review in history) == sorted(given)
    assert officer.get(path).json()["history"] == history


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        (b"", [""]),
        (b"[]", [""]),
        (b"{", [""]),
        (b"\xff", [""]),
        (b"[" * 100_000, [""]),
        (b'{"decision":"accept","reason":"\\ud800","who":"x"}', [""]),
        (REVIEW | {"decision": "perhaps"}, ["/decision"]),
        (REVIEW | {"decision": None}, ["/decision"]),
        (REVIEW | {"reason": ""}, ["/reason"]),
        (REVIEW | {"reason": " \n"}, ["/reason"]),
        (REVIEW | {"reason": "a\0b"}, ["/reason"]),
        (REVIEW | {"reason": "x" * 501}, ["/reason"]),
        (REVIEW | {"who": "x" * 201}, ["/who"]),
        (REVIEW | {"note": "\0"}, ["/note"]),
        (REVIEW | {"note": "x" * 5_001}, ["/note"]),
        (REVIEW | {"final": True}, [""]),
        ({"decision": "accept", "reason": "why"}, [""]),
    ],
)
def test_an_invalid_review_is_refused_with_its_fault(
    officer: httpx.Client, score: Score, applicant: str, body: bytes | dict[str, Any], pointers: list[str]
) -> None:
    """400 with the place; nothing is recorded."""
    path = f"/v1/decisions/{score(applicant)['decision_id']}"
    content = body if isinstance(body, bytes) else json.dumps(body).encode()

    assert faults_of(officer.post(f"{path}/review", content=content)) == pointers
    assert officer.get(path).json()["history"] == []


def test_the_longest_review_is_kept_as_it_is(officer: httpx.Client, score: Score, applicant: str) -> None:
    """With a byte order mark before the body, and any character."""
    path = f"/v1/decisions/{score(applicant)['decision_id']}"
    longest = {"decision": "refuse", "reason": "é" * 500, "who": "💼" * 200, "note": "\u2028\x1f'\";--" * 700}

    content = b"\xef\xbb\xbf" + json.dumps(longest).encode()
    officer.post(f"{path}/review", content=content).raise_for_status()

    (review,) = officer.get(path).json()["history"]
    assert review | longest == review


def test_an_outcome_is_recorded_once_however_often_it_is_sent(
    officer: httpx.Client, score: Score, applicant: str
) -> None:
    """By the applicant or by the decision, alone or among others, also in one body."""
    decision_id = score(applicant)["decision_id"]
    values = {"date": TODAY, "defaulted": True, "amount_lost": 812.5}

    first = officer.post("/v1/outcomes", json={"outcomes": [{"applicant": applicant} | values]})
    again = officer.post("/v1/outcomes", json={"decision_id": decision_id} | values)
    twice = officer.post("/v1/outcomes", json={"outcomes": [{"decision_id": decision_id} | values] * 2})

    (recorded,) = first.json()["outcomes"]
    assert (recorded["decision_id"], recorded["is_new"]) == (decision_id, True)
    known = recorded | {"is_new": False}
    assert (again.json()["outcomes"], twice.json()["outcomes"]) == ([known], [known, known])
    (outcome,) = officer.get(f"/v1/decisions/{decision_id}").json()["history"]
    assert outcome | {"time": ""} == {"kind": "outcome", "id": recorded["id"], "time": "", "key": "officer"} | values


def test_the_same_outcome_at_the_same_time_is_recorded_once(
    officer: httpx.Client, score: Score, applicant: str
) -> None:
    """Every request gets 200, and one is told that it is new."""
    decision_id = score(applicant)["decision_id"]
    body = {"decision_id": decision_id, "date": TODAY, "defaulted": False}
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: officer.post("/v1/outcomes", json=body), range(8)))

    assert [answer.status_code for answer in answers] == [200] * 8
    assert len(officer.get(f"/v1/decisions/{decision_id}").json()["history"]) == 1
    assert sum(answer.json()["outcomes"][0]["is_new"] for answer in answers) == 1


def test_outcomes_are_recorded_all_or_none(officer: httpx.Client, score: Score, applicant: str) -> None:
    """Every fault has its pointer."""
    decision_id = score(applicant)["decision_id"]
    right = {"applicant": applicant, "date": TODAY, "defaulted": True}
    wrong = [
        right | {"applicant": "nobody"},
        right | {"date": "2999-01-01"},
        right | {"decision_id": decision_id},
        {"date": TODAY, "defaulted": True},
        right | {"defaulted": False, "amount_lost": 1},
        right | {"date": "a\0b"},
        right | {"applicant": "a\0b"},
        {"date": TODAY, "defaulted": True, "decision_id": "a\0b"},
    ]

    answer = officer.post("/v1/outcomes", json={"outcomes": [right, *wrong]})
    alone = [officer.post("/v1/outcomes", json=outcome) for outcome in wrong]

    assert faults_of(answer) == [f"/outcomes/{number}" for number in range(1, len(wrong) + 1)]
    assert [faults_of(one) for one in alone] == [[""]] * len(wrong)
    assert officer.get(f"/v1/decisions/{decision_id}").json()["history"] == []


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        (b"", [""]),
        (b"[]", [""]),
        (b'{"outcomes": [', [""]),
        (b'{"outcomes": []}', ["/outcomes"]),
        (b'{"outcomes": {}}', ["/outcomes"]),
        (b'{"outcomes": [{}], "more": 1}', [""]),
        (b'{"outcomes": [1, {"date": 2}, {"a - at `$.b": 1}]}', ["/outcomes/0", "/outcomes/1/date", "/outcomes/2"]),
        (b'{"date": "2026-03-05", "defaulted": "yes", "applicant": 1}', ["/defaulted"]),
        (b'{"date": "2026-03-05", "defaulted": true, "applicant": 1, "amount_lost": -1}', ["/amount_lost"]),
        (b'{"date": "2026-03-05", "defaulted": true, "applicant": 1, "amount_lost": 1e999}', ["/amount_lost"]),
        (b'{"date": "2026-03-05", "defaulted": true, "applicant": %s}' % (b"9" * 5_000), ["/applicant"]),
    ],
)
def test_an_invalid_body_of_outcomes_is_refused(officer: httpx.Client, body: bytes, pointers: list[str]) -> None:
    """400 with the place of each fault."""
    assert faults_of(officer.post("/v1/outcomes", content=body)) == pointers


def test_more_outcomes_than_one_body_may_have_are_413(officer: httpx.Client) -> None:
    body = {"outcomes": [{"applicant": "a", "date": TODAY, "defaulted": True}] * (MAX_OUTCOMES + 1)}

    assert officer.post("/v1/outcomes", json=body).status_code == 413
    assert officer.post("/v1/outcomes", json={"outcomes": body["outcomes"][1:]}).status_code == 400


@pytest.mark.parametrize(
    ("query", "pointers"),
    [
        ("limit=0", ["/query/limit"]),
        ("limit=501", ["/query/limit"]),
        ("limit=1e2", ["/query/limit"]),
        ("limit=%D9%A3", ["/query/limit"]),
        (f"limit={'9' * 5_000}", ["/query/limit"]),
        ("limit=1&limit=1", ["/query/limit"]),
        ("open=1&decision=Accept", ["/query/open", "/query/decision"]),
        ("from=2026-02-30&to=yesterday", ["/query/from", "/query/to"]),
        ("from=0000-01&to=9999-12", ["/query/from", "/query/to"]),
        ("from=2026-03-05T10:00:00", ["/query/from"]),
        ("cursor=%00", ["/query/cursor"]),
        (f"cursor={'x' * 10_000}", ["/query/cursor"]),
        ("model=abc", ["/query/model"]),
        (f"model={'A' * 64}", ["/query/model"]),
        ("applicant=", ["/query/applicant"]),
        ("sort=time&a~/b=1", ["/query/sort", "/query/a~0~1b"]),
    ],
)
def test_an_invalid_parameter_is_refused_with_what_is_expected(
    officer: httpx.Client, query: str, pointers: list[str]
) -> None:
    """Value, expectation and an example; unknown and repeated ones too."""
    response = officer.get(f"/v1/decisions?{query}")

    assert faults_of(response) == pointers
    assert all("expected" in fault["detail"] and len(fault["detail"]) < 400 for fault in response.json()["errors"])


@pytest.mark.parametrize("applicant", ["a%00b", "%F0%9F%92%A9", "%ff", "' OR 1=1 --", "x" * 200, "%25", "_"])
def test_any_text_can_be_searched_for(officer: httpx.Client, applicant: str) -> None:
    """It is an id, and never SQL or a pattern."""
    response = officer.get(f"/v1/decisions?applicant={applicant}")

    assert (response.status_code, response.json()) == (200, {"decisions": [], "next": None})


@pytest.mark.parametrize("applicant", ["nul\0character", "💩", "0", "' OR 1=1 --", "x" * 300, 17])
def test_a_decision_is_found_by_any_id(officer: httpx.Client, score: Score, applicant: str | int) -> None:
    """However long it is; the case has it as given."""
    decision_id = score(applicant)["decision_id"]

    assert ids_of(officer, applicant=str(applicant))[0] == decision_id
    assert officer.get(f"/v1/decisions/{decision_id}").json()["result"]["id"] == applicant


@pytest.mark.parametrize("decision_id", [EXAMPLE_ID, *HOSTILE_IDS], ids=lambda text: text[:12])
def test_an_unknown_id_is_404(officer: httpx.Client, decision_id: str) -> None:
    """So is what is no id, whatever the characters; the answer stays short."""
    path = f"http://test/v1/decisions/{decision_id}"
    answers = [
        officer.get(path.replace("http://test", "")),
        officer.post(f"{path}/review".replace("http://test", ""), json=REVIEW),
    ]

    assert [answer.status_code for answer in answers] == [404, 404]
    assert max(len(answer.content) for answer in answers) < 1_500


@needs_a_right
def test_decisions_need_a_key_with_the_right_to_read_them(service: Service, method: str, path: str) -> None:
    """401 without a key or with an unknown one, 403 with one of API_KEYS."""
    answers = [service.ask(method, path, **given) for given in ({}, {"X_API_Key": "x" * 20}, {"X_API_Key": PORTAL})]

    assert [answer.status_code for answer in answers] == [401, 401, 403]
    if method != "HEAD":
        expected = "the key 'portal' may not read decisions, expected one of DECISIONS_KEYS"
        assert answers[2].json()["error"] == expected


def test_a_key_that_may_read_decisions_may_do_all_else(officer: httpx.Client, named: dict[str, Any]) -> None:
    """It scores too, and is the key of that decision."""
    answer = officer.post("/score", json={"applicants": [named]})

    (result,) = answer.json()["results"]
    assert answer.headers["x-decision-id"] == result["decision_id"]
    assert officer.get(f"/v1/decisions/{result['decision_id']}").json()["key"] == "officer"


def test_an_erased_decision_shows_that_it_was_erased(
    officer: httpx.Client, url: str, score: Score, applicant: str
) -> None:
    """Neither inputs nor result are left, nor can it be found by its applicant; nothing more is recorded about it."""
    decision_id = score(applicant)["decision_id"]
    path = f"/v1/decisions/{decision_id}"
    officer.post(f"{path}/review", json=REVIEW).raise_for_status()
    store = open_store(url)
    case = find_case(store, decision_id)
    assert case is not None
    erase(store, [case.decision, *case.history])
    store.close()

    shown = officer.get(path).json()
    review = officer.post(f"{path}/review", json=REVIEW)
    outcome = officer.post("/v1/outcomes", json={"decision_id": decision_id, "date": TODAY, "defaulted": True})

    decision, (event,) = shown["decision"], shown["history"]
    assert (decision["is_erased"], decision["applicant"], decision["final_decision"]) == (True, None, "accept")
    assert [shown[name] for name in ("inputs", "result", "is_identical")] == [None, None, None]
    assert [event[name] for name in ("decision", "reason", "note", "who")] == ["accept", None, None, None]
    assert ids_of(officer, applicant=applicant) == []
    assert (review.status_code, review.json()["type"]) == (409, "urn:problem:erased")
    assert faults_of(outcome) == [""]


def test_a_forged_model_is_found(content: bytes, tmp_path: Path, named: dict[str, Any]) -> None:
    """500 that names the file; the log has it too, and the list goes on."""
    database = tmp_path / "decisions.db"
    settings = {"DECISIONS_URL": f"sqlite:///{database}", "LOG_LEVEL": "warning", **SETTINGS}
    with running(tmp_path, content, SERVE, **settings) as service:
        service.ask("POST", "/score", {"applicants": [named]}, X_API_Key=OFFICER).raise_for_status()
        with sqlite3.connect(database) as connection:
            connection.execute("UPDATE models SET content = ?", (zlib.compress(content[:-1] + b"x"),))
        connection.close()
        (decision,) = service.ask("GET", "/v1/decisions", X_API_Key=OFFICER).json()["decisions"]

        answer = service.ask("GET", f"/v1/decisions/{decision['id']}", X_API_Key=OFFICER)

        assert (answer.status_code, answer.json()["type"]) == (500, "urn:problem:not-replayable")
        assert f"the model file {decision['model_sha256']} is forged" in answer.json()["detail"]
        assert len(service.said("is forged")) == 1


def make_settings(url: str, **others: Any) -> Settings:
    """Settings of a service that records decisions, and whose officer may read them."""
    return Settings(decisions_url=url, decisions_keys=(NamedKey("officer", OFFICER),), **others)


@needs_a_right
def test_without_a_record_there_is_nothing_to_read(
    model: Model, make_client: Callable[..., httpx.Client], method: str, path: str
) -> None:
    """404 that names the setting."""
    client = make_client(model, make_settings(""))

    answer = client.request(method, path, headers={"X-API-Key": OFFICER})

    assert answer.status_code == 404
    if method != "HEAD":
        assert answer.json()["error"] == "decisions aren't recorded here; DECISIONS_URL says where to"


@needs_a_right
def test_without_keys_for_decisions_nobody_may_read_them(
    model: Model, make_client: Callable[..., httpx.Client], tmp_path: Path, method: str, path: str
) -> None:
    """403 that names the setting, also where no key is needed for all else."""
    client = make_client(model, Settings(decisions_url=f"sqlite:///{tmp_path}/decisions.db"))

    answer = client.request(method, path)

    assert answer.status_code == 403
    if method != "HEAD":
        assert answer.json()["error"] == "nobody may read decisions here; DECISIONS_KEYS says whose key may"


@needs_a_right
def test_keys_for_decisions_alone_leave_all_else_open(
    model: Model, make_client: Callable[..., httpx.Client], tmp_path: Path, method: str, path: str
) -> None:
    """Without API_KEYS everybody may score; decisions are 401."""
    client = make_client(model, make_settings(f"sqlite:///{tmp_path}/decisions.db"))

    assert [client.get("/model").status_code, client.request(method, path).status_code] == [200, 401]


@needs_a_right
def test_a_lost_database_is_503_without_its_name(
    model: Model, make_client: Callable[..., httpx.Client], tmp_path: Path, method: str, path: str
) -> None:
    """The client may try again; the log says why."""
    client = make_client(model, make_settings(f"sqlite:///{tmp_path}/missing.db"))
    bodies = {"review": REVIEW, "outcomes": {"applicant": "a", "date": TODAY, "defaulted": True}}

    body = bodies.get(path.rpartition("/")[2])
    answer = client.request(method, path, headers={"X-API-Key": OFFICER}, json=body)

    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    if method != "HEAD":
        assert answer.json()["type"] == "urn:problem:not-recorded"
        assert "missing" not in answer.text


@pytest.mark.parametrize("path", [f"/v1/decisions/{EXAMPLE_ID}/review", "/v1/outcomes"])
def test_a_body_without_the_right_is_not_read(model: Model, tmp_path: Path, path: str) -> None:
    """403 after at most the one part that the server holds already."""
    settings = make_settings(f"sqlite:///{tmp_path}/decisions.db", api_keys=(NamedKey("portal", PORTAL),))
    app = create_app_for_model(model, settings)
    exchange = Conversation("POST", path, [b"{" * 65_536] * 3, {"content-length": "196608", "x-api-key": PORTAL})

    asyncio.run(exchange.run(app))

    assert (exchange.status, app.state.service.body_bytes) == (403, 0)
    assert exchange.receive_calls <= 1
