"""Error pages: for each kind of failure of the service, what happened and what to do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from client.api import (
    ApiError,
    ApiUnreachable,
    ContractMismatch,
    InvalidApplicants,
    KeyRejected,
    NotFound,
    NotRecorded,
    ServiceError,
    TooLarge,
)
from client.language import Language

PAGES: dict[type[ApiError], str] = {
    ApiUnreachable: "error.unreachable",
    KeyRejected: "error.key",
    ContractMismatch: "error.contract",
    NotFound: "error.contract",
    NotRecorded: "error.recording",
    ServiceError: "error.service",
    TooLarge: "error.service",
}
"""Exception → key of the page's title; the key of its text ends in `_help`."""


@contextmanager
def show_api_errors(url: str, language: Language) -> Iterator[None]:
    """Show the error page of an ApiError that is raised inside, below what is already on the page."""
    try:
        yield
    except InvalidApplicants as error:
        st.error(f"**{language.text('error.applicant')}**")
        st.text("\n".join(f"{one.pointer}: {one.detail}" for one in error.errors) or str(error))
    except ApiError as error:
        page = PAGES[type(error)]
        st.header(language.text(page), anchor=False)
        st.markdown(language.text(f"{page}_help", url=f"`{url}`"))
        st.text(language.text("error.detail", detail=str(error)[:300]))
        st.button(language.text("error.retry"), type="primary", key=f"retry {page}")
