"""Settings are read from the environment; an invalid one is reported with its value."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from serve.keys import MIN_KEY_LENGTH, NamedKey
from serve.settings import METRICS_FOLDER_VARIABLE, Settings, SettingsError, read_settings

ENVIRONMENT = {
    "HOST": "::1",
    "PORT": "9000",
    "WEB_CONCURRENCY": "4",
    "MODEL_PATH": "/models/credit.onnx",
    "LOG_LEVEL": "warning",
    "API_KEYS": "first-key-of-all, portal=second-key-of-all",
    "CORS_ORIGINS": "https://app.example.com,http://localhost:3000",
    "MAX_BODY_BYTES": "1000000",
    "MAX_ROWS": "500",
    "BODY_TIMEOUT": "5",
    "MAX_ALL_BODY_BYTES": "2000000",
    "MAX_CONCURRENT_REQUESTS": "100",
    "QUEUE_BODIES": "3",
    "RELOAD_SECONDS": "60",
    "UNKNOWN_FIELDS": "ignore",
    "DECISIONS_URL": "sqlite:///decisions.db",
    "DECISIONS": "best-effort",
    "DECISIONS_SPOOL": "/var/spool/decisions",
    "DECISIONS_KEYS": "officer=third-key-of-them-all",
    "CHALLENGER_PATH": "/models/challenger.onnx",
}
"""Every variable, with a value other than its default."""

KEY = "k" * MIN_KEY_LENGTH

RANGES = {
    "PORT": ("port", 0, 65535),
    "WEB_CONCURRENCY": ("workers", 1, 1000),
    "MAX_BODY_BYTES": ("max_body_bytes", 1024, 1024**3),
    "MAX_ROWS": ("max_rows", 1, 10_000_000),
    "BODY_TIMEOUT": ("body_timeout", 1, 3600),
    "MAX_ALL_BODY_BYTES": ("max_all_body_bytes", 1024, 8 * 1024**3),
    "MAX_CONCURRENT_REQUESTS": ("max_concurrent_requests", 1, 1_000_000),
    "QUEUE_BODIES": ("queue_bodies", 1, 10_000),
    "RELOAD_SECONDS": ("reload_seconds", 1, 86_400),
}
"""Variable → attribute, minimum, maximum."""

FITTING = {"MAX_ALL_BODY_BYTES": {"MAX_BODY_BYTES": "1024"}}
"""Variables that must be set too for the minimum to be valid."""


def read_settings_table(root: Path) -> dict[str, str]:
    """Variable → default, from the table of settings in docs/operations.md."""
    text = (root / "docs/operations.md").read_text().partition("## Settings")[2]
    rows = re.findall(r"^\| `?([A-Z_]+)`? \|([^|]*)\|", text, re.MULTILINE)
    return {variable: default.strip(" `") for variable, default in rows}


def test_an_empty_environment_gives_the_defaults() -> None:
    """Local host, one worker, the model of the checkout, no keys, 4 MiB per body, 64 MiB for all."""
    settings = read_settings({})

    assert settings == Settings()
    assert (settings.host, settings.port, settings.workers) == ("127.0.0.1", 8000, 1)
    assert (settings.model_path, settings.log_level) == (Path("artifacts/model.onnx"), "info")
    assert (settings.api_keys, settings.cors_origins) == ((), ())
    assert (settings.max_body_bytes, settings.max_all_body_bytes) == (4 * 1024**2, 64 * 1024**2)


def test_every_setting_is_read_from_its_variable() -> None:
    """No setting keeps its default when every variable in ENVIRONMENT is set; other variables are ignored."""
    settings = read_settings({**ENVIRONMENT, "PATH": "/bin"})

    assert [name for name in Settings.__struct_fields__ if getattr(settings, name) == getattr(Settings(), name)] == []
    assert settings == Settings(
        host="::1",
        port=9000,
        workers=4,
        model_path=Path("/models/credit.onnx"),
        log_level="warning",
        api_keys=(NamedKey("key-8b5ee323", "first-key-of-all"), NamedKey("portal", "second-key-of-all")),
        cors_origins=("https://app.example.com", "http://localhost:3000"),
        max_body_bytes=1_000_000,
        max_rows=500,
        body_timeout=5,
        max_all_body_bytes=2_000_000,
        max_concurrent_requests=100,
        queue_bodies=3,
        reload_seconds=60,
        unknown_fields="ignore",
        decisions_url="sqlite:///decisions.db",
        decisions="best-effort",
        decisions_spool=Path("/var/spool/decisions"),
        decisions_keys=(NamedKey("officer", "third-key-of-them-all"),),
        challenger_path=Path("/models/challenger.onnx"),
    )


def test_an_empty_variable_counts_as_not_set() -> None:
    """As in `PORT= python -m serve`."""
    assert read_settings(dict.fromkeys(ENVIRONMENT, "")) == Settings()


def test_every_setting_is_documented_with_its_default(root: Path) -> None:
    """The table has every variable, that of prometheus_client too, and no other, each with its default."""
    documented = read_settings_table(root)

    assert set(documented) == {*ENVIRONMENT, METRICS_FOLDER_VARIABLE}
    assert read_settings({name: default for name, default in documented.items() if default}) == Settings()


def test_a_log_level_may_be_written_in_capitals() -> None:
    assert read_settings({"LOG_LEVEL": "DEBUG"}).log_level == "debug"


@pytest.mark.parametrize("name", RANGES)
def test_both_ends_of_a_range_are_allowed_and_nothing_beyond(name: str) -> None:
    """The accepted range is the one in the message."""
    attribute, lowest, highest = RANGES[name]
    promise = re.escape(f"expected a whole number from {lowest} to {highest}")

    given = [getattr(read_settings(FITTING.get(name, {}) | {name: str(n)}), attribute) for n in (lowest, highest)]

    assert given == [lowest, highest]
    for beyond in (lowest - 1, highest + 1):
        with pytest.raises(SettingsError, match=f"{name} is '{beyond}', {promise}"):
            read_settings({name: str(beyond)})


@pytest.mark.parametrize("name", RANGES)
@pytest.mark.parametrize(
    "value", ["http", "-1", "80.0", " 80", "8_0", "٨٠", "1e3", "9" * 5000], ids=lambda text: text[:9]
)
def test_an_invalid_number_is_reported_with_its_value(name: str, value: str) -> None:
    """Variable, value (first 40 characters), and what was expected."""
    with pytest.raises(SettingsError, match=re.escape(f"{name} is {value[:40]!r}, expected a whole number from ")):
        read_settings({name: value})


def test_unknown_fields_are_refused_or_ignored() -> None:
    """Refused unless the setting says otherwise."""
    assert read_settings({}).unknown_fields == "refuse"
    assert read_settings({"UNKNOWN_FIELDS": "Ignore"}).unknown_fields == "ignore"

    with pytest.raises(SettingsError, match="UNKNOWN_FIELDS is 'allow', expected one of: refuse, ignore"):
        read_settings({"UNKNOWN_FIELDS": "allow"})


@pytest.mark.parametrize("value", ["loud", "LOUD", "trace"])
def test_an_unknown_log_level_is_reported_with_the_known_ones(value: str) -> None:
    expected = f"LOG_LEVEL is {value!r}, expected one of: critical, error, warning, info, debug"

    with pytest.raises(SettingsError, match=re.escape(expected)):
        read_settings({"LOG_LEVEL": value})


def test_all_invalid_settings_are_reported_at_once() -> None:
    environment = {"PORT": "http", "LOG_LEVEL": "loud", "API_KEYS": "short", "CORS_ORIGINS": "a,b", "MAX_ROWS": "0"}
    environment |= {"DECISIONS": "maybe", "DECISIONS_URL": "mysql://db", "DECISIONS_KEYS": "brief"}

    with pytest.raises(SettingsError) as caught:
        read_settings(environment)

    named = [part.split(" ")[0].rstrip(":") for part in str(caught.value).split("; ")]
    assert named == [
        *("LOG_LEVEL", "PORT", "API_KEYS", "make", "CORS_ORIGINS", "CORS_ORIGINS", "MAX_ROWS"),
        *("DECISIONS_URL", "DECISIONS", "DECISIONS_KEYS", "make"),
    ]


def test_empty_parts_of_api_keys_are_ignored() -> None:
    """A trailing comma must not become an empty key that everybody has."""
    key = "k" * MIN_KEY_LENGTH

    keys = read_settings({"API_KEYS": f" {key} ,, {key}2, "}).api_keys

    assert [named.key for named in keys] == [key, key + "2"]


@pytest.mark.parametrize("name", ["API_KEYS", "CORS_ORIGINS", "DECISIONS_KEYS"])
@pytest.mark.parametrize("value", [",", " , ", " ", ",,,", "\t"])
def test_a_list_without_items_is_an_error(name: str, value: str) -> None:
    """It would leave the service without keys by accident."""
    expected = {
        "API_KEYS": "keys, separated by commas; unset it for a service without keys",
        "CORS_ORIGINS": "origins, sep",
        "DECISIONS_KEYS": "keys, separated by commas; unset it if nobody may read decisions",
    }

    with pytest.raises(SettingsError, match=re.escape(f"{name} is {value!r}, expected {expected[name]}")):
        read_settings({name: value})


def test_max_all_body_bytes_is_at_least_max_body_bytes() -> None:
    """The message has both; if unset, it grows with MAX_BODY_BYTES."""
    expected = "MAX_ALL_BODY_BYTES is 4096, expected at least MAX_BODY_BYTES, 8192"

    with pytest.raises(SettingsError, match=expected):
        read_settings({"MAX_BODY_BYTES": "8192", "MAX_ALL_BODY_BYTES": "4096"})

    assert read_settings({"MAX_BODY_BYTES": str(1024**3)}).max_all_body_bytes == 1024**3


@pytest.mark.parametrize(
    "key", ["k" * (MIN_KEY_LENGTH - 1), "a key with spaces in it", "a-key-with-ümlauts-in-it", "a-key\twith-a-tab"]
)
def test_an_invalid_key_is_reported_by_its_number_only(key: str) -> None:
    """Too short or not printable ASCII; its value must not appear in a log."""
    with pytest.raises(
        SettingsError, match=f"API_KEYS: key 2 of 2 has {len(key)} characters, expected at least"
    ) as caught:
        read_settings({"API_KEYS": f"{'k' * MIN_KEY_LENGTH},{key}"})

    assert key not in str(caught.value)
    assert "openssl rand -hex 24" in str(caught.value)


@pytest.mark.parametrize(
    "given",
    [
        {"API_KEYS": f"portal={KEY}1,portal={KEY}2"},
        {"API_KEYS": f"portal={KEY}1", "DECISIONS_KEYS": f"portal={KEY}2"},
        {"API_KEYS": f"portal={KEY},officer={KEY}"},
        {"API_KEYS": f"portal={KEY}", "DECISIONS_KEYS": KEY},
        {"API_KEYS": f"{KEY},{KEY}"},
    ],
)
def test_each_key_has_one_name_and_each_name_one_key(given: dict[str, str]) -> None:
    """Over both variables, since a record has the name alone."""
    expected = r"API_KEYS and DECISIONS_KEYS: the key or the name '\S+' is there twice, expected each key once"

    with pytest.raises(SettingsError, match=expected) as caught:
        read_settings(given)

    assert KEY not in str(caught.value)


def test_a_url_of_decisions_that_names_no_database_is_reported_without_its_password() -> None:
    """With the two that are known."""
    expected = "DECISIONS_URL begins with 'mysql', expected sqlite:///decisions.db (with four slashes an absolute path)"

    with pytest.raises(SettingsError, match=re.escape(expected)) as caught:
        read_settings({"DECISIONS_URL": "mysql://scott:tiger@db/credit"})

    assert "tiger" not in str(caught.value)


@pytest.mark.parametrize(
    "origin", ["app.example.com", "https://app.example.com/", "https://", "ftp://a", "null", "https://a b"]
)
def test_an_invalid_origin_is_reported(origin: str) -> None:
    """Expected is scheme and host, without a path, as browsers send it."""
    expected = f"CORS_ORIGINS holds {origin!r}, expected origins such as https://app.example.com"

    with pytest.raises(SettingsError, match=re.escape(expected)):
        read_settings({"CORS_ORIGINS": f"https://right.example.com,{origin}"})


def test_every_origin_may_be_allowed() -> None:
    """With `*`."""
    assert read_settings({"CORS_ORIGINS": "*"}).cors_origins == ("*",)


@pytest.mark.parametrize("origin", ["https://*.example.com", "https://App.example.com"])
def test_an_origin_that_no_browser_sends_is_refused(origin: str) -> None:
    """It would never match."""
    with pytest.raises(SettingsError, match=re.escape(f"CORS_ORIGINS holds {origin!r}")):
        read_settings({"CORS_ORIGINS": origin})


@pytest.mark.parametrize("value", ["unix:", "unix:/nowhere/s.sock", "unix:/", f"unix:/tmp/{'x' * 120}"])
def test_an_invalid_socket_path_is_refused(value: str) -> None:
    with pytest.raises(SettingsError, match="expected unix:PATH: in an existing folder"):
        read_settings({"HOST": value})


def test_an_existing_file_is_not_replaced_by_a_socket(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("keep me")

    with pytest.raises(SettingsError, match="not another file"):
        read_settings({"HOST": f"unix:{path}"})
    assert path.read_text() == "keep me"


def test_a_number_with_thousands_of_zeros_is_a_number() -> None:
    """Despite Python's limit on the digits of an int."""
    assert read_settings({"PORT": "0" * 5000 + "1"}).port == 1


def test_a_challenger_needs_a_database() -> None:
    """Its answers are only recorded."""
    expected = (
        "CHALLENGER_PATH is 'challenger.onnx', expected DECISIONS_URL with it: a challenger's answers are recorded"
    )
    with pytest.raises(SettingsError, match=re.escape(expected)):
        read_settings({"CHALLENGER_PATH": "challenger.onnx"})
