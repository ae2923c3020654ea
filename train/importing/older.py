"""A pickle that today's libraries can't load, read beside the libraries that it was made with.

Their versions are named by the user, or found in the file, which isn't loaded for that: scikit-learn writes its version
into every object. An environment with them is built by uv, from the packages as they were before scikit-learn's next
minor version, and kept in the user's cache.
"""

from __future__ import annotations

import bz2
import gzip
import hashlib
import lzma
import os
import re
import shutil
import subprocess
import sys
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sklearn

from train.errors import TrainingError, first_lines, shorten
from train.importing.remote import Process

PACKAGES = {
    "lightgbm": "lightgbm",
    "xgboost": "xgboost",
    "catboost": "catboost",
    "optbinning": "optbinning",
    "interpret": "interpret-core",
    "category_encoders": "category_encoders",
}
"""Module of a library → its package. Samplers of imblearn aren't needed (absent.py)."""

ALWAYS = ("pandas", "setuptools")
"""Packages that every environment has: tables of applicants, and what old libraries need without saying so."""

TIMES = {
    "0.20": ("3.7", "2019-05-15"),
    "0.21": ("3.7", "2019-12-01"),
    "0.22": ("3.8", "2020-05-10"),
    "0.23": ("3.8", "2020-12-20"),
    "0.24": ("3.9", "2021-09-20"),
    "1.0": ("3.9", "2022-05-10"),
    "1.1": ("3.10", "2022-12-05"),
    "1.2": ("3.11", "2023-06-28"),
    "1.3": ("3.11", "2024-01-15"),
    "1.4": ("3.12", "2024-05-20"),
    "1.5": ("3.12", "2024-12-08"),
    "1.6": ("3.12", "2025-06-04"),
    "1.7": ("3.12", "2025-12-09"),
}
"""Minor version of scikit-learn → a Python that it has packages for, and the days before its next minor version."""

PYTHON = "3.12"
"""For versions that aren't listed."""

VERSION = re.compile(rb"_sklearn_version.{1,16}?(\d+\.\d+(?:\.\d+)?(?:\.?(?:rc|post|dev)\d+)?)", re.DOTALL)

DECOMPRESSORS: dict[bytes, Callable[[bytes], bytes]] = {
    b"\x1f\x8b": gzip.decompress,
    b"BZh": bz2.decompress,
    b"\xfd7zXZ": lzma.decompress,
    b"]\x00\x00": lzma.decompress,
    b"x": zlib.decompress,
}
"""First bytes of joblib's compressed pickles → how to read them."""


@dataclass(frozen=True, slots=True)
class Environment:
    """What an environment is made of: uv's requirements, the version of Python, and the day that packages are from."""

    requirements: str
    python: str
    before: str | None = None

    def __str__(self) -> str:
        return ", ".join(self.requirements.split())


@dataclass(frozen=True, slots=True)
class OldModel:
    """The object in an old pickle, and in one sentence which versions it was read with."""

    fitted: Any
    remark: str


def read_old(path: Path, requirements: Path | None, fault: str) -> OldModel:
    """The object in a trusted pickle, beside the libraries that it was made with.

    `fault`: why today's libraries can't read it. Raises TrainingError if no version is known, the environment can't be
    built, or the pickle can't be loaded there either.
    """
    environment = read_requirements(requirements) if requirements else find_requirements(path)
    if environment is None:
        raise TrainingError(
            f"{path} can't be read with the libraries here ({fault}), and the file doesn't tell the versions that it "
            "was made with; name them, such as scikit-learn==1.0.2, one a line: --requirements FILE"
        )
    process = Process(build_environment(path, environment))
    try:
        fitted = process.load(path)
    # A pickle is a program, and the libraries that its objects belong to raise what they like.
    except Exception as error:
        raise TrainingError(
            f"{path} can't be read with the libraries here ({fault}), nor with {environment} in Python "
            f"{environment.python} ({type(error).__name__}: {first_lines(error)}); name the versions that it was made "
            "with, one a line: --requirements FILE"
        ) from error
    network = "without isolation from the network" if process.has_network else "without network"
    return OldModel(
        fitted,
        f"{path.name} is read beside {_list_versions(process)} in Python {environment.python}, in a process of its own "
        f"{network}; all probabilities to compare with are asked for there",
    )


def _list_versions(process: Process) -> str:
    names = ["sklearn", "numpy", "pandas", *PACKAGES]
    found = [f"{name} {version}" for name, version in process.versions(names).items()]
    return shorten(found).replace("sklearn", "scikit-learn") or "no library"


def read_requirements(path: Path) -> Environment:
    """The environment that a requirements file describes; raises TrainingError if it can't be read."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise TrainingError(f"can't read --requirements {path}: {error}") from error
    stated = re.search(r"^scikit[-_]learn==(\d+\.\d+)", text, re.MULTILINE | re.IGNORECASE)
    python, before = TIMES.get(stated[1] if stated else "", (PYTHON, None))
    return Environment("\n".join([text, *ALWAYS, ""]), python, before)


def is_of_other_version(path: Path) -> bool:
    """Whether a file says that another minor version of scikit-learn than the one here wrote it."""
    version = find_version(_decompress(path))
    return version is not None and version.split(".")[:2] != sklearn.__version__.split(".")[:2]


def can_be_read_aside(path: Path, error: Exception) -> bool:
    """Whether a pickle that fails here is of another version, or needs a library that isn't installed here."""
    name = (error.name or "").split(".")[0] if isinstance(error, ImportError) else ""
    return is_of_other_version(path) or (name in PACKAGES and find_version(_decompress(path)) is not None)


def find_version(content: bytes) -> str | None:
    """The version of scikit-learn that wrote the first object of a pickle, None if it doesn't tell."""
    found = VERSION.search(content)
    return found[1].decode() if found else None


def _decompress(path: Path) -> bytes:
    """The content of a pickle; empty if it is compressed in a way that isn't known."""
    content = path.read_bytes()
    for start, decompress in DECOMPRESSORS.items():
        if content.startswith(start):
            try:
                return decompress(content)
            except (OSError, EOFError, lzma.LZMAError, zlib.error):
                return b""
    return content


def find_requirements(path: Path) -> Environment | None:
    """The environment that a pickle was made in, as far as the file tells; None if it doesn't name scikit-learn."""
    content = _decompress(path)
    version = find_version(content)
    if version is None:
        return None
    python, before = TIMES.get(".".join(version.split(".")[:2]), (PYTHON, None))
    packages = [name for module, name in PACKAGES.items() if re.search(rf"{module}[.\n]".encode(), content)]
    return Environment("\n".join([f"scikit-learn=={version}", *packages, *ALWAYS, ""]), python, before)


def build_environment(path: Path, environment: Environment) -> Path:
    """The interpreter of an environment, from the cache where it was built before; raises TrainingError.

    Only packages that are ready to run are installed: building one would run its code, with network.
    """
    uv = shutil.which("uv") or shutil.which("uv", path=str(Path(sys.executable).parent))
    if uv is None:
        raise TrainingError(
            f"{path} was made with older libraries, and uv, which installs them aside, isn't installed; "
            "install it with: python -m pip install uv"
        )
    name = hashlib.sha256(repr(environment).encode()).hexdigest()[:16]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = cache / "credit-model-import" / name
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if (folder / "complete").exists():
        return python
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / "requirements.txt").write_text(environment.requirements, encoding="utf-8")
    before = ["--exclude-newer", environment.before] if environment.before else []
    for command in (
        [uv, "venv", "--quiet", "--allow-existing", "--python", environment.python, str(folder)],
        [
            uv,
            "pip",
            "install",
            "--quiet",
            "--only-binary",
            ":all:",
            *before,
            "--python",
            str(python),
            "-r",
            str(folder / "requirements.txt"),
        ],
    ):
        done = subprocess.run(command, capture_output=True, text=True, env=_with_pyenv(), check=False)
        if done.returncode:
            fault = " ".join(done.stderr.split())[:400]
            raise TrainingError(
                f"{path} was made with other libraries, and an environment with {environment} in Python "
                f"{environment.python} can't be built: {fault}; name other versions, one a line: --requirements FILE"
            )
    (folder / "complete").touch()
    return python


def _with_pyenv() -> dict[str, str]:
    """The environment variables, with pyenv's interpreters where uv finds them."""
    versions = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    folders = sorted(str(folder) for folder in versions.glob("*/bin"))
    return {**os.environ, "PATH": os.pathsep.join([os.environ.get("PATH", ""), *folders])}
