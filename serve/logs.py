"""What the service says: one JSON object a line on standard output, one line a request, never an applicant's values."""

from __future__ import annotations

import logging
import os
import traceback
from types import TracebackType
from typing import Any

import msgspec
from msgspec import Struct


class Line(Struct, frozen=True):
    """One answered request. `ms`: from its start to the end of its answer; `applicants`: how many were scored."""

    time: float
    level: str
    message: str
    request_id: str
    method: str
    path: str
    status: int
    ms: float
    applicants: int
    model: str


_encode = msgspec.json.Encoder().encode


class RequestLog:
    """The lines of the requests of one turn of the event loop, written together."""

    def __init__(self, descriptor: int = 1) -> None:
        self._descriptor = descriptor
        self._lines: list[bytes] = []

    def add(self, line: Line) -> None:
        """Keep a line until the turn of the loop ends."""
        self._lines.append(_encode(line))

    def flush(self) -> None:
        """Write what was kept."""
        if not self._lines:
            return
        content = memoryview(b"\n".join(self._lines) + b"\n")
        self._lines.clear()
        try:
            while content:
                content = content[os.write(self._descriptor, content) :]
        except OSError:
            # Nobody reads the log any more: that must not stop decisions.
            return


class JsonFormatter(logging.Formatter):
    """What uvicorn and we say besides, in the same form."""

    def format(self, record: logging.LogRecord) -> str:
        """One JSON object on one line, with where an error came from."""
        line: dict[str, Any] = {
            "time": round(record.created, 3),
            "level": record.levelname.lower(),
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["trace"] = self.formatException(record.exc_info)
        return _encode(line).decode()

    def formatException(self, ei: Any) -> str:
        """The frames and the types of an error and those before it, without their messages: they may quote a value."""
        error, parts = ei[1], []
        while error is not None:
            trace: TracebackType | None = error.__traceback__
            parts.append("".join(traceback.format_tb(trace)) + type(error).__name__)
            error = error.__cause__ or error.__context__
        return "\n".join(reversed(parts))


def configure_logs(level: str) -> dict[str, Any]:
    """What uvicorn gives to logging: everything through JsonFormatter on standard output, no access log of its own."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"json": {"()": "serve.logs.JsonFormatter"}},
        "handlers": {"out": {"class": "logging.StreamHandler", "formatter": "json", "stream": "ext://sys.stdout"}},
        "loggers": {name: {"handlers": ["out"], "level": level.upper(), "propagate": False} for name in LOGGERS},
    }


LOGGERS = ("uvicorn", "credit")
