"""The receive hook of the stand-in's repository: builds what is pushed, then asks for its release.

Run by git before the branch moves. A build that fails refuses the push; a release that fails doesn't, as on the
platform, where the slug exists by then.
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
    """Read git's lines `old new ref`, build the one for the branch; exit code 1 refuses the push."""
    for _, commit, ref in (line.split() for line in sys.stdin):
        if ref != BRANCH:
            print(f" !     Pushed to {ref}, expected {BRANCH}: nothing is built")
            continue
        try:
            receive(commit)
        except DeployError as error:
            print(f" !     {error}\n !     Push rejected, failed to compile Python app.", flush=True)
            return 1
    return 0


def receive(commit: str) -> None:
    """Build a commit and release it; raises DeployError if the build fails."""
    folder = Path(os.environ["STANDIN_FOLDER"])
    slug = folder / "slugs" / f"{commit[:12]}-{time.monotonic_ns()}"
    slug.mkdir(parents=True)
    archive = subprocess.run(["git", "archive", commit], stdout=subprocess.PIPE, check=True).stdout
    subprocess.run(["tar", "--extract", "--directory", str(slug)], input=archive, check=True)
    build(slug, cache=folder / "cache")
    say("Launching...")
    headers = {"Authorization": f"Bearer {os.environ['HEROKU_API_KEY']}"}
    with httpx.Client(base_url=os.environ["STANDIN_API"], headers=headers, trust_env=False) as api:
        made = api.post("/slugs", json={"commit": commit, "folder": str(slug)}).raise_for_status().json()
        release = api.post("/releases", json={"slug": made["id"]}).raise_for_status().json()
        print(f"       Released v{release['version']}", flush=True)
        while release["status"] == "pending":
            time.sleep(0.1)
            release = api.get(f"/releases/{release['version']}").raise_for_status().json()
    if release["status"] != "succeeded":
        print(" !     Release command failed: this version isn't live.", flush=True)


if __name__ == "__main__":
    sys.exit(main())
