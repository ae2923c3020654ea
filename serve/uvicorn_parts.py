# ruff: noqa: E402 - what is left out must be left out before anything of uvicorn is imported
"""The parts of uvicorn that this service is built on, without its command line.

`import uvicorn` imports that too, with click and the supervisors of several workers: a tenth of the time from exec to
the first answer, for what a service of one worker never needs. Whoever has imported uvicorn before, as the workers of
several have, has all of it already. What is missing afterwards is `uvicorn.run` and `uvicorn.main`.
"""

from __future__ import annotations

import sys
from types import ModuleType

_COMMAND_LINE = "uvicorn.main"

if "uvicorn" not in sys.modules:
    _nothing = ModuleType(_COMMAND_LINE)
    _nothing.__dict__.update(dict.fromkeys(("Server", "main", "run")))
    sys.modules[_COMMAND_LINE] = _nothing
    try:
        import uvicorn
    finally:
        # Whoever asks for it by its own name gets it.
        del sys.modules[_COMMAND_LINE]
    del uvicorn.main, uvicorn.run

import uvicorn
from uvicorn.config import STARTUP_FAILURE, Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import Server

vars(uvicorn).update(Server=Server)

__all__ = ["STARTUP_FAILURE", "Config", "HttpToolsProtocol", "Server"]
