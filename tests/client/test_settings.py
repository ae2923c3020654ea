"""Settings of the officer's page."""

from __future__ import annotations

from pathlib import Path

import pytest

from client.settings import Settings, SettingsError, read_settings


def test_without_an_environment_the_local_service_is_asked() -> None:
    """Nothing has to be set to try it."""
    assert Settings("http://127.0.0.1:8000", "", Path("data/credit_data_holdout.csv")) == read_settings({})


def test_each_variable_is_read_and_an_empty_one_is_not_set() -> None:
    """A slash at the end of the address is idle."""
    given = {"CREDIT_API_URL": "https://score.example/api/", "CREDIT_API_KEY": "k", "CREDIT_TABLE": "mine.csv"}

    assert Settings("https://score.example/api", "k", Path("mine.csv")) == read_settings(given)
    assert Settings() == read_settings(dict.fromkeys(given, ""))


@pytest.mark.parametrize("url", ["127.0.0.1:8000", "ftp://host", "http://", "http://host:99999", "http://[", "x"])
def test_what_is_no_address_is_named(url: str) -> None:
    """With the variable and its value."""
    with pytest.raises(SettingsError, match=r"CREDIT_API_URL is .*, expected an address such as http"):
        read_settings({"CREDIT_API_URL": url})


@pytest.mark.parametrize("key", ["clé", "a\nb"])
def test_a_key_that_no_header_can_carry_is_refused_without_showing_it(key: str) -> None:
    """It is a secret."""
    with pytest.raises(SettingsError, match="CREDIT_API_KEY") as caught:
        read_settings({"CREDIT_API_KEY": key})

    assert key not in str(caught.value)
