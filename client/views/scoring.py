"""Asking the service for results, so that its record holds what somebody asked for and nothing else.

A service that records its decisions records each answer. There the page asks after a click, and once for the same
input, model and session, so that neither a look around nor a change of a field puts decisions on record.
"""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from client.app_state import AppState
from client.responses import Applicant, Result


def ask_results(state: AppState, applicants: Sequence[Applicant], ids: Sequence[str | None]) -> Sequence[Result] | None:
    """The results of applicants, with the reasons of all fields; None before the click that recording needs.

    Raises ApiError.
    """
    if state.recording == "off":
        return _score(state, applicants, ids)
    pairs = list(zip(applicants, ids, strict=True))
    unknown = [pair for pair in pairs if find_result(state, *pair) is None]
    if unknown:
        place = st.empty()
        with place.container():
            st.markdown(state.language.text("score.recorded"))
            if not st.button(state.language.text("score.button"), type="primary", key="score"):
                return None
            results = _score(state, *zip(*unknown, strict=True))
        place.empty()
        known = st.session_state.setdefault("scored", {})
        known.update(zip([_identify(state, *pair) for pair in unknown], results, strict=True))
    return [result for pair in pairs if (result := find_result(state, *pair))]


def find_result(state: AppState, applicant: Applicant, given_id: str | None) -> Result | None:
    """The result that this session was given for an applicant, and the service has on record; else None."""
    known: dict[tuple[object, ...], Result] = st.session_state.get("scored", {})
    return known.get(_identify(state, applicant, given_id))


def _identify(state: AppState, applicant: Applicant, given_id: str | None) -> tuple[object, ...]:
    return (state.model.sha256, given_id, *applicant.values())


def _score(state: AppState, applicants: Sequence[Applicant], ids: Sequence[str | None]) -> Sequence[Result]:
    reasons = len(state.model.fields) + len(state.model.policy.rules)
    return state.api.score(applicants, ids, reasons=reasons, what_would_change=True)
