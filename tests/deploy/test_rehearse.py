"""The rehearsal notices what goes otherwise than it has to; `make rehearse` is its own test of all that goes well."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from deploy import rehearse
from deploy.errors import DeployError


@pytest.mark.parametrize(("expected", "found"), [(1, 0), ("v1", "v2")])
def test_what_differs_is_an_error(expected: object, found: object) -> None:
    """It says both, and where to look."""
    rehearse.expect(expected, expected)
    with pytest.raises(DeployError, match=f"got {found}, expected {expected}; see above, and .*rehearsal"):
        rehearse.expect(expected, found)


def test_a_deployment_that_should_have_failed_fails_the_rehearsal(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 1 and one sentence, after the scenario that was played."""

    @contextmanager
    def set_stage() -> Iterator[Any]:
        yield None

    monkeypatch.setattr(rehearse, "FOLDER", tmp_path)
    monkeypatch.setattr(rehearse, "set_stage", set_stage)
    monkeypatch.setattr(rehearse, "deploy", lambda stage: 1)

    assert 1 == rehearse.main()

    printed = capsys.readouterr()
    assert "=== 1. A good version is pushed" in printed.out
    assert printed.err.startswith("rehearse: got 1, expected 0")


def test_the_broken_app_says_it_is_ready(tmp_path: Any) -> None:
    """It answers everything with 200: what finds it out has to be the content."""
    scope: dict[str, Any] = {}
    sent: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    exec(compile(rehearse.BROKEN_APP, "broken.py", "exec"), scope)  # noqa: S102
    asyncio.run(scope["app"]({"type": "http"}, None, send))

    assert [200, b'{"status": "ready"}'] == [sent[0]["status"], sent[1]["body"]]
