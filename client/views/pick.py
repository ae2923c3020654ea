"""Picking an applicant of the table by id."""

from __future__ import annotations

import streamlit as st

from client.answers import Applicant
from client.desk import Desk

MOST_OPTIONS = 5_000
"""A longer list of ids is slow to send to the browser: then the id is typed."""

NEW = -1


def pick(desk: Desk, label: str, *, key: str, first: int = 0, may_be_new: bool = False) -> int | None:
    """The row of the table that was picked, NEW for an empty form, None if what was typed is no id."""
    table, language = desk.table, desk.language
    if not table.ids:
        return NEW
    if len(table.ids) > MOST_OPTIONS:
        return _typed(desk, label, key, first)
    rows = [*([NEW] if may_be_new else []), *range(len(table.ids))]
    picked: int = st.selectbox(
        label,
        rows,
        index=min(first + may_be_new, len(rows) - 1),
        format_func=lambda row: language.say("pick.new") if row == NEW else table.ids[row],
        key=f"{key} {table.sha256}",
    )
    return picked


def empty(desk: Desk) -> Applicant:
    """An applicant of whom nothing is known."""
    return dict.fromkeys((field.name for field in desk.model.fields), None)


def _typed(desk: Desk, label: str, key: str, first: int) -> int | None:
    table = desk.table
    typed = st.text_input(label, value=table.ids[first], key=f"{key} {table.sha256}").strip()
    if typed not in table.ids:
        st.warning(desk.language.say("pick.unknown", file=table.name, id=repr(typed[:40])))
        return None
    return table.ids.index(typed)
