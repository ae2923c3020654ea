"""Texts of others in Streamlit's labels and messages, which are Markdown."""

from __future__ import annotations

import re


def escape_markdown(text: str) -> str:
    """A text that Streamlit shows as it is."""
    return re.sub(r"([\\`*_{}\[\]<>()#+\-.!|$~:])", r"\\\1", text)
