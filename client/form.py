"""The application form, built from the fields of the model: labels, units, levels, bounds, help.

Values outside the documented bounds are allowed: the service scores them and warns.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import streamlit as st

from client.language import Language
from client.responses import Applicant, Field, Value

STEPS = 50
"""Approximate number of clicks from the minimum of a number to its maximum."""


def show_form(fields: Sequence[Field], applicant: Applicant, key: str, language: Language) -> Applicant:
    """Show the form filled with an applicant; returns the values as edited.

    `key` must differ between applicants: Streamlit keeps what was typed under the same key.
    """
    edited: Applicant = {}
    # Two fields per row of columns: a phone stacks the columns of a row, which keeps the order of the card.
    for start in range(0, len(fields), 2):
        for column, field in zip(st.columns(2), fields[start : start + 2], strict=False):
            with column:
                edited[field.name] = _show_field(field, applicant[field.name], f"{key}/{field.name}", language)
    return edited


def _show_field(field: Field, value: Value, key: str, language: Language) -> Value:
    label, help_text, placeholder = language.label(field), _describe(field, language), language.text("value.missing")
    is_number = field.kind == "number"
    if key not in st.session_state:
        # Set here, not as the widget's default: Streamlit lets a user empty only a widget whose default is empty.
        st.session_state[key] = float(value) if isinstance(value, float | int) else value
    if is_number:
        return st.number_input(
            label, value=None, step=_step(field), format="%.12g", key=key, help=help_text, placeholder=placeholder
        )
    # An unknown level stays visible, so that the user sees which value the service rejects.
    levels = [*field.levels, *([str(value)] if value is not None and value not in field.levels else [])]
    return st.selectbox(
        label, levels, index=None, format_func=language.translate, key=key, help=help_text, placeholder=placeholder
    )


def _step(field: Field) -> float:
    """The step of a number input: a power of ten for about STEPS steps between the bounds; 1 without both bounds."""
    if field.minimum is None or field.maximum is None or not field.maximum > field.minimum:
        return 1.0
    return float(10.0 ** math.floor(math.log10((field.maximum - field.minimum) / STEPS)))


def _describe(field: Field, language: Language) -> str:
    low = None if field.minimum is None else language.number(field.minimum)
    high = None if field.maximum is None else language.number(field.maximum)
    bounds = ""
    if low is not None and high is not None:
        bounds = language.text("form.range", low=low, high=high)
    elif low is not None:
        bounds = language.text("form.from", low=low)
    elif high is not None:
        bounds = language.text("form.to", high=high)
    return f"{bounds} {language.text('form.nullable' if field.nullable else 'form.required')}".strip()
