"""scorecard.sql: the scorecard as one SELECT that SQLite, DuckDB and PostgreSQL run as it is.

Points are whole numbers that comparisons alone decide, so that they are the graph's on every row. A missing value is
NULL, NaN, or a number that stands for one by the card. What is neither missing nor known, such as another level, gets
no points, and then there is no total.
"""

from __future__ import annotations

from collections.abc import Sequence

from model.contract import Contract
from train.points_table.bins import ContractScorecard
from train.points_table.sql_conditions import Branch, is_absent, list_branches, read_input, write_case
from train.points_table.sql_policy import (
    list_inputs,
    write_amounts,
    write_decision,
    write_rules,
    write_stakes,
    write_thresholds,
)
from train.points_table.sql_text import name_columns, quote_name, quote_table, write_comment, write_number

RESULTS = ("points", "probability", "decision")
AMOUNTS = ("loss", "gain", "review_from", "refuse_from", "expected_loss", "expected_profit")
RULES = ("rules",)
"""Columns that the SELECT adds, amounts and rules where the policy has them; numbered where a field has the name."""

QUERIES = (
    "scorecard_applicants",
    "scorecard_bins",
    "scorecard_points",
    "scorecard_probability",
    "scorecard_thresholds",
    "scorecard_decision",
)
"""Names of the queries that the last one builds on."""


def render_sql(table: ContractScorecard, applicants: str) -> bytes:
    """The file, UTF-8. `applicants`: the table's name; points separate the parts of a name with a schema."""
    contract, scorecard, policy = table.contract, table.scorecard, table.contract.policy
    taken = [*(field.name for field in contract.fields), *([contract.id] if contract.id else [])]
    added = (*RESULTS, *(AMOUNTS if policy.money else ()), *(RULES if policy.rules else ()))
    results = name_columns(added, taken)
    names = dict(zip(added, map(quote_name, results), strict=True))
    parts = [field.name for field in table.fields]
    parts += ["_".join(parts[place] for place in pair.fields) for pair in scorecard.pairs]
    inputs = list_inputs(policy)
    wanted = [f"points_{part}" for part in parts] + [f"input_{source.field}" for source in inputs]
    columns = name_columns(wanted, [*taken, *results])
    points, read = columns[: len(parts)], dict(zip(inputs, columns[len(parts) :], strict=True))

    found = [f"{case} AS {quote_name(name)}" for case, name in zip(_write_points(table), points, strict=True)]
    found += [f"{read_input(contract.fields[one.column])} AS {quote_name(name)}" for one, name in read.items()]
    totals = [f"{_write_total(table, points)} AS {names['points']}"]
    shift = f"(CAST({names['points']} AS DOUBLE PRECISION) - {write_number(scorecard.offset)})"
    rated = [f"1 / (1 + EXP({shift} / {write_number(scorecard.factor)})) AS {names['probability']}"]
    layers = [found, totals, rated]
    if policy.money is not None:
        totals += write_stakes(policy.money, read, names)
        layers += [write_thresholds(policy.cost_review, names), write_amounts(names)]
    layers[-1].append(write_decision(table, read, names))
    if policy.rules:
        layers.append([write_rules(table, read, names)])
    source = f"{quote_table(applicants)} AS a{_refuse_columns([*columns, *results])}"
    return f"{_write_header(table, applicants)}\n{_chain([[], *layers], source)};\n".encode()


def find_clash(contract: Contract) -> tuple[str, str] | None:
    """Two columns whose names differ only in case, which SQLite and DuckDB take as one: there is no SQL for them."""
    seen: dict[str, str] = {}
    for name in [*(field.name for field in contract.fields), *([contract.id] if contract.id else [])]:
        if name.lower() in seen:
            return seen[name.lower()], name
        seen[name.lower()] = name
    return None


def _write_points(table: ContractScorecard) -> list[str]:
    """An expression for each field, then for each pair."""
    scorecard = table.scorecard
    branches = [list_branches(*one) for one in zip(table.fields, scorecard.fields, strict=True)]
    cases = [
        write_case(found, [str(points) for points in bins.points])
        for found, bins in zip(branches, scorecard.fields, strict=True)
    ]
    for pair in scorecard.pairs:
        first, second = (branches[place] for place in pair.fields)
        rows = [write_case(second, [str(points) for points in row], indent=6) for row in pair.points]
        cases.append(write_case(first, rows))
    return cases


def _write_total(table: ContractScorecard, points: Sequence[str]) -> str:
    """base + all points; NULL where a field without points is missing that must not be."""
    total = " + ".join([str(table.scorecard.base), *map(quote_name, points)])
    required = [is_absent(field) for field in table.contract.fields if not (field.nullable or field in table.fields)]
    if not required:
        return total
    return write_case([Branch(" OR ".join(required), None), Branch(None, 0)], [total])


def _write_header(table: ContractScorecard, applicants: str) -> str:
    contract = table.contract
    lines = [
        f"Scorecard of {contract.name}, version {contract.version}; for SQLite 3.35 or newer, DuckDB and PostgreSQL.",
        f"Reads {', '.join(field.name for field in contract.fields)} of {applicants}: numbers in columns of numbers, "
        "categories as text.",
        "Fails with an ambiguous column where the table has a column that is added: leave it out, or rename it.",
        "NULL and NaN are missing values. A level that the scorecard doesn't know has no points, and no decision.",
    ]
    if required := [field.name for field in contract.fields if not field.nullable]:
        lines.append(f"There is no decision either where a value is missing of {', '.join(required)}.")
    return "\n".join(write_comment(line) for line in lines)


def _refuse_columns(added: Sequence[str]) -> str:
    """Makes the query fail where the table itself has a column that is added: the name, without alias, is ambiguous.

    Later queries would read the table's column in place of their own.
    """
    quoted = [quote_name(name) for name in added]
    zeros = ", ".join(f"0 AS {name}" for name in quoted)
    return f"\nCROSS JOIN (SELECT {zeros}) AS added\nWHERE 0 IN ({', '.join(quoted)})"


def _chain(layers: Sequence[Sequence[str]], source: str) -> str:
    """Each query selects all columns of the one before, and its own."""
    queries = []
    for layer, name in zip(layers, [source, *(f"{name} AS a" for name in QUERIES)], strict=False):
        columns = ",\n  ".join(["a.*", *layer])
        queries.append(f"SELECT\n  {columns}\nFROM {name}")
    named = [f"{name} AS (\n{query}\n)" for name, query in zip(QUERIES, queries[:-1], strict=False)]
    return f"WITH {', '.join(named)}\n{queries[-1]}"
