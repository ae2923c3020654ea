"""Settings of the user interface."""

from __future__ import annotations

from pathlib import Path

import pytest

from client.settings import Settings, SettingsError, read_settings


def test_every_variable_has_a_default() -> None:
    """The defaults are a local service without a key and the table of the repository."""
    assert read_settings({}) == Settings("http://127.0.0.1:8000", "", Path("data/credit_data_holdout.csv"))


def test_each_variable_is_read_and_an_empty_one_is_unset() -> None:
    """A slash at the end of the address is removed."""
    environment = {"CREDIT_API_URL": "https://score.example/api/", "CREDIT_API_KEY": "k", "CREDIT_TABLE": "mine.csv"}

    assert read_settings(environment) == Settings("https://score.example/api", "k", Path("mine.csv"))
    assert read_settings(dict.fromkeys(environment, "")) == Settings()


@pytest.mark.parametrize("url", ["127.0.0.1:8000", "ftp://host", "http://", "http://host:99999", "http://[", "x"])
def test_an_invalid_address_is_an_error(url: str) -> None:
    """The message has the variable, its value and an example."""
    with pytest.raises(SettingsError, match=r"CREDIT_API_URL is .*, expected an address such as http"):
        read_settings({"CREDIT_API_URL": url})


@pytest.mark.parametrize("key", ["clé", "a\nb"])
def test_a_key_that_no_header_can_carry_is_an_error(key: str) -> None:
    """The message leaves out the key, which is a secret."""
    with pytest.raises(SettingsError, match="CREDIT_API_KEY") as caught:
        read_settings({"CREDIT_API_KEY": key})

    assert key not in str(caught.value)
