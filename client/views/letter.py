"""The letter to the applicant as a file to save."""

from __future__ import annotations

from datetime import date

import streamlit as st

from client.kept import KEPT
from client.language import Language
from client.letter import OnRecord, Parties, write_letter
from client.responses import Applicant, Model, Result


def show_letter(
    model: Model,
    applicant: Applicant,
    result: Result,
    reference: str,
    language: Language,
    on_record: OnRecord | None = None,
) -> None:
    """Ask for the names in the letter, and offer it for download; `on_record`: the decision that it is of."""
    with st.expander(language.text("letter.title")):
        lender = st.text_input(language.text("letter.lender"), key=f"{KEPT}lender", max_chars=100)
        name_key = f"{KEPT}name {on_record.id if on_record else reference}"
        name = st.text_input(language.text("letter.name"), key=name_key, max_chars=100)
        parties = Parties(lender, name, reference, date.today())
        decision = on_record.decision if on_record else result.decision
        st.download_button(
            language.text("letter.download"),
            write_letter(applicant, result, model, parties, language, on_record),
            file_name=f"{decision}-{_slugify(reference)}.html",
            mime="text/html",
            on_click="ignore",
        )
        st.caption(language.text("letter.print"))


def _slugify(text: str) -> str:
    """A text as part of a file name."""
    return "".join(letter if letter.isalnum() else "-" for letter in text)[:40] or "new"
