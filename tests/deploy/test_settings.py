"""The settings of a deployment are read from environment variables."""

from __future__ import annotations

import pytest

from deploy.errors import DeployError
from deploy.settings import Settings, read_settings


def test_two_variables_are_required() -> None:
    """The URLs have defaults; white space around a value is removed."""
    expected = Settings("loans", "k3y", "https://api.heroku.com", "https://git.heroku.com/loans.git")

    assert read_settings({"HEROKU_APP": "loans", "HEROKU_API_KEY": "k3y\n"}) == expected


def test_the_urls_of_another_platform_can_be_set() -> None:
    """As for the fake platform."""
    given = {"HEROKU_APP": "a", "HEROKU_API_KEY": "k", "HEROKU_API_URL": "http://api", "HEROKU_GIT_URL": "http://git"}

    assert read_settings(given) == Settings("a", "k", "http://api", "http://git")


@pytest.mark.parametrize("missing", ["HEROKU_APP", "HEROKU_API_KEY"])
@pytest.mark.parametrize("value", [None, "", " "])
def test_a_missing_variable_is_named(missing: str, value: str | None) -> None:
    """An empty value counts as missing: GitHub Actions sets it for a secret that does not exist."""
    given = {"HEROKU_APP": "loans", "HEROKU_API_KEY": "k3y"}
    given = {name: text for name, text in (given | {missing: value or ""}).items() if name != missing or value}

    with pytest.raises(DeployError, match=f"^{missing} is not set"):
        read_settings(given)


def test_the_key_is_not_in_the_repr() -> None:
    """So that no traceback or log shows it."""
    assert "k3y" not in repr(read_settings({"HEROKU_APP": "loans", "HEROKU_API_KEY": "k3y"}))
