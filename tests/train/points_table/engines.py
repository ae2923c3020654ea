"""Engines that run scorecard.sql and recalculate scorecard.xlsx, for tests and the benchmark."""

from __future__ import annotations

import io
import sqlite3
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import psycopg
from python_calamine import CalamineWorkbook

from model.contract import Field
from train.dataset import Matrix
from train.points_table.sql_text import quote_name

ROW = "row number"
"""The column that keeps the order of applicants."""

ALWAYS_RECALCULATE = """<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry">
<item oor:path="/org.openoffice.Office.Calc/Formula/Load">
<prop oor:name="OOXMLRecalcMode" oor:op="fuse"><value>0</value></prop>
</item>
</oor:items>
"""
"""LibreOffice's settings; without them it may show the results that a file brings."""


def make_frame(fields: Sequence[Field], X: Matrix) -> pd.DataFrame:
    """Applicants as a caller's table has them: numbers, levels as text, NaN and None for missing values."""
    columns: dict[str, Any] = {ROW: np.arange(len(X))}
    for field, values in zip(fields, X.T, strict=True):
        if field.kind == "category":
            words = np.array([*field.levels, None], dtype=object)
            columns[field.name] = words[np.where(np.isnan(values), len(field.levels), values).astype(int)]
        else:
            columns[field.name] = values
    return pd.DataFrame(columns)


def run_sqlite(sql: str, fields: Sequence[Field], X: Matrix) -> pd.DataFrame:
    """All columns of the SELECT, in the order of the applicants."""
    with sqlite3.connect(":memory:") as connection:
        connection.execute(_write_create(fields, "REAL"))
        rows = make_frame(fields, X).itertuples(index=False, name=None)
        connection.executemany(f"INSERT INTO applicants VALUES ({', '.join('?' * (len(fields) + 1))})", rows)  # noqa: S608
        found = connection.execute(sql)
        return _sort(found.fetchall(), [column[0] for column in found.description])


def run_duckdb(sql: str, fields: Sequence[Field], X: Matrix) -> pd.DataFrame:
    """As run_sqlite."""
    with duckdb.connect() as connection:
        frame = make_frame(fields, X)
        connection.register("frame", frame)
        connection.execute(_write_create(fields, "DOUBLE"))
        connection.execute("INSERT INTO applicants SELECT * FROM frame")
        found = connection.execute(sql)
        return _sort(found.fetchall(), [column[0] for column in found.description])


def run_postgres(url: str, sql: str, fields: Sequence[Field], X: Matrix) -> pd.DataFrame:
    """As run_sqlite; a missing number is NaN."""
    with psycopg.connect(url, autocommit=True) as connection, connection.cursor() as cursor:
        cursor.execute(_write_create(fields, "DOUBLE PRECISION").encode())
        table = io.BytesIO()
        make_frame(fields, X).to_csv(table, index=False, header=False, na_rep="NaN")
        table.seek(0)
        with cursor.copy("COPY applicants FROM STDIN WITH (FORMAT csv, NULL 'NaN')") as copy:
            copy.write(table.getvalue())
        cursor.execute(sql.encode())
        assert cursor.description is not None
        return _sort(cursor.fetchall(), [column.name for column in cursor.description])


def recalculate(office: str, content: bytes, folder: Path) -> CalamineWorkbook:
    """The workbook with the results of LibreOffice; `office`: its program."""
    profile = folder / "profile"
    (profile / "user").mkdir(parents=True, exist_ok=True)
    (profile / "user" / "registrymodifications.xcu").write_text(ALWAYS_RECALCULATE)
    (folder / "scorecard.xlsx").write_bytes(content)
    options = [f"-env:UserInstallation={profile.resolve().as_uri()}", "--headless", "--convert-to", "xlsx"]
    target = ["--outdir", str(folder / "recalculated"), str(folder / "scorecard.xlsx")]
    subprocess.run([office, *options, *target], check=True, capture_output=True)
    return CalamineWorkbook.from_path(str(folder / "recalculated" / "scorecard.xlsx"))


def read_batch(book: CalamineWorkbook, n_fields: int) -> pd.DataFrame:
    """The points, total, probability and decision of each row of the sheet Batch."""
    heads, *rows = book.get_sheet_by_name("Batch").to_python()
    return pd.DataFrame([row[n_fields:] for row in rows], columns=heads[n_fields:])


def _write_create(fields: Sequence[Field], number: str) -> str:
    kinds = {"number": number, "category": "TEXT"}
    columns = [f"{quote_name(ROW)} INTEGER", *(f"{quote_name(field.name)} {kinds[field.kind]}" for field in fields)]
    return f"CREATE TABLE applicants ({', '.join(columns)})"


def _sort(rows: list[Any], columns: list[str]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=columns).sort_values(ROW, ignore_index=True)
