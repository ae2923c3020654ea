"""scorecard.sql in SQLite, DuckDB and PostgreSQL: the points of every applicant, and the decision."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import psycopg
import pytest
from msgspec import structs

from model.policy import DECISIONS
from model.session import Model
from tests.train.points_table.engines import run_duckdb, run_postgres, run_sqlite
from tests.train.points_table.scorecards import FIELDS, POLICIES, REQUIRED, SCORECARD, draw_applicants, make_table
from train.card import Card
from train.dataset import Dataset, Matrix
from train.points_table.bins import ContractScorecard
from train.points_table.files import explain_no_sql
from train.points_table.sql import find_clash, render_sql
from train.points_table.sql_conditions import list_branches, write_case
from train.points_table.sql_text import quote_name

ENGINES = {"SQLite": run_sqlite, "DuckDB": run_duckdb}

CLOSE = 1e-12
"""Relative difference of probabilities and amounts: engines compute exp differently in the last bits."""


def check(found: pd.DataFrame, table: ContractScorecard, X: Matrix, points: str = "points") -> None:
    """The points of every field and pair, the total, the probability and the decision."""
    first = X.shape[1] + 1
    parts = table.read_points(X)
    total = table.total_points(X)
    assert np.array_equal(found.iloc[:, first : first + parts.shape[1]].to_numpy(), parts)
    assert np.array_equal(found[points], total)
    np.testing.assert_allclose(found["probability"], table.probability(total), rtol=CLOSE)
    decision = table.contract.policy.decide(table.probability(total), X)
    assert found["decision"].tolist() == [DECISIONS[index] for index in decision]


def check_rules(found: pd.DataFrame, table: ContractScorecard, X: Matrix) -> None:
    """The names of the rules that decided; no such column without rules."""
    policy = table.contract.policy
    assert ("rules" in found) == bool(policy.rules)
    if policy.rules:
        decision = policy.decide(table.probability(table.total_points(X)), X)
        decided = ["; ".join(rule.name for rule in one) for one in policy.list_deciding_rules(decision, X)]
        assert found["rules"].fillna("").tolist() == decided


@pytest.mark.parametrize("engine", list(ENGINES))
def test_every_row_of_credit_data_has_the_points_of_the_graph(
    table: ContractScorecard, scorecard_model: Model, credit_data: tuple[Card, Dataset], engine: str
) -> None:
    """Found by the engine alone."""
    X = credit_data[1].X

    found = ENGINES[engine](render_sql(table, "applicants").decode(), table.contract.fields, X)

    assert np.array_equal(found["points"], table.contract.policy.score_points(scorecard_model.score(X).probability))
    check(found, table, X)


@pytest.mark.parametrize(("engine", "rows"), [("SQLite", 20_000), ("DuckDB", 100_000)])
def test_odd_names_and_numbers_have_the_right_points(engine: str, rows: int) -> None:
    """Quotes, line breaks, levels that differ in case, values one step of the last digit below an edge."""
    table = make_table()
    X = draw_applicants(table, rows, 1)

    check(ENGINES[engine](render_sql(table, "applicants").decode(), FIELDS, X), table, X, "points_2")


def test_postgresql_gives_the_same_points(postgresql_url: str) -> None:
    """As the other two."""
    table = make_table()
    X = draw_applicants(table, 10_000, 2)

    check(run_postgres(postgresql_url, render_sql(table, "applicants").decode(), FIELDS, X), table, X, "points_2")


@pytest.mark.parametrize("policy", list(POLICIES))
@pytest.mark.parametrize("engine", list(ENGINES))
def test_the_policy_decides_as_in_the_graph(engine: str, policy: str) -> None:
    """Thresholds, rules and money; a missing amount is reviewed."""
    table = make_table(policy)
    X = draw_applicants(table, 2_000, 3)
    X[:, 0] = np.where(np.abs(X[:, 0]) > 1e6, 1234.5, X[:, 0])

    found = ENGINES[engine](render_sql(table, "applicants").decode(), FIELDS, X)

    check(found, table, X, "points_2")
    check_rules(found, table, X)
    money = table.contract.policy.money
    if money is not None:
        p = table.probability(table.total_points(X))
        np.testing.assert_allclose(found["expected_loss"].astype(float), money.expected_loss(p, X), rtol=CLOSE)
        profit, stakes = money.expected_profit(p, X), money.stakes(X)
        np.testing.assert_allclose(
            found["expected_profit"].astype(float), profit, rtol=CLOSE, atol=CLOSE * np.nanmax(stakes.loss)
        )


def score_one(connection: Any, amount: str, home: str = "NULL") -> tuple[Any, ...]:
    """The points of amount and home, the total and the decision of one applicant without other values."""
    table = make_table("rules")
    values = [amount, "NULL", home, "NULL", "NULL", "NULL"]
    columns = [f"{value} AS {quote_name(field.name)}" for field, value in zip(FIELDS, values, strict=True)]
    connection.execute(f"CREATE TABLE applicants AS SELECT {', '.join(columns)}")
    query = render_sql(table, "applicants").decode().rstrip().rstrip(";")
    # The query is the project's own.
    found = connection.execute(f'SELECT "points_Amount", "points_Home", points_2, decision FROM ({query}) AS scored')  # noqa: S608
    (row,) = found.fetchall()
    connection.close()
    return tuple(row)


@pytest.mark.parametrize("connect", [sqlite3.connect, duckdb.connect])
@pytest.mark.parametrize("home", ["'unknown'", "''", "'OWN'", "'own '"])
def test_an_unknown_level_has_no_points_and_no_decision(connect: Callable[[str], Any], home: str) -> None:
    """Also one that differs in case, or has a space more."""
    assert score_one(connect(":memory:"), "600.0", home) == (20, None, None, None)


@pytest.mark.parametrize("value", ["'12'", "''", "'NaN'", "9e999", "-9e999", "1e101"])
def test_text_and_infinity_have_no_points_in_sqlite(value: str) -> None:
    """SQLite takes text in a column of numbers, and orders it above all of them."""
    points, _, total, decision = score_one(sqlite3.connect(":memory:"), value)

    assert (points, total, decision) == (None, None, None)


@pytest.mark.parametrize("value", ["NULL", "'NaN'::DOUBLE"])
def test_null_and_nan_are_missing(value: str) -> None:
    """In DuckDB, which has both."""
    assert score_one(duckdb.connect(), value)[0] == 12


@pytest.mark.parametrize("kind", ["FLOAT", "DECIMAL(18, 4)", "SMALLINT", "UBIGINT"])
def test_any_type_of_number_is_read(kind: str) -> None:
    """Whatever type the columns of numbers have."""
    assert score_one(duckdb.connect(), f"600::{kind}")[0] == 20


@pytest.mark.parametrize("engine", [sqlite3, duckdb])
@pytest.mark.parametrize("policy", list(POLICIES))
def test_a_table_with_any_column_that_is_added_is_an_error(engine: Any, policy: str) -> None:
    """As a saved result has: the table's column would be read in place of the query's own."""
    sql = render_sql(make_table(policy), "applicants").decode()
    names = [quote_name(field.name) for field in FIELDS]
    kinds = ["TEXT" if field.kind == "category" else "REAL" for field in FIELDS]
    columns = ", ".join(f"{name} {kind}" for name, kind in zip(names, kinds, strict=True))
    with contextlib.closing(engine.connect(":memory:")) as connection:
        connection.execute(f"CREATE TABLE applicants ({columns})")
        added = [column[0] for column in connection.execute(sql).description[len(FIELDS) :]]
        for name in added:
            connection.execute(f"ALTER TABLE applicants ADD COLUMN {quote_name(name)} INTEGER")

            with pytest.raises(engine.Error, match=r"(?i)ambiguous"):
                connection.execute(sql)

            connection.execute(f"ALTER TABLE applicants DROP COLUMN {quote_name(name)}")


def test_postgresql_refuses_a_column_that_is_added(postgresql_url: str) -> None:
    """As the other two."""
    added = structs.replace(FIELDS[0], name="points_2")
    X = draw_applicants(make_table(), 3, 0)
    sql = render_sql(make_table(), "applicants").decode()

    with pytest.raises(psycopg.errors.AmbiguousColumn):
        run_postgres(postgresql_url, sql, [*FIELDS, added], np.c_[X, X[:, 0]])


def test_integers_beyond_doubles_are_rounded_as_in_the_graph() -> None:
    """Where SQLite alone would tell them apart."""
    field, bins = FIELDS[0], structs.replace(SCORECARD.fields[0], edges=(2.0**53 + 2,), points=(1, 2, 3))
    numbers = [2**53 + 1, 2**53 + 3, 2**53 + 4]
    case = write_case(list_branches(structs.replace(field, missing=()), bins), ["1", "2", "3"])
    values = ", ".join(f"({number})" for number in numbers)
    query = f"SELECT {case} FROM (SELECT column1 AS {quote_name(field.name)} FROM (VALUES {values})) AS a"  # noqa: S608

    with sqlite3.connect(":memory:") as connection:
        found = [points for (points,) in connection.execute(query)]

    assert found == [1 if float(number) < 2.0**53 + 2 else 2 for number in numbers]


def test_fields_that_differ_only_in_case_have_no_sql(table: ContractScorecard) -> None:
    """SQLite and DuckDB take them as one column; the other files are written, and a sentence says why."""
    first, second, *others = table.contract.fields
    contract = structs.replace(
        table.contract, fields=(first, structs.replace(second, name=first.name.upper()), *others)
    )

    assert find_clash(table.contract) is None
    assert find_clash(contract) == (first.name, first.name.upper())
    assert "differ only in case" in str(explain_no_sql(contract))


def test_a_column_that_is_absent_is_an_error() -> None:
    """SQLite alone would take a quoted name as a text."""
    with sqlite3.connect(":memory:") as connection:
        connection.execute("CREATE TABLE applicants (other REAL)")

        with pytest.raises(sqlite3.OperationalError, match=r"no such column: a\.Amount"):
            connection.execute(render_sql(make_table(), "applicants").decode())


def test_a_table_in_a_schema_is_read() -> None:
    """Points separate schema and table."""
    with sqlite3.connect(":memory:") as connection:
        assert 'FROM "main"."loans" AS a' in render_sql(make_table(), "main.loans").decode()
        connection.execute(f"CREATE TABLE loans ({', '.join(quote_name(field.name) for field in FIELDS)})")

        assert connection.execute(render_sql(make_table(), "main.loans").decode()).fetchall() == []


def test_a_scorecard_without_points_gives_its_base() -> None:
    """Where no field tells anything."""
    empty = structs.replace(SCORECARD, fields=(), pairs=())
    table = make_table(scorecard=empty)
    X = draw_applicants(table, 3, 0)

    check(run_sqlite(render_sql(table, "applicants").decode(), FIELDS, X), table, X, "points_2")


@pytest.mark.parametrize("engine", list(ENGINES))
def test_a_missing_value_that_has_no_answer_has_no_points(engine: str) -> None:
    """As in the service: neither does one of a field without points; numbers that stand for it have theirs."""
    table = make_table("rules", fields=REQUIRED)
    X = draw_applicants(make_table("rules"), 2_000, 5)
    X[::3, 1] = -9.0
    has_answer = ~np.isnan(X).any(axis=1)

    found = ENGINES[engine](render_sql(table, "applicants").decode(), FIELDS, X)

    check(found.iloc[np.flatnonzero(has_answer)], table, X[has_answer], "points_2")
    assert (
        found.iloc[np.flatnonzero(~has_answer)][["points_2", "probability", "decision", "rules"]]
        .isna()
        .to_numpy()
        .all()
    )
    assert found["points_Amount"].isna().tolist() == np.isnan(X[:, 0]).tolist()
    assert 50 < has_answer.sum() < 1_950


@pytest.mark.parametrize("policy", ["threshold", "margin of each"])
def test_without_reviews_no_threshold_reviews(policy: str) -> None:
    """Only amounts that aren't known are reviewed."""
    sql = render_sql(make_table(policy), "applicants").decode()

    assert ("THEN 'review'" in sql) == (policy == "margin of each")
    assert "OR probability >= review_from" not in sql.replace('"', "")


def test_postgresql_names_the_rules(postgresql_url: str) -> None:
    """As the other two; a missing value that has no answer has no points."""
    table = make_table("rules", fields=REQUIRED)
    X = draw_applicants(make_table("rules"), 2_000, 6)
    has_answer = ~np.isnan(X).any(axis=1)

    found = run_postgres(postgresql_url, render_sql(table, "applicants").decode(), FIELDS, X)

    check(found.iloc[np.flatnonzero(has_answer)], table, X[has_answer], "points_2")
    check_rules(found.iloc[np.flatnonzero(has_answer)], table, X[has_answer])
    assert found.iloc[np.flatnonzero(~has_answer)][["points_2", "decision", "rules"]].isna().to_numpy().all()
