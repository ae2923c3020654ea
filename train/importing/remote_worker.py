"""Runs beside the old libraries of an old pickle: loads it, and answers questions about its objects.

Started by remote.py. Only the standard library and numpy are imported at first, and nothing of this project, so that
this file also runs in Python 3.7. Answers are plain data, never pickles: JSON, with arrays in numpy's format after it.
`pack` and `unpack` are used on both sides.
"""

from __future__ import annotations

import base64
import builtins
import importlib.util
import io
import json
import os
import pickle
import struct
import sys
import tempfile
import types
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

PLAIN = (bool, int, float, str, type(None))

if TYPE_CHECKING:
    Arrays = list[np.ndarray[Any, Any]]


def pack(value: Any, arrays: Arrays, refer: Callable[[Any], Any]) -> Any:
    """A value as JSON; arrays are appended to `arrays`, other objects become what `refer` makes of them."""
    if type(value) in PLAIN:
        return value
    if isinstance(value, np.ndarray) and value.dtype == object:
        return {"objects": [pack(one, arrays, refer) for one in value.ravel().tolist()], "shape": list(value.shape)}
    if isinstance(value, (np.ndarray, np.generic)):
        arrays.append(np.asarray(value))
        return {"array" if isinstance(value, np.ndarray) else "scalar": len(arrays) - 1}
    if type(value) in (list, tuple, set, frozenset):
        return {type(value).__name__: [pack(one, arrays, refer) for one in value]}
    if isinstance(value, dict):
        return {"dict": [[pack(one, arrays, refer) for one in pair] for pair in value.items()]}
    if isinstance(value, (bytes, bytearray)):
        return {"bytes": base64.b64encode(value).decode()}
    if isinstance(value, slice):
        return {"slice": [pack(one, arrays, refer) for one in (value.start, value.stop, value.step)]}
    if isinstance(value, (type, types.FunctionType, types.BuiltinFunctionType, np.ufunc, np.dtype)):
        module = "numpy" if isinstance(value, (np.ufunc, np.dtype)) else value.__module__
        return {"name": [module, value.name if isinstance(value, np.dtype) else value.__name__]}
    kind = type(value).__name__
    if kind == "DataFrame":
        columns = [[str(name), _pack_column(value[name], arrays, refer)] for name in value.columns]
        return {"frame": columns}
    if kind in ("Index", "Series", "Categorical", "StringArray", "ArrowStringArray"):
        return pack(np.asarray(value, dtype=object), arrays, refer)
    if hasattr(value, "toarray"):  # a sparse matrix
        return pack(value.toarray(), arrays, refer)
    return refer(value)


def _pack_column(column: Any, arrays: Arrays, refer: Callable[[Any], Any]) -> Any:
    if str(column.dtype) == "category":
        return {
            "values": pack(np.asarray(column, dtype=object), arrays, refer),
            "categories": pack(np.asarray(column.cat.categories), arrays, refer),
        }
    return {"values": pack(np.asarray(column), arrays, refer)}


def unpack(value: Any, arrays: Arrays, find: Callable[[dict[str, Any]], Any]) -> Any:
    """The inverse of `pack`; `find` gives the object for what `refer` made."""
    if type(value) in PLAIN:
        return value
    (kind, *_), content = value, next(iter(value.values()))
    if kind in ("array", "scalar"):
        return arrays[content] if kind == "array" else arrays[content][()]
    if kind == "objects":
        result = np.empty(len(content), dtype=object)
        result[:] = [unpack(one, arrays, find) for one in content]
        return result.reshape(value["shape"])
    if kind in ("list", "tuple", "set", "frozenset"):
        return getattr(builtins, kind)(unpack(one, arrays, find) for one in content)
    if kind == "dict":
        return {unpack(key, arrays, find): unpack(one, arrays, find) for key, one in content}
    if kind == "bytes":
        return base64.b64decode(content)
    if kind == "slice":
        return slice(*(unpack(one, arrays, find) for one in content))
    if kind == "frame":
        import pandas as pd

        columns = {}
        for name, column in content:
            values = unpack(column["values"], arrays, find)
            if "categories" in column:
                values = pd.Categorical(values, categories=unpack(column["categories"], arrays, find).tolist())
            columns[name] = values
        return pd.DataFrame(columns)
    return find(value)


def send(pipe: BinaryIO, message: Any, arrays: Arrays) -> None:
    """Write one message."""
    parts = [json.dumps(message).encode()]
    for array in arrays:
        buffer = io.BytesIO()
        np.save(buffer, array, allow_pickle=False)
        parts.append(buffer.getvalue())
    pipe.write(struct.pack("<Q", len(parts)))
    for part in parts:
        pipe.write(struct.pack("<Q", len(part)) + part)
    pipe.flush()


def receive(pipe: BinaryIO) -> tuple[Any, Arrays]:
    """Read one message; raises EOFError if the other side has ended."""

    def read(length: int) -> bytes:
        content = pipe.read(length)
        if len(content) < length:
            raise EOFError
        return content

    def read_number() -> int:
        return int(struct.unpack("<Q", read(8))[0])

    parts = [read(read_number()) for _ in range(read_number())]
    return json.loads(parts[0].decode()), [np.load(io.BytesIO(part), allow_pickle=False) for part in parts[1:]]


class Worker:
    """The loaded objects, by number."""

    def __init__(self) -> None:
        self.objects: list[Any] = []
        self.numbers: dict[int, int] = {}

    def refer(self, value: Any) -> dict[str, Any]:
        """An object's number, and the name of its class."""
        if id(value) not in self.numbers:
            self.numbers[id(value)] = len(self.objects)
            self.objects.append(value)
        return {"object": self.numbers[id(value)], "class": type(value).__name__}

    def answer(self, request: dict[str, Any], arrays: Arrays, results: Arrays) -> Any:
        """The answer to one request; raises what the object raises."""
        if "load" in request:
            return pack(load(request["load"]), results, self.refer)
        if "versions" in request:
            return {name: sys.modules[name].__version__ for name in request["versions"] if name in sys.modules}
        target, name = self.objects[request["object"]], request["name"]
        value = getattr(target, name)
        if "arguments" not in request:
            is_method = callable(value) and hasattr(type(target), name) and name not in getattr(target, "__dict__", {})
            return {"method": name} if is_method else pack(value, results, self.refer)
        arguments, named = unpack(request["arguments"], arrays, lambda found: self.objects[found["object"]])
        try:
            result = value(*arguments, **named)
        except TypeError:
            if (name, arguments) != ("save_raw", ["json"]):
                raise
            result = save_json(target)  # XGBoost before 1.6
        return pack(result, results, self.refer)


def load(path: str) -> Any:
    """The object in a pickle."""
    try:
        import joblib
    except ImportError:
        with open(path, "rb") as file:
            return pickle.load(file)  # noqa: S301 - the user has said that it is trusted
    return joblib.load(path)


def save_json(booster: Any) -> bytes:
    """A booster of XGBoost in JSON."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "booster.json")
        booster.save_model(path)
        with open(path, "rb") as file:
            return file.read()


def main(stand_ins: str) -> None:
    """Answer requests until the pipe ends; `stand_ins`: the file of absent.py."""
    requests, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    # What the libraries print would mix with the answers.
    os.dup2(2, 1)
    warnings.simplefilter("ignore")
    spec = importlib.util.spec_from_file_location("absent", stand_ins)
    if spec is None or spec.loader is None:
        raise ImportError(stand_ins)
    absent = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(absent)
    worker = Worker()
    with absent.stand_in("imblearn"):
        while True:
            try:
                request, arrays = receive(requests)
            except EOFError:
                return
            results: Arrays = []
            try:
                message = {"answer": worker.answer(request, arrays, results)}
            except Exception as error:  # noqa: BLE001 - passed on, to be raised on the other side
                results, message = [], {"error": [type(error).__name__, str(error)]}
            send(answers, message, results)


if __name__ == "__main__":
    main(sys.argv[1])
