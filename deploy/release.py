"""Push a commit, wait for its release, run the smoke tests, roll back if they fail.

`deploy` is the whole procedure; the other functions are its steps. If the commit isn't live at the end, DeployError
gives the reason, and the previous release is still live, or live again; a release that is still pending is named.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable

from deploy import ROOT
from deploy.commands import run
from deploy.errors import DeployError
from deploy.heroku import Heroku, Release
from deploy.settings import Settings
from deploy.smoke import smoke

BRANCH = "refs/heads/main"
POLL_SECONDS = 1.0
MAX_RELEASE_SECONDS = 600.0
"""Maximum time from a push to the end of the release command."""
MAX_START_SECONDS = 120.0
"""Maximum time until every web dyno runs a new release."""

CREDENTIALS = '!f() { test "$1" = get && echo username=heroku && echo "password=$HEROKU_API_KEY"; }; f'
"""Git credential helper, run by a shell: it reads the token from the environment, so that no command line shows it."""


def deploy(platform: Heroku, settings: Settings) -> None:
    """Make the checked-out commit live; if that fails, keep or restore the current release and raise DeployError."""
    check_clean()
    url, commit = platform.app().web_url, git("rev-parse", "HEAD")
    releases = platform.releases()
    previous = next((release for release in releases if release.current and release.slug), None)
    if previous and platform.commit_of(previous) == commit:
        print(f"{commit[:12]} is already live as {previous}")
        smoke(url)
        return
    push(settings)
    release = wait_for_release(platform, commit, max((release.version for release in releases), default=0))
    try:
        wait_for_dynos(platform, release)
        smoke(url)
    except DeployError as error:
        if previous is None:
            raise DeployError(f"{error}; {release} stays: there is no earlier release to roll back to") from error
        raise DeployError(f"{error}; {roll_back(platform, previous)}") from error
    print(f"{commit[:12]} is live as {release} on {url}")


def check_clean() -> None:
    """Raise DeployError if the checkout has uncommitted changes: the smoke tests would compare with other files."""
    if changed := git("status", "--porcelain"):
        raise DeployError(f"the checkout has uncommitted changes; commit or remove them first:\n{changed}")


def push(settings: Settings) -> None:
    """Push HEAD, which the platform builds before git returns; raises DeployError if push or build fails."""
    command = ["git", "-c", "credential.helper=", "-c", f"credential.helper={CREDENTIALS}"]
    environment = {**os.environ, "HEROKU_API_KEY": settings.key, "GIT_TERMINAL_PROMPT": "0"}
    done = subprocess.run([*command, "push", settings.git_url, f"HEAD:{BRANCH}"], cwd=ROOT, env=environment)
    if done.returncode != 0:
        raise DeployError("the push was rejected, see above; the live release is unchanged")


def wait_for_release(platform: Heroku, commit: str, after: int) -> Release:
    """Wait for the release of a commit, newer than version `after`; raises DeployError if it failed."""
    candidates = [release for release in platform.releases() if release.version > after]
    release = next((release for release in candidates if platform.commit_of(release) == commit), None)
    if release is None:
        raise DeployError(
            f"the platform made no release of {commit[:12]}: it was pushed before and failed or was rolled back; "
            "push a new commit that fixes it"
        )
    status = wait_for_status(platform, release)
    if status == "pending":
        raise DeployError(
            f"the release {release} has not ended within {MAX_RELEASE_SECONDS:g} s; if it succeeds it goes live "
            "untested: watch it with `heroku releases`, then run `make smoke` or `heroku rollback`"
        )
    if status != "succeeded":
        raise DeployError(
            f"the release {release} is {status!r}, expected 'succeeded', see above; the live release is unchanged"
        )
    return release


def wait_for_status(platform: Heroku, release: Release) -> str:
    """Wait for a release to end and return its status, 'pending' if it takes too long."""
    wait_until(lambda: platform.release(release.version).status != "pending", MAX_RELEASE_SECONDS)
    return platform.release(release.version).status


def wait_for_dynos(platform: Heroku, release: Release) -> None:
    """Wait until every web dyno runs that release; raises DeployError if one crashes or it takes too long."""

    def are_up() -> bool:
        dynos = platform.web_dynos()
        running = [dyno for dyno in dynos if dyno.release.version == release.version]
        if any(dyno.state == "crashed" for dyno in running):
            raise DeployError(f"a web dyno of {release} crashed")
        return bool(dynos) and all(dyno.state == "up" for dyno in running) and len(running) == len(dynos)

    if not wait_until(are_up, MAX_START_SECONDS):
        raise DeployError(f"the web dynos of {release} were not up within {MAX_START_SECONDS:g} s")


def roll_back(platform: Heroku, previous: Release) -> str:
    """Roll back and return the outcome for the error message; raises DeployError if the rollback fails as well."""
    release = platform.roll_back(previous)
    if wait_for_status(platform, release) != "succeeded":
        raise DeployError(f"the rollback to {previous} FAILED too: check the app now")
    wait_for_dynos(platform, release)
    return f"rolled back to {previous}, live as v{release.version}"


def wait_until(is_true: Callable[[], bool], seconds: float) -> bool:
    """Poll a condition; returns whether it became true in time."""
    started = time.monotonic()
    while not is_true():
        if time.monotonic() - started > seconds:
            return False
        time.sleep(POLL_SECONDS)
    return True


def git(*arguments: str) -> str:
    """Run git in the checkout and return what it prints; raises DeployError if it fails."""
    return run("git", *arguments, cwd=ROOT)
