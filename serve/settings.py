"""All settings of the service: read once, from the environment, each fault named.

Every setting is documented in the table of settings; a test compares the two.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from msgspec import Struct

from serve.keys import MIN_KEY_LENGTH, NamedKey, read_key

LOG_LEVELS = ("critical", "error", "warning", "info", "debug")

UNKNOWN_FIELDS = ("refuse", "ignore")

DECISIONS = ("required", "best-effort")

UNIX_PREFIX = "unix:"
"""HOST=unix:PATH listens on a Unix socket."""

METRICS_FOLDER_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
"""Environment variable of prometheus_client: the folder in which the workers of a service share their metrics."""

MAX_SOCKET_PATH_BYTES = 107
"""Limit of sun_path, without its final null byte (unix(7))."""


class SettingsError(Exception):
    """Invalid settings; the message names each variable, its value and what was expected."""


class Settings(Struct, frozen=True):
    """The settings of the service; each is named like its environment variable, except workers, WEB_CONCURRENCY.

    `max_body_bytes`, `max_rows`: limits of one request. `body_timeout`: seconds for a body to arrive.
    `max_all_body_bytes`: limit of all bodies being read and large responses being sent. `max_concurrent_requests`:
    requests in progress. `queue_bodies`: large bodies in progress or waiting. `reload_seconds`: how soon a replaced
    model file is noticed. `unknown_fields`: what becomes of members of an applicant that are no field of the model.
    `decisions_url`: where decisions are recorded, if anywhere; `decisions`: whether only recorded ones are answered;
    `decisions_spool`: folder for those that wait; `decisions_keys`: may read them, and all that `api_keys` may.
    `challenger_path`: a second model file, whose answers are only recorded.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    workers: int = 1
    model_path: Path = Path("artifacts/model.onnx")
    log_level: str = "info"
    api_keys: tuple[NamedKey, ...] = ()
    cors_origins: tuple[str, ...] = ()
    max_body_bytes: int = 4 * 1024 * 1024
    max_all_body_bytes: int = 64 * 1024 * 1024
    max_rows: int = 10_000
    body_timeout: int = 10
    max_concurrent_requests: int = 2_000
    queue_bodies: int = 8
    reload_seconds: int = 2
    unknown_fields: str = "refuse"
    decisions_url: str = ""
    decisions: str = "required"
    decisions_spool: Path = Path("decisions-spool")
    decisions_keys: tuple[NamedKey, ...] = ()
    challenger_path: Path | None = None


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Read every setting; an empty variable counts as not set.

    Raises SettingsError that names each one that can't be used. The value of a key is never part of a message.
    """
    default = Settings()
    wrong: list[str] = []
    given = {name: value for name, value in environment.items() if value}
    word = partial(_word, given, wrong)
    log_level = word("LOG_LEVEL", default.log_level, LOG_LEVELS)
    number = partial(_whole_number, given, wrong)
    max_body_bytes = number("MAX_BODY_BYTES", default.max_body_bytes, 1024, 1024**3)
    max_all_body_bytes = max(default.max_all_body_bytes, max_body_bytes)
    settings = Settings(
        host=_host(given, wrong, default.host),
        port=number("PORT", default.port, 0, 65535),
        workers=number("WEB_CONCURRENCY", default.workers, 1, 1000),
        model_path=Path(given.get("MODEL_PATH", default.model_path)),
        log_level=log_level,
        api_keys=_keys(given, wrong, "API_KEYS", "unset it for a service without keys"),
        cors_origins=_origins(given, wrong),
        max_body_bytes=max_body_bytes,
        max_rows=number("MAX_ROWS", default.max_rows, 1, 10_000_000),
        body_timeout=number("BODY_TIMEOUT", default.body_timeout, 1, 3600),
        max_all_body_bytes=number("MAX_ALL_BODY_BYTES", max_all_body_bytes, 1024, 8 * 1024**3),
        max_concurrent_requests=_whole_number(
            given, wrong, "MAX_CONCURRENT_REQUESTS", default.max_concurrent_requests, 1, 1_000_000
        ),
        queue_bodies=number("QUEUE_BODIES", default.queue_bodies, 1, 10_000),
        reload_seconds=number("RELOAD_SECONDS", default.reload_seconds, 1, 86_400),
        unknown_fields=word("UNKNOWN_FIELDS", default.unknown_fields, UNKNOWN_FIELDS),
        decisions_url=_decisions_url(given, wrong),
        decisions=word("DECISIONS", default.decisions, DECISIONS),
        decisions_spool=Path(given.get("DECISIONS_SPOOL", default.decisions_spool)),
        decisions_keys=_keys(given, wrong, "DECISIONS_KEYS", "unset it if nobody may read decisions"),
        challenger_path=_challenger_path(given, wrong),
    )
    _check_names(settings, wrong)
    if settings.max_all_body_bytes < settings.max_body_bytes:
        expected = f"expected at least MAX_BODY_BYTES, {settings.max_body_bytes}"
        wrong.append(f"MAX_ALL_BODY_BYTES is {settings.max_all_body_bytes}, {expected}")
    folder = given.get(METRICS_FOLDER_VARIABLE)
    if folder and not (Path(folder).is_dir() and os.access(folder, os.W_OK | os.X_OK)):
        wrong.append(f"{METRICS_FOLDER_VARIABLE} is {folder!r}, expected a folder that can be written to")
    if wrong:
        raise SettingsError("; ".join(wrong))
    return settings


def _word(given: Mapping[str, str], wrong: list[str], name: str, default: str, known: tuple[str, ...]) -> str:
    text = given.get(name, default)
    if text.lower() not in known:
        wrong.append(f"{name} is {text!r}, expected one of: {', '.join(known)}")
    return text.lower()


def _host(given: Mapping[str, str], wrong: list[str], default: str) -> str:
    host = given.get("HOST", default)
    if not host.startswith(UNIX_PREFIX):
        return host
    path = Path(host.removeprefix(UNIX_PREFIX))
    is_free = path.is_socket() or not path.exists()
    if not (path.name and path.parent.is_dir() and is_free and len(os.fsencode(path)) <= MAX_SOCKET_PATH_BYTES):
        wrong.append(
            f"HOST is {host[:200]!r}, expected {UNIX_PREFIX}PATH: in an existing folder, not another file, and at most "
            f"{MAX_SOCKET_PATH_BYTES} bytes long"
        )
    return host


def _keys(given: Mapping[str, str], wrong: list[str], name: str, otherwise: str) -> tuple[NamedKey, ...]:
    keys = tuple(map(read_key, _list(given, wrong, name, f"keys, separated by commas; {otherwise}")))
    for number, key in enumerate((named.key for named in keys), 1):
        if len(key) < MIN_KEY_LENGTH or not re.fullmatch(r"[!-~]+", key):
            wrong.append(
                f"{name}: key {number} of {len(keys)} has {len(key)} characters, expected at least {MIN_KEY_LENGTH}, "
                "printable ASCII without spaces; make one with: openssl rand -hex 24"
            )
    return keys


def _check_names(settings: Settings, wrong: list[str]) -> None:
    """A record has the name of a key: each name stands for one key, and each key has one name."""
    name_of: dict[str, str] = {}
    keys = [*settings.api_keys, *settings.decisions_keys]
    twice = [named.name for named in keys if name_of.setdefault(named.key, named.name) != named.name]
    twice += [name for name, count in Counter(named.name for named in keys).items() if count > 1]
    wrong += [
        f"API_KEYS and DECISIONS_KEYS: the key or the name {name!r} is there twice, expected each key once, under a "
        "name of its own: name=key"
        for name in dict.fromkeys(twice)
    ]


def _decisions_url(given: Mapping[str, str], wrong: list[str]) -> str:
    if not given.get("DECISIONS_URL"):
        return ""
    from decisions.store import StoreError, resolve_url

    try:
        return resolve_url(given)
    except StoreError as error:
        wrong.append(str(error))
        return ""


def _challenger_path(given: Mapping[str, str], wrong: list[str]) -> Path | None:
    path = given.get("CHALLENGER_PATH")
    if path is None:
        return None
    if "DECISIONS_URL" not in given:
        wrong.append(
            f"CHALLENGER_PATH is {path!r}, expected DECISIONS_URL with it: a challenger's answers are recorded"
        )
    return Path(path)


def _origins(given: Mapping[str, str], wrong: list[str]) -> tuple[str, ...]:
    origins = _list(given, wrong, "CORS_ORIGINS", "origins, separated by commas")
    wrong += [
        f"CORS_ORIGINS holds {origin[:80]!r}, expected origins such as https://app.example.com"
        for origin in origins
        if origin != "*" and not re.fullmatch(r"https?://[^/\sA-Z*]+", origin)
    ]
    return origins


def _list(given: Mapping[str, str], wrong: list[str], name: str, expected: str) -> tuple[str, ...]:
    """The items of a list. A variable without items, such as `API_KEYS=,`, is an error: it would disable the keys."""
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
