"""`python -m serve`: the service on uvicorn, on HOST and PORT, with WEB_CONCURRENCY workers."""

from __future__ import annotations

import errno
import gc
import os
import signal
import socket
import sys
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

KEEP_ALIVE_SECONDS = 95
"""Above the 90 s that Heroku's router keeps a connection, so that it is never us who cuts first."""

STOP_SECONDS = 20
"""In-flight requests have this long after SIGTERM; Heroku kills after 30 s."""

METRICS_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
"""Environment variable that tells prometheus_client where the workers of one service share their counters."""


def main() -> None:
    """Serve until stopped; exits with one clear line if a setting or the model can't be used."""
    # Nothing of what is loaded now is garbage: to look for some would take a tenth of the start of a single worker.
    # serve/app.py enables it when the service is there.
    gc.disable()
    from model.contract import ContractError
    from serve.settings import SettingsError, read_settings

    try:
        settings = read_settings(os.environ)
        if settings.workers > 1:
            from serve.loading import load

            # Said once here rather than by each worker. This process only watches over the workers, which begin anew.
            load(settings.model_path, settings)
            gc.enable()
            with TemporaryDirectory(prefix="credit-metrics-") as folder:
                os.environ[METRICS_FOLDER] = os.environ.get(METRICS_FOLDER) or folder
                run(make_options(settings))
        else:
            run(make_options(settings))
    except (SettingsError, ContractError, OSError, UnicodeError) as error:
        sys.exit(f"can't serve: {error}")


def make_options(settings: Any) -> dict[str, Any]:
    """uvicorn's settings for ours."""
    from serve.logs import configure_logs
    from serve.settings import UNIX

    where = {"host": settings.host, "port": settings.port}
    if settings.host.startswith(UNIX):
        where = {"uds": settings.host.removeprefix(UNIX)}
    return where | {
        "app": "serve.app:create_app",
        "factory": True,
        "workers": settings.workers,
        "http": "serve.parser:ParserChoice",
        "ws": "none",
        "interface": "asgi3",
        "log_config": configure_logs(settings.log_level),
        "log_level": settings.log_level,
        "access_log": False,
        "server_header": False,
        "proxy_headers": False,
        "timeout_keep_alive": KEEP_ALIVE_SECONDS,
        "timeout_graceful_shutdown": STOP_SECONDS,
    }


def run(options: dict[str, Any]) -> None:
    """Run uvicorn, with what it does for one worker or for several alone done for both.

    A worker on an address of IPv6 listens on IPv4 too; a socket in the file system that a killed service left is
    replaced.
    """
    import uvicorn

    if options["workers"] == 1:
        # Before the signal is handled: what it would interrupt now is an import.
        import serve.app  # noqa: F401

    # When all is answered uvicorn raises the signal that it got once more; to end when told is no failure.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    if "uds" in options:
        _forget_socket(options["uds"])
    if ":" in options.get("host", "") and options["workers"] == 1:
        config = uvicorn.Config(**options)
        with suppress(KeyboardInterrupt):
            uvicorn.Server(config).run(sockets=[config.bind_socket()])
    else:
        uvicorn.run(**options)


def _forget_socket(path: str) -> None:
    """Remove a socket in the file system that nobody listens to; raises OSError if somebody does."""
    if not Path(path).is_socket():
        return
    with socket.socket(socket.AF_UNIX) as probe, suppress(ConnectionRefusedError):
        probe.connect(path)
        raise OSError(errno.EADDRINUSE, "a service listens there already", path)
    os.unlink(path)


if __name__ == "__main__":
    main()
