"""Start and stop the fake platform: a bare repository with its hook, the API and the router, each on a port."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import uvicorn
from starlette.applications import Starlette

from deploy.commands import run
from deploy.dyno import free_port
from deploy.fake_heroku.api import make_api, make_router
from deploy.fake_heroku.platform import Platform
from deploy.settings import Settings

PRE_RECEIVE = """#!/bin/sh
exec "{python}" -m deploy.fake_heroku.pre_receive
"""


@dataclass(frozen=True, slots=True)
class FakeHeroku:
    """A running fake platform: its state, the settings to deploy to it, the app's URL and the folder of its files."""

    platform: Platform
    settings: Settings
    url: str
    folder: Path

    @property
    def hook_environment(self) -> dict[str, str]:
        """The variables that the pre-receive hook reads; git http-backend passes its environment on."""
        return {
            "FAKE_HEROKU_API": f"{self.settings.api_url}/apps/{self.settings.app}",
            "FAKE_HEROKU_FOLDER": str(self.folder),
            "HEROKU_API_KEY": self.settings.key,
        }


@contextmanager
def run_fake_heroku(app: str, key: str, folder: Path, config: dict[str, str]) -> Iterator[FakeHeroku]:
    """Run a platform without a release; its files are in `folder`, `config` are the app's config vars."""
    repository = make_repository(folder / "repository")
    platform = Platform(app, config, folder / "web.log")
    api_port, web_port = free_port(), free_port()
    api_url, url = f"http://127.0.0.1:{api_port}", f"http://127.0.0.1:{web_port}/"
    settings = Settings(app, key, api_url, f"{api_url}/{app}.git")
    with serve(make_api(platform, key, repository, url), api_port), serve(make_router(platform), web_port):
        try:
            yield FakeHeroku(platform, settings, url, folder)
        finally:
            platform.stop()


def make_repository(path: Path) -> Path:
    """Make the bare repository that is pushed to, with its pre-receive hook."""
    path.mkdir(parents=True)
    run("git", "init", "--quiet", "--bare", "--initial-branch=main", str(path), cwd=path)
    hook = path / "hooks" / "pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(PRE_RECEIVE.format(python=sys.executable))
    hook.chmod(0o755)
    return path


@contextmanager
def serve(app: Starlette, port: int) -> Iterator[None]:
    """Serve an application from a thread."""
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="warning"))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started and thread.is_alive():
            time.sleep(0.01)
        yield
    finally:
        server.should_exit = True
        thread.join()
