"""`make smoke URL=…`: run the smoke tests, tests/deployed, against a running service.

The service must serve the model file of this checkout.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from deploy import ROOT
from deploy.errors import DeployError

# Without tests/conftest.py, which imports the training libraries: these tests must run where they aren't installed.
PYTEST = (
    *("-m", "pytest", "tests/deployed", "--confcutdir=tests/deployed"),
    *("--override-ini=addopts=--import-mode=importlib", "--quiet", "--tb=line"),
)


def main(arguments: list[str]) -> int:
    """Test the given URL; exit code 1 if a test fails, 2 without a URL."""
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
