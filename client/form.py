"""The form of one applicant, built from the fields of the model: labels, units, levels, bounds, help.

A value outside its documented bounds is let through: the service scores it and warns.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import streamlit as st

from client.answers import Applicant, Field, Value
from client.language import Language

STEPS = 50
"""About so many clicks lead from one documented bound of a number to the other."""


def ask(fields: Sequence[Field], applicant: Applicant, key: str, language: Language) -> Applicant:
    """Show the form, filled with an applicant; returns the values as they are now.

    `key` names this applicant: another one has another, or would inherit what was typed.
    """
    answers: Applicant = {}
    # Row by row, so that on a phone, where columns stand below each other, the order is the card's.
    for start in range(0, len(fields), 2):
        for column, field in zip(st.columns(2), fields[start : start + 2], strict=False):
            with column:
                answers[field.name] = _ask_field(field, applicant[field.name], f"{key}/{field.name}", language)
    return answers


def _ask_field(field: Field, value: Value, key: str, language: Language) -> Value:
    label, help_text, gap = language.label(field), _help(field, language), language.say("value.missing")
    is_number = field.kind == "number" and not isinstance(value, str)
    if key not in st.session_state:
        # Not as the widget's default: only a widget that begins empty can be emptied.
        st.session_state[key] = float(value) if is_number and value is not None else value
    if is_number:
        return st.number_input(
            label, value=None, step=_step(field), format="%.12g", key=key, help=help_text, placeholder=gap
        )
    # A text that the model doesn't know stays visible: the service will say what is wrong with it.
    known = [*field.levels, *([str(value)] if value is not None and value not in field.levels else [])]
    return st.selectbox(label, known, index=None, format_func=language.word, key=key, help=help_text, placeholder=gap)


def _step(field: Field) -> float:
    """A power of ten that leads from bound to bound in some fifty clicks; 1 where a bound is not documented."""
    if field.minimum is None or field.maximum is None or not field.maximum > field.minimum:
        return 1.0
    return float(10.0 ** math.floor(math.log10((field.maximum - field.minimum) / STEPS)))


def _help(field: Field, language: Language) -> str:
    low = None if field.minimum is None else language.number(field.minimum)
    high = None if field.maximum is None else language.number(field.maximum)
    bounds = ""
    if low is not None and high is not None:
        bounds = language.say("form.range", low=low, high=high)
    elif low is not None:
        bounds = language.say("form.from", low=low)
    elif high is not None:
        bounds = language.say("form.to", high=high)
    return f"{bounds} {language.say('form.nullable' if field.nullable else 'form.required')}".strip()
