"""`python -m deploy` reports an error on stderr."""

from __future__ import annotations

import pytest

from deploy.__main__ import main


def test_a_missing_setting_is_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """On stderr, with exit code 1."""
    monkeypatch.delenv("HEROKU_APP", raising=False)

    assert main() == 1

    assert "deploy: HEROKU_APP is not set" in capsys.readouterr().err
