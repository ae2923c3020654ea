"""The pre-receive hook of the fake platform's repository: builds the pushed commit and releases it.

A failed build rejects the push. A failed release does not, as on Heroku.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import httpx

from deploy.buildpack import build, say
from deploy.errors import DeployError

BRANCH = "refs/heads/main"


def main() -> int:
    """Read git's lines `old new ref` from stdin and build the pushed main; exit code 1 rejects the push."""
    for _, commit, ref in (line.split() for line in sys.stdin):
        if ref != BRANCH:
            print(f" !     Pushed to {ref}, expected {BRANCH}: nothing is built")
            continue
        try:
            build_and_release(commit)
        except DeployError as error:
            print(f" !     {error}\n !     Push rejected, failed to compile Python app.", flush=True)
            return 1
    return 0


def build_and_release(commit: str) -> None:
    """Build a commit and wait for its release; raises DeployError if the build fails."""
    folder = Path(os.environ["FAKE_HEROKU_FOLDER"])
    slug = folder / "slugs" / f"{commit[:12]}-{time.monotonic_ns()}"
    slug.mkdir(parents=True)
    archive = subprocess.run(["git", "archive", commit], stdout=subprocess.PIPE, check=True).stdout
    subprocess.run(["tar", "--extract", "--directory", str(slug)], input=archive, check=True)
    build(slug, cache=folder / "cache")
    say("Launching...")
    headers = {"Authorization": f"Bearer {os.environ['HEROKU_API_KEY']}"}
    with httpx.Client(base_url=os.environ["FAKE_HEROKU_API"], headers=headers, trust_env=False) as api:
        made = api.post("/slugs", json={"commit": commit, "folder": str(slug)}).raise_for_status().json()
        release = api.post("/releases", json={"slug": made["id"]}).raise_for_status().json()
        print(f"       Released v{release['version']}", flush=True)
        while release["status"] == "pending":
            time.sleep(0.1)
            release = api.get(f"/releases/{release['version']}").raise_for_status().json()
    if release["status"] != "succeeded":
        print(" !     Release command failed: this version is not live.", flush=True)


if __name__ == "__main__":
    sys.exit(main())
