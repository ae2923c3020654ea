"""Why a decision came about: rules, warnings, waterfall, reasons, and what would change a refusal."""

from __future__ import annotations

import streamlit as st

from client import components, field_tables
from client.language import Language
from client.letter import MAX_REASONS
from client.localization import describe_reason, localize_change, localize_reason, localize_warning
from client.money import write_amount
from client.responses import Applicant, Change, Model, Result


def show_explanation(model: Model, applicant: Applicant, result: Result, language: Language) -> None:
    """Show the explanation of a result; `result` needs the reasons of all fields."""
    fields = {field.name: field for field in model.fields}
    if rules := [reason for reason in result.reasons if reason.rule is not None]:
        st.header(language.text("rules.title"), anchor=False)
        st.html(components.bullets([describe_reason(one, applicant, model, language) for one in rules], "reasons"))
    if result.warnings:
        st.header(language.text("warning.title"), anchor=False)
        warnings = [localize_warning(warning, applicant, fields, language) for warning in result.warnings]
        st.html(components.bullets(warnings, "warnings"))
    if waterfall := field_tables.draw_waterfall(result, model, applicant, language):
        st.html(waterfall)
    st.header(language.text("reasons.title"), anchor=False)
    reasons = [
        localize_reason(reason, applicant, fields[reason.field], language)
        for reason in [one for one in result.reasons if one.rule is None][:MAX_REASONS]
    ]
    st.html(components.bullets(reasons or [language.text("reasons.none")], "reasons"))
    if result.decision == "refuse":
        st.header(language.text("change.title"), anchor=False)
        changes = [_describe_change(change, model, applicant, language) for change in result.what_would_change]
        st.html(components.bullets(changes or [language.text("change.none")], "changes"))


def _describe_change(change: Change, model: Model, applicant: Applicant, language: Language) -> str:
    fields = {field.name: field for field in model.fields}
    text = language.text(
        "change.effect",
        change=localize_change(change, applicant, fields[change.field], language),
        decision=language.text(f"decision.{change.decision}"),
        probability=language.percent(change.probability),
    )
    if change.expected_profit is None:
        return text
    return language.text("money.with_profit", text=text, profit=write_amount(change.expected_profit, model, language))
