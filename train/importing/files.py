"""Reads the file of a fitted model, by its content rather than by the ending of its name.

skops files, boosters' own formats and MLflow folders of those are data and are read as they are. A pickle is a program:
it is loaded only when trusted.
"""

from __future__ import annotations

import pickletools
import warnings
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import joblib
import skops.io
from sklearn.exceptions import InconsistentVersionWarning

from train.errors import TrainingError, first_lines, import_optional, shorten
from train.importing.absent import stand_in
from train.importing.mlflow_folder import find_model_file
from train.importing.older import can_be_read_aside, is_of_other_version, read_old

EXPECTED = (
    "expected a fitted model: a skops file, a pickle (.pkl, .joblib), XGBoost's .json or .ubj, LightGBM's .txt, "
    "CatBoost's .cbm, or an MLflow model folder"
)

TRUSTED_LIBRARIES = ("lightgbm.", "xgboost.", "catboost.", "imblearn.", "collections.OrderedDict", "numpy.")
"""Beginnings of the types that a skops file may have without --trust, beside those that skops itself trusts."""

COMPRESSED_STARTS = (
    b"x\x01",
    b"x\x5e",
    b"x\x9c",
    b"x\xda",
    b"\x1f\x8b",
    b"BZh",
    b"\xfd7zXZ",
    b"]\x00\x00",
    b"\x04\x22M\x18",
)
"""First bytes of joblib's compressed pickles: zlib, gzip, bz2, xz, lzma, lz4."""

OTHER_FORMATS = {
    b"binf": "XGBoost's old binary format; load it with the XGBoost that wrote it, and save it as .json",
    b"\x89HDF": "an HDF5 file, as Keras writes it",
    b"<?xml": "an XML file",
    b"\x08": "an ONNX file, which holds no fitted model to compare an export with",
}
"""First bytes → what the file is, and what to do."""


@dataclass(frozen=True, slots=True)
class ModelFile:
    """What was read: the file itself, which for a folder is one in it, its object, and remarks to print.

    `is_of_other_version`: a pickle of another minor version of scikit-learn that could be loaded here all the same.
    """

    path: Path
    fitted: Any
    remarks: tuple[str, ...] = ()
    is_of_other_version: bool = False


def read_model_file(path: Path, *, is_trusted: bool, requirements: Path | None = None) -> ModelFile:
    """Read the object in a file.

    A trusted pickle that can't be loaded here is read beside the libraries that it was made with; with `requirements`
    at once. Raises TrainingError if the file is absent, can't be read, is of another kind, or is a pickle that isn't
    trusted.
    """
    if path.is_dir():
        path = find_model_file(path)
    try:
        with path.open("rb") as file:
            start = file.read(64)
    except OSError as error:
        raise TrainingError(f"can't read the model {path}: {error.strerror}; {EXPECTED}") from error
    load = _find_loader(path, start)
    if load is _load_pickle and is_trusted and requirements is not None:
        return read_older_file(path, requirements, "not tried")
    with stand_in("imblearn"), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            fitted = load(path, is_trusted)
        except TrainingError:
            raise
        # A pickle is a program, and the libraries that its objects belong to raise what they like.
        except Exception as error:
            fault = f"{type(error).__name__}: {first_lines(error)}"
            if load is _load_pickle and can_be_read_aside(path, error):
                return read_older_file(path, None, fault)
            raise TrainingError(_explain(path, error)) from error
    versions = [str(warning.message) for warning in caught if issubclass(warning.category, InconsistentVersionWarning)]
    is_other = bool(versions) and load is _load_pickle and is_of_other_version(path)
    return ModelFile(path, fitted, tuple(text.splitlines()[0] for text in versions[:1]), is_other)


def read_older_file(path: Path, requirements: Path | None, fault: str) -> ModelFile:
    """Read a trusted pickle beside the libraries that it was made with; `fault`: why it can't be read here."""
    old = read_old(path, requirements, fault)
    return ModelFile(path, old.fitted, (old.remark,))


def _explain(path: Path, error: Exception) -> str:
    """What an error while loading means, and what to do."""
    if isinstance(error, ImportError):
        missing = f"the package {error.name.split('.')[0]}" if error.name else str(error)
        return (
            f"{path} needs {missing}, which isn't installed or is of another version; "
            "install the version that the model was fitted with, and import again"
        )
    return f"{path} can't be read as a fitted model: {type(error).__name__}: {first_lines(error)}; save it again"


def _find_loader(path: Path, start: bytes) -> Callable[[Path, bool], Any]:
    """The function that reads a file with these first bytes; raises TrainingError if there is none."""
    if start.startswith(b"PK"):
        return _load_skops
    if start.startswith(b"CBM1"):
        return lambda file, _: _load_catboost(file, "cbm")
    if start.startswith(b"tree") and b"version=" in start:
        return lambda file, _: import_booster("lightgbm").Booster(model_file=str(file))
    if start[:1] == b"{":
        return lambda file, _: _load_json(file, start)
    if start.startswith((b"\x80", *COMPRESSED_STARTS)) or _is_plain_pickle(path):
        return _load_pickle
    for beginning, what in OTHER_FORMATS.items():
        if start.startswith(beginning):
            raise TrainingError(f"{path} is {what}; {EXPECTED}")
    raise TrainingError(f"{path} {'is empty' if not start else f'starts with {start[:12]!r}'}; {EXPECTED}")


def _is_plain_pickle(path: Path) -> bool:
    """Whether a file is a pickle of protocol 0 or 1, which has no first bytes of its own; nothing in it is run."""
    try:
        with path.open("rb") as file:
            return sum(1 for _ in pickletools.genops(file)) > 1
    except Exception:  # noqa: BLE001 - pickletools raises what its decoders raise
        return False


def _load_pickle(path: Path, is_trusted: bool) -> Any:
    if not is_trusted:
        raise TrainingError(
            f"{path} is a pickle, and loading a pickle runs the code inside it; "
            "if you trust its source, add --trust, otherwise have it saved with skops"
        )
    return joblib.load(path)


def _load_skops(path: Path, is_trusted: bool) -> Any:
    with zipfile.ZipFile(path) as archive:
        if "schema.json" not in archive.namelist():
            raise TrainingError(f"{path} is a ZIP archive, but not of skops; {EXPECTED}")
    foreign = skops.io.get_untrusted_types(file=path)
    if not is_trusted and (unknown := [name for name in foreign if not name.startswith(TRUSTED_LIBRARIES)]):
        raise TrainingError(
            f"{path} holds types that aren't known to be harmless: {shorten(unknown)}; "
            "if you trust its source, add --trust"
        )
    return skops.io.load(path, trusted=foreign)


def _load_json(path: Path, start: bytes) -> Any:
    """A booster of XGBoost in JSON or UBJSON, or of CatBoost in JSON."""
    if start[1:2] in b"iUIlL" or b'"learner"' in start:
        classifier = import_booster("xgboost").XGBClassifier()
        classifier.load_model(path)
        return classifier
    if b'"features_info"' in start or b'"model_info"' in start:
        return _load_catboost(path, "json")
    raise TrainingError(f"{path} is a JSON file, but not of XGBoost; {EXPECTED}")


def _load_catboost(path: Path, kind: str) -> Any:
    classifier = import_booster("catboost").CatBoostClassifier()
    classifier.load_model(str(path), format=kind)
    return classifier


def import_booster(name: str) -> Any:
    """A boosting library; raises TrainingError if it isn't installed."""
    return import_optional(name, "requirements/boosters.txt")
