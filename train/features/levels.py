"""The levels of categories: those that occur in a table, or those that a card's fields were made of."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import ibis.expr.types as ir
import pyarrow.dataset

from train.errors import TrainingError
from train.features.engines import Engine
from train.features.recipe import MISSING, STATISTICS, Levels, Recipe

MOST_LEVELS = 100
"""More different texts than this are names or free text; a share of each would say nothing."""

_GAPS = "has gaps: "


def find_levels(table: ir.Table, recipe: Recipe, source: Path, engine: Engine, scratch: Path) -> Levels:
    """The levels that occur, sorted; None last where some row has none. One pass over the table."""
    names = [category.name for category in recipe.categories]
    if not names:
        return {}
    found = {name: table[name].collect(distinct=True) for name in names}
    gaps = {_GAPS + name: table[name].isnull().any() for name in names}
    path = scratch / f"{recipe.name}.levels.parquet"
    engine.save(table.aggregate(**found, **gaps), path, source)
    row = pyarrow.dataset.dataset(path, format="parquet").to_table().to_pylist()[0]
    levels: dict[str, list[str | None]] = {}
    for name in names:
        texts = sorted(text for text in row[name] or [] if text is not None)
        if len(texts) > MOST_LEVELS:
            raise TrainingError(
                f"column {name!r} of {source} has {len(texts):,} different texts, expected a category "
                f"with at most {MOST_LEVELS}; look what happened to it"
            )
        levels[name] = [*texts, *([None] if row[_GAPS + name] else [])]
    return levels


def read_levels(recipe: Recipe, names: Iterable[str], parent: Recipe | None = None) -> Levels:
    """The levels that stand in the names of an existing card's features."""
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
