"""`make rehearse`: a deployment without the platform, three times over.

A clone of the last commit is deployed by `python -m deploy`, as the workflow does it, to the stand-in of
deploy/standin: once as it is, once with a broken artifact, once as a broken app. What has to hold afterwards is asked
of the app's URL and of the Platform API. Everything lies in build/rehearsal.
"""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import uvicorn
from starlette.applications import Starlette

from deploy.dyno import free_port
from deploy.errors import DeployError
from deploy.heroku import Heroku
from deploy.settings import Settings, read_settings
from deploy.smoke import smoke
from deploy.standin.api import make_api, make_router
from deploy.standin.platform import Platform

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "build" / "rehearsal"
APP = "rehearsal"
CONFIG = {"WEB_CONCURRENCY": "2"}
"""What the platform sets for a dyno of 512 MB."""

HOOK = """#!/bin/sh
exec "{python}" -m deploy.standin.receive
"""

BROKEN_APP = '''"""Says that all is well, and knows nothing."""

async def app(scope, receive, send):
    if scope["type"] == "http":
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b'{"status": "ready"}'})
'''


@dataclass(frozen=True, slots=True)
class Stage:
    """The clone to deploy from, the platform to deploy to, and where the app answers."""

    checkout: Path
    settings: Settings
    environment: dict[str, str]
    url: str


def main() -> int:
    """Rehearse all three; exit code 1 and one sentence if one goes otherwise than it has to."""
    started = time.monotonic()
    shutil.rmtree(FOLDER, ignore_errors=True)
    scenarios = (deploy_good_version, refuse_broken_artifact, roll_back_broken_app)
    try:
        with set_stage() as stage:
            for number, scenario in enumerate(scenarios, start=1):
                title = (scenario.__doc__ or "").splitlines()[0]
                print(f"\n=== {number}. {title}", flush=True)
                begun = time.monotonic()
                scenario(stage)
                print(f"=== {number}. as it has to be, {time.monotonic() - begun:.0f} s", flush=True)
    except DeployError as error:
        print(f"rehearse: {error}", file=sys.stderr)
        return 1
    print(f"\nrehearse: all {len(scenarios)} as they have to be, {time.monotonic() - started:.0f} s in all")
    return 0


def deploy_good_version(stage: Stage) -> None:
    """A good version is pushed, built, released, tried and live."""
    expect(0, deploy(stage))
    expect("v1", find_live(stage))


def refuse_broken_artifact(stage: Stage) -> None:
    """A broken artifact: the release fails, the version before stays live."""
    artifact = stage.checkout / "artifacts" / "model.onnx"
    good = artifact.read_bytes()
    artifact.write_bytes(good[:-1])
    commit(stage, "Break the artifact")
    expect(1, deploy(stage))
    artifact.write_bytes(good)
    expect("v1", find_live(stage))
    smoke(stage.url, stage.checkout)


def roll_back_broken_app(stage: Stage) -> None:
    """A broken app: the smoke tests fail, the version before is live again."""
    (stage.checkout / "broken.py").write_text(BROKEN_APP)
    release, _ = (stage.checkout / "Procfile").read_text().splitlines()
    web = "web: python -m uvicorn --host 0.0.0.0 --port $PORT broken:app"
    (stage.checkout / "Procfile").write_text(f"{release}\n{web}\n")
    commit(stage, "Break the app")
    expect(1, deploy(stage))
    expect("v4", find_live(stage))
    smoke(stage.url, stage.checkout)


@contextmanager
def set_stage() -> Iterator[Stage]:
    """Clone the last commit, start a platform with an empty repository, take all down at the end."""
    if subprocess.check_output(["git", "status", "--porcelain"], cwd=ROOT):
        print("rehearse: only what is committed is rehearsed; this checkout has other changes")
    checkout, repository, key = FOLDER / "checkout", FOLDER / "platform" / "repository", secrets.token_hex(16)
    run("git", "clone", "--quiet", "--no-hardlinks", str(ROOT), str(checkout))
    run("git", "init", "--quiet", "--bare", "--initial-branch=main", str(repository))
    hook = repository / "hooks" / "pre-receive"
    hook.write_text(HOOK.format(python=sys.executable))
    hook.chmod(0o755)
    api_port, web_port = free_port(), free_port()
    api_url, url = f"http://127.0.0.1:{api_port}", f"http://127.0.0.1:{web_port}/"
    settings = read_settings(
        {
            "HEROKU_APP": APP,
            "HEROKU_API_KEY": key,
            "HEROKU_API_URL": api_url,
            "HEROKU_GIT_URL": f"{api_url}/{APP}.git",
        }
    )
    # What the receive hook reads; git http-backend hands its environment on.
    os.environ |= {
        "STANDIN_API": f"{api_url}/apps/{APP}",
        "STANDIN_FOLDER": str(FOLDER / "platform"),
        "HEROKU_API_KEY": key,
        "PYTHONPATH": str(ROOT),
    }
    environment = {
        **os.environ,
        "HEROKU_APP": APP,
        "HEROKU_API_URL": api_url,
        "HEROKU_GIT_URL": settings.git_url,
        "PYTHONPATH": str(checkout),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    platform = Platform(APP, CONFIG, FOLDER / "web.log")
    with serve(make_api(platform, key, repository, url), api_port), serve(make_router(platform), web_port):
        try:
            yield Stage(checkout, settings, environment, url)
        finally:
            platform.stop()


@contextmanager
def serve(app: Starlette, port: int) -> Iterator[None]:
    """Serve an app from a thread."""
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


def deploy(stage: Stage) -> int:
    """Run the deployment as the workflow does; its exit code."""
    command = [sys.executable, "-m", "deploy"]
    return subprocess.run(command, cwd=stage.checkout, env=stage.environment).returncode


def commit(stage: Stage, message: str) -> None:
    """Commit whatever changed in the clone."""
    author = ("-c", "user.name=Rehearsal", "-c", "user.email=rehearsal@example.org")
    run("git", "-C", str(stage.checkout), "add", "--all")
    run("git", "-C", str(stage.checkout), *author, "commit", "--quiet", "--message", message)


def find_live(stage: Stage) -> str:
    """The version that the platform says is live."""
    with Heroku(stage.settings) as platform:
        return next(f"v{release.version}" for release in platform.releases() if release.current)


def expect(expected: object, found: object) -> None:
    """Raise DeployError unless something is as it has to be."""
    if expected != found:
        raise DeployError(f"got {found}, expected {expected}; see above, and {FOLDER}")


def run(*command: str) -> None:
    """Run a command; raises DeployError if it fails."""
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise DeployError(f"{' '.join(command)}: {done.stderr.strip()}")


if __name__ == "__main__":
    sys.exit(main())
