"""The service around the model of the checkout, as a real process, for tests that load it, stop it or weigh it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from model.loading import load_model
from tests.serve.files import with_contract
from tests.serve.running import ROOT, SERVE, Service, running

ARTIFACT = ROOT / "artifacts" / "model.onnx"


@contextmanager
def running_service(**settings: str) -> Iterator[Service]:
    """The service with these settings and no others, ready to answer; killed if it hasn't ended.

    It says only what is wrong, unless LOG_LEVEL asks for more.
    """
    with (
        TemporaryDirectory(prefix="credit-soak-") as folder,
        running(Path(folder), ARTIFACT.read_bytes(), SERVE, **{"LOG_LEVEL": "warning"} | settings) as service,
    ):
        yield service


def rename_model(content: bytes) -> bytes:
    """The same model under another version, which has as many characters: whole answers can be told apart by it."""
    version = load_model(content).contract.version
    return with_contract(content, version=version[:-4] + ("0000" if version.endswith("ffff") else "ffff"))


def resident_megabytes(process: int) -> float:
    """Memory that a process holds (Linux)."""
    pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def peak_megabytes(process: int) -> float:
    """The most that a process has ever held (Linux)."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    (kilobytes,) = (line.split()[1] for line in lines if line.startswith("VmHWM:"))
    return int(kilobytes) * 1024 / 1e6
