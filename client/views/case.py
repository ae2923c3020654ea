"""One decision on record: the application, why the model decided so, its history, a person's decision, the letter."""

from __future__ import annotations

from datetime import datetime
from typing import get_args

import streamlit as st

from client import components, field_tables
from client.api import InvalidApplicants
from client.app_state import AppState
from client.cases import Case, CaseEvent, Review
from client.error_pages import show_api_errors
from client.kept import KEPT
from client.language import Language
from client.letter import OnRecord
from client.responses import Decision, Result
from client.views.case_address import make_address
from client.views.clock import find_zone
from client.views.explanation import show_explanation
from client.views.letter import show_letter

WHO = f"{KEPT}who"


def show_case(state: AppState, case: Case) -> None:
    """Show a case in the words of the model that decided it, which may be an older one than that in service."""
    language, record = state.language.of_model(case.model), case.decision
    name = record.applicant or language.text("case.erased" if record.is_erased else "case.no_id")
    st.html(components.heading(language.text("case.title", applicant=name)))
    notes = [_describe_model(case, language), _describe_event(case.review, language)] if case.review else []
    recorded = Result(record.probability, record.decision, record.points, (), ())
    result = case.result if case.result and case.is_identical else recorded
    st.html(components.verdict(result, case.model, language, final=record.final_decision, notes=notes))
    st.html(
        components.facts(
            {
                language.text("case.id"): record.id,
                language.text("case.time"): language.moment(record.time, find_zone()),
                language.text("app.model"): f"{record.model_name} {record.model_version}",
                language.text("app.file"): record.model_sha256[:12],
                language.text("case.key"): case.key or language.text("case.no_key"),
            }
        )
    )
    if record.is_erased:
        st.info(language.text("case.is_erased"))
    elif not case.is_identical:
        st.error(language.text("case.differs"))
    left, right = st.columns([6, 5], gap="large")
    if case.inputs is not None and case.result is not None:
        with left:
            st.html(field_tables.draw_values(case.inputs, case.model, language))
            show_explanation(case.model, case.inputs, case.result, language)
    with right:
        st.header(language.text("history.title"), anchor=False)
        st.html(components.history(_describe_history(case, language)))
        if case.inputs is not None:
            _show_decision_form(state, case)
        if case.inputs is not None and case.result is not None and case.is_identical:
            show_letter(case.model, case.inputs, case.result, record.applicant or "", language, _on_record(case))
        st.header(language.text("case.address"), anchor=False)
        st.code(make_address(record.id), language=None, wrap_lines=True)


def _describe_history(case: Case, language: Language) -> list[tuple[str, str, str]]:
    """(time, what happened, note) of all events, oldest first, the decision of the model included."""
    events = [(event.time, _describe_event(event, language), event.note or "") for event in case.history]
    first = (case.decision.time, _describe_model(case, language), "")
    return [(language.moment(when, find_zone()), text, note) for when, text, note in [first, *events]]


def _describe_model(case: Case, language: Language) -> str:
    decision = language.text(f"decision.{case.decision.decision}")
    return language.text("history.model", decision=decision, probability=language.percent(case.decision.probability))


def _describe_event(event: CaseEvent, language: Language) -> str:
    if event.kind == "review":
        decision = language.text(f"decision.{event.decision}") if event.decision else ""
        if event.who is None:
            return language.text("history.review_erased", decision=decision)
        return language.text("history.review", decision=decision, who=event.who, reason=event.reason or "")
    if event.defaulted is None or event.date is None:
        return language.text("history.outcome_erased")
    day = language.day(datetime.fromisoformat(event.date))
    if not event.defaulted:
        return language.text("history.repaid", day=day)
    if event.amount_lost is None:
        return language.text("history.defaulted", day=day)
    return language.text("history.lost", day=day, amount=language.number(event.amount_lost))


def _on_record(case: Case) -> OnRecord:
    """What the letter says of the record: the decision that holds, and a person's reason for it."""
    record, review = case.decision, case.review
    day = datetime.fromisoformat(record.time).astimezone(find_zone()).date()
    if review is None or review.decision is None:
        return OnRecord(record.id, day, record.decision, "")
    return OnRecord(record.id, day, review.decision, review.reason or "")


@st.fragment
def _show_decision_form(state: AppState, case: Case) -> None:
    """A Streamlit fragment: what is typed is kept without asking for the case again."""
    language, case_id, events = state.language, case.decision.id, len(case.history)
    # New keys after each event empty the form; the name stays for the next case.
    key = f"{KEPT}decide {case_id} {events}"
    st.header(language.text("decide.title"), anchor=False)
    decision: Decision | None = st.radio(
        language.text("decide.decision"),
        get_args(Decision),
        index=None,
        format_func=lambda name: language.text(f"decision.{name}"),
        horizontal=True,
        key=f"{key} decision",
    )
    reason = st.text_input(
        language.text("decide.reason"), key=f"{key} reason", max_chars=500, help=language.text("decide.reason_help")
    ).strip()
    note = st.text_area(language.text("decide.note"), key=f"{key} note", max_chars=5000)
    who = st.text_input(language.text("decide.who"), key=WHO, max_chars=200).strip()
    if not st.button(language.text("decide.button"), type="primary", key=f"decide {case_id} {events}"):
        return
    given = {"decide.decision": decision, "decide.reason": reason, "decide.who": who}
    if missing := [language.text(key) for key, value in given.items() if not value]:
        st.error(language.text("decide.missing", fields=", ".join(missing)))
        return
    with show_api_errors(state.url, language):
        _record(state, case, Review(decision or "review", reason, who, note.strip()))


def _record(state: AppState, case: Case, review: Review) -> None:
    """Record a decision once, unless a colleague has decided since the case was shown; then show the case again."""
    decided: set[tuple[str, int]] = st.session_state.setdefault("decided", set())
    here = (case.decision.id, len(case.history))
    if here not in decided:  # a second click may come before the page has changed
        if len(state.api.case(case.decision.id).history) > len(case.history):
            st.error(state.language.text("decide.meanwhile"))
            return
        try:
            state.api.review(case.decision.id, review)
        except InvalidApplicants as error:
            st.error(state.language.text("decide.invalid"))
            st.text("\n".join(f"{one.pointer}: {one.detail}" for one in error.errors) or str(error))
            return
        decided.add(here)
    st.rerun()
