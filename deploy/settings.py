"""The deployment's settings, read from environment variables.

The names are those of the workflow's secrets and variables, and of the table in docs/deployment.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from deploy.errors import DeployError


@dataclass(frozen=True, slots=True)
class Settings:
    """The app to deploy to, its API key, and the URLs of the Platform API and of the git repository."""

    app: str
    key: str = field(repr=False)
    api_url: str
    git_url: str


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Read HEROKU_APP and HEROKU_API_KEY, else DeployError; HEROKU_API_URL and HEROKU_GIT_URL are optional."""
    given = {name: value.strip() for name, value in environment.items() if value.strip()}
    for name, meaning in (("HEROKU_APP", "the app's name"), ("HEROKU_API_KEY", "an API token that may deploy to it")):
        if name not in given:
            raise DeployError(f"{name} is not set, expected {meaning}; see docs/deployment.md")
    app = given["HEROKU_APP"]
    return Settings(
        app=app,
        key=given["HEROKU_API_KEY"],
        api_url=given.get("HEROKU_API_URL", "https://api.heroku.com"),
        git_url=given.get("HEROKU_GIT_URL", f"https://git.heroku.com/{app}.git"),
    )
