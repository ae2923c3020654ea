"""Two applicants of the table side by side: answers, reasons, and the fields in which they differ."""

from __future__ import annotations

import streamlit as st

from client import by_field, figures
from client.desk import Desk
from client.views.pick import NEW, pick


def show_compare(desk: Desk) -> None:
    """Pick two; both are scored in one request."""
    language = desk.language
    sides = st.columns(2, gap="large")
    rows = []
    for number, (side, key) in enumerate(zip(sides, ("pick.first", "pick.second"), strict=True)):
        with side:
            rows.append(pick(desk, language.say(key), key=key, first=min(number, max(len(desk.table.ids) - 1, 0))))
    picked = [row for row in rows if row is not None and row != NEW]
    if len(picked) < len(rows):
        if not desk.table.ids:
            st.info(language.say("table.none"))
        return
    applicants = [desk.table.applicants[row] for row in picked]
    names = [desk.table.ids[row] for row in picked]
    results = desk.api.score(applicants, reasons=len(desk.model.fields))
    for side, result in zip(sides, results, strict=True):
        side.html(figures.verdict(result, desk.model.policy, language))
    st.html(by_field.comparison(names, applicants, desk.model, language))
    below = st.columns(2, gap="large")
    for side, applicant, result in zip(below, applicants, results, strict=True):
        side.html(by_field.waterfall(result, desk.model, applicant, language))
