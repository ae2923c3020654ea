"""`streamlit run client/app.py`: the user interface for loan officers.

Streamlit runs this script from top to bottom at each interaction: settings, language, model, table of applicants,
then one of the views.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Container, Mapping
from datetime import datetime
from pathlib import Path

# `streamlit run` puts client/ on the path; the package `client` is in its parent folder.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import streamlit as st

from client import components
from client.api import Api
from client.app_state import AppState
from client.error_pages import show_api_errors
from client.kept import keep_inputs
from client.language import DEFAULT, LANGUAGES, Language, add_translations, read_language
from client.responses import Model
from client.settings import SettingsError, read_settings
from client.table_loader import load_table
from client.views import VIEWS
from client.views.case_address import find_open_case

STYLE_SHEET = Path(__file__).resolve().parent / "style.css"


def main() -> None:
    """Render the page once for one session."""
    keep_inputs()
    browser_language = (st.context.locale or DEFAULT)[:2]
    code = _initial_option("lang", LANGUAGES, browser_language if browser_language in LANGUAGES else DEFAULT)
    st.set_page_config(page_title=read_language(code).text("app.title"), page_icon="⚖️", layout="wide")
    st.html(STYLE_SHEET)
    heading, views, languages = st.columns([3, 4, 1], vertical_alignment="bottom")
    with languages:
        language = read_language(_show_switch("lang", "Language · Langue", LANGUAGES))
        # Screen readers choose the pronunciation by this attribute.
        st.html(f"<script>document.documentElement.lang = '{language.code}'</script>", unsafe_allow_javascript=True)
    heading.title(language.text("app.title"), anchor=False)
    with views:
        _initial_option("view", VIEWS, "cases" if find_open_case() else next(iter(VIEWS)))
        view = _show_switch("view", language.text("app.view"), {name: language.text(f"view.{name}") for name in VIEWS})
    try:
        settings = read_settings(os.environ)
    except SettingsError as error:
        st.header(language.text("error.settings"), anchor=False)
        st.text(str(error))
        return
    with show_api_errors(settings.api_url, language):
        api = _connect(settings.api_url, settings.api_key)
        model = api.model()
        language = add_translations(language, model, settings.table.parent)
        loaded = load_table(settings.table, api, model, language)
        VIEWS[view](AppState(api, settings.api_url, model, language, loaded.table, loaded.population, api.recording()))
        st.divider()
        _show_model(model, language)


def _initial_option(key: str, options: Container[str], default: str) -> str:
    """The selected option of a switch: from this session, else from the page's query string, else the default."""
    if st.session_state.get(key) not in options:
        requested = st.query_params.get(key)
        st.session_state[key] = requested if requested in options else default
    selected: str = st.session_state[key]
    return selected


def _show_switch(key: str, label: str, names: Mapping[str, str]) -> str:
    """Show a switch with one option always selected; the selection is kept in the page's query string."""
    selected = st.segmented_control(
        label,
        list(names),
        format_func=names.__getitem__,
        required=True,
        key=key,
        on_change=lambda: st.query_params.update({key: st.session_state[key]}),
        label_visibility="collapsed",
    )
    return selected or next(iter(names))


@st.cache_resource(show_spinner=False)
def _connect(url: str, key: str) -> Api:
    """One connection pool for all sessions."""
    return Api(url, key)


def _show_model(model: Model, language: Language) -> None:
    """Show which model answers."""
    st.html(
        components.facts(
            {
                language.text("app.model"): model.name,
                language.text("app.version"): model.version,
                language.text("app.trained"): language.day(datetime.fromisoformat(model.trained_at)),
                language.text("app.file"): model.sha256[:12],
            }
        )
    )


main()
