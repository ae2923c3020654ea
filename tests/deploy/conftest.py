"""A running fake platform with tiny apps, and a server with canned responses: real HTTP and real processes."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, redirect_stdout
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import StringIO
from pathlib import Path

import httpx
import pytest

from deploy.buildpack import HOME, build, make_key
from deploy.fake_heroku.platform import Platform, Release, Slug
from deploy.fake_heroku.server import FakeHeroku, run_fake_heroku
from deploy.heroku import Heroku
from deploy.release import wait_until

KEY = "k3y"
APP = "loans"
TIMEOUT_SECONDS = 30.0
SERVER = "exec python -m http.server $PORT --bind 127.0.0.1"
"""A web command that serves the slug's own files."""

POST_COMPILE = """#!/bin/sh
python -c 'import sys; print("hook runs in", sys.prefix)'
touch .heroku/python/marker
"""

ServeJson = Callable[[Mapping[str, str]], AbstractContextManager[str]]
FillCache = Callable[[Path, Path, Path], None]


def add_environment(slug: Path) -> Path:
    """Give a slug a Python environment without packages and pip, which is quick to make."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(slug / HOME)], check=True)
    return slug


def write_tree(folder: Path) -> Path:
    """A tree to build: no packages, a post_compile hook that leaves a file, and a file that .slugignore excludes."""
    (folder / "bin").mkdir(parents=True)
    (folder / "bin" / "post_compile").write_text(POST_COMPILE)
    (folder / "bin" / "post_compile").chmod(0o755)
    (folder / "runtime.txt").write_text(f"python-{sys.version_info.major}.{sys.version_info.minor}\n")
    (folder / "requirements.txt").write_text("# no packages\n")
    (folder / ".slugignore").write_text("/notes.md\n")
    (folder / "notes.md").touch()
    return folder


def make_slug(heroku: FakeHeroku, commit: str, *, release: str = "true", web: str = SERVER) -> Slug:
    """Register a slug that serves its own files, one of which is `commit`."""
    folder = add_environment(heroku.folder / f"slug-{len(heroku.platform.slugs)}")
    (folder / "commit").write_text(commit)
    (folder / "Procfile").write_text(f"release: {release}\nweb: {web}\n")
    return heroku.platform.add_slug(commit, folder)


def release(platform: Platform, slug: Slug) -> Release:
    """Release a slug and wait until the release has ended and its dyno has started or crashed."""
    version = platform.start_release(slug, f"Deploy {slug.commit[:8]}").version

    def is_settled() -> bool:
        states = [dyno["state"] for dyno in platform.dynos()]
        return platform.releases[version - 1].status != "pending" and "starting" not in states

    assert wait_until(is_settled, TIMEOUT_SECONDS)
    return platform.releases[version - 1]


def deploy_slug(heroku: FakeHeroku, commit: str, **procfile: str) -> Release:
    """Make a slug and release it."""
    return release(heroku.platform, make_slug(heroku, commit, **procfile))


def live_commit(heroku: FakeHeroku) -> str:
    """The commit that the app's URL serves."""
    return httpx.get(f"{heroku.url}commit").text


@pytest.fixture(autouse=True)
def poll_fast(monkeypatch: pytest.MonkeyPatch) -> None:
    """Poll the fake platform often: nothing on it takes a second."""
    monkeypatch.setattr("deploy.release.POLL_SECONDS", 0.01)


@pytest.fixture
def empty_slug(tmp_path: Path) -> Path:
    """A slug that has a Python environment and nothing else."""
    return add_environment(tmp_path / "slug")


@pytest.fixture
def serve_json() -> ServeJson:
    """Serve canned responses: path without its first slash → body; any other path is 404."""

    @contextmanager
    def run(bodies: Mapping[str, str]) -> Iterator[str]:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.rfile.read(int(self.headers.get("content-length", "0")))
                body = bodies.get(self.path.removeprefix("/"))
                self.send_response(404 if body is None else 200)
                self.end_headers()
                self.wfile.write((body or "").encode())

            do_POST = do_GET  # noqa: N815

            def log_message(self, format: str, *args: object) -> None:
                """Print nothing."""

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


@pytest.fixture
def fake_heroku(tmp_path: Path) -> Iterator[FakeHeroku]:
    """A running fake platform without a release."""
    with run_fake_heroku(APP, KEY, tmp_path / "platform", {}) as heroku:
        yield heroku


@pytest.fixture
def client(fake_heroku: FakeHeroku) -> Iterator[Heroku]:
    """Our client of the Platform API, connected to the fake platform."""
    with Heroku(fake_heroku.settings) as client:
        yield client


@dataclass(frozen=True, slots=True)
class Build:
    """A slug that was built, the build cache, and what the build printed."""

    slug: Path
    cache: Path
    output: str


@pytest.fixture(scope="session")
def first_build(tmp_path_factory: pytest.TempPathFactory) -> Build:
    """A build with an empty cache; it takes seconds, so that all pytest-xdist workers share it."""
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent
    tree, cache, log = folder / "build-tree", folder / "build-cache", folder / "build-log"
    with (folder / "build-lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not log.exists():
            with redirect_stdout(StringIO()) as output:
                build(write_tree(tree), cache=cache, python=Path(sys.executable))
            log.write_text(output.getvalue())
    return Build(tree, cache, log.read_text())


@pytest.fixture
def fill_cache(first_build: Build) -> FillCache:
    """Fill a build cache, so that the next build of a tree with a Python restores the environment from it."""

    def fill(cache: Path, tree: Path, python: Path) -> None:
        shutil.copytree(first_build.cache / "python", cache / "python", symlinks=True)
        (cache / "key").write_bytes(make_key(tree, python))

    return fill
