"""Decisions on record: the cases that wait for a person, a search, and the case in the page's address."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import get_args

import streamlit as st

from client.api import NotFound
from client.app_state import AppState
from client.cases import CaseSummary, Search
from client.kept import KEPT
from client.language import Language
from client.markdown import escape_markdown
from client.responses import Decision
from client.views.case import show_case
from client.views.case_address import close_case, find_open_case, open_case
from client.views.clock import find_zone

PAGE_SIZE = 20

SEARCHED = ("applicant", "decision", "from", "to")
"""Names of the inputs of the search."""


def show_cases(state: AppState) -> None:
    """Show the case in the address, else the list; or in one sentence why there is none."""
    if state.recording != "on":
        st.info(state.language.text(f"cases.{state.recording}"))
        return
    case_id = find_open_case()
    if case_id is None:
        _show_list(state)
        return
    st.button(state.language.text("case.close"), on_click=close_case)
    try:
        case = state.api.case(case_id)
    except NotFound:
        st.warning(state.language.text("case.unknown", id=escape_markdown(repr(case_id[:40]))))
        return
    show_case(state, case)


def _show_list(state: AppState) -> None:
    language = state.language
    search = _show_search(language)
    # The cursors of the pages before this one, in a list of its own for each search.
    visited: list[str] = st.session_state.setdefault("pages", {}).setdefault(search, [""])
    page = state.api.list_cases(search, visited[-1], limit=PAGE_SIZE)
    st.header(language.text("cases.open" if search.is_open else "cases.all"), anchor=False)
    if not page.decisions:
        st.text(language.text("cases.none"))
    with st.container(key="cases", gap=None):
        for summary in page.decisions:
            st.button(
                _describe(summary, language),
                key=f"case {summary.id}",
                type="tertiary",
                width="stretch",
                on_click=open_case,
                args=(summary.id,),
            )
    back, forward = st.columns(2)
    if len(visited) > 1:
        back.button(language.text("cases.newer"), on_click=visited.remove, args=(visited[-1],))
    if page.next:
        forward.button(language.text("cases.older"), on_click=visited.append, args=(page.next,))


def _show_search(language: Language) -> Search:
    """Show what can be searched for; returns the search."""
    is_open = st.toggle(language.text("cases.is_open"), key=_restore("is_open", True))
    is_searched = any(st.session_state.get(f"{KEPT}search {name}") for name in SEARCHED)
    with st.expander(language.text("cases.search"), expanded=is_searched):
        about, taken, start, end = st.columns([3, 2, 2, 2])
    applicant = about.text_input(language.text("cases.applicant"), key=_restore("applicant", ""), max_chars=200)
    decision = taken.selectbox(
        language.text("cases.decision"),
        get_args(Decision),
        index=None,
        format_func=lambda name: language.text(f"decision.{name}"),
        placeholder=language.text("cases.any"),
        key=_restore("decision", None),
    )
    first = start.date_input(language.text("cases.from"), value=None, format="YYYY-MM-DD", key=_restore("from", None))
    last = end.date_input(language.text("cases.to"), value=None, format="YYYY-MM-DD", key=_restore("to", None))
    return Search(
        applicant=applicant.strip(),
        decision=decision or "",
        start=_midnight(first) if first else "",
        end=_midnight(last + timedelta(1)) if last else "",
        is_open=is_open,
    )


def _restore(name: str, default: object) -> str:
    """The key of an input of the search, whose value is kept."""
    key = f"{KEPT}search {name}"
    st.session_state.setdefault(key, default)
    return key


def _midnight(day: date) -> str:
    return datetime.combine(day, time.min, find_zone()).isoformat()


def _describe(summary: CaseSummary, language: Language) -> str:
    """One line of the list, as Markdown: applicant, decision, probability, what a person decided, time."""
    applicant = " ".join((summary.applicant or "").split()) or language.text(
        "case.erased" if summary.is_erased else "case.no_id"
    )
    decision = language.text(f"decision.{summary.decision}")
    if summary.final_decision:
        final = language.text(f"decision.{summary.final_decision}")
        decision = language.text("cases.final", decision=decision, final=final)
    when = language.moment(summary.time, find_zone())
    rest = f" · {decision} · {language.percent(summary.probability)} · {when}"
    return f"**{escape_markdown(applicant)}**{escape_markdown(rest)}"
