"""A slug's Procfile, run as the platform runs it."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from deploy.dyno import read_command, run_release, start_web, wait_until_ready
from deploy.errors import DeployError

SERVER = "exec python -m http.server $PORT --bind 127.0.0.1"


def write_procfile(slug: Path, **commands: str) -> Path:
    """Give a slug its commands."""
    (slug / "Procfile").write_text("".join(f"{name}: {command}\n" for name, command in commands.items()))
    return slug


def test_the_release_command_runs_in_the_slug_without_the_developers_settings(
    empty_slug: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a shell, with the slug's Python first on the path."""
    monkeypatch.setenv("MODEL_PATH", "other.onnx")
    write_procfile(empty_slug, release='pwd && command -v python && echo "model $MODEL_PATH, home $HOME"')

    lines = run_release(empty_slug).splitlines()

    assert [str(empty_slug), f"{empty_slug}/.heroku/python/bin/python", f"model , home {empty_slug}"] == lines


def test_a_release_command_that_fails_is_told_with_what_it_printed(empty_slug: Path) -> None:
    """On both of its outputs."""
    write_procfile(empty_slug, release="echo out; echo err >&2; exit 7")

    with pytest.raises(DeployError, match="code 7: out\nerr"):
        run_release(empty_slug)


def test_an_app_without_a_release_command_has_none(empty_slug: Path) -> None:
    """Nothing runs."""
    assert "" == run_release(write_procfile(empty_slug, web=SERVER))
    assert read_command(empty_slug, "worker") is None


def test_the_web_command_gets_a_port_and_is_stopped_whole(empty_slug: Path, tmp_path: Path) -> None:
    """With all the processes it started; what it prints is kept."""
    write_procfile(empty_slug, web=f"{SERVER.removeprefix('exec ')} & wait")
    dyno = start_web(empty_slug, log=tmp_path / "log", COLOUR="blue")
    try:
        assert dyno.wait_until_bound()
        assert 200 == httpx.get(f"{dyno.url}/Procfile").status_code
    finally:
        dyno.stop()

    assert dyno.process.poll() is not None
    with pytest.raises(httpx.ConnectError):
        httpx.get(dyno.url)
    assert "GET /Procfile" in (tmp_path / "log").read_text()


def test_a_process_that_ends_never_listens(empty_slug: Path) -> None:
    """It is told at once, with its code."""
    dyno = start_web(write_procfile(empty_slug, web="exit 3"))

    assert not dyno.wait_until_bound()
    with pytest.raises(DeployError, match="ended with code 3"):
        wait_until_ready(dyno.url, dyno.process, dyno.started)
    dyno.stop()


def test_a_process_that_listens_but_is_never_ready_is_told(empty_slug: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After the time the platform gives it."""
    monkeypatch.setattr("deploy.dyno.BOOT_SECONDS", 0.5)
    dyno = start_web(write_procfile(empty_slug, web=SERVER))
    try:
        with pytest.raises(DeployError, match=r"didn't get ready within 0\.5 s"):
            wait_until_ready(dyno.url, dyno.process, dyno.started)
    finally:
        dyno.stop()


def test_a_process_that_ignores_the_signal_is_killed(empty_slug: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the platform does after its time."""
    monkeypatch.setattr("deploy.dyno.STOP_SECONDS", 0.2)
    dyno = start_web(write_procfile(empty_slug, web="trap '' TERM; python -m http.server $PORT --bind 127.0.0.1; true"))
    assert dyno.wait_until_bound()

    dyno.stop()

    assert dyno.process.poll() is not None


def test_a_procfile_without_web_is_refused(empty_slug: Path) -> None:
    """Nothing would listen."""
    with pytest.raises(DeployError, match="no line web:"):
        start_web(write_procfile(empty_slug, release="true"))
