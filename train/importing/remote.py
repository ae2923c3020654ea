"""Objects of old libraries as objects here: each question goes to a process that runs beside those libraries.

The process (remote_worker.py) has the minimum of environment variables and, where the system permits it, no network. It
can still read and write files as the user that runs it: a pickle is loaded there, too, only when it is trusted.
"""

from __future__ import annotations

import builtins
import subprocess
import sys
import tempfile
import weakref
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np
from sklearn.base import BaseEstimator

from train.importing import absent, remote_worker
from train.importing.remote_worker import pack, receive, send, unpack

WITHOUT_NETWORK = (("unshare", "--net"), ("unshare", "--map-root-user", "--net"))
"""Commands that start another without network, as root and as another user."""


class Remote(BaseEstimator):  # type: ignore[misc]
    """An object of the other process. Attributes and methods are asked for there; its class has the same name."""

    def __init__(self, process: Process, number: int) -> None:
        self._process = process
        self._number = number

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name in ("_process", "_number"):
            raise AttributeError(name)
        value = self._process.get(self._number, name)
        self.__dict__[name] = value
        return value

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def get_params(self, deep: bool = False) -> dict[str, Any]:
        """The parameters of the object itself."""
        parameters: dict[str, Any] = self._process.call(self._number, "get_params", [], {"deep": False})
        return parameters


class Process:
    """A process beside old libraries; `python`: the interpreter of their environment."""

    def __init__(self, python: Path) -> None:
        home = tempfile.TemporaryDirectory(prefix="import-")
        prefix = next((command for command in WITHOUT_NETWORK if _runs([*command, "true"])), ())
        self.has_network = not prefix
        command = [*prefix, str(python), "-I", remote_worker.__file__, absent.__file__]
        folders = f"{python.parent}:/usr/local/bin:/usr/bin:/bin"
        variables = {"PATH": folders, "HOME": home.name, "TMPDIR": home.name, "LANG": "C.UTF-8"}
        self._process = subprocess.Popen(
            command,
            env=variables,
            cwd=home.name,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        self._requests, self._answers = (cast("BinaryIO", pipe) for pipe in (self._process.stdin, self._process.stdout))
        self._known: dict[int, Remote] = {}
        weakref.finalize(self, _end, self._process, home)

    def load(self, path: Path) -> Any:
        """The object in a pickle; raises what loading it raises."""
        return self._ask({"load": str(path.resolve())}, [])

    def versions(self, names: list[str]) -> dict[str, str]:
        """The versions of those modules that were loaded."""
        found: dict[str, str] = self._ask({"versions": names}, [], is_plain=True)
        return found

    def get(self, number: int, name: str) -> Any:
        """An attribute of an object, or a function for its method; raises what reading it raises."""
        return self._ask({"object": number, "name": name}, [])

    def call(self, number: int, name: str, arguments: list[Any], named: dict[str, Any]) -> Any:
        """The result of a method; raises what it raises."""
        arrays: list[Any] = []
        packed = pack((arguments, named), arrays, lambda value: {"object": value._number})
        return self._ask({"object": number, "name": name, "arguments": packed}, arrays)

    def _ask(self, request: dict[str, Any], arrays: list[Any], *, is_plain: bool = False) -> Any:
        try:
            send(self._requests, request, arrays)
            message, results = receive(self._answers)
        except (EOFError, BrokenPipeError) as error:
            raise RuntimeError(
                f"the process beside the old libraries ended with code {self._process.wait()}"
            ) from error
        if "error" in message:
            name, text = message["error"]
            kind = getattr(builtins, name, RuntimeError)
            raise kind(text) if kind is not RuntimeError else RuntimeError(f"{name}: {text}")
        answer = message["answer"]
        if is_plain:
            return answer
        if isinstance(answer, dict) and "method" in answer:
            number, name = request["object"], answer["method"]
            return lambda *arguments, **named: self.call(number, name, list(arguments), named)
        return unpack(answer, results, self._find)

    def _find(self, found: dict[str, Any]) -> Any:
        if "name" in found:
            return _find_function(*found["name"])
        number = found["object"]
        if number not in self._known:
            kind = type(found["class"], (Remote,), {"__module__": __name__})
            self._known[number] = kind(self, number)
        return self._known[number]


def _end(process: subprocess.Popen[bytes], home: tempfile.TemporaryDirectory[str]) -> None:
    """End a process when nothing asks it any more, and remove its folder."""
    process.kill()
    process.communicate()
    home.cleanup()


def _find_function(module: str, name: str) -> Any:
    """A function or type of numpy or Python itself; of others only the name is known."""
    known = {"numpy": np, "builtins": builtins}.get(module)
    if known is not None and hasattr(known, name):
        return getattr(known, name)

    def function(*_: Any) -> Any:
        raise RuntimeError(f"{module}.{name} is known by its name alone")

    function.__module__, function.__name__, function.__qualname__ = module, name, name
    return function


def _runs(command: list[str]) -> bool:
    """Whether a command ends without an error."""
    if sys.platform != "linux":
        return False
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        return False
