"""The features of one table as data: which statistics of which columns over which rows.

A table's module (bureau.py, previous_application.py, …) defines a `Recipe`; `list_features` expands it to one `Feature`
per column of the result, with name and label; `aggregate` computes them. The names are those of the Kaggle notebook
"LightGBM with simple features" and must not change, because cards and models contain them.

Unknown values stay missing: a sum over no rows is missing, not 0, and so is a ratio whose divisor is 0.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import ibis
import ibis.expr.types as ir

MISSING = "nan"
"""The level in the name of a feature that counts missing values; None in `Levels`."""

Levels = Mapping[str, Sequence[str | None]]
"""Category → levels that occur, None for a missing one."""


@dataclass(frozen=True, slots=True)
class Statistic:
    """One aggregate: its label for a number and for a share, and the Ibis expression of column and condition."""

    number: str
    share: str
    compute: Callable[[Any, Any], ir.Value]


STATISTICS = {
    "min": Statistic("smallest", "every record has", lambda column, where: column.min(where=where)),
    "max": Statistic("largest", "any record has", lambda column, where: column.max(where=where)),
    "mean": Statistic("average", "share of records with", lambda column, where: column.mean(where=where)),
    "sum": Statistic("total", "number of records with", lambda column, where: column.sum(where=where)),
    "var": Statistic(
        "variance of", "variance of records with", lambda column, where: column.var(where=where, how="sample")
    ),
    "nunique": Statistic("number of different values of", "", lambda column, where: column.nunique(where=where)),
}


@dataclass(frozen=True, slots=True)
class Number:
    """A numeric column, read or derived, and its statistics; `size` counts rows.

    `needs`: the file's columns that it is derived from; None if it is a column of the file.
    """

    name: str
    label: str
    unit: str
    statistics: tuple[str, ...]
    needs: tuple[str, ...] | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """The file's columns that it needs."""
        return (self.name,) if self.needs is None else self.needs


@dataclass(frozen=True, slots=True)
class Category:
    """A text column, and the statistics of each level's indicator: the mean is the share of rows with the level."""

    name: str
    label: str
    statistics: tuple[str, ...] = ("mean",)


@dataclass(frozen=True, slots=True)
class Scope:
    """The subset of rows that is aggregated (`column` == `level`; all if `column` is ""), with prefix and title."""

    prefix: str
    title: str
    column: str = ""
    level: str = ""


@dataclass(frozen=True, slots=True)
class Child:
    """A child table: aggregated by its own recipe to one row per parent row.

    Of the result `numbers` are aggregated again with the parent, and the shares of its categories are averaged.
    """

    recipe: Recipe
    numbers: tuple[Number, ...]


@dataclass(frozen=True, slots=True)
class Recipe:
    """One table: `name` for --without, `file` without suffix, `key` to group by.

    The first scope is all rows, with numbers and categories; the other scopes have numbers only. `derive` adds columns.
    """

    name: str
    file: str
    key: str
    scopes: tuple[Scope, ...]
    numbers: tuple[Number, ...]
    categories: tuple[Category, ...] = ()
    derive: Callable[[ir.Table], ir.Table] = lambda table: table
    has_count: bool = False
    child: Child | None = None

    @property
    def columns(self) -> dict[str, str]:
        """The file's columns to read, with their types."""
        columns = {self.key: "int64"}
        if self.child:
            columns[self.child.recipe.key] = "int64"
        columns |= {column: "float64" for number in self.numbers for column in number.columns}
        texts = [category.name for category in self.categories] + [scope.column for scope in self.scopes]
        return columns | {text: "string" for text in texts if text}

    def depending_on(self, column: str) -> list[str]:
        """Names of the features computed from a column of the file; all for the key."""
        scopes = [scope for scope in self.scopes if column in (self.key, scope.column)]
        names = [
            _name(scope, number.name, statistic)
            for scope in self.scopes
            for number in self.numbers
            for statistic in number.statistics
            if column in number.columns or scope in scopes
        ]
        shares = [category.name for category in self.categories if column in (category.name, self.key)]
        return names + [_name(self.scopes[0], f"{share}_…", "mean") for share in shares]


@dataclass(frozen=True, slots=True)
class Feature:
    """One column of the result: `statistic` of `column` (or of the indicator of `level`) over the rows of `scope`."""

    name: str
    scope: Scope
    description: str
    unit: str
    column: str
    statistic: str
    level: str | None = None
    is_share: bool = False

    @property
    def label(self) -> str:
        """The label in the card."""
        return f"{self.scope.title}: {self.description}"


def list_features(recipe: Recipe, levels: Levels, child_levels: Levels | None = None) -> list[Feature]:
    """Every feature of a recipe, in order; `child_levels` None leaves out the child table."""
    return list(_expand(recipe, levels, child_levels))


def aggregate(table: ir.Table, key: str, features: Sequence[Feature]) -> ir.Table:
    """One row per key, one float64 column per feature."""
    return table.group_by(key).aggregate(**{feature.name: _value(feature, table) for feature in features})


def _expand(recipe: Recipe, levels: Levels, child_levels: Levels | None) -> Iterator[Feature]:
    numbers = recipe.numbers
    child_shares: list[Feature] = []
    if recipe.child and child_levels is not None:
        numbers += recipe.child.numbers
        child_shares = [feature for feature in list_features(recipe.child.recipe, child_levels) if feature.is_share]
    for scope in recipe.scopes:
        for number in numbers:
            for statistic in number.statistics:
                yield _number_feature(scope, number, statistic)
    scope = recipe.scopes[0]
    for category in recipe.categories:
        for level in levels[category.name]:
            for statistic in category.statistics:
                text = f"no {category.label}" if level is None else f"{category.label} {level!r}"
                yield Feature(
                    name=_name(scope, f"{category.name}_{MISSING if level is None else level}", statistic),
                    scope=scope,
                    description=f"{STATISTICS[statistic].share} {text}",
                    unit="",
                    column=category.name,
                    statistic=statistic,
                    level=level,
                    is_share=True,
                )
    for feature in child_shares:
        yield _number_feature(scope, Number(feature.name, feature.description, "", ("mean",)), "mean")
    if recipe.has_count:
        yield Feature(_name(scope, "COUNT", ""), scope, "number of records", "", recipe.key, "size")


def _number_feature(scope: Scope, number: Number, statistic: str) -> Feature:
    if statistic == "size":
        return Feature(_name(scope, number.name, statistic), scope, "number of records", "", number.name, statistic)
    unit = {"var": f"{number.unit}²" if number.unit else "", "nunique": ""}.get(statistic, number.unit)
    description = f"{STATISTICS[statistic].number} {number.label}"
    return Feature(_name(scope, number.name, statistic), scope, description, unit, number.name, statistic)


def _name(scope: Scope, column: str, statistic: str) -> str:
    return "_".join(part for part in (scope.prefix, column, statistic.upper()) if part)


def _value(feature: Feature, table: ir.Table) -> ir.Value:
    where = table[feature.scope.column] == feature.scope.level if feature.scope.column else None
    if feature.statistic == "size":
        return table.count(where=where).cast("float64")
    column = table[feature.column]
    if feature.is_share:
        # Null-safe: a missing level counts as another level.
        column = column.identical_to(ibis.literal(feature.level, type="string")).cast("float64")
    return STATISTICS[feature.statistic].compute(column, where).cast("float64")
