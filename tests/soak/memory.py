"""What the service holds once everything has been asked of it: a small dyno has room for a few workers."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx

from serve.api.routes import ENDPOINTS
from tests.serve.running import ROOT, SERVE, Service, running
from tests.soak.service import resident_megabytes

TIMES = 1_000

MOST_MEGABYTES = 90.0
"""Around a logistic regression, which weighs nothing: a model's own trees come on top."""


def train_logistic() -> bytes:
    """The file of a logistic regression of the embedded table."""
    with TemporaryDirectory(prefix="credit-soak-") as folder:
        command = [sys.executable, "-m", "train", "data/credit_data.toml", "--model", "logistic", "--out", folder]
        subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
        return Path(folder, "model.onnx").read_bytes()


def measure(content: bytes) -> tuple[float, list[str]]:
    """Megabytes after each endpoint of the table was asked so often, and the answers that were not 200.

    Endpoints with a body are asked with the example of the document.
    """
    with (
        TemporaryDirectory(prefix="credit-soak-") as folder,
        running(Path(folder), content, SERVE, LOG_LEVEL="info") as service,
    ):
        faults = _ask_all(service)
        return resident_megabytes(service.process.pid), faults


def _ask_all(service: Service) -> list[str]:
    faults = []
    with httpx.Client(base_url=service.base) as client:
        document, model = client.get("/openapi.json").json(), client.get("/model").json()
        for endpoint in ENDPOINTS:
            path = endpoint.path.format(name=model["name"], version=model["version"])
            body: Any = None
            if endpoint.request:
                content = document["paths"][endpoint.path]["post"]["requestBody"]["content"]
                body = content["application/json"]["example"]
            statuses = {client.request(endpoint.method, path, json=body).status_code for _ in range(TIMES)}
            if statuses != {200}:
                faults.append(f"{endpoint.method} {path} is answered {statuses}, expected 200")
    return faults
