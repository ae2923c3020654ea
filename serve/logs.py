"""Logging as one JSON object per line on standard output, without any value of an applicant.

The access log is serve/middleware/request_middleware.py; everything else goes through the module logging.
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
    """Formats the records of uvicorn's loggers and of ours like the access log."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line of JSON, with the frames of an exception."""
        line: dict[str, Any] = {
            "time": round(record.created, 3),
            "level": record.levelname.lower(),
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["trace"] = self.formatException(record.exc_info)
        return _encode(line).decode()

    def formatException(self, ei: Any) -> str:
        """Frames and types of an exception and its causes, without messages, which may contain an applicant's value."""
        error, parts = ei[1], []
        while error is not None:
            trace: TracebackType | None = error.__traceback__
            parts.append("".join(traceback.format_tb(trace)) + type(error).__name__)
            error = error.__cause__ or error.__context__
        return "\n".join(reversed(parts))


def uvicorn_log_config(level: str) -> dict[str, Any]:
    """The log_config of uvicorn: everything through JsonFormatter to standard output."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"json": {"()": "serve.logs.JsonFormatter"}},
        "handlers": {"out": {"class": "logging.StreamHandler", "formatter": "json", "stream": "ext://sys.stdout"}},
        "loggers": {name: {"handlers": ["out"], "level": level.upper(), "propagate": False} for name in LOGGERS},
    }


LOGGERS = ("uvicorn", "credit")


def configure_own_logger(level: str) -> None:
    """Use JsonFormatter under other servers too, since Python's default traces may contain an applicant's value."""
    logger = logging.getLogger("credit")
    if not logger.hasHandlers():
        handler = logging.StreamHandler(sys.stdout)
        handler.setFormatter(JsonFormatter())
        logger.addHandler(handler)
        logger.setLevel(level.upper())
        logger.propagate = False
