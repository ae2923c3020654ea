"""All settings of the service: read once, from the environment, each fault named.

The table of settings is in the README; a new one goes there too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

LOG_LEVELS = ("critical", "error", "warning", "info", "debug")


class SettingsError(Exception):
    """A setting can't be used; the message names the variable, its value and what was expected."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Where to listen, which model to serve, how much to say."""

    host: str = "127.0.0.1"
    port: int = 8000
    workers: int = 1
    model_path: Path = Path("artifacts/model.onnx")
    log_level: str = "info"


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Read HOST, PORT, WEB_CONCURRENCY, MODEL_PATH, LOG_LEVEL; an empty variable counts as not set.

    Raises SettingsError for the first that can't be used.
    """
    default = Settings()
    given = {name: value for name, value in environment.items() if value}
    log_level = given.get("LOG_LEVEL", default.log_level)
    if log_level.lower() not in LOG_LEVELS:
        raise SettingsError(f"LOG_LEVEL is {log_level!r}, expected one of: {', '.join(LOG_LEVELS)}")
    return Settings(
        host=given.get("HOST", default.host),
        port=_whole_number(given, "PORT", default.port, 0, 65535),
        workers=_whole_number(given, "WEB_CONCURRENCY", default.workers, 1, 1000),
        model_path=Path(given.get("MODEL_PATH", default.model_path)),
        log_level=log_level.lower(),
    )


def _whole_number(given: Mapping[str, str], name: str, default: int, lowest: int, highest: int) -> int:
    text = given.get(name, str(default))
    if not (text.isascii() and text.isdigit() and len(text.lstrip("0")) < 10 and lowest <= int(text) <= highest):
        raise SettingsError(f"{name} is {text[:40]!r}, expected a whole number from {lowest} to {highest}")
    return int(text)
