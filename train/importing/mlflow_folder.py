"""The model file in an MLflow model folder, which its file MLmodel names; MLflow itself isn't needed."""

from __future__ import annotations

import re
from pathlib import Path

from train.errors import TrainingError, shorten

MODEL_KEYS = {
    "sklearn": ("pickled_model",),
    "lightgbm": ("data",),
    "xgboost": ("data",),
    "catboost": ("data",),
}
"""Flavour → the keys of MLmodel that hold the path of its file, relative to the folder."""


def find_model_file(folder: Path) -> Path:
    """The file with the fitted model of a folder; raises TrainingError if it is no model folder of a known flavour."""
    try:
        text = (folder / "MLmodel").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise TrainingError(
            f"can't read the model {folder}: it is a folder without a readable file MLmodel; "
            "give the path of a model's file, or of an MLflow model folder"
        ) from error
    flavours = _read_flavours(text)
    for flavour, keys in MODEL_KEYS.items():
        for key in keys:
            path = folder / flavours.get(flavour, {}).get(key, "")
            if path.is_file():
                return path
            if path != folder:
                raise TrainingError(
                    f"{folder / 'MLmodel'} names the file {path}, which isn't there; copy the whole folder"
                )
    raise TrainingError(
        f"{folder / 'MLmodel'} has the flavours {shorten(list(flavours)) or 'none'}, "
        f"expected one of: {', '.join(MODEL_KEYS)}"
    )


def _read_flavours(text: str) -> dict[str, dict[str, str]]:
    """Flavour → its settings, from the part of the YAML that MLflow writes: two levels of indented keys."""
    flavours: dict[str, dict[str, str]] = {}
    inside = False
    for line in text.splitlines():
        match = re.fullmatch(r"( *)([A-Za-z_]+):(?: +['\"]?(.*?)['\"]?)? *", line)
        if match is None:
            continue
        indent, key, value = len(match[1]), match[2], match[3] or ""
        if indent == 0:
            inside = key == "flavors"
        elif inside and indent == 2:
            flavours[key] = {}
        elif inside and indent == 4 and flavours:
            flavours[list(flavours)[-1]][key] = value
    return flavours
