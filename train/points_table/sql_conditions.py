"""Conditions of a scorecard in SQL: bins of a field, and inputs and rules of a policy as model/rules.py has them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from model.contract import MAX_MAGNITUDE, Field
from model.inputs import Input
from model.rules import Compares, Condition, IsMissing, IsOneOf
from model.scorecard import ScorecardField
from train.points_table.sql_text import quote_name, quote_text, write_number

OPERATORS = {"below": "<", "at_most": "<=", "above": ">", "at_least": ">="}


MAX_EXACT_INTEGER = 2**53
"""Doubles, which the graph computes with, hold every integer up to this one."""


@dataclass(frozen=True, slots=True)
class Branch:
    """One branch of a CASE: its condition, None for ELSE; and the number of the bin, None for NULL."""

    when: str | None
    bin: int | None


def list_branches(field: Field, bins: ScorecardField) -> list[Branch]:
    """The CASE that finds the bin of a field; without ELSE, what fits nowhere is NULL."""
    column = _qualify(field.name)
    last = len(bins.points) - 1
    if field.kind == "category":
        groups = [
            Branch(f"{column} IN ({', '.join(quote_text(field.levels[index]) for index in group)})", number)
            for number, group in enumerate(bins.groups)
            if group
        ]
        return [Branch(is_missing(field), last), *groups] if field.nullable else groups
    below = [Branch(f"{_round(column, edge)} < {write_number(edge)}", number) for number, edge in enumerate(bins.edges)]
    missing = [Branch(is_missing(field), last)]
    if not field.nullable:
        codes = _list_codes(field)
        missing = [Branch(is_absent(field), None), *([Branch(" OR ".join(codes), last)] if codes else [])]
    return [*missing, Branch(_is_no_number(column), None), *below, Branch(None, len(bins.edges))]


def write_case(branches: Sequence[Branch], values: Sequence[str], indent: int = 2) -> str:
    """The CASE that gives the value of the bin."""
    space = "\n" + " " * (indent + 2)
    text = "CASE"
    for branch in branches:
        value = "NULL" if branch.bin is None else values[branch.bin]
        text += f"{space}{'ELSE' if branch.when is None else f'WHEN {branch.when} THEN'} {value}"
    return f"{text}\n{' ' * indent}END"


def is_missing(field: Field) -> str:
    """Whether a field's value is missing."""
    return " OR ".join([*_list_codes(field), is_absent(field)])


def is_absent(field: Field) -> str:
    """Whether a field's value is NULL or NaN, which no answer is given for where the field isn't nullable."""
    column = _qualify(field.name)
    if field.kind == "category":
        return f"{column} IS NULL"
    # NaN, where there is one, is greater than all numbers, and so is its negative.
    return f"{column} IS NULL OR ({column} > 1e308 AND 0e0 - {column} > 1e308)"


def read_input(field: Field) -> str:
    """A field's value as rules and amounts of money take it: NULL where it is missing; a number as a double."""
    column = _qualify(field.name)
    if field.kind == "category":
        return column
    is_unknown = f"{is_missing(field)} OR {_is_no_number(column)}"
    return f"CASE WHEN {is_unknown} THEN NULL ELSE CAST({column} AS DOUBLE PRECISION) END"


def write_condition(condition: Condition, fields: Sequence[Field], names: Mapping[Input, str]) -> str:
    """Whether a condition holds; `names`: the columns of `read_input`. Unknown counts as not."""
    if not isinstance(condition, Compares | IsOneOf | IsMissing):
        parts = [write_condition(part, fields, names) for part in condition.parts]
        return f"({(' AND ' if condition.join == 'all' else ' OR ').join(parts)})"
    column = quote_name(names[condition.input])
    if isinstance(condition, IsMissing):
        return f"{column} IS NULL"
    if isinstance(condition, Compares):
        limit = write_number(condition.value)
        if condition.times is not None:
            limit = f"{limit} * {quote_name(names[condition.times])}"
        return f"{column} {OPERATORS[condition.comparison]} {limit}"
    field = fields[condition.input.column]
    known = [
        quote_text(field.levels[int(value)]) if field.kind == "category" else write_number(value)
        for value in condition.values
    ]
    return f"{column} {'NOT ' if condition.negated else ''}IN ({', '.join(known)})"


def _qualify(name: str) -> str:
    """With the table's alias: SQLite takes a quoted name that is no column as a text."""
    return f"a.{quote_name(name)}"


def _list_codes(field: Field) -> list[str]:
    """Whether a field's value is a number that stands for a missing value, a condition for each."""
    column = _qualify(field.name)
    return [f"{_round(column, code)} = {write_number(code)}" for code in field.missing]


def _round(column: str, limit: float) -> str:
    """A column to compare with a number: as a double where it may have larger integers than doubles tell apart."""
    return column if abs(limit) < MAX_EXACT_INTEGER else f"CAST({column} AS DOUBLE PRECISION)"


def _is_no_number(column: str) -> str:
    """Infinity, and text where SQLite has it in a column of numbers: the plus sign keeps it from being converted."""
    limit = write_number(MAX_MAGNITUDE)
    return f"+{column} NOT BETWEEN -{limit} AND {limit}"
