"""`streamlit run client/app.py`: the loan officer's page.

Reads top to bottom: settings, language, the model of the service, the table of applicants, one of three views.
"""

from __future__ import annotations

import os
import sys
from datetime import datetime
from pathlib import Path

# `streamlit run` puts this folder on the path, not the one it is in.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import streamlit as st

from client import figures
from client.answers import Model
from client.api import Api
from client.desk import Desk
from client.faults import explained_faults
from client.language import DEFAULT, LANGUAGES, Language, language_for, plain_language
from client.loaded import load
from client.settings import SettingsError, read_settings
from client.views import VIEWS

LOOK = Path(__file__).resolve().parent / "look.css"


def main() -> None:
    """Show the page once, for one visitor, as things are now."""
    st.set_page_config(page_title=plain_language(_asked_language()).say("app.title"), page_icon="⚖️", layout="wide")
    st.html(LOOK)
    heading, views, languages = st.columns([3, 4, 1], vertical_alignment="bottom")
    with languages:
        language = plain_language(_switch_language())
    heading.title(language.say("app.title"), anchor=False)
    with views:
        view = st.segmented_control(
            language.say("app.view"),
            list(VIEWS),
            format_func=lambda name: language.say(f"view.{name}"),
            default=next(iter(VIEWS)),
            required=True,
            key="view",
            bind="query-params",
            label_visibility="collapsed",
        )
    try:
        settings = read_settings(os.environ)
    except SettingsError as error:
        st.header(language.say("fault.settings"))
        st.text(str(error))
        return
    with explained_faults(settings.api_url, language):
        api = _connect(settings.api_url, settings.api_key)
        model = api.model()
        language = language_for(language.code, model, settings.table.parent)
        loaded = load(settings.table, model, language)
        VIEWS[view](Desk(api, settings.api_url, model, language, loaded.table, loaded.population))
        st.divider()
        _show_model(model, language)


def _asked_language() -> str:
    """The language of the address, else of the browser, else English."""
    asked = st.session_state.get("lang") or st.query_params.get("lang") or (st.context.locale or "")[:2]
    return asked if asked in LANGUAGES else DEFAULT


def _switch_language() -> str:
    code = st.segmented_control(
        "Language · Langue",
        list(LANGUAGES),
        format_func=LANGUAGES.__getitem__,
        default=_asked_language(),
        required=True,
        key="lang",
        bind="query-params",
        label_visibility="collapsed",
    )
    # What is read aloud in French is pronounced in French.
    st.html(f"<script>document.documentElement.lang = '{code}'</script>", unsafe_allow_javascript=True)
    return code


@st.cache_resource(show_spinner=False)
def _connect(url: str, key: str) -> Api:
    """One set of connections for all visitors."""
    return Api(url, key)


def _show_model(model: Model, language: Language) -> None:
    """Which model answered."""
    st.html(
        figures.facts(
            {
                language.say("app.model"): model.name,
                language.say("app.version"): model.version,
                language.say("app.trained"): language.day(datetime.fromisoformat(model.trained_at)),
                language.say("app.file"): model.sha256[:12],
            }
        )
    )


main()
