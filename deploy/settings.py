"""Where to deploy: read once, from the environment, each fault named.

The names are those of the workflow's secrets and variables, and of the table in docs/deploy.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from deploy.errors import DeployError


@dataclass(frozen=True, slots=True)
class Settings:
    """An app on a platform, and the key to it."""

    app: str
    key: str = field(repr=False)
    api_url: str
    git_url: str


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Read HEROKU_APP, HEROKU_API_KEY and, for another platform with the same API, HEROKU_API_URL, HEROKU_GIT_URL."""
    given = {name: value.strip() for name, value in environment.items() if value.strip()}
    for name, meaning in (("HEROKU_APP", "the app's name"), ("HEROKU_API_KEY", "a token that may deploy to it")):
        if name not in given:
            raise DeployError(f"{name} is not set, expected {meaning}; docs/deploy.md tells where it comes from")
    app = given["HEROKU_APP"]
    return Settings(
        app=app,
        key=given["HEROKU_API_KEY"],
        api_url=given.get("HEROKU_API_URL", "https://api.heroku.com"),
        git_url=given.get("HEROKU_GIT_URL", f"https://git.heroku.com/{app}.git"),
    )
