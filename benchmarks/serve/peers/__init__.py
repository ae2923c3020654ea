"""Who is measured: each peer a folder with its service, as its own documentation has one written, and its libraries.

A peer gets the model by the variable MODEL (a joblib pickle of the pipeline, or the graph), its port by PORT. Its
environment is build/bench/<name>, made from <name>/requirements.txt; `ours` and `limit` run in the project's own.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from benchmarks.serve.protocols import PREDICT, V2, Protocol

FOLDER = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Peer:
    """A service to measure.

    `command`: what is started in its folder by its own Python, {python} and {port} filled in. `libraries`: those whose
    versions are told. `takes`: the file of a model that it loads.
    """

    name: str
    title: str
    command: tuple[str, ...]
    libraries: tuple[str, ...]
    takes: str = "pipeline.joblib"
    protocol: Protocol = PREDICT
    has_own_environment: bool = True

    @property
    def folder(self) -> Path:
        """Where its service and requirements.txt are."""
        return FOLDER / self.name


UVICORN = ("{python}", "-m", "uvicorn", "app:app", "--port", "{port}", "--no-access-log")

PEERS = {
    peer.name: peer
    for peer in (
        Peer(
            "limit",
            "bare uvicorn answering a constant (the limit)",
            ("{python}", "app.py"),
            ("uvicorn", "uvloop", "httptools"),
            has_own_environment=False,
        ),
        Peer(
            "ours",
            "this service",
            ("{python}", "-m", "serve"),
            ("uvicorn", "starlette", "msgspec", "numpy", "onnxruntime"),
            takes="model.onnx",
            has_own_environment=False,
        ),
        Peer(
            "flask",
            "Flask + pandas + scikit-learn, gunicorn",
            ("{python}", "-m", "gunicorn", "app:app", "--bind", "127.0.0.1:{port}"),
            ("flask", "gunicorn", "pandas", "scikit-learn"),
        ),
        Peer("fastapi_sklearn", "FastAPI + scikit-learn", UVICORN, ("fastapi", "uvicorn", "scikit-learn")),
        Peer(
            "fastapi_onnxruntime",
            "FastAPI + onnxruntime, 1 thread",
            UVICORN,
            ("fastapi", "uvicorn", "onnxruntime"),
            takes="model.onnx",
        ),
        Peer(
            "bentoml",
            "BentoML",
            ("{python}", "-m", "bentoml", "serve", "app:Credit", "--host", "127.0.0.1", "--port", "{port}"),
            ("bentoml", "scikit-learn"),
        ),
        Peer(
            "mlserver",
            "MLServer",
            ("{python}", "-m", "mlserver.cli.main", "start", "."),
            ("mlserver", "mlserver-sklearn", "scikit-learn"),
            protocol=V2,
        ),
        Peer("litserve", "LitServe", ("{python}", "app.py"), ("litserve", "scikit-learn")),
    )
}
"""By name, in the order of the tables."""
