"""`make deploy`: push this commit, wait for its release, try it, roll back if it fails.

The story of a deployment, top to bottom. Exit code 1 and one sentence if the commit isn't live at the end; then the
version that was live before still is.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from deploy.errors import DeployError
from deploy.heroku import Heroku, Release
from deploy.settings import Settings, read_settings
from deploy.smoke import smoke

ROOT = Path(__file__).resolve().parent.parent
BRANCH = "refs/heads/main"
POLL_SECONDS = 1.0
RELEASE_SECONDS = 600.0
BOOT_SECONDS = 120.0

CREDENTIALS = '!f() { test "$1" = get && echo username=heroku && echo "password=$HEROKU_API_KEY"; }; f'
"""A credential helper that git runs in a shell: the token stays in the environment, off command line and URL."""


def main() -> int:
    """Deploy the commit that is checked out."""
    try:
        settings = read_settings(os.environ)
        with Heroku(settings) as platform:
            deploy(platform, settings)
    except DeployError as error:
        print(f"deploy: {error}", file=sys.stderr)
        return 1
    return 0


def deploy(platform: Heroku, settings: Settings) -> None:
    """Make the checked-out commit live, or leave what is live; raises DeployError if it isn't live at the end."""
    check_clean()
    url, commit = platform.app().web_url, git("rev-parse", "HEAD")
    known = platform.releases()
    before = next((release for release in known if release.current and release.slug), None)
    if before and platform.commit_of(before) == commit:
        print(f"{commit[:12]} is live already as {before}")
        smoke(url)
        return
    push(settings)
    release = wait_for_release(platform, commit, max((release.version for release in known), default=0))
    try:
        wait_for_dynos(platform, release)
        smoke(url)
    except DeployError as error:
        if before is None:
            raise DeployError(f"{error}; {release} stays, there is nothing to go back to") from error
        raise DeployError(f"{error}; {undo(platform, before)}") from error
    print(f"{commit[:12]} is live as {release} on {url}")


def check_clean() -> None:
    """Raise DeployError if the checkout differs from its commit: what is pushed and what is tried would differ."""
    if changed := git("status", "--porcelain"):
        raise DeployError(f"the checkout has changes that a push leaves out; commit or remove them first:\n{changed}")


def push(settings: Settings) -> None:
    """Push HEAD; the platform builds it meanwhile. Raises DeployError if the push or the build is refused."""
    command = ["git", "-c", "credential.helper=", "-c", f"credential.helper={CREDENTIALS}"]
    environment = {**os.environ, "HEROKU_API_KEY": settings.key, "GIT_TERMINAL_PROMPT": "0"}
    done = subprocess.run([*command, "push", settings.git_url, f"HEAD:{BRANCH}"], cwd=ROOT, env=environment)
    if done.returncode != 0:
        raise DeployError("the push was refused, see above; what was live still is")


def wait_for_release(platform: Heroku, commit: str, after: int) -> Release:
    """The release of that commit, newer than `after`, once it succeeded; git says nothing of a failed one."""
    candidates = [release for release in platform.releases() if release.version > after]
    release = next((release for release in candidates if platform.commit_of(release) == commit), None)
    if release is None:
        raise DeployError(
            f"the platform made no release of {commit[:12]}: it was pushed before and then failed or was rolled back; "
            "push a new commit that mends it"
        )
    status = wait_for_status(platform, release)
    if status != "succeeded":
        raise DeployError(
            f"the release {release} is {status!r}, expected 'succeeded', see above; what was live still is"
        )
    return release


def wait_for_status(platform: Heroku, release: Release) -> str:
    """How a release ended; 'pending' if it takes too long."""
    wait_until(lambda: platform.release(release.version).status != "pending", RELEASE_SECONDS)
    return platform.release(release.version).status


def wait_for_dynos(platform: Heroku, release: Release) -> None:
    """Wait until every web process runs that release; raises DeployError if one crashes or it takes too long."""

    def is_over() -> bool:
        dynos = platform.web_dynos()
        running = [dyno for dyno in dynos if dyno.release.version == release.version]
        if any(dyno.state == "crashed" for dyno in running):
            raise DeployError(f"a web process of {release} crashed")
        return bool(dynos) and all(dyno.state == "up" for dyno in running) and len(running) == len(dynos)

    if not wait_until(is_over, BOOT_SECONDS):
        raise DeployError(f"the web processes of {release} were not up within {BOOT_SECONDS:g} s")


def undo(platform: Heroku, before: Release) -> str:
    """Roll back; returns a clause that says what is live now. Raises DeployError if that fails as well."""
    release = platform.roll_back(before)
    if wait_for_status(platform, release) != "succeeded":
        raise DeployError(f"AND the rollback to {before} failed: look at the app now")
    wait_for_dynos(platform, release)
    return f"rolled back to {before}, live as v{release.version}"


def wait_until(is_over: Callable[[], bool], seconds: float) -> bool:
    """Ask again and again until something is over; whether it was in time."""
    started = time.monotonic()
    while not is_over():
        if time.monotonic() - started > seconds:
            return False
        time.sleep(POLL_SECONDS)
    return True


def git(*arguments: str) -> str:
    """What a git command on the checkout prints; raises DeployError if it fails."""
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True)
    if done.returncode != 0:
        raise DeployError(f"git {' '.join(arguments)}: {done.stderr.strip()}")
    return done.stdout.strip()


if __name__ == "__main__":
    sys.exit(main())
