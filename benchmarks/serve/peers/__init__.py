"""The services that are measured; each is a folder with an app written as its framework's documentation suggests.

A service gets the path of its model in MODEL (a joblib pickle of the pipeline, or the ONNX file) and its port in PORT.
Its environment is build/bench/<name>, made from <name>/requirements.txt; `ours` and `bare_uvicorn` use the project's.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from benchmarks.serve.protocols import PREDICT, V2, Protocol

FOLDER = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Peer:
    """A service to measure.

    `command`: run in its folder, with {python} and {port} replaced. `libraries`: those whose versions are shown.
    `model_file`: the file of a model that it loads.
    """

    name: str
    title: str
    command: tuple[str, ...]
    libraries: tuple[str, ...]
    model_file: str = "pipeline.joblib"
    protocol: Protocol = PREDICT
    has_own_environment: bool = True

    @property
    def folder(self) -> Path:
        """The folder of its app and requirements.txt."""
        return FOLDER / self.name


UVICORN = ("{python}", "-m", "uvicorn", "app:app", "--port", "{port}", "--no-access-log")

PEERS = {
    peer.name: peer
    for peer in (
        Peer(
            "bare_uvicorn",
            "bare uvicorn answering a constant (upper bound)",
            ("{python}", "app.py"),
            ("uvicorn", "uvloop", "httptools"),
            has_own_environment=False,
        ),
        Peer(
            "ours",
            "this service",
            ("{python}", "-m", "serve"),
            ("uvicorn", "starlette", "msgspec", "numpy", "onnxruntime"),
            model_file="model.onnx",
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
            model_file="model.onnx",
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
