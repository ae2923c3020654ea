"""All settings of the service: read once, from the environment, each fault named.

The table of settings is in the README; a new one goes there too.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

LOG_LEVELS = ("critical", "error", "warning", "info", "debug")

UNIX = "unix:"
"""HOST=unix:PATH listens on a socket in the file system."""

LONGEST_SOCKET = 107
"""Bytes of the longest path of a socket (unix(7), sun_path)."""

LEAST_KEY = 16
"""Characters of the shortest key that is taken: a shorter one can be guessed."""


class SettingsError(Exception):
    """Settings can't be used; the message names each variable, its value and what was expected."""


class Settings(Struct, frozen=True):
    """Where to listen, which model to serve, whom to answer, how much to take and how much to say.

    `body_bytes` and `rows`: the most that one request may hold. `body_seconds`: how long a body may take to arrive.
    `all_body_bytes`: the most that all bodies being read may hold together. `requests`: the most in progress at once.
    `large_bodies`: the most in the thread for large bodies. `reload_seconds`: between two looks at the model file.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    workers: int = 1
    model_path: Path = Path("artifacts/model.onnx")
    log_level: str = "info"
    api_keys: tuple[str, ...] = ()
    cors_origins: tuple[str, ...] = ()
    body_bytes: int = 4 * 1024 * 1024
    all_body_bytes: int = 64 * 1024 * 1024
    rows: int = 10_000
    body_seconds: int = 10
    requests: int = 2_000
    large_bodies: int = 8
    reload_seconds: int = 2


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
    body_bytes = _whole_number(given, wrong, "MAX_BODY_BYTES", default.body_bytes, 1024, 1024**3)
    all_body_bytes = max(default.all_body_bytes, body_bytes)
    settings = Settings(
        host=_host(given, wrong, default.host),
        port=_whole_number(given, wrong, "PORT", default.port, 0, 65535),
        workers=_whole_number(given, wrong, "WEB_CONCURRENCY", default.workers, 1, 1000),
        model_path=Path(given.get("MODEL_PATH", default.model_path)),
        log_level=log_level.lower(),
        api_keys=_keys(given, wrong),
        cors_origins=_origins(given, wrong),
        body_bytes=body_bytes,
        rows=_whole_number(given, wrong, "MAX_ROWS", default.rows, 1, 10_000_000),
        body_seconds=_whole_number(given, wrong, "BODY_TIMEOUT", default.body_seconds, 1, 3600),
        all_body_bytes=_whole_number(given, wrong, "MAX_ALL_BODY_BYTES", all_body_bytes, 1024, 8 * 1024**3),
        requests=_whole_number(given, wrong, "MAX_CONCURRENT_REQUESTS", default.requests, 1, 1_000_000),
        large_bodies=_whole_number(given, wrong, "QUEUE_BODIES", default.large_bodies, 1, 10_000),
        reload_seconds=_whole_number(given, wrong, "RELOAD_SECONDS", default.reload_seconds, 1, 86_400),
    )
    if settings.all_body_bytes < settings.body_bytes:
        wrong.append(
            f"MAX_ALL_BODY_BYTES is {settings.all_body_bytes}, expected at least MAX_BODY_BYTES, {settings.body_bytes}"
        )
    folder = given.get("PROMETHEUS_MULTIPROC_DIR")
    if folder and not (Path(folder).is_dir() and os.access(folder, os.W_OK | os.X_OK)):
        wrong.append(f"PROMETHEUS_MULTIPROC_DIR is {folder!r}, expected a folder that can be written to")
    if wrong:
        raise SettingsError("; ".join(wrong))
    return settings


def _host(given: Mapping[str, str], wrong: list[str], default: str) -> str:
    host = given.get("HOST", default)
    if not host.startswith(UNIX):
        return host
    path = Path(host.removeprefix(UNIX))
    is_free = path.is_socket() or not path.exists()
    if not (path.name and path.parent.is_dir() and is_free and len(os.fsencode(path)) <= LONGEST_SOCKET):
        wrong.append(
            f"HOST is {host[:200]!r}, expected {UNIX}PATH: in a folder that is there, no other file's, and of at most "
            f"{LONGEST_SOCKET} bytes"
        )
    return host


def _keys(given: Mapping[str, str], wrong: list[str]) -> tuple[str, ...]:
    keys = _list(given, wrong, "API_KEYS", "keys, separated by commas; unset it to answer everybody")
    for number, key in enumerate(keys, 1):
        if len(key) < LEAST_KEY or not re.fullmatch(r"[!-~]+", key):
            wrong.append(
                f"API_KEYS: key {number} of {len(keys)} has {len(key)} characters, expected at least {LEAST_KEY}, "
                "printable ASCII without spaces; make one with: openssl rand -hex 24"
            )
    return keys


def _origins(given: Mapping[str, str], wrong: list[str]) -> tuple[str, ...]:
    origins = _list(given, wrong, "CORS_ORIGINS", "origins, separated by commas")
    wrong += [
        f"CORS_ORIGINS holds {origin[:80]!r}, expected origins such as https://app.example.com"
        for origin in origins
        if origin != "*" and not re.fullmatch(r"https?://[^/\sA-Z*]+", origin)
    ]
    return origins


def _list(given: Mapping[str, str], wrong: list[str], name: str, expected: str) -> tuple[str, ...]:
    """The parts of a list; one that is set but has none is a mistake that would open the service."""
    parts = tuple(part.strip() for part in given.get(name, "").split(",") if part.strip())
    if name in given and not parts:
        wrong.append(f"{name} is {given[name][:40]!r}, expected {expected}")
    return parts


def _whole_number(
    given: Mapping[str, str], wrong: list[str], name: str, default: int, lowest: int, highest: int
) -> int:
    text = given.get(name, str(default))
    digits = text.lstrip("0") or "0"
    if not (text.isascii() and text.isdigit() and len(digits) < 11 and lowest <= int(digits) <= highest):
        wrong.append(f"{name} is {text[:40]!r}, expected a whole number from {lowest} to {highest}")
        return default
    return int(digits)
