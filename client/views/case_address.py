"""The address of a case: its id is in the page's query string, so that it can be sent to a colleague.

The id is a random number: nothing in the address is personal.
"""

from __future__ import annotations

from urllib.parse import urlsplit

import streamlit as st


def open_case(case_id: str) -> None:
    """Go to a case; for the callback of a button."""
    st.session_state["view"] = "cases"
    st.query_params.from_dict({**st.query_params.to_dict(), "view": "cases", "case": case_id})


def close_case() -> None:
    """Go to the list of cases; for the callback of a button."""
    st.query_params.pop("case", None)


def find_open_case() -> str | None:
    """The id in the address, which anybody may have written; None if there is none."""
    return st.query_params.get("case")


def make_address(case_id: str) -> str:
    """The address of a case in full."""
    url = urlsplit(st.context.url or "")
    return url._replace(path=url.path or "/", query=f"case={case_id}", fragment="").geturl()
