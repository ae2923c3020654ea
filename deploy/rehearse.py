"""`make rehearse`: an end-to-end test of the deployment against the fake platform of deploy/fake_heroku.

`python -m deploy` deploys a clone of the last commit three times: as it is, with a broken model file, with a broken
app. After each, the live release is checked. All files are in build/rehearsal.
"""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy import ROOT
from deploy.commands import run
from deploy.errors import DeployError
from deploy.fake_heroku.server import run_fake_heroku
from deploy.heroku import Heroku
from deploy.settings import Settings
from deploy.smoke import smoke

FOLDER = ROOT / "build" / "rehearsal"
APP = "rehearsal"
CONFIG = {
    "WEB_CONCURRENCY": "2",
    "DATABASE_URL": f"sqlite:///{FOLDER / 'decisions.db'}",
    "DECISIONS_URL": "DATABASE_URL",
}
"""WEB_CONCURRENCY is what Heroku sets for a dyno of 512 MB, DATABASE_URL what a Postgres add-on sets, here a file."""

BROKEN_APP = '''"""Answers every request with 200 and the body of a readiness check."""

async def app(scope, receive, send):
    if scope["type"] == "http":
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b'{"status": "ready"}'})
'''


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """The clone to deploy from, the platform to deploy to, and the app's URL.

    `environment`: the environment variables of `python -m deploy`.
    """

    checkout: Path
    settings: Settings
    environment: dict[str, str]
    url: str


def main() -> int:
    """Run the three scenarios; exit code 1 if one fails."""
    started = time.monotonic()
    shutil.rmtree(FOLDER, ignore_errors=True)
    scenarios = (deploy_good_version, refuse_broken_artifact, roll_back_broken_app)
    try:
        with prepare() as rehearsal:
            for number, scenario in enumerate(scenarios, start=1):
                title = (scenario.__doc__ or "").splitlines()[0]
                print(f"\n=== {number}. {title}", flush=True)
                begun = time.monotonic()
                scenario(rehearsal)
                print(f"=== {number}. passed, {time.monotonic() - begun:.0f} s", flush=True)
    except DeployError as error:
        print(f"rehearse: {error}", file=sys.stderr)
        return 1
    print(f"\nrehearse: all {len(scenarios)} scenarios passed in {time.monotonic() - started:.0f} s")
    return 0


def deploy_good_version(rehearsal: Rehearsal) -> None:
    """A good commit goes live."""
    check(deploy(rehearsal), 0)
    check(find_live(rehearsal), "v1")


def refuse_broken_artifact(rehearsal: Rehearsal) -> None:
    """With a broken model file the release fails; the previous release stays live."""
    artifact = rehearsal.checkout / "artifacts" / "model.onnx"
    good = artifact.read_bytes()
    artifact.write_bytes(good[:-1])
    commit(rehearsal, "Break the artifact")
    check(deploy(rehearsal), 1)
    artifact.write_bytes(good)
    check(find_live(rehearsal), "v1")
    smoke(rehearsal.url, rehearsal.checkout)


def roll_back_broken_app(rehearsal: Rehearsal) -> None:
    """With a broken app the smoke tests fail; the previous release is live again, and no decision is lost."""
    (rehearsal.checkout / "broken.py").write_text(BROKEN_APP)
    release, _ = (rehearsal.checkout / "Procfile").read_text().splitlines()
    web = "web: python -m uvicorn --host 0.0.0.0 --port $PORT broken:app"
    (rehearsal.checkout / "Procfile").write_text(f"{release}\n{web}\n")
    commit(rehearsal, "Break the app")
    check(deploy(rehearsal), 1)
    check(find_live(rehearsal), "v4")
    smoke(rehearsal.url, rehearsal.checkout)
    run(sys.executable, "-m", "decisions", "verify", "--url", CONFIG["DATABASE_URL"], cwd=rehearsal.checkout)


@contextmanager
def prepare() -> Iterator[Rehearsal]:
    """Clone the last commit and start the fake platform; both are stopped at the end."""
    if subprocess.check_output(["git", "status", "--porcelain"], cwd=ROOT):
        print("rehearse: the uncommitted changes of this checkout are not deployed")
    checkout = FOLDER / "checkout"
    run("git", "clone", "--quiet", "--no-hardlinks", str(ROOT), str(checkout), cwd=ROOT)
    with run_fake_heroku(APP, secrets.token_hex(16), FOLDER / "platform", CONFIG) as heroku:
        os.environ |= heroku.hook_environment | {"PYTHONPATH": str(ROOT)}
        environment = {
            **os.environ,
            "HEROKU_APP": APP,
            "HEROKU_API_URL": heroku.settings.api_url,
            "HEROKU_GIT_URL": heroku.settings.git_url,
            "PYTHONPATH": str(checkout),
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        yield Rehearsal(checkout, heroku.settings, environment, heroku.url)


def deploy(rehearsal: Rehearsal) -> int:
    """Run `python -m deploy` in the clone; returns its exit code."""
    command = [sys.executable, "-m", "deploy"]
    return subprocess.run(command, cwd=rehearsal.checkout, env=rehearsal.environment).returncode


def commit(rehearsal: Rehearsal, message: str) -> None:
    """Commit every change in the clone."""
    author = ("-c", "user.name=Rehearsal", "-c", "user.email=rehearsal@example.org")
    run("git", "add", "--all", cwd=rehearsal.checkout)
    run("git", *author, "commit", "--quiet", "--message", message, cwd=rehearsal.checkout)


def find_live(rehearsal: Rehearsal) -> str:
    """The live release according to the Platform API, such as v1."""
    with Heroku(rehearsal.settings) as platform:
        return next(f"v{release.version}" for release in platform.releases() if release.current)


def check(actual: object, expected: object) -> None:
    """Raise DeployError unless two values are equal."""
    if actual != expected:
        raise DeployError(f"got {actual}, expected {expected}; see above, and {FOLDER}")


if __name__ == "__main__":
    sys.exit(main())
