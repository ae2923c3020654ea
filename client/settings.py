"""Settings of the user interface, read from environment variables.

The table of settings is in docs/user-interface.md; a new one goes there too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit


class SettingsError(Exception):
    """A setting can't be used; the message names the variable, its value and what was expected."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Address of the service, its API key, and the CSV file of applicants that is loaded at first."""

    api_url: str = "http://127.0.0.1:8000"
    api_key: str = ""
    table: Path = Path("data/credit_data_holdout.csv")


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Read CREDIT_API_URL, CREDIT_API_KEY and CREDIT_TABLE; an empty variable counts as unset.

    Raises SettingsError for an invalid address, or a key that an HTTP header can't carry.
    """
    default = Settings()
    url = (environment.get("CREDIT_API_URL") or default.api_url).rstrip("/")
    try:
        parts = urlsplit(url)
        is_address = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        is_address = False
    if not is_address:
        raise SettingsError(f"CREDIT_API_URL is {url[:100]!r}, expected an address such as {default.api_url}")
    key = environment.get("CREDIT_API_KEY", "")
    if not (key.isascii() and key.isprintable()):
        # The message leaves out the value: it is a secret.
        raise SettingsError("CREDIT_API_KEY holds a character that no HTTP header can carry, expected printable ASCII")
    return Settings(url, key, Path(environment.get("CREDIT_TABLE") or default.table))
