"""What the service says: one JSON object a line on standard output, one line a request, never an applicant's values."""

from __future__ import annotations

import logging
import os
import traceback
from functools import lru_cache
from time import time
from types import TracebackType
from typing import Any

import msgspec

_encode = msgspec.json.Encoder().encode

LINE = (
    b'{"time":%.3f,"level":"info","message":"request","request_id":"%b","method":%b,"path":%b,"status":%d,"ms":%.3f,'
    b'"applicants":%d,"model":%b}\n'
)


class RequestLog:
    """The lines of the requests of one turn of the event loop, written together.

    Texts that come from outside are quoted by the encoder, once: methods, paths and versions repeat.
    """

    def __init__(self, descriptor: int = 1) -> None:
        self._descriptor = descriptor
        self._lines: list[bytes] = []

    def add(
        self, request_id: bytes, method: str, path: str, status: int, seconds: float, applicants: int, model: str
    ) -> None:
        """Keep a line until the turn of the loop ends; `request_id` has no character that JSON quotes."""
        self._lines.append(
            LINE % (time(), request_id, quote(method), quote(path), status, seconds * 1000, applicants, quote(model))
        )

    def flush(self) -> None:
        """Write what was kept."""
        if not self._lines:
            return
        content = memoryview(b"".join(self._lines))
        self._lines.clear()
        try:
            while content:
                content = content[os.write(self._descriptor, content) :]
        except OSError:
            # Nobody reads the log any more: that must not stop decisions.
            return


@lru_cache(maxsize=256)
def quote(text: str) -> bytes:
    """A text as JSON, cut to what a line can bear."""
    # A path may hold what is no UTF-8.
    return _encode(text[:200].encode("utf-8", "replace").decode())


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
