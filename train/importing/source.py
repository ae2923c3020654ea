"""What is imported, found in the files of the command line and told, before anything is asked."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from train.card import Card, CardValue
from train.errors import TrainingError, first_lines
from train.export.attribution import describe_attribution
from train.fitted.model import FittedModel
from train.importing.bundle import Bundle, open_bundle
from train.importing.card import (
    clean_names,
    number_names,
)
from train.importing.classes import choose_default, read_classes
from train.importing.files import read_model_file, read_older_file
from train.importing.ranges import remember_ranges
from train.importing.reference import read_names
from train.readers.describe import describe
from train.readers.names import find_names
from train.table import Table


@dataclass(frozen=True, slots=True)
class Source:
    """What is imported: the files that were read, what they hold, its classes, and which of them means default."""

    paths: tuple[Path, ...]
    bundle: Bundle
    classes: list[CardValue]
    default: int


def open_source(options: argparse.Namespace, given: Card | None, console: Console) -> Source:
    """Read the files and tell what was found in them; raises TrainingError for what can't be imported."""
    paths = {"scaler": options.scaler, "model": options.model, "pipeline": options.pipeline}
    files = {
        name: read_model_file(path, is_trusted=options.trust, requirements=options.requirements)
        for name, path in paths.items()
        if path is not None
    }
    bundle = open_bundle({name: file.fitted for name, file in files.items()}, options.key)
    if any(file.is_of_other_version for file in files.values()) and (fault := find_fault(bundle.fitted)):
        files = {
            name: read_older_file(file.path, None, fault) if file.is_of_other_version else file
            for name, file in files.items()
        }
        bundle = open_bundle({name: file.fitted for name, file in files.items()}, options.key)
    for remark in sorted({remark for file in files.values() for remark in file.remarks}):
        console.print(f"note: {remark}", style="yellow", markup=False)
    for remark in bundle.remarks:
        console.print(f"{remark[:1].upper()}{remark[1:]}", markup=False)
    read_classes(bundle.fitted)
    # What has no exact export is refused before anything is asked.
    describe_source(bundle.fitted, 1, ())
    classes = list(bundle.classes) if bundle.classes else read_classes(bundle.fitted)
    default = choose_default(classes, options.default, given.dataset.default if given else None)
    console.print(f"The model's classes are {classes[0]!r} and {classes[1]!r}; {default!r} means default", markup=False)
    return Source(tuple(file.path for file in files.values()), bundle, classes, classes.index(default))


def find_fault(fitted: Any) -> str:
    """Why an object that another version of its library saved can't predict here; empty if it can."""
    try:
        described = describe(fitted)
        described.ask(np.zeros((1, len(described.inputs))))
    except ValueError:
        return ""  # it has no exact export, which describe_source tells
    except Exception as error:  # noqa: BLE001 - attributes that the other version didn't have, and more
        return f"{type(error).__name__}: {first_lines(error)}"
    return ""


def describe_source(fitted: Any, default: int, labels: Sequence[str]) -> FittedModel:
    """Describe a fitted object; raises TrainingError if it has no exact export, or can't predict."""
    try:
        described = describe(fitted, default, labels)
        describe_attribution(described)
    except ValueError as error:
        raise TrainingError(f"the model can't be imported: {error}") from error
    # Objects that are incomplete or of another version of their library fail in any way.
    except Exception as error:
        fault = f"{type(error).__name__}: {first_lines(error)}"
        raise TrainingError(
            f"the model can't be imported: {fault}; check that it is fitted, and save it again"
        ) from error
    return described


def name_columns(bundle: Bundle, table: Table | None, target: str | None) -> tuple[str, ...]:
    """A name for each column that the model takes: its own, those in the file, those of the reference, or numbers."""
    names = find_names(bundle.fitted) or bundle.names
    width = len(remember_ranges(bundle.fitted))
    if not names and table is not None:
        names = read_names(table, width, [target])
    return clean_names(names or number_names(width))
