"""Two applicants of the table side by side: results, reasons, and the fields in which they differ."""

from __future__ import annotations

import streamlit as st

from client import components, field_tables
from client.app_state import AppState
from client.portfolio import describe_fault
from client.views.picker import NEW, pick_row
from client.views.scoring import ask_results


def show_comparison(state: AppState) -> None:
    """Show two pickers and both results, scored in one request."""
    language = state.language
    sides = st.columns(2, gap="large")
    rows = []
    for number, (side, key) in enumerate(zip(sides, ("pick.first", "pick.second"), strict=True)):
        with side:
            default = min(number, max(len(state.table.ids) - 1, 0))
            rows.append(pick_row(state, language.text(key), key=key, default=default))
    picked = [row for row in rows if row is not None and row != NEW]
    if len(picked) < len(rows):
        if not state.table.ids:
            st.info(language.text("table.none"))
        return
    faulty = [(row, state.table.faults[row]) for row in picked if row in state.table.faults]
    for row, fault in faulty:
        st.error(f"**{language.text('error.applicant')}**")
        st.text(f"{state.table.ids[row]}: {describe_fault(state.table, row, fault, language)}")
    if faulty:
        return
    applicants = [state.table.applicants[row] for row in picked]
    names = [state.table.ids[row] for row in picked]
    results = ask_results(state, applicants, [state.table.given_id(row) for row in picked])
    if results is None:
        return
    for side, result in zip(sides, results, strict=True):
        side.html(components.verdict(result, state.model, language))
    st.html(field_tables.draw_comparison(names, applicants, state.model, language))
    below = st.columns(2, gap="large")
    for side, applicant, result in zip(below, applicants, results, strict=True):
        if waterfall := field_tables.draw_waterfall(result, state.model, applicant, language):
            side.html(waterfall)
