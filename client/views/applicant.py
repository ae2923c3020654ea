"""One applicant: select or enter it, see the decision and its reasons, change fields, download the letter."""

from __future__ import annotations

from datetime import date

import streamlit as st

from client import components, field_tables
from client.app_state import AppState
from client.error_pages import show_api_errors
from client.form import show_form
from client.letter import MAX_REASONS, Parties, write_letter
from client.localization import localize_change, localize_reason, localize_warning
from client.portfolio import describe_fault
from client.responses import Applicant, Result
from client.views.picker import NEW, pick_row


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
    resets = f"resets {state.table.sha256} {row}"
    with show_api_errors(state.url, language):
        top = st.container(key="verdict")
        left, right = st.columns([5, 6], gap="large")
        with left:
            st.header(language.text("form.title"), anchor=False)
            # A new key makes new widgets, which is the only way to reset them.
            key = f"{state.table.sha256}/{row}/{st.session_state.get(resets, 0)}"
            edited = show_form(state.model.fields, applicant, key, language)
            is_changed = edited != applicant and row != NEW
            st.caption(language.text("form.hint"))
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
        applicants = [edited, applicant] if is_changed and not fault else [edited]
        results = state.api.score(applicants, reasons=len(state.model.fields), what_would_change=True)
        before = results[1] if len(results) > 1 else None
        top.html(components.verdict(results[0], state.model.policy, language, before=before))
        with right:
            _show_explanation(state, edited, results[0])
        _show_letter(state, edited, results[0], reference)


def _count_reset(key: str) -> None:
    st.session_state[key] = st.session_state.get(key, 0) + 1


def _show_explanation(state: AppState, applicant: Applicant, result: Result) -> None:
    """Show warnings, the waterfall, reasons, what would change a refusal, and the ranks in the table."""
    language = state.language
    fields = {field.name: field for field in state.model.fields}
    if result.warnings:
        st.header(language.text("warning.title"), anchor=False)
        warnings = [localize_warning(warning, applicant, fields, language) for warning in result.warnings]
        st.html(components.bullets(warnings, "warnings"))
    if waterfall := field_tables.draw_waterfall(result, state.model, applicant, language):
        st.html(waterfall)
    st.header(language.text("reasons.title"), anchor=False)
    reasons = [
        localize_reason(reason, applicant, fields[reason.field], language) for reason in result.reasons[:MAX_REASONS]
    ]
    st.html(components.bullets(reasons or [language.text("reasons.none")], "reasons"))
    if result.decision == "refuse":
        st.header(language.text("change.title"), anchor=False)
        changes = [
            language.text(
                "change.effect",
                change=localize_change(change, applicant, fields[change.field], language),
                decision=language.text(f"decision.{change.decision}"),
                probability=language.percent(change.probability),
            )
            for change in result.what_would_change
        ]
        st.html(components.bullets(changes or [language.text("change.none")], "changes"))
    if state.population.size:
        st.html(field_tables.draw_ranks(applicant, state.model, state.population, language))


def _show_letter(state: AppState, applicant: Applicant, result: Result, reference: str) -> None:
    language = state.language
    with st.expander(language.text("letter.title")):
        lender = st.text_input(language.text("letter.lender"), key="lender", max_chars=100)
        name = st.text_input(language.text("letter.name"), key=f"name {state.table.sha256} {reference}", max_chars=100)
        parties = Parties(lender, name, reference, date.today())
        letter = write_letter(applicant, result, state.model, parties, language)
        st.download_button(
            language.text("letter.download"),
            letter,
            file_name=f"{result.decision}-{_slugify(reference)}.html",
            mime="text/html",
            on_click="ignore",
        )
        st.caption(language.text("letter.print"))


def _slugify(text: str) -> str:
    """A text as part of a file name."""
    return "".join(letter if letter.isalnum() else "-" for letter in text)[:40] or "new"
