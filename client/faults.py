"""A clear page for each way in which the service can't be used: what happened, and what to do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from client.api import ApiDown, ApiError, InvalidApplicants, KeyRefused, OtherContract, ServiceFault
from client.language import Language

PAGES: dict[type[ApiError], str] = {
    ApiDown: "fault.down",
    KeyRefused: "fault.key",
    OtherContract: "fault.contract",
    ServiceFault: "fault.service",
}


@contextmanager
def explained_faults(url: str, language: Language) -> Iterator[None]:
    """Show what came before a failure of the service, and then the page for it."""
    try:
        yield
    except InvalidApplicants as error:
        st.error(f"**{language.say('faults.title')}**")
        st.text("\n".join(f"{fault.pointer}: {fault.detail}" for fault in error.faults) or str(error))
    except ApiError as error:
        page = PAGES[type(error)]
        st.header(language.say(page), anchor=False)
        st.markdown(language.say(f"{page}_help", url=f"`{url}`"))
        st.text(language.say("fault.detail", detail=str(error)[:300]))
        st.button(language.say("fault.retry"), type="primary", key=f"retry {page}")
