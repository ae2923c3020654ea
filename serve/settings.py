"""All settings of the service: read once, from the environment, each fault named.

The table of settings is in docs/api.md; a new one goes there too.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

LOG_LEVELS = ("critical", "error", "warning", "info", "debug")

LEAST_KEY = 16
"""Characters of the shortest key that is taken: a shorter one can be guessed."""


class SettingsError(Exception):
    """Settings can't be used; the message names each variable, its value and what was expected."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Where to listen, which model to serve, whom to answer, how much to take and how much to say.

    `body_bytes` and `rows`: the most that one request may hold. `body_seconds`: how long a body may take to arrive.
    `queue_ms`: how long a request may have waited and still be served. `queue_bodies`: how many large bodies may wait.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    workers: int = 1
    model_path: Path = Path("artifacts/model.onnx")
    log_level: str = "info"
    api_keys: tuple[str, ...] = ()
    cors_origins: tuple[str, ...] = ()
    body_bytes: int = 4 * 1024 * 1024
    rows: int = 10_000
    body_seconds: int = 10
    queue_ms: int = 100
    queue_bodies: int = 8


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Read every setting; an empty variable counts as not set.

    Raises SettingsError that names each one that can't be used. The value of a key is never part of a message.
    """
    default = Settings()
    wrong: list[str] = []
    given = {name: value for name, value in environment.items() if value}
    log_level = given.get("LOG_LEVEL", default.log_level)
    if log_level.lower() not in LOG_LEVELS:
        wrong.append(f"LOG_LEVEL is {log_level!r}, expected one of: {', '.join(LOG_LEVELS)}")
    settings = Settings(
        host=given.get("HOST", default.host),
        port=_whole_number(given, wrong, "PORT", default.port, 0, 65535),
        workers=_whole_number(given, wrong, "WEB_CONCURRENCY", default.workers, 1, 1000),
        model_path=Path(given.get("MODEL_PATH", default.model_path)),
        log_level=log_level.lower(),
        api_keys=_keys(given, wrong),
        cors_origins=_origins(given, wrong),
        body_bytes=_whole_number(given, wrong, "MAX_BODY_BYTES", default.body_bytes, 1024, 1024**3),
        rows=_whole_number(given, wrong, "MAX_ROWS", default.rows, 1, 10_000_000),
        body_seconds=_whole_number(given, wrong, "BODY_TIMEOUT", default.body_seconds, 1, 3600),
        queue_ms=_whole_number(given, wrong, "QUEUE_MS", default.queue_ms, 1, 60_000),
        queue_bodies=_whole_number(given, wrong, "QUEUE_BODIES", default.queue_bodies, 1, 10_000),
    )
    if wrong:
        raise SettingsError("; ".join(wrong))
    return settings


def _keys(given: Mapping[str, str], wrong: list[str]) -> tuple[str, ...]:
    keys = _list(given.get("API_KEYS", ""))
    for number, key in enumerate(keys, 1):
        if len(key) < LEAST_KEY or not re.fullmatch(r"[!-~]+", key):
            wrong.append(
                f"API_KEYS: key {number} of {len(keys)} has {len(key)} characters, expected at least {LEAST_KEY}, "
                "printable ASCII without spaces; make one with: openssl rand -hex 24"
            )
    return keys


def _origins(given: Mapping[str, str], wrong: list[str]) -> tuple[str, ...]:
    origins = _list(given.get("CORS_ORIGINS", ""))
    wrong += [
        f"CORS_ORIGINS holds {origin[:80]!r}, expected origins such as https://app.example.com"
        for origin in origins
        if origin != "*" and not re.fullmatch(r"https?://[^/\s]+", origin)
    ]
    return origins


def _list(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _whole_number(
    given: Mapping[str, str], wrong: list[str], name: str, default: int, lowest: int, highest: int
) -> int:
    text = given.get(name, str(default))
    if not (text.isascii() and text.isdigit() and len(text.lstrip("0")) < 11 and lowest <= int(text) <= highest):
        wrong.append(f"{name} is {text[:40]!r}, expected a whole number from {lowest} to {highest}")
        return default
    return int(text)
