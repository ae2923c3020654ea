"""Memory of the service after requests to every endpoint: a small dyno must have room for several workers."""

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

MAX_MEGABYTES = 90.0
"""For a logistic regression, whose model needs almost no memory itself."""


def train_logistic() -> bytes:
    """The model file of a logistic regression on the embedded table."""
    with TemporaryDirectory(prefix="credit-soak-") as folder:
        command = [sys.executable, "-m", "train", "data/credit_data.toml", "--model", "logistic", "--out", folder]
        subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
        return Path(folder, "model.onnx").read_bytes()


def measure(content: bytes) -> tuple[float, list[str]]:
    """Megabytes after this many requests to each endpoint, and the answers other than 200.

    POST bodies are the examples of the OpenAPI document.
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
