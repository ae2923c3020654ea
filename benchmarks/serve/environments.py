"""The Python environments of the peers: build/bench/<peer>, made again when its requirements.txt changes."""

from __future__ import annotations

import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

from benchmarks.serve.errors import BenchError
from benchmarks.serve.peers import Peer


def find_python(peer: Peer, build: Path) -> Path:
    """The Python interpreter of a peer."""
    return build / peer.name / "bin" / "python" if peer.has_own_environment else Path(sys.executable)


def build_environment(peer: Peer, build: Path) -> None:
    """Make a peer's environment unless it is up to date; raises BenchError if a package can't be installed."""
    if not peer.has_own_environment:
        return
    try:
        install(peer.folder / "requirements.txt", build / peer.name)
    except BenchError as error:
        raise BenchError(f"leave {peer.name} out with --without {peer.name}: {error}") from error


def install(requirements: Path, folder: Path) -> Path:
    """Make an environment of these packages unless it is up to date; returns its Python.

    Raises BenchError if a package can't be installed.
    """
    wanted = requirements.read_bytes()
    marker, python = folder / "installed.txt", folder / "bin" / "python"
    if marker.is_file() and marker.read_bytes() == wanted:
        return python
    if folder.exists():
        shutil.rmtree(folder)
    uv = str(Path(sys.executable).parent / "uv")
    for command in (
        [uv, "venv", "--quiet", "--python", sys.executable, str(folder)],
        # Bytecode is compiled before the first start, as in our environment.
        [uv, "pip", "install", "--quiet", "--compile-bytecode", "--python", str(python), "-r", str(requirements)],
    ):
        ended = subprocess.run(command, capture_output=True, text=True, check=False)
        if ended.returncode:
            raise BenchError(f"{requirements} can't be installed: {ended.stderr}")
    marker.write_bytes(wanted)
    return python


def read_versions(peer: Peer) -> dict[str, str]:
    """The versions of a peer's main libraries: as pinned, or as installed in our environment."""
    if not peer.has_own_environment:
        return {library: version(library) for library in peer.libraries}
    lines = (peer.folder / "requirements.txt").read_text().splitlines()
    pinned = dict(line.split("==") for line in lines if "==" in line and not line.lstrip().startswith("#"))
    return {library: pinned[library] for library in peer.libraries}
