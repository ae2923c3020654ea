"""Loads the table of applicants: the uploaded file, else the one of the settings; kept only in the user's session."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from client.api import Api
from client.language import Language
from client.markdown import escape_markdown
from client.population import Population, population_of
from client.responses import Dialect, Model
from client.table import Options, Table, TableError, read_table

NO_TABLE = Table("", "", (), ())

SEPARATORS = {",": "separator.comma", ";": "separator.semicolon", "\t": "separator.tab", "|": "separator.pipe"}
DECIMALS = {".": "decimal.point", ",": "decimal.comma"}
"""Mark → key of its name."""


@dataclass(frozen=True, slots=True)
class LoadedTable:
    """A table, the file, model and options it was read for (`source`), and the error if it can't be read."""

    source: tuple[str, str, Options]
    table: Table
    population: Population
    error: TableError | None


def load_table(path: Path, api: Api, model: Model, language: Language) -> LoadedTable:
    """Read the table, once per file, model and options, and show its name, how it was read and an upload button.

    Raises ApiError.
    """
    uploaded = st.session_state.get("upload")
    file = uploaded.file_id if uploaded else str(path)
    options = Options(*(st.session_state.get(f"{option} {file}", "") for option in Options._fields))
    source = (file, model.sha256, options)
    loaded: LoadedTable | None = st.session_state.get("loaded")
    if loaded is None or loaded.source != source:
        table, table_error = NO_TABLE, None
        try:
            name, content = (uploaded.name, uploaded.getvalue()) if uploaded else (path.name, path.read_bytes())
            table = read_table(api, name, content, model.fields, options)
        except OSError:
            table_error = TableError("table.absent", file=str(path))
        except TableError as error:
            table_error = error
        loaded = LoadedTable(source, table, population_of(table.sound, model.fields), table_error)
        st.session_state["loaded"] = loaded
    _show(loaded, model, language)
    return loaded


def _show(loaded: LoadedTable, model: Model, language: Language) -> None:
    table, error = loaded.table, loaded.error
    if error:
        values = {name: escape_markdown(value) for name, value in error.values.items()}
        st.warning(language.text(error.key, **values))
        title = language.text("table.none")
    else:
        title = language.text("table.title", file=table.name, rows=language.number(len(table.ids)))
    with st.expander(title, expanded=error is not None):
        st.file_uploader(
            language.text("table.upload"),
            type=["csv", "tsv", "txt", "gz", "xlsx", "xls"],
            key="upload",
            help=language.text("table.help"),
        )
        st.caption(language.text("table.fields", fields=", ".join(field.name for field in model.fields)))
        if not table.sheet:
            _show_options(loaded.source[0], language)
    if table.sheet:
        key = "table.read_sheet" if table.sheet.n_sheets == 1 else "table.read_first_sheet"
        read_as = language.text(key, sheet=table.sheet.name, sheets=language.number(table.sheet.n_sheets))
        st.caption(escape_markdown(read_as))
    elif table.dialect:
        st.caption(escape_markdown(describe_dialect(table.dialect, language)))


def _show_options(file: str, language: Language) -> None:
    """Show how the file is to be read, where the user knows better than the service."""
    marks = (SEPARATORS, DECIMALS)
    for column, option, names in zip(st.columns(2), Options._fields, marks, strict=True):
        texts = {"": language.text("table.found"), **{mark: language.text(key) for mark, key in names.items()}}
        column.radio(
            language.text(f"table.{option}"),
            list(texts),
            format_func=texts.__getitem__,
            horizontal=True,
            key=f"{option} {file}",
        )


def describe_dialect(dialect: Dialect, language: Language) -> str:
    """How a text table was read: 'Read as: semicolon, decimal comma, cp1252'."""
    key = SEPARATORS.get(dialect.separator)
    return language.text(
        "table.read_as",
        separator=language.text(key) if key else dialect.separator,
        decimal=language.text(DECIMALS.get(dialect.decimal or "", "decimal.none")),
        encoding=dialect.encoding.upper() if dialect.encoding.startswith("utf") else dialect.encoding,
    )
