"""A slug's Procfile runs as on Heroku."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from deploy.dyno import read_command, run_release, start_web, wait_until_ready
from deploy.errors import DeployError
from tests.deploy.conftest import SERVER


def write_procfile(slug: Path, **commands: str) -> Path:
    """Give a slug a Procfile; returns the slug."""
    (slug / "Procfile").write_text("".join(f"{name}: {command}\n" for name, command in commands.items()))
    return slug


def test_the_release_command_runs_in_the_slug_without_the_callers_settings(
    empty_slug: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a shell, with the slug's Python first on PATH, and with the app's config vars."""
    monkeypatch.setenv("MODEL_PATH", "other.onnx")
    write_procfile(empty_slug, release='pwd && command -v python && echo "model $MODEL_PATH, home $HOME, $COLOUR"')

    lines = run_release(empty_slug, COLOUR="blue").splitlines()

    assert lines == [str(empty_slug), f"{empty_slug}/.heroku/python/bin/python", f"model , home {empty_slug}, blue"]


def test_a_failed_release_command_is_an_error(empty_slug: Path) -> None:
    """It shows the exit code, stdout and stderr."""
    write_procfile(empty_slug, release="echo out; echo err >&2; exit 7")

    with pytest.raises(DeployError, match="code 7: out\nerr"):
        run_release(empty_slug)


def test_a_release_command_is_optional(empty_slug: Path) -> None:
    """Without one, nothing runs."""
    assert run_release(write_procfile(empty_slug, web=SERVER)) == ""
    assert read_command(empty_slug, "worker") is None


def test_the_web_command_gets_a_port_and_is_stopped_with_its_children(empty_slug: Path, tmp_path: Path) -> None:
    """Its output goes to the log."""
    write_procfile(empty_slug, web=f"{SERVER.removeprefix('exec ')} & wait")
    dyno = start_web(empty_slug, log=tmp_path / "log", COLOUR="blue")
    try:
        assert dyno.wait_until_bound()
        assert httpx.get(f"{dyno.url}/Procfile").status_code == 200
    finally:
        dyno.stop()

    assert dyno.process.poll() is not None
    with pytest.raises(httpx.ConnectError):
        httpx.get(dyno.url)
    assert "GET /Procfile" in (tmp_path / "log").read_text()


def test_a_web_process_that_ends_is_an_error(empty_slug: Path) -> None:
    """At once, with its exit code."""
    dyno = start_web(write_procfile(empty_slug, web="exit 3"))

    assert not dyno.wait_until_bound()
    with pytest.raises(DeployError, match="ended with code 3"):
        wait_until_ready(dyno.url, dyno.process, dyno.started)
    dyno.stop()


def test_a_web_process_that_is_never_ready_is_an_error(empty_slug: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After MAX_BOOT_SECONDS, even if it listens."""
    monkeypatch.setattr("deploy.dyno.MAX_BOOT_SECONDS", 0.1)
    dyno = start_web(write_procfile(empty_slug, web=SERVER))
    try:
        with pytest.raises(DeployError, match=r"was not ready within 0\.1 s"):
            wait_until_ready(dyno.url, dyno.process, dyno.started)
    finally:
        dyno.stop()


def test_a_web_process_that_ignores_sigterm_is_killed(empty_slug: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After MAX_STOP_SECONDS."""
    monkeypatch.setattr("deploy.dyno.MAX_STOP_SECONDS", 0.2)
    dyno = start_web(write_procfile(empty_slug, web="trap '' TERM; python -m http.server $PORT --bind 127.0.0.1; true"))
    assert dyno.wait_until_bound()

    dyno.stop()

    assert dyno.process.poll() is not None


def test_a_procfile_without_a_web_command_is_refused(empty_slug: Path) -> None:
    """The error says which line to add."""
    with pytest.raises(DeployError, match="has no web command"):
        start_web(write_procfile(empty_slug, release="true"))
