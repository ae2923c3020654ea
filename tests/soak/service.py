"""The service with the model of the checkout as a real process, for load and memory tests."""

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
    """Runs the service with these settings and no others until it is ready; kills it at the end.

    It logs errors only, unless LOG_LEVEL is set.
    """
    with (
        TemporaryDirectory(prefix="credit-soak-") as folder,
        running(Path(folder), ARTIFACT.read_bytes(), SERVE, **{"LOG_LEVEL": "warning"} | settings) as service,
    ):
        yield service


def rename_model(content: bytes) -> bytes:
    """The same model with another version of the same length, so that answers can be told apart by bytes."""
    version = load_model(content).contract.version
    return with_contract(content, version=version[:-4] + ("0000" if version.endswith("ffff") else "ffff"))


def resident_megabytes(process: int) -> float:
    """Resident memory of a process (Linux)."""
    pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def peak_megabytes(process: int) -> float:
    """Peak resident memory of a process (Linux)."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    (kilobytes,) = (line.split()[1] for line in lines if line.startswith("VmHWM:"))
    return int(kilobytes) * 1024 / 1e6
