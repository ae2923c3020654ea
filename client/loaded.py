"""The table that is loaded: the visitor's own, or the one of the settings; kept in the session, nowhere else."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from client.answers import Model
from client.language import Language
from client.population import Population, population_of
from client.table import Table, TableError, read_table

NO_TABLE = Table("", "", (), ())


@dataclass(frozen=True, slots=True)
class Loaded:
    """A table and its population; `stamp` says which file and which model it was read for, `fault` why it is empty."""

    stamp: tuple[str, str]
    table: Table
    population: Population
    fault: TableError | None


def load(path: Path, model: Model, language: Language) -> Loaded:
    """Show which table is loaded and a way to load another; read it once per file and model."""
    uploaded = st.session_state.get("upload")
    stamp = (uploaded.file_id if uploaded else str(path), model.sha256)
    loaded: Loaded | None = st.session_state.get("loaded")
    if loaded is None or loaded.stamp != stamp:
        table, fault = NO_TABLE, None
        try:
            name, content = (uploaded.name, uploaded.getvalue()) if uploaded else (path.name, path.read_bytes())
            table = read_table(name, content, model.fields)
        except OSError:
            fault = TableError("table.absent", file=str(path))
        except TableError as error:
            fault = error
        loaded = Loaded(stamp, table, population_of(table.applicants, model.fields), fault)
        st.session_state["loaded"] = loaded
    _show(loaded, model, language)
    return loaded


def _show(loaded: Loaded, model: Model, language: Language) -> None:
    if loaded.fault:
        st.warning(language.say(loaded.fault.key, **loaded.fault.values))
        title = language.say("table.none")
    else:
        rows = language.number(len(loaded.table.ids))
        title = language.say("table.title", file=loaded.table.name, rows=rows)
    with st.expander(title, expanded=loaded.fault is not None):
        st.file_uploader(
            language.say("table.upload"), type=["csv", "txt"], key="upload", help=language.say("table.help")
        )
        st.caption(language.say("table.fields", fields=", ".join(field.name for field in model.fields)))
