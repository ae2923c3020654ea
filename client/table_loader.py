"""Loads the table of applicants: the uploaded file, else the one of the settings; kept only in the user's session."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from client.language import Language
from client.population import Population, population_of
from client.responses import Model
from client.table import Table, TableError, read_table

NO_TABLE = Table("", "", (), ())


@dataclass(frozen=True, slots=True)
class LoadedTable:
    """A table, the file and model it was read for (`source`), and the error if it can't be read."""

    source: tuple[str, str]
    table: Table
    population: Population
    error: TableError | None


def load_table(path: Path, model: Model, language: Language) -> LoadedTable:
    """Read the table, once per file and model, and show its name and an upload button."""
    uploaded = st.session_state.get("upload")
    source = (uploaded.file_id if uploaded else str(path), model.sha256)
    loaded: LoadedTable | None = st.session_state.get("loaded")
    if loaded is None or loaded.source != source:
        table, table_error = NO_TABLE, None
        try:
            name, content = (uploaded.name, uploaded.getvalue()) if uploaded else (path.name, path.read_bytes())
            table = read_table(name, content, model.fields)
        except OSError:
            table_error = TableError("table.absent", file=str(path))
        except TableError as error:
            table_error = error
        loaded = LoadedTable(source, table, population_of(table.applicants, model.fields), table_error)
        st.session_state["loaded"] = loaded
    _show(loaded, model, language)
    return loaded


def _show(loaded: LoadedTable, model: Model, language: Language) -> None:
    if loaded.error:
        st.warning(language.text(loaded.error.key, **loaded.error.values))
        title = language.text("table.none")
    else:
        rows = language.number(len(loaded.table.ids))
        title = language.text("table.title", file=loaded.table.name, rows=rows)
    with st.expander(title, expanded=loaded.error is not None):
        st.file_uploader(
            language.text("table.upload"), type=["csv", "txt"], key="upload", help=language.text("table.help")
        )
        st.caption(language.text("table.fields", fields=", ".join(field.name for field in model.fields)))
