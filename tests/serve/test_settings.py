"""Settings come from the environment; one that can't be used is named with its value."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from serve.settings import Settings, SettingsError, read_settings


def test_an_empty_environment_gives_the_defaults() -> None:
    """Local, one worker, the artifact of this checkout."""
    assert Settings("127.0.0.1", 8000, 1, Path("artifacts/model.onnx"), "info") == read_settings({})


def test_every_setting_is_read_from_its_variable() -> None:
    """HOST, PORT, WEB_CONCURRENCY, MODEL_PATH and LOG_LEVEL, and nothing else."""
    environment = {
        "HOST": "::1",
        "PORT": "9000",
        "WEB_CONCURRENCY": "4",
        "MODEL_PATH": "/models/credit.onnx",
        "LOG_LEVEL": "warning",
        "PATH": "/bin",
    }

    assert Settings("::1", 9000, 4, Path("/models/credit.onnx"), "warning") == read_settings(environment)


def test_an_empty_variable_counts_as_not_set() -> None:
    """What `PORT= python -m serve` or an empty line in a .env file means."""
    names = ("HOST", "PORT", "WEB_CONCURRENCY", "MODEL_PATH", "LOG_LEVEL")

    assert Settings() == read_settings(dict.fromkeys(names, ""))


def test_a_log_level_may_be_written_in_capitals() -> None:
    """As the logging module writes it."""
    assert "debug" == read_settings({"LOG_LEVEL": "DEBUG"}).log_level


@pytest.mark.parametrize(("name", "lowest", "highest"), [("PORT", 0, 65535), ("WEB_CONCURRENCY", 1, 1000)])
def test_both_ends_of_a_range_are_allowed(name: str, lowest: int, highest: int) -> None:
    """The range that a message promises is the range that is accepted."""
    attribute = {"PORT": "port", "WEB_CONCURRENCY": "workers"}[name]

    given = [getattr(read_settings({name: str(number)}), attribute) for number in (lowest, highest)]

    assert [lowest, highest] == given


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("PORT", "http", "a whole number from 0 to 65535"),
        ("PORT", "65536", "a whole number from 0 to 65535"),
        ("PORT", "-1", "a whole number from 0 to 65535"),
        ("PORT", "80.0", "a whole number from 0 to 65535"),
        ("PORT", " 80", "a whole number from 0 to 65535"),
        ("PORT", "8_0", "a whole number from 0 to 65535"),
        ("PORT", "٨٠", "a whole number from 0 to 65535"),
        ("PORT", "9" * 5000, "a whole number from 0 to 65535"),
        ("WEB_CONCURRENCY", "0", "a whole number from 1 to 1000"),
        ("WEB_CONCURRENCY", "1001", "a whole number from 1 to 1000"),
        ("WEB_CONCURRENCY", "two", "a whole number from 1 to 1000"),
        ("LOG_LEVEL", "loud", "one of: critical, error, warning, info, debug"),
        ("LOG_LEVEL", "LOUD", "one of: critical, error, warning, info, debug"),
    ],
    ids=lambda text: text[:30],
)
def test_a_setting_that_cant_be_used_is_named_with_its_value(name: str, value: str, expected: str) -> None:
    """Variable, value as given (its first 40 characters), and what was expected, in one sentence."""
    with pytest.raises(SettingsError, match=re.escape(f"{name} is {value[:40]!r}, expected {expected}")):
        read_settings({name: value})
