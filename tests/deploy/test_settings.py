"""Where to deploy: read from the environment."""

from __future__ import annotations

import pytest

from deploy.errors import DeployError
from deploy.settings import Settings, read_settings


def test_two_variables_are_enough() -> None:
    """The rest follows from the app's name; a line end at the end of a secret doesn't matter."""
    expected = Settings("loans", "k3y", "https://api.heroku.com", "https://git.heroku.com/loans.git")

    assert expected == read_settings({"HEROKU_APP": "loans", "HEROKU_API_KEY": "k3y\n"})


def test_another_platform_with_the_same_api() -> None:
    """As the rehearsal uses it."""
    given = {"HEROKU_APP": "a", "HEROKU_API_KEY": "k", "HEROKU_API_URL": "http://api", "HEROKU_GIT_URL": "http://git"}

    assert Settings("a", "k", "http://api", "http://git") == read_settings(given)


@pytest.mark.parametrize("missing", ["HEROKU_APP", "HEROKU_API_KEY"])
@pytest.mark.parametrize("value", [None, "", " "])
def test_what_is_missing_is_named(missing: str, value: str | None) -> None:
    """Empty counts as missing: that is what a workflow gives for a secret that isn't there."""
    given = {"HEROKU_APP": "loans", "HEROKU_API_KEY": "k3y"}
    given = {name: text for name, text in (given | {missing: value or ""}).items() if name != missing or value}

    with pytest.raises(DeployError, match=f"^{missing} is not set"):
        read_settings(given)


def test_the_key_is_not_shown() -> None:
    """In a traceback or a log."""
    assert "k3y" not in repr(read_settings({"HEROKU_APP": "loans", "HEROKU_API_KEY": "k3y"}))
