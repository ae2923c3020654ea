"""Logging: one JSON object a line on standard output, never an applicant's values.

The line of each request is written by serve/middleware/requests.py, everything else through logging.
"""

from __future__ import annotations

import logging
import sys
import traceback
from types import TracebackType
from typing import Any

import msgspec

_encode = msgspec.json.Encoder().encode


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


def configure_own_logger(level: str) -> None:
    """Log in the same form under a server that was not told to: a trace of Python's own may quote a value."""
    logger = logging.getLogger("credit")
    if not logger.hasHandlers():
        handler = logging.StreamHandler(sys.stdout)
        handler.setFormatter(JsonFormatter())
        logger.addHandler(handler)
        logger.setLevel(level.upper())
        logger.propagate = False
