"""`python -m serve`: the service, on HOST and PORT, with WEB_CONCURRENCY workers."""

from __future__ import annotations

import os
import sys

import uvicorn

from serve.contract import ContractError
from serve.model import load_model
from serve.settings import SettingsError, read_settings

KEEP_ALIVE_SECONDS = 95
"""Above the 90 s that Heroku's router keeps a connection, so that it is never us who cuts first."""

STOP_SECONDS = 25
"""In-flight requests have this long after SIGTERM; Heroku kills after 30 s."""


def main() -> None:
    """Serve until stopped; exits with one clear line if a setting or the model can't be used."""
    try:
        settings = read_settings(os.environ)
        if settings.workers > 1:
            # Said once here rather than by each worker, again and again.
            load_model(settings.model_path)
        uvicorn.run(
            "serve.app:create_app",
            factory=True,
            host=settings.host,
            port=settings.port,
            workers=settings.workers,
            log_level=settings.log_level,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=STOP_SECONDS,
            server_header=False,
        )
    except (SettingsError, ContractError) as error:
        sys.exit(f"can't serve: {error}")


if __name__ == "__main__":
    main()
