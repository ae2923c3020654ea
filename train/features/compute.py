"""Finding, checking and aggregating the seven tables, one by one, to one row per applicant.

The features of each table are saved, for all applicants in the order of their ids, before the next one is read. So
memory holds one table at a time, and the saved files can be read side by side without a join.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import ibis.expr.types as ir

from train.card import Card, CardField
from train.errors import TrainingError, shorten
from train.features import application
from train.features.bureau import BUREAU
from train.features.card import make_fields
from train.features.credit_card import CREDIT_CARD
from train.features.engines import Engine
from train.features.installments import INSTALLMENTS
from train.features.levels import find_levels, read_levels
from train.features.pos_cash import POS_CASH
from train.features.previous_application import PREVIOUS_APPLICATION
from train.features.recipe import Feature, Levels, Recipe, aggregate, list_features
from train.features.sources import File, check_columns, find_file
from train.features.stored import StoredFeatures

RECIPES = (BUREAU, PREVIOUS_APPLICATION, POS_CASH, INSTALLMENTS, CREDIT_CARD)
"""The tables beside the application, in the order of their features."""

NAMES = [name for recipe in RECIPES for name in (recipe.name, *([recipe.child.recipe.name] if recipe.child else []))]
"""Tables that can be left out."""

AllLevels = Mapping[str, Levels]
"""Table name → levels of its categories."""


@dataclass(frozen=True, slots=True)
class Sources:
    """The applications' file, and the files of the other tables by name, without those left out."""

    applications: File
    tables: dict[str, File]


@dataclass(frozen=True, slots=True)
class ComputedFeatures:
    """The stored features, ordered by id, and the card field of each, in order."""

    stored: StoredFeatures
    fields: dict[str, CardField]


def find_sources(folder: Path, applications: str, without: Collection[str], *, needs_target: bool) -> Sources:
    """Find every file and check its columns; raises TrainingError for an absent one, naming what depends on it."""
    file = find_file(folder, applications, "", "all features")
    needed = {name: why for name, why in application.NEEDED.items() if needs_target or name != application.TARGET}
    check_columns(file, needed)
    tables = {}
    for recipe in RECIPES:
        if recipe.name in without:
            continue
        children = [recipe.child.recipe] if recipe.child and recipe.child.recipe.name not in without else []
        for each in (recipe, *children):
            prefixes = ", ".join(f"{scope.prefix}_…" for scope in recipe.scopes)
            found = find_file(folder, each.file, each.name, f"the features {prefixes}")
            # The key of the child table is a column of both.
            dependants = {column: each.depending_on(column) for column in each.columns}
            if children:
                dependants[children[0].key] = [f"the features of {children[0].name}"]
            check_columns(found, {column: names for column, names in dependants.items() if names})
            tables[each.name] = found
    return Sources(file, tables)


def list_column_notes(sources: Sources) -> list[str]:
    """Notes on absent and on unknown columns of the applications, neither of which become features."""
    file = sources.applications
    absent = [name for name in application.FIELDS if name not in file.columns]
    unknown = [name for name in file.columns if name not in application.COLUMNS]
    notes = []
    if absent:
        notes.append(f"{file.path} has no {shorten(absent)}: these fields are left out")
    if unknown:
        notes.append(f"{file.path} has unknown columns, which are not used: {shorten(unknown)}")
    return notes


def read_card_levels(names: Collection[str]) -> AllLevels:
    """The levels of all tables that the names of an existing card's fields contain."""
    levels = {recipe.name: read_levels(recipe, names) for recipe in RECIPES}
    children = {recipe: recipe.child.recipe for recipe in RECIPES if recipe.child}
    return levels | {child.name: read_levels(child, names, parent) for parent, child in children.items()}


def check_computable(card: Card, sources: Sources, levels: AllLevels) -> None:
    """Raise TrainingError if a field of the card isn't among the features of these files."""
    features = [
        feature for recipe in RECIPES if recipe.name in sources.tables for feature in _list(recipe, sources, levels)
    ]
    own = [name for name in application.FIELDS if name in sources.applications.columns]
    known = {feature.name for feature in features} | set(own) | {ratio.name for ratio in application.RATIOS}
    if missing := [name for name in card.fields if name not in known]:
        raise TrainingError(
            f"the card has fields that can't be computed from {sources.applications.path.parent}: {shorten(missing)}; "
            "add the tables and columns they are made of"
        )


def compute(
    sources: Sources, levels: AllLevels | None, engine: Engine, scratch: Path, step: Callable[[str], None]
) -> ComputedFeatures:
    """Compute every feature of the files; `levels` None takes the levels that occur.

    `step` is called with the title of each step before it begins. Raises TrainingError if the engine fails.
    """
    step("Applications")
    applications = scratch / "applications.parquet"
    ids = _save_applications(sources.applications, engine, applications)
    features: list[Feature] = []
    paths = [applications]
    for recipe in RECIPES:
        if recipe.name not in sources.tables:
            continue
        known = dict(levels or {})
        source = sources.tables[recipe.name]
        table = recipe.derive(engine.read(source, recipe.columns))
        if recipe.child and (child := recipe.child.recipe).name in sources.tables:
            step(child.scopes[0].title)
            child_file = sources.tables[child.name]
            rows = engine.read(child_file, child.columns)
            if levels is None:
                known[child.name] = find_levels(rows, child, child_file.path, engine, scratch)
            child_features = list_features(child, known[child.name])
            path = scratch / f"{child.name}.parquet"
            engine.save(aggregate(rows, child.key, child_features), path, child_file.path)
            table = table.left_join(_read_back(engine, path, child.key, child_features), child.key)
        step(recipe.scopes[0].title)
        if levels is None:
            known[recipe.name] = find_levels(table, recipe, source.path, engine, scratch)
        table_features = _list(recipe, sources, known)
        paths.append(scratch / f"{recipe.name}.parquet")
        joined = ids.left_join(aggregate(table, recipe.key, table_features), recipe.key)
        names = [feature.name for feature in table_features]
        engine.save(joined.select(recipe.key, *names).order_by(recipe.key), paths[-1], source.path)
        features += table_features
    absent = set(application.FIELDS) - set(sources.applications.columns)
    fields = {name: field for name, field in make_fields(features).items() if name not in absent}
    return ComputedFeatures(StoredFeatures(tuple(paths), application.ID), fields)


def _list(recipe: Recipe, sources: Sources, levels: AllLevels) -> list[Feature]:
    has_child = recipe.child is not None and recipe.child.recipe.name in sources.tables
    child_levels = levels[recipe.child.recipe.name] if recipe.child and has_child else None
    return list_features(recipe, levels[recipe.name], child_levels)


def _save_applications(file: File, engine: Engine, path: Path) -> ir.Table:
    """Save the applications, ordered by id, and return their ids."""
    types = {name: kind for name, kind in application.COLUMNS.items() if name in file.columns}
    engine.save(application.derive(engine.read(file, types)).order_by(application.ID), path, file.path)
    return _read_back(engine, path, application.ID, ())


def _read_back(engine: Engine, path: Path, key: str, features: Sequence[Feature]) -> ir.Table:
    types = {key: "int64"} | {feature.name: "float64" for feature in features}
    return engine.read(File(path, tuple(types)), types)
