"""The seven tables as one: found, checked, aggregated table by table to one row an applicant.

Each table's features are saved before the next one is read, for all applicants in the order of their ids, so that
memory holds one table at a time and what is saved can be read side by side.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import ibis.expr.types as ir

from train.card import Card, CardField
from train.errors import TrainingError
from train.features import application
from train.features.bureau import BUREAU
from train.features.card import describe
from train.features.credit_card import CREDIT_CARD
from train.features.engines import Engine
from train.features.installments import INSTALLMENTS
from train.features.levels import find_levels, read_levels
from train.features.pos_cash import POS_CASH
from train.features.previous_application import PREVIOUS_APPLICATION
from train.features.recipe import Feature, Levels, Recipe, aggregate, list_features
from train.features.sources import File, check_columns, find_file, shorten
from train.features.stored import Stored

RECIPES = (BUREAU, PREVIOUS_APPLICATION, POS_CASH, INSTALLMENTS, CREDIT_CARD)
"""The tables beside the application, in the order of their features."""

NAMES = [name for recipe in RECIPES for name in (recipe.name, *([recipe.child.recipe.name] if recipe.child else []))]
"""What can be left out."""

AllLevels = Mapping[str, Levels]
"""For each table by name the levels of its categories."""


@dataclass(frozen=True, slots=True)
class Sources:
    """The files that were found: the applications', and those of the tables that aren't left out, by name."""

    applications: File
    tables: dict[str, File]


@dataclass(frozen=True, slots=True)
class Computed:
    """The features, ordered by id, and what people read of each of them, in order."""

    stored: Stored
    fields: dict[str, CardField]


def find_sources(folder: Path, applications: str, without: Collection[str], *, needs_target: bool) -> Sources:
    """Find every file and check its columns; raises TrainingError for what is absent, naming what depends on it."""
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
            # The key of the table below stands in both.
            dependants = {column: each.depending_on(column) for column in each.columns}
            if children:
                dependants[children[0].key] = [f"the features of {children[0].name}"]
            check_columns(found, {column: names for column, names in dependants.items() if names})
            tables[each.name] = found
    return Sources(file, tables)


def list_remarks(sources: Sources) -> list[str]:
    """What a user should know of the applications' columns: absent ones are no features, unknown ones neither."""
    file = sources.applications
    absent = [name for name in application.FIELDS if name not in file.columns]
    unknown = [name for name in file.columns if name not in application.COLUMNS]
    remarks = []
    if absent:
        remarks.append(f"{file.path} has no {shorten(absent)}; as many fields less")
    if unknown:
        remarks.append(f"{file.path} has columns that are not known and not used: {shorten(unknown)}")
    return remarks


def read_all_levels(names: Collection[str]) -> AllLevels:
    """The levels that an existing card's fields were made of."""
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
    if lacking := [name for name in card.fields if name not in known]:
        raise TrainingError(
            f"the card has fields that can't be computed from {sources.applications.path.parent}: {shorten(lacking)}; "
            "bring the tables and columns they are made of"
        )


def compute(
    sources: Sources, levels: AllLevels | None, engine: Engine, scratch: Path, step: Callable[[str], None]
) -> Computed:
    """Every feature of the files; `levels` None takes those that occur. `step` hears what begins.

    Raises TrainingError if an engine can't.
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
            below = sources.tables[child.name]
            rows = engine.read(below, child.columns)
            if levels is None:
                known[child.name] = find_levels(rows, child, below.path, engine, scratch)
            made = list_features(child, known[child.name])
            path = scratch / f"{child.name}.parquet"
            engine.save(aggregate(rows, child.key, made), path, below.path)
            table = table.left_join(_read_back(engine, path, child.key, made), child.key)
        step(recipe.scopes[0].title)
        if levels is None:
            known[recipe.name] = find_levels(table, recipe, source.path, engine, scratch)
        mine = _list(recipe, sources, known)
        paths.append(scratch / f"{recipe.name}.parquet")
        joined = ids.left_join(aggregate(table, recipe.key, mine), recipe.key)
        names = [feature.name for feature in mine]
        engine.save(joined.select(recipe.key, *names).order_by(recipe.key), paths[-1], source.path)
        features += mine
    absent = set(application.FIELDS) - set(sources.applications.columns)
    fields = {name: field for name, field in describe(features).items() if name not in absent}
    return Computed(Stored(tuple(paths), application.ID), fields)


def _list(recipe: Recipe, sources: Sources, levels: AllLevels) -> list[Feature]:
    has_child = recipe.child is not None and recipe.child.recipe.name in sources.tables
    child_levels = levels[recipe.child.recipe.name] if recipe.child and has_child else None
    return list_features(recipe, levels[recipe.name], child_levels)


def _save_applications(file: File, engine: Engine, path: Path) -> ir.Table:
    """Save the applications, ordered by id, and give back their ids."""
    types = {name: kind for name, kind in application.COLUMNS.items() if name in file.columns}
    engine.save(application.derive(engine.read(file, types)).order_by(application.ID), path, file.path)
    return _read_back(engine, path, application.ID, ())


def _read_back(engine: Engine, path: Path, key: str, features: Sequence[Feature]) -> ir.Table:
    types = {key: "int64"} | {feature.name: "float64" for feature in features}
    return engine.read(File(path, tuple(types)), types)
