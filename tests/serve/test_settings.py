"""Settings come from the environment; one that can't be used is named with its value."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from serve.metrics.recorder import FOLDER
from serve.settings import LEAST_KEY, Settings, SettingsError, read_settings

ENVIRONMENT = {
    "HOST": "::1",
    "PORT": "9000",
    "WEB_CONCURRENCY": "4",
    "MODEL_PATH": "/models/credit.onnx",
    "LOG_LEVEL": "warning",
    "API_KEYS": "first-key-of-all, second-key-of-all",
    "CORS_ORIGINS": "https://app.example.com,http://localhost:3000",
    "MAX_BODY_BYTES": "1000000",
    "MAX_ROWS": "500",
    "BODY_TIMEOUT": "5",
    "MAX_ALL_BODY_BYTES": "2000000",
    "MAX_CONCURRENT_REQUESTS": "100",
    "QUEUE_BODIES": "3",
    "RELOAD_SECONDS": "60",
}
"""Every setting there is, each other than its default."""

RANGES = {
    "PORT": ("port", 0, 65535),
    "WEB_CONCURRENCY": ("workers", 1, 1000),
    "MAX_BODY_BYTES": ("body_bytes", 1024, 1024**3),
    "MAX_ROWS": ("rows", 1, 10_000_000),
    "BODY_TIMEOUT": ("body_seconds", 1, 3600),
    "MAX_ALL_BODY_BYTES": ("all_body_bytes", 1024, 8 * 1024**3),
    "MAX_CONCURRENT_REQUESTS": ("requests", 1, 1_000_000),
    "QUEUE_BODIES": ("large_bodies", 1, 10_000),
    "RELOAD_SECONDS": ("reload_seconds", 1, 86_400),
}
"""The whole numbers: attribute, lowest, highest."""

FITTING = {"MAX_ALL_BODY_BYTES": {"MAX_BODY_BYTES": "1024"}}
"""What else has to be set for the lowest."""


def test_an_empty_environment_gives_the_defaults() -> None:
    """Local, one worker, the artifact of this checkout, open to whoever reaches it, 4 MiB a body, 64 MiB of all."""
    settings = read_settings({})

    assert settings == Settings()
    assert (settings.host, settings.port, settings.workers) == ("127.0.0.1", 8000, 1)
    assert (settings.model_path, settings.log_level) == (Path("artifacts/model.onnx"), "info")
    assert (settings.api_keys, settings.cors_origins) == ((), ())
    assert (settings.body_bytes, settings.all_body_bytes) == (4 * 1024**2, 64 * 1024**2)


def test_every_setting_is_read_from_its_variable() -> None:
    """Each of them, and nothing else."""
    assert read_settings({**ENVIRONMENT, "PATH": "/bin"}) == Settings(
        host="::1",
        port=9000,
        workers=4,
        model_path=Path("/models/credit.onnx"),
        log_level="warning",
        api_keys=("first-key-of-all", "second-key-of-all"),
        cors_origins=("https://app.example.com", "http://localhost:3000"),
        body_bytes=1_000_000,
        rows=500,
        body_seconds=5,
        all_body_bytes=2_000_000,
        requests=100,
        large_bodies=3,
        reload_seconds=60,
    )


def test_an_empty_variable_counts_as_not_set() -> None:
    """As in `PORT= python -m serve`, or an empty line of a .env file."""
    assert read_settings(dict.fromkeys(ENVIRONMENT, "")) == Settings()


def test_every_setting_is_documented_with_its_default(root: Path) -> None:
    """The table in the README has each variable and its default, that of prometheus_client included, and no other."""
    rows = re.findall(
        r"^\| ([A-Z_]+) \|([^|]*)\|", (root / "README.md").read_text().partition("## Settings")[2], re.MULTILINE
    )
    documented = {name: default.strip() for name, default in rows}

    assert set(documented) == {*ENVIRONMENT, FOLDER}
    assert read_settings({name: default for name, default in documented.items() if default}) == Settings()


def test_a_log_level_may_be_written_in_capitals() -> None:
    """As the logging module writes it."""
    assert read_settings({"LOG_LEVEL": "DEBUG"}).log_level == "debug"


@pytest.mark.parametrize("name", RANGES)
def test_both_ends_of_a_range_are_allowed_and_nothing_beyond(name: str) -> None:
    """The range that a message promises is the range that is accepted."""
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
def test_what_is_no_whole_number_is_named_with_its_value(name: str, value: str) -> None:
    """Variable, value as given (its first 40 characters), and what was expected, in one sentence."""
    with pytest.raises(SettingsError, match=re.escape(f"{name} is {value[:40]!r}, expected a whole number from ")):
        read_settings({name: value})


@pytest.mark.parametrize("value", ["loud", "LOUD", "trace"])
def test_an_unknown_log_level_is_named_with_the_known_ones(value: str) -> None:
    """There are five."""
    expected = f"LOG_LEVEL is {value!r}, expected one of: critical, error, warning, info, debug"

    with pytest.raises(SettingsError, match=re.escape(expected)):
        read_settings({"LOG_LEVEL": value})


def test_every_wrong_setting_is_named_at_once() -> None:
    """In one sentence: one start is enough to mend all of them."""
    environment = {"PORT": "http", "LOG_LEVEL": "loud", "API_KEYS": "short", "CORS_ORIGINS": "a,b", "MAX_ROWS": "0"}

    with pytest.raises(SettingsError) as caught:
        read_settings(environment)

    named = [part.split(" ")[0].rstrip(":") for part in str(caught.value).split("; ")]
    assert named == ["LOG_LEVEL", "PORT", "API_KEYS", "make", "CORS_ORIGINS", "CORS_ORIGINS", "MAX_ROWS"]


def test_keys_are_a_list_whose_empty_parts_say_nothing() -> None:
    """A comma at the end, or one too many, is no empty key that lets everybody in."""
    key = "k" * LEAST_KEY

    assert read_settings({"API_KEYS": f" {key} ,, {key}2, "}).api_keys == (key, key + "2")


@pytest.mark.parametrize("name", ["API_KEYS", "CORS_ORIGINS"])
@pytest.mark.parametrize("value", [",", " , ", " ", ",,,", "\t"])
def test_a_list_that_is_set_and_holds_nothing_is_a_mistake(name: str, value: str) -> None:
    """Somebody meant to close the service, or to open it: neither is guessed."""
    expected = {"API_KEYS": "keys, separated by commas; unset it to answer everybody", "CORS_ORIGINS": "origins, sep"}

    with pytest.raises(SettingsError, match=re.escape(f"{name} is {value!r}, expected {expected[name]}")):
        read_settings({name: value})


def test_all_bodies_together_may_hold_at_least_one() -> None:
    """A limit below that of one body is named with both; unset, it grows with it."""
    expected = "MAX_ALL_BODY_BYTES is 4096, expected at least MAX_BODY_BYTES, 8192"

    with pytest.raises(SettingsError, match=expected):
        read_settings({"MAX_BODY_BYTES": "8192", "MAX_ALL_BODY_BYTES": "4096"})

    assert read_settings({"MAX_BODY_BYTES": str(1024**3)}).all_body_bytes == 1024**3


@pytest.mark.parametrize(
    "key", ["k" * (LEAST_KEY - 1), "a key with spaces in it", "a-key-with-ümlauts-in-it", "a-key\twith-a-tab"]
)
def test_a_key_that_cant_be_used_is_named_by_its_number_and_never_shown(key: str) -> None:
    """Too short, or not printable ASCII; what is wrong must not end up in a log."""
    with pytest.raises(
        SettingsError, match=f"API_KEYS: key 2 of 2 has {len(key)} characters, expected at least"
    ) as caught:
        read_settings({"API_KEYS": f"{'k' * LEAST_KEY},{key}"})

    assert key not in str(caught.value)
    assert "openssl rand -hex 24" in str(caught.value)


@pytest.mark.parametrize(
    "origin", ["app.example.com", "https://app.example.com/", "https://", "ftp://a", "null", "https://a b"]
)
def test_an_origin_that_cant_be_used_is_named(origin: str) -> None:
    """Scheme and host, without a path, as browsers send it."""
    expected = f"CORS_ORIGINS holds {origin!r}, expected origins such as https://app.example.com"

    with pytest.raises(SettingsError, match=re.escape(expected)):
        read_settings({"CORS_ORIGINS": f"https://right.example.com,{origin}"})


def test_every_origin_may_be_allowed() -> None:
    """With a star."""
    assert read_settings({"CORS_ORIGINS": "*"}).cors_origins == ("*",)


@pytest.mark.parametrize("origin", ["https://*.example.com", "https://App.example.com"])
def test_an_origin_that_no_browser_sends_is_refused(origin: str) -> None:
    """It would be taken and never match."""
    with pytest.raises(SettingsError, match=re.escape(f"CORS_ORIGINS holds {origin!r}")):
        read_settings({"CORS_ORIGINS": origin})


@pytest.mark.parametrize("value", ["unix:", "unix:/nowhere/s.sock", "unix:/", f"unix:/tmp/{'x' * 120}"])
def test_a_path_where_no_socket_can_be_is_refused(value: str) -> None:
    """Before anything is bound."""
    with pytest.raises(SettingsError, match="expected unix:PATH: in a folder that is there"):
        read_settings({"HOST": value})


def test_a_file_is_not_taken_for_a_socket(tmp_path: Path) -> None:
    """It would be removed at the end."""
    path = tmp_path / "notes.txt"
    path.write_text("keep me")

    with pytest.raises(SettingsError, match="no other file's"):
        read_settings({"HOST": f"unix:{path}"})
    assert path.read_text() == "keep me"


def test_a_number_with_thousands_of_zeros_is_a_number() -> None:
    """Python's own limit of digits is no reason to end with a trace."""
    assert read_settings({"PORT": "0" * 5000 + "1"}).port == 1
