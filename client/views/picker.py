"""Selection of an applicant of the table by id."""

from __future__ import annotations

import streamlit as st

from client.app_state import AppState
from client.kept import KEPT

MAX_OPTIONS = 5_000
"""Maximum length of the drop-down list; a longer one is slow to send to the browser, so that the id is typed."""

NEW = -1
"""Row number of a new applicant, whose form is empty."""


def pick_row(state: AppState, label: str, *, key: str, default: int = 0, is_new_allowed: bool = False) -> int | None:
    """Show the picker; returns the row of the table, NEW for an empty form, or None if the typed id is unknown."""
    table, language = state.table, state.language
    if not table.ids:
        return NEW
    if len(table.ids) > MAX_OPTIONS:
        return _type_id(state, label, key, default)
    kept = f"{KEPT}{key} {table.sha256}"
    st.session_state.setdefault(kept, min(default, len(table.ids) - 1))
    row: int = st.selectbox(
        label,
        [*([NEW] if is_new_allowed else []), *range(len(table.ids))],
        format_func=lambda row: language.text("pick.new") if row == NEW else table.ids[row],
        key=kept,
    )
    return row


def _type_id(state: AppState, label: str, key: str, default: int) -> int | None:
    table = state.table
    kept = f"{KEPT}{key} {table.sha256}"
    st.session_state.setdefault(kept, table.ids[default])
    typed = st.text_input(label, key=kept).strip()
    if typed not in table.ids:
        st.warning(state.language.text("pick.unknown", file=table.name, id=repr(typed[:40])))
        return None
    return table.ids.index(typed)
