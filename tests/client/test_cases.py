"""Decisions on record on the page: scoring on request, the list, a case, a person's decision, the letter."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from client.views.clock import find_day
from tests.client.conftest import html_of
from tests.client.recording_service import RecordingService, record_decisions

EVIL = "<script>alert(1)</script> **bold** [x](http://x)"

OpenApp = Callable[..., AppTest]


@pytest.fixture
def recording(service: str) -> Iterator[RecordingService]:
    """A service that records."""
    with record_decisions(service) as server:
        yield server


def button(app: AppTest, label: str) -> Any:
    """The button with this label, or one that begins with it."""
    return next(one for one in app.button if one.label.startswith(label))


def score_first(app: AppTest) -> AppTest:
    """Score the application on the page."""
    button(app, "Score").click().run()
    html_of(app)
    return app


def open_case(open_app: OpenApp, recording: RecordingService, **query: str) -> AppTest:
    """The page of the first case, which is put on record."""
    score_first(open_app(recording.address))
    return open_app(recording.address, case=recording.cases[0]["decision"]["id"], **query)


def decide(app: AppTest, decision: str | None, reason: str, who: str, note: str = "") -> AppTest:
    """Fill in the form and record the decision."""
    if decision:
        app.radio[-1].set_value(decision)
    texts = {one.label: one for one in app.text_input}
    texts["Reason"].set_value(reason)
    texts["Your name"].set_value(who)
    app.text_area[0].set_value(note)
    button(app, "Record this decision").click().run()
    return app


def test_a_look_around_puts_nothing_on_record(open_app: OpenApp, recording: RecordingService) -> None:
    """Neither an open page, another applicant, a changed field nor another view is a decision; a click is, once."""
    app = open_app(recording.address)
    app.selectbox[0].select_index(3).run()
    app.number_input[0].set_value(7.0).run()
    app.segmented_control(key="view").set_value("compare").run()
    app.segmented_control(key="view").set_value("portfolio").run()
    app.segmented_control(key="view").set_value("one").run()
    looked = len(recording.cases)

    app = score_first(app)
    app.segmented_control(key="lang").set_value("fr").run()

    assert looked == 0
    assert [case["decision"]["applicant"] for case in recording.cases] == ["9"]
    assert recording.cases[0]["inputs"]["Seniority"] == 7.0
    assert 'class="verdict' in html_of(app)


def test_a_changed_application_has_no_result_until_it_is_scored_again(
    open_app: OpenApp, recording: RecordingService
) -> None:
    """Then the result before is shown beside it; what was scored before is not asked for again."""
    app = score_first(open_app(recording.address))
    amount = next(field for field in app.number_input if field.label.startswith("Amount"))

    app = amount.set_value(300.0).run()
    changed = html_of(app)
    app = score_first(app)

    assert 'class="verdict' not in changed
    assert "Before the change: " in html_of(app)
    assert len(recording.cases) == 2

    app = button(app, "Reset").click().run()

    assert 'class="verdict' in html_of(app)
    assert len(recording.cases) == 2


def test_an_edit_is_kept_when_the_view_changes(open_app: OpenApp, service: str) -> None:
    """So is the applicant that was selected."""
    app = open_app()
    app.selectbox[0].select_index(4).run()
    app.number_input[0].set_value(17.0).run()
    before = html_of(app)

    app.segmented_control(key="view").set_value("compare").run()
    app.segmented_control(key="view").set_value("one").run()

    assert app.number_input[0].value == 17.0
    assert html_of(app) == before


def test_a_new_application_is_recorded_under_its_reference(open_app: OpenApp, recording: RecordingService) -> None:
    """The reference is asked for only where decisions are recorded."""
    app = open_app(recording.address)
    app.selectbox[0].select_index(0).run()
    reference = next(one for one in app.text_input if one.label == "Reference of the application")
    reference.set_value("A-17")
    for number in app.number_input:
        number.set_value(10.0)
    for category in app.selectbox[1:]:
        category.select_index(0)

    score_first(app.run())

    assert recording.cases[0]["decision"]["applicant"] == "A-17"


def test_two_applicants_and_a_table_are_scored_on_request(open_app: OpenApp, recording: RecordingService) -> None:
    """Each row goes on record with its id; the results have the ids of the decisions."""
    app = score_first(open_app(recording.address, view="compare"))
    compared = [case["decision"]["applicant"] for case in recording.cases]

    app = open_app(recording.address, view="portfolio")
    app = button(app, "Score all 891 rows and record the decisions").click().run()

    assert compared == ["1", "5"]
    assert len(recording.cases) == 2 + 891
    assert app.dataframe[0].value["decision_id"].iloc[0] == recording.cases[2]["decision"]["id"]


def test_a_decision_is_taken_on_the_case(open_app: OpenApp, recording: RecordingService) -> None:
    """It stands in the history and above; the form is empty again, but for the name."""
    app = open_case(open_app, recording)

    app = decide(app, "accept", "Guarantor", "Anna", "Seen on Monday")

    html = html_of(app)
    assert '<p class="decision">Accept</p>' in html
    assert '<p class="before">The model: Refuse, 18.4%</p>' in html
    assert '<p class="before">Anna: Accept. Guarantor</p>' in html
    assert "<p>Seen on Monday</p>" in html
    assert {one.label: one.value for one in app.text_input}.items() >= {("Reason", ""), ("Your name", "Anna")}
    assert app.radio[-1].value is None
    review = recording.cases[0]["history"][0]
    assert (review["decision"], review["reason"], review["who"]) == ("accept", "Guarantor", "Anna")


def test_an_incomplete_decision_is_not_recorded(open_app: OpenApp, recording: RecordingService) -> None:
    """The page says what is missing, and keeps what was typed, also when the view changes."""
    app = decide(open_case(open_app, recording), None, "Guarantor", " ")

    assert app.error[0].value == "Missing: Decision, Your name."
    assert recording.cases[0]["history"] == []

    app.segmented_control(key="view").set_value("one").run()
    app.segmented_control(key="view").set_value("cases").run()

    assert {one.label: one.value for one in app.text_input}["Reason"] == "Guarantor"


def test_a_colleague_who_was_faster_is_not_overruled_unseen(open_app: OpenApp, recording: RecordingService) -> None:
    """The page says so and records nothing."""
    app = open_case(open_app, recording)
    recording.is_shared = True

    app = decide(app, "refuse", "Guarantor", "Anna")

    assert app.error[0].value.startswith("A colleague has decided this case in the meantime")
    assert "review" not in [event["kind"] for event in recording.cases[0]["history"]]


def test_hostile_texts_are_shown_as_text(open_app: OpenApp, recording: RecordingService) -> None:
    """In reasons, notes, names and ids of applicants, in the case and in the list."""
    app = open_case(open_app, recording)
    recording.cases[0]["decision"]["applicant"] = EVIL
    app = decide(app, "review", EVIL, EVIL, EVIL)
    html = html_of(app)

    app = button(app, "All cases").click().run()

    assert "<script>alert" not in html
    assert html.count("&lt;script&gt;alert(1)") == 6
    label = button(app, r"**\<script").label
    assert label.startswith(r"**\<script\>alert\(1\)\</script\> \*\*bold\*\* \[x\]\(http\://x\)** · ")


def test_the_list_has_the_open_cases_and_a_search(open_app: OpenApp, recording: RecordingService) -> None:
    """In pages of 20; a case that is opened is in the address, and a person's decision takes it off the list."""
    app = open_app(recording.address, view="portfolio")
    button(app, "Score all").click().run()
    for number, case in enumerate(recording.cases):
        case["decision"]["final_decision"] = "review" if number < 25 else "accept"

    app = open_app(recording.address, view="cases")
    first = [one.label for one in app.button]
    app = button(app, "Older").click().run()
    second = [one.label for one in app.button]
    app = button(app, "Newer").click().run()

    assert [one.label for one in app.button] == first
    assert (len(first), len(second)) == (20 + 1, 5 + 1)
    assert recording.searches[-1]["open"] == ["true"]

    app.toggle[0].set_value(False)
    app.text_input[0].set_value("1")
    app.date_input[1].set_value("2026-03-31")
    app = app.run()

    assert recording.searches[-1] == {"applicant": ["1"], "to": ["2026-04-01T00:00:00+00:00"], "limit": ["20"]}
    app = button(app, "**1**").click().run()
    assert recording.cases[0]["decision"]["id"] in app.query_params["case"]
    assert "Case: 1" in html_of(app)


@pytest.mark.parametrize(
    ("state", "sentence"),
    [("off", "The service doesn't record its decisions"), ("forbidden", "The key of this page may not read")],
)
def test_without_a_record_or_the_right_to_it_all_else_works(
    open_app: OpenApp, recording: RecordingService, state: Any, sentence: str
) -> None:
    """The view says what to do; the letter is of the result on the page."""
    recording.state = state
    app = open_app(recording.address, view="cases")
    assert app.info[0].value.startswith(sentence)

    app.segmented_control(key="view").set_value("one").run()
    if state == "forbidden":
        app = score_first(app)

    assert 'class="verdict' in html_of(app)
    assert app.expander[-1].label == "Letter to the applicant"


def test_an_unknown_id_in_the_address_has_a_message(open_app: OpenApp, recording: RecordingService) -> None:
    """Whatever it is; the list is one click away."""
    app = open_app(recording.address, case="../<b>")
    assert "No decision on record has the id" in app.warning[0].value

    app = button(app, "All cases").click().run()

    assert "case" not in app.query_params
    assert app.text[0].value == "None found."


def test_an_erased_case_has_its_decision_and_neither_form_nor_letter(
    open_app: OpenApp, recording: RecordingService
) -> None:
    """It says that the data have been erased."""
    score_first(open_app(recording.address))
    case = recording.cases[0]
    case["decision"] |= {"applicant": None, "is_erased": True}
    case |= {"inputs": None, "result": None, "is_identical": None}
    event = {"id": "1", "time": "2026-04-01T12:00:00Z", "key": None}
    case["history"] = [event | {"kind": "review", "decision": "refuse"}, event | {"kind": "outcome"}]

    app = open_app(recording.address, case=case["decision"]["id"])

    html = html_of(app)
    assert app.info[0].value.startswith("The data of this applicant have been erased")
    assert "A person: Refuse" in html
    assert "Outcome: erased" in html
    assert "Record this decision" not in [one.label for one in app.button]
    assert "Letter to the applicant" not in [one.label for one in app.expander]


def test_a_replay_that_differs_has_a_message_and_no_letter(open_app: OpenApp, recording: RecordingService) -> None:
    """The decision shown is that on record."""
    score_first(open_app(recording.address))
    case = recording.cases[0]
    case["is_identical"] = False
    case["decision"] |= {"decision": "accept", "points": 123}

    app = open_app(recording.address, case=case["decision"]["id"])

    assert app.error[0].value.startswith("The replay by the model on record differs from the record")
    assert "123 points" in html_of(app)
    assert "Letter to the applicant" not in [one.label for one in app.expander]


def test_a_decision_that_can_not_be_recorded_is_not_given(open_app: OpenApp, recording: RecordingService) -> None:
    """The page says that nothing was decided, and has a button to try again."""
    app = open_app(recording.address)
    recording.state = "lost"

    app = button(app, "Score").click().run()

    assert app.header[-1].value == "Decisions can't be recorded now"
    assert 'class="verdict' not in html_of(app)

    recording.state = "on"
    app = button(app, "Try again").click().run()
    score_first(app)

    assert len(recording.cases) == 1


def test_the_id_of_a_decision_tells_its_day() -> None:
    """It begins with the milliseconds since 1970: example of RFC 9562, A.6."""
    assert find_day("017f22e2-79b0-7cc3-98c4-dc0c0c07398f") == date(2022, 2, 22)
