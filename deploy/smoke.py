"""`make smoke URL=…`: the smoke tests of tests/deployed against a service that runs somewhere.

The service is expected to serve the artifact of this checkout.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from deploy.errors import DeployError

ROOT = Path(__file__).resolve().parent.parent

# tests/conftest.py needs the environment of training, these tests don't: they have to run where nothing is trained.
PYTEST = (
    *("-m", "pytest", "tests/deployed", "--confcutdir=tests/deployed"),
    *("--override-ini=addopts=--import-mode=importlib", "--quiet", "--tb=line"),
)


def main(arguments: list[str]) -> int:
    """Try the URL that is given; exit code 1 if it fails, 2 if there is none."""
    if len(arguments) != 1 or not arguments[0].startswith(("http://", "https://")):
        print(f"smoke: got {' '.join(arguments)!r}, expected a URL: make smoke URL=https://…", file=sys.stderr)
        return 2
    try:
        smoke(arguments[0])
    except DeployError as error:
        print(f"smoke: {error}", file=sys.stderr)
        return 1
    return 0


def smoke(url: str, root: Path = ROOT) -> None:
    """Run the smoke tests of a checkout against a URL; raises DeployError if one fails."""
    environment = {**os.environ, "DEPLOYED_URL": url}
    if subprocess.run([sys.executable, *PYTEST], cwd=root, env=environment).returncode != 0:
        raise DeployError(f"the smoke tests of {url} failed, see above")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
