"""Both databases for the tests of decisions/."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The DECISIONS_URL of an empty database, of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/decisions.db"
    found: str = request.getfixturevalue("postgresql_url")
    return found
