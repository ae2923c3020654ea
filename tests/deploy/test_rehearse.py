"""The rehearsal fails when a scenario does; `make rehearse` itself tests that the scenarios pass."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from deploy import rehearse
from deploy.errors import DeployError


@pytest.mark.parametrize(("actual", "expected"), [(0, 1), ("v2", "v1")])
def test_a_difference_is_an_error(actual: object, expected: object) -> None:
    """It shows both values and the folder with the logs."""
    rehearse.check(expected, expected)
    with pytest.raises(DeployError, match=f"got {actual}, expected {expected}; see above, and .*rehearsal"):
        rehearse.check(actual, expected)


def test_a_failed_scenario_fails_the_rehearsal(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """With exit code 1 and the reason, after the scenario's title."""

    @contextmanager
    def prepare() -> Iterator[Any]:
        yield None

    monkeypatch.setattr(rehearse, "FOLDER", tmp_path)
    monkeypatch.setattr(rehearse, "prepare", prepare)
    monkeypatch.setattr(rehearse, "deploy", lambda rehearsal: 1)

    assert rehearse.main() == 1

    printed = capsys.readouterr()
    assert "=== 1. A good commit goes live." in printed.out
    assert printed.err.startswith("rehearse: got 1, expected 0")


def test_the_broken_app_reports_ready(tmp_path: Any) -> None:
    """It answers every request with 200, so that only a check of the content can find the fault."""
    scope: dict[str, Any] = {}
    sent: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    exec(compile(rehearse.BROKEN_APP, "broken.py", "exec"), scope)  # noqa: S102
    asyncio.run(scope["app"]({"type": "http"}, None, send))

    assert [sent[0]["status"], sent[1]["body"]] == [200, b'{"status": "ready"}']
