"""One applicant: pick or fill in, see the decision and why, change a field and see it move, save the letter."""

from __future__ import annotations

from datetime import date

import streamlit as st

from client import by_field, figures
from client.answers import Applicant, Result
from client.desk import Desk
from client.faults import explained_faults
from client.form import ask
from client.letter import Parties, write_letter
from client.views.pick import NEW, empty, pick
from client.wording import word_change, word_reason, word_remark


def show_one(desk: Desk) -> None:
    """Pick an applicant; all below it moves by itself."""
    row = pick(desk, desk.language.say("pick.label"), key="one", may_be_new=True)
    if row is not None:
        _what_if(desk, row)


@st.fragment
def _what_if(desk: Desk, row: int) -> None:
    """The form and its answer: a change of a field runs this part of the page again, and nothing else."""
    language = desk.language
    applicant = empty(desk) if row == NEW else desk.table.applicants[row]
    reference = "" if row == NEW else desk.table.ids[row]
    turn = f"turn {desk.table.sha256} {row}"
    with explained_faults(desk.url, language):
        top = st.container(key="verdict")
        left, right = st.columns([5, 6], gap="large")
        with left:
            st.header(language.say("form.title"), anchor=False)
            key = f"{desk.table.sha256}/{row}/{st.session_state.get(turn, 0)}"
            edited = ask(desk.model.fields, applicant, key, language)
            changed = edited != applicant and row != NEW
            st.caption(language.say("form.hint"))
            st.button(language.say("form.reset"), on_click=_reset, args=(turn,), disabled=not changed)
        gaps = [field for field in desk.model.fields if edited[field.name] is None and not field.nullable]
        if gaps:
            labels = ", ".join(language.word(field.label) for field in gaps)
            top.info(language.say("form.fill", fields=labels))
            return
        asked = [edited, applicant] if changed else [edited]
        answers = desk.api.score(asked, reasons=len(desk.model.fields), what_would_change=True)
        before = answers[1] if changed else None
        top.html(figures.verdict(answers[0], desk.model.policy, language, before=before))
        with right:
            _show_why(desk, edited, answers[0])
        _show_letter(desk, edited, answers[0], reference)


def _reset(turn: str) -> None:
    st.session_state[turn] = st.session_state.get(turn, 0) + 1


def _show_why(desk: Desk, applicant: Applicant, result: Result) -> None:
    """Warnings, how the points come about, reasons in words, what would change the decision, the others."""
    language = desk.language
    fields = {field.name: field for field in desk.model.fields}
    if result.warnings:
        st.header(language.say("warning.title"), anchor=False)
        remarks = [word_remark(remark, applicant, fields, language) for remark in result.warnings]
        st.html(figures.bullets(remarks, "warnings"))
    st.html(by_field.waterfall(result, desk.model, applicant, language))
    st.header(language.say("reasons.title"), anchor=False)
    reasons = [word_reason(reason, applicant, fields[reason.field], language) for reason in result.reasons[:4]]
    st.html(figures.bullets(reasons or [language.say("reasons.none")], "reasons"))
    if result.decision == "refuse":
        st.header(language.say("change.title"), anchor=False)
        changes = [
            language.say(
                "change.effect",
                change=word_change(change, applicant, fields[change.field], language),
                decision=language.say(f"decision.{change.decision}"),
                probability=language.percent(change.probability),
            )
            for change in result.what_would_change
        ]
        st.html(figures.bullets(changes or [language.say("change.none")], "changes"))
    if desk.population.size:
        st.html(by_field.standing(applicant, desk.model, desk.population, language))


def _show_letter(desk: Desk, applicant: Applicant, result: Result, reference: str) -> None:
    language = desk.language
    with st.expander(language.say("letter.title")):
        lender = st.text_input(language.say("letter.lender"), key="lender", max_chars=100)
        name = st.text_input(language.say("letter.name"), key=f"name {desk.table.sha256} {reference}", max_chars=100)
        parties = Parties(lender, name, reference, date.today())
        letter = write_letter(applicant, result, desk.model, parties, language)
        st.download_button(
            language.say("letter.download"),
            letter,
            file_name=f"{result.decision}-{_plain(reference)}.html",
            mime="text/html",
            on_click="ignore",
        )
        st.caption(language.say("letter.print"))


def _plain(text: str) -> str:
    """A text as part of a file's name."""
    return "".join(letter if letter.isalnum() else "-" for letter in text)[:40] or "new"
