"""One applicant: select or enter it, see the decision and its reasons, change fields, go to its case or letter."""

from __future__ import annotations

import streamlit as st

from client import components, field_tables
from client.app_state import AppState
from client.error_pages import show_api_errors
from client.form import show_form
from client.kept import KEPT
from client.letter import OnRecord
from client.portfolio import describe_fault
from client.views.case_address import open_case
from client.views.clock import find_day
from client.views.explanation import show_explanation
from client.views.letter import show_letter
from client.views.picker import NEW, pick_row
from client.views.scoring import ask_results, find_result


def show_applicant(state: AppState) -> None:
    """Show the picker, and the form and result of the applicant that is selected."""
    row = pick_row(state, state.language.text("pick.label"), key="one", is_new_allowed=True)
    if row is not None:
        _show_form_and_result(state, row)


@st.fragment
def _show_form_and_result(state: AppState, row: int) -> None:
    """A Streamlit fragment: a change of a field runs this function again and nothing else of the page."""
    language = state.language
    if row == NEW:
        reference, applicant = "", dict.fromkeys((field.name for field in state.model.fields), None)
    else:
        reference, applicant = state.table.ids[row], state.table.applicants[row]
    given_id = state.table.given_id(row) if row != NEW else None
    resets = f"resets {state.table.sha256} {row}"
    with show_api_errors(state.url, language):
        top = st.container(key="verdict")
        left, right = st.columns([5, 6], gap="large")
        with left:
            st.header(language.text("form.title"), anchor=False)
            # A new key makes new widgets, which is the only way to reset them.
            key = f"{KEPT}{state.table.sha256}/{row}/{st.session_state.get(resets, 0)}"
            if row == NEW and state.recording != "off":
                given_id = reference = st.text_input(language.text("form.id"), key=f"{key} id", max_chars=100).strip()
            edited = show_form(state.model.fields, applicant, key, language)
            is_changed = edited != applicant and row != NEW
            st.caption(language.text("form.hint" if state.recording == "off" else "form.hint_recorded"))
            st.button(language.text("form.reset"), on_click=_count_reset, args=(resets,), disabled=not is_changed)
        fault = describe_fault(state.table, row, state.table.faults.get(row, ""), language)
        if fault and not is_changed:
            top.error(f"**{language.text('error.applicant')}**")
            top.text(fault)
            return
        missing = [field for field in state.model.fields if edited[field.name] is None and not field.nullable]
        if missing:
            labels = ", ".join(language.translate(field.label) for field in missing)
            top.info(language.text("form.fill", fields=labels))
            return
        is_compared = is_changed and not fault and state.recording == "off"
        with top:
            results = ask_results(
                state, [edited, applicant] if is_compared else [edited], [given_id] * (1 + is_compared)
            )
        if results is None:
            return
        before = results[1] if is_compared else find_result(state, applicant, given_id)
        top.html(components.verdict(results[0], state.model, language, before=before))
        with right:
            show_explanation(state.model, edited, results[0], language)
            if state.population.size:
                st.html(field_tables.draw_ranks(edited, state.model, state.population, language))
        case_id = results[0].decision_id
        if state.recording != "on" or not case_id:
            on_record = OnRecord(case_id, find_day(case_id), results[0].decision, "") if case_id else None
            show_letter(state.model, edited, results[0], reference, language, on_record)
        elif st.button(language.text("case.open"), type="primary", on_click=open_case, args=(case_id,)):
            st.rerun()


def _count_reset(key: str) -> None:
    st.session_state[key] = st.session_state.get(key, 0) + 1
