"""`streamlit run client/app.py`: the loan officer's page.

Reads top to bottom: settings, language, the model of the service, the table of applicants, one of three views.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Container, Mapping
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
    browser = (st.context.locale or DEFAULT)[:2]
    asked = _asked("lang", LANGUAGES, browser if browser in LANGUAGES else DEFAULT)
    st.set_page_config(page_title=plain_language(asked).say("app.title"), page_icon="⚖️", layout="wide")
    st.html(LOOK)
    heading, views, languages = st.columns([3, 4, 1], vertical_alignment="bottom")
    with languages:
        language = plain_language(_switch("lang", "Language · Langue", LANGUAGES))
        # What is read aloud in French is pronounced in French.
        st.html(f"<script>document.documentElement.lang = '{language.code}'</script>", unsafe_allow_javascript=True)
    heading.title(language.say("app.title"), anchor=False)
    with views:
        _asked("view", VIEWS, next(iter(VIEWS)))
        view = _switch("view", language.say("app.view"), {name: language.say(f"view.{name}") for name in VIEWS})
    try:
        settings = read_settings(os.environ)
    except SettingsError as error:
        st.header(language.say("fault.settings"), anchor=False)
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


def _asked(key: str, known: Container[str], default: str) -> str:
    """What a switch stands on: as it was set before, else as the address says, else the default."""
    if st.session_state.get(key) not in known:
        in_address = st.query_params.get(key)
        st.session_state[key] = in_address if in_address in known else default
    chosen: str = st.session_state[key]
    return chosen


def _switch(key: str, label: str, names: Mapping[str, str]) -> str:
    """A switch between names, one of which is always on; the address follows, so that it can be kept and sent."""
    chosen = st.segmented_control(
        label,
        list(names),
        format_func=names.__getitem__,
        required=True,
        key=key,
        on_change=lambda: st.query_params.update({key: st.session_state[key]}),
        label_visibility="collapsed",
    )
    return chosen or next(iter(names))


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
