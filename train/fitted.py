"""Reading a model that somebody fitted elsewhere: skops files as they are, pickles only when trusted."""

from __future__ import annotations

import pickle
import warnings
from pathlib import Path
from typing import Any

import joblib
import skops.io
from sklearn.exceptions import InconsistentVersionWarning
from skops.io.exceptions import UntrustedTypesFoundException

from train.errors import TrainingError


def read_fitted(path: Path, *, is_trusted: bool) -> tuple[Any, str]:
    """The object in a file, and a remark about the version it was saved with ('' if there is none).

    Raises TrainingError if the file is absent, isn't such a file, or is a pickle that nobody called trusted.
    """
    if not path.is_file():
        raise TrainingError(f"can't read the model {path}: no such file; check the path")
    if path.suffix != ".skops" and not is_trusted:
        raise TrainingError(
            f"{path} is a pickle, and loading a pickle runs the code inside it; "
            "if you know where it comes from, say --trust, else have it saved with skops"
        )
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            fitted = skops.io.load(path, trusted=[]) if path.suffix == ".skops" else joblib.load(path)
        except UntrustedTypesFoundException as error:
            raise TrainingError(f"{path} holds types that skops doesn't trust: {error}") from error
        except (pickle.UnpicklingError, EOFError, ImportError, AttributeError, KeyError, ValueError, OSError) as error:
            kind = type(error).__name__
            raise TrainingError(f"{path} can't be read as a fitted model: {kind}: {error}; save it again") from error
    remarks = [str(warning.message) for warning in caught if issubclass(warning.category, InconsistentVersionWarning)]
    return fitted, remarks[0].splitlines()[0] if remarks else ""
