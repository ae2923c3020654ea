"""Why a decision came about: warnings, waterfall, reasons, and what would change a refusal."""

from __future__ import annotations

import streamlit as st

from client import components, field_tables
from client.language import Language
from client.letter import MAX_REASONS
from client.localization import localize_change, localize_reason, localize_warning
from client.responses import Applicant, Model, Result


def show_explanation(model: Model, applicant: Applicant, result: Result, language: Language) -> None:
    """Show the explanation of a result; `result` needs the reasons of all fields."""
    fields = {field.name: field for field in model.fields}
    if result.warnings:
        st.header(language.text("warning.title"), anchor=False)
        warnings = [localize_warning(warning, applicant, fields, language) for warning in result.warnings]
        st.html(components.bullets(warnings, "warnings"))
    if waterfall := field_tables.draw_waterfall(result, model, applicant, language):
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
