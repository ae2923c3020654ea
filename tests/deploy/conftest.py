"""A platform that runs tiny apps, and a server with canned answers: real HTTP, real processes, nothing installed."""

from __future__ import annotations

import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from deploy.__main__ import wait_until
from deploy.buildpack import HOME, make_key
from deploy.dyno import free_port
from deploy.heroku import Heroku
from deploy.rehearse import serve
from deploy.settings import Settings
from deploy.standin.api import make_api, make_router
from deploy.standin.platform import Platform, Release, Slug

KEY = "k3y"
APP = "loans"
PATIENCE_SECONDS = 30.0

ServeFolder = Callable[[Mapping[str, str]], AbstractContextManager[str]]
MakeSlug = Callable[..., Path]


def give_python(slug: Path) -> Path:
    """A slug's environment without packages, pip included: quickly made."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(slug / HOME)], check=True)
    return slug


@pytest.fixture(autouse=True)
def poll_fast(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing here takes a second."""
    monkeypatch.setattr("deploy.__main__.POLL_SECONDS", 0.01)


@pytest.fixture
def empty_slug(tmp_path: Path) -> Path:
    """A slug with a Python and nothing else."""
    return give_python(tmp_path / "slug")


@pytest.fixture
def serve_folder() -> ServeFolder:
    """Serve canned JSON: path without its slash → body; everything else is 404."""

    @contextmanager
    def run(answers: Mapping[str, str]) -> Iterator[str]:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.rfile.read(int(self.headers.get("content-length", "0")))
                body = answers.get(self.path.removeprefix("/"))
                self.send_response(404 if body is None else 200)
                self.end_headers()
                self.wfile.write((body or "").encode())

            def do_POST(self) -> None:
                self.do_GET()

            def log_message(self, format: str, *args: object) -> None:
                """Say nothing."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
            server.server_close()

    return run


@dataclass(frozen=True, slots=True)
class Stage:
    """A running stand-in of the platform, the settings to reach it, and where its app answers."""

    platform: Platform
    settings: Settings
    url: str
    folder: Path

    def make_slug(self, commit: str, *, release: str = "true", web: str = "") -> Slug:
        """A slug whose app serves its own folder, with the file `commit` in it."""
        folder = give_python(self.folder / f"slug-{len(self.platform.slugs)}")
        (folder / "commit").write_text(commit)
        web = web or "exec python -m http.server $PORT --bind 127.0.0.1"
        (folder / "Procfile").write_text(f"release: {release}\nweb: {web}\n")
        return self.platform.add_slug(commit, folder)

    def release(self, slug: Slug) -> Release:
        """Release a slug and wait until its dyno is up, or one of the two has failed."""
        version = self.platform.start_release(slug, f"Deploy {slug.commit[:8]}").version
        assert wait_until(lambda: self.is_settled(version), PATIENCE_SECONDS)
        found = self.platform.find_release(str(version))
        assert found is not None
        return found

    def is_settled(self, version: int) -> bool:
        """Whether a release has ended and the dyno has too."""
        found = self.platform.find_release(str(version))
        states = [dyno["state"] for dyno in self.platform.dynos()]
        return found is not None and found.status != "pending" and "starting" not in states


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """A platform without any release yet."""
    platform = Platform(APP, {}, tmp_path / "web.log")
    api_port, web_port = free_port(), free_port()
    api, url = f"http://127.0.0.1:{api_port}", f"http://127.0.0.1:{web_port}/"
    settings = Settings(APP, KEY, api, f"{api}/{APP}.git")
    repository = tmp_path / "repository"
    with (
        serve(make_api(platform, KEY, repository, url), api_port),
        serve(make_router(platform), web_port),
    ):
        try:
            yield Stage(platform, settings, url, tmp_path)
        finally:
            platform.stop()


@pytest.fixture
def heroku(stage: Stage) -> Iterator[Heroku]:
    """The client of that platform."""
    with Heroku(stage.settings) as client:
        yield client


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh environment with pip: slow to make, so that builds in tests find it in their cache."""
    folder = tmp_path_factory.mktemp("environment") / "python"
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    return folder


@pytest.fixture
def fill_cache(environment: Path) -> Callable[[Path, Path, Path], None]:
    """Fill a cache so that the next build of a tree by an interpreter finds its environment there."""

    def fill(cache: Path, tree: Path, python: Path) -> None:
        shutil.copytree(environment, cache / "python", symlinks=True)
        (cache / "key").write_bytes(make_key(tree, python))

    return fill
