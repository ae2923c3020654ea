"""The levels of categories: found in a table, or read from the field names of a card."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import ibis.expr.types as ir
import pyarrow.dataset

from train.errors import TrainingError
from train.features.engines import Engine
from train.features.recipe import MISSING, STATISTICS, Levels, Recipe

MAX_LEVELS = 100
"""Levels of a category; each becomes a feature for each statistic."""

_HAS_MISSING = "has missing: "


def find_levels(table: ir.Table, recipe: Recipe, source: Path, engine: Engine, scratch: Path) -> Levels:
    """The levels that occur, sorted, and None last where a row has none; one pass over the table."""
    names = [category.name for category in recipe.categories]
    if not names:
        return {}
    found = {name: table[name].collect(distinct=True) for name in names}
    missing = {_HAS_MISSING + name: table[name].isnull().any() for name in names}
    path = scratch / f"{recipe.name}.levels.parquet"
    engine.save(table.aggregate(**found, **missing), path, source)
    row = pyarrow.dataset.dataset(path, format="parquet").to_table().to_pylist()[0]
    levels: dict[str, list[str | None]] = {}
    for name in names:
        texts = sorted(text for text in row[name] or [] if text is not None)
        if len(texts) > MAX_LEVELS:
            raise TrainingError(
                f"column {name!r} of {source} has {len(texts):,} distinct texts, expected a category "
                f"with at most {MAX_LEVELS}; check the column"
            )
        levels[name] = [*texts, *([None] if row[_HAS_MISSING + name] else [])]
    return levels


def read_levels(recipe: Recipe, names: Iterable[str], parent: Recipe | None = None) -> Levels:
    """The levels contained in the names of an existing card's features."""
    prefix = parent.scopes[0].prefix if parent else recipe.scopes[0].prefix
    ends = [f"_{statistic.upper()}" + ("_MEAN" if parent else "") for statistic in STATISTICS]
    levels: dict[str, list[str | None]] = {}
    for category in recipe.categories:
        start = f"{prefix}_{category.name}_"
        texts = {
            name.removeprefix(start).removesuffix(end)
            for name in names
            for end in ends
            if name.startswith(start) and name.endswith(end)
        }
        levels[category.name] = [None if text == MISSING else text for text in sorted(texts)]
    return levels
