"""`make deploy`: deploy this commit with deploy/release.py, which also rolls back a release that fails.

If the commit isn't live at the end, the exit code is 1 and the reason is printed.
"""

from __future__ import annotations

import os
import sys

from deploy.errors import DeployError
from deploy.heroku import Heroku
from deploy.release import deploy
from deploy.settings import read_settings


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


if __name__ == "__main__":
    sys.exit(main())
